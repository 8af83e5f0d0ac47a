//! `sonos-dose`: what ionising dose does to stored states, in the mean and at random.

use super::cell::{Checked, RadiationInput, StackInput};
use super::columns::Columns;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use crate::sonos::collection::Collection;
use crate::sonos::dose::{Annealing, Dose, DoseError, Exposure, InterfaceTraps, Moment, OxideTraps};
use crate::sonos::ladder::LadderError;
use mho_data::InputError;
use mho_data::random::Stream;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sonos-dose",
    title: "SONOS states under ionising dose: charge collection, annealing, oxide and interface, scatter",
    example: include_str!("../../../../data/files/physics/sonos-dose.toml"),
    solve,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CaptureInput {
    electrons: Option<f64>,
    holes: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    Convolution,
    Ladder,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnealingInput {
    method: Method,
    per_decade: f64,
    #[serde(default = "kilosecond")]
    onset_s: f64,
    #[serde(default)]
    feedback: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OxideInput {
    efficiency: f64,
    thickness_nm: Option<f64>,
    #[serde(default = "full_oxide")]
    full_per_cm2: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InterfaceInput {
    per_cm2_ev_at_krad: f64,
    exponent: Option<f64>,
    build_from_s: Option<f64>,
    build_to_s: Option<f64>,
    scattering_cm2: Option<f64>,
    window_ev: Option<f64>,
    fresh_slope_factor: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RandomInput {
    cluster_factor: Option<f64>,
    capture_spread: Option<f64>,
    cells: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    initial_shifts_v: Vec<f64>,
    doses_krad_si: Vec<f64>,
    dose_rate_rad_per_s: f64,
    #[serde(default)]
    after_s: Vec<f64>,
    #[serde(default)]
    gate_v: f64,
    #[serde(default)]
    stack: StackInput,
    #[serde(default)]
    radiation: RadiationInput,
    #[serde(default)]
    capture: CaptureInput,
    annealing: Option<AnnealingInput>,
    oxide: Option<OxideInput>,
    interface: Option<InterfaceInput>,
    #[serde(default)]
    random: RandomInput,
}

fn kilosecond() -> f64 {
    1e3
}

fn full_oxide() -> f64 {
    1e13
}

const COLUMNS: [&str; 15] = [
    "state",
    "initial_shift_v",
    "time_s",
    "dose_krad_si",
    "threshold_shift_v",
    "nitride_shift_v",
    "oxide_shift_v",
    "interface_shift_v",
    "tunnel_field_v_per_m",
    "blocking_field_v_per_m",
    "slope_factor",
    "mobility_ratio",
    "mean_charges",
    "sigma_vt_v",
    "skewness",
];

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let exposure = exposure(&input, document)?;
    let dose = model(&input, document, request)?;
    let interface = dose.interface.unwrap_or_default();
    let fresh_slope = fresh_slope(&input, document)?.unwrap_or_else(|| dose.collection.stack.slope_factor());
    let random = Random::read(&input.random, document)?;

    let mut rows = Columns::new(COLUMNS);
    let (mut sampled_mean, mut sampled_sigma) = (Vec::new(), Vec::new());
    let mut notes = Vec::new();
    for (state, &initial) in input.initial_shifts_v.iter().enumerate() {
        let moments = dose.follow(initial, &exposure).map_err(|error| refuse(&error, &input, document))?;
        for (place, moment) in moments.iter().enumerate() {
            let fields = dose.collection.fields(moment.nitride_v);
            let spread = random.spread(&dose.collection, initial, moment);
            rows.push([
                state as f64,
                initial,
                moment.time_s,
                1e-3 * moment.dose_rad,
                moment.shift_v(),
                moment.nitride_v,
                moment.oxide_v,
                moment.interface_v,
                fields.tunnel_v_per_m,
                fields.blocking_v_per_m,
                interface.slope_factor(
                    fresh_slope,
                    moment.traps_per_m2_ev,
                    dose.collection.stack.capacitance(),
                ),
                interface.mobility_ratio(moment.traps_per_m2_ev),
                spread.charges,
                spread.sigma_v,
                spread.skewness,
            ]);
            if random.cells > 0 {
                let stream = Stream::new(request.seed, &["sonos-dose"], &[state as u64, place as u64]);
                let (mean, sigma) = random.sample(&dose.collection, initial, moment, &stream);
                sampled_mean.push(mean);
                sampled_sigma.push(sigma);
            }
        }
        (request.progress)((state + 1) as f64 / input.initial_shifts_v.len() as f64);
    }
    if input.annealing.is_some() {
        notes
            .push("scatter counts the charges that were caught; their annealing is taken as even".to_owned());
    }
    if random.cells > 0 {
        notes.push(format!("{} cells sampled for each row, independently between rows", random.cells));
    }
    let mut table = rows.table();
    if random.cells > 0 {
        table.push_float("sampled_mean_v", sampled_mean);
        table.push_float("sampled_sigma_v", sampled_sigma);
    }
    let mut solution = Solution::new(table).with("step_v", dose.collection.stack.step_v());
    match dose.collection.fixed_point() {
        Some(shift) => solution = solution.with("fixed_point_v", shift),
        None => notes.push("the charge collection has no fixed point within ±20 V".to_owned()),
    }
    solution.notes = notes;
    Ok(solution)
}

fn refuse(error: &DoseError, input: &Input, document: Document<'_>) -> SolverError {
    match error {
        DoseError::Ladder(LadderError::Law { name, value, expected }) => {
            document.refuse(&["annealing".into(), (*name).into()], format!("{value:?}"), *expected).into()
        }
        DoseError::Ladder(_) => document
            .refuse(
                &["annealing".into(), "per_decade".into()],
                format!("{:?}", input.annealing.as_ref().map_or(0.0, |annealing| annealing.per_decade)),
                "a loss that leaves something until 1e12 s",
            )
            .into(),
        DoseError::Collection(error) => SolverError::Failed(error.to_string()),
    }
}

fn ascending(
    document: Document<'_>,
    key: &str,
    values: &[f64],
    high: f64,
    unit: &str,
) -> Result<(), InputError> {
    let mut before = 0.0;
    for (index, value) in values.iter().enumerate() {
        before = document.within(&[key.into(), index.into()], *value, before..=high, unit)?;
    }
    Ok(())
}

fn exposure(input: &Input, document: Document<'_>) -> Result<Exposure, InputError> {
    let top = Checked::new(document, &[]);
    for (key, count) in
        [("initial_shifts_v", input.initial_shifts_v.len()), ("doses_krad_si", input.doses_krad_si.len())]
    {
        if !(1..=1000).contains(&count) {
            return Err(top.refuse(key, format!("{count} values"), "1 to 1000 values"));
        }
    }
    for (index, shift) in input.initial_shifts_v.iter().enumerate() {
        document.within(&["initial_shifts_v".into(), index.into()], *shift, -10.0..=10.0, "V")?;
    }
    ascending(document, "doses_krad_si", &input.doses_krad_si, 1e6, "krad(Si), not below the one before")?;
    ascending(document, "after_s", &input.after_s, 1e12, "s, not below the one before")?;
    top.within("gate_v", input.gate_v, -20.0..=20.0, "V")?;
    Ok(Exposure {
        rate_rad_per_s: top.within(
            "dose_rate_rad_per_s",
            input.dose_rate_rad_per_s,
            1e-9..=1e12,
            "rad(Si)/s",
        )?,
        doses_rad: input.doses_krad_si.iter().map(|dose| 1e3 * dose).collect(),
        after_s: input.after_s.clone(),
    })
}

fn model(input: &Input, document: Document<'_>, request: &Request<'_>) -> Result<Dose, InputError> {
    let stack = input.stack.read(document, request.materials)?;
    let (radiation, detrapping_dose_rad) = input.radiation.read(document)?;
    let capture = Checked::new(document, &["capture".into()]);
    let collection = Collection {
        stack,
        radiation,
        eta_e: capture.or("electrons", input.capture.electrons, 1.0, 0.0..=1.0, "")?,
        eta_h: capture.or("holes", input.capture.holes, 1.0, 0.0..=1.0, "")?,
        detrapping_dose_rad,
        bias_v: input.gate_v,
        surface_potential: input.stack.surface_potential(document)?,
    };
    let annealing = match &input.annealing {
        None => None,
        Some(given) => {
            if given.feedback && given.method == Method::Convolution {
                return Err(document.refuse(
                    &["annealing".into(), "feedback".into()],
                    true,
                    "feedback only with method = \"ladder\"",
                ));
            }
            Some(Annealing {
                per_decade: given.per_decade,
                onset_s: given.onset_s,
                ladder: given.method == Method::Ladder,
                feedback: given.feedback,
            })
        }
    };
    let oxide = match &input.oxide {
        None => None,
        Some(given) => {
            let check = Checked::new(document, &["oxide".into()]);
            let default = 1e9 * stack.blocking_oxide_m;
            Some(OxideTraps {
                efficiency: check.within("efficiency", given.efficiency, 0.0..=1.0, "")?,
                thickness_m: 1e-9 * check.or("thickness_nm", given.thickness_nm, default, 0.1..=1e4, "nm")?,
                full_per_m2: 1e4 * check.within("full_per_cm2", given.full_per_cm2, 1e6..=1e16, "cm⁻²")?,
            })
        }
    };
    let interface = match &input.interface {
        None => None,
        Some(given) => {
            let check = Checked::new(document, &["interface".into()]);
            let base = InterfaceTraps::default();
            let from_s = check.or("build_from_s", given.build_from_s, base.from_s, 1e-9..=1e9, "s")?;
            Some(InterfaceTraps {
                per_m2_ev_at_krad: 1e4
                    * check.within(
                        "per_cm2_ev_at_krad",
                        given.per_cm2_ev_at_krad,
                        0.0..=1e13,
                        "cm⁻² eV⁻¹",
                    )?,
                exponent: check.or("exponent", given.exponent, base.exponent, 0.1..=2.0, "")?,
                from_s,
                to_s: check.or("build_to_s", given.build_to_s, base.to_s.max(from_s), from_s..=1e12, "s")?,
                scattering_m2: 1e-4
                    * check.or("scattering_cm2", given.scattering_cm2, 7e-13, 0.0..=1e-10, "cm²")?,
                window_ev: check.or("window_ev", given.window_ev, base.window_ev, 0.0..=2.0, "eV")?,
            })
        }
    };
    Ok(Dose { collection, annealing, oxide, interface })
}

fn fresh_slope(input: &Input, document: Document<'_>) -> Result<Option<f64>, InputError> {
    let Some(slope) = input.interface.as_ref().and_then(|interface| interface.fresh_slope_factor) else {
        return Ok(None);
    };
    document.within(&["interface".into(), "fresh_slope_factor".into()], slope, 1.0..=5.0, "").map(Some)
}

/// What differs from cell to cell.
struct Random {
    cluster_factor: f64,
    capture_spread: f64,
    cells: u64,
}

/// Closed forms at one moment.
struct Spread {
    charges: f64,
    sigma_v: f64,
    skewness: f64,
}

impl Random {
    fn read(input: &RandomInput, document: Document<'_>) -> Result<Self, InputError> {
        let check = Checked::new(document, &["random".into()]);
        Ok(Self {
            cluster_factor: check.or("cluster_factor", input.cluster_factor, 1.0, 1.0..=100.0, "")?,
            capture_spread: check.or("capture_spread", input.capture_spread, 0.0, 0.0..=1.0, "")?,
            cells: check.within("cells", input.cells, 0.0..=1e6, "")? as u64,
        })
    }

    /// Counting and, to first order, a log-normal spread of the capture from cell to cell.
    fn spread(&self, collection: &Collection, initial: f64, moment: &Moment) -> Spread {
        let Some(counting) = moment.counting(collection, self.cluster_factor) else {
            return Spread { charges: 0.0, sigma_v: 0.0, skewness: 0.0 };
        };
        let counted = counting.sigma_vt(moment.dose_rad);
        let captured = self.factor_sigma() * (moment.nitride_v - initial);
        let sigma_v = counted.hypot(captured);
        // The log-normal part is taken as symmetric; at these spreads its own skewness is below 3σ_c.
        let skewness = if sigma_v > 0.0 {
            counting.skewness(moment.dose_rad) * (counted / sigma_v).powi(3)
        } else {
            0.0
        };
        Spread { charges: counting.mean_charges(moment.dose_rad), sigma_v, skewness }
    }

    /// Standard deviation of the log-normal factor with mean 1.
    fn factor_sigma(&self) -> f64 {
        (self.capture_spread * self.capture_spread).exp_m1().sqrt()
    }

    fn sample(&self, collection: &Collection, initial: f64, moment: &Moment, stream: &Stream) -> (f64, f64) {
        let Some(counting) = moment.counting(collection, self.cluster_factor) else {
            return (moment.shift_v(), 0.0);
        };
        let spread = self.capture_spread;
        let factors = Stream::new(u64::from(stream.block(0)[0]), &["capture spread"], &[]);
        let (mut sum, mut squares) = (0.0, 0.0);
        for cell in 0..self.cells {
            let factor = (spread * factors.normal(cell) - 0.5 * spread * spread).exp();
            let deviation = counting.deviation_v(moment.dose_rad, stream, cell)
                + (factor - 1.0) * (moment.nitride_v - initial);
            sum += deviation;
            squares += deviation * deviation;
        }
        let count = self.cells as f64;
        let mean = sum / count;
        let variance = (squares / count - mean * mean).max(0.0) * count / (count - 1.0).max(1.0);
        (moment.shift_v() + mean, variance.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::materials::Materials;

    fn run(text: &str) -> Solution {
        let materials = Materials::built_in().unwrap();
        let request = Request {
            text,
            file: "dose.toml",
            frequency_hz: None,
            profiles: false,
            seed: 3,
            materials: &materials,
            progress: &|_| {},
        };
        solve(&request).unwrap()
    }

    /// The reference table with the self-consistent surface potential, through the input.
    #[test]
    fn reference_values_through_the_input() {
        let solution =
            run("initial_shifts_v = [2.0, -2.0]\ndoses_krad_si = [30, 100, 300, 500, 1000, 3000]\n\
             dose_rate_rad_per_s = 50.0\n");
        let found = solution.table.floats("threshold_shift_v").unwrap();
        let expected =
            [1.967, 1.889, 1.672, 1.463, 1.007, 0.079, -1.967, -1.890, -1.675, -1.466, -0.981, -0.444];
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 2e-3, "{a} {b}");
        }
    }

    #[test]
    fn sampled_cells_spread_as_the_closed_form() {
        let solution = run("initial_shifts_v = [1.5]\ndoses_krad_si = [100]\ndose_rate_rad_per_s = 50.0\n\
             [stack]\ngate_area_um2 = 0.01\n[random]\ncells = 20000\ncapture_spread = 0.1\n");
        let sigma = solution.table.floats("sigma_vt_v").unwrap()[0];
        let sampled = solution.table.floats("sampled_sigma_v").unwrap()[0];
        // Standard error of the spread of 20000 cells: 0.5 %.
        assert!((sampled / sigma - 1.0).abs() < 0.02, "{sampled} {sigma}");
    }
}
