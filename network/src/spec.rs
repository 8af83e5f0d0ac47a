//! The architecture of a network as a document: what a `NET.toml` says and what `mlp`, `cnn` name.

use mho_data::error::InputError;
use serde::{Deserialize, Serialize};

/// Shape of one image or activation: channels x rows x columns, stored in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Number of channels (1 for grey images).
    pub channels: usize,
    /// Rows of an image.
    pub rows: usize,
    /// Columns of an image.
    pub columns: usize,
}

impl Shape {
    /// A vector of `n` numbers, as it stands behind `Flatten` or a dense layer.
    pub fn flat(n: usize) -> Self {
        Self { channels: n, rows: 1, columns: 1 }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    /// Whether the shape holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One layer of an architecture, before it has weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// Fully connected; `outputs` neurons.
    Dense {
        /// Number of outputs.
        outputs: usize,
    },
    /// Two-dimensional convolution (cross-correlation, as networks use it).
    Conv2d {
        /// Number of output channels.
        outputs: usize,
        /// Side of the square kernel.
        kernel: usize,
        /// Step between windows.
        #[serde(default = "one")]
        stride: usize,
        /// Zeros added on each side.
        #[serde(default)]
        padding: usize,
    },
    /// max(x, 0).
    Relu,
    /// Maximum over 2 x 2 windows, step 2; an odd last row or column is dropped.
    MaxPool2,
    /// Image to vector, in the stored order channels x rows x columns.
    Flatten,
}

fn one() -> usize {
    1
}

impl LayerSpec {
    /// The shape behind this layer, or what is wrong with it.
    pub fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        let fail = |expected: String| Err(ShapeError { input, expected });
        match *self {
            Self::Dense { outputs: 0 } | Self::Conv2d { outputs: 0, .. } => {
                fail("at least one output".into())
            }
            Self::Dense { outputs } if input.rows == 1 && input.columns == 1 => Ok(Shape::flat(outputs)),
            Self::Dense { .. } => fail("a vector: put a `flatten` layer before `dense`".into()),
            Self::Conv2d { kernel, stride, .. } if kernel == 0 || stride == 0 => {
                fail("a kernel and a stride of at least 1".into())
            }
            Self::Conv2d { outputs, kernel, stride, padding } => {
                let (rows, columns) = (input.rows + 2 * padding, input.columns + 2 * padding);
                if rows < kernel || columns < kernel {
                    return fail(format!("an image of at least {kernel} x {kernel} with its padding"));
                }
                Ok(Shape {
                    channels: outputs,
                    rows: (rows - kernel) / stride + 1,
                    columns: (columns - kernel) / stride + 1,
                })
            }
            Self::Relu => Ok(input),
            Self::MaxPool2 if input.rows < 2 || input.columns < 2 => {
                fail("an image of at least 2 x 2".into())
            }
            Self::MaxPool2 => Ok(Shape { rows: input.rows / 2, columns: input.columns / 2, ..input }),
            Self::Flatten => Ok(Shape::flat(input.len())),
        }
    }
}

/// A layer does not fit the shape before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found an input of {}x{}x{} (channels x rows x columns), expected {expected}", input.channels, input.rows, input.columns)]
pub struct ShapeError {
    /// The shape that arrives.
    pub input: Shape,
    /// What the layer needs.
    pub expected: String,
}

/// An architecture: `NET.toml`, or one of the names in [`NetworkSpec::NAMES`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Version of this document.
    #[serde(default = "schema")]
    pub schema: u32,
    /// Name for tables and figures.
    pub name: String,
    /// Layers from input to output.
    pub layers: Vec<LayerSpec>,
}

fn schema() -> u32 {
    1
}

impl NetworkSpec {
    /// Architectures that can be asked for by name.
    pub const NAMES: [&str; 2] = ["mlp", "cnn"];

    /// Multilayer perceptron: dense layers with ReLU between.
    pub fn mlp(hidden: &[usize], classes: usize) -> Self {
        let mut layers = vec![LayerSpec::Flatten];
        for &outputs in hidden {
            layers.extend([LayerSpec::Dense { outputs }, LayerSpec::Relu]);
        }
        layers.push(LayerSpec::Dense { outputs: classes });
        Self { schema: 1, name: "mlp".into(), layers }
    }

    /// Small convolutional network: two 3 x 3 convolutions (8 and 16 channels), each with ReLU and
    /// pooling, then dense layers of 64 and `classes`.
    pub fn cnn(classes: usize) -> Self {
        let conv = |outputs| LayerSpec::Conv2d { outputs, kernel: 3, stride: 1, padding: 1 };
        let layers = vec![
            conv(8),
            LayerSpec::Relu,
            LayerSpec::MaxPool2,
            conv(16),
            LayerSpec::Relu,
            LayerSpec::MaxPool2,
            LayerSpec::Flatten,
            LayerSpec::Dense { outputs: 64 },
            LayerSpec::Relu,
            LayerSpec::Dense { outputs: classes },
        ];
        Self { schema: 1, name: "cnn".into(), layers }
    }

    /// `mlp` (hidden layers of 256 and 128) or `cnn`; `None` for any other name.
    pub fn named(name: &str, classes: usize) -> Option<Self> {
        match name {
            "mlp" => Some(Self::mlp(&[256, 128], classes)),
            "cnn" => Some(Self::cnn(classes)),
            _ => None,
        }
    }

    /// Reads a `NET.toml`; `file` names it in errors.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, InputError> {
        let spec: Self = toml::from_str(text).map_err(|error| toml_error(&error, text, file))?;
        if spec.schema != 1 {
            return Err(InputError::new(file, format!("schema = {}", spec.schema), "schema = 1"));
        }
        Ok(spec)
    }

    /// The document, as [`Self::from_toml`] reads it.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Shapes before each layer and behind the last.
    pub fn shapes(&self, input: Shape) -> Result<Vec<Shape>, ShapeError> {
        let mut shapes = vec![input];
        let mut shape = input;
        for layer in &self.layers {
            shape = layer.output(shape)?;
            shapes.push(shape);
        }
        Ok(shapes)
    }
}

/// A TOML error as an input error with its line.
pub(crate) fn toml_error(error: &toml::de::Error, text: &str, file: &str) -> InputError {
    let message = error.message().trim();
    let (found, expected) = message.split_once(", expected ").unwrap_or((message, "valid TOML"));
    let input = InputError::new(file, found, expected);
    match error.span() {
        Some(span) => {
            let line = text.bytes().take(span.start).filter(|&b| b == b'\n').count() + 1;
            input.at_line(line)
        }
        None => input,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_architectures_survive_their_document() {
        for name in NetworkSpec::NAMES {
            let spec = NetworkSpec::named(name, 10).unwrap();
            assert_eq!(NetworkSpec::from_toml(&spec.to_toml().unwrap(), "net.toml").unwrap(), spec);
            let shapes = spec.shapes(Shape { channels: 1, rows: 28, columns: 28 }).unwrap();
            assert_eq!(*shapes.last().unwrap(), Shape::flat(10));
        }
    }

    #[test]
    fn a_wrong_document_names_its_line() {
        let text = "name = \"x\"\n[[layers]]\nkind = \"dense\"\noutputz = 3\n";
        let error = NetworkSpec::from_toml(text, "net.toml").unwrap_err();
        assert!(error.to_string().starts_with("net.toml:"), "{error}");
        assert!(error.to_string().contains("outputz"), "{error}");
    }

    #[test]
    fn a_dense_layer_wants_a_vector() {
        let spec = NetworkSpec { schema: 1, name: "x".into(), layers: vec![LayerSpec::Dense { outputs: 3 }] };
        let error = spec.shapes(Shape { channels: 1, rows: 4, columns: 4 }).unwrap_err();
        assert!(error.to_string().contains("flatten"));
    }
}
