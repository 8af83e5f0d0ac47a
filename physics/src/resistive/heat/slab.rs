//! Layers as a row of elements.

/// Thermal conductivity k = `value_w_mk` (T/`reference_k`)^-`exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conductivity {
    /// Value at the reference temperature in W/(m K).
    pub value_w_mk: f64,
    /// How fast it falls with temperature.
    pub exponent: f64,
    /// Reference temperature in K.
    pub reference_k: f64,
}

impl Conductivity {
    /// Conductivity in W/(m K) at a temperature.
    #[must_use]
    pub fn at(&self, temperature_k: f64) -> f64 {
        self.value_w_mk * (temperature_k / self.reference_k).powf(-self.exponent)
    }

    /// The Kirchhoff potential in W/m: the integral of k from the reference temperature.
    #[must_use]
    pub fn potential(&self, temperature_k: f64) -> f64 {
        let order = 1.0 - self.exponent;
        let logarithm = (temperature_k / self.reference_k).ln();
        let integral = if order == 0.0 { logarithm } else { (order * logarithm).exp_m1() / order };
        self.value_w_mk * self.reference_k * integral
    }
}

/// A slice of a layer between two nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Element {
    /// Length in m.
    pub length_m: f64,
    /// Thermal conductivity.
    pub conductivity: Conductivity,
    /// Heat capacity in J/(m³ K).
    pub capacity_j_m3k: f64,
    /// Heat made in W/m³.
    pub source_w_m3: f64,
    /// Sideways loss in W/(m³ K) to `ambient_k`.
    pub loss_w_m3k: f64,
    /// Temperature in K around it.
    pub ambient_k: f64,
}

impl Element {
    /// Net heat made in its half next to a node of this temperature, in W/m².
    fn half_power(&self, temperature_k: f64, scale: f64) -> f64 {
        0.5 * self.length_m * (scale * self.source_w_m3 - self.loss_w_m3k * (temperature_k - self.ambient_k))
    }
}

/// What lies between two nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Link {
    /// A slice of a layer.
    Bulk(Element),
    /// A joint of layers with a thermal (Kapitza) resistance.
    Joint {
        /// Resistance in m² K/W.
        resistance_m2k_w: f64,
    },
}

impl Link {
    /// Heat flux in W/m² from a node of temperature `from` to one of temperature `to`.
    fn flux(&self, from: f64, to: f64) -> f64 {
        match self {
            Self::Bulk(element) => {
                (element.conductivity.potential(from) - element.conductivity.potential(to)) / element.length_m
            }
            Self::Joint { resistance_m2k_w } => (from - to) / resistance_m2k_w,
        }
    }

    fn element(&self) -> Option<&Element> {
        match self {
            Self::Bulk(element) => Some(element),
            Self::Joint { .. } => None,
        }
    }
}

/// What holds at an end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// A temperature in K.
    Fixed(f64),
    /// No heat passes.
    Insulated,
    /// Heat passes through a film (Robin).
    Convective {
        /// Coefficient of heat transfer in W/(m² K).
        coefficient_w_m2k: f64,
        /// Temperature in K beyond the film.
        ambient_k: f64,
    },
}

/// A row of links between two ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Slab {
    links: Vec<Link>,
    ends: [End; 2],
    /// Factor on all sources.
    pub scale: f64,
}

impl Slab {
    /// Links from left to right between two ends, with all sources on. A joint must have a bulk element on
    /// either side.
    #[must_use]
    pub fn new(links: Vec<Link>, left: End, right: End) -> Self {
        Self { links, ends: [left, right], scale: 1.0 }
    }

    /// Number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.links.len() + 1
    }

    /// Places of the nodes in m from the left end; the two sides of a joint stand at the same place.
    #[must_use]
    pub fn places(&self) -> Vec<f64> {
        let mut place = 0.0;
        let mut places = vec![place];
        for link in &self.links {
            place += link.element().map_or(0.0, |element| element.length_m);
            places.push(place);
        }
        places
    }

    fn around(&self, node: usize) -> [Option<&Link>; 2] {
        [node.checked_sub(1).and_then(|link| self.links.get(link)), self.links.get(node)]
    }

    fn end(&self, node: usize) -> Option<End> {
        if node == 0 {
            Some(self.ends[0])
        } else if node == self.links.len() {
            Some(self.ends[1])
        } else {
            None
        }
    }

    /// The temperature that an end fixes.
    pub(super) fn fixed(&self, node: usize) -> Option<f64> {
        match self.end(node) {
            Some(End::Fixed(temperature)) => Some(temperature),
            _ => None,
        }
    }

    /// Heat capacity of a node in J/(m² K).
    pub(super) fn capacity(&self, node: usize) -> f64 {
        self.around(node)
            .into_iter()
            .flatten()
            .filter_map(Link::element)
            .map(|element| 0.5 * element.length_m * element.capacity_j_m3k)
            .sum()
    }

    /// Heat in W/m² that comes to a node from its neighbours and is made there, less what leaves sideways.
    pub(super) fn inflow(&self, node: usize, before: Option<f64>, here: f64, after: Option<f64>) -> f64 {
        let mut sum = 0.0;
        for (link, neighbour) in self.around(node).into_iter().zip([before, after]) {
            let Some(link) = link else { continue };
            if let Some(neighbour) = neighbour {
                sum += link.flux(neighbour, here);
            }
            if let Some(element) = link.element() {
                sum += element.half_power(here, self.scale);
            }
        }
        sum
    }

    /// Heat in W/m² that leaves a node through a film at an end.
    pub(super) fn end_outflow(&self, node: usize, temperature: f64) -> f64 {
        match self.end(node) {
            Some(End::Convective { coefficient_w_m2k, ambient_k }) => {
                coefficient_w_m2k * (temperature - ambient_k)
            }
            _ => 0.0,
        }
    }

    /// Heat flux in W/m² out of the left and the right end at these temperatures of the nodes.
    #[must_use]
    pub fn outflow(&self, temperatures: &[f64]) -> [f64; 2] {
        [0, self.links.len()].map(|node| {
            let Some(&here) = temperatures.get(node) else { return 0.0 };
            if self.fixed(node).is_some() {
                let before = node.checked_sub(1).and_then(|index| temperatures.get(index)).copied();
                self.inflow(node, before, here, temperatures.get(node + 1).copied())
            } else {
                self.end_outflow(node, here)
            }
        })
    }

    /// Heat made in W/m² and heat lost sideways in W/m² at these temperatures of the nodes.
    #[must_use]
    pub fn made_and_lost(&self, temperatures: &[f64]) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for (link, pair) in self.links.iter().zip(temperatures.windows(2)) {
            let Some(element) = link.element() else { continue };
            sums[0] += self.scale * element.source_w_m3 * element.length_m;
            for temperature in pair {
                sums[1] += 0.5 * element.length_m * element.loss_w_m3k * (temperature - element.ambient_k);
            }
        }
        sums
    }

    /// Heat stored in J/m² above 0 K at these temperatures of the nodes.
    #[must_use]
    pub fn stored(&self, temperatures: &[f64]) -> f64 {
        temperatures.iter().enumerate().map(|(node, temperature)| self.capacity(node) * temperature).sum()
    }

    /// Whether heat can leave at all.
    #[must_use]
    pub fn can_cool(&self) -> bool {
        self.ends.iter().any(|end| !matches!(end, End::Insulated))
            || self.links.iter().filter_map(Link::element).any(|element| element.loss_w_m3k > 0.0)
    }
}
