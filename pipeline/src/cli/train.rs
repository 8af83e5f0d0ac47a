//! `mho train`: digital training of a network.

use anyhow::{Context as _, Result};
use mho_data::InputError;
use mho_data::dataset::Dataset;
use mho_network::spec::NetworkSpec;
use mho_network::train::{TrainOptions, Trained, train};
use std::path::PathBuf;

/// What `mho train` takes.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  mho train --network mlp --dataset fashion-demo --out mlp.safetensors\n  \
                  mho train --network cnn --dataset digits --epochs 30 --out cnn.safetensors\n\n\
                  A NET.toml holds `name` and one [[layers]] table per layer: kind = \"dense\" (outputs), \
                  \"conv2d\" (outputs, kernel, stride, padding), \"relu\", \"max-pool2\" or \"flatten\"."
)]
pub struct Train {
    /// `mlp`, `cnn`, or a NET.toml.
    #[arg(long, value_name = "NET")]
    pub network: String,
    /// Name of a data set (`mho data list`).
    #[arg(long, value_name = "DATA")]
    pub dataset: String,
    /// The trained network.
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: PathBuf,
    /// Passes over the training images (default: by their number).
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Images per step (default: by their number).
    #[arg(long)]
    pub batch: Option<usize>,
    /// Largest learning rate.
    #[arg(long)]
    pub rate: Option<f32>,
    /// Decay of the weights, as a multiple of the rate.
    #[arg(long)]
    pub weight_decay: Option<f32>,
    /// Training images move at random by up to this many pixels (default: by their number).
    #[arg(long)]
    pub shift_pixels: Option<usize>,
}

impl Train {
    /// The options asked for, the others suiting `count` training images.
    pub fn options(&self, count: usize, seed: u64) -> TrainOptions {
        let own = TrainOptions::for_images(count);
        TrainOptions {
            epochs: self.epochs.unwrap_or(own.epochs),
            batch: self.batch.unwrap_or(own.batch),
            rate: self.rate.unwrap_or(own.rate),
            weight_decay: self.weight_decay.unwrap_or(own.weight_decay),
            shift_pixels: self.shift_pixels.unwrap_or(own.shift_pixels),
            seed,
        }
    }

    /// Trains; `progress` hears the fraction done. Writes nothing.
    ///
    /// # Errors
    /// When the architecture or the data set cannot be read, or do not fit each other.
    pub fn train(&self, seed: u64, progress: &(dyn Fn(f64) + Sync)) -> Result<(Dataset, Trained)> {
        let dataset = mho_data::dataset::find(&self.dataset)?;
        let spec = architecture(&self.network, dataset.classes)?;
        let options = self.options(dataset.train.labels.len(), seed);
        let trained = train(&dataset, &spec, &options, progress)?;
        Ok((dataset, trained))
    }
}

/// `mlp`, `cnn`, or the architecture in a TOML file.
///
/// # Errors
/// When it is neither a name nor a file, or the file does not describe a network.
pub fn architecture(network: &str, classes: usize) -> Result<NetworkSpec> {
    if let Some(spec) = NetworkSpec::named(network, classes) {
        return Ok(spec);
    }
    let bytes = std::fs::read(network).with_context(|| {
        format!("--network {network}: neither one of {:?} nor a file", NetworkSpec::NAMES)
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| InputError::new(network, "bytes that are no UTF-8", "a NET.toml in UTF-8"))?;
    Ok(NetworkSpec::from_toml(&text, network)?)
}

/// What training left, for people.
pub fn summary(dataset: &Dataset, trained: &Trained) -> String {
    let Trained { network, history, test } = trained;
    let last = history.last();
    format!(
        "{} on {}: {} weights, {} passes, training loss {:.4}, training images right {:.2} %\n\
         test images right {:.2} % of {} (first choice), {:.2} % (among five)\n",
        network.name(),
        dataset.name,
        network.weight_count(),
        history.len(),
        last.map_or(f64::NAN, |e| e.loss),
        100.0 * last.map_or(f64::NAN, |e| e.top1),
        100.0 * test.top1(),
        test.images,
        100.0 * test.top5(),
    )
}

/// What training left, as a JSON document.
pub fn document(dataset: &Dataset, trained: &Trained) -> serde_json::Value {
    let Trained { network, history, test } = trained;
    serde_json::json!({
        "schema": 1,
        "network": network.name(),
        "dataset": dataset.name,
        "weights": network.weight_count(),
        "history": history.iter().map(|e| serde_json::json!({ "loss": e.loss, "top1": e.top1 })).collect::<Vec<_>>(),
        "test": { "top1": test.top1(), "top5": test.top5(), "images": test.images },
    })
}
