//! The outer structure of a protocol-buffer file, checked before anything is allocated: where it breaks,
//! and how many nodes and tensors it claims to hold.

/// Most nodes, tensors or values of a graph, and attributes of a node: far above any network that arrays
/// hold. Assumed.
const MOST_MESSAGES: usize = 100_000;

/// What is wrong, and at which byte.
pub(crate) struct Broken {
    pub(crate) offset: usize,
    pub(crate) what: String,
}

/// One field of a message: its number and, if it is a message or bytes, where its content lies.
struct Field {
    number: u64,
    content: Option<(usize, usize)>,
}

struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Walker<'_> {
    fn broken<T>(&self, what: impl Into<String>) -> Result<T, Broken> {
        Err(Broken { offset: self.at, what: what.into() })
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes[..self.end].get(self.at) else {
                return self.broken("the end inside a number");
            };
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        self.broken("a number of more than ten bytes")
    }

    fn next(&mut self) -> Result<Option<Field>, Broken> {
        if self.at >= self.end {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = key >> 3;
        let length = match key & 7 {
            0 => {
                self.varint()?;
                return Ok(Some(Field { number, content: None }));
            }
            1 => 8,
            5 => 4,
            2 => self.varint()?,
            other => return self.broken(format!("a field of wire type {other}")),
        };
        let left = self.end - self.at;
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= left) else {
            return self.broken(format!("a field of {length} bytes where {left} are left"));
        };
        let content = (self.at, self.at + length);
        self.at += length;
        Ok(Some(Field { number, content: (key & 7 == 2).then_some(content) }))
    }
}

/// Checks model, graph and nodes; the fields inside are decoded by a library afterwards.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Broken> {
    let inside = |(at, end): (usize, usize)| Walker { bytes, at, end };
    let mut model = inside((0, bytes.len()));
    while let Some(field) = model.next()? {
        let (7, Some(content)) = (field.number, field.content) else { continue };
        let mut graph = inside(content);
        let mut messages = 0_usize;
        while let Some(field) = graph.next()? {
            messages += 1;
            if messages > MOST_MESSAGES {
                return graph.broken(format!("more than {MOST_MESSAGES} nodes, tensors and values"));
            }
            let (1, Some(content)) = (field.number, field.content) else { continue };
            let mut node = inside(content);
            let mut fields = 0_usize;
            while node.next()?.is_some() {
                fields += 1;
                if fields > MOST_MESSAGES {
                    return node.broken(format!("more than {MOST_MESSAGES} fields of a node"));
                }
            }
        }
    }
    Ok(())
}
