//! The current of a cell at another voltage of the read.
//!
//! A cell is known by the current that it carries at the reference voltage, whatever brought it there: the
//! current at another voltage is a function of these two numbers alone, for every state, time and dose.

use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::document::{Arrays, Document};
use crate::outside::{Clamped, OutOfRange, Range};
use crate::pchip;
use crate::source::{CellSource, ReadVoltages, SourceError};
use crate::table::TableError;

/// Rounds of refinement.
const ROUNDS: usize = 8;
/// Nodes that an axis may have.
const MOST_NODES: usize = 200;
/// Currents below this part of the largest lie on a linear axis: the off current of a memory cell, which a
/// gate voltage can raise by decades.
const SCALE_FRACTION: f64 = 1e-7;
/// Reference currents reach to this multiple of the largest.
const RANGE: f64 = 1.5;

/// Current over (voltage of the read, current at the reference voltage).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReadCurves {
    pub(crate) about: ReadVoltages,
    voltage: Axis,
    current: Axis,
    /// `[voltage, current]` (nA).
    values: Vec<f64>,
}

impl ReadCurves {
    /// Of a source that knows more than one voltage, with their error as a fraction of the largest current
    /// at any of them.
    pub(crate) fn compile(
        source: &dyn CellSource,
        max_na: f64,
        tolerance_fraction: f64,
    ) -> Result<Option<(Self, f64)>, TableError> {
        let Some(about) = source.read_voltages() else { return Ok(None) };
        let (low, high) = (about.low_v, about.high_v);
        if !(low < high && low.is_finite() && high.is_finite()) {
            let reason = format!("read voltages from {low} to {high} V");
            return Err(SourceError { state: 0.0, time_s: 0.0, dose_krad_si: 0.0, reason }.into());
        }
        let even = |count: u32, end: f64| (0..=count).map(move |i| end * f64::from(i) / f64::from(count));
        let mut voltage = Axis::new(even(8, 1.0).map(|part| low + (high - low) * part).collect(), None);
        let scale = SCALE_FRACTION * max_na;
        let end = libm::log1p(RANGE * max_na / scale);
        let mut current = Axis::new(
            even(32, end).map(|x| (scale * libm::expm1(x)).min(RANGE * max_na)).collect(),
            Some(scale),
        );
        let mut round = 0;
        loop {
            let curves = Self::fill(source, about.clone(), voltage.clone(), current.clone())?;
            let scale_na = curves.values.iter().fold(max_na, |largest, i| largest.max(i.abs()));
            let (mut more_v, mut more_i, mut worst) = (Vec::new(), Vec::new(), 0.0_f64);
            let mut error = |v: f64, i: f64| -> Result<f64, TableError> {
                let error = (curves.current_na(i, v) - Self::asked(source, i, v)?).abs() / scale_na;
                worst = worst.max(error);
                Ok(error)
            };
            let allowed = 0.5 * tolerance_fraction;
            for v in (1..voltage.len()).map(|k| voltage.middle(k - 1)) {
                for &i in current.nodes() {
                    if error(v, i)? > allowed {
                        more_v.push(v);
                    }
                }
            }
            for i in (1..current.len()).map(|k| current.middle(k - 1)) {
                for &v in voltage.nodes() {
                    if error(v, i)? > allowed {
                        more_i.push(i);
                    }
                }
                for v in (1..voltage.len()).map(|k| voltage.middle(k - 1)) {
                    error(v, i)?;
                }
            }
            round += 1;
            let full = voltage.len().max(current.len()) >= MOST_NODES;
            if (more_v.is_empty() && more_i.is_empty()) || full || round == ROUNDS {
                return Ok(Some((curves, worst)));
            }
            (voltage, current) = (voltage.with(&more_v), current.with(&more_i));
        }
    }

    fn asked(source: &dyn CellSource, current_na: f64, read_v: f64) -> Result<f64, SourceError> {
        let found = source.current_at_voltage_na(current_na, read_v);
        if found.is_finite() {
            return Ok(found);
        }
        let reason = format!("{found} nA at a read voltage of {read_v} V of a cell of {current_na} nA");
        Err(SourceError { state: 0.0, time_s: 0.0, dose_krad_si: 0.0, reason })
    }

    fn fill(
        source: &dyn CellSource,
        about: ReadVoltages,
        voltage: Axis,
        current: Axis,
    ) -> Result<Self, SourceError> {
        let mut values = Vec::with_capacity(voltage.len() * current.len());
        for &v in voltage.nodes() {
            for &i in current.nodes() {
                values.push(Self::asked(source, i, v)?);
            }
        }
        Ok(Self { about, voltage, current, values })
    }

    fn current_na(&self, current_na: f64, read_v: f64) -> f64 {
        let (at_v, at_i) = (self.voltage.place(read_v), self.current.place(current_na));
        let width = self.current.len();
        pchip::evaluate(self.voltage.lookup(), at_v, |v| {
            pchip::evaluate(self.current.lookup(), at_i, |i| self.values[v * width + i])
        })
    }

    /// Currents at a voltage, with what lay outside moved and counted.
    pub(crate) fn currents_na(
        &self,
        currents_na: &[f64],
        read_v: f64,
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        if currents_na.len() != out.len() {
            return Err(TableError::Lengths { given: currents_na.len(), out: out.len() });
        }
        let range = Range::of("current_na", &self.current);
        let mut clamped = Clamped::default();
        let voltages = Range::of("read_voltage_v", &self.voltage);
        let read_v = voltages.moved(read_v, policy, &mut clamped.read_voltage_v)?;
        for (&current, out) in currents_na.iter().zip(out) {
            *out = self.current_na(range.moved(current, policy, &mut clamped.current_na)?, read_v);
        }
        let every = clamped.read_voltage_v.total() > 0;
        clamped.points = if every { currents_na.len() } else { clamped.current_na.total() };
        Ok(clamped)
    }

    pub(crate) fn push(curves: Option<&Self>, prefix: &str, arrays: &mut Arrays) {
        let Some(curves) = curves else { return };
        let (v, i) = (curves.voltage.len(), curves.current.len());
        arrays.push(format!("{prefix}read_voltage.axis_v"), &[v], curves.voltage.nodes());
        arrays.push(format!("{prefix}read_voltage.reference_current"), &[i], curves.current.nodes());
        arrays.push(format!("{prefix}read_voltage.current"), &[v, i], &curves.values);
    }

    pub(crate) fn read(
        document: &Document<'_>,
        prefix: &str,
        about: Option<ReadVoltages>,
        max_na: f64,
    ) -> Result<Option<Self>, TableError> {
        let Some(about) = about else { return Ok(None) };
        let voltage = Axis::new(document.ascending(&format!("{prefix}read_voltage.axis_v"))?, None);
        let nodes = document.ascending(&format!("{prefix}read_voltage.reference_current"))?;
        let current = Axis::new(nodes, Some(SCALE_FRACTION * max_na));
        let count = document.count(&[voltage.len(), current.len()])?;
        let values = document.array(&format!("{prefix}read_voltage.current"), Some(count))?;
        Ok(Some(Self { about, voltage, current, values }))
    }
}

/// Enters the error of curves into a certificate.
pub(crate) fn certify(
    compiled: Option<(ReadCurves, f64)>,
    certificate: &mut Certificate,
) -> Option<ReadCurves> {
    let (curves, error) = compiled?;
    if error > certificate.max_error_fraction {
        certificate.max_error_fraction = error;
        certificate.quantity = "current at a read voltage".into();
    }
    Some(curves)
}

#[cfg(test)]
mod tests;
