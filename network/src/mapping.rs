//! Where the weights of a network lie in the range of its cells.

use mho_data::table::Table;

use crate::array::{ArrayConfig, InputRange};
use crate::core::{CoreError, Mapping};
use crate::graph::Graph;

/// Histogram of the target currents of all cells that hold weights: `network`, `layer` (number among the nodes with weights,
/// from 1), `current_na_lo`, `current_na_hi`, `cells`.
///
/// # Errors
/// [`CoreError`] when the array cannot hold such weights.
pub fn weight_histogram(graph: &Graph, config: &ArrayConfig, bins: usize) -> Result<Table, CoreError> {
    let most = config.cell.largest_current_na();
    let bins = bins.max(1);
    let spec = config.core_spec(InputRange { max: 1.0, signed: true });
    let (mut layers, mut los, mut his, mut cells) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let nodes: Vec<_> = graph.layers().chunk_by(|a, b| a.node() == b.node()).collect();
    for (number, matrices) in nodes.into_iter().enumerate() {
        let mut counts = vec![0_u64; bins];
        for layer in matrices {
            let weights: Vec<f64> = layer.weights().iter().map(|&w| f64::from(w)).collect();
            let mapping = Mapping::new(&weights, layer.outputs(), layer.inputs(), &spec)?;
            for conductance in mapping.arrays.iter().flat_map(|array| &array.conductances) {
                counts[((conductance * bins as f64) as usize).min(bins - 1)] += 1;
            }
        }
        for (bin, &count) in counts.iter().enumerate() {
            layers.push((number + 1) as f64);
            los.push(most * bin as f64 / bins as f64);
            his.push(most * (bin + 1) as f64 / bins as f64);
            cells.push(count as f64);
        }
    }
    Ok(Table::new()
        .with_text("network", vec![graph.name().to_owned(); layers.len()])
        .with_float("layer", layers)
        .with_float("current_na_lo", los)
        .with_float("current_na_hi", his)
        .with_float("cells", cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Network;
    use crate::spec::{NetworkSpec, Shape};

    #[test]
    fn the_histogram_counts_every_cell() {
        let shape = Shape { channels: 1, rows: 8, columns: 8 };
        let network = Network::new(&NetworkSpec::cnn(10), shape, 1.0, 1).unwrap();
        let graph = network.graph().unwrap();
        let layers = network.layers().iter().filter(|layer| layer.linear().is_some()).count();
        let histogram = weight_histogram(&graph, &ArrayConfig::default(), 32).unwrap();
        let cells = histogram.floats("cells").unwrap();
        assert_eq!(cells.iter().sum::<f64>() as usize, 2 * network.weight_count());
        assert_eq!(histogram.floats("layer").unwrap().len(), 32 * layers);
        // one cell of each pair is dark
        for (bins, layer) in cells.chunks(32).zip(graph.layers()) {
            assert!(bins[0] >= layer.weights().len() as f64, "{}", layer.name());
        }
    }
}
