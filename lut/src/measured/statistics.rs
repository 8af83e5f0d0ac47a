//! Statistics of samples without a model.

use crate::source::{SCORE_COUNT, SCORES};

/// Normal score of a probability inside (0, 1): the root of the distribution function, by bisection to
/// the last bit that matters.
pub fn normal_score(probability: f64) -> f64 {
    let below = |z: f64| 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Scores of the ranks of `count` samples: those of the probabilities (k + 1/2)/n.
pub(super) fn rank_scores(count: usize) -> Vec<f64> {
    (0..count).map(|k| normal_score((k as f64 + 0.5) / count as f64)).collect()
}

/// Mean and standard deviation (n - 1).
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, if values.len() > 1 { (square / (count - 1.0)).sqrt() } else { 0.0 })
}

/// Quantiles at the scores: linear in the score between sorted samples of these rank scores; beyond the
/// outermost samples they go on with the standard deviation for a slope, as a normal tail.
pub(super) fn quantiles(sorted: &[f64], ranks: &[f64], sigma: f64) -> [f64; SCORE_COUNT] {
    let last = sorted.len() - 1;
    SCORES.map(|score| {
        if score <= ranks[0] {
            return sorted[0] + sigma * (score - ranks[0]);
        }
        if score >= ranks[last] {
            return sorted[last] + sigma * (score - ranks[last]);
        }
        let above = ranks.partition_point(|rank| *rank <= score);
        let (a, b) = (ranks[above - 1], ranks[above]);
        sorted[above - 1] + (sorted[above] - sorted[above - 1]) * (score - a) / (b - a)
    })
}

/// The rising sequence nearest to the values in the mean square with these weights: neighbours that fall
/// are pooled. Returns how many values were moved.
pub(super) fn rising(values: &mut [f64], weights: &[f64]) -> usize {
    // Pools: weighted mean, weight, length.
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(values.len());
    for (&value, &weight) in values.iter().zip(weights) {
        let mut pool = (value, weight, 1);
        while let Some(&before) = pools.last().filter(|before| before.0 > pool.0) {
            pools.pop();
            let weight = before.1 + pool.1;
            pool = ((before.0 * before.1 + pool.0 * pool.1) / weight, weight, before.2 + pool.2);
        }
        pools.push(pool);
    }
    let mut moved = 0;
    let mut rest = values.iter_mut();
    for (mean, _, length) in pools {
        for value in rest.by_ref().take(length) {
            moved += usize::from(length > 1 && *value != mean);
            *value = mean;
        }
    }
    moved
}

/// Pearson's correlation.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let ((mean_a, _), (mean_b, _)) = (moments(a), moments(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a).powi(2);
        bb += (y - mean_b).powi(2);
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 1.0 }
}

/// Each value replaced by the score of its rank; equal values in the order in which they stand.
pub(super) fn scores_of_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut scores = vec![0.0; values.len()];
    for (rank, &index) in rank_scores(values.len()).iter().zip(&order) {
        scores[index] = *rank;
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_are_those_of_the_normal_distribution() {
        // Abramowitz and Stegun, table 26.5.
        for (probability, score) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.001, -3.090_232_306)] {
            assert!((normal_score(probability) - score).abs() < 1e-8, "{probability}");
        }
    }

    #[test]
    fn normal_samples_have_straight_quantiles() {
        let ranks = rank_scores(101);
        let sorted: Vec<f64> = ranks.iter().map(|z| 5.0 + 2.0 * z).collect();
        for (found, score) in quantiles(&sorted, &ranks, 2.0).iter().zip(SCORES) {
            assert!((found - 5.0 - 2.0 * score).abs() < 1e-9);
        }
    }

    #[test]
    fn pools_are_weighted() {
        let mut values = [1.0, 4.0, 2.0, 5.0];
        assert_eq!(rising(&mut values, &[1.0, 1.0, 3.0, 1.0]), 2);
        assert_eq!(values, [1.0, 2.5, 2.5, 5.0]);
    }

    proptest! {
        /// Rising, with the same weighted sum, and untouched where nothing fell.
        #[test]
        fn rising_sequences_rise(pairs in prop::collection::vec((-5.0_f64..5.0, 0.1_f64..3.0), 1..30)) {
            let (mut values, weights): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let sum = |values: &[f64]| values.iter().zip(&weights).map(|(v, w)| v * w).sum::<f64>();
            let (before, original) = (sum(&values), values.clone());
            let moved = rising(&mut values, &weights);
            prop_assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!((sum(&values) - before).abs() < 1e-9);
            prop_assert_eq!(moved, values.iter().zip(&original).filter(|(a, b)| a != b).count());
        }
    }
}
