//! One family of parallel lines (all rows or all columns): its circuit and its tridiagonal factors.

use super::kernel::{GROUP, gather};
use crate::converter::Real;

/// Which ends of every line are wired to its source or its sense amplifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ends {
    /// The end at index 0: left for rows, top for columns.
    First,
    /// The end at the highest index: right for rows, bottom for columns.
    #[default]
    Last,
    /// Both ends.
    Both,
}

/// The circuit of one line, equal for all lines of a family. Nodes without resistance between them are
/// one node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// Number of cells.
    pub(super) length: usize,
    /// Whether the line is at its terminal's voltage everywhere.
    pub(super) held: bool,
    /// Conductance of a segment (S); infinite where the line is one node behind its terminals.
    pub(super) segment: f64,
    /// Conductances between the line's first and last node and their terminals (S), 0 where nothing is wired.
    pub(super) ends: [f64; 2],
}

/// The direction in which a line is eliminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From index 0 on.
    Ascending,
    /// From the highest index down.
    Descending,
}

/// The factors of (line conductances + diagonal) of a family, one pair of numbers per cell.
///
/// In the order of elimination t_k = b_k + a_(k-1) t_(k-1), then backwards v_k = p_k t_k + a_k v_(k+1).
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// p: reciprocal pivots (1/S).
    pub(super) pivot: Vec<f64>,
    /// a: the part of a node's voltage that comes from its neighbour.
    pub(super) couple: Vec<f64>,
}

/// The larger size; a NaN counts as infinite, because it has to be seen.
#[inline(always)]
fn worst(most: f64, value: f64) -> f64 {
    if value.is_nan() { f64::INFINITY } else { most.max(value.abs()) }
}

/// The factors of lines in groups of [`GROUP`]: per group and cell the numbers of all its lines.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    pub(super) pivot: Vec<[f64; GROUP]>,
    pub(super) couple: Vec<[f64; GROUP]>,
}

impl Line {
    pub(super) fn new(length: usize, wire_ohm: f64, terminal_ohm: f64, ends: Ends) -> Self {
        let held = wire_ohm == 0.0 && terminal_ohm == 0.0;
        let end = 1.0 / (wire_ohm + terminal_ohm);
        let at = |wired: bool| if wired && !held { end } else { 0.0 };
        Self {
            length,
            held,
            segment: 1.0 / wire_ohm,
            ends: [at(ends != Ends::Last), at(ends != Ends::First)],
        }
    }

    /// Whether the whole line is one node behind a terminal resistance.
    pub(super) fn merged(&self) -> bool {
        self.segment.is_infinite()
    }

    /// Conductance from position `k` to the terminal.
    #[inline(always)]
    pub(super) fn end(&self, k: usize) -> f64 {
        let first = if k == 0 { self.ends[0] } else { 0.0 };
        let last = if k + 1 == self.length { self.ends[1] } else { 0.0 };
        first + last
    }

    /// Pivot and coupling of node `k`, given `seen`, the conductance of everything on its side of the
    /// line, and whether a node follows in the order of elimination. No term is subtracted, so nothing
    /// cancels.
    #[inline(always)]
    fn eliminate(&self, seen: f64, followed: bool) -> (f64, f64) {
        match (followed, self.merged()) {
            (false, _) => (1.0 / seen, 0.0),
            (true, true) => (0.0, 1.0),
            (true, false) => {
                let pivot = 1.0 / (seen + self.segment);
                (pivot, self.segment * pivot)
            }
        }
    }

    /// Factors where lines run along memory: `diagonal` has one line after the other.
    pub(super) fn factor_along(&self, diagonal: &[f64]) -> Factor {
        let n = self.length;
        let (mut pivot, mut couple) = (vec![0.0; diagonal.len()], vec![0.0; diagonal.len()]);
        if !self.held {
            // Eight lines at a time: their divisions do not wait for each other.
            let parts = pivot.chunks_mut(8 * n).zip(couple.chunks_mut(8 * n)).zip(diagonal.chunks(8 * n));
            for ((pivot, couple), diagonal) in parts {
                let lines = diagonal.len() / n;
                let mut seen = [0.0; 8];
                for k in 0..n {
                    for (line, seen) in seen.iter_mut().enumerate().take(lines) {
                        let at = line * n + k;
                        let here = *seen + diagonal[at] + self.end(k);
                        let (p, a) = self.eliminate(here, k + 1 < n);
                        (pivot[at], couple[at]) = (p, a);
                        *seen = a * here;
                    }
                }
            }
        }
        Factor { pivot, couple }
    }

    /// The same for groups of lines, those of a group side by side; what fills the last group has no cells.
    #[inline(always)]
    pub(super) fn factor_groups(&self, diagonal: &[f64]) -> Groups {
        let n = self.length;
        let count = (diagonal.len() / n).div_ceil(GROUP);
        let mut groups =
            Groups { pivot: vec![[0.0; GROUP]; count * n], couple: vec![[0.0; GROUP]; count * n] };
        if self.held {
            return groups;
        }
        let mut lanes = vec![[0.0; GROUP]; n];
        for (g, diagonal) in diagonal.chunks(GROUP * n).enumerate() {
            lanes.fill([0.0; GROUP]);
            gather(n, diagonal.len() / n, |at| diagonal[at], &mut lanes);
            let mut seen = [0.0; GROUP];
            for (k, lanes) in lanes.iter().enumerate() {
                let at = g * n + k;
                for l in 0..GROUP {
                    let here = seen[l] + lanes[l] + self.end(k);
                    (groups.pivot[at][l], groups.couple[at][l]) = self.eliminate(here, k + 1 < n);
                    seen[l] = groups.couple[at][l] * here;
                }
            }
        }
        groups
    }

    /// Factors where lines run across memory: neighbours on a line are `count` numbers apart.
    #[inline(always)]
    pub(super) fn factor_across(&self, diagonal: &[f64], count: usize, direction: Direction) -> Factor {
        let n = self.length;
        let (mut pivot, mut couple) = (vec![0.0; diagonal.len()], vec![0.0; diagonal.len()]);
        if !self.held {
            let mut seen = vec![0.0; count];
            for step in 0..n {
                let k = if direction == Direction::Ascending { step } else { n - 1 - step };
                let range = k * count..(k + 1) * count;
                let (pivot, couple) = (&mut pivot[range.clone()], &mut couple[range.clone()]);
                let (diagonal, end) = (&diagonal[range], self.end(k));
                for j in 0..count {
                    let here = seen[j] + diagonal[j] + end;
                    (pivot[j], couple[j]) = self.eliminate(here, step + 1 < n);
                    seen[j] = couple[j] * here;
                }
            }
        }
        Factor { pivot, couple }
    }

    /// Part of each cell's conductance that remains between its other line and the terminals, with the line's
    /// resistance behind it and all other cells of the line grounded: lines along memory.
    pub(super) fn parts_seen(&self, diagonal: &[f64]) -> Vec<f64> {
        let n = self.length;
        if self.held {
            return vec![1.0; diagonal.len()];
        }
        // What a node sees of its line towards one end.
        let beyond =
            |here: f64| if self.merged() { here } else { here * self.segment / (here + self.segment) };
        let mut parts = vec![0.0; diagonal.len()];
        let mut before = vec![0.0; n];
        for (parts, d) in parts.chunks_mut(n).zip(diagonal.chunks(n)) {
            let mut seen = 0.0;
            for k in 0..n {
                before[k] = seen;
                seen = beyond(seen + d[k] + self.end(k));
            }
            seen = 0.0;
            for k in (0..n).rev() {
                let others = before[k] + seen + self.end(k);
                parts[k] = others / (others + d[k]);
                seen = beyond(seen + d[k] + self.end(k));
            }
        }
        parts
    }

    /// Largest imbalance (A) of a node of lines that run along memory: `out` is what the cells draw.
    #[inline(always)]
    pub(super) fn imbalance_along(&self, v: &[f64], out: &[f64], terminal: &[f64]) -> f64 {
        let n = self.length;
        let mut most = 0.0_f64;
        for ((v, out), terminal) in v.chunks(n).zip(out.chunks(n)).zip(terminal) {
            let ends = self.ends[0] * (terminal - v[0]) + self.ends[1] * (terminal - v[n - 1]);
            if self.merged() {
                most = worst(most, ends - out.iter().sum::<f64>());
                continue;
            }
            // Currents along the segments, with those from the terminals before and behind.
            let mut before = self.ends[0] * (terminal - v[0]);
            for k in 0..n - 1 {
                let after = self.segment * (v[k] - v[k + 1]);
                most = worst(most, before - after - out[k]);
                before = after;
            }
            most = worst(most, before + self.ends[1] * (terminal - v[n - 1]) - out[n - 1]);
        }
        if self.held { 0.0 } else { most }
    }

    /// The same for lines that run across memory.
    #[inline(always)]
    pub(super) fn imbalance_across(&self, v: &[f64], out: &[f64], terminal: &[f64]) -> f64 {
        let (n, count) = (self.length, terminal.len());
        if self.held {
            return 0.0;
        }
        let mut most = vec![0.0_f64; count];
        let mut before: Vec<f64> = (0..count).map(|j| self.ends[0] * (terminal[j] - v[j])).collect();
        for k in 0..n {
            let here = &v[k * count..(k + 1) * count];
            let out = &out[k * count..(k + 1) * count];
            if self.merged() {
                for j in 0..count {
                    before[j] -= out[j];
                }
            } else if k + 1 < n {
                let next = &v[(k + 1) * count..(k + 2) * count];
                for j in 0..count {
                    let after = self.segment * (here[j] - next[j]);
                    most[j] = worst(most[j], before[j] - after - out[j]);
                    before[j] = after;
                }
            } else {
                for j in 0..count {
                    before[j] -= out[j];
                }
            }
        }
        let last = &v[(n - 1) * count..];
        for j in 0..count {
            most[j] = worst(most[j], before[j] + self.ends[1] * (terminal[j] - last[j]));
        }
        most.into_iter().fold(0.0, worst)
    }

    /// (line conductances + diagonal) z where lines run across memory; for lines of one node the sum
    /// stands at the last position.
    #[inline(always)]
    pub(super) fn multiply_across(&self, diagonal: &[f64], z: &[f64], count: usize, out: &mut [f64]) {
        let n = self.length;
        if self.merged() {
            out.fill(0.0);
            for k in 0..n {
                for j in 0..count {
                    out[(n - 1) * count + j] += (diagonal[k * count + j] + self.end(k)) * z[k * count + j];
                }
            }
            return;
        }
        for k in 0..n {
            let here = &z[k * count..(k + 1) * count];
            let out = &mut out[k * count..(k + 1) * count];
            let diagonal = &diagonal[k * count..(k + 1) * count];
            let end = self.end(k);
            for j in 0..count {
                out[j] = (diagonal[j] + end) * here[j];
            }
            for other in [k.wrapping_sub(1), k + 1] {
                if other < n {
                    let other = &z[other * count..(other + 1) * count];
                    for j in 0..count {
                        out[j] += self.segment * (here[j] - other[j]);
                    }
                }
            }
        }
    }
}

/// A line in the precision of the core.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineOf<T> {
    pub(super) length: usize,
    pub(super) held: bool,
    pub(super) merged: bool,
    pub(super) segment: T,
    pub(super) ends: [T; 2],
}

impl<T: Real> LineOf<T> {
    pub(super) fn new(line: &Line) -> Self {
        Self {
            length: line.length,
            held: line.held,
            merged: line.merged(),
            segment: T::of(if line.merged() { 0.0 } else { line.segment }),
            ends: line.ends.map(T::of),
        }
    }

    /// Conductance from position `k` to the terminal.
    #[inline(always)]
    pub(super) fn end(&self, k: usize) -> T {
        let first = if k == 0 { self.ends[0] } else { T::default() };
        let last = if k + 1 == self.length { self.ends[1] } else { T::default() };
        first + last
    }

    /// The first half of a solution of (line + slopes) w' = currents + slopes w for `L` inputs side by side: partial
    /// sums, reciprocal pivots and couplings.
    #[inline(always)]
    pub(super) fn eliminate<const L: usize>(
        &self,
        current: &[[T; L]],
        slope: &[[T; L]],
        w: &[[T; L]],
        sum: &mut [[T; L]],
        pivot: &mut [[T; L]],
        couple: &mut [[T; L]],
    ) {
        let n = self.length;
        let (current, slope, w) = (&current[..n], &slope[..n], &w[..n]);
        let (sum, pivot, couple) = (&mut sum[..n], &mut pivot[..n], &mut couple[..n]);
        let (mut seen, mut carry) = ([T::default(); L], [T::default(); L]);
        for k in 0..n {
            let (end, last) = (self.end(k), k + 1 == n);
            for l in 0..L {
                let here = seen[l] + slope[k][l] + end;
                sum[k][l] = current[k][l] + slope[k][l] * w[k][l] + carry[l];
                (pivot[k][l], couple[k][l]) = if last {
                    (T::ONE / here, T::default())
                } else if self.merged {
                    (T::default(), T::ONE)
                } else {
                    let pivot = T::ONE / (here + self.segment);
                    (pivot, self.segment * pivot)
                };
                seen[l] = couple[k][l] * here;
                carry[l] = couple[k][l] * sum[k][l];
            }
        }
    }

    /// As [`Line::parts_seen`] for one line and `L` inputs side by side, whose cells conduct `slope`.
    #[inline(always)]
    pub(super) fn parts_seen<const L: usize>(&self, slope: &[[T; L]], parts: &mut [[T; L]]) {
        let n = self.length;
        if self.held {
            parts.fill([T::ONE; L]);
            return;
        }
        let (slope, parts) = (&slope[..n], &mut parts[..n]);
        let segment = self.segment;
        let beyond = |here: T| if self.merged { here } else { here * segment / (here + segment) };
        let mut seen = [T::default(); L];
        for k in 0..n {
            let end = self.end(k);
            let before = seen;
            for l in 0..L {
                seen[l] = beyond(before[l] + slope[k][l] + end);
            }
            parts[k] = before;
        }
        seen = [T::default(); L];
        for k in (0..n).rev() {
            let end = self.end(k);
            let (mut part, d) = (parts[k], slope[k]);
            for l in 0..L {
                let others = part[l] + seen[l] + end;
                part[l] = others / (others + d[l]);
                seen[l] = beyond(seen[l] + d[l] + end);
            }
            parts[k] = part;
        }
    }
}
