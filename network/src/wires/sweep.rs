//! Many inputs at once: eight side by side in the lanes of vectors, by relaxed fixed-point sweeps.
//!
//! With voltages x on the columns, the rows answer and ask the columns for voltages T x + b. Each sweep
//! walks the rows of the array once: it ends the elimination of the columns, relaxes
//! x <- x + w (T x + b - x), solves the rows, and begins the elimination of the columns in the other
//! direction, so that a vector passes through memory once per sweep. The relaxations 1/w are the roots of
//! the polynomial that conjugate gradients found for this array on white noise: T is the same for all
//! inputs, so that what conjugate gradients need an inner product for is known beforehand.
//!
//! All entries of T are positive or zero, hence the error of an iterate is at most the last change times
//! max((1 - T)^-1 1), which is solved for once: the bound is rigorous up to rounding.

use super::circuit::{Krylov, Linear, Terminals};
use super::kernel::{largest, rows, wide};
use super::lines::{Direction, Factor};
use mho_data::random::Stream;

/// Inputs side by side: one cache line, one vector of the widest processors.
pub(super) const LANES: usize = 8;
/// Rows that are solved together: enough not to wait for each other's products.
const TOGETHER: usize = 2;
/// Most times that all relaxations are gone through.
const CYCLES: usize = 40;
/// Most relaxations that are tried.
const MOST_RELAXATIONS: usize = 200;

/// Values of all inputs of a block.
pub(super) type Lanes = [f64; LANES];

/// What all blocks of one array share.
pub(super) struct Sweeper<'a> {
    linear: &'a Linear<'a>,
    /// Factors of the rows of each layer.
    row_factors: Vec<Factor>,
    descending: Factor,
    relaxations: Vec<f64>,
    /// Error of an iterate over the last change before it.
    amplification: f64,
}

/// Memory and terminals of one block of inputs.
pub(super) struct Block {
    /// Column voltages (V).
    pub(super) x: Vec<Lanes>,
    partial: Vec<Lanes>,
    carry: Vec<Lanes>,
    v: Vec<Lanes>,
    /// Sources of the rows of each layer (V).
    pub(super) rows: Vec<Vec<Lanes>>,
    /// Voltages that hold the columns (V).
    pub(super) columns: Vec<Lanes>,
}

/// How the sweeps of a block ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    /// Largest error of a column voltage (V), bounded rigorously.
    pub(super) error_v: f64,
    pub(super) sweeps: usize,
}

impl<'a> Sweeper<'a> {
    /// Prepares to reduce errors by about `reduction`.
    pub(super) fn new(linear: &'a Linear<'a>, reduction: f64) -> Self {
        let circuit = linear.circuit;
        let n = circuit.rows * circuit.columns;
        let descending = wide(
            #[inline(always)]
            || circuit.column.factor_across(&linear.total, circuit.columns, Direction::Descending),
        );
        let row_factors = linear.slopes.iter().map(|d| circuit.row.factor_along(d)).collect();
        let mut sweeper =
            Self { linear, row_factors, descending, relaxations: vec![1.0], amplification: 0.0 };
        if circuit.row.held || circuit.column.held {
            return sweeper;
        }
        let mut sum = vec![0.0; n];
        let mut krylov = Krylov::default();
        linear.conjugate_gradients(&mut vec![1.0; n], 1e-9, &mut sum, &mut krylov);
        // (1 - T)^-1 T 1 = (1 - T)^-1 1 - 1; a hundredth covers the inexact solve.
        sweeper.amplification = 1.01 * (largest(sum.into_iter()) - 1.0).max(0.0);
        // A fixed stream: the same array has the same relaxations always.
        let stream = Stream::new(0, &["wires", "relaxations"], &[]);
        // A column that is one node has one voltage.
        let line = |at: usize| if circuit.column.merged() { at % circuit.columns } else { at };
        let mut noise: Vec<f64> =
            (0..n).map(|at| if stream.uniform(line(at) as u64) < 0.5 { -1.0 } else { 1.0 }).collect();
        let mut krylov = Krylov::default();
        linear.conjugate_gradients(&mut noise, reduction, &mut vec![0.0; n], &mut krylov);
        sweeper.relaxations = leja(&ritz_values(&krylov.steps)).into_iter().map(|root| 1.0 / root).collect();
        if sweeper.relaxations.is_empty() {
            sweeper.relaxations.push(1.0);
        }
        sweeper
    }

    /// An empty block.
    pub(super) fn block(&self) -> Block {
        let circuit = self.linear.circuit;
        let n = circuit.rows * circuit.columns;
        let zero = [0.0; LANES];
        Block {
            x: vec![zero; n],
            partial: vec![zero; n],
            carry: vec![zero; circuit.columns],
            v: vec![zero; TOGETHER * circuit.columns],
            rows: vec![vec![zero; circuit.rows]; self.linear.slopes.len()],
            columns: vec![zero; circuit.columns],
        }
    }

    /// Solves for the block's terminals until column voltages are known to `goal` (V), from the block's
    /// voltages if `warm`, else from 0 V.
    pub(super) fn solve(&self, block: &mut Block, goal: f64, warm: bool) -> Outcome {
        if self.linear.circuit.column.held {
            for row in block.x.chunks_mut(block.columns.len()) {
                row.copy_from_slice(&block.columns);
            }
            return Outcome { error_v: 0.0, sweeps: 0 };
        }
        if self.relaxations.len() > MOST_RELAXATIONS {
            return self.solve_one_by_one(block, goal);
        }
        if !warm {
            block.x.fill([0.0; LANES]);
        }
        self.sweep(block, Direction::Ascending, None);
        let mut outcome = Outcome { error_v: f64::INFINITY, sweeps: 0 };
        let mut stalled = f64::INFINITY;
        for _ in 0..CYCLES {
            for relaxation in &self.relaxations {
                let direction = if outcome.sweeps.is_multiple_of(2) {
                    Direction::Descending
                } else {
                    Direction::Ascending
                };
                let change = self.sweep(block, direction, Some(*relaxation));
                outcome.sweeps += 1;
                outcome.error_v = change * (self.amplification + (relaxation - 1.0).abs());
                if outcome.error_v <= goal {
                    return outcome;
                }
            }
            if outcome.error_v.is_nan() || outcome.error_v > 0.5 * stalled {
                break;
            }
            stalled = outcome.error_v;
        }
        self.solve_one_by_one(block, goal)
    }

    /// Conjugate gradients for every input alone: slower, and sure where lines all but isolate their
    /// cells, so that too many relaxations would be needed and rounding would spoil their products.
    fn solve_one_by_one(&self, block: &mut Block, goal: f64) -> Outcome {
        let mut outcome = Outcome { error_v: 0.0, sweeps: 0 };
        let n = block.x.len();
        for lane in 0..LANES {
            let of = |values: &[Lanes]| values.iter().map(|lanes| lanes[lane]).collect::<Vec<f64>>();
            let rows: Vec<Vec<f64>> = block.rows.iter().map(|layer| of(layer)).collect();
            let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            let terminals = Terminals { rows: &rows, columns: &of(&block.columns) };
            let mut v = vec![vec![0.0; n]; rows.len()];
            let mut x = vec![0.0; n];
            let exact = goal / (1.0 + self.amplification);
            let krylov = self.linear.solve(None, &terminals, exact.max(4e-16), &mut x, &mut v);
            for (lanes, x) in block.x.iter_mut().zip(&x) {
                lanes[lane] = *x;
            }
            outcome.error_v = outcome.error_v.max(krylov.change_v * self.amplification);
            outcome.sweeps = outcome.sweeps.max(krylov.iterations);
        }
        outcome
    }

    /// One pass over the array; without a relaxation the first, which only begins. Returns the largest
    /// change that the fixed point asked for (V).
    fn sweep(&self, block: &mut Block, direction: Direction, relaxation: Option<f64>) -> f64 {
        let linear = self.linear;
        let circuit = linear.circuit;
        let (count, n) = (circuit.rows, circuit.columns);
        // The factor whose elimination the sweep before began, and the one for the next sweep.
        let (ending, beginning) = match direction {
            Direction::Ascending => (&self.descending, &linear.column_factor),
            Direction::Descending => (&linear.column_factor, &self.descending),
        };
        let Block { x, partial, carry, v, rows: sources, columns: held } = block;
        let mut most = [0.0_f64; LANES];
        carry.fill([0.0; LANES]);
        wide(
            #[inline(always)]
            || {
                let mut done = 0;
                while done < count {
                    let step = if count - done >= TOGETHER { TOGETHER } else { 1 };
                    // The first row of this group in memory.
                    let low = match direction {
                        Direction::Ascending => done,
                        Direction::Descending => count - done - step,
                    };
                    let order = |s: usize| match direction {
                        Direction::Ascending => low + s,
                        Direction::Descending => low + step - 1 - s,
                    };
                    if let Some(w) = relaxation {
                        for i in (0..step).map(order) {
                            let range = i * n..(i + 1) * n;
                            let (pivot, couple) =
                                (&ending.pivot[range.clone()], &ending.couple[range.clone()]);
                            let (x, partial) = (&mut x[range.clone()], &partial[range]);
                            let carry = &mut carry[..n];
                            for j in 0..n {
                                for l in 0..LANES {
                                    let image = pivot[j] * partial[j][l] + couple[j] * carry[j][l];
                                    let change = image - x[j][l];
                                    carry[j][l] = image;
                                    x[j][l] += w * change;
                                    // A NaN stays in the voltages and is seen there.
                                    most[l] = if change.abs() > most[l] { change.abs() } else { most[l] };
                                }
                            }
                        }
                    }
                    for (layer, sources) in sources.iter().enumerate() {
                        let range = low * n..(low + step) * n;
                        let d = &linear.slopes[layer][range.clone()];
                        let factor = &self.row_factors[layer];
                        let factor = (&factor.pivot[range.clone()], &factor.couple[range.clone()]);
                        let x = &x[range.clone()];
                        if step == TOGETHER {
                            let source = std::array::from_fn(|r| sources[low + r]);
                            rows::<TOGETHER, LANES>(&circuit.row, factor, d, x, source, v);
                        } else {
                            rows::<1, LANES>(&circuit.row, factor, d, x, [sources[low]], v);
                        }
                        let partial = &mut partial[range];
                        for at in 0..step * n {
                            for l in 0..LANES {
                                let current = d[at] * v[at][l];
                                partial[at][l] = if layer == 0 { current } else { partial[at][l] + current };
                            }
                        }
                    }
                    for i in (0..step).map(order) {
                        let end = circuit.column.end(i);
                        if end > 0.0 {
                            for (b, held) in partial[i * n..(i + 1) * n].iter_mut().zip(&*held) {
                                for l in 0..LANES {
                                    b[l] += end * held[l];
                                }
                            }
                        }
                        let (first, before) = match direction {
                            Direction::Ascending => (i == 0, i.wrapping_sub(1)),
                            Direction::Descending => (i + 1 == count, i + 1),
                        };
                        if first {
                            continue;
                        }
                        let couple = &beginning.couple[before * n..(before + 1) * n];
                        let (here, before) = if before < i {
                            let (head, tail) = partial.split_at_mut(i * n);
                            (&mut tail[..n], &head[before * n..])
                        } else {
                            let (head, tail) = partial.split_at_mut(before * n);
                            (&mut head[i * n..], &tail[..n])
                        };
                        for j in 0..n {
                            for l in 0..LANES {
                                here[j][l] += couple[j] * before[j][l];
                            }
                        }
                    }
                    done += step;
                }
            },
        );
        largest(most.into_iter())
    }

    /// Visits every row of every layer with the voltages across its cells, row minus column (V).
    #[inline(always)]
    pub(super) fn across(&self, block: &mut Block, mut visit: impl FnMut(usize, usize, &[Lanes])) {
        let linear = self.linear;
        let circuit = linear.circuit;
        let n = circuit.columns;
        let Block { x, v, rows: sources, .. } = block;
        for (layer, sources) in sources.iter().enumerate() {
            for (i, source) in sources.iter().enumerate() {
                let range = i * n..(i + 1) * n;
                let factor = &self.row_factors[layer];
                let factor = (&factor.pivot[range.clone()], &factor.couple[range.clone()]);
                let (d, x) = (&linear.slopes[layer][range.clone()], &x[range]);
                rows::<1, LANES>(&circuit.row, factor, d, x, [*source], v);
                for j in 0..n {
                    for l in 0..LANES {
                        v[j][l] -= x[j][l];
                    }
                }
                visit(layer, i, &v[..n]);
            }
        }
    }
}

/// Eigenvalues of the tridiagonal matrix that conjugate gradients build, ascending, by bisection.
fn ritz_values(steps: &[(f64, f64)]) -> Vec<f64> {
    let n = steps.len();
    let diagonal: Vec<f64> = (0..n)
        .map(|k| 1.0 / steps[k].0 + if k > 0 { steps[k - 1].1 / steps[k - 1].0 } else { 0.0 })
        .collect();
    // Squares of the entries beside the diagonal.
    let beside: Vec<f64> = (1..n).map(|k| steps[k - 1].1 / (steps[k - 1].0 * steps[k - 1].0)).collect();
    let below = |value: f64| {
        let (mut count, mut pivot) = (0, 1.0_f64);
        for k in 0..n {
            let square = if k > 0 { beside[k - 1] } else { 0.0 };
            pivot = diagonal[k] - value - square / if pivot == 0.0 { f64::MIN_POSITIVE } else { pivot };
            count += usize::from(pivot < 0.0);
        }
        count
    };
    (0..n)
        .map(|index| {
            let (mut low, mut high) = (0.0, 1.5);
            for _ in 0..50 {
                let middle = 0.5 * (low + high);
                if below(middle) > index { high = middle } else { low = middle }
            }
            high
        })
        .collect()
}

/// The roots in Leja's order, each as far as possible from those before: partial products stay small.
fn leja(roots: &[f64]) -> Vec<f64> {
    let mut left = roots.to_vec();
    let mut ordered: Vec<f64> = Vec::new();
    while !left.is_empty() {
        let distance = |root: f64| {
            if ordered.is_empty() {
                return root;
            }
            ordered.iter().map(|other: &f64| (root - other).abs().max(1e-300).ln()).sum()
        };
        let best = (0..left.len()).max_by(|a, b| distance(left[*a]).total_cmp(&distance(left[*b])));
        ordered.push(left.swap_remove(best.unwrap_or(0)));
    }
    ordered
}
