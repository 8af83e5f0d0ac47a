//! What the inputs of this folder share: layers, gates, transport, meshes.

use crate::constants::ELEMENTARY_CHARGE;
use crate::materials::Materials;
use crate::semiconductor::mobility::{CaugheyThomas, LowField, Mobility, Saturation};
use crate::semiconductor::recombination::Recombination;
use crate::semiconductor::silicon;
use crate::semiconductor::statistics::Statistics;
use crate::semiconductor::structure::{Doping, Layer, Sheet};
use crate::solver::input::{Document, Step};
use mho_data::InputError;
use serde::Deserialize;

/// Largest doping that an input may have in 1/cm³: the atoms of silicon are 5e22.
const MOST_DOPING: f64 = 1e21;

/// A sweep.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bias {
    start_v: f64,
    stop_v: f64,
    step_v: f64,
}

impl Bias {
    pub(super) fn points(&self, document: &Document<'_>) -> Result<Vec<f64>, InputError> {
        for (key, value) in [("start_v", self.start_v), ("stop_v", self.stop_v)] {
            document.within(&["bias".into(), key.into()], value, -200.0..=200.0, "V")?;
        }
        document.sweep(&["bias".into(), "step_v".into()], self.start_v, self.stop_v, self.step_v)
    }
}

/// Temperature in K.
pub(super) fn temperature(document: &Document<'_>, value: f64) -> Result<f64, InputError> {
    document.within(&["temperature_k".into()], value, 50.0..=1000.0, "K")
}

/// Intrinsic density in 1/m³: the one given, else silicon's at this temperature, which is noted.
pub(super) fn intrinsic(
    document: &Document<'_>,
    path: &[Step<'_>],
    given_per_cm3: Option<f64>,
    temperature_k: f64,
    notes: &mut Vec<String>,
) -> Result<f64, InputError> {
    match given_per_cm3 {
        Some(value) => Ok(1e6 * document.within(path, value, 1e-20..=1e20, "per cm3")?),
        None => {
            let value = silicon::intrinsic_per_m3(temperature_k);
            notes.push(format!("no intrinsic density given: {:.4e} per cm3, that of silicon", 1e-6 * value));
            Ok(value)
        }
    }
}

/// Dopants.
pub(super) fn doping(
    document: &Document<'_>,
    path: &[Step<'_>],
    acceptor_per_cm3: f64,
    donor_per_cm3: f64,
) -> Result<Doping, InputError> {
    let read = |key: &'static str, value: f64| {
        let path: Vec<Step<'_>> = path.iter().copied().chain([key.into()]).collect();
        Ok::<_, InputError>(1e6 * document.within(&path, value, 0.0..=MOST_DOPING, "per cm3")?)
    };
    Ok(Doping {
        acceptor_per_m3: read("acceptor_per_cm3", acceptor_per_cm3)?,
        donor_per_m3: read("donor_per_cm3", donor_per_cm3)?,
    })
}

/// A layer of a stack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerInput {
    material: String,
    thickness_nm: f64,
    relative_permittivity: Option<f64>,
    #[serde(default)]
    sheet_charge_per_cm2: f64,
    sheet_position_fraction: Option<f64>,
    #[serde(default)]
    volume_charge_per_cm3: f64,
    acceptor_per_cm3: Option<f64>,
    donor_per_cm3: Option<f64>,
}

impl LayerInput {
    pub(super) fn is_doped(&self) -> bool {
        self.acceptor_per_cm3.is_some() || self.donor_per_cm3.is_some()
    }

    /// The layer at place `index` of the array `layer`.
    pub(super) fn layer(
        &self,
        document: &Document<'_>,
        index: usize,
        materials: &Materials,
    ) -> Result<Layer, InputError> {
        let at = |key: &'static str| [Step::Key("layer"), Step::Index(index), Step::Key(key)];
        let thickness = document.within(&at("thickness_nm"), self.thickness_nm, 1e-2..=1e6, "nm")?;
        let permittivity = match self.relative_permittivity {
            Some(value) => document.within(&at("relative_permittivity"), value, 1.0..=1e5, "")?,
            None => permittivity(document, &at("material"), &self.material, materials)?,
        };
        let charge = self.volume_charge_per_cm3;
        document.within(&at("volume_charge_per_cm3"), charge, -1e22..=1e22, "per cm3")?;
        let sheet = document.within(
            &at("sheet_charge_per_cm2"),
            self.sheet_charge_per_cm2,
            -1e15..=1e15,
            "per cm2",
        )?;
        let position = match self.sheet_position_fraction {
            Some(value) => document.within(&at("sheet_position_fraction"), value, 0.0..=1.0, "")?,
            None if sheet == 0.0 => 0.0,
            None => {
                let found = "a sheet charge alone";
                return Err(document.refuse(
                    &at("sheet_charge_per_cm2"),
                    found,
                    "sheet_position_fraction with it",
                ));
            }
        };
        let doping = self
            .is_doped()
            .then(|| {
                let path = [Step::Key("layer"), Step::Index(index)];
                let (acceptor, donor) = (self.acceptor_per_cm3, self.donor_per_cm3);
                doping(document, &path, acceptor.unwrap_or(0.0), donor.unwrap_or(0.0))
            })
            .transpose()?;
        let charge_c_per_m2 = 1e4 * ELEMENTARY_CHARGE * sheet;
        Ok(Layer {
            thickness_m: 1e-9 * thickness,
            permittivity,
            doping,
            charge_c_per_m3: 1e6 * ELEMENTARY_CHARGE * charge,
            sheets: if sheet == 0.0 { Vec::new() } else { vec![Sheet { position, charge_c_per_m2 }] },
        })
    }
}

/// Relative permittivity of a material by its name.
pub(super) fn permittivity(
    document: &Document<'_>,
    path: &[Step<'_>],
    material: &str,
    materials: &Materials,
) -> Result<f64, InputError> {
    materials.get(material, "relative_permittivity").map(|entry| entry.value).ok_or_else(|| {
        let known = materials.with_property("relative_permittivity").join(", ");
        document.refuse(path, format!("\"{material}\""), format!("one of {known}, or relative_permittivity"))
    })
}

/// `"midgap"` or a work function in eV.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Workfunction {
    Electronvolts(f64),
    Named(String),
}

impl Workfunction {
    /// How far the Fermi level of the metal lies below the middle of the gap, in V.
    pub(super) fn offset_v(
        &self,
        document: &Document<'_>,
        path: &[Step<'_>],
        temperature_k: f64,
        notes: &mut Vec<String>,
    ) -> Result<f64, InputError> {
        match self {
            Self::Named(name) if name == "midgap" => Ok(0.0),
            Self::Named(name) => {
                Err(document.refuse(path, format!("\"{name}\""), "\"midgap\" or a work function in eV"))
            }
            Self::Electronvolts(value) => {
                let value = document.within(path, *value, 1.0..=8.0, "eV")?;
                let middle = silicon::midgap_v(temperature_k);
                notes.push(format!(
                    "work function {value} eV against the middle of silicon's gap at {middle:.4} eV \
                     (affinity {} eV, gap {:.4} eV)",
                    silicon::AFFINITY_V,
                    silicon::gap_v(temperature_k)
                ));
                Ok(value - middle)
            }
        }
    }
}

/// Statistics by name.
pub(super) fn statistics(
    document: &Document<'_>,
    path: &[Step<'_>],
    name: Option<&str>,
    temperature_k: f64,
) -> Result<Statistics, InputError> {
    match name {
        None | Some("boltzmann") => Ok(Statistics::Boltzmann),
        Some("fermi-dirac") => {
            let (conduction_per_m3, valence_per_m3) = silicon::states_per_m3(temperature_k);
            Ok(Statistics::FermiDirac { conduction_per_m3, valence_per_m3 })
        }
        Some(other) => Err(document.refuse(path, format!("\"{other}\""), "\"boltzmann\" or \"fermi-dirac\"")),
    }
}

/// `[mobility]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MobilityInput {
    electron_cm2_per_vs: Option<f64>,
    hole_cm2_per_vs: Option<f64>,
    model: Option<String>,
    #[serde(default)]
    saturation: bool,
}

impl MobilityInput {
    pub(super) fn read(&self, document: &Document<'_>) -> Result<[Mobility; 2], InputError> {
        let path = |key: &'static str| [Step::Key("mobility"), Step::Key(key)];
        let model = self.model.as_deref();
        let one = |key: &'static str, given: Option<f64>, law: CaugheyThomas, limit: Saturation| {
            let low_field = match (model, given) {
                (Some("caughey-thomas"), _) => LowField::Doping(law),
                (None | Some("constant"), Some(value)) => {
                    LowField::Constant(1e-4 * document.within(&path(key), value, 1e-6..=1e6, "cm2/(V s)")?)
                }
                (None | Some("constant"), None) => {
                    let expected = "a mobility in cm2/(V s), or model = \"caughey-thomas\"";
                    return Err(document.refuse(&path(key), "nothing", expected));
                }
                (Some(other), _) => {
                    let expected = "\"constant\" or \"caughey-thomas\"";
                    return Err(document.refuse(&path("model"), format!("\"{other}\""), expected));
                }
            };
            Ok(Mobility { low_field, saturation: self.saturation.then_some(limit) })
        };
        Ok([
            one(
                "electron_cm2_per_vs",
                self.electron_cm2_per_vs,
                CaugheyThomas::ELECTRONS,
                Saturation::ELECTRONS,
            )?,
            one("hole_cm2_per_vs", self.hole_cm2_per_vs, CaugheyThomas::HOLES, Saturation::HOLES)?,
        ])
    }
}

/// `[lifetime]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LifetimeInput {
    electron_s: f64,
    hole_s: f64,
    #[serde(default)]
    auger: bool,
    #[serde(default)]
    trap_level_ev: f64,
}

impl LifetimeInput {
    pub(super) fn read(&self, document: &Document<'_>, thermal_v: f64) -> Result<Recombination, InputError> {
        let path = |key: &'static str| [Step::Key("lifetime"), Step::Key(key)];
        Ok(Recombination {
            electron_lifetime_s: document.within(&path("electron_s"), self.electron_s, 1e-15..=1e6, "s")?,
            hole_lifetime_s: document.within(&path("hole_s"), self.hole_s, 1e-15..=1e6, "s")?,
            trap_level: document.within(&path("trap_level_ev"), self.trap_level_ev, -0.6..=0.6, "eV")?
                / thermal_v,
            auger: if self.auger { Recombination::SILICON_AUGER } else { [0.0; 2] },
        })
    }
}

/// `[mesh]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeshInput {
    refinement: Option<usize>,
    pub(super) nodes_um: Option<Vec<f64>>,
}

impl MeshInput {
    pub(super) fn refinement(&self, document: &Document<'_>) -> Result<usize, InputError> {
        let value = self.refinement.unwrap_or(1);
        let path = [Step::Key("mesh"), Step::Key("refinement")];
        document.within(&path, value as f64, 1.0..=64.0, "")?;
        Ok(value)
    }

    /// Given nodes in m, checked.
    pub(super) fn nodes(
        &self,
        document: &Document<'_>,
        thickness_m: f64,
    ) -> Result<Option<Vec<f64>>, InputError> {
        let Some(nodes) = &self.nodes_um else { return Ok(None) };
        let path = [Step::Key("mesh"), Step::Key("nodes_um")];
        let most = 1e6 * thickness_m;
        for node in nodes {
            document.within(&path, *node, 0.0..=most * (1.0 + 1e-9), "um")?;
        }
        if nodes.len() < 3 || nodes.windows(2).any(|pair| pair[1] <= pair[0]) {
            let found = format!("{} nodes, not ascending or fewer than three", nodes.len());
            return Err(document.refuse(&path, found, "at least three ascending positions"));
        }
        Ok(Some(nodes.iter().map(|node| 1e-6 * node).collect()))
    }
}
