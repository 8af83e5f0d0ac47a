//! Wires of programmed arrays: the exact linear map of each takes the place of its conductances.
//!
//! Samples of an array are alike: each is corrected from the last one of the same trial that was solved, or
//! from the array as it is wanted, where a check allows ([`Crossbar::effective_within`]). Which of them it is
//! depends on the trial and its conditions alone, and so do the results.

use std::f64::consts::FRAC_1_PI;

use super::error::AnalogError;
use crate::array::{ArrayConfig, Pairs as Layout};
use crate::core::circuit::Circuit;
use crate::core::curves::Curves;
use crate::core::{Array, Mapping, Sign};
use crate::wires::{
    Cell, Crossbar, Method, Neighbour, NoiseMap, NoiseNeighbour, PairLayout, Pairs, Solved, WireError, Wires,
};

/// How the wires of arrays were taken into account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WireStatistics {
    /// Arrays whose effective conductances were corrected from a neighbour's.
    pub corrected: u64,
    /// Arrays that were solved.
    pub solved: u64,
    /// Arrays that are solved for each vector of inputs: gated ones and those of curved cells.
    pub circuits: u64,
    /// Vectors of inputs that these were solved for, patterns of open gates among them.
    pub vectors: u64,
    /// Turns from rows to columns that this took.
    pub turns: u64,
    /// Vectors whose turns did not settle, and that were solved by themselves.
    pub alone: u64,
    /// Vectors whose solution is not within the tolerance.
    pub unconverged: u64,
    /// Maps of read noise that were corrected from a neighbour's.
    pub noise_corrected: u64,
    /// Maps of read noise that were solved for.
    pub noise_solved: u64,
    /// Largest error that the checks of corrections found, as a part of the root mean square current.
    pub largest_error: f64,
}

impl std::ops::AddAssign for WireStatistics {
    fn add_assign(&mut self, other: Self) {
        self.corrected += other.corrected;
        self.solved += other.solved;
        self.circuits += other.circuits;
        self.vectors += other.vectors;
        self.turns += other.turns;
        self.alone += other.alone;
        self.unconverged += other.unconverged;
        self.noise_corrected += other.noise_corrected;
        self.noise_solved += other.noise_solved;
        self.largest_error = self.largest_error.max(other.largest_error);
    }
}

impl WireStatistics {
    /// Adds how vectors of inputs were solved.
    pub(super) fn and(mut self, solved: Solved) -> Self {
        self.vectors += solved.vectors;
        self.turns += solved.turns;
        self.alone += solved.alone;
        self.unconverged += solved.unconverged;
        self
    }

    /// Counts how one array was found.
    fn count(&mut self, method: Method) {
        match method {
            Method::Solved { .. } => self.solved += 1,
            Method::Corrected { error } => {
                self.corrected += 1;
                self.largest_error = self.largest_error.max(error);
            }
        }
    }
}

/// What the next samples of an array are corrected from.
#[derive(Clone, Debug, Default)]
pub(super) struct Near {
    array: Option<Vec<Neighbour>>,
    noise: Option<NoiseNeighbour>,
}

/// The same, wherever it stands.
#[derive(Clone, Copy)]
struct Known<'a> {
    array: Option<&'a [Neighbour]>,
    noise: Option<&'a NoiseNeighbour>,
}

/// What an array leaves to the next samples if it was solved, and how it was found.
type Found = (Near, WireStatistics);

/// The arrays of one trial that were solved last: what its next conditions are corrected from.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// For each matrix, for each of its arrays; empty before the first.
    pub(super) layers: Vec<Vec<Near>>,
}

/// Squared mean over mean square of inputs: those with a sign are as often below zero as above, those
/// without are taken for the positive parts of normal numbers.
fn coherence(mapping: &Mapping) -> f64 {
    if mapping.spec().input.signed() { 0.0 } else { FRAC_1_PI }
}

/// The lines of all arrays, and where their solutions come from.
pub(super) struct Lines<'a> {
    /// Conductance of the largest weight (S).
    most_s: f64,
    wires: &'a Wires,
    tolerance: f64,
    interleaved: bool,
    /// Conductance of the largest weight at the full input (S), where cells are curved.
    curved_s: Option<f64>,
}

impl<'a> Lines<'a> {
    /// `curves` are those of the cells, where currents are not proportional to the inputs.
    pub(super) fn new(array: &ArrayConfig, wires: &'a Wires, curves: Option<&Curves>) -> Self {
        Self {
            most_s: array.cell.conductance_max_s(),
            wires,
            tolerance: array.array.wire_tolerance,
            interleaved: array.array.pairs == Layout::Interleaved,
            curved_s: curves.map(|curves| curves.conductance_s),
        }
    }

    /// Whether inputs only open and close gates.
    pub(super) fn gated(&self) -> bool {
        self.wires.topology.gated()
    }

    /// The circuit of arrays that are solved for each vector of inputs, where that has to be done.
    pub(super) fn circuit(&self) -> Option<Circuit> {
        let circuit = |conductance_s, tolerance| Circuit {
            wires: *self.wires,
            conductance_s,
            interleaved: self.interleaved,
            tolerance,
            gains: Vec::new(),
        };
        if self.gated() {
            // Errors of voltages sum to somewhat more in currents.
            return Some(circuit(self.most_s, 0.1 * self.tolerance));
        }
        self.curved_s.map(|full_s| circuit(full_s, self.tolerance))
    }

    /// As [`Self::apply`] to arrays as they are wanted, to all digits; `near` gets what is near to all their
    /// samples.
    pub(super) fn apply_first(
        &self,
        mapping: &mut Mapping,
        layer: &str,
        number: &mut usize,
        near: &mut Vec<Near>,
    ) -> Result<(), AnalogError> {
        Self { tolerance: 0.0, ..*self }.apply(mapping, layer, number, &[], Some(near))?;
        Ok(())
    }

    /// Replaces the conductances of whole arrays of a layer, of which so many have come before, by those whose
    /// plain product with the inputs gives the currents, and the noise of their cells by what arrives of it.
    /// `last` are the arrays of the same trial that were solved last, and get those that are solved here; `first`
    /// stand in for them.
    pub(super) fn apply(
        &self,
        mapping: &mut Mapping,
        layer: &str,
        number: &mut usize,
        first: &[Near],
        mut last: Option<&mut Vec<Near>>,
    ) -> Result<WireStatistics, AnalogError> {
        let mut statistics = WireStatistics::default();
        if self.circuit().is_some() {
            // What flows depends on the inputs, and is found when they are known.
            statistics.circuits = mapping.arrays.len() as u64 / if self.interleaved { 2 } else { 1 };
            return Ok(statistics);
        }
        let coherence = coherence(mapping);
        let copies = mapping.spec().cells_per_weight;
        let mut next = |solve: &mut dyn FnMut(Known<'_>) -> Result<Found, WireError>| {
            let (kept, wanted) = (last.as_deref().map(Vec::as_slice), Some(first));
            let near = Known {
                array: [kept, wanted].into_iter().find_map(|list| list?.get(*number)?.array.as_deref()),
                noise: [kept, wanted].into_iter().find_map(|list| list?.get(*number)?.noise.as_ref()),
            };
            let (solved, one) = solve(near)?;
            statistics += one;
            if let Some(last) = last.as_mut() {
                last.resize_with(last.len().max(*number + 1), Near::default);
                let Near { array, noise } = solved;
                let own = &mut last[*number];
                own.array = array.or(own.array.take());
                own.noise = noise.or(own.noise.take());
            }
            *number += 1;
            Ok(())
        };
        let solved: Result<(), WireError> = if self.interleaved {
            mapping.arrays.chunks_mut(2 * copies).try_for_each(|group| {
                let (positive, negative) = group.split_at_mut(copies.min(group.len()));
                positive
                    .iter_mut()
                    .zip(negative)
                    .try_for_each(|(plus, minus)| next(&mut |near| self.pair(plus, minus, near, coherence)))
            })
        } else {
            mapping.arrays.iter_mut().try_for_each(|array| next(&mut |near| self.one(array, near, coherence)))
        };
        solved.map_err(|error| AnalogError::Wires { layer: layer.to_owned(), error })?;
        Ok(statistics)
    }

    fn one(&self, array: &mut Array, near: Known<'_>, coherence: f64) -> Result<Found, WireError> {
        let (mut solved, mut statistics) = (Near::default(), WireStatistics::default());
        let Some((rows, columns)) = shape(array) else { return Ok((solved, statistics)) };
        let conductances = self.by_rows(&array.conductances, rows, columns);
        let crossbar = Crossbar::new(rows, columns, conductances, self.wires, Cell::Linear)?;
        if !array.noise.is_empty() {
            let sigma = self.by_rows(&array.noise, rows, columns);
            let map = crossbar.variance_map_within(sigma, coherence, near.noise)?;
            self.write(&map.variance_s2, columns, &mut array.noise, f64::sqrt);
            solved.noise = statistics.noise(map);
        }
        let neighbour = near.array.and_then(|near| near.first());
        let effective = crossbar.effective_within(neighbour, self.tolerance)?;
        self.write(effective.matrix(), columns, &mut array.conductances, |g| g);
        statistics.count(effective.method);
        if matches!(effective.method, Method::Solved { .. }) {
            solved.array = Some(vec![effective.neighbour()]);
        }
        Ok((solved, statistics))
    }

    /// The two cells of a pair on one node of a common line. That line carries the difference, so that the
    /// noise of both stands with the positive cells.
    fn pair(
        &self,
        positive: &mut Array,
        negative: &mut Array,
        near: Known<'_>,
        coherence: f64,
    ) -> Result<Found, WireError> {
        debug_assert!(positive.sign == Sign::Positive);
        let (mut solved, mut statistics) = (Near::default(), WireStatistics::default());
        let Some((rows, columns)) = shape(positive) else { return Ok((solved, statistics)) };
        let lists = |plus: &[f64], minus: &[f64]| [plus, minus].map(|list| self.by_rows(list, rows, columns));
        let [plus, minus] = lists(&positive.conductances, &negative.conductances);
        let layout = PairLayout::Interleaved;
        let pairs = Pairs::new(rows, columns, plus, minus, layout, self.wires, Cell::Linear)?;
        if !positive.noise.is_empty() {
            let [plus, minus] = lists(&positive.noise, &negative.noise);
            let map = pairs.variance_map_within(plus, minus, coherence, near.noise)?;
            self.write(&map.variance_s2, columns, &mut positive.noise, f64::sqrt);
            negative.noise.fill(0.0);
            solved.noise = statistics.noise(map);
        }
        let effective = pairs.effective_within(near.array, self.tolerance)?;
        for (array, list) in [positive, negative].into_iter().zip(effective.signs_s()) {
            self.write(&list, columns, &mut array.conductances, |g| g);
        }
        effective.methods().into_iter().for_each(|method| statistics.count(method));
        if effective.methods().iter().any(|method| matches!(method, Method::Solved { .. })) {
            solved.array = Some(effective.neighbours());
        }
        Ok((solved, statistics))
    }

    /// Cells of an array (line by line, over the largest) row by row in S.
    fn by_rows(&self, cells: &[f64], rows: usize, columns: usize) -> Vec<f64> {
        let row = |row| (0..columns).map(move |column| cells[column * rows + row] * self.most_s);
        (0..rows).flat_map(row).collect()
    }

    /// The way back, of numbers that `unit` makes conductances (S).
    fn write(&self, found: &[f64], columns: usize, cells: &mut [f64], unit: impl Fn(f64) -> f64) {
        let rows = found.len() / columns;
        for (row, line) in found.chunks_exact(columns).enumerate() {
            for (column, &value) in line.iter().enumerate() {
                cells[column * rows + row] = unit(value) / self.most_s;
            }
        }
    }
}

impl WireStatistics {
    /// Counts how a map of noise was found, and keeps what the next ones are corrected from.
    fn noise(&mut self, map: NoiseMap) -> Option<NoiseNeighbour> {
        match map.neighbour {
            Some(_) => self.noise_solved += 1,
            None => self.noise_corrected += 1,
        }
        map.neighbour
    }
}

/// Rows and columns, if there are any.
fn shape(array: &Array) -> Option<(usize, usize)> {
    let rows = array.inputs.len();
    let columns = array.conductances.len() / rows.max(1);
    (rows > 0 && columns > 0).then_some((rows, columns))
}
