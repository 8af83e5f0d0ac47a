//! The right-hand side of the nitride equation and its structured Jacobian.

use super::{Conditions, Emissions, Nitride};
use crate::constants::{ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY};
use crate::sonos::collection::{SMOOTHING_FIELD, SurfacePotential};
use crate::sonos::emission::Emission;
use crate::sonos::profile::{Profile, share};
use crate::sonos::surface::Surface;
use crate::sonos::{Fields, Stack};

/// Number of sums that are integrated beside the cells: channel, gate, swept, passed, emitted,
/// and the magnitude of all that enters or is emitted.
pub(super) const SUMS: usize = 6;

/// The equation under given conditions, with its constants worked out.
pub(super) struct Law<'a> {
    nitride: &'a Nitride,
    stack: Stack,
    conditions: Conditions,
    surface: Surface,
    fixed_psi: Option<f64>,
    eot: f64,
    oxide: f64,
    /// Threshold shift in V per C/m² of each cell, with its sign turned.
    pub(super) per_charge: Vec<f64>,
    capacity: Vec<f64>,
    electron_catch: Vec<f64>,
    hole_catch: Vec<f64>,
    electron_tunnelling: Vec<f64>,
    hole_tunnelling: Vec<f64>,
    detrapping_rate: f64,
    width: f64,
}

/// Derivative of all cells and of the sums.
pub(super) struct Derivative {
    pub(super) cells: Vec<f64>,
    pub(super) sums: [f64; SUMS],
}

/// Outer products of a Jacobian: what depends on the fields of the two oxides, and electrons and holes that come
/// from the gate.
pub(super) const OUTER: usize = 4;

/// Jacobian as a diagonal, products of a row's and a column's number left of the diagonal, and such products
/// everywhere.
pub(super) struct Jacobian {
    pub(super) diagonal: Vec<f64>,
    pub(super) lower: Vec<Product>,
    pub(super) outer: [Product; OUTER],
    fluxes: [[f64; 4]; 2],
    emission: Vec<EmissionSlope>,
    unit: NitrideFields,
}

/// How the charge that a cell emits per time changes.
#[derive(Clone, Copy, Default)]
struct EmissionSlope {
    /// Per charge of the cell (1/s).
    rate: f64,
    /// Per V/m of field in its middle.
    per_field: f64,
    /// Of the charge in it.
    sign: f64,
}

impl Jacobian {
    /// Change of the sums with that of the cells; what passes is left to the balance.
    pub(super) fn sums(&self, change: &[f64]) -> [f64; SUMS] {
        let dot = |column: &[f64]| column.iter().zip(change).map(|(a, b)| a * b).sum::<f64>();
        let (tunnel, blocking) = (dot(&self.outer[0].column), dot(&self.outer[1].column));
        let change_of = |slopes: &[f64; 4]| {
            let [a, b, c, d] = *slopes;
            [a * tunnel, b * tunnel, c * blocking, d * blocking]
        };
        let [tunnelled, swept] = [change_of(&self.fluxes[0]), change_of(&self.fluxes[1])];
        let (mut emitted, mut turned, mut below) = (0.0, 0.0, 0.0);
        for (slope, change) in self.emission.iter().zip(change) {
            let field = self.unit.bottom * tunnel - self.unit.per_charge * (below + 0.5 * change);
            below += change;
            let more = slope.rate * change + slope.per_field * field;
            emitted += more;
            turned += slope.sign * more;
        }
        let (mut sums, _) = entering(tunnelled, swept);
        sums[4] = emitted;
        sums[5] += turned;
        sums
    }
}

/// Beams of electrons and holes from the channel, then from the gate, by tunnelling and swept in: sums of what
/// enters, and the fluxes.
fn entering(tunnelled: [f64; 4], swept: [f64; 4]) -> ([f64; SUMS], [f64; 4]) {
    let mut sums = [0.0; SUMS];
    sums[0] = tunnelled[1] - tunnelled[0];
    sums[1] = -tunnelled[2];
    sums[2] = swept[1] + swept[3] - swept[0] - swept[2];
    sums[5] = tunnelled.iter().chain(&swept).sum();
    (sums, std::array::from_fn(|index| tunnelled[index] + swept[index]))
}

/// A number of the row times one of the column.
pub(super) struct Product {
    pub(super) row: Vec<f64>,
    pub(super) column: Vec<f64>,
}

/// One kind of carrier on its way through the nitride.
#[derive(Clone, Copy)]
struct Beam {
    /// −1 electrons, +1 holes.
    sign: f64,
    /// Current density in A/m² that enters, not negative.
    flux: f64,
    /// Whether it enters from the channel.
    channel_current: bool,
}

impl<'a> Law<'a> {
    pub(super) fn new(nitride: &'a Nitride, profile: &Profile, conditions: Conditions) -> Self {
        let stack = nitride.stack.at_temperature(conditions.temperature_k);
        let traps = &nitride.traps;
        let count = profile.cells.len();
        let width = profile.width_m;
        let shares: Vec<f64> =
            (0..count).map(|index| share(index, width, traps.from_m, traps.to_m)).collect();
        let catch = |length: f64| shares.iter().map(|share| share * width / length).collect();
        let tunnelling = |pick: fn(&Emissions) -> &Emission| -> Vec<f64> {
            (0..count)
                .map(|index| {
                    nitride.emission.as_ref().map_or(0.0, |emissions| {
                        let emission = pick(emissions);
                        emission.tunnelling_rate(&stack, emission.depth_ev, profile.place_m(index))
                    })
                })
                .collect()
        };
        Self {
            surface: Surface::new(&stack),
            fixed_psi: match nitride.surface_potential {
                SurfacePotential::SelfConsistent => None,
                SurfacePotential::Fixed(psi) => Some(psi),
            },
            eot: stack.eot_m(),
            oxide: stack.oxide_permittivity * VACUUM_PERMITTIVITY,
            per_charge: (0..count).map(|index| 1.0 / stack.top_capacitance(profile.place_m(index))).collect(),
            capacity: shares
                .iter()
                .map(|share| ELEMENTARY_CHARGE * traps.density_per_m3 * share * width)
                .collect(),
            electron_catch: catch(traps.electron_length_m),
            hole_catch: catch(traps.hole_length_m),
            electron_tunnelling: tunnelling(|emissions| &emissions.electrons),
            hole_tunnelling: tunnelling(|emissions| &emissions.holes),
            detrapping_rate: conditions.dose_rate_rad_per_s * nitride.radiation.oxide_dose_per_silicon_dose
                / nitride.detrapping_dose_rad,
            width,
            nitride,
            stack,
            conditions,
        }
    }

    /// Threshold shift in V.
    pub(super) fn shift(&self, cells: &[f64]) -> f64 {
        -cells.iter().zip(&self.per_charge).map(|(charge, weight)| charge * weight).sum::<f64>()
    }

    fn psi(&self, effective: f64) -> f64 {
        self.fixed_psi.unwrap_or_else(|| self.surface.psi_s(effective, 0.0))
    }

    /// Surface potential in V and the fields of the oxides.
    pub(super) fn fields(&self, cells: &[f64]) -> (f64, Fields) {
        let effective = self.conditions.gate_v - self.stack.phi_ms_v - self.shift(cells);
        let psi = self.psi(effective);
        let tunnel = (effective - psi) / self.eot;
        let blocking = tunnel - cells.iter().sum::<f64>() / self.oxide;
        (psi, Fields { tunnel_v_per_m: tunnel, blocking_v_per_m: blocking })
    }

    /// Tunnelling current density in A/m² from the channel: electrons and holes.
    fn channel_currents(&self, tunnel: f64) -> (f64, f64) {
        let (stack, thickness) = (&self.stack, self.stack.tunnel_oxide_m);
        if tunnel > 0.0 {
            (self.nitride.electrons.current_density(stack, thickness, tunnel), 0.0)
        } else {
            (0.0, self.nitride.holes.current_density(stack, thickness, -tunnel))
        }
    }

    /// Tunnelling current density in A/m² of electrons from the gate.
    fn gate_current(&self, blocking: f64) -> f64 {
        if self.nitride.gate_injection && blocking < 0.0 {
            self.nitride.electrons.current_density(&self.stack, self.stack.blocking_oxide_m, -blocking)
        } else {
            0.0
        }
    }

    /// Current density in A/m² that radiation sets free in an oxide and its field sweeps into the nitride:
    /// electrons and holes. `towards` is the field that pushes electrons in.
    fn swept(&self, towards: f64, thickness: f64) -> (f64, f64) {
        let rate = self.conditions.dose_rate_rad_per_s;
        if rate <= 0.0 {
            return (0.0, 0.0);
        }
        let radiation = &self.nitride.radiation;
        let pairs = radiation.pairs_per_m3_rad * radiation.oxide_dose_per_silicon_dose * rate * thickness;
        let current = ELEMENTARY_CHARGE * pairs * radiation.escape_yield(towards);
        let sign = (towards / SMOOTHING_FIELD).tanh();
        (current * sign.max(0.0), current * (-sign).max(0.0))
    }

    /// Current densities in A/m² that tunnel in, in the order of the beams.
    fn tunnelled(&self, fields: Fields) -> [f64; 4] {
        let (electrons, holes) = self.channel_currents(fields.tunnel_v_per_m);
        [electrons, holes, self.gate_current(fields.blocking_v_per_m), 0.0]
    }

    /// Current densities in A/m² that radiation sets free and fields sweep in, in the order of the beams.
    fn swept_in(&self, fields: Fields) -> [f64; 4] {
        let (low_electrons, low_holes) = self.swept(fields.tunnel_v_per_m, self.stack.tunnel_oxide_m);
        let (high_electrons, high_holes) = self.swept(-fields.blocking_v_per_m, self.stack.blocking_oxide_m);
        [low_electrons, low_holes, high_electrons, high_holes]
    }

    fn beams(&self, fields: Fields) -> ([Beam; 4], [f64; SUMS]) {
        let (sums, fluxes) = entering(self.tunnelled(fields), self.swept_in(fields));
        let beams = std::array::from_fn(|index| Beam {
            sign: if index % 2 == 0 { -1.0 } else { 1.0 },
            flux: fluxes[index],
            channel_current: index < 2,
        });
        (beams, sums)
    }

    /// Charge that a beam leaves per time in each cell is added to `into`; the diagonal of its derivative to
    /// `diagonal` when wanted. Returns what passes, signed.
    fn capture(&self, beam: Beam, cells: &[f64], into: &mut [f64], mut diagonal: Option<&mut [f64]>) -> f64 {
        if beam.flux <= 0.0 {
            return 0.0;
        }
        let count = cells.len();
        let catch = self.catch(beam);
        let mut flux = beam.flux;
        for step in 0..count {
            let index = if beam.channel_current { step } else { count - 1 - step };
            let capacity = self.capacity[index];
            if capacity <= 0.0 {
                continue;
            }
            let filled = (beam.sign * cells[index] / capacity).clamp(0.0, 1.0);
            let share = -(-(1.0 - filled) * catch[index]).exp_m1();
            into[index] += beam.sign * flux * share;
            if let Some(diagonal) = diagonal.as_deref_mut()
                && filled > 0.0
            {
                diagonal[index] -= flux * (1.0 - share) * catch[index] / capacity;
            }
            flux *= 1.0 - share;
        }
        beam.sign * flux
    }

    fn catch(&self, beam: Beam) -> &[f64] {
        if beam.sign < 0.0 { &self.electron_catch } else { &self.hole_catch }
    }

    /// Relative change per charge in each cell of what a beam still carries behind it: filled traps let pass.
    fn shade(&self, beam: Beam, cells: &[f64]) -> Vec<f64> {
        let change = |((charge, capacity), catch): ((&f64, &f64), &f64)| {
            if beam.sign * charge > 0.0 && *capacity > 0.0 { beam.sign * catch / capacity } else { 0.0 }
        };
        cells.iter().zip(&self.capacity).zip(self.catch(beam)).map(change).collect()
    }

    /// Emission rate in 1/s of each cell, by tunnelling, heat and radiation. Whether a cell holds electrons
    /// or holes is read from `carriers`: a stage of a step that leaps a little over zero must not switch to
    /// the rate of the other carrier, which may be a thousand times higher.
    fn emission_rates(&self, cells: &[f64], carriers: &[f64], fields: Fields) -> Vec<f64> {
        let mut rates = vec![self.detrapping_rate; cells.len()];
        self.each_emission(cells, carriers, fields, |index, emission, tunnelling, field| {
            rates[index] += tunnelling + self.thermal(emission, field);
        });
        rates
    }

    /// Tells `visit` the emission of each cell, its tunnelling rate in 1/s and the field in its middle in V/m;
    /// nothing where nothing is emitted.
    fn each_emission(
        &self,
        cells: &[f64],
        carriers: &[f64],
        fields: Fields,
        mut visit: impl FnMut(usize, &Emission, f64, f64),
    ) {
        let Some(emissions) = &self.nitride.emission else { return };
        let profile_fields = NitrideFields::new(&self.stack, fields.tunnel_v_per_m);
        let mut below = 0.0;
        for (index, (&charge, &carrier)) in cells.iter().zip(carriers).enumerate() {
            let field = profile_fields.at(below + 0.5 * charge);
            below += charge;
            let (emission, tunnelling) = if carrier <= 0.0 {
                (&emissions.electrons, &self.electron_tunnelling)
            } else {
                (&emissions.holes, &self.hole_tunnelling)
            };
            visit(index, emission, tunnelling[index], field);
        }
    }

    fn thermal(&self, emission: &Emission, field: f64) -> f64 {
        emission.thermal_rate(self.conditions.temperature_k, emission.depth_ev, field)
    }

    pub(super) fn derivative(&self, cells: &[f64], carriers: &[f64]) -> Derivative {
        let (_, fields) = self.fields(cells);
        let (beams, mut sums) = self.beams(fields);
        let mut change = vec![0.0; cells.len()];
        for beam in beams {
            sums[3] += self.capture(beam, cells, &mut change, None);
        }
        let rates = self.emission_rates(cells, carriers, fields);
        for ((change, charge), rate) in change.iter_mut().zip(cells).zip(rates) {
            *change -= rate * charge;
            sums[4] += rate * charge;
            sums[5] += rate * charge.abs();
        }
        Derivative { cells: change, sums }
    }

    /// Change of each beam per V/m of the field of its oxide: of what tunnels, and of what is swept in.
    ///
    /// What tunnels is smooth on the scale of one part in 1e4 of the field. What is swept turns around within
    /// 1 kV/cm of zero field; its slope is taken over 100 kV/cm, because a step that believed the slope
    /// inside that turn would never leave it.
    fn flux_slopes(&self, fields: Fields) -> [[f64; 4]; 2] {
        let (tunnel, blocking) = (fields.tunnel_v_per_m, fields.blocking_v_per_m);
        let coarse = 5e6;
        let at = |tunnel_step: f64, blocking_step: f64| Fields {
            tunnel_v_per_m: tunnel + tunnel_step,
            blocking_v_per_m: blocking + blocking_step,
        };
        let here = self.tunnelled(fields);
        let there = self.tunnelled(at(fine(tunnel), fine(blocking)));
        let (low, high) = (self.swept_in(at(-coarse, -coarse)), self.swept_in(at(coarse, coarse)));
        let tunnelled = std::array::from_fn(|index| {
            let step = if index < 2 { fine(tunnel) } else { fine(blocking) };
            (there[index] - here[index]) / step
        });
        [tunnelled, std::array::from_fn(|index| (high[index] - low[index]) / (2.0 * coarse))]
    }

    pub(super) fn jacobian(&self, cells: &[f64]) -> Jacobian {
        let (psi, fields) = self.fields(cells);
        let (beams, _) = self.beams(fields);
        let nothing = || vec![0.0; cells.len()];
        let (mut diagonal, mut left, mut right) = (nothing(), nothing(), nothing());
        let mut lower = Vec::new();
        let mut above = [(); 2].map(|()| Product { row: nothing(), column: nothing() });
        let fluxes = self.flux_slopes(fields);
        for (index, beam) in beams.into_iter().enumerate() {
            let slope = fluxes[0][index] + fluxes[1][index];
            // Less than 1e-30 A/m² moves nothing in the age of the universe.
            if beam.flux <= 1e-30 {
                continue;
            }
            let side = if beam.channel_current { &mut left } else { &mut right };
            let mut row = nothing();
            self.capture(beam, cells, &mut row, Some(&mut diagonal));
            let scale = slope / beam.flux;
            side.iter_mut().zip(&row).for_each(|(side, captured)| *side += scale * captured);
            let column = self.shade(beam, cells);
            if beam.channel_current {
                lower.push(Product { row, column });
            } else {
                // Right of the diagonal is everywhere, but not on it and not left of it.
                for (diagonal, (row, column)) in diagonal.iter_mut().zip(row.iter().zip(&column)) {
                    *diagonal -= row * column;
                }
                lower.push(Product { row: row.iter().map(|row| -row).collect(), column: column.clone() });
                above[index % 2] = Product { row, column };
            }
        }
        let slope =
            |(rate, charge): (f64, &f64)| EmissionSlope { rate, per_field: 0.0, sign: charge.signum() };
        let mut emission: Vec<EmissionSlope> =
            self.emission_rates(cells, cells, fields).into_iter().zip(cells).map(slope).collect();
        for (diagonal, slope) in diagonal.iter_mut().zip(&emission) {
            *diagonal -= slope.rate;
        }
        // Fields lower the barriers of emission, and the charge of other cells makes these fields. Where traps
        // are many, that couples the cells more stiffly than emission itself.
        let unit = NitrideFields::new(&self.stack, 1.0);
        let mut below = nothing();
        self.each_emission(cells, cells, fields, |index, kind, _, field| {
            let step = fine(field);
            let slope = (self.thermal(kind, field + step) - self.thermal(kind, field)) / step;
            let per_field = slope * cells[index];
            emission[index].per_field = per_field;
            left[index] -= per_field * unit.bottom;
            below[index] = per_field * unit.per_charge;
            diagonal[index] += 0.5 * below[index];
        });
        lower.push(Product { row: below, column: vec![1.0; cells.len()] });
        // E_to = (w − ψ(w))/EOT with w = V_G − φ_ms − ΔV_T.
        let effective = self.conditions.gate_v - self.stack.phi_ms_v - self.shift(cells);
        let psi_slope = if self.fixed_psi.is_some() {
            0.0
        } else {
            ((self.psi(effective + 1e-4) - psi) / 1e-4).clamp(0.0, 1.0)
        };
        let tunnel_field: Vec<f64> =
            self.per_charge.iter().map(|weight| (1.0 - psi_slope) * weight / self.eot).collect();
        let blocking_field = tunnel_field.iter().map(|slope| slope - 1.0 / self.oxide).collect();
        let [electrons, holes] = above;
        let outer = [
            Product { row: left, column: tunnel_field },
            Product { row: right, column: blocking_field },
            electrons,
            holes,
        ];
        Jacobian { diagonal, lower, outer, fluxes, emission, unit }
    }

    /// Charge of one cell in C/m² that alone shifts the threshold by about `shift_v`.
    pub(super) fn cell_charge(&self, shift_v: f64) -> f64 {
        shift_v * self.width / self.stack.nitride_m * self.stack.top_capacitance(0.5 * self.stack.nitride_m)
    }
}

/// Step in V/m over which slopes are taken of what is smooth on the scale of one part in 1e4 of the field.
fn fine(field: f64) -> f64 {
    (1e-4 * field.abs()).max(1e4)
}

/// Field in the nitride above an enclosed charge.
struct NitrideFields {
    bottom: f64,
    per_charge: f64,
}

impl NitrideFields {
    fn new(stack: &Stack, tunnel_v_per_m: f64) -> Self {
        Self {
            bottom: stack.oxide_permittivity / stack.nitride_permittivity * tunnel_v_per_m,
            per_charge: 1.0 / (VACUUM_PERMITTIVITY * stack.nitride_permittivity),
        }
    }

    fn at(&self, enclosed: f64) -> f64 {
        self.bottom - enclosed * self.per_charge
    }
}
