use crate::materials::Materials;
use crate::solver::{Datum, Request, Solution, SolverError, find};

fn run(name: &str, text: &str, frequency_hz: Option<f64>) -> Result<Solution, SolverError> {
    let materials = Materials::built_in().unwrap();
    let request = Request {
        text,
        file: "input.toml",
        frequency_hz,
        profiles: true,
        seed: 0,
        materials: &materials,
        progress: &|_| {},
    };
    (find(name).unwrap().solve)(&request)
}

fn example(name: &str) -> &'static str {
    find(name).unwrap().example
}

#[test]
fn capacitor_with_metadata() {
    let solution = run("moscap", example("moscap"), None).unwrap();
    assert_eq!(solution.table.len(), 121);
    let value = |name: &str| match solution.metadata[name] {
        Datum::Number(value) => value,
        Datum::Text(_) => panic!(),
    };
    // Closed forms: −φ_F + qN (t_blk/ε_ox + t_nit/2ε_n), and the reference's threshold.
    assert!((value("flatband_v") - 1.109801448809691).abs() < 1e-9);
    assert!((value("threshold_v") - 2.4807131717007245).abs() < 1e-5);
}

#[test]
fn high_frequency_lies_below_quasi_static_in_inversion() {
    let slow = run("moscap", example("moscap"), None).unwrap();
    let fast = run("moscap", example("moscap"), Some(1e6)).unwrap();
    let column = |solution: &Solution| solution.table.floats("capacitance_f_per_cm2").unwrap().to_vec();
    let (slow, fast) = (column(&slow), column(&fast));
    assert!((fast[0] / slow[0] - 1.0).abs() < 0.01);
    assert!(fast[120] < 0.5 * slow[120]);
}

#[test]
fn complaints_name_their_line() {
    let cases = [
        ("moscap", "thickness_nm = 8.0", "thickness_nm = -8.0", "thickness_nm"),
        ("moscap", "\"Si3N4\"", "\"Si3N5\"", "one of"),
        ("moscap", "step_v = 0.05", "step_v = -0.05", "step"),
        ("moscap", "step_v = 0.05", "step_v = nan", "step"),
        ("moscap", "acceptor_per_cm3 = 1e17", "acceptor_per_cm3 = 0.0", "net doping"),
        ("moscap", "\"midgap\"", "\"metal\"", "midgap"),
        ("moscap", "temperature_k = 300.0", "temperature_k = \"warm\"", ""),
        ("drift-diffusion", "length_um = 5.0", "length_um = 0.0", "length_um"),
        ("drift-diffusion", "electron_s = 1e-8", "electron_s = 0.0", "electron_s"),
        ("drift-diffusion", "stop_v = 0.8", "stop_v = inf", "stop_v"),
        ("poisson", "contact = \"gate\"", "contact = \"ohmic\"", "workfunction"),
    ];
    for (name, from, to, part) in cases {
        let text = example(name).replacen(from, to, 1);
        assert_ne!(text, example(name), "{from}");
        match run(name, &text, None) {
            Err(SolverError::Input(error)) => {
                assert!(error.line.is_some() && error.to_string().contains(part), "{error}");
            }
            other => panic!("{to}: {:?}", other.map(|solution| solution.notes)),
        }
    }
}

/// Charges of any stack add up to nothing.
#[test]
fn poisson_is_neutral_as_a_whole() {
    let solution = run("poisson", example("poisson"), None).unwrap();
    let profiles = solution.profiles.unwrap();
    // Gauss: the field at the first node is the charge of the first contact over its permittivity.
    let (field, charge) = (
        profiles.floats("field_v_per_cm").unwrap()[0],
        solution.table.floats("first_charge_c_per_cm2").unwrap()[0],
    );
    assert!((field * 3.9 * 8.8541878128e-14 / charge - 1.0).abs() < 1e-9, "{field} {charge}");
}

#[test]
fn diode_by_transient_and_by_sweep() {
    let text = example("drift-diffusion");
    let sweep = run("drift-diffusion", text, Some(1e3)).unwrap();
    let start = text.find("[bias]").unwrap();
    let pulse =
        format!("{}[transient]\ntime_s = [0.0, 1e-10, 1e-6]\nvoltage_v = [0.0, 0.6, 0.6]\n", &text[..start]);
    let pulse = run("drift-diffusion", &pulse, None).unwrap();
    assert!(pulse.stopped.is_none());
    let last = *pulse.table.floats("current_a_per_cm2").unwrap().last().unwrap();
    let steady = sweep.table.floats("current_a_per_cm2").unwrap()[30];
    assert!((last / steady - 1.0).abs() < 1e-5, "{last} {steady}");
}
