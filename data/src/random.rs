//! Counter-based randomness: every random number is a pure function of what it is for.
//!
//! Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A
//! [`Stream`] is keyed by a hash of (seed, purpose, identifiers); number `i` of a stream does not
//! depend on which numbers were asked for before, so results are equal for any order of work.

const M0: u64 = 0xD251_1F53;
const M1: u64 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// One block of Philox4x32 with ten rounds: four random words from a counter and a key. Always inlined, so
/// that a loop over blocks becomes one over vectors.
#[inline(always)]
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for round in 0..10 {
        if round > 0 {
            k0 = k0.wrapping_add(W0);
            k1 = k1.wrapping_add(W1);
        }
        let p0 = M0 * u64::from(c0);
        let p1 = M1 * u64::from(c2);
        let (hi0, lo0) = ((p0 >> 32) as u32, p0 as u32);
        let (hi1, lo1) = ((p1 >> 32) as u32, p1 as u32);
        (c0, c1, c2, c3) = (hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0);
    }
    [c0, c1, c2, c3]
}

/// A stream of random numbers, addressed by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    nonce: [u32; 2],
}

impl Stream {
    /// The stream for `path` (what the numbers are for) and `ids` (which trial, layer, cell …) of a
    /// study's root seed.
    pub fn new(seed: u64, path: &[&str], ids: &[u64]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        for part in path {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&u64::MAX.to_le_bytes());
        for id in ids {
            hasher.update(&id.to_le_bytes());
        }
        let hash = *hasher.finalize().as_bytes();
        let word = |i: usize| u32::from_le_bytes([hash[i], hash[i + 1], hash[i + 2], hash[i + 3]]);
        Self { key: [word(0), word(4)], nonce: [word(8), word(12)] }
    }

    /// The four random words of block `index`.
    #[inline(always)]
    pub fn block(&self, index: u64) -> [u32; 4] {
        philox4x32_10([index as u32, (index >> 32) as u32, self.nonce[0], self.nonce[1]], self.key)
    }

    /// Number `index`, uniform in the open interval (0, 1), with 53 random bits.
    #[inline]
    pub fn uniform(&self, index: u64) -> f64 {
        let [a, b, _, _] = self.block(index);
        unit_f64(a, b)
    }

    /// Number `index` of a standard normal distribution (Box and Muller's first).
    pub fn normal(&self, index: u64) -> f64 {
        let [a, b, c, d] = self.block(index);
        let radius = (-2.0 * libm::log(unit_f64(a, b))).sqrt();
        radius * libm::cos(std::f64::consts::TAU * unit_f64(c, d))
    }

    /// Standard normals number `start..start + out.len()` in single precision. Four numbers share a
    /// block, so any stretch can be filled apart from the others. These are not the numbers of
    /// [`Stream::normal`].
    pub fn fill_normal_f32(&self, start: u64, out: &mut [f32]) {
        let mut index = start;
        let mut filled = 0;
        while filled < out.len() {
            let block = self.normals4(index / 4);
            let from = (index % 4) as usize;
            let take = (4 - from).min(out.len() - filled);
            out[filled..filled + take].copy_from_slice(&block[from..from + take]);
            filled += take;
            index += take as u64;
        }
    }

    /// Four standard normals in single precision from one block.
    #[inline]
    fn normals4(&self, block: u64) -> [f32; 4] {
        let [a, b, c, d] = self.block(block);
        let (n0, n1) = box_muller_f32(a, b);
        let (n2, n3) = box_muller_f32(c, d);
        [n0, n1, n2, n3]
    }

    /// Number `index` of a Poisson distribution of the given mean: by inversion below a mean of 30,
    /// else by the rounded normal with its first skewness correction (error of the distribution
    /// function below 1e-3 there).
    pub fn poisson(&self, index: u64, mean: f64) -> u64 {
        if mean.is_nan() || mean <= 0.0 {
            return 0;
        }
        if mean < 30.0 {
            let u = self.uniform(index);
            let mut term = libm::exp(-mean);
            let mut sum = term;
            let mut k = 0_u64;
            while u > sum && k < 1000 {
                k += 1;
                term *= mean / k as f64;
                sum += term;
            }
            return k;
        }
        let z = self.normal(index);
        (mean + mean.sqrt() * z + (z * z - 1.0) / 6.0).round().max(0.0) as u64
    }
}

#[inline]
fn unit_f64(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 21) ^ (u64::from(low) >> 11);
    (bits as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
}

#[inline]
fn box_muller_f32(a: u32, b: u32) -> (f32, f32) {
    // 24 bits for the angle, 32 for the radius: tails reach 6.6 standard deviations.
    let u = (f64::from(a) + 0.5) * (1.0 / 4_294_967_296.0);
    let radius = libm::sqrtf(-2.0 * libm::logf(u as f32).min(0.0));
    let angle = std::f32::consts::TAU * ((b >> 8) as f32 * (1.0 / 16_777_216.0));
    let (sin, cos) = libm::sincosf(angle);
    (radius * cos, radius * sin)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known-answer vectors of the reference implementation (Random123, kat_vectors).
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox4x32_10([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32_10([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn any_stretch_is_the_same_stretch() {
        let stream = Stream::new(1, &["test"], &[2, 3]);
        let mut whole = [0.0; 64];
        stream.fill_normal_f32(0, &mut whole);
        let mut part = [0.0; 13];
        stream.fill_normal_f32(5, &mut part);
        assert_eq!(part[..], whole[5..18]);
        assert_ne!(stream, Stream::new(1, &["test"], &[3, 2]));
    }

    /// Bounds are five standard errors of the sample moments.
    #[test]
    fn moments() {
        let n = 200_000_usize;
        let stream = Stream::new(7, &["moments"], &[]);
        let mut x = vec![0.0_f32; n];
        stream.fill_normal_f32(0, &mut x);
        for values in [
            x.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(),
            (0..n as u64).map(|i| stream.normal(i)).collect(),
        ] {
            let m1 = values.iter().sum::<f64>() / n as f64;
            let m2 = values.iter().map(|v| v * v).sum::<f64>() / n as f64;
            let m4 = values.iter().map(|v| v.powi(4)).sum::<f64>() / n as f64;
            let se = 5.0 / (n as f64).sqrt();
            assert!(
                m1.abs() < se && (m2 - 1.0).abs() < se * 2f64.sqrt() && (m4 - 3.0).abs() < se * 96f64.sqrt()
            );
        }
        for mean in [0.3, 12.0, 80.0] {
            let draws: Vec<f64> = (0..n as u64).map(|i| stream.poisson(i, mean) as f64).collect();
            let m = draws.iter().sum::<f64>() / n as f64;
            let v = draws.iter().map(|d| (d - m).powi(2)).sum::<f64>() / n as f64;
            assert!((m - mean).abs() < 5.0 * (mean / n as f64).sqrt() + 1e-3);
            assert!((v / mean - 1.0).abs() < 0.02);
        }
    }
}
