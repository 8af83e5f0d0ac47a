//! `sonos-history`: stored shifts under time, temperature, bias and dose.

use super::cell::{Checked, RadiationInput, StackInput};
use super::columns::Columns;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use crate::sonos::collection::Collection;
use crate::sonos::history::{History, Segment};
use crate::sonos::ladder::{Ladder, LadderError, Law};
use mho_data::InputError;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sonos-history",
    title: "SONOS stored states over a history of time, temperature, bias and dose (trap ladder)",
    example: include_str!("../../../../data/files/physics/sonos-history.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentInput {
    duration_s: f64,
    #[serde(default)]
    dose_rate_rad_per_s: f64,
    #[serde(default = "room")]
    temperature_k: f64,
    #[serde(default)]
    gate_v: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RetentionInput {
    per_decade: Option<f64>,
    onset_s: Option<f64>,
    activation_ev: Option<f64>,
    reference_k: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FixedPoint {
    #[default]
    Given,
    Collection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DoseInput {
    dose_constant_krad: Option<f64>,
    fixed_point: FixedPoint,
    fixed_shift_v: Option<f64>,
    fixed_shift_per_gate_v: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    initial_shifts_v: Vec<f64>,
    #[serde(default = "ten")]
    points_per_segment: f64,
    #[serde(default)]
    retention: RetentionInput,
    #[serde(default)]
    dose: DoseInput,
    #[serde(default)]
    stack: StackInput,
    #[serde(default)]
    radiation: RadiationInput,
    segment: Vec<SegmentInput>,
}

fn room() -> f64 {
    300.0
}

fn ten() -> f64 {
    10.0
}

const COLUMNS: [&str; 8] = [
    "time_s",
    "segment",
    "dose_krad_si",
    "temperature_k",
    "gate_v",
    "state",
    "initial_shift_v",
    "threshold_shift_v",
];

/// Dose constant of the exponential law in rad(Si): 1.7 Mrad (assumed; 25 % of the window at 500 krad).
const DOSE_CONSTANT_RAD: f64 = 1.7e6;

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    check(&input, document)?;
    let ladder = ladder(&input.retention, document)?;
    let check = Checked::new(document, &["dose".into()]);
    let dose_constant_rad = 1e3
        * check.or(
            "dose_constant_krad",
            input.dose.dose_constant_krad,
            1e-3 * DOSE_CONSTANT_RAD,
            1e-3..=1e12,
            "krad(Si)",
        )?;
    let fixed = fixed_shifts(&input, document, request)?;
    let mut rows = Columns::new(COLUMNS);
    let mut histories: Vec<History> =
        input.initial_shifts_v.iter().map(|&shift| History::programmed(&ladder, shift)).collect();
    let points = input.points_per_segment as usize;
    let mut push = |index: usize, segment: &SegmentInput, histories: &[History]| {
        for (state, (history, initial)) in histories.iter().zip(&input.initial_shifts_v).enumerate() {
            rows.push([
                history.time_s,
                index as f64,
                1e-3 * history.dose_rad,
                segment.temperature_k,
                segment.gate_v,
                state as f64,
                *initial,
                history.shift_v(),
            ]);
        }
    };
    if let Some(first) = input.segment.first() {
        push(0, first, &histories);
    }
    for (index, (given, fixed_shift_v)) in input.segment.iter().zip(fixed).enumerate() {
        let segment = Segment {
            duration_s: given.duration_s,
            dose_rate_rad_per_s: given.dose_rate_rad_per_s,
            temperature_k: given.temperature_k,
            fixed_shift_v,
        };
        let after = |elapsed: f64| -> Vec<History> {
            histories
                .iter()
                .map(|history| history.after(&ladder, &segment, dose_constant_rad, elapsed))
                .collect()
        };
        for elapsed in instants(&segment, points) {
            push(index + 1, given, &after(elapsed));
        }
        histories = after(segment.duration_s);
        (request.progress)((index + 1) as f64 / input.segment.len() as f64);
    }
    let decaying: f64 = ladder.rungs.iter().skip(1).map(|rung| rung.weight).sum();
    let mut solution = Solution::new(rows.table())
        .with("rungs", ladder.rungs.len() as f64)
        .with("ladder_fit_error", ladder.fit_error)
        .with("decaying_fraction", decaying)
        .with("total_dose_krad_si", histories.first().map_or(0.0, |history| 1e-3 * history.dose_rad));
    if request.profiles {
        let mut rungs = Columns::new(["time_constant_s", "weight"]);
        for rung in ladder.rungs.iter().skip(1) {
            rungs.push([rung.time_constant_s, rung.weight]);
        }
        solution.profiles = Some(rungs.table());
    }
    let longest = histories.first().map_or(0.0, |history| history.time_s);
    if longest > 1e9 {
        solution.notes.push(format!(
            "{longest:.3e} s is beyond the 1e9 s over which the ladder follows the logarithmic law"
        ));
    }
    Ok(solution)
}

/// Points within a segment: even while dose flows, else logarithmic, as things happen.
fn instants(segment: &Segment, points: usize) -> Vec<f64> {
    (1..=points)
        .map(|index| {
            let part = index as f64 / points as f64;
            if index == points {
                segment.duration_s
            } else if segment.dose_rate_rad_per_s > 0.0 {
                part * segment.duration_s
            } else {
                // Five decades up to the end.
                segment.duration_s * 10f64.powf(5.0 * (part - 1.0))
            }
        })
        .collect()
}

fn check(input: &Input, document: Document<'_>) -> Result<(), InputError> {
    let top = Checked::new(document, &[]);
    if input.initial_shifts_v.is_empty() || input.initial_shifts_v.len() > 1000 {
        return Err(top.refuse("initial_shifts_v", input.initial_shifts_v.len(), "1 to 1000 states"));
    }
    for (index, shift) in input.initial_shifts_v.iter().enumerate() {
        document.within(&["initial_shifts_v".into(), index.into()], *shift, -10.0..=10.0, "V")?;
    }
    top.within("points_per_segment", input.points_per_segment, 1.0..=1000.0, "")?;
    if input.segment.is_empty() || input.segment.len() > 10_000 {
        return Err(top.refuse("segment", input.segment.len(), "1 to 10000 segments"));
    }
    for (index, segment) in input.segment.iter().enumerate() {
        let check = Checked::new(document, &["segment".into(), index.into()]);
        check.within("duration_s", segment.duration_s, 0.0..=1e12, "s")?;
        check.within("dose_rate_rad_per_s", segment.dose_rate_rad_per_s, 0.0..=1e12, "rad(Si)/s")?;
        check.within("temperature_k", segment.temperature_k, 200.0..=500.0, "K")?;
        check.within("gate_v", segment.gate_v, -20.0..=20.0, "V")?;
    }
    Ok(())
}

fn ladder(input: &RetentionInput, document: Document<'_>) -> Result<Ladder, InputError> {
    let base = Law::TCAS;
    let law = Law {
        per_decade: input.per_decade.unwrap_or(base.per_decade),
        onset_s: input.onset_s.unwrap_or(base.onset_s),
        activation_ev: input.activation_ev.unwrap_or(base.activation_ev),
        reference_k: input.reference_k.unwrap_or(base.reference_k),
    };
    let check = Checked::new(document, &["retention".into()]);
    Ladder::fit(law).map_err(|error| match error {
        LadderError::Law { name, value, expected } => check.refuse(name, format!("{value:?}"), expected),
        LadderError::TooMuch(_) | LadderError::Fit => check.refuse(
            "per_decade",
            format!("{:?} ({error})", law.per_decade),
            "a loss that leaves something until 1e12 s",
        ),
    })
}

/// Shift that dose drives to under the bias of each segment.
fn fixed_shifts(
    input: &Input,
    document: Document<'_>,
    request: &Request<'_>,
) -> Result<Vec<f64>, SolverError> {
    let check = Checked::new(document, &["dose".into()]);
    let given = check.or("fixed_shift_v", input.dose.fixed_shift_v, 0.0, -10.0..=10.0, "V")?;
    let slope =
        check.or("fixed_shift_per_gate_v", input.dose.fixed_shift_per_gate_v, 0.0, -10.0..=10.0, "")?;
    if input.dose.fixed_point == FixedPoint::Given {
        return Ok(input.segment.iter().map(|segment| given + slope * segment.gate_v).collect());
    }
    let stack = input.stack.read(document, request.materials)?;
    let surface_potential = input.stack.surface_potential(document)?;
    let (radiation, detrapping_dose_rad) = input.radiation.read(document)?;
    input
        .segment
        .iter()
        .map(|segment| {
            let collection = Collection {
                stack: stack.at_temperature(segment.temperature_k),
                radiation,
                detrapping_dose_rad,
                bias_v: segment.gate_v,
                surface_potential,
                ..Collection::default()
            };
            collection.fixed_point().ok_or_else(|| {
                SolverError::Failed(format!("charge collection has no fixed point at {} V", segment.gate_v))
            })
        })
        .collect()
}
