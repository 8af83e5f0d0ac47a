//! What happens to the currents of lines after the product of matrices: noise, limits, subtraction,
//! conversion, shift and add.

use std::ops::Range;

use mho_data::random::Stream;

use super::lines::{Law, Lines, Subtrahend, Tile};
use super::multiply::Counts;
use crate::array::Subtract;
use crate::converter::{Real, Uniform};
use crate::normals;
use crate::vector::wide;

/// Normals that are drawn at once, if a line has no more: they are used while the first cache holds them.
const NORMALS: usize = 4096;

/// The lines of one block of a batch.
#[derive(Clone, Debug)]
pub(super) struct After<'a, T> {
    pub lines: &'a Lines<T>,
    pub outputs: usize,
    /// Number of the read of the batch's first column.
    pub first: u64,
    /// The columns of the block, among those of the batch.
    pub columns: Range<usize>,
    pub batch: usize,
}

/// Noise of one read.
#[derive(Clone, Copy)]
pub(super) struct Noise<'a, T> {
    pub stream: Stream,
    /// Of the current of each line, lines x columns.
    pub variances: &'a [T],
}

impl<T: Real> After<'_, T> {
    /// Adds the noise of one read: that of independent cells is normal on a line, with the variance
    /// sum of var_i x_i^2.
    pub fn noise(&self, noise: &Noise<'_, T>, normals: &mut Vec<f32>, currents: &mut [T]) {
        let n = self.columns.len().max(1);
        let lines = (NORMALS / n).max(1);
        normals.resize(lines * n, 0.0);
        let first = self.first.wrapping_add(self.columns.start as u64);
        let parts = currents.chunks_mut(lines * n).zip(noise.variances.chunks(lines * n));
        for (part, (currents, variances)) in parts.enumerate() {
            let normals = &mut normals[..currents.len()];
            normals::fill_lines(&noise.stream, (part * lines) as u64, first, n, normals);
            wide(
                #[inline(always)]
                || {
                    for ((current, variance), normal) in currents.iter_mut().zip(variances).zip(&*normals) {
                        *current += variance.sqrt() * T::of_f32(*normal);
                    }
                },
            );
        }
    }

    /// What lines that are not linear do to their sums; returns how many met their limit.
    pub fn limit(&self, tile: &Tile<T>, currents: &mut [T]) -> u64 {
        match (self.lines.law, &tile.pulse) {
            (Law::Limit(limit), _) => wide(
                #[inline(always)]
                || {
                    let mut limited = 0;
                    // Parts whose count fits the counter.
                    for part in currents.chunks_mut(1 << 16) {
                        let mut count = T::Counter::default();
                        for current in part {
                            count += T::Counter::from(*current > limit || *current < -limit);
                            *current = current.max(-limit).min(limit);
                        }
                        limited += count.into();
                    }
                    limited
                },
            ),
            (Law::Pulse { .. }, Some(line)) => {
                let mut limited = 0;
                for current in currents {
                    let (read, beyond) = line.read(current.to_f64());
                    limited += u64::from(beyond);
                    *current = T::of(read);
                }
                limited
            }
            _ => 0,
        }
    }

    /// Subtracts the subtrahends from the lines of the outputs where that happens in the array, and leaves
    /// those lines alone.
    pub fn subtract<'c>(&self, currents: &'c mut [T]) -> &'c mut [T] {
        if self.lines.subtract == Subtract::Digital || self.lines.subtrahend == Subtrahend::None {
            return currents;
        }
        let n = self.columns.len();
        let (own, others) = currents.split_at_mut(self.outputs * n);
        for (j, line) in own.chunks_exact_mut(n.max(1)).enumerate() {
            if let Some(other) = self.lines.subtrahend.of(j, 0) {
                line.iter_mut().zip(&others[other * n..]).for_each(|(i, &other)| *i -= other);
            }
        }
        own
    }

    /// Converts the currents of one slice of weights, from read number `read` of the batch on, and adds
    /// them to the outputs with what they are `worth`.
    pub fn deliver(
        &self,
        (number, tile): (usize, &Tile<T>),
        (slice, worth): (usize, T),
        read: u64,
        currents: &mut [T],
        outputs: &mut [T],
    ) -> Counts {
        let n = self.columns.len().max(1);
        let converter = &self.lines.converters[slice];
        let mut counts = Counts::default();
        let linearised = match (self.lines.law, &tile.pulse) {
            (Law::Pulse { linearise: true }, Some(line)) => Some(line),
            _ => None,
        };
        // Lines of outputs that one quantiser converts are converted as they are added.
        let uniform = converter.uniform().filter(|_| linearised.is_none());
        if !converter.is_ideal() {
            counts.conversions = currents.len() as u64;
            if let Some(uniform) = uniform {
                counts.outputs_saturated = uniform.convert_all(&mut currents[self.outputs * n..]);
            } else {
                let lines = currents.len() / n;
                let read = read.wrapping_add(self.columns.start as u64);
                for (line, values) in currents.chunks_exact_mut(n).enumerate() {
                    counts.outputs_saturated += converter.convert_at(number * lines + line, read, values);
                }
            }
        }
        if let Some(line) = linearised {
            currents.iter_mut().for_each(|current| *current = T::of(line.linearised(current.to_f64())));
        }
        let worth = worth * self.lines.worth[slice];
        counts.outputs_saturated += wide(
            #[inline(always)]
            || self.add(uniform.copied(), worth, currents, outputs),
        );
        counts
    }

    /// Adds lines to the outputs, those of the outputs through `uniform`; returns how many of them
    /// saturated.
    #[inline(always)]
    fn add(&self, uniform: Option<Uniform<T>>, worth: T, currents: &[T], outputs: &mut [T]) -> u64 {
        let (n, columns) = (self.columns.len().max(1), self.columns.clone());
        let line = |l: usize| &currents[l * n..(l + 1) * n];
        let mut saturated = 0;
        for (j, row) in outputs.chunks_exact_mut(self.batch.max(1)).enumerate() {
            // What counts for nothing is no saturation.
            let kept = self.lines.kept.get(j);
            let uniform = uniform.map(|uniform| kept.map_or(uniform, |&kept| uniform.counting(kept)));
            let (own, row) = (line(j), &mut row[columns.clone()]);
            let digital = self.lines.subtract == Subtract::Digital;
            let other = self.lines.subtrahend.of(j, self.outputs).filter(|_| digital).map(line);
            match (uniform, other) {
                (Some(uniform), Some(other)) => {
                    saturated += uniform.add_differences(own, other, worth, row);
                }
                (Some(uniform), None) => saturated += uniform.add_levels(own, worth, row),
                (None, Some(other)) => {
                    for ((y, &i), &other) in row.iter_mut().zip(own).zip(other) {
                        *y += worth * (i - other);
                    }
                }
                (None, None) => row.iter_mut().zip(own).for_each(|(y, &i)| *y += worth * i),
            }
        }
        saturated
    }
}
