use super::*;
use crate::constants::{INTRINSIC_DENSITY, VACUUM_PERMITTIVITY, thermal_voltage};
use crate::semiconductor::statistics::Statistics;
use crate::semiconductor::structure::{Layer, Sheet};
use mho_data::Table;
use mho_data::shared;
use proptest::prelude::*;

const OXIDE: f64 = 3.9;
const NITRIDE: f64 = 7.5;

fn insulator(thickness_nm: f64, permittivity: f64, sheets: Vec<Sheet>) -> Layer {
    Layer { thickness_m: 1e-9 * thickness_nm, permittivity, doping: None, charge_c_per_m3: 0.0, sheets }
}

/// A capacitor on p-silicon 1 µm thick with a mid-gap gate.
fn capacitor(acceptor_per_cm3: f64, insulators: Vec<Layer>, refinement: usize) -> MosCapacitor {
    let silicon = Layer {
        thickness_m: 1e-6,
        permittivity: 11.7,
        doping: Some(Doping { acceptor_per_m3: 1e6 * acceptor_per_cm3, donor_per_m3: 0.0 }),
        charge_c_per_m3: 0.0,
        sheets: Vec::new(),
    };
    let structure = Structure {
        layers: std::iter::once(silicon).chain(insulators).collect(),
        first: Contact::Ohmic,
        last: Contact::Gate(0.0),
        temperature_k: 300.0,
        intrinsic_per_m3: INTRINSIC_DENSITY,
        statistics: Statistics::Boltzmann,
    };
    MosCapacitor::new(structure, refinement).unwrap()
}

/// Gate / 4.5 nm oxide / 8 nm nitride / 2.5 nm oxide / silicon with a sheet in the middle of the nitride.
fn ono(sheet_per_cm2: f64, refinement: usize) -> MosCapacitor {
    let sheet = Sheet { position: 0.5, charge_c_per_m2: 1e4 * sheet_per_cm2 * ELEMENTARY_CHARGE };
    let stack = vec![
        insulator(2.5, OXIDE, Vec::new()),
        insulator(8.0, NITRIDE, vec![sheet]),
        insulator(4.5, OXIDE, Vec::new()),
    ];
    capacitor(1e17, stack, refinement)
}

fn golden(name: &str) -> Option<Table> {
    let path = shared::find(&format!("golden/semiconductor/{name}"))?;
    Some(Table::from_csv(&std::fs::read_to_string(path).unwrap(), name).unwrap())
}

/// The charge of a thick p-type semiconductor in Boltzmann statistics at a band bending, by the first integral.
fn exact_charge(acceptor_per_m3: f64, bending_v: f64) -> f64 {
    let thermal = thermal_voltage(300.0);
    let u = bending_v / thermal;
    let minority = (INTRINSIC_DENSITY / acceptor_per_m3).powi(2);
    // n = n_bulk eᵘ, p = p_bulk e⁻ᵘ; e⁻ᵘ + u − 1 without cancellation near zero.
    let majority_term = (-u).exp_m1() + u;
    let minority_term = minority * (u.exp_m1() - u);
    let epsilon = 11.7 * VACUUM_PERMITTIVITY;
    let square =
        2.0 * epsilon * thermal * ELEMENTARY_CHARGE * acceptor_per_m3 * (majority_term + minority_term);
    -bending_v.signum() * square.max(0.0).sqrt()
}

#[test]
fn golden_sweeps() {
    for (name, capacitor, flatband, threshold) in [
        (
            "moscap_ox5_none.csv",
            capacitor(1e17, vec![insulator(5.0, OXIDE, Vec::new())], 1),
            -0.41668500532042246,
            0.6575191057915536,
        ),
        ("moscap_ono_none.csv", ono(0.0, 1), -0.4166850053246576, 0.9542267175647328),
        ("moscap_ono_sheet_-5e12.csv", ono(-5e12, 1), 1.109801448809691, 2.4807131717007245),
    ] {
        let Some(table) = golden(name) else { return };
        assert!((capacitor.flatband_v() - flatband).abs() < 1e-9, "{name}: {}", capacitor.flatband_v());
        let found = capacitor.threshold_v().unwrap();
        assert!((found - threshold).abs() < 1e-5, "{name}: {found} {threshold}");
        let gates = table.floats("Vg_V").unwrap();
        let sweep = capacitor.sweep(gates, false, &|_| {});
        assert!(sweep.stopped.is_none() && sweep.points.len() == gates.len());
        let column = |name: &str| table.floats(name).unwrap();
        let points = &sweep.points;
        for (i, point) in points.iter().enumerate() {
            let at = point.gate_v;
            // In volts: the reference's nodes stand 0.05 nm apart, too far for its accumulation layer, whose
            // first integral ours meets (below).
            assert!((point.surface_potential_v - column("psi_s_V")[i]).abs() < 1e-3, "{name} {at}");
            let charge = 1e4 * column("Qgate_C_per_cm2")[i];
            // Near zero the same millivolt over the insulators.
            let floor = 1e-3 * capacitor.insulator_capacitance();
            assert!((point.gate_charge - charge).abs() < 1e-3 * charge.abs() + floor, "{name} {at}");
            // The inversion charge inherits the reference's error of the potential in accumulation: 2e-3.
            let inversion = 1e4 * column("Qinv_C_per_cm2")[i];
            assert!((point.inversion_charge / inversion - 1.0).abs() < 2e-3, "{name} {at}");
            // The reference differentiates over its steps of 0.05 V, so that is what to compare.
            if i > 0 && i + 1 < points.len() {
                let slope = (points[i + 1].gate_charge - points[i - 1].gate_charge)
                    / (points[i + 1].gate_v - points[i - 1].gate_v);
                let wanted = 1e4 * column("C_central_diff_F_per_cm2")[i];
                assert!((slope / wanted - 1.0).abs() < 1e-3, "{name} {at}: {slope} {wanted}");
            }
        }
    }
}

/// On the reference's own nodes the same equations have the same solution, to the last digits: what differs
/// on our mesh is the error of its nodes.
#[test]
fn golden_nodes() {
    let Some(path) = shared::find("golden/semiconductor/moscap_ono_sheet_-5e12_profile_+1.0V.csv") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut nodes: Vec<f64> = text
        .lines()
        .filter_map(|line| line.split(',').nth(1)?.parse::<f64>().ok())
        .filter(|x| *x >= 0.0)
        .map(|depth_cm| 1e-6 - 1e-2 * depth_cm)
        .collect();
    nodes.reverse();
    let structure = ono(-5e12, 1).structure;
    let mesh = Mesh::with_nodes(&structure, nodes);
    let capacitor = MosCapacitor::with_mesh(structure, mesh).unwrap();
    let table = golden("moscap_ono_sheet_-5e12.csv").unwrap();
    let column = |name: &str| table.floats(name).unwrap();
    let sweep = capacitor.sweep(column("Vg_V"), false, &|_| {});
    for (i, point) in sweep.points.iter().enumerate() {
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-13;
        assert!(close(point.surface_potential_v, column("psi_s_V")[i]), "{}", point.gate_v);
        assert!(close(point.gate_charge, 1e4 * column("Qgate_C_per_cm2")[i]), "{}", point.gate_v);
        assert!(close(point.inversion_charge, 1e4 * column("Qinv_C_per_cm2")[i]), "{}", point.gate_v);
    }
}

#[test]
fn surface_charge_meets_the_first_integral() {
    let capacitor = ono(-5e12, 1);
    let gates: Vec<f64> = (-60..=60).map(|i| 0.05 * f64::from(i)).collect();
    for point in capacitor.sweep(&gates, false, &|_| {}).points {
        let charge = -(point.gate_charge - 5e16 * ELEMENTARY_CHARGE);
        let exact = exact_charge(1e23, point.surface_potential_v);
        assert!((charge - exact).abs() < 2e-4 * exact.abs() + 1e-8, "{}: {charge} {exact}", point.gate_v);
    }
}

#[test]
fn threshold_and_flat_band_in_closed_form() {
    for acceptor in [1e15, 1e16, 1e17, 1e18, 5e18] {
        for sheet in [0.0, -5e12, 3e12] {
            let mut capacitor = ono(sheet, 1);
            capacitor.structure.layers[0].doping =
                Some(Doping { acceptor_per_m3: 1e6 * acceptor, donor_per_m3: 0.0 });
            // 1 µm is not thick compared with the depletion layer of 1e15.
            capacitor.structure.layers[0].thickness_m = 5e-6;
            let capacitor = MosCapacitor::new(capacitor.structure, 1).unwrap();
            let fermi = thermal_voltage(300.0) * (acceptor / 1e10).ln();
            let above = (4.5 / OXIDE + 4.0 / NITRIDE) * 1e-9 / VACUUM_PERMITTIVITY;
            let flatband = -fermi - 1e4 * sheet * ELEMENTARY_CHARGE * above;
            assert!((capacitor.flatband_v() - flatband).abs() < 1e-9, "{acceptor} {sheet}");
            let charge = exact_charge(1e6 * acceptor, 2.0 * fermi);
            let threshold = flatband + 2.0 * fermi - charge / capacitor.insulator_capacitance();
            let found = capacitor.threshold_v().unwrap();
            assert!((found - threshold).abs() < 1e-5, "{acceptor} {sheet}: {found} {threshold}");
        }
    }
}

/// Richardson: the error falls by four when every edge is halved.
#[test]
fn second_order_in_the_mesh() {
    let charge = |refinement| ono(0.0, refinement).sweep(&[2.0], false, &|_| {}).points[0].gate_charge;
    let (a, b, c) = (charge(1), charge(2), charge(4));
    let order = ((a - b) / (b - c)).log2();
    assert!(order > 1.9, "{order}");
}

#[test]
fn capacitance_is_the_derivative_of_the_charge() {
    let capacitor = ono(-5e12, 1);
    for gate in [-2.0, 0.5, 1.1, 1.8, 2.4, 3.0] {
        let step = 1e-4;
        let points = capacitor.sweep(&[gate - step, gate, gate + step], false, &|_| {}).points;
        let slope = (points[2].gate_charge - points[0].gate_charge) / (2.0 * step);
        assert!((points[1].capacitance / slope - 1.0).abs() < 1e-6, "{gate}");
    }
}

/// Flat-band capacitance C_FB/C_ox = 1/(1 + C_ox L_D/ε) and the numbers of a 5 nm oxide on 1e17 cm⁻³.
#[test]
fn textbook_numbers_of_a_five_nanometre_oxide() {
    let capacitor = capacitor(1e17, vec![insulator(5.0, OXIDE, Vec::new())], 1);
    let oxide = capacitor.insulator_capacitance();
    assert!((oxide / 0.6906e-2 - 1.0).abs() < 1e-4);
    let flat = capacitor.sweep(&[capacitor.flatband_v()], false, &|_| {}).points[0];
    assert!((flat.capacitance / oxide - 0.537).abs() < 1e-3, "{}", flat.capacitance / oxide);
    assert!(flat.surface_potential_v.abs() < 1e-9);
    let rise = capacitor.threshold_v().unwrap() - capacitor.flatband_v();
    assert!((rise - 1.0742).abs() < 1e-4, "{rise}");
}

/// Holes on n-silicon do what electrons do on p-silicon.
#[test]
fn mirror_symmetry() {
    let p = ono(-5e12, 1);
    let mut mirrored = p.structure.clone();
    mirrored.layers[0].doping = Some(Doping { acceptor_per_m3: 0.0, donor_per_m3: 1e23 });
    for layer in &mut mirrored.layers {
        for sheet in &mut layer.sheets {
            sheet.charge_c_per_m2 *= -1.0;
        }
    }
    let n = MosCapacitor::new(mirrored, 1).unwrap();
    let gates = [-2.0, -0.3, 0.8, 2.5];
    let negative = gates.map(|gate| -gate);
    let (p, n) = (p.sweep(&gates, false, &|_| {}), n.sweep(&negative, false, &|_| {}));
    for (a, b) in p.points.iter().zip(&n.points) {
        assert!((a.surface_potential_v + b.surface_potential_v).abs() < 1e-9);
        assert!((a.gate_charge + b.gate_charge).abs() < 1e-9 * a.gate_charge.abs());
        assert!((a.inversion_charge / b.inversion_charge + 1.0).abs() < 1e-6);
    }
}

/// Without carriers to move, the potential is a straight line to the last digit.
#[test]
fn an_empty_insulator_is_linear() {
    let structure = Structure {
        layers: vec![insulator(3.0, OXIDE, Vec::new()), insulator(7.0, NITRIDE, Vec::new())],
        first: Contact::Gate(0.0),
        ..ono(0.0, 1).structure
    };
    let mesh = Mesh::with_nodes(&structure, (0..=100).map(|i| 1e-10 * f64::from(i)).collect());
    let mut potential = vec![0.0; mesh.len()];
    let ends = boundary(&structure, 0.0, 1.0);
    Poisson::new(&structure, &mesh).solve(&mut potential, ends).unwrap();
    let sum = 3.0 / OXIDE + 7.0 / NITRIDE;
    for (x, level) in mesh.nodes.iter().zip(&potential) {
        let share = (x * 1e9).min(3.0) / OXIDE + (x * 1e9 - 3.0).max(0.0) / NITRIDE;
        assert!((level * thermal_voltage(300.0) - share / sum).abs() < 1e-13, "{x}");
    }
}

/// Degenerate accumulation and inversion layers screen less than Boltzmann's.
#[test]
fn fermi_dirac_layers_bend_more() {
    let mut structure = ono(0.0, 1).structure;
    structure.statistics = Statistics::FermiDirac { conduction_per_m3: 2.86e25, valence_per_m3: 2.66e25 };
    let fermi = MosCapacitor::new(structure, 1).unwrap();
    let gates = [-6.0, 0.0, 6.0];
    let (a, b) = (ono(0.0, 1).sweep(&gates, false, &|_| {}), fermi.sweep(&gates, false, &|_| {}));
    assert!(b.points[0].surface_potential_v < a.points[0].surface_potential_v - 0.01);
    assert!((b.points[1].surface_potential_v - a.points[1].surface_potential_v).abs() < 1e-3);
    assert!(b.points[2].surface_potential_v > a.points[2].surface_potential_v + 0.01);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Any stack, doping and temperature has a solution from a cold start, monotone in the gate.
    #[test]
    fn any_capacitor(
        acceptor in 14.0..19.5f64,
        oxide in 0.5..50.0f64,
        charge in -2e13..2e13f64,
        temperature in 150.0..500.0f64,
        gate in 0.0..20.0f64,
    ) {
        let sheet = Sheet { position: 0.3, charge_c_per_m2: 1e4 * charge * ELEMENTARY_CHARGE };
        let mut structure =
            capacitor(10f64.powf(acceptor), vec![insulator(oxide, OXIDE, vec![sheet])], 1).structure;
        structure.temperature_k = temperature;
        let capacitor = MosCapacitor::new(structure, 1).unwrap();
        let sweep = capacitor.sweep(&[-gate, -0.5 * gate, 0.0, gate], false, &|_| {});
        prop_assert!(sweep.stopped.is_none(), "{:?}", sweep.stopped);
        for pair in sweep.points.windows(2) {
            prop_assert!(pair[1].gate_charge >= pair[0].gate_charge - 1e-12);
            prop_assert!(pair[1].surface_potential_v >= pair[0].surface_potential_v - 1e-9);
        }
        for point in &sweep.points {
            prop_assert!(point.capacitance > 0.0 && point.capacitance < 1.0001 * capacitor.insulator_capacitance());
        }
        prop_assert!(capacitor.threshold_v().is_ok());
    }
}
