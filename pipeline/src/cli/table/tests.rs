//! The commands on files in a folder of their own.

use super::*;
use clap::Parser;

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
    assert!(text.contains("sonos-programming: no card given") && text.contains("0 to 1000"), "{text}");

    std::fs::remove_file(out).unwrap();
    for cards in [[&dose, &card("tid-stretched")], [&dose, &"absent.toml".to_owned()]] {
        let error = mho_table(&["build", cards[0], cards[1], "--out", out]).unwrap_err();
        assert_eq!(error.code(), 3, "{error}");
    }
    assert!(!Path::new(out).exists());
}
