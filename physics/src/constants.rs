//! Constants of nature and of materials.
//!
//! Constants of nature are the CODATA 2018 values (exact where the SI defines them). Material
//! constants name their source and kind.

/// Elementary charge in C (CODATA 2018, exact).
pub const ELEMENTARY_CHARGE: f64 = 1.602_176_634e-19;
/// Boltzmann constant in J/K (CODATA 2018, exact).
pub const BOLTZMANN: f64 = 1.380_649e-23;
/// Vacuum permittivity in F/m (CODATA 2018, measured).
pub const VACUUM_PERMITTIVITY: f64 = 8.854_187_812_8e-12;
/// Planck constant in J s (CODATA 2018, exact).
pub const PLANCK: f64 = 6.626_070_15e-34;
/// Reduced Planck constant in J s.
pub const REDUCED_PLANCK: f64 = PLANCK / (2.0 * std::f64::consts::PI);
/// Electron rest mass in kg (CODATA 2018, measured).
pub const ELECTRON_MASS: f64 = 9.109_383_701_5e-31;

/// Relative permittivity of thermal SiO2 (measured; textbook value, Sze).
pub const OXIDE_PERMITTIVITY: f64 = 3.9;
/// Relative permittivity of Si3N4 (measured; textbook range 7.0 to 7.8).
pub const NITRIDE_PERMITTIVITY: f64 = 7.5;
/// Relative permittivity of silicon (measured; textbook value, Sze).
pub const SILICON_PERMITTIVITY: f64 = 11.7;
/// Intrinsic carrier density of silicon at 300 K in 1/m³ (measured; the conventional 1e10 cm⁻³, with
/// which the reference values of this crate were computed; the modern value is 9.65e9 cm⁻³).
pub const INTRINSIC_DENSITY: f64 = 1.0e16;
/// Band gap of silicon at 300 K in V (measured; 1.12 V is the textbook value).
pub const SILICON_GAP_V: f64 = 1.12;

/// Electron-hole pairs per m³ and rad(SiO2) generated in SiO2: 8.1e12 cm⁻³ rad⁻¹ (derived from 17 eV per
/// pair, measured, and 2.2 g/cm³; the value in common use since Ausman and McLean 1975).
pub const OXIDE_PAIR_DENSITY: f64 = 8.1e18;

/// Gray per rad.
pub const GRAY_PER_RAD: f64 = 0.01;
/// Seconds per day.
pub const DAY_S: f64 = 86_400.0;

/// Thermal voltage kT/q in V at `temperature_k`; 25.85 mV at 300 K.
#[must_use]
pub fn thermal_voltage(temperature_k: f64) -> f64 {
    BOLTZMANN * temperature_k / ELEMENTARY_CHARGE
}
