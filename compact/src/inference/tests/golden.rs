//! Against another tool's draws and closed forms (shared golden files).

use crate::inference::pcm::Pcm;
use crate::inference::wan::Wan;
use crate::inference::{Cell, Distribution, Read, find};

fn rows(name: &str) -> Option<Vec<Vec<String>>> {
    let Some(path) = mho_data::shared::find(&format!("golden/laws/{name}")) else {
        eprintln!("SKIPPED: golden/laws/{name} is not there");
        return None;
    };
    let text = std::fs::read_to_string(path).unwrap();
    Some(text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect())
}

/// Draws behind each row.
const DRAWS: f64 = 4e5;

/// Kurtosis of a standard normal number clipped to an interval, by the midpoint rule.
fn clipped_kurtosis(low: f64, high: f64) -> f64 {
    let points = 40_000;
    let step = 16.0 / f64::from(points);
    let draws = (0..points).map(|i| -8.0 + (f64::from(i) + 0.5) * step);
    let weighted: Vec<(f64, f64)> = draws
        .map(|z| (z.clamp(low, high), (-0.5 * z * z).exp() * step / std::f64::consts::TAU.sqrt()))
        .collect();
    let mean: f64 = weighted.iter().map(|(x, w)| w * x).sum();
    let moment = |power: i32| weighted.iter().map(|(x, w)| w * (x - mean).powi(power)).sum::<f64>();
    moment(4) / moment(2).powi(2)
}

/// 400 000 draws each: means within 4 standard errors, standard deviations within half a percent. The exponents'
/// columns are of the law of each cell: mean within 4 standard errors.
#[test]
fn moments_of_published_laws() {
    let Some(rows) = rows("noise_models.csv") else { return };
    let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let mut checked = 0;
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row[3] != "ERR") {
        let (target, mean, std) = (number(&row[1]), number(&row[3]), number(&row[4]));
        let cell: Box<dyn Cell> = match row[0].as_str() {
            "PCMLike_g25" => find("pcm").unwrap().default_cell(),
            "Hermes2_g20.7" => find("hermes").unwrap().default_cell(),
            "Hermes1_g10.35" => find("hermes-one").unwrap().default_cell(),
            "Wan2022_g40" => find("wan").unwrap().default_cell(),
            "Wan2022_g20" => Box::new(Wan { g_max_us: 20.0, ..Wan::default() }),
            "CMO_g90_9" => find("cmo").unwrap().default_cell(),
            other => panic!("{other}"),
        };
        let at_bound = row[0].starts_with("CMO") && (target == 9.0 || target == 90.0);
        let mut kurtosis = None;
        let (found_mean, found_std) = if at_bound && number(&row[2]) > 0.0 {
            // There it clips reads, here cells are clipped: the reads' normal, bounded.
            let time = number(&row[2]);
            let moved = cell.evolution(target, 0.0, time);
            let free = target + moved.offset_us;
            let sigma = cell.programmed(target).sigma_us.hypot(moved.spread_us);
            let sigma = sigma.hypot(cell.read_sigma_us(free, target, time));
            kurtosis = Some(clipped_kurtosis((9.0 - free) / sigma, (90.0 - free) / sigma));
            let (shift, square) = crate::inference::normal::clamped(sigma, 9.0 - free, 90.0 - free);
            (free + shift, (square - shift * shift).sqrt())
        } else if row[2] == "prog" {
            let cells = Distribution::new(cell.as_ref(), target, 0.0);
            (cells.mean_us(), cells.sigma_us())
        } else {
            let read = Read::new(cell.as_ref(), target, number(&row[2]));
            (read.mean_us, read.sigma_us)
        };
        // Where reads are clipped, few draws make the standard deviation: four of its standard errors,
        // sqrt((kurtosis - 1) / 4 n) of it.
        let std_error = kurtosis.map_or(5e-3, |kurtosis| 4.0 * (0.25 * (kurtosis - 1.0) / DRAWS).sqrt());
        if (found_mean - mean).abs() > 4.0 * std / 632.0 || (found_std / std - 1.0).abs() > std_error {
            wrong.push(format!("{row:?}: {found_mean:.5} {found_std:.5}"));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 200);
}

/// Closed forms, 8 digits.
#[test]
fn phase_change_memory_in_closed_form() {
    let Some(rows) = rows("pcm_analytic.csv") else { return };
    let pcm = Pcm::default();
    for row in &rows {
        let v: Vec<f64> = row.iter().map(|text| text.parse().unwrap()).collect();
        let exponent = pcm.exponent(v[0]);
        let ln = (v[1] / pcm.t_0_s).ln_1p();
        let found = [
            pcm.programmed(v[0]).sigma_us,
            exponent.mean,
            exponent.std,
            pcm.read_sigma_us(1.0, v[0], v[1]),
            (-exponent.mean * ln + 0.5 * (exponent.std * ln).powi(2)).exp(),
        ];
        for (found, wanted) in found.iter().zip(&v[2..]) {
            assert!((found / wanted - 1.0).abs() < 1e-7, "{v:?}: {found} {wanted}");
        }
    }
    assert!(rows.len() > 60);
}

/// Programming errors of CrossSim 3.2's devices: conductances are over the largest, and span what its ratio leaves.
#[test]
fn programming_errors_equal_crosssim() {
    use crate::inference::generic::Generic;
    let Some(path) = mho_data::shared::find("golden/crosssim/devices.npz") else { return };
    let bytes = std::fs::read(path).unwrap();
    let data = mho_data::npy::Archive::from_npz(&bytes, "devices.npz").unwrap();
    let none = Generic { g_max_us: 1.0, error_constant: 0.0, ..Generic::default() };
    let cases: [(&str, Box<dyn Cell>, [f64; 2]); 5] = [
        ("generic/NormalIndependentDevice", Box::new(Generic { error_constant: 0.02, ..none }), [0.1, 1.0]),
        ("generic/NormalProportionalDevice", Box::new(Generic { error_linear: 0.02, ..none }), [0.1, 1.0]),
        (
            "generic/NormalInverseProportionalDevice",
            Box::new(Generic { error_inverse: 0.02, ..none }),
            [0.1, 1.0],
        ),
        ("PCMJoshi/prog", find("pcm-joshi").unwrap().default_cell(), [0.25, 25.0]),
        ("RRAMMilo/prog", find("milo").unwrap().default_cell(), [50.0, 225.0]),
    ];
    for (name, cell, [least_us, most_us]) in cases {
        let get = |part: &str| &data.get(&format!("{name}/{part}")).unwrap().values;
        let unit = (most_us - least_us) / (1.0 - least_us / most_us);
        for ((g, mean), sigma) in get("g").iter().zip(get("mean")).zip(get("sigma")) {
            let target_us = least_us + unit * (g - least_us / most_us);
            let found = cell.programmed(target_us);
            assert!((found.sigma_us / unit - sigma).abs() < 1e-12, "{name} {g}: {}", found.sigma_us);
            // Errors of these devices move no mean.
            assert!((g - mean).abs() < 1e-12, "{name} {g}");
        }
    }
}
