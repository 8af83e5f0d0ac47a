//! Products through a core.
//!
//! The currents of all lines are products of matrices; what happens to them afterwards ([`super::after`])
//! runs over blocks of the batch whose currents still lie in the cache.

use std::ops::Range;

use mho_data::random::Stream;

use super::after::{After, Noise};
use super::circuit::CircuitArray;
use super::input::Driver;
use super::lines::{Law, Lines, Tile};
use super::spec::CoreError;
use super::{Core, Plan};
use crate::converter::Real;
use crate::product::{View, product};
use crate::vector::wide;
use crate::wires::Solved;

/// What was clipped, limited or saturated on the way, and out of how many conversions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Inputs beyond the full input.
    pub inputs_clipped: u64,
    /// Column lines at their largest current, or precharged ones beyond their linear range (current
    /// sources) or swing (resistive cells).
    pub lines_limited: u64,
    /// Conversions outside the range of the converter.
    pub outputs_saturated: u64,
    /// Conversions.
    pub conversions: u64,
    /// Vectors of inputs that circuits were solved for.
    pub solved: Solved,
}

/// A product and what happened on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Product<T> {
    /// Outputs x batch.
    pub outputs: Vec<T>,
    /// What was clipped, limited or saturated.
    pub counts: Counts,
}

impl<T: Real> Core<T> {
    /// Products of `inputs` (inputs x batch) with the core: outputs x batch.
    ///
    /// # Errors
    /// [`CoreError::Size`] when `inputs` holds another number of values.
    pub fn multiply(&self, inputs: &[T], batch: usize) -> Result<Product<T>, CoreError> {
        self.multiply_at(inputs, batch, 0)
    }

    /// As [`Core::multiply`], as reads number `first..first + batch`: read noise and stochastic rounding
    /// draw other numbers in other reads, whatever batches they come in.
    ///
    /// # Errors
    /// As [`Core::multiply`].
    pub fn multiply_at(&self, inputs: &[T], batch: usize, first: u64) -> Result<Product<T>, CoreError> {
        self.multiply_seeing(inputs, batch, (first, true), &mut |_, _, _| {})
    }

    /// As [`Core::multiply_at`] without what rows of biases add: they are not driven.
    ///
    /// # Errors
    /// As [`Core::multiply`].
    pub fn multiply_unbiased_at(
        &self,
        inputs: &[T],
        batch: usize,
        first: u64,
    ) -> Result<Product<T>, CoreError> {
        self.multiply_seeing(inputs, batch, (first, false), &mut |_, _, _| {})
    }

    /// As [`Core::multiply_at`], with rows of biases driven or not; `see` gets the slice of weights, the number of
    /// columns of a block and its currents before conversion, lines x columns.
    pub(super) fn multiply_seeing(
        &self,
        inputs: &[T],
        batch: usize,
        (first, biased): (u64, bool),
        see: &mut impl FnMut(usize, usize, &[T]),
    ) -> Result<Product<T>, CoreError> {
        let expected = self.inputs.saturating_mul(batch);
        if inputs.len() != expected {
            return Err(CoreError::Size { what: "inputs", found: inputs.len(), expected });
        }
        let silent = vec![T::default(); if biased { 0 } else { self.bias.len() }];
        let levels = if biased { &self.bias } else { &silent };
        let number = first.wrapping_mul(self.inputs as u64);
        let (driven, inputs_clipped) = self.driver.drive_with(inputs, number, levels, batch);
        let mut outputs = vec![T::default(); self.outputs * batch];
        let mut counts = Counts { inputs_clipped, ..Counts::default() };
        match &self.plan {
            Plan::Linear(matrix) => {
                let rows = self.rows();
                let (a, b) = (View::rows(matrix, rows), View::rows(&driven, batch));
                product((self.outputs, batch, rows), a, b, &mut outputs, batch, false);
            }
            Plan::Lines(lines) => {
                let mut work = Work::new(lines);
                // Slices of inputs are cut for each block, so that they too should stay in the cache.
                let cut = if self.driver.slices() > 1 { self.rows() } else { 0 };
                for columns in blocks(batch, lines.width(self.outputs).max(cut)) {
                    let after = After { lines, outputs: self.outputs, first, columns, batch };
                    let mut read = Read { after, driver: &self.driver, seed: self.seed, see: &mut *see };
                    for (number, tile) in lines.tiles.iter().enumerate() {
                        counts += read.tile((number, tile), &driven, &mut work, &mut outputs);
                    }
                }
                lines.take_offset(&driven, batch, &mut outputs);
                lines.scale(batch, &mut outputs);
            }
        }
        Ok(Product { outputs, counts })
    }
}

/// Numbers of a block of each kind (currents, outputs, slices of inputs): a quarter of a megabyte in single
/// precision, so that all of them stay in the second cache until they are converted and added.
const BLOCK: usize = 1 << 16;
/// Fewest columns of a block; products of this many still run at the full rate.
const NARROWEST: usize = 64;

/// The columns of a batch in equal blocks, where each column takes so many numbers.
fn blocks(batch: usize, numbers: usize) -> impl Iterator<Item = Range<usize>> {
    let count = batch.div_ceil((BLOCK / numbers.max(1)).max(NARROWEST));
    (0..count).map(move |i| i * batch / count..(i + 1) * batch / count)
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.inputs_clipped += other.inputs_clipped;
        self.lines_limited += other.lines_limited;
        self.outputs_saturated += other.outputs_saturated;
        self.conversions += other.conversions;
        self.solved += other.solved;
    }
}

impl<T: Real> Lines<T> {
    /// Takes off what cells at the offset add to every output; its sum of inputs is known digitally.
    fn take_offset(&self, driven: &[T], batch: usize, outputs: &mut [T]) {
        if self.offset == T::default() || batch == 0 {
            return;
        }
        let mut sums = vec![T::default(); batch];
        for row in driven.chunks_exact(batch) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
        }
        for row in outputs.chunks_exact_mut(batch) {
            row.iter_mut().zip(&sums).for_each(|(y, sum)| *y -= self.offset * *sum);
        }
    }
}

impl<T: Real> Lines<T> {
    /// Multiplies the outputs whose columns have scales of their own with them.
    fn scale(&self, batch: usize, outputs: &mut [T]) {
        wide(
            #[inline(always)]
            || {
                for (row, &part) in outputs.chunks_exact_mut(batch.max(1)).zip(&self.columns) {
                    row.iter_mut().for_each(|y| *y = *y * part);
                }
            },
        );
    }
}

/// Memory that every tile and block uses again.
struct Work<T> {
    /// Inputs of a block, as codes and as the digits of one slice; squares of them.
    codes: Vec<i32>,
    digits: Vec<T>,
    squares: Vec<T>,
    /// Inputs as curved cells take them.
    bent: Vec<T>,
    /// Lines x columns: currents, and the variances of their noise.
    currents: Vec<T>,
    variances: Vec<T>,
    /// Currents of each slice of weights, accumulated over slices of inputs.
    sums: Vec<Vec<T>>,
    normals: Vec<f32>,
}

impl<T: Real> Work<T> {
    fn new(lines: &Lines<T>) -> Self {
        Self {
            codes: Vec::new(),
            digits: Vec::new(),
            squares: Vec::new(),
            bent: Vec::new(),
            currents: Vec::new(),
            variances: Vec::new(),
            sums: vec![Vec::new(); lines.worth.len()],
            normals: Vec::new(),
        }
    }
}

/// `values` with room for so many, whatever they are.
fn sized<V: Copy + Default>(values: &mut Vec<V>, count: usize) -> &mut [V] {
    values.resize(count, V::default());
    values
}

/// One block of a product in progress.
struct Read<'a, T, F> {
    after: After<'a, T>,
    driver: &'a Driver<T>,
    seed: u64,
    see: &'a mut F,
}

impl<T: Real, F: FnMut(usize, usize, &[T])> Read<'_, T, F> {
    /// Adds what the arrays of one tile of inputs deliver.
    fn tile(
        &mut self,
        (number, tile): (usize, &Tile<T>),
        driven: &[T],
        work: &mut Work<T>,
        outputs: &mut [T],
    ) -> Counts {
        let After { lines, batch, .. } = self.after;
        let columns = self.after.columns.clone();
        let (rows, n) = (tile.inputs.len(), columns.len());
        let driven = driven.get(tile.inputs.start * batch + columns.start..).unwrap_or_default();
        // On linear lines, accumulated slices are the whole input.
        let circuit = !tile.circuits.is_empty();
        let cut = self.driver.slices() > 1
            && (lines.each_slice || lines.law != Law::Linear || circuit || lines.curves.is_some());
        if cut {
            let codes = sized(&mut work.codes, rows * n);
            for (codes, driven) in codes.chunks_exact_mut(n).zip(driven.chunks(batch)) {
                self.driver.codes(&driven[..n], codes);
            }
        }
        let noisy = !tile.variances.is_empty() || tile.circuits.iter().any(CircuitArray::is_noisy);
        let slices = if cut { self.driver.slices() } else { 1 };
        let mut counts = Counts::default();
        for k in 0..slices {
            let (worth, x) = if cut {
                let worth = self.driver.slice(&work.codes, k, sized(&mut work.digits, rows * n));
                (worth, View::rows(&work.digits, n))
            } else {
                (T::ONE, View::rows(driven, batch))
            };
            if !tile.variances.is_empty() {
                let (from, stride) = if cut { (&work.digits[..], n) } else { (driven, batch) };
                squares(from, stride, n, sized(&mut work.squares, rows * n));
            }
            for slice in 0..tile.slices.len() {
                let width = lines.width(self.after.outputs);
                let currents = sized(&mut work.currents, width * n);
                let variances = sized(&mut work.variances, if noisy { width * n } else { 0 });
                if circuit {
                    counts.solved += circuits((tile, slice), x, n, currents, variances);
                } else if let Some(curves) = &lines.curves {
                    let (from, stride) = if cut { (&work.digits[..], n) } else { (driven, batch) };
                    let bent = sized(&mut work.bent, rows * n);
                    for k in 0..curves.count() {
                        curves.bend(k, from, stride, n, bent);
                        let cells = if k == 0 { &tile.slices[slice] } else { &tile.terms[k - 1][slice] };
                        let (a, b) = (View::rows(cells, rows), View::rows(bent, n));
                        product((width, n, rows), a, b, currents, n, k > 0);
                    }
                } else {
                    product((width, n, rows), View::rows(&tile.slices[slice], rows), x, currents, n, false);
                }
                if let Some(map) = tile.variances.get(slice) {
                    let (a, b) = (View::rows(map, rows), View::rows(&work.squares, n));
                    product((width, n, rows), a, b, variances, n, false);
                }
                if noisy {
                    let ids = [number as u64, slice as u64, k.into()];
                    let stream = Stream::new(self.seed, &["read noise"], &ids);
                    self.after.noise(&Noise { stream, variances }, &mut work.normals, currents);
                }
                counts.lines_limited += self.after.limit(tile, currents);
                let currents = self.after.subtract(currents);
                if lines.each_slice || slices == 1 {
                    (self.see)(slice, n, currents);
                    let turn = if lines.each_slice { u64::from(slices) } else { 1 };
                    let read =
                        (self.after.first.wrapping_mul(turn)).wrapping_add(u64::from(k) * batch as u64);
                    counts += self.after.deliver((number, tile), (slice, worth), read, currents, outputs);
                    continue;
                }
                let sum = sized(&mut work.sums[slice], currents.len());
                accumulate(k == 0, worth, currents, sum);
                if k + 1 == slices {
                    (self.see)(slice, n, sum);
                    let first = self.after.first;
                    counts += self.after.deliver((number, tile), (slice, T::ONE), first, sum, outputs);
                }
            }
        }
        counts
    }
}

/// Currents of the lines of arrays that are solved for each vector of inputs, and the variances of their noise.
fn circuits<T: Real>(
    (tile, slice): (&Tile<T>, usize),
    x: View<'_, T>,
    n: usize,
    currents: &mut [T],
    variances: &mut [T],
) -> Solved {
    currents.fill(T::default());
    variances.fill(T::default());
    let inputs: Vec<T> = (0..tile.inputs.len()).flat_map(|row| x.row(row, n).iter().copied()).collect();
    let mut solved = Solved::default();
    for array in tile.circuits.iter().filter(|array| array.slice == slice) {
        solved += array.add(&inputs, n, currents, variances);
    }
    solved
}

/// Squares of the first `n` values of rows `stride` apart.
fn squares<T: Real>(values: &[T], stride: usize, n: usize, squares: &mut [T]) {
    wide(
        #[inline(always)]
        || {
            for (squares, values) in squares.chunks_exact_mut(n).zip(values.chunks(stride)) {
                squares.iter_mut().zip(values).for_each(|(square, &x)| *square = x * x);
            }
        },
    );
}

/// Adds the currents of one slice of the inputs, or starts with them.
fn accumulate<T: Real>(start: bool, worth: T, currents: &[T], sums: &mut [T]) {
    if start {
        sums.iter_mut().zip(currents).for_each(|(sum, &i)| *sum = worth * i);
    } else {
        sums.iter_mut().zip(currents).for_each(|(sum, &i)| *sum += worth * i);
    }
}
