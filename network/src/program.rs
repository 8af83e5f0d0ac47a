//! Programming the cells of one trial: random draws once, currents at every condition.

use mho_data::random::Stream;

use crate::cells::{CellCurrents, ReadNoise};
use crate::mapping::MappedLayer;
use crate::normals;

/// What a cell's three standard normals stand for.
const PURPOSES: [&str; 3] = ["programming", "drift", "dose"];

/// The normals of all cells of one trial, drawn when first asked for and the same at every condition.
#[derive(Debug)]
pub(crate) struct Draws {
    seed: u64,
    trial: u64,
    /// Per layer and purpose: positive cells, then negative ones, each in the order of the weights.
    layers: Vec<[Vec<f32>; 3]>,
}

impl Draws {
    pub(crate) fn new(seed: u64, trial: u64, layers: usize) -> Self {
        Self { seed, trial, layers: vec![Default::default(); layers] }
    }

    /// Draws what is asked for and not there yet.
    fn prepare(&mut self, layer: usize, weights: usize, uses: [bool; 3]) -> &[Vec<f32>; 3] {
        let sets = &mut self.layers[layer];
        for ((set, purpose), uses) in sets.iter_mut().zip(PURPOSES).zip(uses) {
            if uses && set.is_empty() {
                set.resize(2 * weights, 0.0);
                let ids = [self.trial, layer as u64];
                normals::fill(&Stream::new(self.seed, &["network", "cell", purpose], &ids), 0, set);
            }
        }
        sets
    }
}

/// One layer as its array holds it.
#[derive(Clone, Debug)]
pub(crate) struct ProgrammedLayer {
    /// Effective weights, outputs x inputs: difference of the currents of each pair, as a weight.
    pub(crate) weights: Vec<f32>,
    /// Variance of the read noise of each pair in squares of a weight; empty without read noise.
    pub(crate) variances: Vec<f32>,
    /// Root mean square of (effective - trained weight), over the weight that takes the full current.
    pub(crate) weight_rms_error: f64,
    /// Mean current of the cells over `current_max - current_min`.
    pub(crate) mean_current: f64,
}

/// How the cells of all trials at one condition are programmed.
#[derive(Debug)]
pub(crate) struct Programming {
    /// Whether targets are levels.
    pub(crate) quantised: bool,
    /// Current of a weight of zero over `current_max - current_min`.
    pub(crate) least: f32,
    /// Currents drawn from the table; without, every cell carries its target.
    pub(crate) currents: Option<CellCurrents>,
    /// Read noise, if on.
    pub(crate) noise: Option<ReadNoise>,
}

impl Programming {
    /// The arrays of layer `number` (among those with weights) in the trial of `draws`.
    pub(crate) fn layer(
        &self,
        mapped: &MappedLayer,
        number: usize,
        trained: &[f32],
        draws: &mut Draws,
    ) -> ProgrammedLayer {
        let pairs = self.pairs(mapped, number, draws);
        let scale = mapped.weight_max;
        let weights: Vec<f32> = pairs.iter().map(|[p, m]| (p - m) * scale).collect();
        let variances = match &self.noise {
            Some(noise) => {
                let square = scale * scale;
                pairs.iter().map(|&[p, m]| (noise.variance(p) + noise.variance(m)) * square).collect()
            }
            None => Vec::new(),
        };
        let square: f64 = weights.iter().zip(trained).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let sum: f64 = pairs.iter().map(|[p, m]| f64::from(p + m)).sum();
        let count = pairs.len().max(1) as f64;
        let relative = if scale > 0.0 { 1.0 / f64::from(scale) } else { 0.0 };
        ProgrammedLayer {
            weights,
            variances,
            weight_rms_error: (square / count).sqrt() * relative,
            mean_current: sum / (2.0 * count),
        }
    }

    /// Currents of the two cells of every weight over `current_max - current_min`.
    fn pairs(&self, mapped: &MappedLayer, number: usize, draws: &mut Draws) -> Vec<[f32; 2]> {
        let n = mapped.codes.len();
        let Some(currents) = &self.currents else {
            let target = |i| mapped.pair(i, self.quantised);
            return (0..n).map(target).map(|(p, m)| [p + self.least, m + self.least]).collect();
        };
        let sets = draws.prepare(number, n, currents.uses);
        // A purpose that no level uses has no draws; its loading is zero, so any numbers do.
        let silent = vec![0.0; if currents.uses == [true; 3] { 0 } else { 2 * n }];
        let of = |k: usize| if currents.uses[k] { &sets[k] } else { &silent }.split_at(n);
        let ((a0, a1), (b0, b1), (c0, c1)) = (of(0), of(1), of(2));
        let positive = |i: usize| [a0[i], b0[i], c0[i]];
        let negative = |i: usize| [a1[i], b1[i], c1[i]];
        if self.quantised {
            let pair = |(i, &code): (usize, &i16)| {
                let (p, m) = (code.max(0) as usize, (-code).max(0) as usize);
                [currents.at_level(p, positive(i)), currents.at_level(m, negative(i))]
            };
            mapped.codes.iter().enumerate().map(pair).collect()
        } else {
            let pair = |(i, &f): (usize, &f32)| {
                [
                    currents.at_fraction(f.max(0.0), positive(i)),
                    currents.at_fraction((-f).max(0.0), negative(i)),
                ]
            };
            mapped.fractions.iter().enumerate().map(pair).collect()
        }
    }
}
