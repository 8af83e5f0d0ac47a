//! Trials of evaluations as the summary reads them.

use super::super::artifact::table;
use crate::analysis::loss::dose_at_loss;
use crate::stage::{Artifact, StageError};
use mho_data::table::{Table, TableError};

/// The quantity along which accuracy is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    Dose,
    Time,
}

impl Along {
    pub(super) fn of(self, row: &Row) -> f64 {
        match self {
            Self::Dose => row.dose_krad_si,
            Self::Time => row.time_s,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Dose => Self::Time,
            Self::Time => Self::Dose,
        }
    }

    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Dose => "dose_krad_si",
            Self::Time => "time_s",
        }
    }

    /// A value with its unit.
    pub(super) fn shown(self, value: f64) -> String {
        match self {
            Self::Dose => format!("{value:.0} krad(Si)"),
            Self::Time if value >= 86_400.0 => format!("{:.1} d", value / 86_400.0),
            Self::Time => format!("{value:.0} s"),
        }
    }
}

/// One trial at one condition.
pub(super) struct Row {
    pub(super) table: String,
    pub(super) effects: String,
    pub(super) time_s: f64,
    pub(super) dose_krad_si: f64,
    pub(super) trial: f64,
    pub(super) top1: f64,
}

/// The trials of one network.
pub(super) struct Trials {
    pub(super) network: String,
    pub(super) images: f64,
    /// The array, as its results call it.
    pub(super) array: String,
    pub(super) rows: Vec<Row>,
}

impl Trials {
    pub(super) fn read(artifact: &Artifact) -> Result<Self, StageError> {
        let table = table(artifact)?;
        Self::of(&table).map_err(StageError::failed)
    }

    fn of(table: &Table) -> Result<Self, TableError> {
        let (names, tables, effects) =
            (table.texts("network")?, table.texts("table")?, table.texts("effects")?);
        let (time, dose) = (table.floats("time_s")?, table.floats("dose_krad_si")?);
        let (trial, top1, images) = (table.floats("trial")?, table.floats("top1")?, table.floats("images")?);
        let rows = (0..table.len()).map(|i| Row {
            table: tables[i].clone(),
            effects: effects[i].clone(),
            time_s: time[i],
            dose_krad_si: dose[i],
            trial: trial[i],
            top1: top1[i],
        });
        Ok(Self {
            network: names.first().cloned().unwrap_or_default(),
            images: images.first().copied().unwrap_or(0.0),
            array: table.texts("array")?.first().cloned().unwrap_or_default(),
            rows: rows.collect(),
        })
    }

    /// Accuracies where `keep` holds.
    pub(super) fn top1(&self, keep: impl Fn(&Row) -> bool) -> Vec<f64> {
        self.rows.iter().filter(|row| keep(row)).map(|row| row.top1).collect()
    }

    /// The smallest value of the other quantity at each place along one: all there is along a history, which has
    /// one dose at each time.
    fn lowest(&self, along: Along) -> Vec<(f64, f64)> {
        let other = along.other();
        let least = |place: f64| {
            let here = self.rows.iter().filter(|row| along.of(row) == place);
            here.map(|row| other.of(row)).fold(f64::INFINITY, f64::min)
        };
        self.places(along).into_iter().map(|place| (place, least(place))).collect()
    }

    /// The trials along one quantity: at each place those at the smallest value of the other.
    pub(super) fn only(mut self, along: Along) -> Self {
        let lowest = self.lowest(along);
        self.rows.retain(|row| lowest.contains(&(along.of(row), along.other().of(row))));
        self
    }

    /// What [`Self::only`] leaves out, in words.
    pub(super) fn others(&self, along: Along) -> Option<String> {
        let (lowest, other) = (self.lowest(along), along.other());
        let left_out = self.rows.iter().filter(|row| !lowest.contains(&(along.of(row), other.of(row))));
        let places = crate::figures::levels(&left_out.map(|row| other.of(row)).collect::<Vec<_>>());
        let shown: Vec<String> = places.iter().map(|place| other.shown(*place)).collect();
        (!shown.is_empty())
            .then(|| format!("not summed up at {}, which the table of trials holds", shown.join(", ")))
    }

    /// The places along a quantity at which there are trials, ascending.
    pub(super) fn places(&self, along: Along) -> Vec<f64> {
        crate::figures::levels(&self.rows.iter().map(|row| along.of(row)).collect::<Vec<_>>())
    }

    pub(super) fn trials(&self) -> Vec<f64> {
        crate::figures::levels(&self.rows.iter().map(|row| row.trial).collect::<Vec<_>>())
    }

    pub(super) fn tables(&self) -> Vec<String> {
        crate::figures::distinct(&self.rows.iter().map(|row| row.table.clone()).collect::<Vec<_>>())
    }

    /// Mean over trials on one table at a place.
    pub(super) fn mean(&self, table: &str, along: Along, place: f64) -> f64 {
        let all = self.top1(|row| row.table == table && along.of(row) == place);
        all.iter().sum::<f64>() / all.len() as f64
    }

    /// Where the mean over trials, on one table, has lost `loss`.
    pub(super) fn mean_loss(&self, table: &str, along: Along, loss: f64) -> f64 {
        let places = self.places(along);
        let start = places.first().map_or(0.0, |place| self.mean(table, along, *place));
        let lost: Vec<f64> = places.iter().map(|place| start - self.mean(table, along, *place)).collect();
        dose_at_loss(&places, &lost, loss)
    }

    /// The same for every trial on its own: the draw of devices.
    pub(super) fn loss_of_trials(&self, along: Along, loss: f64) -> Vec<f64> {
        let places = self.places(along);
        self.trials()
            .into_iter()
            .map(|trial| {
                let at = |place: f64| {
                    self.top1(|row| row.trial == trial && along.of(row) == place)
                        .first()
                        .copied()
                        .unwrap_or(f64::NAN)
                };
                let start = places.first().map_or(0.0, |place| at(*place));
                let lost: Vec<f64> = places.iter().map(|place| start - at(*place)).collect();
                dose_at_loss(&places, &lost, loss)
            })
            .collect()
    }
}
