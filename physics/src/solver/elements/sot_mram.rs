//! `sot-mram`: a magnetic tunnel junction against voltage and current.

use crate::elements::magnetic::{Junction, Switching};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sot-mram",
    title: "magnetic tunnel junction: resistances and weight levels against voltage, switching probability",
    example: include_str!("../../../../data/files/physics/sot-mram.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    junction: JunctionInput,
    switching: SwitchingInput,
    bias: VoltageSweep,
    current: CurrentSweep,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JunctionInput {
    resistance_area_ohm_um2: f64,
    reference_thickness_nm: f64,
    thickness_nm: f64,
    decade_nm: f64,
    area_um2: f64,
    magnetoresistance: f64,
    half_voltage_v: f64,
    junctions: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchingInput {
    stability: f64,
    critical_current_ua: f64,
    attempt_s: f64,
    pulse_s: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoltageSweep {
    start_v: f64,
    stop_v: f64,
    step_v: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrentSweep {
    start_ua: f64,
    stop_ua: f64,
    step_ua: f64,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let temperature_k = document.within(&["temperature_k".into()], input.temperature_k, 4.0..=800.0, "K")?;
    let own = &input.junction;
    let read = |key: &'static str, value: f64, low: f64, high: f64| {
        document.within(&["junction".into(), key.into()], value, low..=high, "")
    };
    let junction = Junction {
        resistance_area_ohm_m2: 1e-12
            * read("resistance_area_ohm_um2", own.resistance_area_ohm_um2, 1e-3, 1e9)?,
        reference_thickness_m: 1e-9 * read("reference_thickness_nm", own.reference_thickness_nm, 0.3, 5.0)?,
        thickness_m: 1e-9 * read("thickness_nm", own.thickness_nm, 0.3, 5.0)?,
        decade_m: 1e-9 * read("decade_nm", own.decade_nm, 0.05, 2.0)?,
        area_m2: 1e-12 * read("area_um2", own.area_um2, 1e-6, 100.0)?,
        magnetoresistance: read("magnetoresistance", own.magnetoresistance, 0.0, 20.0)?,
        half_voltage_v: read("half_voltage_v", own.half_voltage_v, 0.01, 10.0)?,
    };
    let count = read("junctions", f64::from(own.junctions), 1.0, 64.0)? as u32;
    let own = &input.switching;
    let read = |key: &'static str, value: f64, low: f64, high: f64| {
        document.within(&["switching".into(), key.into()], value, low..=high, "")
    };
    let switching = Switching {
        stability: read("stability", own.stability, 1.0, 500.0)?,
        critical_a: 1e-6 * read("critical_current_ua", own.critical_current_ua, 1e-3, 1e5)?,
        attempt_s: read("attempt_s", own.attempt_s, 1e-12, 1e-6)?,
        temperature_k,
    };
    let pulse_s = read("pulse_s", own.pulse_s, 1e-12, 1e6)?;
    let volts = &input.bias;
    let volts =
        document.sweep(&["bias".into(), "step_v".into()], volts.start_v, volts.stop_v, volts.step_v)?;
    let current = &input.current;
    let path = ["current".into(), "step_ua".into()];
    let currents = document.sweep(&path, current.start_ua, current.stop_ua, current.step_ua)?;
    // One table for both sweeps: the axis that a row does not belong to is that of its start.
    let rows: Vec<(f64, f64)> = volts
        .iter()
        .map(|volts| (*volts, currents[0]))
        .chain(currents.iter().skip(1).map(|current| (volts[0], *current)))
        .collect();
    let column = |of: &dyn Fn(f64, f64) -> f64| rows.iter().map(|(v, i)| of(*v, *i)).collect::<Vec<f64>>();
    let mut table = Table::new()
        .with_float("bias_v", column(&|v, _| v))
        .with_float("parallel_ohm", column(&|_, _| junction.parallel_ohm()))
        .with_float("antiparallel_ohm", column(&|v, _| junction.antiparallel_ohm(v)))
        .with_float("magnetoresistance", column(&|v, _| junction.magnetoresistance_at(v)));
    for parallel in 0..=count {
        table
            .push_float(format!("level_{parallel}_s"), column(&|v, _| junction.levels_s(count, parallel, v)));
    }
    table.push_float("pulse_ua", column(&|_, i| i));
    table.push_float("switching_probability", column(&|_, i| switching.probability(1e-6 * i, pulse_s)));
    (request.progress)(1.0);
    Ok(Solution::new(table)
        .with("parallel_ohm", junction.parallel_ohm())
        .with("retention_half_life_s", switching.retention_s()))
}
