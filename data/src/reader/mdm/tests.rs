use super::*;

const HEADER: &str = "! VERSION = 6.00\nBEGIN_HEADER\n ICCAP_INPUTS\n  VG V G GROUND SMU1 1e-3 LIN 1 0 0.2 3 0.1\n  VD V D GROUND SMU2 1e-3 LIST 2 2 0.1 1.8\n  VB V B GROUND SMU3 0.1 SYNC -0.5 0.1 VD\n  VS V S GROUND GND 0 CON 0\n ICCAP_OUTPUTS\n  ID I D GROUND SMU2 B\n ICCAP_VALUES\n  W \"0.42u\"\n  TEMP\"27\"\n  REMARKS \"\"\nEND_HEADER\n";

fn block(vd: &str, rows: &str) -> String {
    format!("\nBEGIN_DB\n ICCAP_VAR VD {vd}\n\n #VG ID\n{rows}END_DB\n")
}

fn whole() -> String {
    let rows = "  0 1e-012\n  0.1 -2.5e-009\n  0.2 1e-003\n";
    format!("{HEADER}{}{}", block("0.1", rows), block("1.8", rows))
}

#[test]
fn a_file_is_read_as_it_stands() {
    let file = read("d/x_l0p15u_m3(1_IDVG).mdm", whole().as_bytes()).unwrap();
    assert!(file.incomplete.is_empty() && file.dropped.is_empty() && file.notes.is_empty(), "{file:?}");
    assert_eq!(file.sweeps.len(), 2);
    assert_eq!(file.sweeps[1].fixed("vd"), Some(1.8));
    assert_eq!(file.sweeps[0].column("ID").unwrap(), [1e-12, -2.5e-9, 1e-3]);
    assert_eq!(file.inputs[0].compliance, Some(1e-3));
    assert_eq!(file.inputs[0].nodes, ["G", "GROUND"]);
    assert_eq!(file.inputs[1].plan, SweepPlan::List { order: 2, values: vec![0.1, 1.8] });
    // The body follows the drain: -0.5 · 1.8 + 0.1.
    assert!((file.series(&file.sweeps[1], "VB").unwrap()[0] + 0.8).abs() < 1e-15);
    assert_eq!(file.series(&file.sweeps[1], "VS").unwrap(), [0.0; 3]);
    assert_eq!(file.temperature_k(), Some(300.15));

    let table = measurement(&[file]).unwrap();
    let column = |name: &str| table.table.floats(name).unwrap().to_vec();
    assert_eq!(column("vd_v"), [0.1, 0.1, 0.1, 1.8, 1.8, 1.8]);
    assert_eq!(column("compliance"), [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    assert!((column("width_um")[0] - 0.42).abs() < 1e-12);
    assert_eq!((column("length_um")[0], column("multiplicity")[0]), (0.15, 3.0));
    assert_eq!(table.table.texts("device").unwrap()[0], "x_l0p15u_m3(1)");
    assert_eq!(table.places[3].1, 29);
}

#[test]
fn what_is_missing_is_said() {
    let short = format!("{HEADER}{}", block("0.1", " 0 1e-12\n 0.1 OVER\n 0.2 1 2\n"));
    let file = read("f", short.as_bytes()).unwrap();
    assert_eq!(file.dropped.iter().map(|row| row.line).collect::<Vec<_>>(), [21, 22]);
    assert_eq!(file.incomplete.len(), 2, "{:?}", file.incomplete);
    assert!(file.incomplete[0].contains("1 of 2 blocks"));
    assert!(file.incomplete[1].contains("has 1, 2 dropped"));

    let cut = &whole()[..whole().len() - 30];
    let file = read("f", cut.as_bytes()).unwrap();
    assert!(file.incomplete[0].contains("f:25: the file ends within this block"), "{:?}", file.incomplete);
}

#[test]
fn what_is_broken_is_named_with_its_line() {
    let cases = [
        ("hello\n".to_owned(), "f:1: found `hello`, expected BEGIN_HEADER"),
        (whole().replace("SYNC -0.5", "SYNC x"), "f:6: found `x`, expected SYNC ratio offset master"),
        (whole().replace("LIST 2 2", "LIST 2 3"), "f:5: found a list of 2 values"),
        (whole().replace("CON 0", "0"), "f:7: found `VS V S GROUND GND 0 0`"),
        (whole().replace("#VG ID", "#VX ID"), "f:19: found `VX`, expected the inner sweep"),
        (whole().replace("#VG ID", "#VG VG"), "f:19: found `VG`, expected one column of each name"),
        (whole().replacen("END_DB", "", 1), "f:25: found `BEGIN_DB`, expected END_DB"),
        (whole().replace("END_HEADER\n", ""), "f:15: found `BEGIN_DB`, expected END_HEADER"),
        (HEADER.to_owned(), "found a header without data"),
        (whole().replace("ICCAP_VAR VD 0.1", "ICCAP_VAR VD"), "f:17: found `ICCAP_VAR VD`"),
        (whole().replace("  VS V", "  vg V"), "f:7: found `vg`, expected one input or output of each name"),
    ];
    for (text, wanted) in cases {
        let error = read("f", text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}\nwanted {wanted}");
    }
    let ring = whole().replace("-0.5 0.1 VD", "-0.5 0.1 VB");
    let file = read("f", ring.as_bytes()).unwrap();
    assert_eq!(file.series(&file.sweeps[0], "VB"), None);
}

#[test]
fn sources_of_every_kind() {
    let header = "BEGIN_HEADER\n ICCAP_INPUTS\n  freq F LOG 1 1e6 1e9 3 31\n  t T LIN 2 0 1e-6 2 1e-6\n  bias I B GROUND SMU3 5 CON 1e-6\n  temp U CON 27\n  par P LIST 3 1 4\n  hb V A B C D HB 1 2 3\n ICCAP_OUTPUTS\n  s S 1 2 NWA M\n  q Q G GROUND CM\n USER_INPUTS\n  who me\n ICCAP_EXTRA\n  anything at all\nEND_HEADER\nBEGIN_DB\n#freq R:s(1,1) I:s(1,1)\n1e6 0.5 -0.5\nEND_DB\n";
    let file = read("f", header.as_bytes()).unwrap();
    let plans: Vec<Option<u32>> = file.inputs.iter().map(|input| input.plan.order()).collect();
    assert_eq!(plans, [Some(1), Some(2), None, None, Some(3), None]);
    assert_eq!(file.inputs[0].plan.points(), Some(31));
    assert_eq!(file.inputs[2].compliance, Some(5.0));
    assert_eq!(file.inputs[3].plan, SweepPlan::Constant(27.0));
    assert_eq!(file.value("WHO"), Some("me"));
    assert_eq!(file.sweeps[0].column("i:S(1,1)").unwrap(), [-0.5]);
    assert!(file.notes[0].contains("ICCAP_EXTRA"));
    // Two of the promises are not kept: blocks, and points in a block.
    assert_eq!(file.incomplete.len(), 2);
    // It is nothing that a measurement could be made of, and says so.
    let error = measurement(&[file]).unwrap_err();
    assert!(error.found.contains("freq") && error.expected.contains("a transistor"), "{error}");
}

#[test]
fn diodes_and_capacitors() {
    let diode = "BEGIN_HEADER\nICCAP_INPUTS\nVN V B GROUND SMU2 0.01 LIN 1 0 1 2 1\nVP V C GROUND SMU3 0.01 CON 0.25\nICCAP_OUTPUTS\nIN I B GROUND SMU2 B\nIP I C GROUND SMU3 B\nEND_HEADER\nBEGIN_DB\nICCAP_VAR VP 0.25\n#VN IP IN\n0 1e-6 -1e-6\n1 -1e-9 1e-9\nEND_DB\n";
    let file = read("n_diode_2_by_3_m4.mdm", diode.as_bytes()).unwrap();
    let m = measurement(&[file]).unwrap();
    assert_eq!(m.sidecar.kind, Kind::Diode);
    // From anode to cathode, and into the anode, whichever was swept.
    assert_eq!(m.table.floats("v_v").unwrap(), [0.25, -0.75]);
    assert_eq!(m.table.floats("i_a").unwrap(), [1e-6, -1e-9]);
    assert_eq!(m.table.floats("multiplicity").unwrap(), [4.0, 4.0]);
    let capacitor = "BEGIN_HEADER\nICCAP_INPUTS\nvbc V B C CM 1e-4 LIN 1 5 4 2 -1\nICCAP_OUTPUTS\ncbc C B C CM B\nEND_HEADER\nBEGIN_DB\n#vbc cbc\n5 1e-12\n4 2e-12\nEND_DB\n";
    let m = measurement(&[read("c.mdm", capacitor.as_bytes()).unwrap()]).unwrap();
    assert_eq!((m.sidecar.kind, m.table.floats("c_f").unwrap()), (Kind::Capacitance, &[1e-12, 2e-12][..]));
}

/// The measured files beside the project, when they are there.
#[test]
fn measured_files_are_read_whole() {
    let Some(folder) = crate::shared::find("measured/sky130") else {
        return eprintln!("SKIPPED: no measured/sky130");
    };
    let mut folders = vec![folder];
    let (mut files, mut transistors, mut rows) = (0, 0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "mdm") {
                let name = path.display().to_string();
                let file = read(&name, &std::fs::read(&path).unwrap()).unwrap();
                assert!(file.dropped.is_empty() && file.notes.is_empty(), "{name}");
                assert!(file.incomplete.is_empty(), "{:?}", file.incomplete);
                files += 1;
                rows += file.rows();
                if file.is_transistor() {
                    transistors += 1;
                    let table = measurement(&[file]).unwrap().table;
                    for column in ["width_um", "length_um", "multiplicity", "vg_v", "vb_v", "id_a"] {
                        assert!(
                            table.floats(column).unwrap().iter().all(|v| v.is_finite()),
                            "{name} {column}"
                        );
                    }
                }
            }
        }
    }
    // measured/README.md: 237 files, 11 of them C-V and 18 diodes.
    assert_eq!((files, transistors), (237, 208));
    assert!(rows > 50_000, "{rows}");
}
