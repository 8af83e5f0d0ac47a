//! `mho table build`: a table compiled from cards, published statistics or measured cells.

use super::super::{Answer, CliError, Globals};
use super::show::{document, page};
use super::{ensemble, measured, not_negative, positive, steps};
use crate::stages::tables::{Device, Missing, Named, Reading};
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::cell::PublishedCell;
use mho_compact::{inference, model, update};
use mho_data::InputError;
use mho_data::published::{PublishedSonos, SETS};
use mho_lut::{CellSource, Certificate, CompileOptions, DeviceTable, compile};
use std::path::PathBuf;

/// Current of state 1 of the published cells (nA).
pub(super) const PUBLISHED_MAX_NA: f64 = 1600.0;

/// Compile a table from device cards, from published statistics, or from measured cells as they are.
///
/// Cards of one cell go together, at most one of each part: `transistor` or `ekv`, `sonos-retention`,
/// `sonos-programming`, `threshold-spread`, `read-noise`, and a dose law (`tid-*` or `current-shift`). What is not
/// given is as --missing says, and the table tells it; without a dose law the table has no dose. A resistive cell
/// (`pcm`, `wan`, `taox`, …) stands alone; so does a card of an update law (`update-*`), which makes a table of
/// updates: quantiles of the step at every state, up and down.
///
/// `published:NAME` stands alone too: the sets tcas2022 and iedm2022 of 40 nm SONOS arrays, a resistive cell with its
/// published values (`published:pcm`; `mho models`), or a pulsed device (`published:ReRamES`). `measured:FILE` are
/// readings of cells without a model, in any form that `mho data inspect` reads: state and current, dose and time
/// where they vary, device where cells were followed.
///
/// With --samples or --rivals the table is an ensemble: the best estimate, samples of the fitted parameters (of the
/// cards' covariances; of measured cells drawn with replacement), and the device with each rival card in the place of
/// the one of its part. With --history the table is one of a history: a TOML file of [[segment]]s with duration_s,
/// dose_rate_rad_si_per_s, temperature_k and gate_bias_v.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mho table build retention.toml dose.toml --out cell.safetensors\n  \
                  mho table build published:tcas2022 --out tcas.safetensors --tolerance 5e-4\n  \
                  mho table build published:pcm --out pcm.safetensors --read-v 0.2\n  \
                  mho table build measured:cells.csv --out cells.safetensors --tolerance 0.02\n  \
                  mho table build cards/*.toml --samples 12 --rivals cards/rivals --out ensemble.safetensors\n  \
                  mho table build dose.toml --history orbit.toml --report-s 0,86400 --out orbit.safetensors\n  \
                  mho table build update.toml --cycle-noise 0.3 --out steps.safetensors")]
pub(super) struct BuildArgs {
    /// Device cards, or published:NAME, or measured:FILE
    #[arg(required = true, value_name = "CARD.toml")]
    pub(super) cards: Vec<String>,
    /// Where the table goes
    #[arg(long, value_name = "T.safetensors")]
    pub(super) out: PathBuf,
    /// Largest interpolation error, as a fraction of the largest current, or of the largest step of updates
    #[arg(long, default_value_t = 1e-3, value_parser = positive, allow_negative_numbers = true)]
    pub(super) tolerance: f64,
    /// Axes beside the state that the table has, of those that its source knows
    #[arg(long, value_enum, value_delimiter = ',', default_value = "time,dose")]
    pub(super) axes: Vec<AxisName>,
    /// Longest time (s); the default is five days
    #[arg(long, default_value_t = 432_000.0, value_parser = not_negative, allow_negative_numbers = true)]
    pub(super) time_max_s: f64,
    /// Largest dose (krad(Si))
    #[arg(long, default_value_t = 1000.0, value_parser = not_negative, allow_negative_numbers = true)]
    pub(super) dose_max_krad_si: f64,
    /// Current of state 1 (nA); by default 1600, of resistive cells that of the largest conductance, of measured cells
    /// what their file or their readings say
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    pub(super) current_max_na: Option<f64>,
    /// Read voltage of resistive cells (V)
    #[arg(long, default_value_t = 0.2, value_parser = positive, allow_negative_numbers = true)]
    pub(super) read_v: f64,
    /// Drain voltage of the read of a transistor (V)
    #[arg(long, default_value_t = 0.1, value_parser = positive, allow_negative_numbers = true)]
    pub(super) read_drain_v: f64,
    /// Gate voltage of the read of a transistor (V); by default its threshold carries half the largest current
    #[arg(long, allow_hyphen_values = true)]
    pub(super) read_gate_v: Option<f64>,
    /// What stands in for cards that are not given: the 40 nm SONOS cell, or nothing
    #[arg(long, value_enum, default_value = "sonos")]
    pub(super) missing: Missing,
    /// Gate area, which sets the counting statistics of trapped charge (um2) [default: that of what is missing]
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    gate_area_um2: Option<f64>,
    /// V_inf - V_N (V) in place of the fitted one, for a card of tid-exp
    #[arg(long, allow_hyphen_values = true)]
    pub(super) v_inf_offset_v: Option<f64>,
    /// Samples of the fitted parameters: the table is then an ensemble
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "history")]
    pub(super) samples: u64,
    /// Other cards for the choice of model, or folders of them: the table is then an ensemble
    #[arg(long, value_name = "CARD.toml|DIR", num_args = 1.., value_delimiter = ',', conflicts_with = "history")]
    pub(super) rivals: Vec<PathBuf>,
    /// Segments of dose, time and temperature after programming
    #[arg(long, value_name = "HISTORY.toml", requires = "report_s")]
    pub(super) history: Option<PathBuf>,
    /// Times in the history at which the table reports (s)
    #[arg(long, value_delimiter = ',', requires = "history", value_parser = not_negative, allow_negative_numbers = true)]
    pub(super) report_s: Vec<f64>,
    /// Fewest measured cells of a state at a time and dose
    #[arg(long, default_value_t = 20)]
    pub(super) least_cells: usize,
    /// Noise from cycle to cycle of an update law: standard deviation of a step over its mean
    #[arg(long, default_value_t = 0.0, value_parser = not_negative, allow_negative_numbers = true)]
    pub(super) cycle_noise: f64,
    /// Threshold of the neutral cell (V), against which a tid-* card was fitted
    #[arg(long, allow_hyphen_values = true)]
    pub(super) neutral_threshold_v: Option<f64>,
}

/// An axis that a table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum AxisName {
    /// The state, which every table has
    State,
    /// Time since programming
    Time,
    /// Dose
    Dose,
}

pub(super) fn build(args: &BuildArgs, globals: &Globals) -> Answer {
    if let [only] = args.cards.as_slice()
        && let Some(file) = only.strip_prefix("measured:")
    {
        return measured::build(args, file, globals);
    }
    match given(args)? {
        Given::Set(set) => {
            if args.samples > 0 || !args.rivals.is_empty() {
                let why = "published statistics stand alone: --samples and --rivals go with device cards";
                return Err(CliError::Usage(why.into()));
            }
            of_source(args, &set, globals)
        }
        Given::Steps(source) => steps::build(args, &source, globals),
        Given::Device(device) => {
            let source = device.source(&name(args))?;
            if args.samples > 0 || !args.rivals.is_empty() {
                let options = options(args, source.as_ref());
                return ensemble::build(args, &device, source.as_ref(), &options, globals);
            }
            of_source(args, source.as_ref(), globals)
        }
    }
}

/// What a table is compiled from.
enum Given {
    Set(PublishedCell),
    Device(Box<Device>),
    Steps(update::StepSource),
}

/// What a table is called: its file.
pub(super) fn name(args: &BuildArgs) -> String {
    args.out.file_stem().map_or_else(|| "cell".into(), |stem| stem.to_string_lossy().into_owned())
}

fn given(args: &BuildArgs) -> Result<Given, CliError> {
    if let [only] = args.cards.as_slice()
        && let Some(published) = only.strip_prefix("published:")
    {
        return of_publication(args, published);
    }
    let mut cards = Vec::new();
    for file in &args.cards {
        cards.push(card(file)?);
    }
    if let [only] = cards.as_slice()
        && let Some(source) = steps::of_card(args, &only.card)
    {
        return Ok(Given::Steps(source));
    }
    Ok(Given::Device(Box::new(Device::new(cards, &reading(args))?)))
}

pub(super) fn card(file: &str) -> Result<Named, CliError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| InputError::new(file, error.to_string(), "a device card"))?;
    Ok(Named { file: file.into(), card: DeviceCard::from_toml(&text, file)? })
}

fn of_publication(args: &BuildArgs, published: &str) -> Result<Given, CliError> {
    if let Some(preset) = update::preset(published) {
        return Ok(Given::Steps(update::StepSource::of_preset(&name(args), &preset)));
    }
    if let (Some(_), Some(model)) = (inference::find(published), model::find(published)) {
        let mut card = DeviceCard::from_defaults(model);
        // The generic laws have round numbers, which nobody published.
        let kinds = model.parameters.iter().map(|parameter| parameter.kind);
        let assumed = kinds.into_iter().all(|kind| kind == model::Kind::Assumed);
        card.provenance.origin = if assumed { "derived" } else { "published" }.into();
        let cards = vec![Named { file: format!("published:{published}"), card }];
        return Ok(Given::Device(Box::new(Device::new(cards, &reading(args))?)));
    }
    let set = PublishedSonos::named(published).map_err(|_| {
        let sets = SETS.iter().map(|(name, _)| *name);
        let cells = inference::MODELS.iter().map(|model| model.info.name);
        let presets = update::presets();
        let known: Vec<&str> = sets.chain(cells).chain(presets.iter().map(|preset| preset.name)).collect();
        InputError::new(
            published,
            "nothing published under this name",
            format!("one of {}", known.join(", ")),
        )
    })?;
    Ok(Given::Set(PublishedCell::new(set, args.current_max_na.unwrap_or(PUBLISHED_MAX_NA))))
}

fn reading(args: &BuildArgs) -> Reading {
    Reading {
        current_max_na: args.current_max_na,
        read_v: args.read_v,
        read_drain_v: args.read_drain_v,
        read_gate_v: args.read_gate_v,
        gate_area_um2: args.gate_area_um2,
        neutral_threshold_v: args.neutral_threshold_v,
        v_inf_offset_v: args.v_inf_offset_v,
        missing: args.missing,
        ..Reading::default()
    }
}

/// Sources without dose or time have tables without these axes.
fn options(args: &BuildArgs, source: &dyn CellSource) -> CompileOptions {
    let dosed = source.describe().dose_max_krad_si > 0.0 && args.axes.contains(&AxisName::Dose);
    CompileOptions {
        tolerance_fraction: args.tolerance,
        time_max_s: if args.axes.contains(&AxisName::Time) { args.time_max_s } else { 0.0 },
        dose_max_krad_si: if dosed { args.dose_max_krad_si } else { 0.0 },
    }
}

fn of_source(args: &BuildArgs, source: &dyn CellSource, globals: &Globals) -> Answer {
    if let Some(file) = &args.history {
        return super::kinds::build_history(args, source, file, globals);
    }
    let table = compile(source, &options(args, source))?;
    met(table.certificate())?;
    written(args, &table, globals)
}

/// A certificate that meets what was asked, or why there is no table.
pub(super) fn met(certificate: &Certificate) -> Result<(), CliError> {
    if certificate.met() {
        return Ok(());
    }
    let correlation = certificate.max_correlation_error.zip(certificate.correlation_tolerance);
    if let Some((error, asked)) = correlation.filter(|(error, asked)| error > asked) {
        return Err(CliError::Failed(format!(
            "no table: the correlation of a cell with itself stays off by {error:.2e}, {asked:.2e} is allowed"
        )));
    }
    Err(CliError::Failed(format!(
        "no table: the interpolation error stays at {:.2e} of the range ({} at state {:.3}, {:.0} s, {:.0} \
         krad(Si)), --tolerance asks for {:.2e}",
        certificate.max_error_fraction,
        certificate.quantity,
        certificate.state,
        certificate.time_s,
        certificate.dose_krad_si,
        certificate.tolerance_fraction
    )))
}

pub(super) fn written(args: &BuildArgs, table: &DeviceTable, globals: &Globals) -> Answer {
    replace_file(&args.out, &table.to_bytes()?)?;
    if globals.json {
        return Ok(document(table));
    }
    Ok(format!("{}table: {}\n", page(table), args.out.display()))
}
