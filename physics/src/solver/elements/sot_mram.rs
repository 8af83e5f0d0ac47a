//! `sot-mram`: a junction read at a voltage and switched by a current.

use super::{check, check_list};
use crate::elements::sot_mram::{Junction, Switching};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sot-mram",
    title: "spin-orbit-torque junction: switching probability; resistance and weight levels in the profiles",
    example: include_str!("../../../../data/files/physics/sot-mram.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    write_ua: Vec<f64>,
    width_ns: Vec<f64>,
    read_v: Vec<f64>,
    junctions: u32,
    junction: JunctionInput,
    switching: SwitchingInput,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JunctionInput {
    area_nm2: f64,
    resistance_area_ohm_um2: f64,
    reference_nm: f64,
    barrier_nm: f64,
    decade_nm: f64,
    magnetoresistance: f64,
    half_v: f64,
    spread: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchingInput {
    stability: f64,
    critical_ua: f64,
    attempt_ns: f64,
    reference_k: f64,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let (given, write) = (&input.junction, &input.switching);
    let junctions = f64::from(input.junctions);
    check(
        &document,
        &[],
        &[("temperature_k", input.temperature_k, 1.0, 1000.0, "K"), ("junctions", junctions, 1.0, 256.0, "")],
    )?;
    check_list(&document, "write_ua", &input.write_ua, (-1e6, 1e6), "uA")?;
    check_list(&document, "width_ns", &input.width_ns, (0.0, 1e18), "ns")?;
    check_list(&document, "read_v", &input.read_v, (-10.0, 10.0), "V")?;
    check(
        &document,
        &["junction".into()],
        &[
            ("area_nm2", given.area_nm2, 1.0, 1e9, "nm2"),
            ("resistance_area_ohm_um2", given.resistance_area_ohm_um2, 1e-3, 1e12, "ohm um2"),
            ("reference_nm", given.reference_nm, 0.1, 10.0, "nm"),
            ("barrier_nm", given.barrier_nm, 0.1, 10.0, "nm"),
            ("decade_nm", given.decade_nm, 0.05, 5.0, "nm"),
            ("magnetoresistance", given.magnetoresistance, 0.0, 20.0, ""),
            ("half_v", given.half_v, 1e-3, 100.0, "V"),
            ("spread", given.spread, 0.0, 1.0, ""),
        ],
    )?;
    check(
        &document,
        &["switching".into()],
        &[
            ("stability", write.stability, 0.0, 500.0, ""),
            ("critical_ua", write.critical_ua, 1e-3, 1e6, "uA"),
            ("attempt_ns", write.attempt_ns, 1e-6, 1e6, "ns"),
            ("reference_k", write.reference_k, 1.0, 1000.0, "K"),
        ],
    )?;
    let junction = Junction {
        area_m2: 1e-18 * given.area_nm2,
        resistance_area_ohm_m2: 1e-12 * given.resistance_area_ohm_um2,
        reference_m: 1e-9 * given.reference_nm,
        barrier_m: 1e-9 * given.barrier_nm,
        decade_m: 1e-9 * given.decade_nm,
        magnetoresistance: given.magnetoresistance,
        half_v: given.half_v,
        spread: given.spread,
    };
    let switching = Switching {
        stability: write.stability,
        critical_a: 1e-6 * write.critical_ua,
        attempt_s: 1e-9 * write.attempt_ns,
        reference_k: write.reference_k,
    };
    let pairs: Vec<(f64, f64)> = input
        .width_ns
        .iter()
        .flat_map(|&width| input.write_ua.iter().map(move |&current| (width, current)))
        .collect();
    if pairs.len() > 1_000_000 || input.read_v.len() * (input.junctions as usize + 1) > 1_000_000 {
        let found = format!("{} pulses", pairs.len());
        return Err(document.refuse(&["write_ua".into()], found, "a million rows at most").into());
    }
    let probability = |&(width, current): &(f64, f64)| {
        switching.probability(1e-6 * current, 1e-9 * width, input.temperature_k)
    };
    let table = Table::new()
        .with_float("width_ns", pairs.iter().map(|pair| pair.0).collect())
        .with_float("write_ua", pairs.iter().map(|pair| pair.1).collect())
        .with_float("switching_probability", pairs.iter().map(probability).collect());
    let (low, _) = junction.level(input.junctions, 0, input.read_v[0]);
    let (high, high_std) = junction.level(input.junctions, input.junctions, input.read_v[0]);
    let mut solution = Solution::new(table)
        .with("parallel_ohm", junction.parallel_ohm())
        .with("antiparallel_at_no_voltage_ohm", junction.antiparallel_ohm(0.0))
        .with("barrier_decay_per_nm", 1e-9 * junction.decay_per_m());
    let retention = switching.retention_s(input.temperature_k);
    if retention.is_finite() {
        solution = solution.with("retention_s", retention);
    } else {
        solution.notes.push("the retention is beyond the largest number".to_owned());
    }
    if high > low {
        solution = solution.with("largest_std_over_range", high_std / (high - low));
    }
    let beyond = pairs.iter().filter(|pair| pair.1 > write.critical_ua).count();
    if beyond > 0 {
        solution.notes.push(format!(
            "{beyond} pulses above the critical current: no barrier is left, the attempt time alone limits them; \
             precession is not in this law"
        ));
    }
    if request.profiles {
        solution.profiles = Some(levels(&junction, input.junctions, &input.read_v));
    }
    Ok(solution)
}

/// Every weight level at every read voltage.
fn levels(junction: &Junction, junctions: u32, volts: &[f64]) -> Table {
    let rows: Vec<(f64, u32)> =
        volts.iter().flat_map(|&read| (0..=junctions).map(move |parallel| (read, parallel))).collect();
    let level = |&(read, parallel): &(f64, u32)| junction.level(junctions, parallel, read);
    Table::new()
        .with_float("read_v", rows.iter().map(|row| row.0).collect())
        .with_float("parallel_junctions", rows.iter().map(|row| f64::from(row.1)).collect())
        .with_float(
            "magnetoresistance",
            rows.iter().map(|row| junction.magnetoresistance_at(row.0)).collect(),
        )
        .with_float("conductance_us", rows.iter().map(|row| 1e6 * level(row).0).collect())
        .with_float("conductance_std_us", rows.iter().map(|row| 1e6 * level(row).1).collect())
}
