//! Rows of numbers that become a table.

use mho_data::Table;

/// Named columns that grow by rows.
pub(super) struct Columns<const N: usize> {
    names: [&'static str; N],
    values: [Vec<f64>; N],
}

impl<const N: usize> Columns<N> {
    pub(super) fn new(names: [&'static str; N]) -> Self {
        Self { names, values: std::array::from_fn(|_| Vec::new()) }
    }

    pub(super) fn push(&mut self, row: [f64; N]) {
        self.values.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }

    pub(super) fn table(self) -> Table {
        self.names
            .into_iter()
            .zip(self.values)
            .fold(Table::new(), |table, (name, values)| table.with_float(name, values))
    }
}

/// Times from `first` to `last`, both included, `per_decade` in each decade; `last` alone when `first` is
/// not before it.
pub(super) fn logarithmic(first: f64, last: f64, per_decade: f64) -> Vec<f64> {
    if first.is_nan() || first <= 0.0 || first >= last {
        return vec![last];
    }
    let count = ((last / first).log10() * per_decade).ceil().max(1.0) as usize;
    let ratio = (last / first).ln() / count as f64;
    let mut times: Vec<f64> = (0..count).map(|index| first * (ratio * index as f64).exp()).collect();
    times.push(last);
    times
}
