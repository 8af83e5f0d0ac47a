//! Counting right answers.

use std::ops::Add;

/// Counts of images and right answers; fractions come from [`Score::top1`] and [`Score::top5`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Images looked at.
    pub images: usize,
    /// Images whose label had the largest output.
    pub first: usize,
    /// Images whose label was among the five largest outputs.
    pub among_five: usize,
}

impl Score {
    /// Counts over `outputs` (images x classes). Of equal outputs the lower class ranks first.
    pub fn of(outputs: &[f32], labels: &[u8], classes: usize) -> Self {
        let mut score = Self { images: labels.len(), ..Self::default() };
        for (row, &label) in outputs.chunks_exact(classes).zip(labels) {
            let label = usize::from(label);
            let Some(&own) = row.get(label) else { continue };
            // A NaN never ranks: neither the label's own output nor a rival's.
            if own.is_nan() {
                continue;
            }
            let rank = row.iter().enumerate().filter(|&(i, &y)| y > own || (y == own && i < label)).count();
            score.first += usize::from(rank == 0);
            score.among_five += usize::from(rank < 5);
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
}

impl Add for Score {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            images: self.images + other.images,
            first: self.first + other.first,
            among_five: self.among_five + other.among_five,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_lower_class() {
        let outputs = [1.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(Score::of(&outputs, &[1], 7).first, 1);
        assert_eq!(Score::of(&outputs, &[2], 7).first, 0);
        assert_eq!(Score::of(&outputs, &[2], 7).among_five, 1);
        assert_eq!(Score::of(&outputs, &[6], 7).among_five, 0);
        assert_eq!(Score::of(&[f32::NAN; 7], &[0], 7).first, 0);
    }
}
