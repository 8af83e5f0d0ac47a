//! `--set target.key=value`: one parameter changed from the command line.

use crate::stage::nearest;
use mho_data::InputError;
use serde_json::{Map, Value};

/// Applies an override and returns its path.
pub(super) fn apply(item: &str, tree: &mut Value) -> Result<String, InputError> {
    let wrong = |found: &str| {
        InputError::new(
            format!("--set {item}"),
            found.to_owned(),
            "TARGET.KEY=VALUE, as in idvg.files=sweeps.csv",
        )
    };
    let (path, text) = item.split_once('=').ok_or_else(|| wrong("no `=`"))?;
    let path = path.trim();
    let mut keys: Vec<&str> = path.split('.').collect();
    let last = keys.pop().filter(|key| !key.is_empty()).ok_or_else(|| wrong("no key"))?;
    if keys.is_empty() && !["seed", "title"].contains(&last) {
        return Err(wrong("a key without a target"));
    }
    let first = keys.first().copied().unwrap_or(last);
    let shared = keys == ["values"];
    let known: Vec<&str> = match if shared { tree.get("values") } else { Some(&*tree) } {
        Some(Value::Object(map)) if shared => map.keys().map(String::as_str).collect(),
        Some(Value::Object(map)) => {
            map.iter().filter(|(_, value)| value.is_object()).map(|(key, _)| key.as_str()).collect()
        }
        _ => Vec::new(),
    };
    let name = if shared { last } else { first };
    if !(keys.is_empty() || known.contains(&name)) {
        let kind = if shared { "shared value" } else { "target" };
        return Err(InputError::new(
            format!("--set {item}"),
            format!("no {kind} `{name}`"),
            nearest(name, known.into_iter()),
        ));
    }
    let mut slot = tree;
    for key in keys {
        let map = slot.as_object_mut().ok_or_else(|| wrong("a key below a value"))?;
        slot = map.entry(key.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    }
    let map = slot.as_object_mut().ok_or_else(|| wrong("a key below a value"))?;
    let list = map.get(last).is_some_and(Value::is_array) || last == "files";
    map.insert(last.to_owned(), value(text.trim(), list));
    Ok(path.to_owned())
}

/// A TOML value, or a bare text; where a list stands now, commas make one.
fn value(text: &str, list: bool) -> Value {
    // Numbers between commas are a list whatever stands there now, a "$name" say.
    let numbers = text.contains(',') && text.split(',').all(|part| part.trim().parse::<f64>().is_ok());
    let list = list || numbers;
    let parsed = toml::from_str::<Value>(&format!("v = {text}")).ok().and_then(|v| v.get("v").cloned());
    match parsed {
        Some(value) if !list || value.is_array() => value,
        _ if list => Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| value(part, false))
                .collect(),
        ),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(item: &str) -> Value {
        let mut tree = json!({"idvg": {"files": []}, "values": {"doses_krad_si": [0, 1]}, "a": {"x": 1}});
        apply(item, &mut tree).unwrap();
        tree
    }

    #[test]
    fn bare_values_lists_and_toml_are_understood() {
        assert_eq!(set("idvg.files=a.csv,b.csv")["idvg"]["files"], json!(["a.csv", "b.csv"]));
        assert_eq!(set("values.doses_krad_si=0,10")["values"]["doses_krad_si"], json!([0, 10]));
        assert_eq!(set("values.doses_krad_si=[0, 5.5]")["values"]["doses_krad_si"], json!([0, 5.5]));
        assert_eq!(set("a.x=text")["a"]["x"], json!("text"));
        assert_eq!(set("a.x=1,2.5")["a"]["x"], json!([1, 2.5]));
        assert!(apply("ax", &mut json!({})).is_err());
    }
}
