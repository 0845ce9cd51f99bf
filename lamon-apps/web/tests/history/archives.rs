//! Archives that are not there, that come, that go away and are back; SQLite and MariaDB.

use lamon_store::ArchiveUrl;
use lamon_store::testing::{DATABASE, Mariadb, PASSWORD, USER};

use crate::program::{T0, Web, fill, sample, until};

/// A question about what is stored here.
const PATH: &str = "/api/v1/samples?node=ccd01&from=1795305600000&to=1795305610000";

#[test]
fn without_an_archive_that_is_said_and_the_rest_is_answered() {
    let web = Web::start("");
    let (status, sentence) = web.refusal(PATH);
    assert_eq!(status, 503);
    assert!(sentence.contains("no archive is configured: write [database]"), "{sentence}");
    assert_eq!(web.get("/api/v1/nodes").0, 200);
}

#[test]
fn a_file_that_is_made_later_is_read_as_soon_as_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    let web = Web::over(&file);
    let (status, sentence) = web.refusal(PATH);
    assert_eq!(status, 503);
    assert!(
        sentence.contains("the archive cannot be read") && sentence.contains("archive.sqlite"),
        "{sentence}"
    );
    assert_eq!(web.get("/api/v1/nodes").0, 200);
    fill(&ArchiveUrl::sqlite(&file), &[sample("ccd01", T0, 1, &[("cpu_percent", 1.0)])]);
    assert_eq!(web.json(PATH)["rows"][0][1], 1.0);
}

#[test]
fn a_server_that_goes_away_costs_the_past_alone_and_is_found_again() {
    let mut server = Mariadb::start().unwrap();
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), PASSWORD).unwrap();
    fill(&server.url(), &[sample("ccd01", T0, 1, &[("cpu_percent", 12.5), ("temp_a", 3.0)])]);
    let web = Web::start(&format!(
        "[database]\nurl = \"mysql://{USER}@127.0.0.1:{}/{DATABASE}\"\npassword_file = \"{}\"",
        server.port(),
        password.path().display()
    ));
    let row = || web.json(PATH)["rows"][0].to_string();
    assert_eq!(row(), format!("[{T0},12.5,3.0]"));
    let curve = web.json(&format!("/api/v1/history?nodes=ccd01&metrics=temp_a&from={T0}&to={}", T0 + 1_000));
    assert_eq!(curve["series"][0]["metrics"]["temp_a"]["mean"][0], 3.0);
    server.stop().unwrap();
    let (status, sentence) = web.refusal(PATH);
    assert_eq!(status, 503, "{sentence}");
    assert!(sentence.contains("the archive cannot be read"), "{sentence}");
    assert_eq!(web.get("/api/v1/nodes").0, 200);
    server.restart().unwrap();
    until("the past", || (web.get(PATH).0 == 200).then_some(()));
    assert_eq!(row(), format!("[{T0},12.5,3.0]"));
}
