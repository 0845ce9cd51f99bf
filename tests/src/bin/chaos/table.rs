//! The table at the end.

use std::fmt::Write as _;

use lamon_tests::chaos::Outcome;

/// The columns behind the fault's name.
const HEAD: [&str; 8] =
    ["times", "sent", "acknowledged", "in journal", "in archive", "lost", "doubled", "wrong"];

/// Everything that was found, as a table with what is to be said of it beneath.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let rows: Vec<(&str, Vec<String>)> =
        outcomes.iter().map(|outcome| (outcome.fault.name, cells(outcome))).collect();
    let first = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("fault".len());
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| cells.get(column));
        cells.map(String::len).chain(HEAD.get(column).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |name: &str, cells: &[String]| {
        let _ = write!(text, "{name:first$}");
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    };
    line("fault", &HEAD.map(String::from));
    for (name, cells) in &rows {
        line(name, cells);
    }
    text.push('\n');
    for outcome in outcomes {
        for remark in remarks(outcome) {
            let _ = writeln!(text, "{}: {remark}", outcome.fault.name);
        }
    }
    text
}

fn cells(outcome: &Outcome) -> Vec<String> {
    let Ok(report) = &outcome.report else { return vec!["failed".into()] };
    let audit = &report.audit;
    let counts = [
        audit.sent,
        audit.acknowledged,
        audit.journal,
        audit.archive,
        audit.lost,
        audit.doubled,
        audit.wrong,
    ];
    std::iter::once(report.times.to_string()).chain(counts.map(|count| count.to_string())).collect()
}

fn remarks(outcome: &Outcome) -> Vec<String> {
    /// The rest is in the folder that is kept.
    const MAX_FINDINGS: usize = 5;
    let mut remarks = match &outcome.report {
        Ok(report) => {
            let findings = report.audit.findings.iter().take(MAX_FINDINGS);
            report.remarks.iter().chain(findings).cloned().collect()
        }
        Err(error) => vec![format!("could not be run to its end: {error:#}")],
    };
    if let Some(folder) = &outcome.kept {
        remarks.push(format!("its files and findings.txt are kept in {}", folder.display()));
    }
    remarks
}
