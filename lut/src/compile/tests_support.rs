//! A cell in closed form, and its table.

use crate::source::SCORE_COUNT;
use crate::{
    CellSource, CellStatistics, CompileOptions, DeviceTable, SCORES, Share, SourceError, SourceInfo, compile,
};
use mho_data::provenance::Origin;

/// A cell whose current relaxes towards 600 nA with dose and creeps with time; lognormal spread.
pub(crate) struct Demo;

impl Demo {
    pub(crate) fn mean(state: f64, time_s: f64, dose: f64) -> f64 {
        let start = 1600.0 * state;
        let dosed = 600.0 + (start - 600.0) * (-dose / 1700.0).exp();
        dosed + (400.0 - dosed) * 0.02 * (1.0 + time_s / 1800.0).log10()
    }
}

impl CellSource for Demo {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "demo".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 1e6,
            dose_max_krad_si: 1e3,
            notes: vec![],
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose: f64) -> Result<CellStatistics, SourceError> {
        let mean = Self::mean(state, time_s, dose);
        let spread = 0.02 + 0.01 * (1.0 + dose / 100.0).ln();
        Ok(CellStatistics {
            mean_na: mean,
            sigma_na: mean * spread,
            quantiles_na: std::array::from_fn::<_, SCORE_COUNT, _>(|q| {
                mean * (1.0 + spread * SCORES[q]).max(0.0)
            }),
            share: Share { programming: 1.0 / (1.0 + dose), drift: 0.0, dose: dose / (1.0 + dose) },
            extrapolated: state < 0.03,
        })
    }

    fn read_noise_na(&self, current: f64) -> f64 {
        0.01 * current
    }
}

/// Its table, compiled once.
pub(crate) fn table() -> &'static DeviceTable {
    static TABLE: std::sync::OnceLock<DeviceTable> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| compile(&Demo, &CompileOptions::default()).unwrap())
}
