//! Every field of `array.toml` with its default, unit and meaning.

use super::ArrayConfig;

impl ArrayConfig {
    /// Every field with its unit, default and meaning, for `--explain-array`.
    pub fn explain() -> String {
        let mut text = String::from("# array.toml: every field with its default, unit and meaning\n");
        let mut section = "";
        for &(field, default, unit, meaning) in &FIELDS {
            let (table, key) = field.split_once('.').unwrap_or(("", field));
            if table != section {
                text.push_str(&format!("\n[{table}]\n"));
                section = table;
            }
            let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
            let entry = format!("{key} = {default}");
            text.push_str(&format!("{entry:<32} #{unit} {meaning}\n"));
        }
        text
    }
}

/// Field, default, unit, meaning.
const FIELDS: [(&str, &str, &str, &str); 25] = [
    (
        "array.rows",
        "1152",
        "",
        "inputs of one array; longer products are cut into equal tiles whose conversions are added digitally",
    ),
    ("array.columns", "256", "", "outputs of one array"),
    ("array.row_resistance_ohm", "0.0", "ohm", "wire between neighbouring cells of a row; only 0 so far"),
    (
        "array.column_resistance_ohm",
        "0.0",
        "ohm",
        "wire between neighbouring cells of a column; only 0 so far",
    ),
    (
        "array.topology",
        "\"input-source\"",
        "",
        "\"input-source\": the row supplies the current; \"gated\" is refused so far",
    ),
    (
        "mapping.style",
        "\"differential\"",
        "",
        "one cell of a pair carries |w|, the other the smallest current; \"two-sided\", \"offset-digital\", \"offset-column\" are refused so far",
    ),
    (
        "mapping.weight_bits",
        "8",
        "bit",
        "bits of a weight with its sign: 8 means 127 levels above zero in each cell",
    ),
    ("mapping.slices", "1", "", "cells that the bits of a weight are spread over; only 1 so far"),
    (
        "mapping.clip_percentile",
        "100.0",
        "percent",
        "percentile of |w| in a layer that takes the full current; larger weights are clipped and counted",
    ),
    (
        "mapping.subtract",
        "\"array\"",
        "",
        "the currents of a pair are subtracted before the conversion; \"digital\" is refused so far",
    ),
    ("input.bits", "8", "bit", "bits of an input, with its sign where it has one"),
    (
        "input.signed",
        "true",
        "",
        "inputs may be negative; a layer whose inputs never are (behind ReLU) uses all codes above zero all the same; false clips negative inputs and counts them",
    ),
    ("input.scheme", "\"parallel\"", "", "all bits at once; \"bit-serial\" is refused so far"),
    (
        "input.range",
        "\"calibrated\"",
        "activation",
        "\"calibrated\" on training images, \"maximum\" of the training images, or [lo, hi]",
    ),
    ("output.bits", "8", "bit", "bits of a conversion"),
    ("output.kind", "\"uniform\"", "", "equal steps with zero as a level; other kinds are refused so far"),
    (
        "output.range",
        "\"calibrated\"",
        "weight x activation",
        "\"calibrated\" on training images, \"maximum\" that the weights and inputs allow, or [lo, hi]",
    ),
    ("cell.current_max_na", "1600.0", "nA", "current of the largest weight"),
    (
        "cell.on_off_ratio",
        "1e7",
        "",
        "largest over smallest current; the smallest is that of a weight of zero",
    ),
    ("effects.programming", "true", "", "error of programming, drawn once per cell and trial"),
    (
        "effects.drift",
        "true",
        "",
        "drift with time, its mean and its random part; false evaluates the table at time 0",
    ),
    ("effects.dose_mean", "true", "", "shift of the median current with dose"),
    ("effects.dose_random", "true", "", "random part of the dose effect, drawn once per cell and trial"),
    ("effects.read_noise", "true", "", "noise of every read, drawn per conversion"),
    ("effects.temperature_k", "300.0", "K", "temperature of storage and read; only 300 so far"),
];
