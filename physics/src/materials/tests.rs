use super::*;
use crate::constants::{ELECTRON_MASS, ELEMENTARY_CHARGE};
use crate::tunnelling::injection::Barrier;

const DEPTH: &str = "[X.depth]\nvalue = 1.4\nunit = \"eV\"\nstd = 0.2\nrange = [1.0, 1.6]\nkind = \"measured\"\n\
                     source = { mark = \"M\", cite = \"somebody\" }\n";
const CURVE: &str = "[X.spectrum]\nvalues = [1.0, 2.0, 1.5]\nunit = \"1/cm^3\"\nrange = [0.0, 3.0]\n\
                     kind = \"ab-initio\"\nsource = { cite = \"somebody\" }\n\
                     [X.spectrum.axis]\nname = \"energy\"\nunit = \"meV\"\nvalues = [0.0, 10.0, 25.0]\n";

fn read(text: &str) -> Result<Materials, InputError> {
    Materials::default().with_layer(text, "x.toml")
}

#[test]
fn built_in_set_is_in_order() {
    let set = Materials::built_in().unwrap();
    for material in
        ["Si", "poly-Si", "SiO2", "Si3N4", "Ta2O5", "TaOx", "HfO2", "TiOx", "MgO", "IGZO", "LiCoO2"]
    {
        assert!(set.0.contains_key(material), "{material}");
    }
    assert!(set.iter().count() > 80, "{}", set.iter().count());
    assert_eq!(set.get("SiO2", "relative_permittivity").unwrap().value, 3.9);
    assert!(set.with_property("relative_permittivity").contains(&"Si3N4"));
    let table = set.table();
    table.check().unwrap();
    assert_eq!(table.len(), set.iter().count());
    for (material, name, resolved) in set.iter() {
        assert!(resolved.property.evidence().source.mark.is_some(), "{material}.{name} has no mark");
    }
}

/// The constants of the closed form for the charge-trap cell are those of the database.
#[test]
fn barriers_of_the_cell_agree() {
    let set = Materials::built_in().unwrap();
    let close = |material: &str, property: &str, unit: f64, expected: f64| {
        let found = set.si(material, property).unwrap() / unit;
        assert!((found - expected).abs() < 1e-12, "{material}.{property}: {found}");
    };
    for (carrier, law) in [("electron", Barrier::ELECTRONS), ("hole", Barrier::HOLES)] {
        let (barrier, mass) = (format!("{carrier}_barrier_si"), format!("{carrier}_tunnelling_mass"));
        close("SiO2", &barrier, ELEMENTARY_CHARGE, law.height_v);
        close("Si3N4", &barrier, ELEMENTARY_CHARGE, law.height_v - law.offset_v);
        close("SiO2", &mass, ELECTRON_MASS, law.oxide_mass);
        close("Si3N4", &mass, ELECTRON_MASS, law.nitride_mass);
    }
}

#[test]
fn values_and_curves_come_in_si() {
    let set = read(&(DEPTH.to_owned() + CURVE)).unwrap();
    assert!((set.si("X", "depth").unwrap() / (1.4 * ELEMENTARY_CHARGE) - 1.0).abs() < 1e-15);
    let (axis, values) = set.curve_si("X", "spectrum").unwrap();
    assert!((axis[2] / (0.025 * ELEMENTARY_CHARGE) - 1.0).abs() < 1e-12);
    assert!((values[1] / 2e6 - 1.0).abs() < 1e-12);
    assert!(set.get("X", "spectrum").is_none() && set.curve("X", "depth").is_none());
    assert!(set.si("X", "spectrum").is_none() && set.si("Y", "depth").is_none());
}

#[test]
fn layers_are_remembered() {
    let user = DEPTH.replace("1.4", "1250.0").replace("eV", "meV").replace("[1.0, 1.6]", "[1e3, 2e3]");
    let set = read(DEPTH).unwrap().with_layer(&user, "fit.toml").unwrap();
    let resolved = set.resolved("X", "depth").unwrap();
    assert_eq!(resolved.layer, "fit.toml");
    assert_eq!(resolved.replaced.len(), 1);
    assert_eq!(resolved.replaced[0].0, "x.toml");
    assert!((set.si("X", "depth").unwrap() / ELEMENTARY_CHARGE - 1.25).abs() < 1e-12);
    assert_eq!(set.table().texts("replaced").unwrap()[0], "1.4 eV of x.toml");
    // Another dimension is no override.
    let wrong = read(DEPTH).unwrap().with_layer(&DEPTH.replace("eV", "V"), "fit.toml").unwrap_err();
    assert_eq!(wrong.to_string(), "fit.toml:3: found unit = `V`, expected the dimension of eV, as in x.toml");
}

#[test]
fn digest_is_of_the_content() {
    let one = read(&(DEPTH.to_owned() + CURVE)).unwrap();
    let other = read(&(CURVE.to_owned() + "\n\n# note\n" + &DEPTH.replace("1.4", "  1.40"))).unwrap();
    assert_eq!(one.digest(), other.digest());
    assert_ne!(one.digest(), read(DEPTH).unwrap().digest());
    assert_ne!(read(DEPTH).unwrap().digest(), read(&DEPTH.replace("0.2", "0.3")).unwrap().digest());
    // A layer that says the same again changes the history, not the digest.
    let again = one.clone().with_layer(DEPTH, "again.toml").unwrap();
    assert_eq!(one.digest(), again.digest());
    assert_ne!(one, again);
}

#[test]
fn the_resolved_set_reads_back() {
    for set in [read(&(DEPTH.to_owned() + CURVE)).unwrap(), Materials::built_in().unwrap()] {
        let text = set.to_toml().unwrap();
        assert_eq!(read(&text).unwrap().digest(), set.digest());
    }
}

#[test]
fn bad_entries_are_refused_at_their_line() {
    let line = |text: &str| read(text).unwrap_err().line.unwrap();
    let bad = |from: &str, to: &str| line(&DEPTH.replace(from, to));
    assert_eq!(bad("1.4", "1.7"), 2);
    assert_eq!(bad("1.4", "nan"), 2);
    assert_eq!(bad("\"eV\"", "\"ev\""), 3);
    assert_eq!(bad("0.2", "-0.2"), 4);
    assert_eq!(bad("0.2", "inf"), 4);
    assert_eq!(bad("[1.0, 1.6]", "[1.6, 1.0]"), 5);
    assert_eq!(bad("[1.0, 1.6]", "[nan, 1.0]"), 5);
    assert_eq!(bad("measured", "guessed"), 6);
    assert_eq!(bad("\"somebody\"", "\" \""), 7);
    assert_eq!(bad("kind", "sort"), 6);
    assert_eq!(bad("std = 0.2\nrange = [1.0, 1.6]\n", ""), 1);
    assert_eq!(bad("value = 1.4\n", ""), 1);
    assert_eq!(bad("kind", "T_K = 0.0\nkind"), 6);
    let bad = |from: &str, to: &str| line(&CURVE.replace(from, to));
    assert_eq!(bad("1.5]", "4.0]"), 2);
    assert_eq!(bad("2.0, ", ""), 2);
    assert_eq!(bad("\"meV\"", "\"mev\""), 9);
    assert_eq!(bad("25.0]", "5.0]"), 10);
    assert_eq!(bad("unit = \"1/cm^3\"", "unit = \"1/cm^3\"\nvalue = 1.0"), 1);
}
