#![allow(clippy::unwrap_used)]
//! 95 % intervals hold the truth as often as they promise, by covariance, profile likelihood and bootstrap; and a
//! few wild readings do not move what they should not. The table of a thousand experiments per model is
//! `docs/calibration.csv`.

#[path = "../examples/calibrate/experiments.rs"]
mod experiments;

use experiments::{DESIGNS, Effort, coverage};
use statrs::distribution::{Binomial, DiscreteCDF};

/// Experiments of each model.
const EXPERIMENTS: u64 = 200;

/// Comparisons in all: seven shared parameters of the three models, three ways each.
const COMPARISONS: f64 = 21.0;

/// Probability that any of them fails by chance, were every coverage the nominal one.
const LEVEL: f64 = 1e-4;

/// Fewest and most of `number` intervals that may hold the truth.
fn bounds(number: u64) -> (usize, usize) {
    let law = Binomial::new(0.95, number).unwrap();
    let tail = LEVEL / COMPARISONS / 2.0;
    let least = (0..=number).find(|&count| law.cdf(count) >= tail).unwrap_or(0);
    let most = (0..=number).find(|&count| law.sf(count) <= tail).unwrap_or(number);
    (least as usize, most as usize)
}

fn holds(name: &str) {
    let design = DESIGNS.iter().find(|design| design.name == name).unwrap();
    let effort = Effort { experiments: EXPERIMENTS, profile: true, replicates: 39, seed: 77 };
    for (parameter, _, coverage) in coverage(design, effort).unwrap() {
        assert_eq!(coverage.experiments, EXPERIMENTS as usize, "{name} {parameter}: fits failed");
        for (way, label) in ["covariance", "profile", "bootstrap"].into_iter().enumerate() {
            let number = coverage.experiments - coverage.missing[way];
            assert!(number * 20 >= coverage.experiments * 19, "{name} {parameter} {label}: {coverage:?}");
            let (least, most) = bounds(number as u64);
            let held = coverage.held[way];
            assert!(
                (least..=most).contains(&held),
                "{name} {parameter} {label}: {held} not in {least}..={most}"
            );
        }
    }
}

#[test]
fn intervals_of_a_dose_law_hold_the_truth() {
    holds("tid-exp");
}

#[test]
fn intervals_of_a_spread_of_thresholds_hold_the_truth() {
    holds("threshold-spread");
}

#[test]
fn intervals_of_read_noise_hold_the_truth() {
    holds("read-noise");
}

/// 5 % of the readings off by 20 standard deviations, of either sign, under the robust loss: in the mean square an
/// estimate moves by less than 0.3 of the half-width of its interval (0.18 follows for normal residuals of equal
/// weight; a few readings of great weight add to it), not one in twenty by more than a half, and the intervals hold the
/// truth as before.
#[test]
fn outliers_move_estimates_by_a_fraction_of_their_half_widths() {
    let (mut beyond, mut all) = (0, 0);
    for name in ["tid-exp", "sonos-retention", "current-shift", "read-noise"] {
        let design = DESIGNS.iter().find(|design| design.name == name).unwrap();
        let mut experiment = design.experiment().unwrap();
        let shared = experiment.shared();
        let (mut held, mut square, mut intervals) = (0, 0.0, 0);
        for number in 0..10 {
            experiment.draw(5, number);
            let clean = experiment.regression.fit().unwrap();
            experiment.spoil(5, number, 0.05);
            let spoilt = experiment.regression.fit().unwrap();
            for index in 0..shared {
                let parameter = &experiment.regression.parameters[index];
                let at = |value: f64| parameter.coordinate(value);
                let [low, high] = spoilt.parameters[index].interval95.map(at);
                let moved = (at(spoilt.parameters[index].value) - at(clean.parameters[index].value)).abs();
                let part = moved / (0.5 * (high - low));
                square += part * part;
                beyond += usize::from(part > 0.5);
                let truth = at(experiment.truth[index]);
                held += usize::from(low <= truth && truth <= high);
                intervals += 1;
            }
        }
        all += intervals;
        let moved = (square / intervals as f64).sqrt();
        assert!(moved < 0.3, "{name}: {moved}");
        // Of 20 to 40 intervals, at least 80 %: four binomial standard deviations below 95 %.
        assert!(held * 5 >= intervals * 4, "{name}: {held} of {intervals}");
    }
    assert!(beyond * 20 <= all, "{beyond} of {all} moved by more than half their half-width");
}
