//! Fitted parameters as tables: for people, for spreadsheets, for papers.

use super::each::Fitted;
use crate::cli::CliError;
use crate::store::replace_file;
use mho_compact::model::Entry;
use std::fmt::Write as _;
use std::path::Path;

/// One line a fit, and the distribution of every parameter over them.
pub(super) fn summary(fits: &[Fitted]) -> String {
    let mut text = String::new();
    let width = fits.iter().map(|fitted| fitted.name.len()).max().unwrap_or(0);
    for fitted in fits {
        let fit = &fitted.fit;
        let bound = fit.parameters.iter().filter(|parameter| parameter.at_bound).count();
        let rms = fit.rms_log.map_or_else(|| format!("{:.3e}", fit.rms), |rms| format!("{rms:.4}"));
        // Writing to a String cannot fail.
        let _ = write!(text, "{:width$}  n {:4}  rms {rms}", fitted.name, fit.points);
        for parameter in fit.parameters.iter().take(2) {
            let _ = write!(text, "  {} {:.4} ± {:.1e}", parameter.name, parameter.value, parameter.std);
        }
        if bound > 0 {
            let _ = write!(text, "  {bound} at a bound");
        }
        if fit.dropped > 0 {
            let _ = write!(text, "  {} left out", fit.dropped);
        }
        text.push('\n');
    }
    let _ = writeln!(text, "over all fits: median, 10 % and 90 % (n)");
    for (name, values) in distributions(fits) {
        let at = |fraction: f64| quantile(&values, fraction);
        let _ = writeln!(
            text,
            "  {name}: {:.4e}, {:.4e} to {:.4e} ({})",
            at(0.5),
            at(0.1),
            at(0.9),
            values.len()
        );
    }
    text
}

/// Where the data of the fits come from, each origin once ("measured, synthetic").
pub(super) fn origins(fits: &[Fitted]) -> String {
    let mut labels: Vec<&str> = fits.iter().map(|fitted| fitted.origin.label()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels.join(", ")
}

/// The values of every quantity over the fits, in rising order.
pub(super) fn distributions(fits: &[Fitted]) -> Vec<(String, Vec<f64>)> {
    let mut found: Vec<(String, Vec<f64>)> = Vec::new();
    let mut add = |name: &str, value: f64| {
        if !value.is_finite() {
            return;
        }
        match found.iter_mut().find(|(of, _)| of == name) {
            Some((_, values)) => values.push(value),
            None => found.push((name.to_owned(), vec![value])),
        }
    };
    for fitted in fits {
        add("rms", fitted.fit.rms_log.unwrap_or(fitted.fit.rms));
        for parameter in &fitted.fit.parameters {
            add(&parameter.name, parameter.value);
        }
    }
    for (_, values) in &mut found {
        values.sort_by(f64::total_cmp);
    }
    found
}

/// Quantile of values in rising order, interpolated.
fn quantile(values: &[f64], fraction: f64) -> f64 {
    let place = fraction * values.len().saturating_sub(1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(values.len().saturating_sub(1));
    match (values.get(below), values.get(above)) {
        (Some(a), Some(b)) => a + (b - a) * (place - below as f64),
        _ => f64::NAN,
    }
}

/// Writes `parameters.csv` and `parameters.tex` into the folder.
pub(super) fn write(folder: &Path, entry: &Entry, fits: &[Fitted]) -> Result<(), CliError> {
    replace_file(&folder.join("parameters.csv"), csv(fits).as_bytes())?;
    replace_file(&folder.join("parameters.tex"), latex(entry, fits).as_bytes())?;
    Ok(())
}

fn csv(fits: &[Fitted]) -> String {
    let mut text = String::from("name,source,origin,parameter,unit,value,std,low95,high95,how\n");
    for fitted in fits {
        let start = format!("{},{},{}", quote(&fitted.name), quote(&fitted.source), fitted.origin.label());
        for parameter in &fitted.fit.parameters {
            let [low, high] = parameter.interval95;
            let how = if parameter.at_bound { "at a bound" } else { "fitted" };
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{start},{},{},{},{},{low},{high},{how}",
                parameter.name, parameter.unit, parameter.value, parameter.std
            );
        }
        for fixed in &fitted.regression.fixed {
            let unit = fitted.regression.model.parameter(fixed.name).map_or("1", |info| info.unit);
            let why = quote(&format!("fixed: {}", fixed.why));
            let _ = writeln!(text, "{start},{},{unit},{},,,,{why}", fixed.name, fixed.value);
        }
        let rms = fitted.fit.rms_log.unwrap_or(fitted.fit.rms);
        let unit = if fitted.fit.rms_log.is_some() { "1" } else { fitted.regression.y.unit };
        let _ = writeln!(text, "{start},rms,{unit},{rms},,,,derived");
        let _ = writeln!(text, "{start},aicc,1,{},,,,derived", fitted.fit.aicc);
    }
    text
}

fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// booktabs, values with their uncertainty in siunitx's form `1.23(4)`; one column a fit, at most four side by
/// side.
fn latex(entry: &Entry, fits: &[Fitted]) -> String {
    let mut text = format!("% {}, {} data: needs booktabs and siunitx\n", entry.info.title, origins(fits));
    for group in fits.chunks(4) {
        let _ = writeln!(text, "\\begin{{tabular}}{{l{}}}\n\\toprule", "l".repeat(group.len()));
        let long = group.iter().any(|fitted| fitted.name.chars().count() > LONGEST_HEADING);
        let letters = ('a'..='d').map(|letter| format!("({letter})"));
        let names: Vec<String> = if long {
            letters.clone().take(group.len()).collect()
        } else {
            group.iter().map(|fitted| escape(&fitted.name)).collect()
        };
        let _ = writeln!(text, "parameter & {} \\\\\n\\midrule", names.join(" & "));
        for info in entry.info.parameters {
            let cells: Vec<Option<String>> = group
                .iter()
                .map(|fitted| {
                    fitted.fit.parameter(info.name).map(|parameter| number(parameter.value, parameter.std))
                })
                .collect();
            if cells.iter().any(Option::is_some) {
                let unit = if info.unit == "1" { String::new() } else { format!(" ({})", escape(info.unit)) };
                let cells: Vec<String> =
                    cells.into_iter().map(|cell| cell.unwrap_or_else(|| "--".into())).collect();
                let _ = writeln!(text, "{}{unit} & {} \\\\", escape(info.name), cells.join(" & "));
            }
        }
        let labels: Vec<&str> = group.iter().map(|fitted| fitted.origin.label()).collect();
        let _ = writeln!(text, "\\midrule\ndata & {} \\\\", labels.join(" & "));
        let rms = group.iter().map(|fitted| number(fitted.fit.rms_log.unwrap_or(fitted.fit.rms), f64::NAN));
        let _ = writeln!(text, "rms & {} \\\\", rms.collect::<Vec<_>>().join(" & "));
        text.push_str("\\bottomrule\n\\end{tabular}\n");
        if long {
            let legend: Vec<String> = letters
                .zip(group)
                // A file's name has no spaces: it may break behind every underscore.
                .map(|(letter, f)| format!("{letter}~\\texttt{{{}}}", breakable(&f.name)))
                .collect();
            let _ = writeln!(text, "\\par\\smallskip{{\\footnotesize {}}}", legend.join("; "));
        }
    }
    text
}

/// Names longer than this do not fit above a column; letters stand there, and the names below the table.
const LONGEST_HEADING: usize = 16;

fn breakable(name: &str) -> String {
    escape(name).replace("\\_", "\\_\\allowbreak ")
}

fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => vec!['\\', c],
            '^' => "\\textasciicircum{}".chars().collect(),
            _ => vec![c],
        })
        .collect()
}

/// `\num{1.234(56)e-3}`: two digits of uncertainty; three digits where it is not known.
fn number(value: f64, std: f64) -> String {
    if !value.is_finite() {
        return "--".into();
    }
    let exponent = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    if !(std.is_finite() && std > 0.0) {
        return format!("\\num{{{value:.3e}}}");
    }
    let last = std.log10().floor() as i32 - 1;
    let exponent = exponent.max(last);
    let digits = usize::try_from(exponent - last).unwrap_or(0);
    let mantissa = value / 10f64.powi(exponent);
    let uncertainty = (std / 10f64.powi(last)).round();
    format!("\\num{{{mantissa:.digits$}({uncertainty:.0})e{exponent}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_papers() {
        assert_eq!(number(1.23456, 0.0123), "\\num{1.235(12)e0}");
        assert_eq!(number(-4.2e-5, 3.1e-7), "\\num{-4.200(31)e-5}");
        assert_eq!(number(2.0, f64::NAN), "\\num{2.000e0}");
        assert_eq!(number(0.01, 5.0), "\\num{0(50)e-1}");
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.5), 2.0);
        assert_eq!(breakable("a_b"), "a\\_\\allowbreak b");
        assert_eq!(escape("vt_v & 1/V^2"), "vt\\_v \\& 1/V\\textasciicircum{}2");
    }
}
