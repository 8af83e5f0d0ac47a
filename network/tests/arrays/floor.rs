//! Cells that carry a least current, whatever they are programmed to.

use super::*;

/// Exact cells that cannot be programmed below a tenth of their range; made up.
struct Floor;

impl CellSource for Floor {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "floor".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 0.0,
            dose_max_krad_si: 0.0,
            notes: Vec::new(),
        }
    }

    fn cell(&self, state: f64, _time_s: f64, _dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let mean_na = 1600.0 * state.max(0.1);
        Ok(CellStatistics {
            mean_na,
            sigma_na: 0.0,
            quantiles_na: [mean_na; SCORES.len()],
            share: Share { programming: 1.0, drift: 0.0, dose: 0.0 },
            extrapolated: false,
        })
    }

    fn read_noise_na(&self, _current_na: f64) -> f64 {
        0.0
    }
}

/// An array that says nothing of its range takes that of the table, from its least current on: otherwise all weights
/// below a tenth of the largest would be alike.
#[test]
fn small_weights_survive() {
    let options = CompileOptions { time_max_s: 0.0, dose_max_krad_si: 0.0, ..CompileOptions::default() };
    let table = compile(&Floor, &options).unwrap();
    let graph = matrix(6, 40, numbers(240, 1));
    let x = tensor(&[20, 40], numbers(800, 2));
    let exact = graph.run(&graph.digital(), std::slice::from_ref(&x)).unwrap();
    let programmed = Effects { programming: true, ..Effects::NONE };
    let off = |text: &str| {
        let array = ArrayConfig::from_toml(text, "array.toml").unwrap();
        let arrays = Arrays::new(&graph, std::slice::from_ref(&x), &array, Some((&table).into())).unwrap();
        let programmed = arrays.program(&at(programmed), &arrays.draws(1, 0)).unwrap();
        let y = graph.run(&programmed, std::slice::from_ref(&x)).unwrap();
        difference(&y[0], &exact[0])
    };
    // The tolerance of the table, for 40 cells.
    assert!(off("") < 5e-3, "{}", off(""));
    assert!(off("[cell]\non_off_ratio = 1e6\n") > 0.02, "{}", off("[cell]\non_off_ratio = 1e6\n"));
}
