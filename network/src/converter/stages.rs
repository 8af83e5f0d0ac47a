//! Pipeline and cyclic converters: stages that decide one of three values and pass on twice the rest.
//!
//! A stage of 1.5 bits compares its input V with +-Vref/4 and hands on
//! ((1 + gamma) V - d gamma Vref) / (1 + 1 / (A beta)) with d in {-1, 0, 1}: gamma = C2/C1 is 1 without
//! mismatch, beta = C1 / (C1 + C2 + Cpar) is the feedback fraction of the amplifier of gain A. The
//! redundancy corrects comparator offsets up to Vref/4 (Lewis et al., IEEE J. Solid-State Circuits 27,
//! 351, 1992). Voltages are in units of Vref.

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

    /// The decision and the residue.
    #[inline]
    fn step(&self, v: f64) -> (f64, f64) {
        let above = v > 0.25 + self.offsets[0];
        let below = v < -0.25 + self.offsets[1];
        let decision = f64::from(u8::from(above)) - f64::from(u8::from(below && !above));
        (decision, ((1.0 + self.gamma) * v - decision * self.gamma) * self.transfer)
    }
}

/// Code 0..2^b of an input that passes `stages` (b - 1 of them) and the last comparator.
pub fn code<'a>(input: f64, stages: impl Iterator<Item = &'a Stage>, last_offset: f64) -> u32 {
    let (mut sum, mut count, mut v) = (0.0, 0, input);
    for stage in stages {
        let (decision, residue) = stage.step(v);
        sum = 2.0 * sum + decision;
        v = residue;
        count += 1;
    }
    // The stages count whole steps about zero; the last comparator says which side of one.
    let half = f64::from(1_u32 << count);
    (sum + half - if v > last_offset { 0.0 } else { 1.0 }).clamp(0.0, 2.0 * half - 1.0) as u32
}
