//! Cells whose current is not proportional to the voltage of their input.

use super::*;
use mho_data::dataset::{Dataset, Images};
use mho_lut::ReadVoltages;
use mho_network::array::InputRange;
use mho_network::core::Mapping;
use mho_network::evaluate::Evaluator;
use mho_network::samples::{Feed, InputFormat, LabelledSet};
use mho_network::spec::NetworkSpec;
use mho_network::train::{TrainOptions, train};

/// Exact cells between 20 and 400 mV, the more curved the less they conduct; every number made up.
struct Curved;

/// Current (nA) at a voltage of a cell that carries `current_na` at 0.2 V.
fn current_na(current_na: f64, v: f64) -> f64 {
    let a = 8.0 - 4.0 * current_na / 1600.0;
    current_na * (a * v).sinh() / (a * 0.2).sinh()
}

impl CellSource for Curved {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "curved".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 0.0,
            dose_max_krad_si: 0.0,
            notes: Vec::new(),
        }
    }

    fn cell(&self, state: f64, _time_s: f64, _dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let mean_na = 1600.0 * state;
        let share = Share { programming: 1.0, drift: 0.0, dose: 0.0 };
        Ok(CellStatistics {
            mean_na,
            sigma_na: 0.0,
            quantiles_na: [mean_na; SCORES.len()],
            share,
            extrapolated: false,
        })
    }

    fn read_noise_na(&self, _current_na: f64) -> f64 {
        0.0
    }

    fn read_voltages(&self) -> Option<ReadVoltages> {
        Some(ReadVoltages { terminal: "drain".into(), reference_v: 0.2, low_v: 0.02, high_v: 0.4 })
    }

    fn current_at_voltage_na(&self, current: f64, read_v: f64) -> f64 {
        current_na(current, read_v)
    }
}

#[test]
fn every_level_of_an_input_sees_the_current_of_the_table() {
    let options = CompileOptions { tolerance_fraction: 1e-4, time_max_s: 0.0, dose_max_krad_si: 0.0 };
    let table = compile(&Curved, &options).unwrap();
    let (outputs, inputs) = (4, 9);
    let graph = matrix(outputs, inputs, numbers(outputs * inputs, 3));
    let weights = graph.layers()[0].weights();
    let most = f64::from(weights.iter().fold(0.0_f32, |most, w| most.max(w.abs())));
    let x: Vec<f32> = (0..inputs)
        .map(|i| (i as f32 * 31.0 % 127.0) / 127.0 * if i % 3 == 0 { -1.0 } else { 1.0 })
        .collect();
    let input = tensor(&[1, inputs], x.clone());
    let effects = Effects { programming: true, wires: true, nonlinear_iv: true, ..QUANTISED };
    for (scheme, full_v) in [("parallel", 0.2), ("parallel", 0.4), ("bit-serial", 0.4)] {
        let text = format!(
            "[mapping]\nweight_bits = 12\n[cell]\non_off_ratio = 50.0\ntable_voltage_v = {full_v:?}\n\
             [input]\nbits = 8\nrange = [-1.0, 1.0]\nscheme = \"{scheme}\"\n[output]\nbits = 0\n\
             conversion = \"accumulated\"\n"
        );
        let array = ArrayConfig::from_toml(&text, "array.toml").unwrap();
        let arrays =
            Arrays::new(&graph, std::slice::from_ref(&input), &array, Some((&table).into())).unwrap();
        let programmed = arrays.program(&at(effects), &arrays.draws(1, 0)).unwrap();
        let found = graph.run(&programmed, std::slice::from_ref(&input)).unwrap();
        let cell = |fraction: f64, x: f64| -> f64 {
            let reference = 1600.0 * (0.02 + 0.98 * (fraction * 2047.0).round() / 2047.0);
            let largest = current_na(1600.0, full_v);
            if scheme == "bit-serial" {
                // Every bit has the full voltage.
                return x * current_na(reference, full_v) / largest;
            }
            let low = (x.abs() * full_v).max(0.02);
            let ohmic = (x.abs() * full_v / 0.02).min(1.0);
            x.signum() * ohmic * current_na(reference, low) / largest
        };
        let mut bent = 0.0_f64;
        for j in 0..outputs {
            let mut expected = 0.0;
            for i in 0..inputs {
                let (w, x) = (f64::from(weights[j * inputs + i]) / most, f64::from(x[i]));
                expected += cell(w.max(0.0), x) - cell((-w).max(0.0), x);
                bent = bent.max((cell(1.0, x) - x).abs());
            }
            let (found, expected) = (f64::from(found[0].values()[j]), expected * most / 0.98);
            // The certificate of the table, and the terms of the curves, for nine pairs of cells.
            assert!((found - expected).abs() < 4e-3, "{scheme}, {full_v} V: {found} {expected}");
        }
        assert!(bent > 0.03 || scheme == "bit-serial", "the curves matter: {bent}");
    }
}

/// Current of a cell over the largest at an input, as a table says it: a resistor below its lowest voltage.
fn current(fraction: f64, x: f64, full_v: f64) -> f64 {
    let v = (x.abs() * full_v).max(0.02);
    let ohmic = (x.abs() * full_v / 0.02).min(1.0);
    x.signum() * ohmic * current_na(1600.0 * fraction, v) / current_na(1600.0, full_v)
}

/// Currents of the columns of an array by Newton's iteration on all of its nodes, with a dense matrix: the supplies of
/// the rows of each layer, its cells row by row, the resistances in units of the largest cell's.
fn by_all_nodes(
    cells: &[Vec<f64>],
    supplies: &[Vec<f64>],
    (along, down, terminal): (f64, f64, f64),
    [drive, sense]: [&str; 2],
    full_v: f64,
) -> Vec<f64> {
    let (rows, layers) = (supplies[0].len(), cells.len());
    let columns = cells[0].len() / rows;
    let column = |i: usize, j: usize| layers * rows * columns + i * columns + j;
    let row = |layer: usize, i: usize, j: usize| (layer * rows + i) * columns + j;
    let count = (layers + 1) * rows * columns;
    let mut v = vec![0.0; count];
    let ends = |end: &str, length: usize| match end {
        "first" => vec![0],
        "last" => vec![length - 1],
        _ => vec![0, length - 1],
    };
    for _ in 0..30 {
        let mut a = vec![vec![0.0; count + 1]; count];
        let join = |a: &mut Vec<Vec<f64>>, p: usize, q: usize, g: f64| {
            for (p, q) in [(p, q), (q, p)] {
                a[p][p] += g;
                a[p][q] -= g;
            }
        };
        for i in 0..rows {
            for j in 0..columns {
                for layer in 0..layers {
                    let (p, q) = (row(layer, i, j), column(i, j));
                    if j + 1 < columns {
                        join(&mut a, p, row(layer, i, j + 1), 1.0 / along);
                    }
                    if ends(drive, columns).contains(&j) {
                        a[p][p] += 1.0 / along;
                        a[p][count] += supplies[layer][i] / along;
                    }
                    let (u, step) = (v[p] - v[q], 1e-6);
                    let cell = |u: f64| current(cells[layer][i * columns + j], u, full_v);
                    let slope = (cell(u + step) - cell(u - step)) / (2.0 * step);
                    join(&mut a, p, q, slope);
                    let rest = cell(u) - slope * u;
                    a[p][count] -= rest;
                    a[q][count] += rest;
                }
                if i + 1 < rows {
                    join(&mut a, column(i, j), column(i + 1, j), 1.0 / down);
                }
                if ends(sense, rows).contains(&i) {
                    let p = column(i, j);
                    a[p][p] += 1.0 / (down + terminal);
                }
            }
        }
        // Elimination; pivots are on the diagonal of such a matrix.
        for p in 0..count {
            let pivot = a[p].clone();
            for line in a.iter_mut().skip(p + 1) {
                let factor = line[p] / pivot[p];
                if factor != 0.0 {
                    line.iter_mut().zip(&pivot).skip(p).for_each(|(x, pivot)| *x -= factor * pivot);
                }
            }
        }
        let mut moved = 0.0_f64;
        for p in (0..count).rev() {
            let known: f64 = (p + 1..count).map(|q| a[p][q] * v[q]).sum();
            let new = (a[p][count] - known) / a[p][p];
            moved = moved.max((new - v[p]).abs());
            v[p] = new;
        }
        if moved < 1e-10 {
            break;
        }
    }
    let ends = ends(sense, rows);
    (0..columns).map(|j| ends.iter().map(|&i| v[column(i, j)] / (down + terminal)).sum()).collect()
}

#[test]
fn behind_wires_every_input_is_its_own_circuit() {
    let options = CompileOptions { tolerance_fraction: 1e-4, time_max_s: 0.0, dose_max_krad_si: 0.0 };
    let table = compile(&Curved, &options).unwrap();
    let (outputs, inputs) = (3, 5);
    let graph = matrix(outputs, inputs, numbers(outputs * inputs, 3));
    let most = f64::from(graph.layers()[0].weights().iter().fold(0.0_f32, |most, w| most.max(w.abs())));
    let x: Vec<f32> = (0..inputs)
        .map(|i| (i as f32 * 31.0 % 127.0) / 127.0 * if i % 3 == 0 { -1.0 } else { 1.0 })
        .collect();
    let input = tensor(&[1, inputs], x.clone());
    let effects = Effects { programming: true, wires: true, nonlinear_iv: true, ..QUANTISED };
    let full_v = 0.4;
    // Of the largest cell at the full voltage.
    let unit_s = 1e-9 * current_na(1600.0, full_v) / full_v;
    let mut lost = 0.0_f64;
    for style in ["differential", "two-sided", "offset-digital", "offset-column"] {
        for pairs in ["separate", "interleaved"] {
            if pairs == "interleaved" && style.starts_with("offset") {
                continue;
            }
            for ends in [["first", "last"], ["both", "first"], ["last", "both"]] {
                let [drive, sense] = ends;
                let text = format!(
                    "[array]\nrow_resistance_ohm = 600.0\ncolumn_resistance_ohm = 300.0\ncolumn_terminal_ohm = 150.0\n\
                     drive = \"{drive}\"\nsense = \"{sense}\"\npairs = \"{pairs}\"\n[mapping]\nstyle = \"{style}\"\n\
                     weight_bits = 12\n[cell]\non_off_ratio = 50.0\ntable_voltage_v = {full_v:?}\n[input]\nbits = 8\n\
                     range = [-1.0, 1.0]\nscheme = \"parallel\"\n[output]\nbits = 0\nconversion = \"accumulated\"\n"
                );
                let array = ArrayConfig::from_toml(&text, "array.toml").unwrap();
                let arrays =
                    Arrays::new(&graph, std::slice::from_ref(&input), &array, Some((&table).into())).unwrap();
                let programmed = arrays.program(&at(effects), &arrays.draws(1, 0)).unwrap();
                let found = graph.run(&programmed, std::slice::from_ref(&input)).unwrap();
                let statistics = &programmed.statistics()[0].wires;
                assert_eq!((statistics.alone, statistics.unconverged), (0, 0));
                assert!(statistics.circuits > 0 && statistics.vectors > 0, "{statistics:?}");
                // The same by hand.
                let spec = array.core_spec(InputRange { max: 1.0, signed: true });
                let weights: Vec<f64> = graph.layers()[0].weights().iter().map(|&w| f64::from(w)).collect();
                let mapping = Mapping::new(&weights, outputs, inputs, &spec).unwrap();
                let solve = |ohms: f64, two: bool| -> Vec<f64> {
                    let list = |at: usize| -> Vec<f64> {
                        let cells = &mapping.arrays[at].conductances;
                        let columns = cells.len() / inputs;
                        (0..inputs * columns).map(|at| cells[at % columns * inputs + at / columns]).collect()
                    };
                    let plus: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
                    let minus: Vec<f64> = plus.iter().map(|x| -x).collect();
                    let ohms = [600.0, 300.0, 150.0].map(|ohm| ohm * ohms * unit_s);
                    let ohms = (ohms[0], ohms[1], ohms[2]);
                    let one = |at: usize| {
                        by_all_nodes(&[list(at)], std::slice::from_ref(&plus), ohms, ends, full_v)
                    };
                    let subtract = |a: Vec<f64>, b: Vec<f64>| -> Vec<f64> {
                        a.iter().zip(&b).map(|(a, b)| a - b).collect()
                    };
                    let (gain, sums): (f64, Vec<f64>) = match style {
                        _ if two => {
                            let supplies = [plus, minus];
                            (1.0, by_all_nodes(&[list(0), list(1)], &supplies, ohms, ends, full_v))
                        }
                        "offset-digital" | "offset-column" => {
                            let currents = one(0);
                            let offset = match style {
                                // Half of the levels and one step of 4095, times the sum of the inputs.
                                "offset-digital" => {
                                    (0.02 + 0.98 * 2048.0 / 4095.0) * plus.iter().sum::<f64>()
                                }
                                _ => currents[outputs],
                            };
                            let sums = currents[..outputs].iter().map(|i| i - offset).collect();
                            (4095.0 / 2047.0, sums)
                        }
                        _ => (1.0, subtract(one(0), one(1))),
                    };
                    sums.iter().map(|sum| gain * sum * most / 0.98).collect()
                };
                let (ideal, exact) =
                    (solve(1e-6, pairs == "interleaved"), solve(1.0, pairs == "interleaved"));
                for j in 0..outputs {
                    let found = f64::from(found[0].values()[j]);
                    // The certificate of the table, and the terms of the curves, for five pairs of cells; twice that
                    // where an offset doubles what a current is worth.
                    assert!(
                        (found - exact[j]).abs() < 4e-3,
                        "{style} {pairs} {ends:?}: {found} {}",
                        exact[j]
                    );
                    lost = lost.max((exact[j] - ideal[j]).abs());
                }
            }
        }
    }
    assert!(lost > 0.1, "the wires matter: {lost}");
    // Precharged lines with resistance are refused, with the reason.
    let text = "[array]\nrow_resistance_ohm = 1.0\n[pulse]\n";
    let error = ArrayConfig::from_toml(text, "array.toml").unwrap_err();
    assert!(error.to_string().contains("no constant current flows"), "{error}");
}

/// Images with one bright patch that tells the class, and noise.
fn images(count: usize, seed: u64) -> Images {
    let (side, stream) = (8, Stream::new(seed, &["test", "images"], &[]));
    let mut pixels = vec![0_u8; count * side * side];
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    for (i, image) in pixels.chunks_exact_mut(side * side).enumerate() {
        let label = usize::from(labels[i]);
        for (j, pixel) in image.iter_mut().enumerate() {
            let (row, column) = (j / side, j % side);
            let bright = row / 2 == label / 3 && column / 2 == label % 3;
            let noise = stream.uniform((i * side * side + j) as u64) * 80.0;
            *pixel = (noise + if bright { 120.0 } else { 0.0 }) as u8;
        }
    }
    Images { pixels, labels, rows: side, cols: side, channels: 1 }
}

/// A network of two layers: what it knows falls with the resistance of its wires, and without any it is what it was;
/// its results are the same for one thread and for two.
#[test]
fn a_network_of_curved_cells_falls_with_resistance() {
    let dataset =
        Dataset { name: "patches".into(), train: images(600, 1), test: images(200, 2), classes: 10 };
    let options = TrainOptions { epochs: 40, ..TrainOptions::for_images(600) };
    let trained = train(&dataset, &NetworkSpec::mlp(&[24], 10), &options, &|_| ()).unwrap();
    let graph = trained.network.graph().unwrap();
    let white = trained.network.pixel_max();
    let (test, known) = (
        LabelledSet::of_images(&dataset.test, white).unwrap(),
        LabelledSet::of_images(&dataset.train, white).unwrap(),
    );
    let format = InputFormat::scaled(1.0 / f64::from(white));
    let options = CompileOptions { tolerance_fraction: 1e-3, time_max_s: 0.0, dose_max_krad_si: 0.0 };
    let table = compile(&Curved, &options).unwrap();
    let run = |ohm: f64, threads: usize| {
        let text = format!(
            "[array]\nrow_resistance_ohm = {ohm:?}\ncolumn_resistance_ohm = {ohm:?}\n[cell]\ntable_voltage_v = 0.2\n"
        );
        let array = ArrayConfig::from_toml(&text, "array.toml").unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let feed = Feed::new(&test, &graph, &format).unwrap();
            let calibration = Feed::new(&known, &graph, &format).unwrap();
            let evaluator =
                Evaluator::new(&graph, feed, &calibration, &array, Some((&table).into())).unwrap();
            let effects = Effects { programming: true, wires: true, nonlinear_iv: true, ..QUANTISED };
            evaluator.evaluate(&[at(effects)], 0..1, 1).unwrap().remove(0)
        })
    };
    let ideal = run(0.0, 1);
    assert_eq!(ideal.wires().vectors, 0);
    // Wires of next to no resistance: but for rounding, what ideal wires are.
    let near = run(1e-6, 1);
    assert_eq!(near.score.first, ideal.score.first);
    assert!(
        (near.score.loss() - ideal.score.loss()).abs() < 1e-4,
        "{} {}",
        near.score.loss(),
        ideal.score.loss()
    );
    let losses: Vec<(f64, f64)> = [100.0, 1000.0, 2000.0, 4000.0]
        .map(|ohm| {
            let result = run(ohm, 1);
            let wires = result.wires();
            // Two layers, each of two arrays, for 200 images.
            assert_eq!((wires.circuits, wires.vectors, wires.unconverged), (4, 4 * 200, 0));
            (result.top1(), result.score.loss())
        })
        .to_vec();
    println!("{:?} {losses:?}", (ideal.top1(), ideal.score.loss()));
    for pair in losses.windows(2) {
        assert!(pair[1].0 <= pair[0].0 && pair[1].1 > pair[0].1, "{losses:?}");
    }
    assert!(ideal.top1() > 0.85 && losses[3].0 < ideal.top1() - 0.2, "{losses:?}");
    assert_eq!(run(100.0, 1), run(100.0, 2));
}
