//! Networks that are trained here, on the data sets beside the project.

use mho_data::dataset::{self, Dataset};
use mho_network::graph::Graph;
use mho_network::spec::NetworkSpec;
use mho_network::train::{TrainOptions, train};

use super::analog::Wrong;
use super::library::shared;
use super::sets::{Samples, normalised};

/// A network with its data.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Name in tables.
    pub name: &'static str,
    /// Folder of its data.
    set: &'static str,
    /// Perceptron 784-256-128-10, or two convolutions and two dense layers.
    convolutional: bool,
}

/// All of them.
pub const OWN: [Own; 4] = [
    Own { name: "mlp-mnist", set: "mnist", convolutional: false },
    Own { name: "cnn-mnist", set: "mnist", convolutional: true },
    Own { name: "mlp-fashion", set: "fashion-mnist", convolutional: false },
    Own { name: "cnn-fashion", set: "fashion-mnist", convolutional: true },
];

impl Own {
    /// The network, trained with 8 passes of Adam at 1e-3 and without decay (design notes F.3), and its data.
    ///
    /// # Errors
    /// Absent or damaged files.
    pub fn train(&self) -> Result<(Graph, Dataset), Wrong> {
        let data = dataset::from_folder(self.set, &shared(self.set)?)?;
        let usual = TrainOptions::for_images(data.train.labels.len());
        let options = TrainOptions { epochs: 8, rate: 1e-3, weight_decay: 0.0, seed: 1, ..usual };
        let spec = if self.convolutional {
            NetworkSpec::cnn(data.classes)
        } else {
            NetworkSpec::mlp(&[256, 128], data.classes)
        };
        let network = train(&data, &spec, &options, &|_| ())?.network;
        Ok((network.graph()?, data))
    }
}

/// The first images of each part, pixels over 255: test images, and training images to calibrate with.
pub fn parts(data: &Dataset, count: usize, calibrating: usize) -> (Samples, Samples) {
    const PIXELS: [[f32; 3]; 2] = [[0.0; 3], [1.0; 3]];
    (normalised(&data.test, PIXELS).part(0, count), normalised(&data.train, PIXELS).part(0, calibrating))
}
