//! Axes of a table: ascending nodes in the unit that people use, and a coordinate on which the
//! quantities bend least.

use crate::log1p::log1p;
use crate::lookup::{Lookup, Place};

/// An axis. The coordinate of a value x is `ln(1 + x/scale)`, linear near zero (so that zero itself is
/// on the axis) and logarithmic beyond the scale; without a scale it is x.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    nodes: Vec<f64>,
    coordinates: Lookup,
    scale: Option<f64>,
}

impl Axis {
    /// An axis through these nodes, sorted, equal ones merged.
    pub fn new(mut nodes: Vec<f64>, scale: Option<f64>) -> Self {
        nodes.retain(|x| x.is_finite());
        nodes.sort_by(f64::total_cmp);
        nodes.dedup();
        let coordinates = Lookup::new(nodes.iter().map(|&x| coordinate(scale, x)).collect());
        Self { coordinates, nodes, scale }
    }

    /// The nodes.
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// Where the logarithm begins, if there is one.
    pub fn scale(&self) -> Option<f64> {
        self.scale
    }

    pub(crate) fn coordinates(&self) -> &[f64] {
        self.coordinates.knots()
    }

    pub(crate) fn lookup(&self) -> &Lookup {
        &self.coordinates
    }

    /// First and last node.
    pub fn range(&self) -> (f64, f64) {
        (self.nodes.first().copied().unwrap_or(0.0), self.nodes.last().copied().unwrap_or(0.0))
    }

    pub(crate) fn coordinate(&self, x: f64) -> f64 {
        coordinate(self.scale, x)
    }

    /// [`Self::place`] of many values: logarithms first, as vectors.
    #[inline(always)]
    pub(crate) fn places<const N: usize>(&self, mut values: [f64; N]) -> [Place; N] {
        if let Some(scale) = self.scale {
            for value in &mut values {
                *value = log1p(*value / scale);
            }
        }
        let mut places = [Place { i: 0, t: 0.0 }; N];
        for (place, &coordinate) in places.iter_mut().zip(&values) {
            *place = self.coordinates.place(coordinate);
        }
        places
    }

    pub(crate) fn value(&self, coordinate: f64) -> f64 {
        self.scale.map_or(coordinate, |scale| scale * libm::expm1(coordinate))
    }

    /// Where a value lies among the nodes; clamped to their range.
    #[inline]
    pub(crate) fn place(&self, x: f64) -> Place {
        self.coordinates.place(self.coordinate(x))
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The value half way between nodes `i` and `i + 1`.
    pub(crate) fn middle(&self, i: usize) -> f64 {
        let coordinates = self.coordinates();
        self.value(0.5 * (coordinates[i] + coordinates[i + 1]))
    }

    pub(crate) fn with(&self, more: &[f64]) -> Self {
        Self::new(self.nodes.iter().chain(more).copied().collect(), self.scale)
    }
}

#[inline]
fn coordinate(scale: Option<f64>, x: f64) -> f64 {
    scale.map_or(x, |scale| log1p(x / scale))
}
