//! Diodes and capacitors: one voltage swept, one current or capacitance read.

use super::{MdmFile, Sweep};
use crate::error::InputError;
use crate::measurement::Kind;
use crate::reader::header::Field;
use crate::reader::rows::Rows;

/// Names of the terminals at which a diode's current is positive forward, and of those opposite.
const ANODES: [&str; 4] = ["vp", "va", "vanode", "vpos"];
const CATHODES: [&str; 4] = ["vn", "vk", "vcathode", "vneg"];

fn named<'a>(file: &'a MdmFile, names: &[&str]) -> Option<&'a str> {
    let is = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    file.inputs.iter().find(|input| input.mode == "V" && is(&input.name)).map(|input| input.name.as_str())
}

/// What a file without drain currents holds, if it can be told.
pub(super) fn kind(file: &MdmFile) -> Option<Kind> {
    if file.outputs.iter().any(|output| output.mode == "C") {
        return Some(Kind::Capacitance);
    }
    let current = file.outputs.iter().any(|output| output.mode == "I");
    (current && named(file, &ANODES).is_some() && named(file, &CATHODES).is_some()).then_some(Kind::Diode)
}

/// Rows of a diode: the voltage from anode to cathode, and the current into the anode.
pub(super) fn diode(file: &MdmFile, rows: &mut Rows) -> Result<(), InputError> {
    for sweep in file.sweeps.iter().filter(|sweep| !sweep.is_empty()) {
        let wrong = || {
            InputError::new(&file.name, "a block without the voltages of anode and cathode", "VP, VN and IP")
                .at_line(sweep.line)
        };
        let volts = |names: &[&str]| named(file, names).and_then(|name| file.series(sweep, name));
        let (anode, cathode) = volts(&ANODES).zip(volts(&CATHODES)).ok_or_else(wrong)?;
        let current = current(file, sweep).ok_or_else(wrong)?;
        let volts = anode.iter().zip(&cathode).map(|(a, c)| a - c).collect();
        super::add_sweep(file, sweep, &[(Field::Voltage, volts), (Field::Current, current)], rows);
    }
    Ok(())
}

/// Current into the anode: that of its unit, else the first.
fn current(file: &MdmFile, sweep: &Sweep) -> Option<Vec<f64>> {
    let unit = named(file, &ANODES).and_then(|name| file.input(name)?.unit.as_deref());
    let mut outputs = file.outputs.iter().filter(|output| output.mode == "I");
    let at_anode = outputs.clone().find(|output| unit.is_some() && output.unit.as_deref() == unit);
    file.series(sweep, &at_anode.or_else(|| outputs.next())?.name)
}

/// Rows of a capacitor.
pub(super) fn capacitor(file: &MdmFile, rows: &mut Rows) -> Result<(), InputError> {
    let output = file.outputs.iter().find(|output| output.mode == "C");
    for sweep in file.sweeps.iter().filter(|sweep| !sweep.is_empty()) {
        let wrong = |what: &str| {
            InputError::new(&file.name, "a block without a voltage and a capacitance", what)
                .at_line(sweep.line)
        };
        let swept = sweep.names.first().filter(|name| file.input(name).is_some_and(|i| i.mode == "V"));
        let volts = swept
            .and_then(|name| file.series(sweep, name))
            .ok_or_else(|| wrong("a voltage as the inner sweep"))?;
        let farads = output
            .and_then(|output| file.series(sweep, &output.name))
            .ok_or_else(|| wrong("its column, as ICCAP_OUTPUTS promises"))?;
        super::add_sweep(file, sweep, &[(Field::Voltage, volts), (Field::Capacitance, farads)], rows);
    }
    Ok(())
}
