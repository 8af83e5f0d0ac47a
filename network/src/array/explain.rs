//! Every field of `array.toml` with its default, unit and meaning.

use super::ArrayConfig;

impl ArrayConfig {
    /// Every field with its unit, default and meaning, for `--explain-array`.
    pub fn explain() -> String {
        let mut text = String::from("# array.toml: every field with its default, unit and meaning\n");
        let mut section = "";
        for &(field, default, unit, meaning) in FIELDS {
            let (table, key) = field.rsplit_once('.').unwrap_or(("", field));
            if table != section {
                let absent = matches!(table, "pulse" | "output.circuit");
                text.push_str(&format!("\n{}[{table}]\n", if absent { "# " } else { "" }));
                section = table;
            }
            let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
            // What is absent unless it is asked for stands as a comment with an example.
            let entry = match default.strip_prefix("none, or ") {
                Some(example) => format!("# {key} = {example}"),
                None => format!("{key} = {default}"),
            };
            text.push_str(&format!("{entry:<32} #{unit} {meaning}\n"));
        }
        text
    }
}

/// Field, default, unit, meaning.
const FIELDS: &[(&str, &str, &str, &str)] = &[
    (
        "array.rows",
        "1152",
        "",
        "inputs of one array; longer products are cut into tiles whose conversions are added digitally",
    ),
    ("array.columns", "256", "", "outputs of one array"),
    (
        "array.split",
        "\"equal\"",
        "",
        "\"equal\": the fewest arrays, as equally filled as possible; \"full\": full arrays first, the last one holds the rest",
    ),
    ("array.row_resistance_ohm", "0.0", "ohm", "wire between neighbouring cells of a row"),
    ("array.column_resistance_ohm", "0.0", "ohm", "wire between neighbouring cells of a column"),
    ("array.row_terminal_ohm", "0.0", "ohm", "added to the first segment of a row, at its driver"),
    (
        "array.column_terminal_ohm",
        "0.0",
        "ohm",
        "added to the last segment of a column, at its virtual ground",
    ),
    (
        "array.drive",
        "\"first\"",
        "",
        "end of the rows that is driven: \"first\" (the side of column 0), \"last\" or \"both\"",
    ),
    (
        "array.sense",
        "\"last\"",
        "",
        "end of the columns that is held at 0 V and read: \"first\" (the side of row 0), \"last\" or \"both\"",
    ),
    (
        "array.pairs",
        "\"separate\"",
        "",
        "the two cells of a pair: \"separate\" arrays, or \"interleaved\" on one node of a column line, the other cell on a row of its own with the opposite input (a difference with wires only)",
    ),
    (
        "array.topology",
        "\"input-source\"",
        "",
        "\"input-source\": the row supplies the current; \"gated\": the row gates the cell and a line along it supplies the current, cells of a zero input are off, inputs with a sign take two reads; \"gated-columns\": the same with a supply line beside each column, which has the resistances of rows",
    ),
    (
        "array.wire_tolerance",
        "0.0001",
        "",
        "largest error of the currents behind wires, as a part of their root mean square: arrays of the next trial, time or dose are corrected from a neighbour's solution where a check allows, else solved, and curved cells for each of their inputs; 0 to solve each to rounding",
    ),
    (
        "array.column_current_max_na",
        "none, or 1e5",
        "nA",
        "largest current of a column line; beyond it is limited and counted",
    ),
    (
        "mapping.style",
        "\"differential\"",
        "",
        "\"differential\": one cell of a pair carries |w|, the other the smallest current; \"two-sided\": both move about the middle; \"offset-digital\": one cell, the offset subtracted digitally; \"offset-column\": one cell, a reference column subtracted",
    ),
    (
        "mapping.weight_bits",
        "8",
        "bit",
        "bits of a weight with its sign: 8 means 127 levels above zero in each cell of a pair; 0 for any current",
    ),
    (
        "mapping.slices",
        "1",
        "",
        "cells that the bits of a weight are spread over, each converted, shifted and added",
    ),
    (
        "mapping.clip_percentile",
        "100.0",
        "percent",
        "percentile of |w| in a layer that takes the full current; larger weights are clipped and counted",
    ),
    (
        "mapping.weight_max",
        "none, or 1.0",
        "weight",
        "|w| that takes the full current in all layers, in place of clip_percentile",
    ),
    (
        "mapping.scale",
        "\"layer\"",
        "",
        "whose largest |w| takes the full current: \"layer\", or \"column\": every output has its own, made good by a digital factor behind its converter",
    ),
    (
        "mapping.bias",
        "\"digital\"",
        "",
        "\"digital\": added behind the converters; \"array\": by rows of cells at full input, as many as the largest bias of a layer needs, and one at a low input for what rounding to levels leaves, so that converters see sums with their bias",
    ),
    (
        "mapping.subtract",
        "\"array\"",
        "",
        "\"array\": the currents of a pair (of a column and its reference) are subtracted before the conversion; \"digital\": after two conversions",
    ),
    (
        "mapping.cells_per_weight",
        "1",
        "",
        "equal cells side by side for a weight, or a slice of it, whose currents add",
    ),
    (
        "mapping.convolution",
        "\"im2col\"",
        "",
        "\"im2col\": all taps of a convolution in one matrix, whose inputs are copied for every window; \"kernel-stationary\": each tap on arrays of its own, a layer `name[row,column]` whose products are added digitally (depthwise ones stay)",
    ),
    ("mapping.digital_layers", "[]", "", "layers that stay digital: names of nodes, \"first\", \"last\""),
    (
        "input.bits",
        "8",
        "bit",
        "bits of an input, with its sign where it has one (1 only with signed = false); 0 for analog inputs, which are not rounded",
    ),
    (
        "input.signed",
        "true",
        "",
        "inputs may be negative; a layer whose inputs never are (behind ReLU) uses all codes above zero all the same; false clips negative inputs and counts them",
    ),
    (
        "input.scheme",
        "\"parallel\"",
        "",
        "\"parallel\": all bits at once; \"bit-serial\": lowest bits first, slice_bits at a time",
    ),
    ("input.slice_bits", "1", "bit", "bits that \"bit-serial\" applies at once"),
    (
        "input.kind",
        "\"sign-magnitude\"",
        "",
        "levels of inputs with a sign: \"sign-magnitude\", zero among them; \"uniform\": 2^bits from end to end of the range, without zero",
    ),
    (
        "input.rounding",
        "\"nearest\"",
        "",
        "\"nearest\" level, or \"stochastic\": either neighbour at random, with the input itself as expectation",
    ),
    (
        "input.range",
        "\"calibrated\"",
        "activation",
        "\"calibrated\" on training images, \"maximum\" of the training images, { percentile = 99.9 } of the magnitudes, or [lo, hi], of which the larger magnitude counts",
    ),
    (
        "output.bits",
        "8",
        "bit",
        "bits of a conversion; 0 for no converter: sums are neither rounded nor clipped",
    ),
    (
        "output.kind",
        "\"uniform\"",
        "",
        "\"uniform\": 2^bits equal steps from end to end of the range, which is moved by less than a step for zero to be a level unless it is given; \"sign-magnitude\": 2^bits - 1 levels, zero among them; circuits: \"ramp\", \"sar\", \"pipeline\", \"cyclic\"",
    ),
    (
        "output.rounding",
        "\"nearest\"",
        "",
        "\"nearest\" level, or \"stochastic\": either neighbour at random, with the value itself as expectation; no circuits",
    ),
    (
        "output.range",
        "\"calibrated\"",
        "weight x activation",
        "\"calibrated\" on training images, \"maximum\" that the weights and inputs allow, \"granular\": one step is one step of a cell at one step of an input, exact while nothing saturates, { percentile = 99.9 } at both ends, { power_of_two = 99.9 }: the smallest 2^-k of the full current that holds that percentile, or [lo, hi] (with one slice)",
    ),
    (
        "output.conversion",
        "\"each-slice\"",
        "",
        "\"each-slice\" of bit-serial inputs is converted, or their charge is \"accumulated\" and converted once",
    ),
    (
        "output.circuit.gain_db",
        "none, or 80.0",
        "dB",
        "open-loop gain of the amplifiers of a circuit; inf without this table",
    ),
    (
        "output.circuit.sigma_capacitor",
        "none, or 0.01",
        "",
        "relative standard deviation of a smallest capacitor (ramp, SAR), or of those of a stage; drawn once per trial",
    ),
    (
        "output.circuit.sigma_parasitic",
        "none, or 0.01",
        "",
        "standard deviation of the parasitic capacitance at a stage's amplifier over its first capacitor",
    ),
    (
        "output.circuit.sigma_comparator",
        "none, or 0.002",
        "",
        "standard deviation of comparator offsets over the reference voltage",
    ),
    (
        "output.circuit.bank",
        "none, or \"symmetric\"",
        "",
        "bank of capacitors of ramp and SAR: \"symmetric\", \"unsigned\", \"split\"",
    ),
    (
        "output.circuit.columns_per_converter",
        "none, or 8",
        "",
        "columns that share one SAR, pipeline or cyclic converter",
    ),
    (
        "cell.current_max_na",
        "none, or 1600.0",
        "nA",
        "current of the largest weight; by default the range of the device table, and 1600 without a table",
    ),
    (
        "cell.on_off_ratio",
        "1e7",
        "",
        "largest over smallest current; the smallest is that of a weight of zero; inf for cells that switch off; at 1e7 the least current of a table counts that has one",
    ),
    (
        "cell.conductance_max_us",
        "none, or 16.0",
        "uS",
        "in place of current_max_na: the current at read_voltage_v",
    ),
    ("cell.conductance_min_us", "none, or 0.16", "uS", "in place of on_off_ratio"),
    (
        "cell.read_voltage_v",
        "0.1",
        "V",
        "voltage across a cell at full input; with wires and with conductances only",
    ),
    (
        "cell.table_voltage_v",
        "none, or 0.9",
        "V",
        "read voltage at which the device table is asked, if it knows several; where those are of the drain, it is that of a full input, and inputs of several levels see the current of the table at each of theirs",
    ),
    ("cell.stuck_at_min", "0.0", "", "fraction of the cells that stay at the smallest current"),
    ("cell.stuck_at_max", "0.0", "", "fraction of the cells that stay at the largest current"),
    (
        "cell.spread",
        "1.0",
        "",
        "factor on the spread from device to device of the table (on the normal score of each cell)",
    ),
    (
        "pulse.cell",
        "none, or \"current-source\"",
        "",
        "with the table [pulse], inputs are pulse widths on precharged lines; cells are a \"current-source\" or \"resistive\"",
    ),
    ("pulse.precharge_v", "none, or 1.0", "V", "voltage of a charged line"),
    ("pulse.swing_v", "none, or 0.5", "V", "voltage drop of a line at the active fraction"),
    ("pulse.saturation_v", "none, or 0.5", "V", "line voltage below which current sources leave saturation"),
    (
        "pulse.active_fraction",
        "none, or 0.25",
        "",
        "fraction of the full current of a line that makes the swing; more is counted",
    ),
    (
        "pulse.time_levels",
        "none, or 64",
        "",
        "widths of a pulse, none among them: a power of two; 0 for those of input.bits",
    ),
    ("pulse.cell_capacitance_f", "none, or 1e-16", "F", "capacitance of a line per cell"),
    ("pulse.linearise", "none, or false", "", "take the logarithm of a resistive line after its conversion"),
    (
        "effects.programming",
        "true",
        "",
        "error of programming, drawn once per cell and trial; stuck cells with it",
    ),
    (
        "effects.drift",
        "true",
        "",
        "drift with time, its mean and its random part; false evaluates the table at time 0",
    ),
    ("effects.dose_mean", "true", "", "shift of the median current with dose"),
    ("effects.dose_random", "true", "", "random part of the dose effect, drawn once per cell and trial"),
    ("effects.read_noise", "true", "", "noise of every read, drawn per conversion"),
    (
        "effects.temperature_k",
        "300.0",
        "K",
        "temperature of storage and read; a table of a history brings its own",
    ),
    (
        "effects.drift_compensation",
        "\"none\"",
        "",
        "gain of the read-out against drift: \"none\", \"global\" for a layer, \"per-column\"",
    ),
    ("effects.refresh_period_s", "0.0", "s", "time after which all cells are programmed anew; 0 for never"),
];
