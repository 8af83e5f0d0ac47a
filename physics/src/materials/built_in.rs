//! The built-in files.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../data/files/materials/", $name)))),*]
    };
}

/// Names and texts.
pub(super) const FILES: &[(&str, &str)] = files![
    "Si.toml",
    "poly-Si.toml",
    "SiO2.toml",
    "Si3N4.toml",
    "Ta2O5.toml",
    "TaOx.toml",
    "HfO2.toml",
    "TiOx.toml",
    "MgO.toml",
    "IGZO.toml",
    "LiCoO2.toml",
];
