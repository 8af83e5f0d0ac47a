//! Current-voltage loops of resistive cells: TaOx (Strachan) and HfO2 (JART).

use super::dose::rows;
use super::{BuildError, Built, Check, Class, Target, Wish};
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Figure, Mark, Panel, Series};
use mho_physics::resistive::implicit::Accuracy;
use mho_physics::resistive::jart;
use mho_physics::resistive::strachan::{Law, Memristor};
use mho_physics::resistive::waveform::{Sample, Sweep, samples};

pub(super) const LOOPS: Target = Target {
    id: "P13",
    title: "hysteresis loops of TaOx (Strachan 2013) and HfO2 (JART VCM v1b) cells",
    source: "published parameters; Marinella et al., talks of 2021-12-07 and 2022-02-17",
    class: Class::Anchor,
    build: loops,
};

fn loops(_: &Wish<'_>) -> Result<Built, BuildError> {
    let mut checks = Vec::new();
    // State after 100 ns at constant voltage: an independent integration with far smaller steps.
    for (start, volts, wanted) in [(0.1, 0.6, 0.714), (0.4, -0.5, 0.297)] {
        let mut cell = Memristor::new(Law::default(), start);
        cell.apply(volts, volts, 1e-7)?;
        let name = format!("TaOx: x after 100 ns at {volts:+} V from {start}");
        checks.push(Check::relative(name, wanted, cell.state, 0.01));
    }
    let panels = vec![tantalum()?, hafnium(&mut checks)?];
    let figure = Figure { row_in: 2.7, ..rows(panels, "computed from published parameters") };
    Ok(Built { figure, checks, dataset: "none: published parameters" })
}

/// Runs through a sweep: `step` moves the cell from one sample to the next.
fn along(
    sweep: &Sweep,
    mut step: impl FnMut(&Sample, &Sample) -> Result<(), BuildError>,
    mut read: impl FnMut(&Sample),
) -> Result<(), BuildError> {
    let samples = samples(&sweep.pieces());
    for (index, sample) in samples.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|before| &samples[before]) {
            step(before, sample)?;
        }
        read(sample);
    }
    Ok(())
}

fn tantalum() -> Result<Panel, BuildError> {
    let law = Law::default();
    let mut series = Vec::new();
    for (colour, (rate, label)) in [(1e5, "0.1 V/µs"), (1e7, "10 V/µs")].into_iter().enumerate() {
        let cell = std::cell::RefCell::new(Memristor::new(law, 0.1));
        let sweep = Sweep { first_v: 0.8, second_v: -0.8, rate_v_s: rate, cycles: 1, points: 80 };
        let (mut volts, mut amperes) = (Vec::new(), Vec::new());
        along(
            &sweep,
            |a, b| Ok(cell.borrow_mut().apply(a.voltage_v, b.voltage_v, b.time_s - a.time_s)?),
            |sample| {
                volts.push(sample.voltage_v);
                amperes.push(1e3 * law.current(sample.voltage_v, cell.borrow().state));
            },
        )?;
        series.push(Series::new(Some(label), colour + 1, Mark::Line(0), volts, amperes));
    }
    Ok(Panel {
        title: "TaOx, from x = 0.1".into(),
        x: Axis::new("Voltage (V)", Scale::Linear),
        y: Axis::new("Current (mA)", Scale::Linear),
        series,
    })
}

fn hafnium(checks: &mut Vec<Check>) -> Result<Panel, BuildError> {
    let law = jart::Law::default();
    let cell = std::cell::RefCell::new(jart::Cell::new(law, law.density_min));
    let sweep = Sweep { first_v: -1.5, second_v: 1.5, rate_v_s: 1e3, cycles: 1, points: 80 };
    let accuracy = Accuracy { relative: 1e-7, ..Accuracy::default() };
    let (mut volts, mut amperes) = (Vec::new(), Vec::new());
    along(
        &sweep,
        |a, b| {
            let width = b.time_s - a.time_s;
            let moved = cell.borrow_mut().apply(a.voltage_v, b.voltage_v, width, accuracy);
            moved.map_err(|error| error.to_string().into())
        },
        |sample| {
            // The logarithmic axis has no place for the zero between the sides.
            if sample.voltage_v.abs() > 0.01 {
                volts.push(sample.voltage_v);
                let point = law.operating_point(sample.voltage_v, cell.borrow().density);
                amperes.push(point.current_a.abs());
            }
        },
    )?;
    let residual = cell.borrow().charge_residual(law.density_min);
    checks.push(Check::new("HfO2: ionic charge less change of the disc, relative", 0.0, residual, 1e-4));
    // Each side of the loop by itself: nothing is drawn across zero.
    let side = |negative: bool| {
        let kept: Vec<usize> = (0..volts.len()).filter(|&k| (volts[k] < 0.0) == negative).collect();
        let pick = |values: &[f64]| kept.iter().map(|&k| values[k]).collect::<Vec<f64>>();
        Series::new(None, 1, Mark::Line(0), pick(&volts), pick(&amperes))
    };
    let series = vec![side(true), side(false)];
    Ok(Panel {
        title: "HfO2/TiOx, 1 V/ms, from the insulating state".into(),
        x: Axis::new("Voltage (V)", Scale::Linear),
        y: Axis::new("|Current| (A)", Scale::Log),
        series,
    })
}
