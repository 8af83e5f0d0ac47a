//! `mho crossbar solve` against closed forms and the reference solutions of arrays with wires.

#![allow(clippy::unwrap_used)]

use mho_data::npy::{Archive, Array};
use mho_data::shared;
use mho_tests::run;
use std::path::Path;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines(values: &[f64], width: usize) -> String {
    let line = |line: &[f64]| line.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>().join(",");
    values.chunks(width).map(line).collect::<Vec<_>>().join("\n")
}

fn numbers(path: &Path) -> Vec<f64> {
    std::fs::read_to_string(path).unwrap().split([',', '\n']).filter_map(|part| part.parse().ok()).collect()
}

/// One cell: a divider of the cell and two segments.
#[test]
fn one_cell_is_a_voltage_divider() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let array = |values: Vec<f64>| Array { shape: vec![1, 1], values }.to_npy();
    std::fs::write(folder.join("g.npy"), array(vec![1e-3])).unwrap();
    std::fs::write(folder.join("v.npy"), array(vec![0.2])).unwrap();
    let arguments = ["crossbar", "solve", "--conductance", "g.npy", "--voltage", "v.npy"];
    let wires = ["--row-resistance-ohm", "100", "--column-resistance-ohm", "50", "--out", "i.npy"];
    let output = run(folder, &[&arguments[..], &wires[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let current = Array::from_npy(&std::fs::read(folder.join("i.npy")).unwrap(), "i.npy").unwrap();
    assert_eq!(current.shape, [1, 1]);
    assert!((current.values[0] / (0.2 / 1150.0) - 1.0).abs() < 1e-14, "{:?}", current.values);
}

#[test]
fn reference_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Name, rows, columns, and resistances of a row and of a column segment.
    for (name, rows, columns, row_ohm, column_ohm) in [
        ("c02_2x3", 2, 3, "1", "1"),
        ("c03_5x3", 5, 3, "0.5", "2"),
        ("c05_8x8", 8, 8, "1", "1"),
        ("c06_8x8_rwl0", 8, 8, "0", ""),
        ("c09_10x16_open", 10, 16, "", ""),
    ] {
        let Some(path) = shared::find(&format!("golden/crossbar/{name}.csv")) else { return };
        let index = std::fs::read_to_string(path.with_file_name("index.json")).unwrap();
        let index: serde_json::Value = serde_json::from_str(&index).unwrap();
        let entry = index.as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap();
        let ohm = |key: &str, given: &str| {
            let stated = entry[key].as_f64().unwrap();
            assert!(given.is_empty() || given.parse::<f64>().unwrap() == stated, "{name} {key}");
            stated.to_string()
        };
        let (row_ohm, column_ohm) = (ohm("r_wl", row_ohm), ohm("r_bl", column_ohm));
        let rows_of: Vec<Vec<String>> = std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .skip(1)
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect();
        let quantity = |wanted: &str| -> Vec<f64> {
            let kept = rows_of.iter().filter(|row| row[0] == wanted);
            kept.map(|row| row[4].parse().unwrap()).collect()
        };
        std::fs::write(folder.join("g.csv"), lines(&quantity("G_S"), columns)).unwrap();
        // Inputs stand by row and then by input, or by input and then by row: the columns say which.
        let vectors = entry["inputs"].as_u64().unwrap() as usize;
        let mut voltage = vec![0.0; vectors * rows];
        for row in rows_of.iter().filter(|row| row[0] == "V_in") {
            let at = |k: usize| row[k].parse::<usize>().unwrap();
            voltage[at(1) * rows + at(2)] = row[4].parse().unwrap();
        }
        std::fs::write(folder.join("v.csv"), lines(&voltage, rows)).unwrap();
        let output = run(
            folder,
            &[
                "crossbar",
                "solve",
                "--conductance",
                "g.csv",
                "--voltage",
                "v.csv",
                "--row-resistance-ohm",
                &row_ohm,
                "--column-resistance-ohm",
                &column_ohm,
                "--out",
                "i.csv",
                "--nodes",
                "n.npz",
            ],
        );
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let found = numbers(&folder.join("i.csv"));
        let scale = found.iter().fold(0.0f64, |a, i| a.max(i.abs()));
        for row in rows_of.iter().filter(|row| row[0] == "I_out") {
            let at = |k: usize| row[k].parse::<usize>().unwrap();
            let (ours, wanted) = (found[at(1) * columns + at(3)], row[4].parse::<f64>().unwrap());
            // Relative to the current, or to the largest where a column is nearly empty.
            assert!((ours - wanted).abs() <= 1e-9 * wanted.abs() + 1e-13 * scale, "{name} {row:?} {ours}");
        }
        let bytes = std::fs::read(folder.join("n.npz")).unwrap();
        let archive = Archive::from_npz(&bytes, "n.npz").unwrap();
        for (part, key) in [("row_v", "V_wl"), ("column_v", "V_bl")] {
            let nodes = archive.get(part).unwrap();
            assert_eq!(nodes.shape, [vectors, rows, columns]);
            for row in rows_of.iter().filter(|row| row[0] == key) {
                let at = |k: usize| row[k].parse::<usize>().unwrap();
                let ours = nodes.values[(at(1) * rows + at(2)) * columns + at(3)];
                let wanted = row[4].parse::<f64>().unwrap();
                assert!((ours - wanted).abs() <= 1e-9 * wanted.abs() + 1e-13, "{name} {row:?} {ours}");
            }
        }
    }
}

/// Ends, gates and pairs by their names, from arrays of one archive; a cell, its closed form.
#[test]
fn ends_gates_and_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let array = |shape: &[usize], values: &[f64]| Array { shape: shape.to_vec(), values: values.to_vec() };
    let members = vec![
        ("G".to_owned(), array(&[1, 1], &[1e-3])),
        ("N".to_owned(), array(&[1, 1], &[4e-4])),
        ("V".to_owned(), array(&[2, 1], &[0.2, 0.0])),
    ];
    std::fs::write(folder.join("a.npz"), Archive { members }.to_npz().unwrap()).unwrap();
    let solve = |more: &[&str]| {
        let arrays = ["crossbar", "solve", "--conductance", "a.npz:G", "--voltage", "a.npz:V"];
        let wires = ["--row-resistance-ohm", "100", "--column-resistance-ohm", "50", "--out", "i.npy"];
        let output = run(folder, &[&arrays[..], &wires, more].concat());
        assert!(output.status.success(), "{more:?} {}", text(&output.stderr));
        let current = Array::from_npy(&std::fs::read(folder.join("i.npy")).unwrap(), "i.npy").unwrap();
        assert_eq!(current.shape, [2, 1]);
        assert_eq!(current.values[1], 0.0);
        current.values[0]
    };
    let (positive, negative) = (0.2 / 1150.0, 0.2 / 2650.0);
    // Both cells of a pair on one column: it lies at V (G - N) / (1/50 + G + N) behind their rows.
    let (g, n) = (1.0 / 1100.0, 1.0 / 2600.0);
    let shared = 0.2 * (g - n) / (0.02 + g + n) * 0.02;
    // Two cells on a row: it lies at V / (1 + 100 (a + b)), with b the second cell, its column, and the
    // segment of row to it.
    let a = 1.0 / 1050.0;
    let near = 0.2 / (1.0 + 100.0 * (a + 1.0 / 2650.0));
    // The second cell hangs behind one more segment.
    let alternating = near * (a - 1.0 / 2650.0);
    let cases: [(&[&str], f64); 9] = [
        (&["--drive", "one-end", "--sense", "near"], positive),
        (&["--drive", "both-ends"], 0.2 / 1100.0),
        (&["--drive", "both-ends", "--sense", "both-ends"], 0.2 / 1075.0),
        (&["--topology", "gated"], positive),
        (&["--topology", "gated-rows"], positive),
        (&["--negative", "a.npz:N"], positive - negative),
        (&["--negative", "a.npz:N", "--pairs", "interleaved"], shared),
        (&["--negative", "a.npz:N", "--pairs", "interleaved", "--topology", "gated"], shared),
        (&["--negative", "a.npz:N", "--pairs", "alternating"], alternating),
    ];
    for (more, expected) in cases {
        let found = solve(more);
        assert!((found / expected - 1.0).abs() < 1e-12, "{more:?} {found} {expected}");
    }
    for (more, words) in [
        (["--nodes", "n.npy"], ".npz"),
        (["--conductance", "a.npz"], "several"),
        (["--conductance", "a.npz:W"], "no `W`"),
    ] {
        let mut arguments =
            vec!["crossbar", "solve", "--conductance", "a.npz:G", "--voltage", "a.npz:V", "--out", "j.npy"];
        if more[0] == "--conductance" {
            arguments[3] = more[1];
        } else {
            arguments.extend(more);
        }
        let output = run(folder, &arguments);
        let message = text(&output.stderr);
        assert!(!output.status.success() && message.contains(words), "{message}");
    }
}

#[test]
fn bad_arrays_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("g.csv"), "1e-6,2e-6\n3e-6,x\n").unwrap();
    std::fs::write(folder.join("n.csv"), "1e-6,-2e-6\n3e-6,4e-6\n").unwrap();
    std::fs::write(folder.join("ok.csv"), "1e-6,2e-6\n3e-6,4e-6\n").unwrap();
    std::fs::write(folder.join("v.csv"), "0.1,0.2\n").unwrap();
    std::fs::write(folder.join("w.csv"), "0.1,0.2,0.3\n").unwrap();
    for (conductance, voltage, words) in [
        ("g.csv", "v.csv", "g.csv:2: found `x`"),
        ("n.csv", "v.csv", "row 0, column 1"),
        ("ok.csv", "w.csv", "3 voltages"),
        ("none.npy", "v.csv", "none.npy"),
        ("ok.csv", "g.csv", "g.csv:2"),
    ] {
        let output = run(
            folder,
            &["crossbar", "solve", "--conductance", conductance, "--voltage", voltage, "--out", "i.npy"],
        );
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{message}");
        assert!(message.contains(words), "{message}");
        assert!(!folder.join("i.npy").exists());
    }
}

/// A steep cell behind a resistor: I R + asinh(a I / g) / a = V, at 76 and at 200 times its voltage unit.
#[test]
fn steep_cells() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let npy = |value: f64| Array { shape: vec![1, 1], values: vec![value] }.to_npy();
    std::fs::write(folder.join("g.npy"), npy(1e-6)).unwrap();
    for (volts, a) in [(2.0, 38.0), (5.0, 40.0), (0.3, 4.0)] {
        std::fs::write(folder.join("v.npy"), npy(volts)).unwrap();
        let (cell, wires) = (format!("sinh:{a}"), ["--row-resistance-ohm", "100", "--out", "i.npy"]);
        let array = ["crossbar", "solve", "--conductance", "g.npy", "--voltage", "v.npy", "--cell", &cell];
        let output = run(folder, &[&array[..], &wires].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let found =
            Array::from_npy(&std::fs::read(folder.join("i.npy")).unwrap(), "i.npy").unwrap().values[0];
        // The law that the current should meet; its slope against the current is the sum of both.
        let left = 100.0 * found + (a * found / 1e-6).asinh() / a - volts;
        assert!(left.abs() < 1e-12 * volts, "{volts} V, {a}/V: {found} A leave {left} V");
    }
}

/// W is outputs x inputs, X vectors x inputs, Y vectors x outputs; none of the three lengths are equal.
#[test]
fn products_of_a_matrix_on_an_array() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let weights: Vec<f64> = (0..12).map(|i| f64::from(i % 5) - 2.0).collect();
    let inputs: Vec<f64> = (0..20).map(|i| f64::from(i % 7) * 0.25 - 0.5).collect();
    let npy =
        |shape: &[usize], values: &[f64]| Array { shape: shape.to_vec(), values: values.to_vec() }.to_npy();
    std::fs::write(folder.join("w.npy"), npy(&[3, 4], &weights)).unwrap();
    std::fs::write(folder.join("x.npy"), npy(&[5, 4], &inputs)).unwrap();
    let fine = "[mapping]\nweight_bits = 16\n[input]\nbits = 16\n[output]\nbits = 16\n";
    std::fs::write(folder.join("fine.toml"), fine).unwrap();
    std::fs::write(folder.join("narrow.toml"), format!("{fine}range = [-1.1, 1.1]\n")).unwrap();
    let mvm = |array: &str, more: &[&str]| {
        let fixed =
            ["crossbar", "mvm", "--weights", "w.npy", "--input", "x.npy", "--out", "y.npy", "--array"];
        let output = run(folder, &[&fixed[..], &[array], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let y = Array::from_npy(&std::fs::read(folder.join("y.npy")).unwrap(), "y.npy").unwrap();
        assert_eq!(y.shape, [5, 3]);
        (y.values, text(&output.stdout), text(&output.stderr))
    };
    let exact: Vec<f64> = inputs
        .chunks(4)
        .flat_map(|x| weights.chunks(4).map(move |w| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()))
        .collect();
    let (fine, _, told) = mvm("fine.toml", &[]);
    for (y, exact) in fine.iter().zip(&exact) {
        // 16 bits of weights, inputs and outputs: some 1e-4 of the range of about 6.
        assert!((y - exact).abs() < 1e-3, "{y} {exact}");
    }
    assert!(!told.contains("saturated"), "{told}");
    let (narrow, printed, told) = mvm("narrow.toml", &["--json"]);
    let beyond = exact.iter().filter(|y| y.abs() > 1.1).count();
    assert!(narrow.iter().all(|y| y.abs() <= 1.1 + 1e-6) && beyond > 0);
    assert!(told.contains(&format!("{beyond} of 15 outputs saturated")), "{told}");
    let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(document["outputs_saturated"], beyond);
    assert_eq!(document["input_conversions"], 20);
    assert_eq!(document["weight_max"], 2.0);
    // Columns with their own scales, and rows for biases that a matrix does not have.
    let columns = "[mapping]\nscale = \"column\"\nbias = \"array\"\nweight_bits = 16\n[input]\nbits = 16\n[output]\nbits = 16\n";
    std::fs::write(folder.join("columns.toml"), columns).unwrap();
    let (columns, _, told) = mvm("columns.toml", &[]);
    assert!(columns.iter().zip(&exact).all(|(y, exact)| (y - exact).abs() < 1e-3), "{columns:?}");
    assert!(told.contains("a matrix has no bias"), "{told}");
}

/// Analog numbers in double precision: with the matrix, with its transpose, of complex numbers, written anew, and
/// of vectors on several axes. Cells that are read out give the same currents when they are solved.
#[test]
fn products_are_those_of_the_matrix() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let analog =
        "[mapping]\nweight_bits = 0\n[input]\nbits = 0\n[output]\nbits = 0\n[cell]\non_off_ratio = inf\n";
    std::fs::write(folder.join("analog.toml"), analog).unwrap();
    let numbers = |count: usize, by: f64| -> Vec<f64> { (0..count).map(|i| (by * i as f64).sin()).collect() };
    let (w, wi, x, xi) = (numbers(12, 1.1), numbers(12, 0.7), numbers(8, 1.3), numbers(8, 0.9));
    let array = |shape: &[usize], values: &[f64]| Array { shape: shape.to_vec(), values: values.to_vec() };
    let save = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
    save("w.npy", array(&[3, 4], &w).to_npy());
    save("x.npy", array(&[2, 1, 4], &x).to_npy());
    save("wc.npy", array(&[3, 4], &w).to_complex_npy(&wi));
    save("xc.npy", array(&[2, 4], &x).to_complex_npy(&xi));
    save("zc.npy", array(&[2, 3], &x[..6]).to_complex_npy(&xi[..6]));
    let mvm = |weights: &str, input: &str, more: &[&str]| -> (Array, Option<Array>) {
        let fixed = ["crossbar", "mvm", "--array", "analog.toml", "--out", "y.npy"];
        let output = run(folder, &[&fixed[..], &["--weights", weights, "--input", input], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        Array::parts_from_npy(&std::fs::read(folder.join("y.npy")).unwrap(), "y.npy").unwrap()
    };
    let near = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            // Rounding of sums of eight products of numbers up to 1.
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
    };
    // sum over the inputs of each line of x with a line of w, or with a column of it.
    let rows = |w: &[f64], x: &[f64]| -> Vec<f64> {
        let line =
            |x: &[f64]| w.chunks(4).map(|w| w.iter().zip(x).map(|(w, x)| w * x).sum()).collect::<Vec<f64>>();
        x.chunks(4).flat_map(line).collect()
    };
    let columns = |w: &[f64], x: &[f64]| -> Vec<f64> {
        let line =
            |x: &[f64]| (0..4).map(|i| (0..3).map(|j| w[4 * j + i] * x[j]).sum()).collect::<Vec<f64>>();
        x.chunks(3).flat_map(line).collect()
    };
    let less = |a: Vec<f64>, b: Vec<f64>, sign: f64| -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| a + sign * b).collect()
    };
    let (y, none) = mvm("w.npy", "x.npy", &["--read-back", "r.npy", "--cells", "c.npz"]);
    assert!(y.shape == [2, 1, 3] && none.is_none());
    near(&y.values, &rows(&w, &x));
    let read = |name: &str| Array::from_npy(&std::fs::read(folder.join(name)).unwrap(), name).unwrap();
    near(&read("r.npy").values, &w);
    let (y, imaginary) = mvm("wc.npy", "xc.npy", &[]);
    near(&y.values, &less(rows(&w, &x), rows(&wi, &xi), -1.0));
    near(&imaginary.unwrap().values, &less(rows(&w, &xi), rows(&wi, &x), 1.0));
    let (y, imaginary) = mvm("w.npy", "xc.npy", &[]);
    near(&y.values, &rows(&w, &x));
    near(&imaginary.unwrap().values, &rows(&w, &xi));
    let (y, imaginary) = mvm("wc.npy", "zc.npy", &["--transpose"]);
    near(&y.values, &less(columns(&w, &x[..6]), columns(&wi, &xi[..6]), -1.0));
    near(&imaginary.unwrap().values, &less(columns(&w, &xi[..6]), columns(&wi, &x[..6]), 1.0));
    let mut other = w.clone();
    other[5] = 0.25;
    save("other.npy", array(&[3, 4], &other).to_npy());
    let (y, _) = mvm("w.npy", "x.npy", &["--rewrite", "other.npy"]);
    near(&y.values, &rows(&other, &x));
    // 1600 nA at 0.1 V are the largest weight; inputs are volts.
    save("v.npy", array(&[2, 4], &x).to_npy());
    let solve = ["crossbar", "solve", "--conductance", "c.npz:tile0_slice0_positive", "--voltage", "v.npy"];
    let output =
        run(folder, &[&solve[..], &["--negative", "c.npz:tile0_slice0_negative", "--out", "i.npz"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let currents = Archive::from_npz(&std::fs::read(folder.join("i.npz")).unwrap(), "i.npz").unwrap();
    let most = w.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
    let scaled: Vec<f64> = currents.get("I").unwrap().values.iter().map(|i| i * most / 16e-6).collect();
    near(&scaled, &rows(&w, &x));
}

#[test]
fn bad_products_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("w.csv"), "1,2\n3,4\n").unwrap();
    std::fs::write(folder.join("x.csv"), "1,2\n").unwrap();
    std::fs::write(folder.join("three.csv"), "1,2,3\n").unwrap();
    std::fs::write(folder.join("endless.csv"), "1,inf\n").unwrap();
    std::fs::write(folder.join("huge.csv"), "1e200,1e200\n").unwrap();
    std::fs::write(folder.join("huge_w.csv"), "1e200,2\n3,4\n").unwrap();
    std::fs::write(folder.join("last.toml"), "[mapping]\ndigital_layers = [\"conv\"]\n").unwrap();
    std::fs::write(folder.join("fine.toml"), "[mapping]\nweight_bits = 0\n[output]\nrange = \"granular\"\n")
        .unwrap();
    std::fs::write(folder.join("ok.toml"), "").unwrap();
    std::fs::write(folder.join("bad.toml"), "[mapping]\nweight_bits = 99\n").unwrap();
    for (weights, input, array, more, code, words) in [
        ("w.csv", "three.csv", "ok.toml", "", 3, "3 numbers"),
        ("w.csv", "endless.csv", "ok.toml", "", 3, "row 0, column 1"),
        ("huge_w.csv", "huge.csv", "ok.toml", "", 3, "beyond double precision"),
        ("w.csv", "x.csv", "last.toml", "", 3, "digital_layers"),
        ("w.csv", "x.csv", "fine.toml", "", 3, "granular"),
        ("w.csv", "x.csv", "ok.toml", "--rewrite=x.csv", 3, "1 x 2 weights"),
        ("w.csv", "x.csv", "ok.toml", "--cells=c.npy", 2, ".npz"),
        ("w.csv", "x.csv", "ok.toml", "--read-back=r.txt", 2, ".npy"),
        ("w.csv", "x.csv", "bad.toml", "", 3, "bad.toml:2"),
        ("w.csv", "x.csv", "none.toml", "", 3, "none.toml"),
        ("w.csv", "x.csv", "ok.toml", "--effects=all", 2, "need a device table"),
        ("w.csv", "x.csv", "ok.toml", "--table=w.csv", 3, "w.csv"),
    ] {
        let fixed =
            ["crossbar", "mvm", "--out", "y.npy", "--weights", weights, "--input", input, "--array", array];
        let more: &[&str] = if more.is_empty() { &[] } else { &[more] };
        let output = run(folder, &[&fixed[..], more].concat());
        let message = text(&output.stderr);
        assert!(message.contains(words), "{message}");
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(!folder.join("y.npy").exists());
    }
}
