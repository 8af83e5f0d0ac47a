//! Layers of networks on cores, against CrossSim's quantised ones.

use std::collections::HashMap;

use mho_data::npy::Array as Data;

use super::spec::OutputRange;
use super::*;
use crate::array::ConverterKind;
use crate::converter::{ConverterSpec, golden};
use crate::spec::Shape;
use crate::window::Window;

/// Pairs of 7-bit cells with an on/off ratio of 10, 8-bit inputs with a sign, 8-bit outputs.
fn quantised(input_max: f64, output_max: f64) -> CoreSpec {
    let mut spec = CoreSpec { weight_bits: 8, on_off_ratio: 10.0, ..CoreSpec::default() };
    (spec.input.bits, spec.input.max) = (8, input_max);
    spec.output.converter = ConverterSpec::of(ConverterKind::Uniform, 8);
    spec.output.range = OutputRange::Fixed([-output_max, output_max]);
    spec
}

fn core(weights: &Data, spec: &CoreSpec) -> Core<f64> {
    let outputs = weights.shape[0];
    let mapping = Mapping::new(&weights.values, outputs, weights.values.len() / outputs, spec).unwrap();
    Core::new(&mapping).unwrap()
}

/// Product and bias, outputs x positions.
fn linear(core: &Core<f64>, x: &[f64], positions: usize, bias: &[f64]) -> Vec<f64> {
    let mut y = core.multiply(x, positions).unwrap().outputs;
    for (row, bias) in y.chunks_exact_mut(positions).zip(bias) {
        row.iter_mut().for_each(|y| *y += bias);
    }
    y
}

/// One image under a convolution: taps x positions, as [`Window::unfold`] lays it out.
fn unfolded(window: Window, image: Shape, pixels: &[f64]) -> (Vec<f64>, usize) {
    let numbers: Vec<f32> = (1..=pixels.len()).map(|i| i as f32).collect();
    let (rows, columns) = window.positions(image);
    let mut places = vec![0.0; window.taps(image) * rows * columns];
    window.unfold(image, &numbers, &mut places);
    let value = |place: &f32| if *place == 0.0 { 0.0 } else { pixels[*place as usize - 1] };
    (places.iter().map(value).collect(), rows * columns)
}

fn conv(core: &Core<f64>, window: Window, image: Shape, pixels: &[f64], bias: &[f64]) -> Vec<f64> {
    let (x, positions) = unfolded(window, image, pixels);
    linear(core, &x, positions, bias)
}

fn relu(values: &mut [f64]) {
    values.iter_mut().for_each(|x| *x = x.max(0.0));
}

/// Windows of 2 x 2, reduced by `reduce`; an odd last row or column is dropped.
fn pooled(image: Shape, pixels: &[f64], reduce: impl Fn([f64; 4]) -> f64) -> Vec<f64> {
    let mut out = Vec::new();
    for channel in pixels.chunks_exact(image.rows * image.columns) {
        for r in 0..image.rows / 2 {
            for c in 0..image.columns / 2 {
                let at = |dr: usize, dc: usize| channel[(2 * r + dr) * image.columns + 2 * c + dc];
                out.push(reduce([at(0, 0), at(0, 1), at(1, 0), at(1, 1)]));
            }
        }
    }
    out
}

fn shape(array: &Data) -> Shape {
    Shape { channels: array.shape[1], rows: array.shape[2], columns: array.shape[3] }
}

fn close(y: &[f64], expected: &[f64], name: &str) {
    assert_eq!(y.len(), expected.len(), "{name}");
    for (y, expected) in y.iter().zip(expected) {
        assert!((y - expected).abs() < 1e-12, "{name}: {y} {expected}");
    }
}

fn data() -> Option<HashMap<String, Data>> {
    golden::npz("golden/crosssim/layers.npz")
}

#[test]
fn convolutions() {
    let Some(data) = data() else { return };
    for (name, stride) in [("conv_basic", 1), ("conv_s2", 2)] {
        let get = |key: &str| &data[&format!("{name}/{key}")];
        let (x, image) = (get("x"), shape(get("x")));
        let window = Window { kernel: 3, stride, padding: 1 };
        for (key, spec) in [("ideal", CoreSpec::default()), ("quant", quantised(1.0, 4.0))] {
            let core = core(get("w"), &spec);
            close(&core.read_back(), &get(&format!("{key}_matrix")).values, name);
            let images = x.values.chunks_exact(image.len());
            let y: Vec<f64> =
                images.flat_map(|pixels| conv(&core, window, image, pixels, &get("b").values)).collect();
            close(&y, &get(key).values, name);
        }
    }
}

/// Convolution, maximum pooling, convolution, mean pooling, two dense layers.
#[test]
fn network() {
    let Some(data) = data() else { return };
    let get = |key: &str| &data[&format!("net/{key}")];
    let image = shape(get("x"));
    for key in ["torch", "quant"] {
        let cores: Vec<Core<f64>> = (0..4)
            .map(|i| {
                let quantised = quantised(get("in_max").values[i], 3.0);
                let ideal = CoreSpec::default();
                let ideal = CoreSpec { input: spec::InputSpec { max: 1e3, ..ideal.input }, ..ideal };
                core(get(&format!("w{i}")), if key == "quant" { &quantised } else { &ideal })
            })
            .collect();
        let bias = |i: usize| &get(&format!("b{i}")).values;
        let logits = get("x").values.chunks_exact(image.len()).flat_map(|pixels| {
            let mut y = conv(&cores[0], Window { kernel: 3, stride: 1, padding: 1 }, image, pixels, bias(0));
            relu(&mut y);
            let y = pooled(Shape { channels: 8, ..image }, &y, |x| x.into_iter().fold(f64::MIN, f64::max));
            let half = Shape { channels: 8, rows: 8, columns: 8 };
            let mut y = conv(&cores[1], Window { kernel: 3, stride: 1, padding: 0 }, half, &y, bias(1));
            relu(&mut y);
            let y = pooled(Shape { channels: 16, rows: 6, columns: 6 }, &y, |x| x.iter().sum::<f64>() / 4.0);
            let mut y = linear(&cores[2], &y, 1, bias(2));
            relu(&mut y);
            linear(&cores[3], &y, 1, bias(3))
        });
        close(&logits.collect::<Vec<f64>>(), &get(key).values, key);
    }
}
