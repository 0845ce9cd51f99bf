//! kill -9 keeps what waits.

use crate::support::daemon::Site;
use crate::support::http::{Http, Mode};
use crate::support::hub::Hub;
use crate::support::until;

#[test]
fn what_waits_outlives_a_crash_and_is_told_once() {
    let (mut hub, server) = (Hub::start(), Http::start(Mode::Close));
    let url = server.url("/");
    let site = Site::new(&format!(
        "{}[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = {url:?}\n[[route]]\nchannels = [\"hook\"]\n",
        hub.lines()
    ));
    let daemon = site.start();
    hub.wait_for_subscriber();
    for number in 1..=3 {
        site.event_waits(&mut hub, &number.to_string(), number);
    }
    daemon.kill();
    assert_eq!(site.waiting(), 3);
    // One process alone uses the queue, and a second one says so; here the first is gone.
    let daemon = site.start();
    until("it follows the hub", || daemon.log().matches("follows tcp://").count() == 2);
    let second = site.told(&["--log-to", "stderr"]);
    assert_eq!(second.0, 69, "{}", second.1);
    assert!(second.1.contains("is another lamon-notify's"), "{}", second.1);
    server.set(Http::good());
    until("all are told", || site.waiting() == 0);
    // The hub's answer brought the last event again.
    hub.event("ccd01", "reboot", "warning", "4");
    until("what comes then is told", || server.texts().len() == 4);
    assert_eq!(server.texts(), ["1", "2", "3", "4"]);
    daemon.stop();
}

#[test]
fn what_happened_while_it_was_down_is_told_afterwards() {
    let (mut hub, server) = (Hub::start(), Http::start(Http::good()));
    let url = server.url("/");
    let site = Site::new(&format!(
        "{}[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = {url:?}\n[[route]]\nchannels = [\"hook\"]\n",
        hub.lines()
    ));
    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "silent", "silent", "ccd01 is silent");
    until("it is told", || server.texts().len() == 1);
    daemon.stop();
    hub.event("ccd01", "back", "good", "ccd01 is back");
    let daemon = site.start();
    until("its end is told", || server.texts().len() == 2);
    assert!(server.texts()[1].starts_with("ccd01 is back (after "), "{:?}", server.texts());
    daemon.stop();
}
