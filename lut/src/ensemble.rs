//! Several tables of one device that differ in what is not known: samples of the parameters, and choices
//! of the model. The spread from device to device stays inside of each table; the three are shown apart.

use crate::certificate::Certificate;
use crate::document::{Arrays, Document, Kind};
use crate::file::{GridAxes, Header};
use crate::outside::{Clamped, OutOfRange};
use crate::table::{DeviceTable, Query, TableError};
use serde::{Deserialize, Serialize};

/// Why a member differs from the best estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberKind {
    /// It does not: the best estimate of every parameter.
    Best,
    /// Parameters drawn from their covariance.
    Parameters,
    /// Another choice of model.
    Model,
}

/// One table of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// What it is called: the number of a sample, the name of a choice.
    pub label: String,
    /// Why it differs.
    pub kind: MemberKind,
    /// The table.
    pub table: DeviceTable,
}

/// Tables on the same axes, the first of which is the best estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    members: Vec<Member>,
}

/// The current at one point, with its three uncertainties apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uncertain {
    /// Mean current of the best estimate (nA).
    pub mean_na: f64,
    /// Standard deviation from device to device, of the best estimate (nA).
    pub devices_na: f64,
    /// Standard deviation of the mean over samples of the parameters (nA); `None` without two samples.
    pub parameters_na: Option<f64>,
    /// Lowest and highest mean over the choices of the model, the best estimate among them (nA); `None`
    /// without other choices.
    pub model_na: Option<(f64, f64)>,
}

/// What stands in the header of a file about one member.
#[derive(Debug, Serialize, Deserialize)]
struct MemberHeader {
    label: String,
    kind: MemberKind,
    table: Header,
}

#[derive(Debug, Serialize, Deserialize)]
struct EnsembleHeader {
    members: Vec<MemberHeader>,
}

fn prefix(number: usize) -> String {
    format!("member.{number}.")
}

impl Ensemble {
    /// An ensemble of tables on the same axes.
    ///
    /// # Errors
    /// When there is none, the first is not the best estimate, another is, or axes differ.
    pub fn new(members: Vec<Member>) -> Result<Self, TableError> {
        let wrong = |what: String| Err(TableError::Asked(what));
        let Some(first) = members.first() else { return wrong("no members".into()) };
        for (number, member) in members.iter().enumerate() {
            if (member.kind == MemberKind::Best) != (number == 0) {
                return wrong(format!("member `{}` in the place of another kind", member.label));
            }
            let (a, b) = (&member.table, &first.table);
            if a.state != b.state || a.time != b.time || a.dose != b.dose {
                return wrong(format!("member `{}` on axes of its own", member.label));
            }
        }
        Ok(Self { members })
    }

    /// All members, the best estimate first.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The best estimate.
    pub fn best(&self) -> &DeviceTable {
        &self.members[0].table
    }

    /// Members of one kind.
    pub fn of(&self, kind: MemberKind) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.kind == kind)
    }

    /// The certificate with the largest error.
    pub fn worst(&self) -> &Certificate {
        let error = |member: &&Member| member.table.device.certificate.max_error_fraction;
        let worst = self.members.iter().max_by(|a, b| error(a).total_cmp(&error(b)));
        &worst.unwrap_or(&self.members[0]).table.device.certificate
    }

    /// Means at points with their uncertainties apart, and how many points were moved into the tables.
    ///
    /// # Errors
    /// As [`DeviceTable::query`].
    pub fn query(
        &self,
        points: &[Query],
        policy: OutOfRange,
    ) -> Result<(Vec<Uncertain>, Clamped), TableError> {
        let (best, clamped) = self.best().query(points, policy)?;
        let means = |kind: MemberKind| -> Result<Vec<Vec<f64>>, TableError> {
            let one = |member: &Member| {
                let (rows, _) = member.table.query(points, policy)?;
                Ok(rows.iter().map(|row| row.mean_na).collect())
            };
            self.of(kind).map(one).collect()
        };
        let (samples, choices) = (means(MemberKind::Parameters)?, means(MemberKind::Model)?);
        let uncertain = best.iter().enumerate().map(|(k, row)| {
            let count = samples.len() as f64;
            let mean = samples.iter().map(|sample| sample[k]).sum::<f64>() / count;
            let square = samples.iter().map(|sample| (sample[k] - mean).powi(2)).sum::<f64>();
            let ends = choices.iter().fold((row.mean_na, row.mean_na), |(low, high), choice| {
                (low.min(choice[k]), high.max(choice[k]))
            });
            Uncertain {
                mean_na: row.mean_na,
                devices_na: row.sigma_na,
                parameters_na: (samples.len() > 1).then(|| (square / (count - 1.0)).sqrt()),
                model_na: (!choices.is_empty()).then_some(ends),
            }
        });
        Ok((uncertain.collect(), clamped))
    }

    /// The ensemble as safetensors: the axes once, and the arrays of member k under `member.k.`.
    ///
    /// # Errors
    /// When an array cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TableError> {
        let mut arrays = Arrays::default();
        GridAxes::push(self.best(), &mut arrays);
        let mut members = Vec::with_capacity(self.members.len());
        for (number, member) in self.members.iter().enumerate() {
            member.table.push(&prefix(number), &mut arrays);
            let table = member.table.header();
            members.push(MemberHeader { label: member.label.clone(), kind: member.kind, table });
        }
        arrays.document(Kind::Ensemble, &EnsembleHeader { members })
    }

    /// Reads what [`Ensemble::to_bytes`] writes.
    ///
    /// # Errors
    /// When the bytes are not an ensemble, or its arrays do not fit together.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, TableError> {
        let document = Document::open(bytes, file, Kind::Ensemble)?;
        let header: EnsembleHeader = document.header()?;
        let mut members = Vec::with_capacity(header.members.len());
        for (number, MemberHeader { label, kind, table }) in header.members.into_iter().enumerate() {
            let axes = GridAxes::read(&document, &table)?;
            let table = DeviceTable::read(&document, &prefix(number), table, axes)?;
            members.push(Member { label, kind, table });
        }
        Self::new(members)
            .map_err(|error| document.wrong(error.to_string(), "an ensemble of device tables").into())
    }
}

#[cfg(test)]
mod tests;
