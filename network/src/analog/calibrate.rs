//! Ranges of the converters of every layer, from what enters it when the graph runs digitally.
//!
//! Inputs and outputs have one range for all matrices of a node (groups of a convolution), each matrix
//! its own largest weight: that is a digital factor, the range of a converter is hardware.

use super::cells::ReadNoise;
use super::error::AnalogError;
use super::matrix::{Matrix, bias_rows};
use super::record::Seen;
use super::wires::{Lines, Near};
use crate::array::{ArrayConfig, ConverterKind, ConverterRange, InputRange, RangeName};
use crate::converter::Real;
use crate::converter::range::{self, Ends};
use crate::core::curves::Curves;
use crate::core::making::Making;
use crate::core::spec::{Conversion, OutputRange, RangeRule};
use crate::core::{BiasRows, Core, CoreSpec, Mapping, Sums};
use crate::effects::Effects;
use crate::graph::Layer;

/// One matrix on arrays, before anything is programmed.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The layer stays digital.
    pub(super) digital: bool,
    /// Inputs with a sign come in two reads.
    pub(super) two_reads: bool,
    /// Its core, with the largest weight and the ranges of all converters without wires.
    pub(super) spec: CoreSpec,
    /// Ranges of the output converters behind wires, or of curved cells, where they come from data.
    pub(super) wired_ranges: Option<Vec<[f64; 2]>>,
    /// Its arrays with wires, as they are wanted.
    pub(super) near: Vec<Near>,
    /// Rows of cells that add its bias, where it stands in the array.
    pub(super) bias: Option<BiasRows>,
    /// Ends between which its outputs count, before a digital bias; empty where all of them do.
    pub(super) kept: Vec<[f64; 2]>,
    /// Weights beyond the largest that the cells can hold.
    pub(super) clipped: usize,
}

impl Plan {
    /// Its core with ideal lines and cells, or with the circuit that there is.
    pub(super) fn spec(&self, circuit: bool) -> CoreSpec {
        let mut spec = self.spec.clone();
        if let Some(ranges) = self.wired_ranges.as_ref().filter(|_| circuit) {
            spec.output.range = OutputRange::Slices(ranges.clone());
        }
        spec
    }
}

/// Plans of the matrices of one node, of whose values what lies between `kept` counts. `noise` is that of reads, if
/// arrays will have it, `curves` the currents of curved cells.
pub(super) fn plans(
    (layers, kept): (&[Layer], [f64; 2]),
    seen: &[Seen<f32>],
    array: &ArrayConfig,
    (noise, curves): (Option<&ReadNoise>, Option<&Curves>),
    digital: bool,
) -> Result<Vec<Plan>, AnalogError> {
    let input = input_range(array, seen);
    let two_reads = array.in_two_reads(input);
    let spec = array.core_spec(input);
    let from_data = spec.output.range.is_from_data();
    let wires = array.wires().filter(|_| !digital);
    let lines = wires.as_ref().map(|wires| Lines::new(array, wires, curves));
    let mut plans: Vec<Plan> = Vec::with_capacity(layers.len());
    // Currents of each slice of weights over ideal lines and cells, and with the circuit that there is.
    let mut currents = vec![Sums::default(); spec.slices];
    let mut behind = vec![Sums::default(); spec.slices];
    let from_data = from_data && !digital;
    let circuit = !digital && (lines.is_some() || curves.is_some());
    let rows = if digital { None } else { bias_rows(layers, &spec, array.mapping.bias)? };
    let mut last = None;
    for (layer, seen) in layers.iter().zip(seen) {
        let wrong = |error| AnalogError::Core { layer: layer.name().to_owned(), error };
        let biased = layer.bias().is_some_and(|bias| bias.iter().any(|&b| b != 0.0));
        let bias = rows.filter(|_| biased);
        let Matrix { weights, stripes, clipped } = Matrix::new(layer, &spec, bias).map_err(wrong)?;
        let mut frame = stripes.frame().clone();
        // The two reads of inputs with a sign are parts of a sum.
        frame.kept = if two_reads { Vec::new() } else { kept_products(layer, kept, bias.is_some()) };
        let inputs = if from_data { samples(seen, two_reads) } else { Vec::new() };
        let see = |frame: &Mapping, making: Making<f32>, currents: &mut [Sums]| {
            Core::sums_through(frame, making, &inputs, currents).map_err(wrong)
        };
        if from_data {
            let mut making = Making::new(&frame, false, true);
            stripes.each(&weights, false, |stripe| {
                making.add(stripe, &stripe.arrays, |_, _, _| ()).map_err(wrong)
            })?;
            see(&frame, making, &mut currents)?;
        }
        let mut near = Vec::new();
        if circuit {
            frame.circuit = lines.as_ref().and_then(Lines::circuit);
            frame.curves = curves.cloned();
            let mut making = Making::new(&frame, false, from_data);
            let mut number = 0;
            stripes.each(&weights, lines.is_some(), |stripe| {
                if let Some(lines) = &lines {
                    for array in &mut stripe.arrays {
                        array.noise.clear();
                        if let Some(noise) = noise {
                            array.noise.extend(array.conductances.iter().map(|&g| noise.sigma(g)));
                        }
                    }
                    lines.apply_first(stripe, layer.name(), &mut number, &mut near)?;
                    stripe.arrays.iter_mut().for_each(|array| array.noise.clear());
                }
                making.add(&frame, &stripe.arrays, |_, _, _| ()).map_err(wrong)
            })?;
            if from_data {
                see(&frame, making, &mut behind)?;
            }
        }
        let weight_max = (frame.weight_max > 0.0).then_some(frame.weight_max);
        let spec = CoreSpec { weight_max, ..spec.clone() };
        let kept = std::mem::take(&mut frame.kept);
        plans.push(Plan { digital, two_reads, spec, wired_ranges: None, near, bias, kept, clipped });
        last = Some(frame);
    }
    if let Some(frame) = last.filter(|_| from_data) {
        let ranges = |currents: Vec<Sums>| -> Vec<[f64; 2]> {
            currents.into_iter().map(|sums| with_zero(sums.range(&frame), &spec)).collect()
        };
        let (ideal, wired) = (ranges(currents), circuit.then(|| ranges(behind)));
        for plan in &mut plans {
            plan.spec.output.range = OutputRange::Slices(ideal.clone());
            plan.wired_ranges.clone_from(&wired);
        }
    }
    Ok(plans)
}

/// What counts of the products of a layer, of whose values with their bias that is `kept`; with `biased` products
/// hold the bias.
fn kept_products(layer: &Layer, kept: [f64; 2], biased: bool) -> Vec<[f64; 2]> {
    if kept.iter().all(|end| end.is_infinite()) {
        return Vec::new();
    }
    let bias = layer.bias().filter(|_| !biased).unwrap_or_default();
    let of = |output: usize| {
        let bias = bias.get(output).copied().unwrap_or(0.0);
        kept.map(|end| end - f64::from(bias))
    };
    (0..layer.outputs()).map(of).collect()
}

/// Vectors that were seen, inputs x batch, and whether rows of biases are driven with them: in two reads the
/// positive parts with them, the magnitudes of the negative ones without.
pub(super) fn samples<T: Real>(seen: &Seen<T>, two_reads: bool) -> Vec<(Vec<T>, bool)> {
    let vectors: Vec<&[T]> = seen.vectors().collect();
    let length = vectors.first().map_or(0, |vector| vector.len());
    let read = |of: &dyn Fn(T) -> T| -> Vec<T> {
        (0..length).flat_map(|input| vectors.iter().map(move |vector| of(vector[input]))).collect()
    };
    if two_reads {
        return vec![(read(&|x| x.max(T::default())), true), (read(&|x| (-x).max(T::default())), false)];
    }
    vec![(read(&|x| x), true)]
}

pub(super) fn input_range<T: Real>(array: &ArrayConfig, seen: &[Seen<T>]) -> InputRange {
    let input = &array.input;
    let least = seen.iter().fold(0.0_f64, |least, seen| least.min(seen.least.to_f64()));
    let most = seen.iter().fold(0.0_f64, |most, seen| most.max(seen.most.to_f64()));
    let mut signed = input.signed && least < 0.0;
    type Rule<'a> = &'a dyn Fn(&[f64], u32, Ends) -> [f64; 2];
    let found = |rule: Rule<'_>| {
        let values = seen.iter().flat_map(|seen| seen.vectors()).flatten().map(|&x| x.to_f64());
        let values: Vec<f64> = values.map(|x| if signed { x } else { x.max(0.0) }).collect();
        let ends = if signed { Ends::Symmetric } else { Ends::Upper };
        rule(&range::sort(values), input.bits, ends)[1]
    };
    let max = match input.range {
        ConverterRange::Fixed([lo, hi]) => {
            signed = input.signed && lo < 0.0;
            hi.max(if signed { -lo } else { 0.0 })
        }
        ConverterRange::Named(RangeName::Maximum | RangeName::Granular) => {
            if signed {
                most.max(-least)
            } else {
                most
            }
        }
        ConverterRange::Named(RangeName::Calibrated) => found(&range::minimum_error),
        ConverterRange::Percentile { percentile }
        | ConverterRange::PowerOfTwo { power_of_two: percentile } => {
            found(&|sorted, _, ends| range::at_percentile(sorted, percentile, ends))
        }
    };
    // A layer that saw nothing but zeros has no range; any will do.
    InputRange { max: if max > 0.0 { max } else { 1.0 }, signed }
}

/// The range moved by less than a step so that zero is a level: a silent column stays silent.
pub(super) fn with_zero([lo, hi]: [f64; 2], spec: &CoreSpec) -> [f64; 2] {
    let converter = &spec.output.converter;
    if converter.kind != ConverterKind::Uniform || converter.bits == 0 || !(lo < 0.0 && hi > 0.0) {
        return [lo, hi];
    }
    let steps = (2.0_f64).powi(converter.bits as i32) - 1.0;
    let step = (hi - lo) / steps;
    let below = (lo / step).round();
    [below * step, (below + steps) * step]
}

/// Whether inputs are converted. Pulses are inputs and sums at once: both are, or neither. Gates of arrays with
/// wires are open or closed in any case.
pub(super) fn converts_inputs(spec: &CoreSpec, effects: Effects, gates: bool) -> bool {
    gates || effects.input_converters && (spec.pulse.is_none() || effects.output_converters)
}

/// The core of a layer with the levels of weights and the converters that are switched on. Slices of weights
/// keep their digits: they mean nothing else.
///
/// `gates` are open or closed, and inputs of `curved` cells have a largest voltage, converted or not.
pub(super) fn with_effects(spec: &CoreSpec, effects: Effects, gates: bool, curved: bool) -> CoreSpec {
    let pulses = spec.pulse.is_some();
    let inputs = converts_inputs(spec, effects, gates);
    let outputs = effects.output_converters && (!pulses || effects.input_converters);
    let mut spec = spec.clone();
    if !effects.weight_levels && spec.slices == 1 {
        spec.weight_bits = 0;
    }
    if !inputs {
        spec.input.bits = 0;
        spec.input.slice_bits = 0;
        spec.input.coding = crate::core::spec::Coding::SignMagnitude;
        let full = if curved { spec.input.max } else { FULL };
        // Ranges of sums are in units of the full input.
        if let OutputRange::Slices(ranges) = &mut spec.output.range {
            ranges.iter_mut().flatten().for_each(|end| *end *= spec.input.max / full);
        }
        // Above any activation, and a power of two, so that scaling rounds nothing.
        spec.input.max = full;
        spec.output.conversion = Conversion::Accumulated;
        spec.pulse = None;
    }
    if !outputs {
        spec.output.converter.bits = 0;
        spec.output.conversion = Conversion::Accumulated;
        spec.output.range = OutputRange::Named(RangeRule::Maximum);
        spec.column_current_max = f64::INFINITY;
    }
    spec
}

/// Full input of arrays without converters; their squares, times variances, stay normal numbers in f32.
const FULL: f64 = 16_777_216.0;
