//! Published devices in weight units.

use super::device::{CycleNoise, PulsedDevice, Spread};
use super::law::Law;
use super::linear::{LinearStep, SoftBoundsReference};
use super::{constant::ConstantStep, exponential::ExpStep};

/// A published device.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Name (`ReRamES`).
    pub name: &'static str,
    /// Paper that its measurements or assumptions stand in.
    pub source: &'static str,
    /// The device.
    pub device: PulsedDevice,
}

/// Parameters of all presets: the presets of aihwkit 1.1, kind fitted (Idealized and GokmenVlasov: assumed),
/// from the papers named beside them.
pub fn presets() -> Vec<Preset> {
    vec![
        Preset {
            name: "ReRamES",
            source: "Gong et al., Nat. Commun. 9, 2102 (2018)",
            device: PulsedDevice {
                spread: spread(0.2, 0.05, 0.3, 0.3),
                noise: CycleNoise::Affine { sigma: 5.0, add: 0.0, slope: 0.0 },
                write_noise: 75.0,
                ..PulsedDevice::new(
                    Law::Exp(ExpStep {
                        a_up: -1.18445,
                        a_down: -0.081404,
                        gamma_up: 5.0,
                        gamma_down: 5.0,
                        a: -0.5,
                        b: -0.5,
                    }),
                    0.00135,
                    0.259359,
                    1.0,
                    -1.0,
                )
            },
        },
        Preset {
            name: "ReRamSB",
            source: "Gong et al., Nat. Commun. 9, 2102 (2018), loosely",
            device: PulsedDevice {
                spread: spread(0.3, 0.01, 0.24, 0.4),
                noise: CycleNoise::Additive { sigma: 3.75 },
                write_noise: 56.0,
                ..reference(0.002, 1.25, -0.75, SoftBoundsReference::default())
            },
        },
        Preset {
            name: "Capacitor",
            source: "Li et al., VLSI 2018",
            device: PulsedDevice {
                spread: spread(0.1, 0.06, 0.07, 0.07),
                noise: CycleNoise::Additive { sigma: 0.3 },
                lifetime: 1e6,
                lifetime_spread: 0.3,
                ..linear(0.005, 1.0, -1.0, [0.05, 0.05], 0.01)
            },
        },
        Preset {
            name: "EcRam",
            source: "Tang et al., IEDM 2018",
            device: PulsedDevice {
                spread: spread(0.1, 0.01, 0.05, 0.05),
                noise: CycleNoise::Multiplicative { sigma: 0.3 },
                ..linear(0.002, 1.1724, -0.8276, [0.1153, 0.5085], 0.05)
            },
        },
        Preset {
            name: "EcRamMO",
            source: "Kim et al., IEDM 2019",
            device: PulsedDevice {
                spread: spread(0.1, 0.01, 0.05, 0.05),
                noise: CycleNoise::Multiplicative { sigma: 2.0 },
                ..linear(2.8214e-4, 1.1714, -0.8286, [0.4152, 0.7342], 0.05)
            },
        },
        Preset {
            name: "Idealized",
            source: "Rasch et al., ICASSP 2019",
            device: PulsedDevice {
                spread: spread(0.3, 0.0, 0.3, 0.3),
                noise: CycleNoise::Multiplicative { sigma: 0.3 },
                ..PulsedDevice::new(Law::Constant(ConstantStep), 0.0002, 0.0, 1.0, -1.0)
            },
        },
        Preset {
            name: "GokmenVlasov",
            source: "Gokmen & Vlasov, Front. Neurosci. 10, 333 (2016)",
            device: PulsedDevice {
                spread: spread(0.3, 0.01, 0.3, 0.3),
                noise: CycleNoise::Multiplicative { sigma: 0.3 },
                ..PulsedDevice::new(Law::Constant(ConstantStep), 0.0016, 0.0, 1.0, -1.0)
            },
        },
        Preset {
            name: "PCM_oneSided",
            source: "Nandakumar et al., Front. Neurosci. 14, 406 (2020)",
            device: PulsedDevice {
                spread: spread(0.2, 0.05, 0.1, 0.0),
                noise: CycleNoise::Affine { sigma: 0.6, add: 0.042, slope: 0.108 },
                ..PulsedDevice::new(
                    Law::Exp(ExpStep {
                        a_up: -27.235,
                        a_down: -2.235,
                        gamma_up: 2.5,
                        gamma_down: 2.5,
                        a: -1.0,
                        b: 0.0,
                    }),
                    0.01,
                    0.0,
                    2.0,
                    0.0,
                )
            },
        },
        Preset {
            name: "ReRamArrayOM",
            source: "Gong, Rasch et al., IEDM 2022",
            device: PulsedDevice {
                spread: Spread { step_log_normal: true, ..spread(0.7829, 0.01, 0.3499, 0.5695) },
                noise: CycleNoise::Additive { sigma: 0.4158 },
                write_noise: 1.4113,
                ..reference(0.0949, 1.0, -1.0, ARRAY)
            },
        },
        Preset {
            name: "ReRamArrayHfO2",
            source: "Gong, Rasch et al., IEDM 2022",
            device: PulsedDevice {
                spread: Spread { step_log_normal: true, ..spread(0.7125, 0.01, 0.4295, 0.5990) },
                noise: CycleNoise::Additive { sigma: 0.2174 },
                write_noise: 0.5841,
                ..reference(0.4622, 1.0, -1.0, ARRAY)
            },
        },
    ]
}

/// Reference of the two arrays of IEDM 2022.
const ARRAY: SoftBoundsReference =
    SoftBoundsReference { mean: 0.0, std: 0.05, subtract_symmetry_point: true };

/// The preset of this name.
pub fn preset(name: &str) -> Option<Preset> {
    presets().into_iter().find(|preset| preset.name == name)
}

fn spread(step: f64, up_down: f64, max: f64, min: f64) -> Spread {
    Spread { step, step_log_normal: false, up_down, max, min }
}

fn linear(step: f64, max: f64, min: f64, [gamma_up, gamma_down]: [f64; 2], std: f64) -> PulsedDevice {
    let law = LinearStep { gamma_up, gamma_down, gamma_up_std: std, gamma_down_std: std, mean_bounds: true };
    PulsedDevice::new(Law::Linear(law), step, 0.0, max, min)
}

fn reference(step: f64, max: f64, min: f64, law: SoftBoundsReference) -> PulsedDevice {
    PulsedDevice::new(Law::Reference(law), step, 0.0, max, min)
}
