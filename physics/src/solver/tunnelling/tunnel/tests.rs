use super::*;
use crate::solver::Datum;

fn run(text: &str) -> Result<Solution, SolverError> {
    solve(&Request {
        text,
        file: "t.toml",
        frequency_hz: None,
        profiles: false,
        seed: 0,
        materials: &Materials::built_in().unwrap(),
        progress: &|_| {},
    })
}

fn with(method: &str, rest: &str) -> String {
    format!(
        "temperature_k = 300.0\nmethod = \"{method}\"\n{rest}\n[left]\nfermi_ev = 5.0\nmass = 1.0\n\
         [right]\nfermi_ev = 5.0\nmass = 1.0\n"
    )
}

const OXIDE: &str = "[[layer]]\nthickness_nm = 8.0\nbarrier_ev = 3.15\nmass = 0.42\npermittivity = 3.9\n";
const FIELDS: &str = "[field_mv_per_cm]\nstart = 7.0\nstop = 12.0\nstep = 0.5\n";

fn number(solution: &Solution, name: &str) -> f64 {
    match solution.metadata[name] {
        Datum::Number(value) => value,
        Datum::Text(_) => f64::NAN,
    }
}

/// Every method finds the Fowler-Nordheim slope of a thick oxide: the closed law to rounding, the others
/// within 2 %, of which temperature (300 K) and interference take 1.6 and 1.9.
#[test]
fn slope_of_a_thick_oxide() {
    for (method, tolerance) in [("wkb", 1e-9), ("tsu-esaki", 0.02), ("transfer-matrix", 0.02)] {
        let found = run(&(with(method, "") + OXIDE + FIELDS)).unwrap();
        let (fitted, law) =
            (number(&found, "fitted_slope_v_per_m"), number(&found, "fowler_nordheim_slope_v_per_m"));
        assert!((law / 2.475e10 - 1.0).abs() < 1e-3);
        assert!((fitted / law - 1.0).abs() < tolerance, "{method}: {fitted} {law}");
    }
}

#[test]
fn bias_and_field_name_the_same_points() {
    let stack = "built_in_v = 0.4\n";
    let sheet = "[[sheet]]\ndepth_nm = 3.0\ncharge_per_cm2 = -1e12\n";
    let by_field = run(&(with("tsu-esaki", stack) + OXIDE + sheet + FIELDS)).unwrap();
    let bias = by_field.table.floats("bias_v").unwrap();
    let sweep = format!("[bias_v]\nstart = {0:?}\nstop = {0:?}\nstep = 1e-7\n", bias[4]);
    let by_bias = run(&(with("tsu-esaki", stack) + OXIDE + sheet + &sweep)).unwrap();
    for column in ["field_v_per_m", "current_a_per_m2"] {
        let (a, b) = (by_field.table.floats(column).unwrap()[4], by_bias.table.floats(column).unwrap()[0]);
        assert!((a / b - 1.0).abs() < 1e-9, "{column}: {a} {b}");
    }
}

/// Holes through a mirrored barrier: the same current at the opposite bias, with the opposite sign.
#[test]
fn holes_mirror_electrons() {
    let sweep = "[bias_v]\nstart = -6.0\nstop = 6.0\nstep = 1.0\n";
    for method in ["wkb", "tsu-esaki"] {
        let sheet = |charge: f64| format!("[[sheet]]\ndepth_nm = 2.0\ncharge_per_cm2 = {charge:e}\n");
        let electrons = run(&(with(method, "") + OXIDE + &sheet(-1e12) + sweep)).unwrap();
        let holes = run(&(with(method, "carrier = \"holes\"") + OXIDE + &sheet(1e12) + sweep)).unwrap();
        let (a, b) = (
            electrons.table.floats("current_a_per_m2").unwrap(),
            holes.table.floats("current_a_per_m2").unwrap(),
        );
        for (a, b) in a.iter().zip(b.iter().rev()) {
            assert!((a + b).abs() <= 1e-9 * a.abs(), "{method}: {a} {b}");
        }
        assert_eq!(a[6], 0.0);
        assert!(a[0] < 0.0 && a[12] > 0.0 && (a[0] / a[12] + 1.0).abs() > 0.01);
    }
}

#[test]
fn bad_values_are_refused_at_their_line() {
    let line = |text: &str| match run(text) {
        Err(SolverError::Input(error)) => error.line,
        other => panic!("{:?}", other.map(|solution| solution.notes)),
    };
    let good = with("wkb", "") + OXIDE + FIELDS;
    assert_eq!(line(&good.replace("300.0", "nan")), Some(1));
    assert_eq!(line(&good.replace("wkb", "guess")), Some(2));
    assert_eq!(line(&good.replace("thickness_nm = 8.0", "thickness_nm = -8.0")), Some(11));
    assert_eq!(line(&good.replace("barrier_ev = 3.15", "barrier_ev = inf")), Some(12));
    assert_eq!(line(&good.replace("mass = 0.42", "mass = 0")), Some(13));
    assert_eq!(line(&good.replace("step = 0.5", "step = -0.5")), Some(15));
    assert_eq!(line(&(good.clone() + "[bias_v]\nstart = 0\nstop = 1\nstep = 1\n")), Some(15));
    assert_eq!(line(&good.replace(FIELDS, "")), None);
    let unknown = good.replace("barrier_ev = 3.15", "material = \"Unobtainium\"");
    assert_eq!(line(&unknown), Some(12));
    let outside = good.clone() + "[[sheet]]\ndepth_nm = 9.0\ncharge_per_cm2 = 1e12\n";
    assert_eq!(line(&outside), Some(20));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    /// Whatever is accepted has finite currents with the sign of the bias; nothing panics.
    #[test]
    fn any_stack_is_solved_or_refused(
        thickness in -1.0..40.0f64, barrier in -1.0..8.0f64, mass in 0.0..2.0f64, bias in -12.0..12.0f64,
        fermi in -1.0..8.0f64, charge in -1e13..1e13f64, kelvin in 0.0..1000.0f64, method in 0..3usize,
    ) {
        let name = ["wkb", "tsu-esaki", "transfer-matrix"][method];
        let text = format!(
            "temperature_k = {kelvin:?}\nmethod = \"{name}\"\nleft = {{ fermi_ev = {fermi:?}, mass = {mass:?} }}\n\
             right = {{ fermi_ev = 0.1, mass = 0.3 }}\n{OXIDE}[[layer]]\nthickness_nm = {thickness:?}\n\
             barrier_ev = {barrier:?}\nmass = {mass:?}\npermittivity = 7.5\n[[sheet]]\ndepth_nm = 8.0\n\
             charge_per_cm2 = {charge:?}\n[bias_v]\nstart = {bias:?}\nstop = {bias:?}\nstep = 1.0\n"
        );
        match run(&text) {
            Ok(solution) => {
                let current = solution.table.floats("current_a_per_m2").unwrap()[0];
                proptest::prop_assert!(current.is_finite() && current * bias >= 0.0, "{current} at {bias}\n{text}");
            }
            Err(error) => proptest::prop_assert!(matches!(error, SolverError::Input(_)), "{error}"),
        }
    }
}
