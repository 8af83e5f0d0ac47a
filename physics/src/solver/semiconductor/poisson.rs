//! `poisson`: electrostatics of any stack in equilibrium.

use super::read::{self, Bias, LayerInput, MeshInput, Workfunction};
use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::mesh::Mesh;
use crate::semiconductor::poisson::{Poisson, boundary};
use crate::semiconductor::structure::{Contact, Structure};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError, Stopped};
use mho_data::{InputError, Table};
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "poisson",
    title: "electrostatics of any stack of semiconductors and insulators in equilibrium",
    example: include_str!("../../../../data/files/physics/poisson.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    intrinsic_density_per_cm3: Option<f64>,
    statistics: Option<String>,
    first: ContactInput,
    layer: Vec<LayerInput>,
    last: ContactInput,
    bias: Bias,
    #[serde(default)]
    mesh: MeshInput,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactInput {
    contact: String,
    workfunction: Option<Workfunction>,
    #[serde(default)]
    bias_v: f64,
}

impl ContactInput {
    fn read(
        &self,
        document: &Document<'_>,
        name: &str,
        doped: bool,
        temperature_k: f64,
        notes: &mut Vec<String>,
    ) -> Result<Contact, InputError> {
        match (self.contact.as_str(), &self.workfunction) {
            ("ohmic", None) if doped => Ok(Contact::Ohmic),
            ("ohmic", None) => {
                let found = "an ohmic contact on an insulator";
                Err(document.refuse(
                    &[name.into(), "contact".into()],
                    found,
                    "\"gate\", or a doped layer there",
                ))
            }
            ("gate", Some(workfunction)) => {
                let path = [name.into(), "workfunction".into()];
                Ok(Contact::Gate(workfunction.offset_v(document, &path, temperature_k, notes)?))
            }
            (other, _) => {
                let expected = "\"ohmic\" without workfunction, or \"gate\" with one";
                Err(document.refuse(&[name.into(), "contact".into()], format!("\"{other}\""), expected))
            }
        }
    }
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let mut notes = Vec::new();
    let temperature_k = read::temperature(&document, input.temperature_k)?;
    let intrinsic_per_m3 = read::intrinsic(
        &document,
        &["intrinsic_density_per_cm3".into()],
        input.intrinsic_density_per_cm3,
        temperature_k,
        &mut notes,
    )?;
    let mut layers = Vec::new();
    for (index, layer) in input.layer.iter().enumerate() {
        layers.push(layer.layer(&document, index, request.materials)?);
    }
    let (Some(lowest), Some(highest)) = (layers.first(), layers.last()) else {
        return Err(document.refuse(&["layer".into()], "no layer", "at least one [[layer]]").into());
    };
    let first = input.first.read(&document, "first", lowest.doping.is_some(), temperature_k, &mut notes)?;
    let last = input.last.read(&document, "last", highest.doping.is_some(), temperature_k, &mut notes)?;
    for (name, contact, bias) in [("first", first, input.first.bias_v), ("last", last, input.last.bias_v)] {
        let path = [name.into(), "bias_v".into()];
        document.within(&path, bias, -200.0..=200.0, "V")?;
        if (contact == Contact::Ohmic || name == "last") && bias != 0.0 {
            let expected = "0: equilibrium has one Fermi level, and the last contact follows [bias]";
            return Err(document.refuse(&path, format!("{bias:?}"), expected).into());
        }
    }
    let biases = input.bias.points(&document)?;
    if last == Contact::Ohmic && biases != [0.0] {
        let found = "a sweep of an ohmic contact";
        let expected = "start_v = stop_v = 0; currents are what `drift-diffusion` computes";
        return Err(document.refuse(&["bias".into()], found, expected).into());
    }
    let statistics =
        read::statistics(&document, &["statistics".into()], input.statistics.as_deref(), temperature_k)?;
    let structure = Structure { layers, first, last, temperature_k, intrinsic_per_m3, statistics };
    let total: f64 = structure.layers.iter().map(|layer| layer.thickness_m).sum();
    let mesh = match input.mesh.nodes(&document, total)? {
        Some(nodes) => Mesh::with_nodes(&structure, nodes),
        None => Mesh::new(&structure, input.mesh.refinement(&document)?),
    };
    Ok(sweep(request, &structure, &mesh, input.first.bias_v, &biases, notes))
}

fn sweep(
    request: &Request<'_>,
    structure: &Structure,
    mesh: &Mesh,
    first_v: f64,
    biases: &[f64],
    notes: Vec<String>,
) -> Solution {
    let thermal = structure.thermal_voltage_v();
    let mut poisson = Poisson::new(structure, mesh);
    let mut potential = vec![0.0; mesh.len()];
    let mut columns: [Vec<f64>; 5] = Default::default();
    let mut profile: [Vec<f64>; 6] = Default::default();
    let mut stopped = None;
    for (index, &bias) in biases.iter().enumerate() {
        if let Err(error) = poisson.solve(&mut potential, boundary(structure, first_v, bias)) {
            stopped = Some(Stopped { at: format!("bias {bias} V"), residuals: error.residuals });
            break;
        }
        let (electrons, holes) = poisson.carrier_charges(&potential);
        let dopants: f64 = mesh.donors.iter().sum::<f64>() * ELEMENTARY_CHARGE;
        let last = poisson.last_charge(&potential);
        let fixed: f64 = mesh.charges.iter().sum();
        // What the last contact, carriers, dopants and fixed charges leave over sits on the first.
        let first = -(last + electrons + holes + dopants + fixed);
        for (column, value) in columns.iter_mut().zip([bias, first, last, electrons, holes]) {
            column.push(value);
        }
        if request.profiles {
            for (i, level) in potential.iter().enumerate() {
                let (n, _, p, _) = structure.densities(*level, -level);
                let carriers = if mesh.boxes[i] > 0.0 { 1e-6 * structure.intrinsic_per_m3 } else { 0.0 };
                let edge = i.min(mesh.lengths.len() - 1);
                let field = -(potential[edge + 1] - potential[edge]) * thermal / mesh.lengths[edge];
                let row =
                    [bias, 1e9 * mesh.nodes[i], level * thermal, 1e-2 * field, carriers * n, carriers * p];
                profile.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            }
        }
        (request.progress)((index + 1) as f64 / biases.len() as f64);
    }
    let names = [
        "bias_v",
        "first_charge_c_per_cm2",
        "last_charge_c_per_cm2",
        "electron_charge_c_per_cm2",
        "hole_charge_c_per_cm2",
    ];
    let table =
        names.into_iter().zip(columns).enumerate().fold(Table::new(), |table, (k, (name, column))| {
            let scale = if k == 0 { 1.0 } else { 1e-4 };
            table.with_float(name, column.into_iter().map(|value| scale * value).collect())
        });
    let mut solution = Solution::new(table).with("nodes", mesh.len() as f64);
    solution.profiles = request.profiles.then(|| {
        let names =
            ["bias_v", "position_nm", "potential_v", "field_v_per_cm", "electron_per_cm3", "hole_per_cm3"];
        names
            .into_iter()
            .zip(profile)
            .fold(Table::new(), |table, (name, column)| table.with_float(name, column))
    });
    solution.notes = notes;
    solution.stopped = stopped;
    solution
}
