//! CIFAR-10 in its binary form: records of a label and 3 x 32 x 32 bytes, plain or compressed with gzip.

use super::Images;
use super::idx::decompress;
use crate::error::InputError;

/// Files of the set, five batches to train on and one to test on.
pub(super) const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

const SIDE: usize = 32;
const RECORD: usize = 1 + 3 * SIDE * SIDE;

/// Reads images of CIFAR-10 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009):
/// planes red, green, blue.
///
/// # Errors
/// A file that is no whole number of records, or a label above 9; with the record, counted from 1.
pub fn read_cifar(bytes: &[u8], file: &str) -> Result<Images, InputError> {
    let plain = decompress(bytes, file)?;
    if plain.is_empty() || plain.len() % RECORD != 0 {
        let found = format!("{} bytes", plain.len());
        return Err(InputError::new(file, found, format!("whole records of {RECORD} bytes, at least one")));
    }
    let count = plain.len() / RECORD;
    let mut images = Images {
        pixels: Vec::with_capacity(count * (RECORD - 1)),
        labels: Vec::with_capacity(count),
        rows: SIDE,
        cols: SIDE,
        channels: 3,
    };
    for (number, record) in plain.chunks_exact(RECORD).enumerate() {
        if record[0] > 9 {
            let found = format!("label {} in record {}", record[0], number + 1);
            return Err(InputError::new(file, found, "labels 0 to 9"));
        }
        images.labels.push(record[0]);
        images.pixels.extend_from_slice(&record[1..]);
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_planes_and_wrong_ones_are_named() {
        let record = |label: u8, grey: u8| [vec![label], vec![grey; RECORD - 1]].concat();
        let images = read_cifar(&[record(3, 7), record(9, 8)].concat(), "a.bin").unwrap();
        assert_eq!((images.labels, images.channels, images.rows, images.cols), (vec![3, 9], 3, 32, 32));
        assert_eq!((images.pixels[0], images.pixels[3 * 1024]), (7, 8));
        let error = read_cifar(&[record(3, 7), record(10, 8)].concat(), "a.bin").unwrap_err();
        assert!(error.to_string().contains("record 2"), "{error}");
        for bad in [&record(1, 1)[..100], &[]] {
            assert!(read_cifar(bad, "a.bin").unwrap_err().to_string().contains("3073"));
        }
    }
}
