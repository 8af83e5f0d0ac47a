#![allow(clippy::unwrap_used)]
//! Tables are safetensors: by the format's own rules, and in Python where its package is there.

use mho_lut::{CompileOptions, DeviceTable, SyntheticCell, compile};
use std::io::Write;
use std::process::{Command, Stdio};

fn table() -> DeviceTable {
    let options = CompileOptions { time_max_s: 1e5, ..CompileOptions::default() };
    let notes = vec!["a note with \"quotes\" and \u{b5}".into()];
    compile(&SyntheticCell { notes, ..SyntheticCell::default() }, &options).unwrap()
}

/// Eight bytes of length, a JSON header, and arrays that fill the rest without gaps, each as long as its
/// shape says: the rules of the format.
#[test]
fn the_file_follows_the_format() {
    let bytes = table().to_bytes().unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert_eq!(bytes[8], b'{');
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let about = header["__metadata__"]["mho"].as_str().unwrap();
    let about: serde_json::Value = serde_json::from_str(about).unwrap();
    assert_eq!((about["schema"].as_u64(), about["kind"].as_str()), (Some(2), Some("grid")));
    let number = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (name, entry) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        assert_eq!(entry["dtype"], "F64", "{name}");
        let count: usize = entry["shape"].as_array().unwrap().iter().map(number).product();
        let (begin, end) = (number(&entry["data_offsets"][0]), number(&entry["data_offsets"][1]));
        assert_eq!(end - begin, 8 * count, "{name}");
        spans.push((begin, end));
    }
    spans.sort_unstable();
    assert_eq!((spans[0].0, spans[spans.len() - 1].1), (0, bytes.len() - 8 - length));
    assert!(spans.windows(2).all(|pair| pair[0].1 == pair[1].0));
}

/// Reads the table from standard input and prints the largest current, the shape of the mean, and the mean
/// of the largest state at no time and dose.
const SCRIPT: &str = "
import json, sys
try:
    from safetensors.numpy import load
except ImportError:
    sys.exit(77)
data = sys.stdin.buffer.read()
arrays = load(data)
header = json.loads(data[8:8 + int.from_bytes(data[:8], 'little')])
about = json.loads(header['__metadata__']['mho'])
mean = arrays['mean']
assert mean.shape == (len(arrays['axis.state']), len(arrays['axis.time_s']), len(arrays['axis.dose_krad_si']))
assert arrays['quantile'].shape == mean.shape + (len(arrays['axis.score']),)
print(about['current_max_na'], about['certificate']['tolerance_fraction'], repr(float(mean[-1, 0, 0])))
";

#[test]
fn python_opens_the_file() {
    let child =
        Command::new("python3").arg("-c").arg(SCRIPT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: no python3; this test did not run");
        return;
    };
    let bytes = table().to_bytes().unwrap();
    // Without its package Python ends before it has read everything: a broken pipe is no news.
    let _ = child.stdin.take().unwrap().write_all(&bytes);
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(77) {
        eprintln!("SKIPPED: python3 has no package `safetensors`; this test did not run");
        return;
    }
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "1600.0 0.001 1600.0");
}
