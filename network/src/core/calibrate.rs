//! Ranges of output converters from the currents that they will meet.

use super::lines::{self, Lines};
use super::making::Making;
use super::mapping::{Mapping, tiles};
use super::spec::{CoreError, OutputRange, RangeRule};
use super::{Core, Plan};
use crate::array::ConverterKind;
use crate::converter::range::{self, Ends};
use crate::converter::{Converter, Real};

/// Currents of one slice that a range is searched on; of more, every n-th is taken.
const SAMPLES: usize = 50_000;
/// What is left of the currents each time that they are too many: odd, so that rows of even length do not
/// leave out half of the positions.
const THINNING: usize = 3;

/// Currents that converters of one slice of weights see: a regular part of them, that no more need stand.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Every so many currents one is kept.
    step: usize,
    /// Currents that came.
    came: usize,
    kept: Vec<f64>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { step: 1, came: 0, kept: Vec::new() }
    }
}

impl Sample {
    fn see<T: Real>(&mut self, currents: &[T]) {
        let mut next = self.came.next_multiple_of(self.step) - self.came;
        self.came += currents.len();
        while let Some(current) = currents.get(next) {
            self.kept.push(current.to_f64());
            next += self.step;
            // As many as can be divided: the next one is at a multiple of the longer step too.
            if self.kept.len() == THINNING * SAMPLES {
                self.kept = self.kept.iter().copied().step_by(THINNING).collect();
                self.step *= THINNING;
            }
        }
    }
}

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
        let mut samples = vec![Sample::default(); mapping.spec().slices];
        Self::unconverted(mapping)?.sample(inputs, batch, &mut samples)?;
        Ok(samples.into_iter().map(|sample| range_of(mapping, sample)).collect())
    }

    /// Adds to the samples of each slice of weights what its converters see for `inputs` (inputs x batch) of
    /// lines in the making, which have taken all arrays of what `mapping` says without them.
    ///
    /// # Errors
    /// As [`Core::calibrated`].
    pub(crate) fn sample_through(
        mapping: &Mapping,
        making: Making<T>,
        inputs: &[T],
        batch: usize,
        samples: &mut [Sample],
    ) -> Result<(), CoreError> {
        let lines = making.finish(mapping, |_, _| Ok(Converter::ideal()))?;
        Self::assembled(mapping, Plan::Lines(lines))?.sample(inputs, batch, samples)
    }

    fn sample(&self, inputs: &[T], batch: usize, samples: &mut [Sample]) -> Result<(), CoreError> {
        let mut see = |slice: usize, currents: &[T]| {
            if let Some(sample) = samples.get_mut(slice) {
                sample.see(currents);
            }
        };
        self.multiply_seeing(inputs, batch, 0, &mut see)?;
        Ok(())
    }

    /// The core without output converters, but with its lines.
    fn unconverted(mapping: &Mapping) -> Result<Self, CoreError> {
        let mut core = Self::with_ranges(mapping, &vec![[-1.0, 1.0]; mapping.spec().slices])?;
        core.plan = Plan::Lines(Lines::new(mapping, |_, _| Ok(Converter::ideal()))?);
        Ok(core)
    }
}

/// The range by the rule of the mapping's specification for currents that converters of one slice of
/// weights see, on this core or on several that share the range.
pub(crate) fn range_of(mapping: &Mapping, currents: Sample) -> [f64; 2] {
    let spec = mapping.spec();
    let tiles = tiles(mapping.inputs, spec.rows, spec.split);
    let full = tiles.into_iter().map(|tile| tile.len()).max().unwrap_or(0) as f64;
    let converter = &spec.output.converter;
    let sorted = range::sort(thinned(currents.kept));
    let ends = match converter.kind {
        ConverterKind::Uniform if sorted.first().is_none_or(|&least| least >= 0.0) => Ends::Upper,
        ConverterKind::Uniform => Ends::Both,
        _ => Ends::Symmetric,
    };
    let [lo, hi] = match &spec.output.range {
        OutputRange::Named(RangeRule::Percentile(percent)) => range::at_percentile(&sorted, *percent, ends),
        OutputRange::Named(RangeRule::PowerOfTwo(percent)) => range::power_of_two(&sorted, *percent, full),
        _ => range::minimum_error(&sorted, converter.bits, ends),
    };
    // Currents that are all equal span nothing: any range that holds them will do.
    if hi > lo { [lo, hi] } else { [lo - 1.0, hi + 1.0] }
}

/// Every n-th value, so that at most [`SAMPLES`] remain; n is odd, so that rows of even length do not
/// leave out half of the positions.
fn thinned(values: Vec<f64>) -> Vec<f64> {
    if values.len() <= SAMPLES {
        return values;
    }
    let step = values.len().div_ceil(SAMPLES) | 1;
    values.into_iter().step_by(step).collect()
}
