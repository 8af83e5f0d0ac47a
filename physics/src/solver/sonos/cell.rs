//! The parts of an input that describe the cell: stack, barriers, traps, emission and radiation.
//!
//! Every key has a default, the card `sonos40_default`; lengths are in nm, densities in 1/cm³.

use crate::materials::Materials;
use crate::solver::input::{Document, Step};
use crate::sonos::Stack;
use crate::sonos::collection::{Radiation, SurfacePotential};
use crate::sonos::emission::Emission;
use crate::sonos::nitride::{Emissions, Nitride, Traps};
use crate::tunnelling::injection::Barrier;
use mho_data::InputError;
use serde::Deserialize;
use std::ops::RangeInclusive;

/// Checks the numbers of one table of an input.
pub(super) struct Checked<'a> {
    pub(super) document: Document<'a>,
    /// Where the table stands.
    pub(super) path: Vec<Step<'a>>,
}

impl<'a> Checked<'a> {
    pub(super) fn new(document: Document<'a>, path: &[Step<'a>]) -> Self {
        Self { document, path: path.to_vec() }
    }

    pub(super) fn within(
        &self,
        key: &'a str,
        value: f64,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Result<f64, InputError> {
        let mut path = self.path.clone();
        path.push(key.into());
        self.document.within(&path, value, range, unit)
    }

    /// The value, or a default where there is none.
    pub(super) fn or(
        &self,
        key: &'a str,
        value: Option<f64>,
        default: f64,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Result<f64, InputError> {
        value.map_or(Ok(default), |value| self.within(key, value, range, unit))
    }

    pub(super) fn refuse(&self, key: &'a str, found: impl std::fmt::Display, expected: &str) -> InputError {
        let mut path = self.path.clone();
        path.push(key.into());
        self.document.refuse(&path, found, expected)
    }
}

/// `[stack]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StackInput {
    tunnel_oxide_nm: Option<f64>,
    nitride_nm: Option<f64>,
    blocking_oxide_nm: Option<f64>,
    centroid_nm: Option<f64>,
    oxide_permittivity: Option<f64>,
    nitride_permittivity: Option<f64>,
    silicon_permittivity: Option<f64>,
    acceptor_per_cm3: Option<f64>,
    intrinsic_per_cm3: Option<f64>,
    phi_ms_v: Option<f64>,
    gate_area_um2: Option<f64>,
    temperature_k: Option<f64>,
    fixed_surface_potential_v: Option<f64>,
}

impl StackInput {
    /// The stack; permittivities not given come from the materials.
    pub(super) fn read(&self, document: Document<'_>, materials: &Materials) -> Result<Stack, InputError> {
        let base = Stack::default();
        let check = Checked::new(document, &["stack".into()]);
        let permittivity = |key, given, material: &str, default: f64| {
            let known = materials.get(material, "relative_permittivity").map_or(default, |entry| entry.value);
            check.or(key, given, known, 1.0..=100.0, "")
        };
        let nitride_nm = check.or("nitride_nm", self.nitride_nm, 8.0, 0.5..=100.0, "nm")?;
        let acceptor = check.or("acceptor_per_cm3", self.acceptor_per_cm3, 5e17, 1e13..=1e20, "cm⁻³")?;
        let stack = Stack {
            tunnel_oxide_m: 1e-9
                * check.or("tunnel_oxide_nm", self.tunnel_oxide_nm, 2.0, 0.5..=50.0, "nm")?,
            nitride_m: 1e-9 * nitride_nm,
            blocking_oxide_m: 1e-9
                * check.or("blocking_oxide_nm", self.blocking_oxide_nm, 4.0, 0.5..=100.0, "nm")?,
            centroid_m: 1e-9
                * check.or("centroid_nm", self.centroid_nm, 0.5 * nitride_nm, 0.0..=nitride_nm, "nm")?,
            oxide_permittivity: permittivity(
                "oxide_permittivity",
                self.oxide_permittivity,
                "SiO2",
                base.oxide_permittivity,
            )?,
            nitride_permittivity: permittivity(
                "nitride_permittivity",
                self.nitride_permittivity,
                "Si3N4",
                base.nitride_permittivity,
            )?,
            silicon_permittivity: permittivity(
                "silicon_permittivity",
                self.silicon_permittivity,
                "Si",
                base.silicon_permittivity,
            )?,
            acceptor_per_m3: 1e6 * acceptor,
            intrinsic_per_m3: 1e6
                * check.or("intrinsic_per_cm3", self.intrinsic_per_cm3, 1e10, 1e6..=1e12, "cm⁻³")?,
            phi_ms_v: check.or("phi_ms_v", self.phi_ms_v, base.phi_ms_v, -3.0..=3.0, "V")?,
            gate_area_m2: 1e-12 * check.or("gate_area_um2", self.gate_area_um2, 0.05, 1e-5..=1e6, "µm²")?,
            temperature_k: check.or("temperature_k", self.temperature_k, 300.0, 200.0..=500.0, "K")?,
        };
        match stack.defect() {
            None => Ok(stack),
            Some(name) => Err(check.refuse(name, "an unusable number", "a stack that can exist")),
        }
    }

    /// How the surface potential is found: solved, unless it is fixed.
    pub(super) fn surface_potential(&self, document: Document<'_>) -> Result<SurfacePotential, InputError> {
        let check = Checked::new(document, &["stack".into()]);
        match self.fixed_surface_potential_v {
            None => Ok(SurfacePotential::SelfConsistent),
            Some(psi) => Ok(SurfacePotential::Fixed(check.within(
                "fixed_surface_potential_v",
                psi,
                -2.0..=2.0,
                "V",
            )?)),
        }
    }
}

/// `[electron_barrier]`, `[hole_barrier]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BarrierInput {
    height_v: Option<f64>,
    offset_v: Option<f64>,
    oxide_mass: Option<f64>,
    nitride_mass: Option<f64>,
}

impl BarrierInput {
    pub(super) fn read(
        &self,
        document: Document<'_>,
        key: &str,
        base: Barrier,
    ) -> Result<Barrier, InputError> {
        let check = Checked::new(document, &[key.into()]);
        let height_v = check.or("height_v", self.height_v, base.height_v, 0.5..=8.0, "V")?;
        Ok(Barrier {
            height_v,
            offset_v: check.or(
                "offset_v",
                self.offset_v,
                base.offset_v.min(height_v),
                0.0..=height_v,
                "V",
            )?,
            oxide_mass: check.or("oxide_mass", self.oxide_mass, base.oxide_mass, 0.05..=2.0, "")?,
            nitride_mass: check.or("nitride_mass", self.nitride_mass, base.nitride_mass, 0.05..=2.0, "")?,
        })
    }
}

/// `[traps]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TrapsInput {
    density_per_cm3: Option<f64>,
    from_nm: Option<f64>,
    to_nm: Option<f64>,
    electron_capture_length_nm: Option<f64>,
    hole_capture_length_nm: Option<f64>,
}

impl TrapsInput {
    pub(super) fn read(&self, document: Document<'_>, stack: &Stack) -> Result<Traps, InputError> {
        let check = Checked::new(document, &["traps".into()]);
        let base = Traps::default();
        let nitride_nm = 1e9 * stack.nitride_m;
        let length = |key, given, default: f64| check.or(key, given, 1e9 * default, 1e-3..=1e4, "nm");
        let from_nm = check.or("from_nm", self.from_nm, 0.0, 0.0..=nitride_nm, "nm")?;
        // A hair of slack: the nitride comes back from metres.
        let to_nm = check.or("to_nm", self.to_nm, nitride_nm, from_nm..=nitride_nm * (1.0 + 1e-9), "nm")?;
        if to_nm <= from_nm {
            return Err(check.refuse("to_nm", to_nm, "a place above from_nm"));
        }
        let density = check.or("density_per_cm3", self.density_per_cm3, 3e19, 1e15..=1e23, "cm⁻³")?;
        Ok(Traps {
            density_per_m3: 1e6 * density,
            from_m: 1e-9 * from_nm,
            to_m: 1e-9 * to_nm,
            electron_length_m: 1e-9
                * length(
                    "electron_capture_length_nm",
                    self.electron_capture_length_nm,
                    base.electron_length_m,
                )?,
            hole_length_m: 1e-9
                * length("hole_capture_length_nm", self.hole_capture_length_nm, base.hole_length_m)?,
        })
    }
}

/// `[electron_emission]`, `[hole_emission]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EmissionInput {
    depth_ev: Option<f64>,
    depth_spread_ev: Option<f64>,
    offset_ev: Option<f64>,
    oxide_mass: Option<f64>,
    nitride_mass: Option<f64>,
    attempt_s: Option<f64>,
    cross_section_cm2: Option<f64>,
    band_mass: Option<f64>,
    fast_permittivity: Option<f64>,
    tunnelling: Option<bool>,
    thermal: Option<bool>,
    poole_frenkel: Option<bool>,
}

impl EmissionInput {
    /// Whether a spread of depths is asked for.
    pub(super) fn spread(&self) -> bool {
        self.depth_spread_ev.is_some_and(|spread| spread > 0.0)
    }

    pub(super) fn read(
        &self,
        document: Document<'_>,
        key: &str,
        base: Emission,
    ) -> Result<Emission, InputError> {
        let check = Checked::new(document, &[key.into()]);
        let mass = |key, given, default| check.or(key, given, default, 0.05..=2.0, "");
        Ok(Emission {
            depth_ev: check.or("depth_ev", self.depth_ev, base.depth_ev, 0.1..=4.0, "eV")?,
            depth_spread_ev: check.or(
                "depth_spread_ev",
                self.depth_spread_ev,
                base.depth_spread_ev,
                0.0..=0.5,
                "eV",
            )?,
            offset_ev: check.or("offset_ev", self.offset_ev, base.offset_ev, 0.0..=5.0, "eV")?,
            oxide_mass: mass("oxide_mass", self.oxide_mass, base.oxide_mass)?,
            nitride_mass: mass("nitride_mass", self.nitride_mass, base.nitride_mass)?,
            attempt_s: check.or("attempt_s", self.attempt_s, base.attempt_s, 1e-16..=1e-8, "s")?,
            cross_section_m2: 1e-4
                * check.or(
                    "cross_section_cm2",
                    self.cross_section_cm2,
                    1e4 * base.cross_section_m2,
                    1e-20..=1e-10,
                    "cm²",
                )?,
            band_mass: mass("band_mass", self.band_mass, base.band_mass)?,
            fast_permittivity: check.or(
                "fast_permittivity",
                self.fast_permittivity,
                base.fast_permittivity,
                1.0..=20.0,
                "",
            )?,
            tunnelling: self.tunnelling.unwrap_or(base.tunnelling),
            thermal: self.thermal.unwrap_or(base.thermal),
            poole_frenkel: self.poole_frenkel.unwrap_or(base.poole_frenkel),
        })
    }
}

/// Sources of radiation that are known by name.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    #[default]
    Co60,
    #[serde(rename = "x_rays_10_kev")]
    XRays10Kev,
}

/// `[radiation]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RadiationInput {
    source: Source,
    pairs_per_cm3_rad: Option<f64>,
    yield_field_mv_per_cm: Option<f64>,
    yield_exponent: Option<f64>,
    oxide_dose_per_silicon_dose: Option<f64>,
    detrapping_dose_krad: Option<f64>,
}

impl RadiationInput {
    /// The source and the detrapping dose in rad.
    pub(super) fn read(&self, document: Document<'_>) -> Result<(Radiation, f64), InputError> {
        let check = Checked::new(document, &["radiation".into()]);
        let base = match self.source {
            Source::Co60 => Radiation::CO60,
            Source::XRays10Kev => Radiation::X_RAYS_10_KEV,
        };
        let radiation = Radiation {
            pairs_per_m3_rad: 1e6
                * check.or(
                    "pairs_per_cm3_rad",
                    self.pairs_per_cm3_rad,
                    1e-6 * base.pairs_per_m3_rad,
                    0.0..=1e15,
                    "cm⁻³ rad⁻¹",
                )?,
            yield_field_v_per_m: 1e8
                * check.or(
                    "yield_field_mv_per_cm",
                    self.yield_field_mv_per_cm,
                    1e-8 * base.yield_field_v_per_m,
                    0.0..=100.0,
                    "MV/cm",
                )?,
            yield_exponent: check.or(
                "yield_exponent",
                self.yield_exponent,
                base.yield_exponent,
                0.0..=5.0,
                "",
            )?,
            oxide_dose_per_silicon_dose: check.or(
                "oxide_dose_per_silicon_dose",
                self.oxide_dose_per_silicon_dose,
                base.oxide_dose_per_silicon_dose,
                0.01..=100.0,
                "",
            )?,
        };
        let detrapping = match self.detrapping_dose_krad {
            None => f64::INFINITY,
            Some(dose) => 1e3 * check.within("detrapping_dose_krad", dose, 1e-3..=1e12, "krad(SiO2)")?,
        };
        Ok((radiation, detrapping))
    }
}

/// The tables of a cell with a charge profile.
pub(super) struct ProfileCell<'a> {
    pub(super) stack: &'a StackInput,
    pub(super) electron_barrier: &'a BarrierInput,
    pub(super) hole_barrier: &'a BarrierInput,
    pub(super) traps: &'a TrapsInput,
    pub(super) emission: Option<(&'a EmissionInput, &'a EmissionInput)>,
    pub(super) radiation: Option<&'a RadiationInput>,
    pub(super) gate_injection: bool,
}

impl ProfileCell<'_> {
    pub(super) fn read(&self, document: Document<'_>, materials: &Materials) -> Result<Nitride, InputError> {
        let stack = self.stack.read(document, materials)?;
        let (radiation, detrapping_dose_rad) = match self.radiation {
            Some(radiation) => radiation.read(document)?,
            None => (Radiation::CO60, f64::INFINITY),
        };
        let emission = match self.emission {
            None => None,
            Some((electrons, holes)) => Some(Emissions {
                electrons: electrons.read(document, "electron_emission", Emission::ELECTRONS)?,
                holes: holes.read(document, "hole_emission", Emission::HOLES)?,
            }),
        };
        Ok(Nitride {
            stack,
            traps: self.traps.read(document, &stack)?,
            electrons: self.electron_barrier.read(document, "electron_barrier", Barrier::ELECTRONS)?,
            holes: self.hole_barrier.read(document, "hole_barrier", Barrier::HOLES)?,
            gate_injection: self.gate_injection,
            surface_potential: self.stack.surface_potential(document)?,
            emission,
            radiation,
            detrapping_dose_rad,
        })
    }
}
