//! What a one-dimensional device is made of: layers between two contacts.

use crate::constants::thermal_voltage;
use crate::semiconductor::statistics::{Statistics, activity};

/// Dopants of a semiconductor layer in 1/m³, all ionised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doping {
    /// Acceptors.
    pub acceptor_per_m3: f64,
    /// Donors.
    pub donor_per_m3: f64,
}

impl Doping {
    /// Donors less acceptors in 1/m³.
    #[must_use]
    pub fn net_per_m3(&self) -> f64 {
        self.donor_per_m3 - self.acceptor_per_m3
    }

    /// Donors and acceptors together in 1/m³, which scatter carriers.
    #[must_use]
    pub fn total_per_m3(&self) -> f64 {
        self.donor_per_m3 + self.acceptor_per_m3
    }
}

/// A sheet of fixed charge inside a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Where in the layer: 0 at the side of the first contact, 1 at the other.
    pub position: f64,
    /// Charge in C/m².
    pub charge_c_per_m2: f64,
}

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Thickness in m.
    pub thickness_m: f64,
    /// Relative permittivity.
    pub permittivity: f64,
    /// The dopants of a semiconductor; none for an insulator, which holds no carriers.
    pub doping: Option<Doping>,
    /// Fixed charge in C/m³ besides the dopants.
    pub charge_c_per_m3: f64,
    /// Sheets of fixed charge.
    pub sheets: Vec<Sheet>,
}

/// What bounds a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Contact {
    /// An ideal contact to a semiconductor: neutral, and in equilibrium with its metal.
    Ohmic,
    /// A metal whose Fermi level lies this far below the intrinsic level of the semiconductor in V.
    Gate(f64),
}

/// A device: layers from the first contact to the last, of one semiconductor.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// Layers in order.
    pub layers: Vec<Layer>,
    /// Contact before the first layer.
    pub first: Contact,
    /// Contact after the last layer.
    pub last: Contact,
    /// Temperature in K.
    pub temperature_k: f64,
    /// Intrinsic carrier density in 1/m³.
    pub intrinsic_per_m3: f64,
    /// Statistics of the carriers.
    pub statistics: Statistics,
}

impl Structure {
    /// Thermal voltage in V.
    #[must_use]
    pub fn thermal_voltage_v(&self) -> f64 {
        thermal_voltage(self.temperature_k)
    }

    /// Densities over n_i and their logarithmic slopes at reduced levels s_n = (ψ − φ_n)/φ_t and
    /// s_p = (φ_p − ψ)/φ_t: (n/n_i, d ln n/ds_n, p/n_i, d ln p/ds_p).
    #[must_use]
    pub fn densities(&self, electron_level: f64, hole_level: f64) -> (f64, f64, f64, f64) {
        match self.statistics {
            Statistics::Boltzmann => (electron_level.exp(), 1.0, hole_level.exp(), 1.0),
            Statistics::FermiDirac { conduction_per_m3, valence_per_m3 } => {
                let (n, dn) = activity(electron_level, self.intrinsic_per_m3, conduction_per_m3);
                let (p, dp) = activity(hole_level, self.intrinsic_per_m3, valence_per_m3);
                ((electron_level + n).exp(), dn, (hole_level + p).exp(), dp)
            }
        }
    }

    /// Potential over φ_t at which a doped layer is neutral in equilibrium at Fermi level zero.
    #[must_use]
    pub fn neutral_level(&self, doping: Doping) -> f64 {
        let net = doping.net_per_m3() / self.intrinsic_per_m3;
        let mut level = (0.5 * net).asinh();
        // In Boltzmann statistics this is the answer; otherwise Newton on the monotone charge, damped.
        for _ in 0..200 {
            let (n, dn, p, dp) = self.densities(level, -level);
            let step = (p - n + net) / (n * dn + p * dp);
            level += step.clamp(-1.0, 1.0);
            if step.abs() <= 1e-15 * level.abs().max(1.0) {
                break;
            }
        }
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::INTRINSIC_DENSITY;

    fn silicon(statistics: Statistics) -> Structure {
        Structure {
            layers: Vec::new(),
            first: Contact::Ohmic,
            last: Contact::Ohmic,
            temperature_k: 300.0,
            intrinsic_per_m3: INTRINSIC_DENSITY,
            statistics,
        }
    }

    #[test]
    fn neutrality_in_both_statistics() {
        let states = Statistics::FermiDirac { conduction_per_m3: 2.86e25, valence_per_m3: 2.66e25 };
        for donor in [0.0, 1e16, 1e21, 1e24, 3e26] {
            for statistics in [Statistics::Boltzmann, states] {
                let structure = silicon(statistics);
                let doping = Doping { acceptor_per_m3: 1e20, donor_per_m3: donor };
                let level = structure.neutral_level(doping);
                let (n, _, p, _) = structure.densities(level, -level);
                let charge = p - n + doping.net_per_m3() / INTRINSIC_DENSITY;
                assert!(charge.abs() < 1e-12 * (n + p), "{donor}: {charge}");
            }
        }
        // Degenerate electrons fill the band higher than Boltzmann's would.
        let doping = Doping { acceptor_per_m3: 0.0, donor_per_m3: 1e26 };
        let boltzmann = silicon(Statistics::Boltzmann).neutral_level(doping);
        assert!(silicon(states).neutral_level(doping) > boltzmann + 0.5);
    }
}
