//! `moscap`: a gate stack on silicon.

use super::read::{self, Bias, LayerInput, LifetimeInput, MeshInput, MobilityInput, Workfunction};
use crate::semiconductor::mesh::Mesh;
use crate::semiconductor::mobility::{CaugheyThomas, LowField, Mobility};
use crate::semiconductor::moscap::{MosCapacitor, Sweep};
use crate::semiconductor::recombination::Recombination;
use crate::semiconductor::structure::{Contact, Layer, Structure};
use crate::semiconductor::transport::small_signal::{Port, admittance};
use crate::semiconductor::transport::{Device, State};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError, Stopped};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "moscap",
    title: "gate stack on silicon: surface potential, charges, capacitance, flat band, threshold",
    example: include_str!("../../../../data/files/physics/moscap.toml"),
    solve,
};

/// Lifetime in s that a capacitance at a frequency takes when the input gives none (assumed).
const LIFETIME_S: f64 = 1e-6;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    semiconductor: SemiconductorInput,
    gate: GateInput,
    layer: Vec<LayerInput>,
    bias: Bias,
    mobility: Option<MobilityInput>,
    lifetime: Option<LifetimeInput>,
    #[serde(default)]
    mesh: MeshInput,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SemiconductorInput {
    acceptor_per_cm3: Option<f64>,
    donor_per_cm3: Option<f64>,
    thickness_um: f64,
    intrinsic_density_per_cm3: Option<f64>,
    material: Option<String>,
    relative_permittivity: Option<f64>,
    statistics: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GateInput {
    workfunction: Workfunction,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let mut notes = Vec::new();
    let structure = structure(&document, &input, request, &mut notes)?;
    let gates = input.bias.points(&document)?;
    let silicon_m = structure.layers[0].thickness_m;
    let mesh = match input.mesh.nodes(&document, silicon_m)? {
        // Depths below the surface become distances from the back contact.
        Some(depths) => {
            let nodes = depths.iter().rev().map(|depth| silicon_m - depth).collect();
            Mesh::with_nodes(&structure, nodes)
        }
        None => Mesh::new(&structure, input.mesh.refinement(&document)?),
    };
    let thermal = structure.thermal_voltage_v();
    let mobility = match &input.mobility {
        Some(mobility) => mobility.read(&document)?,
        None => [CaugheyThomas::ELECTRONS, CaugheyThomas::HOLES]
            .map(|law| Mobility { low_field: LowField::Doping(law), saturation: None }),
    };
    let recombination = match &input.lifetime {
        Some(lifetime) => lifetime.read(&document, thermal)?,
        None => Recombination::midgap(LIFETIME_S, LIFETIME_S),
    };
    let capacitor = MosCapacitor::with_mesh(structure.clone(), mesh.clone())
        .map_err(|error| SolverError::Failed(error.to_string()))?;
    let sweep = capacitor.sweep(&gates, request.profiles || request.frequency_hz.is_some(), request.progress);
    let threshold = capacitor.threshold_v().map_err(|error| {
        SolverError::Failed(format!("no threshold: {} iterations without convergence", error.residuals.len()))
    })?;
    let mut capacitance: Vec<f64> = sweep.points.iter().map(|point| 1e-4 * point.capacitance).collect();
    let mut conductance = None;
    if let Some(frequency) = request.frequency_hz {
        if input.lifetime.is_none() {
            notes.push(format!("no [lifetime] given: {LIFETIME_S} s assumed for both carriers"));
        }
        if input.mobility.is_none() {
            notes.push("no [mobility] given: Caughey-Thomas".to_owned());
        }
        let device = Device::new(structure.clone(), mesh, mobility, recombination);
        let mut real = Vec::new();
        for (index, point) in sweep.points.iter().enumerate() {
            let state = at_rest(&device, &sweep, index, point.gate_v);
            let found = admittance(&device, &state, Port::Last, frequency).ok_or_else(|| {
                SolverError::Failed(format!("no small-signal response at gate {} V", point.gate_v))
            })?;
            capacitance[index] = 1e-4 * found.im / (2.0 * std::f64::consts::PI * frequency);
            real.push(1e-4 * found.re);
        }
        conductance = Some(real);
    }
    let column = |of: fn(&crate::semiconductor::moscap::Point) -> f64| sweep.points.iter().map(of).collect();
    let mut table = Table::new()
        .with_float("gate_v", column(|point| point.gate_v))
        .with_float("surface_potential_v", column(|point| point.surface_potential_v))
        .with_float("gate_charge_c_per_cm2", column(|point| 1e-4 * point.gate_charge))
        .with_float("inversion_charge_c_per_cm2", column(|point| 1e-4 * point.inversion_charge))
        .with_float("capacitance_f_per_cm2", capacitance);
    if let Some(conductance) = conductance {
        table.push_float("conductance_s_per_cm2", conductance);
    }
    let profiles = request.profiles.then(|| profiles(&capacitor, &sweep));
    let mut solution = Solution::new(table)
        .with("flatband_v", capacitor.flatband_v())
        .with("threshold_v", threshold)
        .with("fermi_potential_v", capacitor.fermi_potential_v())
        .with("insulator_capacitance_f_per_cm2", 1e-4 * capacitor.insulator_capacitance())
        .with("nodes", capacitor.mesh().len() as f64);
    solution.profiles = profiles;
    solution.notes = notes;
    solution.stopped = sweep
        .stopped
        .map(|(gate, error)| Stopped { at: format!("gate {gate} V"), residuals: error.residuals });
    Ok(solution)
}

fn structure(
    document: &Document<'_>,
    input: &Input,
    request: &Request<'_>,
    notes: &mut Vec<String>,
) -> Result<Structure, SolverError> {
    let temperature_k = read::temperature(document, input.temperature_k)?;
    let own = &input.semiconductor;
    let path = |key: &'static str| ["semiconductor".into(), key.into()];
    let intrinsic_per_m3 = read::intrinsic(
        document,
        &path("intrinsic_density_per_cm3"),
        own.intrinsic_density_per_cm3,
        temperature_k,
        notes,
    )?;
    let (acceptor, donor) = (own.acceptor_per_cm3.unwrap_or(0.0), own.donor_per_cm3.unwrap_or(0.0));
    let doping = read::doping(document, &["semiconductor".into()], acceptor, donor)?;
    if doping.net_per_m3().abs() <= intrinsic_per_m3 {
        let found = format!("{:e} per cm3", 1e-6 * doping.net_per_m3());
        let expected = "a net doping above the intrinsic density: acceptor_per_cm3 or donor_per_cm3";
        return Err(document.refuse(&["semiconductor".into()], found, expected).into());
    }
    let permittivity = match own.relative_permittivity {
        Some(value) => document.within(&path("relative_permittivity"), value, 1.0..=1e5, "")?,
        None => {
            let name = own.material.as_deref().unwrap_or("Si");
            read::permittivity(document, &path("material"), name, request.materials)?
        }
    };
    let silicon = Layer {
        thickness_m: 1e-6 * document.within(&path("thickness_um"), own.thickness_um, 1e-3..=1e4, "um")?,
        permittivity,
        doping: Some(doping),
        charge_c_per_m3: 0.0,
        sheets: Vec::new(),
    };
    let mut layers = vec![silicon];
    for (index, layer) in input.layer.iter().enumerate() {
        if layer.is_doped() {
            let place = ["layer".into(), index.into()];
            return Err(document.refuse(&place, "a doped layer", "insulators above the silicon").into());
        }
        layers.push(layer.layer(document, index, request.materials)?);
    }
    if layers.len() < 2 {
        return Err(document.refuse(&["layer".into()], "no layer", "at least one insulator").into());
    }
    let offset = input.gate.workfunction.offset_v(
        document,
        &["gate".into(), "workfunction".into()],
        temperature_k,
        notes,
    )?;
    let statistics =
        read::statistics(document, &path("statistics"), own.statistics.as_deref(), temperature_k)?;
    Ok(Structure {
        layers,
        first: Contact::Ohmic,
        last: Contact::Gate(offset),
        temperature_k,
        intrinsic_per_m3,
        statistics,
    })
}

/// The equilibrium that the sweep found, as a state of the device with transport.
fn at_rest(device: &Device, sweep: &Sweep, index: usize, gate_v: f64) -> State {
    let thermal = device.structure.thermal_voltage_v();
    let nodes = sweep.profiles[index].iter().map(|volts| [volts / thermal, 0.0, 0.0].into()).collect();
    device.state([0.0, gate_v], nodes)
}

fn profiles(capacitor: &MosCapacitor, sweep: &Sweep) -> Table {
    let (mesh, structure) = (capacitor.mesh(), capacitor.structure());
    let surface = mesh.nodes[mesh.borders[1]];
    let thermal = structure.thermal_voltage_v();
    let mut columns: [Vec<f64>; 5] = Default::default();
    for (point, potential) in sweep.points.iter().zip(&sweep.profiles) {
        // From the gate down, zero at the silicon surface, positive into the silicon.
        for (i, volts) in potential.iter().enumerate().rev() {
            let (n, _, p, _) = structure.densities(volts / thermal, -volts / thermal);
            let carriers = if mesh.boxes[i] > 0.0 { 1e-6 * structure.intrinsic_per_m3 } else { 0.0 };
            let row = [point.gate_v, 1e9 * (surface - mesh.nodes[i]), *volts, carriers * n, carriers * p];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    let names = ["gate_v", "depth_nm", "potential_v", "electron_per_cm3", "hole_per_cm3"];
    names.into_iter().zip(columns).fold(Table::new(), |table, (name, column)| table.with_float(name, column))
}
