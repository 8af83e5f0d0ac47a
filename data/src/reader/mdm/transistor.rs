//! Transistor sweeps as one long table.

use super::{MdmFile, Sweep, read};
use crate::error::InputError;
use crate::measurement::{Kind, Measurement, Sidecar};
use crate::provenance::Origin;
use crate::reader::File;
use crate::reader::geometry::{Geometry, stem};
use crate::table::Table;

/// Temperature where a file does not say (K).
const ASSUMED_TEMPERATURE_K: f64 = 300.0;

/// Part of the compliance from which a reading counts as limited: instruments stop within a percent of
/// the set value.
const AT_COMPLIANCE: f64 = 0.99;

/// Number columns of the table, in order.
const COLUMNS: [&str; 16] = [
    "dose_krad_si",
    "time_s",
    "temperature_k",
    "vd_v",
    "vg_v",
    "vb_v",
    "vs_v",
    "id_a",
    "ig_a",
    "ib_a",
    "width_um",
    "length_um",
    "multiplicity",
    "compliance",
    "file",
    "sweep",
];

/// What the terminals of a transistor are called in the names of inputs and outputs.
const TERMINALS: [(&[&str], &[&str]); 4] = [
    (&["vd", "vds", "vdrain"], &["id", "ids", "idrain"]),
    (&["vg", "vgs", "vgate"], &["ig", "igs", "igate"]),
    (&["vb", "vbs", "vbulk", "vsub", "vbody"], &["ib", "ibs", "ibulk", "isub", "ibody"]),
    (&["vs", "vsource"], &["is", "isource"]),
];

/// Reads files of transistors, one after the other, into one table.
///
/// # Errors
/// The first thing that is wrong with a file.
pub fn read_transistors(files: &[File<'_>]) -> Result<Measurement, InputError> {
    let files: Vec<MdmFile> =
        files.iter().map(|(name, bytes)| read(name, bytes)).collect::<Result<_, _>>()?;
    measurement(&files)
}

/// The transistor sweeps of some files as one measurement of kind [`Kind::IdVg`], whichever terminal was
/// swept.
///
/// Columns: `device, state` (empty), `dose_krad_si` and `time_s` (0, assumed), `temperature_k`, `vd_v,
/// vg_v, vb_v, vs_v, id_a, ig_a, ib_a` (A into the terminal; NaN where not measured), `width_um,
/// length_um, multiplicity` (NaN where unknown), `compliance` (1 at the limit of a unit), `file` (number
/// of the file, from 0), `sweep` (number of the inner sweep, from 0).
///
/// # Errors
/// When a file has no drain or gate voltage or no drain current, or there are no rows.
pub fn measurement(files: &[MdmFile]) -> Result<Measurement, InputError> {
    let mut table = Builder::default();
    for (index, file) in files.iter().enumerate() {
        table.add(index, file)?;
    }
    table.finish(files)
}

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
        .or(Geometry::from_name(&self.name))
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

#[derive(Default)]
struct Builder {
    device: Vec<String>,
    numbers: [Vec<f64>; COLUMNS.len()],
    places: Vec<(String, usize)>,
    assumptions: Vec<String>,
    sweeps: usize,
}

impl Builder {
    fn add(&mut self, index: usize, file: &MdmFile) -> Result<(), InputError> {
        if !file.is_transistor() {
            let inputs: Vec<&str> = file.inputs.iter().map(|input| input.name.as_str()).collect();
            let outputs: Vec<&str> = file.outputs.iter().map(|output| output.name.as_str()).collect();
            return Err(InputError::new(
                &file.name,
                format!("inputs {} and outputs {}", inputs.join(", "), outputs.join(", ")),
                "a transistor: inputs VD and VG, an output ID",
            ));
        }
        let mut assume = |what: &str| self.assumptions.push(format!("{}: {what}", file.name));
        let temperature = file.temperature_k().unwrap_or_else(|| {
            assume("no temperature: 300 K assumed");
            ASSUMED_TEMPERATURE_K
        });
        for (terminal, what) in [(2, "no body voltage: 0 V assumed"), (3, "no source voltage: 0 V assumed")] {
            if file.terminal(terminal).0.is_none() {
                assume(what);
            }
        }
        assume("no dose and time: 0 krad(Si) and 0 s assumed");
        let (device, geometry) = (file.device(), file.geometry());
        for sweep in file.sweeps.iter().filter(|sweep| !sweep.is_empty()) {
            let rows = sweep.len();
            let series = |name: Option<&str>, absent: f64| {
                name.and_then(|name| file.series(sweep, name)).unwrap_or_else(|| vec![absent; rows])
            };
            let volts: Vec<Vec<f64>> = [0, 1, 2, 3]
                .iter()
                .map(|&terminal| series(file.terminal(terminal).0, if terminal < 2 { f64::NAN } else { 0.0 }))
                .collect();
            if volts[..2].iter().flatten().any(|volt| volt.is_nan()) {
                return Err(InputError::new(
                    &file.name,
                    "a block without the drain or gate voltage",
                    "both, as a column, an ICCAP_VAR or CON",
                )
                .at_line(sweep.line));
            }
            let amperes: Vec<Vec<f64>> =
                [0, 1, 2].iter().map(|&terminal| series(file.terminal(terminal).1, f64::NAN)).collect();
            if amperes[0].iter().any(|ampere| ampere.is_nan()) {
                return Err(InputError::new(
                    &file.name,
                    "a block without the drain current",
                    "its column, as ICCAP_OUTPUTS promises",
                )
                .at_line(sweep.line));
            }
            let limited = limited(file, sweep);
            for row in 0..rows {
                self.device.push(device.clone());
                self.places.push((file.name.clone(), sweep.lines[row]));
                let values = [
                    0.0,
                    0.0,
                    temperature,
                    volts[0][row],
                    volts[1][row],
                    volts[2][row],
                    volts[3][row],
                    amperes[0][row],
                    amperes[1][row],
                    amperes[2][row],
                    geometry.width_um,
                    geometry.length_um,
                    geometry.multiplicity,
                    f64::from(u8::from(limited[row])),
                    index as f64,
                    self.sweeps as f64,
                ];
                for (column, value) in self.numbers.iter_mut().zip(values) {
                    column.push(value);
                }
            }
            self.sweeps += 1;
        }
        Ok(())
    }

    fn finish(self, files: &[MdmFile]) -> Result<Measurement, InputError> {
        if self.device.is_empty() {
            let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
            return Err(InputError::new(name, "no rows", "measured values"));
        }
        let rows = self.device.len();
        let mut table =
            Table::new().with_text("device", self.device).with_text("state", vec![String::new(); rows]);
        for (name, values) in COLUMNS.into_iter().zip(self.numbers) {
            table.push_float(name, values);
        }
        let gather = |of: fn(&MdmFile) -> &[String]| files.iter().flat_map(of).cloned().collect::<Vec<_>>();
        let mut notes = gather(|file| &file.notes);
        notes.extend(gather(|file| &file.incomplete));
        let sidecar = Sidecar {
            schema: 1,
            kind: Kind::IdVg,
            origin: Origin::Measured,
            dropped: files.iter().flat_map(|file| &file.dropped).cloned().collect(),
            assumptions: self.assumptions,
            notes,
            preamble: files
                .iter()
                .flat_map(|file| file.values.iter().map(|(key, value)| format!("{key}: {value}")))
                .collect(),
        };
        Ok(Measurement { table, sidecar, places: self.places })
    }
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
