//! What must hold of every core.

use mho_data::random::Stream;
use proptest::prelude::*;

use super::pulse::{PulseCell, PulseSpec};
use super::spec::{Coding, Conversion, OutputRange, RangeRule, Split};
use super::*;
use crate::array::{ConverterKind, MappingStyle, Subtract, WeightScale};
use crate::converter::ConverterSpec;

/// A matrix of whole numbers in -`max`..=`max`, of which one is `max`, so that it maps to whole codes.
fn whole(n: usize, max: i32, seed: u64) -> Vec<f64> {
    let stream = Stream::new(seed, &["whole"], &[]);
    let span = f64::from(2 * max + 1);
    let mut values: Vec<f64> =
        (0..n as u64).map(|i| (span * stream.uniform(i)).floor() - f64::from(max)).collect();
    if let Some(first) = values.first_mut() {
        *first = f64::from(max);
    }
    values
}

fn exact(weights: &[f64], outputs: usize, inputs: usize, x: &[f64], batch: usize) -> Vec<f64> {
    let mut y = vec![0.0; outputs * batch];
    for j in 0..outputs {
        for i in 0..inputs {
            for b in 0..batch {
                y[j * batch + b] += weights[j * inputs + i] * x[i * batch + b];
            }
        }
    }
    y
}

fn styles() -> impl Strategy<Value = MappingStyle> {
    use MappingStyle::{Differential, OffsetColumn, OffsetDigital, TwoSided};
    prop::sample::select(vec![Differential, TwoSided, OffsetDigital, OffsetColumn])
}

fn subtractions() -> impl Strategy<Value = Subtract> {
    prop::sample::select(vec![Subtract::Array, Subtract::Digital])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whole weights and inputs come out exactly, however they are sliced and split, as long as the
    /// converter has a code for every sum.
    #[test]
    fn whole_products_are_exact(
        style in styles(), subtract in subtractions(), slices in 1usize..5, slice_bits in 0u32..5,
        each: bool, unsigned: bool, magnitude: bool,
        (outputs, inputs, batch) in (1usize..9, 1usize..30, 1usize..4),
        (rows, columns, full) in (0usize..12, 0usize..6, any::<bool>()), cells in 1usize..4, seed in 0u64..10_000,
    ) {
        let slices = if style == MappingStyle::TwoSided { 1 } else { slices };
        let coding = if unsigned { Coding::Unsigned } else { Coding::SignMagnitude };
        let mut spec = CoreSpec {
            style, subtract, slices, rows, columns, cells_per_weight: cells, weight_bits: 6,
            split: if full { Split::Full } else { Split::Equal }, ..CoreSpec::default()
        };
        spec.input = spec::InputSpec { bits: 5, coding, slice_bits, max: 0.0, ..spec.input };
        spec.input.max = f64::from((1_u32 << spec.input.magnitude_bits()) - 1);
        spec.output.conversion = if each { Conversion::EachSlice } else { Conversion::Accumulated };
        // 20 bits hold 2 x 30 x 31 x 31 codes of any style.
        let kind = if magnitude { ConverterKind::SignMagnitude } else { ConverterKind::Uniform };
        spec.output.converter = ConverterSpec::of(kind, 20);
        spec.output.range = OutputRange::Named(RangeRule::Granular);
        let weights = whole(outputs * inputs, 31, seed);
        let mut x = whole(inputs * batch, spec.input.max as i32, seed + 1);
        if unsigned {
            x.iter_mut().for_each(|x| *x = x.abs());
        }
        let mapping = Mapping::new(&weights, outputs, inputs, &spec).unwrap();
        let core = Core::<f64>::new(&mapping).unwrap();
        prop_assert!(!core.is_linear());
        let expected = exact(&weights, outputs, inputs, &x, batch);
        let product = core.multiply(&x, batch).unwrap();
        prop_assert_eq!(product.counts.outputs_saturated + product.counts.inputs_clipped, 0);
        for (y, expected) in product.outputs.iter().zip(&expected) {
            // Sums of at most 30 x 31 x 31 in f64, scaled back and forth.
            prop_assert!((y - expected).abs() < 1e-9, "{} {}", y, expected);
        }
        for (w, expected) in core.read_back().iter().zip(&weights) {
            prop_assert!((w - expected).abs() < 1e-10);
        }
    }

    /// Without converters the split changes nothing but the order of sums, and the core is the product
    /// with what it reads back.
    #[test]
    fn splits_leave_analog_products_alone(
        style in styles(), (outputs, inputs, batch) in (1usize..9, 1usize..40, 1usize..4),
        (rows, columns) in (0usize..50, 0usize..12), ratio in 1.5f64..1e6, weight_bits in prop::sample::select(vec![0u32, 4, 8]),
        seed in 0u64..10_000,
    ) {
        let whole_core = CoreSpec { style, weight_bits, on_off_ratio: ratio, ..CoreSpec::default() };
        let split = CoreSpec { rows, columns, ..whole_core.clone() };
        let limited = CoreSpec { column_current_max: 1e3, ..split.clone() }; // too high to matter
        let stream = Stream::new(seed, &["split"], &[]);
        let random = |n: usize, from: u64| -> Vec<f64> {
            (0..n as u64).map(|i| 2.0 * stream.uniform(from + i) - 1.0).collect()
        };
        let (weights, x) = (random(outputs * inputs, 0), random(inputs * batch, 1 << 32));
        let read = |spec: &CoreSpec| {
            let mapping = Mapping::new(&weights, outputs, inputs, spec).unwrap();
            let core = Core::<f64>::new(&mapping).unwrap();
            let y = core.multiply(&x, batch).unwrap().outputs;
            (core.read_back(), y)
        };
        let (w, y) = read(&whole_core);
        let expected = exact(&w, outputs, inputs, &x, batch);
        for (spec, name) in [(&whole_core, "whole"), (&split, "split"), (&limited, "lines")] {
            let (again, y2) = read(spec);
            // Cells at 1/ratio and 1 cancel in a pair: the rounding of one is that of 1/(1 - 1/ratio).
            for (a, b) in again.iter().zip(&w) {
                prop_assert!((a - b).abs() < 1e-13 / (1.0 - 1.0 / ratio), "{}", name);
            }
            for (a, b) in y2.iter().zip(&expected) {
                prop_assert!((a - b).abs() < 1e-11 / (1.0 - 1.0 / ratio), "{} {} {}", name, a, b);
            }
        }
        prop_assert_eq!(y.len(), outputs * batch);
    }

    #[test]
    fn every_input_and_output_is_on_one_tile(n in 0usize..5000, limit in 0usize..1200) {
        for split in [Split::Equal, Split::Full] {
            let tiles = mapping::tiles(n, limit, split);
            prop_assert_eq!(tiles.iter().map(|t| t.len()).sum::<usize>(), n);
            prop_assert!(tiles.windows(2).all(|t| t[0].end == t[1].start));
            prop_assert!(limit == 0 || tiles.iter().all(|t| t.len() <= limit));
            prop_assert!(n == 0 || limit == 0 || tiles.len() == n.div_ceil(limit));
        }
    }

    /// Single precision differs from double by its rounding, and by a step where a sum is on a tie.
    #[test]
    fn single_precision_is_close(style in styles(), slices in 1usize..3, seed in 0u64..1000) {
        let slices = if style == MappingStyle::TwoSided { 1 } else { slices };
        let mut spec = CoreSpec { style, slices, weight_bits: 8, ..CoreSpec::default() };
        spec.input.bits = 8;
        let (outputs, inputs, batch) = (7, 33, 5);
        let stream = Stream::new(seed, &["single"], &[]);
        let random = |n: usize, from: u64| -> Vec<f64> {
            (0..n as u64).map(|i| 2.0 * stream.uniform(from + i) - 1.0).collect()
        };
        // Inputs keep a fifth of a step from the ties of their converter.
        let whole = |x: f64| ((127.0 * x).trunc() + 0.3 * x) / 127.0;
        let weights = random(outputs * inputs, 0);
        let x: Vec<f64> = random(inputs * batch, 1 << 32).into_iter().map(whole).collect();
        let x32: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        for bits in [0, 8] {
            spec.output.converter = ConverterSpec::of(ConverterKind::Uniform, bits);
            let mapping = Mapping::new(&weights, outputs, inputs, &spec).unwrap();
            let double = Core::<f64>::new(&mapping).unwrap().multiply(&x, batch).unwrap();
            let single = Core::<f32>::new(&mapping).unwrap().multiply(&x32, batch).unwrap();
            let far = double.outputs.iter().zip(&single.outputs).filter(|(a, b)| (**a - f64::from(**b)).abs() > 2e-4);
            let allowed = if bits == 0 { 0 } else { 3 };
            prop_assert!(far.count() <= allowed);
        }
    }

    /// Any numbers are refused or give a finite product.
    #[test]
    fn wild_numbers(
        weights in prop::collection::vec(prop::num::f64::ANY, 6), x in prop::collection::vec(prop::num::f64::ANY, 3),
        style in styles(), bits in prop::sample::select(vec![0u32, 8]),
    ) {
        let mut spec = CoreSpec { style, ..CoreSpec::default() };
        spec.output.converter.bits = bits;
        match Mapping::new(&weights, 2, 3, &spec) {
            Err(error) => {
                let finite = weights.iter().all(|w| w.is_finite());
                prop_assert!(!finite && matches!(error, CoreError::NotFinite { .. }), "{}", error);
            }
            Ok(mapping) => {
                let product = Core::<f64>::new(&mapping).unwrap().multiply(&x, 1).unwrap();
                let outside = x.iter().filter(|x| x.is_nan() || x.abs() > 1.0).count() as u64;
                prop_assert_eq!(product.counts.inputs_clipped, outside);
                // Three terms of at most the largest weight, which may be near the largest number.
                let huge = mapping.weight_max > 1e307;
                prop_assert!(huge || product.outputs.iter().all(|y| y.is_finite()));
            }
        }
    }

    /// A reference column cancels what a digital offset takes off.
    #[test]
    fn offset_styles_agree(slices in 1usize..4, ratio in 1.5f64..100.0, seed in 0u64..1000) {
        let weights = whole(5 * 11, 127, seed);
        let x = whole(11, 9, seed + 1);
        let read = |style, subtract| {
            let mut spec = CoreSpec { style, subtract, slices, on_off_ratio: ratio, weight_bits: 8, ..CoreSpec::default() };
            spec.input.max = 9.0;
            let mapping = Mapping::new(&weights, 5, 11, &spec).unwrap();
            Core::<f64>::new(&mapping).unwrap().multiply(&x, 1).unwrap().outputs
        };
        let digital = read(MappingStyle::OffsetDigital, Subtract::Array);
        for subtract in [Subtract::Array, Subtract::Digital] {
            let column = read(MappingStyle::OffsetColumn, subtract);
            for (a, b) in digital.iter().zip(&column) {
                prop_assert!((a - b).abs() < 1e-9);
            }
        }
        for (a, b) in digital.iter().zip(exact(&weights, 5, 11, &x, 1)) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }
}

/// Programming errors of equal cells average: the standard deviation falls with the root of their
/// number. Bounds are five standard errors.
#[test]
fn cells_in_parallel_average_their_errors() {
    let (outputs, inputs) = (40, 50);
    for cells in [1, 4, 16] {
        let spec = CoreSpec { cells_per_weight: cells, ..CoreSpec::default() };
        let mut mapping = Mapping::new(&vec![0.0; outputs * inputs], outputs, inputs, &spec).unwrap();
        mapping.weight_max = 1.0;
        for (number, array) in mapping.arrays.iter_mut().enumerate() {
            let stream = Stream::new(1, &["programming"], &[number as u64]);
            for (i, g) in array.conductances.iter_mut().enumerate() {
                *g += 0.01 * stream.normal(i as u64);
            }
        }
        let core = Core::<f64>::new(&mapping).unwrap();
        let n = (outputs * inputs) as f64;
        let sigma = (core.read_back().iter().map(|w| w * w).sum::<f64>() / n).sqrt();
        let expected = 0.01 * (2.0 / cells as f64).sqrt();
        assert!((sigma / expected - 1.0).abs() < 5.0 / (2.0 * n).sqrt(), "{cells}: {sigma} {expected}");
    }
}

/// Read noise has the variance of its cells, is new in every read, and does not depend on how reads
/// are cut into batches. Bounds are five standard errors of a variance.
#[test]
fn read_noise() {
    let (outputs, inputs, batch) = (3, 20, 4000);
    let mut weights = whole(outputs * inputs, 7, 8);
    weights[inputs..2 * inputs].iter_mut().for_each(|w| *w *= 0.1);
    use WeightScale::{Column, Layer};
    for (style, subtract, cells, scale) in [
        (MappingStyle::Differential, Subtract::Array, 1, Layer),
        (MappingStyle::Differential, Subtract::Digital, 3, Column),
        (MappingStyle::OffsetColumn, Subtract::Array, 2, Layer),
        (MappingStyle::OffsetColumn, Subtract::Array, 1, Column),
        (MappingStyle::OffsetDigital, Subtract::Digital, 1, Layer),
    ] {
        let spec =
            CoreSpec { style, subtract, cells_per_weight: cells, rows: 8, scale, ..CoreSpec::default() };
        let mut mapping = Mapping::new(&weights, outputs, inputs, &spec).unwrap();
        let quiet = Core::<f64>::new(&mapping).unwrap();
        for array in &mut mapping.arrays {
            array.noise = array.conductances.iter().map(|g| 0.01 + 0.1 * g).collect();
        }
        // The closed form, from the arrays.
        let x: Vec<f64> = (0..inputs).map(|i| i as f64 / inputs as f64).collect();
        let mut variance = vec![0.0; outputs];
        for array in &mapping.arrays {
            let rows = array.inputs.len();
            for (line, noise) in array.noise.chunks_exact(rows).enumerate() {
                let sum: f64 = noise.iter().zip(&x[array.inputs.clone()]).map(|(s, x)| (s * x).powi(2)).sum();
                // The reference column is on every output.
                let on = if line < outputs { line..line + 1 } else { 0..outputs };
                variance[on].iter_mut().for_each(|v| *v += sum / (cells * cells) as f64);
            }
        }
        let worth = |j| mapping.weight_range(j) * if style == MappingStyle::Differential { 1.0 } else { 2.0 };
        let core = Core::<f64>::new(&mapping).unwrap();
        let reads: Vec<f64> = x.iter().flat_map(|&x| vec![x; batch]).collect();
        let product = core.multiply(&reads, batch).unwrap().outputs;
        let mean = quiet.multiply(&x, 1).unwrap().outputs;
        for (j, row) in product.chunks_exact(batch).enumerate() {
            let n = batch as f64;
            let found = row.iter().map(|y| (y - mean[j]).powi(2)).sum::<f64>() / n;
            let expected = worth(j).powi(2) * variance[j];
            assert!((found / expected - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{style:?} {found} {expected}");
        }
        let same: Vec<f64> = x.iter().flat_map(|&x| [x; 3]).collect();
        let later = core.multiply_at(&same, 3, 1000).unwrap().outputs;
        for (j, row) in later.chunks_exact(3).enumerate() {
            for (b, y) in row.iter().enumerate() {
                assert!((y - product[j * batch + 1000 + b]).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn saturation_is_counted() {
    let mut spec = CoreSpec { subtract: Subtract::Digital, ..CoreSpec::default() };
    spec.output.converter = ConverterSpec::of(ConverterKind::Uniform, 8);
    spec.output.range = OutputRange::Fixed([0.0, 1.0]);
    let mapping = Mapping::new(&[1.0, 1.0, 1.0, -0.1], 2, 2, &spec).unwrap();
    let product = Core::<f64>::new(&mapping).unwrap().multiply(&[1.0, 3.0], 1).unwrap();
    // Lines: 2, 1 positive; 0, 0.1 negative.
    let counts = Counts {
        inputs_clipped: 1,
        lines_limited: 0,
        outputs_saturated: 1,
        conversions: 4,
        ..Counts::default()
    };
    assert_eq!(product.counts, counts);
    assert!((product.outputs[0] - 1.0).abs() < 1e-12);
}

/// Two lines of opposite sign at their limit differ by twice the limit, which the largest range holds.
#[test]
fn the_largest_range_holds_limited_lines() {
    let mut spec = CoreSpec { column_current_max: 0.5, ..CoreSpec::default() };
    spec.output.converter = ConverterSpec::of(ConverterKind::SignMagnitude, 8);
    let mapping = Mapping::new(&[1.0, -1.0], 1, 2, &spec).unwrap();
    let product = Core::<f64>::new(&mapping).unwrap().multiply(&[1.0, -1.0], 1).unwrap();
    let counts = Counts {
        inputs_clipped: 0,
        lines_limited: 2,
        outputs_saturated: 0,
        conversions: 1,
        ..Counts::default()
    };
    assert_eq!(product.counts, counts);
    assert!((product.outputs[0] - 1.0).abs() < 1e-12);
}

#[test]
fn a_range_from_data_wants_data() {
    let mut spec = CoreSpec { weight_bits: 8, slices: 2, ..CoreSpec::default() };
    spec.output.converter = ConverterSpec::of(ConverterKind::Uniform, 6);
    let (weights, x) = (whole(8 * 64, 127, 1), whole(64 * 20, 1000, 2));
    spec.input.max = 1000.0;
    for rule in [RangeRule::MinimumError, RangeRule::Percentile(99.0), RangeRule::PowerOfTwo(99.9)] {
        spec.output.range = OutputRange::Named(rule);
        let mapping = Mapping::new(&weights, 8, 64, &spec).unwrap();
        assert_eq!(Core::<f64>::new(&mapping).unwrap_err(), CoreError::Uncalibrated);
        let core = Core::<f64>::calibrated(&mapping, &x, 20).unwrap();
        let y = core.multiply(&x, 20).unwrap().outputs;
        let error = |y: &[f64]| {
            let expected = exact(&weights, 8, 64, &x, 20);
            y.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
        };
        // Better than the range of everything that can occur, which nothing here comes near.
        let largest = CoreSpec {
            output: spec::OutputSpec { range: OutputRange::default(), ..spec.output.clone() },
            ..spec.clone()
        };
        let mapping = Mapping::new(&weights, 8, 64, &largest).unwrap();
        let wide = Core::<f64>::new(&mapping).unwrap().multiply(&x, 20).unwrap().outputs;
        assert!(error(&y) < 0.3 * error(&wide), "{rule:?}: {} {}", error(&y), error(&wide));
    }
}

/// Products on precharged lines are exact while current sources stay in saturation, and for resistive
/// cells after their logarithm.
#[test]
fn precharged_lines() {
    let (outputs, inputs, batch) = (6, 40, 3);
    let weights = whole(outputs * inputs, 127, 4);
    let x: Vec<f64> = whole(inputs * batch, 127, 5).iter().map(|x| x.abs()).collect();
    let expected = exact(&weights, outputs, inputs, &x, batch);
    let read = |pulse: PulseSpec| {
        let mut spec = CoreSpec {
            weight_bits: 8,
            subtract: Subtract::Digital,
            pulse: Some(pulse),
            ..CoreSpec::default()
        };
        spec.input.max = 127.0;
        (spec.input.bits, spec.input.coding) = (7, Coding::Unsigned);
        let mapping = Mapping::new(&weights, outputs, inputs, &spec).unwrap();
        let product = Core::<f64>::new(&mapping).unwrap().multiply(&x, batch).unwrap();
        let full = 127.0 * 127.0 * inputs as f64;
        let worst =
            product.outputs.iter().zip(&expected).map(|(a, b)| (a - b).abs() / full).fold(0.0, f64::max);
        (worst, product.counts.lines_limited)
    };
    let sources = PulseSpec { active_fraction: 0.5, ..PulseSpec::default() };
    let (worst, limited) = read(sources);
    assert!(worst < 1e-12 && limited == 0, "{worst} {limited}");
    let (worst, limited) = read(PulseSpec { active_fraction: 0.05, ..sources });
    assert!(worst > 1e-3 && limited > 0, "{worst} {limited}");
    let resistive = PulseSpec { cell: PulseCell::Resistive, ..sources };
    let (curved, _) = read(resistive);
    let (straight, _) = read(PulseSpec { linearise: true, ..resistive });
    assert!(curved > 1e-3 && straight < 1e-12, "{curved} {straight}");
}
