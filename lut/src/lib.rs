//! The waist of mho: device tables.
//!
//! A [`CellSource`] is anything that behaves like a memory cell: it says what current a cell with a
//! given target carries after a time and a dose, with which spread. [`compile`] turns it into a
//! [`DeviceTable`] whose interpolation error is measured and stored as a [`Certificate`]; networks know
//! devices through such tables alone.
//!
//! **Meaning of the spread.** The current of one cell at (time, dose) is `Q(z)`, where `Q` is the
//! quantile function over normal scores and
//! `z = sqrt(share.programming) x1 + sqrt(share.drift) x2 + sqrt(share.dose) x3` with three standard
//! normals that belong to the cell for good. The same cell therefore meets every time and dose with the
//! same fate, and an effect is switched off by leaving its normal out.

mod axis;
mod certificate;
mod compile;
mod document;
mod ensemble;
mod factor;
mod file;
mod history;
mod lookup;
mod measured;
mod outside;
mod path;
mod pchip;
mod slice;
mod source;
mod table;
mod update;
mod voltage;

pub use axis::Axis;
pub use certificate::{Against, Certificate};
pub use compile::{CompileOptions, compile, compile_ensemble};
pub use ensemble::{Ensemble, Member, MemberKind, Uncertain};
pub use history::{
    History, HistoryOptions, HistoryTable, REFERENCE_TEMPERATURE_K, Report, Segment, compile_history,
};
pub use measured::{CellReading, MeasuredOptions, compile_measured};
pub use outside::{Clamped, OutOfRange, Sides};
pub use path::Path;
pub use slice::Slice;
pub use source::{CellSource, CellStatistics, Course, ReadVoltages, SCORES, Share, SourceError, SourceInfo};
pub use table::{DeviceTable, Query, Row, TableError, Validity};
pub use update::{
    Direction, Steps, UpdateCertificate, UpdateCounts, UpdateInfo, UpdateOptions, UpdateRule, UpdateSource,
    UpdateTable, compile_updates,
};
