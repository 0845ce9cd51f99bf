//! One look: waits for the whole picture, writes it, and says how to end.

use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::report;
use crate::rows;
use crate::site::{Batch, Site};
use crate::texts::Texts;

/// Waits, writes, and returns the exit code.
pub(crate) fn look(args: &Args, texts: &Texts, batches: &Receiver<Batch>, paint: bool) -> ExitCode {
    let begun = Instant::now();
    let longest = args.timeout.duration();
    let mut site = Site::new(args.wanted(), 0.0);
    let mut left = longest;
    while !site.is_whole()
        && let Ok(batch) = batches.recv_timeout(left)
    {
        site.take(&batch, begun.elapsed().as_secs_f64());
        left = longest.saturating_sub(begun.elapsed());
    }
    let hub_now = site.hub_time(begun.elapsed().as_secs_f64());
    let rows = rows::rows(site.nodes(), hub_now);
    let verdict = report::verdict(&site, &args.addresses().publish, &waited(longest));
    if args.json {
        put(&report::json(&site, &verdict, &rows, hub_now));
    } else {
        put(&report::summary(&verdict, &rows));
        if !rows.is_empty() {
            put(report::table(texts, &rows, paint).trim_end());
        }
    }
    ExitCode::from(verdict.code())
}

fn waited(longest: Duration) -> String {
    format!("{} s", crate::units::number(longest.as_secs_f64()))
}

/// A reader that went away (`lamon-mon --once | head`) is no fault.
fn put(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
