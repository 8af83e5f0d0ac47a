//! What is in a measurement, at a glance: what was swept, at which biases, in which direction, how far down
//! the current can be trusted.

use crate::measurement::{Kind, Measurement};
use serde::Serialize;

/// A glance at a measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// What was measured: `n-FET`, `p-FET`, `diode`, `capacitor`, `ramps`, `states`, `thresholds`.
    pub device: &'static str,
    /// Width (µm), where every row has the same.
    pub width_um: Option<f64>,
    /// Length (µm), where every row has the same.
    pub length_um: Option<f64>,
    /// Number of parallel devices, where every row has the same.
    pub multiplicity: Option<f64>,
    /// Column along which the rows of a sweep lie.
    pub axis: &'static str,
    /// Column that was read.
    pub reading: &'static str,
    /// What stood still in each sweep: column, and its values in rising order.
    pub biases: Vec<(&'static str, Vec<f64>)>,
    /// Number of sweeps.
    pub sweeps: usize,
    /// Number of rows.
    pub points: usize,
    /// Smallest and largest value along the axis.
    pub span: Option<(f64, f64)>,
    /// Smallest and largest reading.
    pub range: Option<(f64, f64)>,
    /// Noise floor of the reading (one standard deviation), where it can be seen.
    pub noise_floor: Option<f64>,
    /// Rows at which the instrument held a current; none where the files cannot say.
    pub compliance_hits: Option<usize>,
    /// Sweeps that go up, down, and both ways.
    pub directions: [usize; 3],
}

/// Columns in which a sweep may lie, the reading, and the columns that may stand still.
type Layout = (&'static [&'static str], &'static str, &'static [&'static str]);

fn layout(kind: Kind) -> Layout {
    match kind {
        Kind::IdVg => (
            &["vg_v", "vd_v"],
            "id_a",
            &["vg_v", "vd_v", "vb_v", "vs_v", "dose_krad_si", "time_s", "temperature_k"],
        ),
        Kind::Diode => (&["v_v"], "i_a", &["dose_krad_si", "time_s", "temperature_k"]),
        Kind::Capacitance => (&["v_v"], "c_f", &["dose_krad_si", "time_s", "temperature_k"]),
        Kind::Ramp => (&["pulse"], "current_a", &["ramp", "read_v"]),
        Kind::StateCurrent => (&["state", "dose_krad_si", "time_s"], "current_na", &[]),
        Kind::Threshold => (&["dose_krad_si", "time_s"], "vt_v", &[]),
    }
}

impl Survey {
    /// Looks at a measurement.
    pub fn of(measurement: &Measurement) -> Self {
        let table = &measurement.table;
        let kind = measurement.sidecar.kind;
        let (axes, reading, still) = layout(kind);
        let column = |name: &str| table.floats(name).unwrap_or_default();
        let changes = |name: &str| column(name).windows(2).filter(|pair| pair[0] != pair[1]).count();
        // The first of those that change most: a gate sweep where nothing changes.
        let most = axes.iter().rev().copied().max_by_key(|name| changes(name)).unwrap_or(axes[0]);
        // Currents and thresholds that were read at several doses are shown against dose, which time follows.
        let dosed = axes.contains(&"dose_krad_si") && levels(column("dose_krad_si")).len() > 1;
        let axis = if dosed { "dose_krad_si" } else { most };
        let sweeps: Vec<std::ops::Range<usize>> = match table.floats("sweep") {
            Ok(ids) => {
                let mut start = 0;
                ids.chunk_by(|a, b| a == b)
                    .map(|chunk| {
                        start += chunk.len();
                        start - chunk.len()..start
                    })
                    .collect()
            }
            Err(_) => std::iter::once(0..table.len()).collect(),
        };
        let (x, y) = (column(axis), column(reading));
        let mut directions = [0; 3];
        for sweep in &sweeps {
            if let Some(direction) = x.get(sweep.clone()).and_then(direction) {
                directions[direction] += 1;
            }
        }
        let readings: Vec<&[f64]> = sweeps.iter().filter_map(|sweep| y.get(sweep.clone())).collect();
        Self {
            device: match kind {
                Kind::IdVg if column("vd_v").iter().sum::<f64>() < 0.0 => "p-FET",
                Kind::IdVg => "n-FET",
                Kind::Diode => "diode",
                Kind::Capacitance => "capacitor",
                Kind::Ramp => "ramps",
                Kind::StateCurrent => "states",
                Kind::Threshold => "thresholds",
            },
            width_um: single(column("width_um")),
            length_um: single(column("length_um")),
            multiplicity: single(column("multiplicity")),
            axis,
            reading,
            biases: still
                .iter()
                .filter(|name| **name != axis && table.has(name))
                .map(|name| (*name, levels(column(name))))
                .collect(),
            sweeps: sweeps.len(),
            points: table.len(),
            span: range(x),
            range: range(y),
            noise_floor: match kind {
                Kind::IdVg => {
                    let opposed = opposed(column("id_a"), column("vd_v"), column("vs_v"));
                    [noise_floor(&readings), opposed].into_iter().flatten().reduce(f64::max)
                }
                _ => noise_floor(&readings),
            },
            compliance_hits: table
                .floats("compliance")
                .ok()
                .map(|hits| hits.iter().filter(|hit| **hit > 0.0).count()),
            directions,
        }
    }
}

/// Smallest and largest of the finite values.
pub fn range(values: &[f64]) -> Option<(f64, f64)> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    finite.fold(None, |range, value| {
        Some(range.map_or((value, value), |(low, high): (f64, f64)| (low.min(value), high.max(value))))
    })
}

/// Different finite values in rising order.
fn levels(values: &[f64]) -> Vec<f64> {
    let mut found: Vec<f64> = Vec::new();
    let mut last = f64::NAN;
    for &value in values {
        if value.is_finite() && value != last {
            found.push(value + 0.0);
            last = value;
        }
    }
    found.sort_by(f64::total_cmp);
    found.dedup();
    found
}

/// The value that all rows share.
fn single(values: &[f64]) -> Option<f64> {
    match levels(values).as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// 0 up, 1 down, 2 both ways; none where nothing moves.
fn direction(x: &[f64]) -> Option<usize> {
    let up = x.windows(2).any(|pair| pair[1] > pair[0]);
    let down = x.windows(2).any(|pair| pair[1] < pair[0]);
    match (up, down) {
        (true, false) => Some(0),
        (false, true) => Some(1),
        (true, true) => Some(2),
        (false, false) => None,
    }
}

/// Root mean square of the drain currents against the direction of the drain voltage: no channel carries them,
/// so they are noise or an offset of the instrument, A. `None` with fewer than four; a source voltage that is
/// missing counts as 0 V.
pub fn opposed(drain_a: &[f64], drain_v: &[f64], source_v: &[f64]) -> Option<f64> {
    let against: Vec<f64> = drain_a
        .iter()
        .zip(drain_v)
        .enumerate()
        .filter(|(row, (current, drain))| {
            *current * (*drain - source_v.get(*row).copied().unwrap_or(0.0)) < 0.0
        })
        .map(|(_, (current, _))| *current)
        .filter(|current| current.is_finite() && current.abs() < f64::MAX.sqrt())
        .collect();
    let squares: f64 = against.iter().map(|current| current * current).sum();
    (against.len() >= 4).then(|| (squares / against.len() as f64).sqrt())
}

/// Rows that an estimate of the noise floor needs.
const FEWEST_FOR_NOISE: usize = 20;

/// Part of neighbouring second differences that differ in sign where noise is seen: a curve of eight or
/// more points with one turn of its bend has less.
const FEWEST_TURNS: f64 = 0.15;

/// Noise floor: the scatter of the quarter of readings that are smallest in size.
///
/// A smooth curve has small second differences d = y₋ − 2y + y₊, independent noise of variance σ² gives
/// them the variance 6σ². The smallest readings of a sweep are where the noise rules, if anywhere; the
/// median of |d| keeps the few out where the curve bends (0.6745: median of |z| for a normal z).
///
/// Whether it is an error of readings at all the signs tell. Neighbouring second differences of
/// independent noise differ in sign in arccos(-2/3)/π = 73 % of the cases; those of a smooth curve do so
/// only where its bend turns over. Between them lie instruments whose errors drift and jump. Below
/// 15 % of the cases no noise is seen: none.
pub fn noise_floor(sweeps: &[&[f64]]) -> Option<f64> {
    // Size of the readings, second difference, and that of the neighbour in the same sweep.
    let mut triples: Vec<(f64, f64, f64)> = Vec::new();
    for sweep in sweeps {
        let mut before = f64::NAN;
        for triple in sweep.windows(3) {
            let difference = triple[0] - 2.0 * triple[1] + triple[2];
            if difference.is_finite() {
                let size = triple.iter().fold(0.0_f64, |size, y| size.max(y.abs()));
                triples.push((size, difference, before));
            }
            before = difference;
        }
    }
    if triples.len() < FEWEST_FOR_NOISE {
        return None;
    }
    triples.sort_by(|a, b| a.0.total_cmp(&b.0));
    triples.truncate(triples.len().div_ceil(4));
    let signs = triples.iter().filter(|(_, a, b)| a * b != 0.0 && b.is_finite());
    let (opposite, all) = signs.fold((0_u32, 0_u32), |(opposite, all), (_, a, b)| {
        (opposite + u32::from(a.is_sign_negative() != b.is_sign_negative()), all + 1)
    });
    if all == 0 || f64::from(opposite) < FEWEST_TURNS * f64::from(all) {
        return None;
    }
    let mut scatter: Vec<f64> = triples.into_iter().map(|(_, difference, _)| difference.abs()).collect();
    scatter.sort_by(f64::total_cmp);
    let floor = scatter[scatter.len() / 2] / (0.6745 * 6.0_f64.sqrt());
    (floor > 0.0 && floor.is_finite()).then_some(floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::reader;

    #[test]
    fn currents_against_the_voltage_are_noise() {
        let drain_a = [3e-9, -2e-9, -2e-9, 1e-6, -2e-9, -2e-9, f64::NAN];
        assert_eq!(opposed(&drain_a, &[0.1; 7], &[]).map(|floor| (floor * 1e12).round()), Some(2000.0));
        assert_eq!(opposed(&drain_a, &[-0.1; 7], &[]), None);
    }

    #[test]
    fn the_noise_floor_is_found_under_a_curve() {
        let stream = Stream::new(4, &["survey"], &[]);
        let sweep: Vec<f64> = (0..400_u32)
            .map(|i| {
                let decades = f64::from(i) / 20.0 - 16.0;
                10.0_f64.powf(decades.min(-4.0)) + 3e-9 * stream.normal(u64::from(i))
            })
            .collect();
        let floor = noise_floor(&[&sweep]).unwrap();
        // 100 triples, of which a third is independent: the median of |z| scatters by about 15 %.
        assert!((floor / 3e-9 - 1.0).abs() < 0.5, "{floor}");
        assert_eq!(noise_floor(&[&[1.0; 100]]), None);
        let smooth: Vec<f64> = (0..100_u32).map(|i| f64::from(i).exp2() * 1e-12).collect();
        assert_eq!(noise_floor(&[&smooth]), None);
        assert_eq!(noise_floor(&[&[f64::NAN; 100], &[1.0, 2.0]]), None);
    }

    #[test]
    fn a_drain_sweep_is_told_from_a_gate_sweep() {
        let mut text = "VG (V),VD (V),VB (V),ID (A)\n".to_owned();
        for vg in [0.6, 1.2] {
            for vd in [0.0, -0.5, -1.0] {
                text.push_str(&format!("{vg},{vd},0.3,{}\n", vg * vd));
            }
        }
        let read = |text: &str| reader::read(&[("f.csv", text.as_bytes())], Kind::IdVg).unwrap();
        let survey = Survey::of(&read(&text));
        assert_eq!((survey.axis, survey.sweeps, survey.points), ("vd_v", 2, 6));
        assert_eq!(survey.directions, [0, 2, 0]);
        assert_eq!(survey.device, "p-FET");
        assert_eq!(survey.biases[0], ("vg_v", vec![0.6, 1.2]));
        assert_eq!(survey.biases[1], ("vb_v", vec![0.3]));
        assert_eq!(survey.span, Some((-1.0, 0.0)));
        let loops = Survey::of(&read("VG (V),ID (A)\n0,1\n1,2\n0,1\n"));
        assert_eq!((loops.axis, loops.directions), ("vg_v", [0, 0, 1]));
    }
}
