//! Servers by TLS, that an authority of the site vouches for.

use crate::support::daemon::Site;
use crate::support::http::Http;
use crate::support::smtp::{Mode, Security, Smtp};
use crate::support::tls::Authority;

#[test]
fn an_authority_of_the_site_is_trusted_when_its_file_is_named() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Http::start_with(Http::good(), Some(&authority));
    let site = Site::new("");
    let channel = format!(
        "[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"https://localhost:{}/\"\n",
        server.port
    );
    for (file, trusted) in [(None, false), (Some(&other), false), (Some(&authority), true)] {
        let file = file.map(|file| format!("ca_file = {:?}\n", file.file(&site.path()))).unwrap_or_default();
        site.write(&format!("{channel}{file}"));
        let (code, text) = site.told(&["test", "hook"]);
        assert_eq!(code, i32::from(!trusted), "{text}");
        assert_eq!(text.contains("certificate"), !trusted, "{text}");
    }
    assert_eq!(server.taken().len(), 1);
}

#[test]
fn mail_goes_by_tls_from_the_beginning_or_after_a_greeting() {
    let authority = Authority::new();
    for (security, word) in [(Security::Tls, "tls"), (Security::Starttls, "starttls")] {
        let server = Smtp::start(Mode::Take, Some((security, &authority)));
        let site = Site::new("");
        let channel = format!(
            "[[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"localhost\"\nport = {}\nsecurity = {word:?}\n\
             from = \"lamon@example.org\"\nto = [\"a@example.org\"]\n",
            server.port
        );
        site.write(&channel);
        let (code, text) = site.told(&["test", "mail"]);
        assert!(code == 1 && text.contains("certificate"), "{word}: {code} {text}");
        site.write(&format!("{channel}ca_file = {:?}\n", authority.file(&site.path())));
        assert_eq!(site.told(&["test", "mail"]), (0, "channel mail: delivered\n".into()), "{word}");
        assert_eq!(server.mails().len(), 1);
    }
    // A server that does not offer TLS gets no mail.
    let server = Smtp::start(Mode::Take, None);
    let site = Site::new(&format!(
        "[[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"localhost\"\nport = {}\n\
         from = \"lamon@example.org\"\nto = [\"a@example.org\"]\n",
        server.port
    ));
    assert_eq!(site.told(&["test", "mail"]).0, 1);
    assert!(server.mails().is_empty() && server.connections() == 1);
}
