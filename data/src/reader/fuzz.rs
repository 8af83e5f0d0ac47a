//! Every reader against bytes that no instrument wrote: never a panic, never a row that vanishes, every
//! error with the name of the file.

use super::*;
use crate::random::Stream;
use proptest::prelude::*;

const MDM: &str = "! VERSION = 6.00\nBEGIN_HEADER\n ICCAP_INPUTS\n  VG V G GROUND SMU1 1e-3 LIN 1 0 0.2 3 0.1\n  VD V D GROUND SMU2 1e-3 LIST 2 2 0.1 1.8\n  VB V B GROUND SMU3 0.1 SYNC -0.5 0.1 VD\n ICCAP_OUTPUTS\n  ID I D GROUND SMU2 B\n ICCAP_VALUES\n  W \"0.42u\"\n  TEMP \"27\"\nEND_HEADER\n\nBEGIN_DB\n ICCAP_VAR VD 0.1\n\n #VG ID\n  0 1e-012\n  0.1 -2.5e-009\n  0.2 1e-003\nEND_DB\n\nBEGIN_DB\n ICCAP_VAR VD 1.8\n\n #VG ID\n  0 1e-012\n  0.1 -2.5e-009\n  0.2 1e-003\nEND_DB\n";
pub(super) const EASYEXPERT: &str = "SetupTitle, Id-Vg\nPrimitiveTest, I/V Sweep\nTestParameter, Channel.Unit, SMU1:HR, SMU2:HR, SMU3:HR, SMU4:HR\nTestParameter, Channel.IName, Is, Ig, Id, Ib\nTestParameter, Channel.VName, Vs, Vg, Vd, Vb\nTestParameter, Channel.Func, CONST, VAR1, VAR2, CONST\nTestParameter, Measurement.Secondary.Start, 0.1\nTestParameter, Measurement.Secondary.Step, 0.9\nTestParameter, Measurement.Bias.Source, 0, -0.5\nDimension1, 3, 3\nDimension2, 2, 2\nDataName, Vg, Id, gm\nDataValue, 0, 1e-12, 0\nDataValue, 0.5, 1e-9, 0\nDataValue, 1, 1e-6, 0\nDataValue, 0, 2e-12, 0\nDataValue, 0.5, 2e-9, 0\nDataValue, 1, 2e-6, 0\n";
pub(super) const CLARIUS: &str = "DrainI,DrainV,GateI,GateV,DrainI(2),DrainV(2),GateI(2),GateV(2)\n1e-12,0.1,1e-13,0,2e-12,1,1e-13,0\n1e-9,0.1,1e-13,0.5,2e-9,1,1e-13,0.5\n1e-6,0.1,1e-13,1,,,,\n";
const RAMPS: &str = "rmp1,rmp2,rmp3\n1e-4,1.1e-4,1.2e-4\n1.5e-4,,1.3e-4\n1.6e-4,2e-4,1.4e-4\n";
const CSV: &str = "# origin: synthetic\n# note: none\ndevice;dose (krad(Si));VD (V);VG (V);ID (nA);compliance\nS1;10;0,1;0;1,5;0\nS1;10;0,1;0,5;20;0\nS1;30;0,1;0,5;OVERFLOW;1\n";
const SIDECAR: &str = "schema = 1\nformat = \"csv\"\nnames = \"{device}_{dose}krad_{time}s.csv\"\ntemperature_k = 300\n[columns]\n\"Spannung\" = \"VG (V)\"\n";

/// Words that mean something to one reader or another.
const WORDS: [&str; 40] = [
    "BEGIN_DB",
    "END_DB",
    "BEGIN_HEADER",
    "END_HEADER",
    "ICCAP_INPUTS",
    "ICCAP_OUTPUTS",
    "ICCAP_VALUES",
    "ICCAP_VAR",
    "#",
    "!",
    "LIN",
    "LIST",
    "SYNC",
    "CON",
    "\n",
    "\r\n",
    ",",
    ";",
    "\t",
    " ",
    "\"",
    "(2)",
    "9.9E37",
    "-1e308",
    "NaN",
    "inf",
    "1e400",
    "0",
    "-0",
    "99999999999999999999",
    "DataName",
    "DataValue",
    "SetupTitle",
    "Dimension1",
    "VG (V)",
    "ID (A)",
    "\u{feff}",
    "µ",
    "\0",
    "18446744073709551615",
];

fn seeds() -> [Vec<u8>; 7] {
    let table = Table::new()
        .with_text("device", vec!["S1".into(), "S1".into()])
        .with_float("vg_v", vec![0.0, 1.0])
        .with_float("id_a", vec![1e-12, f64::NAN]);
    let text = |text: &str| text.as_bytes().to_vec();
    [
        text(MDM),
        text(EASYEXPERT),
        text(CLARIUS),
        text(RAMPS),
        text(CSV),
        text(SIDECAR),
        table.to_parquet().unwrap(),
    ]
}

/// A file with some of its bytes, words and lines changed, by the numbers of a stream.
fn mutated(seed: &[u8], stream: &Stream) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let mut draw = 0;
    let mut below = |n: usize| {
        draw += 1;
        ((stream.uniform(draw) * n as f64) as usize).min(n.saturating_sub(1))
    };
    for _ in 0..=below(6) {
        let at = below(bytes.len() + 1);
        let end = (at + 1 + below(12)).min(bytes.len());
        match below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.insert(at, below(256) as u8),
            3 if at < bytes.len() => bytes[at] = below(256) as u8,
            4 => {
                let word = WORDS[below(WORDS.len())].as_bytes();
                bytes.splice(at..end, word.iter().copied());
            }
            5 => {
                let part = bytes[at..(at + 40).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                // A line twice, or gone.
                let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
                let stop = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |i| at + i + 1);
                let line = bytes[start..stop].to_vec();
                if below(2) == 0 {
                    bytes.splice(start..start, line);
                } else {
                    bytes.drain(start..stop);
                }
            }
        }
    }
    bytes
}

/// Reads bytes in every way and checks what must hold.
fn survives(bytes: &[u8], format: Option<Format>) {
    const NAME: &str = "d/S1_10krad_1e3s.csv";
    let _ = recognise(NAME, bytes);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let all = FORMATS.map(|about| about.format);
    // Parquet is third-party code that starts threads: only its own bytes go there, by their first four.
    let formats = format.map_or(all.to_vec(), |format| vec![format]);
    for format in formats.into_iter().filter(|format| *format != Format::Parquet) {
        match read_as(&[(NAME, bytes)], Some(format), None) {
            Ok(m) => {
                m.table.check().unwrap();
                assert_eq!(m.table.len(), m.places.len());
                assert!(!m.table.is_empty());
                assert!(m.places.iter().all(|(_, line)| *line >= 1 && *line <= lines + 1), "{format:?}");
                assert!(m.sidecar.dropped.iter().all(|row| row.line >= 1 && row.line <= lines + 1));
                let reading = m.table.names().find(|name| ["id_a", "i_a", "c_f", "current_a"].contains(name));
                if let Some(reading) = reading {
                    assert!(m.table.floats(reading).unwrap().iter().all(|value| value.is_finite()));
                }
                let _ = crate::survey::Survey::of(&m);
            }
            Err(error) => {
                assert_eq!(error.file, NAME);
                assert!(error.line.is_none_or(|line| line >= 1 && line <= lines + 1), "{error}");
                assert!(error.to_string().len() < 2000, "{error}");
            }
        }
    }
    let _ = Description::parse("s.toml", bytes);
    let _ = read(&[(NAME, CSV.as_bytes()), ("s.toml", bytes)], Kind::IdVg);
}

/// A million mutations, those of each seed on a thread of their own.
#[test]
fn a_million_mutated_files_are_read_or_refused() {
    const CASES: u64 = 1_000_000 / 6 + 1;
    // In its own format every time, in the others now and then.
    let own = [Format::Mdm, Format::EasyExpert, Format::Clarius, Format::Ramps, Format::Csv, Format::Csv];
    let seeds = seeds();
    std::thread::scope(|scope| {
        for (index, (seed, own)) in seeds.iter().zip(own).enumerate() {
            scope.spawn(move || {
                for case in 0..CASES {
                    let stream = Stream::new(7, &["readers", "fuzz"], &[index as u64, case]);
                    survives(&mutated(seed, &stream), if case % 8 == 0 { None } else { Some(own) });
                }
            });
        }
    });
}

#[test]
fn mutated_parquet_is_read_or_refused() {
    let seeds = seeds();
    for case in 0..3000 {
        let bytes = mutated(&seeds[6], &Stream::new(7, &["readers", "parquet"], &[case]));
        match read_as(&[("f.parquet", bytes.as_slice())], Some(Format::Parquet), Some(Kind::IdVg)) {
            Ok(m) => m.table.check().unwrap(),
            Err(error) => assert_eq!(error.file, "f.parquet"),
        }
    }
}

/// Rows in, rows out: what a reader takes and what it drops are all the rows there are.
#[test]
fn every_row_is_read_or_dropped() {
    let bad = ["x", "", "9.9E37", "NaN", "1e999"];
    let count = |text: &str, format| {
        let m = read_as(&[("f", text.as_bytes())], Some(format), Some(Kind::IdVg)).unwrap();
        m.table.len() + m.sidecar.dropped.len()
    };
    for bad in bad {
        let mdm = MDM.replacen("-2.5e-009", if bad.is_empty() { "1 2" } else { bad }, 1);
        assert_eq!(count(&mdm, Format::Mdm), 6, "{bad}");
        assert_eq!(count(&EASYEXPERT.replace("1e-9", bad), Format::EasyExpert), 6, "{bad}");
        // Five rows of two runs, the third row of the second run is empty: it has ended.
        assert_eq!(count(&CLARIUS.replace("2e-9", bad), Format::Clarius), 5, "{bad}");
        assert_eq!(count(&CSV.replace("20;0", &format!("{bad};0")), Format::Csv), 3, "{bad}");
    }
}

/// Two hundred thousand lines of every sort in a moment: nothing quadratic.
#[test]
fn time_grows_with_size() {
    let long = |head: &str, line: &str, rows: usize| format!("{head}{}", line.repeat(rows));
    let head = &MDM[..MDM.find("  0 1e-012").unwrap()];
    let cases: [(Format, &str, &str); 9] = [
        (Format::Mdm, head, "0.1 1e-9\n"),
        (Format::Mdm, head, "x\n"),
        (Format::Mdm, &head[..head.find(" #VG").unwrap()], " #VG ID\nEND_DB\nBEGIN_DB\n"),
        (Format::EasyExpert, EASYEXPERT, "DataValue, 1, 2e-6, 0\n"),
        (Format::EasyExpert, EASYEXPERT, "SetupTitle, x\nDataName, Vg, Id\nDataValue, 1, 2e-6\n"),
        (Format::Clarius, CLARIUS, "1e-6,0.1,1e-13,1,,,,\n"),
        (Format::Ramps, RAMPS, "1,,x\n"),
        (Format::Csv, CSV, "S1;10;0,1;0;x;0\n"),
        (Format::Csv, "", "a preamble: without end\n"),
    ];
    for (format, head, line) in cases {
        let text = long(head, line, 200_000);
        let start = std::time::Instant::now();
        let _ = read_as(&[("f", text.as_bytes())], Some(format), Some(Kind::IdVg));
        let elapsed = start.elapsed().as_secs_f64();
        // Linear: 0.2 to 0.6 s on an idle machine. Quadratic: 4e10 steps, 40 s at one nanosecond each.
        assert!(elapsed < 20.0, "{format:?} `{line}`: {elapsed} s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn random_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes, None);
    }

    #[test]
    fn random_words_are_read_or_refused(words in prop::collection::vec((0..WORDS.len(), any::<bool>()), 0..120)) {
        let mut text = String::new();
        for (word, blank) in words {
            text.push_str(WORDS[word]);
            if blank {
                text.push(' ');
            }
        }
        survives(text.as_bytes(), None);
        survives(format!("{MDM}{text}").as_bytes(), Some(Format::Mdm));
    }
}
