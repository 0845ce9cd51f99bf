//! The web page in a real browser, against the real hub and the real lamon-web. What is clicked and seen is written in
//! `lamon-apps/web/page/tests/`; pictures and numbers are in `target/screenshots/` afterwards.

use lamon_tests::agent::Agent;
use lamon_tests::hub::Hub;
use lamon_tests::web::Web;

/// Two groups, as a site has them.
const GROUPS: &str =
    "[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]\n[[group]]\nname = \"fibre\"\nnodes = [\"fibre*\"]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_overview_is_live() {
    let hub = Hub::collector().with(GROUPS).start();
    let web = Web::following(&hub, "");
    let agent = Agent::named("realnode").sending_to(hub.address()).start();
    web.story(&hub, "overview", &[]).await;
    agent.terminate().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_has_two_languages_two_colours_and_fits_a_phone() {
    let hub = Hub::collector().with(GROUPS).start();
    let web = Web::following(&hub, "");
    web.story(&hub, "looks", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_nodes_are_painted() {
    let hub = Hub::collector().with(GROUPS).quietly().start();
    let web = Web::following(&hub, "");
    web.story(&hub, "many", &[]).await;
}
