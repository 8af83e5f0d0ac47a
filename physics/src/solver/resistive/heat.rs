//! `heat`: temperatures of a stack of layers.

use super::super::input::{Document, Step};
use super::super::{Datum, Request, Solution, Solver, SolverError, Stopped};
use crate::resistive::heat::{Conductivity, Element, End, Link, Moment, Slab, Warming};
use crate::resistive::implicit::{Accuracy, Stalled};
use mho_data::{InputError, Table};
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "heat",
    title: "temperature in a stack of layers, steady or over time",
    example: include_str!("../../../../data/files/physics/heat.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default = "room")]
    initial_temperature_k: f64,
    layer: Vec<LayerInput>,
    left: EndInput,
    right: EndInput,
    #[serde(default)]
    segment: Vec<SegmentInput>,
    #[serde(default = "accuracy")]
    relative_tolerance: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerInput {
    #[serde(default)]
    name: String,
    thickness_um: f64,
    #[serde(default = "cells")]
    cells: usize,
    conductivity_w_mk: f64,
    #[serde(default)]
    exponent: f64,
    #[serde(default = "room")]
    reference_temperature_k: f64,
    capacity_j_m3k: f64,
    #[serde(default)]
    power_w_m3: f64,
    #[serde(default)]
    joint_m2k_w: f64,
    #[serde(default)]
    loss_w_m3k: f64,
    #[serde(default = "room")]
    ambient_k: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
enum EndInput {
    Fixed { temperature_k: f64 },
    Insulated {},
    Convective { coefficient_w_m2k: f64, temperature_k: f64 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentInput {
    duration_s: f64,
    #[serde(default = "one")]
    power: f64,
    #[serde(default = "points")]
    points: usize,
}

fn room() -> f64 {
    300.0
}

fn accuracy() -> f64 {
    1e-6
}

fn cells() -> usize {
    50
}

fn one() -> f64 {
    1.0
}

fn points() -> usize {
    20
}

/// Coldest and hottest temperature in K that an input may name: the law of conductivity is meant for solids.
const TEMPERATURES: std::ops::RangeInclusive<f64> = 1.0..=1e4;
/// Most cells of all layers, and most points of all segments.
const MOST: usize = 20_000;

fn read(document: &Document<'_>) -> Result<(Input, Slab), InputError> {
    let input: Input = document.parse()?;
    let kelvin = |path: &[Step<'_>], value: f64| document.within(path, value, TEMPERATURES, "K");
    kelvin(&["initial_temperature_k".into()], input.initial_temperature_k)?;
    document.within(&["relative_tolerance".into()], input.relative_tolerance, 1e-10..=1e-2, "")?;
    if input.layer.is_empty() {
        return Err(document.refuse(&["layer".into()], "no layer", "at least one [[layer]]"));
    }
    let mut links = Vec::new();
    for (index, layer) in input.layer.iter().enumerate() {
        let check = |key: &str, value: f64, range, unit: &str| {
            document.within(&["layer".into(), index.into(), key.into()], value, range, unit)
        };
        let thickness = check("thickness_um", layer.thickness_um, 1e-5..=1e7, "um")? * 1e-6;
        check("cells", layer.cells as f64, 1.0..=MOST as f64, "")?;
        check("exponent", layer.exponent, -5.0..=5.0, "")?;
        kelvin(
            &["layer".into(), index.into(), "reference_temperature_k".into()],
            layer.reference_temperature_k,
        )?;
        kelvin(&["layer".into(), index.into(), "ambient_k".into()], layer.ambient_k)?;
        let element = Element {
            length_m: thickness / layer.cells as f64,
            conductivity: Conductivity {
                value_w_mk: check("conductivity_w_mk", layer.conductivity_w_mk, 1e-4..=1e5, "W/(m K)")?,
                exponent: layer.exponent,
                reference_k: layer.reference_temperature_k,
            },
            capacity_j_m3k: check("capacity_j_m3k", layer.capacity_j_m3k, 1.0..=1e9, "J/(m³ K)")?,
            source_w_m3: check("power_w_m3", layer.power_w_m3, -1e22..=1e22, "W/m³")?,
            loss_w_m3k: check("loss_w_m3k", layer.loss_w_m3k, 0.0..=1e22, "W/(m³ K)")?,
            ambient_k: layer.ambient_k,
        };
        links.extend(std::iter::repeat_n(Link::Bulk(element), layer.cells));
        let joint = check("joint_m2k_w", layer.joint_m2k_w, 0.0..=1.0, "m² K/W")?;
        if joint > 0.0 {
            if index + 1 == input.layer.len() {
                return Err(document.refuse(
                    &["layer".into(), index.into(), "joint_m2k_w".into()],
                    format!("{joint:?}"),
                    "no joint after the last layer (a convective end is a film)",
                ));
            }
            links.push(Link::Joint { resistance_m2k_w: joint });
        }
    }
    if links.len() > 2 * MOST {
        return Err(document.refuse(
            &["layer".into()],
            format!("{} cells", links.len()),
            format!("at most {MOST} in all"),
        ));
    }
    let end = |key: &str, end: &EndInput| -> Result<End, InputError> {
        Ok(match *end {
            EndInput::Fixed { temperature_k } => {
                End::Fixed(kelvin(&[key.into(), "temperature_k".into()], temperature_k)?)
            }
            EndInput::Insulated {} => End::Insulated,
            EndInput::Convective { coefficient_w_m2k, temperature_k } => End::Convective {
                coefficient_w_m2k: document.within(
                    &[key.into(), "coefficient_w_m2k".into()],
                    coefficient_w_m2k,
                    1e-6..=1e12,
                    "W/(m² K)",
                )?,
                ambient_k: kelvin(&[key.into(), "temperature_k".into()], temperature_k)?,
            },
        })
    };
    let slab = Slab::new(links, end("left", &input.left)?, end("right", &input.right)?);
    let mut total = 0;
    for (index, segment) in input.segment.iter().enumerate() {
        let check = |key: &str, value: f64, range, unit: &str| {
            document.within(&["segment".into(), index.into(), key.into()], value, range, unit)
        };
        check("duration_s", segment.duration_s, 1e-18..=1e12, "s")?;
        check("power", segment.power, -1e6..=1e6, "")?;
        check("points", segment.points as f64, 1.0..=MOST as f64, "")?;
        total += segment.points;
    }
    if total > MOST {
        return Err(document.refuse(
            &["segment".into()],
            format!("{total} points"),
            format!("at most {MOST} in all"),
        ));
    }
    if input.segment.is_empty() && !slab.can_cool() {
        return Err(document.refuse(
            &["right".into()],
            "two insulated ends",
            "an end or a loss through which heat leaves: nothing else fixes a steady temperature",
        ));
    }
    Ok((input, slab))
}

fn stopped(at: String, stalled: Stalled) -> Stopped {
    Stopped { at, residuals: stalled.residuals }
}

/// Names of the layers, one per node: a node on a face belongs to the layer before it.
fn names(input: &Input) -> Vec<String> {
    let mut names = Vec::new();
    for (index, layer) in input.layer.iter().enumerate() {
        let name = if layer.name.is_empty() { format!("layer {}", index + 1) } else { layer.name.clone() };
        let first = index == 0 || input.layer[index - 1].joint_m2k_w > 0.0;
        names.extend(std::iter::repeat_n(name, layer.cells + usize::from(first)));
    }
    names
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let (input, slab) = read(&Document { text: request.text, file: request.file })?;
    if input.segment.is_empty() { steady(&input, &slab) } else { transient(request, &input, slab) }
}

fn steady(input: &Input, slab: &Slab) -> Result<Solution, SolverError> {
    let temperatures = slab.steady(input.initial_temperature_k).map_err(|stalled| {
        SolverError::Failed(format!(
            "no steady temperature: {stalled}; where the conductivity falls with temperature, heat can be more \
             than any gradient carries"
        ))
    })?;
    let [left, right] = slab.outflow(&temperatures);
    let [made, lost] = slab.made_and_lost(&temperatures);
    let hottest = temperatures.iter().copied().fold(0.0, f64::max);
    let places = slab.places();
    Ok(Solution::new(
        Table::new()
            .with_text("layer", names(input))
            .with_float("position_m", places)
            .with_float("temperature_k", temperatures),
    )
    .with("temperature_max_k", hottest)
    .with("heat_made_w_m2", made)
    .with("heat_lost_sideways_w_m2", lost)
    .with("heat_out_left_w_m2", left)
    .with("heat_out_right_w_m2", right)
    .with("heat_residual_w_m2", made - lost - left - right))
}

fn transient(request: &Request<'_>, input: &Input, slab: Slab) -> Result<Solution, SolverError> {
    let accuracy = Accuracy { relative: input.relative_tolerance, ..Accuracy::default() };
    let places = slab.places();
    let start = vec![input.initial_temperature_k; slab.nodes()];
    let mut warming = Warming::new(slab, &start, accuracy)
        .map_err(|stalled| SolverError::Failed(format!("the start has no solution: {stalled}")))?;
    let mut moments: Vec<Moment> = vec![warming.now().clone()];
    let total: usize = input.segment.iter().map(|segment| segment.points).sum();
    let mut end = None;
    let mut before = 0.0;
    'segments: for segment in &input.segment {
        for point in 1..=segment.points {
            let time = before + segment.duration_s * point as f64 / segment.points as f64;
            let result = warming.advance(time, segment.power);
            moments.push(warming.now().clone());
            if let Err(stalled) = result {
                end = Some(stopped(format!("time {:e} s", stalled.time), stalled));
                break 'segments;
            }
            (request.progress)((moments.len() - 1) as f64 / total as f64);
        }
        before += segment.duration_s;
    }
    let column = |value: &dyn Fn(&Moment) -> f64| moments.iter().map(value).collect::<Vec<f64>>();
    let extreme = |moment: &Moment, pick: fn(f64, f64) -> f64| {
        moment.temperatures_k.iter().copied().reduce(pick).unwrap_or(f64::NAN)
    };
    let edge = |moment: &Moment, last: bool| {
        let ends = &moment.temperatures_k;
        if last { ends.last() } else { ends.first() }.copied().unwrap_or(f64::NAN)
    };
    let table = Table::new()
        .with_float("time_s", column(&|moment| moment.time_s))
        .with_float("temperature_max_k", column(&|moment| extreme(moment, f64::max)))
        .with_float("temperature_min_k", column(&|moment| extreme(moment, f64::min)))
        .with_float("temperature_left_k", column(&|moment| edge(moment, false)))
        .with_float("temperature_right_k", column(&|moment| edge(moment, true)))
        .with_float("energy_made_j_m2", column(&|moment| moment.balance.made))
        .with_float("energy_lost_sideways_j_m2", column(&|moment| moment.balance.lost))
        .with_float("energy_out_left_j_m2", column(&|moment| moment.balance.out[0]))
        .with_float("energy_out_right_j_m2", column(&|moment| moment.balance.out[1]))
        .with_float("energy_gained_j_m2", column(&|moment| moment.balance.gained));
    let hottest = moments.iter().map(|moment| extreme(moment, f64::max)).fold(0.0, f64::max);
    let residual = moments.last().map_or(0.0, |moment| moment.balance.residual());
    let mut solution = Solution::new(table)
        .with("temperature_max_k", hottest)
        .with("energy_residual_j_m2", Datum::Number(residual));
    solution.stopped = end;
    if request.profiles {
        let nodes = places.len();
        let times = moments.iter().flat_map(|moment| std::iter::repeat_n(moment.time_s, nodes)).collect();
        let along = moments.iter().flat_map(|_| places.iter().copied()).collect();
        let values = moments.iter().flat_map(|moment| moment.temperatures_k.iter().copied()).collect();
        solution.profiles = Some(
            Table::new()
                .with_float("time_s", times)
                .with_float("position_m", along)
                .with_float("temperature_k", values),
        );
    }
    Ok(solution)
}
