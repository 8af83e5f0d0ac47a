//! Bringing the bytes of inputs out of the store, and healing what is damaged there.

use super::Failure;
use super::run::Runner;
use crate::stage::Artifact;
use crate::store::Fetch;

impl Runner<'_> {
    /// Fills in the bytes. An object that is gone or damaged is made again by its producer.
    pub(super) fn materialise(&self, artifacts: &mut [Artifact]) -> Result<(), Failure> {
        for artifact in artifacts {
            if !artifact.bytes.is_empty() || artifact.size == 0 {
                continue;
            }
            artifact.bytes = match self.store.get(&artifact.digest)? {
                Fetch::Found(bytes) => bytes,
                found => {
                    let what = if found == Fetch::Corrupt { "was damaged" } else { "is gone" };
                    self.say(&format!("{} {what} in the store: making it again", artifact.name));
                    self.remake(artifact)?
                }
            };
        }
        Ok(())
    }

    fn remake(&self, artifact: &Artifact) -> Result<Vec<u8>, Failure> {
        let failed = |text: String| Failure::Integrity(text);
        let target = self
            .study
            .targets
            .iter()
            .find(|target| target.name == artifact.target())
            .ok_or_else(|| failed(format!("{} has no producer in this study", artifact.name)))?;
        self.produce(target, true)?;
        match self.store.get(&artifact.digest)? {
            Fetch::Found(bytes) => Ok(bytes),
            _ => Err(failed(format!(
                "{} came out different when it was made again: stage {} is not deterministic",
                artifact.name, target.stage
            ))),
        }
    }
}
