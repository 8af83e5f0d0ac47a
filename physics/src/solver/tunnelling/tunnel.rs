//! `tunnel`: current through a stack of insulators.

use crate::constants::{ELECTRON_MASS, ELEMENTARY_CHARGE};
use crate::materials::Materials;
use crate::solver::input::{Document, Step};
use crate::solver::{Request, Solution, Solver, SolverError};
use crate::tunnelling::barrier::{Barrier, Layer, Sheet, Stack};
use crate::tunnelling::tsu_esaki::{self, Electrode, Transmission};
use crate::tunnelling::wkb::{self, FowlerNordheim};
use mho_data::{InputError, Table};
use serde::Deserialize;

/// The solver.
pub(super) const SOLVER: Solver = Solver {
    name: "tunnel",
    title: "tunnelling current through a stack of insulators against bias or field",
    example: include_str!("../../../../data/files/physics/tunnel.toml"),
    solve,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    method: Method,
    #[serde(default)]
    carrier: Carrier,
    #[serde(default)]
    built_in_v: f64,
    left: Lead,
    right: Lead,
    layer: Vec<LayerInput>,
    #[serde(default)]
    sheet: Vec<SheetInput>,
    bias_v: Option<Sweep>,
    field_mv_per_cm: Option<Sweep>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Method {
    Wkb,
    TsuEsaki,
    TransferMatrix,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Default)]
#[serde(rename_all = "kebab-case")]
enum Carrier {
    #[default]
    Electrons,
    Holes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lead {
    fermi_ev: f64,
    mass: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerInput {
    material: Option<String>,
    thickness_nm: f64,
    barrier_ev: Option<f64>,
    mass: Option<f64>,
    permittivity: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SheetInput {
    depth_nm: f64,
    charge_per_cm2: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sweep {
    start: f64,
    stop: f64,
    step: f64,
}

/// What the input asks, checked.
struct Problem {
    stack: Stack,
    left: Electrode,
    right: Electrode,
    /// +1 for electrons, −1 for holes: sign of the energy gained per rise of the potential.
    sign: f64,
    /// Bias in V and field in V/m of the first layer, as the potential sees them.
    points: Vec<(f64, f64)>,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let problem = problem(&document, &input, request.materials)?;
    let thermal = document.within(&["temperature_k".into()], input.temperature_k, 1.0..=2000.0, "K")?;
    let mut currents = Vec::with_capacity(problem.points.len());
    let (mut worst, mut unfinished) = (0.0f64, 0);
    for (index, &(bias, field)) in problem.points.iter().enumerate() {
        let barrier = problem.stack.barrier(problem.sign * field);
        let method = match input.method {
            Method::Wkb => {
                currents.push(problem.sign * closed(&problem, &barrier, bias));
                continue;
            }
            Method::TsuEsaki => Transmission::Wkb,
            Method::TransferMatrix => Transmission::TransferMatrix,
        };
        let (left, right) = (problem.left, problem.right);
        let found = tsu_esaki::current(&barrier, left, right, problem.sign * bias, thermal, method);
        worst = worst.max(found.relative_error);
        unfinished += usize::from(!found.converged);
        // Electrons that flow to the right are a current into the right electrode's terminal; holes that
        // flow to the right are one out of it.
        currents.push(problem.sign * found.density_a_per_m2);
        (request.progress)((index + 1) as f64 / problem.points.len() as f64);
    }
    Ok(solution(&input, &problem, currents, worst, unfinished))
}

/// The law A F² exp(−S) from the electrode that the bias makes emit.
fn closed(problem: &Problem, barrier: &Barrier, bias: f64) -> f64 {
    let shift = problem.sign * bias;
    if shift == 0.0 {
        0.0
    } else if shift > 0.0 {
        wkb::emission(barrier)
    } else {
        // Seen from the right electrode, whose Fermi level becomes the zero of energy.
        let mut back = barrier.reversed();
        for piece in &mut back.pieces {
            piece.left_ev += shift;
            piece.right_ev += shift;
        }
        -wkb::emission(&back)
    }
}

fn problem(document: &Document<'_>, input: &Input, materials: &Materials) -> Result<Problem, InputError> {
    let lead = |name: &str, lead: &Lead| -> Result<Electrode, InputError> {
        Ok(Electrode {
            fermi_ev: document.within(&[name.into(), "fermi_ev".into()], lead.fermi_ev, -2.0..=20.0, "eV")?,
            mass: document.within(
                &[name.into(), "mass".into()],
                lead.mass,
                0.001..=10.0,
                "electron masses",
            )?,
        })
    };
    let (left, right) = (lead("left", &input.left)?, lead("right", &input.right)?);
    let built_in = document.within(&["built_in_v".into()], input.built_in_v, -10.0..=10.0, "V")?;
    if input.layer.is_empty() || input.layer.len() > 100 {
        let found = format!("{} layers", input.layer.len());
        return Err(document.refuse(&["layer".into()], found, "from 1 to 100 layers"));
    }
    let mut layers = Vec::with_capacity(input.layer.len());
    for (index, layer) in input.layer.iter().enumerate() {
        layers.push(read_layer(document, materials, input.carrier, index, layer)?);
    }
    let thickness_nm: f64 = input.layer.iter().map(|layer| layer.thickness_nm).sum();
    let mut sheets = Vec::with_capacity(input.sheet.len());
    let sign = if input.carrier == Carrier::Electrons { 1.0 } else { -1.0 };
    for (index, sheet) in input.sheet.iter().enumerate() {
        let at = |key| [Step::from("sheet"), index.into(), Step::from(key)];
        let depth = document.within(&at("depth_nm"), sheet.depth_nm, 0.0..=thickness_nm, "nm")?;
        let charge = document.within(&at("charge_per_cm2"), sheet.charge_per_cm2, -1e15..=1e15, "1/cm2")?;
        // The energy of holes is that of electrons mirrored, and so are the charges that bend it.
        sheets
            .push(Sheet { depth_m: depth * 1e-9, charge_c_per_m2: sign * charge * 1e4 * ELEMENTARY_CHARGE });
    }
    let stack = Stack::new(&layers, &sheets);
    // The drop of the potential over the stack is the bias plus what is built in.
    let points = match (&input.bias_v, &input.field_mv_per_cm) {
        (Some(sweep), None) => swept(document, "bias_v", sweep, 100.0, "V")?
            .into_iter()
            .map(|bias| (bias, sign * stack.field_v_per_m(sign * (bias + built_in))))
            .collect(),
        (None, Some(sweep)) => swept(document, "field_mv_per_cm", sweep, 100.0, "MV/cm")?
            .into_iter()
            .map(|field| (sign * stack.drop_v(sign * field * 1e8) - built_in, field * 1e8))
            .collect(),
        (None, None) => {
            return Err(InputError::new(document.file, "no sweep", "a table [bias_v] or [field_mv_per_cm]"));
        }
        (Some(_), Some(_)) => {
            return Err(document.refuse(
                &["field_mv_per_cm".into()],
                "a second sweep beside bias_v",
                "one of the two",
            ));
        }
    };
    Ok(Problem { stack, left, right, sign, points })
}

fn swept(
    document: &Document<'_>,
    name: &str,
    sweep: &Sweep,
    limit: f64,
    unit: &str,
) -> Result<Vec<f64>, InputError> {
    let at = |key| [Step::from(name), Step::from(key)];
    let start = document.within(&at("start"), sweep.start, -limit..=limit, unit)?;
    let stop = document.within(&at("stop"), sweep.stop, -limit..=limit, unit)?;
    document.sweep(&[name.into()], start, stop, sweep.step)
}

fn read_layer(
    document: &Document<'_>,
    materials: &Materials,
    carrier: Carrier,
    index: usize,
    layer: &LayerInput,
) -> Result<Layer, InputError> {
    let at = |key| [Step::from("layer"), index.into(), Step::from(key)];
    // A value of the input, or the material's in units of `unit` (SI).
    let value = |key: &'static str, given: Option<f64>, property: &str, unit: f64| {
        if let Some(given) = given {
            return Ok(given);
        }
        let found = layer.material.as_ref().and_then(|material| materials.si(material, property));
        found.map(|found| found / unit).ok_or_else(|| {
            let (known, step) = (materials.with_property(property).join(", "), Step::from("material"));
            let path = [Step::from("layer"), index.into(), step];
            let found = layer.material.as_deref().unwrap_or("none");
            document.refuse(&path, found, format!("{key}, or a material with {property}: {known}"))
        })
    };
    let (barrier, mass) = match carrier {
        Carrier::Electrons => ("electron_barrier_si", "electron_tunnelling_mass"),
        Carrier::Holes => ("hole_barrier_si", "hole_tunnelling_mass"),
    };
    let barrier = value("barrier_ev", layer.barrier_ev, barrier, ELEMENTARY_CHARGE)?;
    let mass = value("mass", layer.mass, mass, ELECTRON_MASS)?;
    let permittivity = value("permittivity", layer.permittivity, "relative_permittivity", 1.0)?;
    Ok(Layer {
        thickness_m: 1e-9 * document.within(&at("thickness_nm"), layer.thickness_nm, 0.05..=1000.0, "nm")?,
        barrier_ev: document.within(&at("barrier_ev"), barrier, -5.0..=20.0, "eV")?,
        mass: document.within(&at("mass"), mass, 0.001..=10.0, "electron masses")?,
        permittivity: document.within(&at("permittivity"), permittivity, 1.0..=1000.0, "")?,
    })
}

fn solution(input: &Input, problem: &Problem, currents: Vec<f64>, worst: f64, unfinished: usize) -> Solution {
    let fitted = fitted_slope(problem, &currents);
    let (biases, fields): (Vec<f64>, Vec<f64>) = problem.points.iter().copied().unzip();
    let table = Table::new()
        .with_float("bias_v", biases)
        .with_float("field_v_per_m", fields)
        .with_float("current_a_per_m2", currents);
    let mut solution = Solution::new(table);
    if let Some(first) = problem.stack.layers().first().filter(|layer| layer.barrier_ev > 0.0) {
        let law = FowlerNordheim::new(first.barrier_ev, first.mass);
        solution = solution
            .with("fowler_nordheim_prefactor_a_per_v2", law.prefactor_a_per_v2)
            .with("fowler_nordheim_slope_v_per_m", law.slope_v_per_m);
    }
    if let Some(slope) = fitted {
        solution = solution.with("fitted_slope_v_per_m", slope);
    }
    if input.method == Method::Wkb {
        solution
            .notes
            .push("wkb: zero temperature, the pre-factor of Fowler and Nordheim at every field".into());
    } else {
        solution = solution.with("integration_error_relative", worst);
        solution.notes.push(
            "one parabolic band in each electrode, the lighter of the two masses; no lowering by images"
                .into(),
        );
    }
    if unfinished > 0 {
        solution.notes.push(format!(
            "points at which the integral over energy missed its tolerance: {unfinished} (largest relative \
             error {worst:.1e})"
        ));
    }
    solution
}

/// −slope of ln(J/F²) against 1/F by least squares over the points whose carriers leave within the first
/// layer; none with fewer than three.
fn fitted_slope(problem: &Problem, currents: &[f64]) -> Option<f64> {
    let first = problem.stack.layers().first()?;
    let points: Vec<(f64, f64)> = problem
        .points
        .iter()
        .zip(currents)
        .map(|((_, field), current)| (problem.sign * field, problem.sign * current))
        .filter(|(field, current)| field * first.thickness_m >= first.barrier_ev && *current > 0.0)
        .map(|(field, current)| (1.0 / field, (current / (field * field)).ln()))
        .collect();
    if points.len() < 3 {
        return None;
    }
    let count = points.len() as f64;
    let (x, y) =
        (points.iter().map(|p| p.0).sum::<f64>() / count, points.iter().map(|p| p.1).sum::<f64>() / count);
    let (along, spread) = points.iter().fold((0.0, 0.0), |(along, spread), point| {
        (along + (point.0 - x) * (point.1 - y), spread + (point.0 - x) * (point.0 - x))
    });
    (spread > 0.0).then(|| -along / spread)
}

#[cfg(test)]
mod tests;
