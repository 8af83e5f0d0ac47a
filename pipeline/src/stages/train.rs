//! `train`: a network, digitally, for real.

use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_data::InputError;
use mho_data::dataset;
use mho_network::array::ArrayConfig;
use mho_network::mapping::weight_histogram;
use mho_network::spec::NetworkSpec;
use mho_network::train::{TrainOptions, train};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) struct Train;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Data set.
    dataset: String,
    /// `mlp` or `cnn`.
    network: String,
    /// Passes over the data; 0: as suits the size of the data set.
    epochs: usize,
    /// Largest learning rate; 0: the default.
    rate: f64,
    /// Decay of the weights; negative: the default.
    weight_decay: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            dataset: "fashion-demo".into(),
            network: "mlp".into(),
            epochs: 0,
            rate: 0.0,
            weight_decay: -1.0,
        }
    }
}

/// Bins of the histogram of cell currents.
const BINS: usize = 64;

impl Stage for Train {
    fn name(&self) -> &'static str {
        "train"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "a network trained digitally on a data set"
    }

    fn roles(&self) -> &'static [Role] {
        &[]
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        let resolved = resolve_as::<Params>(given)?;
        let check = |key: &str, known: &[&str]| match given.get(key).and_then(Value::as_str) {
            Some(name) if !known.contains(&name) => Err(ParamError {
                key: key.into(),
                found: format!("`{name}`"),
                expected: crate::stage::nearest(name, known.iter().copied()),
            }),
            _ => Ok(()),
        };
        check("network", &NetworkSpec::NAMES)?;
        check("dataset", &dataset::KNOWN.map(|about| about.name))?;
        Ok(resolved)
    }

    fn check(&self, params: &Value) -> Result<(), InputError> {
        let default = Params::default().dataset;
        dataset::find(params.get("dataset").and_then(Value::as_str).unwrap_or(&default)).map(|_| ())
    }

    fn seconds(&self) -> f64 {
        5.0
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let data = dataset::find(&params.dataset)?;
        let spec = NetworkSpec::named(&params.network, data.classes)
            .ok_or_else(|| StageError::Failed(format!("no network `{}`", params.network)))?;
        let mut options =
            TrainOptions { seed: context.seed, ..TrainOptions::for_images(data.train.labels.len()) };
        if params.epochs > 0 {
            options.epochs = params.epochs;
        }
        if params.rate > 0.0 {
            options.rate = params.rate as f32;
        }
        if params.weight_decay >= 0.0 {
            options.weight_decay = params.weight_decay as f32;
        }
        let trained = train(&data, &spec, &options, &|fraction| (context.progress)(fraction))
            .map_err(StageError::failed)?;
        let network = &trained.network;
        let about = json!({
            "network": format!("{} {}", params.dataset, params.network),
            "dataset": params.dataset,
            "weights": network.weight_count(),
            "float_top1": trained.test.top1(),
            "images": trained.test.images,
        });
        let outputs = Outputs::new().exported(
            "network",
            "networks",
            format!("{}.safetensors", context.target),
            network.to_bytes().map_err(StageError::failed)?,
        );
        let graph = network.graph().map_err(StageError::failed)?;
        let histogram =
            weight_histogram(&graph, &ArrayConfig::default(), BINS).map_err(StageError::failed)?;
        let outputs = super::artifact::with_table(outputs, "histogram", &histogram)?;
        Ok(outputs.with("about", "about.json", serde_json::to_vec(&about).map_err(StageError::failed)?))
    }
}
