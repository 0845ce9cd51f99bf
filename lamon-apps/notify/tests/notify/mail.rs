//! Mail servers that refuse, hang and come back.

use crate::support::daemon::Site;
use crate::support::hub::Hub;
use crate::support::smtp::{Mode, Smtp};
use crate::support::{secret, until};

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
