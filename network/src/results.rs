//! Results of trials as tables.

use mho_data::table::Table;

use crate::analog::LayerStatistics;
use crate::evaluate::TrialResult;

/// What was evaluated, as it stands in every row of an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Name of the network.
    pub network: String,
    /// Name of the data set.
    pub dataset: String,
    /// Name of the device table.
    pub table: String,
    /// Name of the array.
    pub array: String,
}

/// One row per trial and condition: `network`, `dataset`, `table`, `array`, `time_s`, `dose_krad_si`,
/// `trial`, `effects`, `top1`, `top5` (fractions), `images`, the fractions of conversions that were
/// outside their range, `inputs_saturated` and `outputs_saturated`, and `loss` (mean cross entropy, nats).
pub fn evaluation_table(results: &[TrialResult], labels: &Labels) -> Table {
    let text = |value: &str| vec![value.to_owned(); results.len()];
    let column = |of: &dyn Fn(&TrialResult) -> f64| results.iter().map(of).collect::<Vec<f64>>();
    Table::new()
        .with_text("network", text(&labels.network))
        .with_text("dataset", text(&labels.dataset))
        .with_text("table", text(&labels.table))
        .with_text("array", text(&labels.array))
        .with_float("time_s", column(&|r| r.condition.time_s))
        .with_float("dose_krad_si", column(&|r| r.condition.dose_krad_si))
        .with_float("trial", column(&|r| r.trial as f64))
        .with_text("effects", results.iter().map(|r| r.condition.effects.to_string()).collect())
        .with_float("top1", column(&TrialResult::top1))
        .with_float("top5", column(&TrialResult::top5))
        .with_float("images", column(&|r| r.score.images as f64))
        .with_float("inputs_saturated", column(&TrialResult::inputs_saturated_fraction))
        .with_float("outputs_saturated", column(&TrialResult::outputs_saturated_fraction))
        .with_float("loss", column(&|r| r.score.loss()))
}

/// One row per trial, condition and layer with weights (numbered from 1): `time_s`, `dose_krad_si`,
/// `trial`, `effects`, `layer`, `name`, `weights`, `weights_clipped`, `weight_rms_error` (over the weight
/// that takes the full current), `mean_current_na`, and the counts `input_conversions`, `inputs_saturated`,
/// `output_conversions`, `outputs_saturated`, `lines_limited`; of arrays with wires, how many were corrected from
/// a neighbour, `wires_corrected`, and solved, `wires_solved`, and the largest `wires_error` of corrections, as
/// a part of the current; of arrays that are solved for each of their inputs, the inputs, `wires_vectors`, the
/// `wires_turns` of all of them, those solved by themselves, `wires_alone`, and not to the tolerance,
/// `wires_unconverged`.
pub fn layer_table(results: &[TrialResult]) -> Table {
    let rows: Vec<(&TrialResult, usize, &LayerStatistics)> = results
        .iter()
        .flat_map(|r| r.layers.iter().enumerate().map(move |(index, layer)| (r, index + 1, layer)))
        .collect();
    let of = |f: &dyn Fn(&TrialResult) -> f64| rows.iter().map(|(r, ..)| f(r)).collect::<Vec<f64>>();
    let layer = |f: &dyn Fn(&LayerStatistics) -> f64| rows.iter().map(|(_, _, l)| f(l)).collect::<Vec<f64>>();
    Table::new()
        .with_float("time_s", of(&|r| r.condition.time_s))
        .with_float("dose_krad_si", of(&|r| r.condition.dose_krad_si))
        .with_float("trial", of(&|r| r.trial as f64))
        .with_text("effects", rows.iter().map(|(r, ..)| r.condition.effects.to_string()).collect())
        .with_float("layer", rows.iter().map(|&(_, number, _)| number as f64).collect())
        .with_text("name", rows.iter().map(|(_, _, l)| l.name.clone()).collect())
        .with_float("weights", layer(&|l| l.weights as f64))
        .with_float("weights_clipped", layer(&|l| l.weights_clipped as f64))
        .with_float("weight_rms_error", layer(&|l| l.weight_rms_error))
        .with_float("mean_current_na", layer(&|l| l.mean_current_na))
        .with_float("input_conversions", layer(&|l| l.input_conversions as f64))
        .with_float("inputs_saturated", layer(&|l| l.inputs_saturated as f64))
        .with_float("output_conversions", layer(&|l| l.output_conversions as f64))
        .with_float("outputs_saturated", layer(&|l| l.outputs_saturated as f64))
        .with_float("lines_limited", layer(&|l| l.lines_limited as f64))
        .with_float("wires_corrected", layer(&|l| l.wires.corrected as f64))
        .with_float("wires_solved", layer(&|l| l.wires.solved as f64))
        .with_float("wires_vectors", layer(&|l| l.wires.vectors as f64))
        .with_float("wires_turns", layer(&|l| l.wires.turns as f64))
        .with_float("wires_alone", layer(&|l| l.wires.alone as f64))
        .with_float("wires_unconverged", layer(&|l| l.wires.unconverged as f64))
        .with_float("wires_error", layer(&|l| l.wires.largest_error))
}
