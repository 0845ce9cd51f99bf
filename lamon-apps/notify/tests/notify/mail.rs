//! Mail servers that refuse, hang and come back.

use std::net::TcpListener;

use crate::support::daemon::Site;
use crate::support::hub::Hub;
use crate::support::smtp::{Mode, Smtp};
use crate::support::{script, secret, until};

#[test]
fn every_mail_arrives_once_and_in_order() {
    let (mut hub, server) = (Hub::start(), Smtp::start(Mode::Refuse, None));
    let site = Site::new("");
    let password = secret(&site.path(), "password", "secret\n");
    site.write(&format!(
        "{}[[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         user = \"lamon\"\npassword_file = {password:?}\nfrom = \"lamon <lamon@example.org>\"\n\
         to = [\"a@example.org\", \"b@example.org\"]\n[[route]]\nchannels = [\"mail\"]\n",
        hub.lines(),
        server.port
    ));
    let daemon = site.start();
    hub.wait_for_subscriber();
    for number in 1..=3 {
        site.event_waits(&mut hub, &format!("number {number}"), number);
    }
    for mode in [Mode::Refuse, Mode::Hang] {
        server.set(mode);
        let tried = server.connections();
        until(&format!("it is tried again in {mode:?}"), || server.connections() > tried + 1);
    }
    assert_eq!((server.mails().len(), site.waiting()), (0, 3));
    server.set(Mode::Take);
    until("all are told", || site.waiting() == 0);
    let mails = server.mails();
    let numbers: Vec<_> = (1..=3).map(|number| format!("number {number}")).collect();
    assert_eq!(mails.len(), 3);
    for (mail, number) in mails.iter().zip(numbers) {
        assert!(mail.data.contains(&number), "{number}: {}", mail.data);
    }
    let first = &mails[0];
    assert_eq!(first.to, ["<a@example.org>", "<b@example.org>"]);
    // NUL lamon NUL secret.
    assert_eq!(first.auth, "AGxhbW9uAHNlY3JldA==");
    for line in [
        "From: lamon <lamon@example.org>\r\n",
        "Subject: lamon warning: ccd01\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "lamon-notify, route 1, 20",
    ] {
        assert!(first.data.contains(line), "{line}: {}", first.data);
    }
    assert!(daemon.log().contains("451"), "{}", daemon.log());
    daemon.stop();
}

/// A mail server's channel to these.
fn channel(server: &Smtp, to: &[&str]) -> String {
    format!(
        "[[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         from = \"lamon@example.org\"\nto = {to:?}\n",
        server.port
    )
}

#[test]
fn a_recipient_that_is_refused_delays_nobody_else() {
    let (mut hub, server) = (Hub::start(), Smtp::start(Mode::Take, None));
    let to = ["full@example.org", "a@example.org", "gone@example.org", "b@example.org"];
    let site =
        Site::new(&format!("{}{}[[route]]\nchannels = [\"mail\"]\n", hub.lines(), channel(&server, &to)));
    let daemon = site.start();
    hub.wait_for_subscriber();
    for number in 1..=3 {
        hub.event("ccd01", "reboot", "warning", &format!("number {number}"));
        until(&format!("the others have {number}"), || server.mails().len() == number);
        let later = "full@example.org have it later";
        until("one has it later", || daemon.log().matches(later).count() == number);
    }
    for mail in server.mails() {
        assert_eq!(mail.to, ["<a@example.org>", "<b@example.org>"]);
    }
    // Who has it stands on the disk.
    daemon.kill();
    let daemon = site.start();
    let tried = server.connections();
    until("it is tried again", || server.connections() > tried + 3);
    assert_eq!((server.mails().len(), site.waiting()), (3, 3));
    server.set(Mode::TakeAll);
    until("the last has it", || site.waiting() == 0);
    let mails = server.mails();
    assert_eq!(mails.len(), 6, "each once");
    for mail in mails.iter().skip(3) {
        assert_eq!(mail.to, ["<full@example.org>"]);
    }
    let log = daemon.log();
    assert!(
        log.contains("refuses gone@example.org, who is not told; the others are: permanent error (550)"),
        "{log}"
    );
    assert!(log.contains("the others have a notice, full@example.org have it later"), "{log}");
    assert!(!log.contains("channel mail fails"), "{log}");
    daemon.stop();
}

#[test]
fn recipients_that_are_never_reached_are_told_over_another_channel() {
    let (mut hub, server) = (Hub::start(), Smtp::start(Mode::Take, None));
    let site = Site::new("");
    let told = site.path().join("told");
    let program = script(&site.path(), "tell", &format!("cat >> {}", told.display()));
    let with = |to: &[&str]| {
        format!(
            "{}{}[[channel]]\nname = \"sms\"\nkind = \"command\"\ncommand = [{program:?}]\n\
             [[route]]\nchannels = [\"mail\"]\nfallback = \"sms\"\nfallback_after = \"1s\"\n",
            hub.lines(),
            channel(&server, to)
        )
    };
    let texts = [with(&["full@example.org", "a@example.org"]), with(&["gone@example.org"])];
    site.write(&texts[0]);
    let daemon = site.start();
    hub.wait_for_subscriber();
    let lines = || std::fs::read_to_string(&told).unwrap_or_default();
    hub.event("ccd01", "reboot", "warning", "first");
    until("it goes over the other", || {
        lines().contains("(told here because the channel mail to full@example.org fails)")
    });
    assert_eq!(server.mails().len(), 1);
    site.write(&texts[1]);
    daemon.reload();
    until("it is read", || daemon.log().contains("was read again"));
    hub.event("ccd01", "reboot", "warning", "second");
    until("where nobody is reached the channel fails", || lines().contains("second"));
    assert!(lines().ends_with("(told here because the channel mail fails)\n"), "{}", lines());
    until("nothing waits", || site.waiting() == 0);
    daemon.stop();
}

#[test]
fn a_server_that_is_not_there_is_told_once() {
    let site = Site::new("");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    site.write(&format!(
        "[[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n\
         from = \"lamon@example.org\"\nto = [\"ann@example.org\"]\n"
    ));
    let (code, text) = site.told(&["test", "mail"]);
    assert_eq!((code, text.matches("Connection refused").count()), (1, 1), "{text}");
}
