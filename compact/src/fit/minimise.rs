//! The minimisation itself: MINPACK's trust region with forward differences in free coordinates.

use super::{FitError, FitOptions, Loss, Problem, Slopes};
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt, TerminationReason};
use nalgebra::{DMatrix, DVector, Dyn, storage::Owned};

/// Where a minimisation ended.
#[derive(Debug, Clone)]
pub(super) struct Minimum {
    /// Free coordinates of all parameters.
    pub coordinates: Vec<f64>,
    /// Sum of the losses.
    pub cost: f64,
    /// Whether the limit of evaluations was not what stopped it.
    pub converged: bool,
}

/// Relative tolerance of MINPACK in the coordinates; forward differences carry an error of about 1e-8, below
/// which tightening gains nothing.
const COORDINATE_TOLERANCE: f64 = 1e-9;

/// Runs of MINPACK at most, and the relative gain that makes another one worthwhile.
const RESTARTS: usize = 10;
const WORTHWHILE: f64 = 1e-6;

/// Coordinates below this start at zero.
const NO_LENGTH: f64 = 1e-6;

/// Values in the parameters' own units.
pub(super) fn values(problem: &Problem<'_>, coordinates: &[f64]) -> Vec<f64> {
    problem.parameters.iter().zip(coordinates).map(|(parameter, &u)| parameter.value(u)).collect()
}

/// The part of a problem that moves: all coordinates, or all but one held fixed.
struct Moving<'p, 'a> {
    problem: &'p Problem<'a>,
    options: &'p FitOptions,
    coordinates: Vec<f64>,
    moving: Vec<usize>,
    roots: Option<Vec<f64>>,
}

impl Moving<'_, '_> {
    fn roots_at(&self, coordinates: &[f64]) -> Option<Vec<f64>> {
        let mut residuals = (self.problem.residuals)(&values(self.problem, coordinates));
        for residual in &mut residuals {
            *residual = self.options.loss.root(*residual);
        }
        residuals.iter().all(|residual| residual.is_finite()).then_some(residuals)
    }
}

impl Moving<'_, '_> {
    /// The Jacobian from the model's own derivatives; `None` where they are not numbers.
    fn fill(&self, jacobian: &mut DMatrix<f64>, slopes: &Slopes<'_>) -> Option<()> {
        let values = values(self.problem, &self.coordinates);
        let mut wanted = vec![false; values.len()];
        for &index in &self.moving {
            wanted[index] = true;
        }
        let columns = slopes(&values, &wanted);
        let factors: Vec<f64> = match self.options.loss {
            Loss::Square => Vec::new(),
            loss => (self.problem.residuals)(&values)
                .into_iter()
                // The square of the root is the loss.
                .map(|r| if r == 0.0 { 1.0 } else { loss.influence(r) / loss.root(r) })
                .collect(),
        };
        for (column, &index) in self.moving.iter().enumerate() {
            let scale = self.problem.parameters[index].slope(self.coordinates[index]);
            for (row, slope) in columns[index].iter().enumerate() {
                let value = slope * scale * factors.get(row).copied().unwrap_or(1.0);
                if !value.is_finite() {
                    return None;
                }
                jacobian[(row, column)] = value;
            }
        }
        Some(())
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Moving<'_, '_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, parameters: &DVector<f64>) {
        for (&index, &u) in self.moving.iter().zip(parameters) {
            self.coordinates[index] = u;
        }
        self.roots = self.roots_at(&self.coordinates);
    }

    fn params(&self) -> DVector<f64> {
        DVector::from_iterator(self.moving.len(), self.moving.iter().map(|&index| self.coordinates[index]))
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        self.roots.as_ref().map(|roots| DVector::from_column_slice(roots))
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let here = self.roots.as_ref()?;
        let mut jacobian = DMatrix::zeros(here.len(), self.moving.len());
        if let Some(slopes) = &self.problem.slopes {
            self.fill(&mut jacobian, slopes)?;
            return Some(jacobian);
        }
        let mut coordinates = self.coordinates.clone();
        for (column, &index) in self.moving.iter().enumerate() {
            let u = coordinates[index];
            let step = self.options.difference_step * u.abs().max(1.0);
            // Towards the middle, where the slope does not vanish and no bound is met.
            coordinates[index] = if u > 0.0 { u - step } else { u + step };
            let width = coordinates[index] - u;
            let there = self.roots_at(&coordinates)?;
            for (row, (a, b)) in here.iter().zip(&there).enumerate() {
                jacobian[(row, column)] = (b - a) / width;
            }
            coordinates[index] = u;
        }
        Some(jacobian)
    }
}

/// Minimises from `start` (free coordinates), with the coordinate `fixed` held where it is.
///
/// In a long curved valley the trust region can shrink until MINPACK believes that it has arrived;
/// so it is started again from where it stopped until that gains nothing.
pub(super) fn minimise(
    problem: &Problem<'_>,
    options: &FitOptions,
    start: &[f64],
    fixed: Option<usize>,
) -> Result<Minimum, FitError> {
    let moving: Vec<usize> = (0..start.len()).filter(|&index| Some(index) != fixed).collect();
    // MINPACK's first trust region is a multiple of the length of the start, but not of a length of exactly zero:
    // a start of only rounding, in the middle of every interval, would not be left.
    let start: Vec<f64> = start.iter().map(|&u| if u.abs() < NO_LENGTH { 0.0 } else { u }).collect();
    let start = start.as_slice();
    let mut state = Moving { problem, options, coordinates: start.to_vec(), moving, roots: None };
    state.roots = state.roots_at(start);
    let Some(roots) = &state.roots else {
        return Err(FitError::NotFinite { detail: first_offender(problem, start) });
    };
    if roots.len() < state.moving.len() {
        return Err(FitError::TooFewPoints { points: roots.len(), parameters: start.len() });
    }
    let mut best = Minimum { coordinates: start.to_vec(), cost: sum_of_squares(roots), converged: true };
    if state.moving.is_empty() {
        return Ok(best);
    }
    for _ in 0..RESTARTS {
        let (ended, converged) = descend(state, options)?;
        state = ended;
        let Some(roots) = state.roots_at(&state.coordinates) else {
            return Err(FitError::NotFinite { detail: first_offender(problem, &state.coordinates) });
        };
        let before = best.cost;
        best = Minimum { coordinates: state.coordinates.clone(), cost: sum_of_squares(&roots), converged };
        if best.cost >= before * (1.0 - WORTHWHILE.max(10.0 * options.cost_tolerance))
            || best.cost <= f64::MIN_POSITIVE
        {
            break;
        }
    }
    Ok(best)
}

/// One run of MINPACK; says whether something else than the limit of evaluations stopped it.
fn descend<'p, 'a>(state: Moving<'p, 'a>, options: &FitOptions) -> Result<(Moving<'p, 'a>, bool), FitError> {
    let (state, report) = LevenbergMarquardt::new()
        .with_ftol(options.cost_tolerance)
        .with_xtol(COORDINATE_TOLERANCE)
        .with_gtol(f64::EPSILON)
        .with_patience(options.patience)
        .minimize(state);
    match report.termination {
        TerminationReason::LostPatience => Ok((state, false)),
        // Both mean: no further improvement within rounding.
        TerminationReason::NoImprovementPossible(_) | TerminationReason::Numerical(_) => Ok((state, true)),
        TerminationReason::User(detail) => Err(FitError::BrokeDown(detail.to_string())),
        reason if reason.was_successful() => Ok((state, true)),
        reason => Err(FitError::BrokeDown(format!("{reason:?}"))),
    }
}

pub(super) fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

fn first_offender(problem: &Problem<'_>, coordinates: &[f64]) -> String {
    let values = values(problem, coordinates);
    let residuals = (problem.residuals)(&values);
    let index = residuals.iter().position(|residual| !residual.is_finite()).unwrap_or(0);
    let named: Vec<String> = problem
        .parameters
        .iter()
        .zip(&values)
        .map(|(parameter, value)| format!("{} = {value:.4e}", parameter.name))
        .collect();
    format!("residual {index} at {}", named.join(", "))
}
