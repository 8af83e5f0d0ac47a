//! Lines of a core while its arrays come, some columns after the other, so that no more of their cells need
//! stand at a time.

use std::ops::Range;

use super::circuit::CircuitArray;
use super::encoding::Encoding;
use super::lines::{Law, Lines, Subtrahend, Tile};
use super::mapping::{Array, Mapping, Sign, tiles};
use super::pulse::PulseLine;
use super::spec::{Conversion, CoreError, CoreSpec};
use crate::array::Subtract;
use crate::converter::{Converter, ConverterError, Real};
use crate::vector::wide;

/// Lines in the making.
#[derive(Debug)]
pub(crate) struct Making<T> {
    outputs: usize,
    subtrahend: Subtrahend,
    /// Whether subtrahends are taken off the outputs' lines for good.
    merged: bool,
    /// First outputs of the tiles.
    starts: Vec<usize>,
    share: f64,
    noisy: bool,
    law: Law<T>,
    /// Weight that a unit of current of each slice stands for.
    factors: Vec<f64>,
    offset: f64,
    /// What the products of each output are multiplied with; empty for nothing.
    columns: Vec<f64>,
    tiles: Vec<Tile<T>>,
    /// Of the columns that came last, for each slice.
    parts: Vec<Part>,
    weights: Vec<f64>,
}

/// Sums over the equal cells of some columns.
#[derive(Clone, Debug, Default)]
struct Part {
    currents: Sums,
    variances: Sums,
    /// Currents of curved cells at the pivots of each term but the first.
    terms: Vec<Sums>,
}

/// Of the outputs' own lines, of the other cells of pairs, of the reference column.
#[derive(Clone, Debug, Default)]
struct Sums {
    own: Vec<f64>,
    other: Vec<f64>,
    reference: Vec<f64>,
}

impl Sums {
    fn clear(&mut self, cells: usize, rows: usize) {
        for (list, length) in [(&mut self.own, cells), (&mut self.other, cells), (&mut self.reference, rows)]
        {
            list.clear();
            list.resize(length, 0.0);
        }
    }

    /// What is subtracted from column `k`, if anything is.
    fn subtrahend(&self, of: &Subtrahend, k: usize, rows: usize) -> Option<&[f64]> {
        match of {
            Subtrahend::None => None,
            Subtrahend::Partner => Some(&self.other[k * rows..(k + 1) * rows]),
            Subtrahend::Reference(..) => Some(&self.reference),
        }
    }
}

#[inline(always)]
fn add(sums: &mut [f64], cells: &[f64], of: impl Fn(f64) -> f64) {
    sums.iter_mut().zip(cells).for_each(|(sum, &cell)| *sum += of(cell));
}

impl Sums {
    /// Adds what `of` makes of the cells of an array: its columns to the lines of its sign, and its reference.
    fn take(&mut self, array: &Array, cells: &[f64], encoding: &Encoding, of: impl Fn(f64) -> f64 + Copy) {
        let (columns, reference) = array.split(cells, encoding);
        let own = if array.sign == Sign::Negative { &mut self.other } else { &mut self.own };
        wide(
            #[inline(always)]
            || {
                add(own, columns, of);
                add(&mut self.reference, reference.unwrap_or_default(), of);
            },
        );
    }
}

impl<T: Real> Making<T> {
    /// Of a mapping, none of whose arrays have come yet; `noisy` if they will have read noise. Without `lines`
    /// only weights are told.
    pub(crate) fn new(mapping: &Mapping, noisy: bool, lines: bool) -> Self {
        let (spec, encoding, outputs) = (mapping.spec(), &mapping.encoding, mapping.outputs);
        // Circuits find the noise of their lines themselves.
        let noisy = noisy && mapping.circuit.is_none();
        let starts: Vec<usize> =
            tiles(outputs, spec.columns, spec.split).into_iter().map(|tile| tile.start).collect();
        let tile_of = |j: usize| starts.partition_point(|&start| start <= j).saturating_sub(1);
        let subtrahend = if encoding.is_pair() {
            Subtrahend::Partner
        } else if encoding.has_reference() {
            Subtrahend::Reference((0..outputs).map(tile_of).collect(), starts.len())
        } else {
            Subtrahend::None
        };
        let share = 1.0 / spec.cells_per_weight as f64;
        let law = match &spec.pulse {
            Some(pulse) => Law::Pulse { linearise: pulse.linearise },
            // In the same units as the lines, which are means over equal cells.
            None if spec.column_current_max.is_finite() => Law::Limit(T::of(spec.column_current_max * share)),
            None => Law::Linear,
        };
        // Of linear lines, a subtraction in the array is one of conductances.
        let alone = mapping.circuit.as_ref().is_some_and(|circuit| !circuit.interleaved);
        let merged = spec.subtract == Subtract::Array && law == Law::Linear && !alone;
        let width = outputs + if merged { 0 } else { subtrahend.lines(outputs) };
        let tile = |inputs: Range<usize>| {
            let slices =
                || vec![vec![T::default(); width * inputs.len()]; if lines { spec.slices } else { 0 }];
            let curved = terms(mapping);
            Tile {
                terms: (0..curved).map(|_| slices()).collect(),
                pulse: spec.pulse.as_ref().map(|pulse| PulseLine::new(pulse, inputs.len())),
                slices: slices(),
                variances: if noisy { slices() } else { Vec::new() },
                circuits: Vec::new(),
                inputs,
            }
        };
        Self {
            outputs,
            subtrahend,
            merged,
            starts,
            share,
            noisy,
            law,
            factors: (0..spec.slices).map(|slice| encoding.factor(slice) * mapping.weight_max).collect(),
            offset: encoding.offset() * mapping.weight_max,
            columns: mapping.columns.clone(),
            tiles: tiles(mapping.inputs, spec.rows, spec.split).into_iter().map(tile).collect(),
            parts: vec![Part::default(); spec.slices],
            weights: Vec::new(),
        }
    }

    /// Takes all arrays of some columns of a tile, of which `mapping` says what they are; `see` gets the weights
    /// that they stand for: the output, its inputs, and one weight for each of them.
    ///
    /// # Errors
    /// [`CoreError::Size`] and [`CoreError::NotFinite`] for such cells.
    pub(crate) fn add(
        &mut self,
        mapping: &Mapping,
        arrays: &[Array],
        mut see: impl FnMut(usize, &Range<usize>, &[f64]),
    ) -> Result<(), CoreError> {
        let Some(Array { inputs, outputs, .. }) = arrays.first() else { return Ok(()) };
        let (rows, encoding) = (inputs.len(), &mapping.encoding);
        for part in &mut self.parts {
            part.currents.clear(rows * outputs.len(), rows);
            part.terms.resize_with(terms(mapping), Sums::default);
            part.terms.iter_mut().for_each(|term| term.clear(rows * outputs.len(), rows));
            if self.noisy {
                part.variances.clear(rows * outputs.len(), rows);
            }
        }
        for array in arrays {
            array.check(encoding)?;
            let (share, part) = (self.share, &mut self.parts[array.slice]);
            part.currents.take(array, &array.conductances, encoding, |cell| share * cell);
            if let Some(curves) = &mapping.curves {
                for (k, term) in (1..).zip(&mut part.terms) {
                    let at = |cell| share * curves.current(k, cell);
                    term.take(array, &array.conductances, encoding, at);
                }
            }
            if self.noisy {
                // Independent errors of equal cells: the variance of the mean.
                part.variances.take(array, &array.noise, encoding, |sigma| share * share * (sigma * sigma));
            }
        }
        if let Some(tile) = self.tiles.iter_mut().find(|tile| tile.inputs == *inputs) {
            let reference = self.starts.partition_point(|&start| start <= outputs.start).saturating_sub(1);
            let lines = Columns {
                outputs: self.outputs,
                of: outputs,
                rows,
                subtrahend: &self.subtrahend,
                merged: self.merged,
                reference: self.outputs + reference,
            };
            for (slice, part) in tile.slices.iter_mut().zip(&self.parts) {
                lines.write(&part.currents, -1.0, slice);
            }
            for (k, term) in tile.terms.iter_mut().enumerate() {
                for (slice, part) in term.iter_mut().zip(&self.parts) {
                    lines.write(&part.terms[k], -1.0, slice);
                }
            }
            for (slice, part) in tile.variances.iter_mut().zip(&self.parts) {
                lines.write(&part.variances, 1.0, slice);
            }
            if let Some(circuit) = &mapping.circuit {
                tile.circuits.extend::<Vec<CircuitArray<T>>>(circuit.arrays(
                    mapping,
                    arrays,
                    lines.reference,
                )?);
            }
        }
        for (k, output) in outputs.clone().enumerate() {
            self.weights.clear();
            self.weights.resize(rows, -self.offset);
            for (part, &factor) in self.parts.iter().zip(&self.factors) {
                let (sums, weights) = (&part.currents, &mut self.weights);
                let own = &sums.own[k * rows..(k + 1) * rows];
                let other = sums.subtrahend(&self.subtrahend, k, rows).unwrap_or_default();
                wide(
                    #[inline(always)]
                    || {
                        add(weights, own, |g| factor * g);
                        add(weights, other, |g| -factor * g);
                    },
                );
            }
            if let Some(part) = self.columns.get(output) {
                self.weights.iter_mut().for_each(|weight| *weight *= part);
            }
            see(output, inputs, &self.weights);
        }
        Ok(())
    }

    /// The lines, with the converters that `converter` makes for each slice from their number.
    pub(super) fn finish(
        self,
        mapping: &Mapping,
        converter: impl Fn(usize, usize) -> Result<Converter<T>, ConverterError>,
    ) -> Result<Lines<T>, CoreError> {
        let spec: &CoreSpec = mapping.spec();
        let subtrahend = if self.merged { Subtrahend::None } else { self.subtrahend };
        let converted = match spec.subtract {
            Subtract::Array => self.outputs,
            Subtract::Digital => self.outputs + subtrahend.lines(self.outputs),
        };
        let count = converted * self.tiles.len();
        let converters = (0..spec.slices).map(|slice| converter(count, slice)).collect::<Result<_, _>>()?;
        let scale = spec.input.max;
        Ok(Lines {
            tiles: self.tiles,
            subtrahend,
            subtract: spec.subtract,
            each_slice: spec.output.conversion == Conversion::EachSlice,
            law: self.law,
            converters,
            worth: self.factors.iter().map(|factor| T::of(factor * scale)).collect(),
            offset: T::of(self.offset * scale),
            columns: self.columns.iter().map(|&part| T::of(part)).collect(),
            kept: mapping.kept_currents().into_iter().map(|kept| kept.map(T::of)).collect(),
            curves: mapping.curves.clone(),
        })
    }
}

/// Products beside the first that curved cells on ideal lines need.
fn terms(mapping: &Mapping) -> usize {
    let curves = mapping.curves.as_ref().filter(|_| mapping.circuit.is_none());
    curves.map_or(0, |curves| curves.count().saturating_sub(1))
}

/// Where columns go.
struct Columns<'a> {
    outputs: usize,
    of: &'a Range<usize>,
    rows: usize,
    subtrahend: &'a Subtrahend,
    merged: bool,
    /// Line of the reference column.
    reference: usize,
}

impl Columns<'_> {
    /// Writes sums into the lines of a slice; `sign` is that of the subtrahend.
    fn write<T: Real>(&self, sums: &Sums, sign: f64, lines: &mut [T]) {
        let rows = self.rows;
        for (k, output) in self.of.clone().enumerate() {
            let own = &sums.own[k * rows..(k + 1) * rows];
            let line = &mut lines[output * rows..(output + 1) * rows];
            match sums.subtrahend(self.subtrahend, k, rows) {
                Some(other) if self.merged => wide(
                    #[inline(always)]
                    || {
                        for ((cell, g), other) in line.iter_mut().zip(own).zip(other) {
                            *cell = T::of(g + sign * other);
                        }
                    },
                ),
                other => {
                    narrow(own, line);
                    if let (Some(other), Subtrahend::Partner) = (other, self.subtrahend) {
                        narrow(other, &mut lines[(self.outputs + output) * rows..][..rows]);
                    }
                }
            }
        }
        if matches!(self.subtrahend, Subtrahend::Reference(..)) && !self.merged {
            narrow(&sums.reference, &mut lines[self.reference * rows..][..rows]);
        }
    }
}

fn narrow<T: Real>(from: &[f64], to: &mut [T]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = T::of(from));
}
