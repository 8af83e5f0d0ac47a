//! Effective conductances of the next sample.

use super::*;
use mho_data::random::Stream;

fn sample(n: usize, seed: u64, spread: f64) -> Vec<f64> {
    let (base, stream) = (Stream::new(1, &["base"], &[]), Stream::new(2, &["sample"], &[seed]));
    (0..n as u64)
        .map(|at| 10f64.powf(-6.0 + 2.0 * base.uniform(at)) * (1.0 + spread * stream.normal(at)).max(0.0))
        .collect()
}

/// Root mean square of the errors of the currents over that of the currents, for inputs that the check did not
/// see.
fn error(found: &[f64], exact: &[f64], rows: usize) -> f64 {
    let (mut all, mut scale) = (0.0, 0.0);
    for seed in 0..20 {
        let stream = Stream::new(9, &["inputs"], &[seed]);
        let input: Vec<f64> = (0..rows as u64).map(|i| stream.normal(i)).collect();
        let (found, exact) = (product(&input, found), product(&input, exact));
        all += found.iter().zip(&exact).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        scale += exact.iter().map(|a| a * a).sum::<f64>();
    }
    (all / scale).sqrt()
}

#[test]
fn corrected_within_its_bound_or_solved() {
    let n = 64;
    let mut corrected = 0;
    for ohm in [0.0, 0.5, 4.0, 100.0] {
        let wires = Wires { row_ohm: ohm, column_ohm: 2.0 * ohm, ..Wires::default() };
        let new = |g: &[f64]| Crossbar::new(n, n, g.to_vec(), &wires, Cell::Linear).unwrap();
        let known = new(&sample(n * n, 0, 0.0)).effective().unwrap();
        for (seed, spread, tolerance) in [(1, 0.05, 1e-2), (2, 0.05, 1e-3), (3, 0.02, 1e-4), (4, 0.3, 1e-5)] {
            let g = sample(n * n, seed, spread);
            let exact = new(&g).effective().unwrap();
            let found = known.update(g, tolerance).unwrap();
            let error = error(found.matrix(), exact.matrix(), n);
            println!("{ohm} ohm, {spread}, {tolerance:e}: {:?}, {error:.1e}", found.method);
            assert!(error <= tolerance, "{error}");
            if let Method::Corrected { error: bound } = found.method {
                corrected += 1;
                assert!(error <= bound + 1e-11, "{error} {bound}");
            }
        }
    }
    assert!(corrected >= 6, "{corrected}");
}

/// A drift of all cells alike, and pairs in every layout.
#[test]
fn drift_of_pairs() {
    let n = 32;
    let wires = Wires { row_ohm: 1.0, column_ohm: 1.0, ..Wires::default() };
    let (positive, negative) = (sample(n * n, 5, 0.1), sample(n * n, 6, 0.1));
    let faded = |g: &[f64]| g.iter().map(|g| 0.9 * g).collect::<Vec<f64>>();
    for layout in [PairLayout::Separate, PairLayout::Interleaved, PairLayout::Alternating] {
        let new =
            |positive, negative| Pairs::new(n, n, positive, negative, layout, &wires, Cell::Linear).unwrap();
        let known = new(positive.clone(), negative.clone()).effective().unwrap();
        let (positive, negative) = (faded(&positive), faded(&negative));
        let exact = new(positive.clone(), negative.clone()).effective().unwrap();
        let found = known.update(positive, negative, 1e-3).unwrap();
        println!("{layout:?}: {:?}", found.methods());
        assert!(exact.error_s().unwrap() < 1e-13);
        // Positive and negative cells of random sizes: the difference is of the size of either.
        let error = error(&found.difference_s, &exact.difference_s, n);
        assert!(error < 2e-3, "{error}");
        assert!(found.methods().iter().all(|method| matches!(method, Method::Corrected { .. })));
    }
}
