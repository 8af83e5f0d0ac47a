//! Writing a current by pulses with a read after each.
//!
//! A cell is read; when the current is within the tolerance of its target it is done, else a program pulse
//! (current too high) or an erase pulse (too low) follows. A pulse moves the threshold by what
//! [`Transient`] says, less or more by pulse-to-pulse noise: a relative part and the shot noise of the
//! injected charge, σ² = |ΔV| q/(C_top A_g). The read has noise of its own, so a cell that passed carries
//! an error nearly even within the tolerance, blurred by the noise of the read.

use crate::constants::thermal_voltage;
use crate::ode::OdeError;
use crate::sonos::transient::Transient;
use mho_data::random::Stream;

/// The read: current of the cell in saturation, with its noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Read {
    /// Specific current in A. Default 2 µA (assumed).
    pub specific_a: f64,
    /// Slope factor. Default 1.4 (fitted).
    pub slope_factor: f64,
    /// Temperature in K.
    pub temperature_k: f64,
    /// Overdrive in V of a neutral cell: gate voltage less neutral threshold. Default −0.019 V (derived from
    /// the neutral current of 656 nA of the TCAS-I 2022 array).
    pub neutral_overdrive_v: f64,
    /// Noise at high current in A: σ = a (1 − e^(−I/b)). Default a = 12.58 nA (measured, IEDM 2022).
    pub noise_a: f64,
    /// Current b in A of the noise. Default 215.4 nA (measured, with it).
    pub noise_knee_a: f64,
}

impl Default for Read {
    fn default() -> Self {
        Self {
            specific_a: 2e-6,
            slope_factor: 1.4,
            temperature_k: 300.0,
            neutral_overdrive_v: -0.019,
            noise_a: 12.58e-9,
            noise_knee_a: 215.4e-9,
        }
    }
}

impl Read {
    /// Scale in V: 2 n φ_t.
    fn scale_v(&self) -> f64 {
        2.0 * self.slope_factor * thermal_voltage(self.temperature_k)
    }

    /// Current in A at a threshold shift in V from neutral: I_spec ln²(1 + e^(u/2nφ_t)).
    #[must_use]
    pub fn current_a(&self, shift_v: f64) -> f64 {
        let x = (self.neutral_overdrive_v - shift_v) / self.scale_v();
        // ln(1 + eˣ) without overflow.
        let root = x.max(0.0) + (-x.abs()).exp().ln_1p();
        self.specific_a * root * root
    }

    /// Threshold shift in V at which the current (positive) flows.
    #[must_use]
    pub fn shift_v(&self, current_a: f64) -> f64 {
        let root = (current_a / self.specific_a).sqrt();
        // ln(eˣ − 1) = x + ln(1 − e^(−x)).
        self.neutral_overdrive_v - self.scale_v() * (root + (-(-root).exp_m1()).ln())
    }

    /// Standard deviation of a read in A.
    #[must_use]
    pub fn sigma_a(&self, current_a: f64) -> f64 {
        -self.noise_a * (-current_a / self.noise_knee_a).exp_m1()
    }
}

/// Pulses of one sign that grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Staircase {
    /// First gate voltage in V.
    pub start_v: f64,
    /// Growth per pulse in V, away from zero; zero repeats the same pulse.
    pub step_v: f64,
    /// Number of different pulses; the last repeats.
    pub levels: usize,
    /// Duration of a pulse in s.
    pub duration_s: f64,
}

/// How the next pulse is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// One step up the staircase after each pulse; from its foot again when the direction turns.
    Staircase,
    /// The largest pulse that is not expected to pass the target, else the smallest.
    Predictive,
}

/// When a cell is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verify {
    /// Tolerance in A.
    pub tolerance_a: f64,
    /// Most pulses.
    pub max_pulses: u32,
    /// Relative pulse-to-pulse noise (standard deviation).
    pub pulse_noise: f64,
    /// How the next pulse is chosen.
    pub strategy: Choice,
}

/// One cell after writing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Written {
    /// Threshold shift in V.
    pub shift_v: f64,
    /// Current in A without noise.
    pub current_a: f64,
    /// The last read in A.
    pub read_a: f64,
    /// Pulses used.
    pub pulses: u32,
    /// Whether the last read was within the tolerance.
    pub verified: bool,
}

/// Shift after each pulse of a staircase, tabulated over the shift before it.
#[derive(Debug, Clone)]
struct PulseTable {
    low_v: f64,
    spacing_v: f64,
    /// By level, then by shift before: the motion in V.
    motion: Vec<Vec<f64>>,
}

/// Spacing of the table in V: the motion bends over 0.2 V, so linear interpolation is good to 2e-3 of it.
const SPACING_V: f64 = 0.025;

impl PulseTable {
    fn new(
        transient: &Transient,
        staircase: &Staircase,
        (low_v, high_v): (f64, f64),
    ) -> Result<Self, OdeError> {
        let count = ((high_v - low_v) / SPACING_V).ceil().max(1.0) as usize;
        let spacing_v = (high_v - low_v) / count as f64;
        let motion = (0..staircase.levels.max(1))
            .map(|level| {
                let gate_v = staircase.start_v + level as f64 * staircase.step_v.copysign(staircase.start_v);
                (0..=count)
                    .map(|index| {
                        let before = low_v + spacing_v * index as f64;
                        let after = transient.threshold_shift(before, gate_v, &[staircase.duration_s])?;
                        Ok(after.first().copied().unwrap_or(before) - before)
                    })
                    .collect()
            })
            .collect::<Result<_, OdeError>>()?;
        Ok(Self { low_v, spacing_v, motion })
    }

    /// Motion in V of a pulse of this level; the ends of the table hold beyond it.
    fn motion_v(&self, level: usize, shift_v: f64) -> f64 {
        let row = &self.motion[level.min(self.motion.len() - 1)];
        let place = ((shift_v - self.low_v) / self.spacing_v).clamp(0.0, (row.len() - 1) as f64);
        let index = (place as usize).min(row.len().saturating_sub(2));
        let part = place - index as f64;
        row[index] + part * (row[(index + 1).min(row.len() - 1)] - row[index])
    }

    fn levels(&self) -> usize {
        self.motion.len()
    }
}

/// A writer with its pulses worked out.
#[derive(Debug, Clone)]
pub struct Writer {
    read: Read,
    verify: Verify,
    program: PulseTable,
    erase: PulseTable,
    step_v: f64,
}

impl Writer {
    /// A writer for shifts within `range_v` (low, high), in V from neutral.
    ///
    /// # Errors
    /// [`OdeError`] when a pulse cannot be integrated.
    pub fn new(
        transient: &Transient,
        read: Read,
        verify: Verify,
        program: &Staircase,
        erase: &Staircase,
        range_v: (f64, f64),
    ) -> Result<Self, OdeError> {
        Ok(Self {
            read,
            verify,
            program: PulseTable::new(transient, program, range_v)?,
            erase: PulseTable::new(transient, erase, range_v)?,
            step_v: transient.stack.step_v(),
        })
    }

    /// Changes when a cell is done, with the same pulses.
    pub fn set_verify(&mut self, verify: Verify) {
        self.verify = verify;
    }

    /// Writes a cell that starts at a shift in V to a current in A. A pure function of its arguments: cell
    /// `stream` uses numbers 3 n to 3 n + 2 for pulse n.
    #[must_use]
    pub fn write(&self, initial_shift_v: f64, target_a: f64, stream: &Stream) -> Written {
        let mut shift = initial_shift_v;
        let target_shift = self.read.shift_v(target_a);
        let mut last = None;
        let mut pulses = 0;
        loop {
            let current_a = self.read.current_a(shift);
            let index = 3 * u64::from(pulses);
            let read_a = current_a + self.read.sigma_a(current_a) * stream.normal(index);
            let verified = (read_a - target_a).abs() <= self.verify.tolerance_a;
            if verified || pulses >= self.verify.max_pulses {
                return Written { shift_v: shift, current_a, read_a, pulses, verified };
            }
            let program = read_a > target_a;
            let table = if program { &self.program } else { &self.erase };
            let level = match (self.verify.strategy, last) {
                (Choice::Staircase, Some((direction, level))) if direction == program => level + 1,
                (Choice::Staircase, _) => 0,
                (Choice::Predictive, _) => self.largest_within(table, read_a, target_shift),
            }
            .min(table.levels() - 1);
            last = Some((program, level));
            let motion = table.motion_v(level, shift);
            shift += motion * (1.0 + self.verify.pulse_noise * stream.normal(index + 1))
                + (self.step_v * motion.abs()).sqrt() * stream.normal(index + 2);
            pulses += 1;
        }
    }

    /// The largest pulse that is not expected to pass the target from where the read says the cell is.
    fn largest_within(&self, table: &PulseTable, read_a: f64, target_shift: f64) -> usize {
        // A read can be negative by noise: then the cell is far off anyway.
        let believed = self.read.shift_v(read_a.max(1e-6 * self.read.specific_a));
        let needed = (target_shift - believed).abs();
        (0..table.levels()).rev().find(|level| table.motion_v(*level, believed).abs() <= needed).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonos::Stack;
    use proptest::prelude::*;

    fn pulses(start_v: f64, step_v: f64, levels: usize) -> Staircase {
        Staircase { start_v, step_v, levels, duration_s: 1e-5 }
    }

    fn verify(tolerance_na: f64) -> Verify {
        Verify {
            tolerance_a: 1e-9 * tolerance_na,
            max_pulses: 400,
            pulse_noise: 0.0,
            strategy: Choice::Staircase,
        }
    }

    /// A large gate: no shot noise to speak of.
    fn quiet() -> Transient {
        Transient { stack: Stack { gate_area_m2: 1e-8, ..Stack::default() }, ..Transient::default() }
    }

    const SILENT: f64 = 1e-18;

    #[test]
    fn current_and_shift_are_inverse() {
        let read = Read::default();
        for current in [1e-12, 5e-9, 6.56e-7, 1.6e-6] {
            assert!((read.current_a(read.shift_v(current)) / current - 1.0).abs() < 1e-10);
        }
        // The overdrive is rounded to a millivolt, which half a millivolt times 13 nA per millivolt bounds.
        assert!((read.current_a(0.0) - 656e-9).abs() < 6.5e-9, "{}", read.current_a(0.0));
    }

    #[test]
    fn table_is_the_integration() {
        let transient = quiet();
        let staircase = pulses(7.0, 0.25, 4);
        let table = PulseTable::new(&transient, &staircase, (-2.0, 2.0)).unwrap();
        for (level, shift) in [(0, 0.013), (2, -0.987), (3, 1.111)] {
            let gate_v = 7.0 + 0.25 * level as f64;
            let exact = transient.threshold_shift(shift, gate_v, &[1e-5]).unwrap()[0] - shift;
            let found = table.motion_v(level, shift);
            assert!((found - exact).abs() < 5e-3 * exact.abs() + 1e-6, "{found} {exact}");
        }
    }

    /// Equal pulses from one side, without noise: a cell stops at the first place inside the tolerance, so
    /// its error is even over the last step, from tolerance − δ to tolerance.
    #[test]
    fn error_is_even_over_the_last_step() {
        let transient = quiet();
        let read = Read { noise_a: SILENT, ..Read::default() };
        let target = 800e-9;
        let program = pulses(7.0, 0.0, 1);
        let table = PulseTable::new(&transient, &program, (-2.0, 2.0)).unwrap();
        let place = read.shift_v(target);
        let step = (read.current_a(place) - read.current_a(place + table.motion_v(0, place))).abs();
        // A tolerance a little above half a step: every cell stops on its way down.
        let tolerance = 0.55 * step;
        let writer = Writer::new(
            &transient,
            read,
            verify(1e9 * tolerance),
            &program,
            &pulses(-7.0, 0.0, 1),
            (-2.0, 2.0),
        )
        .unwrap();
        let count = 2000;
        let mut errors: Vec<f64> = (0..count)
            .map(|cell| {
                // Starts spread over several steps above the target.
                let start =
                    place - table.motion_v(0, place) * (3.0 + 4.0 * f64::from(cell) / f64::from(count));
                let written = writer.write(start, target, &Stream::new(1, &["even"], &[]));
                assert!(written.verified);
                written.current_a - target
            })
            .collect();
        errors.sort_by(f64::total_cmp);
        let (low, high) = (tolerance - step, tolerance);
        let distance = errors
            .iter()
            .enumerate()
            .map(|(index, error)| {
                ((error - low) / (high - low) - (index as f64 + 0.5) / f64::from(count)).abs()
            })
            .fold(0.0, f64::max);
        // The step in current varies by some percent over its own length.
        assert!(distance < 0.06, "{distance} of step {step}");
    }

    /// With noise: the last read is within the tolerance by definition, and the current differs from it by
    /// one read's noise, so the rms error lies between their difference and their sum.
    #[test]
    fn errors_are_within_the_tolerance_blurred_by_the_read() {
        let read = Read::default();
        let tolerance_na = 20.0;
        let writer = Writer::new(
            &Transient::default(),
            read,
            Verify { strategy: Choice::Predictive, pulse_noise: 0.05, ..verify(tolerance_na) },
            &pulses(5.5, 0.1, 30),
            &pulses(-5.5, 0.1, 30),
            (-1.5, 1.5),
        )
        .unwrap();
        let target = 500e-9;
        let noise = read.sigma_a(target);
        let written: Vec<Written> =
            (0..2000).map(|cell| writer.write(-0.5, target, &Stream::new(7, &["cells"], &[cell]))).collect();
        assert!(written.iter().all(|cell| cell.verified));
        let rms = |error: &dyn Fn(&Written) -> f64| {
            (written.iter().map(|cell| error(cell).powi(2)).sum::<f64>() / written.len() as f64).sqrt()
        };
        let seen = rms(&|cell| cell.read_a - target);
        let real = rms(&|cell| cell.current_a - target);
        let blur = rms(&|cell| cell.read_a - cell.current_a);
        let tolerance = 1e-9 * tolerance_na;
        // An even distribution has 0.577 of the tolerance; cells that are aimed well do better.
        assert!(seen < 0.65 * tolerance && seen > 0.3 * tolerance, "{seen}");
        // Passing selects reads, which narrows or widens the noise of the last one a little.
        assert!((blur / noise - 1.0).abs() < 0.25, "{blur} {noise}");
        assert!(real < seen + blur && real > 0.5 * noise, "{real} {seen} {blur}");
        assert!(written.iter().all(|cell| (cell.current_a - target).abs() < tolerance + 5.0 * noise));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]
        /// Any start and target ends with finite numbers and counted pulses.
        #[test]
        fn writing_always_ends(start in -3.0f64..3.0, target in 1e-10f64..2e-6, seed in 0u64..100) {
            let writer = Writer::new(
                &Transient::default(), Read::default(), Verify { max_pulses: 50, ..verify(10.0) },
                &pulses(6.0, 0.5, 3), &pulses(-6.0, 0.5, 3), (-1.0, 1.0),
            ).unwrap();
            let written = writer.write(start, target, &Stream::new(seed, &["any"], &[]));
            prop_assert!(written.shift_v.is_finite() && written.current_a.is_finite());
            prop_assert!(written.pulses <= 50);
            prop_assert!(written.verified || written.pulses == 50);
        }
    }
}
