//! The voltage over time that drives a cell: straight pieces, one after the other.

/// A straight piece of the voltage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// Voltage in V at its start.
    pub from_v: f64,
    /// Voltage in V at its end.
    pub to_v: f64,
    /// Duration in s.
    pub duration_s: f64,
    /// Points at which a result is wanted, evenly over it, its end included.
    pub points: usize,
}

/// One point at which a result is wanted. The voltage is straight from the point before to this one, except
/// that a point at the same time as the one before is a jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Time in s.
    pub time_s: f64,
    /// Voltage in V.
    pub voltage_v: f64,
    /// Number of the piece.
    pub piece: usize,
}

/// A triangular sweep 0 → `first_v` → 0 → `second_v` → 0, repeated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    /// First peak in V.
    pub first_v: f64,
    /// Second peak in V.
    pub second_v: f64,
    /// Speed in V/s.
    pub rate_v_s: f64,
    /// How often.
    pub cycles: usize,
    /// Points of each of the four flanks.
    pub points: usize,
}

impl Sweep {
    /// The sweep as pieces; a peak at 0 V has no flanks.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        let flank = |from_v: f64, to_v: f64| Piece {
            from_v,
            to_v,
            duration_s: (to_v - from_v).abs() / self.rate_v_s,
            points: self.points,
        };
        let cycle: Vec<Piece> = [self.first_v, self.second_v]
            .into_iter()
            .filter(|&peak| peak != 0.0)
            .flat_map(|peak| [flank(0.0, peak), flank(peak, 0.0)])
            .collect();
        cycle.repeat(self.cycles)
    }
}

/// All points of pieces, from time 0 on.
#[must_use]
pub fn samples(pieces: &[Piece]) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut start = 0.0;
    for (index, piece) in pieces.iter().enumerate() {
        if samples.last().is_none_or(|last| last.voltage_v != piece.from_v) {
            samples.push(Sample { time_s: start, voltage_v: piece.from_v, piece: index });
        }
        for point in 1..=piece.points {
            let part = point as f64 / piece.points as f64;
            samples.push(Sample {
                time_s: start + part * piece.duration_s,
                voltage_v: piece.from_v + part * (piece.to_v - piece.from_v),
                piece: index,
            });
        }
        start += piece.duration_s;
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flanks_join_and_steps_jump() {
        let sweep = Sweep { first_v: 1.0, second_v: -2.0, rate_v_s: 2.0, cycles: 2, points: 4 };
        let points = samples(&sweep.pieces());
        assert_eq!(points.len(), 1 + 8 * 4);
        assert_eq!(points[4], Sample { time_s: 0.5, voltage_v: 1.0, piece: 0 });
        assert_eq!(points.last().unwrap().time_s, 6.0);
        let step = |v| Piece { from_v: v, to_v: v, duration_s: 1.0, points: 1 };
        let points: Vec<_> =
            samples(&[step(1.0), step(2.0)]).iter().map(|point| (point.time_s, point.voltage_v)).collect();
        assert_eq!(points, [(0.0, 1.0), (1.0, 1.0), (1.0, 2.0), (2.0, 2.0)]);
    }
}
