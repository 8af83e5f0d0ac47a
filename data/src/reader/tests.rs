//! What instruments write, and everything that can be wrong with it.

use super::*;
use crate::provenance::Origin;
use proptest::prelude::*;

const SWEEP: &str = "# origin: synthetic\n# instrument: none\nDevice,State,Dose (krad(Si)),Time (s),T (K),VD (V),VG (V),ID (A),Compliance\n";

fn sweep(rows: &[&str]) -> String {
    let mut text = SWEEP.to_owned();
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

fn read_text(text: &str, kind: Kind) -> Result<Measurement, InputError> {
    read(&[("f.csv", text.as_bytes())], kind)
}

#[test]
fn a_sweep_is_read_and_bad_rows_are_counted() {
    let text = sweep(&[
        "S1,+2.0,30,10,300,0.1,0.00,1e-12,0",
        "S1,+2.0,30,10,300,0.1,0.05,OVERFLOW,0",
        "S1,+2.0,30,10,300,0.1,0.10,9.9E37,0",
        "S1,+2.0,30,10,300,0.1,0.15,,0",
        "S1,+2.0,30,10,300,0.1,0.20,2e-12,1",
        "S1,+2.0,100,20,300,0.1,0.20,2e-12,0",
    ]);
    let m = read_text(&text, Kind::IdVg).unwrap();
    assert_eq!(m.sidecar.origin, Origin::Synthetic);
    assert_eq!(m.table.floats("vg_v").unwrap(), [0.0, 0.2, 0.2]);
    assert_eq!(m.table.floats("sweep").unwrap(), [0.0, 0.0, 1.0]);
    assert_eq!(m.table.floats("compliance").unwrap(), [0.0, 1.0, 0.0]);
    assert_eq!(m.table.texts("state").unwrap()[0], "+2.0");
    let lines: Vec<usize> = m.sidecar.dropped.iter().map(|d| d.line).collect();
    assert_eq!(lines, [5, 6, 7]);
    assert!(m.sidecar.dropped[0].reason.contains("OVERFLOW"));
    let error = m.check_for_fit().unwrap_err();
    assert_eq!((error.line, error.found.as_str()), (Some(4), "a sweep of 2 points"));
    let parts =
        Measurement::from_parts(&m.table.to_parquet().unwrap(), m.sidecar_toml().as_bytes(), "m").unwrap();
    assert_eq!((parts.table, parts.sidecar), (m.table, m.sidecar));
}

#[test]
fn units_delimiters_and_decimal_commas() {
    let text = "state;dose_rad_si;time_h;current [µA]\r\n0,5;1000;1;0,8\r\n1;2000;2;1,6\r\n";
    let m = read_text(text, Kind::StateCurrent).unwrap();
    assert_eq!(m.table.floats("current_na").unwrap()[0].round(), 800.0);
    assert_eq!(m.table.floats("dose_krad_si").unwrap(), [1.0, 2.0]);
    assert_eq!(m.table.floats("time_s").unwrap(), [3600.0, 7200.0]);
    assert_eq!(m.table.floats("state").unwrap(), [0.5, 1.0]);
    assert!(m.sidecar.notes[0].contains("decimal commas"));
    let with_row = "state,dose,time,current\n1,krad(Si),s,nA\n0.5,10,0,800\n";
    let with_row = with_row.replace("1,krad", "fraction,krad");
    assert_eq!(
        read_text(&with_row, Kind::StateCurrent).unwrap().table.floats("current_na").unwrap(),
        [800.0]
    );
    let bare = "VG (mV)\tID (nA)\n100\t1\n";
    let m = read_text(bare, Kind::IdVg).unwrap();
    assert_eq!(m.table.floats("vg_v").unwrap(), [0.1]);
    assert_eq!(m.sidecar.assumptions.len(), 4);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let error = |text: &str, kind| read_text(text, kind).unwrap_err();
    let e = error("state,dose_krad_si,time_s,current\n1,0,0,5\n", Kind::StateCurrent);
    assert_eq!((e.line, e.column.as_deref(), e.found.as_str()), (Some(1), Some("current"), "no unit"));
    let e = error("state,dose (rads),time_s,current_na\n1,0,0,5\n", Kind::StateCurrent);
    assert!(e.found.contains("rads") && e.expected.contains("Gy(Si)"), "{e}");
    let e = error("state,dose (rad(SiO2)),time_s,current_na\n1,0,0,5\n", Kind::StateCurrent);
    assert!(e.expected.contains("convert"), "{e}");
    let e = error("state,dose_krad_si,time_s,current_na\n1,0,0,low\n0.5,0,0,high\n", Kind::StateCurrent);
    assert_eq!((e.line, e.column.as_deref()), (Some(2), Some("current_na")));
    assert!(e.found.contains("text"), "{e}");
    assert!(error("", Kind::IdVg).found.contains("empty"));
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("VG (V)".bytes().flat_map(|b| [b, 0])).collect();
    assert!(read(&[("u.csv", &utf16)], Kind::IdVg).unwrap_err().found.contains("UTF-16"));
    assert!(error("a,b\n1,2\n", Kind::IdVg).expected.contains("VG (V)"));
    assert!(error("VG (V),ID (A)\n", Kind::IdVg).found.contains("no rows"));
    assert!(error("VG (V),ID (V)\n1,2\n", Kind::IdVg).found.contains("`V`"));
}

#[test]
fn the_label_of_synthetic_data_is_never_lost() {
    let origin = |files: &[File<'_>]| read(files, Kind::IdVg).unwrap().sidecar.origin;
    let measured = ("m.csv", &b"VG (V),ID (A)\n0,1\n"[..]);
    let labelled = ("s.csv", &b"# Origin: SYNTHETIC (generator)\nVG (V),ID (A)\n0,1\n"[..]);
    let joined = ("j.csv", &b"VG (V),ID (A)\n0,1\n# origin: synthetic\n1,2\n"[..]);
    assert_eq!(origin(&[measured]), Origin::Measured);
    assert_eq!(origin(&[labelled]), Origin::Synthetic);
    assert_eq!(origin(&[joined]), Origin::Synthetic);
    assert_eq!(origin(&[labelled, measured]), Origin::Synthetic);
    assert_eq!(origin(&[measured, labelled]), Origin::Synthetic);
}

#[test]
fn surplus_cells_are_not_read_in_silence() {
    // Decimal commas in a file that is separated by commas: no reading of it is safe.
    let e = read_text("VG (V),ID (A)\n0,5,1,2e-9\n0,6,1,3e-9\n", Kind::IdVg).unwrap_err();
    assert_eq!(e.line, Some(2));
    assert!(e.found.contains("4 cells instead of 2"), "{e}");
    // A delimiter at the end of each line is harmless.
    assert_eq!(read_text("VG (V),ID (A)\n0,1,\n1,2,\n", Kind::IdVg).unwrap().table.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&[("fuzz", &bytes)], Kind::IdVg);
        let _ = recognise("fuzz", &bytes);
    }

    #[test]
    fn no_text_makes_it_panic(cells in "[-0-9a-zA-Zµ(),;\t\n.%\\[\\]\" ]{0,200}") {
        let text = format!("VG (V),ID (A),{cells}");
        let m = read_text(&text, Kind::IdVg);
        if let Ok(m) = m {
            // Every line below the header is a row, a dropped row, a comment, or empty.
            prop_assert!(m.table.len() + m.sidecar.dropped.len() <= text.lines().count());
            prop_assert!(m.table.floats("id_a").unwrap().iter().all(|x| x.is_finite()));
        }
    }
}
