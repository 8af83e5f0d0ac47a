//! Cells of resistive memories, drawn anew for every fit.

use mho_compact::inference::Model;
use mho_compact::inference::synthetic::Draw;

/// Parameters with values that are not their defaults.
type Changes = &'static [(&'static str, f64)];

/// Parameters that are not at their defaults, where those are no effect at all, and what is drawn: targets inside the
/// window and away from the corners of bounded lines, where the linearised law fails.
pub fn plan(model: &Model) -> (Changes, Draw) {
    let window = model.default_cell().window_us();
    let even = |count: usize| -> Vec<f64> {
        (1..=count).map(|i| window[0] + (window[1] - window[0]) * i as f64 / (count + 1) as f64).collect()
    };
    let (changes, targets_us, times_s, reads): (Changes, Vec<f64>, &[f64], usize) = match model.info.name {
        "pcm" | "pcm-joshi" => {
            (&[], vec![1.5, 2.5, 3.2, 4.0, 4.7, 15.0, 20.0, 25.0], &[0.0, 600.0, 86_400.0], 2)
        }
        "milo" => (&[], (0..8).map(|i| 50.0 + 25.0 * f64::from(i)).collect(), &[0.0], 1),
        "wan" => (&[], vec![6.0, 15.0, 23.0, 31.0, 40.0], &[1.0, 86_400.0, 172_800.0], 1),
        "cmo" => (&[], vec![15.0, 30.0, 45.0, 60.0, 75.0], &[0.0, 10.0, 1e3, 86_400.0], 2),
        "hermes" => (&[], vec![0.4, 2.2, 6.5, 12.0, 20.0], &[0.0, 600.0, 86_400.0], 2),
        "taox" => (
            &[("error_square", 0.01), ("shift_per_decade", 0.004), ("relax_per_decade", 0.006)],
            vec![20.0, 40.0, 60.0, 80.0, 95.0],
            &[0.0, 10.0, 1e4, 1e6],
            1,
        ),
        "bulk-reram" => {
            (&[("ions", 3e3), ("activation_ev", 1.01)], vec![0.1, 0.3, 0.7, 0.9], &[0.0, 1e5, 1e6, 1e7], 1)
        }
        "generic-proportional" => (&[("error_linear", 0.11)], even(5), &[0.0], 1),
        "state-independent" => {
            (&[("nu_mean", 0.07), ("nu_std", 0.02), ("read_error", 0.002)], even(5), &[0.0, 1e3, 1e5], 2)
        }
        _ => (&[], even(6), &[0.0, 1e3, 1e5], 2),
    };
    (changes, Draw { targets_us, cells: CELLS, times_s: times_s.to_vec(), reads, read_v: 0.2, seed: 0 })
}

/// Cells of each target: four blocks of sixteen.
const CELLS: usize = 64;
