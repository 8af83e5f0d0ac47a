//! Cells of other kinds as Cosemans 2019 compares them: oxide transistors, magnetic junctions, phase change.

use super::dose::rows;
use super::{BuildError, Built, Check, Class, Target, Wish};
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Figure, Mark, Panel, Series};
use mho_physics::elements::igzo::Node;
use mho_physics::elements::pcm::{Cell, Statistics};
use mho_physics::elements::sot_mram::Junction;

pub(super) const CELLS: Target = Target {
    id: "P15",
    title: "retention of an IGZO gain cell, resistance of thick-barrier SOT junctions, drift of projected PCM",
    source: "Cosemans et al., IEDM 2019, figures 11 to 14",
    class: Class::Exact,
    build: cells,
};

fn cells(_: &Wish<'_>) -> Result<Built, BuildError> {
    let mut checks = Vec::new();
    let kelvin = 300.0;
    let node =
        |leak_a: f64| Node { capacitance_f: 1e-15, leak_a, leak_activation_ev: 0.6, reference_k: kelvin };
    checks.push(Check::relative(
        "retention, 1 fF, 50 mV, 1e-21 A (s)",
        5e4,
        node(1e-21).retention_s(0.05, kelvin),
        1e-9,
    ));
    checks.push(Check::relative(
        "retention, 1 fF, 50 mV, 3e-20 A (s)",
        1.7e3,
        node(3e-20).retention_s(0.05, kelvin),
        0.03,
    ));
    let leaks: Vec<f64> = (0..=40).map(|i| 10f64.powf(-22.0 + 0.1 * f64::from(i))).collect();
    let retention: Vec<f64> = leaks.iter().map(|leak| node(*leak).retention_s(0.05, kelvin)).collect();

    let junction = |thickness_nm: f64| Junction {
        resistance_area_ohm_m2: 10e-12,
        reference_m: 1e-9,
        barrier_m: 1e-9 * thickness_nm,
        decade_m: 0.325e-9,
        area_m2: std::f64::consts::PI * (25e-9f64).powi(2),
        magnetoresistance: 1.2,
        half_v: 0.5,
        spread: 0.05,
    };
    let thickness: Vec<f64> = (0..=60).map(|i| 1.0 + 0.02 * f64::from(i)).collect();
    let parallel: Vec<f64> = thickness.iter().map(|nm| junction(*nm).parallel_ohm()).collect();
    let anti: Vec<f64> = thickness.iter().map(|nm| junction(*nm).antiparallel_ohm(0.1)).collect();
    let decade = junction(1.725).parallel_ohm() / junction(1.4).parallel_ohm();
    checks.push(Check::relative("factor of resistance for 0.325 nm of MgO", 10.0, decade, 1e-9));
    // 1 to 10 MOhm, as the paper asks, is reached within the thickness drawn.
    let reached = parallel.iter().any(|ohm| *ohm > 1e6) && anti.iter().any(|ohm| *ohm > 1e7);
    checks.push(Check::new("1 to 10 MOhm within 2.2 nm (1: yes)", 1.0, f64::from(u8::from(reached)), 0.0));

    // An amorphous state of 0.1 uS beside a liner, in a cell of 20 uS when crystalline.
    let (amorphous, exponent) = (0.1, 0.1);
    let projected = |liner_us: f64| Cell { statistics: Statistics::Nandakumar2019, max_us: 20.0, liner_us };
    let liners: Vec<f64> = (0..=40).map(|i| 10f64.powf(-2.0 + 0.075 * f64::from(i))).collect();
    let effective = |liner: f64| exponent * projected(liner).drift_share(amorphous);
    let exponents: Vec<f64> = liners.iter().map(|liner| effective(*liner)).collect();
    let formula = exponent * amorphous / (amorphous + 0.9);
    checks.push(Check::relative("effective drift exponent, liner 9 G_a", formula, effective(0.9), 1e-12));
    // The logarithmic slope of liner and drifting phase together.
    let together = |times: f64| 0.9 + amorphous * f64::powf(times, -exponent);
    let slope = -(together(1.001) / together(1.0)).ln() / 1.001f64.ln();
    checks.push(Check::relative("logarithmic slope of the same cell", slope, effective(0.9), 2e-3));
    let windows: Vec<f64> = liners.iter().map(|liner| projected(*liner).window(amorphous)).collect();

    let line = |label: Option<&str>, colour: usize, x: &[f64], y: Vec<f64>| {
        Series::new(label, colour, Mark::Line(0), x.to_vec(), y)
    };
    let panels = vec![
        Panel {
            title: "gain cell, 1 fF, 50 mV".into(),
            x: Axis::new("Leak (A)", Scale::Log),
            y: Axis::new("Retention (s)", Scale::Log),
            series: vec![line(None, 1, &leaks, retention)],
        },
        Panel {
            title: "SOT junction of 50 nm, RA 10 Ω µm² at 1 nm".into(),
            x: Axis::new("MgO (nm)", Scale::Linear),
            y: Axis::new("Resistance (Ω)", Scale::Log),
            series: vec![
                line(Some("parallel"), 1, &thickness, parallel),
                line(Some("antiparallel, 0.1 V"), 2, &thickness, anti),
            ],
        },
        Panel {
            title: "projected PCM, G_{a} = 0.1 µS".into(),
            x: Axis::new("Liner (µS)", Scale::Log),
            y: Axis::new("Effective drift exponent", Scale::Linear).from_to(0.0, 0.11),
            series: vec![line(None, 1, &liners, exponents)],
        },
        Panel {
            title: "projected PCM, G_{c} = 20 µS".into(),
            x: Axis::new("Liner (µS)", Scale::Log),
            y: Axis::new("Largest over smallest conductance", Scale::Log),
            series: vec![line(None, 2, &liners, windows)],
        },
    ];
    let figure = Figure { row_in: 2.4, ..rows(panels, "computed; parameters from literature or assumed") };
    Ok(Built { figure, checks, dataset: "constants" })
}
