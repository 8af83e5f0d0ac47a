//! Time of a query: `cargo bench -p mho-lut --bench query`. Each line gives the nanoseconds of a query, the
//! ratio to its budget, and the ratio to a plain linear interpolation on a uniform grid measured in the
//! same run: the least that any table must do.
#![allow(missing_docs, clippy::print_stdout)]

use mho_data::random::Stream;
use mho_lut::{CompileOptions, OutOfRange, Query, SyntheticCell, TableError, compile};
use std::hint::black_box;
use std::time::Instant;

/// Nanoseconds that a query at one time and dose may take.
const BUDGET_NS: f64 = 20.0;
const QUERIES: usize = 100_000;

/// Best of several runs, in ns a query: the machine's noise only adds.
fn best(count: usize, mut work: impl FnMut()) -> f64 {
    (0..15)
        .map(|_| {
            let start = Instant::now();
            work();
            1e9 * start.elapsed().as_secs_f64() / count as f64
        })
        .fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), TableError> {
    let start = Instant::now();
    let cell = SyntheticCell { bend: 1.3, ..SyntheticCell::default() };
    let table = compile(&cell, &CompileOptions { tolerance_fraction: 1e-4, ..CompileOptions::default() })?;
    let nodes = [table.state_axis(), table.time_axis(), table.dose_axis()].map(|axis| axis.nodes().len());
    println!("compiled in {:.1} ms, {nodes:?} nodes", 1e3 * start.elapsed().as_secs_f64());

    let stream = Stream::new(1, &["query-speed"], &[]);
    let states: Vec<f64> = (0..QUERIES as u64).map(|n| stream.uniform(n)).collect();
    let scores: Vec<f64> = (0..QUERIES as u64).map(|n| stream.normal(n).clamp(-4.0, 4.0)).collect();
    let mut out = vec![0.0; QUERIES];

    let plain: Vec<f64> = (0..=64).map(|i| f64::from(i * i)).collect();
    let reference = best(QUERIES, || {
        for (out, state) in out.iter_mut().zip(&states) {
            let place = state * 64.0;
            let i = (place as usize).min(63);
            *out = plain[i] + (plain[i + 1] - plain[i]) * (place - i as f64);
        }
        black_box(&out);
    });
    println!("plain linear interpolation: {reference:.2} ns");
    let report = |name: &str, ns: f64| {
        println!(
            "{name}: {ns:.2} ns, {:.2} of the budget of {BUDGET_NS} ns, {:.1} plain interpolations",
            ns / BUDGET_NS,
            ns / reference
        );
    };

    let slice = table.slice(86_400.0, 100.0)?;
    let policy = OutOfRange::Clamp;
    // The answers are right whatever they cost, so the counts of clamped queries are not needed here.
    let mut failed = None;
    let mut keep = |result: Result<_, TableError>| failed = result.err();
    report("mean, batch", best(QUERIES, || keep(slice.means_na(&states, policy, &mut out))));
    report("sigma, batch", best(QUERIES, || keep(slice.sigmas_na(&states, policy, &mut out))));
    report("read noise, batch", best(QUERIES, || keep(slice.read_sigmas_na(&states, policy, &mut out))));
    report(
        "current at state and score, batch",
        best(QUERIES, || keep(slice.currents_na(&states, &scores, policy, &mut out))),
    );
    report(
        "current at state and score, one by one",
        best(QUERIES, || {
            let sum: f64 = states.iter().zip(&scores).map(|(&s, &z)| slice.current_na(s, z)).sum();
            black_box(sum);
        }),
    );
    if let Some(error) = failed {
        return Err(error);
    }

    println!("apart from the budget, which is for one time and dose:");
    let cut = best(1, || {
        black_box(table.slice(86_400.0, 100.0).map(|slice| slice.mean_na(0.5)).unwrap_or(0.0));
    });
    println!("  slice at a new time and dose: {:.0} us", cut * 1e-3);
    let any = |n: usize| Query {
        state: states[n],
        time_s: 432_000.0 * states[(n + 5000) % QUERIES],
        dose_krad_si: 1000.0 * states[(n + 10_000) % QUERIES],
    };
    let points: Vec<Query> = (0..QUERIES / 10).map(any).collect();
    let prepared = table.points();
    let mut rows = Vec::new();
    let mut ask = |points: &[Query]| {
        best(points.len(), || {
            black_box(prepared.query(points, policy, &mut rows).is_ok());
        })
    };
    let scattered = ask(&points);
    let one_time: Vec<Query> = points.iter().map(|point| Query { time_s: 86_400.0, ..*point }).collect();
    let one_time = ask(&one_time);
    let together: Vec<Query> =
        points.iter().map(|point| Query { time_s: 86_400.0, dose_krad_si: 100.0, ..*point }).collect();
    let together = ask(&together);
    println!("  mean, sigma and read noise together, of one table:");
    println!(
        "    at any state, time and dose: {scattered:.1} ns, {:.1} each, {:.2} of the budget",
        scattered / 3.0,
        scattered / 3.0 / BUDGET_NS
    );
    println!("    at one time: {one_time:.1} ns; at one time and dose: {together:.1} ns");
    let alone = best(1000, || {
        for point in &points[..1000] {
            black_box(table.query(std::slice::from_ref(point), policy).is_ok());
        }
    });
    println!("    point by point: {alone:.0} ns");
    let prepare = best(1, || {
        black_box(table.points());
    });
    println!("    preparing the table: {:.0} us", 1e-3 * prepare);
    Ok(())
}
