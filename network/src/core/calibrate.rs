//! Ranges of output converters from the currents that they will meet.

use super::lines::{self, Lines};
use super::making::Making;
use super::mapping::{Mapping, tiles};
use super::spec::{Conversion, CoreError, OutputRange, RangeRule};
use super::{Core, Plan};
use crate::array::{ConverterKind, Subtract};
use crate::converter::range::{self, Ends, Sample};
use crate::converter::{Converter, Real};

/// Currents of one slice that a range is searched on; of more, every n-th is taken.
const SAMPLES: usize = 50_000;
/// What is left of the currents each time that they are too many: odd, so that rows of even length do not
/// leave out half of the positions.
const THINNING: usize = 3;

impl<T: Real> Core<T> {
    /// A core whose output range, if its rule asks for data, is found from the currents of `inputs`
    /// (inputs x batch).
    ///
    /// # Errors
    /// As [`Core::new`] and [`Core::multiply`].
    pub fn calibrated(mapping: &Mapping, inputs: &[T], batch: usize) -> Result<Self, CoreError> {
        match lines::ranges(mapping) {
            Err(CoreError::Uncalibrated) => {
                Self::with_ranges(mapping, &Self::ranges_from(mapping, inputs, batch)?)
            }
            ranges => Self::with_ranges(mapping, &ranges?),
        }
    }

    /// The ranges that [`Core::calibrated`] finds, one for each slice of weights.
    ///
    /// # Errors
    /// As [`Core::calibrated`].
    pub fn ranges_from(mapping: &Mapping, inputs: &[T], batch: usize) -> Result<Vec<[f64; 2]>, CoreError> {
        let mut sums = vec![Sums::default(); mapping.spec().slices];
        Self::unconverted(mapping)?.seen(mapping, (inputs, batch, true), &mut sums)?;
        Ok(sums.into_iter().map(|sums| sums.range(mapping)).collect())
    }

    /// The same of several reads: inputs, and whether rows of biases are driven with them.
    ///
    /// # Errors
    /// As [`Core::calibrated`].
    pub(crate) fn ranges_of_reads(
        mapping: &Mapping,
        reads: &[(Vec<T>, bool)],
    ) -> Result<Vec<[f64; 2]>, CoreError> {
        let mut sums = vec![Sums::default(); mapping.spec().slices];
        Self::unconverted(mapping)?.seen_in_reads(mapping, reads, &mut sums)?;
        Ok(sums.into_iter().map(|sums| sums.range(mapping)).collect())
    }

    /// Adds the currents of each slice of weights that converters see in `reads` to `sums`: of lines in the making,
    /// which have taken all arrays of what `mapping` says without them.
    ///
    /// # Errors
    /// As [`Core::calibrated`].
    pub(crate) fn sums_through(
        mapping: &Mapping,
        making: Making<T>,
        reads: &[(Vec<T>, bool)],
        sums: &mut [Sums],
    ) -> Result<(), CoreError> {
        let lines = making.finish(mapping, |_, _| Ok(Converter::ideal()))?;
        Self::assembled(mapping, Plan::Lines(lines))?.seen_in_reads(mapping, reads, sums)
    }

    fn seen_in_reads(
        &self,
        mapping: &Mapping,
        reads: &[(Vec<T>, bool)],
        sums: &mut [Sums],
    ) -> Result<(), CoreError> {
        for (inputs, biased) in reads {
            self.seen(mapping, (inputs, inputs.len() / self.inputs.max(1), *biased), sums)?;
        }
        Ok(())
    }

    fn seen(
        &self,
        mapping: &Mapping,
        (inputs, batch, biased): (&[T], usize, bool),
        sums: &mut [Sums],
    ) -> Result<(), CoreError> {
        let kept = mapping.kept_currents();
        let before = sums.first().map_or(0, |sums| sums.ends.len());
        sums.iter_mut().for_each(|sums| sums.ends.extend_from_slice(&kept));
        let mut see = |slice: usize, n: usize, values: &[T]| {
            let Some(sums) = sums.get_mut(slice) else { return };
            for (line, values) in values.chunks_exact(n.max(1)).enumerate() {
                // Without ends of its own a line is 0, that all of a current counts.
                sums.see(values, if line < kept.len() { (before + line) as u32 } else { 0 });
            }
        };
        self.multiply_seeing(inputs, batch, (0, biased), &mut see)?;
        Ok(())
    }

    /// The core without output converters, but with its lines.
    fn unconverted(mapping: &Mapping) -> Result<Self, CoreError> {
        let mut core = Self::with_ranges(mapping, &vec![[-1.0, 1.0]; mapping.spec().slices])?;
        core.plan = Plan::Lines(Lines::new(mapping, |_, _| Ok(Converter::ideal()))?);
        Ok(core)
    }
}

/// Currents that converters of one slice of weights see, of one core or of several that share the range: a regular
/// part of them, so that no more need stand.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    /// Every so many currents one is kept.
    step: usize,
    /// Currents that came.
    came: usize,
    currents: Vec<f64>,
    /// Line of each of them, of all lines of which `ends` knows.
    lines: Vec<u32>,
    /// Ends between which currents of a line count.
    ends: Vec<[f64; 2]>,
}

impl Default for Sums {
    fn default() -> Self {
        Self { step: 1, came: 0, currents: Vec::new(), lines: Vec::new(), ends: vec![Sample::ALL] }
    }
}

impl Sums {
    fn see<T: Real>(&mut self, currents: &[T], line: u32) {
        let mut next = self.came.next_multiple_of(self.step) - self.came;
        self.came += currents.len();
        while let Some(current) = currents.get(next) {
            self.currents.push(current.to_f64());
            self.lines.push(line);
            next += self.step;
            // As many as can be divided: the next one is at a multiple of the longer step too.
            if self.currents.len() == THINNING * SAMPLES {
                self.currents = self.currents.iter().copied().step_by(THINNING).collect();
                self.lines = self.lines.iter().copied().step_by(THINNING).collect();
                self.step *= THINNING;
            }
        }
    }

    /// At most [`SAMPLES`] of them.
    fn samples(&self) -> Vec<Sample> {
        let step = if self.currents.len() <= SAMPLES { 1 } else { self.currents.len().div_ceil(SAMPLES) | 1 };
        let sample = |(&value, &line): (&f64, &u32)| {
            let kept = self.ends.get(line as usize).copied().unwrap_or(Sample::ALL);
            Sample { value, kept }
        };
        self.currents.iter().zip(&self.lines).step_by(step).map(sample).collect()
    }

    /// The range by the rule of the mapping's specification.
    pub(crate) fn range(self, mapping: &Mapping) -> [f64; 2] {
        let spec = mapping.spec();
        let tiles = tiles(mapping.inputs, spec.rows, spec.split);
        let full = tiles.into_iter().map(|tile| tile.len()).max().unwrap_or(0) as f64;
        let converter = &spec.output.converter;
        let samples = self.samples();
        let sorted = range::sort(samples.iter().map(Sample::of_use).collect());
        let ends = match converter.kind {
            ConverterKind::Uniform if sorted.first().is_none_or(|&least| least >= 0.0) => Ends::Upper,
            ConverterKind::Uniform => Ends::Both,
            _ => Ends::Symmetric,
        };
        let [lo, hi] = match &spec.output.range {
            OutputRange::Named(RangeRule::Percentile(percent)) => {
                range::at_percentile(&sorted, *percent, ends)
            }
            OutputRange::Named(RangeRule::PowerOfTwo(percent)) => {
                range::power_of_two(&sorted, *percent, full)
            }
            _ => range::minimum_error_of(&samples, &sorted, converter.bits, ends),
        };
        // Currents that are all equal span nothing: any range that holds them will do.
        if hi > lo { [lo, hi] } else { [lo - 1.0, hi + 1.0] }
    }
}

impl Mapping {
    /// Ends between which the current of each output counts, in front of its converter. Empty where all of it does,
    /// or where a conversion is a part of a sum: what the others bring is not known then.
    pub(super) fn kept_currents(&self) -> Vec<[f64; 2]> {
        let spec = &self.spec;
        let parts = tiles(self.inputs, spec.rows, spec.split).len() > 1
            || spec.slices > 1
            || spec.input.slices().0 > 1 && spec.output.conversion == Conversion::EachSlice
            || spec.subtract == Subtract::Digital
                && (self.encoding.is_pair() || self.encoding.has_reference())
            || self.encoding.offset() != 0.0
            || spec.pulse.is_some();
        if parts {
            return Vec::new();
        }
        let unit = self.encoding.factor(0) * spec.input.max;
        let of = |(output, kept): (usize, &[f64; 2])| {
            let worth = unit * self.weight_range(output);
            // Without a worth nothing of it counts, whatever it is.
            if worth > 0.0 { kept.map(|end| end / worth) } else { Sample::ALL }
        };
        self.kept.iter().enumerate().map(of).collect()
    }
}
