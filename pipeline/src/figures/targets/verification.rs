//! The physics against closed forms: junction, gate stack, tunnelling, ladder of wires, heat.

use super::dose::rows;
use super::{BuildError, Built, Check, Class, Target, Wish};
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Figure, Mark, Panel, Series};
use mho_physics::constants::{VACUUM_PERMITTIVITY, thermal_voltage};
use mho_physics::resistive::heat::{Conductivity, Element, End, Link, Slab};
use mho_physics::semiconductor::depletion::{Bulk, Junction};
use mho_physics::semiconductor::mesh::Mesh;
use mho_physics::semiconductor::mobility::Mobility;
use mho_physics::semiconductor::moscap::MosCapacitor;
use mho_physics::semiconductor::recombination::Recombination;
use mho_physics::semiconductor::statistics::Statistics;
use mho_physics::semiconductor::structure::{Contact, Doping, Layer, Structure};
use mho_physics::semiconductor::transport::Device;
use mho_physics::semiconductor::transport::small_signal::{Port, admittance};
use mho_physics::semiconductor::transport::steady::Steady;
use mho_physics::sonos::Stack;
use mho_physics::tunnelling::injection::Barrier;

pub(super) const VERIFICATION: Target = Target {
    id: "P18",
    title: "physics against closed forms: p-n junction, MOS capacitor, Fowler-Nordheim, IR ladder, heat",
    source: "textbook closed forms (Sze and Ng 2007)",
    class: Class::Exact,
    build: verification,
};

fn silicon(thickness_m: f64, acceptor_per_m3: f64, donor_per_m3: f64) -> Layer {
    Layer {
        thickness_m,
        permittivity: 11.7,
        doping: Some(Doping { acceptor_per_m3, donor_per_m3 }),
        charge_c_per_m3: 0.0,
        sheets: Vec::new(),
    }
}

fn structure(layers: Vec<Layer>, last: Contact) -> Structure {
    Structure {
        layers,
        first: Contact::Ohmic,
        last,
        temperature_k: 300.0,
        intrinsic_per_m3: 1e16,
        statistics: Statistics::Boltzmann,
    }
}

fn bulk(doping_per_m3: f64) -> Bulk {
    Bulk { doping_per_m3, intrinsic_per_m3: 1e16, permittivity: 11.7, temperature_k: 300.0 }
}

fn verification(_: &Wish<'_>) -> Result<Built, BuildError> {
    let mut checks = Vec::new();
    let panels =
        vec![junction(&mut checks)?, capacitor(&mut checks)?, tunnelling(&mut checks), ladder(&mut checks)];
    heat(&mut checks)?;
    let figure = Figure { row_in: 2.4, ..rows(panels, "lines: solvers; marks: closed forms") };
    Ok(Built { figure, checks, dataset: "none: closed forms" })
}

/// Capacitance of a junction of 1e17 acceptors and 1e16 donors against the depletion approximation.
fn junction(checks: &mut Vec<Check>) -> Result<Panel, BuildError> {
    let closed = Junction { p: bulk(1e23), n: bulk(1e22) };
    let built = structure(vec![silicon(2e-6, 1e23, 0.0), silicon(3e-6, 0.0, 1e22)], Contact::Ohmic);
    let mesh = Mesh::new(&built, 1);
    let mobility = [Mobility::constant(0.1), Mobility::constant(0.04)];
    let device = Device::new(built, mesh, mobility, Recombination::midgap(1e-8, 1e-8));
    let biases: Vec<f64> = (0..=24).map(|i| -0.25 * f64::from(i)).collect();
    let sweep = Steady::new(&device).sweep(&biases, &|_| {});
    let thermal = thermal_voltage(300.0);
    let Some(rest) = sweep.states.first() else { return Err("no equilibrium of the junction".into()) };
    let level = |i: usize| rest.nodes[i][0] * thermal;
    let barrier = level(device.mesh.len() - 1) - level(0);
    checks.push(Check::relative("built-in potential (V)", 0.7738, barrier, 0.01));
    checks.push(Check::relative(
        "depletion width, closed form (um)",
        0.3318,
        1e6 * closed.width_m(barrier),
        0.01,
    ));
    // The solver's layer, from the charge that its field holds.
    let field = rest
        .nodes
        .windows(2)
        .zip(&device.mesh.lengths)
        .map(|(pair, length)| (pair[1][0] - pair[0][0]) * thermal / length)
        .fold(0.0, f64::max);
    let corrected = closed.width_m(barrier - 2.0 * thermal);
    let dopings = 1.0 / closed.p.doping_per_m3 + 1.0 / closed.n.doping_per_m3;
    let width = field * VACUUM_PERMITTIVITY * 11.7 / 1.602_176_634e-19 * dopings;
    checks.push(Check::relative(
        "depletion width less 2kT/q, solver (um)",
        1e6 * corrected,
        1e6 * width,
        0.01,
    ));
    let frequency = 1e6;
    let mut solved = Vec::new();
    for state in &sweep.states {
        let found =
            admittance(&device, state, Port::First, frequency).ok_or("no response of the junction")?;
        solved.push(1e5 * found.im / (2.0 * std::f64::consts::PI * frequency));
    }
    let formula: Vec<f64> =
        biases.iter().map(|bias| 1e5 * closed.capacitance(barrier - bias - 2.0 * thermal)).collect();
    if let (Some(ours), Some(source)) = (solved.last(), formula.last()) {
        checks.push(Check::relative("junction capacitance at -6 V (nF/cm2)", *source, *ours, 0.01));
    }
    Ok(Panel {
        title: "p-n junction, 10¹⁷ on 10¹⁶ cm⁻³, 1 MHz".into(),
        x: Axis::new("Bias (V)", Scale::Linear),
        y: Axis::new("Capacitance (nF/cm²)", Scale::Linear),
        series: vec![
            Series::new(Some("solver"), 1, Mark::Line(0), biases.clone(), solved),
            Series::new(Some("depletion layer"), 0, Mark::Points(0), biases, formula),
        ],
    })
}

/// Quasi-static and fast capacitance of a 5 nm oxide on 1e17 cm⁻³.
fn capacitor(checks: &mut Vec<Check>) -> Result<Panel, BuildError> {
    let oxide = Layer {
        thickness_m: 5e-9,
        permittivity: 3.9,
        doping: None,
        charge_c_per_m3: 0.0,
        sheets: Vec::new(),
    };
    let built = structure(vec![silicon(1e-6, 1e23, 0.0), oxide], Contact::Gate(0.0));
    let capacitor = MosCapacitor::new(built.clone(), 1)?;
    let insulator = capacitor.insulator_capacitance();
    let flat = capacitor.flatband_v();
    let at_flat = capacitor.sweep(&[flat], false, &|_| {});
    let flat_ratio = at_flat.points.first().map_or(f64::NAN, |point| point.capacitance / insulator);
    checks.push(Check::relative("C_FB/C_ox", 0.537, flat_ratio, 0.01));
    checks.push(Check::relative(
        "widest depletion layer (nm)",
        103.8,
        1e9 * bulk(1e23).widest_depletion_m(),
        0.01,
    ));
    let threshold = capacitor.threshold_v().map_err(|_| "no threshold of the capacitor")?;
    checks.push(Check::relative("V_T - V_FB (V)", 1.0742, threshold - flat, 0.01));
    let gates: Vec<f64> = (0..=60).map(|i| -2.0 + f64::from(i) / 15.0).collect();
    let slow = capacitor.sweep(&gates, false, &|_| {});
    let mobility = [Mobility::constant(0.1), Mobility::constant(0.04)];
    let device = Device::new(built, capacitor.mesh().clone(), mobility, Recombination::midgap(1e-6, 1e-6));
    let frequency = 1e6;
    let mut fast = Vec::new();
    for gate in &gates {
        let state = Steady::new(&device).equilibrium(*gate).map_err(|_| "no equilibrium of the capacitor")?;
        let found =
            admittance(&device, &state, Port::Last, frequency).ok_or("no response of the capacitor")?;
        fast.push(found.im / (2.0 * std::f64::consts::PI * frequency) / insulator);
    }
    let least = bulk(1e23).least_capacitance(insulator) / insulator;
    let state = Steady::new(&device).equilibrium(threshold).map_err(|_| "no equilibrium at threshold")?;
    let found = admittance(&device, &state, Port::Last, 1e6).ok_or("no response at threshold")?;
    let at_threshold = found.im / (2.0 * std::f64::consts::PI * 1e6) / insulator;
    checks.push(Check::relative("C_min/C_ox, closed form", 0.126, least, 0.01));
    checks.push(Check::relative("C/C_ox at threshold, 1 MHz, solver", least, at_threshold, 0.02));
    let slow = slow.points.iter().map(|point| point.capacitance / insulator).collect();
    Ok(Panel {
        title: "MOS capacitor, 5 nm on 10¹⁷ cm⁻³".into(),
        x: Axis::new("Gate voltage (V)", Scale::Linear),
        y: Axis::new("C/C_{ox}", Scale::Linear).from_to(0.0, 1.1),
        series: vec![
            Series::new(Some("quasi-static"), 1, Mark::Line(0), gates.clone(), slow),
            Series::new(Some("1 MHz"), 2, Mark::Line(1), gates, fast),
            Series::new(
                Some("C_{FB}, C_{min}"),
                0,
                Mark::Points(0),
                vec![flat, threshold],
                vec![0.537, least],
            ),
        ],
    })
}

/// Fowler-Nordheim plot of a thick oxide.
fn tunnelling(checks: &mut Vec<Check>) -> Panel {
    let stack = Stack::default();
    let fields: Vec<f64> = (0..=30).map(|i| 7e8 + 2e7 * f64::from(i)).collect();
    let log = |field: f64| (Barrier::ELECTRONS.current_density(&stack, 10e-9, field) / (field * field)).ln();
    let slope = (log(8e8) - log(9e8)) / (1.0 / 8e8 - 1.0 / 9e8);
    checks.push(Check::relative("Fowler-Nordheim B (MV/cm)", 247.5, -1e-8 * slope, 0.02));
    let (a, b) = (Barrier::ELECTRONS.prefactor(), Barrier::ELECTRONS.slope());
    Panel {
        title: "Fowler-Nordheim, 10 nm oxide".into(),
        x: Axis::new("1/E (cm/MV)", Scale::Linear),
        y: Axis::new("ln(J/E²)", Scale::Linear),
        series: vec![
            Series::new(
                Some("law"),
                1,
                Mark::Line(0),
                fields.iter().map(|field| 1e8 / field).collect(),
                fields.iter().map(|field| log(*field)).collect(),
            ),
            Series::new(
                Some("ln A - B/E"),
                0,
                Mark::Points(0),
                fields.iter().step_by(3).map(|field| 1e8 / field).collect(),
                fields.iter().step_by(3).map(|field| a.ln() - b / field).collect(),
            ),
        ],
    }
}

/// Voltage along a line of 1024 resistive cells of 1 MOhm with 1 ohm between them, by the ladder's recursion,
/// against its closed form cosh(a(N − x))/cosh(aN).
fn ladder(checks: &mut Vec<Check>) -> Panel {
    let (count, segment) = (1024usize, 1.0);
    let cells = [0.1e6, 0.3e6, 1e6, 5e6, 1e7];
    let stated = [0.078, 0.301, 0.636, 0.9035, 0.950];
    let mut series = Vec::new();
    for (colour, (cell, wanted)) in cells.iter().zip(stated).enumerate() {
        // From the open end: each segment carries what all cells beyond it take.
        let (mut volts, mut current) = (vec![1.0], 0.0);
        for _ in 0..count {
            let here = *volts.last().unwrap_or(&1.0);
            current += here / cell;
            volts.push(here + segment * current);
        }
        let start = *volts.last().unwrap_or(&1.0);
        let line: Vec<f64> = volts.iter().rev().map(|value| value / start).collect();
        let end = 1.0 / start;
        checks.push(Check::relative(
            format!("end of a line of {:.1} MOhm cells (V)", 1e-6 * cell),
            wanted,
            end,
            0.01,
        ));
        let a = (segment / cell).sqrt();
        let places: Vec<f64> = (0..=8).map(|k| 128.0 * f64::from(k)).collect();
        let closed =
            places.iter().map(|x| (a * (count as f64 - x)).cosh() / (a * count as f64).cosh()).collect();
        let label = format!("{:.1} MΩ", 1e-6 * cell);
        let x = (0..=count).step_by(16).map(|k| k as f64).collect();
        series.push(Series::new(
            Some(&label),
            colour,
            Mark::Line(0),
            x,
            line.iter().step_by(16).copied().collect(),
        ));
        series.push(Series::new(None, colour, Mark::Points(0), places, closed));
    }
    Panel {
        title: "line of 1024 cells, 1 Ω a segment".into(),
        x: Axis::new("Cell", Scale::Linear),
        y: Axis::new("Voltage (V)", Scale::Linear).from_to(0.0, 1.05),
        series,
    }
}

/// A heated slab with both ends held: the middle is warmer by q''' L²/(8k).
fn heat(checks: &mut Vec<Check>) -> Result<(), BuildError> {
    let (length, source, conductivity) = (100e-6, 2e12, 148.0);
    let element = Element {
        length_m: length / 40.0,
        conductivity: Conductivity { value_w_mk: conductivity, exponent: 0.0, reference_k: 300.0 },
        capacity_j_m3k: 1.63e6,
        source_w_m3: source,
        loss_w_m3k: 0.0,
        ambient_k: 300.0,
    };
    let slab = Slab::new(vec![Link::Bulk(element); 40], End::Fixed(300.0), End::Fixed(300.0));
    let profile = slab.steady(300.0).map_err(|error| error.to_string())?;
    let closed = source * length * length / (8.0 * conductivity);
    checks.push(Check::relative("warmest point of a heated slab (K)", closed, profile[20] - 300.0, 0.01));
    Ok(())
}
