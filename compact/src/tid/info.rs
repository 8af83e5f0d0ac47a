//! Parameters of the dose laws.

use crate::fit::Transform;
use crate::model::{Kind, ModelInfo, ParameterInfo};

const NOTES: &[&str] = &["design notes A.7"];

const DOSE_C: ParameterInfo = ParameterInfo {
    name: "dose_c_krad_si",
    unit: "krad(Si)",
    default: 1700.0,
    lower: 10.0,
    upper: 1e6,
    transform: Transform::Log,
    kind: Kind::Derived,
    source: "charge collection in an assumed 2/8/4 nm stack (design notes A.7): about 1.7 Mrad",
    meaning: "D_c, dose over which the distance to V_inf falls to 1/e",
};

const VT_INF: ParameterInfo = ParameterInfo {
    name: "vt_inf_v",
    unit: "V",
    default: 0.0,
    lower: -10.0,
    upper: 10.0,
    transform: Transform::Linear,
    kind: Kind::Assumed,
    source: "design notes A.7: V_N plus -0.45 to +0.2 V, sign undetermined without the real gate",
    meaning: "V_inf, threshold that dose no longer moves",
};

/// The exponential law.
pub const EXP: ModelInfo = ModelInfo {
    name: "tid-exp",
    version: 1,
    title: "threshold against dose, exponential towards a fixed point",
    law: "V_T(D) = V_inf + (V_T0 - V_inf) exp(-D/D_c)",
    parameters: &[DOSE_C, VT_INF],
    validity: "exact where collection is linear in the trapped charge; with doses far below D_c only the slope \
               (V_T0 - V_inf)/D_c is known",
    references: NOTES,
};

/// The stretched law.
pub const STRETCHED: ModelInfo = ModelInfo {
    name: "tid-stretched",
    version: 1,
    title: "threshold against dose, stretched exponential",
    law: "V_T(D) = V_inf + (V_T0 - V_inf) exp(-(D/D_c)^b)",
    parameters: &[
        DOSE_C,
        VT_INF,
        ParameterInfo {
            name: "exponent",
            unit: "1",
            default: 0.95,
            lower: 0.3,
            upper: 2.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.7: 0.7 to 1.1",
            meaning: "b, how early the loss begins",
        },
    ],
    validity: "a form for fits, without a mechanism of its own",
    references: NOTES,
};

/// The law of two exponentials.
pub const TWO_TERM: ModelInfo = ModelInfo {
    name: "tid-two-term",
    version: 1,
    title: "threshold against dose, a fast and a slow exponential",
    law: "V_T(D) = V_inf + (V_T0 - V_inf) [(1 - f) exp(-D/D_c) + f exp(-D/D_fast)]",
    parameters: &[
        DOSE_C,
        VT_INF,
        ParameterInfo {
            name: "fast_fraction",
            unit: "1",
            default: 0.1,
            lower: 0.0,
            upper: 1.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.7: oxide and nitride terms",
            meaning: "f, part that is lost fast",
        },
        ParameterInfo {
            name: "dose_fast_krad_si",
            unit: "krad(Si)",
            default: 100.0,
            lower: 1.0,
            upper: 1e4,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "design notes A.7: oxide and nitride terms",
            meaning: "D_fast, dose over which the fast part falls to 1/e",
        },
    ],
    validity: "needs doses well below and above D_fast",
    references: NOTES,
};

/// The charge-collection law.
pub const COLLECT: ModelInfo = ModelInfo {
    name: "tid-collect",
    version: 1,
    title: "threshold against dose by collection of radiation-generated charge in the nitride",
    law: "dQ_N/dD = q g_0 {t_to f_y(E_to) [-eta_e H(E_to) + eta_h H(-E_to)] + t_bo f_y(E_bo) [eta_h H(E_bo) - \
          eta_e H(-E_bo)]}, fields from the charge with the surface potential solved at every step; \
          V_T = V_N - Q_N/C_top",
    parameters: &[
        ParameterInfo {
            name: "eta_e",
            unit: "1",
            default: 1.0,
            lower: 0.05,
            upper: 3.0,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "design notes A.7: 0.3 to 1; stands for the product of yield, capture and oxide thickness",
            meaning: "capture of electrons that are swept into the nitride",
        },
        ParameterInfo {
            name: "eta_h",
            unit: "1",
            default: 1.0,
            lower: 0.05,
            upper: 3.0,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "design notes A.7: 0.3 to 1; stands for the product of yield, capture and oxide thickness",
            meaning: "capture of holes that are swept into the nitride",
        },
        ParameterInfo {
            name: "phi_ms_v",
            unit: "V",
            default: -1.02,
            lower: -1.5,
            upper: 1.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.1: n+ gate; decides the sign of the fixed point",
            meaning: "work-function difference of gate and silicon",
        },
        ParameterInfo {
            name: "vt_neutral_v",
            unit: "V",
            default: 1.05,
            lower: -5.0,
            upper: 5.0,
            transform: Transform::Linear,
            kind: Kind::Derived,
            source: "design notes A.1: charge-free threshold of the assumed stack",
            meaning: "V_N, threshold without trapped charge",
        },
    ],
    validity: "Co-60, unbiased, 2/8/4 nm stack with a charge sheet in the middle of the nitride; no interface \
               traps, no annealing",
    references: NOTES,
};
