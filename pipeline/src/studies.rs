//! The studies that come with mho.

/// Names and texts of the built-in studies.
pub const BUILTIN: &[(&str, &str)] = &[("sonos-tid", include_str!("../studies/sonos-tid.toml"))];

/// The text of a built-in study.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
