//! Weights as digits of cells, and what a column current means.
//!
//! A weight w in [-1, 1] (of the largest) becomes fractions f in [0, 1] of the conductance range, one
//! for each slice and sign: g = g_min + (1 - g_min) f. Columns deliver I = sum g x. Back:
//! w x = sum_s F_s (I_s+ - I_s-) / (1 - g_min) for pairs, and
//! w x = sum_s F_s I_s / (1 - g_min) - Z sum x for single cells, whose offset Z is known.

use super::spec::CoreSpec;
use crate::array::MappingStyle;

/// How one core encodes its weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encoding {
    style: MappingStyle,
    slices: usize,
    /// Largest signed code of a weight; 0 for analog cells.
    top: u32,
    /// Bits of a digit, of one slice.
    digit_bits: u32,
    conductance_min: f64,
}

impl Encoding {
    /// The encoding of a specification that [`CoreSpec::check`] accepts.
    pub fn new(spec: &CoreSpec) -> Self {
        let bits = match spec.style {
            MappingStyle::Differential | MappingStyle::TwoSided => spec.weight_bits.saturating_sub(1),
            MappingStyle::OffsetDigital | MappingStyle::OffsetColumn => spec.weight_bits,
        };
        let top = if spec.weight_bits == 0 { 0 } else { (1 << (spec.weight_bits - 1)) - 1 };
        Self {
            style: spec.style,
            slices: spec.slices,
            top,
            digit_bits: bits.div_ceil(spec.slices as u32),
            conductance_min: spec.conductance_min(),
        }
    }

    /// Whether a weight is a pair of cells.
    pub fn is_pair(&self) -> bool {
        matches!(self.style, MappingStyle::Differential | MappingStyle::TwoSided)
    }

    /// Whether a column of cells at the offset stands beside the others.
    pub fn has_reference(&self) -> bool {
        self.style == MappingStyle::OffsetColumn
    }

    /// Number of slices.
    pub fn slices(&self) -> usize {
        self.slices
    }

    /// Largest digit of a slice; 0 for analog cells.
    pub fn digit_max(&self) -> u32 {
        if self.top == 0 { 0 } else { (1 << self.digit_bits) - 1 }
    }

    /// Fractions of the conductance range for `w` in [-1, 1] in one slice: positive (or only) cell,
    /// negative cell.
    pub fn fractions(&self, w: f64, slice: usize) -> [f64; 2] {
        let top = f64::from(self.top);
        match (self.style, self.top) {
            (MappingStyle::Differential, 0) => [w.max(0.0), (-w).max(0.0)],
            (MappingStyle::TwoSided, 0) => [0.5 * (1.0 + w), 0.5 * (1.0 - w)],
            (_, 0) => [0.5 * (1.0 + w), 0.0],
            (MappingStyle::Differential, _) => {
                let code = (w * top).round_ties_even();
                [code.max(0.0), (-code).max(0.0)].map(|magnitude| self.digit(magnitude as u32, slice))
            }
            (MappingStyle::TwoSided, _) => {
                // Both cells move by half the code; where it is odd against the number of levels, both
                // stand half a level higher, so that every code, zero too, is met exactly.
                let code = (w * top).round_ties_even();
                [0.5 * (top + code), 0.5 * (top - code)].map(|level| level.ceil() / top)
            }
            (MappingStyle::OffsetDigital | MappingStyle::OffsetColumn, _) => {
                let code = (w * top).round_ties_even() + f64::from(self.zero());
                [self.digit(code as u32, slice), 0.0]
            }
        }
    }

    /// Fraction of the conductance range of a reference cell in one slice: that of a weight of zero.
    pub fn reference(&self, slice: usize) -> f64 {
        self.fractions(0.0, slice)[0]
    }

    /// Conductance, in units of the largest, of a fraction of the range.
    pub fn conductance(&self, fraction: f64) -> f64 {
        self.conductance_min + (1.0 - self.conductance_min) * fraction
    }

    /// F_s / (1 - g_min): what one unit of current of a slice is worth.
    pub fn factor(&self, slice: usize) -> f64 {
        let worth = match (self.style, self.top) {
            (MappingStyle::Differential | MappingStyle::TwoSided, 0) | (MappingStyle::TwoSided, _) => 1.0,
            (_, 0) => 2.0,
            (_, top) => {
                let shift = (2.0_f64).powi((self.digit_bits as usize * slice) as i32);
                shift * f64::from(self.digit_max()) / f64::from(top)
            }
        };
        worth / (1.0 - self.conductance_min)
    }

    /// Z: what is subtracted for a unit of input, when no pair and no reference column does it.
    pub fn offset(&self) -> f64 {
        if self.is_pair() || self.has_reference() {
            return 0.0;
        }
        self.reference_worth()
    }

    /// What the reference cells of all slices are worth together.
    fn reference_worth(&self) -> f64 {
        (0..self.slices).map(|s| self.factor(s) * self.conductance(self.reference(s))).sum()
    }

    /// Code of a weight of zero in the offset styles.
    fn zero(&self) -> u32 {
        self.top + 1
    }

    fn digit(&self, code: u32, slice: usize) -> f64 {
        let digit = (code >> (self.digit_bits as usize * slice)) & self.digit_max();
        f64::from(digit) / f64::from(self.digit_max())
    }
}
