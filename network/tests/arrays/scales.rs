//! Scales of columns, and biases as rows of cells.

use super::*;
use mho_network::array::{BiasMapping, Compensation, ConverterRange, MappingStyle, Subtract, WeightScale};
use mho_network::graph::op::{Cell, Direction, Recurrent};

const STYLES: [MappingStyle; 4] = [
    MappingStyle::Differential,
    MappingStyle::TwoSided,
    MappingStyle::OffsetDigital,
    MappingStyle::OffsetColumn,
];
const SCALES: [WeightScale; 2] = [WeightScale::Layer, WeightScale::Column];
const BIASES: [BiasMapping; 2] = [BiasMapping::Digital, BiasMapping::Array];

/// Weights whose rows differ by a factor of a hundred, as behind a folded batch normalisation.
fn uneven(outputs: usize, inputs: usize, seed: u64) -> Vec<f32> {
    let mut weights = numbers(outputs * inputs, seed);
    for (output, row) in weights.chunks_exact_mut(inputs).enumerate() {
        let scale = 100.0_f32.powf(-(output as f32) / outputs as f32);
        row.iter_mut().for_each(|w| *w *= scale);
    }
    weights
}

fn bias(outputs: usize, seed: u64) -> Option<std::sync::Arc<Tensor>> {
    Some(tensor(&[outputs], numbers(outputs, seed).into_iter().map(|b| 3.0 * b).collect()).into())
}

/// A dilated, a grouped and a depthwise convolution, a dense layer, with biases and activations that clip.
fn biased() -> Graph {
    let conv = |weights: Tensor, groups: usize, dilation: usize, seed| {
        let sliding = Sliding {
            kernel: [3, 3],
            stride: [1, 1],
            dilation: [dilation; 2],
            padding: [Padding::Explicit(1, 1); 2],
        };
        let bias = bias(weights.shape()[0], seed);
        Op::Conv(Conv { weights: weights.into(), bias, groups, sliding })
    };
    let input = Input {
        name: "x".into(),
        shape: vec![Length::Batch(1), Length::Fixed(2), Length::Fixed(8), Length::Fixed(8)],
    };
    let clip =
        |x: &str, y: &str| Node::new(y, Op::Activation(Activation::Clip { min: 0.0, max: 6.0 }), &[x], &[y]);
    let weights = tensor(&[5, 216], uneven(5, 216, 4));
    let nodes = vec![
        Node::new("c", conv(tensor(&[6, 2, 3, 3], uneven(6, 18, 1)), 1, 2, 11), &["x"], &["a"]),
        clip("a", "b"),
        Node::new("d", conv(tensor(&[6, 1, 3, 3], uneven(6, 9, 2)), 6, 1, 12), &["b"], &["e"]),
        Node::new("f", Op::Activation(Activation::Relu), &["e"], &["f"]),
        Node::new("g", conv(tensor(&[6, 3, 3, 3], uneven(6, 27, 3)), 2, 1, 13), &["f"], &["g"]),
        Node::new("h", Op::Reshape { shape: vec![Length::Batch(1), Length::Fixed(216)] }, &["g"], &["h"]),
        Node::new("k", Op::Dense(Dense { weights: weights.into(), bias: bias(5, 14) }), &["h"], &["y"]),
    ];
    Graph::new("biased", vec![input], nodes, vec!["y".into()]).unwrap()
}

/// Sequences of 5 steps through one recurrent node with biases.
fn recurrent(cell: Cell) -> Graph {
    let (hidden, inputs, rows) = (6, 4, 6 * cell.gates());
    let part = |rows: usize, columns: usize, seed| {
        let weights: Vec<f32> = uneven(rows, columns, seed).into_iter().map(|w| 0.6 * w).collect();
        std::sync::Arc::new(tensor(&[1, rows, columns], weights))
    };
    let biases = numbers(2 * rows, 9).into_iter().map(|b| 0.5 * b).collect();
    let op = Op::Recurrent(Box::new(Recurrent {
        cell,
        direction: Direction::Forward,
        hidden,
        input_weights: part(rows, inputs, 7),
        hidden_weights: part(rows, hidden, 8),
        bias: Some(tensor(&[1, 2 * rows], biases).into()),
        peepholes: None,
    }));
    let shape = vec![Length::Fixed(5), Length::Batch(1), Length::Fixed(inputs)];
    let node = Node::new("r", op, &["x"], &["", "h"]);
    Graph::new("recurrent", vec![Input { name: "x".into(), shape }], vec![node], vec!["h".into()]).unwrap()
}

/// Any current, inputs and sums as they are: what is left is the rounding of f32.
fn endless() -> ArrayConfig {
    let mut array = ArrayConfig::default();
    (array.mapping.weight_bits, array.input.bits, array.output.bits) = (0, 0, 0);
    array.input.range = ConverterRange::Maximum;
    array.cell.on_off_ratio = 1e12;
    array
}

/// Every style with every scale and place of biases, on whole arrays, on tiles that are partly filled, and with
/// copies.
#[test]
fn with_every_bit_arrays_are_the_digital_network() {
    let (graph, x) = (biased(), images(10, 7));
    let exact = digital(&graph, &x);
    for style in STYLES {
        for (scale, bias) in SCALES.into_iter().flat_map(|scale| BIASES.map(|bias| (scale, bias))) {
            for (rows, columns, copies, subtract) in [
                (1152, 256, 1, Subtract::Array),
                (100, 4, 1, Subtract::Array),
                (17, 256, 2, Subtract::Digital),
            ] {
                let mut array = endless();
                (array.array.rows, array.array.columns) = (rows, columns);
                (array.mapping.style, array.mapping.scale, array.mapping.bias) = (style, scale, bias);
                (array.mapping.cells_per_weight, array.mapping.subtract) = (copies, subtract);
                for effects in [QUANTISED, Effects { weight_levels: true, ..Effects::NONE }] {
                    let (y, statistics) = run(&graph, &array, &x, effects);
                    let worst = difference(&y, &exact);
                    let what = format!("{style:?} {scale:?} {bias:?} {rows} rows, {effects}");
                    assert!(worst < 1e-6, "{what}: {worst:e}");
                    // Cells of single weights stand in the middle of their range: half a step of f32 of it.
                    assert!(statistics.iter().all(|layer| layer.weight_rms_error < 2e-7), "{what}");
                }
            }
        }
    }
}

/// As many bits as there are: steps of 2^-21 and 2^-22 of the ranges, cells in steps of 2^-23.
#[test]
fn with_enough_bits_arrays_are_the_digital_matrix() {
    let weights = tensor(&[10, 300], uneven(10, 300, 5));
    let node =
        Node::new("m", Op::Dense(Dense { weights: weights.into(), bias: bias(10, 6) }), &["x"], &["y"]);
    let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(300)] };
    let graph = Graph::new("matrix", vec![input], vec![node], vec!["y".into()]).unwrap();
    let x = tensor(&[50, 300], numbers(15_000, 6));
    let exact = digital(&graph, &x);
    for (scale, bias) in SCALES.into_iter().flat_map(|scale| BIASES.map(|bias| (scale, bias))) {
        for (text, slices) in [
            ("", 1),
            ("[array]\nrows = 100\ncolumns = 3\n", 1),
            ("[mapping]\ncells_per_weight = 2\n", 3),
            ("[mapping]\nsubtract = \"digital\"\n", 1),
            ("[mapping]\nstyle = \"two-sided\"\n", 1),
            ("[mapping]\nstyle = \"offset-column\"\n", 1),
            ("[array]\ntopology = \"gated\"\n", 1),
        ] {
            let mut array = ArrayConfig::from_toml(text, "array.toml").unwrap();
            (array.mapping.scale, array.mapping.bias, array.mapping.slices) = (scale, bias, slices);
            (array.mapping.weight_bits, array.input.bits, array.output.bits) = (24, 22, 22);
            array.input.range = ConverterRange::Maximum;
            array.output.range = ConverterRange::Percentile { percentile: 100.0 };
            let (y, statistics) = run(&graph, &array, &x, QUANTISED);
            let worst = difference(&y, &exact);
            assert!(worst < 1e-6, "{text:?} {scale:?} {bias:?}: {worst:e}");
            assert_eq!(statistics[0].outputs_saturated, 0, "{text:?} {scale:?} {bias:?}");
        }
    }
}

#[test]
fn recurrent_nodes_hold_their_biases() {
    let x = tensor(&[5, 8, 4], numbers(160, 3));
    for cell in [Cell::Rnn, Cell::RnnRelu, Cell::Lstm, Cell::Gru, Cell::GruLinearBeforeReset] {
        let graph = recurrent(cell);
        let exact = digital(&graph, &x);
        for scale in SCALES {
            let mut array = endless();
            (array.mapping.scale, array.mapping.bias) = (scale, BiasMapping::Array);
            let arrays = Arrays::new(&graph, std::slice::from_ref(&x), &array, None).unwrap();
            assert!(arrays.layers().iter().all(|layer| layer.bias_rows > 0), "{cell:?}");
            let (y, _) = run(&graph, &array, &x, QUANTISED);
            let worst = difference(&y, &exact);
            assert!(worst < 1e-6, "{cell:?} {scale:?}: {worst:e}");
            // Converters of 12 bits: a step of 2^-12 of the range of inputs and sums, over five steps.
            (array.input.bits, array.output.bits, array.mapping.weight_bits) = (12, 12, 12);
            let worst = difference(&run(&graph, &array, &x, QUANTISED).0, &exact);
            assert!(worst < 0.01, "{cell:?} {scale:?}: {worst}");
        }
    }
}

/// Eight bits of everything, in every way that an array can be read.
#[test]
fn every_mapping_is_near_the_digital_network() {
    let (graph, x) = (biased(), images(10, 7));
    let exact = digital(&graph, &x);
    let mut far = Vec::new();
    for (text, limit) in [
        ("", 0.05),
        ("[mapping]\ncells_per_weight = 3\nstyle = \"two-sided\"\n", 0.05),
        ("[mapping]\nslices = 2\n", 0.05),
        ("[input]\nscheme = \"bit-serial\"\n", 0.05),
        ("[input]\nscheme = \"bit-serial\"\nslice_bits = 2\n[output]\nconversion = \"accumulated\"\n", 0.05),
        ("[array]\nrows = 50\ncolumns = 4\n", 0.05),
        ("[array]\ntopology = \"gated\"\n", 0.05),
        ("[array]\nrow_resistance_ohm = 1e-3\ncolumn_resistance_ohm = 1e-3\n", 0.05),
        (
            "[array]\nrow_resistance_ohm = 1e-3\ntopology = \"gated\"\n[input]\nscheme = \"bit-serial\"\n",
            0.05,
        ),
        ("[output]\nkind = \"sar\"\nbits = 10\n", 0.05),
        ("[mapping]\nstyle = \"offset-column\"\n[output]\nbits = 10\n", 0.1),
        // Its converters span the offsets of all cells too: a rare sum beyond a calibrated range costs much.
        ("[mapping]\nstyle = \"offset-digital\"\n[output]\nbits = 14\nrange = \"maximum\"\n", 0.05),
        ("[pulse]\nactive_fraction = 1.0\ntime_levels = 256\n[output]\nbits = 12\n", 0.1),
    ] {
        for (scale, bias) in SCALES.into_iter().flat_map(|scale| BIASES.map(|bias| (scale, bias))) {
            let mut array = ArrayConfig::from_toml(text, "array.toml").unwrap();
            (array.mapping.scale, array.mapping.bias) = (scale, bias);
            let (y, _) = run(&graph, &array, &x, QUANTISED);
            let worst = difference(&y, &exact);
            eprintln!("{text:?} {scale:?} {bias:?}: {worst}");
            far.extend((worst >= limit).then(|| format!("{text:?} {scale:?} {bias:?}: {worst}")));
        }
    }
    assert!(far.is_empty(), "{far:#?}");
}

/// What an activation throws away takes no part of a converter's range, and what lies beyond is not counted as
/// saturated: the steps are those of the values that are kept.
#[test]
fn ranges_end_where_activations_do() {
    let outputs = 8;
    let weights = tensor(&[outputs, 40], numbers(outputs * 40, 5));
    let x = tensor(&[400, 40], numbers(16_000, 6));
    let graph = |clips: bool| {
        let op = Op::Dense(Dense { weights: weights.clone().into(), bias: bias(outputs, 6) });
        let mut nodes = vec![Node::new("m", op, &["x"], &["a"])];
        let clip = Activation::Clip { min: 0.0, max: 1.0 };
        nodes.push(Node::new("y", Op::Activation(clip), &["a"], &["y"]));
        let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(40)] };
        let mut found = vec!["y".to_owned()];
        if !clips {
            // Something else reads the sums too.
            found.push("a".into());
        }
        Graph::new("clip", vec![input], nodes, found).unwrap()
    };
    let exact = digital(&graph(true), &x);
    let mut errors = Vec::new();
    for (clips, bias) in
        [(false, BiasMapping::Digital), (true, BiasMapping::Digital), (true, BiasMapping::Array)]
    {
        let mut array = ArrayConfig::default();
        (array.mapping.bias, array.output.bits) = (bias, 6);
        // Positive parts alone: with a sign inputs come in one read all the same.
        let graph = graph(clips);
        let (y, statistics) = run(&graph, &array, &x, QUANTISED);
        let pairs = y.values().iter().zip(exact.values());
        let error = pairs.map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / y.values().len() as f64;
        let saturated =
            statistics[0].outputs_saturated as f64 / statistics[0].output_conversions.max(1) as f64;
        assert!(saturated < 0.02, "{clips} {bias:?}: {saturated}");
        errors.push(error);
    }
    eprintln!("{errors:?}");
    // Sums span some +-6, of which 1 is kept: in the array the range ends with it, and digitally it holds the
    // biases' spread too.
    assert!(errors[1] < 0.9 * errors[0] && errors[2] < 0.5 * errors[0], "{errors:?}");
}

/// Cells that are all stuck at one current hold no weight, and no bias that stands in the array.
#[test]
fn stuck_cells_hold_nothing() {
    let weights = tensor(&[6, 20], uneven(6, 20, 5));
    let node = Node::new("m", Op::Dense(Dense { weights: weights.into(), bias: bias(6, 6) }), &["x"], &["y"]);
    let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(20)] };
    let graph = Graph::new("matrix", vec![input], vec![node], vec!["y".into()]).unwrap();
    let x = tensor(&[10, 20], numbers(200, 6));
    for style in [MappingStyle::Differential, MappingStyle::TwoSided, MappingStyle::OffsetColumn] {
        for (scale, bias) in SCALES.into_iter().flat_map(|scale| BIASES.map(|bias| (scale, bias))) {
            let mut array = ArrayConfig::default();
            (array.mapping.style, array.mapping.scale, array.mapping.bias) = (style, scale, bias);
            array.cell.stuck_at_max = 1.0;
            let (y, _) = run(&graph, &array, &x, Effects { stuck: true, ..QUANTISED });
            let digital = graph.layers()[0].bias().unwrap();
            for row in y.values().chunks_exact(6) {
                for (y, bias_of) in row.iter().zip(digital) {
                    let expected = if bias == BiasMapping::Digital { *bias_of } else { 0.0 };
                    assert!((y - expected).abs() < 1e-6, "{style:?} {scale:?} {bias:?}: {y} {expected}");
                }
            }
        }
    }
}

/// Cells of a table that are programmed, drift and are read with noise: columns with scales of their own use more of
/// the range of their cells, whose errors are a part of it, and gains against drift work on them.
#[test]
fn devices_under_columns_with_scales() {
    let weights = tensor(&[8, 200], uneven(8, 200, 5));
    let node = Node::new("m", Op::Dense(Dense { weights: weights.into(), bias: bias(8, 6) }), &["x"], &["y"]);
    let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(200)] };
    let graph = Graph::new("matrix", vec![input], vec![node], vec!["y".into()]).unwrap();
    let x = tensor(&[100, 200], numbers(20_000, 6));
    let exact = digital(&graph, &x);
    let table = table();
    let error = |scale, bias, compensation, time_s| {
        let mut array = ArrayConfig::default();
        (array.mapping.scale, array.mapping.bias, array.output.bits) = (scale, bias, 12);
        array.effects.drift_compensation = compensation;
        let arrays = Arrays::new(&graph, std::slice::from_ref(&x), &array, Some((&table).into())).unwrap();
        let condition = Condition { time_s, dose_krad_si: 0.0, effects: Effects::ALL };
        let programmed = arrays.program(&condition, &arrays.draws(3, 1)).unwrap();
        let y = graph.run(&programmed, std::slice::from_ref(&x)).unwrap().remove(0);
        // Of the last column, whose weights are the smallest.
        let last = y.values().iter().zip(exact.values()).skip(7).step_by(8);
        let square = last.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        (square / 100.0).sqrt()
    };
    // In the array a bias as large as those of other columns sets the range of this one.
    for (bias, gain) in [(BiasMapping::Digital, 0.5), (BiasMapping::Array, 1.0)] {
        let [layer, column] = SCALES.map(|scale| error(scale, bias, Compensation::None, 0.0));
        assert!(column < gain * layer, "{bias:?}: {column} {layer}");
        let [drifted, gained] = [Compensation::None, Compensation::PerColumn]
            .map(|compensation| error(WeightScale::Column, bias, compensation, 4e5));
        assert!(gained < drifted, "{bias:?}: {gained} {drifted}");
    }
}
