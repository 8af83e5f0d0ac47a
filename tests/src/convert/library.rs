//! The trained networks beside the project with the data that belong to them, and what was measured of
//! them elsewhere.

use std::path::{Path, PathBuf};

use mho_data::InputError;
use mho_data::dataset::read_cifar;
use mho_network::graph::Graph;

use super::npz::Arrays;
use super::sets::{self, CIFAR_NORMAL, Samples};
use super::{efficientnet_lite0, residual, tflite};

/// Samples that a network is evaluated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// JPEG-coded CIFAR-10 test images, normalised.
    Cifar,
    /// The same, values 0 to 255.
    CifarRaw,
    /// Maps of spoken words.
    Keywords,
    /// One image for each class of ImageNet, (v - 127) / 128.
    ImageNet,
    /// The same, (v - 128) / 128.
    ImageNetCoral,
}

/// A trained network.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name in tables.
    pub name: &'static str,
    /// Its file.
    pub file: &'static str,
    /// Its data.
    pub set: Set,
    /// Top-1 that was measured elsewhere on data of this kind (README of the data sets), and of how many.
    pub measured: (f64, usize),
}

/// All of them.
pub const LIBRARY: [Entry; 11] = [
    entry("resnet8", "cifar10_resnet8.tflite", Set::CifarRaw, (0.769, 2000)),
    entry("resnet8-int8", "cifar10_resnet8_quant.tflite", Set::CifarRaw, (0.773, 2000)),
    entry("resnet20", "cifar10_resnet20.npz", Set::Cifar, (0.810, 5000)),
    entry("resnet20-tuned", "cifar10_resnet20_jpegft.npz", Set::Cifar, (0.8595, 10_000)),
    entry("resnet32", "cifar10_resnet32.npz", Set::Cifar, (0.823, 5000)),
    entry("resnet56", "cifar10_resnet56.npz", Set::Cifar, (0.831, 5000)),
    entry("ds-cnn", "kws_ref_model_float32.tflite", Set::Keywords, (0.900, 1000)),
    entry("ds-cnn-int8", "kws_ref_model.tflite", Set::Keywords, (0.902, 1000)),
    entry("efficientnet-lite0", "imagenet_efficientnet_lite0.npz", Set::ImageNet, (0.886, 500)),
    entry("mobilenet-v2", "mobilenet_v2_1.0_224_quant.tflite", Set::ImageNetCoral, (0.889, 1000)),
    entry("mobilenet-v2-ptq", "tf2_mobilenet_v2_1.0_224_ptq.tflite", Set::ImageNetCoral, (0.891, 1000)),
];

const fn entry(name: &'static str, file: &'static str, set: Set, measured: (f64, usize)) -> Entry {
    Entry { name, file, set, measured }
}

/// A file beside the project, or that it is not there.
///
/// # Errors
/// [`InputError`] naming it.
pub fn shared(relative: &str) -> Result<PathBuf, InputError> {
    let path = mho_data::shared::find(&format!("datasets/{relative}"));
    path.ok_or_else(|| InputError::new(relative, "no such file", "the data sets beside the project"))
}

impl Entry {
    /// The network.
    ///
    /// # Errors
    /// [`InputError`] for an absent or damaged file.
    pub fn graph(&self) -> Result<Graph, InputError> {
        let path = shared(&format!("models/{}", self.file))?;
        if path.extension().is_some_and(|e| e == "tflite") {
            return Ok(tflite::read(&path)?.graph);
        }
        let arrays = Arrays::read(&path)?;
        if self.set == Set::ImageNet { efficientnet_lite0(arrays) } else { residual(arrays) }
    }

    /// The first `count` samples of its data. Where the network has a class more than ImageNet, it is the
    /// background, before the others.
    ///
    /// # Errors
    /// [`InputError`] for absent or damaged files.
    pub fn samples(&self, graph: &Graph, count: usize) -> Result<Samples, InputError> {
        let mut samples = self.set.samples(count)?;
        if graph.output_shapes(1).is_ok_and(|shapes| shapes.first().is_some_and(|s| s.contains(&1001))) {
            samples.labels.iter_mut().for_each(|label| *label += 1);
        }
        Ok(samples)
    }
}

impl Set {
    /// The first `count` samples. Of CIFAR 2,000 stand in an order that goes through the classes; more are
    /// read from the archive, which goes class by class, and dealt out.
    ///
    /// # Errors
    /// [`InputError`] for absent or damaged files.
    pub fn samples(self, count: usize) -> Result<Samples, InputError> {
        match self {
            Self::Keywords => Ok(sets::keywords(&shared("kws01")?)?.part(0, count)),
            Self::ImageNet => sets::imagenet(&shared("imagenet1k-sample")?, count, (127.0, 128.0)),
            Self::ImageNetCoral => sets::imagenet(&shared("imagenet1k-sample")?, count, (128.0, 128.0)),
            Self::Cifar | Self::CifarRaw => {
                let images = if count <= 2000 {
                    let path = shared("cifar10-jpeg/test2000_jpegdecoded.bin.gz")?;
                    read_cifar(&read(&path)?, &path.display().to_string())?
                } else {
                    sets::in_turn(&sets::cifar_jpeg(&shared("cifar10-jpeg/test_jpeg.tar.xz")?)?)
                };
                let normal = if self == Self::Cifar { CIFAR_NORMAL } else { [[0.0; 3], [1.0 / 255.0; 3]] };
                Ok(sets::normalised(&images, normal).part(0, count))
            }
        }
    }

    /// Inputs that converters are calibrated with: none of the samples that are evaluated where there are
    /// others, else the last ones.
    ///
    /// # Errors
    /// [`InputError`] for absent or damaged files.
    pub fn calibration(self, count: usize) -> Result<Samples, InputError> {
        match self {
            Self::Cifar | Self::CifarRaw => {
                let path = shared("cifar10-jpeg/data_batch_1_first1000_lossless.bin.gz")?;
                let images = read_cifar(&read(&path)?, &path.display().to_string())?;
                let normal = if self == Self::Cifar { CIFAR_NORMAL } else { [[0.0; 3], [1.0 / 255.0; 3]] };
                Ok(sets::normalised(&images, normal).part(0, count))
            }
            _ => {
                let all = self.samples(1000)?;
                Ok(all.part(all.len().saturating_sub(count), all.len()))
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    std::fs::read(path)
        .map_err(|error| InputError::new(path.display().to_string(), error.to_string(), "a readable file"))
}
