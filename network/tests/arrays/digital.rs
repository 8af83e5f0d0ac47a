//! Without effects arrays are the digital network; with few bits they are near it.

use super::*;
use mho_network::array::{ConverterRange, MappingStyle, Pulse, Subtract};

#[test]
fn without_effects_the_bits_are_those_of_the_digital_network() {
    let (graph, x) = (network(), images(20, 7));
    assert_eq!(run(&graph, &ArrayConfig::default(), &x, Effects::NONE).0, digital(&graph, &x));
}

/// Cores without converters, and cells that hold any current: what is left is the rounding of f32.
#[test]
fn with_every_bit_arrays_are_the_digital_network() {
    let (graph, x) = (network(), images(20, 7));
    let exact = digital(&graph, &x);
    for text in ["", "[array]\nrows = 100\ncolumns = 3\n", "[mapping]\nstyle = \"offset-column\"\n"] {
        let mut array = ArrayConfig::from_toml(text, "array.toml").unwrap();
        (array.mapping.weight_bits, array.input.bits, array.output.bits) = (0, 0, 0);
        array.input.range = ConverterRange::Maximum;
        array.cell.on_off_ratio = 1e12;
        let (y, statistics) = run(&graph, &array, &x, QUANTISED);
        let worst = difference(&y, &exact);
        eprintln!("{text:?}: {worst:e}");
        assert!(worst < 1e-6, "{text:?}: {worst:e}");
        assert!(statistics.iter().all(|layer| layer.weight_rms_error < 1e-7));
        // The largest input of a layer may lie a rounding above itself.
        assert!(statistics.iter().map(|layer| layer.inputs_saturated).sum::<u64>() < 10);
    }
}

/// Steps of 2^-21 of the range of inputs and 2^-22 of outputs, cells in steps of 2^-23: an error of some
/// 1e-7 of the largest output of a layer.
#[test]
fn with_enough_bits_arrays_are_the_digital_matrix() {
    let graph = matrix(10, 300, numbers(3000, 5));
    let x = tensor(&[100, 300], numbers(30_000, 6));
    let exact = digital(&graph, &x);
    for (rows, slices) in [(1152, 1), (100, 1), (1152, 3)] {
        let mut array = ArrayConfig::default();
        array.array.rows = rows;
        array.mapping.slices = slices;
        (array.mapping.weight_bits, array.input.bits, array.output.bits) = (24, 22, 22);
        array.input.range = ConverterRange::Maximum;
        array.output.range = ConverterRange::Percentile { percentile: 100.0 };
        let (y, statistics) = run(&graph, &array, &x, QUANTISED);
        let worst = difference(&y, &exact);
        eprintln!("{rows} rows, {slices} slices: {worst:e}");
        assert!(worst < 1e-6, "{rows} rows, {slices} slices: {worst:e}");
        assert!(statistics[0].outputs_saturated == 0 && statistics[0].weight_rms_error < 1e-7);
    }
}

/// Every way to put a network on arrays, with 8 bits: near the digital network.
#[test]
fn every_mapping_is_near_the_digital_network() {
    let (graph, x) = (network(), images(10, 7));
    let exact = digital(&graph, &x);
    // Eight bits of weights, inputs and outputs through four layers: some percent of the range at worst.
    // Lines that are converted before they are subtracted are several times their difference.
    let (near, farther) = (0.05, 0.1);
    for (text, limit) in [
        ("[mapping]\nstyle = \"two-sided\"\n", near),
        ("[mapping]\nsubtract = \"digital\"\n", farther),
        ("[mapping]\nslices = 2\n", near),
        ("[mapping]\ncells_per_weight = 3\n", near),
        ("[input]\nscheme = \"bit-serial\"\n", near),
        ("[input]\nscheme = \"bit-serial\"\nslice_bits = 2\n[output]\nconversion = \"accumulated\"\n", near),
        ("[array]\nrows = 50\ncolumns = 7\n", near),
        ("[array]\ntopology = \"gated\"\n", near),
        ("[output]\nkind = \"sar\"\n", farther),
        ("[output]\nkind = \"sign-magnitude\"\n", farther),
        ("[mapping]\nstyle = \"offset-column\"\n", farther),
        ("[mapping]\nstyle = \"offset-digital\"\n[output]\nbits = 10\n", farther),
        ("[mapping]\nstyle = \"offset-digital\"\nslices = 4\n[output]\nbits = 10\n", farther),
        ("[pulse]\nactive_fraction = 1.0\ntime_levels = 256\n[output]\nbits = 12\n", farther),
    ] {
        let array = ArrayConfig::from_toml(text, "array.toml").unwrap();
        let (y, statistics) = run(&graph, &array, &x, QUANTISED);
        let worst = difference(&y, &exact);
        eprintln!("{text:?}: {worst}");
        assert!(worst < limit, "{text}: {worst}");
        let conversions: u64 = statistics.iter().map(|layer| layer.output_conversions).sum();
        assert!(conversions > 0 && statistics.len() == 4, "{text}");
    }
}

#[test]
fn statistics_count_by_node() {
    let (graph, x) = (network(), images(10, 7));
    let mut array = ArrayConfig::default();
    array.mapping.clip_percentile = 90.0;
    array.input.range = ConverterRange::Fixed([-0.5, 0.5]);
    let (_, statistics) = run(&graph, &array, &x, QUANTISED);
    let names: Vec<&str> = statistics.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["c", "d", "h", "k"]);
    // 64 positions of 10 images, 6 outputs of 18 and 6 of 9 taps.
    assert_eq!((statistics[0].input_conversions, statistics[0].output_conversions), (640 * 18, 640 * 6));
    assert_eq!((statistics[1].input_conversions, statistics[1].output_conversions), (640 * 54, 640 * 6));
    assert_eq!((statistics[2].weights, statistics[2].weights_clipped), (7680, 768));
    assert!(statistics.iter().all(|layer| layer.inputs_saturated > 0));
    assert!(statistics[2].weight_rms_error > 0.01 && statistics[2].mean_current_na > 100.0);
}

#[test]
fn digital_layers_stay_digital() {
    let (graph, x) = (network(), images(4, 7));
    let mut array = ArrayConfig::default();
    array.mapping.digital_layers = vec!["first".into(), "d".into(), "h".into(), "last".into()];
    assert_eq!(run(&graph, &array, &x, QUANTISED).0, digital(&graph, &x));
    array.mapping.digital_layers = vec!["zz".into()];
    let error = Arrays::new(&graph, &[x], &array, None).unwrap_err().to_string();
    assert!(error.contains("\"zz\"") && error.contains("c, d, h, k"), "{error}");
}

/// The middle of two pair styles, subtraction and slices all read the same weights back.
#[test]
fn styles_hold_the_same_weights() {
    let graph = matrix(3, 40, numbers(120, 5));
    let x = tensor(&[30, 40], numbers(1200, 6));
    for style in [
        MappingStyle::Differential,
        MappingStyle::TwoSided,
        MappingStyle::OffsetDigital,
        MappingStyle::OffsetColumn,
    ] {
        for (slices, subtract, copies) in
            [(1, Subtract::Array, 1), (1, Subtract::Digital, 2), (4, Subtract::Array, 1)]
        {
            if slices > 1 && style == MappingStyle::TwoSided {
                continue;
            }
            let mut array = ArrayConfig::default();
            (array.mapping.style, array.mapping.slices) = (style, slices);
            (array.mapping.subtract, array.mapping.cells_per_weight) = (subtract, copies);
            array.cell.on_off_ratio = 20.0;
            let arrays = Arrays::new(&graph, std::slice::from_ref(&x), &array, None).unwrap();
            let programmed = arrays.program(&at(QUANTISED), &arrays.draws(1, 0)).unwrap();
            let held = programmed.effective_weights(LayerId(0)).unwrap();
            for (held, weight) in held.iter().zip(graph.layers()[0].weights()) {
                // Half a step of 127, and f32.
                assert!((held - weight).abs() <= 0.5001 / 127.0, "{style:?} {held} {weight}");
            }
        }
    }
}

/// Pulses have no sign: inputs with one take two reads, and the time levels set the bits of a read.
#[test]
fn pulses_read_signed_inputs_twice() {
    let graph = matrix(2, 30, numbers(60, 5));
    let x = tensor(&[50, 30], numbers(1500, 6));
    let pulse = Some(Pulse { active_fraction: 1.0, time_levels: 1 << 12, ..Pulse::default() });
    let mut array = ArrayConfig { pulse, ..ArrayConfig::default() };
    array.output.bits = 16;
    array.mapping.weight_bits = 16;
    let (y, statistics) = run(&graph, &array, &x, QUANTISED);
    assert_eq!(statistics[0].input_conversions, 2 * 1500);
    assert!(difference(&y, &digital(&graph, &x)) < 2e-3);
    array.pulse = Some(Pulse { active_fraction: 1.0, time_levels: 4, ..Pulse::default() });
    let coarse = difference(&run(&graph, &array, &x, QUANTISED).0, &digital(&graph, &x));
    assert!(coarse > 0.02, "{coarse}");
}

#[test]
fn same_bits_for_one_and_two_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (graph, x, table) = (network(), images(70, 7), table());
            let array = ArrayConfig::from_toml(
                "[mapping]\nslices = 2\n[cell]\nstuck_at_max = 0.01\n[output]\nkind = \"sar\"\n\
                 [output.circuit]\nsigma_capacitor = 0.02\n",
                "array.toml",
            )
            .unwrap();
            let arrays =
                Arrays::new(&graph, std::slice::from_ref(&x), &array, Some((&table).into())).unwrap();
            let condition = Condition { time_s: 1e5, dose_krad_si: 100.0, effects: Effects::ALL };
            let programmed = arrays.program(&condition, &arrays.draws(3, 5)).unwrap();
            (arrays.layers(), graph.run(&programmed, &[x]).unwrap(), programmed.statistics())
        })
    };
    assert_eq!(run(1), run(2));
}

/// Each tap of a convolution on its own arrays: near the digital network, with a conversion for each tap; what
/// stays digital stays one layer.
#[test]
fn kernels_stay_on_their_arrays() {
    let (graph, x) = (network(), images(10, 7));
    let text = |digital: &str| {
        format!("[mapping]\nconvolution = \"kernel-stationary\"\ndigital_layers = {digital}\n")
    };
    let array = ArrayConfig::from_toml(&text("[]"), "array.toml").unwrap();
    let taps = mho_network::analog::arranged(&graph, &array).unwrap();
    assert_eq!(taps.layers().len(), graph.layers().len() + 8);
    let (y, statistics) = run(&taps, &array, &x, QUANTISED);
    assert!(difference(&y, &digital(&graph, &x)) < 0.05);
    let (_, whole) = run(&graph, &ArrayConfig::default(), &x, QUANTISED);
    let conversions = |of: &[LayerStatistics], name: &str| -> u64 {
        of.iter().filter(|layer| layer.name.starts_with(name)).map(|layer| layer.output_conversions).sum()
    };
    assert_eq!(conversions(&statistics, "c["), 9 * conversions(&whole, "c"));
    assert_eq!(conversions(&statistics, "h"), conversions(&whole, "h"));
    let array = ArrayConfig::from_toml(&text("[\"first\"]"), "array.toml").unwrap();
    assert_eq!(*mho_network::analog::arranged(&graph, &array).unwrap(), graph);
}
