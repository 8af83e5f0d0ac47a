//! Where the currents of an array go, and their noise.

use crate::converter::Real;

/// Lines that take the currents of an array for a batch of inputs, `batch` numbers each.
#[derive(Debug)]
pub struct Arriving<'a, T> {
    /// For each column the line that it is part of, and what its currents are multiplied with.
    pub columns: &'a [(usize, T)],
    /// Number of inputs.
    pub batch: usize,
    /// Currents, lines x batch, which those of the array are added to.
    pub currents: &'a mut [T],
    /// Variances of their noise, in the same order; empty for none.
    pub variances: &'a mut [T],
}

impl<T: Real> Arriving<'_, T> {
    /// Adds the currents of all columns for input `k`.
    #[inline(always)]
    pub(super) fn add(&mut self, k: usize, currents: impl Iterator<Item = T>) {
        for (&(line, share), current) in self.columns.iter().zip(currents) {
            self.currents[line * self.batch + k] += share * current;
        }
    }

    /// Adds the variances of all columns for input `k`.
    #[inline(always)]
    pub(super) fn spread(&mut self, k: usize, variances: impl Iterator<Item = T>) {
        for (&(line, share), variance) in self.columns.iter().zip(variances) {
            self.variances[line * self.batch + k] += share * share * variance;
        }
    }
}
