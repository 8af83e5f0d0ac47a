//! I_D(V_G) sweeps of programmed, neutral and erased cells over dose.

use super::cell::Cell;
use super::instrument::{COMPLIANCE_A, Instrument, NOISE_FLOOR_A};
use super::{DOSE_RATE_RAD_PER_S, DRAIN_V, NOTE};
use mho_data::random::Stream;
use std::fmt::Write;

/// Programmed threshold shifts in V, as labelled.
const SHIFTS_V: [f64; 6] = [2.0, 1.0, 0.1, 0.0, -1.0, -2.0];
/// Doses in krad(Si).
const DOSES_KRAD: [f64; 6] = [0.0, 30.0, 100.0, 200.0, 300.0, 500.0];
/// Devices per state.
const DEVICES: u64 = 3;
/// Gate voltages: first, step and count of a sweep (−2 to 5 V).
const GATE_START_V: f64 = -2.0;
const GATE_STEP_V: f64 = 0.05;
const GATE_POINTS: u64 = 141;
/// A sweep stops after this many points in compliance.
const COMPLIANCE_POINTS: u32 = 3;
/// Spread of the programmed threshold in V (assumed: a verify window).
const SIGMA_PROGRAMMED_V: f64 = 0.01;
/// Rows that the instrument spoils: number of the row in the file and what stands in the current column.
const BAD_ROWS: [(u64, &str); 4] = [(777, "OVERFLOW"), (2311, "9.9E37"), (3690, ""), (5002, "OVERFLOW")];

/// I_D(V_G) sweeps as an instrument leaves them, as CSV text, from a seed.
///
/// Three devices for each of six states, each swept at V_D = 0.1 V before and after five doses of Co-60
/// radiation. Columns: `Device,State,Dose (krad(Si)),Time (s),T (K),VD (V),VG (V),ID (A),Compliance`; the
/// preamble says that the data are synthetic. Four rows are spoiled on purpose.
#[must_use]
pub fn idvg_csv(seed: u64) -> String {
    let batch = Stream::new(seed, &["synthetic", "idvg", "batch"], &[]);
    let instrument = Instrument::new(seed);
    let mut text = format!(
        "# title: ID(VG) of 40 nm SONOS cells under Co-60\n\
         # origin: synthetic\n\
         # note: {NOTE}\n\
         # seed: {seed}\n\
         # radiation: Co-60, {DOSE_RATE_RAD_PER_S} rad(Si)/s, all terminals grounded\n\
         # state: programmed threshold shift in V from neutral\n\
         # compliance (A): {COMPLIANCE_A:e}\n\
         # noise floor (A): {NOISE_FLOOR_A:e}\n\
         Device,State,Dose (krad(Si)),Time (s),T (K),VD (V),VG (V),ID (A),Compliance\n"
    );
    let mut row = 0;
    for (level, shift) in SHIFTS_V.iter().enumerate() {
        for device in 0..DEVICES {
            let number = level as u64 * DEVICES + device;
            let cell = Cell::of_batch(&batch, number);
            let counts = Stream::new(seed, &["synthetic", "idvg", "counts"], &[number]);
            let mut state = cell.programmed(shift + SIGMA_PROGRAMMED_V * batch.normal(8 * number + 5));
            for (step, dose) in DOSES_KRAD.iter().enumerate() {
                // The parameters are constants in the valid range; a failed integration would leave the
                // cell as it was.
                state = cell
                    .irradiated(&state, dose * 1e3, DOSE_RATE_RAD_PER_S, &counts, 4 * step as u64)
                    .unwrap_or(state);
                let mut in_compliance = 0;
                for point in 0..GATE_POINTS {
                    let gate_v = GATE_START_V + GATE_STEP_V * point as f64;
                    let reading = instrument.read(cell.current_a(&state, gate_v, DRAIN_V), row);
                    let label = if *shift == 0.0 { "0.0".to_owned() } else { format!("{shift:+.1}") };
                    let current = match BAD_ROWS.iter().find(|(bad, _)| *bad == row) {
                        Some((_, spoiled)) => (*spoiled).to_owned(),
                        None => format!("{:.4E}", reading.current_a),
                    };
                    // Writing to a string cannot fail.
                    let _ = writeln!(
                        text,
                        "S{}-{},{label},{dose},{:.0},300,{DRAIN_V},{gate_v:.2},{current},{}",
                        level + 1,
                        device + 1,
                        state.time_s,
                        u8::from(reading.compliance),
                    );
                    row += 1;
                    in_compliance += u32::from(reading.compliance);
                    if in_compliance == COMPLIANCE_POINTS {
                        break;
                    }
                }
            }
        }
    }
    text
}
