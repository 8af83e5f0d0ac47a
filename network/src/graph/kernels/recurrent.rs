//! RNN, LSTM and GRU: the inputs of all steps in one product, then one product per step for the state.

use super::super::layers::{Layer, Layout, Vectors, VectorsMut, hidden_parts};
use super::super::op::{Cell, Direction, Recurrent};
use super::elementwise::sigmoid;
use super::{Matrices, Read, Scratch, Write};

/// One recurrent node; outputs: all hidden states, the last one, the last cell state.
pub(crate) fn recurrent(
    op: &Recurrent,
    inputs: &[Option<Read<'_>>],
    outputs: &mut [Write<'_>],
    matrices: Matrices<'_>,
    scratch: &mut Scratch,
) {
    let Some(sequence) = inputs.first().copied().flatten() else { return };
    let initial = |index: usize| inputs.get(index).copied().flatten();
    let (steps, batch) = (sequence.shape[0], sequence.shape[1]);
    let per_pass = matrices.layers.len() / op.direction.passes();
    for pass in 0..op.direction.passes() {
        let layers = &matrices.layers[pass * per_pass..(pass + 1) * per_pass];
        let part = batch * op.hidden;
        let state = |read: Option<Read<'_>>| match read {
            Some(read) => read.values[pass * part..(pass + 1) * part].to_vec(),
            None => vec![0.0; part],
        };
        let peepholes = op.peepholes.as_ref().map(|p| &p.values()[pass * 3 * op.hidden..][..3 * op.hidden]);
        let mut run = Pass {
            op,
            matrices: Matrices { layers, ..matrices },
            steps,
            batch,
            peepholes,
            hidden: state(initial(1)),
            cell: state(initial(2)),
        };
        let backwards = op.direction == Direction::Reverse || pass == 1;
        let passes = op.direction.passes();
        run.all(sequence.values, backwards, scratch, |step, hidden| {
            if let Some(all) = outputs.first_mut().filter(|all| !all.values.is_empty()) {
                let at = (step * passes + pass) * part;
                all.values[at..at + part].copy_from_slice(hidden);
            }
        });
        for (index, state) in [(1, &run.hidden), (2, &run.cell)] {
            if let Some(last) = outputs.get_mut(index).filter(|last| !last.values.is_empty()) {
                last.values[pass * part..(pass + 1) * part].copy_from_slice(state);
            }
        }
    }
}

/// One direction.
struct Pass<'a> {
    op: &'a Recurrent,
    matrices: Matrices<'a>,
    steps: usize,
    batch: usize,
    peepholes: Option<&'a [f32]>,
    hidden: Vec<f32>,
    cell: Vec<f32>,
}

impl Pass<'_> {
    fn all(
        &mut self,
        sequence: &[f32],
        backwards: bool,
        scratch: &mut Scratch,
        mut visit: impl FnMut(usize, &[f32]),
    ) {
        let rows = self.op.cell.gates() * self.op.hidden;
        let per_step = self.batch * rows;
        let Scratch { a: from_inputs, b: from_hidden, c: gated, .. } = scratch;
        from_inputs.resize(self.steps * per_step, 0.0);
        from_hidden.resize(per_step, 0.0);
        gated.resize(self.batch * self.op.hidden, 0.0);
        self.product(0, 0, sequence, self.steps * self.batch, from_inputs, 0..rows);
        for step in 0..self.steps {
            let at = if backwards { self.steps - 1 - step } else { step };
            let x = &from_inputs[at * per_step..(at + 1) * per_step];
            self.step(step, x, from_hidden, gated);
            visit(at, &self.hidden);
        }
    }

    /// Products of layer `index` of the pass, with bias, into some columns of `out`; `number` vectors of
    /// this block have met the layer before.
    fn product(
        &self,
        index: usize,
        number: usize,
        vectors: &[f32],
        count: usize,
        out: &mut [f32],
        columns: std::ops::Range<usize>,
    ) {
        let layer: &Layer = &self.matrices.layers[index];
        let rows = self.op.cell.gates() * self.op.hidden;
        if count == 0 || layer.outputs() == 0 {
            return;
        }
        let vectors = Vectors {
            first: self.matrices.first(index) + number as u64,
            count,
            length: layer.inputs(),
            layout: Layout::Rows,
            stride: layer.inputs(),
            values: vectors,
        };
        let mut target = VectorsMut {
            length: layer.outputs(),
            layout: Layout::Rows,
            stride: rows,
            values: &mut out[columns.start..],
        };
        self.matrices.products.product(layer.id(), vectors, &mut target);
        if let Some(bias) = self.matrices.products.bias(layer) {
            for row in out.chunks_exact_mut(rows) {
                row[columns.clone()].iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            }
        }
    }

    /// From one hidden state to the next. `x` holds the products of the inputs (batch x gates hidden).
    fn step(&mut self, step: usize, x: &[f32], from_hidden: &mut [f32], gated: &mut [f32]) {
        let hidden = self.op.hidden;
        let rows = self.op.cell.gates() * hidden;
        let number = step * self.batch;
        let parts = hidden_parts(self.op.cell, hidden);
        self.product(1, number, &self.hidden, self.batch, from_hidden, parts[0].1.clone());
        if self.op.cell == Cell::Gru {
            // the candidate sees the state that the reset gate lets through
            for (b, gated) in gated.chunks_exact_mut(hidden.max(1)).enumerate() {
                for (j, gated) in gated.iter_mut().enumerate() {
                    let at = b * rows + hidden + j;
                    *gated = sigmoid(x[at] + from_hidden[at]) * self.hidden[b * hidden + j];
                }
            }
            self.product(2, number, gated, self.batch, from_hidden, parts[1].1.clone());
        }
        for b in 0..self.batch {
            let (x, r) = (&x[b * rows..(b + 1) * rows], &from_hidden[b * rows..(b + 1) * rows]);
            let h = &mut self.hidden[b * hidden..(b + 1) * hidden];
            match self.op.cell {
                Cell::Rnn => h.iter_mut().enumerate().for_each(|(j, h)| *h = libm::tanhf(x[j] + r[j])),
                Cell::RnnRelu => h.iter_mut().enumerate().for_each(|(j, h)| *h = (x[j] + r[j]).max(0.0)),
                Cell::Gru | Cell::GruLinearBeforeReset => {
                    for (j, h) in h.iter_mut().enumerate() {
                        let update = sigmoid(x[j] + r[j]);
                        let candidate = match self.op.cell {
                            Cell::Gru => r[2 * hidden + j],
                            _ => sigmoid(x[hidden + j] + r[hidden + j]) * r[2 * hidden + j],
                        };
                        let candidate = libm::tanhf(x[2 * hidden + j] + candidate);
                        *h = (1.0 - update) * candidate + update * *h;
                    }
                }
                Cell::Lstm => {
                    let c = &mut self.cell[b * hidden..(b + 1) * hidden];
                    for (j, (h, c)) in h.iter_mut().zip(c).enumerate() {
                        let peep =
                            |gate: usize, c: f32| self.peepholes.map_or(0.0, |p| p[gate * hidden + j] * c);
                        let gate = |gate: usize| x[gate * hidden + j] + r[gate * hidden + j];
                        let input = sigmoid(gate(0) + peep(0, *c));
                        let forget = sigmoid(gate(2) + peep(2, *c));
                        *c = forget * *c + input * libm::tanhf(gate(3));
                        let output = sigmoid(gate(1) + peep(1, *c));
                        *h = output * libm::tanhf(*c);
                    }
                }
            }
        }
    }
}
