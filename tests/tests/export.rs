//! `mho export` as a user meets it: what simulators make of the files against what `mho simulate` says.

#![allow(clippy::unwrap_used)]

use mho_compact::card::DeviceCard;
use mho_compact::{ekv, model};
use mho_data::Table;
use mho_tests::run;
use std::path::Path;
use std::process::{Command, Output};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a program in a folder; none, said loudly, where it is not installed.
fn ran(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    if output.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        eprintln!("SKIPPED: {program} is not installed");
        return None;
    }
    Some(output.unwrap())
}

/// A card of every effect, written to `cell.toml`.
fn ekv_card(folder: &Path) {
    let mut card = DeviceCard::from_defaults(&ekv::INFO);
    for (name, value) in [("vt_v", 0.31), ("lambda_per_v", 0.07), ("leakage_a", 3e-14), ("dibl", 0.04)] {
        card.parameters.get_mut(name).unwrap().value = value;
    }
    card.parameters.get_mut("vt_v").unwrap().std = Some(0.0123);
    card.provenance.origin = "synthetic".into();
    std::fs::write(folder.join("cell.toml"), card.to_toml().unwrap()).unwrap();
}

#[test]
fn ngspice_gives_the_currents_of_simulate() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ekv_card(folder);
    let output = run(folder, &["export", "cell.toml", "--to", "spice", "--out", "cell.lib"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", text(&output.stderr));
    for kelvin in ["300", "358"] {
        let grid = ["--vg-v", "-0.5:2.5:0.1", "--vd-v", "0.05:2.05:0.4", "--temperature-k", kelvin];
        let output = run(folder, &[&["simulate", "cell.toml"], grid.as_slice()].concat());
        let simulated = Table::from_csv(&text(&output.stdout), "simulate").unwrap();
        let expected = simulated.floats("id_a").unwrap();
        let deck = format!(
            "cell\n.include cell.lib\n.options reltol=1e-9 abstol=1e-18 vntol=1e-15 gmin=1e-18\n\
             vd d 0 0\nvg g 0 0\nxcell d g 0 mho_ekv temperature_k={kelvin}\n\
             .dc vg -0.5 2.5 0.1 vd 0.05 2.05 0.4\n\
             .control\nset numdgt=16\nrun\nwrdata out.txt i(vd)\n.endc\n.end\n"
        );
        std::fs::write(folder.join("deck.cir"), deck).unwrap();
        let Some(output) = ran("ngspice", &["-b", "deck.cir"], folder) else { return };
        let table = std::fs::read_to_string(folder.join("out.txt")).unwrap_or_default();
        let found: Vec<f64> = table
            .lines()
            .map(|line| -line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap())
            .collect();
        assert_eq!(found.len(), expected.len(), "{}", text(&output.stdout));
        for (found, expected) in found.iter().zip(expected) {
            // The tolerance that the export promises.
            assert!((found / expected - 1.0).abs() < 1e-6, "{found:e} for {expected:e}");
        }
    }
}

#[test]
fn adms_reads_the_module_of_a_card() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ekv_card(folder);
    let output = run(folder, &["export", "cell.toml", "--to", "verilog-a", "--out", "cell.va"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let Some(output) = ran("admsXml", &["cell.va", "-e", "/dev/null"], folder) else { return };
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success() && !said.contains("[error") && !said.contains("[fatal"), "{said}");
}

#[test]
fn files_say_where_the_numbers_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ekv_card(folder);
    for form in ["spice", "verilog-a"] {
        let output = run(folder, &["export", "cell.toml", "--to", form]);
        let file = text(&output.stdout);
        for wanted in ["SYNTHETIC", "card from: synthetic", "version 1", "std 1.230e-2", "vt_v"] {
            assert!(file.contains(wanted), "{form}: no {wanted} in {file}");
        }
    }
}

#[test]
fn update_laws_go_to_aihwkit_and_what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let card = DeviceCard::from_defaults(model::find("update-soft-bounds").unwrap());
    std::fs::write(folder.join("update.toml"), card.to_toml().unwrap()).unwrap();
    let output = run(folder, &["export", "update.toml", "--to", "aihwkit"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["class"], "SoftBoundsDevice");
    assert_eq!(document["parameters"]["dw_min"], card.value("step_up"));
    ekv_card(folder);
    for (file, form, wanted) in
        [("update.toml", "spice", "ekv, transistor, milo"), ("cell.toml", "aihwkit", "update-soft-bounds")]
    {
        let output = run(folder, &["export", file, "--to", form, "--out", "none"]);
        assert_eq!(output.status.code(), Some(3));
        let said = text(&output.stderr);
        assert!(said.contains(file) && said.contains(wanted), "{said}");
        assert!(!folder.join("none").exists());
    }
}

/// The spread that was drawn comes back from ramps of 40 devices.
#[test]
fn spread_and_noise_go_to_aihwkit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let noise = mho_data::random::Stream::new(3, &["tests", "spread"], &[]);
    let mut csv = String::from("# origin: synthetic\ndevice,ramp,pulse,current_a\n");
    let mut row = 0;
    for device in 0..40 {
        // Soft bounds of 1 and a step of 0.02, which differs by 20 % between devices.
        let step = 0.02 * (1.0 + 0.2 * noise.normal(100_000 + device));
        let mut weight = -0.9;
        for (ramp, way) in [(1, 1.0), (2, -1.0)] {
            for pulse in 0..120 {
                if ramp == 2 || pulse > 0 {
                    weight += way * step * (1.0 - way * weight) * (1.0 + 0.3 * noise.normal(row));
                }
                csv += &format!("d{device},{ramp},{pulse},{:e}\n", 1e-6 * (2.0 + weight));
                row += 1;
            }
        }
    }
    std::fs::write(folder.join("ramps.csv"), csv).unwrap();
    let output = run(folder, &["fit", "update-soft-bounds", "ramps.csv", "--out", "update.toml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = run(folder, &["export", "update.toml", "--to", "aihwkit", "--spread-of", "ramps.csv"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |name: &str| document["parameters"][name].as_f64().unwrap();
    // A spread from 40 devices is known to 11 %: four of these; the noise from 9,600 steps, whose share of the rms step
    // differs from that of each step by a tenth.
    assert!((number("dw_min_dtod") / 0.2 - 1.0).abs() < 0.45, "{document}");
    assert!((number("dw_min_std") / 0.3 - 1.0).abs() < 0.25, "{document}");
    assert!(number("up_down_dtod") < 0.1 && number("w_max_dtod") < 0.1, "{document}");
}

/// The circuit of a non-linear cell against the currents of `simulate`.
#[test]
fn ngspice_gives_the_currents_of_a_nonlinear_cell() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let card = DeviceCard::from_defaults(model::find("milo").unwrap());
    std::fs::write(folder.join("cell.toml"), card.to_toml().unwrap()).unwrap();
    let output = run(folder, &["export", "cell.toml", "--to", "spice", "--out", "cell.lib"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let grid = ["--target-us", "50,100,200", "--time-s", "0", "--read-v", "-0.5:0.5:0.1"];
    let output = run(folder, &[&["simulate", "cell.toml"], grid.as_slice()].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let simulated = Table::from_csv(&text(&output.stdout), "simulate").unwrap();
    let column = |name: &str| simulated.floats(name).unwrap().to_vec();
    let (states, voltages, currents) = (column("mean_us"), column("read_v"), column("current_na"));
    assert_eq!(currents.len(), 33);
    let mut deck =
        String::from("cell\n.include cell.lib\n.options reltol=1e-9 abstol=1e-18 vntol=1e-15 gmin=1e-18\n");
    let mut probes = Vec::new();
    for (index, (state, voltage)) in states.iter().zip(&voltages).enumerate() {
        deck += &format!(
            "v{index} p{index} 0 {voltage:e}\nx{index} p{index} 0 mho_milo conductance_us={state:.17e}\n"
        );
        probes.push(format!("i(v{index})"));
    }
    deck += &format!(
        ".control\nset numdgt=16\nset wr_singlescale\nop\nwrdata out.txt {}\n.endc\n.end\n",
        probes.join(" ")
    );
    std::fs::write(folder.join("deck.cir"), deck).unwrap();
    let Some(output) = ran("ngspice", &["-b", "deck.cir"], folder) else { return };
    let table = std::fs::read_to_string(folder.join("out.txt"))
        .unwrap_or_else(|_| panic!("{}", text(&output.stdout)));
    let row = table.lines().last().unwrap();
    let found: Vec<f64> = row.split_whitespace().skip(1).map(|word| -word.parse::<f64>().unwrap()).collect();
    assert_eq!(found.len(), currents.len());
    let mut bent = 0.0_f64;
    for (((found, wanted), state), voltage) in found.iter().zip(&currents).zip(&states).zip(&voltages) {
        if voltage.abs() < 1e-9 {
            assert!(found.abs() < 1e-15);
            continue;
        }
        assert!((1e9 * found / wanted - 1.0).abs() < 1e-6, "{found:e} A for {wanted:e} nA");
        bent = bent.max((1e-3 * wanted / (state * voltage) - 1.0).abs());
    }
    // It is no resistor.
    assert!(bent > 0.01, "{bent}");
}
