//! Noise against finite differences, draws, and inputs.

use super::*;
use mho_data::random::Stream;

fn sample(n: usize, seed: usize) -> Vec<f64> {
    (0..n).map(|at| 1e-6 * (1 + (at * 7919 + seed * 104_729) % 97) as f64).collect()
}

const WIRES: Wires = Wires {
    row_ohm: 120.0,
    column_ohm: 200.0,
    row_terminal_ohm: 30.0,
    column_terminal_ohm: 70.0,
    drive: Ends::First,
    sense: Ends::Last,
    topology: Topology::InputSource,
};

/// Standard deviations of outputs from central differences of the currents in each conductance.
fn by_differences(g: &[f64], sigma: &[f64], currents: impl Fn(Vec<f64>) -> Vec<f64>) -> Vec<f64> {
    let mut variance = Vec::new();
    for at in 0..g.len() {
        let step = 1e-5 * g[at];
        let moved = |by: f64| {
            let mut g = g.to_vec();
            g[at] += by;
            currents(g)
        };
        let (up, down) = (moved(step), moved(-step));
        variance.resize(up.len(), 0.0);
        for ((sum, up), down) in variance.iter_mut().zip(&up).zip(&down) {
            *sum += ((up - down) / (2.0 * step) * sigma[at]).powi(2);
        }
    }
    variance.into_iter().map(f64::sqrt).collect()
}

#[test]
fn adjoint_equals_differences() {
    let (rows, columns) = (5, 4);
    let (g, sigma) = (sample(20, 1), sample(20, 5));
    for topology in [Topology::InputSource, Topology::GatedRows, Topology::GatedColumns] {
        let wires = Wires { topology, ..WIRES };
        let input = if topology.gated() { [0.4, 0.0, 0.4, 0.4, 0.0] } else { [0.4, -0.2, 0.1, 0.3, 0.0] };
        for cell in [Cell::Linear, Cell::Sinh(5.0)] {
            let new = |g| Crossbar::new(rows, columns, g, &wires, cell).unwrap();
            let exact = by_differences(&g, &sigma, |g| new(g).solve(&input).unwrap().column_current_a);
            let found = new(g.clone()).read_noise(&input, sigma.clone()).unwrap();
            // Voltages to 1e-5; truncation and rounding of the differences are below.
            assert!(difference(&found, &exact) < 3e-5, "{topology:?} {cell:?} {found:?} {exact:?}");
            for layout in [PairLayout::Separate, PairLayout::Interleaved, PairLayout::Alternating] {
                let (both, sigmas) =
                    ([g.clone(), sample(20, 2)].concat(), [sigma.clone(), sample(20, 6)].concat());
                let new = |both: &[f64]| {
                    let (positive, negative) = both.split_at(20);
                    let lists = (positive.to_vec(), negative.to_vec());
                    Pairs::new(rows, columns, lists.0, lists.1, layout, &wires, cell).unwrap()
                };
                let currents = |both: Vec<f64>| new(&both).solve_many(&input).unwrap().current_a;
                let exact = by_differences(&both, &sigmas, currents);
                let (positive, negative) = sigmas.split_at(20);
                let found = new(&both).read_noise(&input, positive.to_vec(), negative.to_vec()).unwrap();
                assert!(difference(&found, &exact) < 3e-5, "{topology:?} {cell:?} {layout:?}");
            }
        }
    }
}

/// Drawing every cell anew gives the same standard deviations.
#[test]
fn draws_of_every_cell() {
    let (rows, columns, draws) = (6, 5, 4000);
    let g = sample(30, 3);
    let sigma: Vec<f64> = g.iter().map(|g| 0.02 * g).collect();
    let input = [0.2, 0.1, -0.3, 0.05, 0.4, -0.1];
    let array = Crossbar::new(rows, columns, g.clone(), &WIRES, Cell::Linear).unwrap();
    let expected = array.read_noise(&input, sigma.clone()).unwrap();
    let mut sums = vec![(0.0, 0.0); columns];
    for draw in 0..draws {
        let stream = Stream::new(7, &["test"], &[draw]);
        let noisy = (0..30).map(|at| g[at] + sigma[at] * stream.normal(at as u64)).collect();
        let array = Crossbar::new(rows, columns, noisy, &WIRES, Cell::Linear).unwrap();
        for (sum, current) in sums.iter_mut().zip(array.solve(&input).unwrap().column_current_a) {
            *sum = (sum.0 + current, sum.1 + current * current);
        }
    }
    for (sum, expected) in sums.iter().zip(expected) {
        let mean = sum.0 / draws as f64;
        let found = (sum.1 / draws as f64 - mean * mean).sqrt();
        // Five standard errors of a standard deviation; the second order in 2 % of noise is 1e-3 or less.
        assert!(
            (found / expected - 1.0).abs() < 5.0 / (2.0 * draws as f64).sqrt() + 1e-3,
            "{found} {expected}"
        );
    }
}

/// The map's product with squared inputs, for inputs as it is made for, against the exact noise.
#[test]
fn map_of_variances() {
    let n = 24;
    let (g, sigma) = (sample(n * n, 1), sample(n * n, 4));
    // Wires that take a third of the current.
    let wires = Wires { row_ohm: 16.0, column_ohm: 32.0, ..Wires::default() };
    let array = Crossbar::new(n, n, g, &wires, Cell::Linear).unwrap();
    let ideal = Crossbar::new(n, n, sigma.clone(), &Wires::default(), Cell::Linear).unwrap();
    let loss = array.solve(&vec![1.0; n]).unwrap().column_current_a.iter().sum::<f64>()
        / array.layers.conductance_s[0].iter().sum::<f64>();
    assert!(loss < 0.7, "{loss}");
    // Inputs of both signs, positive parts, uniform.
    for (coherence, shape) in [(0.0, 0), (1.0 / std::f64::consts::PI, 1), (0.75, 2)] {
        let map = array.variance_map(sigma.clone(), coherence).unwrap();
        let (mut found, mut exact) = (0.0, 0.0);
        for k in 0..40 {
            let stream = Stream::new(3, &["inputs"], &[shape, k]);
            let input: Vec<f64> = (0..n as u64)
                .map(|i| match shape {
                    0 => stream.normal(i),
                    1 => stream.normal(i).max(0.0),
                    _ => stream.uniform(i),
                })
                .collect();
            let squares: Vec<f64> = input.iter().map(|v| v * v).collect();
            found += product(&squares, &map).iter().sum::<f64>();
            exact += array.read_noise(&input, sigma.clone()).unwrap().iter().map(|s| s * s).sum::<f64>();
        }
        println!("coherence {coherence}: {:.4}", (found / exact).sqrt());
        assert!(((found / exact).sqrt() - 1.0).abs() < 0.02, "{coherence} {}", (found / exact).sqrt());
    }
    // Without wires it is the square of the noise.
    let squares: Vec<f64> = sigma.iter().map(|s| s * s).collect();
    assert!(difference(&ideal.variance_map(sigma, 0.3).unwrap(), &squares) < 1e-12);
}
