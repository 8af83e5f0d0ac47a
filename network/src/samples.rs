//! Labelled inputs of a network: raw values of a data set, and how they become tensors.

use std::borrow::Cow;

use mho_data::dataset::{Images, Samples};
use serde::{Deserialize, Serialize};

use mho_data::random::Stream;

use crate::graph::Graph;
use crate::graph::op::Length;
use crate::graph::tensor::Tensor;
use crate::input_noise::InputNoise;
use crate::spec::Shape;

/// Raw values of a data set, sample after sample, each in the order channel, row, column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values<'a> {
    /// Grey values.
    Bytes(Cow<'a, [u8]>),
    /// Anything else, as features of sound.
    Floats(Cow<'a, [f32]>),
}

impl Values<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }
}

/// Labelled samples of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledSet<'a> {
    values: Values<'a>,
    labels: Cow<'a, [u32]>,
    shape: Shape,
    range: [f32; 2],
    /// Axes of arrays that are in the order that a network wants, whatever they mean.
    axes: Option<Vec<usize>>,
}

/// LabelledSet that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found {values} values, expected {labels} samples of {expected}")]
pub struct LabelledSetError {
    values: usize,
    labels: usize,
    expected: usize,
}

impl<'a> LabelledSet<'a> {
    /// LabelledSet; `range` holds the raw values that black and white stand for (0 and 255 of most images).
    ///
    /// # Errors
    /// When the number of values is not that of the labels.
    pub fn new(
        values: Values<'a>,
        labels: impl Into<Cow<'a, [u32]>>,
        shape: Shape,
        range: [f32; 2],
    ) -> Result<Self, LabelledSetError> {
        let labels = labels.into();
        if labels.len().checked_mul(shape.len()) != Some(values.len()) {
            let (values, labels, expected) = (values.len(), labels.len(), shape.len());
            return Err(LabelledSetError { values, labels, expected });
        }
        Ok(Self { values, labels, shape, range, axes: None })
    }

    /// Images with grey values from 0 to `white`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_images(images: &'a Images, white: f32) -> Result<Self, LabelledSetError> {
        let shape = Shape { channels: images.channels, rows: images.rows, columns: images.cols };
        let labels: Vec<u32> = images.labels.iter().map(|&label| u32::from(label)).collect();
        Self::new(Values::Bytes(Cow::Borrowed(&images.pixels)), labels, shape, [0.0, white])
    }

    /// Arrays in the order in which a network wants them; black and white are the least and the largest
    /// value.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_arrays(samples: &'a Samples) -> Result<Self, LabelledSetError> {
        let extremes = samples
            .values
            .iter()
            .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &x| [low.min(x), high.max(x)]);
        let shape = Shape { channels: 1, rows: 1, columns: samples.size() };
        let values = Values::Floats(Cow::Borrowed(&samples.values));
        let set = Self::new(values, samples.labels.as_slice(), shape, extremes)?;
        Ok(Self { axes: Some(samples.shape.clone()), ..set })
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Label of each sample.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Shape of a sample.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Raw values of black and white.
    pub fn range(&self) -> [f32; 2] {
        self.range
    }

    /// LabelledSet `first..first + out.len() / size` as numbers of which black is 0 and white is 1.
    fn units(&self, first: usize, out: &mut [f32]) {
        let [black, white] = self.range;
        let scale = if white > black { 1.0 / (white - black) } else { 1.0 };
        let range = first * self.shape.len()..first * self.shape.len() + out.len();
        match &self.values {
            Values::Bytes(values) => {
                let unit = |(u, &x): (&mut f32, &u8)| *u = (f32::from(x) - black) * scale;
                out.iter_mut().zip(&values[range]).for_each(unit);
            }
            Values::Floats(values) => {
                let unit = |(u, &x): (&mut f32, &f32)| *u = (x - black) * scale;
                out.iter_mut().zip(&values[range]).for_each(unit);
            }
        }
    }
}

/// Order of the axes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Channels, rows, columns.
    Nchw,
    /// Rows, columns, channels.
    Nhwc,
}

/// How a network wants its inputs, as the table `[input]` of its TOML says: `(raw scale - mean) / std`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputFormat {
    /// Order of the axes (default: what the shape of the network's input tells).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// What a raw value is multiplied with (default: such that white becomes 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Subtracted afterwards: one number for all channels, or one per channel (default: 0).
    pub mean: Vec<f64>,
    /// What it is divided by at last, likewise (default: 1).
    pub std: Vec<f64>,
    /// Added to the labels of the data set: 1 where output 0 is a class of its own (default: 0).
    pub label_offset: u32,
}

impl InputFormat {
    /// Raw values times a scale.
    pub fn scaled(scale: f64) -> Self {
        Self { scale: Some(scale), ..Self::default() }
    }
}

/// LabelledSet that do not fit a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: found {found}, expected {expected}")]
pub struct FeedError {
    /// Which part.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

/// LabelledSet in the form that a network takes.
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    samples: &'a LabelledSet<'a>,
    layout: Layout,
    /// Per channel: an input is `u gain + shift`, u from 0 (black) to 1 (white).
    affine: Vec<[f32; 2]>,
    /// Shape of one inference, and the axis along which inferences are stacked.
    shape: Vec<usize>,
    axis: usize,
    label_offset: u32,
    count: usize,
}

impl<'a> Feed<'a> {
    /// LabelledSet for a graph with one input that takes one sample per inference.
    ///
    /// # Errors
    /// [`FeedError`] when shapes or the numbers of the format do not fit.
    pub fn new(samples: &'a LabelledSet<'a>, graph: &Graph, format: &InputFormat) -> Result<Self, FeedError> {
        let wrong = |what, found: String, expected: String| Err(FeedError { what, found, expected });
        let [input] = graph.inputs() else {
            let found = format!("{} inputs", graph.inputs().len());
            return wrong("network", found, "one input".into());
        };
        let axis = input.shape.iter().position(|l| matches!(l, Length::Batch(_))).unwrap_or(0);
        let length = |length: &Length| match *length {
            Length::Fixed(n) | Length::Batch(n) => n,
            Length::Rest => 1,
        };
        let shape: Vec<usize> = input.shape.iter().map(length).collect();
        let sample = samples.shape;
        let said = format!("{} x {} x {}", sample.channels, sample.rows, sample.columns);
        if shape.is_empty() || shape[axis] != 1 || shape.iter().product::<usize>() != sample.len() {
            let found = format!("samples of {said} (channels x rows x columns)");
            return wrong("data set", found, format!("the network's input {shape:?}"));
        }
        let inner: Vec<usize> =
            shape.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, n)| *n).collect();
        if let Some(axes) = &samples.axes
            && axes.len() == inner.len()
            && *axes != inner
        {
            return wrong(
                "data set",
                format!("samples of {axes:?}"),
                format!("the network's input {shape:?}"),
            );
        }
        let last = inner.len() == 3 && inner[2] == sample.channels && inner[0] == sample.rows;
        let first = inner.len() != 3 || inner[0] == sample.channels;
        let layout = match format.layout {
            Some(layout) => layout,
            None if last && !first => Layout::Nhwc,
            None => Layout::Nchw,
        };
        let fits = match (layout, inner.as_slice()) {
            (Layout::Nchw, &[a, b, c]) if sample.channels > 1 => {
                [a, b, c] == [sample.channels, sample.rows, sample.columns]
            }
            (Layout::Nhwc, &[a, b, c]) => [a, b, c] == [sample.rows, sample.columns, sample.channels],
            _ => true,
        };
        if !fits {
            let found = format!("samples of {said} (channels x rows x columns) as {layout:?}");
            return wrong("data set", found, format!("the network's input {shape:?}"));
        }
        let affine = affine(samples, format)?;
        let (label_offset, count) = (format.label_offset, samples.count());
        Ok(Self { samples, layout, affine, shape, axis, label_offset, count })
    }

    /// The first `limit` samples alone.
    #[must_use]
    pub fn limited(mut self, limit: Option<usize>) -> Self {
        self.count = self.count.min(limit.unwrap_or(usize::MAX));
        self
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Values of one sample.
    pub fn size(&self) -> usize {
        self.samples.shape.len()
    }

    /// Output that is right for a sample.
    pub fn label(&self, sample: usize) -> usize {
        (self.samples.labels[sample] as usize).saturating_add(self.label_offset as usize)
    }

    /// LabelledSet `first..first + count` as the network's input, disturbed if asked; `None` when they are more
    /// values than a tensor may hold.
    ///
    /// # Panics
    /// If there are fewer samples.
    pub fn batch(&self, first: usize, count: usize, noise: Option<(InputNoise, Stream)>) -> Option<Tensor> {
        let size = self.size();
        let mut values = vec![0.0; crate::graph::tensor::count(&[count, size])?];
        self.samples.units(first, &mut values);
        if let Some((noise, stream)) = noise {
            noise.disturb(&stream, (first * size) as u64, &mut values);
        }
        let positions = size / self.samples.shape.channels.max(1);
        for (plane, [gain, shift]) in
            values.chunks_exact_mut(positions.max(1)).zip(self.affine.iter().cycle())
        {
            if *shift == 0.0 {
                plane.iter_mut().for_each(|u| *u *= gain);
            } else {
                plane.iter_mut().for_each(|u| *u = *u * gain + shift);
            }
        }
        if self.layout == Layout::Nhwc && self.samples.shape.channels > 1 {
            let mut turned = vec![0.0; values.len()];
            for (from, to) in values.chunks_exact(size).zip(turned.chunks_exact_mut(size)) {
                for (channel, plane) in from.chunks_exact(positions).enumerate() {
                    let to = to.iter_mut().skip(channel).step_by(self.samples.shape.channels);
                    to.zip(plane).for_each(|(to, from)| *to = *from);
                }
            }
            values = turned;
        }
        let mut shape = self.shape.clone();
        shape[self.axis] = count;
        let inner: usize = self.shape[self.axis + 1..].iter().product();
        let outer = size / inner.max(1);
        if outer > 1 && self.axis > 0 {
            // the batch lies inside: outer x samples x inner
            let mut turned = vec![0.0; values.len()];
            for (sample, from) in values.chunks_exact(size).enumerate() {
                for (index, from) in from.chunks_exact(inner).enumerate() {
                    let at = (index * count + sample) * inner;
                    turned[at..at + inner].copy_from_slice(from);
                }
            }
            values = turned;
        }
        Tensor::new(shape, values)
    }
}

/// Gain and shift of each channel for u from 0 to 1.
fn affine(samples: &LabelledSet<'_>, format: &InputFormat) -> Result<Vec<[f32; 2]>, FeedError> {
    let channels = samples.shape.channels;
    let [black, white] = samples.range.map(f64::from);
    let width = if white > black { white - black } else { 1.0 };
    let wrong =
        |what, found: String, expected: &str| Err(FeedError { what, found, expected: expected.to_owned() });
    // arrays are as the network wants them
    let raw = samples.axes.is_some();
    let scale = format.scale.unwrap_or(if raw { 1.0 } else { 1.0 / width });
    if !scale.is_finite() || scale == 0.0 {
        return wrong("input.scale", scale.to_string(), "a number other than 0");
    }
    let of = |list: &[f64], other: f64, channel: usize| match list {
        [] => other,
        [one] => *one,
        many => many[channel],
    };
    for (what, list) in [("input.mean", &format.mean), ("input.std", &format.std)] {
        if list.len() > 1 && list.len() != channels {
            return wrong(what, format!("{} numbers", list.len()), "one, or one per channel");
        }
        if list.iter().any(|x| !x.is_finite()) || (what == "input.std" && list.contains(&0.0)) {
            return wrong(what, format!("{list:?}"), "finite numbers, deviations other than 0");
        }
    }
    // raw = black + u width
    let channel = |channel| {
        let (mean, std) = (of(&format.mean, 0.0, channel), of(&format.std, 1.0, channel));
        // without a scale black is 0 and white is 1, wherever they lie
        let black = if raw || format.scale.is_some() { black } else { 0.0 };
        [(width * scale / std) as f32, ((black * scale - mean) / std) as f32]
    };
    Ok((0..channels).map(channel).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::op::{Activation, Op};
    use crate::graph::{Input, Node};

    fn graph(shape: Vec<Length>) -> Graph {
        let relu = Node::new("r", Op::Activation(Activation::Abs), &["x"], &["y"]);
        Graph::new("g", vec![Input { name: "x".into(), shape }], vec![relu], vec!["y".into()]).unwrap()
    }

    fn coloured() -> Images {
        // sample, channel, row, column = 100 s + 12 c + 4 r + column
        let pixels = (0..2).flat_map(|s| (0..24).map(move |i| (100 * s + i) as u8)).collect();
        Images { pixels, labels: vec![3, 4], rows: 3, cols: 4, channels: 2 }
    }

    #[test]
    fn layouts_scales_and_batches_find_their_places() {
        let images = coloured();
        let samples = LabelledSet::of_images(&images, 255.0).unwrap();
        let format = InputFormat {
            scale: Some(2.0),
            mean: vec![1.0, 2.0],
            std: vec![1.0, 0.5],
            label_offset: 1,
            ..InputFormat::default()
        };
        let expected = |s: usize, c: usize, r: usize, column: usize| {
            let raw = (100 * s + 12 * c + 4 * r + column) as f32;
            if c == 0 { 2.0 * raw - 1.0 } else { (2.0 * raw - 2.0) / 0.5 }
        };
        let fixed = Length::Fixed;
        let batch = Length::Batch(1);
        let every = || (0..2).flat_map(|s| (0..24).map(move |i| (s, i / 12, i / 4 % 3, i % 4)));
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-3, "{a} {b}");
        // images first, channels first or last
        let nchw = graph(vec![batch, fixed(2), fixed(3), fixed(4)]);
        let feed = Feed::new(&samples, &nchw, &format).unwrap();
        let x = feed.batch(0, 2, None).unwrap();
        every()
            .for_each(|(s, c, r, k)| close(x.values()[((s * 2 + c) * 3 + r) * 4 + k], expected(s, c, r, k)));
        assert_eq!(feed.label(1), 5);
        assert_eq!(feed.batch(1, 1, None).unwrap().values(), &x.values()[24..]);
        let nhwc = graph(vec![batch, fixed(3), fixed(4), fixed(2)]);
        let feed = Feed::new(&samples, &nhwc, &format).unwrap();
        let x = feed.batch(0, 2, None).unwrap();
        every()
            .for_each(|(s, c, r, k)| close(x.values()[((s * 3 + r) * 4 + k) * 2 + c], expected(s, c, r, k)));
        // a sequence of six steps of four values, the batch between
        let steps = graph(vec![fixed(6), batch, fixed(4)]);
        let x = Feed::new(&samples, &steps, &format).unwrap().batch(0, 2, None).unwrap();
        assert_eq!(x.shape(), [6, 2, 4]);
        every()
            .for_each(|(s, c, r, k)| close(x.values()[((c * 3 + r) * 2 + s) * 4 + k], expected(s, c, r, k)));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let images = coloured();
        let samples = LabelledSet::of_images(&images, 255.0).unwrap();
        let nchw = graph(vec![Length::Batch(1), Length::Fixed(2), Length::Fixed(3), Length::Fixed(4)]);
        let refused = |format: InputFormat| Feed::new(&samples, &nchw, &format).unwrap_err().what;
        assert_eq!(refused(InputFormat { scale: Some(f64::NAN), ..InputFormat::default() }), "input.scale");
        assert_eq!(refused(InputFormat { std: vec![0.0], ..InputFormat::default() }), "input.std");
        assert_eq!(refused(InputFormat { mean: vec![0.0; 3], ..InputFormat::default() }), "input.mean");
        let nhwc = InputFormat { layout: Some(Layout::Nhwc), ..InputFormat::default() };
        assert_eq!(refused(nhwc), "data set");
        let other = graph(vec![Length::Batch(1), Length::Fixed(25)]);
        assert!(Feed::new(&samples, &other, &InputFormat::default()).is_err());
        assert!(LabelledSet::of_images(&Images { labels: vec![1], ..coloured() }, 255.0).is_err());
    }
}
