//! What every law must do.

use crate::inference::{Distribution, MODELS, Population, TableSource};
use mho_data::provenance::Origin;
use mho_lut::CellSource;

const TIMES_S: [f64; 5] = [0.0, 1.0, 3600.0, 86_400.0, 172_800.0];

#[test]
fn names_are_unique_and_defaults_lie_within_bounds() {
    for (index, model) in MODELS.iter().enumerate() {
        assert!(MODELS[index + 1..].iter().all(|other| other.info.name != model.info.name));
        for parameter in model.info.parameters {
            let inside = (parameter.lower..=parameter.upper).contains(&parameter.default);
            assert!(inside, "{} {}", model.info.name, parameter.name);
        }
        for name in [model.plan.spread, model.plan.late_spread, model.plan.drift, model.plan.read].concat() {
            assert!(model.info.parameter(name).is_some(), "{} {name}", model.info.name);
        }
    }
}

/// 40 000 devices against closed forms, at every time: mean within 5 standard errors, standard deviation within
/// 5 of its own (a normal's; the widest tails here raise it by less than a half, so 7), median likewise.
#[test]
fn devices_have_the_moments_of_the_closed_forms() {
    for model in &MODELS {
        let cell = model.default_cell();
        let [low, high] = cell.window_us();
        for fraction in [0.05, 0.4, 1.0] {
            let target = low + fraction * (high - low);
            let population = Population::new(cell.as_ref(), &vec![target; 40_000], 1);
            for time in TIMES_S {
                let values = population.conductances_us(time);
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let sigma = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
                let law = Distribution::new(cell.as_ref(), target, time);
                let (wanted, spread) = (law.mean_us(), law.sigma_us());
                let label = format!("{} {target} {time}", model.info.name);
                assert!((mean - wanted).abs() <= 5.0 * spread / n.sqrt() + 1e-12, "{label}: {mean} {wanted}");
                let error = 7.0 / (2.0 * n).sqrt() * spread + 1e-9 * wanted;
                assert!((sigma - spread).abs() < error, "{label}: {sigma} {spread}");
                if spread < 1e-6 * wanted {
                    continue;
                }
                for score in [-2.0, 0.0, 1.5] {
                    let part = crate::inference::normal::below(score);
                    let quantile = law.quantile_us(score);
                    let under = values.iter().filter(|&&v| v <= quantile).count() as f64 / n;
                    let error = (part * (1.0 - part) / n).sqrt();
                    // A bound gathers cells: at it, more than the part may lie below.
                    let gathered = values.iter().filter(|&&v| v == quantile).count() as f64 / n;
                    assert!(under > part - 5.0 * error - 1e-9, "{label} {score}: {under}");
                    assert!(under - gathered < part + 5.0 * error, "{label} {score}: {under}");
                }
            }
        }
    }
}

#[test]
fn sources_say_what_they_do_not_know() {
    for model in &MODELS {
        let source = TableSource::new(model.info.name, Origin::Published, model.default_cell(), 0.2);
        assert!(source.cell(0.5, 0.0, 1.0).is_err() && source.cell(f64::NAN, 0.0, 0.0).is_err());
        assert!(source.describe().notes.iter().any(|note| note.contains("no dose")));
        for state in [0.0, 0.3, 1.0] {
            for time in TIMES_S {
                let found = source.cell(state, time, 0.0).unwrap();
                let label = format!("{} {state} {time}", model.info.name);
                assert!(found.quantiles_na.windows(2).all(|pair| pair[0] <= pair[1]), "{label}");
                assert!(found.mean_na >= 0.0 && found.sigma_na >= 0.0, "{label}");
                assert!((0.0..=1.0).contains(&found.share.programming), "{label}");
            }
            assert!(source.read_noise_na(state * source.describe().current_max_na) >= 0.0);
        }
        assert!(source.cell(0.5, 1e9, 0.0).unwrap().extrapolated);
    }
}
