//! Arrays of `.npz` reference files, for tests.

use std::collections::HashMap;
use std::io::Read;

use mho_data::npy::Array;

/// The arrays of a `.npz` file of the reference data by their names, or `None`, loudly, without it.
pub(crate) fn npz(relative: &str) -> Option<HashMap<String, Array>> {
    let bytes = std::fs::read(mho_data::shared::find(relative)?).unwrap();
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    // The end record of a ZIP archive without a comment is its last 22 bytes.
    let end = bytes.len() - 22;
    assert_eq!(bytes[end..end + 4], *b"PK\x05\x06", "{relative}: no end record");
    let mut entry = u32_at(end + 16);
    let mut arrays = HashMap::new();
    for _ in 0..u16_at(end + 10) {
        assert_eq!(bytes[entry..entry + 4], *b"PK\x01\x02");
        let (method, packed, local) = (u16_at(entry + 10), u32_at(entry + 20), u32_at(entry + 42));
        let name = std::str::from_utf8(&bytes[entry + 46..entry + 46 + u16_at(entry + 28)]).unwrap();
        let start = local + 30 + u16_at(local + 26) + u16_at(local + 28);
        let data = &bytes[start..start + packed];
        let mut npy = Vec::new();
        match method {
            0 => npy.extend(data),
            8 => drop(flate2::read::DeflateDecoder::new(data).read_to_end(&mut npy).unwrap()),
            other => panic!("compression {other}"),
        }
        let array = Array::from_npy(&npy, name).unwrap();
        arrays.insert(name.trim_end_matches(".npy").to_owned(), array);
        entry += 46 + u16_at(entry + 28) + u16_at(entry + 30) + u16_at(entry + 32);
    }
    Some(arrays)
}
