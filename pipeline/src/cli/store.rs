//! `mho store`.

use super::{Answer, CliError, Globals};
use crate::store::{Fetch, Keep, Store};
use clap::{Args, Subcommand};
use serde_json::json;
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
        /// Size in MB that the objects may take; the oldest go first
        #[arg(long, value_name = "MB")]
        max_size: Option<u64>,
        /// Let users' own files go too, which nothing can make again
        #[arg(long)]
        include_inputs: bool,
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
        What::Gc { dry_run, max_size, include_inputs } => {
            let max_bytes = max_size.map(|megabytes| megabytes.saturating_mul(1_000_000));
            collect(&store, Keep { max_bytes, include_inputs }, dry_run, globals)
        }
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

fn collect(store: &Store, keep: Keep, dry_run: bool, globals: &Globals) -> Answer {
    let garbage = store.garbage(keep)?;
    let bytes: u64 = garbage.iter().map(|object| object.size).sum();
    if !dry_run {
        for object in &garbage {
            store.remove_object(&object.digest)?;
        }
        store.sweep();
    }
    if globals.json {
        let document = json!({ "schema": 1, "objects": garbage, "bytes": bytes, "dry_run": dry_run });
        return Ok(format!("{document:#}\n"));
    }
    let mut text = String::new();
    if dry_run || globals.verbose {
        for object in &garbage {
            text.push_str(&format!("{} {:>10} B  {}\n", &object.digest[..12], object.size, object.reason));
        }
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    text.push_str(&format!("{verb} {} objects ({:.1} MB)\n", garbage.len(), bytes as f64 / 1e6));
    Ok(text)
}
