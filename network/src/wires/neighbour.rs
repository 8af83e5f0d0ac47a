//! What is kept of a solved array, so that the next samples of it need not be solved.
//!
//! An effective conductance is that of its lines alone ([`super::update`]) times a ratio that hardly changes
//! from sample to sample; where a cell hardly conducts, what its neighbours send past it is added instead.
//! Either is one number, kept in 16 bits (8e-6 of what such numbers of the array span), with a bit for each
//! cell that says which. The same holds for the noise that arrives of a cell, over what its lines alone would
//! let pass, in 8 bits (2e-3 of the span: noise need not be known better).

use super::circuit::Linear;
use super::effective::{Effective, PRECISION};
use super::noise::sum_of;
use super::sweep::LANES;
use super::update::{Ratio, alone, attenuations, check, goal};
use super::{Crossbar, Layers, Method, PairEffective, Pairs, WireError};

/// Error of the standard deviation of noise that a correction may have, as a part; what inputs are taken
/// for costs as much (see [`Crossbar::variance_map`]). Assumed.
const NOISE_TOLERANCE: f64 = 0.01;

/// What is kept of the effective conductances of an array.
#[derive(Debug, Clone)]
pub struct Neighbour {
    layers: Vec<Kept>,
}

/// One layer.
#[derive(Debug, Clone)]
struct Kept {
    mean: f64,
    /// Ratio of a cell's conductance to that of its lines alone, or what is added to the mean of it (S).
    codes: Vec<u16>,
    /// What they mean for the ones and the others.
    spans: [Span; 2],
    /// Bits of the cells with a ratio of their own.
    own: Vec<u64>,
}

/// Numbers between two ends, as codes of equal steps.
#[derive(Debug, Clone, Copy)]
struct Span {
    least: f64,
    step: f64,
}

impl Span {
    /// Of numbers, for codes up to `most`.
    fn of(numbers: impl Iterator<Item = f64>, most: f64) -> Self {
        let ends = numbers
            .filter(|x| x.is_finite())
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[lo, hi], x| [lo.min(x), hi.max(x)]);
        let [least, greatest] = if ends[0] <= ends[1] { ends } else { [0.0; 2] };
        Self { least, step: (greatest - least) / most }
    }

    /// The nearest code; casts saturate.
    fn code(self, number: f64) -> f64 {
        if self.step > 0.0 { ((number - self.least) / self.step).round() } else { 0.0 }
    }

    fn number(self, code: f64) -> f64 {
        self.least + self.step * code
    }
}

impl Kept {
    fn new(known: &[f64], before: &[f64]) -> Self {
        let Ratio { mean, least } = Ratio::of(known, before);
        let mut own = vec![0_u64; known.len().div_ceil(64)];
        for (at, before) in before.iter().enumerate() {
            own[at / 64] |= u64::from(*before >= least) << (at % 64);
        }
        let is_own = |at: usize| own[at / 64] >> (at % 64) & 1 == 1;
        let number = |(at, (known, before)): (usize, (&f64, &f64))| {
            if is_own(at) { known / before } else { known - mean * before }
        };
        let numbers = || known.iter().zip(before).enumerate();
        let spans = [false, true].map(|kind| {
            Span::of(numbers().filter(|(at, _)| is_own(*at) == kind).map(number), f64::from(u16::MAX))
        });
        let code = |cell: (usize, (&f64, &f64))| spans[usize::from(is_own(cell.0))].code(number(cell)) as u16;
        let codes = numbers().map(code).collect();
        Self { mean, codes, spans, own }
    }

    fn corrected(&self, alone: &[f64]) -> Vec<f64> {
        let entry = |(at, (alone, code)): (usize, (&f64, &u16))| {
            let own = self.own[at / 64] >> (at % 64) & 1 == 1;
            let number = self.spans[usize::from(own)].number(f64::from(*code));
            if own { number * alone } else { self.mean * alone + number }
        };
        alone.iter().zip(&self.codes).enumerate().map(entry).collect()
    }
}

impl Effective {
    /// What the next samples of the array are corrected from.
    #[must_use]
    pub fn neighbour(&self) -> Neighbour {
        let kept = |(known, before): (&Vec<f64>, &Vec<f64>)| Kept::new(known, before);
        Neighbour { layers: self.layers_s.iter().zip(&self.alone_s).map(kept).collect() }
    }
}

impl PairEffective {
    /// What the next samples of each array are corrected from.
    #[must_use]
    pub fn neighbours(&self) -> Vec<Neighbour> {
        self.parts.iter().map(Effective::neighbour).collect()
    }
}

impl Layers {
    /// Effective conductances to a tolerance (0: to rounding), from a neighbour where its correction passes
    /// the check.
    fn effective_near(&self, near: Option<&Neighbour>, tolerance: f64) -> Result<Effective, WireError> {
        self.is_linear()?;
        if tolerance.is_nan() || tolerance <= 0.0 {
            return Ok(self.effective(PRECISION));
        }
        let Some(near) = near else { return Ok(self.effective(goal(tolerance))) };
        let cells = self.circuit.rows * self.circuit.columns;
        let found = near.layers.first().map_or(0, |kept| kept.codes.len());
        if near.layers.len() != self.conductance_s.len() || found != cells {
            return Err(WireError::Shape { what: "cells of a neighbour", found, expected: cells });
        }
        let linear = Linear::new(&self.circuit, &self.conductance_s);
        let alone_s = alone(&linear);
        let layers_s: Vec<Vec<f64>> =
            near.layers.iter().zip(&alone_s).map(|(kept, alone)| kept.corrected(alone)).collect();
        let error = check(&linear, &layers_s, tolerance);
        if error <= tolerance {
            let array = self.clone();
            return Ok(Effective {
                array,
                layers_s,
                alone_s,
                error_s: None,
                method: Method::Corrected { error },
            });
        }
        Ok(self.effective(goal(tolerance)))
    }
}

impl Crossbar {
    /// Effective conductances with an error of at most `tolerance`, as a part of the root mean square of the
    /// currents, over outputs, for inputs of random signs and for equal inputs; 0 asks for all that rounding
    /// allows. A neighbour is corrected where its check allows (exact solutions for five inputs, the largest
    /// error doubled), else the array is solved.
    ///
    /// # Errors
    /// For non-linear or gated cells; for a neighbour of another shape.
    pub fn effective_within(&self, near: Option<&Neighbour>, tolerance: f64) -> Result<Effective, WireError> {
        self.layers.effective_near(near, tolerance)
    }

    /// As [`Crossbar::variance_map`], with an error of at most one percent of each standard deviation; from a
    /// neighbour where exact solutions for some columns allow.
    ///
    /// # Errors
    /// As [`Crossbar::variance_map`].
    pub fn variance_map_within(
        &self,
        sigma_s: Vec<f64>,
        coherence: f64,
        near: Option<&NoiseNeighbour>,
    ) -> Result<NoiseMap, WireError> {
        self.layers.noise_near(&[sigma_s], coherence, near)
    }
}

impl Pairs {
    /// Effective weights to a tolerance, as [`Crossbar::effective_within`] finds them for each array, from its
    /// neighbour. The tolerance is of the currents of positive and negative cells, before their difference.
    ///
    /// # Errors
    /// As [`Crossbar::effective_within`].
    pub fn effective_within(
        &self,
        near: Option<&[Neighbour]>,
        tolerance: f64,
    ) -> Result<PairEffective, WireError> {
        let of = |part: usize| near.and_then(|near| near.get(part));
        let parts: Result<_, _> =
            self.parts.iter().enumerate().map(|(k, part)| part.effective_near(of(k), tolerance)).collect();
        Ok(PairEffective::of(self.layout, parts?))
    }

    /// As [`Crossbar::variance_map_within`] for pairs on common lines.
    ///
    /// # Errors
    /// As [`Pairs::variance_map`], and for pairs on separate lines, which are two arrays.
    pub fn variance_map_within(
        &self,
        positive_s: Vec<f64>,
        negative_s: Vec<f64>,
        coherence: f64,
        near: Option<&NoiseNeighbour>,
    ) -> Result<NoiseMap, WireError> {
        let mut lists = self.layout.lists(positive_s, negative_s)?;
        match (&self.parts[..], lists.pop()) {
            ([part], Some(list)) if list.len() == 2 => part.noise_near(&list, coherence, near),
            _ => {
                let found = self.parts.len();
                Err(WireError::Shape { what: "arrays of pairs", found, expected: 1 })
            }
        }
    }
}

/// What is kept of the noise of an array.
#[derive(Debug, Clone)]
pub struct NoiseNeighbour {
    /// Variance that arrives for each cell, over that which its lines alone would let pass.
    codes: Vec<u8>,
    span: Span,
}

impl NoiseNeighbour {
    fn new(ratios: impl Iterator<Item = f64> + Clone) -> Self {
        let span = Span::of(ratios.clone(), f64::from(u8::MAX));
        Self { codes: ratios.map(|ratio| span.code(ratio) as u8).collect(), span }
    }

    fn corrected(&self, own: &[f64]) -> Vec<f64> {
        let entry = |(own, code): (&f64, &u8)| own * self.span.number(f64::from(*code));
        own.iter().zip(&self.codes).map(entry).collect()
    }
}

/// A map of variances, and how it was found.
#[derive(Debug, Clone)]
pub struct NoiseMap {
    /// Variances (S^2), inputs x outputs.
    pub variance_s2: Vec<f64>,
    /// What the next samples are corrected from; none where this one was corrected itself.
    pub neighbour: Option<NoiseNeighbour>,
}

impl Layers {
    fn noise_near(
        &self,
        sigma_s: &[Vec<f64>],
        coherence: f64,
        near: Option<&NoiseNeighbour>,
    ) -> Result<NoiseMap, WireError> {
        self.is_linear()?;
        self.check_noise(sigma_s)?;
        let linear = Linear::new(&self.circuit, &self.conductance_s);
        let weight = self.mean_squares(&linear, sigma_s, coherence);
        let ports = self.outputs(false);
        // What every line alone would let pass.
        let own = sum_of(
            (attenuations(&linear).into_iter().zip(sigma_s))
                .map(|(mut passed, sigma)| {
                    passed
                        .iter_mut()
                        .zip(sigma)
                        .for_each(|(passed, sigma)| *passed = (*passed * sigma).powi(2));
                    passed
                })
                .collect(),
        );
        let columns = self.circuit.columns;
        if let Some(near) = near.filter(|near| near.codes.len() == own.len() && columns > LANES) {
            let map = near.corrected(&own);
            // Outputs from all over the array, as many as are solved at once.
            let some: Vec<usize> = (0..LANES).map(|k| (2 * k + 1) * columns / (2 * LANES)).collect();
            let seen: Vec<_> = some.iter().map(|&j| ports[j]).collect();
            let exact = sum_of(self.weigh_ports(&linear, &seen, &weight, NOISE_GOAL));
            let sum = |list: &[f64], width: usize, j: usize| list[j..].iter().step_by(width).sum::<f64>();
            let worst = some.iter().enumerate().fold(0.0_f64, |worst, (k, &j)| {
                let (exact, found) = (sum(&exact, LANES, k), sum(&map, columns, j));
                let off = if exact > 0.0 { (found / exact).sqrt() - 1.0 } else { found };
                worst.max(if off.is_nan() { f64::INFINITY } else { off.abs() })
            });
            if worst <= NOISE_TOLERANCE {
                return Ok(NoiseMap { variance_s2: map, neighbour: None });
            }
        }
        let map = sum_of(self.weigh_ports(&linear, &ports, &weight, NOISE_GOAL));
        let ratio = |(map, own): (&f64, &f64)| if *own > 0.0 { map / own } else { 1.0 };
        let neighbour = NoiseNeighbour::new(map.iter().zip(&own).map(ratio));
        Ok(NoiseMap { variance_s2: map, neighbour: Some(neighbour) })
    }
}

/// Largest error of the voltages that weigh noise (V per V): 2e-4 of a variance.
const NOISE_GOAL: f64 = 1e-4;
