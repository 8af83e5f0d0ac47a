//! A test set through a graph, with any products: the score of one trial at one condition.

use mho_data::random::Stream;

use crate::graph::op::Length;
use crate::graph::tensor::Tensor;
use crate::graph::{Graph, GraphError, Products, RunError};
use crate::input_noise::InputNoise;
use crate::samples::{Feed, FeedError};
use crate::score::{Outputs, Score};

/// Bytes of inputs that one execution takes at most, so that memory does not grow with the test set. Inputs
/// of a set that is smaller than this are prepared once for all trials. Assumed: a tenth of the memory of a
/// small machine's core.
const PART_BYTES: usize = 64 << 20;

/// Samples that converters are calibrated with, and bytes of their inputs, at most. Assumed: ranges of 256
/// images of the data sets tried here are those of more to a few steps of 8 bits.
const CALIBRATION_SAMPLES: usize = 256;
const CALIBRATION_BYTES: usize = 32 << 20;

/// A set cannot be given to a graph, or not be executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InferenceError {
    /// LabelledSet and network do not fit.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The graph cannot be executed.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<GraphError> for InferenceError {
    fn from(error: GraphError) -> Self {
        Self::Run(RunError::Graph(error))
    }
}

/// Samples of a set, ready for a graph.
#[derive(Clone, Debug)]
pub struct Inference<'a> {
    graph: &'a Graph,
    feed: Feed<'a>,
    count: usize,
    /// LabelledSet of one execution.
    part: usize,
    outputs: Outputs,
    classes: usize,
    /// All inputs, if they are few.
    prepared: Option<Tensor>,
}

impl<'a> Inference<'a> {
    /// All samples of a feed.
    ///
    /// # Errors
    /// [`InferenceError`] when there are none, or the graph does not return one row of numbers per sample.
    pub fn new(graph: &'a Graph, feed: Feed<'a>) -> Result<Self, InferenceError> {
        let count = feed.count();
        let wrong = |what, found: String, expected: &str| {
            Err(InferenceError::Feed(FeedError { what, found, expected: expected.to_owned() }))
        };
        if count == 0 {
            return wrong("data set", "no samples".into(), "at least one");
        }
        let one = graph.output_shapes(1)?;
        let Some(shape) = one.first() else { return wrong("network", "no output".into(), "one") };
        let open = graph.inputs().iter().any(|i| i.shape.iter().any(|l| matches!(l, Length::Batch(_))));
        let two = if open { graph.output_shapes(2)? } else { one.clone() };
        if shape.first() != Some(&1) || (open && two.first().and_then(|s| s.first()) != Some(&2)) {
            return wrong("network", format!("an output of the shape {shape:?}"), "images x classes");
        }
        let classes = shape.iter().product();
        let block = graph.memory()?.block.max(1);
        let bytes = feed.size() * size_of::<f32>();
        let part = (PART_BYTES / (bytes * block).max(1)).max(1) * block;
        let mut inference =
            Self { graph, feed, count, part, outputs: Outputs::of(graph), classes, prepared: None };
        if count <= part {
            inference.prepared = Some(inference.batch(0, count, None)?);
        }
        Ok(inference)
    }

    /// The first samples of a feed, as inputs to calibrate converters with.
    ///
    /// # Errors
    /// [`InferenceError`] when there are none.
    pub fn calibration(feed: &Feed<'_>) -> Result<Tensor, InferenceError> {
        let most =
            (CALIBRATION_BYTES / (feed.size() * size_of::<f32>()).max(1)).clamp(1, CALIBRATION_SAMPLES);
        let wrong = |found: String| FeedError {
            what: "calibration",
            found,
            expected: "samples of the kind that the network was trained on".into(),
        };
        match feed.count().min(most) {
            0 => Err(wrong("none".into()).into()),
            count => {
                Ok(feed.batch(0, count, None).ok_or_else(|| wrong(format!("{count} too large ones")))?)
            }
        }
    }

    /// The graph.
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of outputs.
    pub fn classes(&self) -> usize {
        self.classes
    }

    fn batch(
        &self,
        first: usize,
        count: usize,
        noise: Option<(InputNoise, Stream)>,
    ) -> Result<Tensor, InferenceError> {
        let too_many = || FeedError {
            what: "data set",
            found: format!("{count} samples of {} values", self.feed.size()),
            expected: "samples that a tensor can hold".into(),
        };
        Ok(self.feed.batch(first, count, noise).ok_or_else(too_many)?)
    }

    /// Score of the samples with these products, under noise of the inputs if asked. The same for any number
    /// of threads; parts of the set are executed one after the other, each in parallel blocks.
    ///
    /// # Errors
    /// [`InferenceError`] when the graph cannot be executed.
    pub fn score(
        &self,
        products: &dyn Products,
        noise: Option<(InputNoise, Stream)>,
    ) -> Result<Score, InferenceError> {
        let mut score = Score::default();
        for first in (0..self.count).step_by(self.part) {
            let count = self.part.min(self.count - first);
            let drawn = match (&self.prepared, noise) {
                (Some(_), None) => None,
                _ => Some(self.batch(first, count, noise)?),
            };
            let inputs = drawn.as_ref().or(self.prepared.as_ref()).map_or(&[][..], std::slice::from_ref);
            let outputs = self.graph.run_from(products, inputs, first as u64)?;
            let labels = (first..first + count).map(|sample| self.feed.label(sample));
            let values = outputs.first().map_or(&[][..], Tensor::values);
            score = score + Score::of(values, labels, self.classes, self.outputs);
        }
        Ok(score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Network;
    use crate::samples::{InputFormat, LabelledSet};
    use crate::spec::{NetworkSpec, Shape};
    use mho_data::dataset::Images;

    #[test]
    fn a_set_in_parts_is_the_whole_set() {
        let pixels = (0..200 * 64_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let labels = (0..200).map(|i| (i % 10) as u8).collect();
        let images = Images { pixels, labels, rows: 8, cols: 8, channels: 1 };
        let shape = Shape { channels: 1, rows: 8, columns: 8 };
        let network = Network::new(&NetworkSpec::mlp(&[16], 10), shape, 255.0, 1).unwrap();
        let graph = network.graph().unwrap();
        let samples = LabelledSet::of_images(&images, 255.0).unwrap();
        let feed = Feed::new(&samples, &graph, &InputFormat::default()).unwrap();
        let mut inference = Inference::new(&graph, feed).unwrap();
        let digital = graph.digital();
        let whole = inference.score(&digital, None).unwrap();
        let direct = network.score(&images);
        assert_eq!((whole.images, whole.first, whole.among_five), (200, direct.first, direct.among_five));
        assert!((whole.loss() - direct.loss()).abs() < 1e-6);
        let noise: InputNoise = "gaussian:0.3".parse().unwrap();
        let disturbed = inference.score(&digital, Some((noise, noise.stream(1, 0)))).unwrap();
        assert_ne!(disturbed, whole);
        inference.part = 64;
        inference.prepared = None;
        let close = |a: Score, b: Score| {
            assert_eq!((a.images, a.first, a.among_five), (b.images, b.first, b.among_five));
            assert!((a.loss() - b.loss()).abs() < 1e-12);
        };
        close(inference.score(&digital, None).unwrap(), whole);
        close(inference.score(&digital, Some((noise, noise.stream(1, 0)))).unwrap(), disturbed);
        assert_eq!(inference.score(&digital, None).unwrap().images, 200);
        let feed = Feed::new(&samples, &graph, &InputFormat::default()).unwrap();
        assert_eq!(
            Inference::new(&graph, feed.limited(Some(7))).unwrap().score(&digital, None).unwrap().images,
            7
        );
    }
}
