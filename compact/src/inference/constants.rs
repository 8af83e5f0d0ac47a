//! How a law of cells is written down: every constant once, with its unit, bounds, kind and source.

use crate::model::ParameterInfo;

/// Declares the parameters of a law: a struct with a field each, its [`ModelInfo`](crate::model::ModelInfo) as
/// `INFO`, defaults, and values in the order of the list.
macro_rules! constants {
    (
        $(#[$outer:meta])*
        $name:ident {
            $( $field:ident: $unit:literal, $default:expr, $lower:expr, $upper:expr, $transform:ident, $kind:ident,
               $source:expr, $meaning:literal; )+
        }
        $($head:tt)+
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name { $( #[doc = $meaning] pub $field: f64, )+ }

        /// The law with its parameters.
        pub const INFO: $crate::model::ModelInfo = $crate::model::ModelInfo {
            version: 1,
            parameters: &[ $( $crate::model::ParameterInfo {
                name: stringify!($field),
                unit: $unit,
                default: $default,
                lower: $lower,
                upper: $upper,
                transform: $crate::model::Transform::$transform,
                kind: $crate::model::Kind::$kind,
                source: $source,
                meaning: $meaning,
            }, )+ ],
            $($head)+
        };

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }

        impl $name {
            /// From values in the order of `INFO`; those missing at the end are defaults.
            pub fn from_values(values: &[f64]) -> Self {
                let mut law = Self::default();
                let mut values = values.iter();
                $( if let Some(value) = values.next() { law.$field = *value; } )+
                law
            }
        }
    };
}
pub(super) use constants;

/// The parameters of a law with other defaults, for another variety of the same device.
///
/// `N` is the number of parameters; longer lists are cut, which a test of the catalogue would find.
pub(super) const fn with_defaults<const N: usize>(
    parameters: &[ParameterInfo],
    defaults: [f64; N],
) -> [ParameterInfo; N] {
    let mut changed = [parameters[0]; N];
    let mut index = 0;
    while index < N {
        changed[index] = parameters[index];
        changed[index].default = defaults[index];
        index += 1;
    }
    changed
}

/// The parameters of a law with another lower bound of the one at `place`.
pub(super) const fn with_lower<const N: usize>(
    mut parameters: [ParameterInfo; N],
    place: usize,
    lower: f64,
) -> [ParameterInfo; N] {
    parameters[place].lower = lower;
    parameters
}
