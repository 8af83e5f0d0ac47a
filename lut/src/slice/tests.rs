//! Batches: the same bits however they are cut, and nothing moved without a count.

use crate::compile::tests_support::{cell, table};
use crate::{Clamped, OutOfRange, Sides, TableError};
use mho_data::random::Stream;
use proptest::prelude::*;

fn draws(count: u64) -> (Vec<f64>, Vec<f64>) {
    let stream = Stream::new(3, &["slice"], &[]);
    (0..count).map(|n| (stream.uniform(2 * n), stream.normal(2 * n + 1))).unzip()
}

proptest! {
    /// Answers are the same bits in any batch, and those of a single query.
    #[test]
    fn answers_do_not_depend_on_the_batch(batch in 1_usize..500) {
        let slice = table().slice(3e4, 120.0).unwrap();
        let (states, z) = draws(1000);
        let mut whole = vec![0.0; 1000];
        slice.currents_na(&states, &z, OutOfRange::Clamp, &mut whole).unwrap();
        let mut parts = vec![0.0; 1000];
        for start in (0..1000).step_by(batch) {
            let end = (start + batch).min(1000);
            let part = &mut parts[start..end];
            slice.currents_na(&states[start..end], &z[start..end], OutOfRange::Clamp, part).unwrap();
        }
        for k in 0..1000 {
            prop_assert_eq!(whole[k].to_bits(), parts[k].to_bits());
            prop_assert_eq!(whole[k].to_bits(), slice.current_na(states[k], z[k]).to_bits());
        }
    }
}

#[test]
fn counts_say_on_which_side() {
    let slice = table().slice(0.0, 0.0).unwrap();
    let states = [-0.2, 0.5, 1.0, 1.1, 7.0];
    let mut out = [0.0; 5];
    let clamped = slice.means_na(&states, OutOfRange::Clamp, &mut out).unwrap();
    let state = Sides { below: 1, above: 2 };
    assert_eq!(clamped, Clamped { points: 3, state, ..Clamped::default() });
    assert_eq!((out[0], out[4]), (slice.mean_na(0.0), slice.mean_na(1.0)));

    let clamped =
        slice.currents_na(&states, &[0.0, 5.0, 0.0, -9.0, 1.0], OutOfRange::Clamp, &mut out).unwrap();
    let score = Sides { below: 1, above: 1 };
    assert_eq!(clamped, Clamped { points: 4, state, score, ..Clamped::default() });
    // A tail is read along the last slope and not moved: the spread of the demonstration is linear.
    let wanted = cell().mean_na(0.5, 0.0, 0.0) * (1.0 + 0.02 * 5.0);
    assert!((out[1] - wanted).abs() < 1e-3 * 1600.0, "{} {wanted}", out[1]);
}

#[test]
fn queries_that_make_no_sense_are_refused() {
    let slice = table().slice(0.0, 0.0).unwrap();
    let mut out = [0.0; 2];
    for policy in [OutOfRange::Clamp, OutOfRange::Error] {
        let error = slice.means_na(&[0.1, f64::NAN], policy, &mut out).unwrap_err();
        assert!(matches!(error, TableError::OutOfRange { what: "state", .. }));
        assert!(matches!(slice.means_na(&[0.1], policy, &mut out), Err(TableError::Lengths { .. })));
    }
    assert!(slice.sigmas_na(&[0.1, 1.5], OutOfRange::Error, &mut out).is_err());
    assert!(slice.currents_na(&[0.1; 2], &[0.0, 4.5], OutOfRange::Error, &mut out).is_err());
    assert!(slice.mean_na(1.5).is_nan() && slice.current_na(-0.1, 0.0).is_nan());
    assert!(slice.share(2.0).dose.is_nan());
}

#[test]
fn read_noise_has_a_range_too() {
    let table = table();
    let mut out = [0.0; 3];
    let clamped = table.read_noises_na(&[-1.0, 800.0, 1e4], OutOfRange::Clamp, &mut out).unwrap();
    assert_eq!(clamped.current_na, Sides { below: 1, above: 1 });
    assert!((out[1] - 8.0).abs() < 1e-9 && (out[2] - 24.0).abs() < 1e-9, "{out:?}");
    assert!(table.read_noises_na(&[1e4; 3], OutOfRange::Error, &mut out).is_err());
    assert!(table.read_noise_na(1e4).is_nan());
    let (_, clamped) = table.slice_at(-5.0, 2e3, OutOfRange::Clamp).unwrap();
    let sides = (clamped.time_s.below, clamped.dose_krad_si.above, clamped.points);
    assert_eq!(sides, (1, 1, 1));
}
