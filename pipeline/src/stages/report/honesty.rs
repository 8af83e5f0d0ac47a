//! What is measured, what is synthetic, what is assumed.

use crate::report::Page;
use crate::stage::Context;
use mho_data::measurement::Measurement;
use mho_data::provenance::Origin;

/// Of a device that came as cards or measured cells.
pub(super) fn of_own_device(page: &mut Page, context: &Context<'_>) {
    page.section("What this is, and what it is not");
    page.text(
        "The device is known by its cards or its measured cells alone: what none of them holds is left out, and the notes \
         of its tables say what. The networks were trained here, and every accuracy was computed on test images that \
         training never saw.",
    );
    let origins: Vec<String> = context
        .inputs("tables")
        .iter()
        .filter(|artifact| artifact.output() == "origin")
        .map(|artifact| format!("{}: {}", artifact.target(), String::from_utf8_lossy(&artifact.bytes)))
        .collect();
    page.text(&format!("Where the device's numbers come from. {}.", origins.join("; ")));
    if origins.iter().any(|origin| origin.ends_with(Origin::Synthetic.label())) {
        page.text(
            "SYNTHETIC, not measured: the device's data were made by a generator. The accuracies check the way from \
             measurement to network; they say nothing of any device.",
        );
    }
}

pub(super) fn honesty(page: &mut Page, measurements: &[(String, Measurement)]) {
    page.section("What this is, and what it is not");
    page.text(
        "Programming spread, drift and read noise come from published measurements of 40 nm SONOS arrays. The networks \
         were trained here, and every accuracy was computed on test images that training never saw.",
    );
    let synthetic: Vec<&str> = measurements
        .iter()
        .filter(|(_, m)| m.sidecar.origin == Origin::Synthetic)
        .map(|(_, m)| m.sidecar.kind.title())
        .collect();
    if !synthetic.is_empty() {
        page.text(&format!(
            "SYNTHETIC, not measured: {}. No measured ones are public. A generator made them from device physics with a \
             charge profile, a self-consistent surface potential and a spread from cell to cell that the fitted forms do \
             not have, plus instrument noise. A dose curve that rests on them is a model prediction from textbook \
             constants, not a validation. Give your own files with --set idvg.files=… and --set currents.files=….",
            synthetic.join("; ")
        ));
    }
}

pub(super) fn what_was_read(page: &mut Page, measurements: &[(String, Measurement)]) {
    if measurements.is_empty() {
        return;
    }
    page.section("Measurements");
    let rows: Vec<Vec<String>> = measurements
        .iter()
        .map(|(name, m)| {
            vec![
                name.clone(),
                m.sidecar.kind.title().into(),
                m.sidecar.origin.label().into(),
                m.table.len().to_string(),
                m.sidecar.dropped.len().to_string(),
            ]
        })
        .collect();
    page.table(&["target", "what", "origin", "rows", "dropped rows"], &rows);
    let mut notes = Vec::new();
    for (name, m) in measurements {
        notes.extend(
            m.sidecar.dropped.iter().map(|d| format!("{name}: {}:{} dropped: {}", d.file, d.line, d.reason)),
        );
        notes.extend(
            m.sidecar.assumptions.iter().chain(&m.sidecar.notes).map(|text| format!("{name}: {text}")),
        );
    }
    if !notes.is_empty() {
        page.list(&notes);
    }
}

pub(super) fn assumptions(page: &mut Page) {
    page.section("What is assumed");
    page.list(
        &[
            "No measured threshold voltages against dose of 40 nm SONOS cells are public. Pair generation (8.1e12 per cm³ \
             and rad), escape yield and capture come from textbooks; layer thicknesses, gate work function and capture \
             efficiency are assumed.",
            "The sign of V_{inf} is open: with another gate or a counter-doped channel the fixed point lies on the other \
             side of neutral. It is varied under \"choice of model\".",
            "The random part is a counting estimate on an assumed gate area. The published growth of the spread bounds \
             the area to at least 0.04 µm²; it is varied under \"choice of model\".",
            "An in-situ experiment (Xiao et al., IEEE TNS 72(4) 1243, 2025, abstract) blames the loss almost entirely on \
             state-dependent current shifts. Mean and random parts are separate switches here, and neither is claimed \
             to dominate in real arrays.",
            "A published test (Xiao et al., IEEE TNS 68(5) 762, 2021, abstract) tolerated between 10 and 100 krad(Si) on \
             CIFAR-10 and ImageNet, deeper networks less. These networks and data are other ones: nothing here \
             validates or refutes that.",
            "Dose comes first, then time. Reads are at 300 K. Wires have no resistance. The read noise of the IEDM 2022 set stands \
             in for the TCAS-I 2022 set.",
            "The IEDM 2022 points are samples of published polynomials, not independent measurements: the intervals \
             of their fits are too narrow.",
            "Cell-to-cell spread of D_{c}: ln D_{c} has a standard deviation of 0.1 unless the study says otherwise (assumed).",
        ]
        .map(str::to_owned),
    );
}
