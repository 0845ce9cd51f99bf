//! Archives that refuse, that are away, or that cannot be at all: one clear sentence, and what was not stored is taken later.

use crate::archive::stored;
use crate::common::samples;
use lamon_store::{
    Archive, ArchiveError, ArchiveReader, ArchiveUrl,
    testing::{Mariadb, PASSWORD},
};

#[tokio::test]
async fn a_server_that_refuses_or_is_away() {
    let mut server = Mariadb::start().unwrap();
    let port = server.port();

    let wrong = ArchiveUrl::parse(&format!("mysql://lamon:geheim@127.0.0.1:{port}/lamon")).unwrap();
    let error = Archive::connect(&wrong, "hub1").await.unwrap_err();
    assert!(matches!(error, ArchiveError::Refused(_)), "{error:?}");
    assert!(!format!("{error} {error:?} {wrong:?}").contains("geheim"), "{error:?}");
    let none = ArchiveUrl::parse(&format!("mysql://lamon@127.0.0.1:{port}/lamon")).unwrap();
    assert!(matches!(Archive::connect(&none, "hub1").await, Err(ArchiveError::Refused(_))));
    let missing = ArchiveUrl::parse(&server.url_text("missing")).unwrap();
    let error = Archive::connect(&missing, "hub1").await.unwrap_err();
    assert!(error.to_string().contains("'missing'"), "{error}");
    assert!(Archive::connect(&server.url(), "two words").await.is_err());

    // The password from a file.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let url = none.with_password_file(&file).unwrap();
    set_mode(&file, 0o644);
    let error = Archive::connect(&url, "hub1").await.unwrap_err();
    assert!(matches!(&error, ArchiveError::Refused(text) if text.contains("chmod 600")), "{error:?}");
    set_mode(&file, 0o600);
    let mut archive = Archive::connect(&url, "hub1").await.unwrap();
    assert!(!format!("{archive:?}").contains(PASSWORD));
    assert_eq!(archive.append(&samples("a", 0..10)).await.unwrap(), stored(10));

    for kill in [false, true] {
        let next = samples("a", 0..if kill { 30 } else { 20 });
        if kill { server.kill() } else { server.stop() }.unwrap();
        for _ in 0..2 {
            let error = archive.append(&next).await.unwrap_err();
            assert!(matches!(error, ArchiveError::Unreachable(_)), "{error:?}");
            assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
        }
        assert!(matches!(Archive::connect(&url, "hub1").await, Err(ArchiveError::Unreachable(_))));
        server.restart().unwrap();
        let appended = archive.append(&next).await.unwrap();
        assert_eq!((appended.stored, appended.already_there), (10, next.len() - 10));
    }

    // Privileges that are missing.
    server.execute("CREATE USER 'reader'@'%' IDENTIFIED BY 'pw'").unwrap();
    server.execute("GRANT ALL PRIVILEGES ON lamon.* TO 'reader'@'%'").unwrap();
    let narrow = ArchiveUrl::parse(&format!("mysql://reader:pw@127.0.0.1:{port}/lamon")).unwrap();
    drop(Archive::connect(&narrow, "hub1").await.unwrap());
    server.execute("REVOKE INSERT ON lamon.* FROM 'reader'@'%'").unwrap();
    let mut narrow = Archive::connect(&narrow, "hub1").await.unwrap();
    let error = narrow.append(&samples("b", 0..3)).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Refused(_)), "{error:?}");
    server.execute("CREATE USER 'nobody'@'%' IDENTIFIED BY 'pw'").unwrap();
    server.execute("CREATE DATABASE empty").unwrap();
    server.execute("GRANT SELECT ON empty.* TO 'nobody'@'%'").unwrap();
    let nobody = ArchiveUrl::parse(&format!("mysql://nobody:pw@127.0.0.1:{port}/empty")).unwrap();
    let error = Archive::connect(&nobody, "hub1").await.unwrap_err();
    assert!(matches!(error, ArchiveError::Refused(_)), "{error:?}");
    let mut reader = ArchiveReader::open(&server.url()).await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 30);

    // A reader finds its server again as well.
    server.stop().unwrap();
    assert!(matches!(reader.count().await, Err(ArchiveError::Unreachable(_))));
    server.restart().unwrap();
    assert_eq!(reader.count().await.unwrap(), 30);
}

fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_sqlite_archive_that_cannot_be_is_one_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = ArchiveUrl::sqlite(folder.path().join("missing/archive.db"));
    let error = Archive::connect(&nowhere, "hub1").await.unwrap_err();
    assert!(
        matches!(&error, ArchiveError::Unreachable(text) if text.contains("missing/archive.db")),
        "{error:?}"
    );
    assert!(ArchiveReader::open(&ArchiveUrl::sqlite(folder.path().join("none.db"))).await.is_err());
    assert!(!folder.path().join("none.db").exists(), "a reader makes nothing");
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, [b'x'; 9_000]).unwrap();
    let error = Archive::connect(&ArchiveUrl::sqlite(&garbage), "hub1").await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error:?}");
}
