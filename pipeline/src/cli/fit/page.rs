//! Pictures of a fit: data with the law, residuals, how sharply the best values stand out, correlations.

use super::each::Fitted;
use super::tables;
use super::words::misfit;
use crate::cli::CliError;
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Figure, Mark, Panel, Series, TWO_COLUMNS_IN};
use mho_compact::fit::{Axis as Quantity, Deviation, FitOptions, Regression, least_squares};

/// Curves and readings of a curve that are drawn at most; more are thinned out evenly, which the note says.
const MOST_CURVES: usize = 40;
const MOST_READINGS: usize = 300;

/// Curves that get a line in the legend.
const LEGEND: usize = 7;

/// Parameters whose profiles are drawn: the least certain ones.
const PROFILES: usize = 4;

/// Steps of a profile to either side, in standard deviations of the parameter.
const STEPS: [f64; 5] = [0.5, 1.0, 1.5, 2.0, 2.5];

/// Correlations by size: least size, words, colour.
const CLASSES: [(f64, &str, usize); 4] =
    [(0.95, "beyond 0.95", 2), (0.7, "0.7 to 0.95", 5), (0.3, "0.3 to 0.7", 6), (0.0, "below 0.3", 0)];

/// The page of one fit as SVG.
///
/// # Errors
/// When the picture cannot be drawn.
pub(super) fn svg(fitted: &Fitted) -> Result<String, CliError> {
    let regression = &fitted.regression;
    let curves: usize = regression.devices.iter().map(|device| device.series.len()).sum();
    let mut panels = data(fitted);
    let profiles = profiles(fitted);
    if !profiles.series.is_empty() {
        panels.push(profiles);
    }
    let correlations = correlations(fitted);
    if !correlations.series.is_empty() {
        panels.push(correlations);
    }
    let thinned = if curves > MOST_CURVES {
        format!("; {MOST_CURVES} of {curves} curves drawn")
    } else {
        String::new()
    };
    let note = format!(
        "{}; {}, rms {}{thinned}",
        of_data(fitted.origin.label()),
        regression.model.name,
        misfit(fitted)
    );
    let figure = Figure { width_in: TWO_COLUMNS_IN, row_in: 2.6, columns: 2, panels, note };
    let record = format!("mho fit {} {}", regression.model.name, fitted.source);
    figure.svg(&record).map_err(CliError::failed)
}

/// `measured data`; `synthetic data` says so already.
fn of_data(label: &str) -> String {
    if label.ends_with("data") { label.to_owned() } else { format!("{label} data") }
}

/// A unit as pictures write it.
fn written(unit: &str) -> String {
    match unit {
        "uS" => "µS".into(),
        "uA" => "µA".into(),
        "um" => "µm".into(),
        other => other.to_owned(),
    }
}

fn axis(quantity: Quantity) -> Axis {
    let unit = if quantity.unit == "1" { String::new() } else { format!(" ({})", written(quantity.unit)) };
    let mut title = quantity.title.to_owned();
    if let Some(first) = title.get(..1).map(str::to_uppercase) {
        title.replace_range(..1, &first);
    }
    let scale = if quantity.log { Scale::Log } else { Scale::Linear };
    Axis::new(subscripts(&format!("{title}{unit}")), scale)
}

/// `I_D` as the pictures take it: `I_{D}`.
fn subscripts(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        if letter == '_'
            && let Some(index) = letters.next_if(char::is_ascii_uppercase)
        {
            out.push_str(&format!("{{{index}}}"));
        }
    }
    out
}

/// The ordinate: of currents from the smallest on, or from the noise floor, since below it the law has nothing to meet.
fn ordinate(regression: &Regression<'_>) -> Axis {
    let axis = axis(regression.y);
    let Deviation::Log { floor, .. } = regression.deviation else { return axis };
    let readings =
        || regression.devices.iter().flat_map(|device| &device.series).flat_map(|series| &series.y).copied();
    let largest = readings().fold(0.0, f64::max);
    let smallest = readings().fold(f64::INFINITY, f64::min);
    if regression.y.log && largest > 10.0 * floor {
        axis.from_to((0.5 * smallest).max(0.1 * floor), 2.0 * largest)
    } else {
        axis
    }
}

/// Readings with the law, and their residuals.
fn data(fitted: &Fitted) -> Vec<Panel> {
    let Fitted { regression, fit, .. } = fitted;
    let values = fit.values();
    let (mut readings, mut residuals) = (Vec::new(), Vec::new());
    let curves: usize = regression.devices.iter().map(|device| device.series.len()).sum();
    let stride = curves.div_ceil(MOST_CURVES).max(1);
    let mut number = 0;
    let mut drawn = 0;
    // Devices of one state share its colour and its line in the legend.
    let all =
        || regression.devices.iter().flat_map(|device| &device.series).map(|series| series.label.as_str());
    let mut groups: Vec<&str> = Vec::new();
    for label in all() {
        if !groups.contains(&label) {
            groups.push(label);
        }
    }
    let grouped = groups.len() < curves;
    let mut told = Vec::new();
    for (index, device) in regression.devices.iter().enumerate() {
        let mut predictions = (regression.law)(&values, index).into_iter();
        for series in &device.series {
            let model: Vec<f64> = predictions.by_ref().take(series.y.len()).collect();
            number += 1;
            if (number - 1) % stride != 0 || model.len() < series.y.len() {
                continue;
            }
            let every = series.y.len().div_ceil(MOST_READINGS).max(1);
            let thin = |values: &[f64]| -> Vec<f64> { values.iter().step_by(every).copied().collect() };
            let group = groups.iter().position(|label| *label == series.label).unwrap_or(0);
            let place = if grouped { group } else { drawn };
            let colour = 1 + place % 6;
            let words = subscripts(&series.label);
            let first = !grouped || !told.contains(&group);
            let label = (place < LEGEND && first && !words.is_empty()).then_some(words.as_str());
            told.push(group);
            let order: Vec<usize> = {
                let mut order: Vec<usize> = (0..series.x.len()).collect();
                order.sort_by(|&a, &b| series.x[a].total_cmp(&series.x[b]));
                order
            };
            let sorted =
                |of: &[f64]| -> Vec<f64> { thin(&order.iter().map(|&row| of[row]).collect::<Vec<_>>()) };
            let (x, y, m) = (sorted(&series.x), sorted(&series.y), sorted(&model));
            readings.push(Series::new(None, colour, Mark::Points(place % 4), x.clone(), y.clone()));
            readings.push(Series::new(label, colour, Mark::Line(0), x.clone(), m.clone()));
            let deviation: Vec<f64> =
                y.iter().zip(&m).map(|(&reading, &model)| deviation(regression, reading, model)).collect();
            residuals.push(Series::new(None, colour, Mark::Points(place % 4), x, deviation));
            drawn += 1;
        }
    }
    let words = match regression.deviation {
        Deviation::Log { .. } => "Residual in ln, above the floor".to_owned(),
        Deviation::Absolute { .. } if regression.y.unit == "1" => "Residual".to_owned(),
        Deviation::Absolute { .. } => format!("Residual ({})", written(regression.y.unit)),
    };
    vec![
        Panel {
            title: "Readings and law".into(),
            x: axis(regression.x),
            y: ordinate(regression),
            series: readings,
        },
        Panel {
            title: "Residuals".into(),
            x: axis(regression.x),
            y: Axis::new(words, Scale::Linear),
            series: residuals,
        },
    ]
}

/// The deviation that a picture shows: in the logarithm above the noise floor, nothing below it.
fn deviation(regression: &Regression<'_>, reading: f64, model: f64) -> f64 {
    match regression.deviation {
        Deviation::Absolute { .. } => reading - model,
        Deviation::Log { floor, .. } if reading > 10.0 * floor && model > 0.0 => (reading / model).ln(),
        Deviation::Log { .. } => f64::NAN,
    }
}

/// How the cost grows when one parameter is moved and the others are fitted anew.
fn profiles(fitted: &Fitted) -> Panel {
    let Fitted { regression, fit, .. } = fitted;
    let mut order: Vec<usize> = (0..fit.parameters.len())
        .filter(|&index| {
            let parameter = &fit.parameters[index];
            parameter.std.is_finite() && parameter.std > 0.0 && !parameter.at_bound
        })
        .collect();
    let relative = |index: usize| fit.parameters[index].std / fit.parameters[index].value.abs().max(1e-300);
    order.sort_by(|&a, &b| relative(b).total_cmp(&relative(a)));
    let freedom = fit.points.saturating_sub(fit.parameters.len()).max(1) as f64;
    let found = || {
        let mut problem = regression.problem_without(&fit.outliers);
        for parameter in &mut problem.parameters {
            if let Some(found) = fit.parameter(&parameter.name) {
                parameter.start = found.value;
            }
        }
        problem
    };
    let problem = found();
    let options = FitOptions { starts: 1, loss: fit.loss(&regression.options), ..regression.options };
    let mut series = Vec::new();
    for (place, &index) in order.iter().take(PROFILES).enumerate() {
        let parameter = &problem.parameters[index];
        // With several devices these deviations come from the scatter between them, and the cost, which counts
        // readings, then rises faster or slower than the parabola.
        let std =
            fit.parameters[index].std / parameter.slope(parameter.coordinate(fit.parameters[index].value));
        let mut points = vec![(0.0, 0.0)];
        for side in [-1.0, 1.0] {
            // Each step starts from where the last one ended, lest it ends in another valley.
            let mut problem = found();
            for step in STEPS.map(|step| side * step) {
                let at = parameter.value(parameter.coordinate(fit.parameters[index].value) + step * std);
                let mut held = vec![None; problem.parameters.len()];
                held[index] = Some(at);
                let Ok(moved) = least_squares(&problem.holding(&held), &options) else { continue };
                let growth = (moved.cost - fit.cost) / (fit.cost / freedom).max(f64::MIN_POSITIVE);
                if growth.is_finite() {
                    points.push((step, growth.max(0.0)));
                }
                for parameter in &mut problem.parameters {
                    if let Some(found) = moved.parameter(&parameter.name) {
                        parameter.start = found.value;
                    }
                }
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (x, y) = below(&points, HIGHEST).into_iter().unzip();
        series.push(Series::new(Some(&parameter.name), 1 + place, Mark::Line(place), x, y));
    }
    if !series.is_empty() {
        let x: Vec<f64> = (-25..=25).map(|i| 0.1 * f64::from(i)).collect();
        let y = x.iter().map(|x| x * x).collect();
        series.push(Series::new(Some("if the law were linear"), 0, Mark::Line(3), x, y));
    }
    Panel {
        title: "Profile likelihood".into(),
        x: Axis::new("Distance from the best value (standard deviations)", Scale::Linear),
        y: Axis::new("Growth of the cost over the variance", Scale::Linear).from_to(0.0, 1.6 * HIGHEST),
        series,
    }
}

/// Growth of the cost up to which profiles are drawn; above it stands the legend.
const HIGHEST: f64 = 7.0;

/// The line about its lowest point, to either side up to where it first passes a height.
fn below(points: &[(f64, f64)], height: f64) -> Vec<(f64, f64)> {
    let crossing = |a: (f64, f64), b: (f64, f64)| (a.0 + (b.0 - a.0) * (height - a.1) / (b.1 - a.1), height);
    let middle = points.iter().position(|(x, _)| *x == 0.0).unwrap_or(0);
    let side = |points: &mut dyn Iterator<Item = &(f64, f64)>| {
        let mut kept: Vec<(f64, f64)> = vec![(0.0, 0.0)];
        for &point in points {
            let last = kept[kept.len() - 1];
            if point.1 > height {
                kept.push(crossing(last, point));
                break;
            }
            kept.push(point);
        }
        kept
    };
    let mut line = side(&mut points[..middle].iter().rev());
    line.reverse();
    line.extend(side(&mut points.iter().skip(middle + 1)).into_iter().skip(1));
    line
}

/// Pairs of parameters by the size of their correlation.
fn correlations(fitted: &Fitted) -> Panel {
    let fit = &fitted.fit;
    let known: Vec<usize> =
        (0..fit.parameters.len()).filter(|&i| fit.covariance[i][i] > 0.0).take(16).collect();
    let mut series = Vec::new();
    for (class, (least, words, colour)) in CLASSES.iter().enumerate() {
        let most = if class == 0 { f64::INFINITY } else { CLASSES[class - 1].0 };
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (row, &i) in known.iter().enumerate() {
            for (column, &j) in known.iter().enumerate().take(row) {
                let r = fit.covariance[i][j] / (fit.covariance[i][i] * fit.covariance[j][j]).sqrt();
                if r.abs() >= *least && r.abs() < most {
                    x.push(column as f64);
                    y.push(row as f64);
                }
            }
        }
        if !x.is_empty() {
            let mark = if *least == 0.0 { Mark::Dots } else { Mark::Points(1) };
            series.push(Series::new(Some(words), *colour, mark, x, y));
        }
    }
    let words: Vec<(f64, String)> = known
        .iter()
        .enumerate()
        .map(|(place, &index)| (place as f64, short(&fit.parameters[index].name)))
        .collect();
    let numbers = (0..known.len()).map(|place| (place as f64, (place + 1).to_string())).collect();
    let last = known.len() as f64 - 0.5;
    Panel {
        title: "Size of correlations".into(),
        x: Axis::new("Parameter, by its number from below", Scale::Linear)
            .from_to(-0.5, last)
            .with_words(numbers),
        y: Axis::new("", Scale::Linear).from_to(-0.5, last).with_words(words),
        series,
    }
}

/// Letters of a tick.
const TICK: usize = 15;

/// A name without its unit, for a tick; of a device's parameter the device, of what is still too long the end, which
/// tells it from its neighbours.
fn short(name: &str) -> String {
    let (law, device) = name.split_once(' ').unwrap_or((name, ""));
    let law =
        law.split("_per_").next().unwrap_or(law).trim_end_matches("_sqrt_v").trim_end_matches("_krad_si");
    let device = device.rsplit(' ').next().unwrap_or_default();
    let whole = format!("{law} {device}");
    let whole = whole.trim_end();
    if whole.chars().count() <= TICK {
        return whole.to_owned();
    }
    let whole = if device.is_empty() { whole } else { device };
    let letters = whole.chars().count();
    if letters <= TICK {
        return whole.to_owned();
    }
    std::iter::once('…').chain(whole.chars().skip(letters + 1 - TICK)).collect()
}

/// Histograms of the parameters over many fits.
///
/// # Errors
/// When the picture cannot be drawn.
pub(super) fn distributions(fits: &[Fitted]) -> Result<String, CliError> {
    let panels: Vec<Panel> = tables::distributions(fits)
        .into_iter()
        .filter(|(_, values)| values.len() > 2)
        .map(|(name, values)| histogram(&name, &values))
        .collect();
    let model = fits.first().map_or("", |fitted| fitted.regression.model.name);
    let note = format!("{} fits of {model} to {}", fits.len(), of_data(&tables::origins(fits)));
    let figure = Figure { width_in: TWO_COLUMNS_IN, row_in: 1.9, columns: 3, panels, note };
    figure.svg(&format!("mho fit {model}: distributions over {} fits", fits.len())).map_err(CliError::failed)
}

fn histogram(name: &str, values: &[f64]) -> Panel {
    let (low, high) = (values[0], values[values.len() - 1]);
    let log = low > 0.0 && high > 30.0 * low;
    let place = |value: f64| if log { value.log10() } else { value };
    let (from, to) = (place(low), place(high));
    let bins = (values.len() as f64).sqrt().ceil().clamp(4.0, 24.0);
    let width = if to > from { (to - from) / bins } else { 1.0 };
    let mut counts = vec![0.0; bins as usize];
    for &value in values {
        let bin = (((place(value) - from) / width) as usize).min(counts.len() - 1);
        counts[bin] += 1.0;
    }
    let x = (0..counts.len()).map(|bin| from + (bin as f64 + 0.5) * width).collect();
    let label = if log { format!("log10 {name}") } else { name.to_owned() };
    let most = counts.iter().copied().fold(0.0, f64::max);
    Panel {
        title: String::new(),
        x: Axis::new(label, Scale::Linear).from_to(from - 0.5 * width, to + 0.5 * width),
        y: Axis::new("Fits", Scale::Linear).from_to(0.0, 1.1 * most),
        series: vec![Series::new(None, 1, Mark::Columns(0.9 * width), x, counts)],
    }
}
