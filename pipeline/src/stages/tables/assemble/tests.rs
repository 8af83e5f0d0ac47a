use super::*;
use mho_compact::{model, tid, transistor};

fn card(info: &model::ModelInfo, values: &[(&str, f64)]) -> Named {
    let mut card = DeviceCard::from_defaults(info);
    for (name, value) in values {
        card.parameters.get_mut(*name).unwrap().value = *value;
    }
    Named { file: format!("{}.toml", info.name), card }
}

fn device(channel: f64, vt_inf_v: f64, reading: &Reading) -> Result<Device, InputError> {
    // Without mobility reduction: the field that holes see is another than that of electrons.
    let transistor = card(&transistor::INFO, &[("vt_v", 0.6), ("polarity", channel), ("theta_per_v", 0.0)]);
    Device::new(
        vec![transistor, card(&tid::EXP, &[("vt_inf_v", vt_inf_v), ("dose_c_krad_si", 300.0)])],
        reading,
    )
}

fn mean_na(device: &Device, dose_krad_si: f64) -> f64 {
    device.source("cell").unwrap().cell(0.5, 0.0, dose_krad_si).unwrap().mean_na
}

/// Equal but for the rounding of curves that are solved and inverted.
fn alike(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

/// A p-channel cell is the mirror image of an n-channel one: thresholds and voltages with their signs turned make the same
/// currents, and a shift towards negative thresholds, as trapped holes make it, moves the two to opposite sides.
#[test]
fn a_p_channel_cell_is_a_mirror_image() {
    let reading = Reading::default();
    let (n, p) = (device(1.0, 0.9, &reading).unwrap(), device(-1.0, -0.9, &reading).unwrap());
    for dose in [0.0, 50.0, 400.0] {
        assert!(alike(mean_na(&n, dose), mean_na(&p, dose)));
    }
    let asked =
        |sign: f64| Reading { read_gate_v: Some(sign * 1.1), read_drain_v: sign * 0.2, ..Reading::default() };
    let (n, p) = (device(1.0, 0.9, &asked(1.0)).unwrap(), device(-1.0, -0.9, &asked(-1.0)).unwrap());
    assert!(alike(mean_na(&n, 100.0), mean_na(&p, 100.0)));
    // Both ends lie below every threshold at the terminals.
    let (n, p) = (device(1.0, -3.0, &reading).unwrap(), device(-1.0, -3.0, &reading).unwrap());
    assert!(mean_na(&n, 100.0) > 1.01 * mean_na(&n, 0.0));
    assert!(mean_na(&p, 100.0) < 0.99 * mean_na(&p, 0.0));
    let notes = format!("{:?}", p.threshold_cell("cell").unwrap().notes);
    assert!(notes.contains("p-channel") && notes.contains("read at -"), "{notes}");
}

#[test]
fn a_p_channel_cell_takes_no_laws_of_n_channel_ones() {
    let sonos = Reading { missing: Missing::Sonos, ..Reading::default() };
    let error = device(-1.0, -0.9, &sonos).unwrap_err().to_string();
    assert!(error.contains("n-channel") && error.contains("nothing"), "{error}");
    let transistor = card(&transistor::INFO, &[("polarity", -1.0)]);
    let error = Device::new(vec![transistor, card(&tid::COLLECT, &[])], &Reading::default()).unwrap_err();
    assert!(error.to_string().contains("tid-collect"), "{error}");
}
