//! Steady states: equilibrium, one bias after another, and what to do when a step is too far.

use super::assemble::Assembly;
use super::{Device, Node, State};
use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::poisson::{NotConverged, Poisson, boundary};
use crate::semiconductor::structure::Contact;

/// Iterations before a step is given up and halved.
const MOST_ITERATIONS: usize = 60;
/// Halvings of a step of bias in a row before the bias is given up.
const MOST_HALVINGS: u32 = 20;
/// Largest change, over φ_t, that ends the iteration; Newton doubles the digits, so that the error left is
/// far below it.
const ENOUGH: f64 = 1e-9;

/// One point of a current-voltage curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Voltage of the first contact in V; the last is grounded.
    pub bias_v: f64,
    /// Current density into the first contact in A/m².
    pub current_first: f64,
    /// Current density out of the last contact in A/m²; equal but for rounding.
    pub current_last: f64,
    /// Electron part of the current at the first contact in A/m².
    pub electrons_first: f64,
    /// Newton iterations that this point took.
    pub iterations: usize,
}

/// A sweep of the first contact, as far as it went.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Points in order.
    pub points: Vec<Point>,
    /// States in order.
    pub states: Vec<State>,
    /// The bias that was given up, with the largest change over φ_t at each iteration of the last attempt.
    pub stopped: Option<(f64, NotConverged)>,
}

/// Solver of steady states, with its storage.
#[derive(Debug, Clone)]
pub struct Steady<'a> {
    device: &'a Device,
    pub(super) assembly: Assembly,
}

impl<'a> Steady<'a> {
    /// Prepares the equations of a device.
    #[must_use]
    pub fn new(device: &'a Device) -> Self {
        Self { device, assembly: Assembly::new(device) }
    }

    /// Equilibrium of the carriers, the first contact grounded and the last, if a gate, at `last_v`.
    ///
    /// # Errors
    /// [`NotConverged`] when Poisson's equation has no solution.
    pub fn equilibrium(&self, last_v: f64) -> Result<State, NotConverged> {
        let (structure, mesh) = (&self.device.structure, &self.device.mesh);
        let gated = structure.last != Contact::Ohmic;
        let ends = boundary(structure, 0.0, if gated { last_v } else { 0.0 });
        // Neutral everywhere to begin with.
        let mut levels = vec![0.0; mesh.len()];
        for (edge, &layer) in mesh.layers.iter().enumerate() {
            let level = structure.layers[layer].doping.map_or(0.0, |doping| structure.neutral_level(doping));
            (levels[edge], levels[edge + 1]) = (level, level);
        }
        Poisson::new(structure, mesh).solve(&mut levels, ends)?;
        let nodes = levels.into_iter().map(|level| Node::new(level, 0.0, 0.0)).collect();
        Ok(self.device.state([0.0, if gated { last_v } else { 0.0 }], nodes))
    }

    /// Newton's method from `state`, whose ends are moved to its contacts first.
    ///
    /// # Errors
    /// [`NotConverged`] with the largest change at each iteration.
    pub fn solve(&mut self, state: &mut State) -> Result<usize, NotConverged> {
        self.newton(state, 0.0, None)
    }

    pub(super) fn newton(
        &mut self,
        state: &mut State,
        storage: f64,
        history: Option<&[[f64; 2]]>,
    ) -> Result<usize, NotConverged> {
        let device = self.device;
        self.hold_ends(state);
        // Small biases have small quasi-Fermi potentials, which are wanted to the same relative accuracy.
        let span = (state.contacts_v[0] - state.contacts_v[1]).abs() / device.structure.thermal_voltage_v();
        let fine =
            if device.structure.last == Contact::Ohmic && storage == 0.0 { span.min(1.0) } else { 1.0 };
        let (mut residuals, mut polished) = (Vec::new(), false);
        for iteration in 1..=MOST_ITERATIONS {
            self.assembly.evaluate(device, state);
            self.assembly.assemble(device, state, storage, history);
            let mut step: Vec<Node> = self.assembly.residual.iter().map(|residual| -residual).collect();
            if self.assembly.matrix.solve(&mut step).is_none() {
                break;
            }
            let largest = step.iter().flat_map(Node::iter).fold(0.0f64, |a, d| a.max(d.abs()));
            let split = step.iter().map(|step| step[1].abs().max(step[2].abs())).fold(0.0f64, f64::max);
            residuals.push(largest);
            if !step.iter().all(|step| step.iter().all(|d| d.is_finite())) {
                break;
            }
            for (node, step) in state.nodes.iter_mut().zip(&step) {
                advance(node, step);
            }
            device.rebase(state);
            if largest <= ENOUGH && split <= ENOUGH * fine {
                // One step more: the fluxes of majority carriers are differences far below what ends it.
                if polished {
                    return Ok(iteration);
                }
                polished = true;
            }
        }
        Err(NotConverged { residuals })
    }

    /// Puts the boundary values of the contacts.
    fn hold_ends(&self, state: &mut State) {
        let structure = &self.device.structure;
        let ends = boundary(structure, state.contacts_v[0], state.contacts_v[1]);
        let thermal = structure.thermal_voltage_v();
        let last = state.nodes.len() - 1;
        for (i, end, contact, volts) in [
            (0, ends[0], structure.first, state.contacts_v[0]),
            (last, ends[1], structure.last, state.contacts_v[1]),
        ] {
            state.nodes[i][0] = end;
            if contact == Contact::Ohmic {
                let [rn, rp] = self.device.references(i, state);
                state.nodes[i][1] = volts / thermal - rn;
                state.nodes[i][2] = volts / thermal - rp;
            }
        }
    }

    /// Current densities in A/m² at the first and the last edge of the last state solved, and the electron
    /// part of the first.
    fn currents(&mut self, state: &State) -> (f64, f64, f64) {
        self.assembly.evaluate(self.device, state);
        let last = self.device.mesh.lengths.len() - 1;
        let electrons = ELEMENTARY_CHARGE * self.assembly.fluxes[0][0].value;
        (self.assembly.current(0), self.assembly.current(last), electrons)
    }

    /// The state at voltage `bias_v` of the first contact, from `from`; `before` is a state before that and
    /// serves to predict. Halves the step as often as needed.
    fn reach(
        &mut self,
        from: &State,
        before: Option<&State>,
        bias_v: f64,
    ) -> Result<(State, usize), NotConverged> {
        let mut halvings = 0;
        let mut now = from.clone();
        let mut older = before.cloned();
        let mut step = bias_v - now.contacts_v[0];
        let mut total = 0;
        loop {
            let left = bias_v - now.contacts_v[0];
            if left == 0.0 {
                return Ok((now, total));
            }
            if step.abs() > left.abs() {
                step = left;
            }
            let target = if step == left { bias_v } else { now.contacts_v[0] + step };
            let mut next = self.predict(&now, older.as_ref(), target);
            match self.solve(&mut next) {
                Ok(iterations) => {
                    total += iterations;
                    halvings = 0;
                    // What was too far at first is often not once under way.
                    step *= 2.0;
                    older = Some(std::mem::replace(&mut now, next));
                }
                Err(error) => {
                    halvings += 1;
                    if halvings > MOST_HALVINGS {
                        return Err(error);
                    }
                    step *= 0.5;
                    // The prediction may have been what led astray.
                    older = None;
                }
            }
        }
    }

    /// A start at another bias: along the line through two states when the step is no longer than theirs by
    /// much, else the last one with the side of the first contact shifted as a whole.
    fn predict(&self, now: &State, older: Option<&State>, bias_v: f64) -> State {
        let thermal = self.device.structure.thermal_voltage_v();
        let step = bias_v - now.contacts_v[0];
        let mut next = State { contacts_v: [bias_v, now.contacts_v[1]], ..now.clone() };
        let ratio = older.map_or(f64::INFINITY, |older| step / (now.contacts_v[0] - older.contacts_v[0]));
        if let Some(older) = older.filter(|_| (0.0..=3.0).contains(&ratio)) {
            for (next, older) in next.nodes.iter_mut().zip(&older.nodes) {
                let change = (*next - older) * ratio;
                *next += change;
            }
            for (next, older) in next.floating.iter_mut().zip(&older.floating) {
                *next += (*next - older) * ratio;
            }
        } else {
            for (i, node) in next.nodes.iter_mut().enumerate() {
                let [n, p] = self.device.from_first[i];
                if n || p {
                    // What is measured from the first contact moves with it; the others are moved.
                    node[0] += step / thermal;
                    for (k, own) in [n, p].into_iter().enumerate() {
                        node[1 + k] += if own { 0.0 } else { step / thermal };
                    }
                }
            }
        }
        next
    }

    /// Solves at each voltage of the first contact, each from the one before, and stops at the first that
    /// has no solution.
    #[must_use]
    pub fn sweep(&mut self, biases_v: &[f64], progress: &dyn Fn(f64)) -> Sweep {
        let mut found = Sweep { points: Vec::new(), states: Vec::new(), stopped: None };
        let mut now = match self.equilibrium(0.0) {
            Ok(state) => state,
            Err(error) => {
                found.stopped = Some((0.0, error));
                return found;
            }
        };
        let mut before: Option<State> = None;
        for (index, &bias_v) in biases_v.iter().enumerate() {
            // At zero the answer is known to the last digit.
            let reached = if bias_v == 0.0 {
                self.equilibrium(0.0).map(|state| (state, 0))
            } else {
                self.reach(&now, before.as_ref(), bias_v)
            };
            match reached {
                Ok((next, iterations)) => {
                    let (current_first, current_last, electrons_first) = self.currents(&next);
                    let point = Point { bias_v, current_first, current_last, electrons_first, iterations };
                    found.points.push(point);
                    found.states.push(next.clone());
                    if next.contacts_v != now.contacts_v {
                        before = Some(std::mem::replace(&mut now, next));
                    }
                }
                Err(error) => {
                    found.stopped = Some((bias_v, error));
                    break;
                }
            }
            progress((index + 1) as f64 / biases_v.len() as f64);
        }
        found
    }
}

/// Moves a node by a Newton step. A long step of a carrier's level is taken in its density, in which the
/// continuity equations are linear, and shortened where the density would pass zero.
fn advance(node: &mut Node, step: &Node) {
    let damp = |d: f64| if d.abs() > 1.0 { d.signum() * d.abs().ln_1p() } else { d };
    let potential = damp(step[0]);
    node[0] += potential;
    // s_n = ψ − φ_n, s_p = φ_p − ψ.
    for (k, level) in [(1, step[0] - step[1]), (2, step[2] - step[0])] {
        if level.abs() < 0.3 && potential == step[0] {
            node[k] += step[k];
        } else {
            let moved = level.signum() * level.abs().ln_1p();
            node[k] += if k == 1 { potential - moved } else { potential + moved };
        }
    }
}
