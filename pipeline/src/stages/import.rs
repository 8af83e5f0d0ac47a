//! `network.import`: a network that was trained elsewhere, from a file of the user.

use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_data::InputError;
use mho_network::array::ArrayConfig;
use mho_network::graph::onnx::ImportOptions;
use mho_network::mapping::weight_histogram;
use mho_network::samples::InputFormat;
use mho_network::source::Trained;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) struct Import;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The network: ONNX, or safetensors as mho writes them.
    file: String,
    /// Lengths that an ONNX file leaves open under a name, as `["steps=49"]`.
    dimensions: Vec<String>,
    /// Order of the axes of images: `nchw` or `nhwc`; empty: what the shapes tell.
    layout: String,
    /// What raw values are multiplied with; 0: such that white becomes 1.
    scale: f64,
    /// Subtracted afterwards: one number, or one per channel.
    mean: Vec<f64>,
    /// What it is divided by at last, likewise.
    std: Vec<f64>,
    /// Added to the labels of the data set.
    label_offset: u32,
}

impl Params {
    /// What the network wants of its inputs, over what its file says.
    fn format(&self, own: &InputFormat) -> Result<InputFormat, StageError> {
        let layout = match self.layout.as_str() {
            "" => own.layout,
            name => Some(serde_json::from_value(json!(name)).map_err(StageError::failed)?),
        };
        let or =
            |given: &Vec<f64>, own: &Vec<f64>| if given.is_empty() { own.clone() } else { given.clone() };
        Ok(InputFormat {
            layout,
            scale: if self.scale == 0.0 { own.scale } else { Some(self.scale) },
            mean: or(&self.mean, &own.mean),
            std: or(&self.std, &own.std),
            label_offset: if self.label_offset == 0 { own.label_offset } else { self.label_offset },
        })
    }

    fn options(&self) -> Result<ImportOptions, ParamError> {
        let one = |text: &String| {
            let pair = text
                .split_once('=')
                .and_then(|(name, n)| Some((name.trim().to_owned(), n.trim().parse().ok()?)));
            pair.ok_or_else(|| ParamError {
                key: "dimensions".into(),
                found: format!("`{text}`"),
                expected: "a name and a length, as `steps=49`".into(),
            })
        };
        let dimensions: BTreeMap<String, usize> =
            self.dimensions.iter().map(one).collect::<Result<_, _>>()?;
        Ok(ImportOptions { dimensions, folder: None })
    }
}

/// Bins of the histogram of cell currents.
const BINS: usize = 64;

impl Stage for Import {
    fn name(&self) -> &'static str {
        "network.import"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "a network that was trained elsewhere, from an ONNX or safetensors file"
    }

    fn roles(&self) -> &'static [Role] {
        &[]
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        let resolved = resolve_as::<Params>(given)?;
        let wrong = |key: &str, found: String, expected: &str| {
            Err(ParamError { key: key.into(), found, expected: expected.into() })
        };
        let params: Params = serde_json::from_value(overlaid(given)).unwrap_or_default();
        params.options()?;
        if params.file.is_empty() {
            return wrong("file", "no file".into(), "file = \"net.onnx\", or one in .safetensors");
        }
        if !["", "nchw", "nhwc"].contains(&params.layout.as_str()) {
            return wrong("layout", format!("`{}`", params.layout), "`nchw` or `nhwc`");
        }
        Ok(resolved)
    }

    fn files(&self, params: &Value) -> Vec<String> {
        params.get("file").and_then(Value::as_str).map(str::to_owned).into_iter().collect()
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let options = params.options().map_err(|error| StageError::Failed(error.expected))?;
        let file = context.input("file")?;
        let mut trained = Trained::from_bytes(&file.bytes, &file.file, &options)?;
        trained.input = params.format(&trained.input)?;
        let graph = &trained.graph;
        if graph.layers().is_empty() {
            let expected = "a network with weights";
            return Err(InputError::new(file.file.clone(), "a network without any", expected).into());
        }
        let about = json!({
            "network": context.target,
            "file": file.file,
            "weights": graph.weight_count(),
            "products": graph.products_per_inference(),
            "layers": graph.layers().iter().map(|layer| layer.name()).collect::<Vec<_>>(),
        });
        let name = format!("{}.safetensors", context.target);
        let bytes = trained.to_bytes().map_err(StageError::failed)?;
        let histogram = weight_histogram(graph, &ArrayConfig::default(), BINS).map_err(StageError::failed)?;
        let outputs = Outputs::new().exported("network", "networks", name, bytes);
        let outputs = super::artifact::with_table(outputs, "histogram", &histogram)?;
        Ok(outputs.with("about", "about.json", serde_json::to_vec(&about).map_err(StageError::failed)?))
    }
}

/// The given parameters over the defaults.
fn overlaid(given: &Value) -> Value {
    let mut whole = serde_json::to_value(Params::default()).unwrap_or(Value::Null);
    if let (Value::Object(whole), Value::Object(given)) = (&mut whole, given) {
        whole.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    whole
}
