//! Pipeline and cyclic converters: stages that decide one of three values and pass on twice the rest.
//!
//! A stage of 1.5 bits compares its input V with +-Vref/4 and hands on
//! ((1 + gamma) V - d gamma Vref) / (1 + 1 / (A beta)) with d in {-1, 0, 1}: gamma = C2/C1 is 1 without
//! mismatch, beta = C1 / (C1 + C2 + Cpar) is the feedback fraction of the amplifier of gain A. The
//! redundancy corrects comparator offsets up to Vref/4 (Lewis et al., IEEE J. Solid-State Circuits 27,
//! 351, 1992). Voltages are in units of Vref.

use crate::vector::wide;

/// One stage of 1.5 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// C2/C1.
    pub gamma: f64,
    /// 1 / (1 + 1 / (A beta)).
    pub transfer: f64,
    /// Offsets of the upper and the lower comparator.
    pub offsets: [f64; 2],
}

impl Stage {
    /// A stage from its capacitors (units of the nominal one), the amplifier's gain and the comparator
    /// offsets, upper first. A capacitor of zero or less (a draw of a huge mismatch) counts as 1e-6.
    pub fn new([c1, c2, parasitic]: [f64; 3], gain: f64, offsets: [f64; 2]) -> Self {
        let (c1, c2) = (c1.max(1e-6), c2.max(1e-6));
        let beta = c1 / (c1 + c2 + parasitic).max(1e-6);
        Self { gamma: c2 / c1, transfer: 1.0 / (1.0 + 1.0 / (gain * beta)), offsets }
    }

    /// Adds the decisions to the sums, doubled before, and replaces the voltages by their residues.
    #[inline(always)]
    fn pass(&self, voltages: &mut [f64], sums: &mut [f64]) {
        for (v, sum) in voltages.iter_mut().zip(sums) {
            let below = if *v < -0.25 + self.offsets[1] { -1.0 } else { 0.0 };
            // Both only if the thresholds have crossed; then the upper one decides.
            let decision = if *v > 0.25 + self.offsets[0] { 1.0 } else { below };
            *sum = 2.0 * *sum + decision;
            *v = ((1.0 + self.gamma) * *v - decision * self.gamma) * self.transfer;
        }
    }
}

/// Values that pass the stages together, so that each stage is a loop over vectors.
const CHUNK: usize = 256;

/// Replaces inputs by their codes 0..2^b, after `passes` passes of `stages` (b - 1 stages in all) and
/// the last comparator.
pub fn codes(inputs: &mut [f64], stages: &[Stage], passes: usize, last_offset: f64) {
    wide(
        #[inline(always)]
        || {
            // The stages count whole steps about zero; the last comparator says which side of one.
            let half = (2.0_f64).powi((stages.len() * passes) as i32);
            for part in inputs.chunks_mut(CHUNK) {
                let mut sums = [0.0; CHUNK];
                for stage in std::iter::repeat_n(stages, passes).flatten() {
                    stage.pass(part, &mut sums);
                }
                for (v, sum) in part.iter_mut().zip(sums) {
                    let side = if *v > last_offset { 0.0 } else { -1.0 };
                    *v = (sum + half + side).max(0.0).min(2.0 * half - 1.0);
                }
            }
        },
    );
}
