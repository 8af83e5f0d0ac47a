//! Samples of any shape as real numbers: feature maps of sound, or images as a network wants them.

use super::roots;
use crate::error::InputError;
use crate::npy::Array;
use std::path::{Path, PathBuf};

/// Labelled samples of one shape, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Values, sample by sample, the last axis fastest.
    pub values: Vec<f32>,
    /// Length of each axis of a sample.
    pub shape: Vec<usize>,
    /// One class per sample.
    pub labels: Vec<u32>,
}

/// Which samples of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those to train on, and to calibrate converters with.
    Train,
    /// Those to test on.
    Test,
}

impl Part {
    /// Names of the files of inputs and labels.
    fn files(self) -> [&'static str; 2] {
        match self {
            Self::Train => ["train-inputs.npy", "train-labels.npy"],
            Self::Test => ["test-inputs.npy", "test-labels.npy"],
        }
    }
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of values of a sample.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of classes, as the largest label says.
    pub fn classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| label as usize + 1)
    }
}

/// Reads `PART-inputs.npy` (samples on the first axis) and `PART-labels.npy` of a folder.
///
/// # Errors
/// Missing or damaged files, values that are no finite numbers, labels that are no classes, or other
/// numbers of samples and labels.
pub fn samples_from_folder(folder: &Path, part: Part) -> Result<Samples, InputError> {
    let [inputs_file, labels_file] = part.files().map(|file| folder.join(file));
    let (inputs, labels) = (read(&inputs_file)?, read(&labels_file)?);
    let wrong = |file: &Path, found: String, expected: &str| {
        InputError::new(file.display().to_string(), found, expected)
    };
    let Some((&count, shape)) = inputs.shape.split_first().filter(|(count, _)| **count > 0) else {
        return Err(wrong(&inputs_file, format!("shape {:?}", inputs.shape), "samples on the first axis"));
    };
    if let Some(place) = inputs.values.iter().position(|&v| !(v as f32).is_finite()) {
        let found = format!("{} at value {place}", inputs.values[place]);
        return Err(wrong(&inputs_file, found, "finite numbers"));
    }
    if labels.shape != [count] {
        let found = format!("labels of shape {:?}", labels.shape);
        return Err(wrong(&labels_file, found, &format!("{count}, one per sample")));
    }
    let class = |&label: &f64| (label.fract() == 0.0 && (0.0..1e6).contains(&label)).then_some(label as u32);
    let classes: Option<Vec<u32>> = labels.values.iter().map(class).collect();
    let labels = classes.ok_or_else(|| {
        let bad = labels.values.iter().find(|label| class(label).is_none()).copied().unwrap_or(f64::NAN);
        wrong(&labels_file, format!("label {bad}"), "classes, counted from 0")
    })?;
    Ok(Samples { values: inputs.values.iter().map(|&v| v as f32).collect(), shape: shape.to_vec(), labels })
}

fn read(path: &Path) -> Result<Array, InputError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| InputError::new(file.as_str(), error.to_string(), "a readable .npy file"))?;
    Array::from_npy(&bytes, &file)
}

/// Folders of arrays where data sets are looked for, by name.
pub fn sample_sets() -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for entry in roots().iter().filter_map(|root| std::fs::read_dir(root).ok()).flatten().flatten() {
        let path = entry.path();
        let whole = Part::Test.files().iter().all(|file| path.join(file).is_file());
        let name = entry.file_name().to_string_lossy().into_owned();
        if whole && !found.iter().any(|(known, _)| *known == name) {
            found.push((name, path));
        }
    }
    found.sort();
    found
}

/// Reads a part of a data set of arrays by the name of its folder.
///
/// # Errors
/// A data set that is not there, or as [`samples_from_folder`].
pub fn samples(name: &str, part: Part) -> Result<Samples, InputError> {
    let sets = sample_sets();
    let Some((_, folder)) = sets.iter().find(|(known, _)| known == name) else {
        let expected = format!("test-inputs.npy and test-labels.npy in MHO_DATA/{name}");
        return Err(InputError::new(name, "no such data set of arrays", expected));
    };
    samples_from_folder(folder, part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, shape: &[usize], values: &[f64]) {
        let array = Array { shape: shape.to_vec(), values: values.to_vec() };
        std::fs::write(folder.join(name), array.to_npy()).unwrap();
    }

    #[test]
    fn arrays_become_samples_and_wrong_ones_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write(at, "test-inputs.npy", &[2, 1, 2], &[1.0, 2.0, 3.0, 4.5]);
        write(at, "test-labels.npy", &[2], &[0.0, 4.0]);
        let samples = samples_from_folder(at, Part::Test).unwrap();
        assert_eq!((samples.len(), samples.size(), samples.classes()), (2, 2, 5));
        assert_eq!((samples.values[3], &samples.shape[..]), (4.5, &[1, 2][..]));

        let error = samples_from_folder(at, Part::Train).unwrap_err();
        assert!(error.to_string().contains("train-inputs.npy"), "{error}");
        for (shape, labels) in [(vec![2], vec![0.0, -1.0]), (vec![2], vec![0.0, 0.5]), (vec![1], vec![0.0])] {
            write(at, "test-labels.npy", &shape, &labels);
            assert!(samples_from_folder(at, Part::Test).unwrap_err().file.ends_with("labels.npy"));
        }
        write(at, "test-labels.npy", &[2], &[0.0, 4.0]);
        write(at, "test-inputs.npy", &[2, 1], &[1.0, f64::NAN]);
        assert!(samples_from_folder(at, Part::Test).unwrap_err().to_string().contains("finite"));
    }
}
