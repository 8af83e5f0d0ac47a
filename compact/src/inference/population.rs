//! Devices drawn from a law: each remembers its errors, so that its conductances at two times belong together.

use super::{Cell, Shape, normal};
use mho_data::random::Stream;
use rayon::prelude::*;

/// A device: everything that it remembers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Device {
    /// What it was programmed to, uS.
    pub target_us: f64,
    /// What it got, uS, before any bound.
    pub programmed_us: f64,
    /// Its drift exponent.
    pub exponent: f64,
    /// Normal score of its relaxation.
    pub relaxation: f64,
}

impl Device {
    /// The device at three normal scores: of programming, drift exponent and relaxation.
    pub fn new(cell: &dyn Cell, target_us: f64, scores: [f64; 3]) -> Self {
        let programmed = cell.programmed(target_us);
        let away = match programmed.shape {
            Shape::Normal => scores[0],
            Shape::Uniform => 12_f64.sqrt() * (normal::below(scores[0]) - 0.5),
        };
        Self {
            target_us,
            programmed_us: target_us + programmed.sigma_us * away,
            exponent: cell.exponent(target_us).at(scores[1]),
            relaxation: scores[2],
        }
    }

    /// Conductance, uS, after a time, without read noise.
    pub fn conductance_us(&self, cell: &dyn Cell, time_s: f64) -> f64 {
        let moved = cell.evolution(self.target_us, self.exponent, time_s);
        let free = moved.offset_us + moved.gain * self.programmed_us + moved.spread_us * self.relaxation;
        free.max(moved.lower_us).min(moved.upper_us)
    }

    /// One read, uS, with the noise at a normal score; not below 0.
    pub fn read_us(&self, cell: &dyn Cell, time_s: f64, score: f64) -> f64 {
        let now_us = self.conductance_us(cell, time_s);
        let sigma_us = cell.read_sigma_us(now_us, self.programmed_us.max(0.0), time_s);
        (now_us + sigma_us * score).max(0.0)
    }
}

/// Devices of one seed. Device `i` has the same errors whatever the other targets are and however many threads
/// there are.
pub struct Population<'a> {
    cell: &'a dyn Cell,
    seed: u64,
    /// The devices in the order of their targets.
    pub devices: Vec<Device>,
}

impl<'a> Population<'a> {
    /// Programs a device for each target, uS; targets outside of [`Cell::window_us`] count as its ends.
    pub fn new(cell: &'a dyn Cell, targets_us: &[f64], seed: u64) -> Self {
        let stream = Stream::new(seed, &["inference", "device"], &[]);
        let [low, high] = cell.window_us();
        let devices = targets_us
            .par_iter()
            .enumerate()
            .with_min_len(1024)
            .map(|(index, target)| {
                let first = 4 * index as u64;
                let target = target.max(low).min(high);
                Device::new(cell, target, [0, 1, 2].map(|which| stream.normal(first + which)))
            })
            .collect();
        Self { cell, seed, devices }
    }

    /// Conductances, uS, after a time, without read noise.
    pub fn conductances_us(&self, time_s: f64) -> Vec<f64> {
        let each = self.devices.par_iter().with_min_len(1024);
        each.map(|device| device.conductance_us(self.cell, time_s)).collect()
    }

    /// The read number `read` of all devices at a time, uS.
    pub fn reads_us(&self, time_s: f64, read: u64) -> Vec<f64> {
        let stream = Stream::new(self.seed, &["inference", "read"], &[time_s.to_bits(), read]);
        self.devices
            .par_iter()
            .enumerate()
            .with_min_len(1024)
            .map(|(index, device)| device.read_us(self.cell, time_s, stream.normal(index as u64)))
            .collect()
    }
}
