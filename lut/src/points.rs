//! Many points anywhere in a table.
//!
//! Shape-preserving slopes are not linear in the values, so that slopes over time and state can be formed only
//! when the dose is known. What is known before are the slopes over the dose; they stand beside the values,
//! and the quantities of a node, and the four states that a point needs, are worked on as one vector: a point
//! reads four rows of four states for each of four times, each row in one piece.

use crate::lookup::Place;
use crate::outside::{Clamped, OutOfRange, Range};
use crate::pchip;
use crate::table::{DeviceTable, Query, Row, TableError};

/// Mean, standard deviation, read noise, and one that is idle, so that they fill a vector.
const QUANTITIES: usize = 4;
/// The quantities of the four states around a point.
const LANES: usize = 4 * QUANTITIES;
/// Numbers in a line of the cache.
const LINE: usize = 8;
/// Points that are placed on an axis together, so that logarithms are vectors too.
const BLOCK: usize = 64;

/// A table prepared for queries of means and standard deviations at many points: what
/// [`DeviceTable::query`] answers, with the same bits.
#[derive(Debug, Clone)]
pub struct Points<'a> {
    table: &'a DeviceTable,
    /// Values and slopes over the dose, `[time, dose, value or slope, state, quantity]`. One dose, one state
    /// before the first and two after the last are copies of their neighbours: they complete what is read in one
    /// piece and weigh nothing.
    nodes: Vec<f64>,
    /// Where they begin: at a line of the cache, so that what is read in one piece lies on as few as it can.
    start: usize,
}

impl<'a> Points<'a> {
    pub(crate) fn new(table: &'a DeviceTable) -> Self {
        let (states, times, doses) = (table.state.len(), table.time.len(), table.dose.len());
        let (row, knots) = (row(table), table.dose.lookup());
        if table.mean.is_empty() {
            return Self { table, nodes: Vec::new(), start: 0 };
        }
        let mut nodes = vec![0.0_f64; times * (doses + 1) * 2 * row + LINE];
        let start = nodes.as_ptr().align_offset(LINE * size_of::<f64>()).min(LINE);
        for s in 0..states {
            let copies = if s == 0 { 0..2 } else { s + 1..s + 2 };
            let copies = copies.start..if s + 1 == states { states + 3 } else { copies.end };
            for t in 0..times {
                let first = (s * times + t) * doses;
                let at = |node: usize| [table.mean[node], table.sigma[node], table.read_sigma[node], 0.0];
                let values: Vec<[f64; QUANTITIES]> = (first..first + doses).map(at).collect();
                let slopes = [0, 1, 2, 3].map(|quantity| {
                    let curve: Vec<f64> = values.iter().map(|values| values[quantity]).collect();
                    pchip::slopes(knots, &curve)
                });
                for d in 0..=doses {
                    let known = d.min(doses - 1);
                    let slopes = slopes.each_ref().map(|slopes| slopes[known]);
                    let place = start + (t * (doses + 1) + d) * 2 * row;
                    for copy in copies.clone() {
                        for (part, from) in [&values[known], &slopes].into_iter().enumerate() {
                            let to = place + part * row + copy * QUANTITIES;
                            nodes[to..to + QUANTITIES].copy_from_slice(from);
                        }
                    }
                }
            }
        }
        Self { table, nodes, start }
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
        for points in points.chunks(BLOCK) {
            let [mut state, mut time, mut dose] = [[0.0; BLOCK]; 3];
            let mut outside = [false; BLOCK];
            let (mut inside, mut refused) = (0, None);
            for &point in points {
                let Query { state: s, time_s: t, dose_krad_si: d } = point;
                let held = if states.holds(s) && times.holds(t) && doses.holds(d) {
                    [states.held(s), times.held(t), doses.held(d)]
                } else {
                    outside[inside] = true;
                    match moved([states, times, doses], point, policy, &mut clamped) {
                        Ok(moved) => moved,
                        Err(error) => {
                            refused = Some(error);
                            break;
                        }
                    }
                };
                [state[inside], time[inside], dose[inside]] = held;
                inside += 1;
            }
            let state = table.state.places(state);
            let time = table.time.places(time);
            let dose = table.dose.places(dose);
            let mut columns = [[0.0; LANES]; BLOCK];
            for (k, columns) in columns[..inside].iter_mut().enumerate() {
                *columns = self.over_states(state[k].i, time[k], dose[k]);
            }
            for (k, &query) in points[..inside].iter().enumerate() {
                let [mean_na, sigma_na, read_sigma_na, _] = self.at(state[k], &columns[k]);
                rows.push(Row { query, mean_na, sigma_na, read_sigma_na, clamped: outside[k] });
            }
            if let Some(error) = refused {
                return Err(error);
            }
        }
        Ok(clamped)
    }

    /// The quantities at a time and dose, for the states around interval `state`.
    #[inline(always)]
    fn over_states(&self, state: usize, time: Place, dose: Place) -> [f64; LANES] {
        let (table, row) = (self.table, row(self.table));
        let over_dose = table.dose.lookup().pieces()[dose.i].weights(dose.t);
        let piece = &table.time.lookup().pieces()[time.i];
        let over_time = piece.weights(time.t);
        let last = table.time.len() - 1;
        // The time before, the two ends of the interval, the time after; values, slopes, both of the next dose.
        let rows = [time.i.saturating_sub(1), time.i, (time.i + 1).min(last), (time.i + 2).min(last)].map(
            #[inline(always)]
            |t| {
                let node = t * (table.dose.len() + 1) + dose.i;
                let first = self.start + node * 2 * row + state * QUANTITIES;
                [0, 1, 2, 3].map(
                    #[inline(always)]
                    |part| window(&self.nodes, first + part * row),
                )
            },
        );
        piece.values(
            over_time,
            #[inline(always)]
            |lane| {
                rows.each_ref().map(
                    #[inline(always)]
                    |[v0, m0, v1, m1]| pchip::hermite(over_dose, [v0[lane], v1[lane]], [m0[lane], m1[lane]]),
                )
            },
        )
    }

    /// The quantities at a state, of those around it.
    #[inline(always)]
    fn at(&self, state: Place, columns: &[f64; LANES]) -> [f64; QUANTITIES] {
        let piece = &self.table.state.lookup().pieces()[state.i];
        piece.values(
            piece.weights(state.t),
            #[inline(always)]
            |quantity| {
                [0, 1, 2, 3].map(
                    #[inline(always)]
                    |state| columns[state * QUANTITIES + quantity],
                )
            },
        )
    }
}

/// A point that lies outside, moved into the table and counted as the policy says.
#[cold]
#[inline(never)]
fn moved(
    [states, times, doses]: [Range; 3],
    point: Query,
    policy: OutOfRange,
    clamped: &mut Clamped,
) -> Result<[f64; 3], TableError> {
    let moved = [
        states.moved(point.state, policy, &mut clamped.state)?,
        times.moved(point.time_s, policy, &mut clamped.time_s)?,
        doses.moved(point.dose_krad_si, policy, &mut clamped.dose_krad_si)?,
    ];
    clamped.points += 1;
    Ok(moved)
}

/// Four neighbours in a row of states; rows are complete, so that there always are four.
#[inline(always)]
fn window(nodes: &[f64], first: usize) -> &[f64; LANES] {
    nodes.get(first..).and_then(<[f64]>::first_chunk).unwrap_or(&[f64::NAN; LANES])
}

/// Numbers of one row of states, of which one before the first and two after the last are copies.
fn row(table: &DeviceTable) -> usize {
    (table.state.len() + 3) * QUANTITIES
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

#[cfg(test)]
mod tests {
    use crate::axis::Axis;
    use crate::compile::tests_support::table;
    use crate::lookup::{Lookup, Place};
    use crate::pchip;
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

    /// The textbook's way: polynomials over the dose, over the time and over the state, one in the other, on
    /// coordinates by a library's logarithm. A value may differ by the rounding of some hundred operations.
    #[test]
    fn points_are_nested_polynomials() {
        let table = table();
        let coordinate = |axis: &Axis, x: f64| axis.scale().map_or(x, |scale| libm::log1p(x / scale));
        let knots = |axis: &Axis| axis.nodes().iter().map(|&x| coordinate(axis, x)).collect::<Vec<f64>>();
        let axes = [table.state_axis(), table.time_axis(), table.dose_axis()];
        let [ss, ts, ds] = axes.map(knots);
        let at = |xs: &[f64], Place { i, t }: Place, y: &dyn Fn(usize) -> f64| {
            // Only the values around the place are needed.
            let near = |k: usize| if k + 1 < i || k > i + 2 { 0.0 } else { y(k) };
            let values: Vec<f64> = (0..xs.len()).map(near).collect();
            pchip::value(&pchip::cubics(&Lookup::new(xs.to_vec()), &values)[i], t)
        };
        let stream = Stream::new(10, &["points"], &[]);
        let points: Vec<Query> = (0..2000)
            .map(|n| Query {
                state: stream.uniform(3 * n),
                time_s: axes[1].range().1 * stream.uniform(3 * n + 1).powi(6),
                dose_krad_si: axes[2].range().1 * stream.uniform(3 * n + 2).powi(3),
            })
            .collect();
        let mut rows = Vec::new();
        table.points().query(&points, OutOfRange::Error, &mut rows).unwrap();
        for (point, row) in points.iter().zip(&rows) {
            let place = |axis: &Axis, xs: &[f64], x: f64| Lookup::new(xs.to_vec()).place(coordinate(axis, x));
            let s = place(axes[0], &ss, point.state);
            let t = place(axes[1], &ts, point.time_s);
            let d = place(axes[2], &ds, point.dose_krad_si);
            for (array, found) in [
                (&table.mean, row.mean_na),
                (&table.sigma, row.sigma_na),
                (&table.read_sigma, row.read_sigma_na),
            ] {
                let wanted = at(&ss, s, &|s| {
                    at(&ts, t, &|t| at(&ds, d, &|d| array[(s * ts.len() + t) * ds.len() + d]))
                });
                assert!((found - wanted).abs() <= 1e-12 * wanted.abs(), "{point:?}: {found} {wanted}");
            }
        }
    }
}
