//! The studies that come with mho.

/// Names and texts of the built-in studies.
pub const BUILTIN: &[(&str, &str)] = &[
    ("sonos-tid", include_str!("../studies/sonos-tid.toml")),
    ("full-sets", include_str!("../studies/full-sets.toml")),
    ("tid-anchors", include_str!("../studies/tid-anchors.toml")),
];

/// The text of a built-in study.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The files of a study to start from: the built-in study with its measurement files beside it, which
/// are synthetic and there to be replaced.
pub fn starter(seed: u64) -> Vec<(&'static str, String)> {
    let study = builtin("sonos-tid")
        .unwrap_or_default()
        .replace("name = \"sonos-tid\"", "name = \"my-device\"")
        .replacen("files = []", "files = [\"idvg.csv\"]", 1)
        .replacen("files = []", "files = [\"state-currents.csv\"]", 1);
    vec![
        ("study.toml", study),
        ("idvg.csv", mho_physics::sonos::synthetic::idvg_csv(seed)),
        ("state-currents.csv", mho_physics::sonos::synthetic::state_currents_csv(seed)),
    ]
}
