#![allow(clippy::unwrap_used)]
//! 95 % intervals hold the truth as often as they promise, by covariance, profile likelihood and bootstrap; and a
//! few wild readings do not move what they should not. The table of a thousand experiments per model is
//! `docs/calibration.csv`.

#[path = "../examples/calibrate/experiments/mod.rs"]
mod experiments;

use experiments::{DESIGNS, Effort, coverage, designs, shifts};
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
    let effort =
        Effort { first: 0, experiments: EXPERIMENTS, profile: true, replicates: 39, seed: 77, seconds: None };
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

/// 5 % of the readings (of the cells, where statistics of these are fitted) off by 20 standard deviations, of either
/// sign: no estimate moves by more than half the half-width of its interval, and the intervals hold the truth as before.
/// Taking 5 % of the information away moves an estimate by sqrt(0.05 / 0.95) / 1.96 = 0.12 half-widths in the mean
/// square, so that half of one is four standard deviations.
fn moves_little(name: &str) {
    let design = designs().into_iter().find(|design| design.name == name).unwrap();
    let all = shifts(&design, 5, 10).unwrap();
    let intervals = all.len();
    let moved = (all.iter().map(|shift| shift.part.powi(2)).sum::<f64>() / intervals as f64).sqrt();
    let most = all.iter().fold(0.0_f64, |most, shift| most.max(shift.part));
    let held = all.iter().filter(|shift| shift.held).count();
    eprintln!("{name}: {moved:.3} half-widths in the mean square, {most:.3} at most; {held} of {intervals}");
    // Of 20 to 140 intervals, at least 80 %: four binomial standard deviations below 95 % of the fewest.
    assert!(held * 5 >= intervals * 4, "{name}: {held} of {intervals}");
    assert!(most < 0.5, "{name}: {most}");
}

#[test]
fn outliers_move_no_estimate_by_half_of_its_half_width() {
    for name in [
        "tid-exp",
        "tid-stretched",
        "tid-two-term",
        "sonos-retention",
        "current-shift",
        "read-noise",
        "threshold-spread",
        "sonos-programming",
    ] {
        moves_little(name);
    }
}

#[test]
fn gross_cells_move_no_estimate_by_half_of_its_half_width() {
    for name in [
        "pcm",
        "pcm-joshi",
        "hermes",
        "hermes-one",
        "wan",
        "milo",
        "cmo",
        "cmo-coarse",
        "taox",
        "bulk-reram",
        "generic-independent",
        "generic-proportional",
        "generic-inverse",
        "generic-parabolic",
        "state-independent",
    ] {
        moves_little(name);
    }
}
