//! SIGHUP: the configuration is read again, and nothing that waits or is wrong is forgotten.

use crate::support::daemon::Site;
use crate::support::http::{Http, Mode};
use crate::support::hub::Hub;
use crate::support::until;

fn hook(name: &str, server: &Http) -> String {
    let url = server.url("/");
    format!("[[channel]]\nname = {name:?}\nkind = \"webhook\"\nurl = {url:?}\n")
}

#[test]
fn what_waits_goes_over_the_channel_as_it_is_now_and_open_problems_stay() {
    let (mut hub, dead, good) = (Hub::start(), Http::start(Mode::Close), Http::start(Http::good()));
    let route = "[[route]]\nchannels = [\"hook\"]\n";
    let site = Site::new(&format!("{}{}{route}", hub.lines(), hook("hook", &dead)));
    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "silent", "silent", "ccd01 is silent");
    until("it is tried", || dead.posts().len() > 1);

    site.write(&format!("{}{}[[route]]\nchannels = [\"fax\"]\n", hub.lines(), hook("hook", &good)));
    daemon.reload();
    until("a wrong file is refused with its place", || {
        daemon.log().contains("goes on with the configuration of before")
            && daemon.log().contains("notify.toml:12:13:")
    });
    let log = daemon.log();
    assert!(log.contains("there is no channel \"fax\" (there is: hook)"), "{log}");
    let tried = dead.posts().len();
    until("the old one goes on", || dead.posts().len() > tried);
    assert_eq!((site.waiting(), good.posts().len()), (1, 0));

    site.write(&format!("{}{}{route}", hub.lines(), hook("hook", &good)));
    daemon.reload();
    until("what waited is told", || good.texts() == ["ccd01 is silent"]);
    hub.event("ccd01", "back", "good", "ccd01 is back");
    until("its end is told", || good.texts().len() == 2);
    assert!(good.texts()[1].starts_with("ccd01 is back (after "), "{:?}", good.texts());
    daemon.stop();
}

#[test]
fn channels_and_routes_come_and_go_and_the_hub_may_be_another() {
    let (mut hub, mut other) = (Hub::start(), Hub::start());
    let (first, second) = (Http::start(Http::good()), Http::start(Http::good()));
    let both = format!("{}{}", hook("first", &first), hook("second", &second));
    let site = Site::new(&format!("{}{both}[[route]]\nchannels = [\"first\"]\n", hub.lines()));
    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "reboot", "warning", "one");
    until("one is told", || first.texts() == ["one"]);

    // Back and forth, so that its thread has ended, or not yet.
    let only = format!("{}{}[[route]]\nchannels = [\"second\"]\n", hub.lines(), hook("second", &second));
    let again =
        format!("{}{both}[[route]]\nname = \"new\"\nchannels = [\"first\", \"second\"]\n", hub.lines());
    for (count, text) in [&only, &again, &only, &again].into_iter().enumerate() {
        site.write(text);
        daemon.reload();
        until("it is read", || daemon.log().matches("was read again").count() == count + 1);
    }
    hub.event("ccd01", "reboot", "warning", "two");
    until("two is told twice", || first.texts() == ["one", "two"] && second.texts() == ["two"]);

    site.write(&format!("{}{both}[[route]]\nchannels = [\"first\"]\n", other.lines()));
    daemon.reload();
    other.wait_for_subscriber();
    other.event("dome", "reboot", "warning", "three");
    until("the other hub is followed", || first.texts() == ["one", "two", "three"]);

    site.write("state = \"/nonexistent\"\n");
    let text = std::fs::read_to_string(site.path().join("notify.toml")).unwrap();
    std::fs::write(site.path().join("notify.toml"), text.split_once('\n').unwrap().1).unwrap();
    daemon.reload();
    until("the queue stays where it is", || {
        daemon.log().contains("state cannot become /nonexistent while it runs: restart it")
    });
    daemon.stop();
}
