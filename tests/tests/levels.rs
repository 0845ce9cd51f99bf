//! Levels outlive the hub: a restart is no recovery.

use std::fs;

use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::text::say;
use lamon_tests::wait::eventually;

#[tokio::test]
async fn a_level_stands_over_a_crash_until_its_node_is_judged_again() {
    let hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=97 interval=600").await.unwrap(), "ok");
    let file = hub.data_dir().join("levels.json");
    eventually("the level on disk", || async {
        fs::read_to_string(&file).is_ok_and(|levels| levels.contains("\"disk_percent\"")).then_some(())
    })
    .await;

    let hub = hub.crash().start();
    assert_eq!(lamon(hub.control(), "status --check").code, Some(4));
    let why = lamon(hub.control(), "explain ccd01 disk_percent").out;
    assert!(why.contains("error (> 90)"), "{why}");
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=96 interval=600").await.unwrap(), "ok");
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=50 interval=600").await.unwrap(), "ok");
    assert_eq!(lamon(hub.control(), "status --check").code, Some(0));
    // What was told before the crash may be on its way from the journal to the archive yet.
    let events = eventually("both events", || async {
        let events = lamon(hub.control(), "--json events --node ccd01").out;
        let both = events.contains("over 90: error") && events.contains("50 % is good again after");
        both.then_some(events)
    })
    .await;
    assert_eq!(events.matches("over 90: error").count(), 1, "told once, before the crash: {events}");
}
