//! Width, length and number of parallel devices, from what files and their names say.

/// Drawn dimensions; NaN where unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// Channel width (or width of a diode) in µm.
    pub width_um: f64,
    /// Channel length (or the other side of a diode) in µm.
    pub length_um: f64,
    /// Number of equal devices in parallel.
    pub multiplicity: f64,
}

impl Default for Geometry {
    fn default() -> Self {
        Self { width_um: f64::NAN, length_um: f64::NAN, multiplicity: f64::NAN }
    }
}

impl Geometry {
    /// From a file name such as `…_w0p42u_l0p15u_m1(…)` or `…_40p5_by_80p5_m9(…)`: micrometres, with
    /// `p` for the decimal point.
    pub fn from_name(name: &str) -> Self {
        let stem = stem(name);
        let stem = stem.split('(').next().unwrap_or(stem).to_ascii_lowercase();
        let words: Vec<&str> = stem.split('_').filter(|word| !word.is_empty()).collect();
        let mut found = Self::default();
        for word in &words {
            let Some((letter, rest)) = word.split_at_checked(1) else { continue };
            match letter {
                "w" => found.width_um = micrometres(rest).unwrap_or(found.width_um),
                "l" => found.length_um = micrometres(rest).unwrap_or(found.length_um),
                "m" => {
                    found.multiplicity =
                        rest.parse::<u32>().ok().filter(|m| *m > 0).map_or(found.multiplicity, f64::from);
                }
                _ => {}
            }
        }
        if let Some(at) = words.iter().position(|word| *word == "by")
            && let Some(width) = at.checked_sub(1).and_then(|at| words.get(at)).and_then(|w| micrometres(w))
            && let Some(length) = words.get(at + 1).and_then(|word| micrometres(word))
        {
            (found.width_um, found.length_um) = (width, length);
        }
        found
    }

    /// The same, with what `other` knows where this one does not.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let first = |a: f64, b: f64| if a.is_nan() { b } else { a };
        Self {
            width_um: first(self.width_um, other.width_um),
            length_um: first(self.length_um, other.length_um),
            multiplicity: first(self.multiplicity, other.multiplicity),
        }
    }
}

/// A file name without folder and extension.
pub fn stem(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match name.rfind('.') {
        Some(dot) if dot > 0 => &name[..dot],
        _ => name,
    }
}

/// `0p42u`, `0p42`, `7u` or `8.5` in µm.
fn micrometres(word: &str) -> Option<f64> {
    let word = word.strip_suffix("um").or_else(|| word.strip_suffix('u')).unwrap_or(word);
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let value: f64 = word.replacen('p', ".", 1).parse().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_dimensions() {
        let read = |name| {
            let g = Geometry::from_name(name);
            (g.width_um, g.length_um, g.multiplicity)
        };
        assert_eq!(read("a/sky130_fd_pr__nfet_01v8_w0p42u_l0p15u_m1(8008_9_10_IDVG).mdm"), (0.42, 0.15, 1.0));
        assert_eq!(
            read("sky130_fd_pr__nfet_01v8_w0p36u_l0p15u_m2280(5290_3_IDVG_D3).mdm"),
            (0.36, 0.15, 2280.0)
        );
        assert_eq!(read("deep_n_well_p_well_diode_1p29_by_100_m26(5212_2_3).mdm"), (1.29, 100.0, 26.0));
        assert!(Geometry::from_name("by_lot_m0.csv").multiplicity.is_nan());
        assert!(Geometry::from_name("by_.csv").width_um.is_nan());
        assert_eq!(stem("..hidden/.mdm"), ".mdm");
    }
}
