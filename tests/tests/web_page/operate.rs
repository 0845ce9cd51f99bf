//! Who may do what, seen in the browser, and what the hub has of it.

use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::visitor::{PASSWORD, Page, add_users};
use lamon_tests::web::Web;

const TABLES: &str = r#"
[[group]]
name = "ccd"
nodes = ["ccd*"]

[[gate]]
name = "disks"
nodes = ["@ccd"]
metrics = ["disk_percent"]
block = ["exposure"]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_sets_on_the_page_reaches_the_hub_and_a_viewer_sets_nothing() {
    let hub = Hub::collector().with(TABLES).start();
    let (folder, _) = Page::prepare(&hub, "", "");
    add_users(folder.path());
    let users = folder.path().join("users");
    let archive = hub.data_dir().join("archive.sqlite");
    let lines = format!(
        "[control]\nsocket = {:?}\n[login]\nusers = {users:?}\n[database]\nurl = \"sqlite:{}\"\n",
        hub.control(),
        archive.display()
    );
    let approved = lamon(hub.control(), "approve cam1 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let web = Web::following(&hub, &lines);
    web.story(&hub, "operate", &[("PASSWORD", PASSWORD.into())]).await;
    let settings = lamon(hub.control(), "settings").out;
    assert!(settings.contains("ccd01 disk_percent") && settings.contains("new disks come"), "{settings}");
    assert!(settings.contains("Li moves data") && !settings.contains("works"), "{settings}");
}
