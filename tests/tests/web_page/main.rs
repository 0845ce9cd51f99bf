//! The web page in a real browser, against the real hub and the real lamon-web. What is clicked and seen is written in
//! `lamon-apps/web/page/tests/`; pictures and numbers are in `target/screenshots/` afterwards.

mod operate;
mod past;

use lamon_tests::agent::Agent;
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::text::say;
use lamon_tests::wait::eventually;
use lamon_tests::web::Web;

use self::past::{A_DAY, A_YEAR, Past, hub_with};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_shown_with_its_past() {
    let pasts = [
        Past { node: "ccd01".into(), every: A_YEAR, phase: 0.0, busier: 0.0 },
        Past { node: "ccd02".into(), every: A_DAY, phase: 1.5, busier: 0.0 },
    ];
    let (hub, database) = hub_with(Hub::collector().with(GROUPS), &pasts).await.unwrap();
    let web = Web::following(&hub, &database);
    web.story(&hub, "node", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_curves_are_drawn_since_the_page_was_opened() {
    let hub = Hub::collector().start();
    let web = Web::following(&hub, "");
    let agent = Agent::named("realnode").sending_to(hub.address()).start();
    web.story(&hub, "live_curve", &[]).await;
    agent.terminate().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_that_is_unlike_the_others_is_found() {
    let past = |number: u32| Past {
        node: format!("ccd{number:02}"),
        every: A_DAY,
        phase: 0.02 * f64::from(number),
        busier: if number == 5 { 35.0 } else { 0.0 },
    };
    let pasts: Vec<_> = (1..=12).map(past).collect();
    let (hub, database) = hub_with(Hub::collector().with(GROUPS), &pasts).await.unwrap();
    let web = Web::following(&hub, &database);
    web.story(&hub, "compare", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_found_and_a_night_has_its_page() {
    let (hub, database) = hub_with(Hub::collector().with(GROUPS), &[]).await.unwrap();
    let web = Web::following(&hub, &database);
    assert_eq!(say(hub.address(), "node=fibre1 disk_percent=50 interval=600").await.unwrap(), "ok");
    let muted = lamon(hub.control(), "mute fibre1 --for 1h -m '<img src=x onerror=alert(1)>'");
    assert_eq!(muted.code, Some(0), "{muted:?}");
    assert_eq!(lamon(hub.control(), "unmute fibre1").code, Some(0));
    web.story(&hub, "events", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_what_is_away_and_comes_back() {
    let mut hub = Hub::collector().with(GROUPS).start();
    let web = Web::following(&hub, "");
    let ids = [("HUB_PID", hub.id().to_string().into()), ("WEB_PID", web.id().to_string().into())];
    let address = hub.address();
    let again = async {
        // The story kills it.
        eventually("the end of the hub", || std::future::ready((!hub.is_running()).then_some(()))).await;
        hub.crash().start()
    };
    let (hub, ()) = tokio::join!(again, web.story_of(address, "away", &ids));
    assert_eq!(hub.address(), address);
}
