//! One family of parallel lines (all rows or all columns) and its tridiagonal solve.

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

impl Ends {
    fn first(self) -> bool {
        self != Self::Last
    }

    fn last(self) -> bool {
        self != Self::First
    }
}

/// What zero resistances make of a line. Nodes without resistance between them are one node.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// At its terminal's voltage everywhere.
    Fixed,
    /// One node behind a terminal resistance.
    Merged,
    /// A ladder of segments of this conductance (S).
    Ladder(f64),
}

/// `count` lines of `length` cells in a row-major array.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    count: usize,
    length: usize,
    /// Distance in memory from a line to the next, and from a cell to the next on its line.
    strides: (usize, usize),
    kind: Kind,
    /// Conductances between terminal and line at both ends (S), 0 where nothing is wired.
    ends: (f64, f64),
}

/// Reciprocal pivots of (line conductances + diagonal), by which `Lines::solve` works.
pub(super) struct Factor(Vec<f64>);

impl Lines {
    pub(super) fn rows(rows: usize, columns: usize, wire_ohm: f64, terminal_ohm: f64, ends: Ends) -> Self {
        Self::new(rows, columns, (columns, 1), (wire_ohm, terminal_ohm), ends)
    }

    pub(super) fn columns(rows: usize, columns: usize, wire_ohm: f64, terminal_ohm: f64, ends: Ends) -> Self {
        Self::new(columns, rows, (1, columns), (wire_ohm, terminal_ohm), ends)
    }

    fn new(count: usize, length: usize, strides: (usize, usize), ohm: (f64, f64), ends: Ends) -> Self {
        let (wire, terminal) = ohm;
        let end = 1.0 / (wire + terminal);
        let kind = match (wire > 0.0, terminal > 0.0) {
            (true, _) => Kind::Ladder(1.0 / wire),
            (false, true) => Kind::Merged,
            (false, false) => Kind::Fixed,
        };
        let at = |wired: bool| if wired && kind != Kind::Fixed { end } else { 0.0 };
        Self { count, length, strides, kind, ends: (at(ends.first()), at(ends.last())) }
    }

    /// Visits every position so that memory is walked in order; within a line positions ascend.
    #[inline(always)]
    fn walk(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let (across, along) = self.strides;
        if along == 1 {
            for line in 0..self.count {
                for k in 0..self.length {
                    visit(line, k, line * across + k * along);
                }
            }
        } else {
            for k in 0..self.length {
                for line in 0..self.count {
                    visit(line, k, line * across + k * along);
                }
            }
        }
    }

    /// The same with descending positions.
    #[inline(always)]
    fn walk_back(&self, mut visit: impl FnMut(usize, usize)) {
        let (across, along) = self.strides;
        if along == 1 {
            for line in 0..self.count {
                for k in (0..self.length).rev() {
                    visit(k, line * across + k * along);
                }
            }
        } else {
            for k in (0..self.length).rev() {
                for line in 0..self.count {
                    visit(k, line * across + k * along);
                }
            }
        }
    }

    /// Conductance from position `k` to the terminal.
    fn end(&self, k: usize) -> f64 {
        let first = if k == 0 { self.ends.0 } else { 0.0 };
        let last = if k + 1 == self.length { self.ends.1 } else { 0.0 };
        first + last
    }

    fn segment(&self) -> f64 {
        if let Kind::Ladder(s) = self.kind { s } else { 0.0 }
    }

    /// Current into every node (A) through the line itself, terminals at `terminal` (V, one per line).
    pub(super) fn inflow(&self, v: &[f64], terminal: &[f64], out: &mut [f64]) {
        let (s, step, last) = (self.segment(), self.strides.1, self.length - 1);
        self.walk(|line, k, at| {
            let mut sum = 0.0;
            if k > 0 {
                sum += s * (v[at - step] - v[at]);
            }
            if k < last {
                sum += s * (v[at + step] - v[at]);
            }
            if k == 0 || k == last {
                sum += self.end(k) * (terminal[line] - v[at]);
            }
            out[at] = sum;
        });
    }

    /// Pivots for a diagonal of cell conductances (S).
    pub(super) fn factor(&self, diagonal: &[f64]) -> Factor {
        let mut pivots = vec![0.0; diagonal.len()];
        match self.kind {
            Kind::Fixed => {}
            Kind::Merged => {
                let mut sums = vec![self.ends.0 + self.ends.1; self.count];
                self.walk(|line, _, at| sums[line] += diagonal[at]);
                self.walk(|line, _, at| pivots[at] = 1.0 / sums[line]);
            }
            Kind::Ladder(s) => {
                let (step, last) = (self.strides.1, self.length - 1);
                self.walk(|_, k, at| {
                    let mut d = diagonal[at] + self.end(k);
                    if k < last {
                        d += s;
                    }
                    if k > 0 {
                        // s - s^2 p without cancellation would need another form; refinement corrects it.
                        d += s - s * s * pivots[at - step];
                    }
                    pivots[at] = 1.0 / d;
                });
            }
        }
        Factor(pivots)
    }

    /// Node voltages from currents into the nodes (terminals at 0 V), in place.
    pub(super) fn solve(&self, Factor(pivots): &Factor, x: &mut [f64]) {
        match self.kind {
            Kind::Fixed => x.fill(0.0),
            Kind::Merged => {
                let sums = self.line_sums(x);
                self.walk(|line, _, at| x[at] = sums[line] * pivots[at]);
            }
            Kind::Ladder(s) => {
                let (step, last) = (self.strides.1, self.length - 1);
                self.walk(|_, k, at| {
                    let before = if k > 0 { s * x[at - step] } else { 0.0 };
                    x[at] = (x[at] + before) * pivots[at];
                });
                self.walk_back(|k, at| {
                    if k < last {
                        x[at] += s * pivots[at] * x[at + step];
                    }
                });
            }
        }
    }

    /// Sum over every line.
    pub(super) fn line_sums(&self, x: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        self.walk(|line, _, at| sums[line] += x[at]);
        sums
    }

    /// Largest imbalance of a true node (A), from the imbalance of every cell's node.
    pub(super) fn imbalance(&self, x: &[f64]) -> f64 {
        let largest = |values: &[f64]| values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        match self.kind {
            Kind::Fixed => 0.0,
            Kind::Merged => largest(&self.line_sums(x)),
            Kind::Ladder(_) => largest(x),
        }
    }

    /// `terminal` on every node of its line: the voltages without any current.
    pub(super) fn spread(&self, terminal: &[f64]) -> Vec<f64> {
        let mut v = vec![0.0; self.count * self.length];
        self.walk(|line, _, at| v[at] = terminal[line]);
        v
    }
}
