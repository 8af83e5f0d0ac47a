//! Many points anywhere in a table.
//!
//! Shape-preserving slopes are not linear in the values, so that slopes over time and state can be formed only
//! when the dose is known. What is known before are the cubics over the dose; they stand ready, and the
//! quantities of a node, and the four states that a point needs, are worked on as one vector.

use crate::axis::Axis;
use crate::lookup::Place;
use crate::outside::{Clamped, OutOfRange, Range};
use crate::pchip;
use crate::table::{DeviceTable, Query, Row, TableError};

/// Mean, standard deviation, read noise, and one that is idle, so that they fill a vector.
const QUANTITIES: usize = 4;
/// The quantities of the four states around a point.
const LANES: usize = 4 * QUANTITIES;

/// A table prepared for queries of means and standard deviations at many points: what
/// [`DeviceTable::query`] answers, with the same bits.
#[derive(Debug, Clone)]
pub struct Points<'a> {
    table: &'a DeviceTable,
    /// Cubics over the dose from every node on, state-major, then time, then dose.
    cubics: Vec<[[f64; QUANTITIES]; 4]>,
}

impl<'a> Points<'a> {
    pub(crate) fn new(table: &'a DeviceTable) -> Self {
        let doses = table.dose.len();
        let lookup = table.dose.lookup();
        let xs = lookup.knots();
        let mut cubics = Vec::with_capacity(table.mean.len());
        for first in (0..table.mean.len()).step_by(doses.max(1)) {
            let at = |d: usize| {
                let node = first + d;
                [table.mean[node], table.sigma[node], table.read_sigma[node], 0.0]
            };
            cubics.extend(
                (0..doses).map(|d| pchip::lanes(doses, |k| xs[k + 1] - xs[k], |k| lookup.inverse(k), d, at)),
            );
        }
        Self { table, cubics }
    }

    /// Means and standard deviations at points, in place of what stands in `rows`, and how many points were
    /// moved into the table.
    ///
    /// # Errors
    /// As [`DeviceTable::query`]; `rows` then holds the answers before the point that was refused.
    pub fn query(
        &self,
        points: &[Query],
        policy: OutOfRange,
        rows: &mut Vec<Row>,
    ) -> Result<Clamped, TableError> {
        rows.clear();
        rows.reserve(points.len());
        pulp::Arch::new().dispatch(Each { table: self, points, policy, rows })
    }

    #[inline(always)]
    fn each(&self, points: &[Query], policy: OutOfRange, rows: &mut Vec<Row>) -> Result<Clamped, TableError> {
        let table = self.table;
        let (states, times, doses) = (
            Range::of("state", &table.state),
            Range::of("time_s", &table.time),
            Range::of("dose_krad_si", &table.dose),
        );
        let mut clamped = Clamped::default();
        // Points come in groups of one time or dose as a rule.
        let (mut last_time, mut last_dose) =
            ((f64::NAN, Place { i: 0, t: 0.0 }), (f64::NAN, Place { i: 0, t: 0.0 }));
        for &query in points {
            let moved = |c: &Clamped| c.state.total() + c.time_s.total() + c.dose_krad_si.total();
            let before = moved(&clamped);
            let state = states.moved(query.state, policy, &mut clamped.state)?;
            let time_s = times.moved(query.time_s, policy, &mut clamped.time_s)?;
            let dose = doses.moved(query.dose_krad_si, policy, &mut clamped.dose_krad_si)?;
            let outside = moved(&clamped) > before;
            clamped.points += usize::from(outside);
            if time_s != last_time.0 {
                last_time = (time_s, table.time.place(time_s));
            }
            if dose != last_dose.0 {
                last_dose = (dose, table.dose.place(dose));
            }
            let [mean_na, sigma_na, read_sigma_na, _] =
                self.at(table.state.place(state), last_time.1, last_dose.1);
            rows.push(Row { query, mean_na, sigma_na, read_sigma_na, clamped: outside });
        }
        Ok(clamped)
    }

    /// The quantities at a point.
    #[inline(always)]
    fn at(&self, state: Place, time: Place, dose: Place) -> [f64; QUANTITIES] {
        let (times, doses) = (self.table.time.len(), self.table.dose.len());
        let last = self.table.state.len().saturating_sub(1);
        // The state before the point's interval, its two ends, and the one after; where there is none, another
        // in its place, which nobody reads.
        let around = [0, 1, 2, 3].map(|k: usize| (state.i + k).saturating_sub(1).min(last) * times * doses);
        let over_states: [f64; LANES] = curve(
            &self.table.time,
            time,
            #[inline(always)]
            |t| {
                let mut values = [0.0; LANES];
                for (values, first) in values.as_chunks_mut::<QUANTITIES>().0.iter_mut().zip(around) {
                    *values = pchip::values(&self.cubics[first + t * doses + dose.i], dose.t);
                }
                values
            },
        );
        let (states, _) = over_states.as_chunks::<QUANTITIES>();
        curve(
            &self.table.state,
            state,
            #[inline(always)]
            |s| states[(s + 1 - state.i) & 3],
        )
    }
}

/// A batch to be compiled for the widest vectors: a closure of this size would be compiled apart from them.
struct Each<'p, 'a> {
    table: &'p Points<'a>,
    points: &'p [Query],
    policy: OutOfRange,
    rows: &'p mut Vec<Row>,
}

impl pulp::WithSimd for Each<'_, '_> {
    type Output = Result<Clamped, TableError>;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        self.table.each(self.points, self.policy, self.rows)
    }
}

/// Curves through `y(k)` at the nodes of an axis, at a place.
#[inline(always)]
fn curve<const L: usize>(axis: &Axis, place: Place, y: impl Fn(usize) -> [f64; L]) -> [f64; L] {
    if place.t == 0.0 {
        return y(place.i);
    }
    let lookup = axis.lookup();
    let xs = lookup.knots();
    let cubics = pchip::lanes(
        xs.len(),
        #[inline(always)]
        |k| xs[k + 1] - xs[k],
        #[inline(always)]
        |k| lookup.inverse(k),
        place.i,
        y,
    );
    pchip::values(&cubics, place.t)
}

#[cfg(test)]
mod tests {
    use crate::compile::tests_support::table;
    use crate::{OutOfRange, Query};
    use mho_data::random::Stream;

    /// The same bits as the table's own interpolation, inside and at nodes, ends and beyond them.
    #[test]
    fn points_are_those_of_the_table() {
        let table = table();
        let stream = Stream::new(9, &["points"], &[]);
        let (t, d) = (table.time_axis().range().1, table.dose_axis().range().1);
        let mut points: Vec<Query> = (0..3000)
            .map(|n| Query {
                state: 1.1 * stream.uniform(3 * n) - 0.05,
                time_s: 1.1 * t * stream.uniform(3 * n + 1).powi(6),
                dose_krad_si: 1.1 * d * stream.uniform(3 * n + 2).powi(3),
            })
            .collect();
        for &state in table.state_axis().nodes() {
            for &time_s in table.time_axis().nodes() {
                let dose = |&dose_krad_si: &f64| Query { state, time_s, dose_krad_si };
                points.extend(table.dose_axis().nodes().iter().map(dose));
            }
        }
        let mut rows = Vec::new();
        let clamped = table.points().query(&points, OutOfRange::Clamp, &mut rows).unwrap();
        let (whole, counted) = table.query(&points, OutOfRange::Clamp).unwrap();
        assert_eq!((&rows, clamped), (&whole, counted));
        for (point, row) in points.iter().zip(&rows) {
            let (one, _) = table.query(&[*point], OutOfRange::Clamp).unwrap();
            for (a, b) in [
                (row.mean_na, one[0].mean_na),
                (row.sigma_na, one[0].sigma_na),
                (row.read_sigma_na, one[0].read_sigma_na),
            ] {
                assert_eq!(a.to_bits(), b.to_bits(), "{point:?}");
            }
        }
        let outside = Query { state: 2.0, ..points[0] };
        assert!(table.points().query(&[outside], OutOfRange::Error, &mut rows).is_err());
    }
}
