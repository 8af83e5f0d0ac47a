//! Named arrays in one `.npz` file: a ZIP archive (PKWARE's APPNOTE 6.3) of `.npy` members.
//!
//! Members are stored or deflated when read and stored when written. What ZIP has beyond that
//! (encryption, several disks, other compressions, archives above 4 GB) is refused by name. This is all of the
//! format that NumPy writes, in fewer lines than a dependency on a ZIP library would cost to build:
//! `flate2` is here already.

use super::Array;
use crate::InputError;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::Read;

/// Named arrays, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Archive {
    /// Name (without `.npy`) and array of each member.
    pub members: Vec<(String, Array)>,
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// What says that a number stands in a 64-bit field elsewhere.
const ELSEWHERE: u32 = u32::MAX;

/// Little-endian numbers at a place of a file.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn u16(&self, at: usize) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes(self.0.get(at..at.checked_add(2)?)?.try_into().ok()?)))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.0.get(at..at.checked_add(4)?)?.try_into().ok()?))
    }

    fn u64(&self, at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(self.0.get(at..at.checked_add(8)?)?.try_into().ok()?))
    }

    fn slice(&self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }
}

/// A member as the central directory tells of it.
struct Entry<'a> {
    name: &'a [u8],
    flags: usize,
    compression: usize,
    checksum: u32,
    stored: usize,
    length: usize,
    header: usize,
}

/// The entry at `at` of the central directory, and where the next begins.
fn entry<'a>(bytes: &Bytes<'a>, at: usize) -> Option<(Entry<'a>, usize)> {
    if bytes.slice(at, 4)? != CENTRAL {
        return None;
    }
    let name = bytes.slice(at + 46, bytes.u16(at + 28)?)?;
    let extra_at = at + 46 + name.len();
    let extra = bytes.u16(at + 30)?;
    let next = extra_at + extra + bytes.u16(at + 32)?;
    // The fields that may stand in the 64-bit extension, in its order.
    let mut numbers = [bytes.u32(at + 24)?, bytes.u32(at + 20)?, bytes.u32(at + 42)?].map(u64::from);
    let mut field = extra_at;
    while field + 4 <= extra_at + extra {
        let length = bytes.u16(field + 2)?;
        if bytes.u16(field)? == 1 {
            let mut value = field + 4;
            for number in &mut numbers {
                if *number == u64::from(ELSEWHERE) {
                    *number = bytes.u64(value)?;
                    value += 8;
                }
            }
        }
        field += 4 + length;
    }
    let [length, stored, header] = numbers.map(|number| usize::try_from(number).ok());
    let entry = Entry {
        name,
        flags: bytes.u16(at + 8)?,
        compression: bytes.u16(at + 10)?,
        checksum: bytes.u32(at + 16)?,
        stored: stored?,
        length: length?,
        header: header?,
    };
    Some((entry, next))
}

impl Archive {
    /// The array of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, array)| array)
    }

    /// Reads all arrays of a `.npz` file; their values become f64.
    ///
    /// # Errors
    /// [`InputError`] naming the member and what is wrong with it.
    pub fn from_npz(bytes: &[u8], file: &str) -> Result<Self, InputError> {
        let expected = "a .npz file: a ZIP archive of .npy members";
        let wrong = |found: String| InputError::new(file, found, expected);
        let bytes = Bytes(bytes);
        // The directory's end is the last thing in the file, before a comment of at most 65535 bytes.
        let count = bytes.0.len();
        let end = (count.saturating_sub(22 + 65_535)..=count.saturating_sub(22))
            .rev()
            .find(|at| bytes.slice(*at, 4) == Some(END))
            .ok_or_else(|| wrong("no directory at the end of the file".into()))?;
        let cut = || wrong("a directory that is cut".into());
        let members = bytes.u16(end + 10).ok_or_else(cut)?;
        let mut at = bytes.u32(end + 16).ok_or_else(cut)? as usize;
        let mut archive = Self::default();
        for _ in 0..members {
            let (entry, next) = entry(&bytes, at).ok_or_else(cut)?;
            let name = String::from_utf8_lossy(entry.name).into_owned();
            let member = format!("{file}: {name}");
            let data = unpacked(&bytes, &entry).map_err(|found| InputError::new(&member, found, expected))?;
            let array = Array::from_npy(&data, &member)?;
            archive.members.push((name.strip_suffix(".npy").unwrap_or(&name).to_owned(), array));
            at = next;
        }
        Ok(archive)
    }

    /// The archive as a `.npz` file. Equal archives give equal bytes: members carry no time.
    ///
    /// # Errors
    /// What is too large: names above 65535 bytes, more members than that, or 4 GB and more.
    pub fn to_npz(&self) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let mut directory = Vec::new();
        let small = |number: usize, what: &str| u16::try_from(number).map_err(|_| format!("{number} {what}"));
        let large = |number: usize| {
            u32::try_from(number).ok().filter(|n| *n != ELSEWHERE).ok_or("more than 4 GB in one .npz file")
        };
        for (name, array) in &self.members {
            let data = array.to_npy();
            let name = format!("{name}.npy");
            let mut crc = Crc::new();
            crc.update(&data);
            let start = large(out.len())?;
            // From the version that is needed to the length of the extra field, common to both headers.
            // Flag 0x800: names are UTF-8; stored; 1980-01-01, the first day that ZIP knows.
            let mut common = Vec::new();
            for value in [20u16, 0x800, 0, 0, 0x21] {
                common.extend(value.to_le_bytes());
            }
            for value in [crc.sum(), large(data.len())?, large(data.len())?] {
                common.extend(value.to_le_bytes());
            }
            common.extend(small(name.len(), "bytes in a name")?.to_le_bytes());
            common.extend(0u16.to_le_bytes());
            out.extend(LOCAL);
            out.extend(&common);
            out.extend(name.as_bytes());
            out.extend(&data);
            directory.extend(CENTRAL);
            directory.extend(20u16.to_le_bytes());
            directory.extend(&common);
            // No comment, first disk, no attributes.
            directory.extend([0; 10]);
            directory.extend(start.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let (start, length) = (large(out.len())?, large(directory.len())?);
        out.extend(directory);
        out.extend(END);
        out.extend([0; 4]);
        let count = small(self.members.len(), "members")?;
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend(start.to_le_bytes());
        out.extend([0; 2]);
        Ok(out)
    }
}

/// The bytes of a member, checked.
fn unpacked(bytes: &Bytes<'_>, entry: &Entry<'_>) -> Result<Vec<u8>, String> {
    let cut = || "a member that is cut".to_owned();
    if entry.flags & 1 != 0 {
        return Err("an encrypted member".into());
    }
    if bytes.slice(entry.header, 4) != Some(LOCAL) {
        return Err("no member where the directory says".into());
    }
    let header = Bytes(bytes.0.get(entry.header..).ok_or_else(cut)?);
    let skipped = header.u16(26).zip(header.u16(28)).map(|(name, extra)| 30 + name + extra);
    let data = skipped.and_then(|at| header.slice(at, entry.stored)).ok_or_else(cut)?;
    let data = match entry.compression {
        0 => data.to_vec(),
        8 => {
            let mut unpacked = Vec::new();
            // One byte more than announced is enough to see that there is too much.
            let limit = u64::try_from(entry.length).unwrap_or(u64::MAX).saturating_add(1);
            let read = DeflateDecoder::new(data).take(limit).read_to_end(&mut unpacked);
            read.map_err(|error| format!("deflated bytes that are damaged ({error})"))?;
            unpacked
        }
        other => return Err(format!("compression method {other}")),
    };
    if data.len() != entry.length {
        return Err(format!("{} bytes in a member of {}", data.len(), entry.length));
    }
    let mut crc = Crc::new();
    crc.update(&data);
    if crc.sum() != entry.checksum {
        return Err("a member whose checksum is wrong".into());
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Archive {
        let array = |shape: Vec<usize>| {
            let count = shape.iter().product::<usize>();
            Array { shape, values: (0..count).map(|i| 0.5 - i as f64).collect() }
        };
        Archive { members: vec![("row_v".into(), array(vec![2, 3, 4])), ("Volt Ω".into(), array(vec![]))] }
    }

    #[test]
    fn written_and_read() {
        for archive in [Archive::default(), sample()] {
            let bytes = archive.to_npz().unwrap();
            assert_eq!(Archive::from_npz(&bytes, "a.npz").unwrap(), archive);
        }
    }

    /// `numpy.savez_compressed(f, a=numpy.array([1.0, -2.5]), b=numpy.int32(7))` of NumPy 2.
    #[test]
    fn what_numpy_writes() {
        let text = include_str!("numpy.npz.hex");
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let archive = Archive::from_npz(&bytes, "numpy.npz").unwrap();
        assert_eq!(archive.get("a").unwrap(), &Array { shape: vec![2], values: vec![1.0, -2.5] });
        assert_eq!(archive.get("b").unwrap(), &Array { shape: vec![], values: vec![7.0] });
    }

    /// The layout that the format's description asks for, byte by byte.
    #[test]
    fn layout() {
        let archive = Archive { members: vec![("a".into(), Array { shape: vec![1], values: vec![1.0] })] };
        let bytes = archive.to_npz().unwrap();
        let npy = archive.members[0].1.to_npy();
        assert_eq!(&bytes[..4], LOCAL);
        assert_eq!(&bytes[30..35], b"a.npy");
        assert_eq!(&bytes[35..35 + npy.len()], npy);
        let directory = 35 + npy.len();
        assert_eq!(&bytes[directory..directory + 4], CENTRAL);
        assert_eq!(&bytes[directory + 46..directory + 51], b"a.npy");
        let end = directory + 51;
        assert_eq!(&bytes[end..end + 4], END);
        assert_eq!(bytes.len(), end + 22);
        assert_eq!(bytes[end + 16..end + 20], (directory as u32).to_le_bytes());
        // CRC-32 of the nine digits is its customary check value.
        let mut crc = Crc::new();
        crc.update(b"123456789");
        assert_eq!(crc.sum(), 0xcbf4_3926);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = sample().to_npz().unwrap();
        let message = |bytes: &[u8]| Archive::from_npz(bytes, "a.npz").unwrap_err().to_string();
        assert!(message(b"").contains("directory"));
        assert!(message(&good[..good.len() - 1]).contains("directory"));
        let mut bad = good.clone();
        let at = bad.len() / 4;
        bad[at] ^= 1;
        assert!(message(&bad).contains("checksum"), "{}", message(&bad));
        assert!(message(&bad).contains("row_v.npy"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0usize..600, value in any::<u8>(), keep in 0usize..900) {
            let mut bytes = sample().to_npz().unwrap();
            let length = bytes.len();
            bytes[at % length] = value;
            let _ = Archive::from_npz(&bytes, "a.npz");
            bytes.truncate(keep);
            let _ = Archive::from_npz(&bytes, "a.npz");
        }

        #[test]
        fn any_noise_is_refused_or_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            bytes.extend(END);
            bytes.extend([0u8; 6]);
            bytes.extend([1, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0]);
            let _ = Archive::from_npz(&bytes, "a.npz");
        }
    }
}
