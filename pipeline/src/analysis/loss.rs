//! The dose at which a network has lost a given number of points of accuracy.

/// Weighted isotonic regression (pool adjacent violators): the non-decreasing sequence nearest to
/// `values` in least squares. Accuracy is counted on a finite test set, so a loss curve wiggles by
/// a few images; the physics is monotone.
pub fn isotonic(values: &[f64]) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for &value in values {
        blocks.push((value, 1));
        while blocks.len() > 1 && blocks[blocks.len() - 2].0 > blocks[blocks.len() - 1].0 {
            let (later, n_later) = blocks[blocks.len() - 1];
            let (earlier, n_earlier) = blocks[blocks.len() - 2];
            blocks.pop();
            let last = blocks.len() - 1;
            let count = n_earlier + n_later;
            blocks[last] = ((earlier * n_earlier as f64 + later * n_later as f64) / count as f64, count);
        }
    }
    blocks.into_iter().flat_map(|(value, count)| std::iter::repeat_n(value, count)).collect()
}

/// The dose at which `loss_points` (one value for each of the ascending `doses`, the first being
/// zero dose) first reaches `threshold`, after isotonic regression; between two doses linear in
/// dose when the lower one is zero, else linear in its logarithm. Infinity if it is never reached:
/// nothing is extrapolated.
pub fn dose_at_loss(doses: &[f64], loss_points: &[f64], threshold: f64) -> f64 {
    let loss = isotonic(loss_points);
    for i in 0..loss.len().min(doses.len()) {
        if loss[i] < threshold {
            continue;
        }
        if i == 0 {
            return doses[0];
        }
        let fraction = (threshold - loss[i - 1]) / (loss[i] - loss[i - 1]);
        return if doses[i - 1] <= 0.0 {
            doses[i - 1] + fraction * (doses[i] - doses[i - 1])
        } else {
            (doses[i - 1].ln() + fraction * (doses[i].ln() - doses[i - 1].ln())).exp()
        };
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isotonic_pools_violators() {
        assert_eq!(isotonic(&[0.0, 2.0, 1.0, 3.0]), vec![0.0, 1.5, 1.5, 3.0]);
        assert_eq!(isotonic(&[3.0, 2.0, 1.0]), vec![2.0, 2.0, 2.0]);
    }

    #[test]
    fn the_crossing_is_found_and_never_extrapolated() {
        let doses = [0.0, 10.0, 100.0, 1000.0];
        assert!((dose_at_loss(&doses, &[0.0, 0.0, 0.5, 1.5], 1.0) - 10f64.powf(2.5)).abs() < 1e-9);
        assert_eq!(dose_at_loss(&doses, &[0.0, 2.0, 2.0, 2.0], 1.0), 5.0);
        assert_eq!(dose_at_loss(&doses, &[0.0, 0.1, 0.2, 0.3], 1.0), f64::INFINITY);
    }
}
