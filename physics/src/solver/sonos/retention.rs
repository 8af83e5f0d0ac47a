//! `sonos-retention`: what is left of a stored profile, trap by trap.

use super::cell::{Checked, EmissionInput, StackInput};
use super::columns::{Columns, logarithmic};
use crate::constants::ELEMENTARY_CHARGE;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use crate::sonos::Stack;
use crate::sonos::emission::Emission;
use crate::sonos::profile::Profile;
use crate::sonos::retention::Retention;
use mho_data::InputError;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sonos-retention",
    title: "SONOS retention by tunnelling and thermal emission from a profile of traps",
    example: include_str!("../../../../data/files/physics/sonos-retention.toml"),
    solve,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    #[default]
    Even,
    Exponential,
    Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InitialInput {
    shift_v: f64,
    #[serde(default)]
    shape: Shape,
    #[serde(default)]
    from_nm: f64,
    to_nm: Option<f64>,
    length_nm: Option<f64>,
    #[serde(default)]
    places_nm: Vec<f64>,
    #[serde(default)]
    densities: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default = "second")]
    first_s: f64,
    last_s: f64,
    #[serde(default = "four")]
    points_per_decade: f64,
    #[serde(default = "room")]
    temperatures_k: Vec<f64>,
    #[serde(default)]
    gate_v: f64,
    #[serde(default = "many")]
    cells: f64,
    #[serde(default = "fifteen")]
    levels: f64,
    #[serde(default = "yes")]
    follow_fields: bool,
    initial: InitialInput,
    #[serde(default)]
    stack: StackInput,
    #[serde(default)]
    emission: EmissionInput,
}

fn second() -> f64 {
    1.0
}

fn four() -> f64 {
    4.0
}

fn room() -> Vec<f64> {
    vec![300.0]
}

fn many() -> f64 {
    100.0
}

fn fifteen() -> f64 {
    15.0
}

fn yes() -> bool {
    true
}

const COLUMNS: [&str; 8] = [
    "temperature_k",
    "time_s",
    "threshold_shift_v",
    "charge_c_per_m2",
    "fraction_left",
    "mean_place_nm",
    "front_nm",
    "demarcation_ev",
];

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let times = check(&input, document)?;
    let stack = input.stack.read(document, request.materials)?;
    let base = if input.initial.shift_v < 0.0 { Emission::HOLES } else { Emission::ELECTRONS };
    let emission = input.emission.read(document, "emission", base)?;
    let start = initial(&input, document, &stack)?;

    let mut rows = Columns::new(COLUMNS);
    let mut shapes = Columns::new(["temperature_k", "time_s", "place_nm", "charge_density_per_cm3"]);
    for (index, &temperature_k) in input.temperatures_k.iter().enumerate() {
        let retention = Retention {
            stack: stack.at_temperature(temperature_k),
            emission,
            levels: input.levels as usize,
            gate_v: input.gate_v,
            surface_potential: input.stack.surface_potential(document)?,
            follow_fields: input.follow_fields,
        };
        for left in retention.follow(&start, &times) {
            rows.push([
                temperature_k,
                left.time_s,
                left.profile.shift_v(&stack),
                left.profile.charge(),
                left.profile.charge() / start.charge(),
                1e9 * left.profile.mean_place_m(),
                1e9 * emission.front_m(&stack, left.time_s).clamp(0.0, stack.nitride_m),
                emission.demarcation_ev(temperature_k, left.time_s).max(0.0),
            ]);
            if request.profiles {
                for (place, charge) in left.profile.cells.iter().enumerate() {
                    let density = charge / (ELEMENTARY_CHARGE * left.profile.width_m);
                    let place_nm = 1e9 * left.profile.place_m(place);
                    shapes.push([temperature_k, left.time_s, place_nm, 1e-6 * density]);
                }
            }
        }
        (request.progress)((index + 1) as f64 / input.temperatures_k.len() as f64);
    }
    let per_decade = std::f64::consts::LN_10 / (2.0 * emission.nitride_decay(emission.depth_ev));
    let first_rate = emission.tunnelling_rate(&stack, emission.depth_ev, 0.0);
    let mut solution = Solution::new(rows.table()).with("front_nm_per_decade", 1e9 * per_decade);
    if first_rate > 0.0 {
        solution = solution.with("first_trap_time_constant_s", 1.0 / first_rate);
    }
    if request.profiles {
        solution.profiles = Some(shapes.table());
    }
    Ok(solution)
}

fn check(input: &Input, document: Document<'_>) -> Result<Vec<f64>, InputError> {
    let top = Checked::new(document, &[]);
    top.within("first_s", input.first_s, 1e-12..=1e12, "s")?;
    top.within("last_s", input.last_s, input.first_s..=1e15, "s, not before first_s")?;
    top.within("points_per_decade", input.points_per_decade, 1.0..=100.0, "")?;
    top.within("gate_v", input.gate_v, -20.0..=20.0, "V")?;
    top.within("cells", input.cells, 4.0..=1000.0, "")?;
    top.within("levels", input.levels, 1.0..=200.0, "")?;
    if !(1..=100).contains(&input.temperatures_k.len()) {
        return Err(top.refuse("temperatures_k", input.temperatures_k.len(), "1 to 100 temperatures"));
    }
    for (index, value) in input.temperatures_k.iter().enumerate() {
        document.within(&["temperatures_k".into(), index.into()], *value, 200.0..=500.0, "K")?;
    }
    Ok(logarithmic(input.first_s, input.last_s, input.points_per_decade))
}

fn initial(input: &Input, document: Document<'_>, stack: &Stack) -> Result<Profile, InputError> {
    let check = Checked::new(document, &["initial".into()]);
    let given = &input.initial;
    check.within("shift_v", given.shift_v, -10.0..=10.0, "V")?;
    if given.shift_v == 0.0 {
        return Err(check.refuse("shift_v", given.shift_v, "a stored charge: a shift other than 0 V"));
    }
    let nitride_nm = 1e9 * stack.nitride_m;
    let from_nm = check.within("from_nm", given.from_nm, 0.0..=nitride_nm, "nm")?;
    let to_nm = check.or("to_nm", given.to_nm, nitride_nm, from_nm..=nitride_nm * (1.0 + 1e-9), "nm")?;
    let count = input.cells as usize;
    let mut profile = Profile::even(stack, count, 1e-9 * from_nm, 1e-9 * to_nm, given.shift_v);
    let shape: Box<dyn Fn(f64) -> f64> = match given.shape {
        Shape::Even => Box::new(|_| 1.0),
        Shape::Exponential => {
            let length_nm = check.or("length_nm", given.length_nm, 3.0, 0.05..=1e3, "nm")?;
            Box::new(move |place_nm| (-place_nm / length_nm).exp())
        }
        Shape::Table => {
            table(given, document)?;
            Box::new(|place_nm| interpolate(&given.places_nm, &given.densities, place_nm))
        }
    };
    for index in 0..count {
        profile.cells[index] *= shape(1e9 * profile.place_m(index));
    }
    let scale = given.shift_v / profile.shift_v(stack);
    if scale.is_finite() {
        profile.cells.iter_mut().for_each(|cell| *cell *= scale);
    }
    if profile.charge() == 0.0 {
        return Err(check.refuse("to_nm", to_nm, "a place above from_nm, so that there is room for charge"));
    }
    Ok(profile)
}

/// Checks that the table is one: places that ascend, densities of the same number.
fn table(given: &InitialInput, document: Document<'_>) -> Result<(), InputError> {
    let check = Checked::new(document, &["initial".into()]);
    let count = given.places_nm.len();
    if !(2..=1000).contains(&count) || given.densities.len() != count {
        let found = format!("{count} places and {} densities", given.densities.len());
        return Err(check.refuse("places_nm", found, "2 to 1000 places and as many densities"));
    }
    let mut before = 0.0;
    for (index, place) in given.places_nm.iter().enumerate() {
        let path = ["initial".into(), "places_nm".into(), index.into()];
        before = document.within(&path, *place, before..=1e3, "nm, not below the one before")?;
    }
    for (index, density) in given.densities.iter().enumerate() {
        let path = ["initial".into(), "densities".into(), index.into()];
        document.within(&path, *density, 0.0..=1e30, "in any unit")?;
    }
    Ok(())
}

/// Straight lines between the points of a table, nothing outside.
fn interpolate(places: &[f64], values: &[f64], place: f64) -> f64 {
    let above = places.partition_point(|known| *known < place);
    if above == 0 || above == places.len() {
        return 0.0;
    }
    let (low, high) = (places[above - 1], places[above]);
    let part = if high > low { (place - low) / (high - low) } else { 1.0 };
    values[above - 1] + part * (values[above] - values[above - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::materials::Materials;

    fn first_shift(initial: &str) -> Result<f64, SolverError> {
        let materials = Materials::built_in().unwrap();
        let text = format!(
            "first_s = 1.0\nlast_s = 1e4\n[emission]\nthermal = false\n[initial]\nshift_v = 1.0\n{initial}"
        );
        let request = Request {
            text: &text,
            file: "retention.toml",
            frequency_hz: None,
            profiles: false,
            seed: 1,
            materials: &materials,
            progress: &|_| {},
        };
        Ok(solve(&request)?.table.floats("threshold_shift_v").unwrap().last().copied().unwrap())
    }

    /// A table of the even profile is the even profile; what lies deep stays.
    #[test]
    fn tables_are_profiles() {
        let even = first_shift("").unwrap();
        let flat = first_shift("shape = \"table\"\nplaces_nm = [0, 8]\ndensities = [2, 2]\n").unwrap();
        assert!((even - flat).abs() < 1e-12, "{even} {flat}");
        let deep = first_shift("shape = \"table\"\nplaces_nm = [4, 6, 8]\ndensities = [0, 1, 0]\n").unwrap();
        assert!((deep - 1.0).abs() < 1e-6 && even < 0.9, "{deep} {even}");
        let error = first_shift("shape = \"table\"\nplaces_nm = [4, 2]\ndensities = [0, 1]\n");
        assert!(matches!(error, Err(SolverError::Input(ref wrong)) if wrong.line == Some(8)), "{error:?}");
    }
}
