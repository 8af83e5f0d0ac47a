//! Data sets of images, and published statistics: what is there, and how to have the rest.

use crate::cli::{Answer, CliError, Globals};
use mho_data::InputError;
use mho_data::dataset::{self, About};
use mho_data::published::{PublishedSonos, SETS};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where a data set stands.
fn standing(about: &About) -> (&'static str, Option<PathBuf>) {
    if about.built_in {
        return ("built in", None);
    }
    match dataset::location(about.name) {
        Some(folder) => ("found", Some(folder)),
        None => ("absent", None),
    }
}

pub(super) fn list(globals: &Globals) -> Answer {
    let published: Vec<PublishedSonos> =
        SETS.iter().map(|(name, _)| PublishedSonos::named(name)).collect::<Result<_, InputError>>()?;
    if globals.json {
        let sets: Vec<Value> = dataset::KNOWN
            .iter()
            .map(|about| {
                let (standing, folder) = standing(about);
                json!({
                    "name": about.name, "standing": standing, "folder": folder,
                    "train": about.sizes.0, "test": about.sizes.1,
                    "citation": about.citation, "licence": about.licence,
                })
            })
            .collect();
        let published: Vec<Value> = published
            .iter()
            .map(|set| json!({ "name": set.name, "title": set.title, "citation": set.citation }))
            .collect();
        let arrays: Vec<Value> = dataset::sample_sets()
            .iter()
            .map(|(name, folder)| json!({ "name": name, "folder": folder }))
            .collect();
        let document = json!({ "schema": 1, "datasets": sets, "arrays": arrays, "published": published });
        return Ok(format!("{document:#}\n"));
    }
    let mut text = String::new();
    let mut absent = false;
    for about in &dataset::KNOWN {
        let (standing, folder) = standing(about);
        absent |= standing == "absent";
        let place = folder.map_or_else(String::new, |folder| format!(" in {}", folder.display()));
        let _ = writeln!(
            text,
            "{:<14} {:>6} + {:>5} images  {standing}{place}\n    {}\n    licence: {}",
            about.name, about.sizes.0, about.sizes.1, about.citation, about.licence
        );
    }
    let arrays = dataset::sample_sets();
    if !arrays.is_empty() {
        text.push_str("\nArrays of your own (test-inputs.npy, test-labels.npy):\n");
    }
    for (name, folder) in arrays {
        let _ = writeln!(text, "{name:<14} in {}", folder.display());
    }
    text.push_str("\nPublished statistics of devices, built in:\n");
    for set in &published {
        let _ = writeln!(text, "{:<14} {}\n    {}", set.name, set.title, set.citation);
    }
    if absent {
        text.push_str(&how_to_obtain("NAME", &dataset::FILES));
    }
    text.push_str(
        "\nA folder MHO_DATA/NAME with test-inputs.npy (samples first) and test-labels.npy, and likewise train-,\n\
         is a data set of arrays; MHO_DATA/networks/NAME.safetensors is a network that figures find.\n",
    );
    Ok(text)
}

/// What a person does to have a data set that does not come with mho.
fn how_to_obtain(name: &str, files: &[&str]) -> String {
    format!(
        "\nTo have one that is absent, put its files (plain or .gz: {}) into a folder, then either\n  \
         mho data get {name} --from FOLDER\nor set MHO_DATA to the folder that holds the folder `{name}`.\n",
        files.join(", ")
    )
}

pub(super) fn get(name: &str, from: Option<&Path>, globals: &Globals) -> Answer {
    let Some(about) = dataset::about(name) else {
        let known = dataset::KNOWN.map(|about| about.name).join(", ");
        return Err(CliError::Usage(format!("no data set `{name}`: one of {known}")));
    };
    if about.built_in {
        return Err(CliError::Usage(format!("{name} is built in: there is nothing to install")));
    }
    let Some(from) = from else {
        return Err(CliError::Usage(format!("nothing is downloaded.{}", how_to_obtain(name, about.files))));
    };
    let into = dataset::install_folder()
        .ok_or_else(|| CliError::failed("no folder to install into: set XDG_DATA_HOME or HOME"))?;
    let folder = match from.parent() {
        Some(parent) if from.is_file() => parent,
        _ => from,
    };
    let place = dataset::install(name, folder, &into)?;
    if globals.json {
        let document = json!({ "schema": 1, "name": name, "folder": place, "citation": about.citation });
        return Ok(format!("{document:#}\n"));
    }
    Ok(format!(
        "{name}: {} + {} images, content {}, in {}\n",
        about.sizes.0,
        about.sizes.1,
        if about.is_compared() { "as known" } else { "of the right form" },
        place.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_sets_are_listed_and_never_downloaded() {
        let json: Value =
            serde_json::from_str(&list(&Globals { json: true, ..Globals::default() }).unwrap()).unwrap();
        assert_eq!(json["datasets"][0]["standing"], "built in");
        assert_eq!(json["published"].as_array().unwrap().len(), SETS.len());
        for name in ["mnist", "digits", "imagenet"] {
            assert_eq!(get(name, None, &Globals::default()).unwrap_err().code(), 2);
        }
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(get("mnist", Some(empty.path()), &Globals::default()).unwrap_err().code(), 3);
    }
}
