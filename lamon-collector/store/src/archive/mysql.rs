//! The archive in a MySQL or MariaDB database.

use std::{fmt, time::Duration};

use diesel::{dsl::DuplicatedKeys, result::Error};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl};
use tokio::time::{sleep, timeout};

use super::{
    Appended, ArchiveError, BATCH_ROWS, debug_name,
    marks::{Marks, now_ms},
    mysql_fault::{MysqlFault, fault_of},
    mysql_migrate::migrate,
    mysql_session::{Purpose, open_session},
    rows::NewDeadLetter,
    servers::MysqlTarget,
    tasks::Task,
};
use crate::{
    db::Db,
    insert::{InsertSample, InsertSamples},
    sample::Sample,
    schema::dead_letter,
    tier::Tier,
    upkeep::{Upkeep, mark_due},
};

/// Most bytes of rows in one statement: below the packet of the oldest servers, 1 MiB, with room for one more row.
const BATCH_BYTES: usize = 384 << 10;

/// How long one batch may take. A server that hangs longer is as good as away; the connection is given up.
const APPEND_LIMIT: Duration = Duration::from_secs(60);

/// An archive in a MySQL or MariaDB database.
pub struct MysqlArchive {
    target: MysqlTarget,
    hub: String,
    /// None after a fault, and while a batch is on its way: a call that is dropped leaves no half-used connection.
    connection: Option<AsyncMysqlConnection>,
    marks: Marks,
    upkeep: Upkeep,
}

/// How often what another hub got in the way of is tried again at once. On several nodes of a Galera cluster hubs notice
/// each other only when they commit, so it may take some tries.
const COLLISIONS: u32 = 8;

/// How long one steps aside at most after the first collision.
const STEP_ASIDE: Duration = Duration::from_millis(20);

/// A sample with its row.
struct Item<'a> {
    sample: &'a Sample,
    row: InsertSample<'a>,
}

/// A sample that was refused, and whether it is known to be its own fault.
struct Refusal<'a> {
    sample: &'a Sample,
    reason: String,
    certain: bool,
}

impl MysqlArchive {
    /// Connects and brings the tables up to date.
    pub(super) async fn connect(target: &MysqlTarget, hub: &str) -> Result<Self, ArchiveError> {
        let mut target = target.clone();
        let session = open_session(&mut target, Purpose::Write).await?;
        let mut connection = migrate(session, &target, hub).await?;
        let upkeep = match Upkeep::load(&mut connection).await {
            Ok(upkeep) => upkeep,
            Err(error) => return Err(fault_of(&mut connection, error).await.into_error(target.present())),
        };
        Ok(Self {
            target,
            hub: hub.to_owned(),
            connection: Some(connection),
            marks: Marks::default(),
            upkeep,
        })
    }

    /// The server in use, or, after a fault, the one that is tried next.
    pub(super) fn server(&self) -> String {
        self.target.present().to_string()
    }

    /// See [`Archive::append`](super::Archive::append).
    pub(super) async fn append(&mut self, samples: &[Sample]) -> Result<Appended, ArchiveError> {
        let mut connection = self.take_connection().await?;
        match timeout(APPEND_LIMIT, append(&mut connection, samples, &self.hub, &mut self.marks)).await {
            Ok(Ok(appended)) => {
                self.connection = Some(connection);
                Ok(appended)
            }
            Ok(Err(fault)) => Err(self.failed(fault)),
            Err(_) => {
                let text = format!("a batch was not taken within {} s", APPEND_LIMIT.as_secs());
                Err(self.failed(MysqlFault::Unreachable(text)))
            }
        }
    }

    /// Does a task.
    pub(super) async fn perform<T: Task>(&mut self, work: T) -> Result<T::Output, ArchiveError> {
        let mut connection = self.take_connection().await?;
        let Ok(done) = timeout(T::LIMIT, self.perform_on(&mut connection, work)).await else {
            let text = format!("no answer within {} s", T::LIMIT.as_secs());
            return Err(self.failed(MysqlFault::Unreachable(text)));
        };
        match done {
            Ok(output) => {
                self.connection = Some(connection);
                Ok(output)
            }
            Err(fault) => Err(self.failed(fault)),
        }
    }

    /// Does a task, again when another hub got in its way.
    async fn perform_on<T: Task>(
        &mut self,
        connection: &mut AsyncMysqlConnection,
        work: T,
    ) -> Result<T::Output, MysqlFault> {
        let mut collisions = 0;
        loop {
            let fault = match work.clone().perform(connection, &self.hub, &mut self.upkeep).await {
                Ok(output) => return Ok(output),
                Err(error) => fault_of(connection, error).await,
            };
            collisions += 1;
            if !matches!(fault, MysqlFault::Collision(_)) || collisions > COLLISIONS {
                return Err(fault);
            }
            undo(connection).await?;
            step_aside(collisions).await;
        }
    }

    /// The connection, opened anew after a fault.
    async fn take_connection(&mut self) -> Result<AsyncMysqlConnection, ArchiveError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        self.marks.forget();
        Ok(open_session(&mut self.target, Purpose::Write).await?.connection)
    }

    /// What failed, as a sentence about the server that was in use. The next one is tried first.
    fn failed(&mut self, fault: MysqlFault) -> ArchiveError {
        let error = fault.into_error(self.target.present());
        self.target.rotate();
        error
    }
}

/// Waits a moment before what another hub got in the way of is tried again, at random: two hubs would else meet again.
async fn step_aside(collisions: u32) {
    sleep(STEP_ASIDE.mul_f64(f64::from(collisions) * fastrand::f64())).await;
}

/// Takes back what a transaction did.
async fn undo(connection: &mut AsyncMysqlConnection) -> Result<(), MysqlFault> {
    match connection.run("ROLLBACK", Vec::new()).await {
        Ok(_) => Ok(()),
        Err(error) => Err(fault_of(connection, error).await),
    }
}

impl fmt::Debug for MysqlArchive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_name(formatter, "MysqlArchive", &self.target)
    }
}

/// Stores samples: in statements of many rows, halved around rows that are refused.
async fn append(
    connection: &mut AsyncMysqlConnection,
    samples: &[Sample],
    hub: &str,
    marks: &mut Marks,
) -> Result<Appended, MysqlFault> {
    let mut appended = Appended::default();
    let mut refused = Vec::new();
    let mut items = Vec::with_capacity(samples.len());
    for sample in samples {
        match InsertSample::new(sample, hub) {
            Ok(row) => items.push(Item { sample, row }),
            Err(reason) => refused.push(Refusal { sample, reason, certain: true }),
        }
    }
    // A stack instead of recursion; at most one entry for each halving of each chunk.
    let mut waiting: Vec<&[Item<'_>]> = chunks(&items);
    waiting.reverse();
    let mut collisions = 0;
    while let Some(chunk) = waiting.pop() {
        let fault = match insert(connection, chunk, marks).await {
            Ok(stored) => {
                appended.stored += stored;
                appended.already_there += chunk.len().saturating_sub(stored);
                continue;
            }
            Err(error) => fault_of(connection, error).await,
        };
        let (reason, certain) = match fault {
            MysqlFault::Collision(_) if collisions < COLLISIONS => {
                collisions += 1;
                undo(connection).await?;
                step_aside(collisions).await;
                waiting.push(chunk);
                continue;
            }
            MysqlFault::Row(reason) => (reason, true),
            MysqlFault::Unclear(reason) => (reason, false),
            other => return Err(other),
        };
        undo(connection).await?;
        if let [item] = chunk {
            refused.push(Refusal { sample: item.sample, reason, certain });
        } else {
            let (first, second) = chunk.split_at(chunk.len() / 2);
            waiting.extend([second, first]);
        }
    }
    // An error that is not known to be a row's own is the server's, unless the server took other rows.
    if appended.stored + appended.already_there == 0
        && let Some(unclear) = refused.iter().find(|refusal| !refusal.certain)
    {
        return Err(MysqlFault::Unclear(unclear.reason.clone()));
    }
    for Refusal { sample, reason, .. } in refused {
        bury(connection, sample, hub, &reason).await?;
        appended.add_dead(reason.into());
    }
    Ok(appended)
}

/// Cuts rows into statements.
fn chunks<'a, 'b>(items: &'a [Item<'b>]) -> Vec<&'a [Item<'b>]> {
    let mut chunks = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take(BATCH_ROWS)
            .take_while(|item| {
                bytes += item.row.bytes();
                bytes <= BATCH_BYTES
            })
            .count();
        let (chunk, after) = rest.split_at(fitting.clamp(1, rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// Writes rows in one transaction with the rollups that become due by them, and says how many were new.
async fn insert(
    connection: &mut AsyncMysqlConnection,
    chunk: &[Item<'_>],
    marks: &mut Marks,
) -> Result<usize, Error> {
    connection.begin().await?;
    let stored = insert_rows(connection, chunk).await?;
    let now_ms = now_ms();
    // What was there already is due, or rolled up, already.
    let new = if stored > 0 { chunk } else { &[] };
    let due = marks.of(new.iter().map(|item| item.sample), now_ms);
    mark_due(connection, Tier::TenMinutes, &due).await?;
    connection.commit().await?;
    marks.written(due, now_ms);
    Ok(stored)
}

/// Rows of the larger statements. A server describes each parameter of a prepared statement, and both sides keep it: for
/// a hundred rows that is some hundred kilobytes, and a larger statement is hardly faster.
const MANY: usize = 100;

/// Rows of the smaller statements, for what is left.
const SOME: usize = 10;

/// Writes rows, and says how many were new.
async fn insert_rows(connection: &mut AsyncMysqlConnection, chunk: &[Item<'_>]) -> Result<usize, Error> {
    let rows: Vec<&InsertSample<'_>> = chunk.iter().map(|item| &item.row).collect();
    let (many, rest) = rows.as_chunks::<MANY>();
    let (some, single) = rest.as_chunks::<SOME>();
    let mut stored = 0;
    for rows in many {
        stored += InsertSamples(rows).execute(connection).await?;
    }
    for rows in some {
        stored += InsertSamples(rows).execute(connection).await?;
    }
    for row in single {
        stored += InsertSamples(&[row]).execute(connection).await?;
    }
    Ok(stored)
}

/// Writes a refused sample to `dead_letter`.
async fn bury(
    connection: &mut AsyncMysqlConnection,
    sample: &Sample,
    hub: &str,
    reason: &str,
) -> Result<(), MysqlFault> {
    let written = diesel::insert_into(dead_letter::table)
        .values(NewDeadLetter::new(sample, hub, reason))
        .on_conflict(DuplicatedKeys)
        .do_nothing()
        .execute(connection)
        .await;
    match written {
        Ok(_) => Ok(()),
        Err(error) => Err(fault_of(connection, error).await),
    }
}
