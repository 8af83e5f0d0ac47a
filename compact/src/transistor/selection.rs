//! Which parameters the readings ask for: those that AICc does not want are left out, and come back where it turns
//! out that they are wanted after all.

use crate::fit::{Held, Neutral, Problem, Search, bounded, held_freedom};
use nalgebra::DMatrix;

/// Searches between two choices begin at the last minimum: few steps.
const STEPS: usize = 25;
const TOLERANCE: f64 = 1e-6;

/// A parameter is tried without as long as it is less than this many standard deviations from where it has no effect.
const DOUBTFUL: f64 = 2.0;

/// Parameters that are let in again at most.
const RETURNS: usize = 4;

/// A fit with what it does without.
pub(super) struct Selected {
    /// Values of all parameters of the problem.
    pub values: Vec<f64>,
    /// Parameters left out, each held at its neutral value, with the change of AICc (negative: better without).
    pub without: Vec<(Neutral, f64)>,
    /// Parameters that the readings drive to a bound where they have an effect.
    pub limited: Vec<Limited>,
}

/// A parameter held because the readings drive it to a bound.
pub(super) struct Limited {
    /// Place in the problem.
    pub place: usize,
    /// The bound.
    pub wanted: f64,
    /// Change of AICc where it could be held at what is expected of it; none where it is held on the bound.
    pub change: Option<f64>,
}

/// A parameter on a bound is held at what is expected of it where AICc rises by less than this: the odds of the two
/// values are within e^3.
const INDIFFERENT: f64 = 6.0;

/// Parameters that move, with their values, of a problem with some held.
struct Choice<'p, 'a> {
    problem: &'p Problem<'a>,
    held: Vec<Option<f64>>,
    values: Vec<f64>,
    cost: f64,
    points: usize,
}

impl Choice<'_, '_> {
    fn aicc(&self) -> f64 {
        let count = self.held.iter().filter(|held| held.is_none()).count();
        aicc(self.cost, self.points, count)
    }

    /// The minimum with this parameter held, or free from a value; `None` where none is found.
    fn with(&self, place: usize, held: Option<f64>, value: f64) -> Option<Self> {
        let mut choice = Self { held: self.held.clone(), values: self.values.clone(), ..*self };
        choice.held[place] = held;
        choice.values[place] = value;
        choice.search().then_some(choice)
    }

    fn search(&mut self) -> bool {
        let smaller = self.problem.holding(&self.held);
        let moving: Vec<usize> = (0..self.held.len()).filter(|&index| self.held[index].is_none()).collect();
        let start: Vec<f64> = moving.iter().map(|&index| self.values[index]).collect();
        let Some(found) = bounded(&smaller, &start, Search { tolerance: TOLERANCE, steps: STEPS }) else {
            return false;
        };
        for (&index, &value) in moving.iter().zip(&found.values) {
            self.values[index] = value;
        }
        self.cost = found.cost;
        true
    }

    /// The first parameter that lies on one of its bounds.
    fn on_bound(&self) -> Option<usize> {
        (0..self.held.len()).find(|&index| {
            let parameter = &self.problem.parameters[index];
            let value = self.values[index];
            // The general fit calls the nearest ten-thousandth of the interval the bound.
            let part = parameter.transform.fraction(value, parameter.lower, parameter.upper);
            self.held[index].is_none() && part.min(1.0 - part) < 1e-4
        })
    }

    /// Standard deviations from its neutral value, for each candidate that moves; 0 where nothing is known.
    fn doubts(&self, candidates: &[(usize, Neutral)]) -> Vec<(usize, Neutral, f64)> {
        let nothing: Vec<bool> = self.held.iter().map(Option::is_some).collect();
        let slopes = self.problem.slopes.as_ref();
        let columns =
            slopes.map(|slopes| slopes(&self.values, &nothing.iter().map(|held| !held).collect::<Vec<_>>()));
        let free: Vec<usize> = (0..self.held.len())
            .filter(|&i| {
                let parameter = &self.problem.parameters[i];
                let inside = self.values[i] > parameter.lower && self.values[i] < parameter.upper;
                !nothing[i] && inside && columns.as_ref().is_some_and(|c| c[i].iter().any(|v| *v != 0.0))
            })
            .collect();
        let Some(columns) = columns else { return Vec::new() };
        let norms: Vec<f64> =
            free.iter().map(|&i| columns[i].iter().map(|v| v * v).sum::<f64>().sqrt()).collect();
        let normal = DMatrix::from_fn(free.len(), free.len(), |a, b| {
            let dot: f64 = columns[free[a]].iter().zip(&columns[free[b]]).map(|(a, b)| a * b).sum();
            dot / (norms[a] * norms[b]) + if a == b { 1e-12 } else { 0.0 }
        });
        let variance = self.cost / self.points.saturating_sub(free.len()).max(1) as f64;
        let inverse = normal.cholesky().map(|factor| factor.inverse());
        candidates
            .iter()
            .filter(|(place, _)| self.held[*place].is_none())
            .map(|&(place, neutral)| {
                let at = free.iter().position(|&index| index == place);
                let off = (self.values[place] - neutral.value).abs();
                let far = match (at, &inverse) {
                    (Some(a), Some(inverse)) => off * norms[a] / (variance * inverse[(a, a)]).sqrt(),
                    _ => 0.0,
                };
                (place, neutral, far)
            })
            .collect()
    }
}

fn aicc(cost: f64, points: usize, count: usize) -> f64 {
    let (n, k) = (points as f64, count as f64);
    let spare = n - k - 1.0;
    if spare <= 0.0 {
        return f64::INFINITY;
    }
    n * (cost.max(f64::MIN_POSITIVE) / n).ln() + 2.0 * k + 2.0 * k * (k + 1.0) / spare
}

/// Leaves parameters out of the minimum at `values` while AICc falls, the least certain first; then asks of each
/// that is out whether the cost falls towards it, and lets it in again where AICc wants that.
pub(super) fn select(
    problem: &Problem<'_>,
    values: Vec<f64>,
    candidates: &[Neutral],
    expected: &[f64],
) -> Option<Selected> {
    let points = (problem.residuals)(&values).len();
    let mut choice = Choice { problem, held: vec![None; values.len()], values, cost: f64::INFINITY, points };
    choice.search().then_some(())?;
    let candidates: Vec<(usize, Neutral)> = candidates
        .iter()
        .filter_map(|neutral| {
            let place = problem.parameters.iter().position(|parameter| parameter.name == neutral.name)?;
            Some((place, *neutral))
        })
        .collect();
    let mut changes = vec![0.0; choice.held.len()];
    for _ in 0..=RETURNS {
        leave_out(&mut choice, &candidates, &mut changes);
        if !let_in(&mut choice, &candidates) {
            break;
        }
    }
    let mut limited = Vec::new();
    while let Some(place) = choice.on_bound() {
        let (before, wanted) = (choice.aicc(), choice.values[place]);
        let held = choice.with(place, Some(expected[place]), expected[place]);
        // One parameter less on either side of the comparison.
        match held {
            Some(held) if held.aicc() < before + INDIFFERENT => {
                limited.push(Limited { place, wanted, change: Some(held.aicc() - before) });
                choice = held;
            }
            _ => {
                choice.held[place] = Some(wanted);
                choice.search();
                limited.push(Limited { place, wanted, change: None });
            }
        }
    }
    let without = candidates
        .iter()
        .filter(|(place, neutral)| choice.held[*place] == Some(neutral.value))
        .filter(|(place, _)| limited.iter().all(|limited| limited.place != *place))
        .map(|&(place, neutral)| (neutral, changes[place]))
        .collect();
    Some(Selected { values: choice.values, without, limited })
}

fn leave_out(choice: &mut Choice<'_, '_>, candidates: &[(usize, Neutral)], changes: &mut [f64]) {
    let mut refused: Vec<usize> = Vec::new();
    loop {
        let doubts = choice.doubts(candidates);
        // On their neutral bound or without influence: nothing moves without them.
        let idle: Vec<_> = doubts
            .iter()
            .filter(|(place, neutral, far)| {
                let lower = choice.problem.parameters[*place].lower;
                let neutral_bound = choice.values[*place] <= lower && neutral.value <= lower;
                *far == 0.0 && (neutral_bound || choice.values[*place] == neutral.value)
            })
            .collect();
        if !idle.is_empty() {
            for (place, neutral, _) in idle {
                let before = choice.aicc();
                choice.held[*place] = Some(neutral.value);
                choice.values[*place] = neutral.value;
                changes[*place] = choice.aicc() - before;
            }
            choice.search();
            continue;
        }
        let least = doubts
            .iter()
            .filter(|(place, _, far)| *far < DOUBTFUL && !refused.contains(place))
            .min_by(|a, b| a.2.total_cmp(&b.2));
        let Some(&(place, neutral, _)) = least else { break };
        let before = choice.aicc();
        match choice.with(place, Some(neutral.value), neutral.value) {
            Some(without) if without.aicc() <= before => {
                changes[place] = without.aicc() - before;
                *choice = without;
            }
            _ => refused.push(place),
        }
    }
}

/// Lets in the parameter whose return gains most; says whether AICc fell.
fn let_in(choice: &mut Choice<'_, '_>, candidates: &[(usize, Neutral)]) -> bool {
    let held: Vec<bool> = choice.held.iter().map(Option::is_some).collect();
    let Some(Held { places, information, score, .. }) = held_freedom(choice.problem, &choice.values, &held)
    else {
        return false;
    };
    let count = held.iter().filter(|held| !**held).count();
    let now = choice.aicc();
    let mut gains: Vec<(f64, usize, f64)> = places
        .iter()
        .enumerate()
        .filter(|(_, place)| candidates.iter().any(|(candidate, _)| candidate == *place))
        .filter_map(|(index, &place)| {
            let departure = score[index] / information[(index, index)];
            let parameter = &choice.problem.parameters[place];
            let value = (choice.values[place] + departure).clamp(parameter.lower, parameter.upper);
            // Outwards the bound would not let it.
            let inwards = departure * (value - choice.values[place]) > 0.0;
            let cost = choice.cost - score[index] * departure;
            let promised = aicc(cost.max(0.0), choice.points, count + 1) - now;
            (inwards && promised < 0.0).then_some((promised, place, value))
        })
        .collect();
    gains.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, place, value) in gains {
        if let Some(with) = choice.with(place, None, value)
            && with.aicc() < now - 1e-6
        {
            *choice = with;
            return true;
        }
    }
    false
}
