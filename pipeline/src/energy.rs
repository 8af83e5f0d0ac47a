//! Energy, speed and density of an analog array by counting capacitances, after Cosemans et al.,
//! "Towards 10000TOPS/W DNN inference with analog in-memory computing", IEDM 2019.
//!
//! A multiply-accumulate (MAC) counts as two operations.

/// Operations of a multiply-accumulate (the convention of the paper).
pub const OPERATIONS_PER_MAC: f64 = 2.0;

/// What a matrix-vector product costs, in J; voltages in V, capacitances in F a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArrayEnergy {
    /// A conversion of an input. 15 fJ (the paper, figure 7).
    pub input_conversion_j: f64,
    /// A conversion of an output. 100 fJ (the paper, figure 7).
    pub output_conversion_j: f64,
    /// Capacitance of an activation line, a cell. 0.1 fF (the paper).
    pub activation_f: f64,
    /// Capacitance of a summation line, a cell. 0.1 fF (the paper).
    pub summation_f: f64,
    /// Supply. 0.8 V (the paper).
    pub supply_v: f64,
    /// Share of activation lines that toggle. 0.8 (derived: the printed digits allow 0.7995 to 0.8005).
    pub activity: f64,
    /// Swing of a summation line. 0.4 V (derived: the printed digits allow 0.4997 to 0.5006 of the supply).
    pub swing_v: f64,
    /// Control. 2 pJ (the paper).
    pub control_j: f64,
}

impl Default for ArrayEnergy {
    fn default() -> Self {
        Self {
            input_conversion_j: 15e-15,
            output_conversion_j: 100e-15,
            activation_f: 0.1e-15,
            summation_f: 0.1e-15,
            supply_v: 0.8,
            activity: 0.8,
            swing_v: 0.4,
            control_j: 2e-12,
        }
    }
}

impl ArrayEnergy {
    /// Energies in J of a product with `rows` × `columns` cells: input conversions, output conversions,
    /// activation lines, summation lines, control.
    #[must_use]
    pub fn parts_j(&self, rows: f64, columns: f64) -> [f64; 5] {
        let cells = rows * columns;
        [
            rows * self.input_conversion_j,
            columns * self.output_conversion_j,
            cells * self.activation_f * self.supply_v.powi(2) * self.activity,
            cells * self.summation_f * self.supply_v * self.swing_v,
            self.control_j,
        ]
    }

    /// Energy in J a multiply-accumulate.
    #[must_use]
    pub fn per_mac_j(&self, rows: f64, columns: f64) -> f64 {
        self.parts_j(rows, columns).iter().sum::<f64>() / (rows * columns)
    }

    /// Operations per J, in 10¹²: TOPS/W.
    #[must_use]
    pub fn tops_per_w(&self, rows: f64, columns: f64) -> f64 {
        1e-12 * OPERATIONS_PER_MAC / self.per_mac_j(rows, columns)
    }
}

/// Weights a mm² of chip: cells of `cell_um2`, and 50 µm² of periphery for every 1000 (the paper, figure 8).
#[must_use]
pub fn weights_per_mm2(cell_um2: f64) -> f64 {
    1e6 / (cell_um2 + 50.0 / 1000.0)
}

/// Throughput in TOPS of an array of `cells` used at `rate_hz` (the paper, section IV).
#[must_use]
pub fn throughput_tops(cells: f64, rate_hz: f64) -> f64 {
    1e-12 * OPERATIONS_PER_MAC * cells * rate_hz
}

/// Time in s in which cells of constant current discharge their line by `swing_v`; `active` of them conduct.
#[must_use]
pub fn discharge_by_current_s(capacitance_f: f64, swing_v: f64, active: f64, current_a: f64) -> f64 {
    capacitance_f * swing_v / (active * current_a)
}

/// Time in s in which resistive cells discharge their line to one half; `active` of them conduct.
#[must_use]
pub fn discharge_by_resistance_s(capacitance_f: f64, active: f64, resistance_ohm: f64) -> f64 {
    std::f64::consts::LN_2 * resistance_ohm * capacitance_f / active
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figure 7 of the paper: parts and sum in pJ, fJ a MAC, TOPS/W. Tolerances: half of the last digit.
    #[test]
    fn printed_energies() {
        let energy = ArrayEnergy::default();
        let table = [
            (4096.0, [61.0, 410.0, 859.0, 537.0, 2.0], 0.5, 0.11, 17954.0),
            (1024.0, [15.0, 102.0, 54.0, 34.0, 2.0], 0.5, 0.20, 10131.0),
            (128.0, [1.9, 13.0, 0.8, 0.5, 2.0], 0.5, 1.10, 1812.0),
        ];
        for (size, parts, half, per_mac, tops) in table {
            for (found, printed) in energy.parts_j(size, size).iter().zip(parts) {
                let half = if printed < 2.0 { 0.05 } else { half };
                assert!((1e12 * found - printed).abs() <= half, "{size}: {found} {printed}");
            }
            assert!((1e15 * energy.per_mac_j(size, size) - per_mac).abs() <= 0.005);
            assert!((energy.tops_per_w(size, size) - tops).abs() <= 0.5);
        }
    }

    /// Figures 6 and 8 and section IV: closed forms, exact up to the printed digits.
    #[test]
    fn printed_speed_and_density() {
        assert!((throughput_tops(1e6, 100e6) - 200.0).abs() < 1e-9);
        assert!((1e-6 * weights_per_mm2(0.1) - 6.67).abs() < 0.005);
        assert!((25.6e6 / weights_per_mm2(0.1) - 3.84).abs() < 1e-9);
        assert!((1e-6 * weights_per_mm2(0.0) - 20.0).abs() < 1e-9);
        // 0.1 fF, half a volt, a quarter active.
        assert!((discharge_by_current_s(0.1e-15, 0.5, 0.25, 0.2e-6) - 1e-9).abs() < 1e-15);
        assert!((1e9 * discharge_by_resistance_s(0.1e-15, 0.25, 5e6) - 1.39).abs() < 0.005);
    }
}
