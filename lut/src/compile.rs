//! Compiling a table: nodes are added where interpolation is worst until it is good enough.

use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::device::{Device, ReadNoise};
use crate::lookup::Lookup;
use crate::source::{CellSource, CellStatistics, SCORE_COUNT, SourceError, checked_scores};
use crate::table::{DeviceTable, TableError, Validity};
use crate::voltage::{ReadCurves, certify};
use std::collections::HashMap;

pub(crate) use check::{falls, monotone};
pub use ensemble::compile_ensemble;

mod check;
mod ensemble;
#[cfg(test)]
pub(crate) mod tests_support;

/// Below this time the time axis is linear (s): a minute, shorter than any retention read.
pub(crate) const TIME_SCALE_S: f64 = 60.0;
/// Below this dose the dose axis is linear (krad(Si)).
pub(crate) const DOSE_SCALE_KRAD: f64 = 10.0;
/// Rounds of refinement after which the certificate says what was reached.
const ROUNDS: usize = 12;
/// Rounds of checks at random points.
const CHECK_ROUNDS: usize = 6;
/// Nodes that an axis may have.
const MOST_NODES: usize = 160;
/// Read noise is tabulated up to this multiple of the largest current.
const NOISE_RANGE: f64 = 1.5;
/// Intervals that read noise against current may have.
const MOST_NOISE_INTERVALS: u32 = 1536;

/// How a table is compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct CompileOptions {
    /// Largest interpolation error that is wanted, as a fraction of the largest current.
    pub tolerance_fraction: f64,
    /// Longest time (s); 0 for a table at the time of programming alone.
    pub time_max_s: f64,
    /// Largest dose (krad(Si)); 0 for a table without dose.
    pub dose_max_krad_si: f64,
}

impl Default for CompileOptions {
    /// A thousandth of the range, five days, 1 Mrad(Si).
    fn default() -> Self {
        Self { tolerance_fraction: 1e-3, time_max_s: 432_000.0, dose_max_krad_si: 1000.0 }
    }
}

impl CompileOptions {
    fn check(&self) -> Result<(), TableError> {
        check_tolerance(self.tolerance_fraction)?;
        for (name, value) in [("time_max_s", self.time_max_s), ("dose_max_krad_si", self.dose_max_krad_si)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(TableError::Asked(format!("{name} = {value}, expected a number of 0 or more")));
            }
        }
        Ok(())
    }
}

/// A largest current that is one.
pub(crate) fn check_current(max_na: f64) -> Result<(), TableError> {
    if max_na > 0.0 && max_na.is_finite() {
        return Ok(());
    }
    Err(TableError::Asked(format!("a largest current of {max_na} nA, expected a number above 0")))
}

/// A tolerance that can be met.
pub(crate) fn check_tolerance(fraction: f64) -> Result<(), TableError> {
    if fraction > 0.0 && fraction.is_finite() {
        return Ok(());
    }
    Err(TableError::Asked(format!("tolerance_fraction = {fraction}, expected a number above 0")))
}

/// Compiles a table from a source.
///
/// # Errors
/// When the options make no sense, or the source has no answer at a point that is needed.
pub fn compile(source: &dyn CellSource, options: &CompileOptions) -> Result<DeviceTable, TableError> {
    options.check()?;
    let mut compiler = Compiler::new(source, options)?;
    let mut axes = Axes {
        state: first_states(),
        time: axis(options.time_max_s, TIME_SCALE_S, 5),
        dose: axis(options.dose_max_krad_si, DOSE_SCALE_KRAD, 6),
    };
    let mut table = compiler.fill(&axes)?;
    for _ in 0..ROUNDS {
        let grown = compiler.refine(&table, &axes)?;
        if grown == axes {
            break;
        }
        axes = grown;
        table = compiler.fill(&axes)?;
    }
    // Points off the lines between nodes may still be worse than the tolerance, and curves in time of neighbouring
    // states may cross: the axes grow there.
    for round in 0..CHECK_ROUNDS {
        let checks = compiler.check(&table, &axes)?;
        table.device.certificate = checks.0;
        let falls = falls(&table);
        if (table.device.certificate.met() && falls.is_empty()) || round + 1 == CHECK_ROUNDS {
            break;
        }
        let grown = axes.around(&checks.1).between(&falls);
        if grown == axes {
            break;
        }
        axes = grown;
        table = compiler.fill(&axes)?;
    }
    let curves = ReadCurves::compile(source, compiler.max_na, options.tolerance_fraction)?;
    table.device.curves = certify(curves, &mut table.device.certificate);
    table.device.certificate.monotone = monotone(&table);
    Ok(table)
}

/// The states from which refinement starts: even ones, and below them one for each decade down to the off
/// current, where thresholds become logarithms of the state.
pub(crate) fn first_states() -> Axis {
    let even = (1..=16).map(|i| f64::from(i) / 16.0);
    let small = [0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.003, 0.01, 0.03];
    Axis::new(small.into_iter().chain(even).collect(), None)
}

fn axis(max: f64, scale: f64, intervals: usize) -> Axis {
    let whole = Axis::new(vec![0.0, max.max(0.0)], Some(scale));
    let end = whole.coordinate(max.max(0.0));
    let mut nodes: Vec<f64> =
        (0..intervals).map(|i| whole.value(end * i as f64 / intervals as f64)).collect();
    nodes.push(max.max(0.0));
    Axis::new(nodes, Some(scale))
}

#[derive(Debug, Clone, PartialEq)]
struct Axes {
    state: Axis,
    time: Axis,
    dose: Axis,
}

type Point = (f64, f64, f64);

impl Axes {
    fn points(&self) -> impl Iterator<Item = Point> + '_ {
        self.state.nodes().iter().flat_map(move |&s| {
            self.time.nodes().iter().flat_map(move |&t| self.dose.nodes().iter().map(move |&d| (s, t, d)))
        })
    }

    /// The axes with nodes in the middle of the intervals in which these points lie.
    fn around(&self, points: &[Point]) -> Self {
        Self {
            state: grown(&self.state, points.iter().map(|p| p.0)),
            time: grown(&self.time, points.iter().map(|p| p.1)),
            dose: grown(&self.dose, points.iter().map(|p| p.2)),
        }
    }

    /// The same in time and dose alone.
    fn between(&self, places: &[(f64, f64)]) -> Self {
        Self {
            state: self.state.clone(),
            time: grown(&self.time, places.iter().map(|p| p.0)),
            dose: grown(&self.dose, places.iter().map(|p| p.1)),
        }
    }
}

/// An axis with nodes in the middle of the intervals in which these values lie.
fn grown(axis: &Axis, values: impl Iterator<Item = f64>) -> Axis {
    if axis.len() < 2 || axis.len() >= MOST_NODES {
        return axis.clone();
    }
    let middles: Vec<f64> = values.map(|v| axis.middle(axis.place(v).i.min(axis.len() - 2))).collect();
    axis.with(&middles)
}

struct Compiler<'a> {
    source: &'a dyn CellSource,
    options: &'a CompileOptions,
    known: HashMap<[u64; 3], Node>,
    max_na: f64,
    noise: ReadNoise,
    /// Error of the read noise against current between its nodes, as a fraction of the largest current.
    noise_error: f64,
}

/// What a source says about a point.
#[derive(Clone)]
struct Node {
    statistics: CellStatistics,
    read_sigma_na: f64,
}

/// The worst error of a point, with the quantity that has it.
type Misfit = (f64, &'static str);

impl<'a> Compiler<'a> {
    fn new(source: &'a dyn CellSource, options: &'a CompileOptions) -> Result<Self, TableError> {
        let max_na = source.describe().current_max_na;
        check_current(max_na)?;
        let (noise, noise_error) = read_noise(source, max_na, options.tolerance_fraction)?;
        Ok(Self { source, options, known: HashMap::new(), max_na, noise, noise_error })
    }

    fn cell(&mut self, (s, t, d): Point) -> Result<Node, TableError> {
        let key = [s, t, d].map(f64::to_bits);
        if let Some(cell) = self.known.get(&key) {
            return Ok(cell.clone());
        }
        let statistics = self.source.cell(s, t, d)?;
        let read_sigma_na = self.source.read_sigma_na(s, t, d, &statistics);
        let noisy = !(read_sigma_na.is_finite() && read_sigma_na >= 0.0);
        let no_noise = || noisy.then(|| format!("a read noise of {read_sigma_na} nA"));
        if let Some(reason) = wrong_with(&statistics).or_else(no_noise) {
            return Err(SourceError { state: s, time_s: t, dose_krad_si: d, reason }.into());
        }
        let cell = Node { statistics, read_sigma_na };
        self.known.insert(key, cell.clone());
        Ok(cell)
    }

    fn fill(&mut self, axes: &Axes) -> Result<DeviceTable, TableError> {
        let info = self.source.describe();
        let count = axes.state.len() * axes.time.len() * axes.dose.len();
        let mut table = DeviceTable {
            device: Device {
                name: info.name,
                origin: info.origin,
                current_max_na: info.current_max_na,
                notes: info.notes,
                certificate: Certificate::none(self.options.tolerance_fraction),
                extrapolated_nodes: 0,
                read_voltage_v: self.source.read_voltage_v(),
                noise: self.noise.clone(),
                curves: None,
            },
            validity: (info.time_max_s.is_finite() && info.dose_max_krad_si.is_finite())
                .then_some(Validity { time_max_s: info.time_max_s, dose_max_krad_si: info.dose_max_krad_si }),
            state: axes.state.clone(),
            time: axes.time.clone(),
            dose: axes.dose.clone(),
            mean: Vec::with_capacity(count),
            sigma: Vec::with_capacity(count),
            quantile: Vec::with_capacity(count * SCORE_COUNT),
            share_programming: Vec::with_capacity(count),
            share_drift: Vec::with_capacity(count),
            share_dose: Vec::with_capacity(count),
            read_sigma: Vec::with_capacity(count),
            cells: Vec::new(),
        };
        for point in axes.points() {
            let cell = self.cell(point)?;
            table.read_sigma.push(cell.read_sigma_na);
            let cell = cell.statistics;
            table.mean.push(cell.mean_na);
            table.sigma.push(cell.sigma_na);
            table.quantile.extend_from_slice(&cell.quantiles_na);
            table.share_programming.push(cell.share.programming);
            table.share_drift.push(cell.share.drift);
            table.share_dose.push(cell.share.dose);
            table.device.extrapolated_nodes += usize::from(cell.extrapolated);
        }
        Ok(table)
    }

    fn misfit(&mut self, table: &DeviceTable, point: Point) -> Result<Misfit, TableError> {
        let (s, t, d) = point;
        let Node { statistics: cell, read_sigma_na } = self.cell(point)?;
        let at = table.places(s, t, d);
        let error = |array: &[f64], width: usize, column: usize, truth: f64| {
            (table.interpolate(array, width, column, &at) - truth).abs() / self.max_na
        };
        let mut worst = (error(&table.mean, 1, 0, cell.mean_na), "mean");
        let sigma = error(&table.sigma, 1, 0, cell.sigma_na);
        if sigma > worst.0 {
            worst = (sigma, "sigma");
        }
        let read = error(&table.read_sigma, 1, 0, read_sigma_na);
        if read > worst.0 {
            worst = (read, "read noise");
        }
        for q in checked_scores() {
            let quantile = error(&table.quantile, SCORE_COUNT, q, cell.quantiles_na[q]);
            if quantile > worst.0 {
                worst = (quantile, "quantile");
            }
        }
        Ok(worst)
    }

    /// The axes with a node in the middle of every interval where some line between nodes is worse than
    /// half the tolerance. Lines run through the ends and middles of the other two axes.
    fn refine(&mut self, table: &DeviceTable, axes: &Axes) -> Result<Axes, TableError> {
        let wanted = 0.5 * self.options.tolerance_fraction;
        let some = |axis: &Axis| -> Vec<f64> {
            let n = axis.len();
            let mut chosen: Vec<f64> =
                [0, n / 3, 2 * n / 3, n - 1].map(|i| axis.nodes()[i.min(n - 1)]).to_vec();
            chosen.dedup();
            chosen
        };
        let (states, times, doses) = (some(&axes.state), some(&axes.time), some(&axes.dose));
        let mut grown = axes.clone();
        for which in 0..3 {
            let axis = [&axes.state, &axes.time, &axes.dose][which];
            if axis.len() < 2 || axis.len() >= MOST_NODES {
                continue;
            }
            let mut more = Vec::new();
            for i in 0..axis.len() - 1 {
                let middle = axis.middle(i);
                let mut worst = 0.0_f64;
                let (a, b) = [(&times, &doses), (&states, &doses), (&states, &times)][which];
                for &x in a {
                    for &y in b {
                        let point = [(middle, x, y), (x, middle, y), (x, y, middle)][which];
                        worst = worst.max(self.misfit(table, point)?.0);
                    }
                }
                if worst > wanted {
                    more.push(middle);
                }
            }
            match which {
                0 => grown.state = axes.state.with(&more),
                1 => grown.time = axes.time.with(&more),
                _ => grown.dose = axes.dose.with(&more),
            }
        }
        Ok(grown)
    }
}

/// What keeps these statistics out of a table.
pub(crate) fn wrong_with(cell: &CellStatistics) -> Option<String> {
    let share = cell.share;
    let shares = [share.programming, share.drift, share.dose];
    if ![cell.mean_na, cell.sigma_na].iter().chain(&shares).chain(&cell.quantiles_na).all(|v| v.is_finite()) {
        return Some("a number that is not finite".into());
    }
    if cell.sigma_na < 0.0 || shares.iter().any(|part| *part < 0.0) {
        return Some("a negative spread or share".into());
    }
    let falls = cell.quantiles_na.windows(2).any(|pair| pair[0] > pair[1]);
    falls.then(|| "quantiles that fall with the score".into())
}

/// Read noise against current, on nodes that halve until it is linear between them, and its error.
pub(crate) fn read_noise(
    source: &dyn CellSource,
    max_na: f64,
    tolerance_fraction: f64,
) -> Result<(ReadNoise, f64), TableError> {
    let mut intervals = 96_u32;
    loop {
        let current = |i: f64| NOISE_RANGE * max_na * i / f64::from(intervals);
        let currents: Vec<f64> = (0..=intervals).map(|i| current(f64::from(i))).collect();
        let sigma: Vec<f64> = currents.iter().map(|&i| source.read_noise_na(i)).collect();
        if let Some(bad) = sigma.iter().find(|s| !(s.is_finite() && **s >= 0.0)) {
            let reason = format!("a read noise of {bad} nA");
            return Err(SourceError { state: 0.0, time_s: 0.0, dose_krad_si: 0.0, reason }.into());
        }
        let noise = ReadNoise { at: Lookup::new(currents), sigma };
        let error = (0..intervals).map(|i| current(f64::from(i) + 0.5)).fold(0.0_f64, |worst, current| {
            worst.max((noise.sigma_na(current) - source.read_noise_na(current)).abs() / max_na)
        });
        if error <= 0.5 * tolerance_fraction || intervals >= MOST_NOISE_INTERVALS {
            return Ok((noise, error));
        }
        intervals *= 2;
    }
}
