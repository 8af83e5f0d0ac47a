//! Update laws under the names of aihwkit: its device class and the parameters that differ from its defaults, for
//! `aihwkit.simulator.configs`.
//!
//! In aihwkit an up step has the scale `dw_min (1 + min(up_down, 0))` and a down step
//! `dw_min (1 - max(up_down, 0))` (design notes: device laws). Spread and noise that nobody gave are set to 0 rather
//! than left at aihwkit's defaults.

use crate::card::DeviceCard;
use crate::fit::FitResult;
use crate::model;
use crate::update::{self, Cell, CycleNoise, Law, PulseLaw, PulsedDevice, Spread, StepNoise};
use serde_json::{Map, Value, json};

/// Models that aihwkit has a device class for.
pub const MODELS: [&str; 12] = [
    "update-constant-step",
    "update-domain-wall",
    "update-linear-step",
    "update-soft-bounds",
    "update-soft-bounds-reference",
    "update-neurosim",
    "update-crosssim-asymmetric",
    "update-ecram",
    "update-exp-step",
    "update-logarithmic-ramp",
    "update-pow-step",
    "update-piecewise-step",
];

/// An exponential without a constant is written as one beside which the constant 1 does not count.
const RULING: f64 = 1e9;

/// A gamma this near to 1 is that of soft bounds.
const SOFT: f64 = 1e-12;

/// Why aihwkit cannot have a law or a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No update law.
    #[error("it is no law of pulses")]
    NoUpdate,
    /// A logistic flow.
    #[error(
        "its steps fall towards both bounds in both directions, and each depends on the size of the last: a \
         PiecewiseStepDevice comes near it (fit update-piecewise-step to the same ramps)"
    )]
    Symmetric,
    /// Notches.
    #[error("a domain wall that stops at notches has no device class")]
    Notches,
    /// A step that aihwkit's scales cannot have.
    #[error("its steps at weight 0 are not both above 0, which aihwkit's scales take for granted")]
    Backwards,
    /// An exponential with a constant below 0.
    #[error(
        "the constant beside its exponential is below 0, and aihwkit's is the scale of the step: take \
         update-pow-step or update-piecewise-step on the same ramps"
    )]
    Constant,
    /// Bounds on one side of 0.
    #[error("its bounds are not on either side of weight 0, to which aihwkit's slopes refer")]
    OneSided,
    /// Noise without an equivalent.
    #[error("the noise of its steps (a floor, or a root of the step) has no equivalent")]
    Noise,
    /// Noise of the write beside equal steps.
    #[error("equal steps have no write noise there: leave it out")]
    WriteNoise,
}

/// Spread between devices and noise, estimated from ramps of several.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scatter {
    /// Differences between devices.
    pub spread: Spread,
    /// Standard deviation of a step in parts of it.
    pub cycle: f64,
    /// Standard deviation of what is read about the state that pulses act on, in weights.
    pub write: f64,
}

/// The class and its parameters, as a JSON document.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn document(card: &DeviceCard, scatter: &Scatter) -> Result<Value, Refused> {
    model::find(&card.model).ok_or(Refused::NoUpdate)?;
    let (law, cell) = update::device(card).ok_or(Refused::NoUpdate)?;
    let (class, mut parameters) = typical(&law, &cell)?;
    // Readings cannot tell it from noise of the read, which the class does not have either.
    let write = if class == "ConstantStepDevice" { 0.0 } else { scatter.write };
    let step = parameters.get("dw_min").and_then(Value::as_f64).unwrap_or(1.0);
    let noise = CycleNoise::Multiplicative { sigma: scatter.cycle };
    set_scatter(class, &mut parameters, &scatter.spread, noise, write / step)?;
    let std: Map<String, Value> = card
        .parameters
        .iter()
        .filter_map(|(name, parameter)| Some((name.clone(), json!(parameter.std?))))
        .collect();
    Ok(json!({
        "schema": 1,
        "class": class,
        "parameters": parameters,
        "mho": {
            "model": card.model,
            "version": card.version,
            "origin": card.provenance.origin,
            "synthetic": card.provenance.origin.contains("synthetic"),
            "data": card.provenance.data,
            "notes": card.provenance.notes,
            "std": std,
        },
    }))
}

/// aihwkit's device class for a kind of device with its spread and noise.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn pulsed(device: &PulsedDevice) -> Result<(&'static str, Map<String, Value>), Refused> {
    let (class, mut parameters) = typical(&device.law, &device.typical())?;
    set_scatter(class, &mut parameters, &device.spread, device.noise, device.write_noise)?;
    let mut set = |name: &str, value: Value| {
        parameters.insert(name.into(), value);
    };
    if device.lifetime.is_finite() {
        set("lifetime", json!(device.lifetime));
        set("lifetime_dtod", json!(device.lifetime_spread));
    }
    match &device.law {
        Law::Linear(law) if class == "LinearStepDevice" => {
            set("gamma_up_dtod", json!(law.gamma_up_std));
            set("gamma_down_dtod", json!(law.gamma_down_std));
            set("mean_bound_reference", json!(law.mean_bounds));
        }
        Law::Reference(law) => {
            set("reference_mean", json!(law.mean));
            set("reference_std", json!(law.std));
            set("subtract_symmetry_point", json!(law.subtract_symmetry_point));
        }
        Law::Pow(law) => {
            set("pow_gamma_dtod", json!(law.power_spread));
            set("pow_up_down_dtod", json!(law.up_down_std));
        }
        _ => {}
    }
    Ok((class, parameters))
}

/// Class and parameters of a device without spread and noise.
fn typical(law: &Law, cell: &Cell) -> Result<(&'static str, Map<String, Value>), Refused> {
    let mut parameters = Map::new();
    let mut set = |name: &str, value: Value| {
        parameters.insert(name.into(), value);
    };
    let (max, min) = (cell.max, cell.min);
    let (mut up, mut down) = (cell.up, cell.down);
    let class = match law {
        Law::Constant(_) => "ConstantStepDevice",
        Law::DomainWall(wall) if wall.pitch == 0.0 => "ConstantStepDevice",
        Law::DomainWall(_) => return Err(Refused::Notches),
        Law::CrossSimSymmetric(_) => return Err(Refused::Symmetric),
        Law::Linear(_) | Law::CrossSimAsymmetric(_) | Law::Ecram(_) => {
            if max <= 0.0 || min >= 0.0 {
                return Err(Refused::OneSided);
            }
            // Straight lines, whatever their parameters are called.
            (up, down) = (law.up(cell, 0.0), law.down(cell, 0.0));
            let (slope_up, slope_down) = (law.up(cell, 1.0) - up, law.down(cell, 1.0) - down);
            let (gamma_up, gamma_down) = (-slope_up * max / up, -slope_down * min / down);
            if (gamma_up - 1.0).abs() < SOFT && (gamma_down - 1.0).abs() < SOFT {
                "SoftBoundsDevice"
            } else {
                set("gamma_up", json!(gamma_up));
                set("gamma_down", json!(gamma_down));
                set("gamma_up_dtod", json!(0.0));
                set("gamma_down_dtod", json!(0.0));
                // Steps may grow towards a bound.
                set("allow_increasing", json!(gamma_up < 0.0 || gamma_down < 0.0));
                "LinearStepDevice"
            }
        }
        Law::Reference(_) => {
            set("reference_mean", json!(cell.reference));
            set("reference_std", json!(0.0));
            set("subtract_symmetry_point", json!(false));
            set("slope_up_dtod", json!(0.0));
            set("slope_down_dtod", json!(0.0));
            "SoftBoundsReferenceDevice"
        }
        // An exponential that falls below a constant step has its scale below 0.
        Law::Exp(_) if up <= 0.0 || down <= 0.0 => return Err(Refused::Constant),
        Law::Exp(law) => {
            set("A_up", json!(law.a_up));
            set("A_down", json!(law.a_down));
            set("gamma_up", json!(law.gamma_up));
            set("gamma_down", json!(law.gamma_down));
            set("a", json!(law.a));
            set("b", json!(law.b));
            "ExpStepDevice"
        }
        Law::Logarithmic(_) => {
            // exp(-k w) as 1 - A exp(-k w) with -A far above 1; z is the weight.
            (up, down) = (law.up(cell, 0.0), law.down(cell, 0.0));
            (up, down) = (up / RULING, down / RULING);
            set("A_up", json!(-RULING));
            set("A_down", json!(-RULING));
            set("gamma_up", json!(-cell.shape_up));
            set("gamma_down", json!(-cell.shape_down));
            set("a", json!(0.5 * (max - min)));
            set("b", json!(0.0));
            "ExpStepDevice"
        }
        Law::Pow(law) => {
            let range = max - min;
            if law.at_zero {
                if max <= 0.0 || min >= 0.0 {
                    return Err(Refused::OneSided);
                }
                // Here a scale holds at weight 0, there at the far bound.
                up *= (range / max).powf(cell.shape_up);
                down *= (range / -min).powf(cell.shape_down);
            }
            let (power, up_down) = with_bias(cell.shape_up, cell.shape_down);
            set("pow_gamma", json!(power));
            set("pow_up_down", json!(up_down));
            set("pow_gamma_dtod", json!(0.0));
            set("pow_up_down_dtod", json!(0.0));
            "PowStepDevice"
        }
        Law::Piecewise(law) => {
            // Nodes of a fit are steps, those of a device parts of its scale.
            let middle = |nodes: &[f64]| nodes.iter().sum::<f64>() / nodes.len().max(1) as f64;
            let (unit_up, unit_down) =
                if up == 1.0 && down == 1.0 { (middle(&law.up), middle(&law.down)) } else { (1.0, 1.0) };
            up *= unit_up;
            down *= unit_down;
            let parts =
                |nodes: &[f64], unit: f64| json!(nodes.iter().map(|node| node / unit).collect::<Vec<_>>());
            set("piecewise_up", parts(&law.up, unit_up));
            set("piecewise_down", parts(&law.down, unit_down));
            "PiecewiseStepDevice"
        }
    };
    if !(up > 0.0 && down > 0.0 && up.is_finite() && down.is_finite()) {
        return Err(Refused::Backwards);
    }
    let (step, up_down) = with_bias(up, down);
    set("dw_min", json!(step));
    set("up_down", json!(up_down));
    set("w_max", json!(max));
    set("w_min", json!(min));
    Ok((class, parameters))
}

/// `(s, u)` with `up = s (1 + min(u, 0))` and `down = s (1 - max(u, 0))`.
fn with_bias(up: f64, down: f64) -> (f64, f64) {
    if up >= down { (up, 1.0 - down / up) } else { (down, up / down - 1.0) }
}

fn set_scatter(
    class: &str,
    parameters: &mut Map<String, Value>,
    spread: &Spread,
    noise: CycleNoise,
    write_noise: f64,
) -> Result<(), Refused> {
    let mut set = |name: &str, value: Value| {
        parameters.insert(name.into(), value);
    };
    let either = matches!(class, "LinearStepDevice" | "SoftBoundsDevice" | "SoftBoundsReferenceDevice");
    let (std, multiplicative) = match noise {
        CycleNoise::None => (0.0, true),
        CycleNoise::Multiplicative { sigma } => (sigma, true),
        // Of equal steps it is the same.
        CycleNoise::Additive { sigma } if either || class == "ConstantStepDevice" => (sigma, false),
        CycleNoise::Affine { sigma, add, slope } if class == "ExpStepDevice" => {
            set("dw_min_std_add", json!(add));
            set("dw_min_std_slope", json!(slope));
            (sigma, true)
        }
        _ => return Err(Refused::Noise),
    };
    set("dw_min_std", json!(std));
    set("dw_min_dtod", json!(spread.step));
    set("dw_min_dtod_log_normal", json!(spread.step_log_normal));
    set("up_down_dtod", json!(spread.up_down));
    set("w_max_dtod", json!(spread.max));
    set("w_min_dtod", json!(spread.min));
    if either {
        set("mult_noise", json!(multiplicative));
    }
    if class != "ConstantStepDevice" {
        set("write_noise_std", json!(write_noise));
    } else if write_noise != 0.0 {
        return Err(Refused::WriteNoise);
    }
    Ok(())
}

/// Spread and noise of devices that were each fitted with a law: fit, law, cell, and noise of the steps where the
/// readings were one pulse apart. `unit` is the weight's unit in that of the readings. What the fits leave uncertain
/// is taken off; none with fewer than two devices.
pub fn scatter(devices: &[(FitResult, Law, Cell, Option<StepNoise>)], unit: f64) -> Option<Scatter> {
    let count = devices.len() as f64;
    if devices.len() < 2 {
        return None;
    }
    let mean = |of: &dyn Fn(usize) -> f64| (0..devices.len()).map(of).sum::<f64>() / count;
    let steps = |index: usize| {
        let (_, law, cell, _) = &devices[index];
        [law.up(cell, 0.0), law.down(cell, 0.0)]
    };
    let step = mean(&|index| 0.5 * (steps(index)[0] + steps(index)[1]));
    // Squared errors of half the sum, and of half the difference, of two steps.
    let error = mean(&|index| {
        let fit = &devices[index].0;
        let own =
            |name: &str| fit.parameter(name).map(|found| found.std.powi(2)).filter(|std| std.is_finite());
        match (own("step_up"), own("step_down")) {
            (Some(up), Some(down)) => 0.25 * (up + down),
            _ => own("step").unwrap_or(0.0),
        }
    });
    let between = |of: &dyn Fn(usize) -> f64, error: f64| {
        let centre = mean(of);
        let square =
            (0..devices.len()).map(|index| (of(index) - centre).powi(2)).sum::<f64>() / (count - 1.0);
        (square - error).max(0.0).sqrt()
    };
    let fits: Vec<FitResult> = devices.iter().map(|(fit, ..)| fit.clone()).collect();
    let spreads = update::device_spread(&fits);
    let bound = |names: [&str; 2]| {
        let found = spreads.iter().find(|spread| names.contains(&spread.name.as_str()));
        found.map_or(0.0, |spread| spread.std / spread.mean.abs())
    };
    let noises: Vec<&StepNoise> = devices.iter().filter_map(|(.., noise)| noise.as_ref()).collect();
    let typical = |of: fn(&StepNoise) -> f64| {
        let squares: f64 = noises.iter().map(|noise| of(noise).powi(2)).sum();
        if noises.is_empty() { 0.0 } else { (squares / noises.len() as f64).sqrt() }
    };
    Some(Scatter {
        spread: Spread {
            step: between(&|index| 0.5 * (steps(index)[0] + steps(index)[1]), error) / step,
            step_log_normal: false,
            up_down: between(&|index| 0.5 * (steps(index)[0] - steps(index)[1]), error) / step,
            max: bound(["w_max", "v_max"]),
            min: bound(["minus_w_min", "minus_v_min"]),
        },
        cycle: typical(|noise| noise.cycle_relative),
        write: typical(|noise| noise.read) / unit,
    })
}

#[cfg(test)]
#[path = "aihwkit_tests.rs"]
mod tests;
