//! Parameters of the cell.

use serde::Deserialize;

/// Parameters; the default values are those published with JART VCM v1b for HfO2/TiOx (fitted there).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Law {
    /// Relative permittivity of the oxide.
    pub permittivity: f64,
    /// Relative permittivity for the image force.
    pub image_permittivity: f64,
    /// Barrier of the contact in eV.
    pub barrier_ev: f64,
    /// Distance in eV of the conduction band from the Fermi level in the oxide.
    pub fermi_ev: f64,
    /// Mobility of electrons in m²/(V s).
    pub mobility_m2_vs: f64,
    /// Least and most vacancy density of the disc in 1/m³.
    pub density_min: f64,
    /// Most vacancy density of the disc in 1/m³.
    pub density_max: f64,
    /// Vacancy density of the plug in 1/m³.
    pub plug_density: f64,
    /// Hopping distance in m.
    pub hop_m: f64,
    /// Attempt frequency in Hz.
    pub attempt_hz: f64,
    /// Activation energy of hopping in eV.
    pub hop_barrier_ev: f64,
    /// Thermal resistance in K/W.
    pub thermal_k_w: f64,
    /// Factor on it for V > 0.
    pub reset_thermal_factor: f64,
    /// Radius of the filament in m.
    pub radius_m: f64,
    /// Length of disc and plug in m.
    pub length_m: f64,
    /// Length of the disc in m.
    pub disc_length_m: f64,
    /// Resistance of the TiOx layer in ohm.
    pub oxide_ohm: f64,
    /// Resistance of the line in ohm when cold.
    pub line_ohm: f64,
    /// Thermal resistance of the line in K/W.
    pub line_thermal_k_w: f64,
    /// Temperature coefficient of the line in 1/K.
    pub line_per_k: f64,
    /// Richardson constant in A/(m² K²).
    pub richardson: f64,
    /// Effective mass for tunnelling, in electron masses.
    pub mass: f64,
    /// Charge of a vacancy in elementary charges.
    pub valence: f64,
    /// Temperature of the surroundings in K.
    pub ambient_k: f64,
}

impl Default for Law {
    fn default() -> Self {
        Self {
            permittivity: 17.0,
            image_permittivity: 5.5,
            barrier_ev: 0.18,
            fermi_ev: 0.1,
            mobility_m2_vs: 4e-6,
            density_min: 0.008e26,
            density_max: 20e26,
            plug_density: 20e26,
            hop_m: 0.25e-9,
            attempt_hz: 2e13,
            hop_barrier_ev: 1.35,
            thermal_k_w: 15.72e6,
            reset_thermal_factor: 0.27,
            radius_m: 45e-9,
            length_m: 3e-9,
            disc_length_m: 0.4e-9,
            oxide_ohm: 650.0,
            line_ohm: 719.24,
            line_thermal_k_w: 90_471.0,
            line_per_k: 3.92e-3,
            richardson: 6.01e5,
            mass: 1.0,
            valence: 2.0,
            ambient_k: 293.0,
        }
    }
}

impl Law {
    /// Every parameter by its name; each must be a positive number.
    #[must_use]
    pub fn parameters(&self) -> [(&'static str, f64); 24] {
        [
            ("permittivity", self.permittivity),
            ("image_permittivity", self.image_permittivity),
            ("barrier_ev", self.barrier_ev),
            ("fermi_ev", self.fermi_ev),
            ("mobility_m2_vs", self.mobility_m2_vs),
            ("density_min", self.density_min),
            ("density_max", self.density_max),
            ("plug_density", self.plug_density),
            ("hop_m", self.hop_m),
            ("attempt_hz", self.attempt_hz),
            ("hop_barrier_ev", self.hop_barrier_ev),
            ("thermal_k_w", self.thermal_k_w),
            ("reset_thermal_factor", self.reset_thermal_factor),
            ("radius_m", self.radius_m),
            ("length_m", self.length_m),
            ("disc_length_m", self.disc_length_m),
            ("oxide_ohm", self.oxide_ohm),
            ("line_ohm", self.line_ohm),
            ("line_thermal_k_w", self.line_thermal_k_w),
            ("line_per_k", self.line_per_k),
            ("richardson", self.richardson),
            ("mass", self.mass),
            ("valence", self.valence),
            ("ambient_k", self.ambient_k),
        ]
    }

    /// Cross section of the filament in m².
    #[must_use]
    pub fn area(&self) -> f64 {
        std::f64::consts::PI * self.radius_m.powi(2)
    }
}
