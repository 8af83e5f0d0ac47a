//! Recurrent networks against the independent runtime; the plain RNN, which it lacks, as a chain of
//! products.

use mho_network::graph::onnx::{ImportOptions, import};
use mho_network::graph::tensor::Tensor;

use crate::builder::{BATCH, Model, independent, int, ints, text, texts};
use crate::operators::{agree, agree_with, close};

const STEPS: i64 = 7;
const INPUTS: i64 = 5;
const HIDDEN: i64 = 6;

/// Weights of a node with so many gates and directions.
fn weights(model: &mut Model, gates: i64, passes: i64) {
    let rows = gates * HIDDEN;
    for (name, shape) in [("w", [passes, rows, INPUTS]), ("r", [passes, rows, HIDDEN])] {
        let values = model.normals(shape.iter().product::<i64>() as usize, 0.4);
        model.tensor(name, &shape, &values);
    }
    let values = model.normals((passes * 2 * rows) as usize, 0.4);
    model.tensor("b", &[passes, 2 * rows], &values);
}

#[test]
fn lstm_and_gru_in_all_directions() {
    for (op, gates, linear) in [("LSTM", 4, 0), ("GRU", 3, 1)] {
        for (direction, passes) in [("forward", 1), ("reverse", 1), ("bidirectional", 2)] {
            for output in 0..2 {
                let mut model = Model::new(14, 21);
                weights(&mut model, gates, passes);
                let mut attributes = vec![int("hidden_size", HIDDEN), text("direction", direction)];
                if op == "GRU" {
                    attributes.push(int("linear_before_reset", linear));
                }
                let outputs: &[&str] = if output == 0 { &["y"] } else { &["", "y"] };
                model.node(op, &["x", "w", "r", "b"], outputs, &attributes);
                agree(&mut model, &[STEPS, BATCH, INPUTS]);
            }
        }
    }
}

/// With the batch first, a node is the same between exchanges of axes.
#[test]
fn batch_first_is_a_matter_of_axes() {
    for (op, gates) in [("LSTM", 4), ("GRU", 3)] {
        for output in 0..2 {
            let build = |first: bool| {
                let mut model = Model::new(14, 23);
                weights(&mut model, gates, 2);
                let mut attributes = vec![int("hidden_size", HIDDEN), text("direction", "bidirectional")];
                if op == "GRU" {
                    attributes.push(int("linear_before_reset", 1));
                }
                let name = if first { "y" } else { "s" };
                let outputs: &[&str] = if output == 0 { &[name] } else { &["", name] };
                if first {
                    attributes.push(int("layout", 1));
                    model.node(op, &["x", "w", "r", "b"], outputs, &attributes);
                } else {
                    let back = if output == 0 { vec![2, 0, 1, 3] } else { vec![1, 0, 2] };
                    model
                        .node("Transpose", &["x"], &["t"], &[ints("perm", &[1, 0, 2])])
                        .node(op, &["t", "w", "r", "b"], outputs, &attributes)
                        .node("Transpose", &["s"], &["y"], &[ints("perm", &back)]);
                }
                model.input("x", &[BATCH, STEPS, INPUTS]).output("y");
                model
            };
            let shape = [4, STEPS as usize, INPUTS as usize];
            agree_with(&mut build(true), &build(false), &shape, if output == 0 { 4 } else { 3 });
        }
    }
}

#[test]
fn states_peepholes_and_the_last_cell_state() {
    let mut model = Model::new(14, 22);
    weights(&mut model, 4, 2);
    let attributes = [int("hidden_size", HIDDEN), text("direction", "bidirectional")];
    model.node("LSTM", &["x", "w", "r", "b", "", "h0", "c0"], &["y", "h", "c"], &attributes);
    model
        .input("x", &[STEPS, BATCH, INPUTS])
        .input("h0", &[2, BATCH, HIDDEN])
        .input("c0", &[2, BATCH, HIDDEN]);
    model.output("y").output("h").output("c");
    let graph = import(&model.bytes(), "lstm.onnx", &ImportOptions::default()).unwrap();
    for batch in [1, 2, 90] {
        let mut tensor = |shape: [usize; 3]| {
            Tensor::new(shape.to_vec(), model.normals(shape.iter().product(), 1.0)).unwrap()
        };
        let inputs = [
            tensor([STEPS as usize, batch, INPUTS as usize]),
            tensor([2, batch, HIDDEN as usize]),
            tensor([2, batch, HIDDEN as usize]),
        ];
        let ours = graph.run(&graph.digital(), &inputs).unwrap();
        let given = [("x", &inputs[0]), ("h0", &inputs[1]), ("c0", &inputs[2])];
        let theirs = independent(&model.bytes(), &given, &[("y", 4), ("h", 3), ("c", 3)]);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            close(ours, theirs, "LSTM with initial states");
        }
    }
    // every matrix once: inputs and hidden state of both directions
    let names: Vec<&str> = graph.layers().iter().map(|layer| layer.name()).collect();
    let (x, h) = ("inputs", "hidden");
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names[0].ends_with(&format!("forward {x}")) && names[3].ends_with(&format!("backward {h}")));
    assert!(graph.layers().iter().all(|layer| layer.products_per_inference() == STEPS as usize));
}

/// A recurrent network unrolled in operators that the runtime knows: parts of the weights, and the
/// steps of the sequence.
fn unrolled(gates: i64) -> Model {
    let mut model = Model::new(9, 23);
    weights(&mut model, gates, 1);
    let squeeze = || ints("axes", &[0]);
    for name in ["w", "r", "b"] {
        model.node("Squeeze", &[name], &[&format!("{name}0")], &[squeeze()]);
    }
    let split = |model: &mut Model, input: &str, prefix: &str, count: i64| {
        let names: Vec<String> = (0..count).map(|gate| format!("{prefix}_{gate}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let lengths = vec![HIDDEN; count as usize];
        model.node("Split", &[input], &names, &[int("axis", 0), ints("split", &lengths)]);
    };
    split(&mut model, "w0", "w", gates);
    split(&mut model, "r0", "r", gates);
    split(&mut model, "b0", "b", 2 * gates);
    for step in 0..STEPS {
        let slice = [ints("starts", &[step]), ints("ends", &[step + 1]), ints("axes", &[0])];
        model.node("Slice", &["x"], &[&format!("slice{step}")], &slice);
        model.node("Squeeze", &[&format!("slice{step}")], &[&format!("x{step}")], &[squeeze()]);
    }
    model.tensor("zero", &[1, 1], &[0.0]).input("x", &[STEPS, BATCH, INPUTS]).output("y");
    // the initial state: zeros of batch x hidden
    model.node("Gemm", &["x0", "w_0"], &["any"], &[int("transB", 1)]);
    model.node("Mul", &["any", "zero"], &["h0"], &[]);
    model
}

/// W x + bw + R state + br of one gate at one step.
fn gate(model: &mut Model, (step, gate, gates): (i64, i64, i64), state: &str) -> String {
    let name = |what: &str| format!("{what}_{step}_{gate}");
    let turned = || [int("transB", 1)];
    let (x, w, r) = (format!("x{step}"), format!("w_{gate}"), format!("r_{gate}"));
    let (bw, br) = (format!("b_{gate}"), format!("b_{}", gates + gate));
    model.node("Gemm", &[&x, &w, &bw], &[&name("from_x")], &turned());
    model.node("Gemm", &[state, &r, &br], &[&name("from_h")], &turned());
    model.node("Add", &[&name("from_x"), &name("from_h")], &[&name("sum")], &[]);
    name("sum")
}

#[test]
fn plain_rnn_is_a_chain_of_products() {
    for activation in ["Tanh", "Relu"] {
        let mut ours = Model::new(14, 23);
        weights(&mut ours, 1, 1);
        let attributes = [int("hidden_size", HIDDEN), texts("activations", &[activation])];
        ours.node("RNN", &["x", "w", "r", "b"], &["", "y"], &attributes);
        ours.input("x", &[STEPS, BATCH, INPUTS]).output("y");
        let mut theirs = unrolled(1);
        for step in 0..STEPS {
            let sum = gate(&mut theirs, (step, 0, 1), &format!("h{step}"));
            theirs.node(activation, &[&sum], &[&format!("h{}", step + 1)], &[]);
        }
        theirs.node("Unsqueeze", &[&format!("h{STEPS}")], &["y"], &[ints("axes", &[0])]);
        agree_with(&mut ours, &theirs, &[STEPS as usize, 3, INPUTS as usize], 3);
    }
}

#[test]
fn gru_with_the_reset_before_the_product() {
    let mut ours = Model::new(14, 23);
    weights(&mut ours, 3, 1);
    ours.node("GRU", &["x", "w", "r", "b"], &["", "y"], &[int("hidden_size", HIDDEN)]);
    ours.input("x", &[STEPS, BATCH, INPUTS]).output("y");
    let mut theirs = unrolled(3);
    for step in 0..STEPS {
        let name = |what: &str| format!("{what}{step}");
        let (state, next) = (name("h"), format!("h{}", step + 1));
        let update = gate(&mut theirs, (step, 0, 3), &state);
        theirs.node("Sigmoid", &[&update], &[&name("z")], &[]);
        let reset = gate(&mut theirs, (step, 1, 3), &state);
        theirs.node("Sigmoid", &[&reset], &[&name("reset")], &[]);
        theirs.node("Mul", &[&name("reset"), &state], &[&name("gated")], &[]);
        let candidate = gate(&mut theirs, (step, 2, 3), &name("gated"));
        theirs.node("Tanh", &[&candidate], &[&name("c")], &[]);
        // c + z (h - c)
        theirs.node("Sub", &[&state, &name("c")], &[&name("d")], &[]);
        theirs.node("Mul", &[&name("z"), &name("d")], &[&name("e")], &[]);
        theirs.node("Add", &[&name("c"), &name("e")], &[&next], &[]);
    }
    theirs.node("Unsqueeze", &[&format!("h{STEPS}")], &["y"], &[ints("axes", &[0])]);
    agree_with(&mut ours, &theirs, &[STEPS as usize, 3, INPUTS as usize], 3);
}

#[test]
fn a_sequence_network_with_a_head() {
    // steps x batch x values; the last hidden state goes through a matrix, as exporters write it
    let mut model = Model::new(14, 24);
    weights(&mut model, 4, 1);
    model.random("head", &[HIDDEN, 4]).integers("last", &[-1]).integers("one", &[1]);
    model.node("LSTM", &["x", "w", "r", "b"], &["all"], &[int("hidden_size", HIDDEN)]);
    model.node("Squeeze", &["all", "one"], &["s"], &[]);
    model.node("Gather", &["s", "last"], &["g"], &[int("axis", 0)]);
    model.integers("zero", &[0]).node("Squeeze", &["g", "zero"], &["h"], &[]);
    model.node("MatMul", &["h", "head"], &["m"], &[]).node("Softmax", &["m"], &["y"], &[]);
    agree(&mut model, &[STEPS, BATCH, INPUTS]);
}

#[test]
fn an_lstm_whose_peepholes_are_zero_is_one_without() {
    let build = |peepholes: Option<f32>| {
        let mut model = Model::new(14, 25);
        weights(&mut model, 4, 1);
        let mut inputs = vec!["x", "w", "r", "b"];
        if let Some(value) = peepholes {
            model.tensor("p", &[1, 3 * HIDDEN], &[value; 3 * HIDDEN as usize]);
            inputs.extend(["", "", "", "p"]);
        }
        model.node("LSTM", &inputs, &["y"], &[int("hidden_size", HIDDEN)]);
        model.input("x", &[STEPS, BATCH, INPUTS]).output("y");
        let x = Tensor::new(vec![STEPS as usize, 2, INPUTS as usize], model.normals(70, 1.0)).unwrap();
        let graph = import(&model.bytes(), "p.onnx", &ImportOptions::default()).unwrap();
        graph.run(&graph.digital(), &[x]).unwrap()
    };
    assert_eq!(build(None), build(Some(0.0)));
    assert_ne!(build(None), build(Some(0.5)));
}
