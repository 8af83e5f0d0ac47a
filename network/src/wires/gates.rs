//! Gated arrays for many inputs: sixteen patterns of open and closed gates side by side.
//!
//! Cells of an input that is off are open. With voltages x on the columns, the supply line of row i answers
//! (R + D_i) v_i = drive + D_i x_i, whatever the gates of other rows; the columns answer the rows that are on,
//! (C + P D) x = P D v, with P the pattern. The two take turns from x = 0. One turn maps x by
//! T = (C + P D)^-1 P D (R + D)^-1 D, whose entries are positive or zero and whose norm is at most
//!
//! ```text
//! q = max((R + D)^-1 D 1) max((C + D)^-1 D 1)
//! ```
//!
//! for every pattern, because columns follow their rows the more, the more cells are on. That says beforehand
//! how many turns leave less than a tolerance. Few are needed: q is the product of what is lost along a row and
//! along a column.

use super::circuit::{Circuit, Linear, Terminals};
use super::kernel::{largest, wide};
use super::lines::{Factor, LineOf};
use super::spread::Down;
use super::{Arriving, Cell, Layers, Solved, WireError, Wires};
use crate::converter::Real;

/// Patterns side by side: a vector of the widest processors in single precision.
const LANES: usize = 16;
/// Rows that are solved together: enough not to wait for each other's sums.
const TOGETHER: usize = 4;
/// Most turns; where lines all but isolate their cells, patterns are solved one by one.
const MOST_TURNS: usize = 64;

type Lanes<T> = [T; LANES];

/// A gated array, ready for patterns.
#[derive(Debug, Clone)]
pub struct Gates<T> {
    layers: Layers,
    rows: Vec<Row<T>>,
    column: LineOf<T>,
    /// Turns after the first answer of the columns; none where patterns are solved one by one.
    turns: Option<usize>,
    /// Standard deviations of the cells from read to read, for patterns that are solved one by one; empty for none.
    noise: Vec<Vec<f64>>,
    /// Bound of the error of every voltage, as a part of the supply's; 0 where patterns are solved one by one.
    pub error: f64,
}

/// Supply lines of one layer.
#[derive(Debug, Clone)]
struct Row<T> {
    d: Vec<T>,
    pivot: Vec<T>,
    couple: Vec<T>,
    /// Voltage of the supply.
    source: T,
    /// Of each cell the part of its conductance that its column sees, with the rest of the row behind it, and the
    /// variance that arrives in the node of the column for 1 V across the cell.
    seen: Vec<T>,
    variance: Vec<T>,
}

/// Memory of one block of patterns.
struct Block<T> {
    /// Row currents, partial sums, then voltages of the columns.
    x: Vec<Lanes<T>>,
    pivot: Vec<Lanes<T>>,
    couple: Vec<Lanes<T>>,
    v: Vec<Lanes<T>>,
    on: Vec<Lanes<T>>,
}

impl<T: Real> Gates<T> {
    /// An array of `rows` x `columns` conductances (row-major) in any unit, resistances of `wires` in its
    /// reciprocal, gated by its inputs; a second layer of rows, of opposite supply, may share the columns.
    /// Column voltages are found to `tolerance` of the supply's, and not beyond the precision of `T`.
    ///
    /// # Errors
    /// When a count differs, or a value is negative or not finite.
    pub fn new(
        rows: usize,
        columns: usize,
        conductances: Vec<Vec<f64>>,
        wires: &Wires,
        tolerance: f64,
    ) -> Result<Self, WireError> {
        let layers = Layers::new(rows, columns, conductances, wires, Cell::Linear)?;
        let circuit = &layers.circuit;
        let narrow = |list: &[f64]| -> Vec<T> { list.iter().map(|&value| T::of(value)).collect() };
        let row = |(layer, d): (usize, &Vec<f64>)| {
            let Factor { pivot, couple } = circuit.row.factor_along(d);
            let source = if layer == 0 { T::ONE } else { -T::ONE };
            let (seen, variance) = (Vec::new(), Vec::new());
            Row { d: narrow(d), pivot: narrow(&pivot), couple: narrow(&couple), source, seen, variance }
        };
        let rows = layers.conductance_s.iter().enumerate().map(row).collect();
        let column = LineOf::new(&circuit.column);
        let [along, down] = layers.followed();
        let q = along * down;
        // After k turns x is off by at most q^k (its first value) / (1 - q).
        let asked = tolerance.max(0.01 * f64::EPSILON.sqrt());
        let mut error = down / (1.0 - q);
        let mut turns = 0;
        while error > asked && turns <= MOST_TURNS {
            error *= q;
            turns += 1;
        }
        let few = q < 1.0 && turns <= MOST_TURNS && !circuit.beside;
        let (turns, error) = if few { (Some(turns), error) } else { (None, 0.0) };
        Ok(Self { layers, rows, column, turns, noise: Vec::new(), error })
    }

    /// Gives the cells read noise: standard deviations (in the unit of conductances) for each layer, rows x columns.
    ///
    /// # Errors
    /// When a count differs, or a value is negative or not finite.
    pub fn with_noise(mut self, sigma: &[Vec<f64>]) -> Result<Self, WireError> {
        self.layers.check_noise(sigma)?;
        for ((row, sigma), d) in self.rows.iter_mut().zip(sigma).zip(&self.layers.conductance_s) {
            let parts: Vec<f64> = self.layers.circuit.row.parts_seen(d);
            row.seen = d.iter().zip(&parts).map(|(d, part)| T::of(d * part)).collect();
            row.variance = sigma.iter().zip(&parts).map(|(s, part)| T::of((s * part).powi(2))).collect();
        }
        self.noise = sigma.to_vec();
        Ok(self)
    }

    /// Whether cells have read noise.
    pub fn is_noisy(&self) -> bool {
        !self.noise.is_empty()
    }

    /// Adds the currents of the columns for the patterns of a batch (rows x batch; what is not zero is on), and the
    /// variances of their noise, if there is any.
    ///
    /// Variances are those of the pattern's own circuit but for what a cell sends into other columns through its row,
    /// which is of second order in the loss along a row, over the number of columns.
    pub fn add(&self, patterns: &[T], mut out: Arriving<'_, T>) -> Solved {
        let Circuit { rows, columns, .. } = self.layers.circuit;
        let batch = out.batch;
        let mut solved = Solved::default();
        if batch == 0 || patterns.len() < rows * batch {
            return solved;
        }
        let is_on = |row: usize, k: usize| patterns[row * batch + k] != T::default();
        // Without an open gate no current flows: often so for the highest bits.
        let some: Vec<usize> = (0..batch).filter(|&k| (0..rows).any(|row| is_on(row, k))).collect();
        solved.vectors = some.len() as u64;
        let noisy = self.is_noisy() && !out.variances.is_empty();
        let Some(turns) = self.turns else {
            for k in some {
                let input: Vec<f64> = (0..rows).map(|row| f64::from(u8::from(is_on(row, k)))).collect();
                solved.alone += 1;
                // Sizes and voltages are right, so that there is an answer.
                let Ok(balance) = self.layers.answer(&input) else { continue };
                solved.unconverged += u64::from(!balance.converged);
                out.add(k, balance.column_current_a(columns).into_iter().map(T::of));
                if noisy && let Ok(variances) = self.layers.variance(&input, &self.noise, false) {
                    out.spread(k, variances.into_iter().map(T::of));
                }
            }
            return solved;
        };
        let zero = [T::default(); LANES];
        let mut block = Block {
            x: vec![zero; rows * columns],
            pivot: vec![zero; rows * columns],
            couple: vec![zero; rows * columns],
            v: vec![zero; TOGETHER * columns],
            on: vec![zero; rows],
        };
        let mut found = vec![zero; columns];
        for group in some.chunks(LANES) {
            for (row, on) in block.on.iter_mut().enumerate() {
                *on = zero;
                for (on, &k) in on.iter_mut().zip(group) {
                    *on = if is_on(row, k) { T::ONE } else { T::default() };
                }
            }
            solved.turns += (turns as u64 + 1) * group.len() as u64;
            wide(
                #[inline(always)]
                || self.solve(&mut block, turns, &mut found),
            );
            for (l, &k) in group.iter().enumerate() {
                out.add(k, found.iter().map(|found| found[l]));
            }
            if noisy {
                wide(
                    #[inline(always)]
                    || self.spread(&mut block, &mut found),
                );
                for (l, &k) in group.iter().enumerate() {
                    out.spread(k, found.iter().map(|found| found[l]));
                }
            }
        }
        solved
    }

    /// Variances of the currents of the columns for the patterns of a block that is solved: of each cell that is on
    /// its noise, times the square of its voltage and of the voltage of its node when the column alone is held at 1 V.
    #[inline(always)]
    fn spread(&self, block: &mut Block<T>, variances: &mut [Lanes<T>]) {
        let Circuit { columns: n, row, .. } = self.layers.circuit;
        let (line, zero) = (LineOf::new(&row), [T::default(); LANES]);
        let Block { x, pivot, couple, v, on } = block;
        let mut down = Down::new(&self.column, variances);
        let (mut weight, mut slope) = (vec![zero; n], vec![zero; n]);
        for (i, on) in on.iter().enumerate() {
            let range = i * n..(i + 1) * n;
            weight.fill(zero);
            slope.fill(zero);
            for layer in &self.rows {
                answer::<1, T>(&line, layer, i, &x[range.clone()], &mut v[..n]);
                let (seen, variance) = (&layer.seen[range.clone()], &layer.variance[range.clone()]);
                for (j, x) in x[range.clone()].iter().enumerate() {
                    let (v, x, mut sum, mut conducts) = (v[j], *x, weight[j], slope[j]);
                    let (variance, seen) = (variance[j], seen[j]);
                    for l in 0..LANES {
                        let across = v[l] - x[l];
                        sum[l] += on[l] * variance * across * across;
                        conducts[l] += on[l] * seen;
                    }
                    (weight[j], slope[j]) = (sum, conducts);
                }
            }
            let nodes = [&mut x[range.clone()], &mut pivot[range.clone()], &mut couple[range]];
            down.eliminate(i, &weight, &slope, nodes);
        }
        down.substitute(x, pivot, couple);
    }

    /// Currents of the columns for the patterns of a block.
    #[inline(always)]
    fn solve(&self, block: &mut Block<T>, turns: usize, currents: &mut [Lanes<T>]) {
        let Circuit { rows, columns, .. } = self.layers.circuit;
        let n = columns;
        block.x.fill([T::default(); LANES]);
        currents.fill([T::default(); LANES]);
        if self.column.held {
            // All columns at 0 V: the rows answer once.
            let Block { x, v, on, .. } = block;
            self.answers(x, v, on, |_, _, sum| {
                for (currents, sum) in currents.iter_mut().zip(sum) {
                    for l in 0..LANES {
                        currents[l] += sum[l];
                    }
                }
            });
            return;
        }
        self.factor(block);
        for _ in 0..=turns {
            self.turn(block);
        }
        let (first, last) = (&block.x[..n], &block.x[(rows - 1) * n..]);
        let [top, bottom] = self.column.ends;
        for j in 0..n {
            for l in 0..LANES {
                currents[j][l] = top * first[j][l] + bottom * last[j][l];
            }
        }
    }

    /// Factors of the columns of every pattern.
    #[inline(always)]
    fn factor(&self, block: &mut Block<T>) {
        let LineOf { length, merged, segment, ends, .. } = self.column;
        let n = self.layers.circuit.columns;
        let mut seen = vec![[T::default(); LANES]; n];
        for k in 0..length {
            let range = k * n..(k + 1) * n;
            let (pivot, couple) = (&mut block.pivot[range.clone()], &mut block.couple[range.clone()]);
            let mut end = T::default();
            if k == 0 {
                end += ends[0];
            }
            if k + 1 == length {
                end += ends[1];
            }
            let on = &block.on[k];
            for j in 0..n {
                let mut d = T::default();
                for layer in &self.rows {
                    d += layer.d[range.start + j];
                }
                let (mut sum, mut reciprocal, mut part) =
                    (seen[j], [T::default(); LANES], [T::default(); LANES]);
                for l in 0..LANES {
                    let here = sum[l] + on[l] * d + end;
                    (reciprocal[l], part[l]) = if k + 1 == length {
                        (T::ONE / here, T::default())
                    } else if merged {
                        (T::default(), T::ONE)
                    } else {
                        let reciprocal = T::ONE / (here + segment);
                        (reciprocal, segment * reciprocal)
                    };
                    sum[l] = part[l] * here;
                }
                (seen[j], pivot[j], couple[j]) = (sum, reciprocal, part);
            }
        }
    }

    /// What the rows that are on send into the columns, row by row, for column voltages `x`: `take` gets the
    /// voltages, which it may replace from this row on, the number of the row and its currents.
    #[inline(always)]
    fn answers(
        &self,
        x: &mut [Lanes<T>],
        v: &mut [Lanes<T>],
        on: &[Lanes<T>],
        mut take: impl FnMut(&mut [Lanes<T>], usize, &[Lanes<T>]),
    ) {
        let Circuit { rows, columns: n, row, .. } = self.layers.circuit;
        let line = LineOf::new(&row);
        let mut sum = vec![[T::default(); LANES]; TOGETHER * n];
        for low in (0..rows).step_by(TOGETHER) {
            let step = TOGETHER.min(rows - low);
            sum.fill([T::default(); LANES]);
            for layer in &self.rows {
                if step == TOGETHER {
                    answer::<TOGETHER, T>(&line, layer, low, &x[low * n..(low + step) * n], v);
                } else {
                    for r in 0..step {
                        let x = &x[(low + r) * n..(low + r + 1) * n];
                        answer::<1, T>(&line, layer, low + r, x, &mut v[r * n..(r + 1) * n]);
                    }
                }
                for r in 0..step {
                    let (d, on) = (&layer.d[(low + r) * n..(low + r + 1) * n], &on[low + r]);
                    let (sum, v) = (&mut sum[r * n..(r + 1) * n], &v[r * n..(r + 1) * n]);
                    for ((sum, v), &d) in sum.iter_mut().zip(v).zip(d) {
                        let (mut total, v) = (*sum, *v);
                        for l in 0..LANES {
                            total[l] += d * on[l] * v[l];
                        }
                        *sum = total;
                    }
                }
            }
            for r in 0..step {
                take(x, low + r, &sum[r * n..(r + 1) * n]);
            }
        }
    }

    /// One turn: the rows answer the columns, and the columns the rows that are on.
    #[inline(always)]
    fn turn(&self, block: &mut Block<T>) {
        let Circuit { rows, columns: n, .. } = self.layers.circuit;
        let Block { x, pivot, couple, v, on } = block;
        self.answers(x, v, on, |x, i, sum| {
            let (head, here) = x.split_at_mut(i * n);
            let here = &mut here[..n];
            here.copy_from_slice(sum);
            if i > 0 {
                add_products(here, &couple[(i - 1) * n..i * n], &head[(i - 1) * n..]);
            }
        });
        for k in (0..rows).rev() {
            let (head, after) = x.split_at_mut((k + 1) * n);
            let here = &mut head[k * n..];
            let (pivot, couple) = (&pivot[k * n..(k + 1) * n], &couple[k * n..(k + 1) * n]);
            let pivots = pivot.as_flattened().iter();
            here.as_flattened_mut().iter_mut().zip(pivots).for_each(|(here, &pivot)| *here = *here * pivot);
            if k + 1 < rows {
                add_products(here, couple, &after[..n]);
            }
        }
    }
}

/// Adds products: of plain lists, which compilers turn into plain vectors.
#[inline(always)]
fn add_products<T: Real>(sums: &mut [Lanes<T>], a: &[Lanes<T>], b: &[Lanes<T>]) {
    let products = a.as_flattened().iter().zip(b.as_flattened());
    sums.as_flattened_mut().iter_mut().zip(products).for_each(|(sum, (&a, &b))| *sum += a * b);
}

/// Voltages of `R` supply lines from number `first` on, for voltages `x` of the columns at their cells.
#[inline(always)]
fn answer<const R: usize, T: Real>(
    line: &LineOf<T>,
    layer: &Row<T>,
    first: usize,
    x: &[Lanes<T>],
    v: &mut [Lanes<T>],
) {
    let n = line.length;
    let split = |values| -> [&[T]; R] {
        let values: &[T] = values;
        std::array::from_fn(|r| &values[(first + r) * n..][..n])
    };
    let (d, pivot, couple) = (split(&layer.d), split(&layer.pivot), split(&layer.couple));
    let x: [&[Lanes<T>]; R] = std::array::from_fn(|r| &x[r * n..][..n]);
    let mut lines = v.chunks_exact_mut(n);
    let v: [&mut [Lanes<T>]; R] = std::array::from_fn(|_| lines.next().unwrap_or_default());
    if line.held {
        v.into_iter().for_each(|v| v.fill([layer.source; LANES]));
        return;
    }
    let [start, end] = line.ends.map(|end| end * layer.source);
    let mut carry = [[start; LANES]; R];
    for k in 0..n {
        for r in 0..R {
            let before = if k > 0 { couple[r][k - 1] } else { T::ONE };
            let (d, x, mut sum) = (d[r][k], x[r][k], carry[r]);
            for l in 0..LANES {
                sum[l] = d * x[l] + before * sum[l];
            }
            (carry[r], v[r][k]) = (sum, sum);
        }
    }
    let mut after = [[T::default(); LANES]; R];
    for r in 0..R {
        v[r][n - 1].iter_mut().for_each(|v| *v += end);
    }
    for k in (0..n).rev() {
        for r in 0..R {
            let (pivot, couple) = (pivot[r][k], couple[r][k]);
            let (sum, mut voltage) = (v[r][k], after[r]);
            for l in 0..LANES {
                voltage[l] = pivot * sum[l] + couple * voltage[l];
            }
            (after[r], v[r][k]) = (voltage, voltage);
        }
    }
}

impl Layers {
    /// Largest voltages of the supply lines when all columns are at 1 V, and of the columns when all supply lines
    /// are, everything else at 0 V and all gates open.
    fn followed(&self) -> [f64; 2] {
        let Circuit { rows, columns, .. } = self.circuit;
        let linear = Linear::new(&self.circuit, &self.conductance_s);
        let (ground, zeros) = (vec![0.0; rows.max(columns)], vec![0.0; columns]);
        let sources = vec![ground.as_slice(); self.conductance_s.len()];
        let sources: Vec<&[f64]> = sources
            .iter()
            .map(|source| &source[..if self.circuit.beside { columns } else { rows }])
            .collect();
        let terminals = Terminals { rows: &sources, columns: &zeros };
        let ones = vec![1.0; rows * columns];
        let mut v = vec![ones.clone(); self.conductance_s.len()];
        linear.rows(&ones, None, &terminals, &mut v);
        let along = largest(v.iter().flatten().copied());
        v.iter_mut().for_each(|v| v.fill(1.0));
        let mut x = ones;
        linear.columns(&v, None, &terminals, &mut x);
        [along, largest(x.into_iter())]
    }
}
