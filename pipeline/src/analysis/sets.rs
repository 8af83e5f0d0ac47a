//! Data sets as evaluations take them: images, or arrays of samples.

use mho_data::InputError;
use mho_data::dataset::{self, Dataset, Part, Samples};
use mho_network::samples::{InputFormat, LabelledSet, LabelledSetError};

/// A data set of images, or of arrays.
#[derive(Debug)]
pub enum Sets {
    /// Images.
    Images {
        /// The set.
        dataset: Box<Dataset>,
        /// Largest grey value of the images to train on.
        white: f32,
    },
    /// Arrays; many come without samples to train on.
    Arrays {
        /// Name of the set.
        name: String,
        /// Samples to train on.
        train: Option<Samples>,
        /// Samples to test on.
        test: Samples,
    },
}

impl Sets {
    /// A data set by name.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn find(name: &str) -> Result<Self, InputError> {
        if dataset::about(name).is_none() && dataset::sample_sets().iter().any(|(known, _)| known == name) {
            let train = dataset::samples(name, Part::Train).ok();
            return Ok(Self::Arrays {
                name: name.to_owned(),
                train,
                test: dataset::samples(name, Part::Test)?,
            });
        }
        Ok(Self::of_images(dataset::find(name)?))
    }

    /// A set of images.
    pub fn of_images(dataset: Dataset) -> Self {
        let white = f32::from(dataset.train.pixels.iter().copied().max().unwrap_or(1).max(1));
        Self::Images { dataset: Box::new(dataset), white }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Images { dataset, .. } => &dataset.name,
            Self::Arrays { name, .. } => name,
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Self::Images { dataset, .. } => dataset.classes,
            Self::Arrays { test, .. } => test.classes(),
        }
    }

    /// Samples to test on.
    ///
    /// # Errors
    /// When values and labels do not fit.
    pub fn test(&self) -> Result<LabelledSet<'_>, LabelledSetError> {
        match self {
            Self::Images { dataset, white } => LabelledSet::of_images(&dataset.test, *white),
            Self::Arrays { test, .. } => LabelledSet::of_arrays(test),
        }
    }

    /// Samples of the kind that networks are trained on, for ranges of converters: those to train on, or
    /// where there are none, and then `false`, those to test on.
    ///
    /// # Errors
    /// When values and labels do not fit.
    pub fn calibration(&self) -> Result<(LabelledSet<'_>, bool), LabelledSetError> {
        Ok(match self {
            Self::Images { dataset, white } if !dataset.train.labels.is_empty() => {
                (LabelledSet::of_images(&dataset.train, *white)?, true)
            }
            Self::Arrays { train: Some(train), .. } => (LabelledSet::of_arrays(train)?, true),
            _ => (self.test()?, false),
        })
    }
}

/// What a network that was trained here wants of its inputs.
pub fn own_format(network: &mho_network::model::Network) -> InputFormat {
    InputFormat::scaled(1.0 / f64::from(network.pixel_max()))
}
