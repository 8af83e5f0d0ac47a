//! Networks on simulated arrays: training, mapping, converters, device effects, evaluation.
//!
//! A network is trained digitally ([`train`]) or comes from a file ([`source`]); either way it is a
//! [`graph::Graph`]. [`analog`] puts its matrices on arrays of cells that a [`mho_lut::DeviceTable`]
//! describes: programmed with an error, drifted, irradiated, noisy. [`evaluate`] sends labelled samples
//! through them. What a cell is made of stays unknown here; everything a device does to a network goes
//! through the table.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`], [`model`], [`mod@file`], [`window`] | architectures, weights, digital inference, files |
//! | [`graph`] | trained networks of any architecture: ONNX, files, execution over any products |
//! | [`train`] | Adam, bit-identical for any number of threads |
//! | [`mod@array`] | `array.toml` |
//! | [`analog`] | the matrices of a graph on simulated arrays |
//! | [`mapping`] | where weights lie in the range of cells |
//! | [`converter`] | uniform converters, circuits with mismatch, ranges from data |
//! | [`core`] | programmable cores: slices, pairs and offsets, tiles, read-outs |
//! | [`wires`] | exact currents of arrays with resistive wires |
//! | [`product`], [`normals`] | products of matrices and random numbers, which take the time |
//! | [`effects`] | switches of an ablation |
//! | [`source`], [`samples`], [`input_noise`] | network files, labelled inputs and what disturbs them |
//! | [`inference`], [`evaluate`] | test sets through a graph, trials at conditions |
//! | [`score`], [`estimate`], [`summary`], [`results`] | right answers, bands, costs of effects, tables |
//!
//! Random numbers are pure functions of (seed, trial, layer, cell, purpose): a cell meets every time and
//! dose with the same draw, so differences between conditions are differences of the conditions.
//!
//! ```
//! use mho_data::dataset::Images;
//! use mho_network::array::ArrayConfig;
//! use mho_network::effects::Effects;
//! use mho_network::evaluate::{Condition, Evaluator};
//! use mho_network::model::Network;
//! use mho_network::samples::{Feed, InputFormat, LabelledSet};
//! use mho_network::spec::{NetworkSpec, Shape};
//!
//! let images = Images { pixels: vec![9; 4 * 64], labels: vec![0, 1, 2, 3], rows: 8, cols: 8, channels: 1 };
//! let shape = Shape { channels: 1, rows: 8, columns: 8 };
//! let graph = Network::new(&NetworkSpec::mlp(&[16], 10), shape, 16.0, 1)?.graph()?;
//! let set = LabelledSet::of_images(&images, 16.0)?;
//! let feed = Feed::new(&set, &graph, &InputFormat::default())?;
//! let evaluator = Evaluator::new(&graph, feed.clone(), &feed, &ArrayConfig::default(), None)?;
//! let condition = Condition::new(0.0, 0.0, Effects::QUANTISATION);
//! let results = evaluator.evaluate(&[condition], 0..1, 1)?;
//! assert_eq!(results[0].score.images, 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod analog;
pub mod array;
mod as_graph;
mod backward;
pub mod converter;
pub mod core;
pub mod effects;
pub mod estimate;
pub mod evaluate;
pub mod file;
pub mod graph;
pub mod inference;
pub mod input_noise;
pub mod mapping;
pub mod model;
pub mod normals;
pub mod product;
pub mod results;
pub mod samples;
pub mod score;
pub mod source;
pub mod spec;
pub mod summary;
pub mod train;
mod vector;
pub mod window;
pub mod wires;
