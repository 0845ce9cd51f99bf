//! The readers of the archive: a few, opened when they are wanted, and opened anew after an error.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lamon_store::reading::Site;
use lamon_store::{ArchiveError, ArchiveReader, ArchiveUrl};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::{info, warn};

use super::Refused;
/// How many read at once. More would only make a disk or a server that is busy with the hub's rows busier.
const READERS: usize = 3;

/// How long somebody waits for a reader before he is told that others are reading.
const WAIT: Duration = Duration::from_secs(10);

/// How long an answer may take; whoever waits longer for a page has gone elsewhere.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How old a reader may get: a file that was put in the place of another is seen then.
const OLDEST: Duration = Duration::from_secs(60);

/// Files that are sent at once: each reads as fast as it is taken.
const DOWNLOADS: usize = 4;

/// The archive, for whoever asks about the past; none where none is configured.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pool: Option<Arc<Pool>>,
    /// When nights begin.
    site: Site,
    /// Room for files that are sent.
    downloads: Arc<Semaphore>,
}

#[derive(Debug)]
struct Pool {
    url: ArchiveUrl,
    room: Semaphore,
    /// Readers that nobody uses, with the time of their opening.
    idle: Mutex<Vec<(Instant, ArchiveReader)>>,
    /// The last try failed: said once, not with every question.
    fails: AtomicBool,
}

impl Past {
    /// Nothing is opened yet: a database that is away keeps nothing from starting.
    pub(crate) fn new(url: Option<ArchiveUrl>, site: Site) -> Self {
        let pool = |url| Pool {
            url,
            room: Semaphore::new(READERS),
            idle: Mutex::default(),
            fails: AtomicBool::new(false),
        };
        Self { pool: url.map(pool).map(Arc::new), site, downloads: Arc::new(Semaphore::new(DOWNLOADS)) }
    }

    /// When nights begin.
    pub(super) const fn site(&self) -> Site {
        self.site
    }

    /// Room to send a file, as long as it is kept.
    pub(super) fn download(&self) -> Result<OwnedSemaphorePermit, Refused> {
        self.downloads.clone().try_acquire_owned().map_err(|_| {
            Refused::unavailable(format!(
                "{DOWNLOADS} files are being sent already: try again when one is done"
            ))
        })
    }

    /// Reads with a reader that is this question's alone. One that failed, or whose question was given up, is closed.
    pub(crate) async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut ArchiveReader) -> Result<T, ArchiveError>,
    ) -> Result<T, Refused> {
        let Some(pool) = &self.pool else {
            return Err(Refused::unavailable(
                "no archive is configured: write [database] with its url in web.toml",
            ));
        };
        let Ok(Ok(_room)) = timeout(WAIT, pool.room.acquire()).await else {
            return Err(Refused::unavailable(format!(
                "others are reading the archive, and none of the {READERS} readers became free within {} s: try again",
                WAIT.as_secs()
            )));
        };
        let read = async {
            let (opened, mut reader) = match pool.take() {
                Some(idle) => idle,
                None => (Instant::now(), ArchiveReader::open(&pool.url).await?),
            };
            let answer = work(&mut reader).await?;
            pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push((opened, reader));
            Ok(answer)
        };
        pool.told(timeout(ANSWER_WITHIN, read).await.ok())
    }
}

/// What is read in several steps has the same time as what is read in one.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, Refused>>) -> Result<T, Refused> {
    timeout(ANSWER_WITHIN, work).await.unwrap_or_else(|_| Err(too_long()))
}

fn too_long() -> Refused {
    Refused::unavailable(format!(
        "the archive did not answer within {} s: ask for less at once, or try again",
        ANSWER_WITHIN.as_secs()
    ))
}

impl Pool {
    /// An idle reader that is young enough.
    fn take(&self) -> Option<(Instant, ArchiveReader)> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(opened, _)| opened.elapsed() < OLDEST);
        idle.pop()
    }

    /// What came of a question; none when it was given up.
    fn told<T>(&self, done: Option<Result<T, ArchiveError>>) -> Result<T, Refused> {
        let fails = matches!(done, Some(Err(_)));
        match (self.fails.swap(fails, Ordering::Relaxed), &done) {
            (false, Some(Err(error))) => warn!("the archive cannot be read: {error}"),
            (true, Some(Ok(_))) => info!("the archive can be read again"),
            _ => {}
        }
        match done {
            Some(answer) => Ok(answer?),
            None => Err(too_long()),
        }
    }
}

#[cfg(test)]
mod tests {
    use lamon_store::Archive;

    use super::*;

    fn past(folder: &tempfile::TempDir) -> (ArchiveUrl, Past) {
        let url = ArchiveUrl::sqlite(folder.path().join("archive.sqlite"));
        (url.clone(), Past::new(Some(url), Site::at_utc_offset(0)))
    }

    #[tokio::test]
    async fn a_reader_is_opened_when_it_is_wanted_and_anew_after_an_error() {
        let none = Past::new(None, Site::at_utc_offset(0))
            .read(async |reader| reader.nodes().await)
            .await
            .unwrap_err();
        assert!(none.sentence.contains("[database]"), "{}", none.sentence);
        let folder = tempfile::tempdir().unwrap();
        let (url, past) = past(&folder);
        let away = past.read(async |reader| reader.nodes().await).await.unwrap_err();
        assert_eq!(away.code, 503);
        assert!(away.sentence.contains("archive.sqlite"), "{}", away.sentence);
        Archive::connect(&url, "hub").await.unwrap();
        assert!(past.read(async |reader| reader.nodes().await).await.unwrap().is_empty());
        let idle = || past.pool.as_ref().unwrap().idle.lock().unwrap().len();
        assert_eq!(idle(), 1);
        let failed = async |_: &mut ArchiveReader| Err::<(), _>(ArchiveError::Other("it broke".into()));
        assert!(past.read(failed).await.unwrap_err().sentence.ends_with("it broke"));
        assert_eq!(idle(), 0, "a reader that failed is closed");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_so_and_a_question_that_lasts_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let (url, past) = past(&folder);
        Archive::connect(&url, "hub").await.unwrap();
        let forever = async |_: &mut ArchiveReader| std::future::pending::<Result<(), ArchiveError>>().await;
        let asked: Vec<_> = (0..=READERS)
            .map(|_| {
                let past = past.clone();
                tokio::spawn(async move { past.read(forever).await.unwrap_err() })
            })
            .collect();
        let mut sentences = Vec::new();
        for one in asked {
            sentences.push(one.await.unwrap().sentence);
        }
        let told = |words: &str| sentences.iter().filter(|sentence| sentence.contains(words)).count();
        assert_eq!((told("did not answer within 60 s"), told("none of the 3 readers")), (READERS, 1));
    }
}
