//! Converters that compare their input with the levels of a capacitive converter: ramp and successive
//! approximation. Inputs and levels are in units of the reference voltage.
//!
//! Either way the code is a staircase of the input, whose bounds are found once. (Successive
//! approximation: of two inputs, the larger never takes the lower branch at the first bit where they
//! part, so codes rise with inputs even where thresholds do not rise with codes.)

/// A staircase: the codes between rising bounds. An input that equals a bound belongs below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Staircase {
    /// Rising, with an infinite one at the end.
    bounds: Vec<f64>,
    /// As many as bounds.
    codes: Vec<u32>,
    /// For equal cells of [-1, 1]: number of bounds that surely lie below the cell.
    below: Vec<u32>,
    /// Most bounds that an input of any cell may pass beyond those.
    most: usize,
}

impl Staircase {
    /// Ramp converter: the levels pass all columns, whose comparators stop at the nearest one; of two
    /// equally near ones at the lower. Takes the level of every code; mismatch may put levels out of
    /// order.
    pub fn ramp(levels: &[f64]) -> Self {
        let mut codes: Vec<u32> = (0..levels.len() as u32).collect();
        codes.sort_by(|&a, &b| levels[a as usize].total_cmp(&levels[b as usize]));
        let middle = |pair: &[u32]| 0.5 * (levels[pair[0] as usize] + levels[pair[1] as usize]);
        Self::new(codes.windows(2).map(middle).collect(), codes)
    }

    /// Successive approximation: every bit, from the highest, stays set if the input reaches the
    /// threshold of the code with it, half a step below its level. Takes the level of every code.
    pub fn successive(levels: &[f64]) -> Self {
        let bits = levels.len().ilog2();
        let half_step = (0.5_f64).powi(bits as i32);
        let threshold = |code: u32| levels[code as usize] - half_step;
        let (mut bounds, mut codes) = (Vec::new(), Vec::new());
        // Intervals of inputs that agree on all bits so far, in rising order.
        let mut stack = vec![(f64::NEG_INFINITY, f64::INFINITY, 0_u32, bits)];
        while let Some((lo, hi, code, bit)) = stack.pop() {
            if bit == 0 {
                if !codes.is_empty() {
                    // An input that equals a threshold has reached it.
                    bounds.push(lo.next_down());
                }
                codes.push(code);
                continue;
            }
            let trial = code | 1 << (bit - 1);
            let at = threshold(trial);
            if at < hi {
                stack.push((at.max(lo), hi, trial, bit - 1));
            }
            if at > lo {
                stack.push((lo, at.min(hi), code, bit - 1));
            }
        }
        Self::new(bounds, codes)
    }

    fn new(mut bounds: Vec<f64>, codes: Vec<u32>) -> Self {
        // Cells of half a step, of whose bounds an input passes none or one.
        let cells = 2 * codes.len();
        // The rounding of an input's cell is far below this.
        let margin = 1e-9;
        let edge = |cell: usize| 2.0 * cell as f64 / cells as f64 - 1.0;
        let count = |input: f64| bounds.partition_point(|&bound| bound < input);
        let below = |cell: usize| if cell == 0 { 0 } else { count(edge(cell) - margin) };
        let upto =
            |cell: usize| if cell + 1 == cells { bounds.len() } else { count(edge(cell + 1) + margin) };
        let most = (0..cells).map(|cell| upto(cell) - below(cell)).max().unwrap_or(0);
        let below = (0..cells).map(|cell| below(cell) as u32).collect();
        bounds.push(f64::INFINITY);
        Self { bounds, codes, below, most }
    }

    /// Code of an input.
    #[inline]
    pub fn code(&self, input: f64) -> u32 {
        let cells = self.below.len();
        // The cast saturates.
        let cell = ((0.5 * (input + 1.0) * cells as f64) as usize).min(cells - 1);
        let mut at = self.below[cell] as usize;
        for _ in 0..self.most {
            // Nothing passes the last bound.
            at += usize::from(input > self.bounds[at]);
        }
        self.codes[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The search as the circuit does it.
    fn bit_by_bit(levels: &[f64], input: f64) -> u32 {
        let bits = levels.len().ilog2();
        let half_step = (0.5_f64).powi(bits as i32);
        (0..bits).rev().fold(0, |code, bit| {
            let trial = code | 1 << bit;
            if input >= levels[trial as usize] - half_step { trial } else { code }
        })
    }

    fn nearest(levels: &[f64], input: f64) -> f64 {
        levels.iter().map(|level| (level - input).abs()).fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn a_staircase_is_the_search(
            bits in 1u32..7, noise in prop::collection::vec(-0.3f64..0.3, 64), inputs in prop::collection::vec(-1.5f64..1.5, 50),
        ) {
            let count = 1 << bits;
            let step = 2.0 / count as f64;
            let levels: Vec<f64> = (0..count).map(|k| -1.0 + (k as f64 + 0.5) * step + noise[k]).collect();
            let (successive, ramp) = (Staircase::successive(&levels), Staircase::ramp(&levels));
            let thresholds = levels.iter().map(|level| level - 0.5 * step);
            for input in inputs.into_iter().chain(thresholds) {
                prop_assert_eq!(successive.code(input), bit_by_bit(&levels, input));
                let found = (levels[ramp.code(input) as usize] - input).abs();
                prop_assert!(found <= nearest(&levels, input) + 1e-15);
            }
        }
    }
}
