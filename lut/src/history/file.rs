//! Tables of a history as files.

use super::{History, HistoryTable, Report};
use crate::axis::Axis;
use crate::device::{Device, DeviceHeader};
use crate::document::{Arrays, Document, Kind};
use crate::factor::Factor;
use crate::path::Path;
use crate::slice::{Columns, Slice};
use crate::source::{SCORE_COUNT, SCORES};
use crate::table::TableError;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    #[serde(flatten)]
    device: DeviceHeader,
    history: History,
    reports: Vec<Report>,
}

const SHARES: [&str; 3] = ["share.programming", "share.drift", "share.dose"];

impl HistoryTable {
    /// The table as safetensors; the same bytes for the same table.
    ///
    /// # Errors
    /// When an array cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TableError> {
        let (r, s) = (self.reports.len(), self.path.state.len());
        let mut arrays = Arrays::default();
        arrays.push("axis.state", &[s], self.path.state.nodes());
        arrays.push("axis.score", &[SCORE_COUNT], &SCORES);
        let times: Vec<f64> = self.reports.iter().map(|report| report.time_s).collect();
        let doses: Vec<f64> = self.reports.iter().map(|report| report.dose_krad_si).collect();
        arrays.push("report.time_s", &[r], &times);
        arrays.push("report.dose_krad_si", &[r], &doses);
        let all = |of: fn(&Columns) -> &[f64]| -> Vec<f64> {
            self.columns.iter().flat_map(|column| of(column).iter().copied()).collect()
        };
        arrays.push("mean", &[r, s], &all(|c| &c.mean));
        arrays.push("sigma", &[r, s], &all(|c| &c.sigma));
        arrays.push("read_sigma", &[r, s], &all(|c| &c.read_sigma));
        let quantile: Vec<f64> = self
            .columns
            .iter()
            .flat_map(|c| (0..s).flat_map(move |k| (0..SCORE_COUNT).map(move |q| c.quantile[q * s + k])))
            .collect();
        arrays.push("quantile", &[r, s, SCORE_COUNT], &quantile);
        for (name, of) in SHARES.into_iter().zip([
            (|c| &c.share[0]) as fn(&Columns) -> &[f64],
            |c| &c.share[1],
            |c| &c.share[2],
        ]) {
            arrays.push(name, &[r, s], &all(of));
        }
        arrays.push("loadings", &[s, r, self.path.factor.normals], &self.path.factor.loadings);
        self.device.push("", &mut arrays);
        let header = Header {
            device: self.device.header(),
            history: self.history.clone(),
            reports: self.reports.clone(),
        };
        arrays.document(Kind::History, &header)
    }

    /// Reads what [`HistoryTable::to_bytes`] writes.
    ///
    /// # Errors
    /// When the bytes are not a table of a history, or its arrays do not fit together.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, TableError> {
        let document = Document::open(bytes, file, Kind::History)?;
        let header: Header = document.header()?;
        let device = Device::read(&document, "", header.device)?;
        document.scores()?;
        let state = Axis::new(document.ascending("axis.state")?, None);
        let (r, s) = (header.reports.len(), state.len());
        if r == 0 {
            return Err(document.wrong("no reports".into(), "at least one report").into());
        }
        let count = document.count(&[r, s])?;
        let all = |name: &str| document.array(name, Some(count));
        let (mean, sigma, read_sigma) = (all("mean")?, all("sigma")?, all("read_sigma")?);
        let shares = [all(SHARES[0])?, all(SHARES[1])?, all(SHARES[2])?];
        let quantile = document.quantiles("quantile", count)?;
        let part = |values: &[f64], report: usize| values[report * s..(report + 1) * s].to_vec();
        let columns: Vec<Columns> = (0..r)
            .map(|report| Columns {
                mean: part(&mean, report),
                sigma: part(&sigma, report),
                read_sigma: part(&read_sigma, report),
                quantile: (0..SCORE_COUNT)
                    .flat_map(|q| (0..s).map(move |k| (q, k)))
                    .map(|(q, k)| quantile[(report * s + k) * SCORE_COUNT + q])
                    .collect(),
                share: shares.each_ref().map(|values| part(values, report)),
            })
            .collect();
        let loadings = document.array("loadings", Some(document.count(&[s, r, r])?))?;
        let unit = |row: &[f64]| (row.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-6;
        if !loadings.chunks_exact(r).all(unit) {
            return Err(document.wrong("`loadings` that are not of length 1".into(), "unit rows").into());
        }
        let slices = columns.iter().map(|column| Slice::new(state.clone(), column)).collect();
        Ok(Self {
            device,
            history: header.history,
            reports: header.reports,
            columns,
            path: Path { state, slices, factor: Factor { reports: r, normals: r, loadings } },
        })
    }
}
