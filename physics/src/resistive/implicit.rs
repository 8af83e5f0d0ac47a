//! Implicit integration of cells in a row, each coupled to its two neighbours only.
//!
//! A [`Chain`] gives the rate of one cell from itself and its neighbours; each component of a cell either
//! changes at its rate (differential) or makes its rate vanish (algebraic). [`steady`] finds where all rates
//! vanish, [`advance`] integrates in time by TR-BDF2 (Bank et al. 1985; as the stiffly accurate, L-stable
//! method of order 2 with an embedded order 3 of Hosea and Shampine 1996) with adaptive steps. The linear
//! systems are block-tridiagonal. Sums that the rates conserve stay conserved, because stage rates enter as
//! they are.

mod blocks;

use blocks::Blocks;

/// Components of one cell.
pub type Cell<const B: usize> = [f64; B];

/// Cells in a row.
pub trait Chain<const B: usize> {
    /// Rates of change of the components of cell `index`; the ends have one neighbour only.
    fn rate(
        &self,
        time: f64,
        index: usize,
        before: Option<&Cell<B>>,
        here: &Cell<B>,
        after: Option<&Cell<B>>,
    ) -> Cell<B>;

    /// Which components of cell `index` change at their rate; the others keep their rate at zero.
    fn differential(&self, index: usize) -> [bool; B];

    /// Errors below these do not matter, per component.
    fn floor(&self) -> Cell<B>;

    /// The largest part, up to 1, of a Newton step that keeps a cell physical.
    fn admitted(&self, here: &Cell<B>, step: &Cell<B>) -> f64;
}

/// Accuracy and effort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Relative error of a step.
    pub relative: f64,
    /// Most steps of one call of [`advance`].
    pub max_steps: usize,
    /// Most Newton iterations per stage.
    pub max_iterations: usize,
}

impl Default for Accuracy {
    fn default() -> Self {
        Self { relative: 1e-5, max_steps: 100_000, max_iterations: 25 }
    }
}

/// Where and why the solution ends.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("no convergence at {time} s after {} iterations", residuals.len())]
pub struct Stalled {
    /// Time that was reached.
    pub time: f64,
    /// Size of each Newton step of the last attempt, relative to the tolerance.
    pub residuals: Vec<f64>,
}

/// One accepted step: the stages and the weights with which a rate integrates over it.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a, const B: usize> {
    /// Time at the end of the step.
    pub time: f64,
    /// Time, weight in the same unit, and cells of each stage; the last is the end of the step.
    pub stages: [(f64, f64, &'a [Cell<B>]); 3],
}

/// What a stage solves: base + weight rate(y) = y for differential components, or all rates zero.
#[derive(Clone, Copy)]
enum Equation<'a, const B: usize> {
    Stage { base: &'a [Cell<B>], weight: f64 },
    Steady,
}

/// Newton steps this small, relative to the tolerance, end the iteration. The next error is smaller by
/// the error of the difference quotients, about 1e-7.
const CONVERGED: f64 = 1e-3;
/// Relative probe of difference quotients: the square root of the rounding error.
const PROBE: f64 = 1.5e-8;

fn neighbours<const B: usize>(
    cells: &[Cell<B>],
    index: usize,
) -> (Option<&Cell<B>>, &Cell<B>, Option<&Cell<B>>) {
    (index.checked_sub(1).and_then(|i| cells.get(i)), &cells[index], cells.get(index + 1))
}

/// Rates of all cells, with zero for algebraic components.
fn rates<const B: usize>(chain: &impl Chain<B>, time: f64, cells: &[Cell<B>]) -> Vec<Cell<B>> {
    (0..cells.len())
        .map(|index| {
            let (before, here, after) = neighbours(cells, index);
            let mut rate = chain.rate(time, index, before, here, after);
            for (value, moves) in rate.iter_mut().zip(chain.differential(index)) {
                if !moves {
                    *value = 0.0;
                }
            }
            rate
        })
        .collect()
}

/// Residual and its derivative in every cell.
fn linearise<const B: usize>(
    chain: &impl Chain<B>,
    time: f64,
    cells: &[Cell<B>],
    equation: Equation<'_, B>,
) -> (Vec<Cell<B>>, Blocks<B>) {
    let floor = chain.floor();
    let mut residual = Vec::with_capacity(cells.len());
    let mut blocks = Blocks::zero(cells.len());
    for index in 0..cells.len() {
        let (before, here, after) = neighbours(cells, index);
        let rate = chain.rate(time, index, before, here, after);
        let moves = chain.differential(index);
        let factor = |component: usize| match equation {
            Equation::Stage { weight, .. } if moves[component] => weight,
            _ => 1.0,
        };
        let mut own = [0.0; B];
        for component in 0..B {
            own[component] = -factor(component) * rate[component];
            if let (Equation::Stage { base, .. }, true) = (equation, moves[component]) {
                own[component] += here[component] - base[index][component];
            }
        }
        residual.push(own);
        for (side, neighbour) in [before, Some(here), after].into_iter().enumerate() {
            let Some(neighbour) = neighbour else { continue };
            for column in 0..B {
                let mut moved = *neighbour;
                moved[column] += PROBE * neighbour[column].abs().max(floor[column]);
                let probe = moved[column] - neighbour[column];
                let there = match side {
                    0 => chain.rate(time, index, Some(&moved), here, after),
                    1 => chain.rate(time, index, before, &moved, after),
                    _ => chain.rate(time, index, before, here, Some(&moved)),
                };
                for row in 0..B {
                    let mut slope = -factor(row) * (there[row] - rate[row]) / probe;
                    if side == 1 && row == column && matches!(equation, Equation::Stage { .. }) && moves[row]
                    {
                        slope += 1.0;
                    }
                    blocks.side_mut(side)[index][row][column] = slope;
                }
            }
        }
    }
    (residual, blocks)
}

/// Size of a change, relative to the tolerance.
fn size<const B: usize>(change: &[Cell<B>], cells: &[Cell<B>], floor: &Cell<B>, relative: f64) -> f64 {
    let mut largest: f64 = 0.0;
    for (change, cell) in change.iter().zip(cells) {
        for component in 0..B {
            let part = change[component].abs() / (floor[component] + relative * cell[component].abs());
            if part.is_nan() {
                return f64::INFINITY;
            }
            largest = largest.max(part);
        }
    }
    largest
}

/// Newton's method from `cells`; the history of step sizes when it fails.
fn newton<const B: usize>(
    chain: &impl Chain<B>,
    time: f64,
    mut cells: Vec<Cell<B>>,
    equation: Equation<'_, B>,
    accuracy: Accuracy,
) -> Result<Vec<Cell<B>>, Vec<f64>> {
    let floor = chain.floor();
    let mut history = Vec::new();
    for _ in 0..accuracy.max_iterations {
        let (residual, blocks) = linearise(chain, time, &cells, equation);
        let Some(mut step) = blocks.solve(&residual) else {
            history.push(f64::INFINITY);
            return Err(history);
        };
        for value in step.iter_mut().flatten() {
            *value = -*value;
        }
        let part = cells.iter().zip(&step).map(|(cell, step)| chain.admitted(cell, step)).fold(1.0, f64::min);
        let length = size(&step, &cells, &floor, accuracy.relative);
        history.push(length);
        if !length.is_finite() {
            return Err(history);
        }
        for (value, step) in cells.iter_mut().flatten().zip(step.iter().flatten()) {
            *value += part * step;
        }
        if length <= CONVERGED && part == 1.0 {
            return Ok(cells);
        }
    }
    Err(history)
}

/// The cells at which all rates vanish, from a first guess.
///
/// # Errors
/// [`Stalled`] when Newton's method does not get there.
pub fn steady<const B: usize>(
    chain: &impl Chain<B>,
    time: f64,
    guess: &[Cell<B>],
    accuracy: Accuracy,
) -> Result<Vec<Cell<B>>, Stalled> {
    newton(chain, time, guess.to_vec(), Equation::Steady, accuracy)
        .map_err(|residuals| Stalled { time, residuals })
}

/// The cells with their algebraic components made consistent at `time`, all others kept.
///
/// # Errors
/// [`Stalled`] when Newton's method does not get there.
pub fn consistent<const B: usize>(
    chain: &impl Chain<B>,
    time: f64,
    cells: &[Cell<B>],
    accuracy: Accuracy,
) -> Result<Vec<Cell<B>>, Stalled> {
    newton(chain, time, cells.to_vec(), Equation::Stage { base: cells, weight: 0.0 }, accuracy)
        .map_err(|residuals| Stalled { time, residuals })
}

/// Shortest step, relative to the span.
const SHORTEST: f64 = 1e-15;

/// Integrates `cells` from `start` to `end`, which must be consistent at `start`. `step` is the first step
/// to try (the span when it is not positive) and holds the next one afterwards. Every accepted step is shown
/// to `observe`. When the integration stalls, `cells` hold the last good state.
///
/// # Errors
/// [`Stalled`] with the time reached.
pub fn advance<const B: usize>(
    chain: &impl Chain<B>,
    cells: &mut Vec<Cell<B>>,
    (start, end): (f64, f64),
    step: &mut f64,
    accuracy: Accuracy,
    mut observe: impl FnMut(&Taken<'_, B>),
) -> Result<(), Stalled> {
    let gamma = 2.0 - 2.0_f64.sqrt();
    let diagonal = gamma / 2.0;
    let outer = 2.0_f64.sqrt() / 4.0;
    // Weights of the second order less those of the embedded third.
    let difference = [outer - (1.0 - outer) / 3.0, outer - (3.0 * outer + 1.0) / 3.0, diagonal * 2.0 / 3.0];
    let floor = chain.floor();
    let span = end - start;
    let mut time = start;
    if span.is_nan() || span <= 0.0 {
        return Ok(());
    }
    if step.is_nan() || *step <= 0.0 {
        *step = span;
    }
    let mut residuals = Vec::new();
    for _ in 0..accuracy.max_steps {
        let last = time + *step * (1.0 + 1e-9) >= end;
        let h = if last { end - time } else { *step };
        if h < SHORTEST * span.max(time.abs()) {
            return Err(Stalled { time, residuals });
        }
        let middle = time + gamma * h;
        let first = rates(chain, time, cells);
        let combine = |parts: &[(f64, &[Cell<B>])]| -> Vec<Cell<B>> {
            let mut sum = cells.clone();
            for (weight, rates) in parts {
                for (value, rate) in sum.iter_mut().flatten().zip(rates.iter().flatten()) {
                    *value += weight * h * rate;
                }
            }
            sum
        };
        let stage = |at: f64, base: &[Cell<B>], guess: Vec<Cell<B>>| {
            newton(chain, at, guess, Equation::Stage { base, weight: diagonal * h }, accuracy)
        };
        let attempt = stage(middle, &combine(&[(diagonal, &first)]), cells.clone()).and_then(|one| {
            let second = rates(chain, middle, &one);
            let next = stage(time + h, &combine(&[(outer, &first), (outer, &second)]), one.clone())?;
            Ok((one, second, next))
        });
        let (one, second, next) = match attempt {
            Ok(stages) => stages,
            Err(history) => {
                residuals = history;
                *step = h * 0.25;
                continue;
            }
        };
        let third = rates(chain, time + h, &next);
        let mut error = vec![[0.0; B]; cells.len()];
        for (weight, rates) in difference.iter().zip([&first, &second, &third]) {
            for (value, rate) in error.iter_mut().flatten().zip(rates.iter().flatten()) {
                *value += weight * h * rate;
            }
        }
        // The stage matrix takes out of the estimate what the method damps anyway.
        let equation = Equation::Stage { base: &next, weight: diagonal * h };
        let (_, blocks) = linearise(chain, time + h, &next, equation);
        let error = blocks.solve(&error).map_or(f64::INFINITY, |mut filtered| {
            for (index, cell) in filtered.iter_mut().enumerate() {
                for (value, moves) in cell.iter_mut().zip(chain.differential(index)) {
                    if !moves {
                        *value = 0.0;
                    }
                }
            }
            size(&filtered, &next, &floor, accuracy.relative)
        });
        let factor = (0.9 * error.powf(-1.0 / 3.0)).clamp(0.2, 5.0);
        if error > 1.0 {
            residuals = vec![error];
            *step = h * factor;
            continue;
        }
        observe(&Taken {
            time: time + h,
            stages: [(time, outer * h, &*cells), (middle, outer * h, &one), (time + h, diagonal * h, &next)],
        });
        *cells = next;
        time = if last { end } else { time + h };
        *step = if last { (*step).max(h * factor) } else { h * factor };
        if last {
            return Ok(());
        }
    }
    Err(Stalled { time, residuals })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y' = -l (y - cos t) - sin t has y = cos t; the second component holds y2 = y1².
    struct Relaxation(f64);

    impl Chain<2> for Relaxation {
        fn rate(
            &self,
            time: f64,
            _: usize,
            _: Option<&Cell<2>>,
            here: &Cell<2>,
            _: Option<&Cell<2>>,
        ) -> Cell<2> {
            [-self.0 * (here[0] - time.cos()) - time.sin(), here[0] * here[0] - here[1]]
        }

        fn differential(&self, _: usize) -> [bool; 2] {
            [true, false]
        }

        fn floor(&self) -> Cell<2> {
            [1e-9, 1e-9]
        }

        fn admitted(&self, _: &Cell<2>, _: &Cell<2>) -> f64 {
            1.0
        }
    }

    #[test]
    fn a_stiff_equation_with_a_constraint_is_followed() {
        for stiffness in [1.0, 1e3, 1e8] {
            let chain = Relaxation(stiffness);
            let accuracy = Accuracy { relative: 1e-7, ..Accuracy::default() };
            let mut cells = vec![[1.0, 1.0]];
            let (mut step, mut integral, mut steps) = (1e-6, 0.0, 0);
            advance(&chain, &mut cells, (0.0, 3.0), &mut step, accuracy, |taken| {
                steps += 1;
                integral += taken.stages.iter().map(|(_, weight, cells)| weight * cells[0][0]).sum::<f64>();
            })
            .unwrap();
            // 1e-7 per step, some hundred steps.
            assert!((cells[0][0] - 3.0f64.cos()).abs() < 1e-5, "{stiffness}: {:?}", cells[0]);
            assert!((cells[0][1] - 3.0f64.cos().powi(2)).abs() < 2e-5);
            // A stiff equation is followed in steps longer than the quadrature likes.
            assert!(stiffness > 1.0 || (integral - 3.0f64.sin()).abs() < 1e-5, "{integral}");
            assert!(steps < 3000, "{steps}");
        }
    }

    /// An explosion y' = y² from 1 ends at t = 1: the integration stalls there and keeps what it had.
    struct Explosion;

    impl Chain<1> for Explosion {
        fn rate(
            &self,
            _: f64,
            _: usize,
            _: Option<&Cell<1>>,
            here: &Cell<1>,
            _: Option<&Cell<1>>,
        ) -> Cell<1> {
            [here[0] * here[0]]
        }

        fn differential(&self, _: usize) -> [bool; 1] {
            [true]
        }

        fn floor(&self) -> Cell<1> {
            [1e-9]
        }

        fn admitted(&self, _: &Cell<1>, _: &Cell<1>) -> f64 {
            1.0
        }
    }

    #[test]
    fn an_explosion_stalls_and_says_where() {
        let mut cells = vec![[1.0]];
        let accuracy = Accuracy { relative: 1e-6, ..Accuracy::default() };
        let mut step = 0.0;
        let stalled = advance(&Explosion, &mut cells, (0.0, 2.0), &mut step, accuracy, |_| {}).unwrap_err();
        assert!((stalled.time - 1.0).abs() < 1e-3, "{}", stalled.time);
        assert!(cells[0][0] > 1e3);
    }
}
