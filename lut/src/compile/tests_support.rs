//! The table that unit tests share.

use crate::{CompileOptions, DeviceTable, SyntheticCell, compile};

/// The cell of the table, with some states that lie outside of what it claims to know.
pub(crate) fn cell() -> SyntheticCell {
    SyntheticCell { extrapolated_below: 0.03, ..SyntheticCell::default() }
}

/// Its table, compiled once.
pub(crate) fn table() -> &'static DeviceTable {
    static TABLE: std::sync::OnceLock<DeviceTable> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| compile(&cell(), &CompileOptions::default()).unwrap())
}
