//! `mho store`.

use super::{Answer, CliError, Globals};
use crate::store::{Fetch, Store};
use clap::{Args, Subcommand};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Look at, check and clean the artifact store.
///
/// Example: mho store verify
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How many actions and objects there are, and their size
    Ls,
    /// Read every object and compare it with its digest
    Verify,
    /// Remove objects that no recent result needs
    Gc {
        /// Say what would go, remove nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) fn run(args: &StoreArgs, globals: &Globals) -> Answer {
    let root = globals
        .store
        .clone()
        .or_else(|| std::env::var_os("MHO_STORE").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from(".mho/store"));
    let store = Store::open(root)?;
    match args.what {
        What::Ls => list(&store, globals),
        What::Verify => verify(&store, globals),
        What::Gc { dry_run } => collect(&store, dry_run, globals),
    }
}

fn list(store: &Store, globals: &Globals) -> Answer {
    let objects = store.objects()?;
    let actions = store.actions()?;
    let bytes: u64 = objects.iter().map(|(_, size)| size).sum();
    if globals.json {
        let document = json!({ "store": store.root(), "actions": actions.len(), "objects": objects.len(), "bytes": bytes });
        return Ok(format!("{document:#}\n"));
    }
    Ok(format!(
        "{}: {} actions, {} objects, {:.1} MB\n",
        store.root().display(),
        actions.len(),
        objects.len(),
        bytes as f64 / 1e6
    ))
}

fn verify(store: &Store, globals: &Globals) -> Answer {
    let objects = store.objects()?;
    let mut damaged = Vec::new();
    for (digest, _) in &objects {
        if !matches!(store.get(digest)?, Fetch::Found(_)) {
            damaged.push(digest.clone());
        }
    }
    if globals.json {
        let text = format!("{:#}\n", json!({ "objects": objects.len(), "damaged": damaged }));
        return if damaged.is_empty() { Ok(text) } else { Err(CliError::Integrity(text)) };
    }
    if damaged.is_empty() {
        return Ok(format!("{} objects, all as their digests say\n", objects.len()));
    }
    Err(CliError::Integrity(format!(
        "{} of {} objects were damaged and are in quarantine; the next run makes them again: {}",
        damaged.len(),
        objects.len(),
        damaged.join(", ")
    )))
}

fn collect(store: &Store, dry_run: bool, globals: &Globals) -> Answer {
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for record in store.recent()? {
        kept.extend(record.outputs.into_iter().map(|(_, digest)| digest));
        kept.extend(record.inputs.into_iter().map(|(_, digest)| digest));
    }
    let mut gone = (0_usize, 0_u64);
    for (digest, size) in store.objects()? {
        if kept.contains(&digest) {
            continue;
        }
        gone = (gone.0 + 1, gone.1 + size);
        if !dry_run {
            store.remove_object(&digest)?;
        }
    }
    if !dry_run {
        store.sweep();
    }
    if globals.json {
        return Ok(format!("{:#}\n", json!({ "objects": gone.0, "bytes": gone.1, "dry_run": dry_run })));
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    Ok(format!(
        "{verb} {} objects ({:.1} MB) that no recent result of a target needs\n",
        gone.0,
        gone.1 as f64 / 1e6
    ))
}
