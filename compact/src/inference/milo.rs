//! HfO2 ReRAM of Milo et al.: programming error after incremental write-verify, and a current that is not
//! proportional to the read voltage.

use super::constants::constants;
use super::{Cell, Evolution, Programmed};
use crate::export::{Device, DeviceParameter, Port};
use crate::real::Real;

const SOURCE: &str = "Milo et al., IRPS 2021, Figs. 1 and 4 (IGVVA-100), as fitted in CrossSim";

constants! {
    /// ReRAM of Milo et al.; see [`INFO`].
    Milo {
        g_max_us: "uS", 225.0, 1e-3, 1e5, Log, Measured, SOURCE, "largest conductance";
        sigma_offset_us: "uS", 4.782_321, 0.0, 100.0, Linear, Fitted, SOURCE, "programming error at g = 0";
        sigma_slope: "1", -0.009_107, -1.0, 1.0, Linear, Fitted, SOURCE, "programming error per conductance";
        square_c0: "A/V^2", 7.063e-3, -1.0, 1.0, Linear, Fitted, SOURCE, "current with V^2, at x = 0";
        square_c1: "A/V^2", 5.711e-3, -1.0, 1.0, Linear, Fitted, SOURCE, "... its part linear in x";
        square_c2: "A/V^2", 1.541e-3, -1.0, 1.0, Linear, Fitted, SOURCE, "... quadratic";
        square_c3: "A/V^2", 1.388e-4, -1.0, 1.0, Linear, Fitted, SOURCE, "... cubic";
        cube_c0: "A/V^3", 1.2968e-3, -1.0, 1.0, Linear, Fitted, SOURCE, "current with V^3, at x = 0";
        cube_c1: "A/V^3", 6.7919e-4, -1.0, 1.0, Linear, Fitted, SOURCE, "... its part linear in x";
        cube_c2: "A/V^3", 8.871e-5, -1.0, 1.0, Linear, Fitted, SOURCE, "... quadratic";
        curve_min_us: "uS", 62.5, 1e-3, 1e4, Log, Measured, SOURCE, "smallest conductance whose I(V) was measured";
    }
    name: "milo",
    title: "HfO2 ReRAM: programming error and non-linear current",
    law: "g = max(g_T + s(g_T) z, 0), s linear in g; I = g V + n_2 V^2 + n_3 V^3 with n_2 cubic and n_3 quadratic in \
          x = log10(g/S); below the smallest measured state n_2/g and n_3/g are held (assumed: the polynomials \
          give currents of the wrong sign there)",
    validity: "50 to 225 uS, |V| up to 0.5 V, right after programming: nothing is published about drift and read \
               noise, so that later times are as the first; no dose",
    references: &[SOURCE],
}

impl Cell for Milo {
    fn window_us(&self) -> [f64; 2] {
        [0.0, self.g_max_us]
    }

    fn valid_from_us(&self) -> f64 {
        50.0
    }

    fn time_max_s(&self) -> f64 {
        0.0
    }

    fn read_max_v(&self) -> f64 {
        0.5
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        Programmed::normal(self.sigma_offset_us + self.sigma_slope * target_us)
    }

    fn evolution(&self, _target_us: f64, _exponent: f64, _time_s: f64) -> Evolution {
        Evolution::NONE
    }

    fn current_na(&self, conductance_us: f64, read_v: f64) -> f64 {
        let constants = [
            self.square_c0,
            self.square_c1,
            self.square_c2,
            self.square_c3,
            self.cube_c0,
            self.cube_c1,
            self.cube_c2,
            self.curve_min_us,
        ];
        1e9 * current_a(&constants, conductance_us, read_v)
    }
}

/// Names of the constants of [`current_a`], in order.
pub(crate) const CURVE: [&str; 8] =
    ["square_c0", "square_c1", "square_c2", "square_c3", "cube_c0", "cube_c1", "cube_c2", "curve_min_us"];

/// Current of a cell, A, at a voltage; the constants are those of [`CURVE`].
pub(crate) fn current_a<R: Real>(constants: &[R; 8], conductance_us: R, read_v: R) -> R {
    let [s0, s1, s2, s3, c0, c1, c2, curve_min_us] = *constants;
    let measured_us = conductance_us.max(curve_min_us);
    let x = (measured_us * 1e-6).ln() / std::f64::consts::LN_10;
    let square = s0 + x * (s1 + x * (s2 + x * s3));
    let cube = c0 + x * (c1 + x * c2);
    let part = conductance_us / measured_us;
    conductance_us * 1e-6 * read_v + part * read_v * read_v * (square + cube * read_v)
}

/// A cell whose current is not proportional to the voltage. Its state is a parameter of its own.
pub(super) fn circuit(device: &mut Device, _: &[f64]) {
    /// In the middle of the measured states, uS.
    const STATE_US: f64 = 100.0;
    device.ports = vec![
        Port { name: "p", meaning: "electrode of the positive read voltage" },
        Port { name: "n", meaning: "the other electrode" },
    ];
    device.parameters.retain(|parameter| CURVE.contains(&parameter.name.as_str()));
    device.parameters.push(DeviceParameter {
        name: "conductance_us".into(),
        value: STATE_US,
        unit: "uS".into(),
        known: "state of the cell, set where it is used".into(),
    });
    let graph = device.graph();
    let constants = CURVE.map(|name| graph.parameter(name));
    let current = current_a(&constants, graph.parameter("conductance_us"), graph.voltage("p", "n"));
    let formula = graph.index(current);
    device.flows("p", "n", formula);
}
