//! Products through cores against plain products: `cargo bench -p mho-network --bench cores`. One thread; all
//! cases of a size take turns, and the best time of each counts. `docs/kernels.md` says what bounds them.
#![allow(clippy::print_stdout)]

mod timing;

use std::error::Error;
use std::hint::black_box;

use mho_data::random::Stream;
use mho_network::array::{ConverterKind, MappingStyle};
use mho_network::converter::ConverterSpec;
use mho_network::core::periphery::Periphery;
use mho_network::core::pulse::PulseSpec;
use mho_network::core::spec::{Coding, Conversion, InputSpec, OutputRange};
use mho_network::core::{Core, CoreSpec, Mapping};
use mho_network::product::{View, product};
use mho_network::wires::{Cell, Crossbar, Wires};
use timing::{best, turns};

/// What changes the cells before they are read.
#[derive(Clone, Copy)]
enum Cells {
    /// Nothing.
    Targets,
    /// Programmed with an error of 2 % of the range.
    Programmed,
    /// And noise of every read, 2 % of the conductance.
    Noisy,
    /// And the effective conductances of arrays of 64 x 64 with wires.
    Wired,
}

/// A core that is measured.
struct Case {
    name: &'static str,
    /// Time over that of the plain product that is asked for.
    most: Option<f64>,
    spec: CoreSpec,
    cells: Cells,
}

/// Rows and columns of the arrays with wires.
const WIRED: usize = 64;

/// Effective over plain conductances of one array with wires, rows x columns.
fn wire_factors() -> Result<Vec<f64>, Box<dyn Error>> {
    let wires = Wires { row_ohm: 1.0, column_ohm: 1.0, ..Wires::default() };
    let conductance_s = 1e-5;
    let array = Crossbar::new(WIRED, WIRED, vec![conductance_s; WIRED * WIRED], &wires, Cell::Linear)?;
    let mut factors = Vec::new();
    for row in 0..WIRED {
        let input: Vec<f64> = (0..WIRED).map(|i| f64::from(u8::from(i == row))).collect();
        factors.extend(array.solve(&input)?.column_current_a.iter().map(|i| i / conductance_s));
    }
    Ok(factors)
}

/// Changes the cells of a mapping.
fn change(mapping: &mut Mapping, cells: Cells, factors: &[f64]) {
    let stream = Stream::new(0, &["bench", "cells"], &[]);
    let mut number = 0;
    for array in &mut mapping.arrays {
        let rows = array.inputs.len();
        for (k, g) in array.conductances.iter_mut().enumerate() {
            if !matches!(cells, Cells::Targets) {
                *g = (*g + 0.02 * stream.normal(number)).max(0.0);
            }
            if matches!(cells, Cells::Wired) {
                *g *= factors[k % rows % WIRED * WIRED + k / rows % WIRED];
            }
            number += 1;
        }
        if matches!(cells, Cells::Noisy) {
            array.noise = array.conductances.iter().map(|g| 0.02 * g).collect();
        }
    }
}

/// Time of products through cores in units of the plain product of the same size.
fn cores(
    outputs: usize,
    inputs: usize,
    batch: usize,
    rounds: usize,
    cases: &[Case],
) -> Result<(), Box<dyn Error>> {
    let weights: Vec<f64> = (0..outputs * inputs).map(|i| ((i * 37) % 255) as f64 / 127.0 - 1.0).collect();
    let x: Vec<f32> = (0..inputs * batch).map(|i| ((i * 53) % 128) as f32 / 127.0).collect();
    let factors = wire_factors()?;
    let made: Result<Vec<Core<f32>>, Box<dyn Error>> = cases
        .iter()
        .map(|case| {
            let mut mapping = Mapping::new(&weights, outputs, inputs, &case.spec)?;
            change(&mut mapping, case.cells, &factors);
            Ok(Core::new(&mapping)?)
        })
        .collect();
    let made = made?;
    for core in &made {
        core.multiply(&x, batch)?;
    }
    let matrix: Vec<f32> = weights.iter().map(|&w| w as f32).collect();
    let mut out = vec![0.0_f32; outputs * batch];
    let (a, b) = (View::rows(&matrix, inputs), View::rows(&x, batch));
    let mut works: Vec<Box<dyn FnMut() + '_>> = vec![Box::new(|| {
        product((outputs, batch, inputs), a, b, &mut out, batch, false);
        black_box(&mut out);
    })];
    for core in &made {
        // Errors have shown themselves above.
        works.push(Box::new(|| drop(black_box(core.multiply(&x, batch)))));
    }
    let times = turns(rounds, &mut works);
    drop(works);
    let plain = times[0];
    let gflops = 2e-9 * (outputs * inputs * batch) as f64 / plain;
    println!(
        "{outputs} x {inputs}, batch {batch}, f32: plain product {:.3} ms, {gflops:.0} Gflop/s",
        1e3 * plain
    );
    for (case, time) in cases.iter().zip(&times[1..]) {
        let asked = case.most.map_or(String::new(), |most| format!(", at most {most} asked"));
        println!("  {}: {:.2} of it{asked}", case.name, time / plain);
    }
    if rounds < 100 {
        let x64: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let stream = Stream::new(0, &["bench"], &[]);
        let seconds = best(3, || {
            let _ = black_box(Periphery::default().multiply(&weights, outputs, &x64, batch, &stream, 0));
        });
        println!("  behavioural periphery (f64, with noise): {:.2} of it", seconds / plain);
    }
    Ok(())
}

/// Peak of products in the cache, and the rate of reading and writing memory.
fn machine() {
    let n = 512;
    let a: Vec<f32> = (0..n * n).map(|i| (i % 17) as f32).collect();
    let mut out = vec![0.0_f32; n * n];
    let peak = best(200, || {
        product((n, n, n), View::rows(&a, n), View::rows(&a, n), &mut out, n, false);
        black_box(&mut out);
    });
    let mut values = vec![1.0_f32; 1 << 25];
    let stream = best(20, || {
        values.iter_mut().for_each(|x| *x += 1.0);
        black_box(&mut values);
    });
    let bytes = 2.0 * 4.0 * values.len() as f64;
    println!(
        "this machine: f32 products of {n}^3 {:.0} Gflop/s; memory read and written {:.0} GB/s",
        2e-9 * (n * n * n) as f64 / peak,
        1e-9 * bytes / stream
    );
}

fn cases(inputs: usize) -> Vec<Case> {
    let plain = CoreSpec { weight_bits: 8, ..CoreSpec::default() };
    let dac = |spec: CoreSpec| CoreSpec { input: InputSpec { bits: 8, ..spec.input }, ..spec };
    let adc = |spec: CoreSpec, kind| {
        let mut spec = dac(spec);
        spec.output.converter = ConverterSpec::of(kind, 8);
        spec.output.range = OutputRange::Fixed([-0.2 * inputs as f64, 0.2 * inputs as f64]);
        spec
    };
    let uniform = |spec| adc(spec, ConverterKind::Uniform);
    let sliced = |slices| CoreSpec { slices, ..plain.clone() };
    let serial = |spec: CoreSpec| {
        let mut spec = uniform(spec);
        spec.input.coding = Coding::Unsigned;
        (spec.input.slice_bits, spec.output.conversion) = (1, Conversion::EachSlice);
        spec
    };
    let mut pulses = uniform(CoreSpec { pulse: Some(PulseSpec::default()), ..plain.clone() });
    pulses.input.coding = Coding::Unsigned;
    let tiled = CoreSpec { rows: inputs.div_ceil(4), ..plain.clone() };
    let case = |name, most, spec, cells| Case { name, most, spec, cells };
    let eight = uniform(plain.clone());
    vec![
        case("inputs and outputs of 8 bits, programmed cells", Some(1.3), eight.clone(), Cells::Programmed),
        case("with read noise", Some(2.4), eight.clone(), Cells::Noisy),
        case("with wires, by effective conductances", Some(1.3), eight.clone(), Cells::Wired),
        case(
            "inputs bit by bit, converted after each of 8",
            Some(10.0),
            serial(plain.clone()),
            Cells::Programmed,
        ),
        case("4 slices of weights, each converted", Some(4.5), uniform(sliced(4)), Cells::Programmed),
        case("inputs of 8 bits alone", None, dac(plain.clone()), Cells::Targets),
        case(
            "offset, subtracted digitally",
            None,
            uniform(CoreSpec { style: MappingStyle::OffsetDigital, ..plain.clone() }),
            Cells::Programmed,
        ),
        case("4 tiles of inputs, each converted", None, uniform(tiled), Cells::Programmed),
        case(
            "4 slices of weights, inputs bit by bit (32 products)",
            None,
            serial(sliced(4)),
            Cells::Programmed,
        ),
        case(
            "limited lines (2 products)",
            None,
            uniform(CoreSpec { column_current_max: inputs as f64, ..plain.clone() }),
            Cells::Targets,
        ),
        case("pulses on precharged lines (2 products)", None, pulses, Cells::Targets),
        case("SAR circuits", None, adc(plain, ConverterKind::Sar), Cells::Targets),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    mho_data::memory::keep_freed();
    machine();
    let asked = cases(1024).into_iter().filter(|case| case.most.is_some()).collect::<Vec<_>>();
    cores(1024, 1024, 256, 100, &asked)?;
    cores(256, 1152, 1024, 10, &cases(1152))?;
    cores(64, 64, 256, 50, &cases(64))?;
    cores(1024, 1024, 1, 50, &cases(1024))
}
