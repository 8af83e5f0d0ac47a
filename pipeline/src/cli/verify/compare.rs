//! Two makings of one output: whether their numbers agree within a tolerance.

use mho_data::Table;

/// Whether two files say the same: the same text, and numbers that differ by no more than `relative` times the larger.
pub(super) fn alike(file: &str, was: &[u8], is: &[u8], relative: f64) -> bool {
    if was == is {
        return true;
    }
    if relative <= 0.0 {
        return false;
    }
    match file.rsplit('.').next().unwrap_or_default() {
        "parquet" => tables(file, was, is, relative),
        "safetensors" => arrays(was, is, relative),
        _ => match (std::str::from_utf8(was), std::str::from_utf8(is)) {
            (Ok(was), Ok(is)) => texts(was, is, relative),
            _ => false,
        },
    }
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= relative * a.abs().max(b.abs())
}

fn tables(file: &str, was: &[u8], is: &[u8], relative: f64) -> bool {
    let (Ok(was), Ok(is)) = (Table::from_parquet(was, file), Table::from_parquet(is, file)) else {
        return false;
    };
    was.names().eq(is.names())
        && was.len() == is.len()
        && was.names().all(|name| match (was.floats(name), is.floats(name)) {
            (Ok(a), Ok(b)) => a.iter().zip(b).all(|(a, b)| close(*a, *b, relative)),
            _ => was.texts(name).ok() == is.texts(name).ok(),
        })
}

/// Arrays of F64 behind a header of JSON, whose length stands in the first eight bytes.
fn arrays(was: &[u8], is: &[u8], relative: f64) -> bool {
    let split = |bytes: &[u8]| -> Option<(String, Vec<u8>)> {
        let length = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        let end = usize::try_from(length).ok()?.checked_add(8)?;
        Some((String::from_utf8(bytes.get(8..end)?.to_vec()).ok()?, bytes.get(end..)?.to_vec()))
    };
    let (Some((head_was, was)), Some((head_is, is))) = (split(was), split(is)) else { return false };
    // Only arrays that are all F64 are compared by their numbers.
    let other_kinds = ["\"F32\"", "\"U8\"", "\"I64\"", "\"I32\"", "\"BF16\"", "\"F16\""];
    if other_kinds.iter().any(|kind| head_was.contains(kind)) || was.len() != is.len() || was.len() % 8 != 0 {
        return false;
    }
    let numbers = |bytes: &[u8]| -> Vec<f64> {
        bytes
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
            .collect()
    };
    texts(&head_was, &head_is, relative)
        && numbers(&was).iter().zip(numbers(&is)).all(|(a, b)| close(*a, b, relative))
}

/// Words one by one. Digests of what lies behind differ with it and say nothing of their own.
fn texts(was: &str, is: &str, relative: f64) -> bool {
    let apart = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'));
    let digest = |word: &str| word.len() >= 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let same = |(a, b): (&str, &str)| {
        a == b
            || match (a.parse::<f64>(), b.parse::<f64>()) {
                (Ok(a), Ok(b)) => close(a, b, relative),
                _ => a.len() == b.len() && digest(a) && digest(b),
            }
    };
    let (a, b): (Vec<&str>, Vec<&str>) = (was.split(apart).collect(), is.split(apart).collect());
    a.len() == b.len() && a.into_iter().zip(b).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_differ_by_the_tolerance_and_words_may_not() {
        let alike = |a: &str, b: &str| alike("x.csv", a.as_bytes(), b.as_bytes(), 1e-9);
        assert!(alike("a,1.0000000001\n", "a,1.0\n"));
        assert!(!alike("a,1.00000001\n", "a,1.0\n"));
        assert!(!alike("a,1.0\n", "b,1.0\n") && !alike("a,1\n", "a,1,2\n"));
        assert!(alike("from 0123456789abcdef", "from fedcba9876543210"));
    }

    #[test]
    fn tables_and_arrays_are_compared_by_their_numbers() {
        let table = |x: f64| Table::new().with_float("x", vec![x, f64::NAN]).to_parquet().unwrap();
        assert!(alike("t.parquet", &table(1.0), &table(1.0 + 1e-12), 1e-9));
        assert!(!alike("t.parquet", &table(1.0), &table(1.1), 1e-9));
        let array = |x: f64| {
            let head = "{\"x\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}";
            [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), &x.to_le_bytes()].concat()
        };
        assert!(alike("t.safetensors", &array(2.0), &array(2.0 + 1e-12), 1e-9));
        assert!(!alike("t.safetensors", &array(2.0), &array(2.1), 1e-9));
        assert!(!alike("t.safetensors", b"short", &array(2.0), 1e-9));
    }
}
