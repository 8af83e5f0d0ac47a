//! Weights that a model keeps in files beside it, as exporters do with large ones.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use mho_data::InputError;
use prost::Message;

use super::proto::{Graph, Tensor};

/// A key with its value.
#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(string, optional, tag = "1")]
    key: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

/// `TensorProto.DataLocation`: in another file.
const EXTERNAL: i32 = 1;

/// Reads the weights of all tensors that lie in files of `folder`, which has to hold them: no path leads out.
pub(super) fn read(graph: &mut Graph, folder: &Path) -> Result<(), InputError> {
    let mut files: HashMap<PathBuf, Vec<u8>> = HashMap::new();
    let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
    let tensors = graph.initializer.iter_mut().chain(attributes.filter_map(|attribute| attribute.t.as_mut()));
    for tensor in tensors.filter(|tensor| tensor.data_location == Some(EXTERNAL)) {
        let place = place(tensor, folder)?;
        if !files.contains_key(&place.file) {
            let bytes = std::fs::read(&place.file).map_err(|error| place.wrong(error.to_string()))?;
            files.insert(place.file.clone(), bytes);
        }
        let bytes = files.get(&place.file).map_or(&[][..], Vec::as_slice);
        let end = place.length.map_or(Some(bytes.len()), |length| place.offset.checked_add(length));
        let Some(part) = end.and_then(|end| bytes.get(place.offset..end)) else {
            let length = place.length.map_or_else(String::new, |length| format!(" of {length}"));
            return Err(place.wrong(format!("a part{length} from byte {} of {}", place.offset, bytes.len())));
        };
        tensor.raw_data = Some(part.to_vec());
        tensor.data_location = None;
        tensor.external_data.clear();
    }
    Ok(())
}

/// Where the values of a tensor lie.
struct Place {
    file: PathBuf,
    tensor: String,
    offset: usize,
    length: Option<usize>,
}

impl Place {
    fn wrong(&self, found: String) -> InputError {
        let expected = format!("the values of the tensor `{}`", self.tensor);
        InputError::new(self.file.display().to_string(), found, expected)
    }
}

fn place(tensor: &Tensor, folder: &Path) -> Result<Place, InputError> {
    let mut place = Place {
        file: folder.to_owned(),
        tensor: tensor.name.clone().unwrap_or_default(),
        offset: 0,
        length: None,
    };
    let mut location = None;
    for entry in &tensor.external_data {
        let entry = Entry::decode(entry.as_slice()).map_err(|error| place.wrong(error.to_string()))?;
        let value = entry.value.unwrap_or_default();
        let number = || value.parse().map_err(|_| place.wrong(format!("`{value}`")));
        match entry.key.as_deref() {
            Some("location") => location = Some(value),
            Some("offset") => place.offset = number()?,
            Some("length") => place.length = Some(number()?),
            // A checksum, or what other tools note.
            _ => {}
        }
    }
    let Some(location) = location else { return Err(place.wrong("no location".into())) };
    let inside = Path::new(&location).components().all(|part| matches!(part, Component::Normal(_)));
    if location.is_empty() || !inside {
        return Err(place.wrong(format!("the location `{location}`, which is no file of this folder")));
    }
    place.file = folder.join(location);
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &str) -> Vec<u8> {
        Entry { key: Some(key.into()), value: Some(value.into()) }.encode_to_vec()
    }

    fn graph(entries: Vec<Vec<u8>>) -> Graph {
        let tensor = Tensor {
            name: Some("w".into()),
            data_location: Some(EXTERNAL),
            external_data: entries,
            ..Tensor::default()
        };
        Graph { initializer: vec![tensor], ..Graph::default() }
    }

    #[test]
    fn weights_come_from_the_folder_of_the_model_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w.data"), [1, 2, 3, 4, 5, 6]).unwrap();
        let at = |file: &str, rest: &[(&str, &str)]| {
            let rest = rest.iter().map(|(key, value)| entry(key, value));
            let mut graph = graph(std::iter::once(entry("location", file)).chain(rest).collect());
            read(&mut graph, folder.path()).map(|()| graph.initializer[0].raw_data.clone().unwrap())
        };
        assert_eq!(at("w.data", &[]).unwrap(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(at("w.data", &[("offset", "2"), ("length", "3"), ("checksum", "x")]).unwrap(), [3, 4, 5]);
        for (file, rest) in [
            ("absent.data", &[][..]),
            ("../w.data", &[]),
            ("/etc/hostname", &[]),
            ("", &[]),
            ("w.data", &[("offset", "4"), ("length", "3")]),
            ("w.data", &[("offset", "7")]),
            ("w.data", &[("length", "18446744073709551615"), ("offset", "1")]),
            ("w.data", &[("offset", "-1")]),
        ] {
            let error = at(file, rest).unwrap_err();
            assert!(error.expected.contains("`w`"), "{error}");
        }
        assert!(read(&mut graph(Vec::new()), folder.path()).is_err());
    }
}
