//! The commands on files in a folder of their own.

use super::*;
use clap::Parser;
use mho_compact::card::DeviceCard;
use mho_compact::model;
use mho_data::Table;
use mho_data::published::PublishedSonos;
use std::path::Path;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    table: TableArgs,
}

fn mho_table(words: &[&str]) -> Answer {
    let line = Line::try_parse_from([&["table"], words].concat()).unwrap();
    run(&line.table, &line.globals)
}

#[test]
fn a_published_set_is_built_shown_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    let path = path.to_str().unwrap();
    let built = mho_table(&["build", "published:tcas2022", "--out", path]).unwrap();
    assert!(built.contains("published-tcas2022"), "{built}");
    let shown: serde_json::Value =
        serde_json::from_str(&mho_table(&["show", path, "--json"]).unwrap()).unwrap();
    assert_eq!((&shown["met"], &shown["axes"]["dose_krad_si"]), (&true.into(), &serde_json::json!([0.0])));

    let csv =
        mho_table(&["query", path, "--state", "0.25,0.5", "--time-s", "0,86400", "--unit", "na"]).unwrap();
    let rows = Table::from_csv(&csv, "answer").unwrap();
    assert_eq!(rows.names().collect::<Vec<_>>(), ["state", "time_s", "dose_krad_si", "mean", "sigma"]);
    assert_eq!(rows.floats("time_s").unwrap(), [0.0, 86_400.0, 0.0, 86_400.0]);
    let set = PublishedSonos::named("tcas2022").unwrap();
    let wanted = set.mean_na(400.0, 86_400.0).value;
    assert!((rows.floats("mean").unwrap()[1] - wanted).abs() < 1.6, "{csv}");

    let outside = ["query", path, "--state", "0.5", "--dose-krad-si", "5"];
    assert_eq!(mho_table(&outside).unwrap_err().code(), 2);
    assert!(mho_table(&[&outside[..], &["--out-of-range", "clamp"]].concat()).is_ok());
}

#[test]
fn units_are_one_current() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    let path = path.to_str().unwrap();
    mho_table(&["build", "published:iedm2022", "--out", path]).unwrap();
    let mean = |unit| {
        let csv = mho_table(&["query", path, "--state", "0.5", "--unit", unit]).unwrap();
        Table::from_csv(&csv, "answer").unwrap().floats("mean").unwrap()[0]
    };
    assert!((mean("fraction") * 1600.0 - mean("na")).abs() < 1e-9);
    assert!((mean("us") - mean("na") * 1e-2).abs() < 1e-9);
}

#[test]
fn cards_make_a_cell_and_bad_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let card = |name: &str| {
        let path = folder.path().join(format!("{name}.toml"));
        let text = DeviceCard::from_defaults(model::find(name).unwrap()).to_toml().unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let out = folder.path().join("cell.safetensors");
    let out = out.to_str().unwrap();
    let (retention, dose) = (card("sonos-retention"), card("tid-exp"));
    let text = mho_table(&["build", &retention, &dose, "--out", out, "--tolerance", "5e-3"]).unwrap();
    assert!(
        text.contains("no card of the programming spread: that of the 40 nm SONOS cell")
            && text.contains("0 to 1000"),
        "{text}"
    );

    std::fs::remove_file(out).unwrap();
    for cards in [[&dose, &card("tid-stretched")], [&dose, &"absent.toml".to_owned()]] {
        let error = mho_table(&["build", cards[0], cards[1], "--out", out]).unwrap_err();
        assert_eq!(error.code(), 3, "{error}");
    }
    assert!(!Path::new(out).exists());
}

#[test]
fn a_history_is_built_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (card, history, out) = (path("dose.toml"), path("orbit.toml"), path("orbit.safetensors"));
    let text = DeviceCard::from_defaults(model::find("tid-exp").unwrap()).to_toml().unwrap();
    std::fs::write(&card, text).unwrap();
    let segments = "[[segment]]\nduration_s = 86400\ndose_rate_rad_si_per_s = 0.5\ntemperature_k = 320\n";
    std::fs::write(&history, segments).unwrap();
    let words = |reports| {
        let options = ["--history", &history, "--report-s", reports, "--out", &out, "--tolerance", "5e-3"];
        mho_table(&[&["build", &card][..], &options].concat())
    };
    let built = words("0,3600,86400").unwrap();
    assert!(built.contains("along a history of 1 segments") && built.contains("43.2"), "{built}");
    let shown: serde_json::Value =
        serde_json::from_str(&mho_table(&["show", &out, "--json"]).unwrap()).unwrap();
    assert_eq!((&shown["kind"], &shown["reports"][2]["dose_krad_si"]), (&"history".into(), &43.2.into()));
    // A report beyond the end, and segments that are none.
    assert_eq!(words("1e6").unwrap_err().code(), 2);
    std::fs::write(&history, segments.replace("temperature_k", "temperature_c")).unwrap();
    let error = words("0").unwrap_err();
    assert!(error.to_string().contains("orbit.toml:4") && error.code() == 3, "{error}");
}

#[test]
fn measured_cells_make_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cells, out) = (path("cells.csv"), path("cells.safetensors"));
    let mut csv = String::from("device,state,time_s,dose_krad_si,current_na\n");
    for state in [0.2, 0.5, 0.8] {
        for cell in 0..25 {
            csv += &format!("d{cell},{state},0,0,{}\n", 1600.0 * state + f64::from(cell));
        }
    }
    std::fs::write(&cells, &csv).unwrap();
    let source = format!("measured:{cells}");
    let built = mho_table(&["build", &source, "--out", &out]).unwrap();
    assert!(built.contains("each left out once") && built.contains("origin: measured"), "{built}");
    assert_eq!(mho_table(&["query", &out, "--state", "0.9"]).unwrap_err().code(), 2);
    let error = mho_table(&["build", &source, "--out", &out, "--least-cells", "30"]).unwrap_err();
    assert!(error.to_string().contains("25 cells of state 0.2") && error.code() == 3, "{error}");
    std::fs::write(&cells, csv.replace("current_na", "current")).unwrap();
    assert_eq!(mho_table(&["build", &source, "--out", &out]).unwrap_err().code(), 3);
}

#[test]
fn updates_go_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (up, down, out) = (path("up.txt"), path("down.txt"), path("u.safetensors"));
    std::fs::write(&up, "title\n1,2,3\n0,1\n0.1,0.1,0.1\n0.2,0.2,0.2\n").unwrap();
    std::fs::write(&down, "title\n1,2,3\n0,1\n-0.2,-0.2,-0.2\n-0.1,-0.1,-0.1\n").unwrap();
    let made = mho_table(&["updates", "--up", &up, "--down", &down, "--out", &out]).unwrap();
    assert!(made.contains("from 1e0 to 3e0 S") && made.contains("no certificate"), "{made}");
    let shown: serde_json::Value =
        serde_json::from_str(&mho_table(&["show", &out, "--json"]).unwrap()).unwrap();
    assert_eq!(shown["up"]["probabilities"], 2);
    let (up2, down2) = (path("up2.txt"), path("down2.txt"));
    mho_table(&["export", &out, "--up", &up2, "--down", &down2]).unwrap();
    let out2 = path("u2.safetensors");
    mho_table(&["updates", "--up", &up2, "--down", &down2, "--out", &out2]).unwrap();
    let steps = |file: &str| {
        let bytes = std::fs::read(file).unwrap();
        mho_lut::UpdateTable::from_bytes(&bytes, file).unwrap().steps(mho_lut::Direction::Up).clone()
    };
    assert_eq!(steps(&out), steps(&out2));
    // The same in the words of the contract: a form, a folder.
    let luts = path("luts");
    std::fs::create_dir(&luts).unwrap();
    let text = |name: &str| format!("{luts}/{name}");
    let (increasing, decreasing) = (text("a_dG_increasing.txt"), text("a_dG_decreasing.txt"));
    mho_table(&["export", "crosssim", &out, "--up", &increasing, "--down", &decreasing]).unwrap();
    let out3 = path("u3.safetensors");
    mho_table(&["import", "crosssim", &luts, "--out", &out3]).unwrap();
    assert_eq!(steps(&out), steps(&out3));
    std::fs::copy(&increasing, text("b_dG_increasing.txt")).unwrap();
    mho_table(&["import", "crosssim", &luts, "--out", &out3]).unwrap();
    std::fs::copy(&decreasing, text("b_dG_decreasing.txt")).unwrap();
    let error = mho_table(&["import", "crosssim", &luts, "--out", &out3]).unwrap_err();
    assert!(error.code() == 2 && error.to_string().contains("--name one of a, b"), "{error}");
    mho_table(&["import", "crosssim", &luts, "--name", "b", "--out", &out3]).unwrap();
    assert_eq!(mho_table(&["export", "other", &out, "--up", &up2, "--down", &down2]).unwrap_err().code(), 2);

    let ramp = |start: f64, sign: f64| {
        let row = |k| format!("{},{}\n", start + sign * f64::from(k), start + sign * (f64::from(k) + 0.5));
        format!("a,b\n{}", (0..200).map(row).collect::<String>())
    };
    std::fs::write(&up, ramp(0.0, 1.0)).unwrap();
    let words = ["updates", "--ramps", "--bins", "5", "--up", &up, "--down", &down, "--out", &out];
    for (start, sign, expected) in [(200.0, -1.0, None), (0.0, 1.0, Some(3)), (-500.0, -1.0, Some(3))] {
        std::fs::write(&down, ramp(start, sign)).unwrap();
        match (mho_table(&words), expected) {
            (Ok(made), None) => assert!(made.contains("up: 398 steps of 2 ramps in 5 bins"), "{made}"),
            (result, code) => assert_eq!(result.err().map(|error| error.code()), code),
        }
    }
    assert!(mho_table(&["query", &out]).unwrap().starts_with("state,direction,conductance"));
}

fn numbers(csv: &str, column: &str) -> Vec<f64> {
    Table::from_csv(csv, "answer").unwrap().floats(column).unwrap().to_vec()
}

/// Conductances of a resistive cell are those of its law at whatever voltage it is read.
#[test]
fn conductances_are_at_the_voltage_of_the_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pcm.safetensors");
    let path = path.to_str().unwrap();
    for read_v in ["0.2", "0.05"] {
        let built =
            mho_table(&["build", "published:pcm", "--read-v", read_v, "--axes", "state", "--out", path]);
        assert!(built.unwrap().contains("published measurement"));
        let csv = mho_table(&["query", path, "--state", "0.5,1", "--unit", "us"]).unwrap();
        let found = numbers(&csv, "mean");
        // Half and all of the 25 uS of the law; clipping at 0 is 13 standard deviations away.
        assert!((found[0] - 12.5).abs() < 1e-6 && (found[1] - 25.0).abs() < 1e-6, "{csv}");
    }
    let told =
        mho_table(&["query", path, "--state", "1", "--unit", "us", "--read-voltage-v", "0.1"]).unwrap();
    assert!((numbers(&told, "mean")[0] - 12.5).abs() < 1e-6, "{told}");
}

/// The three uncertainties stand apart: samples of a card with standard deviations alone, and a rival law.
#[test]
fn ensembles_hold_samples_and_rivals() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (dose, out) = (path("dose.toml"), path("e.safetensors"));
    let mut card = DeviceCard::from_defaults(model::find("tid-exp").unwrap());
    let write = |card: &DeviceCard| std::fs::write(&dose, card.to_toml().unwrap()).unwrap();
    write(&card);
    std::fs::create_dir(path("rivals")).unwrap();
    let rival = DeviceCard::from_defaults(model::find("tid-stretched").unwrap()).to_toml().unwrap();
    std::fs::write(path("rivals/stretched.toml"), rival).unwrap();
    let rivals = path("rivals");
    let words = ["build", &dose, "--out", &out, "--tolerance", "5e-3", "--samples", "3", "--rivals", &rivals];
    // Nothing is known of how well the parameters are known.
    assert_eq!(mho_table(&words).unwrap_err().code(), 3);
    card.parameters.get_mut("dose_c_krad_si").unwrap().std = Some(60.0);
    write(&card);
    let built = mho_table(&words).unwrap();
    assert!(built.contains("ensemble of 5 tables") && built.contains("law tid-stretched"), "{built}");
    let csv =
        mho_table(&["query", &out, "--state", "0.9", "--dose-krad-si", "0,300", "--unit", "na"]).unwrap();
    let (parameters, low, high) =
        (numbers(&csv, "parameters_sigma"), numbers(&csv, "model_low"), numbers(&csv, "model_high"));
    let mean = numbers(&csv, "mean");
    // Without dose its law plays no part; with it both do, and the best estimate lies among the choices.
    assert!(parameters[0] < 1e-9 && parameters[1] > 1.0, "{csv}");
    assert!(low[1] <= mean[1] && mean[1] <= high[1] && high[1] - low[1] > 1.0, "{csv}");
    assert_eq!(
        mho_table(&["build", "published:iedm2022", "--out", &out, "--samples", "3"]).unwrap_err().code(),
        2
    );
}

#[test]
fn update_cards_make_tables_of_updates() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, out) = (path("soft.toml"), path("soft.safetensors"));
    let card = DeviceCard::from_defaults(model::find("update-soft-bounds").unwrap());
    std::fs::write(&file, card.to_toml().unwrap()).unwrap();
    let built = mho_table(&["build", &file, "--cycle-noise", "0.3", "--out", &out]).unwrap();
    assert!(built.contains("error at most") && built.contains("weight"), "{built}");
    let csv = mho_table(&["query", &out, "--state", "0.5"]).unwrap();
    let (mean, low, high) =
        (numbers(&csv, "mean_step"), numbers(&csv, "step_p05"), numbers(&csv, "step_p95"));
    // A normal step: 1.645 standard deviations of 0.3 of the mean to either side.
    for k in 0..2 {
        let wide = 2.0 * 1.645 * 0.3 * mean[k].abs();
        assert!(((high[k] - low[k]) / wide - 1.0).abs() < 0.02, "{csv}");
    }
    assert!(mean[0] > 0.0 && mean[1] < 0.0);
    assert_eq!(mho_table(&["query", &out, "--state", "1.5"]).unwrap_err().code(), 2);
    mho_table(&["build", "published:ReRamES", "--tolerance", "0.01", "--out", &out]).unwrap();
    mho_table(&["export", "crosssim", &out, "--up", &path("up.txt"), "--down", &path("down.txt")]).unwrap();
}

/// Readings in other units, columns and separators are those that `mho data inspect` reads.
#[test]
fn measured_cells_are_read_in_any_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cells, out) = (path("cells.csv"), path("cells.safetensors"));
    let source = format!("measured:{cells}");
    let mut rows = String::new();
    for (s, state) in [0.0, 0.5, 1.0].into_iter().enumerate() {
        for cell in 0..30 {
            rows += &format!("c{s}-{cell};{state};{}\n", 5.0 * state + 0.001 * f64::from(cell - 15));
        }
    }
    std::fs::write(&cells, format!("# origin: synthetic data\nchip;state;I (uA)\n{rows}")).unwrap();
    let built = mho_table(&["build", &source, "--tolerance", "0.02", "--out", &out]).unwrap();
    assert!(
        built.contains("origin: synthetic data") && built.contains("middle of current over state"),
        "{built}"
    );
    let csv = mho_table(&["query", &out, "--state", "1", "--unit", "na"]).unwrap();
    assert!((numbers(&csv, "mean")[0] - 5000.0).abs() < 1.0, "{csv}");
    // The file says it; cells drawn with replacement make an ensemble.
    std::fs::write(&cells, format!("# current_max_na: 4000\n# read_v: 0.2\nchip;state;I (uA)\n{rows}"))
        .unwrap();
    let built =
        mho_table(&["build", &source, "--tolerance", "0.02", "--samples", "2", "--out", &out]).unwrap();
    assert!(built.contains("ensemble of 3 tables") && built.contains("carries 4000 nA"), "{built}");
    let csv = mho_table(&["query", &out, "--state", "1", "--unit", "us"]).unwrap();
    assert!((numbers(&csv, "mean")[0] - 25.0).abs() < 0.01, "{csv}");
}

#[test]
fn histories_are_asked_at_their_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (history, out) = (path("orbit.toml"), path("orbit.safetensors"));
    std::fs::write(&history, "[[segment]]\nduration_s = 86400\n").unwrap();
    let source = "published:tcas2022";
    mho_table(&["build", source, "--history", &history, "--report-s", "0,3600", "--out", &out]).unwrap();
    let csv = mho_table(&["query", &out, "--state", "0.5", "--unit", "na"]).unwrap();
    assert_eq!(numbers(&csv, "time_s"), [0.0, 3600.0]);
    let wanted = PublishedSonos::named("tcas2022").unwrap().mean_na(800.0, 3600.0).value;
    assert!((numbers(&csv, "mean")[1] - wanted).abs() < 1.6, "{csv}");
    assert_eq!(mho_table(&["query", &out, "--time-s", "60"]).unwrap_err().code(), 2);
    assert_eq!(mho_table(&["query", &out, "--state", "2"]).unwrap_err().code(), 2);
}

/// A table that goes on where its source ends says so of every answer there.
#[test]
fn answers_beyond_the_source_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    let path = path.to_str().unwrap();
    mho_table(&["build", "published:iedm2022", "--time-max-s", "1e6", "--out", path]).unwrap();
    let query = ["query", path, "--state", "0.5", "--time-s", "0,432000,5e5,1e6", "--json"];
    let answer: serde_json::Value = serde_json::from_str(&mho_table(&query).unwrap()).unwrap();
    assert_eq!((&answer["extrapolated"], &answer["clamped"]), (&2.into(), &0.into()));
}
