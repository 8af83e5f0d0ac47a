use super::small_signal::{Port, admittance};
use super::steady::Steady;
use super::*;
use crate::constants::INTRINSIC_DENSITY;
use crate::semiconductor::statistics::Statistics;
use crate::semiconductor::structure::{Doping, Layer};
use mho_data::{Table, shared};

fn region(length_um: f64, acceptor_per_cm3: f64, donor_per_cm3: f64) -> Layer {
    Layer {
        thickness_m: 1e-6 * length_um,
        permittivity: 11.7,
        doping: Some(Doping { acceptor_per_m3: 1e6 * acceptor_per_cm3, donor_per_m3: 1e6 * donor_per_cm3 }),
        charge_c_per_m3: 0.0,
        sheets: Vec::new(),
    }
}

fn structure(layers: Vec<Layer>) -> Structure {
    Structure {
        layers,
        first: Contact::Ohmic,
        last: Contact::Ohmic,
        temperature_k: 300.0,
        intrinsic_per_m3: INTRINSIC_DENSITY,
        statistics: Statistics::Boltzmann,
    }
}

/// The reference diode: 5 µm of 1e16 acceptors on 5 µm of 1e17 donors.
fn diode(nodes: Option<Vec<f64>>, refinement: usize) -> Device {
    let structure = structure(vec![region(5.0, 1e16, 0.0), region(5.0, 0.0, 1e17)]);
    let mesh = match nodes {
        Some(nodes) => Mesh::with_nodes(&structure, nodes),
        None => Mesh::new(&structure, refinement),
    };
    let mobility = [Mobility::constant(0.1), Mobility::constant(0.04)];
    Device::new(structure, mesh, mobility, Recombination::midgap(1e-8, 1e-8))
}

fn golden(name: &str) -> Option<Table> {
    let path = shared::find(&format!("golden/semiconductor/{name}"))?;
    Some(Table::from_csv(&std::fs::read_to_string(path).unwrap(), name).unwrap())
}

fn golden_nodes() -> Option<Vec<f64>> {
    let table = golden("diode_A_profile_0.00V.csv")?;
    Some(table.floats("x_cm").unwrap().iter().map(|x| 1e-2 * x).collect())
}

/// Forward and reverse, on the reference's nodes and on our own.
#[test]
fn golden_currents() {
    let (Some(table), Some(nodes)) = (golden("diode_A_iv.csv"), golden_nodes()) else { return };
    let biases = table.floats("V").unwrap();
    let wanted = table.floats("J_A_per_cm2").unwrap();
    for (device, tolerance) in [(diode(Some(nodes), 1), 1e-6), (diode(None, 1), 1e-3)] {
        let sweep = Steady::new(&device).sweep(biases, &|_| {});
        assert!(sweep.stopped.is_none(), "{:?}", sweep.stopped);
        assert_eq!(sweep.points.len(), biases.len());
        for (point, wanted) in sweep.points.iter().zip(wanted) {
            let found = 1e-4 * point.current_first;
            if point.bias_v == 0.0 {
                assert_eq!(found, 0.0);
            } else {
                assert!((found / wanted - 1.0).abs() < tolerance, "{}: {found} {wanted}", point.bias_v);
                let unequal = point.current_last / point.current_first - 1.0;
                assert!(unequal.abs() < 1e-12, "{}: {unequal}", point.bias_v);
            }
        }
    }
}

#[test]
fn golden_profiles() {
    let Some(nodes) = golden_nodes() else { return };
    let device = diode(Some(nodes), 1);
    let sweep = Steady::new(&device).sweep(&[0.0, 0.6], &|_| {});
    for (state, name) in sweep.states.iter().zip(["diode_A_profile_0.00V.csv", "diode_A_profile_0.60V.csv"]) {
        let table = golden(name).unwrap();
        let column = |name: &str| table.floats(name).unwrap();
        let densities = device.densities(state);
        for (i, densities) in densities.iter().enumerate() {
            let potential = state.nodes[i][0] * device.structure.thermal_voltage_v();
            assert!((potential - column("potential_V")[i]).abs() < 1e-6, "{name} {i}");
            for (found, wanted) in densities.iter().zip(["n_cm3", "p_cm3"]) {
                assert!((1e-6 * found / column(wanted)[i] - 1.0).abs() < 1e-5, "{name} {i} {wanted}");
            }
        }
    }
}

#[test]
fn golden_admittance() {
    let Some(table) = golden("diode_A_cv_1MHz.csv") else { return };
    let biases = table.floats("V").unwrap();
    let device = diode(golden_nodes(), 1);
    let sweep = Steady::new(&device).sweep(biases, &|_| {});
    for (i, state) in sweep.states.iter().enumerate() {
        let frequency = 1e6;
        let first = admittance(&device, state, Port::First, frequency).unwrap();
        let last = admittance(&device, state, Port::Last, frequency).unwrap();
        let capacitance = 1e-4 * first.im / (2.0 * std::f64::consts::PI * frequency);
        let wanted = table.floats("C_F_per_cm2").unwrap()[i];
        assert!((capacitance / wanted - 1.0).abs() < 1e-5, "{}: {capacitance} {wanted}", biases[i]);
        let wanted = table.floats("G_S_per_cm2").unwrap()[i];
        // The reference's own noise in reverse; its capacitance does not show it.
        assert!((1e-4 * first.re / wanted - 1.0).abs() < 1e-4, "{}: {} {wanted}", biases[i], first.re);
        // What flows in at one side flows out at the other; the conductance is a ten-thousandth of it here.
        assert!((first - last).norm() < 1e-7 * first.norm(), "{} {first} {last}", biases[i]);
    }
}

/// The low-frequency limit of the conductance is the slope of the current.
#[test]
fn conductance_is_the_slope_of_the_current() {
    let device = diode(None, 1);
    for bias in [-1.0, 0.3, 0.7] {
        let step = 1e-4;
        let sweep = Steady::new(&device).sweep(&[bias - step, bias, bias + step], &|_| {});
        let slope = (sweep.points[2].current_first - sweep.points[0].current_first) / (2.0 * step);
        let found = admittance(&device, &sweep.states[1], Port::First, 1.0).unwrap();
        assert!((found.re / slope - 1.0).abs() < 1e-5, "{bias}: {} {slope}", found.re);
    }
}

#[test]
fn second_order_in_the_mesh() {
    for bias in [-1.0, 0.5] {
        let current = |refinement| {
            Steady::new(&diode(None, refinement)).sweep(&[bias], &|_| {}).points[0].current_first
        };
        let (a, b, c) = (current(1), current(2), current(4));
        let order = ((a - b) / (b - c)).abs().log2();
        assert!(order > 1.9, "{bias}: {order}");
    }
}

/// Currents around zero keep their digits: they are linear in the bias down to a femtovolt.
#[test]
fn small_biases_do_not_drown() {
    let device = diode(None, 1);
    let biases = [1e-6, 1e-9, 1e-12, 1e-15, -1e-12];
    let sweep = Steady::new(&device).sweep(&biases, &|_| {});
    assert!(sweep.stopped.is_none(), "{:?}", sweep.stopped);
    let reference = sweep.points[0].current_first / 1e-6;
    for point in &sweep.points {
        // At 1e-6 V the curvature V/(2 φ_t) is 2e-5.
        let ratio = point.current_first / point.bias_v / reference;
        assert!((ratio - 1.0).abs() < 3e-5, "{}: {ratio}", point.bias_v);
        assert!((point.current_last / point.current_first - 1.0).abs() < 1e-8, "{}", point.bias_v);
    }
}

/// Ideal diode: in the middle of its exponential range the slope is q/kT within 1 %.
#[test]
fn ideal_slope() {
    let mut device = diode(None, 1);
    // Without recombination in the depletion layer.
    device.recombination = Recombination::midgap(1e-4, 1e-4);
    let sweep = Steady::new(&device).sweep(&[0.3, 0.4, 0.5], &|_| {});
    for pair in sweep.points.windows(2) {
        let slope = (pair[1].current_first / pair[0].current_first).ln() / 0.1;
        assert!((slope * device.structure.thermal_voltage_v() - 1.0).abs() < 0.01, "{slope}");
    }
}

/// A uniform bar obeys Ohm's law exactly and does not care for its orientation.
#[test]
fn resistor() {
    for (acceptor, donor, mobility) in [(0.0, 1e17, 0.1), (1e17, 0.0, 0.04)] {
        let structure = structure(vec![region(3.0, acceptor, donor)]);
        let mesh = Mesh::new(&structure, 1);
        let device = Device::new(
            structure,
            mesh,
            [Mobility::constant(0.1), Mobility::constant(0.04)],
            Recombination::midgap(1e-8, 1e-8),
        );
        let biases = [-1.0, -1e-3, 1e-3, 1.0];
        let sweep = Steady::new(&device).sweep(&biases, &|_| {});
        for (point, mirror) in sweep.points.iter().zip(sweep.points.iter().rev()) {
            let ohm = crate::constants::ELEMENTARY_CHARGE * mobility * 1e23 * point.bias_v / 3e-6;
            assert!((point.current_first / ohm - 1.0).abs() < 1e-9, "{}", point.bias_v);
            assert!((point.current_first + mirror.current_first).abs() < 1e-12 * point.current_first.abs());
        }
    }
}

/// The mirrored diode carries the mirrored current.
#[test]
fn turned_around() {
    let device = diode(None, 1);
    let layers = vec![region(5.0, 0.0, 1e17), region(5.0, 1e16, 0.0)];
    let turned = structure(layers);
    let mesh = Mesh::with_nodes(&turned, device.mesh.nodes.iter().map(|x| 10e-6 - x).collect());
    let turned = Device::new(turned, mesh, device.mobility, device.recombination);
    let (a, b) = ([-2.0, 0.1, 0.7], [2.0, -0.1, -0.7]);
    let (a, b) = (Steady::new(&device).sweep(&a, &|_| {}), Steady::new(&turned).sweep(&b, &|_| {}));
    assert_eq!(b.points.len(), 3, "{:?}", b.stopped);
    for (a, b) in a.points.iter().zip(&b.points) {
        assert!((a.current_first / b.current_first + 1.0).abs() < 1e-7, "{}", a.bias_v);
    }
}

/// Other devices converge from a cold start over a wide range of bias, with all the physics on.
#[test]
fn other_diodes_with_all_the_physics() {
    let full = |law, saturation| Mobility { low_field: law, saturation: Some(saturation) };
    use crate::semiconductor::mobility::{CaugheyThomas, LowField, Saturation};
    let mobility = [
        full(LowField::Doping(CaugheyThomas::ELECTRONS), Saturation::ELECTRONS),
        full(LowField::Doping(CaugheyThomas::HOLES), Saturation::HOLES),
    ];
    let recombination = Recombination {
        electron_lifetime_s: 1e-7,
        hole_lifetime_s: 3e-7,
        trap_level: 2.0,
        auger: Recombination::SILICON_AUGER,
    };
    let fermi = Statistics::FermiDirac { conduction_per_m3: 2.86e25, valence_per_m3: 2.66e25 };
    for layers in [
        vec![region(2.0, 1e15, 0.0), region(8.0, 0.0, 1e19)],
        vec![region(0.3, 1e20, 0.0), region(4.0, 0.0, 1e14), region(0.3, 0.0, 1e20)],
        vec![region(0.2, 0.0, 1e19), region(0.3, 1e17, 0.0), region(1.0, 0.0, 1e16)],
        vec![region(1.0, 1e18, 0.0), region(1.0, 0.0, 1e18)],
    ] {
        for statistics in [Statistics::Boltzmann, fermi] {
            let structure = Structure { statistics, ..structure(layers.clone()) };
            let mesh = Mesh::new(&structure, 1);
            let device = Device::new(structure, mesh, mobility, recombination);
            for biases in [[0.2, 0.5, 0.8, 1.0, 1.2], [-0.5, -1.0, -2.0, -5.0, -8.0]] {
                let sweep = Steady::new(&device).sweep(&biases, &|_| {});
                assert!(sweep.stopped.is_none(), "{statistics:?} {layers:?} {:?}", sweep.stopped);
                for point in &sweep.points {
                    assert!(point.current_first.signum() == point.bias_v.signum(), "{point:?}");
                    let unequal = point.current_last / point.current_first - 1.0;
                    assert!(unequal.abs() < 1e-8, "{layers:?} {point:?}");
                }
                for pair in sweep.points.windows(2) {
                    assert!(pair[1].current_first.abs() > pair[0].current_first.abs());
                }
            }
        }
    }
}
/// A slow ramp of a blocked diode moves its capacitance: J = C dV/dt, the same at both contacts.
#[test]
fn transient_of_a_blocked_diode() {
    let device = diode(None, 1);
    let mut steady = Steady::new(&device);
    let start = steady.sweep(&[-1.0], &|_| {}).states.remove(0);
    let capacitance =
        admittance(&device, &start, Port::First, 1e3).unwrap().im / (2e3 * std::f64::consts::PI);
    // 10 mV in 10 ns: slow for the depletion layer, fast for generation in it (1 µs and more).
    let waveform = [(0.0, -1.0), (1e-8, -1.01)];
    let response = transient::respond(&device, start, &waveform, transient::Options::default());
    assert!(response.stopped.is_none(), "{:?}", response.stopped);
    let mut before = 0.0;
    for point in &response.points {
        let unequal = (point.current_first - point.current_last).abs();
        // The displacement current is a difference of potentials near 40 φ_t, each rounded and solved for to
        // 1e-13 of it, over the step.
        let edge = device.mesh.lengths[0].min(*device.mesh.lengths.last().unwrap());
        let rounding = 11.7 * 8.854e-12 / edge * 40.0 * 0.026 * 1e-13 / (point.time_s - before);
        assert!(unequal < 1e-8 * point.current_first.abs() + rounding, "{point:?}");
        before = point.time_s;
    }
    let last = response.points.last().unwrap();
    assert!((last.current_first / (-1e6 * capacitance) - 1.0).abs() < 0.01, "{last:?} {capacitance}");
}

/// Switched forward, a diode comes to the steady state of the new bias; the charge that flowed in on the way
/// does not depend on the steps.
#[test]
fn transient_to_a_steady_state() {
    let device = diode(None, 1);
    let waveform = [(0.0, 0.0), (1e-12, 0.0), (1.1e-11, 0.6), (1e-6, 0.6)];
    let steady = Steady::new(&device).sweep(&[0.6], &|_| {}).points[0].current_first;
    let run = |tolerance| {
        let start = Steady::new(&device).equilibrium(0.0).unwrap();
        let options = transient::Options { tolerance, ..transient::Options::default() };
        let response = transient::respond(&device, start, &waveform, options);
        assert!(response.stopped.is_none(), "{:?}", response.stopped);
        let last = response.points.last().unwrap();
        assert!((last.current_first / steady - 1.0).abs() < 1e-6, "{last:?} {steady}");
        let excess: f64 = response
            .points
            .windows(2)
            .map(|pair| {
                let mean = 0.5 * (pair[0].current_first + pair[1].current_first) - steady;
                mean * (pair[1].time_s - pair[0].time_s)
            })
            .sum();
        (excess, response.points.len())
    };
    let ((coarse, few), (fine, many)) = (run(0.04), run(0.01));
    assert!(many > few);
    assert!((coarse / fine - 1.0).abs() < 0.02, "{coarse} {fine} in {few} and {many} steps");
}

/// At high frequency the inversion layer of a capacitor cannot follow: C falls to that of the widest
/// depletion layer, while at low frequency it is the quasi-static one.
#[test]
fn capacitor_at_two_frequencies() {
    let silicon = Layer { thickness_m: 1e-6, ..region(1.0, 1e17, 0.0) };
    let oxide =
        Layer { thickness_m: 5e-9, permittivity: 3.9, doping: None, charge_c_per_m3: 0.0, sheets: vec![] };
    let structure = Structure { last: Contact::Gate(0.0), ..structure(vec![silicon, oxide]) };
    let mesh = Mesh::new(&structure, 1);
    let device = Device::new(
        structure.clone(),
        mesh.clone(),
        [Mobility::constant(0.1), Mobility::constant(0.04)],
        Recombination::midgap(1e-8, 1e-8),
    );
    let capacitor = crate::semiconductor::moscap::MosCapacitor::with_mesh(structure, mesh).unwrap();
    let oxide = capacitor.insulator_capacitance();
    for gate in [-2.0, -0.2, 2.0] {
        let state = Steady::new(&device).equilibrium(gate).unwrap();
        let at = |frequency: f64| {
            let admittance = admittance(&device, &state, Port::Last, frequency).unwrap();
            admittance.im / (2.0 * std::f64::consts::PI * frequency)
        };
        let still = capacitor.sweep(&[gate], false, &|_| {}).points[0].capacitance;
        assert!((at(1e-3) / still - 1.0).abs() < 1e-4, "{gate}: {} {still}", at(1e-3));
        let fast = at(1e7) / oxide;
        if gate > 1.0 {
            // 0.126 at ψ_s = 2 φ_F; the surface bends a little further here.
            assert!((0.115..0.127).contains(&fast), "{fast}");
        } else {
            assert!((at(1e5) / still - 1.0).abs() < 1e-2, "{gate}");
        }
    }
}

/// A degenerate base that floats between two others: it takes a millivolt at first and strides after.
#[test]
fn a_floating_base_is_reached_by_growing_steps() {
    let fermi = Statistics::FermiDirac { conduction_per_m3: 2.86e25, valence_per_m3: 2.66e25 };
    let layers =
        vec![region(14.08, 0.0, 4.681e16), region(1.161, 6.718e19, 0.0), region(1.465, 0.0, 6.55e18)];
    let structure = Structure { statistics: fermi, ..structure(layers) };
    let mesh = Mesh::new(&structure, 1);
    let mobility = [Mobility::constant(0.1), Mobility::constant(0.04)];
    let device = Device::new(structure, mesh, mobility, Recombination::midgap(6.88e-6, 3e-9));
    let sweep = Steady::new(&device).sweep(&[0.0, 0.15, 1.5], &|_| {});
    assert!(sweep.stopped.is_none(), "{:?}", sweep.stopped);
    for point in &sweep.points[1..] {
        assert!((point.current_last / point.current_first - 1.0).abs() < 1e-8, "{point:?}");
    }
}
