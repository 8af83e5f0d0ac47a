//! Transistor sweeps as one long table.

use super::{MdmFile, Sweep};
use crate::error::InputError;
use crate::reader::geometry::{Geometry, stem};
use crate::reader::header::Field;
use crate::reader::rows::Rows;

/// Part of the compliance from which a reading counts as limited: instruments stop within a percent of
/// the set value.
const AT_COMPLIANCE: f64 = 0.99;

/// What the terminals of a transistor are called in the names of inputs and outputs.
const TERMINALS: [(&[&str], &[&str]); 4] = [
    (&["vd", "vds", "vdrain"], &["id", "ids", "idrain"]),
    (&["vg", "vgs", "vgate"], &["ig", "igs", "igate"]),
    (&["vb", "vbs", "vbulk", "vsub", "vbody"], &["ib", "ibs", "ibulk", "isub", "ibody"]),
    (&["vs", "vsource"], &["is", "isource"]),
];

/// Transistor sweeps on their way into a table, whichever terminal was swept.
pub(super) fn add(file: &MdmFile, rows: &mut Rows) -> Result<(), InputError> {
    for (terminal, what) in [(2, "body"), (3, "source")] {
        if file.terminal(terminal).0.is_none() {
            rows.assumptions.push(format!("{}: no {what} voltage: 0 V assumed", file.name));
        }
    }
    for sweep in file.sweeps.iter().filter(|sweep| !sweep.is_empty()) {
        let mut columns: Vec<(Field, Vec<f64>)> = Vec::new();
        for (terminal, (volts, amperes)) in FIELDS.into_iter().enumerate() {
            let (volt, ampere) = file.terminal(terminal);
            let series = |name: Option<&str>| name.and_then(|name| file.series(sweep, name));
            match series(volt) {
                Some(values) => columns.push((volts, values)),
                None if terminal < 2 => {
                    let found = "a block without the drain or gate voltage";
                    return Err(InputError::new(&file.name, found, "both, as a column, an ICCAP_VAR or CON")
                        .at_line(sweep.line));
                }
                None => columns.push((volts, vec![0.0; sweep.len()])),
            }
            match (series(ampere), amperes) {
                (Some(values), Some(field)) => columns.push((field, values)),
                (None, Some(Field::Current)) => {
                    let found = "a block without the drain current";
                    return Err(InputError::new(&file.name, found, "its column, as ICCAP_OUTPUTS promises")
                        .at_line(sweep.line));
                }
                _ => {}
            }
        }
        super::add_sweep(file, sweep, &columns, rows);
    }
    Ok(())
}

/// Voltage and current of the terminals in the table.
const FIELDS: [(Field, Option<Field>); 4] = [
    (Field::DrainV, Some(Field::Current)),
    (Field::GateV, Some(Field::GateI)),
    (Field::BodyV, Some(Field::BodyI)),
    (Field::SourceV, None),
];

impl MdmFile {
    /// Name of the device: the file's name without folder, extension and the kind of sweep in it, so that
    /// the files of one device agree; or `DEV_NAME` of the header.
    pub fn device(&self) -> String {
        if let Some(name) = self.value("DEV_NAME").filter(|name| !name.is_empty()) {
            return name.to_owned();
        }
        let stem = stem(&self.name);
        let mut name = stem.to_owned();
        for kind in ["_IDVG", "_IDVD", "_idvg", "_idvd"] {
            name = name.replace(kind, "");
        }
        if name.is_empty() { stem.to_owned() } else { name }
    }

    /// Dimensions, from the header's variables or from the file's name.
    pub fn geometry(&self) -> Geometry {
        self.drawn().or(Geometry::from_name(&self.name))
    }

    /// Dimensions by the header's variables.
    pub(super) fn drawn(&self) -> Geometry {
        let length = |key: &str| self.value(key).and_then(metres).map_or(f64::NAN, |metres| metres * 1e6);
        let multiplicity = ["M", "MULT", "NF"]
            .iter()
            .find_map(|key| self.value(key)?.parse::<f64>().ok())
            .filter(|value| value.is_finite() && *value > 0.0);
        Geometry {
            width_um: length("W"),
            length_um: length("L"),
            multiplicity: multiplicity.unwrap_or(f64::NAN),
        }
    }

    /// Temperature (K) that the header says (`TEMP`, in Celsius), if it does.
    pub fn temperature_k(&self) -> Option<f64> {
        let celsius: f64 = self.value("TEMP")?.trim_end_matches(['C', 'c', ' ']).parse().ok()?;
        let kelvin = celsius + 273.15;
        (kelvin.is_finite() && kelvin > 0.0).then_some(kelvin)
    }

    /// Names of the voltage and the current of a terminal (0 drain, 1 gate, 2 body, 3 source) here.
    fn terminal(&self, terminal: usize) -> (Option<&str>, Option<&str>) {
        let (volts, amperes) = TERMINALS[terminal];
        let is = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let volt = self.inputs.iter().find(|input| input.mode == "V" && is(volts, &input.name));
        let ampere = self.outputs.iter().find(|output| output.mode == "I" && is(amperes, &output.name));
        (volt.map(|input| input.name.as_str()), ampere.map(|output| output.name.as_str()))
    }

    /// Whether the file holds drain currents of a transistor.
    pub fn is_transistor(&self) -> bool {
        self.terminal(0).0.is_some() && self.terminal(1).0.is_some() && self.terminal(0).1.is_some()
    }
}

/// `100u`, `0.24u`, `1e-5` or `10` (µm, as nothing is a metre wide) in metres.
fn metres(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('m');
    let (number, factor) = match text.char_indices().next_back()? {
        (at, 'u' | 'µ') => (&text[..at], 1e-6),
        (at, 'n') => (&text[..at], 1e-9),
        _ => (text, 1.0),
    };
    let value = number.parse::<f64>().ok()? * factor;
    let value = if factor == 1.0 && value > 1e-3 { value * 1e-6 } else { value };
    (value.is_finite() && value > 0.0).then_some(value)
}

/// Whether a current of each row is at the limit of its unit.
pub(super) fn limited(file: &MdmFile, sweep: &Sweep) -> Vec<bool> {
    let mut limited = vec![false; sweep.len()];
    for output in &file.outputs {
        let (Some(limit), Some(values)) = (file.compliance_a(&output.name), sweep.column(&output.name))
        else {
            continue;
        };
        for (flag, value) in limited.iter_mut().zip(values) {
            *flag |= output.mode == "I" && value.abs() >= AT_COMPLIANCE * limit;
        }
    }
    limited
}
