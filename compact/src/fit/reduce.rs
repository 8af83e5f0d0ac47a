//! Parameters that the data do not ask for: each is fixed at its neutral value as long as AICc prefers that.

use super::{FitError, FitOptions, FitResult, Parameter, Problem, least_squares};

/// A parameter that may be left out, and the value at which it has no effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neutral {
    /// Name of the parameter.
    pub name: &'static str,
    /// Where its effect vanishes.
    pub value: f64,
}

/// A fit with what it did without.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduced {
    /// The fit of the parameters that stayed.
    pub fit: FitResult,
    /// Those fixed at their neutral values, with the change of AICc that this brought (negative: better
    /// without).
    pub without: Vec<(Neutral, f64)>,
}

impl<'a> Problem<'a> {
    /// The same problem with some parameters held at values: `held` in the order of `self.parameters`.
    pub fn holding<'s>(&'s self, held: &[Option<f64>]) -> Problem<'s> {
        let held = held.to_vec();
        let held_values = held.clone();
        let parameters: Vec<Parameter> = self
            .parameters
            .iter()
            .zip(&held)
            .filter(|(_, value)| value.is_none())
            .map(|(parameter, _)| parameter.clone())
            .collect();
        let mut problem = Problem::new(parameters, move |free| {
            let mut free = free.iter();
            let values: Vec<f64> =
                held.iter().map(|value| value.or_else(|| free.next().copied()).unwrap_or(f64::NAN)).collect();
            (self.residuals)(&values)
        });
        if let Some(slopes) = &self.slopes {
            let held = held_values;
            problem.slopes = Some(Box::new(move |free, wanted| {
                let (mut free, mut wanted) = (free.iter(), wanted.iter());
                let (values, wanted): (Vec<f64>, Vec<bool>) = held
                    .iter()
                    .map(|value| match value {
                        Some(value) => (*value, false),
                        None => (free.next().copied().unwrap_or(f64::NAN), wanted.next() == Some(&true)),
                    })
                    .unzip();
                slopes(&values, &wanted)
                    .into_iter()
                    .zip(&held)
                    .filter(|(_, value)| value.is_none())
                    .map(|(column, _)| column)
                    .collect()
            }));
        }
        problem.effective_points = self.effective_points;
        problem.dropped = self.dropped;
        problem
    }
}

/// Fits `problem`, then leaves out of `candidates` one parameter after another while AICc falls: those on a
/// bound, without influence or with a 95 % interval that reaches the neutral value are tried, the least
/// certain first.
///
/// # Errors
/// [`FitError`] of the first fit; later ones that fail leave their parameter in.
pub fn reduce(
    problem: &Problem<'_>,
    options: &FitOptions,
    candidates: &[Neutral],
) -> Result<Reduced, FitError> {
    let mut held = vec![None; problem.parameters.len()];
    let mut best = least_squares(problem, options)?;
    let mut without = Vec::new();
    let mut refused: Vec<&'static str> = Vec::new();
    loop {
        let doubtful = candidates
            .iter()
            .filter(|neutral| !refused.contains(&neutral.name))
            .filter_map(|neutral| {
                let found = best.parameter(neutral.name)?;
                let [low, high] = found.interval95;
                let reaches = low <= neutral.value && neutral.value <= high;
                let open = found.at_bound || !found.std.is_finite();
                (open || reaches).then(|| {
                    let doubt =
                        if open { f64::INFINITY } else { found.std / (found.value - neutral.value).abs() };
                    (*neutral, doubt)
                })
            })
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((neutral, _)) = doubtful else { break };
        let Some(index) = problem.parameters.iter().position(|parameter| parameter.name == neutral.name)
        else {
            break;
        };
        held[index] = Some(neutral.value);
        let mut smaller = problem.holding(&held);
        for parameter in &mut smaller.parameters {
            parameter.start = best.value(&parameter.name);
        }
        match least_squares(&smaller, options) {
            Ok(fit) if fit.aicc <= best.aicc => {
                without.push((neutral, fit.aicc - best.aicc));
                best = fit;
            }
            _ => {
                held[index] = None;
                refused.push(neutral.name);
            }
        }
    }
    Ok(Reduced { fit: best, without })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::Transform;
    use mho_data::random::Stream;

    /// A line with noise: the quadratic term goes, slope and offset stay.
    #[test]
    fn what_the_data_do_not_show_is_left_out() {
        let stream = Stream::new(7, &["reduce"], &[]);
        let x: Vec<f64> = (0..40).map(|i| 0.1 * f64::from(i)).collect();
        let y: Vec<f64> =
            x.iter().enumerate().map(|(i, x)| 1.0 + 2.0 * x + 0.1 * stream.normal(i as u64)).collect();
        let parameter = |name: &str| Parameter::new(name, "1", 0.5, -10.0, 10.0, Transform::Linear);
        let parameters = vec![parameter("offset"), parameter("slope"), parameter("curvature")];
        let problem = Problem::new(parameters, |p| {
            x.iter().zip(&y).map(|(x, y)| (y - p[0] - p[1] * x - p[2] * x * x) / 0.1).collect()
        });
        let candidates = ["offset", "slope", "curvature"].map(|name| Neutral { name, value: 0.0 });
        let reduced = reduce(&problem, &FitOptions::default(), &candidates).unwrap();
        assert_eq!(reduced.fit.parameters.len(), 2, "{reduced:?}");
        assert_eq!(reduced.without[0].0.name, "curvature");
        assert!((reduced.fit.value("slope") - 2.0).abs() < 0.1);
    }
}
