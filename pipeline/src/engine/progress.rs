//! Progress with an estimate of the remaining time.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Instant;

/// What the user sees while a study runs: a bar on a terminal, a few lines elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    started: Instant,
    state: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    /// Expected seconds of each target that runs.
    expected: BTreeMap<String, f64>,
    /// Fraction of each that is done.
    done: BTreeMap<String, f64>,
    total: f64,
    /// Tenths already told on a plain output.
    told: u64,
    warnings: Vec<(String, String)>,
}

impl Progress {
    /// Progress of targets that are expected to take so many seconds each.
    pub fn new(expected: BTreeMap<String, f64>, quiet: bool) -> Self {
        let total: f64 = expected.values().sum();
        let bar = (!quiet && total > 0.0 && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let state = Mutex::new(Work { expected, total, ..Work::default() });
        Self { bar, quiet, started: Instant::now(), state }
    }

    /// Progress of a single piece of work.
    pub fn of_one(name: &str, quiet: bool) -> Self {
        Self::new([(name.to_owned(), 1.0)].into(), quiet)
    }

    /// Progress that shows nothing.
    pub fn silent() -> Self {
        Self::new(BTreeMap::new(), true)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Work) -> T) -> T {
        let mut work = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut work)
    }

    /// A target has advanced by a fraction of its work.
    pub fn advance(&self, target: &str, fraction: f64) {
        self.with(|work| *work.done.entry(target.to_owned()).or_default() += fraction);
        self.show(target);
    }

    /// A target has this fraction of its work behind it.
    pub fn reach(&self, target: &str, fraction: f64) {
        self.with(|work| {
            let done = work.done.entry(target.to_owned()).or_default();
            *done = done.max(fraction);
        });
        self.show(target);
    }

    /// A target is done, from the store or by running.
    pub fn finished(&self, target: &str) {
        self.with(|work| work.done.insert(target.to_owned(), 1.0));
        self.show(target);
    }

    fn show(&self, target: &str) {
        if self.quiet {
            return;
        }
        let elapsed = self.started.elapsed().as_secs_f64();
        let (fraction, tell) = self.with(|work| {
            if work.total <= 0.0 {
                return (1.0, false);
            }
            let done: f64 = work
                .expected
                .iter()
                .map(|(name, seconds)| seconds * work.done.get(name).copied().unwrap_or(0.0).min(1.0))
                .sum();
            let fraction = (done / work.total).clamp(0.0, 1.0);
            let tenth = (fraction * 10.0) as u64;
            // What takes a moment needs no words.
            let tell = tenth > work.told && tenth < 10 && elapsed > 2.0;
            work.told = work.told.max(tenth);
            (fraction, tell)
        });
        let remaining = if fraction > 0.02 { elapsed * (1.0 - fraction) / fraction } else { f64::NAN };
        let left =
            if remaining.is_nan() { String::new() } else { format!("about {} left", duration(remaining)) };
        match &self.bar {
            Some(bar) => {
                bar.set_position((fraction * 1000.0) as u64);
                bar.set_message(format!("{left}  {target}"));
            }
            None if tell => eprintln!("mho: {:3.0} %, {left} ({target})", fraction * 100.0),
            None => {}
        }
    }

    /// Says something on standard error without disturbing the bar.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("mho: {text}")),
            None => eprintln!("mho: {text}"),
        }
    }

    /// Keeps a warning for the end.
    pub fn warning(&self, target: &str, text: &str) {
        self.with(|work| work.warnings.push((target.to_owned(), text.to_owned())));
    }

    /// Ends the bar and returns the warnings.
    pub fn finish(&self) -> Vec<(String, String)> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.with(|work| std::mem::take(&mut work.warnings))
    }
}

/// A duration in words.
pub fn duration(seconds: f64) -> String {
    if seconds < 1.0 {
        "1 s".to_owned()
    } else if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} min", seconds / 60.0)
    }
}
