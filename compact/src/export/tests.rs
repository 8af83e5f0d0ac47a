//! Subcircuits in ngspice and modules in adms against the laws they were written from.

use super::{Device, spice, verilog_a};
use crate::card::DeviceCard;
use crate::transistor::{INFO, Terminals, Transistor};
use std::path::Path;
use std::process::Command;

/// Runs a program in a folder; none, said loudly, where it is not installed.
fn ran(program: &str, arguments: &[&str], folder: &Path) -> Option<std::process::Output> {
    match Command::new(program).args(arguments).current_dir(folder).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("SKIPPED: {program} is not installed");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

fn folder(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("mho-export-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn card(values: &[(&str, f64)]) -> DeviceCard {
    let mut card = DeviceCard::from_defaults(&INFO);
    for (name, value) in values {
        card.parameters.get_mut(*name).unwrap().value = *value;
    }
    card
}

/// Every effect at once, as a short channel has them.
const SHORT: &[(&str, f64)] = &[
    ("body_linear", -0.03),
    ("theta_per_v", 0.8),
    ("dibl", 0.03),
    ("dibl_body_per_v", 0.01),
    ("shortening", 0.05),
    ("source_ohm", 50.0),
    ("drain_ohm", 70.0),
    ("leakage_s", 1e-13),
    ("leakage_gate_per_v", 0.5),
    ("leakage_saturation_per_v", 0.2),
];

/// Gate voltages in steps of 0.4 V, from cut-off to strong inversion.
const GATES: std::ops::RangeInclusive<i32> = -1..=4;
const DRAINS: [f64; 5] = [-0.6, 0.01, 0.1, 0.9, 1.8];
/// Source and body, V.
const ENDS: [(f64, f64); 3] = [(0.0, 0.0), (0.0, -0.9), (0.3, -0.6)];
const KELVIN: f64 = 330.0;

/// Drain currents by ngspice, and the biases they belong to.
fn simulated(card: &DeviceCard, options: &str, sign: f64, name: &str) -> Option<Vec<(Terminals, f64)>> {
    let folder = folder(name);
    let text = spice::subcircuit(&Device::from_card(card).unwrap());
    std::fs::write(folder.join("device.lib"), text).unwrap();

    let mut deck = format!("device\n.include device.lib\n.options {options}\nvg g 0 0\n");
    let mut biases = Vec::new();
    for (source_v, body_v) in ENDS {
        for drain_v in DRAINS {
            let k = biases.len();
            deck += &format!(
                "vd{k} d{k} 0 {}\nvs{k} s{k} 0 {}\nvb{k} b{k} 0 {}\n",
                sign * drain_v,
                sign * source_v,
                sign * body_v
            );
            deck += &format!("x{k} d{k} g s{k} b{k} mho_transistor temperature_k={KELVIN}\n");
            biases.push((drain_v, source_v, body_v));
        }
    }
    let currents: Vec<String> = (0..biases.len()).map(|k| format!("i(vd{k})")).collect();
    let step = 0.4 * sign;
    let (first, last) = (f64::from(*GATES.start()) * step, f64::from(*GATES.end()) * step);
    deck += &format!(
        ".dc vg {first} {last} {step}\n.control\nset numdgt=16\nset wr_singlescale\nrun\nwrdata out.txt {}\n.endc\n.end\n",
        currents.join(" ")
    );
    std::fs::write(folder.join("deck.cir"), deck).unwrap();

    let output = ran("ngspice", &["-b", "deck.cir"], &folder)?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let table = std::fs::read_to_string(folder.join("out.txt")).unwrap_or_else(|_| panic!("{said}"));
    let rows: Vec<Vec<f64>> = table
        .lines()
        .map(|line| line.split_whitespace().map(|word| word.parse().unwrap()).collect())
        .collect();
    assert_eq!(rows.len(), GATES.count(), "{said}");
    let mut found = Vec::new();
    for row in rows {
        for (&(drain_v, source_v, body_v), current) in biases.iter().zip(&row[1..]) {
            let at = Terminals {
                gate_v: row[0],
                drain_v: sign * drain_v,
                source_v: sign * source_v,
                body_v: sign * body_v,
            };
            found.push((at, -current));
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    Some(found)
}

/// Largest relative distance from the law, beyond an absolute one.
fn distance(card: &DeviceCard, found: &[(Terminals, f64)], floor_a: f64) -> f64 {
    let law = Transistor::from_card(card, KELVIN);
    let distance = |&(at, current): &(Terminals, f64)| {
        let expected = law.current_a(at);
        let relative = ((current - expected).abs() - floor_a) / expected.abs();
        assert!(relative.is_finite(), "{at:?}: {current:e} for {expected:e}");
        relative
    };
    found.iter().map(distance).fold(0.0, f64::max)
}

const TIGHT: &str = "reltol=1e-9 abstol=1e-18 vntol=1e-15 gmin=1e-18";

#[test]
fn ngspice_has_the_currents_of_the_transistor_law() {
    // A circuit knows the voltages across series resistances to the rounding of the nodes' voltages.
    let rounding_a = 4.0 * f64::EPSILON * 1.8 / 50.0;
    let ideal = [("source_ohm", 0.0), ("drain_ohm", 0.0)];
    let cases = [
        ("n", card(SHORT), 1.0, rounding_a),
        ("p", card(&[SHORT, &[("polarity", -1.0)]].concat()), -1.0, rounding_a),
        ("without-resistances", card(&[SHORT, &ideal].concat()), 1.0, 0.0),
    ];
    for (name, card, sign, floor_a) in cases {
        let Some(found) = simulated(&card, TIGHT, sign, name) else { return };
        assert!(found.iter().any(|(_, current)| current.abs() < 1e-12));
        assert!(found.iter().any(|(_, current)| current.abs() > 1e-4));
        // The tolerance that the export promises.
        let distance = distance(&card, &found, floor_a);
        println!("{name}: {distance:e}");
        assert!(distance < 1e-6, "{name}: {distance:e}");
    }
}

#[test]
fn ngspice_comes_near_with_its_own_tolerances() {
    let card = card(SHORT);
    let Some(found) = simulated(&card, "gmin=1e-18", 1.0, "default") else { return };
    let strong: Vec<_> = found.into_iter().filter(|(_, current)| current.abs() > 1e-8).collect();
    let distance = distance(&card, &strong, 0.0);
    println!("default tolerances: {distance:e}");
    assert!(distance < 1e-2, "{distance:e}");
}

#[test]
fn adms_reads_the_modules() {
    let folder = folder("adms");
    for model in [&crate::ekv::INFO, &INFO, &crate::inference::milo::INFO] {
        let device = Device::from_card(&DeviceCard::from_defaults(model)).unwrap();
        std::fs::write(folder.join("device.va"), verilog_a::module(&device)).unwrap();
        let Some(output) = ran("admsXml", &["device.va", "-e", "/dev/null"], &folder) else { return };
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("[error") && !said.contains("[fatal"), "{said}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
