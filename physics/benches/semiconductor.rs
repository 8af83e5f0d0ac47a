//! Time of one bias point of the one-dimensional solvers on meshes of the size of the references.
//!
//! `cargo bench -p mho-physics --bench semiconductor`. Each line gives the time of a point, its ratio to the
//! budget, and its ratio to a reference measured in the same run: a pass of `exp` over all unknowns, the
//! least that any method must do in one iteration.
#![allow(missing_docs, clippy::print_stdout)]

use mho_physics::semiconductor::mesh::Mesh;
use mho_physics::semiconductor::mobility::Mobility;
use mho_physics::semiconductor::moscap::MosCapacitor;
use mho_physics::semiconductor::recombination::Recombination;
use mho_physics::semiconductor::statistics::Statistics;
use mho_physics::semiconductor::structure::{Contact, Doping, Layer, Structure};
use mho_physics::semiconductor::transport::Device;
use mho_physics::semiconductor::transport::steady::Steady;
use std::hint::black_box;
use std::time::Instant;

/// Best of several runs in s: the machine's noise only adds.
fn best(mut work: impl FnMut()) -> f64 {
    (0..7)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

fn exponentials(count: usize) -> f64 {
    let values: Vec<f64> = (0..count).map(|i| (i as f64).sin()).collect();
    best(|| {
        for _ in 0..100 {
            black_box(values.iter().map(|value| black_box(*value).exp()).sum::<f64>());
        }
    }) / 100.0
}

fn report(name: &str, nodes: usize, seconds: f64, budget: f64, unknowns: usize) {
    let pass = exponentials(unknowns);
    println!(
        "{name}: {nodes} nodes, {:.1} us a point, {:.2} of the budget of {:.0} us, {:.0} passes of exp",
        1e6 * seconds,
        seconds / budget,
        1e6 * budget,
        seconds / pass
    );
}

fn layer(thickness_m: f64, permittivity: f64, doping: Option<(f64, f64)>) -> Layer {
    Layer {
        thickness_m,
        permittivity,
        doping: doping.map(|(acceptor_per_m3, donor_per_m3)| Doping { acceptor_per_m3, donor_per_m3 }),
        charge_c_per_m3: 0.0,
        sheets: Vec::new(),
    }
}

fn main() {
    let structure = Structure {
        layers: vec![
            layer(1e-6, 11.7, Some((1e23, 0.0))),
            layer(2.5e-9, 3.9, None),
            layer(8e-9, 7.5, None),
            layer(4.5e-9, 3.9, None),
        ],
        first: Contact::Ohmic,
        last: Contact::Gate(0.0),
        temperature_k: 300.0,
        intrinsic_per_m3: 1e16,
        statistics: Statistics::Boltzmann,
    };
    // 512 nodes, as the reference has, denser towards the surface.
    let mut nodes: Vec<f64> = (0..472).map(|i| 1e-6 * (1.0 - (1.0 - i as f64 / 472.0).powi(3))).collect();
    nodes.extend((0..=40).map(|i| 1e-6 + 15e-9 * f64::from(i) / 40.0));
    let mesh = Mesh::with_nodes(&structure, nodes);
    let count = mesh.len();
    if let Ok(capacitor) = MosCapacitor::with_mesh(structure, mesh) {
        let gates: Vec<f64> = (-60..=60).map(|i| 0.05 * f64::from(i)).collect();
        let seconds = best(|| {
            black_box(capacitor.sweep(&gates, false, &|_| {}));
        });
        report("MOS capacitor", count, seconds / gates.len() as f64, 1e-4, count);
    }

    let structure = Structure {
        layers: vec![layer(5e-6, 11.7, Some((1e22, 0.0))), layer(5e-6, 11.7, Some((0.0, 1e23)))],
        first: Contact::Ohmic,
        last: Contact::Ohmic,
        temperature_k: 300.0,
        intrinsic_per_m3: 1e16,
        statistics: Statistics::Boltzmann,
    };
    // 301 nodes, denser towards the junction.
    let nodes = (-150..=150)
        .map(|i| {
            let s = f64::from(i) / 150.0;
            5e-6 * (1.0 + s.signum() * s.abs().powf(2.5))
        })
        .collect();
    let mesh = Mesh::with_nodes(&structure, nodes);
    let count = mesh.len();
    let mobility = [Mobility::constant(0.1), Mobility::constant(0.04)];
    let device = Device::new(structure, mesh, mobility, Recombination::midgap(1e-8, 1e-8));
    let biases: Vec<f64> = (0..=40).map(|i| 0.02 * f64::from(i)).collect();
    let seconds = best(|| {
        black_box(Steady::new(&device).sweep(&biases, &|_| {}));
    });
    report("diode", count, seconds / biases.len() as f64, 1e-3, 2 * count);
}
