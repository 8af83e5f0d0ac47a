//! One sweep: its points sorted into what can be fitted and what cannot, and the fit of the EKV law.

use crate::ekv::{Bias, Ekv, INFO};
use crate::extract::{THRESHOLD_CURRENT_A, constant_current_threshold_v, subthreshold_swing_v};
use crate::fit::{FitError, FitOptions, FitResult, Loss, Parameter, Problem, least_squares};

/// A sweep as measured: equal lengths, any order of the gate voltage.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sweep {
    /// Gate voltage, V.
    pub gate_v: Vec<f64>,
    /// Drain current, A.
    pub drain_a: Vec<f64>,
    /// Whether the instrument limited the current.
    pub limited: Vec<bool>,
    /// Drain voltage, V.
    pub drain_v: f64,
    /// Temperature, K.
    pub temperature_k: f64,
    /// Current below which the instrument sees noise, A; NaN where it does not say.
    pub noise_floor_a: f64,
}

/// How sweeps are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepOptions {
    /// Relative standard deviation of a current well above the noise floor, of instrument and law
    /// together; only its ratio to the noise floor matters to the values.
    pub relative: f64,
    /// Residuals beyond this many standard deviations pull with a bounded force.
    pub robust_scale: f64,
    /// The fit is started from elsewhere too when its weighted rms stays above this.
    pub demanding_rms: f64,
    /// Starts in that case.
    pub starts: usize,
    /// Fewest points that are fitted.
    pub fewest_points: usize,
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self { relative: 0.05, robust_scale: 3.0, demanding_rms: 2.0, starts: 8, fewest_points: 8 }
    }
}

/// What became of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointUse {
    /// Fitted in ln I.
    Fitted,
    /// Near the noise floor or negative: fitted in I.
    NearFloor,
    /// The instrument limited the current.
    Limited,
    /// Not a number, or negative far beyond the noise.
    Unusable,
}

impl PointUse {
    /// The word in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Fitted => "fitted",
            Self::NearFloor => "near floor",
            Self::Limited => "compliance",
            Self::Unusable => "unusable",
        }
    }
}

/// A fitted sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepFit {
    /// The law with the fitted values.
    pub law: Ekv,
    /// The fit: `vt_v`, `slope_factor`, `i_spec_a`, `theta_per_v`, `leakage_a`; `rms` is in standard
    /// deviations, `rms_log` in ln I over the points above ten noise floors.
    pub fit: FitResult,
    /// Gate voltage at 100 nA on the fitted curve, V, and its standard deviation: the threshold
    /// that the form of the law hardly touches.
    pub threshold_v: [f64; 2],
    /// The same, interpolated between the measured points; NaN where the sweep does not cross it.
    pub threshold_measured_v: f64,
    /// Subthreshold swing of the measured points, V per decade; NaN where there is none.
    pub swing_v: f64,
    /// What became of each point, in the order of the sweep.
    pub uses: Vec<PointUse>,
    /// Noise floor used, A.
    pub noise_floor_a: f64,
    /// Correlation of neighbouring residuals; it widens the standard deviations.
    pub neighbour_correlation: f64,
    /// Whether the first start was not enough.
    pub restarted: bool,
}

impl SweepFit {
    /// Points of this use.
    pub fn count(&self, wanted: PointUse) -> usize {
        self.uses.iter().filter(|used| **used == wanted).count()
    }

    /// Fitted drain current, A.
    pub fn current_a(&self, sweep: &Sweep, gate_v: f64) -> f64 {
        let Sweep { drain_v, temperature_k, .. } = *sweep;
        self.law.current_a(Bias { gate_v, drain_v, temperature_k })
    }
}

/// Why a sweep was not fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SweepError {
    /// Too few usable points.
    #[error("{usable} usable points of {all}; at least {needed} are needed")]
    TooFewPoints {
        /// Points above the floor and below compliance.
        usable: usize,
        /// All points.
        all: usize,
        /// Fewest.
        needed: usize,
    },
    /// The sweep never leaves the noise.
    #[error("the largest current, {largest_a:.1e} A, is within ten times the noise floor of {floor_a:.1e} A")]
    NoSignal {
        /// Largest current, A.
        largest_a: f64,
        /// Noise floor, A.
        floor_a: f64,
    },
    /// The law needs a drain voltage.
    #[error("drain voltage {drain_v} V: a positive one is needed")]
    DrainVoltage {
        /// Drain voltage, V.
        drain_v: f64,
    },
    /// The fit failed.
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// Currents below this many noise floors are fitted in I, above it in ln I: there both residuals
/// agree to first order.
const FLOOR_MULTIPLE: f64 = 3.0;

/// The misfit in ln I is stated over points above this many noise floors.
const CLEAR_MULTIPLE: f64 = 10.0;

/// A negative current this many noise floors deep is no noise.
const NEGATIVE_LIMIT: f64 = 6.0;

/// Instruments write 9.9E37 for a current out of range; no transistor carries this much.
const OVERFLOW_A: f64 = 1.0;

/// Noise floor taken when nothing hints at one, A: that of a common parameter analyser.
const DEFAULT_FLOOR_A: f64 = 1e-13;

/// Standard deviation of ln theta about its default, as one further residual: where compliance ends
/// a sweep before the mobility bends it, theta would otherwise run to a bound and take the
/// threshold with it. Assumed: within a factor of e; a sweep that shows the bend overrules it.
const THETA_SPREAD: f64 = 1.0;

/// Fits the EKV law to a sweep. Threshold, slope factor, specific current, mobility reduction and
/// leakage move; barrier lowering, channel-length modulation and the temperature coefficient need
/// sweeps at other drain voltages and temperatures and are held at their defaults.
///
/// Residuals are in ln I with sigma^2 = relative^2 + (floor/I)^2; near the floor, where ln I is
/// undefined for half of the points, the same in I.
///
/// # Errors
/// [`SweepError`] for sweeps that do not determine the law.
pub fn fit_sweep(sweep: &Sweep, options: &SweepOptions) -> Result<SweepFit, SweepError> {
    if !(sweep.drain_v.is_finite() && sweep.drain_v > 0.0) {
        return Err(SweepError::DrainVoltage { drain_v: sweep.drain_v });
    }
    let floor_a = noise_floor_a(sweep);
    let uses = classify(sweep, floor_a);
    let kept: Vec<(f64, f64, bool)> = uses
        .iter()
        .zip(sweep.gate_v.iter().zip(&sweep.drain_a))
        .filter_map(|(used, (&gate, &current))| match used {
            PointUse::Fitted => Some((gate, current, true)),
            PointUse::NearFloor => Some((gate, current, false)),
            PointUse::Limited | PointUse::Unusable => None,
        })
        .collect();
    let clear = kept.iter().filter(|point| point.2).count();
    if clear < options.fewest_points {
        let largest_a = kept.iter().map(|point| point.1).fold(0.0, f64::max);
        if kept.len() >= options.fewest_points && largest_a < 10.0 * floor_a {
            return Err(SweepError::NoSignal { largest_a, floor_a });
        }
        let (all, needed) = (uses.len(), options.fewest_points);
        return Err(SweepError::TooFewPoints { usable: clear, all, needed });
    }

    let law = |p: &[f64]| Ekv {
        vt_v: p[0],
        slope_factor: p[1],
        i_spec_a: p[2],
        theta_per_v: p[3],
        leakage_a: p[4],
        ..Ekv::default()
    };
    let (drain_v, temperature_k) = (sweep.drain_v, sweep.temperature_k);
    let points = kept.clone();
    let relative = options.relative;
    let usual_theta = INFO.parameters[3].default;
    let mut problem = Problem::new(start(sweep, &kept, floor_a), move |p| {
        let law = law(p);
        points
            .iter()
            .map(|&(gate_v, measured, in_log)| {
                let model = law.current_a(Bias { gate_v, drain_v, temperature_k });
                if in_log {
                    (measured / model).ln() / relative.hypot(floor_a / measured)
                } else {
                    (measured - model) / (relative * model).hypot(floor_a)
                }
            })
            .chain([(p[3] / usual_theta).ln() / THETA_SPREAD])
            .collect()
    });
    problem.dropped = uses.len() - kept.len();

    let loss = Loss::SoftL1 { scale: options.robust_scale };
    let once = FitOptions { loss, patience: 40, ..FitOptions::default() };
    let first = least_squares(&problem, &once)?;
    let restarted = first.rms > options.demanding_rms;
    let mut fit = if restarted {
        least_squares(&problem, &FitOptions { starts: options.starts, ..once })?
    } else {
        first
    };

    let values = fit.values();
    let residuals = (problem.residuals)(&values);
    let neighbour_correlation = neighbour_correlation(&residuals[..kept.len()]);
    fit.points = kept.len();
    widen(&mut fit, neighbour_correlation);
    fit.warnings.retain(|text| !concerns_hidden_leakage(text));
    let logs: Vec<f64> = kept
        .iter()
        .filter(|point| point.1 > CLEAR_MULTIPLE * floor_a)
        .map(|&(gate_v, measured, _)| {
            (measured / law(&values).current_a(Bias { gate_v, drain_v, temperature_k })).ln()
        })
        .collect();
    fit.rms_log = Some(root_mean_square(&logs));
    let law = law(&values);
    let threshold_v = fitted_threshold_v(&law, &fit, sweep);
    let usable: (Vec<f64>, Vec<f64>) = kept.iter().map(|point| (point.0, point.1)).unzip();
    Ok(SweepFit {
        threshold_v,
        threshold_measured_v: constant_current_threshold_v(&usable.0, &usable.1, THRESHOLD_CURRENT_A)
            .unwrap_or(f64::NAN),
        swing_v: subthreshold_swing_v(&usable.0, &usable.1, floor_a).unwrap_or(f64::NAN),
        law,
        fit,
        uses,
        noise_floor_a: floor_a,
        neighbour_correlation,
        restarted,
    })
}

/// Given, or from the scatter of the lowest tenth of the currents.
fn noise_floor_a(sweep: &Sweep) -> f64 {
    if sweep.noise_floor_a.is_finite() && sweep.noise_floor_a > 0.0 {
        return sweep.noise_floor_a;
    }
    let mut currents: Vec<f64> = sweep.drain_a.iter().copied().filter(|i| i.is_finite()).collect();
    currents.sort_by(f64::total_cmp);
    let lowest = &currents[..currents.len().div_ceil(10)];
    let middle = lowest.get(lowest.len() / 2).copied().unwrap_or(0.0);
    let mut scatter: Vec<f64> = lowest.iter().map(|i| (i - middle).abs()).collect();
    scatter.sort_by(f64::total_cmp);
    scatter.get(scatter.len() / 2).copied().unwrap_or(0.0).max(DEFAULT_FLOOR_A)
}

fn classify(sweep: &Sweep, floor_a: f64) -> Vec<PointUse> {
    sweep
        .drain_a
        .iter()
        .enumerate()
        .map(|(row, &current)| {
            let gate_v = sweep.gate_v.get(row).copied().unwrap_or(f64::NAN);
            if sweep.limited.get(row).copied().unwrap_or(false) {
                PointUse::Limited
            } else if !gate_v.is_finite() || !(-NEGATIVE_LIMIT * floor_a..OVERFLOW_A).contains(&current) {
                PointUse::Unusable
            } else if current < FLOOR_MULTIPLE * floor_a {
                PointUse::NearFloor
            } else {
                PointUse::Fitted
            }
        })
        .collect()
}

/// Parameters with starts read off the points: the swing gives n, the crossing of 100 nA (or of a
/// tenth of the largest current) the threshold.
fn start(sweep: &Sweep, kept: &[(f64, f64, bool)], floor_a: f64) -> Vec<Parameter> {
    let (gate_v, drain_a): (Vec<f64>, Vec<f64>) = kept.iter().map(|point| (point.0, point.1)).unzip();
    let phi_t = crate::ekv::BOLTZMANN_V_PER_K * sweep.temperature_k;
    let slope_factor = subthreshold_swing_v(&gate_v, &drain_a, floor_a)
        .map_or(INFO.parameters[1].default, |swing| swing / (phi_t * std::f64::consts::LN_10))
        .clamp(1.05, 4.0);
    let largest = drain_a.iter().copied().fold(0.0, f64::max);
    let reference = THRESHOLD_CURRENT_A.min(0.1 * largest);
    let law = Ekv { slope_factor, ..Ekv::default() };
    let vt_v = constant_current_threshold_v(&gate_v, &drain_a, reference)
        .zip(law.overdrive_for_current(reference, sweep.drain_v, sweep.temperature_k).ok())
        .map_or(0.0, |(crossing, overdrive)| {
            // The threshold of the default law at this bias is an offset from its vt_v.
            crossing - overdrive - law.threshold_v(sweep.drain_v, sweep.temperature_k) + law.vt_v
        });
    let starts = [vt_v, slope_factor, law.i_spec_a, law.theta_per_v];
    let mut parameters: Vec<Parameter> =
        INFO.parameters.iter().zip(starts).map(|(info, start)| info.starting_at(start)).collect();
    // Leakage far below the noise floor cannot be told from none.
    let leakage = &INFO.parameters[6];
    let lowest = (1e-3 * floor_a).max(leakage.lower);
    parameters.push(Parameter::new(
        leakage.name,
        leakage.unit,
        0.3 * floor_a,
        lowest,
        leakage.upper,
        leakage.transform,
    ));
    parameters
}

/// A leakage below the noise is the usual case and no news.
fn concerns_hidden_leakage(warning: &str) -> bool {
    warning.starts_with("leakage_a lies on its lower bound") || warning.contains("nothing about leakage_a")
}

/// Correlation of neighbouring residuals, 0 if negative.
fn neighbour_correlation(residuals: &[f64]) -> f64 {
    let square: f64 = residuals.iter().map(|r| r * r).sum();
    let product: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    if square > 0.0 { (product / square).clamp(0.0, 0.95) } else { 0.0 }
}

/// Widens the uncertainties for residuals that go together, as misfit makes them: N points with
/// neighbour correlation c are worth N (1 - c)/(1 + c) independent ones.
fn widen(fit: &mut FitResult, correlation: f64) {
    let factor = ((1.0 + correlation) / (1.0 - correlation)).sqrt();
    for parameter in &mut fit.parameters {
        if !parameter.std.is_finite() {
            continue;
        }
        parameter.std *= factor;
        let (lower, upper, transform) = (parameter.lower, parameter.upper, parameter.transform);
        let middle = transform.coordinate(parameter.value, lower, upper);
        for end in &mut parameter.interval95 {
            let u = transform.coordinate(*end, lower, upper);
            *end = transform.value(middle + factor * (u - middle), lower, upper);
        }
    }
    for value in fit.covariance.iter_mut().flatten() {
        *value *= factor * factor;
    }
}

/// Gate voltage at 100 nA on the fitted curve, with its standard deviation from the covariance.
fn fitted_threshold_v(law: &Ekv, fit: &FitResult, sweep: &Sweep) -> [f64; 2] {
    let (drain_v, temperature_k) = (sweep.drain_v, sweep.temperature_k);
    let at = |law: &Ekv| {
        law.overdrive_for_current(THRESHOLD_CURRENT_A, drain_v, temperature_k)
            .map_or(f64::NAN, |overdrive| law.threshold_v(drain_v, temperature_k) + overdrive)
    };
    let value = at(law);
    let base = [law.vt_v, law.slope_factor, law.i_spec_a, law.theta_per_v, law.leakage_a];
    let slopes: Vec<f64> = (0..base.len())
        .map(|index| {
            let step = 1e-6 * base[index].abs().max(if index == 0 { 1.0 } else { 0.0 });
            let mut moved = *law;
            match index {
                0 => moved.vt_v += step,
                1 => moved.slope_factor += step,
                2 => moved.i_spec_a += step,
                3 => moved.theta_per_v += step,
                _ => moved.leakage_a += step,
            }
            (at(&moved) - value) / step
        })
        .collect();
    let variance: f64 = (0..base.len())
        .flat_map(|i| (0..base.len()).map(move |j| (i, j)))
        .map(|(i, j)| slopes[i] * fit.covariance[i][j] * slopes[j])
        .sum();
    [value, variance.max(0.0).sqrt()]
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len().max(1) as f64).sqrt()
}
