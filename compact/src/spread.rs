//! Spreads: of read currents around a state (read noise) and of thresholds around their mean (programming, time,
//! dose).

use crate::fit::{Axis, Deviation, Device, FitOptions, Loss, Regression, Series, Transform};
use crate::model::{Entry, Kind, ModelInfo, ParameterInfo, Simulation};
use crate::readings::{CORNER, Cell, cells, filled, missing, nothing, split};
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::table::Table;

/// Parameters of [`read_noise_na`].
pub const READ_NOISE: ModelInfo = ModelInfo {
    name: "read-noise",
    version: 1,
    title: "spread of repeated reads of a cell against its current",
    law: "sigma(I) = A (1 - exp(-I/B))",
    parameters: &[
        ParameterInfo {
            name: "noise_max_na",
            unit: "nA",
            default: 12.580_37,
            lower: 1e-3,
            upper: 1e4,
            transform: Transform::Log,
            kind: Kind::Measured,
            source: "IEDM 2022 device file (design notes A.5 and A.6)",
            meaning: "A, noise of large currents",
        },
        ParameterInfo {
            name: "noise_current_na",
            unit: "nA",
            default: 215.365_57,
            lower: 1.0,
            upper: 1e6,
            transform: Transform::Log,
            kind: Kind::Measured,
            source: "IEDM 2022 device file (design notes A.5 and A.6)",
            meaning: "B, current at which the noise saturates; A/B is its relative size at small currents",
        },
    ],
    validity: "white from read to read; a telegraph signal that outlasts a read shows as drift instead",
    references: &["design notes A.5", "IEDM 2022 device file"],
};

/// Parameters of [`threshold_spread_v`].
pub const THRESHOLD_SPREAD: ModelInfo = ModelInfo {
    name: "threshold-spread",
    version: 1,
    title: "spread of the thresholds of a state over devices, growing with time and dose",
    law: "sigma^2 = sigma_p^2 + s_r^2 log10(1 + t/t_0r) + s_D^2 D",
    parameters: &[
        ParameterInfo {
            name: "sigma_programmed_v",
            unit: "V",
            default: 2.8e-3,
            lower: 1e-6,
            upper: 1.0,
            transform: Transform::Log,
            kind: Kind::Derived,
            source: "TCAS-I 2022 spread of small currents at t = 0 (design notes A.6)",
            meaning: "sigma_p, spread right after programming",
        },
        ParameterInfo {
            name: "growth_v_per_root_decade",
            unit: "V/decade^0.5",
            default: 4.7e-3,
            lower: 1e-7,
            upper: 1.0,
            transform: Transform::Log,
            kind: Kind::Derived,
            source: "IEDM 2022 small currents: 4.1 to 6.1 mV in 5 d (design notes A.6), with t_0r as below",
            meaning: "s_r, root of the growth of the variance per decade of time",
        },
        ParameterInfo {
            name: "growth_time_s",
            unit: "s",
            default: 5.78e4,
            lower: 1e-3,
            upper: 1e8,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "that of the growth of current spreads, see sonos-programming",
            meaning: "t_0r, time at which the growth becomes logarithmic",
        },
        ParameterInfo {
            name: "dose_v_per_root_krad_si",
            unit: "V/krad^0.5",
            default: 7.5e-4,
            lower: 1e-7,
            upper: 0.1,
            transform: Transform::Log,
            kind: Kind::Derived,
            source: "counting of captured charges on 0.05 um^2 (design notes A.7)",
            meaning: "s_D, root of the growth of the variance per dose",
        },
    ],
    validity: "variances that add up; the spread of D_c between devices, which moves far states most, is not in it",
    references: &["design notes A.4 and A.7"],
};

/// The laws as commands find them.
pub const ENTRIES: &[Entry] = &[
    Entry {
        info: &READ_NOISE,
        kinds: &[mho_data::measurement::Kind::StateCurrent],
        fitting: Some(read_noise),
        simulation: Simulation::new(&["current_na"], &["sigma_na"], |card| {
            let values = card.values(&READ_NOISE);
            Box::new(move |at| vec![read_noise_na(&values, at[0])])
        }),
        circuit: None,
    },
    Entry {
        info: &THRESHOLD_SPREAD,
        kinds: &[mho_data::measurement::Kind::Threshold],
        fitting: Some(threshold_spread),
        simulation: Simulation::new(&["dose_krad_si", "time_s"], &["sigma_v"], |card| {
            let values = card.values(&THRESHOLD_SPREAD);
            Box::new(move |at| vec![threshold_spread_v(&values, at[1], at[0])])
        }),
        circuit: None,
    },
];

/// Read noise, nA, of a current in nA; values in the order of [`READ_NOISE`].
pub fn read_noise_na(values: &[f64], current_na: f64) -> f64 {
    match values {
        &[largest_na, saturation_na] => -largest_na * (-current_na / saturation_na).exp_m1(),
        _ => f64::NAN,
    }
}

/// Spread of thresholds, V, after a time in s and a dose in krad(Si); values in the order of
/// [`THRESHOLD_SPREAD`].
pub fn threshold_spread_v(values: &[f64], time_s: f64, dose_krad_si: f64) -> f64 {
    match values {
        &[programmed, growth, time_0_s, dose] => {
            let decades = (time_s.max(0.0) / time_0_s).ln_1p() / std::f64::consts::LN_10;
            (programmed.powi(2) + growth.powi(2) * decades + dose.powi(2) * dose_krad_si.max(0.0)).sqrt()
        }
        _ => f64::NAN,
    }
}

/// Numbers that a spread is taken over, at least.
const FEWEST: usize = 4;

/// A spread with what it was taken over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sigma: f64,
    /// Numbers.
    pub count: usize,
}

impl Spread {
    /// Of at least four finite numbers that are not all equal.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let count = numbers.len();
        let mean = numbers.iter().sum::<f64>() / count as f64;
        let sigma = (numbers.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / (count as f64 - 1.0)).sqrt();
        (count >= FEWEST && sigma > 0.0 && sigma.is_finite()).then_some(Self { mean, sigma, count })
    }

    /// Relative standard deviation of `sigma` itself, for normal numbers.
    pub fn relative(&self) -> f64 {
        (2.0 * (self.count as f64 - 1.0)).sqrt().recip()
    }
}

/// Spreads in the order in which a regression takes them: `(x, spread, order)` per curve of a device.
pub(crate) type Curve = Vec<(f64, Spread, f64)>;

/// How a spread deviates, and the devices with their curves, from named curves. The chance scatter of a spread of
/// normal numbers is known; its best one sets the scale, the others are as much wider.
pub(crate) fn devices(curves: Vec<(String, Curve)>) -> (Vec<Device>, Deviation) {
    let all = || curves.iter().flat_map(|(_, curve)| curve);
    let best = all().map(|(_, spread, _)| spread.relative()).fold(f64::INFINITY, f64::min);
    let smallest = all().map(|(_, spread, _)| spread.sigma).fold(f64::INFINITY, f64::min);
    // Far below every spread, so that deviations are relative throughout.
    let deviation = Deviation::Log { relative: best, floor: 1e-6 * smallest };
    let devices = curves
        .into_iter()
        .map(|(name, curve)| Device {
            series: vec![Series {
                label: name.clone(),
                x: curve.iter().map(|(x, ..)| *x).collect(),
                y: curve.iter().map(|(_, spread, _)| spread.sigma).collect(),
                order: curve.iter().map(|(.., order)| *order).collect(),
                wider: curve.iter().map(|(_, spread, _)| spread.relative() / best).collect(),
            }],
            name,
        })
        .collect();
    (devices, deviation)
}

/// The fit of read noise to cells that were read several times at equal dose and time.
///
/// # Errors
/// [`InputError`] when a column is missing or no cell was read four times.
pub fn read_noise(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let (all, dropped) = cells(measurement).map_err(|error| missing(measurement, &error))?;
    let curve = |cell: &Cell| -> Curve {
        cell.readings
            .chunk_by(|a, b| a[..2] == b[..2])
            .filter_map(|equal| {
                let spread = Spread::of(&equal.iter().map(|reading| reading[2]).collect::<Vec<f64>>())?;
                Some((spread.mean, spread, equal[0][1]))
            })
            .collect()
    };
    let curves: Vec<(String, Curve)> = all
        .iter()
        .map(|cell| (cell.name.clone(), curve(cell)))
        .filter(|(_, curve)| !curve.is_empty())
        .collect();
    if curves.is_empty() {
        let expected = "at least one cell read four times at equal dose and time";
        return Err(nothing(measurement, format!("{} cells, each read once", all.len()), expected));
    }
    let currents: Vec<Vec<f64>> =
        curves.iter().map(|(_, curve)| curve.iter().map(|(x, ..)| *x).collect()).collect();
    let fitted: Vec<(&'static str, f64)> =
        READ_NOISE.parameters.iter().map(|info| (info.name, info.default)).collect();
    let (parameters, fixed) = split(&READ_NOISE, &fitted, "");
    let (devices, deviation) = devices(curves);
    Ok(Regression {
        model: &READ_NOISE,
        parameters,
        devices,
        law: Box::new(move |values, device| {
            currents[device].iter().map(|&current| read_noise_na(values, current)).collect()
        }),
        deviation,
        x: Axis { title: "mean current I", unit: "nA", log: true },
        y: Axis { title: "read noise sigma_I", unit: "nA", log: true },
        options: FitOptions { loss: Loss::Robust { corner: CORNER }, ..FitOptions::default() },
        slopes: None,
        priors: Vec::new(),
        fixed,
        dropped,
        notes: vec!["a drift between repeated reads counts as noise".to_owned()],
    })
}

/// Whose threshold stands in which row, and at which drain voltage it was read.
struct Devices<'t> {
    names: Option<&'t [String]>,
    drain_v: Option<&'t [f64]>,
    /// Differing names.
    count: usize,
}

impl<'t> Devices<'t> {
    fn new(table: &'t Table) -> Self {
        let names = table.texts("device").ok();
        let mut differing: Vec<&String> = names.unwrap_or_default().iter().collect();
        differing.sort();
        differing.dedup();
        // One name for all rows is no name: then each row is a device.
        let count = if differing.len() > 1 { differing.len() } else { table.len() };
        let names = names.filter(|_| differing.len() > 1);
        Self { names, drain_v: table.floats("vd_v").ok(), count }
    }

    /// One threshold for each device among rows that were read alike: at its smallest drain voltage, the mean where
    /// there are several.
    fn thresholds(&self, rows: &[usize], vt_v: &[f64]) -> Vec<f64> {
        let Some(names) = self.names else { return rows.iter().map(|&row| vt_v[row]).collect() };
        let bias = |row: usize| self.drain_v.map_or(0.0, |drain| drain[row].abs());
        let mut rows = rows.to_vec();
        rows.sort_by(|&a, &b| names[a].cmp(&names[b]).then(bias(a).total_cmp(&bias(b))));
        rows.chunk_by(|&a, &b| names[a] == names[b])
            .map(|own| {
                let least: Vec<f64> = own
                    .iter()
                    .take_while(|row| bias(**row) <= bias(own[0]) + SAME_BIAS_V)
                    .map(|&row| vt_v[row])
                    .collect();
                least.iter().sum::<f64>() / least.len().max(1) as f64
            })
            .collect()
    }

    /// What a reader of the spreads has to know; `repeated`: thresholds beyond one for each device.
    fn in_words(&self, repeated: usize) -> Vec<String> {
        let mut notes = vec!["the states are the observations: the devices stand in the spreads".to_owned()];
        if self.names.is_none() {
            notes.push("the rows tell no devices apart: each threshold counts as one device".into());
        }
        if repeated > 0 {
            notes.push(format!(
                "one threshold for each device, at its smallest drain voltage and the mean of several there: {repeated} \
                 others of the same devices are no devices of their own"
            ));
        }
        notes
    }
}

/// Drain voltages within this are one, V.
const SAME_BIAS_V: f64 = 1e-3;

/// The fit of the spread of thresholds to those of several devices in equal states, times and doses.
///
/// # Errors
/// [`InputError`] when a column is missing or no state has thresholds of four devices.
pub fn threshold_spread(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let table = &measurement.table;
    let failed = |error| missing(measurement, &error);
    let vt_v = table.floats("vt_v").map_err(failed)?;
    let doses = table.floats("dose_krad_si").map_err(failed)?;
    let times = if table.has("time_s") { Some(table.floats("time_s").map_err(failed)?) } else { None };
    let states = if table.has("state") { Some(table.texts("state").map_err(failed)?) } else { None };
    let time = |row: usize| times.map_or(0.0, |times| times[row]);
    let state = |row: usize| states.map_or("", |states| states[row].as_str());
    let devices_of = Devices::new(table);
    let mut repeated = 0;
    let usable = |row: &usize| [vt_v[*row], doses[*row], time(*row)].iter().all(|value| value.is_finite());
    let mut order: Vec<usize> = (0..table.len()).filter(usable).collect();
    let dropped = table.len() - order.len();
    order.sort_by(|&a, &b| {
        state(a).cmp(state(b)).then(doses[a].total_cmp(&doses[b])).then(time(a).total_cmp(&time(b)))
    });
    let mut points: Vec<Vec<[f64; 2]>> = Vec::new();
    let mut curves: Vec<(String, Curve)> = Vec::new();
    for rows in order.chunk_by(|&a, &b| state(a) == state(b)) {
        let mut curve = Curve::new();
        let mut places = Vec::new();
        for equal in rows.chunk_by(|&a, &b| doses[a] == doses[b] && time(a) == time(b)) {
            let numbers = devices_of.thresholds(equal, vt_v);
            repeated += equal.len() - numbers.len();
            if let Some(spread) = Spread::of(&numbers) {
                let (dose, time_s) = (doses[equal[0]], time(equal[0]));
                places.push([time_s, dose]);
                curve.push((dose, spread, dose));
            }
        }
        if !curve.is_empty() {
            curves.push((format!("state {}", state(rows[0])), curve));
            points.push(places);
        }
    }
    if curves.is_empty() {
        let expected = "thresholds of at least four devices in one state, at one time and dose";
        let found = format!("{} thresholds of {} devices", order.len(), devices_of.count);
        return Err(nothing(measurement, found, expected));
    }
    let several = |place: usize| points.iter().flatten().any(|point| point[place] > 0.0);
    let (late, dosed) = (several(0), several(1));
    let fitted: Vec<(&'static str, f64)> = THRESHOLD_SPREAD
        .parameters
        .iter()
        .filter(|info| match info.name {
            "growth_v_per_root_decade" => late,
            "dose_v_per_root_krad_si" => dosed,
            name => name != "growth_time_s",
        })
        .map(|info| (info.name, info.default))
        .collect();
    let (parameters, fixed) = split(&THRESHOLD_SPREAD, &fitted, "nothing in the data varies with it alone");
    let full = filled(&THRESHOLD_SPREAD, &fitted);
    let (devices, deviation) = devices(curves);
    Ok(Regression {
        model: &THRESHOLD_SPREAD,
        parameters,
        devices,
        law: Box::new(move |values, device| {
            let mut all = full(values);
            // What is not fitted has not been there.
            if !late {
                all[1] = 0.0;
            }
            if !dosed {
                all[3] = 0.0;
            }
            points[device].iter().map(|&[time_s, dose]| threshold_spread_v(&all, time_s, dose)).collect()
        }),
        deviation,
        x: Axis { title: "dose D", unit: "krad(Si)", log: false },
        y: Axis { title: "spread of thresholds", unit: "V", log: true },
        options: FitOptions { loss: Loss::Robust { corner: CORNER }, ..FitOptions::default() },
        slopes: None,
        priors: Vec::new(),
        fixed,
        dropped,
        notes: devices_of.in_words(repeated),
    })
}
