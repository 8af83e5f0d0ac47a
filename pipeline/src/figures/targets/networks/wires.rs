//! Resistance of wires: what it costs, and how much less where small weights carry small currents.

use super::super::dose::rows;
use super::super::{Built, Class, Target};
use super::*;
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Mark, Panel, Series};
use crate::figures::targets::Check;
use mho_network::array::MappingStyle;

pub(in super::super) const WIRES: Target = Target {
    id: "N19",
    title: "accuracy against wire resistance for two sizes of array and two mappings",
    source: "ours: no numbers in a source; the mapping in proportion to weights loses less (design notes, N19)",
    class: Class::Shape,
    build: wires,
};

/// Resistance between neighbouring cells (ohm).
const OHMS: [f64; 5] = [0.0, 0.3, 1.0, 3.0, 10.0];

/// Rows and columns of an array.
const SIZES: [usize; 2] = [64, 256];

/// Currents: 25 uS at 0.1 V, the largest conductance of a phase-change cell (design notes D.1).
const CURRENT_MAX_NA: f64 = 2500.0;

fn wires(wish: &Wish<'_>) -> Result<Built, BuildError> {
    let task = task(0, wish)?;
    let condition = Condition { time_s: 0.0, dose_krad_si: 0.0, effects: "quantisation+wires".parse()? };
    let styles = [(MappingStyle::Differential, "pairs"), (MappingStyle::OffsetDigital, "offset")];
    let (mut panels, mut checks) = (Vec::new(), Vec::new());
    let steps = (SIZES.len() * styles.len() * OHMS.len()) as f64;
    let mut done = 0.0;
    let digital = task.accuracy(None, &ArrayConfig::default(), &[digital()], 1, 0)?[0].mean;
    for size in SIZES {
        let mut lost = Vec::new();
        let mut series =
            vec![Series::new(Some("digital"), 0, Mark::Line(1), vec![0.0, 10.0], vec![digital; 2])];
        for (index, (style, words)) in styles.into_iter().enumerate() {
            let mut means = Vec::new();
            for ohms in OHMS {
                let mut array = ArrayConfig::default();
                array.cell.current_max_na = Some(CURRENT_MAX_NA);
                (array.array.rows, array.array.columns) = (size, size);
                (array.array.row_resistance_ohm, array.array.column_resistance_ohm) = (ohms, ohms);
                array.mapping.style = style;
                let found = task.accuracy(None, &array, &[condition], 1, wish.seed)?;
                means.push(found[0].mean);
                done += 1.0;
                (wish.progress)(done / steps);
            }
            lost.push(means.iter().map(|mean| digital - mean).sum::<f64>());
            series.push(Series::new(Some(words), index + 1, Mark::Line(0), OHMS.to_vec(), means.clone()));
            series.push(Series::new(None, index + 1, Mark::Points(index), OHMS.to_vec(), means));
        }
        if let [pairs, offset] = lost[..] {
            let name = format!("{size} x {size}: pairs lose less than offset, summed over wires (1: yes)");
            checks.push(Check::new(name, 1.0, f64::from(u8::from(pairs <= offset)), 0.0));
        }
        panels.push(Panel {
            title: format!("{}, arrays of {size} x {size}", task.name),
            x: Axis::new("Wire resistance per cell (ohm)", Scale::LogWithZero(OHMS[1])),
            y: Axis::new("Accuracy (%)", Scale::Linear).from_to(0.0, 100.0),
            series,
        });
    }
    let tasks = [task];
    let note = "ideal cells of 25 µS, converters of 8 bits calibrated without wires";
    Ok(Built { figure: rows(panels, note), checks, dataset: dataset(&tasks) })
}
