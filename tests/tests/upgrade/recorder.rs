//! Freezes what the present hub and the present agent leave on their disks: CONTRIBUTING.md says when.

use std::path::Path;

use lamon_tests::archive;
use lamon_tests::foreign::Elsewhere;
use lamon_tests::lamon::lamon;
use lamon_tests::wait::eventually;
use tempfile::TempDir;

use super::kept::{Here, NODE, Story, copy, hub};
use super::says;

/// Samples that the archive has, at least, and those that only the agent's disk has.
const STORED: usize = 4;
const SPOOLED: usize = 3;

/// What operators do, beside letting the agent in: something of each kind.
const OPERATIONS: [&str; 7] = [
    "--who tonight mute --every 09:00-17:00 -m 'works at the dome' door",
    "set disk --warning 71 --error 93",
    "set ccd01 cpu_percent --warning 67",
    "approve ccd02 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "approve ccd03 SHA256:BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ",
    "revoke ccd03 -m 'it was stolen'",
    "join 'wall*' --nodes 3 --for 31d",
];

/// What the commands are to say of that for ever.
const KEYS: [&str; 4] = ["ccd01", "ccd02", "ccd03", "it was stolen"];
const SETTINGS: [&str; 6] = ["door", "works at the dome", "71", "93", "67", "09:00-17:00"];

/// A hub and its agent, a while together, a while apart.
pub(crate) async fn record(place: &Path) {
    let folder = TempDir::with_prefix("lamon-freeze").unwrap();
    let (data, of_agent) = (folder.path().join("hub"), folder.path().join("agent"));
    let hub = hub(&data).start();
    let keys: serde_json::Value = serde_json::from_str(&says(&hub, "--json keys")).unwrap();
    let key = keys.pointer("/keys/hub").and_then(serde_json::Value::as_str).unwrap().to_owned();
    let here = Here::at(&of_agent);
    let enroll = format!("enroll 127.0.0.1:{} --hub-key {key} --wait 0", hub.address().port());
    here.says(&enroll);
    says(&hub, &format!("approve {NODE}"));
    let (code, said) = here.says(&enroll);
    assert_eq!(code, Some(0), "{said}");
    let mut agent = here.start();
    archive::rows(&hub.archive(), NODE, STORED).await;
    for operation in OPERATIONS {
        says(&hub, operation);
    }
    let archive = hub.archive();
    let hub = hub.terminate().unwrap();
    let stored = archive::rows(&archive, NODE, STORED).await.len();
    eventually("samples that no hub has", || async {
        let waits = |line: &String| {
            let count = line.strip_suffix(" unacknowledged samples are on disk")?.rsplit(' ').next()?;
            Some(count.parse::<usize>().ok()? >= SPOOLED)
        };
        agent.log().iter().any(|line| waits(line) == Some(true)).then_some(())
    })
    .await;
    assert!(agent.terminate().unwrap().success());
    for (from, name) in [(&data, "hub"), (&of_agent, "agent")] {
        copy(from, &place.join(name));
    }

    // What comes out of them today is what is to come out for ever.
    let hub = hub.start();
    here.finds(hub.address());
    let agent = here.start();
    let rows = eventually("a sample of the second life", || async {
        let rows = archive::rows(&hub.archive(), NODE, stored).await;
        rows.last().is_some_and(|row| row.sequence > 1 << 32).then_some(rows)
    })
    .await;
    drop(agent);
    let times_ms: Vec<_> = rows.iter().filter(|row| row.sequence < 1 << 32).map(|row| row.time_ms).collect();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut story = Story {
        about: format!(
            "What lamon {} left on disk, hub and agent. Frozen: if a test fails, the code is wrong. The keys are nobody's.",
            env!("CARGO_PKG_VERSION")
        ),
        stored,
        spooled: times_ms.len() - stored,
        times_ms,
        keys: words(&KEYS),
        settings: words(&SETTINGS),
    };
    story.keys.push(key);
    assert!(story.spooled >= SPOOLED, "{story:?}");
    assert_eq!(lamon(hub.control(), "keys").code, Some(0));
    std::fs::write(place.join("story.json"), serde_json::to_string_pretty(&story).unwrap() + "\n").unwrap();
}
