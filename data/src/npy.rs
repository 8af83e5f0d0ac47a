//! Arrays in NumPy's `.npy` format (NEP 1, versions 1 to 3), numbers alone.

use crate::InputError;

mod npz;
pub use npz::Archive;

/// An array of numbers, the last axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Values, as many as the product of the lengths.
    pub values: Vec<f64>,
}

/// The first bytes of every file.
const MAGIC: &[u8] = b"\x93NUMPY";

impl Array {
    /// Reads an array of integers or floats, in either order of its axes and bytes; its values become f64.
    ///
    /// # Errors
    /// [`InputError`] naming what is wrong and where.
    pub fn from_npy(bytes: &[u8], file: &str) -> Result<Self, InputError> {
        match Self::parts_from_npy(bytes, file)? {
            (real, None) => Ok(real),
            (_, Some(_)) => Err(InputError::new(file, "complex numbers", "real ones")),
        }
    }

    /// Reads the real parts of an array of numbers, and the imaginary ones where its type has them.
    ///
    /// # Errors
    /// [`InputError`] naming what is wrong and where.
    pub fn parts_from_npy(bytes: &[u8], file: &str) -> Result<(Self, Option<Self>), InputError> {
        let wrong = |found: String, expected: &str| InputError::new(file, found, expected);
        if !bytes.starts_with(MAGIC) {
            return Err(wrong("other first bytes".into(), "a .npy file, which begins with \\x93NUMPY"));
        }
        let truncated =
            || wrong(format!("{} bytes, cut inside the header", bytes.len()), "a whole .npy file");
        let major = *bytes.get(6).ok_or_else(truncated)?;
        let (start, length) = match (major, bytes.get(8..12)) {
            (1, Some(size)) => (10_usize, usize::from(u16::from_le_bytes([size[0], size[1]]))),
            (2 | 3, Some(size)) => (12, u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize),
            (1..=3, None) => return Err(truncated()),
            (other, _) => return Err(wrong(format!("version {other}"), "version 1, 2 or 3")),
        };
        let end = start.checked_add(length).ok_or_else(truncated)?;
        let header = bytes.get(start..end).ok_or_else(truncated)?;
        let header = String::from_utf8_lossy(header).into_owned();
        let field = |name: &str| {
            let at = header.find(&format!("'{name}'"))?;
            Some(header[at..].split_once(':')?.1.trim_start().to_owned())
        };
        let missing =
            |name: &str| wrong(format!("no {name} in the header {header:?}"), "descr, fortran_order, shape");
        let kind = field("descr").ok_or_else(|| missing("descr"))?;
        let kind =
            kind.trim_start_matches(['\'', '"']).split(['\'', '"']).next().unwrap_or_default().to_owned();
        let fortran = field("fortran_order").ok_or_else(|| missing("fortran_order"))?.starts_with("True");
        let shape = field("shape").ok_or_else(|| missing("shape"))?;
        let inside = shape.trim_start_matches('(').split(')').next().unwrap_or_default();
        let shape: Vec<usize> = inside
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map_err(|_| wrong(format!("shape ({inside})"), "whole numbers")))
            .collect::<Result<_, _>>()?;
        let count = shape
            .iter()
            .try_fold(1usize, |product, axis| product.checked_mul(*axis))
            .ok_or_else(|| wrong(format!("shape ({inside})"), "an array that fits into memory"))?;
        let width: usize = kind.get(2..).and_then(|width| width.parse().ok()).unwrap_or(0);
        let data = &bytes[end..];
        if width == 0 || count.checked_mul(width) != Some(data.len()) {
            let found = format!("{} bytes of data for {count} values of type {kind}", data.len());
            return Err(wrong(found, "exactly the bytes that shape and type ask for"));
        }
        let kind = Kind::of(&kind).ok_or_else(|| {
            wrong(format!("type {kind}"), "numbers: f8, f4, f2, i1 to i8, u1 to u8, b1, c16, c8")
        })?;
        let part = |which: usize| {
            let values: Vec<f64> = data
                .chunks_exact(width)
                .map(|value| kind.read(&value[which * width / kind.parts..]))
                .collect();
            Self { values: if fortran { transposed(&values, &shape) } else { values }, shape: shape.clone() }
        };
        Ok((part(0), (kind.parts > 1).then(|| part(1))))
    }

    /// The array as a `.npy` file of f64.
    #[must_use]
    pub fn to_npy(&self) -> Vec<u8> {
        self.written("<f8", self.values.iter().copied())
    }

    /// The array with these imaginary parts as a `.npy` file of complex numbers.
    #[must_use]
    pub fn to_complex_npy(&self, imaginary: &[f64]) -> Vec<u8> {
        let parts = self.values.iter().zip(imaginary).flat_map(|(real, imaginary)| [*real, *imaginary]);
        self.written("<c16", parts)
    }

    fn written(&self, kind: &str, values: impl Iterator<Item = f64>) -> Vec<u8> {
        let axes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        // A tuple of one has a comma.
        let tuple =
            if axes.len() == 1 { format!("({},)", axes[0]) } else { format!("({})", axes.join(", ")) };
        let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple}, }}");
        // The data begin at a multiple of 64 bytes, after a line end.
        let padding = (64 - (10 + header.len() + 1) % 64) % 64;
        header.push_str(&" ".repeat(padding));
        header.push('\n');
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values.flat_map(f64::to_le_bytes));
        bytes
    }
}

/// A type of numbers.
struct Kind {
    /// Reads one part of a number from its first bytes, little-endian.
    convert: fn(&[u8]) -> f64,
    /// Bytes of a part.
    width: usize,
    /// 2 for complex numbers.
    parts: usize,
    /// Whether the highest byte comes first.
    big_endian: bool,
}

impl Kind {
    /// `None` for types that are no numbers.
    fn of(kind: &str) -> Option<Self> {
        fn of<const N: usize>(bytes: &[u8]) -> [u8; N] {
            let mut array = [0; N];
            array.copy_from_slice(&bytes[..N]);
            array
        }
        let big_endian = kind.starts_with('>');
        type Convert = fn(&[u8]) -> f64;
        let (convert, width, parts): (Convert, usize, usize) =
            match kind.trim_start_matches(['<', '>', '|', '=']) {
                "f8" => (|b| f64::from_le_bytes(of(b)), 8, 1),
                "f4" => (|b| f64::from(f32::from_le_bytes(of(b))), 4, 1),
                "f2" => (|b| half(u16::from_le_bytes(of(b))), 2, 1),
                "c16" => (|b| f64::from_le_bytes(of(b)), 8, 2),
                "c8" => (|b| f64::from(f32::from_le_bytes(of(b))), 4, 2),
                "i8" => (|b| i64::from_le_bytes(of(b)) as f64, 8, 1),
                "i4" => (|b| f64::from(i32::from_le_bytes(of(b))), 4, 1),
                "i2" => (|b| f64::from(i16::from_le_bytes(of(b))), 2, 1),
                "i1" => (|b| f64::from(i8::from_le_bytes(of(b))), 1, 1),
                "u8" => (|b| u64::from_le_bytes(of(b)) as f64, 8, 1),
                "u4" => (|b| f64::from(u32::from_le_bytes(of(b))), 4, 1),
                "u2" => (|b| f64::from(u16::from_le_bytes(of(b))), 2, 1),
                "u1" | "b1" => (|b| f64::from(b[0]), 1, 1),
                _ => return None,
            };
        Some(Self { convert, width, parts, big_endian })
    }

    fn read(&self, bytes: &[u8]) -> f64 {
        if !self.big_endian {
            return (self.convert)(bytes);
        }
        let mut turned = [0; 8];
        turned[..self.width].copy_from_slice(&bytes[..self.width]);
        turned[..self.width].reverse();
        (self.convert)(&turned)
    }
}

/// A number of IEEE 754's binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2.0_f64.powi(exponent - 25),
    };
    sign * magnitude
}

/// Values with the first axis fastest, put with the last axis fastest.
fn transposed(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut index = vec![0usize; shape.len()];
    (0..values.len())
        .map(|_| {
            let at = index.iter().zip(shape).rev().fold(0, |sum, (i, length)| sum * length + i);
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
            values[at]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn written_and_read() {
        for shape in [vec![], vec![5], vec![2, 3], vec![2, 3, 4], vec![0, 3]] {
            let count = shape.iter().product::<usize>();
            let array = Array { shape, values: (0..count).map(|i| 0.1 * i as f64).collect() };
            let bytes = array.to_npy();
            assert_eq!((bytes.len() - 8 * count) % 64, 0);
            assert_eq!(Array::from_npy(&bytes, "a.npy").unwrap(), array);
        }
    }

    #[test]
    fn first_axis_fastest() {
        let mut bytes = Array { shape: vec![2, 3], values: vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0] }.to_npy();
        let at = bytes.windows(5).position(|window| window == b"False").unwrap();
        bytes[at..at + 5].copy_from_slice(b"True ");
        let array = Array::from_npy(&bytes, "a.npy").unwrap();
        assert_eq!(array.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = Array { shape: vec![2], values: vec![1.0, 2.0] }.to_npy();
        let message = |bytes: &[u8]| Array::from_npy(bytes, "a.npy").unwrap_err().to_string();
        assert!(message(b"PK\x03\x04").contains("NUMPY"));
        assert!(message(&good[..20]).contains("cut"));
        assert!(message(&good[..good.len() - 1]).contains("15 bytes"));
        let text = String::from_utf8_lossy(&good[10..80]).replace("<f8", "<c8");
        let mut complex = good.clone();
        complex[10..80].copy_from_slice(text.as_bytes());
        assert!(message(&complex).contains("complex"));
        let text = text.replace("<c8", "<m8");
        complex[10..80].copy_from_slice(text.as_bytes());
        assert!(message(&complex).contains("<m8"));
    }

    /// An array of these bytes under this type.
    fn typed(kind: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
        let count: usize = shape.iter().product();
        let bytes = Array { shape: shape.to_vec(), values: vec![0.0; count] }.written(kind, [].into_iter());
        [&bytes, data].concat()
    }

    #[test]
    fn either_order_of_bytes() {
        let mut data: Vec<u8> = 1.5_f64.to_be_bytes().to_vec();
        data.extend((-3e-9_f64).to_be_bytes());
        let array = Array::from_npy(&typed(">f8", &[2], &data), "a.npy").unwrap();
        assert_eq!(array.values, [1.5, -3e-9]);
        let array = Array::from_npy(&typed(">i4", &[1], &(-70_000_i32).to_be_bytes()), "a.npy").unwrap();
        assert_eq!(array.values, [-70_000.0]);
    }

    /// One, the largest, the smallest and a negative number of binary16, from the tables of IEEE 754.
    #[test]
    fn half_precision() {
        let data: Vec<u8> =
            [0x3c00_u16, 0x7bff, 0x0001, 0xc500, 0x7c00].into_iter().flat_map(u16::to_le_bytes).collect();
        let array = Array::from_npy(&typed("<f2", &[5], &data), "a.npy").unwrap();
        assert_eq!(array.values, [1.0, 65504.0, 2.0_f64.powi(-24), -5.0, f64::INFINITY]);
    }

    #[test]
    fn complex_numbers() {
        let real = Array { shape: vec![2, 1], values: vec![1.0, 2.0] };
        let bytes = real.to_complex_npy(&[-0.5, 3.0]);
        let (found, imaginary) = Array::parts_from_npy(&bytes, "a.npy").unwrap();
        assert_eq!((found, imaginary.unwrap().values), (real, vec![-0.5, 3.0]));
        assert!(Array::from_npy(&bytes, "a.npy").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), keep in 0..120usize) {
            let good = Array { shape: vec![3, 2], values: vec![0.5; 6] }.to_npy();
            let mut mixed = good[..keep.min(good.len())].to_vec();
            mixed.append(&mut bytes);
            let _ = Array::from_npy(&mixed, "a.npy");
        }
    }
}
