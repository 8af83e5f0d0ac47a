//! The engine on small stages: what runs again and what does not, damage, failures, threads.

use super::*;
use crate::stage::{Context, Outputs, ParamError, Role, Shard, StageError, resolve_as};
use crate::store::{Fetch, Store};
use crate::study::Origin;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Serialize, Deserialize, Default)]
struct Params {
    value: f64,
    label: String,
    doses: Vec<f64>,
    files: Vec<String>,
}

/// What a stage of these tests does.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Gives its value.
    Source,
    /// Gives the whole part of what it reads, so that small changes stop here.
    Round,
    /// A shard per dose, joined.
    Sweep,
    /// Panics where it reads "13".
    Panic,
    /// Gives the content of the user's files.
    Read,
}

struct Demo {
    name: &'static str,
    kind: Kind,
    ran: Arc<AtomicUsize>,
}

impl Stage for Demo {
    fn name(&self) -> &'static str {
        self.name
    }
    fn version(&self) -> u32 {
        1
    }
    fn about(&self) -> &'static str {
        "a stage of the tests"
    }
    fn roles(&self) -> &'static [Role] {
        match self.kind {
            Kind::Source | Kind::Read => &[],
            _ => const { &[Role::required("of")] },
        }
    }
    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<Params>(given)
    }
    fn files(&self, params: &Value) -> Vec<String> {
        params["files"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|f| f.as_str().map(str::to_owned))
            .collect()
    }
    fn shards(&self, params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        if self.kind != Kind::Sweep {
            return vec![];
        }
        let doses = params["doses"].as_array().cloned().unwrap_or_default();
        let shard =
            |dose: &Value| Shard { name: dose.to_string(), params: json!({ "value": dose }), reads: None };
        doses.iter().map(shard).collect()
    }
    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        let params: Params = context.params()?;
        let text = |artifact: &Artifact| String::from_utf8_lossy(&artifact.bytes).into_owned();
        let out = match self.kind {
            Kind::Source => format!("{}", params.value),
            Kind::Round => {
                let value: f64 = text(context.input("of")?).parse().map_err(StageError::failed)?;
                format!("{}", value.trunc())
            }
            Kind::Sweep => format!("{} at {}\n", text(context.input("of")?), params.value),
            Kind::Panic => {
                assert!(text(context.input("of")?) != "13", "unlucky");
                "lucky".to_owned()
            }
            Kind::Read => context.inputs("file").into_iter().map(text).collect(),
        };
        Ok(Outputs::new().exported("data", "data", format!("{}{}.txt", self.name, params.label), out))
    }
    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let whole: Vec<u8> = context.inputs("shards").into_iter().flat_map(|a| a.bytes.clone()).collect();
        Ok(Outputs::new().exported("data", "data", "sweep.txt", whole))
    }
}

const TEXT: &str = "schema = 1\nname = \"demo\"\n\n[values]\ndoses = [0, 1, 2]\n\n[source]\nstage = \"source\"\n\
    value = 1.25\n\n[round]\nstage = \"round\"\ninputs = { of = \"source/data\" }\n\n[sweep]\nstage = \"sweep\"\n\
    inputs = { of = \"round/data\" }\ndoses = \"$doses\"\n\n[lucky]\nstage = \"panic\"\n\
    inputs = { of = \"round/data\" }\n\n[after]\nstage = \"round\"\ninputs = { of = \"lucky/data\" }\nlabel = \"after\"\n";

/// The targets up to `sweep`, without those that can fail.
fn good() -> String {
    TEXT.split("[lucky]").next().unwrap().to_owned()
}

struct Bench {
    dir: tempfile::TempDir,
    ran: Arc<AtomicUsize>,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), ran: Arc::default() }
    }
    fn stages(&self) -> Vec<Box<dyn Stage>> {
        let stage = |name, kind| Box::new(Demo { name, kind, ran: self.ran.clone() }) as Box<dyn Stage>;
        vec![
            stage("source", Kind::Source),
            stage("round", Kind::Round),
            stage("sweep", Kind::Sweep),
            stage("panic", Kind::Panic),
            stage("read", Kind::Read),
        ]
    }
    fn study(&self, text: &str, set: &[&str]) -> Result<Study, InputError> {
        let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
        let origin = Origin { file: "study.toml", folder: self.dir.path() };
        Study::parse(text, origin, &set, None, &self.stages())
    }
    fn store(&self) -> Store {
        Store::open(self.dir.path().join("store")).unwrap()
    }
    fn out(&self) -> std::path::PathBuf {
        self.dir.path().join("out")
    }
    /// Runs, exports, and gives the report with the number of stage calls.
    fn run(&self, text: &str, set: &[&str]) -> (RunReport, usize) {
        let before = self.ran.load(Ordering::SeqCst);
        let report = run(&self.study(text, set).unwrap(), &self.stages(), &self.store(), &Progress::silent());
        export(&report, &self.store(), &self.out(), false).unwrap();
        (report, self.ran.load(Ordering::SeqCst) - before)
    }
    fn object(&self, digest: &str) -> std::path::PathBuf {
        self.dir.path().join("store/cas").join(&digest[..2]).join(digest)
    }
}

/// Replaces a read-only file in place, as a fault of the disk does.
fn overwrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_second_run_does_nothing_and_writes_nothing() {
    let bench = Bench::new();
    let (first, ran) = bench.run(&good(), &[]);
    assert!(first.failures.is_empty(), "{:?}", first.failures);
    assert_eq!((ran, first.ran.len()), (5, 3));
    assert_eq!(fs::read_to_string(bench.out().join("data/sweep.txt")).unwrap(), "1 at 0\n1 at 1\n1 at 2\n");
    let lock = crate::lock::of_run(&bench.study(&good(), &[]).unwrap(), &first);
    let (second, ran) = bench.run(&good(), &[]);
    assert_eq!((ran, second.executed), (0, 0));
    assert_eq!(crate::lock::of_run(&bench.study(&good(), &[]).unwrap(), &second), lock);
    assert_eq!(crate::lock::parse(&crate::lock::render(&lock), "l").unwrap(), lock);
}

#[test]
fn an_output_that_comes_out_the_same_cuts_off_what_follows() {
    let bench = Bench::new();
    bench.run(&good(), &[]);
    let (report, ran) = bench.run(&good(), &["source.value=1.75"]);
    assert_eq!((ran, report.ran), (2, vec!["source".to_owned(), "round".to_owned()]));
}

#[test]
fn one_more_dose_runs_one_more_shard() {
    let bench = Bench::new();
    bench.run(&good(), &[]);
    let (report, ran) = bench.run(&good(), &["values.doses=0,1,2,300"]);
    assert_eq!((ran, report.ran), (1, vec!["sweep".to_owned()]));
    assert!(fs::read_to_string(bench.out().join("data/sweep.txt")).unwrap().ends_with("1 at 300\n"));
}

#[test]
fn results_of_other_parameters_are_replaced_even_at_equal_size() {
    let bench = Bench::new();
    bench.run(&good(), &[]);
    bench.run(&good(), &["source.value=2.25"]);
    let (_, ran) = bench.run(&good(), &[]);
    assert_eq!(ran, 0);
    assert_eq!(fs::read_to_string(bench.out().join("data/source.txt")).unwrap(), "1.25");
}

#[test]
fn plans_and_reasons_name_the_parameter_and_its_line_and_write_nothing() {
    let bench = Bench::new();
    let lines = plan(&bench.study(&good(), &[]).unwrap(), &bench.stages(), &bench.store()).unwrap();
    assert!(!bench.dir.path().join("store").exists());
    assert!(matches!(&lines[0].state, State::Run { reasons, .. } if reasons == &["never run in this store"]));
    assert!(matches!(&lines[2].state, State::Depends { on } if on == &["round"]));
    bench.run(&good(), &[]);
    let changed = good().replace("value = 1.25", "value = 3.5").replace("[0, 1, 2]", "[0, 1, 5]");
    let lines = plan(&bench.study(&changed, &[]).unwrap(), &bench.stages(), &bench.store()).unwrap();
    assert!(
        matches!(&lines[0].state, State::Run { reasons, .. } if reasons == &["value 1.25 → 3.5, study.toml:9"])
    );
    let doses = good().replace("[0, 1, 2]", "[0, 1, 5]");
    let lines = plan(&bench.study(&doses, &[]).unwrap(), &bench.stages(), &bench.store()).unwrap();
    assert_eq!(lines[1].state, State::Cached);
    assert!(
        matches!(&lines[2].state, State::Run { reasons, shards: Some((2, 3)) }
            if reasons == &["doses [0.0,1.0,2.0] → [0.0,1.0,5.0], study.toml:5"]),
        "{:?}",
        lines[2]
    );
}

#[test]
fn a_flipped_bit_is_found_on_read_and_healed() {
    let bench = Bench::new();
    let (first, _) = bench.run(&good(), &[]);
    let digest = first.done["round"].outputs[0].digest.clone();
    overwrite(&bench.object(&digest), b"7");
    // The sweep's new dose reads the damaged object: its producer runs again, then the one shard.
    let (report, ran) = bench.run(&good(), &["values.doses=0,1,2,3"]);
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!(ran, 2);
    assert_eq!(bench.store().get(&digest).unwrap(), Fetch::Found(b"1".to_vec()));
    assert!(bench.dir.path().join("store/quarantine").join(&digest).is_file());
}

#[test]
fn a_truncated_entry_or_a_missing_object_is_a_miss() {
    let bench = Bench::new();
    let (first, _) = bench.run(&good(), &[]);
    let key = &first.keys["round"];
    let entry = bench.dir.path().join("store/ac").join(&key[..2]).join(key);
    let text = fs::read(&entry).unwrap();
    overwrite(&entry, &text[..text.len() / 2]);
    fs::remove_file(bench.object(&first.done["source"].outputs[0].digest)).unwrap();
    let (report, ran) = bench.run(&good(), &[]);
    assert_eq!((ran, report.failures.len()), (2, 0));
    let (_, ran) = bench.run(&good(), &[]);
    assert_eq!(ran, 0);
}

#[test]
fn a_panic_is_a_failure_that_names_its_target_and_stops_only_what_follows() {
    let bench = Bench::new();
    let (report, _) = bench.run(TEXT, &["source.value=13"]);
    assert_eq!(report.done.len(), 3);
    let [Failure::Computation { target, reason }, Failure::Upstream { target: after, before }] =
        report.failures.as_slice()
    else {
        unreachable!("{:?}", report.failures)
    };
    assert_eq!((target.as_str(), after.as_str(), before.as_str()), ("lucky", "after", "lucky"));
    assert!(reason.contains("unlucky"), "{reason}");
    let record = bench.store().history("demo", "lucky");
    assert!(record.is_empty(), "a failure is not remembered as a result");
}

#[test]
fn bytes_do_not_depend_on_threads_or_on_who_runs_at_once() {
    let texts = [1, 2, 4].map(|threads| {
        let bench = Bench::new();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (report, _) = pool.install(|| bench.run(&good(), &[]));
        crate::lock::render(&crate::lock::of_run(&bench.study(&good(), &[]).unwrap(), &report))
    });
    assert!(texts[0] == texts[1] && texts[1] == texts[2]);
    let bench = Bench::new();
    let reports = std::thread::scope(|scope| {
        let runs = [(); 2].map(|()| scope.spawn(|| bench.run(&good(), &[]).0));
        runs.map(|run| run.join().unwrap())
    });
    assert!(reports.iter().all(|report| report.failures.is_empty()));
    assert_eq!(bench.ran.load(Ordering::SeqCst), 5, "each action ran once");
    let text = crate::lock::render(&crate::lock::of_run(&bench.study(&good(), &[]).unwrap(), &reports[0]));
    assert_eq!(text, texts[0]);
}

#[test]
fn user_files_count_by_content_and_are_archived() {
    let bench = Bench::new();
    fs::write(bench.dir.path().join("a.csv"), "1,2").unwrap();
    let text = "schema = 1\nname = \"demo\"\n[read]\nstage = \"read\"\nfiles = [\"a.csv\"]\n";
    let (_, ran) = bench.run(text, &[]);
    assert_eq!(ran, 1);
    let raw = digest(b"1,2");
    assert_eq!(bench.store().get(&raw).unwrap(), Fetch::Found(b"1,2".to_vec()));
    fs::write(bench.dir.path().join("a.csv"), "1,2").unwrap();
    assert_eq!(bench.run(text, &[]).1, 0, "only the time stamp changed");
    fs::write(bench.dir.path().join("a.csv"), "1,3").unwrap();
    assert_eq!(bench.run(text, &[]).1, 1);
    let error = bench.study(&text.replace("a.csv", "b.csv"), &[]).unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("study.toml", Some(5)));
}

#[test]
fn mistakes_in_a_study_name_the_line_and_the_nearest_name() {
    let bench = Bench::new();
    let wrong = |from: &str, to: &str| bench.study(&good().replace(from, to), &[]).unwrap_err();
    let error = wrong("value = 1.25", "valeu = 1.25");
    assert_eq!(error.line, Some(9));
    assert!(error.expected.starts_with("`value`"), "{error}");
    assert!(wrong("\"round/data\"", "\"ruond/data\"").expected.starts_with("`round`"));
    assert!(wrong("stage = \"sweep\"", "stage = \"swepe\"").expected.starts_with("`sweep`"));
    assert!(wrong("\"$doses\"", "\"$dosis\"").expected.starts_with("`doses`"));
    assert_eq!(wrong("value = 1.25", "value = nan").line, Some(9));
    assert_eq!(wrong("value = 1.25", "value = \"big\"").line, Some(9));
    assert_eq!(wrong("value = 1.25", "value = = 1").line, Some(9));
    assert_eq!(wrong("schema = 1", "schema = 2").line, Some(1));
    assert!(
        wrong("stage = \"source\"", "stage = \"round\"\ninputs = { of = \"sweep\" }").found.contains("wait")
    );
    for set in ["sorce.value=1", "values.dosis=1", "source.valeu=1", "source"] {
        let error = bench.study(&good(), &[set]).unwrap_err();
        assert!(error.file.starts_with("--set"), "{error}");
    }
    assert_eq!(fs::read_dir(bench.dir.path()).unwrap().count(), 0, "nothing is written");
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_says_so_once() {
    let bench = Bench::new();
    // A file where the folder should be: refused for every user, root included.
    fs::write(bench.dir.path().join("store"), "").unwrap();
    let store = Store::open(bench.dir.path().join("store"));
    let text = match store {
        Err(error) => error.to_string(),
        Ok(store) => {
            let study = bench.study(&good(), &[]).unwrap();
            let report = run(&study, &bench.stages(), &store, &Progress::silent());
            assert_eq!(report.failures.len(), 1);
            report.failures[0].to_string()
        }
    };
    assert!(text.contains("store"), "{text}");
}

#[test]
fn a_newer_store_is_refused_unharmed() {
    let bench = Bench::new();
    let root = bench.dir.path().join("store");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("FORMAT"), "mho store 2\n").unwrap();
    assert!(Store::open(&root).unwrap_err().to_string().contains("another format"));
    assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
}

#[test]
fn many_targets_cost_little() {
    let bench = Bench::new();
    let mut text = String::from("schema = 1\nname = \"many\"\n[t0]\nstage = \"source\"\nvalue = 1\n");
    for i in 1..250 {
        text.push_str(&format!(
            "[t{i}]\nstage = \"round\"\nlabel = \"{i}\"\ninputs = {{ of = \"t{}/data\" }}\n",
            i - 1
        ));
    }
    let started = std::time::Instant::now();
    assert_eq!(bench.run(&text, &[]).1, 250);
    let first = started.elapsed().as_secs_f64();
    let started = std::time::Instant::now();
    assert_eq!(bench.run(&text, &[]).1, 0);
    let second = started.elapsed().as_secs_f64();
    println!("250 targets: first run {:.1} ms each, second {:.0} ms in all", first * 4.0, second * 1e3);
    assert!(second < 0.2, "{second} s");
}
