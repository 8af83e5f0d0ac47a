//! Converters that compare their input with the levels of a capacitive converter: ramp and successive
//! approximation. Inputs and levels are in units of the reference voltage.

/// Ramp converter of a group of columns: the levels pass all columns, whose comparators stop at the
/// nearest one. Comparator offsets add to the input.
#[derive(Clone, Debug)]
pub struct Ramp {
    /// Bounds between neighbouring levels in rising order, and the code of each interval.
    bounds: Vec<f64>,
    codes: Vec<u32>,
}

impl Ramp {
    /// From the level of every code; mismatch may put levels out of order.
    pub fn new(levels: &[f64]) -> Self {
        let mut codes: Vec<u32> = (0..levels.len() as u32).collect();
        codes.sort_by(|&a, &b| levels[a as usize].total_cmp(&levels[b as usize]));
        let middle = |pair: &[u32]| 0.5 * (levels[pair[0] as usize] + levels[pair[1] as usize]);
        Self { bounds: codes.windows(2).map(middle).collect(), codes }
    }

    /// Code of the nearest level; the lower of two equally near ones.
    pub fn code(&self, input: f64, offset: f64) -> u32 {
        let input = input + offset;
        self.codes[self.bounds.partition_point(|&bound| bound < input)]
    }
}

/// Successive approximation: every bit, from the highest, stays set if the input reaches the level of
/// the code with it.
#[derive(Clone, Debug)]
pub struct Successive {
    thresholds: Vec<f64>,
    bits: u32,
}

impl Successive {
    /// From the level of every code; a code's threshold lies half a step below its level.
    pub fn new(levels: &[f64]) -> Self {
        let bits = levels.len().ilog2();
        let half_step = (0.5_f64).powi(bits as i32);
        Self { thresholds: levels.iter().map(|level| level - half_step).collect(), bits }
    }

    /// The code that the search ends at.
    pub fn code(&self, input: f64, offset: f64) -> u32 {
        let input = input + offset;
        let set = |code: u32, bit: u32| {
            let trial = code | 1 << bit;
            if input >= self.thresholds[trial as usize] { trial } else { code }
        };
        (0..self.bits).rev().fold(0, set)
    }
}
