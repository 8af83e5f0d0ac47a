//! A device from its cards, or from measured cells: which card plays which part, what is missing, and the source
//! from which its table is compiled.

use super::super::artifact::origin_of;
use super::parts::{Missing, Named, PARTS, Part, Reading, part_of, upper_end};
use mho_compact::card::DeviceCard;
use mho_compact::cell::{CellParameters, CurrentCell, Curve, DoseLaw, SonosCell, Transfer};
use mho_compact::current_shift::CurrentShift;
use mho_compact::ekv::Ekv;
use mho_compact::inference::{self, TableSource};
use mho_compact::programming::Programming;
use mho_compact::retention::Retention;
use mho_compact::tid::Law;
use mho_compact::transistor::Transistor;
use mho_data::InputError;
use mho_data::provenance::Origin;
use mho_data::random::Stream;
use mho_lut::{CellSource, CellStatistics, ReadVoltages, SourceError, SourceInfo};
use std::collections::BTreeMap;

/// Temperature of reads (K).
const READ_K: f64 = 300.0;

/// Retention without a card: a loss per decade that no time makes visible. Laws divide by it.
const NO_DRIFT_PER_DECADE: f64 = 1e-30;

/// The cards of one device by the part that they describe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Device {
    cards: BTreeMap<Part, Named>,
    /// Gate voltage of the read (V): set by the best estimates, whatever is drawn later.
    gate_v: Option<f64>,
    reading: Reading,
}

impl Device {
    /// Sorts cards into the parts of a device.
    ///
    /// # Errors
    /// Names the first card that is no part, comes twice, or has no place beside the others.
    pub(crate) fn new(cards: Vec<Named>, reading: &Reading) -> Result<Self, InputError> {
        let mut device = Self { cards: BTreeMap::new(), gate_v: None, reading: reading.clone() };
        for named in cards {
            let part = part_of(&named)?;
            if let Some(other) = device.cards.get(&part) {
                let found = format!(
                    "a second card for the {} (`{}`, beside {})",
                    part.label(),
                    named.card.model,
                    other.file
                );
                return Err(InputError::new(&named.file, found, "one card for each part of the cell"));
            }
            device.cards.insert(part, named);
        }
        device.check()?;
        device.gate_v = device.read_gate_v()?;
        Ok(device)
    }

    /// The device with another card in the place of the one that describes the same part.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn with(&self, named: Named) -> Result<Self, InputError> {
        let mut other = self.clone();
        let part = part_of(&named)?;
        other.cards.insert(part, named);
        other.check()?;
        Ok(other)
    }

    /// The device with parameters drawn from the covariances of its cards; draw `index` is always the same.
    pub(crate) fn sampled(&self, seed: u64, index: u64) -> Self {
        let mut other = self.clone();
        for (part, named) in &mut other.cards {
            let stream = Stream::new(seed, &["table.device-samples", part.label()], &[]);
            named.card = named.card.sampled(&stream, index);
        }
        other
    }

    /// Whether any of the cards says how well its parameters are known.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.cards.values().any(|named| named.card.is_uncertain())
    }

    fn card(&self, part: Part) -> Option<&DeviceCard> {
        self.cards.get(&part).map(|named| &named.card)
    }

    fn check(&self) -> Result<(), InputError> {
        let Some(named) = self.cards.values().next() else {
            return Err(InputError::new("cards", "no device card", format!("cards of {PARTS}")));
        };
        if let Some(resistive) = self.cards.get(&Part::Resistive) {
            return match self.cards.values().find(|other| other.file != resistive.file) {
                Some(other) => Err(InputError::new(
                    &other.file,
                    format!(
                        "a card of model `{}` beside one of `{}`",
                        other.card.model, resistive.card.model
                    ),
                    "a resistive cell alone: its card holds programming, drift and read noise",
                )),
                None => Ok(()),
            };
        }
        let threshold = self.cards.get(&Part::Dose).filter(|named| named.card.model.starts_with("tid-"));
        let needs = threshold
            .or_else(|| self.cards.get(&Part::ThresholdSpread))
            .or_else(|| self.cards.get(&Part::Retention));
        if let (Some(needs), None, Missing::Nothing) =
            (needs, self.cards.get(&Part::Transfer), self.reading.missing)
        {
            return Err(InputError::new(
                &needs.file,
                format!(
                    "a card of model `{}` and no transistor that turns thresholds into currents",
                    needs.card.model
                ),
                "a card of `transistor` or `ekv` beside it (or missing = \"sonos\", which takes that of a 40 nm cell)",
            ));
        }
        let alone =
            [Part::Transfer, Part::Retention, Part::Dose].iter().all(|part| !self.cards.contains_key(part));
        if alone && self.reading.missing == Missing::Nothing {
            return Err(InputError::new(
                &named.file,
                format!("nothing but the {}", Part::of(&named.card.model).map_or("", Part::label)),
                "a law of the current beside it: a transistor, or current-shift",
            ));
        }
        self.check_channel()
    }

    /// A p-channel transistor goes only with laws that its mirror image obeys.
    fn check_channel(&self) -> Result<(), InputError> {
        let Some(named) = self.cards.get(&Part::Transfer).filter(|_| self.channel() < 0.0) else {
            return Ok(());
        };
        if self.reading.missing == Missing::Sonos {
            return Err(InputError::new(
                &named.file,
                "a p-channel transistor beside laws of the 40 nm SONOS cell, which is an n-channel one: holes trapped \
                 under dose weaken a p-channel read and strengthen an n-channel one",
                "missing = \"nothing\" with cards of the cell's own",
            ));
        }
        if let Some(collect) = self.cards.get(&Part::Dose).filter(|named| named.card.model == "tid-collect") {
            return Err(InputError::new(
                &collect.file,
                format!(
                    "a card of model `tid-collect` beside a p-channel transistor ({}): its fields and the work function of \
                     its gate are those of an n-channel stack",
                    named.file
                ),
                "a law fitted to thresholds of the p-channel cell: tid-exp, tid-stretched or tid-two-term",
            ));
        }
        Ok(())
    }

    /// +1 of an n-channel cell, -1 of a p-channel one. The cell is reckoned in its own polarity, where a larger gate
    /// voltage or a smaller threshold make more current; voltages that are given or told are those of the terminals.
    fn channel(&self) -> f64 {
        let transfer = self.cards.get(&Part::Transfer);
        if transfer.is_some_and(|named| named.card.value("polarity") < 0.0) { -1.0 } else { 1.0 }
    }

    /// The gate voltage of the read and the neutral threshold that were asked for, in the cell's own polarity.
    fn asked_v(&self, terminal_v: Option<f64>) -> Option<f64> {
        terminal_v.map(|voltage| self.channel() * voltage)
    }

    /// The gate voltage of the read, where a transistor is known.
    fn read_gate_v(&self) -> Result<Option<f64>, InputError> {
        let asked = self.asked_v(self.reading.read_gate_v);
        let Some(named) = self.cards.get(&Part::Transfer) else { return Ok(asked) };
        if asked.is_some() || self.reading.neutral_threshold_v.is_some() {
            return Ok(asked);
        }
        let vt_v = named.card.value("vt_v");
        // The leakage of a transistor follows the gate: twice around settles a voltage that it is read at.
        let mut gate_v = vt_v;
        for _ in 0..2 {
            gate_v = vt_v + self.curve(named, gate_v)?.overdrive_v(0.5 * self.current_max_na());
        }
        Ok(Some(gate_v))
    }

    fn current_max_na(&self) -> f64 {
        self.reading.current_max_na.unwrap_or(CellParameters::default().current_max_na)
    }

    /// Current against overdrive of the transistor's card, read at a gate voltage.
    fn curve(&self, named: &Named, gate_v: f64) -> Result<Transfer, InputError> {
        // The size counts: the sign is that of the channel.
        let drain_v = self.reading.read_drain_v.abs();
        let curve = if named.card.model == "ekv" {
            let ekv = Ekv::from_card(&named.card);
            if self.reading.missing == Missing::Sonos {
                // The transistor that the laws of the 40 nm cell were fitted with: saturated.
                return Ok(Transfer::Ekv { slope_factor: ekv.slope_factor, i_spec_a: ekv.i_spec_a });
            }
            Curve::of(|overdrive_v| ekv.current_at_overdrive_a(overdrive_v, drain_v, READ_K))
        } else {
            // In its own polarity a p-channel transistor is an n-channel one.
            let transistor = Transistor { polarity: 1.0, ..Transistor::from_card(&named.card, READ_K) };
            Curve::of_transistor(&transistor, gate_v, drain_v)
        };
        let transfer = curve.map(Transfer::Curve).ok_or_else(|| {
            let found = format!("a current that is not finite at {gate_v:.3} V gate and {drain_v} V drain");
            InputError::new(&named.file, found, "a card with a current at the bias of the read")
        })?;
        let [low, high] = transfer.range_na();
        let asked = self.current_max_na();
        if asked <= low || asked >= high {
            return Err(InputError::new(
                &named.file,
                format!("currents of {low:.3e} to {high:.3e} nA at {drain_v} V drain"),
                format!("a current of state 1 ({asked} nA, current_max_na) between them"),
            ));
        }
        Ok(transfer)
    }

    /// What its table is compiled from.
    ///
    /// # Errors
    /// When a card has no current at the bias of the read.
    pub(crate) fn source(&self, name: &str) -> Result<Box<dyn CellSource>, InputError> {
        if let Some(card) = self.card(Part::Resistive)
            && let Some(model) = inference::find(&card.model)
        {
            let cell = model.from_card(card);
            let time_max_s = upper_end(card, "time_s").unwrap_or(cell.time_max_s());
            let inner = TableSource::new(name, origin_of(card), cell, self.reading.read_v);
            return Ok(Box::new(Within { inner, time_max_s }));
        }
        let dose = self.card(Part::Dose);
        let current_alone = dose.is_some_and(|card| card.model == "current-shift")
            && [Part::Transfer, Part::Retention, Part::ThresholdSpread]
                .iter()
                .all(|part| self.card(*part).is_none());
        if let (Some(card), true) = (dose, current_alone && self.reading.missing == Missing::Nothing) {
            return Ok(Box::new(self.current_cell(name, card)));
        }
        Ok(Box::new(SonosCell::new(self.threshold_cell(name)?)))
    }

    fn origin(&self) -> Origin {
        self.cards.values().map(|named| origin_of(&named.card)).fold(Origin::Measured, Origin::and)
    }

    /// The least upper end of what the cards of these parts were fitted to.
    fn reach(&self, parts: &[Part], key: &str) -> Option<f64> {
        let cards = parts.iter().filter_map(|part| self.card(*part));
        cards.filter_map(|card| upper_end(card, key)).reduce(f64::min)
    }

    fn absent(&self, notes: &mut Vec<String>, part: Part, without: &str, sonos: &str) -> bool {
        let absent = self.card(part).is_none();
        if absent {
            let what = match self.reading.missing {
                Missing::Nothing => without,
                Missing::Sonos => sonos,
            };
            notes.push(format!("no card of the {}: {what}", part.label()));
        }
        absent
    }

    fn current_cell(&self, name: &str, card: &DeviceCard) -> CurrentCell {
        let mut notes = Vec::new();
        self.absent(&mut notes, Part::Programming, "all cells of a state are alike", "");
        self.absent(&mut notes, Part::ReadNoise, "reads repeat", "");
        CurrentCell {
            name: name.to_owned(),
            origin: self.origin(),
            current_max_na: self.current_max_na(),
            law: CurrentShift::from_card(card),
            programming: self.card(Part::Programming).map(Programming::from_card),
            read_noise: self
                .card(Part::ReadNoise)
                .map(|c| [c.value("noise_max_na"), c.value("noise_current_na")]),
            time_max_s: self.reach(&[Part::Dose, Part::Programming], "time_s").unwrap_or(0.0),
            dose_max_krad_si: self.reach(&[Part::Dose], "dose_krad_si").unwrap_or(0.0),
            notes,
        }
    }

    /// The cell that programs, loses and reads thresholds.
    fn threshold_cell(&self, name: &str) -> Result<CellParameters, InputError> {
        let default = CellParameters::default();
        let nothing = self.reading.missing == Missing::Nothing;
        let mut notes = Vec::new();
        let mut cell = CellParameters {
            name: name.to_owned(),
            origin: self.origin(),
            current_max_na: self.current_max_na(),
            read_drain_v: self.card(Part::Transfer).map(|_| self.reading.read_drain_v.abs()),
            dose_c_spread: self.reading.dose_c_spread.unwrap_or(if nothing {
                0.0
            } else {
                default.dose_c_spread
            }),
            ..default.clone()
        };
        if let Some(card) = self.card(Part::Retention) {
            cell.retention = Retention::from_card(card);
        }
        let transfer = match self.cards.get(&Part::Transfer) {
            Some(named) => Some(self.curve(named, self.gate_v.unwrap_or(0.0))?),
            None => {
                self.absent(&mut notes, Part::Transfer, "", "that of the 40 nm SONOS cell");
                None
            }
        };
        if self.absent(
            &mut notes,
            Part::Retention,
            "states stay as they are; the table knows no time",
            "that of the 40 nm SONOS cell",
        ) && nothing
        {
            cell.retention = Retention { r_per_decade: NO_DRIFT_PER_DECADE, ..Retention::default() };
        }
        let spread = self.card(Part::ThresholdSpread);
        if let Some(card) = spread {
            cell.threshold_spread = Some(
                [
                    "sigma_programmed_v",
                    "growth_v_per_root_decade",
                    "growth_time_s",
                    "dose_v_per_root_krad_si",
                ]
                .map(|name| card.value(name)),
            );
        } else if let Some(card) = self.card(Part::Programming) {
            cell.programming = Programming::from_card(card);
        } else if self.absent(
            &mut notes,
            Part::Programming,
            "all cells of a state are alike",
            "that of the 40 nm SONOS cell",
        ) && nothing
        {
            cell.programming.sigma_max_na = 0.0;
        }
        match self.reading.gate_area_um2 {
            Some(area) => {
                cell.gate_area_m2 = 1e-12 * area;
                notes.push(format!("gate area {area} um2: charges are counted on it (assumed)"));
            }
            None if nothing && spread.is_none() => cell.captured_per_m2_rad = 0.0,
            None => {}
        }
        match self.card(Part::ReadNoise) {
            Some(card) => {
                cell.read_noise_na = card.value("noise_max_na");
                cell.read_corner_na = card.value("noise_current_na");
            }
            None => {
                self.absent(&mut notes, Part::ReadNoise, "reads repeat", "that of the 40 nm SONOS cell");
                if nothing {
                    cell.read_noise_na = 0.0;
                }
            }
        }
        let closed_form = transfer.clone().unwrap_or_else(|| Transfer::of_retention(&cell.retention));
        if let Some(card) = self.card(Part::Dose) {
            cell.dose = match Law::from_card(card) {
                Some(mut law) => {
                    let channel = self.channel();
                    let neutral_v = self.asked_v(self.reading.neutral_threshold_v).unwrap_or(0.0);
                    let gate_v = self.gate_v.unwrap_or_else(|| {
                        neutral_v + closed_form.overdrive_v(cell.retention.neutral_current_na)
                    });
                    if self.gate_v.is_none() && self.reading.neutral_threshold_v.is_none() {
                        notes
                            .push("threshold of the neutral cell: 0 V (assumed; neutral_threshold_v)".into());
                    }
                    if let (Law::Exp { vt_inf_v, .. }, Some(offset)) = (&mut law, self.reading.v_inf_offset_v)
                    {
                        notes.push(format!("V_inf - V_N = {offset} V is assumed"));
                        *vt_inf_v = channel * neutral_v + offset;
                    }
                    if channel < 0.0 {
                        mirror(&mut law);
                        notes.push(
                            "p-channel: thresholds of the dose law are taken as measured at the terminals (negative for a \
                             channel that needs a negative gate); a dose that makes them more negative, as trapped \
                             holes do, leaves a p-channel cell less current and an n-channel one more"
                                .into(),
                        );
                    }
                    notes.push(format!(
                        "read at {:.3} V gate and {} V drain: state 1 has the threshold {:.3} V",
                        channel * gate_v,
                        channel * self.reading.read_drain_v.abs(),
                        channel * (gate_v - closed_form.overdrive_v(cell.current_max_na))
                    ));
                    DoseLaw::Threshold { law, read_gate_v: gate_v }
                }
                None => DoseLaw::Current(CurrentShift::from_card(card)),
            };
        }
        if transfer.is_some() && closed_form.range_na()[0] > 1e-3 * cell.current_max_na {
            notes.push(format!(
                "the transistor leaks {:.3} nA at least: smaller states are not reached",
                closed_form.range_na()[0]
            ));
        }
        cell.transfer = transfer;
        let drift = [Part::Retention, Part::Programming];
        cell.time_max_s = match self.reach(&drift, "time_s") {
            Some(end) => end,
            None if nothing => 0.0,
            None => default.time_max_s,
        };
        cell.dose_max_krad_si = match (self.reach(&[Part::Dose], "dose_krad_si"), self.card(Part::Dose)) {
            (Some(end), _) => end,
            (None, None) => 0.0,
            (None, Some(_)) => default.dose_max_krad_si,
        };
        cell.notes = notes;
        Ok(cell)
    }
}

/// The law of thresholds whose signs are turned: one of an exponential approach goes to the mirrored end.
fn mirror(law: &mut Law) {
    if let Law::Exp { vt_inf_v, .. } | Law::Stretched { vt_inf_v, .. } | Law::TwoTerm { vt_inf_v, .. } = law {
        *vt_inf_v = -*vt_inf_v;
    }
}

/// A resistive cell with the time to which its card was fitted, which its law does not know.
struct Within {
    inner: TableSource,
    time_max_s: f64,
}

impl CellSource for Within {
    fn describe(&self) -> SourceInfo {
        SourceInfo { time_max_s: self.time_max_s, ..self.inner.describe() }
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let cell = self.inner.cell(state, time_s, dose_krad_si)?;
        Ok(CellStatistics { extrapolated: cell.extrapolated || time_s > self.time_max_s, ..cell })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        self.inner.read_noise_na(current_na)
    }

    fn read_voltage_v(&self) -> Option<f64> {
        self.inner.read_voltage_v()
    }

    fn read_voltages(&self) -> Option<ReadVoltages> {
        self.inner.read_voltages()
    }

    fn current_at_voltage_na(&self, current_na: f64, read_v: f64) -> f64 {
        self.inner.current_at_voltage_na(current_na, read_v)
    }
}

#[cfg(test)]
mod tests;
