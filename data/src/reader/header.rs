//! Which column is what, and in which unit.

use super::units::{Quantity, Unit};
use crate::error::InputError;
use crate::measurement::Kind;

/// A quantity that a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Device,
    State,
    Dose,
    Time,
    Temperature,
    DrainV,
    GateV,
    Current,
    Compliance,
    Threshold,
    ThresholdStd,
    BodyV,
    SourceV,
    GateI,
    BodyI,
    Width,
    Length,
    Multiplicity,
    Voltage,
    Capacitance,
    Ramp,
    Pulse,
    ReadV,
}

/// A column that is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) field: Field,
    pub(super) unit: Unit,
    /// Whether the state is a label.
    pub(super) as_text: bool,
}

impl Field {
    const ALL: [Self; 23] = [
        Self::Device,
        Self::State,
        Self::Dose,
        Self::Time,
        Self::Temperature,
        Self::DrainV,
        Self::GateV,
        Self::Current,
        Self::Compliance,
        Self::Threshold,
        Self::ThresholdStd,
        Self::BodyV,
        Self::SourceV,
        Self::GateI,
        Self::BodyI,
        Self::Width,
        Self::Length,
        Self::Multiplicity,
        Self::Voltage,
        Self::Capacitance,
        Self::Ramp,
        Self::Pulse,
        Self::ReadV,
    ];

    /// Names by which it goes, in lower case without spaces, underscores and units.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Device => &[
                "device",
                "dut",
                "cell",
                "deviceid",
                "devicename",
                "cellid",
                "sample",
                "sampleid",
                "chip",
                "die",
            ],
            Self::State => &["state", "target", "level"],
            Self::Dose => &["dose", "tid", "totaldose", "totalionizingdose"],
            Self::Time => &["time", "t", "elapsed", "elapsedtime", "timestamp"],
            Self::Temperature => &["temperature", "temp", "t"],
            Self::DrainV => &["vd", "vds", "drainv", "vdrain", "drainvoltage"],
            Self::GateV => &["vg", "vgs", "gatev", "vgate", "gatevoltage"],
            Self::Current => &[
                "id",
                "ids",
                "draini",
                "current",
                "i",
                "idrain",
                "draincurrent",
                "icell",
                "cellcurrent",
                "readcurrent",
                "iread",
                "ia",
                "ianode",
                "anodei",
                "conductance",
                "g",
            ],
            Self::Compliance => &["compliance", "comp", "limited"],
            Self::Threshold => &["vt", "vth", "threshold", "thresholdvoltage"],
            Self::ThresholdStd => &["vtstd", "vthstd", "vtsigma", "vthsigma", "thresholdstd"],
            Self::BodyV => &[
                "vb",
                "vbs",
                "bulkv",
                "bodyv",
                "vbulk",
                "vbody",
                "vsub",
                "bulkvoltage",
                "bodyvoltage",
                "substratevoltage",
            ],
            Self::SourceV => &["vs", "sourcev", "vsource", "sourcevoltage"],
            Self::GateI => &["ig", "igs", "gatei", "igate", "gatecurrent"],
            Self::BodyI => &["ib", "ibs", "bulki", "bodyi", "ibulk", "ibody", "isub"],
            Self::Width => &["width", "w", "gatewidth", "channelwidth"],
            Self::Length => &["length", "l", "gatelength", "channellength"],
            Self::Multiplicity => &["multiplicity", "mult", "m"],
            Self::Voltage => &["voltage", "v", "va", "vanode", "anodev", "bias"],
            Self::Capacitance => &["capacitance", "c", "cp", "cs", "cap"],
            Self::Ramp => &["ramp", "train"],
            Self::Pulse => &["pulse", "pulses", "pulsenumber"],
            Self::ReadV => &["readv", "vread", "readvoltage"],
        }
    }

    pub(super) fn quantity(self) -> Quantity {
        match self {
            Self::Device | Self::State | Self::Compliance | Self::Multiplicity | Self::Ramp | Self::Pulse => {
                Quantity::Number
            }
            Self::Dose => Quantity::Dose,
            Self::Time => Quantity::Time,
            Self::Temperature => Quantity::Temperature,
            Self::DrainV
            | Self::GateV
            | Self::BodyV
            | Self::SourceV
            | Self::Voltage
            | Self::ReadV
            | Self::Threshold
            | Self::ThresholdStd => Quantity::Voltage,
            Self::Current | Self::GateI | Self::BodyI => Quantity::Current,
            Self::Capacitance => Quantity::Capacitance,
            Self::Width | Self::Length => Quantity::Length,
        }
    }

    /// Whether values of this quantity can stand in its column. Conductances are read at a voltage, and targets of
    /// states may be currents or conductances, over the largest ([`Scale`]).
    fn takes(self, quantity: Quantity) -> bool {
        match self {
            Self::Current => [Quantity::Current, Quantity::Conductance].contains(&quantity),
            Self::State => [Quantity::Number, Quantity::Current, Quantity::Conductance].contains(&quantity),
            _ => quantity == self.quantity(),
        }
    }

    /// Where a text goes: device 0, state 1.
    pub(super) fn text_slot(self, as_text: bool) -> Option<usize> {
        match self {
            Self::Device => Some(0),
            Self::State if as_text => Some(1),
            _ => None,
        }
    }

    /// The value where the files have no such column.
    pub(super) fn default(self) -> f64 {
        match self {
            Self::Temperature => 300.0,
            Self::DrainV | Self::ReadV => 0.1,
            Self::ThresholdStd
            | Self::GateI
            | Self::BodyI
            | Self::Width
            | Self::Length
            | Self::Multiplicity => f64::NAN,
            _ => 0.0,
        }
    }

    /// Whether another value begins another sweep. `drain_is_swept` says which of drain and gate stands
    /// still.
    pub(super) fn names_a_sweep(self, kind: Kind, drain_is_swept: bool) -> bool {
        match self {
            Self::Ramp => true,
            Self::Dose | Self::Time | Self::Temperature => kind != Kind::Ramp,
            Self::BodyV | Self::SourceV => true,
            Self::DrainV => !drain_is_swept,
            Self::GateV => drain_is_swept,
            _ => false,
        }
    }

    /// Column name in the table.
    pub(super) fn canonical(self, kind: Kind) -> &'static str {
        match self {
            Self::Device => "device",
            Self::State => "state",
            Self::Dose => "dose_krad_si",
            Self::Time => "time_s",
            Self::Temperature => "temperature_k",
            Self::DrainV => "vd_v",
            Self::GateV => "vg_v",
            Self::Current if kind == Kind::StateCurrent => "current_na",
            Self::Current if kind == Kind::Ramp => "current_a",
            Self::Current if kind == Kind::Diode => "i_a",
            Self::Current => "id_a",
            Self::Compliance => "compliance",
            Self::Threshold => "vt_v",
            Self::ThresholdStd => "vt_std_v",
            Self::BodyV => "vb_v",
            Self::SourceV => "vs_v",
            Self::GateI => "ig_a",
            Self::BodyI => "ib_a",
            Self::Width => "width_um",
            Self::Length => "length_um",
            Self::Multiplicity => "multiplicity",
            Self::Voltage => "v_v",
            Self::Capacitance => "c_f",
            Self::Ramp => "ramp",
            Self::Pulse => "pulse",
            Self::ReadV => "read_v",
        }
    }
}

/// Number columns of a kind, in the order of its table.
pub(super) fn fields(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::IdVg => &[
            Field::Dose,
            Field::Time,
            Field::Temperature,
            Field::DrainV,
            Field::GateV,
            Field::Current,
            Field::Compliance,
        ],
        Kind::StateCurrent => &[Field::State, Field::Dose, Field::Time, Field::Current],
        Kind::Threshold => &[Field::Dose, Field::Time, Field::Threshold, Field::ThresholdStd],
        Kind::Ramp => &[Field::Ramp, Field::Pulse, Field::ReadV, Field::Current],
        Kind::Diode => {
            &[Field::Dose, Field::Time, Field::Temperature, Field::Voltage, Field::Current, Field::Compliance]
        }
        Kind::Capacitance => {
            &[Field::Dose, Field::Time, Field::Temperature, Field::Voltage, Field::Capacitance]
        }
    }
}

/// Number columns that a table of this kind has where a file has them.
pub(super) fn optional(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::IdVg => &[
            Field::BodyV,
            Field::SourceV,
            Field::GateI,
            Field::BodyI,
            Field::Width,
            Field::Length,
            Field::Multiplicity,
        ],
        Kind::Diode | Kind::Capacitance => &[Field::Width, Field::Length, Field::Multiplicity],
        Kind::StateCurrent | Kind::Threshold | Kind::Ramp => &[],
    }
}

/// Columns without which a file is not of this kind.
fn needed(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::IdVg => &[Field::GateV, Field::Current],
        Kind::StateCurrent => &[Field::State, Field::Current],
        Kind::Threshold => &[Field::Dose, Field::Threshold],
        Kind::Ramp => &[Field::Pulse, Field::Current],
        Kind::Diode => &[Field::Voltage, Field::Current],
        Kind::Capacitance => &[Field::Voltage, Field::Capacitance],
    }
}

/// The needed columns in words.
pub(super) fn wanted(kind: Kind) -> String {
    match kind {
        Kind::IdVg => "columns such as device, state, dose (krad(Si)), VD (V), VG (V), ID (A)".into(),
        Kind::StateCurrent => "columns such as state, dose_krad_si, time_s, current_na".into(),
        Kind::Threshold => "columns such as device, state, dose_krad_si, vt_v".into(),
        Kind::Ramp => "columns such as ramp, pulse, current_na, or a column for each ramp".into(),
        Kind::Diode => "columns such as device, V (V), I (A)".into(),
        Kind::Capacitance => "columns such as device, V (V), C (pF)".into(),
    }
}

/// Whether cells are the header of a table of this kind.
pub(super) fn is_header(cells: &[String], kind: Kind) -> bool {
    let of_kind = |(field, unit): (Field, Option<String>)| {
        (kind == Kind::StateCurrent || field != Field::Current || !is_conductance(unit.as_deref()))
            .then_some(field)
    };
    let found: Vec<Field> = cells.iter().filter_map(|cell| identify(cell).and_then(of_kind)).collect();
    cells.len() > 1
        && needed(kind).iter().all(|field| found.contains(field))
        && (kind != Kind::StateCurrent || !found.contains(&Field::GateV))
}

/// Whether most cells are names of columns, and those of quantities with a unit have one.
pub(super) fn says_units(cells: &[String]) -> bool {
    let found: Vec<(Field, Option<String>)> = cells.iter().filter_map(|cell| identify(cell)).collect();
    let says = |(field, unit): &(Field, Option<String>)| {
        field.quantity() == Quantity::Number || unit.as_deref().and_then(Unit::parse).is_some()
    };
    2 * found.len() > cells.len() && found.iter().all(says)
}

/// Letters in the longest name of a column that is looked at.
const LONGEST_NAME: usize = 100;

/// Field and unit text of a header cell.
pub(super) fn identify(cell: &str) -> Option<(Field, Option<String>)> {
    let cell = cell.trim();
    if cell.len() > LONGEST_NAME {
        return None;
    }
    let (name, unit) = match cell.find(['(', '[']) {
        Some(open) if cell.ends_with([')', ']']) => {
            (cell[..open].trim(), Some(cell[open + 1..cell.len() - 1].trim().to_owned()))
        }
        _ => (cell, None),
    };
    let squeeze = |text: &str| text.to_ascii_lowercase().replace([' ', '_', '-'], "");
    let by_name = |name: &str, unit: Option<&str>| {
        let name = squeeze(name);
        // Clocks of the day say nothing without a unit, and a letter alone is no conductance.
        if (name == "timestamp" && unit.is_none())
            || (["conductance", "g"].contains(&name.as_str()) && !is_conductance(unit))
        {
            return None;
        }
        let fits = |field: &Field| match unit.and_then(Unit::parse) {
            Some(unit) => field.takes(unit.quantity),
            None => true,
        };
        let mut found = Field::ALL.into_iter().filter(|field| field.names().contains(&name.as_str()));
        let first = found.clone().next();
        found.find(fits).or(first)
    };
    if let Some(field) = by_name(name, unit.as_deref()) {
        return Some((field, unit));
    }
    // A unit in the suffix: dose_krad_si, current_na, vg_v.
    let mut cut = name.len();
    while let Some(position) = name[..cut].rfind('_') {
        let (base, suffix) = (&name[..position], &name[position + 1..]);
        if unit.is_none()
            && let Some(parsed) = Unit::parse(suffix)
            && let Some(field) = by_name(base, Some(suffix)).filter(|f| f.takes(parsed.quantity))
        {
            return Some((field, Some(suffix.to_owned())));
        }
        cut = position;
    }
    None
}

/// Whether a unit is one of conductances.
fn is_conductance(unit: Option<&str>) -> bool {
    unit.and_then(Unit::parse).is_some_and(|unit| unit.quantity == Quantity::Conductance)
}

/// What a column says: its own quantity unless the unit is another's.
fn said(field: Field, unit: Option<&str>) -> Quantity {
    unit.and_then(Unit::parse).map_or(field.quantity(), |unit| unit.quantity)
}

/// What turns conductances into currents and targets into states.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scale {
    /// Read voltage (V).
    pub(super) read_v: Option<f64>,
    /// Current of state 1 (nA).
    pub(super) current_max_na: Option<f64>,
}

impl Scale {
    /// The unit of a column in canonical terms: nA of a state's current, fractions of a state.
    fn of(self, field: Field, unit: Unit) -> Result<Unit, &'static str> {
        let read_v = self.read_v.ok_or(
            "the read voltage beside conductances: a line `# read_v: 0.2` above the header, or read_v in a sidecar",
        );
        let most_na = self.current_max_na.ok_or(
            "a fraction, 0 to 1, or the current of state 1 beside it: a line `# current_max_na: 1600` above the header, or current_max_na in a sidecar",
        );
        Ok(match (field, unit.quantity) {
            (Field::Current, Quantity::Conductance) => unit.scaled(1e9 * read_v?),
            (Field::Current, _) => unit.scaled(1e9),
            (Field::State, Quantity::Conductance) => unit.scaled(1e9 * read_v? / most_na?),
            (Field::State, Quantity::Current) => unit.scaled(1e9 / most_na?),
            _ => unit,
        })
    }
}

/// The columns that are read, each with its unit.
pub(super) fn columns(
    names: &[String],
    unit_row: Option<&[String]>,
    kind: Kind,
    file: &str,
    line: usize,
    scale: Scale,
) -> Result<Vec<Column>, InputError> {
    let mut columns: Vec<Column> = Vec::new();
    for (index, cell) in names.iter().enumerate() {
        let Some((field, unit)) = identify(cell) else { continue };
        let text = matches!(field, Field::Device) || (field == Field::State && kind != Kind::StateCurrent);
        if !text && !fields(kind).contains(&field) && !optional(kind).contains(&field) {
            continue;
        }
        let conductance = field == Field::Current && is_conductance(unit.as_deref());
        if conductance && kind != Kind::StateCurrent {
            continue;
        }
        // The same said twice: a current goes before a conductance, a fraction before a target.
        if kind == Kind::StateCurrent
            && said(field, unit.as_deref()) != field.quantity()
            && names
                .iter()
                .filter_map(|other| identify(other))
                .any(|(other, unit)| other == field && said(field, unit.as_deref()) == field.quantity())
        {
            continue;
        }
        if columns.iter().any(|column| column.field == field) {
            return Err(InputError::new(
                file,
                format!("a second column `{cell}`"),
                "one column for each quantity",
            )
            .at_line(line)
            .in_column(cell.clone()));
        }
        let unit =
            unit.or_else(|| unit_row.and_then(|row| row.get(index).cloned()).filter(|u| !u.is_empty()));
        let quantity = field.quantity();
        let parsed = match unit {
            _ if text || field == Field::Compliance => Unit::NONE,
            None if quantity == Quantity::Number => Unit::NONE,
            None => {
                return Err(InputError::new(
                    file,
                    "no unit",
                    format!(
                        "a unit behind the name, as in `{cell} ({})`: {}",
                        example(quantity),
                        quantity.units()
                    ),
                )
                .at_line(line)
                .in_column(cell.clone()));
            }
            Some(unit) => match Unit::parse(&unit).filter(|parsed| {
                parsed.quantity == quantity || (kind == Kind::StateCurrent && field.takes(parsed.quantity))
            }) {
                Some(parsed) => parsed,
                None => {
                    let mut expected = quantity.units().to_owned();
                    if quantity == Quantity::Dose {
                        expected.push_str(dose_hint(&unit));
                    }
                    return Err(InputError::new(file, format!("the unit `{unit}`"), expected)
                        .at_line(line)
                        .in_column(cell.clone()));
                }
            },
        };
        // The canonical unit of a state's current is nA.
        let scaled = if kind == Kind::StateCurrent { scale.of(field, parsed) } else { Ok(parsed) };
        let unit = scaled.map_err(|expected| {
            InputError::new(file, format!("`{cell}`"), expected).at_line(line).in_column(cell.clone())
        })?;
        columns.push(Column { index, name: cell.clone(), field, unit, as_text: text });
    }
    Ok(columns)
}

/// What to do with a dose in another unit.
fn dose_hint(unit: &str) -> &'static str {
    if unit.contains("SiO2") {
        " (for Co-60 rad(SiO2) = rad(Si), for 10 keV X-rays rad(Si) = 1.8 rad(SiO2): convert and say so)"
    } else {
        " (the material is part of the unit: write krad(Si) where the dose is that in silicon, and convert a dose in SiO2)"
    }
}

fn example(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Voltage => "V",
        Quantity::Current => "A",
        Quantity::Dose => "krad(Si)",
        Quantity::Time => "s",
        Quantity::Temperature => "K",
        Quantity::Length => "um",
        Quantity::Capacitance => "pF",
        Quantity::Conductance => "uS",
        Quantity::Number => "1",
    }
}

/// What is assumed where neither a column nor the file's description says.
pub(super) fn assumptions(known: impl Fn(Field) -> bool, kind: Kind) -> Vec<&'static str> {
    let assumed = |field: Field| match field {
        Field::Dose => Some("no dose column: 0 krad(Si) assumed"),
        Field::Time => Some("no time column: 0 s assumed"),
        Field::Temperature => Some("no temperature column: 300 K assumed"),
        Field::DrainV => Some("no drain voltage column: 0.1 V assumed"),
        Field::ReadV => Some("no read voltage: 0.1 V assumed"),
        _ => None,
    };
    fields(kind).iter().filter(|field| !known(**field)).filter_map(|field| assumed(*field)).collect()
}
