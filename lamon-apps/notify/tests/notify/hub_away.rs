//! A hub that goes and comes back.

use crate::support::daemon::Site;
use crate::support::http::Http;
use crate::support::hub::{Hub, beat_until};
use crate::support::until;

#[test]
fn a_hub_that_is_away_is_told_once_and_once_when_it_is_back() {
    let (mut hub, server) = (Hub::start(), Http::start(Http::good()));
    let url = server.url("/");
    let site = Site::new(&format!(
        "{}[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = {url:?}\n[[route]]\nchannels = [\"hook\"]\n\
         nodes = [\"dome\"]\n",
        hub.lines()
    ));
    let mut daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "reboot", "warning", "of another node");
    let (publish, snapshot) = (hub.publish.clone(), hub.snapshot.clone());
    drop(hub);
    until("it is told", || server.texts().len() == 1);
    assert_eq!(server.texts()[0], "the hub is not heard: nobody watches the computers until it is back");
    // A restart does not tell it again.
    daemon.stop();
    daemon = site.start();
    let mut hub = Hub::start_at(&publish, &snapshot);
    beat_until(&mut hub, "its return is told", || server.texts().len() == 2);
    assert!(server.texts()[1].starts_with("the hub is heard again (after "), "{:?}", server.texts());
    daemon.stop();
}
