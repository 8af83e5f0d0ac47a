//! Products through a core.

use mho_data::random::Stream;

use super::lines::{Law, Lines, Tile};
use super::spec::CoreError;
use super::{Core, Plan};
use crate::array::Subtract;
use crate::converter::Real;
use crate::product::{View, product};

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
        self.multiply_seeing(inputs, batch, first, &mut |_, _| {})
    }

    /// As [`Core::multiply_at`]; `see` gets the slice of weights and the currents before conversion.
    pub(super) fn multiply_seeing(
        &self,
        inputs: &[T],
        batch: usize,
        first: u64,
        see: &mut impl FnMut(usize, &[T]),
    ) -> Result<Product<T>, CoreError> {
        let expected = self.inputs.saturating_mul(batch);
        if inputs.len() != expected {
            return Err(CoreError::Size { what: "inputs", found: inputs.len(), expected });
        }
        let (driven, inputs_clipped) = self.driver.drive(inputs, first.wrapping_mul(self.inputs as u64));
        let mut outputs = vec![T::default(); self.outputs * batch];
        let mut counts = Counts { inputs_clipped, ..Counts::default() };
        match &self.plan {
            Plan::Linear(matrix) => {
                let (a, b) = (View::rows(matrix, self.inputs), View::rows(&driven, batch));
                product((self.outputs, batch, self.inputs), a, b, &mut outputs, batch, false);
            }
            Plan::Lines(lines) => {
                let mut read = Read { core: self, lines, batch, first, counts, see };
                for (number, tile) in lines.tiles.iter().enumerate() {
                    read.tile(number, tile, &driven, &mut outputs);
                }
                counts = read.counts;
                lines.take_offset(&driven, batch, &mut outputs);
            }
        }
        Ok(Product { outputs, counts })
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

/// One product in progress.
struct Read<'a, T, F> {
    core: &'a Core<T>,
    lines: &'a Lines<T>,
    batch: usize,
    first: u64,
    counts: Counts,
    see: &'a mut F,
}

impl<T: Real, F: FnMut(usize, &[T])> Read<'_, T, F> {
    /// Adds what the arrays of one tile of inputs deliver.
    fn tile(&mut self, number: usize, tile: &Tile<T>, driven: &[T], outputs: &mut [T]) {
        let (driver, batch) = (&self.core.driver, self.batch);
        let driven = &driven[tile.inputs.start * batch..tile.inputs.end * batch];
        // On linear lines, accumulated slices are the whole input.
        let whole = !self.lines.each_slice && self.lines.law == Law::Linear;
        let slices = if whole { 1 } else { driver.slices() };
        let (mut digits, mut currents) = (Vec::new(), Vec::new());
        let mut sums: Vec<Vec<T>> = vec![Vec::new(); tile.slices.len()];
        for k in 0..slices {
            let worth = if whole { T::ONE } else { driver.slice(driven, k, &mut digits) };
            let x = if whole { driven } else { &digits };
            for (slice, sum) in sums.iter_mut().enumerate() {
                self.currents((number, tile), slice, (k, x), &mut currents);
                if self.lines.each_slice {
                    let read =
                        self.first.wrapping_mul(u64::from(slices)).wrapping_add(u64::from(k) * batch as u64);
                    self.convert(number, slice, read, &mut currents);
                    self.linearise(tile, &mut currents);
                    self.add(slice, worth, &currents, outputs);
                } else if k == 0 {
                    *sum = currents.iter().map(|&i| worth * i).collect();
                } else {
                    sum.iter_mut().zip(&currents).for_each(|(sum, &i)| *sum += worth * i);
                }
            }
        }
        if !self.lines.each_slice {
            for (slice, sum) in sums.iter_mut().enumerate() {
                self.convert(number, slice, self.first, sum);
                self.linearise(tile, sum);
                self.add(slice, T::ONE, sum, outputs);
            }
        }
    }

    /// Currents of the lines of one slice, limited and, if that happens in the array, subtracted.
    fn currents(
        &mut self,
        (number, tile): (usize, &Tile<T>),
        slice: usize,
        (k, x): (u32, &[T]),
        currents: &mut Vec<T>,
    ) {
        let (rows, batch, outputs) = (tile.inputs.len(), self.batch, self.core.outputs);
        let conductances = &tile.slices[slice];
        let lines = outputs + self.lines.subtrahend.lines(outputs);
        currents.clear();
        currents.resize(lines * batch, T::default());
        let (a, b) = (View::rows(conductances, rows), View::rows(x, batch));
        product((lines, batch, rows), a, b, currents, batch, false);
        if let Some(variances) = tile.variances.get(slice) {
            let stream =
                Stream::new(self.core.seed, &["read noise"], &[number as u64, slice as u64, k.into()]);
            self.noise(variances, rows, x, &stream, currents);
        }
        self.limit(tile, currents);
        if self.lines.subtract == Subtract::Array {
            self.subtract(currents);
            currents.truncate(outputs * batch);
        }
    }

    /// Adds the noise of one read: that of independent cells is normal on a line, with the variance
    /// sum of var_i x_i^2.
    fn noise(&self, variances: &[T], rows: usize, x: &[T], stream: &Stream, currents: &mut [T]) {
        let batch = self.batch;
        let squares: Vec<T> = x.iter().map(|&x| x * x).collect();
        let mut sums = vec![T::default(); currents.len()];
        let (a, b) = (View::rows(variances, rows), View::rows(&squares, batch));
        product((currents.len() / batch.max(1), batch, rows), a, b, &mut sums, batch, false);
        let mut normals = vec![0.0_f32; batch];
        let lines = currents.chunks_exact_mut(batch.max(1)).zip(sums.chunks_exact(batch.max(1)));
        for (line, (currents, sums)) in lines.enumerate() {
            stream.fill_normal_f32(((line as u64) << 40).wrapping_add(self.first), &mut normals);
            for ((current, variance), normal) in currents.iter_mut().zip(sums).zip(&normals) {
                *current += T::of(variance.to_f64().sqrt() * f64::from(*normal));
            }
        }
    }

    /// What lines that are not linear do to their sums.
    fn limit(&mut self, tile: &Tile<T>, currents: &mut [T]) {
        match (self.lines.law, &tile.pulse) {
            (Law::Limit(limit), _) => {
                for current in currents.iter_mut() {
                    self.counts.lines_limited += u64::from(*current > limit || *current < -limit);
                    *current = current.max(-limit).min(limit);
                }
            }
            (Law::Pulse { .. }, Some(line)) => {
                for current in currents.iter_mut() {
                    let (read, beyond) = line.read(current.to_f64());
                    self.counts.lines_limited += u64::from(beyond);
                    *current = T::of(read);
                }
            }
            _ => {}
        }
    }

    /// Takes the logarithm of converted read-outs of resistive lines, where that is asked for.
    fn linearise(&self, tile: &Tile<T>, currents: &mut [T]) {
        if let (Law::Pulse { linearise: true }, Some(line)) = (self.lines.law, &tile.pulse) {
            currents.iter_mut().for_each(|current| *current = T::of(line.linearised(current.to_f64())));
        }
    }

    /// Subtracts the subtrahends from the lines of the outputs.
    fn subtract(&self, currents: &mut [T]) {
        let (batch, outputs) = (self.batch, self.core.outputs);
        let (own, others) = currents.split_at_mut(outputs * batch);
        for (j, line) in own.chunks_exact_mut(batch.max(1)).enumerate() {
            if let Some(other) = self.lines.subtrahend.of(j, 0) {
                line.iter_mut().zip(&others[other * batch..]).for_each(|(i, &other)| *i -= other);
            }
        }
    }

    /// Converts the lines of one slice of tile `number`.
    fn convert(&mut self, number: usize, slice: usize, read: u64, currents: &mut [T]) {
        (self.see)(slice, currents);
        let converter = &self.lines.converters[slice];
        let lines = currents.len() / self.batch.max(1);
        if converter.is_ideal() {
            return;
        }
        self.counts.conversions += currents.len() as u64;
        if converter.is_alike() {
            self.counts.outputs_saturated += converter.convert_column(0, currents);
            return;
        }
        for (line, values) in currents.chunks_exact_mut(self.batch.max(1)).enumerate() {
            self.counts.outputs_saturated += converter.convert_at(number * lines + line, read, values);
        }
    }

    /// Adds converted lines to the outputs, with what they are worth.
    fn add(&self, slice: usize, worth: T, currents: &[T], outputs: &mut [T]) {
        let (batch, n) = (self.batch.max(1), self.core.outputs);
        let worth = worth * self.lines.worth[slice];
        let line = |l: usize| &currents[l * batch..(l + 1) * batch];
        for (j, row) in outputs.chunks_exact_mut(batch).enumerate() {
            let digital = self.lines.subtract == Subtract::Digital;
            match self.lines.subtrahend.of(j, n).filter(|_| digital) {
                Some(other) => {
                    for ((y, &i), &other) in row.iter_mut().zip(line(j)).zip(line(other)) {
                        *y += worth * (i - other);
                    }
                }
                None => row.iter_mut().zip(line(j)).for_each(|(y, &i)| *y += worth * i),
            }
        }
    }
}
