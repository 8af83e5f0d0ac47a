//! The lock file of a study: what every target came out as. Sorted, one line per target, without times or
//! hosts, so that it can be committed and compared.
//!
//! ```text
//! fit-idvg fit.idvg@1 KEY in sweeps=idvg/sweeps:DIGEST out ekv:DIGEST thresholds:DIGEST
//! ```

use crate::engine::RunReport;
use crate::key::Digest;
use crate::study::Study;
use mho_data::InputError;
use std::collections::BTreeMap;

const HEAD: &str = "# mho study.lock 1: target, stage@version, key, inputs and outputs with their digests";

/// What a lock file says of a target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Locked {
    /// Stage with its version.
    pub stage: String,
    /// Key.
    pub key: Digest,
    /// `role=target/output` and digest, sorted.
    pub inputs: BTreeMap<String, Digest>,
    /// Output and digest, sorted.
    pub outputs: BTreeMap<String, Digest>,
}

/// Targets by name.
pub type Lock = BTreeMap<String, Locked>;

/// The lock of a finished run; targets that failed are not in it.
pub fn of_run(study: &Study, report: &RunReport) -> Lock {
    let mut lock = Lock::new();
    for target in &study.targets {
        let (Some(action), Some(key)) = (report.done.get(&target.name), report.keys.get(&target.name)) else {
            continue;
        };
        let inputs = report.inputs.get(&target.name).into_iter().flatten();
        let locked = Locked {
            stage: format!("{}@{}", action.stage, action.version),
            key: key.clone(),
            inputs: inputs.map(|(name, digest)| (name.replace(' ', ""), digest.clone())).collect(),
            outputs: action.outputs.iter().map(|o| (o.role.clone(), o.digest.clone())).collect(),
        };
        lock.insert(target.name.clone(), locked);
    }
    lock
}

/// The file's text.
pub fn render(lock: &Lock) -> String {
    let mut text = format!("{HEAD}\n");
    for (name, locked) in lock {
        text.push_str(&format!("{name} {} {} in", locked.stage, locked.key));
        let pairs = |map: &BTreeMap<String, Digest>| -> String {
            map.iter().map(|(name, digest)| format!(" {name}:{digest}")).collect()
        };
        text.push_str(&pairs(&locked.inputs));
        text.push_str(" out");
        text.push_str(&pairs(&locked.outputs));
        text.push('\n');
    }
    text
}

/// Reads a lock file.
///
/// # Errors
/// Names the first line that is none of a lock file's.
pub fn parse(text: &str, file: &str) -> Result<Lock, InputError> {
    let mut lock = Lock::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || {
            InputError::new(file, format!("`{line}`"), "TARGET STAGE@VERSION KEY in … out …")
                .at_line(index + 1)
        };
        let mut words = line.split_whitespace();
        let (Some(name), Some(stage), Some(key), Some("in")) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let mut locked = Locked { stage: stage.into(), key: key.into(), ..Locked::default() };
        let mut outputs = false;
        for word in words {
            if word == "out" {
                outputs = true;
                continue;
            }
            let (name, digest) = word.rsplit_once(':').ok_or_else(wrong)?;
            let map = if outputs { &mut locked.outputs } else { &mut locked.inputs };
            map.insert(name.to_owned(), digest.to_owned());
        }
        if !outputs {
            return Err(wrong());
        }
        lock.insert(name.to_owned(), locked);
    }
    Ok(lock)
}

/// One output in two lock files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `target/output`.
    pub output: String,
    /// `identical`, `within tolerance`, `different`, or in which of the two it is missing.
    pub verdict: &'static str,
}

/// Compares two locks, output by output.
pub fn compare(standing: &Lock, now: &Lock) -> Vec<Row> {
    let (standing, now) = (outputs(standing), outputs(now));
    let mut names: Vec<&String> = standing.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let rows = names.into_iter().map(|name| {
        let verdict = match (standing.get(name), now.get(name)) {
            (Some(a), Some(b)) if a == b => "identical",
            (Some(_), Some(_)) => "different",
            (Some(_), None) => "no longer made",
            (None, _) => "not in the lock file",
        };
        Row { output: name.clone(), verdict }
    });
    rows.collect()
}

fn outputs(lock: &Lock) -> BTreeMap<String, &Digest> {
    let targets = lock.iter();
    targets
        .flat_map(|(name, t)| t.outputs.iter().map(move |(role, d)| (format!("{name}/{role}"), d)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_back_and_says_where_it_is_wrong() {
        let locked = Locked {
            stage: "fit@1".into(),
            key: "k".into(),
            inputs: [("a=b/c".to_owned(), "1".to_owned())].into(),
            outputs: [("x".to_owned(), "2".to_owned()), ("y".to_owned(), "3".to_owned())].into(),
        };
        let lock: Lock = [("t".to_owned(), locked)].into();
        assert_eq!(parse(&render(&lock), "study.lock").unwrap(), lock);
        let error = parse("# head\nt fit@1\n", "study.lock").unwrap_err();
        assert_eq!(error.line, Some(2));
    }
}
