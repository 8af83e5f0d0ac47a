//! Thresholds of a charge-trap array under dose: of single states, and of all cells of a memory.

use super::{BuildError, Built, Check, Class, Target, Wish};
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Figure, Mark, ONE_COLUMN_IN, Panel, Series, TWO_COLUMNS_IN};
use mho_data::random::Stream;
use mho_physics::sonos::Stack;
use mho_physics::sonos::collection::Collection;
use mho_physics::sonos::counting::Counting;
use rayon::prelude::*;

/// Marinella et al., talks of 7 December 2021 and 17 February 2022.
const TALKS: &str = "Marinella et al., talks of 2021-12-07 and 2022-02-17";

pub(super) const THRESHOLDS: Target = Target {
    id: "P04",
    title: "threshold of programmed and erased states against dose to 500 krad(Si)",
    source: TALKS,
    class: Class::Anchor,
    build: thresholds,
};

pub(super) const DISTRIBUTIONS: Target = Target {
    id: "P05",
    title: "threshold distributions of a 16 Mbit array before and after dose",
    source: TALKS,
    class: Class::Shape,
    build: distributions,
};

/// Doses in krad(Si) of the independent solution below.
const DOSES: [f64; 6] = [30.0, 100.0, 300.0, 500.0, 1000.0, 3000.0];

/// Threshold shifts in V after these doses from six states: an independent numerical solution of the same
/// equation with the surface potential solved at each dose, found twice, given to a millivolt.
const ANCHORS: [(f64, [f64; 6]); 6] = [
    (2.0, [1.967, 1.889, 1.672, 1.463, 1.007, 0.079]),
    (1.0, [0.979, 0.933, 0.812, 0.703, 0.462, -0.193]),
    (0.1, [0.090, 0.067, 0.004, -0.054, -0.177, -0.401]),
    (-0.1, [-0.108, -0.125, -0.171, -0.213, -0.296, -0.417]),
    (-1.0, [-0.973, -0.912, -0.753, -0.625, -0.497, -0.433]),
    (-2.0, [-1.967, -1.890, -1.675, -1.466, -0.981, -0.444]),
];

fn thresholds(_: &Wish<'_>) -> Result<Built, BuildError> {
    let collection = Collection::default();
    let curve: Vec<f64> = (0..=60).map(|i| 10f64.powf(3.5 + 0.05 * f64::from(i))).collect();
    let (mut series, mut checks) = (Vec::new(), Vec::new());
    for (colour, (start, wanted)) in ANCHORS.iter().enumerate() {
        let found = collection.threshold_shift(*start, &DOSES.map(|krad| 1e3 * krad))?;
        for ((dose, source), ours) in DOSES.iter().zip(wanted).zip(&found) {
            checks.push(Check::new(
                format!("shift from {start} V at {dose} krad(Si) (V)"),
                *source,
                *ours,
                2e-3,
            ));
        }
        let doses: Vec<f64> = std::iter::once(0.0).chain(curve.iter().copied()).collect();
        let line = collection.threshold_shift(*start, &doses)?;
        let krad = doses.iter().map(|rad| 1e-3 * rad).collect();
        series.push(Series::new(None, colour, Mark::Line(0), krad, line));
        let label = format!("{start:+} V");
        series.push(Series::new(Some(&label), colour, Mark::Points(colour), DOSES.to_vec(), wanted.to_vec()));
    }
    let panel = Panel {
        title: "lines: collection of charge; marks: independent solution".into(),
        x: Axis::new("Dose (krad(Si))", Scale::LogWithZero(3.0)),
        y: Axis::new("Threshold shift from neutral (V)", Scale::Linear).from_to(-2.4, 2.4),
        series,
    };
    Ok(Built {
        figure: one(panel, "computed; stack assumed"),
        checks,
        dataset: "none: computed from an assumed stack",
    })
}

/// Cells of each state: 16 Mbit in all, half of them programmed.
const CELLS: u64 = 1 << 23;
/// Standard deviation in V of either state before dose (assumed, for a read window of 4 V).
const START_SIGMA: f64 = 0.15;
/// Width of a column of the histograms in V.
const COLUMN: f64 = 0.04;
const COLUMNS: usize = 160;

fn distributions(wish: &Wish<'_>) -> Result<Built, BuildError> {
    let stack = Stack { gate_area_m2: 0.01e-12, ..Stack::default() };
    let collection = Collection { stack, ..Collection::default() };
    let mut series = Vec::new();
    let mut checks = Vec::new();
    let middle = |k: usize| (k as f64 + 0.5 - 0.5 * COLUMNS as f64) * COLUMN;
    let mut edges = Vec::new();
    for (index, dose_krad) in [0.0, 100.0, 500.0].into_iter().enumerate() {
        let dose = 1e3 * dose_krad;
        let mut counts = vec![0u64; COLUMNS];
        for (state, start) in [2.0, -2.0].into_iter().enumerate() {
            let shifted = collection.threshold_shift(start, &[dose])?[0];
            // How a shift from the mean state decays on the way.
            let slope = (collection.threshold_shift(start + 0.05, &[dose])?[0]
                - collection.threshold_shift(start - 0.05, &[dose])?[0])
                / 0.1;
            let counting = Counting::at(&collection, start);
            let stream = Stream::new(wish.seed, &["figures", "P05"], &[index as u64, state as u64]);
            let sample = sample(&counting, dose, &stream, shifted, slope);
            counts.iter_mut().zip(&sample.counts).for_each(|(sum, own)| *sum += own);
            edges.push((dose_krad, start, sample.least, sample.most));
            if dose > 0.0 {
                let name = format!("spread by counting at {dose_krad} krad(Si) from {start:+} V (mV)");
                let closed = 1e3 * counting.sigma_vt(dose);
                checks.push(Check::relative(name, closed, 1e3 * sample.sigma, 0.02));
            }
        }
        // Erased and programmed apart: no line over the empty columns between them.
        for (side, label) in
            [(0..COLUMNS / 2, Some(format!("{dose_krad} krad(Si)"))), (COLUMNS / 2..COLUMNS, None)]
        {
            let shown: Vec<usize> = side.filter(|&k| counts[k] > 0).collect();
            series.push(Series::new(
                label.as_deref(),
                index,
                Mark::Line(0),
                shown.iter().map(|&k| middle(k)).collect(),
                shown.iter().map(|&k| counts[k] as f64).collect(),
            ));
        }
        (wish.progress)((index + 1) as f64 / 3.0);
    }
    for (area, wanted) in [(0.01, 16.7), (0.05, 7.5)] {
        // With the density of charges that the design's estimate takes, 3.5e6 per cm² and rad.
        let stack = Stack { gate_area_m2: 1e-12 * area, ..Stack::default() };
        let sigma = 1e3 * Counting::of_density(&stack, 3.5e10).sigma_vt(100e3);
        checks.push(Check::new(
            format!("spread at 100 krad(Si), gate of {area} um2 (mV)"),
            wanted,
            sigma,
            0.05,
        ));
    }
    let gap = |dose: f64| {
        let of = |start: f64| edges.iter().find(|edge| edge.0 == dose && edge.1 == start);
        of(2.0).zip(of(-2.0)).map_or(f64::NAN, |(high, low)| high.2 - low.3)
    };
    // All 16 Mbit: the lowest programmed cell above the highest erased one.
    checks.push(Check::new(
        "bits apart at 500 krad(Si) (1: yes)",
        1.0,
        f64::from(u8::from(gap(500.0) > 0.0)),
        0.0,
    ));
    let panel = Panel {
        title: "16 Mbit, gate of 0.01 µm², unbiased".into(),
        x: Axis::new("Threshold shift from neutral (V)", Scale::Linear).from_to(-3.2, 3.2),
        y: Axis::new("Cells per 40 mV", Scale::Log).from_to(0.7, 3e6),
        series,
    };
    let note = "synthetic cells; start spread assumed";
    Ok(Built { figure: one(panel, note), checks, dataset: "synthetic: 2^23 cells per state and dose" })
}

/// Thresholds of the cells of one state after dose.
struct Sample {
    counts: Vec<u64>,
    /// Spread by counting alone in V.
    sigma: f64,
    least: f64,
    most: f64,
}

/// Draws all cells of a state: the spread at the start, shrunk by `slope`, and the counting of charges.
fn sample(counting: &Counting, dose: f64, stream: &Stream, mean: f64, slope: f64) -> Sample {
    // Fixed parts, summed in their order: the result does not depend on the number of threads.
    const PARTS: u64 = 256;
    let parts: Vec<(Vec<u64>, f64, f64, f64)> = (0..PARTS)
        .into_par_iter()
        .map(|part| {
            let (mut counts, mut squares) = (vec![0u64; COLUMNS], 0.0);
            let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
            for cell in part * (CELLS / PARTS)..(part + 1) * (CELLS / PARTS) {
                let counted = if dose > 0.0 { counting.deviation_v(dose, stream, cell) } else { 0.0 };
                // Counting takes its numbers from the front of the stream, the start spread from behind.
                let start = START_SIGMA * stream.normal(u64::MAX / 4 + cell);
                let threshold = mean + slope * start + counted;
                squares += counted * counted;
                least = least.min(threshold);
                most = most.max(threshold);
                let place = threshold / COLUMN + 0.5 * COLUMNS as f64;
                counts[(place.max(0.0) as usize).min(COLUMNS - 1)] += 1;
            }
            (counts, squares, least, most)
        })
        .collect();
    let mut whole =
        Sample { counts: vec![0; COLUMNS], sigma: 0.0, least: f64::INFINITY, most: f64::NEG_INFINITY };
    let mut squares = 0.0;
    for (counts, sum, least, most) in parts {
        whole.counts.iter_mut().zip(counts).for_each(|(total, own)| *total += own);
        squares += sum;
        whole.least = whole.least.min(least);
        whole.most = whole.most.max(most);
    }
    whole.sigma = (squares / CELLS as f64).sqrt();
    whole
}

/// A figure of one panel.
pub(super) fn one(panel: Panel, note: &str) -> Figure {
    Figure { width_in: ONE_COLUMN_IN, row_in: 2.7, columns: 1, panels: vec![panel], note: note.to_owned() }
}

/// A figure of two panels in a row.
pub(super) fn rows(panels: Vec<Panel>, note: &str) -> Figure {
    Figure { width_in: TWO_COLUMNS_IN, row_in: 2.7, columns: 2, panels, note: note.to_owned() }
}
