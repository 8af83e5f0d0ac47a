//! IDX: the format of MNIST and its kin, plain or compressed with gzip.

use crate::error::InputError;
use std::io::Read;

/// The largest file that is read (bytes after decompression).
const LARGEST: u64 = 1 << 30;

/// An array of bytes with its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// Sizes, the slowest first.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<u8>,
}

/// The content of a file that may be compressed.
pub(super) fn decompress(bytes: &[u8], file: &str) -> Result<Vec<u8>, InputError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.to_vec());
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).take(LARGEST).read_to_end(&mut plain).map_err(|error| {
        InputError::new(file, format!("damaged gzip after {} bytes ({error})", plain.len()), "a whole file")
    })?;
    Ok(plain)
}

/// Reads an IDX file of unsigned bytes.
///
/// # Errors
/// A wrong magic number, another type of values, or a file that is too short or too long; with the byte
/// offset.
pub fn read_idx(bytes: &[u8], file: &str) -> Result<Idx, InputError> {
    let plain = decompress(bytes, file)?;
    let short = |needed: usize| {
        InputError::new(
            file,
            format!("the end of the file at byte {}", plain.len()),
            format!("{needed} bytes"),
        )
    };
    let Some(&[a, b, kind, dimensions]) = plain.first_chunk::<4>() else { return Err(short(4)) };
    if (a, b) != (0, 0) || dimensions == 0 || dimensions > 4 {
        let found = format!("the bytes {a:02x} {b:02x} {kind:02x} {dimensions:02x} at the start");
        return Err(InputError::new(file, found, "an IDX file (00 00 08 and the number of dimensions)"));
    }
    if kind != 8 {
        return Err(InputError::new(file, format!("values of type {kind:02x}"), "unsigned bytes (08)"));
    }
    let header = 4 + 4 * usize::from(dimensions);
    let sizes = plain.get(4..header).ok_or_else(|| short(header))?;
    let shape: Vec<usize> =
        sizes.as_chunks::<4>().0.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
    let count = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let expected =
        count.and_then(|count| count.checked_add(header)).filter(|&n| n as u64 <= LARGEST).ok_or_else(
            || InputError::new(file, format!("sizes {shape:?}"), "an array of less than a gigabyte"),
        )?;
    if plain.len() < expected {
        return Err(short(expected));
    }
    if plain.len() > expected {
        let found = format!("{} bytes after the array", plain.len() - expected);
        return Err(InputError::new(file, found, format!("the end of the file at byte {expected}")));
    }
    Ok(Idx { shape, values: plain[header..].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_truncated_file_is_told_with_its_offset() {
        let whole = [&[0, 0, 8, 1, 0, 0, 0, 3][..], &[1, 2, 3]].concat();
        assert_eq!(read_idx(&whole, "x").unwrap().values, [1, 2, 3]);
        let error = read_idx(&whole[..9], "labels").unwrap_err();
        assert_eq!(error.to_string(), "labels: found the end of the file at byte 9, expected 11 bytes");
        assert!(read_idx(&[&whole[..], &[0]].concat(), "x").is_err());
        assert!(read_idx(&[0x1f, 0x8b, 0, 0], "x").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_idx(&bytes, "fuzz");
            let _ = read_idx(&[&[0, 0, 8, 3][..], &bytes].concat(), "fuzz");
        }
    }
}
