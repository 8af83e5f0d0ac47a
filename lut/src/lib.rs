//! The waist of mho: device tables.
//!
//! A [`CellSource`] is anything that behaves like a memory cell: it says what current a cell with a
//! given target carries after a time and a dose, with which spread. [`compile`] turns it into a
//! [`DeviceTable`] whose interpolation error is measured and stored as a [`Certificate`]; networks know
//! devices through such tables alone.
//!
//! | table | axes | made by |
//! |---|---|---|
//! | [`DeviceTable`] | state, time, dose | [`compile`] from a source; [`compile_measured`] from readings |
//! | [`HistoryTable`] | state, report of a [`History`] | [`compile_history`] |
//! | [`Ensemble`] | member, state, time, dose | [`compile_ensemble`] |
//! | [`UpdateTable`] | direction, conductance, probability | [`compile_updates`], [`UpdateTable::from_ramps`], [`Steps::from_text`] |
//!
//! **Meaning of the spread.** The current of one cell at (time, dose) is `Q(z)`, where `Q` is the
//! quantile function over normal scores and
//! `z = sqrt(share.programming) x1 + sqrt(share.drift) x2 + sqrt(share.dose) x3` with three standard
//! normals that belong to the cell for good. The same cell therefore meets every time and dose with the
//! same fate, and an effect is switched off by leaving its normal out. In a history `z = L x` at all
//! reports, where `L L^T` is the correlation of the cell with itself as its source knows it; how far the
//! three normals of a grid are from that stands in the certificate. [`Path`] draws cells either way.
//!
//! **Outside of a table.** Batches take an [`OutOfRange`]: the first number outside is an error, or all are
//! moved to the edge and counted per axis and side in [`Clamped`]. Single numbers have no number outside:
//! NaN. Only scores beyond the outermost quantile are read along the last slope, as tails of a draw; batches
//! count them.
//!
//! **Interpolation.** Over state, time, dose and current by cubics that keep the shape of their nodes
//! (Fritsch and Butland 1984), on coordinates `ln(1 + x/scale)` of time and dose, so that zero is on the
//! axis; over scores and probabilities by straight lines.
//!
//! # Files
//!
//! All tables are safetensors with arrays of F64 and a text `mho` in the header's metadata: JSON with
//! `schema` (2; 1 is still read for grids), `kind` (`grid`, `history`, `ensemble`, `update`) and what is
//! named below; [`AnyTable`] reads all of them. Currents are in nA, times in s, doses in krad(Si). In Python:
//! `safetensors.numpy.load_file("cell.safetensors")["mean"]`.
//!
//! **grid**: header `name`, `origin`, `unit` (`nA`), `current_max_na`, `notes`, `certificate`, `validity`,
//! `extrapolated_nodes`, `read_voltage_v`, `read_voltages`, `time_scale_s`, `dose_scale_krad_si`.
//!
//! | array | shape | meaning |
//! |---|---|---|
//! | `axis.state` | s | fraction of the largest current |
//! | `axis.time_s`, `axis.dose_krad_si` | t; d | time; dose |
//! | `axis.score` | 33 | normal scores, -4 to 4 |
//! | `mean`, `sigma` | s, t, d | mean; standard deviation over cells, read noise not included |
//! | `quantile` | s, t, d, 33 | current at the scores |
//! | `share.programming`, `share.drift`, `share.dose` | s, t, d | parts of the variance of the score |
//! | `read_sigma` | s, t, d | standard deviation of one read of a cell of the state |
//! | `read_noise.current`, `read_noise.sigma` | n | the same by the current that a cell carries |
//! | `read_voltage.axis_v`, `.reference_current`, `.current` | v; i; v, i | current at another read voltage (optional) |
//! | `cells` | s, t, d | measured cells (tables of measured cells only) |
//!
//! **history**: header as of a grid, with `history` (segments) and `reports` in place of scales and
//! validity; arrays as of a grid with the shape r, s (`quantile` r, s, 33), `report.time_s`,
//! `report.dose_krad_si`, and `loadings` s, r, r: the factor `L` of the correlation at each state.
//!
//! **ensemble**: the axes of a grid once; everything else of member k under `member.k.`; header `members`,
//! each with `label`, `kind` (`best`, `parameters`, `model`) and `table`, the header of a grid.
//!
//! **update**: header `name`, `origin`, `unit` (of conductances and steps), `notes`, `certificate`; arrays
//! `up.conductance` g, `up.probability` p, `up.step` p, g, and the same for `down`.

mod any;
mod axis;
mod certificate;
mod compile;
mod device;
mod document;
mod ensemble;
mod factor;
mod file;
mod history;
mod log1p;
mod lookup;
mod measured;
mod outside;
mod path;
mod pchip;
mod points;
mod slice;
mod source;
mod synthetic;
mod table;
mod update;
mod voltage;

pub use any::AnyTable;
pub use axis::Axis;
pub use certificate::{Against, Certificate};
pub use compile::{CompileOptions, compile, compile_ensemble};
pub use device::Device;
pub use ensemble::{Ensemble, Member, MemberKind, Uncertain};
pub use history::{
    History, HistoryOptions, HistoryTable, REFERENCE_TEMPERATURE_K, Report, Segment, compile_history,
};
pub use measured::{CellReading, MeasuredOptions, compile_measured, normal_score};
pub use outside::{Clamped, OutOfRange, Sides};
pub use path::Path;
pub use points::Points;
pub use slice::Slice;
pub use source::{CellSource, CellStatistics, Course, ReadVoltages, SCORES, Share, SourceError, SourceInfo};
pub use synthetic::SyntheticCell;
pub use table::{DeviceTable, Query, Row, TableError, Validity};
pub use update::{
    Direction, PulseOptions, Steps, UpdateCertificate, UpdateCounts, UpdateInfo, UpdateOptions, UpdateRule,
    UpdateSource, UpdateTable, compile_updates,
};
