//! Arrays of curved cells behind wires for many inputs: sixteen inputs side by side.
//!
//! With what is lost on the way to a cell along its row, w, and down its column, x, the cell of a source s has the
//! voltage u = s - w - x, and Kirchhoff's law on both families of lines is
//!
//! ```text
//! R w = I(u),     C x = I(u)
//! ```
//!
//! One turn takes the tangents of all cells, I(u) + D du, solves every row for w with the columns as they were, and
//! every column for x with the rows as they are now:
//!
//! ```text
//! (R + D) w' = I + D w,     (C + D) x' = I + D x - D (w' - w)
//! ```
//!
//! The first turn starts without losses, where all cells of a row have one voltage. What a turn leaves is what is
//! lost along a row of what is lost down a column, as for linear cells, and of second order in its own change:
//! few turns are needed. No term is a difference of large numbers, so that single precision suffices. Each input
//! keeps the state of the turn that was its last, so that it does not matter which inputs stand beside it.

use std::ops::AddAssign;
use std::sync::Arc;

use super::circuit::Circuit;
use super::kernel::wide;
use super::lines::{Line, LineOf};
use super::shapes::{Bent, SEGMENTS, Shapes};
use super::spread::Down;
use super::{Arriving, Cell, Crossbar, Layers, WireError, Wires, check};
use crate::converter::Real;

/// Inputs side by side.
const LANES: usize = 16;
/// Most turns; what then still changes is solved by itself.
const MOST_TURNS: usize = 40;
/// Part of the tolerance that the estimate of what is left may take: early turns change less than late ones let
/// expect.
const MARGIN: f64 = 0.25;
/// Most functions of the voltage.
const MOST_SHAPES: usize = 6;
/// Numbers of functions that loops are compiled for; others have some that are zero.
const TERMS: [usize; 3] = [2, 4, MOST_SHAPES];

type Lanes<T> = [T; LANES];

/// Curved cells: the current of a cell of row i and column j at a voltage u is `sum_k parts[layer][k][i, j] p_k(u /
/// full_v)`.
#[derive(Debug, Clone)]
pub struct Bends {
    /// The functions p.
    pub shapes: Arc<Shapes<f64>>,
    /// Numbers of the cells (A) for each layer of rows and each function, row by row.
    pub parts: Vec<Vec<Vec<f64>>>,
    /// Full voltage (V).
    pub full_v: f64,
}

/// An array of curved cells, ready for inputs.
#[derive(Debug, Clone)]
pub struct Curved<T> {
    rows: usize,
    columns: usize,
    wires: Wires,
    row: LineOf<T>,
    column: LineOf<T>,
    shapes: Shapes<T>,
    alone: Arc<Shapes<f64>>,
    /// For each layer, numbers of each cell.
    parts: Vec<Vec<T>>,
    /// Variances of the cells' conductances from read to read, for each layer; empty for none.
    noise: Vec<Vec<T>>,
    full_v: f64,
    tolerance: f64,
    /// Change that is no more than rounding.
    least: f64,
}

/// How inputs were solved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Solved {
    /// Inputs that were.
    pub vectors: u64,
    /// Turns of all of them.
    pub turns: u64,
    /// Those whose turns did not settle, and that were solved by themselves.
    pub alone: u64,
    /// Those that could not be solved to the tolerance.
    pub unconverged: u64,
}

impl AddAssign for Solved {
    fn add_assign(&mut self, other: Self) {
        self.vectors += other.vectors;
        self.turns += other.turns;
        self.alone += other.alone;
        self.unconverged += other.unconverged;
    }
}

impl Layers {
    /// Of cells that follow listed functions.
    pub(super) fn curved(
        rows: usize,
        columns: usize,
        bends: Bends,
        wires: &Wires,
    ) -> Result<Self, WireError> {
        let Bends { shapes, parts, full_v } = bends;
        check("full voltage (V)", &[full_v], f64::MIN_POSITIVE, "a finite number above 0")?;
        for parts in &parts {
            if parts.len() != shapes.count() {
                let (found, expected) = (parts.len(), shapes.count());
                return Err(WireError::Shape { what: "numbers of a cell", found, expected });
            }
            let cells = rows.saturating_mul(columns);
            if let Some(list) = parts.iter().find(|list| list.len() != cells) {
                let (found, expected) = (list.len(), cells);
                return Err(WireError::Shape { what: "values for the cells", found, expected });
            }
            for list in parts {
                check("current (A)", list, f64::NEG_INFINITY, "a finite number")?;
            }
        }
        let bent = Bent { shapes, parts, full_v };
        let full = |layer: usize| (0..rows * columns).map(move |at| (layer, at));
        let secant = |(layer, at)| bent.law(layer, at, full_v).0.max(0.0) / full_v;
        let conductances = (0..bent.parts.len()).map(|layer| full(layer).map(secant).collect()).collect();
        let mut layers = Self::new(rows, columns, conductances, wires, Cell::Linear)?;
        layers.bent = Some(bent);
        Ok(layers)
    }
}

impl Crossbar {
    /// An array of cells that follow listed functions, in one layer.
    ///
    /// # Errors
    /// When a count differs, or a value is not finite.
    pub fn curved(rows: usize, columns: usize, bends: Bends, wires: &Wires) -> Result<Self, WireError> {
        if bends.parts.len() != 1 {
            return Err(WireError::Shape { what: "layers", found: bends.parts.len(), expected: 1 });
        }
        Ok(Self { layers: Layers::curved(rows, columns, bends, wires)? })
    }
}

/// Memory of one block of inputs.
struct Block<T> {
    /// Sources of the rows of each layer.
    source: Vec<Vec<Lanes<T>>>,
    /// What is lost along the rows, for each layer, and down the columns.
    w: Vec<Vec<Lanes<T>>>,
    x: Vec<Lanes<T>>,
    /// Partial sums and reciprocal pivots of the columns.
    t: Vec<Lanes<T>>,
    pivot: Vec<Lanes<T>>,
    /// Of one row: currents, slopes, partial sums, pivots and couplings.
    row: [Vec<Lanes<T>>; 5],
    /// Of one row of nodes: what the elimination of the columns hands on.
    seen: Vec<Lanes<T>>,
    carry: Vec<Lanes<T>>,
    /// Currents of the columns.
    currents: Vec<Lanes<T>>,
}

impl<T: Real> Block<T> {
    fn new(rows: usize, columns: usize, layers: usize) -> Self {
        let zero = [T::default(); LANES];
        let (cells, line) = (vec![zero; rows * columns], vec![zero; columns]);
        Self {
            source: vec![vec![zero; rows]; layers],
            w: vec![cells.clone(); layers],
            x: cells.clone(),
            t: cells.clone(),
            pivot: cells,
            row: std::array::from_fn(|_| line.clone()),
            seen: line.clone(),
            carry: line.clone(),
            currents: line,
        }
    }
}

impl<T: Real> Curved<T> {
    /// An array of `rows` x `columns`; a second layer of rows, of the opposite input, may share the columns.
    /// Currents are found to `tolerance` of their root mean square and voltages to that part of the full one, as far
    /// as the precision of `T` reaches. Inputs are parts of `full_v`.
    ///
    /// # Errors
    /// When a count differs, or a value is not finite; supply lines beside the columns are not known here.
    pub fn new(
        rows: usize,
        columns: usize,
        bends: Bends,
        wires: &Wires,
        tolerance: f64,
    ) -> Result<Self, WireError> {
        let (alone, full_v) = (bends.shapes.clone(), bends.full_v);
        let layers = Layers::curved(rows, columns, bends, wires)?;
        if layers.topology.gated() || alone.count() > MOST_SHAPES || layers.conductance_s.len() > 2 {
            return Err(WireError::NonLinear);
        }
        let terms = TERMS.into_iter().find(|&terms| terms >= alone.count()).unwrap_or(MOST_SHAPES);
        let interlaced = |parts: Vec<Vec<f64>>| -> Vec<T> {
            let number = |at: usize, k: usize| T::of(parts.get(k).map_or(0.0, |list| list[at]));
            (0..rows * columns)
                .flat_map(|at| (0..terms).map(move |k| (at, k)))
                .map(|(at, k)| number(at, k))
                .collect()
        };
        let Circuit { row, column, .. } = layers.circuit;
        // Voltages in units of the full one, currents as they come.
        let line = |line: Line| {
            let Line { segment, ends, .. } = line;
            LineOf::new(&Line { segment: segment * full_v, ends: ends.map(|end| end * full_v), ..line })
        };
        let bent = layers.bent.map(|bent| bent.parts).unwrap_or_default();
        Ok(Self {
            rows,
            columns,
            wires: *wires,
            row: line(row),
            column: line(column),
            shapes: alone.padded(terms),
            alone,
            parts: bent.into_iter().map(interlaced).collect(),
            noise: Vec::new(),
            full_v,
            // Turns change some units in the last place for ever.
            least: if T::BITS < 24 { 2e-6 } else { 1e-12 },
            tolerance,
        })
    }

    /// Gives the cells read noise: standard deviations of their conductances, in the unit of currents over the full
    /// voltage, for each layer, rows x columns. The noise of a current is proportional to the voltage.
    ///
    /// # Errors
    /// When a count differs, or a value is negative or not finite.
    pub fn with_noise(mut self, sigma: &[Vec<f64>]) -> Result<Self, WireError> {
        let (found, expected) = (sigma.len(), self.parts.len());
        if found != expected {
            return Err(WireError::Shape { what: "layers of read noise", found, expected });
        }
        for list in sigma {
            let (found, expected) = (list.len(), self.rows * self.columns);
            if found != expected {
                return Err(WireError::Shape { what: "values for the cells", found, expected });
            }
            check("read noise", list, 0.0, "a finite number of at least 0")?;
        }
        self.noise = sigma.iter().map(|list| list.iter().map(|s| T::of(s * s)).collect()).collect();
        Ok(self)
    }

    /// Whether cells have read noise.
    pub fn is_noisy(&self) -> bool {
        !self.noise.is_empty()
    }

    /// Adds the currents of the columns for the inputs of a batch (rows x batch, parts of the full one), and the
    /// variances of their noise, if there is any.
    ///
    /// Variances are those of the circuit at the input's own voltages but for what a cell sends into other columns
    /// through its row, which is of second order in the loss along a row, over the number of columns.
    pub fn add(&self, inputs: &[T], mut out: Arriving<'_, T>) -> Solved {
        let (rows, columns, batch) = (self.rows, self.columns, out.batch);
        let mut solved = Solved::default();
        if batch == 0 || inputs.len() < rows * batch {
            return solved;
        }
        let nothing = |k: &usize| (0..rows).all(|row| inputs[row * batch + k] == T::default());
        // Without an input no current flows.
        let some: Vec<usize> = (0..batch).filter(|k| !nothing(k)).collect();
        solved.vectors = some.len() as u64;
        let noisy = self.is_noisy() && !out.variances.is_empty();
        let mut block = Block::new(rows, columns, self.parts.len());
        let mut variances = vec![[T::default(); LANES]; columns];
        for group in some.chunks(LANES) {
            for row in 0..rows {
                let mut source = [T::default(); LANES];
                for (source, k) in source.iter_mut().zip(group) {
                    *source = inputs[row * batch + k];
                }
                block.source[0][row] = source;
                if let Some(other) = block.source.get_mut(1) {
                    other[row] = source.map(|s| -s);
                }
            }
            let settled = self.solve(&mut block, group.len(), &mut solved);
            if noisy {
                self.spread(&mut block, &mut variances);
            }
            for (l, &k) in group.iter().enumerate() {
                if settled[l] {
                    out.add(k, block.currents.iter().map(|currents| currents[l]));
                    if noisy {
                        out.spread(k, variances.iter().map(|variances| variances[l]));
                    }
                    continue;
                }
                let input: Vec<f64> = (0..rows).map(|row| inputs[row * batch + k].to_f64()).collect();
                solved.alone += 1;
                match self.by_itself(&input) {
                    Ok((currents, variances, converged)) => {
                        solved.unconverged += u64::from(!converged);
                        out.add(k, currents.into_iter().map(T::of));
                        out.spread(k, variances.into_iter().map(T::of));
                    }
                    Err(_) => solved.unconverged += 1,
                }
            }
        }
        solved
    }

    /// One input by Newton's iteration with conjugate gradients: currents, variances if there is noise, and whether it
    /// converged.
    fn by_itself(&self, input: &[f64]) -> Result<(Vec<f64>, Vec<f64>, bool), WireError> {
        let (count, terms) = (self.alone.count(), self.shapes.count());
        let list =
            |parts: &Vec<T>, k: usize| parts.iter().skip(k).step_by(terms).map(|c| c.to_f64()).collect();
        let parts = self.parts.iter().map(|parts| (0..count).map(|k| list(parts, k)).collect()).collect();
        let bends = Bends { shapes: self.alone.clone(), parts, full_v: self.full_v };
        let input_v: Vec<f64> = input.iter().map(|x| x * self.full_v).collect();
        let layers = Layers::curved(self.rows, self.columns, bends, &self.wires)?;
        let balance = layers.answer(&input_v)?;
        let sigma: Vec<Vec<f64>> = self
            .noise
            .iter()
            .map(|list| list.iter().map(|v| v.to_f64().sqrt() / self.full_v).collect())
            .collect();
        let variances =
            if sigma.is_empty() { Vec::new() } else { layers.variance(&input_v, &sigma, false)? };
        Ok((balance.column_current_a(self.columns), variances, balance.converged))
    }

    /// Variances of the currents of the columns of a block that is solved.
    fn spread(&self, block: &mut Block<T>, variances: &mut [Lanes<T>]) {
        match self.shapes.count() {
            2 => self.spread_with::<2>(block, variances),
            4 => self.spread_with::<4>(block, variances),
            _ => self.spread_with::<MOST_SHAPES>(block, variances),
        }
    }

    fn spread_with<const K: usize>(&self, block: &mut Block<T>, variances: &mut [Lanes<T>]) {
        let Some(table) = self.shapes.table::<K>() else { return };
        wide(
            #[inline(always)]
            || self.spread_down(table, block, variances),
        );
    }

    #[inline(always)]
    fn spread_down<const K: usize>(
        &self,
        table: &[[[T; 2]; K]; SEGMENTS],
        block: &mut Block<T>,
        variances: &mut [Lanes<T>],
    ) {
        let (n, zero) = (self.columns, [T::default(); LANES]);
        let Block { source, w, x, t, pivot, row: [across, slope, before, weight, seen], .. } = block;
        let mut down = Down::new(&self.column, variances);
        for (i, x) in x.chunks_exact_mut(n).enumerate() {
            let range = i * n..(i + 1) * n;
            weight.fill(zero);
            seen.fill(zero);
            for (layer, w) in w.iter().enumerate() {
                let (w, s) = (&w[range.clone()], &source[layer][i]);
                let parts = &self.parts[layer].as_chunks::<K>().0[range.clone()];
                for j in 0..n {
                    for l in 0..LANES {
                        across[j][l] = s[l] - w[j][l] - x[j][l];
                    }
                    slope[j] = tangent(&parts[j], &look(table, &across[j])).1;
                }
                self.row.parts_seen(slope, before);
                let noise = &self.noise[layer][range.clone()];
                for j in 0..n {
                    let (u, part, d) = (across[j], before[j], slope[j]);
                    for l in 0..LANES {
                        let arriving = u[l] * part[l];
                        weight[j][l] += noise[j] * arriving * arriving;
                        seen[j][l] += d[l] * part[l];
                    }
                }
            }
            down.eliminate(i, weight, seen, [x, &mut pivot[range.clone()], &mut t[range]]);
        }
        down.substitute(x, pivot, t);
    }

    /// Solves for the first `count` inputs of a block; which of them settled.
    fn solve(&self, block: &mut Block<T>, count: usize, solved: &mut Solved) -> [bool; LANES] {
        match self.shapes.count() {
            2 => self.solve_with::<2>(block, count, solved),
            4 => self.solve_with::<4>(block, count, solved),
            _ => self.solve_with::<MOST_SHAPES>(block, count, solved),
        }
    }

    fn solve_with<const K: usize>(
        &self,
        block: &mut Block<T>,
        count: usize,
        solved: &mut Solved,
    ) -> [bool; LANES] {
        let Some(table) = self.shapes.table::<K>() else { return [false; LANES] };
        let zero = [T::default(); LANES];
        block.w.iter_mut().chain([&mut block.x]).for_each(|list| list.fill(zero));
        block.currents.fill(zero);
        let mut active: [bool; LANES] = std::array::from_fn(|l| l < count);
        let mut settled = [false; LANES];
        // What the turn before changed: at first the full voltage.
        let mut before = [1.0_f64; LANES];
        for turn in 0..MOST_TURNS {
            let mask = active.map(|active| if active { T::ONE } else { T::default() });
            let Change { voltage, current, size } = wide(
                #[inline(always)]
                || self.turn(table, block, turn == 0, mask),
            );
            for l in 0..LANES {
                if !active[l] {
                    continue;
                }
                solved.turns += 1;
                let change = voltage[l].to_f64();
                let size = (size[l].to_f64() / self.columns as f64).sqrt();
                let current = current[l].to_f64() / size.max(f64::MIN_POSITIVE);
                // What the next turns would still change, if each changes that part of what the one before did.
                let rate = (change / before[l]).max(1e-3);
                let last = change.max(current);
                let left = if rate < 1.0 { last * rate / (1.0 - rate) } else { f64::INFINITY };
                before[l] = change;
                let lost = !(size.is_finite() && change.is_finite());
                // The first turn has no currents before it to be compared with.
                let enough = last <= self.least || left <= MARGIN * self.tolerance;
                settled[l] = turn > 0 && enough && !lost;
                active[l] = !settled[l] && !lost;
            }
            if active.iter().all(|active| !active) {
                break;
            }
        }
        settled
    }

    /// One turn of the inputs that are `active`.
    #[inline(always)]
    fn turn<const K: usize>(
        &self,
        table: &[[[T; 2]; K]; SEGMENTS],
        block: &mut Block<T>,
        first: bool,
        active: Lanes<T>,
    ) -> Change<T> {
        let (n, zero) = (self.columns, [T::default(); LANES]);
        let Block { source, w, x, t, pivot, row: [current, slope, sum, pivots, couples], .. } = block;
        let (seen, carry) = (&mut block.seen[..n], &mut block.carry[..n]);
        let (current, slope) = (&mut current[..n], &mut slope[..n]);
        let (sum, pivots, couples) = (&mut sum[..n], &mut pivots[..n], &mut couples[..n]);
        seen.fill(zero);
        carry.fill(zero);
        let mut change = Change { voltage: zero, current: zero, size: zero };
        for (i, x) in x.chunks_exact(n).enumerate() {
            let range = i * n..(i + 1) * n;
            let (t, pivot) = (&mut t[range.clone()], &mut pivot[range.clone()]);
            t.fill(zero);
            pivot.fill(zero);
            for (layer, w) in w.iter_mut().enumerate() {
                let (w, s) = (&mut w[range.clone()], &source[layer][i]);
                let parts = &self.parts[layer].as_chunks::<K>().0[range.clone()];
                if first {
                    // All cells of the row have the voltage of the source.
                    let at = look(table, s);
                    for j in 0..n {
                        (current[j], slope[j]) = tangent(&parts[j], &at);
                    }
                } else {
                    for j in 0..n {
                        let mut u = zero;
                        for l in 0..LANES {
                            u[l] = s[l] - w[j][l] - x[j][l];
                        }
                        (current[j], slope[j]) = tangent(&parts[j], &look(table, &u));
                    }
                }
                if !self.row.held {
                    self.row.eliminate(current, slope, w, sum, pivots, couples);
                    let (mut after, mut most) = (zero, zero);
                    for j in (0..n).rev() {
                        let (p, a, b, d) = (pivots[j], couples[j], sum[j], slope[j]);
                        let (mut lost, mut i) = (w[j], current[j]);
                        let mut moved = zero;
                        for l in 0..LANES {
                            after[l] = p[l] * b[l] + a[l] * after[l];
                            moved[l] = after[l] - lost[l];
                            i[l] -= d[l] * moved[l];
                            lost[l] += active[l] * moved[l];
                        }
                        for l in 0..LANES {
                            most[l] = most[l].max(moved[l].max(-moved[l]));
                        }
                        (w[j], current[j]) = (lost, i);
                    }
                    keep(&mut change.voltage, &most);
                }
                accumulate(t, current);
                accumulate(pivot, slope);
            }
            // The columns, with currents in t and slopes in pivot.
            if self.column.held {
                for j in 0..n {
                    for l in 0..LANES {
                        carry[j][l] += t[j][l];
                    }
                }
                continue;
            }
            let end = self.column.end(i);
            let (last, segment) = (i + 1 == self.rows, self.column.segment);
            for j in 0..n {
                let (mut sum, mut reciprocal, x) = (t[j], pivot[j], x[j]);
                let (mut before, mut carried) = (seen[j], carry[j]);
                for l in 0..LANES {
                    let here = before[l] + reciprocal[l] + end;
                    sum[l] = sum[l] + reciprocal[l] * x[l] + carried[l];
                    let (p, couple) = if last {
                        (T::ONE / here, T::default())
                    } else if self.column.merged {
                        (T::default(), T::ONE)
                    } else {
                        let p = T::ONE / (here + segment);
                        (p, segment * p)
                    };
                    reciprocal[l] = p;
                    before[l] = couple * here;
                    carried[l] = couple * sum[l];
                }
                (t[j], pivot[j], seen[j], carry[j]) = (sum, reciprocal, before, carried);
            }
        }
        if !self.column.held {
            self.substitute(block, active, &mut change);
        }
        let [top, bottom] = self.column.ends;
        let (first, last) = (&block.x[..n], &block.x[(self.rows - 1) * n..]);
        for j in 0..n {
            let kept = &mut block.currents[j];
            for (l, active) in active.iter().enumerate() {
                let found = match self.column.held {
                    true => block.carry[j][l],
                    false => top * first[j][l] + bottom * last[j][l],
                };
                let moved = found - kept[l];
                change.current[l] = larger(change.current[l], larger(moved, -moved));
                change.size[l] += found * found;
                kept[l] += *active * moved;
            }
        }
        change
    }

    /// The columns from their last node on: partial sums become what is lost.
    #[inline(always)]
    fn substitute(&self, block: &mut Block<T>, active: Lanes<T>, change: &mut Change<T>) {
        let (n, zero, segment) = (self.columns, [T::default(); LANES], self.column.segment);
        let mut most = zero;
        let after = &mut block.seen[..n];
        after.fill([T::default(); LANES]);
        for i in (0..self.rows).rev() {
            let range = i * n..(i + 1) * n;
            let (t, pivot) = (&block.t[range.clone()], &block.pivot[range.clone()]);
            let x = &mut block.x[range];
            let last = i + 1 == self.rows;
            for j in 0..n {
                let (t, pivot) = (t[j], pivot[j]);
                let (mut lost, mut voltage) = (x[j], after[j]);
                for l in 0..LANES {
                    let couple = if last {
                        zero[l]
                    } else if self.column.merged {
                        T::ONE
                    } else {
                        segment * pivot[l]
                    };
                    voltage[l] = pivot[l] * t[l] + couple * voltage[l];
                    let moved = voltage[l] - lost[l];
                    most[l] = most[l].max(moved.max(-moved));
                    lost[l] += active[l] * moved;
                }
                (x[j], after[j]) = (lost, voltage);
            }
        }
        keep(&mut change.voltage, &most);
    }
}

/// What a turn changed.
struct Change<T> {
    /// Largest change of what is lost.
    voltage: Lanes<T>,
    /// Largest change of a column's current.
    current: Lanes<T>,
    /// Sum of the squared currents.
    size: Lanes<T>,
}

/// Values and slopes of all functions at some voltages.
#[inline(always)]
fn look<const K: usize, T: Real>(
    table: &[[[T; 2]; K]; SEGMENTS],
    u: &Lanes<T>,
) -> ([Lanes<T>; K], [Lanes<T>; K]) {
    let zero = T::default();
    let (mut value, mut slope) = ([[zero; LANES]; K], [[zero; LANES]; K]);
    let (mut below, mut part) = ([0_usize; LANES], [zero; LANES]);
    let (last, half) = (T::of((SEGMENTS - 1) as f64), T::of(0.5));
    for l in 0..LANES {
        let size = larger(u[l], -u[l]) * T::of(SEGMENTS as f64);
        // Of two steps that meet either will do.
        let step = (larger(size - half, zero)).nearest();
        let step = if step < last { step } else { last };
        below[l] = step.to_index();
        part[l] = size - step;
    }
    for l in 0..LANES {
        let step = &table[below[l] & (SEGMENTS - 1)];
        for k in 0..K {
            (value[k][l], slope[k][l]) = (step[k][0], step[k][1]);
        }
    }
    for k in 0..K {
        for l in 0..LANES {
            let size = value[k][l] + part[l] * slope[k][l];
            value[k][l] = if u[l] < zero { -size } else { size };
            slope[k][l] = slope[k][l] * T::of(SEGMENTS as f64);
        }
    }
    (value, slope)
}

/// Currents and slopes of a cell at voltages where the functions have these values and slopes.
#[inline(always)]
fn tangent<const K: usize, T: Real>(
    parts: &[T; K],
    (value, slope): &([Lanes<T>; K], [Lanes<T>; K]),
) -> (Lanes<T>, Lanes<T>) {
    let zero = T::default();
    let (mut current, mut rise) = ([zero; LANES], [zero; LANES]);
    for k in 0..K {
        for l in 0..LANES {
            current[l] += parts[k] * value[k][l];
            rise[l] += parts[k] * slope[k][l];
        }
    }
    // Sums of a few functions may fall by as much as they are off; cells do not.
    rise.iter_mut().for_each(|rise| *rise = larger(*rise, zero));
    (current, rise)
}

/// Adds lists: as plain ones, which compilers turn into plain vectors.
#[inline(always)]
fn accumulate<T: Real>(sums: &mut [Lanes<T>], values: &[Lanes<T>]) {
    let values = values.as_flattened().iter();
    sums.as_flattened_mut().iter_mut().zip(values).for_each(|(sum, &value)| *sum += value);
}

/// Replaces what is smaller.
#[inline(always)]
fn keep<T: Real>(most: &mut Lanes<T>, of: &Lanes<T>) {
    most.iter_mut().zip(of).for_each(|(most, &of)| *most = larger(*most, of));
}

/// The larger one.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if a > b { a } else { b }
}
