//! Target conductances, some columns of the arrays at a time: as [`Mapping::new`] finds them, without a list of
//! all.

use super::mapping::{Array, BiasRows, Mapping, Sign, tiles};
use super::scales::Scales;
use super::spec::{CoreError, CoreSpec};
use crate::converter::Real;
use crate::vector::wide;

/// Cells of a stripe: few enough for the second cache, many enough for whole turns of random generators.
const CELLS: usize = 1 << 14;
/// Most codes of weights for which conductances are listed.
const CODES: usize = 1 << 12;

/// A matrix that is mapped stripe by stripe.
#[derive(Debug)]
pub(crate) struct Stripes {
    /// What all stripes are parts of, without arrays.
    frame: Mapping,
    /// Largest code of a weight; 0 where conductances are not listed.
    top: f64,
    /// Conductance of each code, for each slice, then each sign.
    listed: Vec<Vec<f64>>,
}

impl Stripes {
    /// A matrix (outputs x inputs) whose full weights are `scales`.
    ///
    /// # Errors
    /// [`CoreError`] when the specification makes no sense.
    pub(crate) fn new(
        (outputs, inputs): (usize, usize),
        spec: &CoreSpec,
        scales: Scales,
    ) -> Result<Self, CoreError> {
        spec.check()?;
        let frame = Mapping::frame(spec, (outputs, inputs), scales);
        let encoding = frame.encoding;
        let top = if spec.weight_bits == 0 { 0 } else { (1_usize << (spec.weight_bits - 1)) - 1 };
        let mut stripes = Self { frame, top: 0.0, listed: Vec::new() };
        if top > 0 && 2 * top < CODES {
            stripes.top = top as f64;
            for (slice, sign) in stripes.kinds() {
                let of = |code: usize| {
                    let w = (code as f64 - top as f64) / top as f64;
                    encoding.conductance(encoding.fractions(w, slice)[usize::from(sign == Sign::Negative)])
                };
                stripes.listed.push((0..=2 * top).map(of).collect());
            }
        }
        Ok(stripes)
    }

    /// Its last inputs are these rows of biases.
    pub(crate) fn hold_bias(&mut self, bias: Option<BiasRows>) {
        self.frame.bias = bias;
    }

    /// The mapping that the stripes are parts of, without its arrays.
    pub(crate) fn frame(&self) -> &Mapping {
        &self.frame
    }

    /// Slices and signs of the arrays of one tile, in their order.
    fn kinds(&self) -> Vec<(usize, Sign)> {
        let signs: &[Sign] =
            if self.frame.encoding.is_pair() { &[Sign::Positive, Sign::Negative] } else { &[Sign::Positive] };
        (0..self.frame.spec.slices).flat_map(|slice| signs.iter().map(move |&sign| (slice, sign))).collect()
    }

    /// Visits the stripes of `weights` (outputs x inputs), in the order of the arrays; `whole` if they have to be
    /// whole tiles. A stripe is a mapping with a part of the columns of all arrays of a tile.
    ///
    /// # Errors
    /// Those of `visit`.
    pub(crate) fn each<T: Real, E>(
        &self,
        weights: &[T],
        whole: bool,
        mut visit: impl FnMut(&mut Mapping) -> Result<(), E>,
    ) -> Result<(), E> {
        let Mapping { spec, encoding, inputs, outputs, .. } = &self.frame;
        let (kinds, copies) = (self.kinds(), spec.cells_per_weight);
        // The reference column stands beside all others.
        let whole = whole || encoding.has_reference();
        let mut first = 0;
        let mut stripe = self.frame.clone();
        let mut scaled = Vec::new();
        for rows in tiles(*inputs, spec.rows, spec.split) {
            for columns in tiles(*outputs, spec.columns, spec.split) {
                let height = rows.len().max(1);
                let size = rows.len() * (columns.len() + usize::from(encoding.has_reference()));
                let many = kinds.len() * copies;
                let width =
                    if whole || size * many <= CELLS { columns.len() } else { CELLS / (height * many) };
                let width = width.max(1);
                for start in columns.clone().step_by(width) {
                    let part = start..columns.end.min(start + width);
                    scaled.clear();
                    for j in part.clone() {
                        let line = weights[j * inputs..(j + 1) * inputs][rows.clone()].iter();
                        scaled.extend(line.map(|&w| w.to_f64()));
                    }
                    let (frame, top) = (&self.frame, self.top);
                    // All of them at once where they have one scale.
                    let together = if frame.columns.is_empty() { scaled.len().max(1) } else { height };
                    for (max, line) in
                        part.clone().map(|j| frame.weight_range(j)).zip(scaled.chunks_mut(together))
                    {
                        wide(
                            #[inline(always)]
                            || {
                                for w in line {
                                    *w = if max > 0.0 { (*w / max).clamp(-1.0, 1.0) } else { 0.0 };
                                    // Codes from 0 on.
                                    *w = if top > 0.0 { (*w * top).nearest() + top } else { *w };
                                }
                            },
                        );
                    }
                    let mut arrays = std::mem::take(&mut stripe.arrays);
                    arrays.resize_with(many, || Array::empty(Sign::Positive));
                    for (number, array) in arrays.iter_mut().enumerate() {
                        let kind = number / copies;
                        let (slice, sign) = kinds[kind];
                        (array.slice, array.sign, array.copy) = (slice, sign, number % copies);
                        (array.inputs, array.outputs) = (rows.clone(), part.clone());
                        array.first = first + number * size + (start - columns.start) * rows.len();
                        array.noise.clear();
                        array.conductances.clear();
                        if let Some(listed) = self.listed.get(kind) {
                            // By way of 32 bits, which processors convert to at once.
                            array
                                .conductances
                                .extend(scaled.iter().map(|&code| listed[code as i32 as usize]));
                        } else {
                            let cell = |&w: &f64| {
                                let fractions = encoding.fractions(w, slice);
                                encoding.conductance(fractions[usize::from(sign == Sign::Negative)])
                            };
                            array.conductances.extend(scaled.iter().map(cell));
                        }
                        if encoding.has_reference() {
                            let reference = encoding.conductance(encoding.reference(slice));
                            array.conductances.extend(rows.clone().map(|_| reference));
                        }
                    }
                    stripe.arrays = arrays;
                    visit(&mut stripe)?;
                }
                first += size * many;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{MappingStyle, WeightScale};

    /// Stripes hold the cells of the whole mapping, at their numbers.
    #[test]
    fn stripes_are_the_mapping() {
        let (outputs, inputs) = (70, 150);
        let weights: Vec<f32> = (0..outputs * inputs).map(|i| (i * 37 % 255) as f32 / 127.0 - 1.0).collect();
        let wide: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
        use MappingStyle::{Differential, OffsetColumn, OffsetDigital, TwoSided};
        for (style, weight_bits, slices, copies) in [
            (Differential, 8, 1, 1),
            (Differential, 8, 4, 2),
            (Differential, 0, 1, 3),
            (TwoSided, 5, 1, 1),
            (OffsetDigital, 8, 2, 1),
            (OffsetDigital, 14, 1, 2),
            (OffsetColumn, 8, 1, 1),
        ] {
            let scale = if copies == 1 { WeightScale::Layer } else { WeightScale::Column };
            let spec = CoreSpec {
                style,
                weight_bits,
                slices,
                scale,
                cells_per_weight: copies,
                on_off_ratio: 30.0,
                rows: 64,
                columns: 40,
                weight_max: Some(0.8),
                ..CoreSpec::default()
            };
            let whole = Mapping::new(&wide, outputs, inputs, &spec).unwrap();
            let all: Vec<f64> = whole.arrays.iter().flat_map(|a| a.conductances.iter().copied()).collect();
            let scales = Scales::of(&wide, outputs, &spec, &[]);
            let stripes = Stripes::new((outputs, inputs), &spec, scales).unwrap();
            let mut found = vec![f64::NAN; all.len()];
            let mut visits = 0;
            stripes
                .each(&weights, false, |stripe| {
                    for array in &stripe.arrays {
                        found[array.first..][..array.conductances.len()].copy_from_slice(&array.conductances);
                    }
                    visits += 1;
                    Ok::<(), CoreError>(())
                })
                .unwrap();
            assert_eq!(found, all, "{style:?}");
            assert!(visits >= 6);
        }
    }
}
