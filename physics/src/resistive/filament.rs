//! A filament of oxygen vacancies along its axis: drift, diffusion, current and heat, solved together.
//!
//! - vacancies: dn/dt = -dF/dz with F = -D dn/dz + v n, D = a² f exp(-E_a/kT)/2 and the drift of ions that
//!   hop over barriers, v = a f exp(-E_a/kT) sinh(z q a E/(2kT)) (Mott and Gurney); exponentially fitted
//!   between nodes (Scharfetter and Gummel), with sites that hold one vacancy each; no vacancy passes an end;
//! - current: d/dz(sigma dpsi/dz) = 0, sigma = sigma_0(n) exp(-E_ac(n)/kT), with a resistor in series;
//! - heat: c dT/dt = d/dz(k dT/dz) + sigma E² - g (T - T_0) with ends at T_0, or T = T_0 + R_th I V.
//!
//! Thermodiffusion (a flux along the gradient of T beyond that of D) and generation of vacancies are left
//! out. The form of sigma and the lumped heat follow Larentis et al. (IEEE Trans. Electron Devices 59(9)
//! 2468, 2012) and Kim et al. (Sci. Rep. 3, 1680, 2013).

mod law;
mod transient;

pub use law::{Law, Thermal};
pub use transient::{Device, Totals};

use super::implicit::{Cell, Chain};
use crate::constants::{BOLTZMANN as K, ELEMENTARY_CHARGE as Q};

/// Unit of the density in the integration, in 1/m³.
pub(crate) const UNIT: f64 = 1e27;

/// Density in [`UNIT`], temperature in K, potential in V.
type Node = Cell<3>;

/// x/(e^x - 1).
fn bernoulli(x: f64) -> f64 {
    if x.abs() < 1e-5 {
        1.0 - 0.5 * x + x * x / 12.0
    } else if x > 700.0 {
        0.0
    } else {
        x / x.exp_m1()
    }
}

/// A filament under a voltage that goes straight from one value to another.
#[derive(Debug, Clone, Copy)]
struct Driven<'a> {
    law: &'a Law,
    from_v: f64,
    to_v: f64,
    duration_s: f64,
}

/// What flows from one node to the next.
#[derive(Debug, Clone, Copy, Default)]
struct Flow {
    /// Vacancies in [`UNIT`] m/s.
    vacancies: f64,
    /// Conductance between the nodes in S.
    conductance: f64,
    /// Current in A.
    current: f64,
    /// Heat in W.
    heat: f64,
    /// Heat made between the nodes in W.
    joule: f64,
}

impl Law {
    /// The flow between two nodes.
    fn flow(&self, left: &Node, right: &Node) -> Flow {
        let spacing = self.spacing();
        let temperature = 0.5 * (left[1] + right[1]);
        let thermal = K * temperature;
        let drop = left[2] - right[2];
        let hops = self.hop_m * self.attempt_hz * (-Q * self.hop_barrier_ev / thermal).exp();
        let diffusion = 0.5 * self.hop_m * hops;
        let drift = (self.valence * Q * self.hop_m * drop / spacing / (2.0 * thermal)).sinh();
        let peclet = 2.0 * spacing / self.hop_m * drift;
        let most = self.density_max / UNIT;
        // A vacancy hops to a free site only; this keeps 0 <= n <= n_max and leaves plain diffusion as it is.
        let forward = left[0] * (1.0 - right[0] / most);
        let backward = right[0] * (1.0 - left[0] / most);
        let vacancies = diffusion / spacing * (bernoulli(-peclet) * forward - bernoulli(peclet) * backward);
        let conductivity = self.conductivity(0.5 * (left[0] + right[0]) * UNIT, temperature);
        let conductance = conductivity * self.area() / spacing;
        let current = conductance * drop;
        let heat = match self.thermal {
            Thermal::Distributed { conductivity_w_mk, .. } => {
                conductivity_w_mk * self.area() / spacing * (left[1] - right[1])
            }
            Thermal::Lumped { .. } => 0.0,
        };
        Flow { vacancies, conductance, current, heat, joule: current * drop }
    }

    /// Length in m that a node stands for.
    fn share(&self, index: usize) -> f64 {
        let end = index == 0 || index == self.cells;
        self.spacing() * if end { 0.5 } else { 1.0 }
    }
}

impl Driven<'_> {
    fn voltage(&self, time: f64) -> f64 {
        self.from_v + (self.to_v - self.from_v) * (time / self.duration_s)
    }

    fn potential_rate(&self, time: f64, index: usize, here: &Node, flows: [Option<Flow>; 2]) -> f64 {
        match flows {
            // Conductances differ by decades: the mean of the neighbours, weighted with them, minus here.
            [Some(left), Some(right)] => {
                (left.current - right.current) / (left.conductance + right.conductance)
            }
            [None, Some(right)] if index == 0 => {
                let drop = self.voltage(time) - here[2] - right.current * self.law.series_ohm;
                drop / (1.0 + right.conductance * self.law.series_ohm)
            }
            _ => -here[2],
        }
    }

    fn temperature_rate(
        &self,
        index: usize,
        before: Option<&Node>,
        here: &Node,
        flows: [Option<Flow>; 2],
    ) -> f64 {
        let law = self.law;
        let [left, right] = flows.map(Option::unwrap_or_default);
        match law.thermal {
            Thermal::Lumped { resistance_k_w } => match before {
                Some(before) => before[1] - here[1],
                None => law.ambient_k + resistance_k_w * right.current * here[2] - here[1],
            },
            Thermal::Distributed { capacity_j_m3k, loss_w_m3k, .. } => {
                if index == 0 || index == law.cells {
                    return law.ambient_k - here[1];
                }
                let volume = law.share(index) * law.area();
                let power = left.heat - right.heat + 0.5 * (left.joule + right.joule)
                    - loss_w_m3k * volume * (here[1] - law.ambient_k);
                power / (capacity_j_m3k * volume)
            }
        }
    }
}

impl Chain<3> for Driven<'_> {
    fn rate(
        &self,
        time: f64,
        index: usize,
        before: Option<&Node>,
        here: &Node,
        after: Option<&Node>,
    ) -> Node {
        let flows =
            [before.map(|left| self.law.flow(left, here)), after.map(|right| self.law.flow(here, right))];
        let [left, right] = flows.map(Option::unwrap_or_default);
        [
            (left.vacancies - right.vacancies) / self.law.share(index),
            self.temperature_rate(index, before, here, flows),
            self.potential_rate(time, index, here, flows),
        ]
    }

    fn differential(&self, index: usize) -> [bool; 3] {
        let inner = index > 0 && index < self.law.cells;
        [true, inner && matches!(self.law.thermal, Thermal::Distributed { .. }), false]
    }

    fn floor(&self) -> Node {
        // A millionth of a metallic filament, a millikelvin and a microvolt.
        [1e-6, 1e-3, 1e-6]
    }

    fn admitted(&self, here: &Node, step: &Node) -> f64 {
        let falling = |here: f64, step: f64, part: f64| {
            if here + step < part * here { (1.0 - part) * here / step.abs() } else { 1.0 }
        };
        // The exponentials of temperature and field follow a Newton step of limited length only.
        let rising = if step[1] > 0.5 * here[1] { 0.5 * here[1] / step[1] } else { 1.0 };
        falling(here[1], step[1], 0.5).min(rising)
    }
}
