//! Data sets in forms that only these tests meet: archives of JPEG, feature maps as integers.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use mho_data::InputError;
use mho_data::dataset::Images;
use mho_data::npy::Array;
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, Products, RunError};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

/// Inputs of a network with their classes.
pub struct Samples {
    /// Samples on the first axis.
    pub inputs: Tensor,
    /// One class each.
    pub labels: Vec<u16>,
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

    /// Samples `from..to` on their own.
    pub fn part(&self, from: usize, to: usize) -> Self {
        let size = self.inputs.values().len() / self.len().max(1);
        let to = to.min(self.len());
        let from = from.min(to);
        let mut shape = self.inputs.shape().to_vec();
        shape[0] = to - from;
        let values = self.inputs.values()[from * size..to * size].to_vec();
        let inputs = Tensor::new(shape, values).unwrap_or_else(|| Tensor::vector(Vec::new()));
        Self { inputs, labels: self.labels[from..to].to_vec() }
    }
}

/// Mean and standard deviation per channel with which the CIFAR ResNets were trained, pixels over 255.
pub const CIFAR_NORMAL: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

/// Names of CIFAR's classes in their order.
const CIFAR_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Samples whose class is the largest output, and among the five largest; equal outputs in their order.
///
/// # Errors
/// What the graph refuses.
pub fn right(graph: &Graph, products: &dyn Products, samples: &Samples) -> Result<[usize; 2], RunError> {
    /// Values of the inputs that are copied at a time: 64 MiB.
    const VALUES: usize = 1 << 24;
    let size = samples.inputs.values().len() / samples.len().max(1);
    let block = (VALUES / size.max(1)).max(1);
    let mut right = [0, 0];
    for from in (0..samples.len()).step_by(block) {
        let part = samples.part(from, from.saturating_add(block));
        let outputs = graph.run(products, std::slice::from_ref(&part.inputs))?;
        let Some(outputs) = outputs.first() else { continue };
        let classes = outputs.values().len() / part.len().max(1);
        for (outputs, &label) in outputs.values().chunks_exact(classes.max(1)).zip(&part.labels) {
            let Some(own) = outputs.get(usize::from(label)) else { continue };
            let larger = outputs.iter().filter(|other| *other > own).count();
            right[0] += usize::from(larger < 1);
            right[1] += usize::from(larger < 5);
        }
    }
    Ok(right)
}

/// Images as inputs (v / 255 - mean) / deviation.
pub fn normalised(images: &Images, [mean, deviation]: [[f32; 3]; 2]) -> Samples {
    let plane = images.rows * images.cols;
    let count = images.labels.len();
    let values = images
        .pixels
        .chunks_exact(plane)
        .enumerate()
        .flat_map(|(index, plane)| {
            let (m, s) = (mean[index % images.channels % 3], deviation[index % images.channels % 3]);
            plane.iter().map(move |&p| (f32::from(p) / 255.0 - m) / s)
        })
        .collect();
    let shape = vec![count, images.channels, images.rows, images.cols];
    let inputs = Tensor::new(shape, values).unwrap_or_else(|| Tensor::vector(Vec::new()));
    Samples { inputs, labels: images.labels.iter().map(|&l| u16::from(l)).collect() }
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> InputError {
    InputError::new(path.display().to_string(), error.to_string(), "a readable file")
}

/// Images of the JPEG-coded copy of CIFAR-10 in the order of its archive, which is by class.
///
/// # Errors
/// [`InputError`] for a damaged archive or image.
pub fn cifar_jpeg(archive: &Path) -> Result<Images, InputError> {
    let file = std::fs::File::open(archive).map_err(|error| unreadable(archive, error))?;
    let plain = lzma_rust2::XzReader::new(std::io::BufReader::new(file), true);
    let mut images = Images { pixels: Vec::new(), labels: Vec::new(), rows: 32, cols: 32, channels: 3 };
    let mut archive_reader = tar::Archive::new(plain);
    for entry in archive_reader.entries().map_err(|error| unreadable(archive, error))? {
        let mut entry = entry.map_err(|error| unreadable(archive, error))?;
        let name = entry.path().map_err(|error| unreadable(archive, error))?.display().to_string();
        if !name.ends_with(".jpg") {
            continue;
        }
        let class = CIFAR_CLASSES.iter().position(|class| name.contains(&format!("/{class}/")));
        let class =
            class.ok_or_else(|| InputError::new(name.as_str(), "no class in the name", "one of CIFAR's"))?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| unreadable(archive, error))?;
        let (pixels, [rows, columns]) = decode(&bytes, &name)?;
        if [rows, columns] != [32, 32] {
            return Err(InputError::new(name, format!("{rows} x {columns} pixels"), "32 x 32"));
        }
        for channel in 0..3 {
            images.pixels.extend(pixels.iter().skip(channel).step_by(3));
        }
        images.labels.push(class as u8);
    }
    Ok(images)
}

/// Images of an archive of ten equal classes, one class after the other, with the classes in turn.
pub fn in_turn(images: &Images) -> Images {
    let (count, size) = (images.labels.len(), images.channels * images.rows * images.cols);
    let each = count / 10;
    let order = (0..10 * each).map(|i| i % 10 * each + i / 10).chain(10 * each..count);
    let mut turned =
        Images { pixels: Vec::with_capacity(images.pixels.len()), labels: Vec::new(), ..*images };
    for from in order {
        turned.pixels.extend_from_slice(&images.pixels[from * size..(from + 1) * size]);
        turned.labels.push(images.labels[from]);
    }
    turned
}

/// Red, green, blue of each pixel, and rows and columns.
fn decode(bytes: &[u8], name: &str) -> Result<(Vec<u8>, [usize; 2]), InputError> {
    let wrong = |found: String| InputError::new(name, found, "a JPEG image");
    let mut decoder = JpegDecoder::new(ZCursor::new(bytes));
    let pixels = decoder.decode().map_err(|error| wrong(format!("{error:?}")))?;
    let (columns, rows) = decoder.dimensions().ok_or_else(|| wrong("no dimensions".into()))?;
    if pixels.len() != rows * columns * 3 {
        return Err(wrong(format!("{} values for {rows} x {columns} pixels", pixels.len())));
    }
    Ok((pixels, [rows, columns]))
}

/// The first `count` images of the ImageNet sample: their central 224 x 224 pixels, as (v - middle) / span.
///
/// # Errors
/// [`InputError`] for a damaged archive, image or list of labels.
pub fn imagenet(folder: &Path, count: usize, (middle, span): (f32, f32)) -> Result<Samples, InputError> {
    const SIDE: usize = 224;
    let list = folder.join("labels.csv");
    let text = std::fs::read_to_string(&list).map_err(|error| unreadable(&list, error))?;
    let classes: HashMap<&str, u16> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?, cells.next()?.trim().parse().ok()?))
        })
        .collect();
    let path = folder.join("img.tar");
    let file = std::fs::File::open(&path).map_err(|error| unreadable(&path, error))?;
    let mut archive = tar::Archive::new(std::io::BufReader::new(file));
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for entry in archive.entries().map_err(|error| unreadable(&path, error))? {
        if labels.len() == count {
            break;
        }
        let mut entry = entry.map_err(|error| unreadable(&path, error))?;
        let name = entry.path().map_err(|error| unreadable(&path, error))?.display().to_string();
        let Some(class) = classes.get(name.as_str()) else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| unreadable(&path, error))?;
        let (pixels, [rows, columns]) = decode(&bytes, &name)?;
        let (Some(top), Some(left)) = (rows.checked_sub(SIDE), columns.checked_sub(SIDE)) else {
            return Err(InputError::new(name, format!("{rows} x {columns} pixels"), "224 x 224 or more"));
        };
        let (top, left) = (top / 2, left / 2);
        for channel in 0..3 {
            for row in top..top + SIDE {
                let row = &pixels[3 * (row * columns + left)..][..3 * SIDE];
                values.extend(row.iter().skip(channel).step_by(3).map(|&p| (f32::from(p) - middle) / span));
            }
        }
        labels.push(*class);
    }
    let found = format!("{} images with labels", labels.len());
    let inputs = Tensor::new(vec![labels.len(), 3, SIDE, SIDE], values)
        .ok_or_else(|| InputError::new(path.display().to_string(), found, "fewer images at once"))?;
    Ok(Samples { inputs, labels })
}

/// Feature maps of spoken words, 1 x 49 x 10 each, in real numbers.
///
/// # Errors
/// [`InputError`] for damaged files.
pub fn keywords(folder: &Path) -> Result<Samples, InputError> {
    // scale and zero point of the integers (README of the data set)
    const SCALE: f64 = 0.584_702_9;
    const ZERO: f64 = 83.0;
    let read = |name: &str| {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
        Array::from_npy(&bytes, &path.display().to_string())
    };
    let (maps, labels) = (read("features_int8_1000x49x10.npy")?, read("labels_uint8.npy")?);
    let values = maps.values.iter().map(|q| ((q - ZERO) * SCALE) as f32).collect();
    let count = labels.values.len();
    let inputs = Tensor::new(vec![count, 1, 49, 10], values).ok_or_else(|| {
        InputError::new(
            "features_int8_1000x49x10.npy",
            format!("shape {:?}", maps.shape),
            "49 x 10 per label",
        )
    })?;
    Ok(Samples { inputs, labels: labels.values.iter().map(|&l| l as u16).collect() })
}
