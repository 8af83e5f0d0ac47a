//! What trials say: means with their bands, what each effect costs, and how uncertain parameters of a
//! device move all of it.

use mho_data::table::Table;
use mho_lut::MemberKind;

use crate::estimate::{Estimate, binomial_band};
use crate::evaluate::{Condition, TrialResult};

/// The trials of one condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConditionSummary {
    /// The condition.
    pub condition: Condition,
    /// Fraction of right answers over trials; its deviation is that from draw to draw of the devices.
    pub top1: Estimate,
    /// Fraction of labels among the five largest outputs.
    pub top5: Estimate,
    /// Mean cross entropy.
    pub loss: Estimate,
    /// Images of one trial.
    pub images: usize,
    /// 95 % band of the mean accuracy for other images of the same kind.
    pub images_band: (f64, f64),
}

/// One summary per condition, in the order of the results, which stand condition after condition.
pub fn summarise(results: &[TrialResult]) -> Vec<ConditionSummary> {
    let same = |a: &TrialResult, b: &TrialResult| a.condition == b.condition && a.trial < b.trial;
    results
        .chunk_by(same)
        .filter_map(|trials| {
            let first = trials.first()?;
            let of =
                |f: &dyn Fn(&TrialResult) -> f64| Estimate::of(&trials.iter().map(f).collect::<Vec<f64>>());
            let top1 = of(&TrialResult::top1);
            Some(ConditionSummary {
                condition: first.condition,
                top1,
                top5: of(&TrialResult::top5),
                loss: of(&|r| r.score.loss()),
                images: first.score.images,
                images_band: binomial_band(top1.mean, first.score.images),
            })
        })
        .collect()
}

/// The accuracy lost between two conditions that met the same draws, `before` minus `after`: trial by
/// trial, so that what both share drops out of the band.
pub fn cost(before: &[TrialResult], after: &[TrialResult]) -> Estimate {
    let top1 = |trials: &[TrialResult]| trials.iter().map(TrialResult::top1).collect::<Vec<f64>>();
    Estimate::of_differences(&top1(before), &top1(after))
}

/// Summaries as a table: `time_s`, `dose_krad_si`, `effects`, `trials`, `top1`, `top1_half_width` and
/// `top1_deviation` (over trials), `images_low` and `images_high` (band of the images), `top5`, `loss`.
pub fn summary_table(summaries: &[ConditionSummary]) -> Table {
    let of = |f: &dyn Fn(&ConditionSummary) -> f64| summaries.iter().map(f).collect::<Vec<f64>>();
    Table::new()
        .with_float("time_s", of(&|s| s.condition.time_s))
        .with_float("dose_krad_si", of(&|s| s.condition.dose_krad_si))
        .with_text("effects", summaries.iter().map(|s| s.condition.effects.to_string()).collect())
        .with_float("trials", of(&|s| s.top1.count as f64))
        .with_float("top1", of(&|s| s.top1.mean))
        .with_float("top1_half_width", of(&|s| s.top1.half_width))
        .with_float("top1_deviation", of(&|s| s.top1.deviation))
        .with_float("images_low", of(&|s| s.images_band.0))
        .with_float("images_high", of(&|s| s.images_band.1))
        .with_float("top5", of(&|s| s.top5.mean))
        .with_float("loss", of(&|s| s.loss.mean))
}

/// The accuracy at one condition with an ensemble of tables, its uncertainties apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncertainty {
    /// The condition.
    pub condition: Condition,
    /// Over the draws of devices, with the best estimate of all parameters.
    pub devices: Estimate,
    /// Standard deviation over samples of the parameters of the accuracy averaged over draws; all members
    /// meet the same draws. `None` without two samples.
    pub parameters: Option<f64>,
    /// Least and largest such average over the choices of the model, the best estimate among them; `None`
    /// without other choices.
    pub model: Option<(f64, f64)>,
}

/// The uncertainties of each condition; `members` hold the results of the same conditions and trials with
/// each table of an ensemble, the best estimate first.
pub fn uncertainties(members: &[(MemberKind, Vec<TrialResult>)]) -> Vec<Uncertainty> {
    let Some((_, best)) = members.first() else { return Vec::new() };
    let of = |kind: MemberKind| -> Vec<Vec<ConditionSummary>> {
        members.iter().filter(|(k, _)| *k == kind).map(|(_, results)| summarise(results)).collect()
    };
    let (samples, choices) = (of(MemberKind::Parameters), of(MemberKind::Model));
    let at = |list: &[Vec<ConditionSummary>], index: usize| -> Vec<f64> {
        list.iter().filter_map(|summaries| summaries.get(index)).map(|s| s.top1.mean).collect()
    };
    summarise(best)
        .iter()
        .enumerate()
        .map(|(index, summary)| {
            let (samples, choices) = (at(&samples, index), at(&choices, index));
            let mean = summary.top1.mean;
            let ends = choices.iter().fold((mean, mean), |(low, high), &x| (low.min(x), high.max(x)));
            Uncertainty {
                condition: summary.condition,
                devices: summary.top1,
                parameters: (samples.len() > 1).then(|| Estimate::of(&samples).deviation),
                model: (!choices.is_empty()).then_some(ends),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::Effects;
    use crate::score::Score;

    fn trials(dose: f64, right: &[usize]) -> Vec<TrialResult> {
        let condition = Condition::new(0.0, dose, Effects::ALL);
        let score =
            |&first: &usize| Score { images: 100, first, among_five: 100, loss_sum: 50.0, losses: 100 };
        (0..)
            .zip(right)
            .map(|(trial, right)| TrialResult { condition, trial, score: score(right), layers: Vec::new() })
            .collect()
    }

    #[test]
    fn conditions_are_summarised_apart_even_when_equal() {
        let mut results = trials(0.0, &[90, 92]);
        results.extend(trials(0.0, &[80]));
        results.extend(trials(1.0, &[70, 70, 70]));
        let summaries = summarise(&results);
        assert_eq!(summaries.iter().map(|s| s.top1.count).collect::<Vec<_>>(), [2, 1, 3]);
        assert!((summaries[0].top1.mean - 0.91).abs() < 1e-12 && summaries[2].top1.half_width < 1e-12);
        assert!((summaries[0].loss.mean - 0.5).abs() < 1e-12);
        assert!(summaries[0].images_band.0 < 0.91 && summaries[0].images_band.1 > 0.91);
        assert_eq!(summary_table(&summaries).floats("trials").unwrap(), [2.0, 1.0, 3.0]);
        let cost = cost(&trials(0.0, &[90, 92]), &trials(1.0, &[80, 82]));
        assert!((cost.mean - 0.1).abs() < 1e-12 && cost.half_width < 1e-12);
    }

    #[test]
    fn devices_parameters_and_models_stand_apart() {
        let members = vec![
            (MemberKind::Best, trials(0.0, &[90, 92])),
            (MemberKind::Parameters, trials(0.0, &[88, 90])),
            (MemberKind::Parameters, trials(0.0, &[92, 94])),
            (MemberKind::Model, trials(0.0, &[70, 72])),
        ];
        let all = uncertainties(&members);
        assert_eq!(all.len(), 1);
        assert!((all[0].devices.mean - 0.91).abs() < 1e-12);
        // of 0.89 and 0.93
        assert!((all[0].parameters.unwrap() - 0.04 / 2.0_f64.sqrt()).abs() < 1e-12);
        let (low, high) = all[0].model.unwrap();
        assert!((low - 0.71).abs() < 1e-12 && (high - 0.91).abs() < 1e-12);
        assert!(uncertainties(&members[..1])[0].parameters.is_none());
    }
}
