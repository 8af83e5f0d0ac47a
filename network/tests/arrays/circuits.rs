//! Wires of arrays.

use super::*;
use mho_network::analog::Neighbours;
use mho_network::array::{End, InputRange, Pairs};
use mho_network::core::Mapping;
use mho_network::wires::{self, Cell, Crossbar, PairLayout, Wires};

/// Outputs for unit inputs of one read.
fn read(graph: &Graph, text: &str, x: &[f32]) -> Vec<f64> {
    let array = ArrayConfig::from_toml(text, "array.toml").unwrap();
    let inputs = tensor(&[1, x.len()], x.to_vec());
    let arrays = Arrays::new(graph, std::slice::from_ref(&inputs), &array, None).unwrap();
    let programmed = arrays.program(&at(QUANTISED), &arrays.draws(1, 0)).unwrap();
    graph.run(&programmed, &[inputs]).unwrap()[0].values().iter().map(|&y| f64::from(y)).collect()
}

/// Cells of 1 mS at 0.1 V, and resistances of 100 ohm; the other cells of the pairs next to open.
const CELL: &str = "[cell]\nconductance_max_us = 1000.0\non_off_ratio = 1e12\nread_voltage_v = 0.1\n\
                    [input]\nbits = 16\n[mapping]\nweight_bits = 16\n[output]\nbits = 22\n";

/// A row of two cells and a column of two cells are different circuits: rows are inputs.
#[test]
fn resistances_of_rows_and_of_columns_are_not_exchanged() {
    let near = |found: &[f64], expected: &[f64]| {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 2e-5, "{found} {expected}");
        }
    };
    let along = |row: f64, column: f64| {
        format!("{CELL}[array]\nrow_resistance_ohm = {row:?}\ncolumn_resistance_ohm = {column:?}\n")
    };
    // One input, two outputs: g r = 0.1 in every segment of the row.
    let row = matrix(2, 1, vec![1.0, 1.0]);
    let rg = 0.1;
    // Of the last cell on: a ladder of r and g.
    let beyond = 1.0 / (1.0 + rg); // conductance of segment and last cell, in g
    let first = 1.0 / (1.0 + rg * (1.0 + beyond));
    near(&read(&row, &along(100.0, 0.0), &[1.0]), &[first, first * beyond]);
    // The columns of the two cells have a segment each.
    near(&read(&row, &along(0.0, 100.0), &[1.0]), &[1.0 / (1.0 + rg); 2]);
    // Two inputs, one output: the first cell lies behind two segments of the column.
    let column = matrix(1, 2, vec![1.0, 1.0]);
    near(&read(&column, &along(100.0, 0.0), &[1.0, 1.0]), &[2.0 / (1.0 + rg)]);
    // By reciprocity the same ladder.
    near(&read(&column, &along(0.0, 100.0), &[1.0, 1.0]), &[first * (1.0 + beyond)]);
    near(&read(&column, &along(0.0, 100.0), &[1.0, 0.0]), &[first * beyond]);
    near(&read(&column, &along(0.0, 100.0), &[0.0, 1.0]), &[first]);
    // Terminals carry the sum.
    let terminal = format!("{CELL}[array]\nrow_terminal_ohm = 100.0\n");
    near(&read(&row, &terminal, &[1.0]), &[1.0 / (1.0 + 2.0 * rg); 2]);
    let terminal = format!("{CELL}[array]\ncolumn_terminal_ohm = 100.0\n");
    near(&read(&column, &terminal, &[1.0, 1.0]), &[2.0 / (1.0 + 2.0 * rg)]);
}

/// Sourced from the other end, the first and the last column change places; from both, the loss is less.
#[test]
fn ends() {
    let graph = matrix(3, 1, vec![1.0; 3]);
    let along = |end: &str| {
        read(&graph, &format!("{CELL}[array]\nrow_resistance_ohm = 100.0\ndrive = \"{end}\"\n"), &[1.0])
    };
    let (first, last, both) = (along("first"), along("last"), along("both"));
    for (a, b) in first.iter().zip(last.iter().rev()) {
        assert!((a - b).abs() < 1e-5);
    }
    assert!(first[0] > first[2] && both.iter().zip(&first).all(|(both, first)| both > first));
    assert_eq!(ArrayConfig::default().array.drive, End::First);
}

/// Pairs on a common line are one circuit with twice the rows, half of which carry the opposite input, and
/// one node of the line for both cells of a pair; pairs in separate arrays are two circuits.
#[test]
fn pairs_stand_as_they_are_asked_to() {
    let (outputs, inputs) = (3, 6);
    let graph = matrix(outputs, inputs, numbers(outputs * inputs, 3));
    let x = numbers(inputs, 4);
    let wires = Wires { row_ohm: 20.0, column_ohm: 50.0, ..Wires::default() };
    let most = graph.layers()[0].weights().iter().fold(0.0_f32, |most, w| most.max(w.abs()));
    // Of a weight: the cell of a sign (S).
    let cell = |output: usize, input: usize, sign: f32| {
        let weight = sign * graph.layers()[0].weights()[output * inputs + input] / most;
        1e-3 * f64::from(weight.max(1e-12))
    };
    let solve = |g: Vec<f64>, v: &[f64]| {
        let array = Crossbar::new(v.len(), outputs, g, &wires, Cell::Linear).unwrap();
        array.solve(v).unwrap().column_current_a
    };
    let v: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let rows =
        |input: usize| [1.0, -1.0].map(|sign| (0..outputs).map(|j| cell(j, input, sign)).collect::<Vec<_>>());
    let [plus, minus] = [0, 1].map(|k| (0..inputs).flat_map(|i| rows(i)[k].clone()).collect::<Vec<_>>());
    let layout = PairLayout::Interleaved;
    let common =
        wires::Pairs::new(inputs, outputs, plus.clone(), minus.clone(), layout, &wires, Cell::Linear)
            .unwrap()
            .solve_many(&v)
            .unwrap()
            .current_a;
    let [positive, negative] = [solve(plus, &v), solve(minus, &v)];
    for output in 0..outputs {
        let expected = [("separate", positive[output] - negative[output]), ("interleaved", common[output])];
        let unit = f64::from(most) / 1e-3;
        for (pairs, expected) in expected {
            let text = format!(
                "{CELL}range = [-3.0, 3.0]\n[array]\nrow_resistance_ohm = 20.0\ncolumn_resistance_ohm = 50.0\npairs = \"{pairs}\"\n"
            );
            // Sixteen bits of inputs and cells.
            let found = read(&graph, &text, &x)[output];
            assert!((found - expected * unit).abs() < 1e-4, "{pairs}: {found} {}", expected * unit);
        }
        assert!((expected[0].1 - expected[1].1).abs() * unit > 1e-2, "the circuits differ");
    }
    assert_eq!(ArrayConfig::default().array.pairs, Pairs::Separate);
}

/// Without resistance in the wires nothing changes, whatever the ends.
#[test]
fn ideal_wires_are_no_wires() {
    let graph = matrix(5, 7, numbers(35, 1));
    let x = numbers(7, 2);
    let plain = read(&graph, CELL, &x);
    assert_eq!(
        plain,
        read(&graph, &format!("{CELL}[array]\ndrive = \"both\"\npairs = \"interleaved\"\n"), &x)
    );
    let little = format!("{CELL}[array]\nrow_resistance_ohm = 1e-3\ncolumn_resistance_ohm = 1e-3\n");
    for (a, b) in plain.iter().zip(read(&graph, &little, &x)) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

/// Outputs that `currents` of one array stand for, by the linear read-out of its mapping: as if they were
/// the cells of one input.
fn read_out(mapping: &Mapping, currents: &[Vec<f64>]) -> Vec<f64> {
    let mut shown = mapping.clone();
    for (array, currents) in shown.arrays.iter_mut().zip(currents) {
        let rows = array.inputs.len();
        array.conductances.fill(0.0);
        for (line, current) in array.conductances.chunks_mut(rows).zip(currents) {
            line[0] = *current;
        }
    }
    let weights = shown.read_back();
    (0..mapping.outputs).map(|j| weights[j * mapping.inputs]).collect()
}

/// Every combination of style, topology, layout of pairs and ends, against exact solutions of its circuits for
/// each vector of voltages, or for each bit of gates.
#[test]
fn every_circuit_is_what_its_solution_says() {
    let (outputs, inputs, bits) = (5, 8, 3);
    let graph = matrix(outputs, inputs, numbers(outputs * inputs, 3));
    let x: Vec<f32> = (0..inputs).map(|i| (i * 5 % 8) as f32 / 7.0).collect();
    let mut refused = 0;
    for style in ["differential", "two-sided", "offset-digital", "offset-column"] {
        for topology in ["input-source", "gated"] {
            for pairs in ["separate", "interleaved"] {
                for (drive, sense) in [("first", "last"), ("both", "first"), ("last", "both")] {
                    let scheme = if topology == "gated" { "bit-serial" } else { "parallel" };
                    let text = format!(
                        "[array]\nrow_resistance_ohm = 20.0\ncolumn_resistance_ohm = 10.0\ncolumn_terminal_ohm = 5.0\n\
                         wire_tolerance = 1e-6\ndrive = \"{drive}\"\nsense = \"{sense}\"\npairs = \"{pairs}\"\n\
                         topology = \"{topology}\"\n[mapping]\nstyle = \"{style}\"\nweight_bits = 12\n\
                         [cell]\nconductance_max_us = 1000.0\non_off_ratio = 50.0\nread_voltage_v = 0.1\n\
                         [input]\nbits = {bits}\nrange = [0.0, 1.0]\nscheme = \"{scheme}\"\n\
                         [output]\nbits = 0\nconversion = \"accumulated\"\n"
                    );
                    let array = match ArrayConfig::from_toml(&text, "array.toml") {
                        Ok(array) => array,
                        Err(error) => {
                            // Only a style without pairs cannot interleave them.
                            assert!(pairs == "interleaved" && style.starts_with("offset"), "{error}");
                            refused += 1;
                            continue;
                        }
                    };
                    let input = tensor(&[1, inputs], x.clone());
                    let arrays = Arrays::new(&graph, std::slice::from_ref(&input), &array, None).unwrap();
                    let effects = Effects { wires: true, ..QUANTISED };
                    let programmed = arrays.program(&at(effects), &arrays.draws(1, 0)).unwrap();
                    let found = graph.run(&programmed, &[input]).unwrap();
                    // The same by hand.
                    let spec = array.core_spec(InputRange { max: 1.0, signed: false });
                    let weights: Vec<f64> =
                        graph.layers()[0].weights().iter().map(|&w| f64::from(w)).collect();
                    let mapping = Mapping::new(&weights, outputs, inputs, &spec).unwrap();
                    let wires = array.wires().unwrap();
                    let most = 1e-3;
                    let by_rows = |cells: &[f64]| -> Vec<f64> {
                        let columns = cells.len() / inputs;
                        (0..inputs * columns)
                            .map(|k| most * cells[k % columns * inputs + k / columns])
                            .collect()
                    };
                    let solve = |v: &[f64]| -> Vec<Vec<f64>> {
                        let cells: Vec<Vec<f64>> =
                            mapping.arrays.iter().map(|a| by_rows(&a.conductances)).collect();
                        let columns = cells[0].len() / inputs;
                        if pairs == "interleaved" {
                            let layout = PairLayout::Interleaved;
                            let (plus, minus) = (cells[0].clone(), cells[1].clone());
                            let pairs =
                                wires::Pairs::new(inputs, outputs, plus, minus, layout, &wires, Cell::Linear)
                                    .unwrap();
                            let difference = pairs.solve_many(v).unwrap().current_a;
                            return vec![difference.iter().map(|i| i / most).collect(), vec![0.0; columns]];
                        }
                        let solve = |g: Vec<f64>| {
                            let array = Crossbar::new(inputs, columns, g, &wires, Cell::Linear).unwrap();
                            array.solve(v).unwrap().column_current_a.iter().map(|i| i / most).collect()
                        };
                        cells.into_iter().map(solve).collect()
                    };
                    let code = |x: f32| (x * 7.0).round() as u32;
                    let parts: Vec<(f64, Vec<f64>)> = match topology {
                        "gated" => (0..bits)
                            .map(|k| {
                                let on = x.iter().map(|&x| f64::from(code(x) >> k & 1)).collect();
                                (f64::from(1 << k) / 7.0, on)
                            })
                            .collect(),
                        _ => vec![(1.0, x.iter().map(|&x| f64::from(x)).collect())],
                    };
                    // What the digital offset takes off, for a unit of input.
                    let nothing = read_out(&mapping, &vec![vec![0.0; outputs + 1]; mapping.arrays.len()]);
                    let mut expected = vec![0.0; outputs];
                    for (worth, v) in parts {
                        let sum: f64 = v.iter().sum();
                        let read = read_out(&mapping, &solve(&v));
                        for (j, expected) in expected.iter_mut().enumerate() {
                            *expected += worth * (read[j] + (sum - 1.0) * nothing[j]);
                        }
                    }
                    for (found, expected) in found[0].values().iter().zip(&expected) {
                        assert!(
                            (f64::from(*found) - expected).abs() < 2e-5,
                            "{style}, {topology}, {pairs}, {drive}: {found} {expected}"
                        );
                    }
                }
            }
        }
    }
    assert_eq!(refused, 2 * 2 * 3);
    for (text, key) in [
        ("[array]\ntopology = \"gated\"\nrow_resistance_ohm = 1.0\n", "input.scheme"),
        (
            "[array]\ntopology = \"gated\"\nrow_resistance_ohm = 1.0\n[input]\nscheme = \"bit-serial\"\nslice_bits = 2\n",
            "input.slice_bits",
        ),
    ] {
        let error = ArrayConfig::from_toml(text, "array.toml").unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("gate is open or closed"), "{error}");
    }
}

/// Arrays of later conditions are corrected from those before, or solved; either way within the tolerance of
/// the exact ones, in both layouts of pairs.
#[test]
fn corrected_arrays_are_the_exact_ones_within_the_tolerance() {
    let (outputs, inputs) = (20, 24);
    let graph = matrix(outputs, inputs, numbers(outputs * inputs, 3));
    let x = tensor(&[1, inputs], numbers(inputs, 4));
    let table = table();
    let aged = |time_s| Condition {
        time_s,
        ..at(Effects { programming: true, drift: true, wires: true, ..QUANTISED })
    };
    for (pairs, ohm) in [("separate", 1.0), ("separate", 30.0), ("interleaved", 1.0), ("interleaved", 30.0)] {
        let of = |tolerance: f64| {
            let text = format!(
                "[array]\npairs = \"{pairs}\"\nrow_resistance_ohm = {ohm:?}\ncolumn_resistance_ohm = {ohm:?}\n\
                 wire_tolerance = {tolerance:?}\n[cell]\nread_voltage_v = 0.01\n"
            );
            ArrayConfig::from_toml(&text, "array.toml").unwrap()
        };
        let tolerance = 1e-4;
        let inputs = std::slice::from_ref(&x);
        let near = Arrays::new(&graph, inputs, &of(tolerance), Some((&table).into())).unwrap();
        let exact = Arrays::new(&graph, inputs, &of(0.0), Some((&table).into())).unwrap();
        let draws = near.draws(1, 0);
        let mut neighbours = Neighbours::default();
        for time_s in [0.0, 1e3, 1e5] {
            let programmed = near.program_near(&aged(time_s), &draws, Some(&mut neighbours)).unwrap();
            let found = programmed.effective_weights(LayerId(0)).unwrap();
            let solved = exact.program(&aged(time_s), &draws).unwrap();
            assert_eq!(solved.statistics()[0].wires.corrected, 0);
            let expected = solved.effective_weights(LayerId(0)).unwrap();
            let wires = programmed.statistics()[0].wires;
            assert_eq!(wires.corrected + wires.solved, if pairs == "separate" { 2 } else { 1 });
            assert!(wires.largest_error <= tolerance);
            // Few ohm need no solution, many do.
            assert_eq!(wires.corrected == 0, ohm > 10.0, "{pairs}, {ohm} ohm, {time_s} s: {wires:?}");
            let square = |list: &[f32]| list.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>();
            let off: Vec<f32> = found.iter().zip(&expected).map(|(a, b)| a - b).collect();
            // Differences of two arrays, each within the tolerance of currents larger than the difference.
            let error = (square(&off) / square(&expected)).sqrt();
            assert!(error < 3.0 * tolerance, "{pairs}, {ohm} ohm, {time_s} s: {error:e}");
        }
    }
}

/// Read noise under wires: the derivative of every output by every cell of the circuit, by differences of
/// exact solutions, against the noise that is drawn at the outputs.
#[test]
fn noise_behind_wires_is_that_of_the_circuit() {
    let (outputs, inputs, reads) = (4, 10, 20_000);
    let table = table();
    let weights: Vec<f32> = numbers(outputs * inputs, 3).iter().map(|w| w.abs()).collect();
    let most = weights.iter().fold(0.0_f32, |most, w| most.max(*w));
    let graph = matrix(outputs, inputs, weights.clone());
    let one = numbers(inputs, 4);
    let x = tensor(&[reads, inputs], one.repeat(reads));
    // 16 uS: 1600 nA at 0.1 V. Some 2 percent of the currents are lost.
    let text =
        "[array]\nrow_resistance_ohm = 20.0\ncolumn_resistance_ohm = 40.0\n[cell]\nread_voltage_v = 0.1\n";
    let array = ArrayConfig::from_toml(text, "array.toml").unwrap();
    let arrays = Arrays::new(&graph, std::slice::from_ref(&x), &array, Some((&table).into())).unwrap();
    let noisy = Effects { read_noise: true, ..Effects::NONE };
    let programmed = arrays.program(&at(noisy), &arrays.draws(1, 0)).unwrap();
    let y = graph.run(&programmed, &[x]).unwrap();
    let wires = Wires { row_ohm: 20.0, column_ohm: 40.0, ..Wires::default() };
    let v: Vec<f64> = one.iter().map(|&x| 0.1 * f64::from(x)).collect();
    let least = 1.6e-4_f64;
    let lit: Vec<f64> = (0..inputs * outputs)
        .map(|at| least + (1600.0 - least) * f64::from(weights[at % outputs * inputs + at / outputs] / most))
        .collect();
    let dark = vec![least; inputs * outputs];
    let current = |na: &[f64]| {
        let g = na.iter().map(|na| 1e-9 * na / 0.1).collect();
        Crossbar::new(inputs, outputs, g, &wires, Cell::Linear).unwrap().solve(&v).unwrap().column_current_a
    };
    let mut variance = vec![0.0; outputs];
    for cells in [&lit, &dark] {
        let before = current(cells);
        for at in 0..cells.len() {
            let mut moved = cells.clone();
            // A thousandth of the largest current: the circuit is nearly linear in a cell.
            moved[at] += 1.6;
            let sigma = table.read_noise_na(cells[at]) / 1.6;
            for ((variance, after), before) in variance.iter_mut().zip(current(&moved)).zip(&before) {
                // As an output: a current of 1600 nA at full input is the largest weight.
                *variance += ((after - before) * sigma / 1.6e-6 * f64::from(most)).powi(2);
            }
        }
    }
    for (output, variance) in variance.iter().enumerate() {
        let found: Vec<f64> = y[0].values().chunks_exact(outputs).map(|y| f64::from(y[output])).collect();
        let ratio = moments(&found).1 / variance.sqrt();
        // Five standard errors of a standard deviation of 20,000 draws are 0.025; the map of variances is that
        // of the mean input, not of this one.
        assert!((ratio - 1.0).abs() < 0.03, "{ratio}");
    }
}
