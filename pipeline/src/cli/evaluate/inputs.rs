//! What an evaluation reads: networks and tables of devices; and at which conditions.

use super::super::train::architecture;
use crate::analysis::sets::{Sets, own_format};
use anyhow::{Context as _, Result};
use mho_data::InputError;
use mho_lut::{AnyTable, DeviceTable, Ensemble, HistoryTable, Member};
use mho_network::analog::Devices;
use mho_network::effects::Effects;
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
        anyhow::bail!(
            "--network {network}: an architecture is trained on images; `{}` are arrays",
            sets.name()
        );
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
        let bytes = std::fs::read(path).with_context(|| format!("--table {file}"))?;
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

    /// Members of an ensemble but the best estimate.
    pub(super) fn others(&self) -> Vec<&Member> {
        match self {
            Self::Ensemble(ensemble) => ensemble.members().iter().skip(1).collect(),
            _ => Vec::new(),
        }
    }
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
