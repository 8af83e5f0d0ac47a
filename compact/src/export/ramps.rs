//! Pulse ramps as CrossSim reads them: a CSV file for each direction, one column a ramp, one row a pulse.

use mho_data::InputError;

/// Ramps as text; a ramp that is shorter than the longest leaves its last cells empty.
pub fn text(ramps: &[Vec<f64>]) -> String {
    let names: Vec<String> = (1..=ramps.len()).map(|number| format!("rmp{number}")).collect();
    let mut text = names.join(",") + "\n";
    for pulse in 0..ramps.iter().map(Vec::len).max().unwrap_or(0) {
        let row: Vec<String> = ramps
            .iter()
            .map(|ramp| ramp.get(pulse).map_or_else(String::new, |value| format!("{value:e}")))
            .collect();
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}

/// Ramps from text; `file` is named in errors.
///
/// # Errors
/// [`InputError`] with the line of a row of another length, of a cell that is no finite number, or of a gap
/// inside a ramp.
pub fn read(text: &str, file: &str) -> Result<Vec<Vec<f64>>, InputError> {
    let wrong = |line: usize, found: String, expected: String| {
        Err(InputError::new(file, found, expected).at_line(line + 1))
    };
    let mut lines = text.lines().enumerate();
    let count = lines.next().map_or(0, |(_, header)| header.split(',').count());
    let mut ramps = vec![Vec::new(); count];
    let mut last = 0;
    for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        let cells: Vec<&str> = row.split(',').map(str::trim).collect();
        if cells.len() != count {
            return wrong(line, format!("{} cells", cells.len()), format!("{count}, one for each ramp"));
        }
        for (ramp, cell) in ramps.iter_mut().zip(cells) {
            if cell.is_empty() {
                continue;
            }
            match cell.parse::<f64>() {
                Ok(value) if value.is_finite() && ramp.len() == last => ramp.push(value),
                Ok(value) if value.is_finite() => {
                    return wrong(line, "a value after an empty cell".into(), "ramps without gaps".into());
                }
                _ => return wrong(line, format!("`{cell}`"), "a finite number".into()),
            }
        }
        last += 1;
    }
    if last == 0 {
        return wrong(0, "no values".into(), "a header and one row for each pulse".into());
    }
    Ok(ramps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let ramps = vec![vec![1e-4, 1.1e-4, 0.1 + 0.2], vec![-3.0], vec![1.0, 2.0]];
        assert_eq!(read(&text(&ramps), "set.csv").unwrap(), ramps);
    }

    #[test]
    fn complaints_name_the_line() {
        for (wrong, line) in
            [("a,b\n1,2\n3\n", 3), ("a\n1\nx\n", 3), ("a,b\n1,2\n,3\n4,5\n", 4), ("", 1), ("a\n1e999\n", 2)]
        {
            let error = read(wrong, "set.csv").unwrap_err().to_string();
            assert!(error.contains(&format!("{line}")), "{wrong}: {error}");
        }
    }

    #[test]
    fn reference_ramps_are_read() {
        for (name, ramps, pulses) in [("set.csv", 39, 192), ("reset.csv", 40, 153)] {
            let Some(path) = mho_data::shared::find(&format!("measured/crosssim/pulse_csv/{name}")) else {
                println!("SKIPPED: no measured {name}");
                return;
            };
            let found = read(&std::fs::read_to_string(path).unwrap(), name).unwrap();
            assert_eq!(found.len(), ramps);
            assert_eq!(found.iter().map(Vec::len).max(), Some(pulses));
            assert_eq!(read(&text(&found), name).unwrap(), found);
        }
    }
}
