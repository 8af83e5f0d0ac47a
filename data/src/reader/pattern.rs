//! What stands in the names of files: `{device}_{dose}krad_{time}s.csv`.

use super::header::Field;
use super::rows::Given;
use super::units::{Quantity, Unit};
use crate::error::InputError;

/// A pattern of file names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    Word(Option<usize>),
    Number(Field, Unit),
}

/// Letters in the longest pattern and the longest name.
const LONGEST: usize = 255;

impl Pattern {
    /// Understands a pattern. Braces hold `device`, `state`, `dose`, `time`, `temperature`, `vd`, `vg`, `vb`,
    /// `width`, `length`, `multiplicity`, or nothing (anything may stand there). The letters behind a
    /// number are its unit.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a pattern of {} letters", text.len()));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                pieces.push(Piece::Literal(rest[..open].to_owned()));
            }
            let close = rest[open..].find('}').ok_or("a brace that is not closed")? + open;
            let name = &rest[open + 1..close];
            let after = &rest[close + 1..];
            if !matches!(pieces.last(), None | Some(Piece::Literal(_))) {
                return Err(format!("nothing between {{{name}}} and the brace before it"));
            }
            pieces.push(piece(name, after)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// What a name says.
    pub(super) fn apply(&self, file: &str, given: &mut Given) -> Result<(), InputError> {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let fail = |found: String| InputError::new(file, found, format!("a name like {}", self.text));
        if name.len() > LONGEST {
            return Err(fail(format!("a name of {} bytes", name.len())));
        }
        let mut taken = Vec::new();
        let mut hopeless = std::collections::BTreeSet::new();
        if !matches(&self.pieces, name, 0, 0, &mut taken, &mut hopeless) {
            return Err(fail(format!("the name `{name}`")));
        }
        taken.reverse();
        for (piece, (from, to)) in self.pieces.iter().zip(taken) {
            let word = &name[from..to];
            match piece {
                Piece::Literal(_) | Piece::Word(None) => {}
                Piece::Word(Some(slot)) => {
                    if given.texts[*slot].is_none() {
                        given.texts[*slot] = Some(word.to_owned());
                    }
                }
                Piece::Number(field, unit) => {
                    let value = number(word).ok_or_else(|| fail(format!("`{word}`")))?;
                    given.numbers.entry(*field).or_insert(unit.si(value));
                }
            }
        }
        if self.pieces.iter().any(|piece| matches!(piece, Piece::Number(Field::Dose, _)))
            && !self.text.contains("(Si)")
        {
            given.assumptions.push(format!("{file}: the dose in the name is rad(Si)"));
        }
        Ok(())
    }
}

/// `30`, `0.5`, `1e3`, or `0p42`.
fn number(word: &str) -> Option<f64> {
    word.replacen('p', ".", 1).parse::<f64>().ok().filter(|value| value.is_finite())
}

fn piece(name: &str, after: &str) -> Result<Piece, String> {
    // Longest run of letters behind the brace that is a unit of the right quantity.
    let unit = |quantity: Quantity, without: Option<Unit>| {
        let end = after.find(|c: char| !(c.is_alphabetic() || "()%°".contains(c))).unwrap_or(after.len());
        let letters = &after[..end];
        let spelled = match (quantity, letters) {
            (Quantity::Length, "u") => "um".to_owned(),
            (Quantity::Dose, "krad" | "Mrad" | "rad" | "kGy" | "Gy") => format!("{letters}(Si)"),
            _ => letters.to_owned(),
        };
        Unit::parse(&spelled).filter(|unit| unit.quantity == quantity).or(without)
    };
    let field = match name {
        "" | "_" => return Ok(Piece::Word(None)),
        "device" => return Ok(Piece::Word(Some(0))),
        "state" => return Ok(Piece::Word(Some(1))),
        "dose" => Field::Dose,
        "time" => Field::Time,
        "temperature" | "T" => Field::Temperature,
        "vd" => Field::DrainV,
        "vg" => Field::GateV,
        "vb" => Field::BodyV,
        "width" | "w" => Field::Width,
        "length" | "l" => Field::Length,
        "multiplicity" | "m" => Field::Multiplicity,
        other => {
            return Err(format!(
                "{{{other}}}: one of device, state, dose, time, temperature, vd, vg, vb, width, length, multiplicity"
            ));
        }
    };
    let quantity = field.quantity();
    let bare = if quantity == Quantity::Number { Some(Unit::NONE) } else { None };
    unit(quantity, bare)
        .map(|unit| Piece::Number(field, unit))
        .ok_or_else(|| format!("no unit behind {{{name}}}: {}", quantity.units()))
}

/// Matches pieces from `at` on with the name from `from` on; what each took, the last first. Places
/// that were tried in vain are kept, so that the work is bounded by pieces times letters squared.
fn matches(
    pieces: &[Piece],
    name: &str,
    at: usize,
    from: usize,
    taken: &mut Vec<(usize, usize)>,
    hopeless: &mut std::collections::BTreeSet<(usize, usize)>,
) -> bool {
    let Some(piece) = pieces.get(at) else { return from == name.len() };
    if hopeless.contains(&(at, from)) {
        return false;
    }
    let rest = &name[from..];
    let ends: Vec<usize> = match piece {
        Piece::Literal(literal) => {
            if rest.starts_with(literal.as_str()) {
                vec![literal.len()]
            } else {
                vec![]
            }
        }
        Piece::Word(_) => rest.char_indices().map(|(index, c)| index + c.len_utf8()).collect(),
        Piece::Number(..) => rest
            .char_indices()
            .take_while(|(_, c)| c.is_ascii_digit() || "+-.epE".contains(*c))
            .map(|(index, _)| index + 1)
            .filter(|end| number(&rest[..*end]).is_some())
            .collect(),
    };
    // The longest first: `S_1_30krad` is the device `S_1`.
    for end in ends.into_iter().rev() {
        if matches(pieces, name, at + 1, from + end, taken, hopeless) {
            taken.push((from, from + end));
            return true;
        }
    }
    hopeless.insert((at, from));
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_dose_and_time() {
        let pattern = Pattern::parse("{device}_{dose}krad_{time}s.csv").unwrap();
        let mut given = Given::default();
        pattern.apply("runs/S_1_30krad_1e3s.csv", &mut given).unwrap();
        assert_eq!(given.texts[0].as_deref(), Some("S_1"));
        assert_eq!(given.numbers[&Field::Dose], 30.0);
        assert_eq!(given.numbers[&Field::Time], 1000.0);
        let error = pattern.apply("S_1_krad_3s.csv", &mut Given::default()).unwrap_err();
        assert!(error.to_string().contains("a name like {device}"), "{error}");
        let mut given = Given::default();
        Pattern::parse("{}_w{width}u_{temperature}C.csv")
            .unwrap()
            .apply("a_b_w0p42u_25C.csv", &mut given)
            .unwrap();
        assert_eq!(given.numbers[&Field::Width], 0.42);
        assert_eq!(given.numbers[&Field::Temperature], 298.15);
    }

    #[test]
    fn bad_patterns_are_refused() {
        for bad in ["{dose}", "{dose}s", "{device", "{device}{dose}krad", "{nothing}"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        // As many ways to split as there are, and none fits.
        let pattern = Pattern::parse(&format!("{}x", "{}a".repeat(80))).unwrap();
        assert!(pattern.apply(&"a".repeat(255), &mut Given::default()).is_err());
    }
}
