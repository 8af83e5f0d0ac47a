//! The stages, one file each.

use crate::stage::Stage;

/// Every stage that a study can name.
pub fn registry() -> Vec<Box<dyn Stage>> {
    vec![]
}
