//! What every law must do.

use crate::inference::custom::CustomDrift;
use crate::inference::generic::Generic;
use crate::inference::joshi::Joshi;
use crate::inference::milo::Milo;
use crate::inference::pcm::Pcm;
use crate::inference::wan::Wan;
use crate::inference::{Cell, Device, Distribution, MODELS, Population, Read, TableSource, find};
use mho_data::provenance::Origin;
use mho_data::table::Table;
use mho_lut::{CellSource, CompileOptions, OutOfRange, compile};

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

/// Design notes, device laws: mean and standard deviation over cells at times, three digits.
#[test]
fn the_published_table_of_phase_change_memory() {
    let pcm = Pcm::default();
    let times = [25.0, 3600.0, 86_400.0, 2.592e6, 3.1536e7];
    let table = [
        (1.0, [(0.943, 0.428), (0.690, 0.354), (0.558, 0.324), (0.450, 0.302), (0.387, 0.289)]),
        (5.0, [(4.80, 0.781), (3.88, 0.723), (3.33, 0.713), (2.84, 0.710), (2.52, 0.706)]),
        (10.0, [(9.61, 1.058), (7.76, 0.948), (6.65, 0.906), (5.64, 0.872), (5.00, 0.848)]),
        (25.0, [(24.03, 1.369), (19.40, 1.409), (16.63, 1.516), (14.11, 1.608), (12.51, 1.652)]),
    ];
    for (target, row) in table {
        for (time, (mean, std)) in times.into_iter().zip(row) {
            let read = Read::new(&pcm, target, time);
            // Rounded in the third digit, drawn 400 000 times.
            assert!((read.mean_us / mean - 1.0).abs() < 3e-3, "{target} {time}: {read:?} {mean}");
            assert!((read.sigma_us / std - 1.0).abs() < 6e-3, "{target} {time}: {read:?} {std}");
        }
    }
}

#[test]
fn joshi_follows_its_two_steps() {
    let law = Joshi::default();
    for (target, mean) in [(0.0, 0.08), (2.0, 0.071), (8.0, 0.06), (14.0, 0.058_84), (20.0, 0.055)] {
        assert!((law.exponent(target).mean - mean).abs() < 1e-12, "{target}");
    }
    assert!((law.exponent(10.0).std - 1.0 / 110.032).abs() < 1e-15);
    // By hand at 10 uS, 1 h, scores 1, 0, -1: each step of the law in turn.
    let device = Device::new(&law, 10.0, [1.0, 0.0, -1.0]);
    let nu = 0.06_f64;
    let first = 10.0 * (27.36_f64 / 20.0).powf(-nu) + 0.286_385_99 + 0.758_572_4 - 0.178_767;
    let late = first * (55.39_f64 / 27.36).powf(-nu) - (0.1923 + 1.004 - 0.729 + 0.1904);
    let hour = late * (3600.0_f64 / 55.39).powf(-nu);
    assert!((device.conductance_us(&law, 0.0) - first).abs() < 1e-9);
    assert!((device.conductance_us(&law, 3600.0) - hour).abs() < 1e-9);
}

/// Currents of the measured states at 0.2 and 0.5 V by the published polynomials, and their continuation below.
#[test]
fn currents_of_milo_bend_and_keep_their_sign() {
    let law = Milo::default();
    for g in [62.5, 76.2, 93.9, 110.0_f64] {
        let x = (g * 1e-6).log10();
        let square = 1.388e-4 * x.powi(3) + 1.541e-3 * x * x + 5.711e-3 * x + 7.063e-3;
        let cube = 8.871e-5 * x * x + 6.7919e-4 * x + 1.2968e-3;
        for v in [0.2, 0.5, -0.5_f64] {
            let wanted_na = 1e9 * (g * 1e-6 * v + square * v * v + cube * v.powi(3));
            assert!((law.current_na(g, v) / wanted_na - 1.0).abs() < 1e-12);
        }
    }
    let currents: Vec<f64> = (0..=225).map(|g| law.current_na(f64::from(g), 0.5)).collect();
    assert!(currents[0] == 0.0 && currents.windows(2).all(|pair| pair[1] > pair[0]));
    assert!((law.programmed(100.0).sigma_us - 3.871_621).abs() < 1e-9);
}

/// At the published times the published spreads; between them in order, and one spread whatever the order of waits.
#[test]
fn wan_is_interpolated_between_its_times() {
    let wan = Wan::default();
    for (time, sum) in [(1.0, 1.103), (86_400.0, 2.651), (172_800.0, 2.677)] {
        assert!((wan.sigma_us(40.0, time) - sum).abs() < 1e-9, "{time}");
    }
    let hour = wan.sigma_us(40.0, 3600.0);
    assert!(hour > 1.103 && hour < 2.651 && wan.sigma_us(40.0, 1e9) == wan.sigma_us(40.0, 172_800.0));
}

/// A device is the same device at two times: with its noise-free exponent read off two times, a third follows.
/// And drift from a conductance that has drifted is not drift from that conductance: waits do not add up
/// as programming anew would.
#[test]
fn devices_remember() {
    let pcm = Pcm::default();
    let devices = Population::new(&pcm, &[10.0; 200], 5);
    let ln = |t: f64| (t / 20.0).ln_1p();
    let [a, b, c] = [0.0, 3600.0, 1e6].map(|t| devices.conductances_us(t));
    for index in 0..200 {
        let nu = (a[index] / b[index]).ln() / ln(3600.0);
        assert!((c[index] / (a[index] * (-nu * ln(1e6)).exp()) - 1.0).abs() < 1e-9);
    }
    let twice = Device::new(&pcm, devices.devices[0].conductance_us(&pcm, 3600.0), [0.0; 3]);
    let anew = twice.conductance_us(&pcm, 1e6);
    let whole = devices.devices[0].conductance_us(&pcm, 1e6 + 3600.0);
    assert!((anew / whole - 1.0).abs() > 0.05);
}

#[test]
fn any_number_of_threads_draws_the_same_bits() {
    let draw = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let cell = find("hermes").unwrap().default_cell();
            let targets: Vec<f64> = (0..30_000).map(|i| f64::from(i % 200) * 0.1).collect();
            let population = Population::new(cell.as_ref(), &targets, 9);
            (population.reads_us(3600.0, 0), population.reads_us(3600.0, 1))
        })
    };
    let (one, other) = draw(1);
    assert_eq!((one.clone(), other.clone()), draw(3));
    assert_ne!(one, other);
}

#[test]
fn errors_of_generic_cells() {
    let sigma = |name: &str, g: f64| find(name).unwrap().default_cell().programmed(g).sigma_us;
    assert_eq!(sigma("generic-independent", 3.0), 0.5);
    assert!((sigma("generic-proportional", 10.0) - 0.5).abs() < 1e-12);
    assert_eq!(sigma("generic-inverse", 0.0), 0.0);
    assert!((sigma("generic-inverse", 5.0) - 0.625).abs() < 1e-12);
    // 10 nS + 0.02 g + 2e-4 g^2/nS at 500 nS.
    assert!((sigma("generic-parabolic", 0.5) - 0.07).abs() < 1e-12);
    let even = Generic { uniform: 1.0, ..Generic::default() };
    let cells = Distribution::new(&even, 10.0, 0.0);
    assert!((cells.sigma_us() - 0.5 / 12_f64.sqrt()).abs() < 1e-12);
    assert!((cells.quantile_us(9.0) - 10.25).abs() < 1e-9 && (cells.below(10.125) - 0.75).abs() < 1e-12);
}

#[test]
fn drift_of_a_table_is_linear_between_rows() {
    let table = |g: Vec<f64>, nu: Vec<f64>, std: Vec<f64>| {
        Table::new().with_float("conductance_us", g).with_float("nu_mean", nu).with_float("nu_std", std)
    };
    let good = table(vec![5.0, 15.0], vec![0.1, 0.06], vec![0.04, 0.02]);
    let cell = CustomDrift::new(Pcm::default(), &good, 20.0, "drift.csv").unwrap();
    for (g, mean, std) in [(0.0, 0.1, 0.04), (5.0, 0.1, 0.04), (10.0, 0.08, 0.03), (20.0, 0.06, 0.02)] {
        let found = cell.exponent(g);
        assert!((found.mean - mean).abs() < 1e-12 && (found.std - std).abs() < 1e-12, "{g}: {found:?}");
    }
    for (bad, line) in [
        (table(vec![5.0, 5.0], vec![0.1; 2], vec![0.1; 2]), Some(3)),
        (table(vec![5.0, 6.0], vec![f64::NAN, 0.1], vec![0.1; 2]), Some(2)),
        (table(vec![5.0], vec![0.1], vec![-0.1]), Some(2)),
        (table(vec![], vec![], vec![]), None),
        (Table::new().with_float("conductance_us", vec![1.0]), None),
    ] {
        let error = CustomDrift::new(Pcm::default(), &bad, 20.0, "drift.csv").err().unwrap();
        assert_eq!(error.line, line, "{error}");
    }
    assert!(CustomDrift::new(Pcm::default(), &good, 0.0, "drift.csv").is_err());
}

/// Laws of phase-change memory lose conductance and gain relative spread with time.
#[test]
fn phase_change_memory_drifts_downwards() {
    for name in ["pcm", "pcm-joshi", "hermes", "hermes-one", "state-independent"] {
        let cell = find(name).unwrap().default_cell();
        let [_, max] = cell.window_us();
        let at = |time| Distribution::new(cell.as_ref(), 0.6 * max, time);
        let times = [60.0, 3600.0, 86_400.0, 3e7];
        for pair in times.windows(2) {
            let (early, late) = (at(pair[0]), at(pair[1]));
            assert!(late.mean_us() < early.mean_us(), "{name}");
            assert!(late.sigma_us() / late.mean_us() > early.sigma_us() / early.mean_us(), "{name}");
        }
    }
}

/// Any numbers in a law give statistics or an error, never a panic.
#[test]
fn wild_numbers_are_survived() {
    let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e300, 1e-300];
    for model in &MODELS {
        for index in 0..model.info.parameters.len() {
            for value in wild {
                let mut values = model.info.defaults();
                values[index] = value;
                let cell = model.cell(&values);
                let source = TableSource::new("wild", Origin::Synthetic, cell, 0.2);
                let _ =
                    (source.cell(0.5, 3600.0, 0.0), source.cell(0.0, 0.0, 0.0), source.read_noise_na(1.0));
                let _ = Population::new(source.cell.as_ref(), &[1.0, value], 1).reads_us(value, 0);
            }
        }
    }
}

/// Tables of every law meet a tolerance of a percent over a day, without dose.
#[test]
fn laws_compile_into_tables() {
    let options = CompileOptions { tolerance_fraction: 1e-2, time_max_s: 86_400.0, dose_max_krad_si: 0.0 };
    for name in ["pcm", "hermes", "wan", "cmo", "milo"] {
        let source = TableSource::new(name, Origin::Published, find(name).unwrap().default_cell(), 0.2);
        let table = compile(&source, &options).unwrap();
        let reached = table.certificate().max_error_fraction;
        assert!(reached < options.tolerance_fraction, "{name}: {reached}");
    }
}

/// Cells without an error of programming differ by their exponents alone: quantiles are those of the exponent.
#[test]
fn cells_that_differ_by_drift_alone_have_quantiles() {
    let cell = Generic { error_constant: 0.0, nu_mean: 0.1, nu_std: 0.02, ..Generic::default() };
    let law = Distribution::new(&cell, 10.0, 1e6);
    for score in [-2.5, -1.0, 0.0, 0.7, 3.0] {
        let wanted = 10.0 * (-(0.1 - 0.02 * score) * (1e6_f64 / 20.0).ln_1p()).exp();
        // Parts are a fiftieth of a score apart.
        assert!((law.quantile_us(score) / wanted - 1.0).abs() < 6e-3, "{score}");
    }
}

/// A table of a law that bends knows voltages of the drain, one of a straight law does not.
#[test]
fn tables_of_bent_laws_know_their_voltages() {
    let table = |name: &str| {
        let model = find(name).unwrap();
        let source = TableSource::new(name, Origin::Measured, model.default_cell(), 0.2);
        let options = CompileOptions { time_max_s: 0.0, dose_max_krad_si: 0.0, ..CompileOptions::default() };
        compile(&source, &options).unwrap()
    };
    assert_eq!(table("wan").read_voltages(), None);
    let milo = table("milo");
    let about = milo.read_voltages().unwrap();
    assert_eq!((about.terminal.as_str(), about.reference_v, about.high_v), ("drain", 0.2, 0.5));
    let law = Milo::default();
    let reference: Vec<f64> = [80.0, 150.0, 220.0].map(|g| law.current_na(g, 0.2)).to_vec();
    for read_v in [0.01, 0.1, 0.37, 0.5] {
        let mut found = vec![0.0; 3];
        milo.at_voltage_na(&reference, read_v, OutOfRange::Error, &mut found).unwrap();
        for (found, g) in found.into_iter().zip([80.0, 150.0, 220.0]) {
            // The tolerance of the table, of the largest current at any voltage.
            let off = (found - law.current_na(g, read_v)).abs() / law.current_na(225.0, 0.5);
            assert!(off < 1e-3, "{g} uS, {read_v} V: {off}");
        }
    }
}
