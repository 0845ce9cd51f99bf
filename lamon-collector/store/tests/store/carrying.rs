//! From the journal into archives, whatever ends in between.

use crate::archive::{all_bits, all_of};
use crate::common::samples;
use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, Journal, JournalOptions, JournalReader, Sample, testing::Mariadb,
};

#[tokio::test]
async fn from_the_journal_into_both_archives_whatever_ends_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Mariadb::start().unwrap();
    let journal_path = folder.path().join("journal.db");
    let urls = [ArchiveUrl::sqlite(folder.path().join("archive.db")), server.url()];
    let names = urls.each_ref().map(ArchiveUrl::name);
    let (mut journal, _) = Journal::open(&journal_path, JournalOptions::default()).unwrap();
    journal.use_archives(&names.each_ref().map(String::as_str)).unwrap();
    let mut archives = Vec::new();
    for url in &urls {
        archives.push(Archive::connect(url, "hub1").await.unwrap());
    }
    let mut reader = JournalReader::open(&journal_path).unwrap();
    let mut sent = 0;
    for round in 0..12 {
        journal.append(&samples("ccd01", sent..sent + 500)).unwrap();
        sent += 500;
        match round {
            3 => server.kill().unwrap(),
            6 => server.restart().unwrap(),
            8 => {
                // The hub ends and starts.
                drop(journal);
                journal = Journal::open(&journal_path, JournalOptions::default()).unwrap().0;
                for (archive, url) in archives.iter_mut().zip(&urls) {
                    *archive = Archive::connect(url, "hub1").await.unwrap();
                }
            }
            _ => {}
        }
        for (archive, name) in archives.iter_mut().zip(&names) {
            let cursor = journal.cursor(name).unwrap();
            let rows = reader.read_after(cursor, 1_000).unwrap();
            let batch: Vec<Sample> = rows.iter().map(|(_, sample)| sample.clone()).collect();
            // In every fifth round the hub ends between the archive's commit and the cursor's.
            if archive.append(&batch).await.is_ok() && round % 5 != 2 {
                journal.set_cursor(name, rows.last().unwrap().0).unwrap();
            }
        }
    }
    for (archive, name) in archives.iter_mut().zip(&names) {
        loop {
            let rows = reader.read_after(journal.cursor(name).unwrap(), 1_000).unwrap();
            let Some(&(last, _)) = rows.last() else { break };
            let batch: Vec<Sample> = rows.into_iter().map(|(_, sample)| sample).collect();
            archive.append(&batch).await.unwrap();
            journal.set_cursor(name, last).unwrap();
        }
    }
    for url in &urls {
        let mut archive = ArchiveReader::open(url).await.unwrap();
        assert_eq!(
            all_bits(&all_of(&mut archive, "ccd01").await),
            all_bits(&samples("ccd01", 0..sent)),
            "{url}"
        );
        assert_eq!(archive.count().await.unwrap(), sent);
    }
}
