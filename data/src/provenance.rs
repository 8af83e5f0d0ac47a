//! Where numbers come from.

use serde::{Deserialize, Serialize};

/// Where a set of data comes from. Whatever is made from synthetic data is synthetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Measured by the user.
    Measured,
    /// Measured by others and published.
    Published,
    /// Computed from other data.
    Derived,
    /// Made by a generator, not measured by anybody.
    Synthetic,
}

impl Origin {
    /// A label for figures and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Published => "published measurement",
            Self::Derived => "derived",
            Self::Synthetic => "synthetic data",
        }
    }

    /// The origin of something made from both: the least trustworthy of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// How a number is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Measured directly.
    Measured,
    /// Fitted to measurements.
    Fitted,
    /// Computed from other numbers.
    Derived,
    /// Assumed, for want of anything better.
    Assumed,
    /// From first-principles calculations.
    AbInitio,
}

/// The source of a number or a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Citation.
    pub cite: String,
    /// How the number is known.
    pub kind: Kind,
    /// What a reader should know besides.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
