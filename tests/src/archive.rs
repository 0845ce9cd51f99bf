//! Rows of an archive, waited for: they come there a few seconds after they are acknowledged.

use lamon_store::{ArchiveReader, ArchiveUrl, Sample};

use crate::wait::eventually;

/// The most rows that a test reads of one node.
const MAX_ROWS: usize = 100_000;

/// Waits until the archive has so many rows of a node, at least, and gives all of them, the oldest first.
pub async fn rows(archive: &ArchiveUrl, node: &str, at_least: usize) -> Vec<Sample> {
    eventually(&format!("{at_least} rows of {node} in {archive}"), || async {
        let rows = read(archive, node).await?;
        (rows.len() >= at_least).then_some(rows)
    })
    .await
}

/// Every row of a node; `None` while the archive cannot be read, because the hub has not made it yet.
async fn read(archive: &ArchiveUrl, node: &str) -> Option<Vec<Sample>> {
    let mut reader = ArchiveReader::open(archive).await.ok()?;
    reader.range(node, 0, i64::MAX, MAX_ROWS).await.ok()
}
