//! `drift-diffusion`: regions of silicon between two contacts.

use super::read::{self, Bias, LifetimeInput, MeshInput, MobilityInput};
use crate::semiconductor::mesh::Mesh;
use crate::semiconductor::structure::{Contact, Layer, Structure};
use crate::semiconductor::transport::small_signal::{Port, admittance};
use crate::semiconductor::transport::steady::Steady;
use crate::semiconductor::transport::transient::{self, respond};
use crate::semiconductor::transport::{Device, State};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError, Stopped};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "drift-diffusion",
    title: "diodes and other stacks of doped regions: current, admittance, transients, profiles",
    example: include_str!("../../../../data/files/physics/drift-diffusion.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    intrinsic_density_per_cm3: Option<f64>,
    statistics: Option<String>,
    region: Vec<RegionInput>,
    mobility: MobilityInput,
    lifetime: LifetimeInput,
    bias: Option<Bias>,
    transient: Option<TransientInput>,
    #[serde(default)]
    mesh: MeshInput,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionInput {
    length_um: f64,
    #[serde(default)]
    acceptor_per_cm3: f64,
    #[serde(default)]
    donor_per_cm3: f64,
    relative_permittivity: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransientInput {
    time_s: Vec<f64>,
    voltage_v: Vec<f64>,
    tolerance: Option<f64>,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let mut notes = Vec::new();
    let device = device(&document, &input, request, &mut notes)?;
    let mut solution = match (&input.bias, &input.transient) {
        (Some(bias), None) => steady(request, &device, &bias.points(&document)?)?,
        (None, Some(waveform)) => transient(&document, request, &device, waveform)?,
        (Some(_), Some(_)) => {
            let found = "[bias] and [transient] together";
            return Err(document.refuse(&["transient".into()], found, "one of the two").into());
        }
        (None, None) => {
            return Err(document.refuse(&[], "neither [bias] nor [transient]", "one of the two").into());
        }
    };
    solution.notes = notes;
    Ok(solution.with("nodes", device.mesh.len() as f64))
}

fn device(
    document: &Document<'_>,
    input: &Input,
    request: &Request<'_>,
    notes: &mut Vec<String>,
) -> Result<Device, SolverError> {
    let temperature_k = read::temperature(document, input.temperature_k)?;
    let intrinsic_per_m3 = read::intrinsic(
        document,
        &["intrinsic_density_per_cm3".into()],
        input.intrinsic_density_per_cm3,
        temperature_k,
        notes,
    )?;
    let mut layers = Vec::new();
    for (index, region) in input.region.iter().enumerate() {
        let path = |key: &'static str| ["region".into(), index.into(), key.into()];
        let length = document.within(&path("length_um"), region.length_um, 1e-3..=1e5, "um")?;
        let doping = read::doping(
            document,
            &["region".into(), index.into()],
            region.acceptor_per_cm3,
            region.donor_per_cm3,
        )?;
        let permittivity = match region.relative_permittivity {
            Some(value) => document.within(&path("relative_permittivity"), value, 1.0..=1e5, "")?,
            None => read::permittivity(document, &path("length_um"), "Si", request.materials)?,
        };
        layers.push(Layer {
            thickness_m: 1e-6 * length,
            permittivity,
            doping: Some(doping),
            charge_c_per_m3: 0.0,
            sheets: Vec::new(),
        });
    }
    if layers.is_empty() {
        return Err(document.refuse(&["region".into()], "no region", "at least one [[region]]").into());
    }
    let statistics =
        read::statistics(document, &["statistics".into()], input.statistics.as_deref(), temperature_k)?;
    let structure = Structure {
        layers,
        first: Contact::Ohmic,
        last: Contact::Ohmic,
        temperature_k,
        intrinsic_per_m3,
        statistics,
    };
    let total: f64 = structure.layers.iter().map(|layer| layer.thickness_m).sum();
    let mesh = match input.mesh.nodes(document, total)? {
        Some(nodes) => Mesh::with_nodes(&structure, nodes),
        None => Mesh::new(&structure, input.mesh.refinement(document)?),
    };
    let mobility = input.mobility.read(document)?;
    let recombination = input.lifetime.read(document, structure.thermal_voltage_v())?;
    Ok(Device::new(structure, mesh, mobility, recombination))
}

fn steady(request: &Request<'_>, device: &Device, biases: &[f64]) -> Result<Solution, SolverError> {
    let sweep = Steady::new(device).sweep(biases, request.progress);
    let column = |of: fn(&crate::semiconductor::transport::steady::Point) -> f64| {
        sweep.points.iter().map(of).collect::<Vec<f64>>()
    };
    let mut table = Table::new()
        .with_float("bias_v", column(|point| point.bias_v))
        .with_float("current_a_per_cm2", column(|point| 1e-4 * point.current_first));
    if let Some(frequency) = request.frequency_hz {
        let (mut real, mut imaginary) = (Vec::new(), Vec::new());
        for (state, point) in sweep.states.iter().zip(&sweep.points) {
            let found = admittance(device, state, Port::First, frequency).ok_or_else(|| {
                SolverError::Failed(format!("no small-signal response at bias {} V", point.bias_v))
            })?;
            real.push(1e-4 * found.re);
            imaginary.push(1e-4 * found.im / (2.0 * std::f64::consts::PI * frequency));
        }
        table.push_float("capacitance_f_per_cm2", imaginary);
        table.push_float("conductance_s_per_cm2", real);
    }
    let mut solution = Solution::new(table);
    // How well the current is conserved from one contact to the other.
    let unequal = sweep
        .points
        .iter()
        .filter(|point| point.current_first != 0.0)
        .map(|point| (point.current_last / point.current_first - 1.0).abs())
        .fold(0.0, f64::max);
    solution = solution.with("largest_relative_difference_of_contact_currents", unequal);
    solution.profiles = request.profiles.then(|| {
        let named: Vec<(f64, &State)> =
            sweep.points.iter().map(|point| point.bias_v).zip(&sweep.states).collect();
        profiles(device, &named)
    });
    let thermal = device.structure.thermal_voltage_v();
    solution.stopped = sweep.stopped.map(|(bias, error)| Stopped {
        at: format!("bias {bias} V"),
        residuals: error.residuals.iter().map(|residual| residual * thermal).collect(),
    });
    Ok(solution)
}

fn transient(
    document: &Document<'_>,
    request: &Request<'_>,
    device: &Device,
    input: &TransientInput,
) -> Result<Solution, SolverError> {
    let path = ["transient".into(), "time_s".into()];
    let (times, volts) = (&input.time_s, &input.voltage_v);
    let ascending = times.windows(2).all(|pair| pair[0] <= pair[1]) && times.first() == Some(&0.0);
    if times.len() != volts.len() || times.len() < 2 || !ascending {
        let found = format!("{} times for {} voltages", times.len(), volts.len());
        let expected = "as many times as voltages, two at least, ascending from 0";
        return Err(document.refuse(&path, found, expected).into());
    }
    for time in times {
        document.within(&path, *time, 0.0..=1e9, "s")?;
    }
    for voltage in volts {
        document.within(&["transient".into(), "voltage_v".into()], *voltage, -200.0..=200.0, "V")?;
    }
    let tolerance = match input.tolerance {
        Some(value) => document.within(&["transient".into(), "tolerance".into()], value, 1e-5..=1.0, "")?,
        None => transient::Options::default().tolerance,
    };
    let mut start = Steady::new(device).sweep(&volts[..1], &|_| {});
    let Some(state) = start.states.pop() else {
        return Err(SolverError::Failed(format!("no steady state at {} V to start from", volts[0])));
    };
    let waveform: Vec<(f64, f64)> = times.iter().copied().zip(volts.iter().copied()).collect();
    let options = transient::Options { tolerance, ..transient::Options::default() };
    let response = respond(device, state, &waveform, options);
    let column = |of: fn(&transient::Point) -> f64| response.points.iter().map(of).collect::<Vec<f64>>();
    let table = Table::new()
        .with_float("time_s", column(|point| point.time_s))
        .with_float("bias_v", column(|point| point.bias_v))
        .with_float("current_a_per_cm2", column(|point| 1e-4 * point.current_first));
    let mut solution = Solution::new(table);
    solution.profiles =
        request.profiles.then(|| profiles(device, &[(response.state.contacts_v[0], &response.state)]));
    solution.stopped = response
        .stopped
        .map(|(time, error)| Stopped { at: format!("time {time} s"), residuals: error.residuals });
    Ok(solution)
}

fn profiles(device: &Device, states: &[(f64, &State)]) -> Table {
    let thermal = device.structure.thermal_voltage_v();
    let mut columns: [Vec<f64>; 7] = Default::default();
    for (bias, state) in states {
        let densities = device.densities(state);
        for (i, node) in state.nodes.iter().enumerate() {
            let [rn, rp] = device.references(i, state);
            let row = [
                *bias,
                1e6 * device.mesh.nodes[i],
                node[0] * thermal,
                1e-6 * densities[i][0],
                1e-6 * densities[i][1],
                (node[1] + rn) * thermal,
                (node[2] + rp) * thermal,
            ];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    let names = [
        "bias_v",
        "position_um",
        "potential_v",
        "electron_per_cm3",
        "hole_per_cm3",
        "electron_quasi_fermi_v",
        "hole_quasi_fermi_v",
    ];
    names.into_iter().zip(columns).fold(Table::new(), |table, (name, column)| table.with_float(name, column))
}
