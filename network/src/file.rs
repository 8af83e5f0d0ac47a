//! Networks as safetensors files: tensors `layer.N.weight` and `layer.N.bias` (f32; dense outputs x
//! inputs, convolution outputs x channels x kernel x kernel) and the architecture as TOML in the
//! metadata entry `network`.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use mho_data::error::InputError;

use crate::model::{Layer, Network};
use crate::spec::{NetworkSpec, Shape, toml_error};

/// What the metadata entry holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    pixel_max: f32,
    input: Shape,
    architecture: NetworkSpec,
}

/// A network could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The architecture could not be written as TOML.
    #[error("architecture: {0}")]
    Architecture(#[from] toml::ser::Error),
    /// The tensors could not be written.
    #[error("weights: {0}")]
    Weights(#[from] safetensors::SafeTensorError),
}

impl Network {
    /// The network as a safetensors file; equal networks give equal bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let header = Header {
            schema: 1,
            pixel_max: self.pixel_max,
            input: self.input(),
            architecture: self.spec.clone(),
        };
        let metadata = HashMap::from([("network".to_owned(), toml::to_string(&header)?)]);
        let mut tensors = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let Some(linear) = layer.linear() else { continue };
            let shape = match layer {
                Layer::Conv2d(_, window) => {
                    let side = window.kernel;
                    vec![linear.outputs, linear.inputs / (side * side), side, side]
                }
                _ => vec![linear.outputs, linear.inputs],
            };
            tensors.push((format!("layer.{index}.weight"), shape, little_endian(&linear.weights)));
            tensors.push((format!("layer.{index}.bias"), vec![linear.outputs], little_endian(&linear.bias)));
        }
        let views = tensors
            .iter()
            .map(|(name, shape, bytes)| {
                Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        Ok(safetensors::serialize(views, Some(metadata))?)
    }

    /// Reads what [`Self::to_bytes`] wrote; `file` names it in errors.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, InputError> {
        let bad = |found: String, expected: &str| InputError::new(file, found, expected);
        let network_file = "a network as `mho train` writes it (safetensors)";
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| bad(e.to_string(), network_file))?;
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|e| bad(e.to_string(), network_file))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get("network"))
            .ok_or_else(|| bad("no metadata entry `network`".into(), network_file))?;
        let header: Header = toml::from_str(text).map_err(|e| toml_error(&e, text, file))?;
        if header.schema != 1 {
            return Err(bad(format!("schema {}", header.schema), "schema 1"));
        }
        if !(header.pixel_max.is_finite() && header.pixel_max > 0.0) {
            return Err(bad(format!("pixel_max {}", header.pixel_max), "a positive number"));
        }
        let mut network = Network::new(&header.architecture, header.input, header.pixel_max, 0)
            .map_err(|e| bad(e.to_string(), "layers that fit each other"))?;
        for (index, layer) in network.layers.iter_mut().enumerate() {
            let Some(linear) = layer.linear_mut() else { continue };
            let sets = [("weight", &mut linear.weights), ("bias", &mut linear.bias)];
            for (role, values) in sets {
                let name = format!("layer.{index}.{role}");
                let tensor =
                    tensors.tensor(&name).map_err(|_| bad(format!("no tensor {name}"), "one per layer"))?;
                let data = tensor.data();
                if tensor.dtype() != Dtype::F32 || data.len() != values.len() * 4 {
                    let found = format!("{name} of {} bytes as {:?}", data.len(), tensor.dtype());
                    return Err(bad(found, &format!("{} values as F32", values.len())));
                }
                for (value, bytes) in values.iter_mut().zip(data.as_chunks::<4>().0) {
                    *value = f32::from_le_bytes(*bytes);
                }
                if values.iter().any(|v| !v.is_finite()) {
                    return Err(bad(format!("{name} with a value that is no number"), "finite weights"));
                }
            }
        }
        Ok(network)
    }
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_its_file_and_refuses_damage() {
        let spec = NetworkSpec::cnn(10);
        let input = Shape { channels: 1, rows: 8, columns: 8 };
        let network = Network::new(&spec, input, 16.0, 3).unwrap();
        let bytes = network.to_bytes().unwrap();
        assert_eq!(bytes, network.to_bytes().unwrap());
        assert_eq!(Network::from_bytes(&bytes, "n.safetensors").unwrap(), network);
        for cut in [0, 5, 100, bytes.len() - 1] {
            let error = Network::from_bytes(&bytes[..cut], "n.safetensors").unwrap_err();
            assert!(error.to_string().starts_with("n.safetensors"), "{error}");
        }
    }
}
