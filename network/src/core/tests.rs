//! Cores against CrossSim's of the same conductances, ranges and converters.

use std::collections::HashMap;

use mho_data::npy::Array as Data;

use super::spec::{Coding, Conversion, OutputRange, Split};
use super::*;
use crate::array::{ConverterKind, MappingStyle, Subtract};
use crate::converter::{ConverterSpec, golden};

const OUTPUTS: usize = 64;
const INPUTS: usize = 48;
const BATCH: usize = 5;

/// What else is known about a case.
#[derive(Default)]
struct Known {
    /// The reference scales its products by this factor by mistake.
    scale: Option<f64>,
    /// The reference's conductances, where its mapping is not ours.
    programmed: bool,
    /// Range of the converters for products with the transpose, where it is another one.
    turned: Option<f64>,
}

/// Columns of a matrix of `rows` rows one after the other.
fn transposed(matrix: &[f64], rows: usize) -> Vec<f64> {
    let columns = matrix.len() / rows;
    (0..matrix.len()).map(|k| matrix[k % rows * columns + k / rows]).collect()
}

struct Golden(HashMap<String, Data>);

impl Golden {
    fn get(&self, key: &str) -> &[f64] {
        &self.0[&format!("64x48/{key}")].values
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(&format!("64x48/{key}"))
    }

    /// The conductances of an array as the reference programmed them.
    fn conductances(&self, case: &str, array: &Array) -> Option<&[f64]> {
        let positive = array.sign == Sign::Positive;
        let slice = format!("{case}/G_slice{}{}", array.slice, if positive { "_p" } else { "_n" });
        [if positive { "/Gpos" } else { "/Gneg" }, "/G"]
            .iter()
            .map(|suffix| format!("{case}{suffix}"))
            .chain([slice])
            .find(|key| self.has(key))
            .map(|key| self.get(&key))
    }

    /// Compares mapping, read-back and products; returns the number of outputs that fell to the other
    /// side of a rounding tie.
    fn compare(&self, case: &str, spec: &CoreSpec, known: &Known) -> usize {
        let weights = self.get("W");
        let mut mapping = Mapping::new(weights, OUTPUTS, INPUTS, spec).unwrap();
        for index in 0..mapping.arrays.len() {
            let Some(expected) = self.conductances(case, &mapping.arrays[index]) else { continue };
            if known.programmed {
                mapping.arrays[index].conductances = expected.to_vec();
                continue;
            }
            let own = &mapping.arrays[index].conductances;
            assert_eq!(own.len(), expected.len(), "{case}");
            for (g, expected) in own.iter().zip(expected) {
                assert!((g - expected).abs() < 1e-12, "{case}: conductance {g} {expected}");
            }
        }
        let core = Core::<f64>::new(&mapping).unwrap();
        for (w, expected) in core.read_back().iter().zip(self.get(&format!("{case}/Wread"))) {
            assert!((w - expected).abs() < 1e-12, "{case}: read-back {w} {expected}");
        }
        let ties = self.products(case, "y_batch", &core, self.get("X"), known);
        let mut turned = mapping.transposed().unwrap();
        if let Some(most) = known.turned {
            turned.spec.output.range = OutputRange::Fixed([-most, most]);
        }
        let inputs = transposed(self.get("Xv"), BATCH);
        ties + self.products(case, "yv_batch", &Core::new(&turned).unwrap(), &inputs, known)
    }

    /// Compares products in one direction.
    fn products(&self, case: &str, key: &str, core: &Core<f64>, inputs: &[f64], known: &Known) -> usize {
        let product = core.multiply(inputs, BATCH).unwrap();
        let expected = self.get(&format!("{case}/{key}"));
        let expected = if key == "y_batch" { expected.to_vec() } else { transposed(expected, BATCH) };
        let full = expected.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
        let scale = known.scale.unwrap_or(1.0);
        let steps = steps(core);
        let mut ties = 0;
        for (y, expected) in product.outputs.iter().zip(&expected) {
            // 1e-12 of full scale, as the reference promises; a whole number of the converters' steps
            // only where a current lies on a tie.
            let off = (y * scale - expected).abs();
            if off > 1e-12 * full {
                let whole = steps.iter().any(|step| off < 1.01 * step * scale);
                assert!(whole, "{case}: {y} x {scale} against {expected}");
                ties += 1;
            }
        }
        // As many inputs within 1e-9 of a tie as outputs that differ, at least.
        assert!(ties <= near_ties(core, inputs), "{case}: {ties}");
        ties
    }
}

/// What one step of the converters of each slice is worth at the output.
fn steps(core: &Core<f64>) -> Vec<f64> {
    let Plan::Lines(lines) = &core.plan else { return Vec::new() };
    let step =
        |(slice, converter): (usize, &Converter<f64>)| converter.step().unwrap_or(0.0) * lines.worth[slice];
    lines.converters.iter().enumerate().map(step).collect()
}

/// Number of conversions whose input lies within 1e-9 of a tie between two levels.
fn near_ties(core: &Core<f64>, inputs: &[f64]) -> usize {
    let Plan::Lines(lines) = &core.plan else { return 0 };
    let mut near = 0;
    let mut see = |slice: usize, _: usize, currents: &[f64]| {
        let converter = &lines.converters[slice];
        let Some(step) = converter.step() else { return };
        for &current in currents {
            let code = (current - converter.convert(0, 0.0)) / step;
            near += usize::from(((code - code.floor()) - 0.5).abs() * step < 1e-9);
        }
    };
    core.multiply_seeing(inputs, BATCH, (0, true), &mut see).unwrap();
    near
}

fn ten() -> CoreSpec {
    CoreSpec { on_off_ratio: 10.0, ..CoreSpec::default() }
}

fn with(spec: CoreSpec, change: impl FnOnce(&mut CoreSpec)) -> CoreSpec {
    let mut spec = spec;
    change(&mut spec);
    spec
}

/// 8-bit weights and 8-bit inputs with a sign, and an output converter.
fn eight(output: Option<(ConverterKind, u32, [f64; 2])>) -> CoreSpec {
    with(ten(), |spec| {
        spec.weight_bits = 8;
        spec.input.bits = 8;
        if let Some((kind, bits, range)) = output {
            spec.output.converter = ConverterSpec::of(kind, bits);
            spec.output.range = OutputRange::Fixed(range);
        }
    })
}

#[test]
fn pairs() {
    let Some(data) = golden::npz("golden/crosssim/mvm_64x48.npz") else { return };
    let golden = Golden(data);
    let uniform = |lo, hi| Some((ConverterKind::Uniform, 8, [lo, hi]));
    let two_sided = |spec| with(spec, |s| s.style = MappingStyle::TwoSided);
    let eight_bits = with(ten(), |s| s.weight_bits = 8);
    let none = Known::default;
    for (case, spec, known) in [
        ("bal1_ideal", ten(), none()),
        ("bal1_inf_ideal", CoreSpec::default(), none()),
        ("bal2_ideal", two_sided(ten()), none()),
        ("bal1_w8", eight_bits.clone(), none()),
        // Ours has zero as a level, and twice as many: see the next test.
        ("bal2_w8", two_sided(eight_bits), Known { programmed: true, ..none() }),
        ("bal1_w8_dac8", eight(None), none()),
        ("bal1_w8_qdac8", with(eight(None), |s| s.input.coding = Coding::TwoEnded), none()),
        ("bal1_w8_dac8_adc8cal", eight(uniform(-6.0, 6.0)), none()),
        ("bal1_w8_dac8_adc8cal_asym", eight(uniform(-3.0, 4.800_000_000_000_001)), none()),
        ("bal1_w8_dac8_smadc8cal", eight(Some((ConverterKind::SignMagnitude, 8, [-6.0, 6.0]))), none()),
        ("bal1_w8_dac8_adc8max", eight(uniform(-48.0, 48.0)), Known { turned: Some(64.0), ..none() }),
        (
            "bal1_w8_dac8_adc8cal_digsub",
            with(eight(uniform(-6.0, 6.0)), |s| s.subtract = Subtract::Digital),
            none(),
        ),
        // Its limit is of the currents of single lines, before they are subtracted.
        ("bal1_icolmax", with(ten(), |s| s.column_current_max = 3.0), none()),
    ] {
        golden.compare(case, &spec, &known);
    }
}

/// Two-sided pairs of 7-bit cells can make every 8-bit weight; the reference makes only every second
/// and has no zero.
#[test]
fn two_sided_pairs_have_all_levels() {
    let Some(data) = golden::npz("golden/crosssim/mvm_64x48.npz") else { return };
    let golden = Golden(data);
    let spec = with(ten(), |s| (s.weight_bits, s.style) = (8, MappingStyle::TwoSided));
    let weights = golden.get("W");
    let mapping = Mapping::new(weights, OUTPUTS, INPUTS, &spec).unwrap();
    let worst = |read: &[f64]| {
        read.iter().zip(weights).map(|(a, b)| (a - b).abs()).fold(0.0_f64, f64::max) / mapping.weight_max
    };
    let (own, other) = (worst(&mapping.read_back()), worst(golden.get("bal2_w8/Wread")));
    assert!(own <= 0.5 / 127.0 + 1e-12 && other > 1.5 * own, "{own} {other}");
}

#[test]
fn offsets() {
    let Some(data) = golden::npz("golden/crosssim/mvm_64x48.npz") else { return };
    let golden = Golden(data);
    let offset = |spec| with(spec, |s| s.style = MappingStyle::OffsetDigital);
    let eight_bits = offset(with(ten(), |s| s.weight_bits = 8));
    // Products, not read-back, miss the factor of the level that is not used.
    let off = || Known { scale: Some(254.0 / 255.0), ..Known::default() };
    golden.compare("off_dig_ideal", &offset(ten()), &Known::default());
    golden.compare("off_dig_w8", &eight_bits, &off());
    golden.compare(
        "off_w8_dac8_adc8max",
        &offset(eight(Some((ConverterKind::Uniform, 8, [-48.0, 48.0])))),
        &Known { turned: Some(64.0), ..off() },
    );
    golden.compare(
        "off_w8_dac8_adc10cal",
        &offset(eight(Some((ConverterKind::Uniform, 10, [-6.0, 6.0])))),
        &off(),
    );
}

#[test]
fn slices_of_weights() {
    let Some(data) = golden::npz("golden/crosssim/mvm_64x48.npz") else { return };
    let golden = Golden(data);
    for (name, style) in [("bal", MappingStyle::Differential), ("off", MappingStyle::OffsetDigital)] {
        for slices in [2, 4] {
            for (ratio, on_off_ratio) in [("inf", f64::INFINITY), ("10", 10.0)] {
                let spec = CoreSpec { style, slices, on_off_ratio, weight_bits: 8, ..CoreSpec::default() };
                golden.compare(&format!("bs_{name}{slices}_{ratio}"), &spec, &Known::default());
            }
        }
    }
}

#[test]
fn slices_of_inputs() {
    let Some(data) = golden::npz("golden/crosssim/mvm_64x48.npz") else { return };
    let golden = Golden(data);
    let serial = |bits, spec| with(spec, |s| s.input.slice_bits = bits);
    let each = |spec| with(spec, |s| s.output.conversion = Conversion::EachSlice);
    let uniform = |most: f64| Some((ConverterKind::Uniform, 8, [-most, most]));
    for bits in [1, 2, 4] {
        golden.compare(&format!("bal1_w8_ibits{bits}_noadc"), &serial(bits, eight(None)), &Known::default());
        let spec = each(serial(bits, eight(uniform(6.0))));
        golden.compare(&format!("bal1_w8_ibits{bits}_adc8perbit"), &spec, &Known::default());
    }
    golden.compare("bal1_w8_ibits1_adc8", &serial(1, eight(uniform(6.0))), &Known::default());
    let sliced = |style, slices, most| {
        let change = |s: &mut CoreSpec| {
            (s.style, s.slices, s.on_off_ratio) = (style, slices, f64::INFINITY);
        };
        each(serial(1, with(eight(uniform(most)), change)))
    };
    let offset = MappingStyle::OffsetDigital;
    golden.compare("bs_off4_inf_ibits1_granular8", &sliced(offset, 4, 128.0 / 3.0), &Known::default());
    golden.compare("bs_off4_inf_ibits1_max8", &sliced(offset, 4, 256.0 / 3.0), &Known::default());
    let pairs = MappingStyle::Differential;
    golden.compare("bs_bal2_inf_ibits1_granular8", &sliced(pairs, 2, 128.0 / 15.0), &Known::default());
}

#[test]
fn clipping_and_splitting() {
    let Some(data) = golden::npz("golden/crosssim/mvm_64x48.npz") else { return };
    let golden = Golden(data);
    // The percentile there is of both tails; ours is of magnitudes.
    let mut sorted = golden.get("W").to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let tail = |p| crate::converter::range::percentile(&sorted, p).abs();
    let max = tail(5.0).max(tail(95.0));
    golden.compare("bal1_pct95_clip", &with(ten(), |s| s.weight_max = Some(max)), &Known::default());
    let spec = with(eight(Some((ConverterKind::Uniform, 8, [-3.0, 3.0]))), |s| {
        (s.weight_bits, s.rows, s.columns, s.split) = (0, 32, 48, Split::Equal);
    });
    golden.compare("bal1_part32x48_dac8_adc8", &spec, &Known::default());
}

/// The file holds the reference column first, ours is the last.
#[test]
fn reference_column() {
    let Some(data) = golden::npz("golden/crosssim/mvm_64x48.npz") else { return };
    let golden = Golden(data);
    let spec = with(ten(), |s| s.style = MappingStyle::OffsetColumn);
    let mapping = Mapping::new(golden.get("W"), OUTPUTS, INPUTS, &spec).unwrap();
    let equal = |own: &[f64], expected: &[f64], tolerance: f64| {
        assert_eq!(own.len(), expected.len());
        for (a, b) in own.iter().zip(expected) {
            assert!((a - b).abs() < tolerance, "{a} {b}");
        }
    };
    let (reference, columns) = golden.get("off_unit_ideal/G").split_at(INPUTS);
    let (own, last) = mapping.arrays[0].conductances.split_at(OUTPUTS * INPUTS);
    equal(own, columns, 1e-12);
    equal(last, reference, 1e-12);
    let core = Core::<f64>::new(&mapping).unwrap();
    equal(&core.read_back(), golden.get("off_unit_ideal/Wread"), 1e-12);
    // Full scale is about 5.
    let y = core.multiply(golden.get("X"), BATCH).unwrap().outputs;
    equal(&y, golden.get("off_unit_ideal/y_batch"), 5e-12);
}
