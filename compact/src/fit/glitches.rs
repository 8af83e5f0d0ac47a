//! Readings that stand alone: away from those before and from those after them along their curve.
//!
//! Where a law misses its data smoothly, or noise stays in the state from reading to reading, residuals are large and
//! alike, and how far a reading lies from the law says little about it. A single wild reading stands out from its
//! neighbours all the same: each residual is compared with the median of those before and of those after it (Hampel's
//! identifier: Davies & Gather, J. Am. Stat. Assoc. 88, 782, 1993), on either side by itself, so that a step from one
//! level to another is none.

use super::covariance::criteria;
use super::outliers::in_words;
use super::robust::{median, refit, robust_spread};
use super::{FitOptions, FitResult, Regression};

/// Readings on either side that a reading is compared with.
const SIDE: usize = 3;

/// Deviations beyond which a reading stands alone: of normal noise, whose median of three scatters by 0.67 itself, one
/// in 10^7 lies so far from both sides; twice as many where one side only is there, since a slope of the residuals then
/// counts in full.
const FAR: f64 = 6.0;

/// Readings to either side whose scatter tells what is usual near a reading.
const NEAR: usize = 8;

/// Part of the readings beyond which they are none: then the curves are rough by themselves.
const MOST: f64 = 0.1;

/// Neighbours that are wild at once at most: more are a feature of the curve, of which one search after the other takes
/// the top (by chance one in a hundred of 5 % wild readings lies among three or more).
const TOGETHER: usize = 2;

/// Searches: a wild reading can hide another beside it.
const ROUNDS: usize = 5;

/// Numbers of the residuals that stand alone, counted through all curves, where each departs by more than its number of
/// `least` (0 where there is none); none where they would be more than a tenth of all.
pub(crate) fn glitches(curves: &[&[f64]], least: &[f64]) -> Vec<usize> {
    let total: usize = curves.iter().map(|curve| curve.len()).sum();
    let mut found: Vec<usize> = Vec::new();
    for _ in 0..ROUNDS {
        let mut kept = Vec::with_capacity(curves.len());
        let mut first = 0;
        for curve in curves {
            let own = (0..curve.len()).map(|row| (first + row, curve[row]));
            kept.push(own.filter(|(number, _)| found.binary_search(number).is_err()).collect::<Vec<_>>());
            first += curve.len();
        }
        let more = alone(&kept, least);
        if more.is_empty() {
            break;
        }
        found.extend(more);
        found.sort_unstable();
        if found.len() as f64 > MOST * total as f64 {
            return Vec::new();
        }
    }
    let runs = found.chunk_by(|a, b| b - a == 1).filter(|run| run.len() <= TOGETHER);
    runs.flatten().copied().collect()
}

/// One search among numbered residuals, curve by curve.
fn alone(curves: &[Vec<(usize, f64)>], least: &[f64]) -> Vec<usize> {
    let before = |curve: &[(usize, f64)], row: usize| -> Option<f64> {
        let middle = median(curve[row.saturating_sub(SIDE)..row].iter().map(|own| own.1))?;
        Some(curve[row].1 - middle)
    };
    let after = |curve: &[(usize, f64)], row: usize| -> Option<f64> {
        let end = (row + 1 + SIDE).min(curve.len());
        Some(curve[row].1 - median(curve[row + 1..end].iter().map(|own| own.1))?)
    };
    // What is usual is told by one side: a slope of the residuals counts as scatter there.
    let departures: Vec<Vec<f64>> = curves
        .iter()
        .map(|curve| (0..curve.len()).map(|row| before(curve, row).unwrap_or(0.0)).collect())
        .collect();
    let usual = robust_spread(&departures.iter().flatten().copied().collect::<Vec<f64>>(), 0);
    let mut found = Vec::new();
    for (curve, departures) in curves.iter().zip(&departures) {
        for row in 0..curve.len() {
            let (departure, sides) = match (before(curve, row), after(curve, row)) {
                (Some(a), Some(b)) if a * b > 0.0 => (a.abs().min(b.abs()), 1.0),
                (Some(_), Some(_)) | (None, None) => continue,
                (Some(one), None) | (None, Some(one)) => (one.abs(), 2.0),
            };
            let least = least.get(curve[row].0).copied().unwrap_or(0.0);
            if departure.is_nan() || departure <= (sides * FAR * usual).max(least) {
                continue;
            }
            let near = &departures[row.saturating_sub(NEAR)..(row + 1 + NEAR).min(curve.len())];
            if departure > sides * FAR * robust_spread(near, 0) {
                found.push(curve[row].0);
            }
        }
    }
    found
}

/// The fit without readings that stand alone, from `first`, that of all; `first` itself where there are none.
pub(super) fn without_glitches(regression: &Regression<'_>, first: FitResult) -> FitResult {
    let values = first.values();
    let residuals: Vec<Vec<f64>> =
        (0..regression.devices.len()).map(|device| regression.residuals_of(&values, device)).collect();
    let mut curves: Vec<&[f64]> = Vec::new();
    for (device, all) in regression.devices.iter().zip(&residuals) {
        let mut rest = all.as_slice();
        for series in &device.series {
            let (own, others) = rest.split_at(series.y.len().min(rest.len()));
            curves.push(own);
            rest = others;
        }
    }
    let glitches = glitches(&curves, &[]);
    if glitches.is_empty() {
        return first;
    }
    let once = FitOptions { starts: 1, ..regression.options };
    let Ok(mut result) = refit(&regression.problem_without(&glitches), &once, first.clone()) else {
        return first;
    };
    let readings = result.points + glitches.len();
    // Laws are ranked as if those readings deviated as the others do: whether one stands alone hardly depends on the
    // law, and each is given the same number of them.
    let cost = result.cost * readings as f64 / result.points.max(1) as f64;
    (result.aicc, result.bic) = criteria(cost, readings, result.parameters.len());
    result.warnings.push(format!(
        "{}; the misfit given counts them",
        in_words(regression, &glitches, "away from their neighbours along the curve")
    ));
    result.outliers = glitches;
    let starts = first.warnings.into_iter().filter(|text| text.contains("further starts were tried"));
    result.warnings.extend(starts);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use mho_data::random::Stream;

    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let stream = Stream::new(seed, &["glitch tests"], &[]);
        (0..count as u64).map(|index| stream.normal(index)).collect()
    }

    #[test]
    fn wild_readings_are_found_and_steps_slopes_and_waves_are_none() {
        let mut curve = noise(300, 1);
        for (row, value) in curve.iter_mut().enumerate() {
            // A wave thirty times the noise, a step of as much, a steep end.
            let x = row as f64;
            *value += 30.0 * (x / 40.0).sin() + if row >= 150 { 30.0 } else { 0.0 } + (x - 280.0).max(0.0);
        }
        assert_eq!(glitches(&[&curve], &[]), Vec::<usize>::new());
        let wild = [0, 40, 41, 149, 150, 200];
        for row in wild {
            curve[row] -= 25.0;
        }
        // Beside the step a wild reading is like the other side.
        let found = glitches(&[&curve], &[]);
        assert!(
            wild.iter().filter(|row| ![149, 150].contains(*row)).all(|row| found.contains(row)),
            "{found:?}"
        );
        assert!(found.iter().all(|row| wild.contains(row)), "{found:?}");
    }

    /// Of a hundred thousand readings with normal noise, drifting or not, a few at most.
    #[test]
    fn normal_noise_has_nearly_none() {
        let plain = noise(100_000, 2);
        let mut sum = 0.0;
        let drifting: Vec<f64> = noise(100_000, 3)
            .iter()
            .zip(&plain)
            .map(|(step, read)| {
                sum += 0.5 * step;
                sum + read
            })
            .collect();
        let found = glitches(&[&plain, &drifting], &[]);
        assert!(found.len() <= 2, "{found:?}");
        assert!(glitches(&[&[], &[1.0], &[f64::NAN; 9], &[0.0; 50]], &[]).is_empty());
    }
}
