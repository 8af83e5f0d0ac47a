//! Gross cells: far from the other cells of their target, taken out, counted and named.
//!
//! Spreads are sums of squares, and one cell in twenty that sits twenty deviations away would make them four times as
//! large. A cell is judged by what a plan reads off it: its first conductance, its change since then on the scale on
//! which the law's cells scatter normally, and the scatter of its repeated reads.

use super::plan::{Change, Plan};
use super::readings::{Group, Reads};
use crate::fit::{FAR, far_probability, median, student_quantile};

/// Part of the cells of a target beyond which they are no outliers: then the law's scatter misses them (assumed, as for
/// the readings of other laws).
const MOST: f64 = 0.2;

/// Fewest cells that a spread is judged by.
const FEWEST: usize = 4;

/// Judgements by the cells kept in the one before, until they stay the same.
const ROUNDS: usize = 8;

/// Cells named at most.
const NAMED: usize = 6;

/// Takes the gross cells out of each group; gives the number of rows that they had, and a note in words where there are
/// any.
pub(super) fn take_out(groups: &mut [Group], plan: &Plan) -> (usize, Vec<String>) {
    let (mut rows, mut cells, mut many) = (0, 0, 0);
    let mut named = Vec::new();
    let all: usize = groups.iter().map(|group| group.cells.len()).sum();
    for group in groups {
        let gross = judge(group, plan);
        let count = gross.iter().filter(|gross| **gross).count();
        if count as f64 > MOST * group.cells.len() as f64 {
            many += 1;
            continue;
        }
        for (index, _) in gross.iter().enumerate().filter(|(_, gross)| **gross) {
            named.push(format!("{} at {:.4} uS", group.names[index], group.target_us));
            rows += group.cells[index].iter().map(|reads| reads.count).sum::<usize>();
        }
        cells += count;
        group.keep(&gross.iter().map(|gross| !gross).collect::<Vec<bool>>());
    }
    let mut notes = Vec::new();
    if cells > 0 {
        let more =
            if named.len() > NAMED { format!(" and {} more", named.len() - NAMED) } else { String::new() };
        named.truncate(NAMED);
        let (noun, verb, are) = if cells == 1 { ("cell", "lies", "is") } else { ("cells", "lie", "are") };
        notes.push(format!(
            "{cells} {noun} of {all} {verb} more than {FAR} deviations away from the others of the target and {are} left \
             out: {}{more}",
            named.join(", ")
        ));
    }
    if many > 0 {
        notes.push(format!(
            "{many} states have more than {:.0} % of their cells {FAR} deviations away: too many for outliers, and all \
             count",
            100.0 * MOST
        ));
    }
    (rows, notes)
}

/// Whether each cell is gross.
fn judge(group: &Group, plan: &Plan) -> Vec<bool> {
    let mut gross = vec![false; group.cells.len()];
    let mut mark = |of: &dyn Fn(&[Reads]) -> f64| {
        let values: Vec<f64> = group.cells.iter().map(|cell| of(cell)).collect();
        for (gross, far) in gross.iter_mut().zip(far(&values)) {
            *gross |= far;
        }
    };
    mark(&|cell| cell[0].mean_us);
    let changes = !(plan.late_spread.is_empty() && plan.drift.is_empty());
    for time in (1..group.times_s.len()).filter(|_| changes) {
        mark(&|cell| match plan.change {
            Change::Power => (cell[time].mean_us / cell[0].mean_us).ln(),
            _ => cell[time].mean_us - cell[0].mean_us,
        });
    }
    for time in (0..group.times_s.len()).filter(|_| !plan.read.is_empty()) {
        if group.cells.iter().all(|cell| cell[time].count > 1) {
            // Cube roots of variances are all but normal (Wilson & Hilferty, PNAS 17, 684, 1931).
            mark(&|cell| (cell[time].square_us2 / (cell[time].count as f64 - 1.0)).cbrt());
        }
    }
    gross
}

/// Whether each value lies as far from the others as a normal one does with the probability of [`FAR`] deviations. One
/// that is no number, as the logarithm of a cell at its lower bound, is not judged.
fn far(values: &[f64]) -> Vec<bool> {
    let none = || vec![false; values.len()];
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let Some(centre) = median(finite()).filter(|_| finite().count() >= FEWEST) else { return none() };
    // Of a normal law the median size is 0.6745 deviations.
    let Some(size) = median(finite().map(|value| (value - centre).abs())) else { return none() };
    let spread = size / 0.674_489_75;
    if spread <= 0.0 {
        // More than half are equal: there is no scale to judge by.
        return none();
    }
    let beyond = |from: f64, limit: f64| -> Vec<bool> {
        values.iter().map(|value| value.is_finite() && (value - from).abs() > limit).collect()
    };
    let mut far = beyond(centre, FAR * spread);
    for _ in 0..ROUNDS {
        let kept = values.iter().zip(&far).filter(|(value, far)| value.is_finite() && !**far);
        let kept: Vec<f64> = kept.map(|(value, _)| *value).collect();
        if kept.len() < FEWEST {
            break;
        }
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        // A further value of the same law: Student's, as mean and variance are those of the sample.
        let quantile = -student_quantile(far_probability(), count - 1.0);
        let limit = quantile * (variance * (1.0 + 1.0 / count)).sqrt();
        let next = beyond(mean, limit);
        if next == far {
            break;
        }
        far = next;
    }
    far
}

#[cfg(test)]
mod tests {
    use super::*;
    use mho_data::random::Stream;

    fn normals(count: usize, number: u64) -> Vec<f64> {
        let stream = Stream::new(4, &["gross"], &[number]);
        (0..count as u64).map(|index| stream.normal(index)).collect()
    }

    #[test]
    fn wild_values_are_found_and_no_others() {
        for number in 0..300 {
            let mut values = normals(64, number);
            assert!(far(&values).iter().all(|far| !far), "{number}");
            for (place, sign) in [(3, 1.0), (30, -1.0), (60, 1.0)] {
                values[place] += 20.0 * sign;
            }
            let found: Vec<usize> = (0..64).filter(|&index| far(&values)[index]).collect();
            assert_eq!(found, [3, 30, 60], "{number}");
        }
        // Few values do not know their spread: of five, one at 20 deviations is hardly a wild one.
        assert!(far(&[0.0, 1.0, -1.0, 0.5, 9.0]).iter().all(|far| !far));
        assert_eq!(far(&[1.0; 5]), [false; 5]);
        assert_eq!(far(&[1.0, 1.1, f64::NAN, 0.9, 1.0]), [false; 5]);
        assert_eq!(far(&[f64::NAN; 5]), [false; 5]);
    }

    /// Cells that drift by ln g, one of which jumps at the last time, and one whose reads scatter tenfold.
    #[test]
    fn a_jump_and_a_noisy_cell_are_found() {
        let (first, drift, noise) = (normals(40, 1000), normals(40, 1001), normals(40, 1002));
        let cells = (0..40)
            .map(|cell| {
                let g = 10.0 + 0.2 * first[cell];
                let later = g * (-0.5 - 0.05 * drift[cell]).exp() * if cell == 7 { 2.0 } else { 1.0 };
                let away = if cell == 11 { 0.3 } else { 0.01 * noise[cell] };
                [g, later].map(|mean_us| Reads { mean_us, square_us2: away * away, count: 2 }).to_vec()
            })
            .collect();
        let mut group = Group {
            target_us: 10.0,
            times_s: vec![0.0, 1e3],
            cells,
            chips: Vec::new(),
            names: (0..40).map(|cell| format!("c{cell}")).collect(),
            places: (0..40).collect(),
            drawn: 40,
        };
        let mut groups = [group.clone()];
        let (rows, notes) = take_out(&mut groups, &Plan::PCM);
        assert_eq!((rows, groups[0].cells.len(), groups[0].drawn), (8, 38, 40));
        assert!(
            notes[0].starts_with("2 cells of 40 lie")
                && notes[0].ends_with("c7 at 10.0000 uS, c11 at 10.0000 uS")
        );
        assert_eq!(groups[0].places[7], 8);
        // A plan without drift and noise sees neither.
        assert_eq!(take_out(std::slice::from_mut(&mut group), &Plan::MILO), (0, Vec::new()));
    }
}
