//! Many devices of one kind, pulsed together: columns of numbers, the same bits for any number of threads.

use super::device::{DeviceError, PulsedDevice};
use super::law::{Cell, PulseLaw, with_law};
use mho_data::random::Stream;
use rayon::prelude::*;

/// Cells that one task works on; a multiple of the four normals that share a block.
const CHUNK: usize = 4096;

/// Devices drawn from one kind, with their states. Columns are of one length.
#[derive(Debug, Clone)]
pub struct Population {
    device: PulsedDevice,
    seed: u64,
    updates: u64,
    cells: Vec<Cell>,
    hidden: Vec<f64>,
    visible: Vec<f64>,
    clipped: u64,
    folded: u64,
}

impl Population {
    /// `count` devices number 0, 1, … of the seed, at state 0 or the bound nearest to it.
    ///
    /// # Errors
    /// [`DeviceError`] where [`PulsedDevice::check`] finds one.
    pub fn new(device: PulsedDevice, count: usize, seed: u64) -> Result<Self, DeviceError> {
        device.check()?;
        let stream = Stream::new(seed, &["update", "devices"], &[]);
        let cells: Vec<Cell> =
            (0..count as u64).into_par_iter().map(|index| device.draw(&stream, index)).collect();
        let folded = (0..count as u64).into_par_iter().filter(|&index| device.folds(&stream, index)).count();
        let hidden: Vec<f64> = cells.iter().map(|cell| cell.clip(0.0)).collect();
        let visible = if device.write_noise > 0.0 { hidden.clone() } else { Vec::new() };
        Ok(Self { device, seed, updates: 0, cells, hidden, visible, clipped: 0, folded: folded as u64 })
    }

    /// The kind of device.
    pub fn device(&self) -> &PulsedDevice {
        &self.device
    }

    /// The devices drawn.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// States as a read sees them, with the write noise of the last pulse.
    pub fn states(&self) -> &[f64] {
        if self.visible.is_empty() { &self.hidden } else { &self.visible }
    }

    /// States that pulses act on.
    pub fn hidden(&self) -> &[f64] {
        &self.hidden
    }

    /// Pulses so far that ended on a bound.
    pub fn clipped_pulses(&self) -> u64 {
        self.clipped
    }

    /// Devices with a bound that spread put on the wrong side of zero and that was folded back.
    pub fn folded_bounds(&self) -> u64 {
        self.folded
    }

    /// Puts every device to the state given, inside its bounds; one that is missing leaves its device alone.
    pub fn set(&mut self, states: &[f64]) {
        for ((hidden, cell), state) in self.hidden.iter_mut().zip(&self.cells).zip(states) {
            *hidden = cell.clip(*state);
        }
        if !self.visible.is_empty() {
            self.visible.copy_from_slice(&self.hidden);
        }
    }

    /// One update: as many pulses to each device as `pulses` says, up where positive, down where negative;
    /// devices beyond its end get none.
    pub fn pulse(&mut self, pulses: &[i32]) {
        let cycle = Stream::new(self.seed, &["update", "cycle"], &[self.updates]);
        let write = Stream::new(self.seed, &["update", "write"], &[self.updates]);
        self.updates += 1;
        let device = &self.device;
        let write_std = device.write_noise * device.step;
        let clipped: u64 = with_law!(&device.law, law => {
            let chunks = self.hidden.par_chunks_mut(CHUNK).zip(self.cells.par_chunks(CHUNK)).enumerate();
            chunks
                .map(|(chunk, (states, cells))| {
                    let first = chunk * CHUNK;
                    let rest = pulses.get(first..).unwrap_or(&[]);
                    let rest = &rest[..rest.len().min(states.len())];
                    let padded = self.cells.len().next_multiple_of(4) as u64;
                    pulse_chunk(law, device, cells, states, rest, first as u64, padded, &cycle)
                })
                .sum()
        });
        self.clipped += clipped;
        if !self.visible.is_empty() {
            let columns = self.visible.par_chunks_mut(CHUNK).zip(self.hidden.par_chunks(CHUNK)).enumerate();
            columns.for_each(|(chunk, (visible, hidden))| {
                let mut normals = [0.0_f32; CHUNK];
                write.fill_normal_f32((chunk * CHUNK) as u64, &mut normals[..visible.len()]);
                let rest = pulses.get(chunk * CHUNK..).unwrap_or(&[]);
                for (((visible, hidden), &count), normal) in
                    visible.iter_mut().zip(hidden).zip(rest).zip(normals)
                {
                    if count != 0 {
                        *visible = hidden + write_std * f64::from(normal);
                    }
                }
            });
        }
    }

    /// Decay by itself over `updates` updates: each state loses `1 - (1 - 1/lifetime)^updates` of its distance
    /// to 0.
    pub fn decay(&mut self, updates: f64) {
        if self.device.lifetime.is_infinite() {
            return;
        }
        let stream = Stream::new(self.seed, &["update", "lifetimes"], &[]);
        let device = &self.device;
        let keep = |index: usize| {
            let normal = if device.lifetime_spread > 0.0 { stream.normal(index as u64) } else { 0.0 };
            let lifetime = (device.lifetime * (1.0 + device.lifetime_spread * normal)).abs().max(1.0);
            (updates * (-1.0 / lifetime).ln_1p()).exp()
        };
        self.hidden.par_iter_mut().enumerate().for_each(|(index, state)| *state *= keep(index));
        self.visible.par_iter_mut().enumerate().for_each(|(index, state)| *state *= keep(index));
    }
}

/// Pulses of one chunk; gives how many ended on a bound. Pulse `k` of cell `i` has normal `k * padded + i`.
#[allow(clippy::too_many_arguments)]
fn pulse_chunk<L: PulseLaw>(
    law: &L,
    device: &PulsedDevice,
    cells: &[Cell],
    states: &mut [f64],
    pulses: &[i32],
    first: u64,
    padded: u64,
    cycle: &Stream,
) -> u64 {
    let mut normals = [0.0_f32; CHUNK];
    let mut clipped = 0;
    let most = pulses.iter().map(|count| count.unsigned_abs()).max().unwrap_or(0);
    for number in 0..most {
        if device.noise != super::CycleNoise::None {
            cycle.fill_normal_f32(u64::from(number) * padded + first, &mut normals[..states.len()]);
        }
        for (((state, cell), &count), &normal) in states.iter_mut().zip(cells).zip(pulses).zip(&normals) {
            if number >= count.unsigned_abs() {
                continue;
            }
            let (step, scale) = if count > 0 {
                (law.up(cell, *state), cell.up)
            } else {
                (-law.down(cell, *state), cell.down)
            };
            let noise = device.noise.std(cell, step, scale, *state) * f64::from(normal);
            let moved = law.settle(cell, *state + step + noise);
            let kept = cell.clip(moved);
            clipped += u64::from(kept != moved);
            *state = kept;
        }
    }
    clipped
}
