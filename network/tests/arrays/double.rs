//! One matrix in double precision.

use super::*;
use mho_network::analog::{Devices, Direction, MatrixArrays, WeightMatrix};
use mho_network::core::Sign;
use mho_network::wires::{Cell, Crossbar, Ends, Wires};

const OUTPUTS: usize = 9;
const INPUTS: usize = 14;

fn config(text: &str) -> ArrayConfig {
    ArrayConfig::from_toml(text, "array.toml").unwrap()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn of(values: &[f64]) -> WeightMatrix<'_> {
    WeightMatrix { values, outputs: OUTPUTS, inputs: INPUTS }
}

/// W x or W^T x of vectors that stand one after the other.
fn exact(weights: &[f64], x: &[f64], direction: Direction) -> Vec<f64> {
    let (length, results) = match direction {
        Direction::Forward => (INPUTS, OUTPUTS),
        Direction::Transposed => (OUTPUTS, INPUTS),
    };
    let weight = |result: usize, k: usize| match direction {
        Direction::Forward => weights[result * INPUTS + k],
        Direction::Transposed => weights[k * INPUTS + result],
    };
    let sum = |x: &[f64], result| (0..length).map(|k| weight(result, k) * x[k]).sum::<f64>();
    x.chunks(length).flat_map(|x| (0..results).map(move |result| sum(x, result))).collect()
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let most = b.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
    a.iter().zip(b).fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs())) / most
}

/// Without levels and converters an array is the matrix, in every style and either direction.
#[test]
fn an_array_without_errors_is_the_matrix() {
    let weights = wide(&numbers(OUTPUTS * INPUTS, 1));
    for style in ["differential", "two-sided", "offset-digital", "offset-column"] {
        for subtract in ["array", "digital"] {
            for (direction, length) in [(Direction::Forward, INPUTS), (Direction::Transposed, OUTPUTS)] {
                let text = format!(
                    "[array]\nrows = 5\ncolumns = 4\n[mapping]\nweight_bits = 0\nstyle = \"{style}\"\nsubtract = \
                     \"{subtract}\"\n[input]\nbits = 0\n[output]\nbits = 0\n"
                );
                let x = wide(&numbers(3 * length, 2));
                let arrays = MatrixArrays::new(of(&weights), &x, direction, &config(&text), None).unwrap();
                let programmed = arrays.program(&at(QUANTISED), &arrays.draws(1, 0)).unwrap();
                let (y, _) = programmed.multiply(&x).unwrap();
                // Rounding of a sum of 14 products, and of conductances of 1e-7 and 1 that are subtracted.
                assert!(worst(&y, &exact(&weights, &x, direction)) < 1e-14, "{text}");
                assert!(worst(programmed.read_back(), &weights) < 1e-14);
            }
        }
    }
}

/// What single precision finds for the same cells, converters, draws and wires.
#[test]
fn equals_the_matrix_of_a_graph() {
    let table = table();
    let (weights, x) = (numbers(OUTPUTS * INPUTS, 3), numbers(4 * INPUTS, 4));
    let graph = matrix(OUTPUTS, INPUTS, weights.clone());
    let inputs = tensor(&[4, INPUTS], x.clone());
    let fine = "[input]\nbits = 12\n[output]\nbits = 20\n[mapping]\nweight_bits = 10\n";
    let wires = "[array]\nrow_resistance_ohm = 20.0\ncolumn_resistance_ohm = 30.0\nwire_tolerance = 0.0\n";
    let all = Effects { read_noise: false, ..Effects::ALL };
    for (text, effects) in [
        (String::new(), Effects { output_converters: false, ..all }),
        (format!("{fine}[array]\nrows = 6\ncolumns = 4\n"), all),
        (format!("{fine}style = \"offset-column\"\n"), all),
        (format!("{fine}slices = 3\n{wires}"), all),
        (format!("{fine}[array]\ntopology = \"gated\"\n"), all),
        (format!("{fine}[effects]\ndrift_compensation = \"per-column\"\n"), all),
        (format!("{fine}[cell]\nstuck_at_max = 0.1\nspread = 2.0\n"), all),
        (format!("{fine}[array]\ncolumn_current_max_na = 2000.0\n"), all),
        (String::new(), Effects { read_noise: true, output_converters: false, ..all }),
    ] {
        let array = config(&text);
        let condition = Condition::new(3e4, 50.0, effects);
        let devices = Some(Devices::from(&table));
        let single = Arrays::new(&graph, std::slice::from_ref(&inputs), &array, devices).unwrap();
        let programmed = single.program(&condition, &single.draws(5, 2)).unwrap();
        let expected = wide(graph.run(&programmed, std::slice::from_ref(&inputs)).unwrap()[0].values());
        let (weights, x) = (wide(&weights), wide(&x));
        let double = MatrixArrays::new(of(&weights), &x, Direction::Forward, &array, devices).unwrap();
        let (y, statistics) = double.program(&condition, &double.draws(5, 2)).unwrap().multiply(&x).unwrap();
        // Single precision in sums of 14 products, and steps of 20 bits.
        assert!(worst(&y, &expected) < 2e-5, "{text}: {}", worst(&y, &expected));
        let other = &programmed.statistics()[0];
        assert_eq!(statistics.output_conversions, other.output_conversions);
        assert_eq!(statistics.lines_limited, other.lines_limited);
        assert!((statistics.weight_rms_error / other.weight_rms_error - 1.0).abs() < 1e-5);
        assert!((statistics.mean_current_na / other.mean_current_na - 1.0).abs() < 1e-9);
    }
}

/// Behind wires the transpose is what the same cells deliver when columns are driven where they are sensed, and
/// rows are held where they are driven.
#[test]
fn the_transpose_behind_wires_is_that_circuit() {
    let table = table();
    let weights = wide(&numbers(OUTPUTS * INPUTS, 5));
    let x = wide(&numbers(2 * OUTPUTS, 6));
    let array = config(
        "[array]\nrow_resistance_ohm = 300.0\ncolumn_resistance_ohm = 200.0\nrow_terminal_ohm = 50.0\n\
         [mapping]\nweight_bits = 0\n[input]\nbits = 0\n[output]\nbits = 0\n[cell]\non_off_ratio = 100.0\n",
    );
    let effects = Effects { read_noise: false, ..Effects::ALL };
    let condition = Condition::new(1e4, 0.0, effects);
    let arrays =
        MatrixArrays::new(of(&weights), &x, Direction::Transposed, &array, Some(Devices::from(&table)))
            .unwrap();
    let draws = arrays.draws(1, 0);
    let programmed = arrays.program(&condition, &draws).unwrap();
    let (y, _) = programmed.multiply(&x).unwrap();
    let wires = Wires {
        row_ohm: 200.0,
        column_ohm: 300.0,
        column_terminal_ohm: 50.0,
        drive: Ends::Last,
        sense: Ends::First,
        ..Wires::default()
    };
    let mut expected = vec![0.0; y.len()];
    for cells in arrays.cells(&condition, &draws).unwrap() {
        let turned =
            (0..OUTPUTS * INPUTS).map(|k| cells.conductance_s[k % INPUTS * OUTPUTS + k / INPUTS]).collect();
        let circuit = Crossbar::new(OUTPUTS, INPUTS, turned, &wires, Cell::Linear).unwrap();
        let sign = if cells.sign == Sign::Negative { -1.0 } else { 1.0 };
        let most_s = array.cell.conductance_max_s() * 0.99;
        let currents = circuit.solve_many(&x).unwrap().current_a;
        for (sum, current) in expected.iter_mut().zip(currents) {
            *sum += sign * current * arrays.weight_max() / most_s;
        }
    }
    assert!(worst(&y, &expected) < 1e-9, "{}", worst(&y, &expected));
    // The wires matter.
    assert!(worst(&exact(programmed.read_back(), &x, Direction::Transposed), &expected) > 1e-2);
}

/// Cells that are written anew have new errors, all others keep theirs to the last bit.
#[test]
fn rewriting_leaves_other_cells_alone() {
    let table = table();
    let weights = wide(&numbers(OUTPUTS * INPUTS, 7));
    let x = wide(&numbers(INPUTS, 8));
    let mut others = weights.clone();
    for weight in others.iter_mut().step_by(7) {
        *weight *= -0.5;
    }
    let condition = Condition::new(0.0, 0.0, Effects { read_noise: false, ..Effects::ALL });
    let devices = Some(Devices::from(&table));
    let mut arrays =
        MatrixArrays::new(of(&weights), &x, Direction::Forward, &ArrayConfig::default(), devices).unwrap();
    let draws = arrays.draws(1, 0);
    let before = arrays.program(&condition, &draws).unwrap().read_back().to_vec();
    arrays.rewrite(&others).unwrap();
    let after = arrays.program(&condition, &draws).unwrap().read_back().to_vec();
    for (k, (before, after)) in before.iter().zip(&after).enumerate() {
        if k % 7 == 0 {
            // Half a level, and five times the 25 nA of 1600 that two cells of at most 40 % differ by.
            assert!((after - others[k]).abs() < 0.5 / 127.0 + 5.0 * 2.0_f64.sqrt() * 16.0 / 1600.0, "{k}");
            assert_ne!(before, after);
        } else {
            assert_eq!(before, after);
        }
    }
    assert!(arrays.rewrite(&others[1..]).is_err());
}

#[test]
fn what_a_transpose_cannot_have_is_refused() {
    let table = table();
    let weights = wide(&numbers(OUTPUTS * INPUTS, 7));
    let x = wide(&numbers(OUTPUTS, 8));
    let new = |text: &str| {
        let devices = Some(Devices::from(&table));
        MatrixArrays::new(of(&weights), &x, Direction::Transposed, &config(text), devices)
    };
    assert_eq!(new("[array]\ntopology = \"gated\"\n").unwrap_err(), AnalogError::GatedTranspose);
    let wired = new("[array]\nrow_resistance_ohm = 1.0\n").unwrap();
    let noisy = wired.program(&Condition::new(0.0, 0.0, Effects::ALL), &wired.draws(0, 0));
    assert_eq!(noisy.unwrap_err(), AnalogError::NoisyTranspose);
    assert!(MatrixArrays::new(of(&weights), &x, Direction::Forward, &config(""), None).is_err());
}
