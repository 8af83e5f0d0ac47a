//! Compiling an ensemble: the axes of the best estimate, with nodes where any member needs them.

use super::{CompileOptions, Compiler, compile, falls, monotone};
use crate::ensemble::{Ensemble, Member, MemberKind};
use crate::source::CellSource;
use crate::table::TableError;
use crate::voltage::{ReadCurves, certify};

/// Rounds in which the axes grow where a member misses the tolerance.
const ROUNDS: usize = 5;

/// Compiles a table of the best estimate and of every other source, each with its label and kind, on the
/// same axes. Every member has its own certificate.
///
/// # Errors
/// When the options make no sense, a source has no answer at a point that is needed, or another member
/// says that it is the best estimate.
pub fn compile_ensemble(
    best: &dyn CellSource,
    others: &[(String, MemberKind, &dyn CellSource)],
    options: &CompileOptions,
) -> Result<Ensemble, TableError> {
    let first = compile(best, options)?;
    let mut axes = super::Axes { state: first.state, time: first.time, dose: first.dose };
    let named = std::iter::once(("best".to_owned(), MemberKind::Best, best))
        .chain(others.iter().map(|(label, kind, source)| (label.clone(), *kind, *source)));
    let mut compilers = Vec::with_capacity(others.len() + 1);
    for (label, kind, source) in named {
        compilers.push((label, kind, Compiler::new(source, options)?));
    }
    let mut round = 0;
    let tables = loop {
        let (mut tables, mut missed) = (Vec::with_capacity(compilers.len()), Vec::new());
        let mut fallen = Vec::new();
        for (_, _, compiler) in &mut compilers {
            let mut table = compiler.fill(&axes)?;
            let (certificate, points) = compiler.check(&table, &axes)?;
            table.device.certificate = certificate;
            missed.extend(points);
            fallen.extend(falls(&table));
            tables.push(table);
        }
        round += 1;
        let grown = axes.around(&missed).between(&fallen);
        if grown == axes || round == ROUNDS {
            break tables;
        }
        axes = grown;
    };
    let mut members = Vec::with_capacity(tables.len());
    for ((label, kind, compiler), mut table) in compilers.into_iter().zip(tables) {
        let curves = ReadCurves::compile(compiler.source, compiler.max_na, options.tolerance_fraction)?;
        table.device.curves = certify(curves, &mut table.device.certificate);
        table.device.certificate.monotone = monotone(&table);
        members.push(Member { label, kind, table });
    }
    Ensemble::new(members)
}
