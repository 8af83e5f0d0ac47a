//! What a store can do without. Removing it is always safe: an action without its objects is a miss.

use super::{Store, StoreError, io};
use crate::key::Digest;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// What to keep.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// Bytes that the objects may take; the oldest go first. No limit without it.
    pub max_bytes: Option<u64>,
    /// Whether the users' own files may go, which nothing can make again.
    pub include_inputs: bool,
}

/// An object that can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Why it can go.
    pub reason: &'static str,
}

impl Store {
    /// Stores a user's file and pins it: nothing can make it again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn archive(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = self.put(bytes)?;
        let pin = self.pin(&digest);
        if !pin.exists() {
            self.write_new(&pin, b"")?;
        }
        Ok(digest)
    }

    /// What can go, in a fixed order. Results in the history of any target stay, and so do users' files;
    /// parts of sharded work and results of long forgotten parameters do not.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub fn garbage(&self, keep: Keep) -> Result<Vec<Garbage>, StoreError> {
        let records = self.recent()?;
        let needed: BTreeSet<Digest> =
            records.into_iter().flat_map(|r| r.outputs.into_iter().chain(r.inputs)).map(|(_, d)| d).collect();
        let mut garbage = Vec::new();
        let mut kept = Vec::new();
        let mut total = 0;
        for (digest, size) in self.objects()? {
            let pinned = self.pin(&digest).exists();
            if pinned && !keep.include_inputs {
                total += size;
            } else if needed.contains(&digest) {
                total += size;
                let path = self.sharded("cas", &digest);
                let modified = io(fs::metadata(&path).and_then(|meta| meta.modified()), "look at", &path)?;
                kept.push((modified, digest, size));
            } else {
                let reason =
                    if pinned { "a user's file of no recent result" } else { "no recent result needs it" };
                garbage.push(Garbage { digest, size, reason });
            }
        }
        kept.sort_by(|a: &(SystemTime, Digest, u64), b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (_, digest, size) in kept {
            if keep.max_bytes.is_none_or(|max| total <= max) {
                break;
            }
            total -= size;
            garbage.push(Garbage { digest, size, reason: "the oldest above --max-size" });
        }
        Ok(garbage)
    }

    fn pin(&self, digest: &Digest) -> PathBuf {
        self.root.join("pins").join(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TargetRecord;

    #[test]
    fn results_and_users_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store.prepare().unwrap();
        let [result, lost] = [b"result".as_slice(), b"lost"].map(|bytes| store.put(bytes).unwrap());
        let file = store.archive(b"measured").unwrap();
        let record = TargetRecord {
            key: "k".into(),
            stage: "s".into(),
            version: 1,
            seed: 0,
            params: serde_json::json!({}),
            inputs: vec![],
            outputs: vec![("data".into(), result.clone())],
        };
        store.remember("study", "target", record).unwrap();
        let digests = |keep: Keep| -> Vec<Digest> {
            let mut digests: Vec<Digest> =
                store.garbage(keep).unwrap().into_iter().map(|g| g.digest).collect();
            digests.sort();
            digests
        };
        assert_eq!(digests(Keep::default()), std::slice::from_ref(&lost));
        let mut both = [lost.clone(), file.clone()];
        both.sort();
        assert_eq!(digests(Keep { include_inputs: true, max_bytes: None }), both);
        let mut small = [lost, result];
        small.sort();
        assert_eq!(digests(Keep { max_bytes: Some(0), include_inputs: false }), small);
    }
}
