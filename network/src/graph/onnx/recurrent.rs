//! RNN, LSTM and GRU.

use super::super::op::{Cell, Direction, Op, Recurrent};
use super::super::shape::{Mismatch, mismatch};
use super::attributes::Attributes;
use super::constants::Known;
use super::importer::{Importer, Value};

/// Converts one of the three.
pub(super) fn recurrent(
    importer: &mut Importer<'_>,
    operator: &str,
    a: &Attributes<'_>,
) -> Result<(), Mismatch> {
    let direction = match a.text("direction")?.as_str() {
        "" | "forward" => Direction::Forward,
        "reverse" => Direction::Reverse,
        "bidirectional" => Direction::Bidirectional,
        other => return mismatch(format!("the direction `{other}`"), "forward, reverse or bidirectional"),
    };
    let cell = cell(operator, direction, a)?;
    let batch_first = match a.integer("layout", 0)? {
        0 => false,
        1 => true,
        other => return mismatch(format!("layout {other}"), "layout 0 (steps first) or 1 (batch first)"),
    };
    if a.integer("input_forget", 0)? != 0 {
        return mismatch("coupled input and forget gates", "input_forget 0");
    }
    a.ignore("output_sequence"); // of version 1, before outputs could be left out
    let outputs = if cell == Cell::Lstm { 3 } else { 2 };
    importer.at_most_outputs(outputs)?;
    let input_weights = importer.floats(1, "weights (input W)")?;
    let hidden_weights = importer.floats(2, "weights (input R)")?;
    let bias = importer.floats_or_none(3, "biases (input B)")?;
    let peepholes = match cell {
        Cell::Lstm => importer.floats_or_none(7, "peepholes (input P)")?,
        _ => None,
    };
    let hidden = hidden_weights.shape().last().copied().unwrap_or(0);
    if a.has("hidden_size") && usize::try_from(a.integer("hidden_size", 0)?).ok() != Some(hidden) {
        return mismatch("a hidden_size other than that of the weights", format!("{hidden}"));
    }
    let sequence = importer.shape(0)?;
    if importer.has(4) {
        let steps = sequence.get(usize::from(batch_first)).map_or(0, |steps| *steps as i64);
        if importer.integers(4, "sequence lengths")?.iter().any(|length| *length != steps) {
            return mismatch("sequences of different lengths in one batch", format!("{steps} steps each"));
        }
    }
    let mut inputs = vec![importer.node.input[0].clone()];
    for index in [5, 6].into_iter().take(outputs - 1) {
        inputs.push(state(importer, index)?);
    }
    while inputs.last().is_some_and(String::is_empty) {
        inputs.pop();
    }
    let op = Recurrent { cell, direction, hidden, input_weights, hidden_weights, bias, peepholes };
    let op = Op::Recurrent(Box::new(op));
    let names: Vec<String> = (0..outputs).map(|index| importer.output(index)).collect();
    if !batch_first {
        return importer.emit_named(op, &inputs, names);
    }
    // Inputs and states with the batch first are turned, and so is what comes out.
    let exchanged = || vec![1, 0, 2];
    for (number, input) in inputs.iter_mut().enumerate().filter(|(_, input)| !input.is_empty()) {
        let turned = importer.fresh(&format!("turned{number}"));
        let given = std::mem::replace(input, turned.clone());
        importer.emit_named(Op::Transpose { order: exchanged() }, &[given], vec![turned])?;
    }
    let inner: Vec<String> = (names.iter().enumerate())
        .map(|(number, name)| match name.is_empty() {
            true => String::new(),
            false => importer.fresh(&format!("output{number}")),
        })
        .collect();
    importer.emit_named(op, &inputs, inner.clone())?;
    for (number, (inner, name)) in inner.into_iter().zip(names).enumerate() {
        // Steps, directions, batch, values; of the last states directions, batch, values.
        let order = if number == 0 { vec![2, 0, 1, 3] } else { exchanged() };
        if !name.is_empty() {
            importer.emit_named(Op::Transpose { order }, &[inner], vec![name])?;
        }
    }
    Ok(())
}

/// Name of an initial state; one that is all zeros is left out, and so fits any batch.
fn state(importer: &Importer<'_>, index: usize) -> Result<String, Mismatch> {
    if !importer.has(index) {
        return Ok(String::new());
    }
    if let Value::Known(Known::Floats(tensor)) = importer.value(index)?
        && tensor.values().iter().all(|x| *x == 0.0)
    {
        return Ok(String::new());
    }
    Ok(importer.node.input[index].clone())
}

/// Kind of cell. Only the usual activations are supported, since a cell is executed as a whole.
fn cell(operator: &str, direction: Direction, a: &Attributes<'_>) -> Result<Cell, Mismatch> {
    let given: Vec<String> = a.texts("activations").iter().map(|name| name.to_lowercase()).collect();
    for name in ["activation_alpha", "activation_beta"] {
        if a.floats(name).is_some_and(|values| !values.is_empty()) {
            return mismatch(format!("the attribute `{name}`"), "activations without parameters");
        }
    }
    if a.has("clip") {
        return mismatch("the attribute `clip`", "cells without clipping");
    }
    let is = |usual: &[&str]| {
        given.iter().map(String::as_str).eq(usual
            .iter()
            .copied()
            .cycle()
            .take(usual.len() * direction.passes()))
    };
    let usual = |usual: &[&str]| given.is_empty() || is(usual);
    let after = a.integer("linear_before_reset", 0)? != 0;
    match operator {
        "RNN" if usual(&["tanh"]) => Ok(Cell::Rnn),
        "RNN" if is(&["relu"]) => Ok(Cell::RnnRelu),
        "LSTM" if usual(&["sigmoid", "tanh", "tanh"]) => Ok(Cell::Lstm),
        "GRU" if usual(&["sigmoid", "tanh"]) && after => Ok(Cell::GruLinearBeforeReset),
        "GRU" if usual(&["sigmoid", "tanh"]) => Ok(Cell::Gru),
        _ => {
            mismatch(format!("the activations {given:?}"), "Tanh or Relu (RNN), Sigmoid and Tanh (LSTM, GRU)")
        }
    }
}
