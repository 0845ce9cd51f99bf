//! The daily self-test: once a day also over restarts, and over another channel when its own fails.

use std::fs;

use crate::support::daemon::Site;
use crate::support::http::{Http, Mode};
use crate::support::hub::Hub;
use crate::support::{script, until};

#[test]
fn it_is_told_once_a_day_and_goes_over_another_channel_when_its_own_fails() {
    let (mut hub, dead) = (Hub::start(), Http::start(Mode::Close));
    let site = Site::new("");
    let told = site.path().join("told");
    let program = script(&site.path(), "tell", &format!("cat >> {}", told.display()));
    let url = dead.url("/");
    site.write(&format!(
        "self_test = \"00:00\"\n{}[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = {url:?}\n\
         [[channel]]\nname = \"sms\"\nkind = \"command\"\ncommand = [{program:?}]\n\
         [[route]]\nchannels = [\"hook\"]\nfallback = \"sms\"\nfallback_after = \"1s\"\n",
        hub.lines()
    ));
    let daemon = site.start();
    let kept = site.path().join("state/state");
    let read = || serde_json::from_slice::<serde_json::Value>(&fs::read(&kept).ok()?).ok();
    until("today is over", || read().is_some_and(|state| state["self_test"]["day"].is_i64()));
    daemon.stop();
    // As a night would.
    let mut state = read().unwrap();
    state["self_test"] = serde_json::json!({"day": 1, "unix": 0.0});
    fs::write(&kept, state.to_string()).unwrap();

    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.node("ccd01", "good");
    hub.node("ccd02", "warning");
    let lines = || fs::read_to_string(&told).unwrap_or_default();
    until("both are told", || lines().matches("lamon-notify is alive: ").count() == 2 && site.waiting() == 0);
    let text = lines();
    assert!(text.contains("(told here because the channel hook fails)"), "{text}");
    assert!(
        text.contains("alive: 1 node, 1 good") || text.contains("alive: 2 nodes, 1 good, 1 warning"),
        "{text}"
    );
    daemon.stop();

    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "reboot", "warning", "booted");
    until("something else is told", || lines().contains("booted"));
    assert_eq!(lines().matches("lamon-notify is alive: ").count(), 2, "once a day");
    daemon.stop();
}
