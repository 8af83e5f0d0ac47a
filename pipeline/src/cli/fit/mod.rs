//! `mho fit MODEL FILE… --out CARD.toml`: a device model fitted to measurements.

mod card;
mod each;
mod page;
mod ranking;
mod resistive;
pub(super) mod sources;
mod tables;
mod words;

use super::{Answer, CliError, Globals};
use crate::stage::nearest;
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::fit::{FitResult, FittedParameter};
use mho_compact::model::{self, ModelInfo};
use mho_compact::retention::Weighting;
use mho_compact::tid::TidFit;
use mho_compact::{current_shift, idvg, programming, retention, tid};
use mho_data::measurement::{Kind, Measurement};
use mho_data::provenance::Origin;
use mho_data::published::PublishedSonos;
use mho_data::{InputError, reader};
use sources::Sources;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Fit a device model to measurements and write its card.
///
/// Which measurement a model takes says its line in `mho models`: sweeps of transistors (`transistor`, `ekv`),
/// thresholds against dose (`tid-exp`, `tid-stretched`, `tid-two-term`, `tid-collect`, `threshold-spread`; or
/// sweeps, whose thresholds at 100 nA are then fitted first), currents of states (`sonos-retention`,
/// `sonos-programming`, `current-shift`, `read-noise`, and the resistive cells `pcm`, `milo`, `wan`, `cmo`, …),
/// ramps of pulses (`update-soft-bounds` and the other update laws). `sonos-retention` and `sonos-programming`
/// also take `published:tcas2022` and `published:iedm2022`.
///
/// A transistor is fitted file by file and device by device; folders are searched. With several fits --out is a folder
/// for the cards.
///
/// Examples:
///   mho fit sonos-retention published:tcas2022 --out retention.toml
///   mho fit transistor nfet.mdm --out nfet.toml --pictures nfet.svg --compare
///   mho fit transistor wafer/ --out cards --tables tables --pictures pages
///   mho fit tid-exp thresholds.csv --out cards/dose.toml --rivals cards/rivals
///   mho fit update-soft-bounds pulses.csv --out update.toml --compare
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct FitArgs {
    /// Name of the model (`mho models`)
    model: String,
    /// Measurements: files or folders, or published:NAME
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<String>,
    /// What the files do not say, in TOML, as `mho data inspect --map` takes it; `sweep.toml` beside `sweep.csv` is
    /// read anyway
    #[arg(long, value_name = "FILE.toml")]
    map: Option<String>,
    /// Of files that hold several devices: these alone
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    device: Vec<String>,
    /// Where the card goes; with several fits a folder
    #[arg(long, value_name = "CARD.toml|DIR")]
    out: PathBuf,
    /// Of sonos-retention: deviations in nA or in ln I
    #[arg(long, value_name = "absolute|log-current", default_value = "absolute", value_parser = weighting)]
    weighting: Weighting,
    /// Fit the rival laws too and rank them by AICc; the card is that of MODEL
    #[arg(long)]
    compare: bool,
    /// Fit every file by itself, whatever the model
    #[arg(long)]
    each: bool,
    /// Intervals from refits to devices drawn with replacement, this many (999 is usual)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(39..100_000))]
    bootstrap: Option<u32>,
    /// Intervals from the profile likelihood, parameter by parameter
    #[arg(long)]
    profile: bool,
    /// Parameters that differ from device to device: their mean and spread over the devices
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    population: Vec<String>,
    /// Of resistive cells: parameters that the readings do not tell, as g_max_us=80
    #[arg(long, value_name = "NAME=VALUE,…", value_delimiter = ',', value_parser = held)]
    hold: Vec<(String, f64)>,
    /// Write cards of the rival laws into this folder, for the choice of model in a study (implies --compare)
    #[arg(long, value_name = "DIR")]
    rivals: Option<PathBuf>,
    /// Draw data, fit, residuals, intervals and correlations (SVG); with several fits a folder
    #[arg(long, value_name = "FILE.svg|DIR")]
    pictures: Option<PathBuf>,
    /// Write the parameters as CSV and LaTeX into this folder
    #[arg(long, value_name = "DIR")]
    tables: Option<PathBuf>,
}

impl FitArgs {
    /// Whether rival laws are fitted.
    fn compares(&self) -> bool {
        self.compare || self.rivals.is_some()
    }

    /// Whether something is asked for that only a fit through readings with a law gives.
    fn asks_for_more(&self) -> bool {
        self.each
            || !self.hold.is_empty()
            || self.profile
            || self.bootstrap.is_some()
            || self.pictures.is_some()
            || self.tables.is_some()
            || !self.device.is_empty()
    }
}

fn held(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let number = value.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    Ok((name.trim().to_owned(), number.ok_or_else(|| format!("found `{value}`, expected a number"))?))
}

fn weighting(word: &str) -> Result<Weighting, String> {
    [Weighting::Absolute, Weighting::LogCurrent]
        .into_iter()
        .find(|weighting| weighting.label() == word)
        .ok_or_else(|| "expected absolute or log-current".into())
}

/// What a fit leaves.
struct Outcome {
    fit: FitResult,
    origin: Origin,
    misfit: String,
    ranking: Vec<tid::Ranked>,
    /// What was read; nothing of a published set.
    measurement: Option<Measurement>,
}

pub(super) fn run(args: &FitArgs, globals: &Globals) -> Answer {
    let model = model::find(&args.model).ok_or_else(|| {
        let known = model::registry().iter().map(|model| model.name);
        CliError::Usage(format!("no model `{}`: {}", args.model, nearest(&args.model, known)))
    })?;
    let own = matches!(model.name, "ekv" | "sonos-retention" | "sonos-programming" | "current-shift")
        || model.name.starts_with("tid-");
    let published = args.files.iter().any(|file| file.starts_with("published:"));
    if let Some(entry) = model::entry(model.name).filter(|entry| entry.fitting.is_some())
        && !published
        && (!own || args.asks_for_more() || args.files.iter().any(|file| Path::new(file).is_dir()))
    {
        return each::run(entry, args, globals);
    }
    if args.asks_for_more() {
        let what = if published { "a published set" } else { model.name };
        return Err(CliError::Usage(format!(
            "{what} is fitted without --each, --hold, --profile, --bootstrap, --population, --pictures, --tables and --device"
        )));
    }
    let (outcome, sources) = match args.files.as_slice() {
        [only] if only.starts_with("published:") => {
            (fit_published(model, args, &only["published:".len()..])?, None)
        }
        files => {
            let sources = Sources::read(files, args.map.as_deref())?;
            (fit_files(model, args, &sources.files())?, Some(sources))
        }
    };
    let data = sources.as_ref().map_or_else(|| args.files.clone(), Sources::lines);
    let card_of = |model: &ModelInfo, fit: &FitResult, misfit: &str| {
        let mut card = DeviceCard::from_fit(model, fit, &args.files.join(", "), outcome.origin);
        card.provenance.misfit = misfit.to_owned();
        card.provenance.data.clone_from(&data);
        match &outcome.measurement {
            Some(measurement) => sources::reach(&mut card, measurement),
            // Five days: what the published sets hold.
            None => drop(card.validity.insert("time_s".into(), "0 to 432000".into())),
        }
        card
    };
    write_card(&card_of(model, &outcome.fit, &outcome.misfit), &args.out)?;
    let mut rivals = Vec::new();
    for ranked in outcome.ranking.iter().filter(|ranked| ranked.fit.model.name != model.name) {
        let Some(folder) = &args.rivals else { break };
        let TidFit { model, fit, .. } = &ranked.fit;
        let file = folder.join(format!("{}.toml", model.name));
        write_card(&card_of(model, fit, &format!("{:.3e} V", fit.rms)), &file)?;
        rivals.push(file);
    }
    let kept = sources.map(|sources| sources.archive(&args.out, globals)).transpose()?.flatten();
    if globals.json {
        return document(model.name, &outcome).map_err(CliError::failed);
    }
    Ok(page(model.name, &outcome) + &written(&args.out, &rivals, kept.as_deref()))
}

fn write_card(card: &DeviceCard, file: &Path) -> Result<(), CliError> {
    let text = card.to_toml().map_err(CliError::failed)?;
    Ok(replace_file(file, text.as_bytes())?)
}

/// The lines that end a fit: where its cards are, and where its raw files are kept.
fn written(card: &Path, rivals: &[PathBuf], kept: Option<&Path>) -> String {
    let mut text = format!("card: {}\n", card.display());
    for file in rivals {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "rival: {}", file.display());
    }
    if let Some(store) = kept {
        let _ = writeln!(text, "raw files: kept in {}", store.display());
    }
    text
}

fn fit_published(model: &ModelInfo, args: &FitArgs, name: &str) -> Result<Outcome, CliError> {
    let set = PublishedSonos::named(name)?;
    let origin = Origin::Published;
    match model.name {
        "sonos-retention" => drift(&retention::published_points(&set), args, origin),
        "sonos-programming" => spread(&programming::published_points(&set), origin),
        other => Err(CliError::Usage(format!(
            "{other} has no published data; published:{name} fits sonos-retention and sonos-programming"
        ))),
    }
}

fn fit_files(
    model: &'static ModelInfo,
    args: &FitArgs,
    files: &[reader::File<'_>],
) -> Result<Outcome, CliError> {
    let sweeps =
        || files.first().is_some_and(|(name, bytes)| reader::recognise(name, bytes) == Some(Kind::IdVg));
    let read = |kind| -> Result<Measurement, CliError> {
        let measurement = reader::read(files, kind)?;
        measurement.check_for_fit()?;
        Ok(measurement)
    };
    let options = idvg::SweepOptions::default();
    let mut outcome;
    let measurement;
    match model.name {
        "ekv" => {
            measurement = read(Kind::IdVg)?;
            let fits = idvg::fit_measurement(&measurement, &options).map_err(CliError::failed)?;
            let fit = fits.pooled().ok_or_else(|| {
                CliError::Failed(format!("no sweep could be fitted: {}", fits.refused().join("; ")))
            })?;
            let misfit = format!("{:.4} in ln I", fit.rms_log.unwrap_or(f64::NAN));
            outcome = Outcome {
                fit,
                origin: measurement.sidecar.origin,
                misfit,
                ranking: Vec::new(),
                measurement: None,
            };
        }
        "current-shift" => {
            measurement = read(Kind::StateCurrent)?;
            let points = current_shift::points(&measurement.table).map_err(CliError::failed)?;
            let fit = current_shift::fit(&points).map_err(CliError::failed)?.fit;
            let misfit = format!("{:.3} nA", fit.rms);
            outcome = Outcome {
                fit,
                origin: measurement.sidecar.origin,
                misfit,
                ranking: Vec::new(),
                measurement: None,
            };
        }
        "sonos-retention" => {
            measurement = read(Kind::StateCurrent)?;
            let points = retention::points(&measurement.table).map_err(CliError::failed)?;
            outcome = drift(&points, args, measurement.sidecar.origin)?;
        }
        "sonos-programming" => {
            measurement = read(Kind::StateCurrent)?;
            let points = programming::points(&measurement.table).map_err(CliError::failed)?;
            outcome = spread(&points, measurement.sidecar.origin)?;
        }
        name if name.starts_with("tid-") => {
            let points = if sweeps() {
                measurement = read(Kind::IdVg)?;
                let fits = idvg::fit_measurement(&measurement, &options).map_err(CliError::failed)?;
                tid::points(&fits.results())
            } else {
                measurement = read(Kind::Threshold)?;
                tid::points(&measurement.table)
            }
            .map_err(CliError::failed)?;
            doses_of(&points, files)?;
            let fit = tid::fit(model, &points).map_err(CliError::failed)?.fit;
            let misfit = format!("{:.3e} V", fit.rms);
            let ranking = if args.compares() { tid::compare(&points) } else { Vec::new() };
            outcome = Outcome { fit, origin: measurement.sidecar.origin, misfit, ranking, measurement: None };
        }
        other => return Err(CliError::Usage(format!("{other} is not fitted from files"))),
    }
    outcome.fit.dropped += measurement.sidecar.dropped.len();
    outcome.fit.warnings.extend(of_reading(&measurement));
    outcome.measurement = Some(measurement);
    Ok(outcome)
}

/// What reading the files assumed and noticed, for the notes of a fit and of its card.
fn of_reading(measurement: &Measurement) -> impl Iterator<Item = String> {
    let sidecar = &measurement.sidecar;
    let assumed = sidecar.assumptions.iter().map(|text| format!("assumed: {text}"));
    assumed.chain(sidecar.notes.iter().map(|text| format!("read: {text}")))
}

/// That thresholds were read at more than one dose: no law of dose follows from one.
fn doses_of(points: &[tid::VtPoint], files: &[reader::File<'_>]) -> Result<(), CliError> {
    let first = points.first().map_or(0.0, |point| point.dose_krad_si);
    if points.iter().any(|point| point.dose_krad_si != first) {
        return Ok(());
    }
    let file = files.first().map_or("", |(name, _)| *name);
    let found = format!("thresholds at {first} krad(Si) alone");
    Err(InputError::new(file, found, "at least two doses, to which a law of dose is fitted").into())
}

fn drift(points: &[retention::DriftPoint], args: &FitArgs, origin: Origin) -> Result<Outcome, CliError> {
    let fit = retention::fit(points, args.weighting).map_err(CliError::failed)?.fit;
    let misfit = format!("{:.3} nA", fit.rms);
    Ok(Outcome { fit, origin, misfit, ranking: Vec::new(), measurement: None })
}

fn spread(points: &[programming::SpreadPoint], origin: Origin) -> Result<Outcome, CliError> {
    let fit = programming::fit(points).map_err(CliError::failed)?.fit;
    let misfit = format!("{:.3} nA", fit.rms);
    Ok(Outcome { fit, origin, misfit, ranking: Vec::new(), measurement: None })
}

/// A fit as the JSON document of `mho fit --json`.
fn document(model: &str, outcome: &Outcome) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(&outcome.fit)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("schema".into(), 1.into());
        object.insert("model".into(), model.into());
        object.insert("origin".into(), outcome.origin.label().into());
        if !outcome.ranking.is_empty() {
            let ranking = outcome.ranking.iter().map(|ranked| {
                let name = ranked.fit.model.name;
                serde_json::json!({ "model": name, "delta_aicc": ranked.delta_aicc, "rms": ranked.fit.fit.rms })
            });
            object.insert("ranking".into(), ranking.collect());
        }
    }
    serde_json::to_string_pretty(&value).map(|text| text + "\n")
}

/// A fit as a table for people.
fn page(model: &str, outcome: &Outcome) -> String {
    let fit = &outcome.fit;
    let mut text = String::new();
    let width = fit.parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or(0);
    for parameter in &fit.parameters {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:width$}  {}", parameter.name, uncertain(parameter));
    }
    let _ = writeln!(
        text,
        "{model}: {} points used, {} left out, rms {}, AICc {:.1}; {}",
        fit.points,
        fit.dropped,
        outcome.misfit,
        fit.aicc,
        outcome.origin.label()
    );
    for warning in &fit.warnings {
        let _ = writeln!(text, "  note: {warning}");
    }
    for ranked in &outcome.ranking {
        let (name, rms) = (ranked.fit.model.name, ranked.fit.fit.rms);
        let _ = writeln!(text, "  {name:14} AICc +{:.1}, rms {rms:.3e} V", ranked.delta_aicc);
    }
    text
}

/// Value, standard deviation and 95 % interval, to two digits of the deviation.
fn uncertain(parameter: &FittedParameter) -> String {
    let FittedParameter { value, std, interval95: [low, high], unit, .. } = parameter;
    let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
    if parameter.at_bound || !std.is_finite() {
        let why = if parameter.at_bound { "on its bound" } else { "not determined" };
        return format!("{}{unit} ({why})", plain(*value, *value * 1e-3));
    }
    format!(
        "{} ± {}{unit}   95 %: {} to {}",
        plain(*value, *std),
        plain(*std, *std),
        plain(*low, *std),
        plain(*high, *std)
    )
}

/// A number with as many digits as two of `resolution`.
fn plain(value: f64, resolution: f64) -> String {
    // Six digits are the most that anybody quotes: data made from a law fit it exactly.
    let resolution = resolution.abs().max(value.abs() * 1e-5);
    if value == 0.0 || resolution == 0.0 || !resolution.is_finite() {
        return format!("{value}");
    }
    let (size, fine) = (value.abs().log10().floor() as i32, resolution.log10().floor() as i32 - 1);
    if (-3..6).contains(&size) {
        format!("{value:.digits$}", digits = usize::try_from(-fine).unwrap_or(0))
    } else {
        format!("{value:.digits$e}", digits = usize::try_from(size - fine).unwrap_or(0))
    }
}
