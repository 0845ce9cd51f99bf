//! A bare loop of multi-row inserts into the archive's table: 1,000 rows a statement and transaction, one connection,
//! the statements made beforehand.

use std::fmt::Write as _;
use std::time::Instant;

use lamon_store::{Archive, ArchiveUrl};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts};

use super::row;
use crate::child::{answer, next_line};
use crate::load::{Busy, Done};

/// Where, and how many.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// An empty database.
    #[arg(long)]
    url: String,
    #[arg(long)]
    samples: u64,
}

/// Rows of a statement.
const BATCH: u64 = 1_000;

/// Answers `true` when all is set up; on the next line does it, and answers [`Done`].
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        // The archive makes its tables.
        drop(Archive::connect(&ArchiveUrl::parse(&options.url)?, "raw").await?);
        let mut connection = Conn::new(Opts::from_url(&options.url)?).await?;
        let mut random = fastrand::Rng::with_seed(1);
        let now_ms = u64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_millis())?;
        let batches = options.samples / BATCH;
        let statements: Vec<String> =
            (0..batches).map(|batch| statement(batch * BATCH, now_ms, &mut random)).collect();
        answer(&true)?;
        next_line();
        let (busy, began) = (Busy::watch(), Instant::now());
        for statement in statements {
            connection.query_drop(statement).await?;
        }
        answer(&Done {
            samples: batches * BATCH,
            seconds: began.elapsed().as_secs_f64(),
            busiest_percent: busy.busiest_percent(),
        })
    })
}

fn statement(first: u64, now_ms: u64, random: &mut fastrand::Rng) -> String {
    let mut sql = String::from(
        "INSERT INTO samples (node, time_ms, epoch, sequence, hub, cpu_percent, memory_percent, swap_percent, \
         disk_percent, nic_in, nic_out, load1, processes, uptime, clock_offset) VALUES ",
    );
    for number in first..first + BATCH {
        let row = row(number, random);
        let comma = if number == first { "" } else { "," };
        let _ = write!(
            sql,
            "{comma}('{}',{},7,{},'raw'",
            row.node,
            now_ms.saturating_add_signed(row.sequence),
            row.sequence
        );
        for value in row.values {
            let _ = write!(sql, ",{value}");
        }
        sql.push(')');
    }
    sql
}
