//! Tables of measured cells as they are, without a model between: mean, spread and quantiles of the cells
//! of every state at every time and dose that was measured, interpolated between.

mod check;
mod statistics;

pub use statistics::normal_score;

use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::compile::{DOSE_SCALE_KRAD, TIME_SCALE_S, check_current};
use crate::device::{Device, ReadNoise};
use crate::lookup::Lookup;
use crate::source::SCORE_COUNT;
use crate::table::{DeviceTable, TableError, Validity};
use mho_data::provenance::Origin;
use mho_data::table::Table;
use std::collections::BTreeMap;

/// One read of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellReading {
    /// Which cell; reads of one cell at one time and dose are repetitions.
    pub cell: String,
    /// What it was programmed to (fraction of the largest current).
    pub state: f64,
    /// Time since programming (s).
    pub time_s: f64,
    /// Dose (krad(Si)).
    pub dose_krad_si: f64,
    /// Current (nA).
    pub current_na: f64,
}

impl CellReading {
    /// Readings in a table with the columns `state`, `time_s`, `dose_krad_si` and `current_na`, and
    /// `device`; without the last every row is a cell of its own.
    ///
    /// # Errors
    /// When a column is missing or of the other kind.
    pub fn from_table(table: &Table) -> Result<Vec<Self>, mho_data::table::TableError> {
        let (states, currents) = (table.floats("state")?, table.floats("current_na")?);
        let (times, doses) = (table.floats("time_s")?, table.floats("dose_krad_si")?);
        let cells = if table.has("device") { Some(table.texts("device")?) } else { None };
        let rows = states.iter().zip(times).zip(doses).zip(currents).enumerate();
        Ok(rows
            .map(|(row, (((&state, &time_s), &dose_krad_si), &current_na))| Self {
                cell: cells.and_then(|cells| cells.get(row)).cloned().unwrap_or_else(|| format!("row {row}")),
                state,
                time_s,
                dose_krad_si,
                current_na,
            })
            .collect())
    }
}

/// How a table of measured cells is made.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredOptions {
    /// Name of the device.
    pub name: String,
    /// Where the readings come from.
    pub origin: Origin,
    /// Current of state 1 (nA).
    pub current_max_na: f64,
    /// Voltage across a cell at its read (V), where it is known.
    pub read_voltage_v: Option<f64>,
    /// Fewest cells of a state at a time and dose. With 20 a standard deviation is known to a sixth.
    pub least_cells: usize,
    /// Largest error of a left-out node that is wanted, as a fraction of the largest current.
    pub tolerance_fraction: f64,
}

impl Default for MeasuredOptions {
    fn default() -> Self {
        Self {
            name: "measured".into(),
            origin: Origin::Measured,
            current_max_na: 1600.0,
            read_voltage_v: None,
            least_cells: 20,
            tolerance_fraction: 0.01,
        }
    }
}

/// Index of a node: dose, time, state; ordered so that the states of a place follow each other.
type Node = [usize; 3];

/// The currents of the cells at a node by their names, repeated reads averaged.
pub(crate) type Cells = BTreeMap<String, f64>;

/// Makes a table of measured cells. Means and quantiles are made to rise with the state by pooling states
/// that fall, which the notes count. The certificate is what the table says at nodes that are left out of
/// it, one at a time.
///
/// # Errors
/// When a reading or an option makes no sense, or a state has too few cells at some time and dose.
pub fn compile_measured(
    readings: &[CellReading],
    options: &MeasuredOptions,
) -> Result<DeviceTable, TableError> {
    check_current(options.current_max_na)?;
    crate::compile::check_tolerance(options.tolerance_fraction)?;
    let wrong = |what: String| TableError::Asked(what);
    for (number, r) in (1..).zip(readings) {
        let known = [r.state, r.time_s, r.dose_krad_si].iter().all(|v| *v >= 0.0 && v.is_finite());
        if !(known && r.current_na.is_finite()) {
            return Err(wrong(format!(
                "reading {number}: state {}, {} s, {} krad(Si), {} nA",
                r.state, r.time_s, r.dose_krad_si, r.current_na
            )));
        }
    }
    let axis = |of: fn(&CellReading) -> f64, scale| Axis::new(readings.iter().map(of).collect(), scale);
    let state = axis(|r| r.state, None);
    let time = axis(|r| r.time_s, Some(TIME_SCALE_S));
    let dose = axis(|r| r.dose_krad_si, Some(DOSE_SCALE_KRAD));
    if readings.is_empty() {
        return Err(wrong("no readings".into()));
    }

    let mut reads: BTreeMap<Node, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for r in readings {
        let index = |axis: &Axis, value: f64| axis.nodes().partition_point(|node| *node < value);
        let node = [index(&dose, r.dose_krad_si), index(&time, r.time_s), index(&state, r.state)];
        reads.entry(node).or_default().entry(&r.cell).or_default().push(r.current_na);
    }
    let empty = BTreeMap::new();
    let mut nodes: Vec<Cells> = Vec::with_capacity(state.len() * time.len() * dose.len());
    let (mut thin, mut first_thin) = (0, None);
    for (s, &at_state) in state.nodes().iter().enumerate() {
        for (t, &time_s) in time.nodes().iter().enumerate() {
            for (d, &dose_krad_si) in dose.nodes().iter().enumerate() {
                let cells = reads.get(&[d, t, s]).unwrap_or(&empty);
                if cells.len() < options.least_cells.max(2) {
                    thin += 1;
                    first_thin.get_or_insert((at_state, time_s, dose_krad_si, cells.len()));
                }
                nodes.push(
                    cells
                        .iter()
                        .map(|(cell, reads)| (cell.to_string(), statistics::moments(reads).0))
                        .collect(),
                );
            }
        }
    }
    if let Some((at_state, time_s, dose_krad_si, count)) = first_thin {
        return Err(wrong(format!(
            "{count} cells of state {at_state} at {time_s} s and {dose_krad_si} krad(Si), expected at least {} \
             ({thin} of {} places have too few)",
            options.least_cells.max(2),
            nodes.len()
        )));
    }

    let (noise, repeated) = read_noise(&reads, options.current_max_na);
    let mut notes = Vec::new();
    let fewest = nodes.iter().map(Cells::len).min().unwrap_or(0);
    let tail = normal_score(1.0 - 0.5 / fewest.max(1) as f64);
    notes.push(format!(
        "{} readings as they are, {fewest} cells at least at a place; quantiles beyond a score of {tail:.1} go \
         on with the standard deviation",
        readings.len()
    ));
    notes.push(match repeated {
        0 => "no cell was read twice at a place: read noise is not known and stands as 0".into(),
        count => format!("read noise from {count} repeated reads"),
    });
    let count = nodes.len();
    let mut table = DeviceTable {
        device: Device {
            name: options.name.clone(),
            origin: options.origin,
            current_max_na: options.current_max_na,
            notes,
            certificate: Certificate::none(options.tolerance_fraction),
            extrapolated_nodes: 0,
            read_voltage_v: options.read_voltage_v,
            noise,
            curves: None,
        },
        validity: Some(Validity { time_max_s: time.range().1, dose_max_krad_si: dose.range().1 }),
        mean: vec![0.0; count],
        sigma: vec![0.0; count],
        quantile: vec![0.0; count * SCORE_COUNT],
        share_programming: vec![1.0; count],
        share_drift: vec![0.0; count],
        share_dose: vec![0.0; count],
        read_sigma: vec![0.0; count],
        cells: nodes.iter().map(|cells| cells.len() as f64).collect(),
        state,
        time,
        dose,
    };
    let moved = fill(&mut table, &nodes);
    if moved > 0 {
        table.device.notes.push(format!(
            "{moved} of {} means and quantiles were pooled with those of neighbouring states that fell",
            count * (1 + SCORE_COUNT)
        ));
    }
    if [&table.mean, &table.sigma, &table.quantile].iter().any(|array| array.iter().any(|v| !v.is_finite())) {
        return Err(wrong("currents so large that their statistics are not finite".into()));
    }
    shares(&mut table);
    table.device.certificate = check::certificate(&table, &nodes, options.tolerance_fraction);
    Ok(table)
}

/// Statistics of the cells at every node, rising with the state; how many numbers were pooled for that.
fn fill(table: &mut DeviceTable, nodes: &[Cells]) -> usize {
    let mut ranks: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (node, cells) in nodes.iter().enumerate() {
        let mut sorted: Vec<f64> = cells.values().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let (mean, sigma) = statistics::moments(&sorted);
        (table.mean[node], table.sigma[node]) = (mean, sigma);
        table.read_sigma[node] = table.noise.sigma_na(mean);
        let ranks = ranks.entry(sorted.len()).or_insert_with(|| statistics::rank_scores(sorted.len()));
        let quantiles = statistics::quantiles(&sorted, ranks, sigma);
        table.quantile[node * SCORE_COUNT..(node + 1) * SCORE_COUNT].copy_from_slice(&quantiles);
    }
    let (states, places) = (table.state.len(), table.time.len() * table.dose.len());
    let mut moved = 0;
    for place in 0..places {
        let weights: Vec<f64> = (0..states).map(|s| table.cells[s * places + place]).collect();
        let mut rise = |array: &mut [f64], width: usize, column: usize| {
            let index = |s: usize| (s * places + place) * width + column;
            let mut values: Vec<f64> = (0..states).map(|s| array[index(s)]).collect();
            moved += statistics::rising(&mut values, &weights);
            for (s, value) in values.into_iter().enumerate() {
                array[index(s)] = value;
            }
        };
        rise(&mut table.mean, 1, 0);
        for q in 0..SCORE_COUNT {
            rise(&mut table.quantile, SCORE_COUNT, q);
        }
    }
    moved
}

/// Where the spread comes from, by what grew: the first time and dose have the variance of programming,
/// what time alone adds is drift, and the rest came with the dose.
fn shares(table: &mut DeviceTable) {
    let (times, doses) = (table.time.len(), table.dose.len());
    for s in 0..table.state.len() {
        let variance = |t: usize, d: usize| table.sigma[(s * times + t) * doses + d].powi(2);
        for t in 0..times {
            for d in 0..doses {
                let whole = variance(t, d);
                if whole <= 0.0 {
                    continue;
                }
                let programming = variance(0, 0).min(whole);
                let drift = (variance(t, 0) - variance(0, 0)).clamp(0.0, whole - programming);
                let node = (s * times + t) * doses + d;
                table.share_programming[node] = programming / whole;
                table.share_drift[node] = drift / whole;
                table.share_dose[node] = 1.0 - (programming + drift) / whole;
            }
        }
    }
}

/// Noise of a read against current from repeated reads, pooled in eight classes of current, and the
/// number of these reads.
fn read_noise(reads: &BTreeMap<Node, BTreeMap<&str, Vec<f64>>>, max_na: f64) -> (ReadNoise, usize) {
    const CLASSES: usize = 8;
    let mut pools = [(0.0, 0.0, 0.0); CLASSES];
    let mut count = 0;
    for repeats in reads.values().flat_map(BTreeMap::values).filter(|repeats| repeats.len() > 1) {
        let (mean, sigma) = statistics::moments(repeats);
        let free = (repeats.len() - 1) as f64;
        let class = (mean / max_na * CLASSES as f64).clamp(0.0, (CLASSES - 1) as f64) as usize;
        let (square, whole, current) = pools[class];
        pools[class] = (square + free * sigma * sigma, whole + free, current + free * mean);
        count += repeats.len();
    }
    let known = pools.iter().filter(|pool| pool.1 > 0.0);
    let mut points: Vec<(f64, f64)> =
        known.map(|(square, whole, current)| (current / whole, (square / whole).sqrt())).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.retain(|point| point.0 > 0.0 && point.0 < 1.5 * max_na);
    // Constant below the first and beyond the last class.
    let (first, last) = (points.first().map_or(0.0, |p| p.1), points.last().map_or(0.0, |p| p.1));
    points.insert(0, (0.0, first));
    points.push((1.5 * max_na, last));
    points.dedup_by(|b, a| b.0 <= a.0);
    let (at, sigma) = points.into_iter().unzip();
    (ReadNoise { at: Lookup::new(at), sigma }, count)
}

#[cfg(test)]
mod tests;
