//! A database that is seen through several servers, and servers that speak TLS.

use std::{fs, path::Path};

use lamon_store::{
    Archive, ArchiveError, ArchiveReader, ArchiveUrl, Journal, JournalOptions,
    archive::TlsMode,
    testing::{DATABASE, Mariadb, PASSWORD},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::common::{sample, samples};

#[tokio::test]
async fn the_first_server_that_takes_rows_is_used_and_the_next_when_it_fails() {
    let mut first = Mariadb::start().unwrap();
    let mut second = Mariadb::start().unwrap();
    let url = ArchiveUrl::several(vec![first.url(), second.url()]).unwrap();
    let port = |server: &Mariadb| format!(":{}/", server.port());
    let count = |server: &Mariadb| server.execute("SELECT COUNT(*) FROM samples").unwrap()[0][0].clone();

    let mut archive = Archive::connect(&url, "hub1").await.unwrap();
    assert!(archive.server().contains(&port(&first)), "{}", archive.server());
    archive.append(&samples("a", 0..10)).await.unwrap();
    assert_eq!(count(&first), "10");

    // It becomes a replica that the user could write to all the same: nobody may.
    first.execute("SET GLOBAL read_only = ON").unwrap();
    let mut moved = Archive::connect(&url, "hub1").await.unwrap();
    assert!(moved.server().contains(&port(&second)), "{}", moved.server());
    moved.append(&samples("a", 0..3)).await.unwrap();
    assert_eq!((count(&first).as_str(), count(&second).as_str()), ("10", "3"));
    let only = Archive::connect(&first.url(), "hub1").await.unwrap_err();
    assert!(matches!(&only, ArchiveError::Unreachable(text) if text.contains("it only reads")), "{only:?}");
    // To read it is good enough.
    let mut reader = ArchiveReader::open(&url).await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 10);
    let survey = Archive::survey(&url).await;
    assert!(
        survey[0].1.is_err() && survey[1].1.is_ok() && survey[1].0.contains(&port(&second)),
        "{survey:?}"
    );

    // An archive that is open goes on to the next by itself, and back again.
    first.execute("SET GLOBAL read_only = OFF").unwrap();
    first.kill().unwrap();
    let error = archive.append(&samples("a", 10..20)).await.unwrap_err();
    assert!(matches!(&error, ArchiveError::Unreachable(text) if text.contains(&port(&first))), "{error:?}");
    archive.append(&samples("b", 10..20)).await.unwrap();
    assert_eq!(count(&second), "13");
    first.restart().unwrap();
    second.kill().unwrap();
    assert!(archive.append(&samples("b", 20..30)).await.is_err());
    archive.append(&samples("b", 20..30)).await.unwrap();
    assert_eq!(count(&first), "20");

    // None is left: each is named, in the same order whichever was tried first, and no password is.
    drop(archive);
    first.kill().unwrap();
    let mut turned = url.clone();
    turned.pass_over();
    let errors = [
        Archive::connect(&url, "hub1").await.unwrap_err().to_string(),
        Archive::connect(&turned, "hub1").await.unwrap_err().to_string(),
    ];
    assert_eq!(errors[0], errors[1]);
    assert!(
        errors[0].contains("none of 2 servers takes rows") && errors[0].contains(&port(&first)),
        "{errors:?}"
    );
    assert!(!errors[0].contains(PASSWORD), "{errors:?}");
}

#[test]
fn a_cursor_goes_on_while_a_server_of_the_list_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let name = |urls: &[&str]| {
        ArchiveUrl::several(urls.iter().map(|url| ArchiveUrl::parse(url).unwrap()).collect()).unwrap().name()
    };
    let (mut journal, _) = Journal::open(&path, JournalOptions::default()).unwrap();
    let one = name(&["mysql://a@db1/x"]);
    journal.use_archives(&[&one]).unwrap();
    journal.append(&[sample("a", 1, 1), sample("a", 1, 2)]).unwrap();
    let position = journal.last_position() - 1;
    journal.set_cursor(&one, position).unwrap();
    journal.flush().unwrap();
    for urls in [
        &["mysql://a@db2/x", "mysql://a@db1/x"][..],
        &["mysql://b@db2/x", "mysql://b@db3/x"],
        &["mysql://b@db3/x"],
    ] {
        let name = name(urls);
        let mut reader = lamon_store::JournalReader::open(&path).unwrap();
        assert_eq!(reader.cursor(&name).unwrap(), Some(position), "before the hub starts with it: {name}");
        journal.use_archives(&[&name]).unwrap();
        assert_eq!(journal.cursor(&name), Some(position), "{name}");
        journal.flush().unwrap();
    }
    // And it is there after a restart.
    drop(journal);
    let (mut journal, _) = Journal::open(&path, JournalOptions::default()).unwrap();
    assert_eq!(journal.cursor(&name(&["mysql://b@db3/x"])), Some(position));
    // Another database begins with the oldest row.
    let other = name(&["mysql://b@db3/y"]);
    journal.use_archives(&[&other]).unwrap();
    assert_eq!(journal.cursor(&other), Some(0));
}

/// An authority with the certificate that it gave a server on 127.0.0.1.
fn certificates(folder: &Path, name: &str) -> [String; 3] {
    let file = |suffix: &str| folder.join(format!("{name}-{suffix}.pem")).display().to_string();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let server = server.signed_by(&key, &authority).unwrap();
    let files = [("ca", authority.pem()), ("cert", server.pem()), ("key", key.serialize_pem())];
    for (suffix, text) in files {
        fs::write(file(suffix), text).unwrap();
    }
    ["ca", "cert", "key"].map(file)
}

#[tokio::test]
async fn a_session_is_encrypted_with_the_server_that_the_authority_knows() {
    let folder = tempfile::tempdir().unwrap();
    let [ca, cert, key] = certificates(folder.path(), "ours");
    let [stranger, ..] = certificates(folder.path(), "theirs");
    let options = [format!("--ssl-cert={cert}"), format!("--ssl-key={key}")];
    let server = Mariadb::start_with(&options.each_ref().map(String::as_str)).unwrap();
    let tls = |mode, ca: Option<&str>| server.url().with_tls(mode, ca.map(Into::into)).unwrap();

    // This user is refused by the server in a session that is not encrypted.
    server.execute("CREATE USER 'safe'@'%' IDENTIFIED BY 'geheim' REQUIRE SSL").unwrap();
    server.execute("GRANT ALL PRIVILEGES ON *.* TO 'safe'@'%'").unwrap();
    let safe =
        ArchiveUrl::parse(&format!("mysql://safe:geheim@127.0.0.1:{}/{DATABASE}", server.port())).unwrap();
    let encrypted = safe.clone().with_tls(TlsMode::Auto, Some(ca.clone().into())).unwrap();
    let mut archive = Archive::connect(&encrypted, "hub1").await.unwrap();
    archive.append(&samples("a", 0..1_500)).await.unwrap();
    assert_eq!(ArchiveReader::open(&encrypted).await.unwrap().count().await.unwrap(), 1_500);
    let clear = Archive::connect(&safe, "hub1").await.unwrap_err();
    assert!(matches!(clear, ArchiveError::Refused(_)), "{clear:?}");

    for (url, why) in [
        (tls(TlsMode::Require, Some(&stranger)), "not to be trusted"),
        (tls(TlsMode::Require, None), "not to be trusted"),
        (tls(TlsMode::Require, Some("/no/such/ca.pem")), "/no/such/ca.pem cannot be read"),
        (
            ArchiveUrl::parse(&server.url_text(DATABASE).replace("127.0.0.1", "localhost"))
                .unwrap()
                .with_tls(TlsMode::Require, Some(ca.clone().into()))
                .unwrap(),
            "the host's name",
        ),
    ] {
        let error = Archive::connect(&url, "hub1").await.unwrap_err();
        assert!(matches!(&error, ArchiveError::Refused(text) if text.contains(why)), "{why}: {error:?}");
        assert!(!format!("{error} {error:?} {url} {url:?}").contains(PASSWORD), "{error:?}");
    }
    Archive::connect(&tls(TlsMode::Off, None), "hub1").await.unwrap();
    Archive::connect(&tls(TlsMode::Auto, None), "hub1").await.unwrap();
    Archive::connect(&tls(TlsMode::Require, Some(&ca)), "hub1").await.unwrap();

    let plain = Mariadb::start_with(&["--skip-ssl"]).unwrap();
    Archive::connect(&plain.url(), "hub1").await.unwrap();
    let refused = plain.url().with_tls(TlsMode::Require, Some(ca.into())).unwrap();
    let error = Archive::connect(&refused, "hub1").await.unwrap_err();
    assert!(matches!(&error, ArchiveError::Refused(text) if text.contains("offers no TLS")), "{error:?}");
    assert!(error.to_string().contains("tls = \"off\""), "{error}");
}
