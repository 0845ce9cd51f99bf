//! Copying an archive into another, of the same or the other kind of database, while hubs work with both.
//!
//! Everything is copied in pages, each one short statement there and one transaction here, and what is there already stays:
//! so a copy that was cut short is begun again, and one that is made twice is the same. Rollups are copied as rows,
//! since the samples of most are gone. Where both databases have samples of a while its rollup becomes due in the
//! target, which makes it anew from all of them.
//!
//! | file | what it holds |
//! |---|---|
//! | `cells` | rows of any table |
//! | `table` | the tables, and the statements made of them |
//! | `tasks` | what is written of a page |

mod cells;
mod table;
mod tasks;

use std::{collections::VecDeque, fmt, sync::Arc};

use self::{
    cells::Cells,
    table::{PAGE_ROWS, Table},
    tasks::{
        Insert, InsertSamples, MergeNodes, MergeRollups, MergeSettings, Page, RaiseRetained, SamplesFrom,
    },
};
use crate::{
    archive::{Archive, ArchiveError, ArchiveUrl},
    db::Value,
    migrations::archive_version,
    reading::ArchiveReader,
    tier::Tier,
};

/// A copy that is under way.
pub struct Copying {
    source: ArchiveReader,
    target: Archive,
    rows: u64,
    stages: VecDeque<Stage>,
    /// The last row of the stage that is under way.
    after: Option<Cells>,
    /// From when on samples of the node that is under way are copied.
    samples_from: Option<i64>,
    /// Rollups that were due in the source when the copy began. They may be made there while it goes on, behind the place
    /// that has been copied.
    due: Vec<Cells>,
}

/// What is copied one after the other.
enum Stage {
    Settings,
    Nodes,
    Events,
    DeadLetters,
    /// Where the rows of a node begin, told before the rows come.
    Retained(String),
    /// A node's rows of a tier.
    Tier(Tier, String),
    Due,
}

/// What one step copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// The node, of samples and rollups.
    pub node: Option<String>,
    /// Rows that were read.
    pub read: usize,
    /// Rows that the target did not have.
    pub written: usize,
}

impl Copying {
    /// Opens both, and makes the target's tables where they lack. `hub` is this hub's name; rows keep the name that they
    /// have.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]; also when they are the same, or the source's tables are not of this version.
    pub async fn begin(from: &ArchiveUrl, to: &ArchiveUrl, hub: &str) -> Result<Self, ArchiveError> {
        if from.name() == to.name() {
            return Err(ArchiveError::Other(format!("{from} cannot be copied into itself")));
        }
        let mut source = ArchiveReader::open(from).await?;
        let version = source.version().await?;
        if version != archive_version() {
            return Err(ArchiveError::Other(format!(
                "the tables of {from} are not of this version: run `migrate` with it as [database] url, or use the \
                 program that made them"
            )));
        }
        let target = Archive::connect(to, hub).await?;
        let rows = source.size().await?.tiers.iter().map(|tier| tier.rows).sum();
        let nodes = source.nodes().await?;
        let mut stages = VecDeque::from([Stage::Settings, Stage::Nodes, Stage::Events, Stage::DeadLetters]);
        stages.extend(nodes.iter().cloned().map(Stage::Retained));
        // Rollups first: samples that come find theirs made.
        for tier in [Tier::TenMinutes, Tier::Hour, Tier::Samples] {
            stages.extend(nodes.iter().map(|node| Stage::Tier(tier, node.clone())));
        }
        stages.push_back(Stage::Due);
        let mut copying =
            Self { source, target, rows, stages, after: None, samples_from: None, due: Vec::new() };
        copying.due = copying.all_due().await?;
        Ok(copying)
    }

    /// About how many rows of samples and rollups the source has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Copies one page; none when all is copied.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]; the step can be done again.
    pub async fn step(&mut self) -> Result<Option<Copied>, ArchiveError> {
        let Some(stage) = self.stages.pop_front() else { return Ok(None) };
        let result = self.perform(&stage).await;
        match &result {
            Ok((_, true)) => (self.after, self.samples_from) = (None, None),
            // The same again, from where it stands.
            Ok((_, false)) | Err(_) => self.stages.push_front(stage),
        }
        result.map(|(copied, _)| Some(copied))
    }

    /// Copies a page of a stage, and says whether it was the last.
    async fn perform(&mut self, stage: &Stage) -> Result<(Copied, bool), ArchiveError> {
        let (table, node) = match stage {
            Stage::Settings => (Table::settings(), None),
            Stage::Nodes => (Table::nodes(), None),
            Stage::Events => (Table::events(), None),
            Stage::DeadLetters => (Table::dead_letter(), None),
            Stage::Tier(tier, node) => (Table::tier(*tier), Some(node)),
            Stage::Retained(node) => return self.retained(node).await,
            Stage::Due => return self.mark_due().await,
        };
        let fixed: Vec<Value> = node.map(|node| node.as_str().into()).into_iter().collect();
        let from = match stage {
            Stage::Tier(Tier::Samples, node) => Some(self.samples_from(node).await?.into()),
            _ => None,
        };
        let (sql, values) = table.page(&fixed, from, self.after.as_ref());
        let mut rows: Vec<Cells> = self.source.rows(&sql, values).await?;
        let last_page = rows.len() < PAGE_ROWS;
        if matches!(stage, Stage::Tier(Tier::Samples, _)) && !last_page {
            whole_whiles(&mut rows);
        }
        let after = rows.last().map(|row| Cells(row.0.clone()));
        let read = rows.len();
        let name = table.name;
        let page = Page { table: Arc::new(table), rows: Arc::new(rows) };
        let written = match stage {
            _ if read == 0 => 0,
            Stage::Settings => self.target.perform(MergeSettings(page)).await?,
            Stage::Nodes => self.target.perform(MergeNodes(page)).await?,
            Stage::Tier(Tier::Samples, node) => {
                self.target.perform(InsertSamples { page, node: node.clone() }).await?
            }
            Stage::Tier(_, node) => self.target.perform(MergeRollups { page, node: node.clone() }).await?,
            _ => self.target.perform(Insert(page)).await?,
        };
        self.after = after.or(self.after.take());
        Ok((Copied { table: name, node: node.cloned(), read, written }, last_page))
    }

    /// From when on samples of a node are copied: of older ones the target has deleted others, so that a rollup to which
    /// they were added would count them twice. Their rollups have come as rows.
    async fn samples_from(&mut self, node: &str) -> Result<i64, ArchiveError> {
        if let Some(from_ms) = self.samples_from {
            return Ok(from_ms);
        }
        let from_ms = self.target.perform(SamplesFrom(node.to_owned())).await?;
        self.samples_from = Some(from_ms);
        Ok(from_ms)
    }

    /// Tells the target from when on the source has rows of a node: what is older was rolled up and deleted there.
    async fn retained(&mut self, node: &str) -> Result<(Copied, bool), ArchiveError> {
        let mut retained = Vec::new();
        for tier in [Tier::Samples, Tier::TenMinutes] {
            let Some(coarser) = tier.target() else { continue };
            let Some(oldest_rollup) = self.source.oldest(coarser, node).await? else { continue };
            let from_ms = match self.source.oldest(tier, node).await? {
                // Whole whiles of the coarser tier are deleted.
                Some(oldest) => coarser.begin_of(oldest),
                None => {
                    let sql = format!("SELECT MAX(time_ms) AS n FROM {coarser} WHERE node = ?");
                    let newest = self.source.number(&sql, vec![node.into()]).await?;
                    newest.unwrap_or(oldest_rollup).saturating_add(coarser.width_ms())
                }
            };
            if oldest_rollup < from_ms {
                retained.push((tier, node.to_owned(), from_ms));
            }
        }
        let read = retained.len();
        self.target.perform(RaiseRetained(retained)).await?;
        Ok((Copied { table: "retained", node: Some(node.to_owned()), read, written: 0 }, true))
    }

    /// What is, or was, due in the source is due in the target.
    async fn mark_due(&mut self) -> Result<(Copied, bool), ArchiveError> {
        let mut due = self.all_due().await?;
        due.extend(self.due.iter().map(|row| Cells(row.0.clone())));
        let (read, mut written) = (due.len(), 0);
        let table = Arc::new(Table::rollups_due());
        let mut rest = due.into_iter().peekable();
        while rest.peek().is_some() {
            let rows = Arc::new(rest.by_ref().take(PAGE_ROWS).collect());
            written += self.target.perform(Insert(Page { table: Arc::clone(&table), rows })).await?;
        }
        Ok((Copied { table: table.name, node: None, read, written }, true))
    }

    /// All rollups that are due in the source: those of the present of each node, and of a backlog that came in.
    async fn all_due(&mut self) -> Result<Vec<Cells>, ArchiveError> {
        let table = Table::rollups_due();
        let mut all: Vec<Cells> = Vec::new();
        loop {
            let (sql, values) = table.page(&[], None, all.last());
            let page: Vec<Cells> = self.source.rows(&sql, values).await?;
            let last = page.len() < PAGE_ROWS;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }
}

/// Leaves the last while of ten minutes, which may go on behind the page, for the next one; unless it is all there is.
fn whole_whiles(rows: &mut Vec<Cells>) {
    let begin_of = |row: &Cells| row.int(1).map(|time_ms| Tier::TenMinutes.begin_of(time_ms));
    let Some(last) = rows.last().map(begin_of) else { return };
    let whole = rows.iter().take_while(|row| begin_of(row) != last).count();
    if whole > 0 {
        rows.truncate(whole);
    }
}

impl fmt::Debug for Copying {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Copying({:?} to {:?})", self.source, self.target)
    }
}
