//! `mho models [NAME]`: the device models with their parameters, units, bounds and sources.

use mho_compact::export::aihwkit;
use mho_compact::model::{self, Entry, ModelInfo, ParameterInfo};
use mho_data::table::number;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What `mho models` takes.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  mho models\n  mho models sonos-retention\n  mho models pcm --card pcm.toml\n  mho --json models ekv"
)]
pub struct Models {
    /// Name of one model, to see all of it; without it, the list.
    pub name: Option<String>,
    /// Write a device card with the defaults of the model (those that were published, or assumed), to use or to edit
    #[arg(long, value_name = "CARD.toml", requires = "name")]
    pub card: Option<PathBuf>,
}

/// The list as text, one line a model.
pub fn list() -> String {
    let width = model::registry().iter().map(|model| model.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for model in model::registry() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {}", model.name, model.title);
        let names: Vec<&str> = model.parameters.iter().map(|parameter| parameter.name).collect();
        let _ = writeln!(text, "{:width$}    {}", "", names.join(", "));
    }
    text.push_str("\n`mho models NAME` shows the law, bounds and sources of one.\n");
    text
}

/// One model in full, as text.
pub fn page(model: &ModelInfo) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} (version {})\n{}\n", model.name, model.version, model.title);
    let _ = writeln!(text, "law\n  {}\n\nvalidity\n  {}\n", model.law, model.validity);
    let _ = writeln!(text, "use\n  {}\n", uses(model).join("\n  "));
    text.push_str("parameters\n");
    for parameter in model.parameters {
        text.push_str(&paragraph(parameter));
    }
    text.push_str("\nreferences\n");
    for reference in model.references {
        let _ = writeln!(text, "  {reference}");
    }
    text
}

/// Commands that take the model, with what they need and give.
fn uses(model: &ModelInfo) -> Vec<String> {
    let name = model.name;
    let mut uses = Vec::new();
    let entry = model::entry(name);
    if let Some(entry) = entry.filter(|entry| entry.fitting.is_some()) {
        let kinds: Vec<&str> = entry.kinds.iter().map(|kind| kind.title()).collect();
        uses.push(format!("mho fit {name} FILES: from {}", kinds.join(" or ")));
    }
    if name == mho_compact::ekv::INFO.name {
        uses.push(format!("mho fit {name} FILES: from I_D(V_G) sweeps, one fit a sweep"));
    }
    if let Some(Entry { simulation, .. }) = entry {
        let (axes, results) = (simulation.axes.join(", "), simulation.results.join(", "));
        uses.push(format!("mho simulate CARD.toml: {results} over {axes}"));
    }
    let mut forms = Vec::new();
    if entry.is_some_and(|entry| entry.circuit.is_some()) {
        forms.extend(["spice", "verilog-a"]);
    }
    if aihwkit::MODELS.contains(&name) {
        forms.push("aihwkit");
    }
    if name.starts_with("update-") {
        forms.extend(["crosssim-set", "crosssim-reset"]);
    }
    if !forms.is_empty() {
        uses.push(format!("mho export CARD.toml --to {}", forms.join("|")));
    }
    uses
}

fn paragraph(parameter: &ParameterInfo) -> String {
    let ParameterInfo { name, unit, default, lower, upper, .. } = parameter;
    let unit = if *unit == "1" { "" } else { unit };
    let kind = format!("{:?}", parameter.kind).to_lowercase();
    let scale = format!("{:?}", parameter.transform).to_lowercase();
    format!(
        "  {name} = {} {unit}\n      {}\n      from {} to {}, {scale} scale; {kind}: {}\n",
        number(*default),
        parameter.meaning,
        number(*lower),
        number(*upper),
        parameter.source,
    )
    .replace(" \n", "\n")
}

/// One model, or all of them, as a JSON document.
///
/// # Errors
/// When a value has no form in JSON; every model of the registry has one.
pub fn document(one: Option<&ModelInfo>) -> Result<String, serde_json::Error> {
    let models: Vec<&ModelInfo> = one.map_or_else(|| model::registry().to_vec(), |model| vec![model]);
    serde_json::to_string_pretty(&serde_json::json!({ "schema": 1, "models": models }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_listed_with_all_it_needs() {
        let text = list();
        for model in model::registry() {
            assert!(text.contains(model.name));
            let page = page(model);
            for parameter in model.parameters {
                assert!(page.contains(parameter.name) && page.contains(parameter.source));
                assert!(!parameter.source.is_empty() && !parameter.meaning.is_empty());
                assert!(!parameter.unit.is_empty(), "{}: {}", model.name, parameter.name);
                assert!(parameter.lower <= parameter.default && parameter.default <= parameter.upper);
            }
            assert!(!model.references.is_empty() && !model.validity.is_empty(), "{}", model.name);
            // An equation, and what can be done with it.
            assert!(model.law.contains('='), "{}: {}", model.name, model.law);
            assert!(page.contains("mho simulate CARD.toml"), "{page}");
        }
        let json: serde_json::Value = serde_json::from_str(&document(None).unwrap()).unwrap();
        assert_eq!(json["models"].as_array().unwrap().len(), model::registry().len());
    }
}
