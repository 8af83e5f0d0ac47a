//! Open-circuit voltage from a measured table.

use thiserror::Error;

/// A table that is no open-circuit curve.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OpenCircuitError {
    /// Fewer than two rows, or columns of different lengths.
    #[error("{fractions} fillings and {volts} voltages, expected as many of both and at least 2")]
    Lengths {
        /// Fillings given.
        fractions: usize,
        /// Voltages given.
        volts: usize,
    },
    /// A filling that is not inside 0..=1 or not above the one before.
    #[error("filling {value} at row {row}, expected fillings that ascend from 0 to 1")]
    Fraction {
        /// Row from 0.
        row: usize,
        /// What stands there.
        value: f64,
    },
    /// A voltage that is not finite or below the one before: such a channel would separate into phases.
    #[error("voltage {value} at row {row}, expected finite voltages that never fall")]
    Voltage {
        /// Row from 0.
        row: usize,
        /// What stands there.
        value: f64,
    },
}

/// Open-circuit gate voltage in V against filling: a table, between its rows the cubic that never overshoots
/// (F. N. Fritsch and R. E. Carlson, SIAM J. Numer. Anal. 17, 238 (1980), with the slopes of
/// F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984)).
#[derive(Debug, Clone, PartialEq)]
pub struct OpenCircuit {
    fractions: Vec<f64>,
    volts: Vec<f64>,
    slopes: Vec<f64>,
}

impl OpenCircuit {
    /// The curve through a table.
    ///
    /// # Errors
    /// [`OpenCircuitError`] unless fillings rise inside 0..=1 and voltages never fall.
    pub fn new(fractions: &[f64], volts: &[f64]) -> Result<Self, OpenCircuitError> {
        if fractions.len() != volts.len() || fractions.len() < 2 {
            return Err(OpenCircuitError::Lengths { fractions: fractions.len(), volts: volts.len() });
        }
        for (row, &value) in fractions.iter().enumerate() {
            let before = if row == 0 { -1.0 } else { fractions[row - 1] };
            if !((0.0..=1.0).contains(&value) && value > before) {
                return Err(OpenCircuitError::Fraction { row, value });
            }
        }
        for (row, &value) in volts.iter().enumerate() {
            if !value.is_finite() || (row > 0 && value < volts[row - 1]) {
                return Err(OpenCircuitError::Voltage { row, value });
            }
        }
        Ok(Self { fractions: fractions.to_vec(), volts: volts.to_vec(), slopes: slopes(fractions, volts) })
    }

    /// First and last filling of the table: the window in which the cell may work.
    #[must_use]
    pub fn window(&self) -> (f64, f64) {
        (self.fractions[0], self.fractions[self.fractions.len() - 1])
    }

    /// The voltage in V at a filling; beyond the table that of its end.
    #[must_use]
    pub fn volts(&self, fraction: f64) -> f64 {
        let last = self.fractions.len() - 1;
        if fraction.is_nan() || fraction <= self.fractions[0] {
            return self.volts[0];
        }
        if fraction >= self.fractions[last] {
            return self.volts[last];
        }
        let left = self.fractions.partition_point(|&x| x <= fraction) - 1;
        let width = self.fractions[left + 1] - self.fractions[left];
        let t = (fraction - self.fractions[left]) / width;
        let (y0, y1) = (self.volts[left], self.volts[left + 1]);
        let (m0, m1) = (width * self.slopes[left], width * self.slopes[left + 1]);
        let rise = t * t * (3.0 - 2.0 * t);
        let value = y0 + (y1 - y0) * rise + t * (1.0 - t) * ((1.0 - t) * m0 - t * m1);
        // The curve stays between its rows; rounding need not.
        value.clamp(y0, y1)
    }
}

/// Slopes at the rows: weighted harmonic means of the neighbours inside, the neighbour's at the ends.
fn slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let widths: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let secants: Vec<f64> =
        y.windows(2).zip(&widths).map(|(pair, width)| (pair[1] - pair[0]) / width).collect();
    let inner = (1..secants.len()).map(|row| {
        let (before, after) = (secants[row - 1], secants[row]);
        if before <= 0.0 || after <= 0.0 {
            return 0.0;
        }
        let weight = (widths[row] + 2.0 * widths[row - 1]) / (3.0 * (widths[row] + widths[row - 1]));
        before * after / (weight * after + (1.0 - weight) * before)
    });
    let mut slopes = vec![secants[0]];
    slopes.extend(inner);
    slopes.push(secants[secants.len() - 1]);
    slopes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_and_straight_lines_are_kept() {
        let line = OpenCircuit::new(&[0.0, 0.1, 0.7, 1.0], &[-0.5, -0.4, 0.2, 0.5]).unwrap();
        for x in [0.0, 0.05, 0.1, 0.33, 0.7, 0.99, 1.0] {
            assert!((line.volts(x) - (x - 0.5)).abs() < 1e-15);
        }
        let plateau = OpenCircuit::new(&[0.1, 0.2, 0.8, 0.9], &[-0.2, 0.0, 0.0, 0.3]).unwrap();
        assert_eq!((plateau.volts(0.2), plateau.volts(0.5), plateau.volts(0.9)), (0.0, 0.0, 0.3));
        assert_eq!(plateau.window(), (0.1, 0.9));
    }

    #[test]
    fn other_tables_are_refused() {
        assert!(OpenCircuit::new(&[0.0], &[0.0]).is_err());
        assert!(OpenCircuit::new(&[0.0, 0.0], &[0.0, 1.0]).is_err());
        assert!(OpenCircuit::new(&[0.0, 1.5], &[0.0, 1.0]).is_err());
        assert!(OpenCircuit::new(&[f64::NAN, 1.0], &[0.0, 1.0]).is_err());
        assert!(OpenCircuit::new(&[0.0, 1.0], &[0.0, -1.0]).is_err());
        assert!(OpenCircuit::new(&[0.0, 1.0], &[0.0, f64::INFINITY]).is_err());
    }

    proptest! {
        #[test]
        fn it_never_falls(steps in prop::collection::vec((0.01..1.0_f64, 0.0..1.0_f64), 2..9),
                          a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
            let total: f64 = steps.iter().map(|step| step.0).sum();
            let (mut x, mut y) = (0.0, 0.0);
            let (mut fractions, mut volts) = (vec![0.0], vec![0.0]);
            for (dx, dy) in &steps {
                x += dx / (1.001 * total);
                y += dy;
                fractions.push(x);
                volts.push(y);
            }
            let curve = OpenCircuit::new(&fractions, &volts).unwrap();
            let (a, b) = (a.min(b), a.max(b));
            prop_assert!(curve.volts(a) <= curve.volts(b) + 1e-14);
        }
    }
}
