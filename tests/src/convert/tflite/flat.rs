//! Tables and vectors of FlatBuffers (format: flatbuffers.dev, "Internals"), bounds checked.
//!
//! A table begins with the signed distance to its list of field offsets; a field that the list lacks has
//! its default. Written here because the crate of the format needs unsafe code to read tables by field
//! number.

/// A table within a file.
#[derive(Clone, Copy)]
pub(super) struct Flat<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Elements of a vector that lie within the file.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    bytes: &'a [u8],
    start: usize,
    count: usize,
}

fn word(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

/// Where an offset that stands at `at` points to.
fn target(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32::from_le_bytes(word(bytes, at)?) as usize)
}

impl<'a> Flat<'a> {
    /// The table that the whole file is.
    pub(super) fn root(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { bytes, at: target(bytes, 0)? })
    }

    /// Where a field stands; `None` if it has its default.
    fn field(self, number: usize) -> Option<usize> {
        let short =
            |at: usize| self.bytes.get(at..at + 2).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])));
        let back = i32::from_le_bytes(word(self.bytes, self.at)?);
        let offsets = usize::try_from(i64::try_from(self.at).ok()? - i64::from(back)).ok()?;
        let entry = 4 + 2 * number;
        if entry + 2 > short(offsets)? {
            return None;
        }
        match short(offsets + entry)? {
            0 => None,
            offset => Some(self.at + offset),
        }
    }

    pub(super) fn byte(self, number: usize) -> u8 {
        self.field(number).and_then(|at| self.bytes.get(at).copied()).unwrap_or(0)
    }

    pub(super) fn int(self, number: usize, default: i32) -> i32 {
        self.field(number).and_then(|at| word(self.bytes, at)).map_or(default, i32::from_le_bytes)
    }

    /// A field that counts something: a stride, an index.
    pub(super) fn count(self, number: usize, default: usize) -> usize {
        usize::try_from(self.int(number, i32::try_from(default).unwrap_or(0))).unwrap_or(0)
    }

    pub(super) fn table(self, number: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes, at: target(self.bytes, self.field(number)?)? })
    }

    /// A vector; an absent one is empty.
    pub(super) fn list(self, number: usize) -> List<'a> {
        let found = self.field(number).and_then(|field| {
            let at = target(self.bytes, field)?;
            Some((at + 4, u32::from_le_bytes(word(self.bytes, at)?) as usize))
        });
        let (start, count) = found.unwrap_or((0, 0));
        List { bytes: self.bytes, start, count }
    }
}

impl<'a> List<'a> {
    /// The bytes of a vector of elements of a width; none if the file ends before.
    pub(super) fn bytes(self, width: usize) -> &'a [u8] {
        let end = self.count.checked_mul(width).and_then(|size| self.start.checked_add(size));
        end.and_then(|end| self.bytes.get(self.start..end)).unwrap_or(&[])
    }

    pub(super) fn tables(self) -> Vec<Flat<'a>> {
        let places = (0..self.bytes(4).len() / 4).map(|i| self.start + 4 * i);
        places.filter_map(|at| Some(Flat { bytes: self.bytes, at: target(self.bytes, at)? })).collect()
    }

    pub(super) fn ints(self) -> Vec<i32> {
        self.bytes(4).as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b)).collect()
    }

    pub(super) fn longs(self) -> Vec<i64> {
        self.bytes(8).as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect()
    }

    pub(super) fn floats(self) -> Vec<f32> {
        self.bytes(4).as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }
}
