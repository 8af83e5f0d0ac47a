//! Standard normals in blocks, written so that the compiler can use vector instructions.
//!
//! Read noise takes one normal per conversion: a small convolutional network asks for ten thousand per
//! image, and a call to a library's logarithm for each would cost more than all products together.
//! The numbers are a pure function of (stream, index) like all others, with the same bits on every
//! processor.

use mho_data::random::Stream;

use crate::vector::wide;

/// Philox blocks per turn.
const TURN: usize = 64;

/// Normals number `start..start + out.len()` of a stream. Number 4 i + k belongs to Philox block i.
pub fn fill(stream: &Stream, start: u64, out: &mut [f32]) {
    fill_lines(stream, 0, start, out.len(), out);
}

/// Numbers between the normals of two lines.
const PER_LINE: u64 = 1 << 40;

/// Normals of `reads` reads of each of many lines (lines x reads, the first of them line number `line`):
/// read r of line l has number 2^40 l + r of the stream, whatever lines and reads are asked for together.
pub(crate) fn fill_lines(stream: &Stream, line: u64, first: u64, reads: usize, out: &mut [f32]) {
    if reads == 0 {
        return;
    }
    let skip = (first % 4) as usize;
    let per_line = (skip + reads).div_ceil(4);
    let lines = out.len() / reads;
    let mut normals = [0.0_f32; 4 * TURN];
    let mut blocks = [0_u64; TURN];
    // Blocks of short lines share a turn: (line, block in it) of the next one.
    let (mut row, mut place) = (0, 0);
    while row < lines {
        let (from, at) = (row, place);
        let start = |row: usize| line.wrapping_add(row as u64).wrapping_mul(PER_LINE).wrapping_add(first) / 4;
        if place + TURN < per_line {
            for (block, number) in blocks.iter_mut().zip(start(row).wrapping_add(place as u64)..) {
                *block = number;
            }
            place += TURN;
        } else {
            for block in &mut blocks {
                *block = start(row).wrapping_add(place as u64);
                place += 1;
                if place == per_line {
                    (row, place) = (row + 1, 0);
                }
            }
        }
        wide(
            #[inline(always)]
            || turn(stream, &blocks, &mut normals),
        );
        let (mut row, mut place, mut left) = (from, at, &normals[..]);
        while !left.is_empty() && row < lines {
            let run = (4 * (per_line - place)).min(left.len());
            let (own, rest) = left.split_at(run);
            left = rest;
            // Numbers of the line in these blocks, without those before the first and after the last read.
            let begin = (4 * place).max(skip);
            let end = (4 * place + run).min(skip + reads);
            if begin < end {
                out[row * reads + begin - skip..row * reads + end - skip]
                    .copy_from_slice(&own[begin - 4 * place..end - 4 * place]);
            }
            place += run / 4;
            if place == per_line {
                (row, place) = (row + 1, 0);
            }
        }
    }
}

/// The normals of `TURN` Philox blocks. Words lie apart by their place in the block, so that one
/// instruction works on several blocks.
#[inline(always)]
fn turn(stream: &Stream, blocks: &[u64; TURN], out: &mut [f32; 4 * TURN]) {
    let [mut w0, mut w1, mut w2, mut w3] = [[0_u32; TURN]; 4];
    for i in 0..TURN {
        [w0[i], w1[i], w2[i], w3[i]] = stream.block(blocks[i]);
    }
    let [mut n0, mut n1, mut n2, mut n3] = [[0.0_f32; TURN]; 4];
    for i in 0..TURN {
        (n0[i], n1[i]) = box_muller(w0[i], w1[i]);
    }
    for i in 0..TURN {
        (n2[i], n3[i]) = box_muller(w2[i], w3[i]);
    }
    for (i, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *out = [n0[i], n1[i], n2[i], n3[i]];
    }
}

/// Two normals from two words (Box & Muller, 1958): 31 bits for the radius, so that tails reach 6.6
/// standard deviations, 24 for the angle.
#[inline(always)]
fn box_muller(a: u32, b: u32) -> (f32, f32) {
    let u = ((a >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    let radius = (-2.0 * ln(u)).max(0.0).sqrt();
    let (sin, cos) = sin_cos_turns((b >> 8) as i32 as f32 * (1.0 / 16_777_216.0));
    (radius * cos, radius * sin)
}

/// Natural logarithm of a normal positive number; error below 1e-7 relative to max(1, |ln x|).
/// Reduction to sqrt(1/2)..sqrt(2) and the polynomial of Cephes' `logf` (Moshier).
#[inline(always)]
fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    // Shifted so that the mantissa comes out between sqrt(1/2) and sqrt(2).
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let exponent = (shifted as i32) >> 23;
    let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
    let z = m * m;
    let p = 7.037_683_6e-2_f32;
    let p = p * m - 1.151_461e-1;
    let p = p * m + 1.167_699_9e-1;
    let p = p * m - 1.242_014_1e-1;
    let p = p * m + 1.424_932_3e-1;
    let p = p * m - 1.666_805_8e-1;
    let p = p * m + 2.000_071_5e-1;
    let p = p * m - 2.499_999_4e-1;
    let p = p * m + 3.333_333e-1;
    let e = exponent as f32;
    m + (m * z * p - 0.5 * z) + e * std::f32::consts::LN_2
}

/// Sine and cosine of 2 pi t for 0 <= t < 1; error below 2e-7. Taylor polynomials on an eighth of a turn
/// to both sides of the nearest quarter.
#[inline(always)]
fn sin_cos_turns(t: f32) -> (f32, f32) {
    let quarter = (t * 4.0 + 0.5) as i32;
    let r = (t - quarter as f32 * 0.25) * std::f32::consts::TAU;
    let s = r * r;
    let sin = r + r * s * (-1.666_666_5e-1 + s * (8.333_331e-3 + s * (-1.984_09e-4 + s * 2.752_6e-6)));
    let cos = 1.0 + s * (-0.5 + s * (4.166_666_6e-2 + s * (-1.388_888_4e-3 + s * (2.480_1e-5 - s * 2.7e-7))));
    let swap = quarter & 1 != 0;
    let (x, y) = if swap { (sin, cos) } else { (cos, sin) };
    // cos changes sign in the second and third quarter, sin in the third and fourth.
    let sign_x = ((quarter + 1) as u32 & 2) << 30;
    let sign_y = (quarter as u32 & 2) << 30;
    (f32::from_bits(y.to_bits() ^ sign_y), f32::from_bits(x.to_bits() ^ sign_x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_and_angles_are_right() {
        for i in 1..200_000_u32 {
            let x = i.wrapping_mul(2_654_435_761) >> 1;
            let u = (f64::from(x) + 0.5) / 2_147_483_648.0;
            let (ours, exact) = (f64::from(ln(u as f32)), f64::from(u as f32).ln());
            assert!((ours - exact).abs() <= 1.5e-7 * exact.abs().max(1.0), "{u}: {ours} {exact}");
            let t = (x >> 7) as f32 / 16_777_216.0;
            let (sin, cos) = sin_cos_turns(t);
            let (s, c) = (f64::from(t) * std::f64::consts::TAU).sin_cos();
            assert!(
                (f64::from(sin) - s).abs() < 3e-7 && (f64::from(cos) - c).abs() < 3e-7,
                "{t}: {sin} {cos}"
            );
        }
        assert!(box_muller(0, 0).0 > 6.0 && box_muller(u32::MAX, 0).0 == 0.0);
    }

    #[test]
    fn any_stretch_is_the_same_stretch() {
        let stream = Stream::new(1, &["test"], &[2]);
        let mut whole = vec![0.0; 2000];
        fill(&stream, 0, &mut whole);
        for (start, len) in [(0, 1), (3, 5), (255, 300), (1021, 700)] {
            let mut part = vec![0.0; len];
            fill(&stream, start as u64, &mut part);
            assert_eq!(part[..], whole[start..start + len]);
        }
    }

    #[test]
    fn lines_are_stretches_of_one_stream() {
        let stream = Stream::new(4, &["test"], &[]);
        for (line, lines, first, reads) in [(0, 5, 0, 1), (7, 300, 3, 2), (1, 3, 1021, 700), (2, 9, 6, 64)] {
            let mut all = vec![0.0; lines * reads];
            fill_lines(&stream, line, first, reads, &mut all);
            for (l, row) in (line..).zip(all.chunks_exact(reads)) {
                let mut own = vec![0.0; reads];
                fill(&stream, (l << 40) + first, &mut own);
                assert_eq!(row, own, "{l} of {line}, {first}, {reads}");
            }
        }
    }

    /// Bounds are five standard errors.
    #[test]
    fn moments_and_distribution() {
        let n = 1 << 20;
        let mut x = vec![0.0; n];
        fill(&Stream::new(3, &["test"], &[]), 0, &mut x);
        let mean = |f: fn(f64) -> f64| x.iter().map(|&x| f(f64::from(x))).sum::<f64>() / n as f64;
        let error = 5.0 / (n as f64).sqrt();
        assert!(mean(|x| x).abs() < error);
        assert!((mean(|x| x * x) - 1.0).abs() < error * 2.0_f64.sqrt());
        assert!(mean(|x| x.powi(3)).abs() < error * 15.0_f64.sqrt());
        assert!((mean(|x| x.powi(4)) - 3.0).abs() < error * 96.0_f64.sqrt());
        // P(|x| > 3) = 0.0026998
        let tail = mean(|x| f64::from(u8::from(x.abs() > 3.0)));
        assert!((tail - 0.002_699_8).abs() < error * 0.0027_f64.sqrt(), "{tail}");
        let neighbours = x.windows(2).map(|w| f64::from(w[0] * w[1])).sum::<f64>() / n as f64;
        assert!(neighbours.abs() < error);
    }
}
