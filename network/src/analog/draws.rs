//! The random numbers of one trial.

use mho_data::random::Stream;

use crate::normals;

/// The draws of all cells of one trial: pure functions of (seed, trial, layer, cell, purpose), common to
/// all conditions, and made when they are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    pub(super) seed: u64,
    pub(super) trial: u64,
}

impl Draws {
    /// The draws of the cells of one matrix, in the order of its arrays and their cells; `cycle` counts
    /// how often they have been programmed anew.
    pub(super) fn cells(&self, layer: usize, cycle: u64, purposes: &[String]) -> CellDraws {
        let stream = |purpose: &str| {
            Stream::new(self.seed, &["network", "cell", purpose], &[self.trial, layer as u64, cycle])
        };
        CellDraws {
            streams: purposes.iter().map(|purpose| stream(purpose)).collect(),
            stuck: Stream::new(self.seed, &["network", "cell", "stuck"], &[self.trial, layer as u64]),
            ahead: vec![Vec::new(); purposes.len()],
            first: 0,
        }
    }

    /// Seed of what is drawn inside a core: mismatch of converters, read noise.
    pub(super) fn core(&self, layer: usize) -> u64 {
        let [a, b, ..] = Stream::new(self.seed, &["network", "core"], &[self.trial, layer as u64]).block(0);
        u64::from(a) << 32 | u64::from(b)
    }
}

/// Cells whose normals are drawn at once.
pub(super) const AHEAD: usize = 4096;

/// Normals that are drawn at once where fewer are needed: a turn of the generator, which small arrays share.
const LEAST: usize = 256;

/// The draws of the cells of one matrix.
pub(super) struct CellDraws {
    streams: Vec<Stream>,
    stuck: Stream,
    /// Normals from cell number `first` on, one list for each purpose.
    ahead: Vec<Vec<f32>>,
    first: u64,
}

impl CellDraws {
    /// The normals of `count` cells, at most [`AHEAD`], from number `start` on: one list for each purpose.
    pub(super) fn of(&mut self, start: u64, count: usize) -> impl Iterator<Item = &[f32]> {
        let held = self.ahead.first().map_or(0, Vec::len) as u64;
        if start < self.first || start + count as u64 > self.first + held {
            self.first = start;
            for (stream, ahead) in self.streams.iter().zip(&mut self.ahead) {
                ahead.resize(count.max(LEAST), 0.0);
                normals::fill(stream, start, ahead);
            }
        }
        let from = (start - self.first) as usize;
        self.ahead.iter().map(move |ahead| &ahead[from..from + count])
    }

    /// Uniform number of a cell that decides whether it is stuck.
    pub(super) fn stuck(&self, cell: u64) -> f64 {
        self.stuck.uniform(cell)
    }
}
