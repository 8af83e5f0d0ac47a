//! The band edge through a stack of insulators.

use crate::constants::VACUUM_PERMITTIVITY;

/// A layer of insulator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layer {
    /// Thickness in m.
    pub thickness_m: f64,
    /// Band edge above the Fermi level of the left electrode in eV, without field.
    pub barrier_ev: f64,
    /// Effective mass in the gap over the electron mass.
    pub mass: f64,
    /// Relative permittivity.
    pub permittivity: f64,
}

/// A sheet of fixed charge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Distance from the left electrode in m.
    pub depth_m: f64,
    /// Charge in C/m², negative for electrons.
    pub charge_c_per_m2: f64,
}

/// A piece of barrier with a linear band edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// Thickness in m.
    pub thickness_m: f64,
    /// Band edge at its left end in eV.
    pub left_ev: f64,
    /// Band edge at its right end in eV.
    pub right_ev: f64,
    /// Effective mass over the electron mass.
    pub mass: f64,
}

/// A band edge of linear pieces from left to right.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Barrier {
    /// Its pieces.
    pub pieces: Vec<Piece>,
}

impl Barrier {
    /// The same barrier seen from the right.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let turn = |piece: &Piece| Piece { left_ev: piece.right_ev, right_ev: piece.left_ev, ..*piece };
        Self { pieces: self.pieces.iter().rev().map(turn).collect() }
    }

    /// Its highest energy in eV.
    #[must_use]
    pub fn top_ev(&self) -> f64 {
        self.pieces.iter().flat_map(|piece| [piece.left_ev, piece.right_ev]).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// Layers from the left electrode to the right one, with sheets of charge in them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stack {
    layers: Vec<Layer>,
    /// Field in layer i is (D − shed[i])/ε_i, with D = ε F of the first layer.
    shed: Vec<f64>,
}

impl Stack {
    /// Layers with sheets of charge; a sheet inside a layer divides it, a sheet outside of the stack lies on
    /// an electrode and has no effect.
    #[must_use]
    pub fn new(layers: &[Layer], sheets: &[Sheet]) -> Self {
        let mut sheets = sheets.to_vec();
        sheets.sort_by(|a, b| a.depth_m.total_cmp(&b.depth_m));
        let mut stack = Self::default();
        let (mut depth, mut shed) = (0.0, 0.0);
        let mut waiting = sheets.iter().filter(|sheet| sheet.depth_m > 0.0).peekable();
        for layer in layers {
            let end = depth + layer.thickness_m;
            while let Some(sheet) = waiting.next_if(|sheet| sheet.depth_m < end) {
                if sheet.depth_m > depth {
                    stack.push(Layer { thickness_m: sheet.depth_m - depth, ..*layer }, shed);
                    depth = sheet.depth_m;
                }
                shed += sheet.charge_c_per_m2;
            }
            stack.push(Layer { thickness_m: end - depth, ..*layer }, shed);
            depth = end;
        }
        stack
    }

    fn push(&mut self, layer: Layer, shed: f64) {
        self.layers.push(layer);
        self.shed.push(shed);
    }

    /// Potential drop in V over all layers at a field in V/m in the first one.
    #[must_use]
    pub fn drop_v(&self, field_v_per_m: f64) -> f64 {
        self.fields(field_v_per_m)
            .iter()
            .zip(&self.layers)
            .map(|(field, layer)| field * layer.thickness_m)
            .sum()
    }

    /// Field in V/m in the first layer at a potential drop in V over all of them.
    #[must_use]
    pub fn field_v_per_m(&self, drop_v: f64) -> f64 {
        // The drop is linear in the field.
        let offset = self.drop_v(0.0);
        let first = self.layers.first().map_or(1.0, |layer| layer.permittivity);
        let per_field: f64 =
            self.layers.iter().map(|layer| layer.thickness_m * first / layer.permittivity).sum();
        (drop_v - offset) / per_field
    }

    /// Field in V/m in each piece, from that in the first layer (ε₂F₂ = ε₁F₁ − σ across a sheet σ).
    fn fields(&self, first_v_per_m: f64) -> Vec<f64> {
        let displacement =
            self.layers.first().map_or(0.0, |layer| layer.permittivity) * VACUUM_PERMITTIVITY * first_v_per_m;
        self.layers
            .iter()
            .zip(&self.shed)
            .map(|(layer, shed)| (displacement - shed) / (layer.permittivity * VACUUM_PERMITTIVITY))
            .collect()
    }

    /// The barrier at a field in V/m in the first layer.
    #[must_use]
    pub fn barrier(&self, field_v_per_m: f64) -> Barrier {
        let mut fallen = 0.0;
        let pieces = self.fields(field_v_per_m).into_iter().zip(&self.layers).map(|(field, layer)| {
            let left_ev = layer.barrier_ev - fallen;
            fallen += field * layer.thickness_m;
            let right_ev = layer.barrier_ev - fallen;
            Piece { thickness_m: layer.thickness_m, left_ev, right_ev, mass: layer.mass }
        });
        Barrier { pieces: pieces.collect() }
    }

    /// The layers, divided at the sheets.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OXIDE: Layer = Layer { thickness_m: 2e-9, barrier_ev: 3.15, mass: 0.42, permittivity: 3.9 };
    const NITRIDE: Layer = Layer { thickness_m: 8e-9, barrier_ev: 2.1, mass: 0.42, permittivity: 7.5 };

    #[test]
    fn the_drop_of_a_stack_without_charge_is_shared_by_permittivity() {
        let stack = Stack::new(&[OXIDE, NITRIDE, Layer { thickness_m: 4e-9, ..OXIDE }], &[]);
        // Equivalent oxide thickness 10.16 nm.
        let field = stack.field_v_per_m(8.0);
        assert!((field * 10.16e-9 / 8.0 - 1.0).abs() < 1e-12, "{field}");
        assert!((stack.drop_v(field) - 8.0).abs() < 1e-12);
        let end = stack.barrier(field).pieces[2].right_ev;
        assert!((end - (3.15 - 8.0)).abs() < 1e-12);
    }

    /// E_to = (V + Q/C_top)/EOT with C_top = ε₀/((t_N − x)/ε_N + t_bo/ε_ox); E_bo = E_to − Q/ε.
    #[test]
    fn a_sheet_of_charge_divides_the_field() {
        let charge = -1e-2;
        let top = Layer { thickness_m: 4e-9, ..OXIDE };
        let sheet = Sheet { depth_m: 6e-9, charge_c_per_m2: charge };
        let stack = Stack::new(&[OXIDE, NITRIDE, top], &[sheet]);
        let over = VACUUM_PERMITTIVITY / (4e-9 / 7.5 + 4e-9 / 3.9);
        let expected = (8.0 + charge / over) / 10.16e-9;
        let field = stack.field_v_per_m(8.0);
        assert!((field / expected - 1.0).abs() < 1e-12);
        assert_eq!(stack.layers().len(), 4);
        let last = stack.barrier(field).pieces[3];
        let blocking = (last.left_ev - last.right_ev) / 4e-9;
        let expected = expected - charge / (3.9 * VACUUM_PERMITTIVITY);
        assert!((blocking / expected - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_sheet_at_an_interface_divides_no_layer() {
        let at = |depth_m| Sheet { depth_m, charge_c_per_m2: 1e-3 };
        assert_eq!(Stack::new(&[OXIDE, NITRIDE], &[at(2e-9)]).layers().len(), 2);
        // On the electrodes: no effect.
        let bare = Stack::new(&[OXIDE, NITRIDE], &[]);
        assert_eq!(Stack::new(&[OXIDE, NITRIDE], &[at(0.0), at(11e-9)]), bare);
    }
}
