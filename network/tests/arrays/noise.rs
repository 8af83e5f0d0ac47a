//! Read noise: that of the output is that of drawing each cell anew.

use super::*;

/// Kolmogorov and Smirnov's distance of two samples.
fn distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_unstable_by(f64::total_cmp);
    b.sort_unstable_by(f64::total_cmp);
    let (mut i, mut j, mut worst) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let at = a[i].min(b[j]);
        while i < a.len() && a[i] <= at {
            i += 1;
        }
        while j < b.len() && b[j] <= at {
            j += 1;
        }
        worst = worst.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    worst
}

/// 1e5 reads of one vector against 1e5 sums over cells that are drawn anew for each of them. With n
/// draws of each, the distance passes 2.23 sqrt(2/n) with a probability of 1e-4 if the distributions are
/// equal; 1.03 times the noise would be found (0.0072 of distance, seen below).
#[test]
fn output_noise_has_the_distribution_of_cells_drawn_anew() {
    let (table, inputs, reads) = (table(), 16, 100_000);
    let graph = matrix(2, inputs, numbers(2 * inputs, 5));
    let one = numbers(inputs, 6);
    let x = tensor(&[reads, inputs], one.repeat(reads));
    let arrays =
        Arrays::new(&graph, std::slice::from_ref(&x), &ArrayConfig::default(), Some((&table).into()))
            .unwrap();
    let noisy = Effects { read_noise: true, ..Effects::NONE };
    let programmed = arrays.program(&at(noisy), &arrays.draws(1, 0)).unwrap();
    let y = graph.run(&programmed, &[x]).unwrap();
    let most = graph.layers()[0].weights().iter().fold(0.0_f32, |most, w| most.max(w.abs()));
    let stream = Stream::new(9, &["each cell"], &[]);
    let mut normals = vec![0.0_f32; 2 * inputs];
    for output in 0..2 {
        let found: Vec<f64> = y[0].values().chunks_exact(2).map(|y| f64::from(y[output])).collect();
        let weights = &graph.layers()[0].weights()[output * inputs..(output + 1) * inputs];
        let currents: Vec<[f64; 2]> = weights
            .iter()
            .map(|w| {
                let w = f64::from(w / most);
                [w.max(0.0), (-w).max(0.0)].map(|f| 1.6e-4 + (1600.0 - 1.6e-4) * f)
            })
            .collect();
        let draw = |read: usize, normals: &mut [f32]| -> f64 {
            stream.fill_normal_f32(((output * reads + read) * normals.len()) as u64, normals);
            let cells = currents.iter().zip(normals.chunks_exact(2)).zip(&one);
            let sum: f64 = cells
                .map(|((pair, z), x)| {
                    let cell = |k: usize| pair[k] + table.read_noise_na(pair[k]) * f64::from(z[k]);
                    (cell(0) - cell(1)) * f64::from(*x)
                })
                .sum();
            sum / 1600.0 * f64::from(most)
        };
        let expected: Vec<f64> = (0..reads).map(|read| draw(read, &mut normals)).collect();
        let ((mean, sigma), (mean_expected, sigma_expected)) = (moments(&found), moments(&expected));
        // Five standard errors of a difference of two means; of two standard deviations.
        let n = reads as f64;
        assert!((mean - mean_expected).abs() < 5.0 * sigma * (2.0 / n).sqrt());
        assert!((sigma / sigma_expected - 1.0).abs() < 5.0 * (1.0 / n).sqrt());
        let limit = 2.23 * (2.0 / n).sqrt();
        let wider: Vec<f64> = found.iter().map(|y| mean + 1.05 * (y - mean)).collect();
        let (same, other) = (distance(found, expected.clone()), distance(wider, expected));
        eprintln!(
            "output {output}: distance {same:.5}, with 1.05 times the noise {other:.5}, limit {limit:.5}"
        );
        assert!(same < limit, "{same} {limit}");
        assert!(other > limit, "{other} {limit}");
    }
}

/// Noise is a function of the read, not of the batch or of what was read before.
#[test]
fn reads_are_numbered() {
    let (table, graph) = (table(), matrix(3, 8, numbers(24, 5)));
    let x = tensor(&[40, 8], numbers(8, 6).repeat(40));
    let arrays =
        Arrays::new(&graph, std::slice::from_ref(&x), &ArrayConfig::default(), Some((&table).into()))
            .unwrap();
    let noisy = Effects { read_noise: true, ..QUANTISED };
    let programmed = arrays.program(&at(noisy), &arrays.draws(1, 0)).unwrap();
    let y = graph.run(&programmed, std::slice::from_ref(&x)).unwrap();
    assert_eq!(y, graph.run(&programmed, std::slice::from_ref(&x)).unwrap());
    let part = tensor(&[10, 8], x.values()[..80].to_vec());
    assert_eq!(graph.run(&programmed, &[part]).unwrap()[0].values(), &y[0].values()[..30]);
    assert!(y[0].values().chunks_exact(3).skip(1).any(|row| row != &y[0].values()[..3]));
    let weights = programmed.effective_weights(LayerId(0)).unwrap();
    assert!(weights.iter().zip(graph.layers()[0].weights()).all(|(a, b)| (a - b).abs() < 0.005));
}
