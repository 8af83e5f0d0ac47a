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

fn floats<'a>(m: &'a Measurement, name: &str) -> &'a [f64] {
    m.table.floats(name).unwrap()
}

#[test]
fn easyexpert_blocks_carry_their_sources() {
    let text = fuzz::EASYEXPERT;
    assert_eq!(Format::recognise(text.as_bytes()), Format::EasyExpert);
    let m = read_as(&[("e.csv", text.as_bytes())], None, None).unwrap();
    assert_eq!(m.sidecar.kind, Kind::IdVg);
    // VAR2 starts at 0.1 V and steps by 0.9 V after the three points of VAR1.
    assert_eq!(floats(&m, "vd_v"), [0.1, 0.1, 0.1, 1.0, 1.0, 1.0]);
    assert_eq!(floats(&m, "vb_v"), [-0.5; 6]);
    assert_eq!(floats(&m, "sweep"), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(floats(&m, "id_a")[5], 2e-6);
    assert!(m.sidecar.notes.iter().any(|note| note.contains("gm")), "{:?}", m.sidecar.notes);
    assert!(m.sidecar.notes.iter().any(|note| note.contains("vb_v = -0.5")), "{:?}", m.sidecar.notes);
    assert!(!m.sidecar.assumptions.iter().any(|a| a.contains("drain")), "{:?}", m.sidecar.assumptions);
    // Blocks follow each other, each with its own names.
    let two = format!("{text}SetupTitle, again\nDataName, Id, Vg, Vd\nDataValue, 3e-6, 0.5, 0.2\n");
    let m = read(&[("e.csv", two.as_bytes())], Kind::IdVg).unwrap();
    assert_eq!((floats(&m, "vg_v")[6], floats(&m, "vd_v")[6], floats(&m, "sweep")[6]), (0.5, 0.2, 2.0));
    let error = |text: &str| read(&[("e.csv", text.as_bytes())], Kind::IdVg).unwrap_err();
    assert_eq!(error("SetupTitle, x\nDataValue, 1\n").line, Some(2));
    assert_eq!(error("SetupTitle, x\nDataName, Vg, gm\nDataValue, 1, 2\n").line, Some(2));
    let m = read(&[("e.csv", text.replace("Dimension2", "Nonsense").as_bytes())], Kind::IdVg).unwrap();
    assert_eq!(m.sidecar.dropped[0].line, 11);
}

#[test]
fn clarius_runs_are_sweeps() {
    let text = fuzz::CLARIUS;
    assert_eq!(Format::recognise(text.as_bytes()), Format::Clarius);
    let m = read_as(&[("c.csv", text.as_bytes())], None, None).unwrap();
    assert_eq!(floats(&m, "sweep"), [0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(floats(&m, "vd_v"), [0.1, 0.1, 0.1, 1.0, 1.0]);
    assert_eq!(floats(&m, "id_a"), [1e-12, 1e-9, 1e-6, 2e-12, 2e-9]);
    assert_eq!(floats(&m, "ig_a"), [1e-13; 5]);
    assert!(m.sidecar.dropped.is_empty());
    // A hole within a run is a row that is not used, and said.
    let m = read(&[("c.csv", text.replace("2e-12,1,", ",1,").as_bytes())], Kind::IdVg).unwrap();
    assert_eq!((m.table.len(), m.sidecar.dropped.len(), m.sidecar.dropped[0].line), (4, 1, 2));
}

#[test]
fn ramps_keep_their_numbers() {
    let text = "rmp1,rmp2\n1,4\n2,\n3,6\n";
    let sidecar = "unit = \"uA\"\nread_v = 0.2\nstate = \"up\"\n";
    let m = read(&[("reset.csv", text.as_bytes())], Kind::Ramp).unwrap();
    assert_eq!(floats(&m, "ramp"), [1.0, 1.0, 1.0, 2.0, 2.0]);
    assert_eq!(floats(&m, "pulse"), [1.0, 2.0, 3.0, 1.0, 3.0]);
    assert_eq!(m.table.texts("state").unwrap()[0], "reset");
    assert_eq!(m.sidecar.assumptions.len(), 2);
    assert!(m.sidecar.notes[0].contains("1 empty"));
    let files: [File<'_>; 2] = [("reset.csv", text.as_bytes()), ("reset.csv.toml", sidecar.as_bytes())];
    let m = read_as(&files, None, None).unwrap();
    assert!((floats(&m, "current_a")[4] - 6e-6).abs() < 1e-18 && m.sidecar.assumptions.is_empty());
    assert_eq!((floats(&m, "read_v")[0], m.table.texts("state").unwrap()[0].as_str()), (0.2, "up"));
}

#[test]
fn what_is_not_in_the_file_stands_beside_it() {
    let sweep = b"Spannung;Strom\n0;1\n1;2\n".as_slice();
    let all = "names = \"{device}_{dose}krad_{time}s.csv\"\ntemperature_k = 250\n[columns]\nSpannung = \"VG (V)\"\nStrom = \"ID (nA)\"\n";
    let own = "temperature_k = 77\ndevice = \"other\"\nvd_v = 0.05\n";
    let files = [
        ("d/S1_30krad_10s.csv", sweep),
        ("d/S2_100krad_1e3s.csv", sweep),
        ("d/S2_100krad_1e3s.toml", own.as_bytes()),
        ("d/all.toml", all.as_bytes()),
    ];
    let m = read(&files, Kind::IdVg).unwrap();
    assert_eq!(m.table.texts("device").unwrap(), ["S1", "S1", "other", "other"]);
    assert_eq!(floats(&m, "dose_krad_si"), [30.0, 30.0, 100.0, 100.0]);
    assert_eq!(floats(&m, "time_s"), [10.0, 10.0, 1000.0, 1000.0]);
    assert_eq!(floats(&m, "temperature_k"), [250.0, 250.0, 77.0, 77.0]);
    assert_eq!(floats(&m, "vd_v"), [0.1, 0.1, 0.05, 0.05]);
    assert_eq!(floats(&m, "id_a")[1], 2e-9);
    assert_eq!(m.sidecar.raw.len(), 4);
    assert_eq!(m.sidecar.raw[0].blake3, blake3::hash(sweep).to_hex().to_string());
    // What is assumed is said: the drain voltage of the first, and that the doses are rad(Si).
    assert_eq!(m.sidecar.assumptions.len(), 3, "{:?}", m.sidecar.assumptions);

    let refused = |sidecar: &str| {
        read(&[("f.csv", sweep), ("f.csv.toml", sidecar.as_bytes())], Kind::IdVg).unwrap_err().to_string()
    };
    assert!(refused("schema = 1\ntemprature_k = 3\n").contains("f.csv.toml:2: found unknown field"));
    assert!(refused("temperature_k = 3\nwidth_um = -1\n").contains("f.csv.toml:2: found width_um = -1"));
    assert!(refused("temperature_k = nan\n").contains("above 0 K"));
    assert!(refused("names = \"{dose}.csv\"\n").contains("no unit behind {dose}"));
    assert!(refused("names = \"{device}_{dose}krad.csv\"\n").contains("a name like"));
    assert!(refused("[columns]\nSpannung = \"volts\"\n").contains("f.csv.toml:2"));
    assert!(refused("format = \"xls\"\n").contains("expected parquet, mdm"));
    assert!(read(&[("s.toml", b"")], Kind::IdVg).unwrap_err().found.contains("a sidecar alone"));
}

#[test]
fn parquet_is_a_table_like_any_other() {
    let table = Table::new()
        .with_text("device", vec!["S1".into(); 3])
        .with_float("VG (mV)", vec![0.0, 100.0, 200.0])
        .with_float("id_na", vec![1.0, f64::NAN, 3.0])
        .with_float("T (K)", vec![77.0; 3]);
    let bytes = table.to_parquet().unwrap();
    assert_eq!(recognise("t.parquet", &bytes), Some(Kind::IdVg));
    let m = read_as(&[("t.parquet", &bytes)], None, None).unwrap();
    assert_eq!(floats(&m, "vg_v"), [0.0, 0.2]);
    assert!((floats(&m, "id_a")[1] / 3e-9 - 1.0).abs() < 1e-12);
    assert_eq!(floats(&m, "temperature_k"), [77.0; 2]);
    assert_eq!(m.sidecar.dropped[0].line, 3);
}

/// The measured ramps beside the project, when they are there.
#[test]
fn measured_ramps_are_read_whole() {
    for (file, ramps, pulses) in [("set", 39.0, 192.0), ("reset", 40.0, 153.0)] {
        let Some(path) = crate::shared::find(&format!("measured/crosssim/pulse_csv/{file}.csv")) else {
            return;
        };
        let bytes = std::fs::read(&path).unwrap();
        let m = read_as(&[(&path.display().to_string(), &bytes)], None, None).unwrap();
        // measured/README.md: 39 SET ramps of 192 pulses, 40 RESET ramps of 153.
        let most = |name| floats(&m, name).iter().fold(0.0, |a: f64, b| a.max(*b));
        assert_eq!((most("ramp"), most("pulse")), (ramps, pulses));
        assert!(m.sidecar.dropped.is_empty());
        assert_eq!(m.table.texts("state").unwrap()[0], file);
    }
}

#[test]
fn other_kinds_are_told_by_their_columns() {
    let kind = |text: &str| recognise("f.csv", text.as_bytes());
    assert_eq!(kind("V (V),C (pF)\n"), Some(Kind::Capacitance));
    assert_eq!(kind("V (V),I (mA)\n"), Some(Kind::Diode));
    assert_eq!(kind("ramp,pulse,current (uA)\n"), Some(Kind::Ramp));
    assert_eq!(kind("VG (V),VD (V),ID (A)\n"), Some(Kind::IdVg));
    assert_eq!(kind("name,place\n"), None);
    let m = read_as(&[("f.csv", b"V (V),C (pF),W (nm)\n1,2,500\n2,3,500\n")], None, None).unwrap();
    assert_eq!((m.sidecar.kind, floats(&m, "width_um")), (Kind::Capacitance, &[0.5, 0.5][..]));
    assert!((floats(&m, "c_f")[1] / 3e-12 - 1.0).abs() < 1e-12);
}

#[test]
fn files_of_different_formats_join() {
    let plain = "VG (V),ID (A)\n0,1\n1,2\n";
    let files = [("a.csv", plain.as_bytes()), ("b.csv", fuzz::CLARIUS.as_bytes())];
    let m = read(&files, Kind::IdVg).unwrap();
    assert_eq!(floats(&m, "sweep"), [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
    assert!(floats(&m, "ig_a")[0].is_nan() && floats(&m, "ig_a")[2] == 1e-13);
    assert_eq!(m.places[2], ("b.csv".to_owned(), 2));
    let mixed = [("a.csv", plain.as_bytes()), ("b.csv", &b"rmp1,rmp2\n1,2\n"[..])];
    let error = read_as(&mixed, None, None).unwrap_err();
    assert_eq!((error.file.as_str(), error.expected.as_str()), ("b.csv", Kind::IdVg.title()));
}

/// A table in which the bias changes from row to row, or one that was sorted by something else, holds the same sweeps.
#[test]
fn rows_of_several_biases_among_each_other_become_sweeps() {
    let head = "VG (V),VD (V),ID (A)\n";
    let row = |step: usize, drain: &str| format!("{},{drain},{}e-9\n", 0.1 * step as f64, step + 1);
    let one_by_one: String =
        ["0.1", "1"].iter().flat_map(|drain| (0..10).map(|step| row(step, drain))).collect();
    let wanted = read_text(&format!("{head}{one_by_one}"), Kind::IdVg).unwrap();
    let interleaved: String = (0..10).flat_map(|step| ["0.1", "1"].map(|drain| row(step, drain))).collect();
    let found = read_text(&format!("{head}{interleaved}"), Kind::IdVg).unwrap();
    assert_eq!(found.table, wanted.table);
    assert_eq!(found.places[10].1, 3, "lines stay with their rows");
    assert!(found.sidecar.notes.iter().any(|note| note.contains("put together as 2 sweeps")));
    // 7 is prime to 20: every row comes, none beside its neighbours.
    let rows: Vec<&str> = one_by_one.lines().collect();
    let scattered: String = (0..20).map(|at| format!("{}\n", rows[7 * at % 20])).collect();
    let found = read_text(&format!("{head}{scattered}"), Kind::IdVg).unwrap();
    assert_eq!(found.table, wanted.table);
    assert!(wanted.sidecar.notes.is_empty());
}

#[test]
fn conductances_and_targets_need_what_they_are_measured_by() {
    let body = "cell,target_us,time_s,conductance_us\na,10,1,9.5\nb,20,1,20.5\n";
    let told = format!("# read_v: 0.2 V\n# current_max_na: 4000\n{body}");
    let m = read_text(&told, Kind::StateCurrent).unwrap();
    // 10 uS of 20 uS; 9.5 uS at 0.2 V.
    let states = m.table.floats("state").unwrap();
    // A product of three factors rounds three times.
    assert!((states[0] - 0.5).abs() < 1e-15 && (states[1] - 1.0).abs() < 1e-15, "{states:?}");
    let currents = m.table.floats("current_na").unwrap();
    assert!((currents[0] - 1900.0).abs() < 1e-9 && (currents[1] - 4100.0).abs() < 1e-9, "{currents:?}");
    let sidecar = "read_v = 0.2\ncurrent_max_na = 4000.0\n";
    let beside =
        read(&[("f.csv", body.as_bytes()), ("f.toml", sidecar.as_bytes())], Kind::StateCurrent).unwrap();
    assert_eq!(beside.table, m.table);
    assert_eq!(beside.preamble("current_max_na"), Some("4000"));
    let error = read_text(body, Kind::StateCurrent).unwrap_err();
    assert_eq!((error.line, error.column.as_deref()), (Some(1), Some("target_us")));
    assert!(error.expected.contains("read_v"), "{error}");
    let error = read_text("state (nA),current_na\n800,790\n", Kind::StateCurrent).unwrap_err();
    assert!(error.expected.contains("current_max_na"), "{error}");
    // Where both stand, the current and the fraction are taken.
    let both = "state,target_na,conductance_us,current_na\n0.5,800,8,790\n";
    let m = read_text(both, Kind::StateCurrent).unwrap();
    assert_eq!((m.table.floats("state").unwrap()[0], m.table.floats("current_na").unwrap()[0]), (0.5, 790.0));
}

#[test]
fn columns_between_spaces_clocks_and_long_names() {
    let text = "measured at room temperature on a probe station\nVG (V)   ID (nA)  VD(V)\n0.0  1.0  0.1\n0.1  2.0  0.1\n";
    let m = read_text(text, Kind::IdVg).unwrap();
    assert_eq!(m.table.floats("vg_v").unwrap(), [0.0, 0.1]);
    assert_eq!(m.sidecar.preamble, ["measured at room temperature on a probe station"]);
    // Prose is no header.
    assert!(recognise("f.txt", b"the state of the current\nof 1 cell was read\n").is_none());
    let text = "Timestamp,Gate Voltage (V),Drain Current (uA),Note\n2026-01-01 12:00:00,0,1,ok\n";
    let m = read_text(text, Kind::IdVg).unwrap();
    assert!((m.table.floats("id_a").unwrap()[0] - 1e-6).abs() < 1e-18);
    assert!(m.sidecar.notes.iter().any(|note| note.contains("not used: Timestamp, Note")));
    let krad = read_text("device,dose (krad),vt_v\na,0,0.1\n", Kind::Threshold).unwrap_err();
    assert!(krad.expected.contains("write krad(Si)"), "{krad}");
}

#[test]
fn a_dose_in_the_name_of_a_file_is_not_passed_over_in_silence() {
    let text: &[u8] = b"VG (V),ID (A)\n0,1e-9\n";
    let m = read(&[("nfet_50krad_0s.csv", text)], Kind::IdVg).unwrap();
    assert!(m.sidecar.assumptions.iter().any(|line| line.contains("says `50krad`")));
    let pattern: &[u8] = b"names = \"{device}_{dose}krad_{time}s.csv\"\n";
    let m = read(&[("nfet_50krad_0s.csv", text), ("names.toml", pattern)], Kind::IdVg).unwrap();
    assert_eq!(m.table.floats("dose_krad_si").unwrap(), [50.0]);
    assert!(!m.sidecar.assumptions.iter().any(|line| line.contains("no dose")));
}
