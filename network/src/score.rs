//! Right answers and losses.

use std::ops::Add;

use crate::graph::Graph;
use crate::graph::op::Op;

/// Least probability of a right answer that a loss counts, so that one image cannot make it infinite:
/// that of the smallest normal f32.
const LEAST_PROBABILITY: f64 = 1.175_494_350_822_287_5e-38;

/// What the outputs of a network are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Any numbers; their softmax would be probabilities.
    Logits,
    /// Probabilities.
    Probabilities,
    /// Logarithms of probabilities.
    LogProbabilities,
}

impl Outputs {
    /// What the node that returns the first output of a graph says.
    pub fn of(graph: &Graph) -> Self {
        let name = graph.outputs().first();
        let node = graph.nodes().iter().find(|node| node.outputs.first() == name);
        match node.map(|node| &node.op) {
            Some(Op::Softmax { log: false, .. }) => Self::Probabilities,
            Some(Op::Softmax { log: true, .. }) => Self::LogProbabilities,
            _ => Self::Logits,
        }
    }

    /// Cross entropy of one answer: minus the logarithm of the probability of the right class.
    fn loss(self, row: &[f32], own: f32) -> f64 {
        let own = f64::from(own);
        match self {
            Self::Logits => {
                let most = row.iter().fold(f32::NEG_INFINITY, |most, y| most.max(*y));
                let sum: f64 = row.iter().map(|&y| libm::exp(f64::from(y) - f64::from(most))).sum();
                f64::from(most) + libm::log(sum) - own
            }
            Self::Probabilities => -libm::log(own.max(LEAST_PROBABILITY)),
            Self::LogProbabilities => -own,
        }
    }
}

/// Counts of images and right answers; fractions come from [`Score::top1`] and [`Score::top5`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Images looked at.
    pub images: usize,
    /// Images whose label had the largest output.
    pub first: usize,
    /// Images whose label was among the five largest outputs.
    pub among_five: usize,
    /// Sum of the cross entropies; an image whose right output is no number has none.
    pub loss_sum: f64,
    /// Images that have a loss.
    pub losses: usize,
}

impl Score {
    /// Counts over `outputs` (images x classes). Of equal outputs the lower class ranks first; a label
    /// without an output is wrong and has no loss.
    pub fn of(outputs: &[f32], labels: impl Iterator<Item = usize>, classes: usize, kind: Outputs) -> Self {
        let mut score = Self::default();
        for (row, label) in outputs.chunks_exact(classes.max(1)).zip(labels) {
            score.images += 1;
            let Some(&own) = row.get(label) else { continue };
            // A NaN never ranks: neither the label's own output nor a rival's.
            if own.is_nan() {
                continue;
            }
            let rank = row.iter().enumerate().filter(|&(i, &y)| y > own || (y == own && i < label)).count();
            score.first += usize::from(rank == 0);
            score.among_five += usize::from(rank < 5);
            let loss = kind.loss(row, own);
            if loss.is_finite() {
                score.loss_sum += loss;
                score.losses += 1;
            }
        }
        score
    }

    /// Fraction of images whose label had the largest output.
    pub fn top1(&self) -> f64 {
        self.first as f64 / self.images as f64
    }

    /// Fraction of images whose label was among the five largest outputs.
    pub fn top5(&self) -> f64 {
        self.among_five as f64 / self.images as f64
    }

    /// Mean cross entropy.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.losses as f64
    }
}

impl Add for Score {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            images: self.images + other.images,
            first: self.first + other.first,
            among_five: self.among_five + other.among_five,
            loss_sum: self.loss_sum + other.loss_sum,
            losses: self.losses + other.losses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(outputs: &[f32], label: usize) -> Score {
        Score::of(outputs, [label].into_iter(), 7, Outputs::Logits)
    }

    #[test]
    fn ties_go_to_the_lower_class() {
        let outputs = [1.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(score(&outputs, 1).first, 1);
        assert_eq!(score(&outputs, 2).first, 0);
        assert_eq!(score(&outputs, 2).among_five, 1);
        assert_eq!(score(&outputs, 6).among_five, 0);
        assert_eq!(score(&[f32::NAN; 7], 0), Score { images: 1, ..Score::default() });
        assert_eq!(score(&outputs, 8), Score { images: 1, ..Score::default() });
    }

    #[test]
    fn losses_are_the_same_whatever_the_outputs_are() {
        let logits = [0.5_f32, -1.0, 2.0, 100.0];
        let sum: f64 = logits.iter().map(|&y| f64::from(y - 100.0).exp()).sum();
        let logs = logits.map(|y| (f64::from(y - 100.0) - sum.ln()) as f32);
        let probabilities = logs.map(f32::exp);
        for label in 0..4 {
            let of = |outputs: &[f32], kind| Score::of(outputs, [label].into_iter(), 4, kind).loss();
            let expected = of(&logits, Outputs::Logits);
            // about 100 in f32: 4e-6
            assert!((of(&logs, Outputs::LogProbabilities) - expected).abs() < 1e-5);
            // denormal probabilities are counted as the smallest normal one, 87.3
            let probable = of(&probabilities, Outputs::Probabilities);
            assert!((probable - expected.min(87.3365)).abs() < 1e-3, "{probable} {expected}");
        }
    }
}
