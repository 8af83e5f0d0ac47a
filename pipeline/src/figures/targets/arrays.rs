//! Energy, density and speed of arrays as Cosemans 2019 prints them.

use super::dose::rows;
use super::{BuildError, Built, Check, Class, Target, Wish};
use crate::energy::{
    ArrayEnergy, discharge_by_current_s, discharge_by_resistance_s, throughput_tops, weights_per_mm2,
};
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Figure, Mark, ONE_COLUMN_IN, Panel, Series};

pub(super) const ENERGY: Target = Target {
    id: "E01",
    title: "energy of a matrix-vector product against the size of the array",
    source: "Cosemans et al., IEDM 2019, figure 7",
    class: Class::Exact,
    build: energy,
};

pub(super) const DENSITY: Target = Target {
    id: "E03",
    title: "weights a chip area against cell area; throughput of one array",
    source: "Cosemans et al., IEDM 2019, figures 8 and 9, section IV",
    class: Class::Exact,
    build: density,
};

pub(super) const DISCHARGE: Target = Target {
    id: "E05",
    title: "discharge time of a summation line against cell current and resistance",
    source: "Cosemans et al., IEDM 2019, figure 6",
    class: Class::Exact,
    build: discharge,
};

const NOTE: &str = "computed from closed forms";

/// Values a tenth of a decade apart.
fn decades(from: i32, to: i32) -> Vec<f64> {
    (10 * from..=10 * to).map(|i| 10f64.powf(0.1 * f64::from(i))).collect()
}

/// A number that a source prints: it may be off by half of its last digit.
fn printed(quantity: String, source: f64, ours: f64, last_digit: f64) -> Check {
    Check::new(quantity, source, ours, 0.5 * last_digit)
}

fn energy(_: &Wish<'_>) -> Result<Built, BuildError> {
    const PARTS: [&str; 5] =
        ["input conversions", "output conversions", "activation lines", "summation lines", "control"];
    let law = ArrayEnergy::default();
    let mut checks = Vec::new();
    // Parts and sum in pJ with their last digits, then fJ a MAC and TOPS/W.
    let table = [
        (4096.0, [61.0, 410.0, 859.0, 537.0, 2.0], [1.0; 5], 1869.0, 0.11, 17954.0),
        (1024.0, [15.0, 102.0, 54.0, 34.0, 2.0], [1.0; 5], 207.0, 0.20, 10131.0),
        (128.0, [1.9, 13.0, 0.8, 0.5, 2.0], [0.1, 1.0, 0.1, 0.1, 1.0], 18.0, 1.10, 1812.0),
    ];
    for (size, parts, digits, total, per_mac, tops) in table {
        let ours = law.parts_j(size, size);
        for (((name, source), ours), digit) in PARTS.iter().zip(parts).zip(ours).zip(digits) {
            checks.push(printed(format!("{size}²: {name} (pJ)"), source, 1e12 * ours, digit));
        }
        checks.push(printed(format!("{size}²: total (pJ)"), total, 1e12 * ours.iter().sum::<f64>(), 1.0));
        checks.push(printed(
            format!("{size}²: energy (fJ/MAC)"),
            per_mac,
            1e15 * law.per_mac_j(size, size),
            0.01,
        ));
        checks.push(printed(format!("{size}²: efficiency (TOPS/W)"), tops, law.tops_per_w(size, size), 1.0));
    }
    let sizes: Vec<f64> = (0..=52).map(|i| 2f64.powf(6.0 + 0.125 * f64::from(i))).collect();
    let per_mac = |part: usize| -> Vec<f64> {
        sizes.iter().map(|size| 1e15 * law.parts_j(*size, *size)[part] / (size * size)).collect()
    };
    let mut series: Vec<Series> = PARTS
        .iter()
        .enumerate()
        .map(|(i, name)| Series::new(Some(name), i + 1, Mark::Line(0), sizes.clone(), per_mac(i)))
        .collect();
    let sums = sizes.iter().map(|size| 1e15 * law.per_mac_j(*size, *size)).collect();
    series.push(Series::new(Some("sum"), 0, Mark::Line(0), sizes.clone(), sums));
    let stated = |of: fn(&(f64, f64, f64)) -> f64| -> Vec<f64> {
        table.iter().map(|row| of(&(row.0, row.4, row.5))).collect()
    };
    series.push(Series::new(Some("printed"), 0, Mark::Points(0), stated(|r| r.0), stated(|r| r.1)));
    let efficiency = sizes.iter().map(|size| law.tops_per_w(*size, *size)).collect();
    let size_axis = || Axis::new("Rows and columns", Scale::Log).from_to(64.0, 6000.0);
    let panels = vec![
        Panel {
            title: "energy by its parts".into(),
            x: size_axis(),
            y: Axis::new("Energy (fJ/MAC)", Scale::Log).from_to(1e-4, 10.0),
            series,
        },
        Panel {
            title: "efficiency, 2 operations a MAC".into(),
            x: size_axis(),
            y: Axis::new("Efficiency (TOPS/W)", Scale::Log).from_to(300.0, 3e4),
            series: vec![
                Series::new(None, 0, Mark::Line(0), sizes.clone(), efficiency),
                Series::new(Some("printed"), 0, Mark::Points(0), stated(|r| r.0), stated(|r| r.2)),
            ],
        },
    ];
    Ok(Built { figure: rows(panels, NOTE), checks, dataset: "constants" })
}

fn density(_: &Wish<'_>) -> Result<Built, BuildError> {
    let array_mm2 = 1e6 * 0.1e-6;
    let throughput = throughput_tops(1e6, 100e6);
    // The curve of figure 8 carries no numbers: the weights are its closed form rounded to two decimals.
    let checks = vec![
        printed("weights, cell of 0.1 µm² (M/mm²)".into(), 6.67, 1e-6 * weights_per_mm2(0.1), 0.01),
        printed("area of 25.6 M weights (mm²)".into(), 3.84, 25.6e6 / weights_per_mm2(0.1), 0.01),
        Check::relative("limit of small cells (M/mm²)", 20.0, 1e-6 * weights_per_mm2(0.0), 1e-9),
        Check::relative("throughput, 1000 × 1000, 100 MHz (TOPS)", 200.0, throughput, 1e-9),
        Check::relative("its density (TOPS/mm²)", 2000.0, throughput / array_mm2, 1e-9),
    ];
    let areas = decades(-2, 0);
    let weights = areas.iter().map(|area| 1e-6 * weights_per_mm2(*area)).collect();
    let panels = vec![Panel {
        title: "50 µm² of periphery for 1000 cells".into(),
        x: Axis::new("Cell area (µm²)", Scale::Log),
        y: Axis::new("Weights (10⁶/mm²)", Scale::Linear).from_to(0.0, 20.0),
        series: vec![Series::new(None, 1, Mark::Line(0), areas, weights)],
    }];
    let figure = Figure { width_in: ONE_COLUMN_IN, columns: 1, ..rows(panels, NOTE) };
    Ok(Built { figure, checks, dataset: "constants" })
}

fn discharge(_: &Wish<'_>) -> Result<Built, BuildError> {
    // 0.1 fF a cell and a quarter of the cells active (the paper); the swing of 0.5 V is derived from its
    // 1 ns at 0.2 µA, so that this check only guards the arithmetic.
    let by_current = |ampere: f64| discharge_by_current_s(0.1e-15, 0.5, 0.25, ampere);
    let by_resistance = |ohm: f64| discharge_by_resistance_s(0.1e-15, 0.25, ohm);
    let checks = vec![
        Check::relative("constant current, 0.2 µA (ns)", 1.0, 1e9 * by_current(0.2e-6), 1e-9),
        // The text says "approximately 1 ns".
        Check::relative("resistance, 5 MΩ (ns), \"approximately\"", 1.0, 1e9 * by_resistance(5e6), 0.4),
    ];
    let currents = decades(-2, 1);
    let ohms = decades(-1, 2);
    let times = currents.iter().map(|current| 1e9 * by_current(1e-6 * current)).collect();
    let halves = ohms.iter().map(|ohm| 1e9 * by_resistance(1e6 * ohm)).collect();
    let time = || Axis::new("Discharge time (ns)", Scale::Log);
    let panels = vec![
        Panel {
            title: "constant current, 0.5 V".into(),
            x: Axis::new("Cell current (µA)", Scale::Log),
            y: time(),
            series: vec![
                Series::new(None, 1, Mark::Line(0), currents, times),
                Series::new(Some("printed"), 0, Mark::Points(0), vec![0.2], vec![1.0]),
            ],
        },
        Panel {
            title: "resistance, to one half".into(),
            x: Axis::new("Cell resistance (MΩ)", Scale::Log),
            y: time(),
            series: vec![
                Series::new(None, 2, Mark::Line(0), ohms, halves),
                Series::new(Some("printed, approximate"), 0, Mark::Points(0), vec![5.0], vec![1.0]),
            ],
        },
    ];
    Ok(Built { figure: rows(panels, NOTE), checks, dataset: "constants" })
}
