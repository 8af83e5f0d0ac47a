//! Capacitive digital-to-analog converters: levels made by binary-weighted capacitors with mismatch.
//!
//! Every level is in units of the reference voltage. Capacitor k of a bank is nominally 2^k units and
//! deviates by `delta_k` 2^(k/2): the relative mismatch falls with the square root of the area
//! (Pelgrom, Duinmaijer, Welbers, IEEE J. Solid-State Circuits 24, 1433, 1989).

/// How a bank of capacitors makes levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bank {
    /// Codes -2^(b-1)..2^(b-1): b - 1 capacitors, charged to either sign of the reference, on an
    /// amplifier whose feedback capacitor is the next in the row.
    Symmetric,
    /// Codes 0..2^b: b capacitors, shifted by half the scale, on an amplifier.
    Unsigned,
    /// Codes as `Symmetric`, the lowest floor(b/2) bits behind a bridge capacitor; charge is shared
    /// without an amplifier in the loop, so the whole output feeds back.
    Split,
}

/// Number of mismatch draws that a bank of `bits` uses.
pub fn draws(bits: u32) -> usize {
    bits as usize + 1
}

/// The 2^`bits` output levels of a bank for rising codes, half a step above their codes, behind an
/// amplifier of gain `gain` (a ratio; infinite for an ideal one). `delta` holds the mismatch of
/// [`draws`]`(bits)` capacitors in units of the smallest capacitor (missing ones are zero):
/// the capacitors from the lowest bit, then the dummy and the bridge of a split bank.
pub fn levels(bank: Bank, bits: u32, gain: f64, delta: &[f64]) -> Vec<f64> {
    let delta = |i: usize| delta.get(i).copied().unwrap_or(0.0);
    let half_step = (0.5_f64).powi(bits as i32);
    let b = bits as usize;
    match bank {
        Bank::Unsigned => {
            let capacitors = binary(b + 1, delta);
            let level = |code: u32| {
                let ratio = selected(&capacitors[..b], code) / capacitors[b];
                (2.0 * ratio - 1.0 + half_step) * loop_gain(gain, ratio)
            };
            (0..1 << bits).map(level).collect()
        }
        Bank::Symmetric => {
            let capacitors = binary(b, delta);
            let feedback = capacitors[b - 1];
            signed(bits, |magnitude, sign| {
                // The most negative code switches a capacitor as large as the feedback itself.
                let ratio = selected(&capacitors, magnitude) / feedback;
                (sign * ratio + half_step) * loop_gain(gain, ratio)
            })
        }
        Bank::Split => {
            let low = b / 2;
            let below = binary(low, delta);
            let above = binary(b - 1 - low, |i| delta(low + i));
            // The bridge makes the lower part, with its dummy, look like one smallest capacitor.
            let nominal = (1_u32 << low) as f64 / ((1_u32 << low) - 1).max(1) as f64;
            let bridge = nominal + delta(b) * nominal.sqrt();
            let lower: f64 = below.iter().sum::<f64>() + 1.0 + delta(b - 1);
            let series = bridge * lower / (bridge + lower);
            let total = above.iter().sum::<f64>() + series;
            let top = 1_u32 << (bits - 1);
            signed(bits, |magnitude, sign| {
                let ratio = if magnitude == top {
                    1.0 // everything, the dummy too
                } else {
                    let bridged = selected(&below, magnitude) * series / lower;
                    (bridged + selected(&above, magnitude >> low)) / total
                };
                (sign * ratio + half_step) / (1.0 + 1.0 / gain)
            })
        }
    }
}

/// 1 / (1 + 1 / (A beta)) with the feedback fraction beta = Cf / (Cf + Cin).
fn loop_gain(gain: f64, ratio: f64) -> f64 {
    1.0 / (1.0 + (1.0 + ratio) / gain)
}

fn binary(count: usize, delta: impl Fn(usize) -> f64) -> Vec<f64> {
    (0..count).map(|k| (2.0_f64).powi(k as i32) + delta(k) * (2.0_f64).powf(0.5 * k as f64)).collect()
}

fn selected(capacitors: &[f64], code: u32) -> f64 {
    capacitors.iter().enumerate().filter(|(k, _)| code >> k & 1 == 1).map(|(_, c)| c).sum()
}

fn signed(bits: u32, level: impl Fn(u32, f64) -> f64) -> Vec<f64> {
    let top = 1_u32 << (bits - 1);
    let below = (1..=top).rev().map(|magnitude| level(magnitude, -1.0));
    below.chain((0..top).map(|magnitude| level(magnitude, 1.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_mismatch_all_banks_make_equal_steps() {
        for bits in 2..12 {
            let step = (2.0_f64).powi(1 - bits as i32);
            for bank in [Bank::Symmetric, Bank::Unsigned, Bank::Split] {
                let made = levels(bank, bits, f64::INFINITY, &[]);
                assert_eq!(made.len(), 1 << bits);
                for (code, level) in made.iter().enumerate() {
                    // Exact but for the rounding of the sums.
                    assert!((level - (-1.0 + (code as f64 + 0.5) * step)).abs() < 1e-14, "{bank:?} {bits}");
                }
            }
        }
    }
}
