//! Servers that refuse, hang and come back: every notice arrives once, in its order.

use crate::support::daemon::Site;
use crate::support::http::{Http, Mode};
use crate::support::hub::Hub;
use crate::support::{script, until};

fn webhook(server: &Http) -> String {
    let url = server.url("/hook");
    format!("[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = {url:?}\nlimit = 100\n")
}

#[test]
fn every_notice_arrives_once_and_in_order() {
    let (mut hub, server) = (Hub::start(), Http::start(Mode::Answer(503, "busy".into())));
    let site = Site::new(&format!("{}{}[[route]]\nchannels = [\"hook\"]\n", hub.lines(), webhook(&server)));
    let daemon = site.start();
    hub.wait_for_subscriber();
    for number in 1..=5 {
        site.event_waits(&mut hub, &number.to_string(), number);
    }
    for mode in [Mode::Answer(503, "busy".into()), Mode::Close, Mode::Hang] {
        server.set(mode.clone());
        let tried = server.posts().len();
        until(&format!("it is tried again in {mode:?}"), || server.posts().len() > tried + 1);
    }
    assert_eq!(site.waiting(), 5);
    server.set(Http::good());
    until("all are told", || site.waiting() == 0);
    assert_eq!(server.texts(), ["1", "2", "3", "4", "5"]);
    let log = daemon.log();
    assert!(log.contains("channel hook fails, and is tried again: the server answers 503"), "{log}");
    assert!(log.contains("no answer within 10 s"), "{log}");
    assert!(log.contains("channel hook works again after"), "{log}");
    let first = &server.taken()[0];
    assert_eq!((first.path.as_str(), first.content_type.as_str()), ("/hook", "application/json"));
    assert_eq!(first.json()["title"], "lamon warning: ccd01");
    daemon.stop();
}

#[test]
fn a_channel_that_hangs_delays_itself_alone() {
    let (mut hub, hanging, good) = (Hub::start(), Http::start(Mode::Hang), Http::start(Http::good()));
    let (first, second) = (webhook(&hanging), webhook(&good).replace("\"hook\"", "\"other\""));
    let route = "[[route]]\nchannels = [\"hook\", \"other\"]\n";
    let site = Site::new(&format!("{}{first}{second}{route}", hub.lines()));
    let daemon = site.start();
    hub.wait_for_subscriber();
    for number in 1..=3 {
        hub.event("ccd01", "reboot", "warning", &number.to_string());
        until("the other is told", || good.texts().len() == number);
    }
    assert_eq!((hanging.taken().len(), site.waiting()), (0, 3));
    daemon.stop();
}

#[test]
fn what_a_channel_does_not_take_goes_over_another() {
    let (mut hub, server) = (Hub::start(), Http::start(Mode::Close));
    let site = Site::new("");
    let told = site.path().join("told");
    let program = script(&site.path(), "tell", &format!("cat >> {}", told.display()));
    site.write(&format!(
        "{}{}[[channel]]\nname = \"sms\"\nkind = \"command\"\ncommand = [{program:?}]\n\
         [[route]]\nchannels = [\"hook\"]\nfallback = \"sms\"\nfallback_after = \"1s\"\n",
        hub.lines(),
        webhook(&server)
    ));
    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "reboot", "warning", "booted");
    until("it goes over the other", || told.exists() && site.waiting() == 0);
    let text = std::fs::read_to_string(told).unwrap();
    assert!(text.ends_with("booted\n(told here because the channel hook fails)\n"), "{text}");
    daemon.stop();
}

#[test]
fn what_a_server_refuses_for_what_it_says_does_not_stand_in_the_way() {
    let (mut hub, server) = (Hub::start(), Http::start(Mode::Answer(422, "no".into())));
    let site = Site::new(&format!("{}{}[[route]]\nchannels = [\"hook\"]\n", hub.lines(), webhook(&server)));
    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "reboot", "warning", "first");
    until("it is given up", || daemon.log().contains("it was not told"));
    assert_eq!(server.posts().len(), 5);
    server.set(Http::good());
    hub.event("ccd01", "reboot", "warning", "second");
    until("the next is told", || server.texts() == ["second"]);
    daemon.stop();
}
