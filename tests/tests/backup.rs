//! Backups of a hub at work, and what comes of them when they are put back as docs/operations.md says.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: what fails ends the test, as in the tests themselves"
)]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use lamon_store::{ArchiveUrl, Sample};
use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::process;
use lamon_tests::simulated::{Identity, SimulatedAgent, readings};

/// Samples of one frame.
const CHUNK: u64 = 50;

/// The numbers of the samples in their order; rows come in that of their times, which is another one where an agent sends
/// faster than it samples.
fn numbers(rows: &[Sample]) -> Vec<u64> {
    let mut numbers: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    numbers.sort_unstable();
    numbers
}

async fn connected(hub: &Hub) -> SimulatedAgent {
    let mut agent = SimulatedAgent::connect(hub.address(), &Identity::new("ccd01", 1)).await.unwrap();
    agent.send_table(1, &[("load1", 2)]).await.unwrap();
    agent
}

/// Sends one more frame, and waits until it is on disk.
async fn send(agent: &mut SimulatedAgent, sent: &mut u64) {
    agent.send_samples(1, *sent + 1, vec![readings(&[1.0], 2); 50]).await.unwrap();
    *sent += CHUNK;
    agent.acknowledged(*sent).await.unwrap();
}

/// Makes a backup beside the hub.
fn back_up(config: &Path, to: &Path) {
    let program = process::find("lamon-collector").unwrap();
    let output = Command::new(program).arg("-c").arg(config).args(["db", "backup"]).arg(to).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_hub_at_work_is_of_one_instant_and_a_hub_starts_on_it() {
    let hub = Hub::collector().start();
    let (mut agent, mut sent) = (connected(&hub).await, 0);
    for _ in 0..20 {
        send(&mut agent, &mut sent).await;
    }
    archive::rows(&hub.archive(), "ccd01", 500).await;
    let config = hub.data_dir().with_file_name("hub.toml");
    let folder = tempfile::tempdir().unwrap();
    let (to, before) = (folder.path().join("backup"), sent);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            back_up(&config, &to);
            done.store(true, SeqCst);
        });
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                while !done.load(SeqCst) {
                    send(&mut agent, &mut sent).await;
                }
            });
        });
    });
    let after = sent;
    send(&mut agent, &mut sent).await;
    drop(agent);
    let builder = hub.terminate().unwrap();

    // The archive alone is lost: under a new name the journal fills it with what came since.
    let second = builder.data_dir().join("archive-2.sqlite");
    std::fs::copy(to.join("archive.sqlite"), &second).unwrap();
    let hub = builder.clone().archiving_to(&format!("sqlite:{}", second.display())).start();
    let everything = usize::try_from(sent).unwrap();
    let rows = archive::rows(&ArchiveUrl::sqlite(&second), "ccd01", everything).await;
    assert_eq!(numbers(&rows), (1..=sent).collect::<Vec<_>>(), "each once");
    hub.terminate().unwrap();

    // All is lost: a hub on the copies knows what they have, and takes the rest again.
    let hub = builder.keeping_data_in(&to).start();
    let mut agent = connected(&hub).await;
    let known = agent.welcome().committed.unwrap();
    assert!((before..=after).contains(&known) && known % CHUNK == 0, "{before} <= {known} <= {after}");
    let rows = archive::rows(&hub.archive(), "ccd01", usize::try_from(known).unwrap()).await;
    assert_eq!(numbers(&rows), (1..=known).collect::<Vec<_>>(), "each once");
    let mut sent = known;
    send(&mut agent, &mut sent).await;
    let rows = archive::rows(&hub.archive(), "ccd01", usize::try_from(sent).unwrap()).await;
    assert_eq!(numbers(&rows), (1..=sent).collect::<Vec<_>>());
}
