//! Converters against memory bandwidth: `cargo bench -p mho-network --bench converters`.
#![allow(clippy::print_stdout)]

mod timing;

use std::hint::black_box;

use mho_network::array::ConverterKind;
use mho_network::converter::{Converter, ConverterError, ConverterSpec, Real};
use timing::best;

/// Converts `count` values in place and compares with adding a constant to each, which moves the same
/// bytes.
fn converters<T: Real>(name: &str, count: usize) -> Result<(), ConverterError> {
    let mut values: Vec<T> = (0..count).map(|i| T::of((i % 1000) as f64 / 450.0 - 1.1)).collect();
    let add = best(20, || {
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
        let time = best(20, || {
            black_box(converter.convert_column(0, &mut values[..part]));
        });
        let rate = part as f64 / time;
        println!("  {kind:?}: {:.3} Gvalues/s, {:.2} of adding", 1e-9 * rate, rate * add / count as f64);
    }
    Ok(())
}

fn main() -> Result<(), ConverterError> {
    // In cache, and far beyond it.
    converters::<f32>("f32", 1 << 14)?;
    converters::<f32>("f32", 1 << 25)?;
    converters::<f64>("f64", 1 << 24)
}
