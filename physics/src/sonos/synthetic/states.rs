//! Currents of analog states over dose and storage time, as an in-situ experiment records them.

use super::cell::Cell;
use super::{DOSE_RATE_RAD_PER_S, DRAIN_V, NOTE};
use crate::constants::DAY_S;
use mho_data::random::Stream;
use std::fmt::Write;

/// States as fractions of the full current.
const STATES: [f64; 8] = [0.0625, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0];
/// Full current in nA (published for the array).
const FULL_NA: f64 = 1600.0;
/// Cells per state.
const CELLS: u64 = 16;
/// Doses in krad(Si).
const DOSES_KRAD: [f64; 7] = [0.0, 10.0, 30.0, 100.0, 200.0, 300.0, 500.0];
/// Storage times in s after the last dose.
const STORAGE_S: [f64; 2] = [DAY_S, 5.0 * DAY_S];
/// Current in nA of an uncharged cell at the read bias: the neutral current of the published drift, 0.019 V
/// below threshold on the EKV law of the array (fitted to TCAS-I 2022).
const NEUTRAL_NA: f64 = 656.0;
/// Programming error of the array, B (1 − exp(−A I)) in nA with I in nA (published, TCAS-I 2022, fresh).
const PROGRAMMING_B_NA: f64 = 39.5656;
const PROGRAMMING_A_PER_NA: f64 = 0.001_887_04;
/// Read noise of a single read, A (1 − exp(−I/B)) in nA (published, IEDM 2022).
const READ_A_NA: f64 = 12.580_37;
const READ_B_NA: f64 = 215.365_57;
/// Reads averaged into one value.
const READS: f64 = 16.0;
/// Row that the instrument spoils.
const BAD_ROW: u64 = 411;

/// Gate voltage in V of the state reads: where the nominal uncharged cell carries the neutral current.
fn read_gate_v() -> f64 {
    // A threshold shift acts like a gate voltage of the opposite sign.
    let transistor = Cell::nominal().transistor;
    -transistor.shift_for_current(0.0, DRAIN_V, NEUTRAL_NA * 1e-9, Cell::traps(0.0))
}

/// State currents against dose and time as CSV text, from a seed.
///
/// Sixteen cells for each of eight states, read before and after six doses of Co-60 radiation at
/// 100 rad(Si)/s, and after one and five days of storage at the last dose. Columns:
/// `device,state,dose_krad_si,time_s,current_na`; the preamble says that the data are synthetic.
#[must_use]
pub fn state_currents_csv(seed: u64) -> String {
    let batch = Stream::new(seed, &["synthetic", "states", "batch"], &[]);
    let noise = Stream::new(seed, &["synthetic", "states", "read"], &[]);
    let gate_v = read_gate_v();
    let mut text = format!(
        "# title: currents of analog states of 40 nm SONOS cells under Co-60\n\
         # origin: synthetic\n\
         # note: {NOTE}\n\
         # seed: {seed}\n\
         # radiation: Co-60, {DOSE_RATE_RAD_PER_S} rad(Si)/s, all terminals grounded; storage without radiation after it\n\
         # state: target current over {FULL_NA} nA\n\
         # VG read (V): {gate_v:.4}\n\
         # VD read (V): {DRAIN_V}\n\
         # reads averaged: {READS}\n\
         device,state,dose_krad_si,time_s,current_na\n"
    );
    let mut row = 0;
    let mut write = |cell: &Cell, state: &super::cell::State, name: &str, target: f64| {
        let current = cell.current_a(state, gate_v, DRAIN_V) * 1e9;
        let read = READ_A_NA * (1.0 - (-current / READ_B_NA).exp()) / READS.sqrt();
        let value = if row == BAD_ROW {
            "OVERFLOW".to_owned()
        } else {
            format!("{:.2}", current + read * noise.normal(row))
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name},{target},{},{:.0},{value}", state.dose_rad / 1e3, state.time_s);
        row += 1;
    };
    for (level, target) in STATES.iter().enumerate() {
        for index in 0..CELLS {
            let number = level as u64 * CELLS + index;
            let cell = Cell::of_batch(&batch, number);
            let counts = Stream::new(seed, &["synthetic", "states", "counts"], &[number]);
            let wanted = target * FULL_NA;
            let error = PROGRAMMING_B_NA * (1.0 - (-PROGRAMMING_A_PER_NA * wanted).exp());
            let programmed = (wanted + error * batch.normal(8 * number + 5)).max(0.1);
            let shift =
                cell.transistor.shift_for_current(gate_v, DRAIN_V, programmed * 1e-9, Cell::traps(0.0));
            let name = format!("L{}-{:02}", level + 1, index + 1);
            let mut state = cell.programmed(shift);
            for (step, dose) in DOSES_KRAD.iter().enumerate() {
                // The parameters are constants in the valid range; a failed integration would leave the
                // cell as it was.
                state = cell
                    .irradiated(&state, dose * 1e3, DOSE_RATE_RAD_PER_S, &counts, 4 * step as u64)
                    .unwrap_or(state);
                write(&cell, &state, &name, *target);
            }
            let end = state.time_s;
            for storage in STORAGE_S {
                state = cell.stored(&state, end + storage);
                write(&cell, &state, &name, *target);
            }
        }
    }
    text
}
