//! Response to a small alternating voltage at a steady state.

use super::assemble::{Assembly, Flux};
use super::{Device, State};
use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::linear::BlockTridiagonal;
use nalgebra::{Complex, SVector};

/// Which contact moves, and where its current is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// The first contact.
    First,
    /// The last contact.
    Last,
}

/// Admittance per area in S/m² of a port at `frequency_hz`: conductance, and capacitance times 2πf. The other
/// contact is held. `None` when the linear system is singular.
#[must_use]
pub fn admittance(device: &Device, state: &State, port: Port, frequency_hz: f64) -> Option<Complex<f64>> {
    let mut assembly = Assembly::new(device);
    assembly.evaluate(device, state);
    assembly.assemble(device, state, 0.0, None);
    let (mesh, structure) = (&device.mesh, &device.structure);
    let omega = 2.0 * std::f64::consts::PI * frequency_hz;
    let count = mesh.len();
    let mut matrix = BlockTridiagonal::<Complex<f64>, 3>::zeros(count);
    let real = |value: f64| Complex::new(value, 0.0);
    for i in 0..count {
        matrix.lower[i] = assembly.matrix.lower[i].map(real);
        matrix.excess[i] = assembly.matrix.excess[i].map(real);
        matrix.upper[i] = assembly.matrix.upper[i].map(real);
        if !device.is_held(i) {
            let local = &assembly.locals[i];
            let stored = local.density.iter().zip(&local.slope).map(|(density, slope)| {
                Complex::new(0.0, omega * mesh.boxes[i] * structure.intrinsic_per_m3 * density * slope)
            });
            // −iω δn with δn = n' (δψ − δφ_n), and +iω δp with δp = p' (δφ_p − δψ).
            for (row, stored) in stored.enumerate().map(|(carrier, stored)| (1 + carrier, stored)) {
                matrix.excess[i][(row, 0)] -= stored;
                matrix.excess[i][(row, row)] += stored;
            }
        }
    }
    let end = if port == Port::First { 0 } else { count - 1 };
    // What is solved for is the response less a rigid shift of the contact's side by φ_t: a shift moves no
    // charge within that side, and what is left of the majority carriers' response there is so small that
    // it would drown in the shift.
    let shifted = |i: usize| {
        let first = i == 0 || device.from_first[i].contains(&true);
        if first == (port == Port::First) { 1.0 } else { 0.0 }
    };
    let mut response = vec![SVector::<Complex<f64>, 3>::zeros(); count];
    for edge in 0..count - 1 {
        let jump = shifted(edge + 1) - shifted(edge);
        if jump == 0.0 {
            continue;
        }
        let fluxes = &assembly.fluxes[edge];
        let shift = |flux: &Flux| flux.potential[1] + flux.fermi[1];
        let change = [assembly.couplings[edge], shift(&fluxes[0]), shift(&fluxes[1])];
        for row in 0..3 {
            response[edge][row] -= real(change[row] * jump);
            response[edge + 1][row] += real(change[row] * jump);
        }
    }
    // The ends are held, and so are carriers where there are none.
    for (i, response) in response.iter_mut().enumerate() {
        if device.is_end(i) {
            response[0] = real(0.0);
        }
        if device.is_held(i) {
            response[1] = real(0.0);
            response[2] = real(0.0);
        }
    }
    matrix.solve(&mut response)?;
    let edge = if end == 0 { 0 } else { count - 2 };
    let (a, b) = (&response[edge], &response[edge + 1]);
    let jump = shifted(edge + 1) - shifted(edge);
    let mut current = real(0.0);
    for carrier in 0..2 {
        let flux = &assembly.fluxes[edge][carrier];
        current += a[0] * flux.potential[0]
            + b[0] * flux.potential[1]
            + a[1 + carrier] * flux.fermi[0]
            + b[1 + carrier] * flux.fermi[1]
            + real(jump * (flux.potential[1] + flux.fermi[1]));
    }
    // Displacement along the edge: ε (ψ₀ − ψ₁)/h per time.
    current += (a[0] - b[0] - jump) * Complex::new(0.0, omega * assembly.couplings[edge]);
    let into = if end == 0 { 1.0 } else { -1.0 };
    Some(current * (into * ELEMENTARY_CHARGE / structure.thermal_voltage_v()))
}
