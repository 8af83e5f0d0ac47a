//! The studies that come with mho, and those that `mho init` starts.

mod made;

use mho_data::InputError;

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

/// What a new study starts from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Starter {
    /// Sweeps and state currents of a charge-trap cell, fitted inside the study as in the built-in one
    #[default]
    ChargeTrap,
    /// Sweeps of a transistor and thresholds against dose, fitted with `mho fit`
    Transistor,
    /// State currents against dose and time, fitted with `mho fit`
    CurrentShift,
    /// Readings of resistive cells against time, fitted with `mho fit`
    Resistive,
    /// Readings of many cells against dose, taken as they are
    Cells,
}

/// The files of a study to start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Names and texts: the study, and measurement files to replace, which are synthetic.
    pub files: Vec<(&'static str, String)>,
    /// Commands to give in the folder after the files are replaced.
    pub then: Vec<String>,
}

/// The files of a study to start from.
///
/// # Errors
/// When no measurement can be made up.
pub fn starter(kind: Starter, seed: u64) -> Result<Files, InputError> {
    use mho_physics::sonos::synthetic::{idvg_csv, state_currents_csv};
    let (study, measurements) = match kind {
        Starter::ChargeTrap => {
            let study = builtin("sonos-tid")
                .unwrap_or_default()
                .replace("name = \"sonos-tid\"", "name = \"my-device\"")
                .replacen("files = []", "files = [\"idvg.csv\"]", 1)
                .replacen("files = []", "files = [\"state-currents.csv\"]", 1);
            (study, vec![("idvg.csv", idvg_csv(seed)), ("state-currents.csv", state_currents_csv(seed))])
        }
        Starter::Transistor => (
            include_str!("../studies/init/transistor.toml").to_owned(),
            vec![("idvg.csv", made::sweeps(seed)), ("thresholds.csv", made::thresholds(seed))],
        ),
        Starter::CurrentShift => (
            include_str!("../studies/init/current-shift.toml").to_owned(),
            vec![("state-currents.csv", state_currents_csv(seed))],
        ),
        Starter::Resistive => (
            include_str!("../studies/init/resistive.toml").to_owned(),
            vec![("cells.csv", made::resistive(seed)?)],
        ),
        Starter::Cells => {
            (include_str!("../studies/init/cells.toml").to_owned(), vec![("cells.csv", made::cells(seed))])
        }
    };
    // The study's own opening comment says the same.
    let commands = study.lines().map_while(|line| line.strip_prefix('#'));
    let then: Vec<String> = commands
        .map(str::trim)
        .filter(|line| {
            ["mho data inspect", "mho fit", "mho run "].iter().any(|start| line.starts_with(start))
        })
        .map(str::to_owned)
        .collect();
    let then = if kind == Starter::ChargeTrap {
        ["mho data inspect idvg.csv state-currents.csv", "mho run study.toml"].map(str::to_owned).to_vec()
    } else {
        then
    };
    let files = std::iter::once(("study.toml", study)).chain(measurements).collect();
    Ok(Files { files, then })
}
