//! Converters against memory bandwidth, cores against plain products.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use mho_network::array::{ConverterKind, MappingStyle};
use mho_network::converter::{Converter, ConverterError, ConverterSpec, Real};
use mho_network::core::periphery::Periphery;
use mho_network::core::pulse::PulseSpec;
use mho_network::core::spec::{Coding, Conversion, OutputRange};
use mho_network::core::{Core, CoreError, CoreSpec, Mapping};

/// Best time (s) of `repeats` runs.
fn best(repeats: usize, mut run: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

/// Converts `count` values in place and compares with adding a constant to each, which moves the same
/// bytes.
fn converters<T: Real>(name: &str, count: usize) -> Result<(), ConverterError> {
    let mut values: Vec<T> = (0..count).map(|i| T::of((i % 1000) as f64 / 450.0 - 1.1)).collect();
    let add = best(9, || {
        for value in &mut values {
            *value += T::of(1e-9);
        }
        black_box(&mut values);
    });
    let size = size_of::<T>();
    let gb = 2e-9 * (count * size) as f64;
    println!(
        "{name} x {count}: adding in place {:.2} Gvalues/s, {:.1} GB/s",
        1e-9 * count as f64 / add,
        gb / add
    );
    for kind in [
        ConverterKind::Uniform,
        ConverterKind::SignMagnitude,
        ConverterKind::Sar,
        ConverterKind::Ramp,
        ConverterKind::Pipeline,
    ] {
        let converter = Converter::<T>::new(&ConverterSpec::of(kind, 8), [-1.0, 1.0], 1, 0)?;
        let circuit = !matches!(kind, ConverterKind::Uniform | ConverterKind::SignMagnitude);
        let part = if circuit { count.min(1 << 18) } else { count };
        let time = best(9, || {
            black_box(converter.convert_column(0, &mut values[..part]));
        });
        let rate = part as f64 / time;
        println!("  {kind:?}: {:.3} Gvalues/s, {:.2} of adding", 1e-9 * rate, rate * add / count as f64);
    }
    Ok(())
}

/// Time of products through a core in units of the plain product of the same size.
fn cores(outputs: usize, inputs: usize, batch: usize) -> Result<(), CoreError> {
    let weights: Vec<f64> = (0..outputs * inputs).map(|i| ((i * 37) % 255) as f64 / 127.0 - 1.0).collect();
    let x: Vec<f32> = (0..inputs * batch).map(|i| ((i * 53) % 128) as f32 / 127.0).collect();
    let plain = CoreSpec { weight_bits: 8, ..CoreSpec::default() };
    let time = |spec: &CoreSpec| -> Result<f64, CoreError> {
        let mapping = Mapping::new(&weights, outputs, inputs, spec)?;
        let core = Core::<f32>::new(&mapping)?;
        let mut error = None;
        let seconds = best(5, || match core.multiply(&x, batch) {
            Ok(product) => drop(black_box(product)),
            Err(wrong) => error = Some(wrong),
        });
        error.map_or(Ok(seconds), Err)
    };
    let reference = time(&plain)?;
    let gflops = 2e-9 * (outputs * inputs * batch) as f64 / reference;
    println!(
        "{outputs} x {inputs}, batch {batch}, f32: one matrix {:.2} ms, {gflops:.1} Gflop/s",
        1e3 * reference
    );
    let dac = |spec: CoreSpec| CoreSpec {
        input: mho_network::core::spec::InputSpec { bits: 8, ..spec.input },
        ..spec
    };
    let adc = |spec: CoreSpec, kind| {
        let mut spec = dac(spec);
        spec.output.converter = ConverterSpec::of(kind, 8);
        spec.output.range = OutputRange::Fixed([-0.2 * inputs as f64, 0.2 * inputs as f64]);
        spec
    };
    let uniform = |spec| adc(spec, ConverterKind::Uniform);
    let sliced = |slices| CoreSpec { slices, ..plain.clone() };
    let serial = |bits, spec: CoreSpec| {
        let mut spec = uniform(spec);
        (spec.input.slice_bits, spec.output.conversion) = (bits, Conversion::EachSlice);
        spec
    };
    let mut pulses = uniform(CoreSpec { pulse: Some(PulseSpec::default()), ..plain.clone() });
    pulses.input.coding = Coding::Unsigned;
    for (name, products, spec) in [
        ("inputs of 8 bits", 1, dac(plain.clone())),
        ("and outputs of 8 bits", 1, uniform(plain.clone())),
        ("offset, digital", 1, uniform(CoreSpec { style: MappingStyle::OffsetDigital, ..plain.clone() })),
        ("4 tiles of inputs", 1, uniform(CoreSpec { rows: inputs.div_ceil(4), ..plain.clone() })),
        ("2 slices of weights", 2, uniform(sliced(2))),
        ("4 slices of weights", 4, uniform(sliced(4))),
        ("4 slices of weights, inputs bit by bit", 28, serial(1, sliced(4))),
        ("limited lines", 2, uniform(CoreSpec { column_current_max: inputs as f64, ..plain.clone() })),
        ("pulses on precharged lines", 2, pulses),
        ("SAR circuits", 1, adc(plain.clone(), ConverterKind::Sar)),
    ] {
        let ratio = time(&spec)? / reference;
        println!("  {name}: {ratio:.2} of it, {:.2} per product of matrices", ratio / f64::from(products));
    }
    let x64: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let stream = mho_data::random::Stream::new(0, &["bench"], &[]);
    let seconds = best(3, || {
        let _ = black_box(Periphery::default().multiply(&weights, outputs, &x64, batch, &stream, 0));
    });
    println!("  behavioural periphery (f64, with noise): {:.2} of it", seconds / reference);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In cache, and far beyond it.
    converters::<f32>("f32", 1 << 14)?;
    converters::<f32>("f32", 1 << 25)?;
    converters::<f64>("f64", 1 << 24)?;
    cores(256, 1152, 1024)?;
    cores(64, 64, 256)?;
    Ok(())
}
