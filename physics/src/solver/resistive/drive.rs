//! The `[[segment]]` and `[sweep]` of an input: the voltage over time.

use super::super::input::Document;
use crate::resistive::waveform::{Piece, Sample, Sweep, samples};
use mho_data::InputError;
use serde::Deserialize;

/// A constant voltage or, with `to_v`, a ramp.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentInput {
    v: f64,
    to_v: Option<f64>,
    duration_s: f64,
    #[serde(default = "points")]
    points: usize,
}

/// Triangles 0 → first → 0 → second → 0.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SweepInput {
    first_v: f64,
    second_v: f64,
    rate_v_s: f64,
    #[serde(default = "one")]
    cycles: usize,
    #[serde(default = "points")]
    points: usize,
}

fn points() -> usize {
    50
}

fn one() -> usize {
    1
}

/// Largest voltage that an input may name.
const MOST_V: f64 = 10.0;
/// Most points of a whole waveform.
const MOST_POINTS: usize = 100_000;

/// The points of the segments, then of the sweep.
pub(super) fn drive(
    document: &Document<'_>,
    segments: &[SegmentInput],
    sweep: Option<&SweepInput>,
) -> Result<Vec<Sample>, InputError> {
    let mut pieces = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let check = |key: &str, value: f64, range, unit: &str| {
            document.within(&["segment".into(), index.into(), key.into()], value, range, unit)
        };
        let from_v = check("v", segment.v, -MOST_V..=MOST_V, "V")?;
        pieces.push(Piece {
            from_v,
            to_v: check("to_v", segment.to_v.unwrap_or(from_v), -MOST_V..=MOST_V, "V")?,
            duration_s: check("duration_s", segment.duration_s, 1e-15..=1e9, "s")?,
            points: check("points", segment.points as f64, 1.0..=MOST_POINTS as f64, "")? as usize,
        });
    }
    if let Some(sweep) = sweep {
        let check = |key: &str, value: f64, range, unit: &str| {
            document.within(&["sweep".into(), key.into()], value, range, unit)
        };
        check("cycles", sweep.cycles as f64, 1.0..=1000.0, "")?;
        check("points", sweep.points as f64, 1.0..=MOST_POINTS as f64, "")?;
        let sweep = Sweep {
            first_v: check("first_v", sweep.first_v, -MOST_V..=MOST_V, "V")?,
            second_v: check("second_v", sweep.second_v, -MOST_V..=MOST_V, "V")?,
            rate_v_s: check("rate_v_s", sweep.rate_v_s, 1e-6..=1e15, "V/s")?,
            cycles: sweep.cycles,
            points: sweep.points,
        };
        if sweep.points.saturating_mul(4 * sweep.cycles) <= MOST_POINTS {
            pieces.extend(sweep.pieces());
        } else {
            return Err(document.refuse(&["sweep".into()], "too many points", "at most 100000 in all"));
        }
    }
    let total = pieces.iter().fold(0_usize, |sum, piece| sum.saturating_add(piece.points));
    if total == 0 || total > MOST_POINTS {
        return Err(document.refuse(
            &["segment".into()],
            format!("{total} points of voltage"),
            format!("a [[segment]] or a [sweep], at most {MOST_POINTS} points in all"),
        ));
    }
    Ok(samples(&pieces))
}
