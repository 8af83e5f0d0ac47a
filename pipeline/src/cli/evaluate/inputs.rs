//! What an evaluation reads: networks and tables of devices; and at which conditions.

use super::super::CliError;
use super::super::train::architecture;
use crate::analysis::sets::{Sets, own_format};
use anyhow::Result;
use mho_data::InputError;
use mho_lut::{AnyTable, DeviceTable, Ensemble, HistoryTable, Member};
use mho_network::analog::Devices;
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use mho_network::source::{Source, Trained};
use mho_network::spec::NetworkSpec;
use mho_network::train::{TrainOptions, train};
use std::path::Path;

/// The network in a file, or one trained here from an architecture.
pub(super) fn network(network: &str, sets: &Sets, seed: u64) -> Result<Trained> {
    let named = NetworkSpec::NAMES.contains(&network);
    let spec = match (named, sets) {
        (true, Sets::Images { dataset, .. }) => architecture(network, dataset.classes)?,
        (false, _) => match Source::read(Path::new(network))? {
            Source::Trained(trained) => return Ok(*trained),
            Source::Architecture(spec) => spec,
        },
        (true, Sets::Arrays { .. }) => architecture(network, sets.classes())?,
    };
    let Sets::Images { dataset, .. } = sets else {
        let why = format!(
            "--network {network}: an architecture is trained on images; `{}` are arrays",
            sets.name()
        );
        return Err(CliError::Usage(why).into());
    };
    let options = TrainOptions { seed, ..TrainOptions::for_images(dataset.train.labels.len()) };
    let network = train(dataset, &spec, &options, &|_| ())?.network;
    Ok(Trained { graph: network.graph()?, input: own_format(&network) })
}

/// What a table file holds of cells.
pub(super) enum Tables {
    Grid(Box<DeviceTable>),
    History(Box<HistoryTable>),
    Ensemble(Ensemble),
}

impl Tables {
    /// Reads a table of cells of any kind.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| InputError::new(&file, error.to_string(), "a device table"))?;
        Ok(match AnyTable::from_bytes(&bytes, &file)? {
            AnyTable::Grid(table) => Self::Grid(table),
            AnyTable::History(table) => Self::History(table),
            AnyTable::Ensemble(ensemble) => Self::Ensemble(ensemble),
            AnyTable::Update(_) => {
                let expected = "a table of cells: over time and dose, along a history, or an ensemble";
                Err(InputError::new(file, "a table of updates", expected))?
            }
        })
    }

    /// The table, or the best estimate of several.
    pub(super) fn best(&self) -> Devices<'_> {
        match self {
            Self::Grid(table) => Devices::from(table.as_ref()),
            Self::History(table) => Devices::from(table.as_ref()),
            Self::Ensemble(ensemble) => Devices::from(ensemble.best()),
        }
    }

    fn read_voltage_v(&self) -> Option<f64> {
        match self {
            Self::Grid(table) => table.read_voltage_v(),
            Self::History(table) => table.read_voltage_v(),
            Self::Ensemble(ensemble) => ensemble.best().read_voltage_v(),
        }
    }

    /// Members of an ensemble but the best estimate.
    pub(super) fn others(&self) -> Vec<&Member> {
        match self {
            Self::Ensemble(ensemble) => ensemble.members().iter().skip(1).collect(),
            _ => Vec::new(),
        }
    }
}

/// The array of a file, or the default one, read at the voltage of the table where the file says none.
pub(super) fn array(
    path: Option<&Path>,
    tables: Option<&Tables>,
    notes: &mut Vec<String>,
) -> Result<ArrayConfig> {
    let Some(path) = path else { return Ok(at_voltage(ArrayConfig::default(), false, tables, notes)) };
    let file = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|error| InputError::new(&file, error.to_string(), "an array.toml"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| InputError::new(&file, "bytes that are no UTF-8", "text in UTF-8"))?;
    let array = ArrayConfig::from_toml(&text, &file)?;
    let document: toml::Table = toml::from_str(&text).unwrap_or_default();
    let told = document.get("cell").is_some_and(|cell| cell.get("read_voltage_v").is_some());
    if array.effects.temperature_k != mho_lut::REFERENCE_TEMPERATURE_K
        && matches!(tables, Some(Tables::History(_)))
    {
        notes.push(format!(
            "effects.temperature_k = {} is not used: a table along a history brings its own temperatures",
            array.effects.temperature_k
        ));
    }
    Ok(at_voltage(array, told, tables, notes))
}

/// The voltage turns currents into conductances, which wires see and conductances of the cell are given in.
fn at_voltage(
    mut array: ArrayConfig,
    told: bool,
    tables: Option<&Tables>,
    notes: &mut Vec<String>,
) -> ArrayConfig {
    let Some(table) = tables.and_then(Tables::read_voltage_v) else { return array };
    let own = array.cell.read_voltage_v;
    let matters = array.wires().is_some()
        || array.cell.conductance_max_us.is_some()
        || array.cell.conductance_min_us.is_some();
    if !told {
        array.cell.read_voltage_v = table;
        if matters {
            notes.push(format!("cells are read at {table} V, as those of the table were"));
        }
    } else if matters && (own - table).abs() > 1e-9 * table {
        notes
            .push(format!("cells are read at {own} V, and the currents of the table were read at {table} V"));
    }
    array
}

/// That the table knows what is asked of it; what lies beyond its source is noted.
pub(super) fn reach(
    file: Option<&Path>,
    tables: Option<&Tables>,
    conditions: &[Condition],
    notes: &mut Vec<String>,
) -> Result<(), CliError> {
    let shown = file.map(|file| file.display().to_string()).unwrap_or_default();
    let dosed = |c: &Condition| c.effects.dose_mean || c.effects.dose_random;
    let table = match tables {
        None => return Ok(()),
        Some(Tables::History(table)) => {
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
            let reported = |c: &&Condition| {
                let at =
                    |r: &mho_lut::Report| near(r.time_s, c.time_s) && near(r.dose_krad_si, c.dose_krad_si);
                table.reports().iter().any(at)
            };
            let Some(asked) = conditions.iter().find(|c| !reported(c)) else { return Ok(()) };
            let known: Vec<String> = table
                .reports()
                .iter()
                .map(|report| format!("{} s and {} krad(Si)", report.time_s, report.dose_krad_si))
                .collect();
            return Err(CliError::Usage(format!(
                "{shown}: the history reports {}, not {} s and {} krad(Si)",
                known.join("; "),
                asked.time_s,
                asked.dose_krad_si
            )));
        }
        Some(Tables::Grid(table)) => table.as_ref(),
        Some(Tables::Ensemble(ensemble)) => ensemble.best(),
    };
    let beyond = |asked: f64, end: f64| asked > end * (1.0 + 1e-9);
    let (time_end, dose_end) = (table.time_axis().range().1, table.dose_axis().range().1);
    if let Some(c) = conditions.iter().find(|c| c.effects.drift && beyond(c.time_s, time_end)) {
        let more = if time_end > 0.0 { " (mho table build --time-max-s)" } else { "" };
        let why = format!("--time-s {}: {shown} knows 0 to {time_end} s{more}", c.time_s);
        return Err(CliError::Usage(why));
    }
    if let Some(c) = conditions.iter().find(|c| dosed(c) && beyond(c.dose_krad_si, dose_end)) {
        let more = if dose_end > 0.0 { " (mho table build --dose-max-krad-si)" } else { "" };
        let why = format!("--dose-krad-si {}: {shown} knows 0 to {dose_end} krad(Si){more}", c.dose_krad_si);
        return Err(CliError::Usage(why));
    }
    let mut places: Vec<(f64, f64)> = conditions
        .iter()
        .map(|c| (if c.effects.drift { c.time_s } else { 0.0 }, if dosed(c) { c.dose_krad_si } else { 0.0 }))
        .collect();
    places.dedup();
    let outside = places.iter().filter(|(time_s, dose)| table.is_beyond_source(*time_s, *dose)).count();
    if let Some(validity) = table.validity().filter(|_| outside > 0) {
        notes.push(format!(
            "extrapolated: {outside} of {} conditions lie beyond the {} s and {} krad(Si) that the source of the table \
             holds to",
            places.len(),
            validity.time_max_s,
            validity.dose_max_krad_si
        ));
    }
    Ok(())
}

/// Every time at every dose.
pub(super) fn grid(times_s: &[f64], doses_krad_si: &[f64]) -> Vec<(f64, f64)> {
    let or_zero = |list: &[f64]| if list.is_empty() { vec![0.0] } else { list.to_vec() };
    let doses = or_zero(doses_krad_si);
    or_zero(times_s).into_iter().flat_map(|time_s| doses.iter().map(move |&dose| (time_s, dose))).collect()
}

/// Reports of a history, all or those at the times and doses asked for; what it does not report is asked
/// for as it stands, and told by the arrays.
pub(super) fn reports(table: &HistoryTable, times_s: &[f64], doses_krad_si: &[f64]) -> Vec<(f64, f64)> {
    if !times_s.is_empty() && !doses_krad_si.is_empty() {
        return grid(times_s, doses_krad_si);
    }
    let near = |list: &[f64], value: f64| {
        list.is_empty() || list.iter().any(|x| (x - value).abs() <= 1e-9 * x.abs().max(value.abs()))
    };
    let all = table.reports().iter().map(|report| (report.time_s, report.dose_krad_si));
    let found: Vec<(f64, f64)> =
        all.filter(|&(time_s, dose)| near(times_s, time_s) && near(doses_krad_si, dose)).collect();
    if found.is_empty() { grid(times_s, doses_krad_si) } else { found }
}

/// Steps of an ablation for a history, which knows programming, drift and dose together: those with some of
/// them only are left out.
pub(super) fn together(steps: Vec<(String, Effects)>) -> Vec<(String, Effects)> {
    let cells = |e: &Effects| [e.programming, e.drift, e.dose_mean, e.dose_random];
    let whole = |e: &Effects| cells(e) == [true; 4] || cells(e) == [false; 4];
    let name = |(label, effects): (String, Effects)| {
        let label = if label == "+ dose random" { "+ programming, drift and dose".into() } else { label };
        (label, effects)
    };
    if steps.len() == 1 {
        return steps;
    }
    steps.into_iter().filter(|(_, effects)| whole(effects)).map(name).collect()
}
