//! Trained networks from files: ONNX, safetensors, and a TOML that says where one lies and how it wants its
//! inputs.
//!
//! ```toml
//! model = "resnet20.onnx"     # or a .safetensors; beside this file
//! dimensions = { steps = 49 } # lengths that the ONNX file leaves open under a name
//!
//! [input]
//! layout = "nchw"             # or "nhwc"; default: what the shapes tell
//! scale = 0.00392156862745098 # raw values are multiplied with this; default: white becomes 1
//! mean = [0.485, 0.456, 0.406]
//! std = [0.229, 0.224, 0.225]
//! label_offset = 0            # 1 where output 0 is a class that the data set does not have
//! ```
//!
//! A TOML with `nodes` describes a graph (see [`crate::graph::file`]), whose tensors lie in the safetensors
//! file of the same name; one with `layers` an architecture that is still to be trained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mho_data::InputError;
use serde::Deserialize;

use crate::file::WriteError;
use crate::graph::Graph;
use crate::graph::file::read_description;
use crate::graph::onnx::{ImportOptions, import};
use crate::model::Network;
use crate::samples::InputFormat;
use crate::spec::{NetworkSpec, toml_error};

/// A trained network with what it wants of its inputs.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network.
    pub graph: Graph,
    /// What stands in its files about inputs; nothing in most.
    pub input: InputFormat,
}

/// What a network file holds.
#[derive(Clone, Debug)]
pub enum Source {
    /// A trained network.
    Trained(Box<Trained>),
    /// An architecture.
    Architecture(NetworkSpec),
}

/// A TOML that names the file of a network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    model: String,
    #[serde(default)]
    dimensions: BTreeMap<String, usize>,
    #[serde(default)]
    input: InputFormat,
}

impl Source {
    /// Reads a network by the ending of its file: `.onnx`, `.safetensors` or `.toml`.
    ///
    /// # Errors
    /// [`InputError`] naming the file, the line or the node, what was found and what was expected.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let file = path.display().to_string();
        match ending(path) {
            "toml" => Self::of_toml(path),
            "onnx" | "safetensors" => {
                let options = ImportOptions { folder: Some(folder(path)), ..ImportOptions::default() };
                let trained = Trained::from_bytes(&bytes(path)?, &file, &options)?;
                Ok(Self::Trained(Box::new(trained)))
            }
            other => {
                Err(InputError::new(file, format!("the ending `{other}`"), ".onnx, .safetensors or .toml"))
            }
        }
    }

    fn of_toml(path: &Path) -> Result<Self, InputError> {
        let file = path.display().to_string();
        let text = String::from_utf8(bytes(path)?)
            .map_err(|_| InputError::new(file.as_str(), "bytes that are no UTF-8", "a network's TOML"))?;
        let table: toml::Table = toml::from_str(&text).map_err(|e| toml_error(&e, &text, &file))?;
        if table.contains_key("layers") {
            return Ok(Self::Architecture(NetworkSpec::from_toml(&text, &file)?));
        }
        if table.contains_key("nodes") {
            let tensors = path.with_extension("safetensors");
            let tensors_file = tensors.display().to_string();
            let (graph, input) = read_description(&text, &file, &bytes(&tensors)?, &tensors_file)?;
            return Ok(Self::Trained(Box::new(Trained { graph, input: input.unwrap_or_default() })));
        }
        if !table.contains_key("model") {
            let expected = "`model` (a file), `nodes` (a graph) or `layers` (an architecture to train)";
            return Err(InputError::new(file, "a TOML without any of its keys", expected));
        }
        let reference: Reference = toml::from_str(&text).map_err(|e| toml_error(&e, &text, &file))?;
        let model = folder(path).join(&reference.model);
        if !matches!(ending(&model), "onnx" | "safetensors") {
            let found = format!("model = \"{}\"", reference.model);
            return Err(InputError::new(file, found, "a file that ends in .onnx or .safetensors"));
        }
        let options = ImportOptions { dimensions: reference.dimensions, folder: Some(folder(&model)) };
        let mut trained = Trained::from_bytes(&bytes(&model)?, &model.display().to_string(), &options)?;
        let own = trained.input;
        trained.input = reference.input;
        trained.input.scale = trained.input.scale.or(own.scale);
        Ok(Self::Trained(Box::new(trained)))
    }
}

/// The folder of a file.
fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).to_owned()
}

impl Trained {
    /// The network with what it wants of its inputs, as a safetensors file.
    ///
    /// # Errors
    /// [`WriteError`] when it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        self.graph.to_bytes_with(Some(&self.input))
    }

    /// Reads a network from the bytes of a file; an ONNX model or, by its first bytes, safetensors: a graph,
    /// or a network that was trained here.
    ///
    /// # Errors
    /// [`InputError`] naming the file, the tensor or the node.
    pub fn from_bytes(bytes: &[u8], file: &str, options: &ImportOptions) -> Result<Self, InputError> {
        // a safetensors file starts with the length of its header, which starts with a brace
        if bytes.get(8) != Some(&b'{') {
            return Ok(Self { graph: import(bytes, file, options)?, input: InputFormat::default() });
        }
        let metadata = safetensors::SafeTensors::read_metadata(bytes).ok();
        let has = |key: &str| {
            metadata.as_ref().and_then(|(_, m)| m.metadata().as_ref()).is_some_and(|m| m.contains_key(key))
        };
        if has("graph") {
            let (graph, input) = crate::graph::file::read(bytes, file)?;
            return Ok(Self { graph, input: input.unwrap_or_default() });
        }
        let network = Network::from_bytes(bytes, file)?;
        let graph = network
            .graph()
            .map_err(|e| InputError::new(file, format!("{}: {}", e.place, e.found), e.expected))?;
        Ok(Self { graph, input: InputFormat::scaled(1.0 / f64::from(network.pixel_max())) })
    }
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

fn bytes(path: &Path) -> Result<Vec<u8>, InputError> {
    std::fs::read(path)
        .map_err(|error| InputError::new(path.display().to_string(), error.to_string(), "a readable file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Shape;

    #[test]
    fn every_kind_of_file_is_the_same_network() {
        let folder = std::env::temp_dir().join(format!("mho-source-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let shape = Shape { channels: 1, rows: 8, columns: 8 };
        let network = Network::new(&NetworkSpec::mlp(&[16], 10), shape, 16.0, 1).unwrap();
        let graph = network.graph().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        write("own.safetensors", &network.to_bytes().unwrap());
        write("graph.safetensors", &graph.to_bytes().unwrap());
        write("of.toml", b"model = \"own.safetensors\"\n[input]\nmean = [0.5]\n");
        write(
            "spec.toml",
            b"name = \"n\"\nlayers = [{ kind = \"flatten\" }, { kind = \"dense\", outputs = 3 }]\n",
        );
        write("none.toml", b"name = 3\n");
        write("bad.toml", b"model = \"own.safetensors\"\n[input]\nmaen = [0.5]\n");
        write("bad.onnx", b"no model");
        let read = |name: &str| Source::read(&folder.join(name));
        let trained = |name: &str| match read(name).unwrap() {
            Source::Trained(trained) => *trained,
            Source::Architecture(_) => panic!("{name}"),
        };
        let own = trained("own.safetensors");
        assert_eq!((&own.graph, own.input.scale), (&graph, Some(1.0 / 16.0)));
        assert_eq!(trained("graph.safetensors").graph, graph);
        let of = trained("of.toml");
        assert_eq!((&of.graph, of.input.mean, of.input.scale), (&graph, vec![0.5], Some(1.0 / 16.0)));
        write("again.safetensors", &trained("of.toml").to_bytes().unwrap());
        let again = trained("again.safetensors");
        assert_eq!((again.graph, again.input), (trained("of.toml").graph, trained("of.toml").input));
        assert!(matches!(read("spec.toml").unwrap(), Source::Architecture(_)));
        for (name, told) in [
            ("none.toml", "model"),
            ("bad.toml", "bad.toml:3"),
            ("bad.onnx", "ONNX"),
            ("no.onnx", "readable"),
            ("what.h5", ".onnx"),
        ] {
            let error = read(name).unwrap_err().to_string();
            assert!(error.contains(told), "{name}: {error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
