//! Circuit converters against CrossSim's with the same mismatch, and their laws.

use std::collections::HashMap;

use mho_data::npy::Array;
use proptest::prelude::*;

use super::circuit::{BankName, Draws};
use super::*;

/// One case of `golden/crosssim/adc.npz`: gain (dB, infinite where the kind has none), bank, columns of
/// one converter, and the input at which so many outputs differ because the reference is wrong there.
struct Case {
    name: &'static str,
    kind: ConverterKind,
    bits: u32,
    gain_db: f64,
    bank: BankName,
    columns_each: usize,
    defects: (f64, usize),
}

const fn case(name: &'static str, kind: ConverterKind, bits: u32, gain_db: f64, bank: BankName) -> Case {
    Case { name, kind, bits, gain_db, bank, columns_each: 8, defects: (0.0, 0) }
}

fn cases() -> Vec<Case> {
    use BankName::{Split, Symmetric, Unsigned};
    use ConverterKind::{Cyclic, Pipeline, Ramp, Sar};
    // At V = 0.25 exactly the upper threshold is met but not passed: the reference then drops the
    // decision of the later stages, half of full scale. It does so in all 16 columns.
    let misses = |case| Case { defects: (0.25, 16), ..case };
    // The input lies 1e-6 from a threshold, closer than the two values of the feedback capacitor (see
    // the test of the levels) put the reference's level.
    let grazes = |case| Case { defects: (0.935, 8), ..case };
    vec![
        case("ramp8_ideal", Ramp, 8, 100.0, Symmetric),
        case("ramp8_asymcdac_ideal", Ramp, 8, 100.0, Unsigned),
        case("ramp8_g40", Ramp, 8, 40.0, Symmetric),
        case("ramp6_mism", Ramp, 6, 60.0, Symmetric),
        case("ramp6_mism_asymcdac", Ramp, 6, 60.0, Unsigned),
        case("sar8_split_ideal", Sar, 8, 100.0, Split),
        case("sar8_nosplit_ideal", Sar, 8, 100.0, Symmetric),
        case("sar7_split_g50", Sar, 7, 50.0, Split),
        case("sar6_split_mism", Sar, 6, 60.0, Split),
        grazes(case("sar6_nosplit_mism", Sar, 6, 60.0, Symmetric)),
        misses(case("pipe8_ideal", Pipeline, 8, 100.0, Symmetric)),
        misses(case("pipe8_g40", Pipeline, 8, 40.0, Symmetric)),
        case("pipe6_mism", Pipeline, 6, 60.0, Symmetric),
        misses(case("cyc8_ideal", Cyclic, 8, 100.0, Symmetric)),
        case("cyc6_mism", Cyclic, 6, 60.0, Symmetric),
    ]
}

/// The draws of converter `group` as the reference stores them.
fn draws(case: &Case, data: &HashMap<String, Array>, group: usize) -> Draws {
    let draw = |i: usize| &data[&format!("{}/draw{i}", case.name)];
    // Arrays of one row per group; the first group's where there is one row for all.
    let row = |i: usize| {
        let (array, groups) = (draw(i), if draw(i).shape.len() > 1 { draw(i).shape[0] } else { 1 });
        let width = array.values.len() / groups;
        let group = group.min(groups - 1);
        array.values[group * width..(group + 1) * width].to_vec()
    };
    match case.kind {
        ConverterKind::Ramp => Draws { offsets: row(0), capacitors: row(1), ..Draws::default() },
        // The reference gives all SAR groups one bank; their comparators are their own.
        ConverterKind::Sar => {
            Draws { offsets: vec![draw(1).values[group]], capacitors: row(0), ..Draws::default() }
        }
        ConverterKind::Pipeline => {
            let (c1, c2, parasitic) = (row(1), row(2), row(3));
            let stages = (0..c1.len()).map(|i| [c1[i], c2[i], parasitic[i]]).collect();
            Draws { offsets: row(0), stages, ..Draws::default() }
        }
        _ => {
            let of = |i: usize| draw(i).values[group];
            Draws { offsets: row(0), stages: vec![[of(1), of(2), of(3)]], ..Draws::default() }
        }
    }
}

#[test]
fn circuits_equal_the_reference_with_its_mismatch() {
    let Some(data) = golden::npz("golden/crosssim/adc.npz") else { return };
    let inputs = &data["V"].values;
    for case in cases() {
        let circuit = Circuit { gain_db: case.gain_db, bank: case.bank, ..Circuit::default() };
        let spec = ConverterSpec { circuit, ..ConverterSpec::of(case.kind, case.bits) };
        let columns = 16;
        let each = if case.kind == ConverterKind::Ramp { columns } else { case.columns_each };
        let converter = Converter::<f64>::with_draws(&spec, [-1.0, 1.0], each, columns / each, |group| {
            draws(&case, &data, group)
        })
        .unwrap();
        let expected = &data[&format!("{}/out", case.name)].values;
        let mut different = 0;
        for column in 0..columns {
            let mut values = inputs.clone();
            let saturated = converter.convert_column(column, &mut values);
            assert_eq!(saturated, inputs.iter().filter(|v| v.abs() > 1.0).count() as u64);
            for (i, value) in values.iter().enumerate() {
                let off = (value - expected[i * columns + column]).abs() > 1e-12;
                let known = case.defects.1 > 0 && (inputs[i] - case.defects.0).abs() < 1e-9;
                assert!(!off || known, "{} at {}: {value}", case.name, inputs[i]);
                // Where the reference is wrong, ours is within a step.
                assert!(!off || (value - inputs[i]).abs() < (2.0_f64).powi(1 - case.bits as i32));
                different += usize::from(off);
            }
        }
        assert_eq!(different, case.defects.1, "{}", case.name);
    }
}

#[test]
fn quantisers_equal_the_reference() {
    let Some(data) = golden::npz("golden/crosssim/adc.npz") else { return };
    let inputs = &data["V"].values;
    for (name, kind, bits, range) in [
        ("quant8", ConverterKind::Uniform, 8, [-1.0, 1.0]),
        ("quant6_asym", ConverterKind::Uniform, 6, [-0.25, 0.9]),
        ("sm8", ConverterKind::SignMagnitude, 8, [-1.0, 1.0]),
    ] {
        let converter = Converter::<f64>::new(&ConverterSpec::of(kind, bits), range, 16, 0).unwrap();
        let expected = &data[&format!("{name}/out")].values;
        for (i, &input) in inputs.iter().enumerate() {
            let value = converter.convert(0, input);
            // The only freedom is a tie: both neighbours are equally near.
            let tie = ((value - input).abs() - (expected[16 * i] - input).abs()).abs() < 1e-9;
            assert!((value - expected[16 * i]).abs() < 1e-12 || tie, "{name} {input}: {value}");
            assert!(!tie || (value - expected[16 * i]).abs() < 1e-12 || input.abs() < 1.0);
        }
    }
}

/// Levels of the capacitive converters themselves.
#[test]
fn levels_equal_the_reference() {
    let Some(data) = golden::npz("golden/crosssim/adc.npz") else { return };
    for case in cases() {
        let (draw, name, shift) = match case.kind {
            ConverterKind::Ramp => (1, "dac_levels", 0.0),
            // The reference lists the thresholds of a SAR, half a step below its levels.
            ConverterKind::Sar => (0, "dac_levels_all", (0.5_f64).powi(case.bits as i32)),
            _ => continue,
        };
        let gain = (10.0_f64).powf(case.gain_db / 20.0);
        let delta = &data[&format!("{}/draw{draw}", case.name)].values;
        let levels = capacitors::levels(case.bank.into(), case.bits, gain, delta);
        let expected = &data[&format!("{}/{name}", case.name)].values;
        // With mismatch the reference's symmetric bank takes one draw of the feedback capacitor for the
        // ratio and another for the feedback fraction; one capacitor has one value. At 60 dB that is
        // worth 1e-3 (gain) x 0.02 (difference of the draws).
        let both = case.bank == BankName::Symmetric && case.name.contains("mism");
        let tolerance = if both { 2e-5 } else { 1e-14 };
        for (level, expected) in levels.iter().zip(expected) {
            assert!((level - shift - expected).abs() < tolerance, "{} {level} {expected}", case.name);
        }
    }
}

fn circuits() -> impl Strategy<Value = ConverterKind> {
    use ConverterKind::{Cyclic, Pipeline, Ramp, Sar};
    prop::sample::select(vec![Ramp, Sar, Pipeline, Cyclic])
}

proptest! {
    /// Without imperfections a circuit is the uniform converter of its levels.
    #[test]
    fn an_ideal_circuit_is_within_half_a_step(
        kind in circuits(), bits in 2u32..12, max in 0.01f64..100.0, x in -1.0f64..1.0,
    ) {
        let converter = Converter::<f64>::new(&ConverterSpec::of(kind, bits), [-max, max], 1, 0).unwrap();
        let step = 2.0 * max / (2.0f64).powi(bits as i32);
        // Slack for inputs on a threshold, moved by rounding.
        prop_assert!((converter.convert(0, x * max) - x * max).abs() <= 0.5 * step + 1e-12 * max);
    }

    /// Comparator offsets below a quarter of the reference are corrected by the later stages.
    #[test]
    fn redundancy_corrects_comparator_offsets(
        seed in 0u64..1000, bits in 3u32..10, x in -0.95f64..0.95, size in 0.0f64..0.24,
    ) {
        let draw = |_| {
            let stream = Stream::new(seed, &["offsets"], &[]);
            let mut offsets: Vec<f64> =
                (0..2 * bits as u64 - 1).map(|i| size * (2.0 * stream.uniform(i) - 1.0)).collect();
            if let Some(last) = offsets.last_mut() {
                *last = 0.0; // nothing corrects the last one
            }
            Draws { offsets, ..Draws::default() }
        };
        let spec = ConverterSpec::of(ConverterKind::Pipeline, bits);
        let converter = Converter::<f64>::with_draws(&spec, [-1.0, 1.0], 1, 1, draw).unwrap();
        let step = (2.0f64).powi(1 - bits as i32);
        prop_assert!((converter.convert(0, x) - x).abs() <= 0.5 * step + 1e-9);
    }

    #[test]
    fn any_circuit_survives_any_number(
        kind in circuits(), bits in 2u32..9, sigma in 0.0f64..1.0, seed in 0u64..99,
        x in prop::num::f64::ANY,
    ) {
        let circuit = Circuit {
            gain_db: 0.0, sigma_capacitor: sigma, sigma_parasitic: sigma, sigma_comparator: sigma,
            columns_per_converter: 3, ..Circuit::default()
        };
        let spec = ConverterSpec { circuit, ..ConverterSpec::of(kind, bits) };
        let converter = Converter::<f64>::new(&spec, [-2.0, 1.0], 7, seed).unwrap();
        for column in 0..9 {
            let y = converter.convert(column, x);
            prop_assert!(y.abs() <= 2.0);
        }
    }
}

#[test]
fn groups_have_their_own_mismatch_and_columns_of_a_group_share_it() {
    let circuit = Circuit { sigma_capacitor: 0.2, columns_per_converter: 4, ..Circuit::default() };
    let spec = ConverterSpec { circuit, ..ConverterSpec::of(ConverterKind::Sar, 8) };
    let converter = Converter::<f64>::new(&spec, [-1.0, 1.0], 8, 3).unwrap();
    let curve = |column| {
        let mut values: Vec<f64> = (0..500).map(|i| f64::from(i) / 250.0 - 1.0).collect();
        converter.convert_column(column, &mut values);
        values
    };
    assert_eq!(curve(0), curve(3));
    assert_ne!(curve(3), curve(4));
}

#[test]
fn what_cannot_be_had_is_refused() {
    let new = |spec: &ConverterSpec, range| Converter::<f32>::new(spec, range, 1, 0).map(|_| ());
    let uniform = ConverterSpec::of(ConverterKind::Uniform, 8);
    assert!(matches!(new(&uniform, [1.0, 1.0]), Err(ConverterError::Range { .. })));
    assert!(matches!(new(&uniform, [f64::NAN, 1.0]), Err(ConverterError::Range { .. })));
    for (kind, bits) in
        [(ConverterKind::Uniform, 23), (ConverterKind::SignMagnitude, 1), (ConverterKind::Sar, 17)]
    {
        let error = new(&ConverterSpec::of(kind, bits), [-1.0, 1.0]);
        assert!(matches!(error, Err(ConverterError::Bits { .. })), "{kind:?}");
    }
    let circuit = Circuit { sigma_comparator: f64::NAN, ..Circuit::default() };
    let spec = ConverterSpec { circuit, ..ConverterSpec::of(ConverterKind::Sar, 8) };
    assert!(matches!(new(&spec, [-1.0, 1.0]), Err(ConverterError::Circuit { .. })));
    let spec = ConverterSpec { stochastic_rounding: true, ..spec };
    assert!(new(&spec, [-1.0, 1.0]).is_err());
}
