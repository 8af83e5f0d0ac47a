//! Keys: the hash of everything that can change a result, and of nothing else.
//!
//! A key is BLAKE3 over a canonical, length-prefixed preimage (schema version, stage and its semantic
//! version, resolved parameters, digests of the inputs with their roles, root seed, numerics profile).
//! Text form, order, paths, thread counts and times never enter.

use serde_json::Value;

/// Version of the preimage's form.
const KEY_SCHEMA: u32 = 1;

/// Up to here every whole number is an `f64`.
const EXACT: u64 = 1 << 53;

/// A BLAKE3 digest in hexadecimal.
pub type Digest = String;

/// Digest of bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    blake3::hash(bytes).to_hex().to_string()
}

/// The instruction set on which floating-point results of this machine depend. Products and
/// transcendental functions are dispatched by it, so machines of another profile do not share results.
pub fn numerics_profile() -> String {
    #[cfg(target_arch = "x86_64")]
    {
        let level = if std::arch::is_x86_feature_detected!("avx512f") {
            "avx512"
        } else if std::arch::is_x86_feature_detected!("fma") {
            "fma"
        } else {
            "sse2"
        };
        format!("x86_64-{level}")
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::env::consts::ARCH.to_owned()
}

/// A preimage being written.
#[derive(Debug, Clone, Default)]
pub struct Preimage {
    bytes: Vec<u8>,
}

impl Preimage {
    /// The preimage of an action of `stage` at `version`.
    pub fn new(stage: &str, version: u32, seed: u64) -> Self {
        let mut preimage = Self::default();
        preimage.field("schema", &KEY_SCHEMA.to_le_bytes());
        preimage.field("stage", stage.as_bytes());
        preimage.field("version", &version.to_le_bytes());
        preimage.field("seed", &seed.to_le_bytes());
        preimage.field("numerics", numerics_profile().as_bytes());
        preimage
    }

    /// Adds a labelled field.
    pub fn field(&mut self, label: &str, value: &[u8]) {
        for part in [label.as_bytes(), value] {
            self.bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            self.bytes.extend_from_slice(part);
        }
    }

    /// Adds parameters: maps sorted, numbers as the bits of an `f64`, -0 as 0.
    pub fn parameters(&mut self, label: &str, value: &Value) {
        let mut canonical = Vec::new();
        encode(value, &mut canonical);
        self.field(label, &canonical);
    }

    /// The key.
    pub fn key(&self) -> Digest {
        digest(&self.bytes)
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    let text = |tag: u8, text: &str, out: &mut Vec<u8>| {
        out.push(tag);
        out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    match value {
        Value::Null => out.push(b'0'),
        Value::Bool(b) => out.extend_from_slice(&[b'b', u8::from(*b)]),
        Value::Number(number) => match number.as_u64().filter(|whole| *whole > EXACT) {
            // Seeds and the like, which an `f64` would round onto each other.
            Some(whole) => {
                out.push(b'i');
                out.extend_from_slice(&whole.to_le_bytes());
            }
            None => {
                out.push(b'n');
                // Adding 0 turns -0 into 0. JSON numbers are finite: a NaN never comes here.
                let x = number.as_f64().unwrap_or(0.0) + 0.0;
                out.extend_from_slice(&x.to_bits().to_le_bytes());
            }
        },
        Value::String(s) => text(b's', s, out),
        Value::Array(items) => {
            out.push(b'a');
            out.extend_from_slice(&(items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| encode(item, out));
        }
        Value::Object(map) => {
            out.push(b'm');
            out.extend_from_slice(&(map.len() as u64).to_le_bytes());
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            for (name, item) in entries {
                text(b'k', name, out);
                encode(item, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(params: &Value) -> Digest {
        let mut preimage = Preimage::new("stage", 1, 0);
        preimage.parameters("parameters", params);
        preimage.key()
    }

    #[test]
    fn the_form_of_a_number_does_not_matter_and_its_value_does() {
        assert_eq!(key(&json!({"a": 1, "b": [0.0]})), key(&json!({"b": [-0.0], "a": 1.0})));
        assert_ne!(key(&json!({"a": 1})), key(&json!({"a": 2})));
        assert_ne!(key(&json!({"a": "1"})), key(&json!({"a": 1})));
        assert_ne!(key(&json!(["ab", "c"])), key(&json!(["a", "bc"])));
        assert_ne!(key(&json!(u64::MAX)), key(&json!(u64::MAX - 1)));
    }
}
