//! Operating a real hub from the web page: what each role may, what reaches the hub and stays, and the hub away.

use std::process::Command;

use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::process::{self, Process};
use lamon_tests::text::say;
use lamon_tests::visitor::{Page, Visitor};
use lamon_tests::wait::eventually;
use serde_json::{Value, json};

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

/// A fingerprint, as every key has one.
const KEY: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Every change, with a body that the hub takes, and the lowest role that may make it.
fn changes() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "limits",
            json!({"node": "ccd01", "metric": "disk_percent", "warning": 90, "error": 99, "reason": "new disk"}),
            "operate",
        ),
        ("limits", json!({"name": "disk", "warning": 85.5}), "operate"),
        ("limits/reset", json!({"name": "disk"}), "operate"),
        ("mutes", json!({"target": "@ccd", "seconds": 3600, "reason": "works"}), "operate"),
        ("mutes/end", json!({"mute": "@ccd"}), "operate"),
        ("acks", json!({"node": "door", "metric": "disk_percent", "reason": "Li moves data"}), "operate"),
        ("gates/override", json!({"gate": "disks", "seconds": 600, "reason": "a test"}), "operate"),
        ("gates/release", json!({"gate": "disks"}), "operate"),
        ("keys/approve", json!({"node": "ccd09", "key": KEY}), "admin"),
        ("keys/revoke", json!({"target": "ccd09", "reason": "a test"}), "admin"),
        ("reload", json!({}), "admin"),
    ]
}

async fn hub() -> Hub {
    let hub = Hub::collector().with(TABLES).start();
    for line in ["node=ccd01 disk_percent=85", "node=door disk_percent=97"] {
        assert_eq!(say(hub.address(), line).await.ok().as_deref(), Some("ok"));
    }
    hub
}

#[tokio::test]
async fn each_role_may_what_it_may_and_the_hub_hears_whose_it_was() {
    let hub = hub().await;
    let page = Page::with_users(&hub);
    let nobody = page.visitor();
    let (vic, olga, ada) = (page.logged_in("vic"), page.logged_in("olga"), page.logged_in("ada"));
    for (path, body, role) in changes() {
        assert_eq!(nobody.post(path, &body).code, 401, "{path}");
        let refused = vic.post(path, &body);
        assert_eq!(refused.code, 403, "{path}: {refused:?}");
        assert!(
            refused.body.contains(&format!("vic may view, and this takes the role {role}")),
            "{refused:?}"
        );
        let stranger = Visitor { token: None, ..ada.clone() };
        assert!(stranger.post(path, &body).body.contains("X-Lamon-Csrf"), "{path}");
        let foreign = Visitor { origin: Some("http://evil.example".into()), ..ada.clone() };
        assert_eq!(foreign.post(path, &body).code, 403, "{path}");
    }
    for (visitor, code) in [(&nobody, 401), (&olga, 403), (&ada, 200)] {
        assert_eq!(visitor.get("/api/v1/keys").code, code);
    }
    let settings = olga.get("/api/v1/settings").json();
    assert_eq!(settings, json!({"mutes": [], "acks": []}), "nothing was changed so far");
    for (path, body, role) in changes() {
        let answer = olga.post(path, &body);
        assert_eq!(answer.code, if role == "operate" { 200 } else { 403 }, "{path}: {answer:?}");
        let answer = ada.post(path, &body);
        // What is ended already cannot be ended again.
        let again = path.contains("end") || path.contains("re");
        assert!(answer.code == 200 || (again && answer.code != 403), "{path}: {answer:?}");
    }
    let said = lamon(hub.control(), "events").out;
    for words in ["olga (", "85.5", "Li moves data", "a test", "works"] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    page.process().says("the hub was operated");
    let log = page.process().log().join("\n");
    assert!(log.contains("user=\"olga\" from=\"127.0.0.1\""), "{log}");
    assert!(!log.contains("vic\" from"), "what is refused reaches no hub");
}

#[tokio::test]
async fn what_is_set_on_the_page_is_judged_at_once_and_outlives_the_hub() {
    let hub = hub().await;
    let page = Page::with_users(&hub);
    let olga = page.logged_in("olga");
    let level = |page: &Page| {
        page.visitor().get("/api/v1/nodes/ccd01").json()["metrics"]["disk_percent"]["level"].clone()
    };
    eventually("the warning on the page", || async { (level(&page) == "warning").then_some(()) }).await;
    let set = olga.post(
        "limits",
        &json!({"node": "ccd01", "metric": "disk_percent", "warning": 90, "reason": "new disk"}),
    );
    assert_eq!(set.code, 200, "{set:?}");
    assert!(set.json()["text"].as_str().unwrap().contains("warning > 90"), "{set:?}");
    eventually("all is well on the page", || async { (level(&page) == "good").then_some(()) }).await;
    let muted = olga.post("mutes", &json!({"target": "door", "seconds": 3600, "reason": "<b>works</b>"}));
    assert_eq!((muted.code, muted.json()["id"].as_u64()), (200, Some(1)), "{muted:?}");
    let acknowledged = olga.post("acks", &json!({"node": "door", "reason": "Li knows"}));
    assert_eq!(acknowledged.code, 200, "{acknowledged:?}");
    let explained = olga.get("/api/v1/explain?node=ccd01&metric=disk_percent").json();
    assert!(explained["lines"].to_string().contains("olga"), "{explained}");
    let gates = olga.get("/api/v1/gates").json();
    assert_eq!(gates["gates"][0]["gate"], "disks", "{gates}");

    let hub = hub.crash().start();
    let settings = eventually("the hub of after", || async {
        let answer = olga.get("/api/v1/settings");
        (answer.code == 200).then(|| answer.json())
    })
    .await;
    assert_eq!(settings["limits"][0]["warning"], 90.0, "{settings}");
    assert_eq!(settings["mutes"][0]["reason"], "<b>works</b>");
    assert!(settings["acks"][0]["who"].as_str().unwrap().starts_with("olga ("), "{settings}");
    assert_eq!(olga.post("limits/reset", &json!({"node": "ccd01", "metric": "disk_percent"})).code, 200);
    assert!(!lamon(hub.control(), "settings").out.contains("ccd01 disk_percent"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_hubs_sentence() {
    let hub = hub().await;
    let page = Page::with_users(&hub);
    let ada = page.logged_in("ada");
    for (path, body, code, said) in [
        ("limits", json!({"node": "ccd01", "metric": "disk_percent"}), 400, "say warning, error, or both"),
        ("limits", json!({"node": "ccd01", "metric": "disk_percent", "warning": 95, "error": 90}), 400, ""),
        (
            "limits",
            json!({"node": "ccd01", "metric": "disk_percent", "warning": "5 parsecs"}),
            400,
            "parsecs",
        ),
        ("limits", json!({"name": "nothing", "warning": 1}), 404, "there is no rule \"nothing\""),
        ("limits", json!({"node": "ccd01", "warning": 1}), 400, "a node and metric together"),
        (
            "mutes",
            json!({"target": "@dome", "seconds": 60, "reason": "x"}),
            404,
            "there is no group \"dome\"",
        ),
        ("mutes", json!({"target": "a", "seconds": 60, "reason": ""}), 400, "reason"),
        ("mutes/end", json!({"mute": "7"}), 404, "there is no mute \"7\""),
        ("acks", json!({"node": "nobody", "reason": "x"}), 404, "the hub knows no node \"nobody\""),
        ("gates/release", json!({"gate": "disks"}), 409, ""),
        ("gates/override", json!({"gate": "none", "seconds": 60, "reason": "x"}), 404, "none"),
        ("forget", json!({"node": "ccd01"}), 409, "ccd01 is heard: stop its agent first"),
        ("reload", json!({"now": true}), 400, "unknown field"),
    ] {
        let answer = ada.post(path, &body);
        assert_eq!(answer.code, code, "{path} {body}: {answer:?}");
        assert!(answer.json()["error"].as_str().unwrap().contains(said), "{path} {body}: {answer:?}");
    }
    for (path, code) in [
        ("/api/v1/explain?node=ccd01", 400),
        ("/api/v1/explain?node=ccd01&metric=nothing", 404),
        ("/api/v1/explain?node=nobody&metric=load1", 404),
    ] {
        assert_eq!(ada.get(path).code, code, "{path}");
    }
}

#[tokio::test]
async fn a_hub_that_is_away_is_told_with_the_remedy_and_found_again() {
    let hub = hub().await;
    let page = Page::with_users(&hub);
    let olga = page.logged_in("olga");
    let mute = json!({"target": "door", "seconds": 3600, "reason": "works"});
    let builder = hub.crash();
    let answer = olga.post("mutes", &mute);
    assert_eq!(answer.code, 503, "{answer:?}");
    assert!(answer.body.contains("no hub answers at") && answer.body.contains("is it running"), "{answer:?}");
    assert_eq!(olga.get("/api/v1/gates").code, 503);
    assert_eq!(olga.get("/api/v1/nodes").code, 200, "what is known is still shown");
    let _hub = builder.start();
    assert_eq!(olga.post("mutes", &mute).code, 200);
}

#[tokio::test]
async fn what_other_limits_would_have_made_is_what_the_hub_told_with_those_of_now() {
    let hub = Hub::collector().with(TABLES).start();
    let page = Page::with_users(&hub);
    let visitor = page.visitor();
    let values = [50, 85, 79, 81, 50, 85, 95, 50, 97];
    for value in values {
        assert_eq!(
            say(hub.address(), &format!("node=ccd01 disk_percent={value}")).await.ok().as_deref(),
            Some("ok")
        );
    }
    let ask = |more: &str| {
        let range = "from=1700000000000&to=1999999999999";
        visitor.get(&format!("/api/v1/whatif?node=ccd01&metric=disk_percent&name=disk&{range}{more}"))
    };
    // The range is years, so rows of hours are wanted; only samples are there yet.
    let short = |more: &str| {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let range = format!("from={}&to={}", now - 60_000, now + 60_000);
        visitor.get(&format!("/api/v1/whatif?node=ccd01&metric=disk_percent&name=disk&{range}{more}"))
    };
    let told = eventually("the samples in the archive", || async {
        let answer = short("");
        (answer.json()["now"] == 4).then(|| answer.json())
    })
    .await;
    assert_eq!(told, json!({"events": 4, "now": 4, "tier": "samples"}));
    let hubs = lamon(hub.control(), "events --node ccd01").out;
    let rises = hubs.lines().filter(|line| line.contains(" over ")).count();
    assert_eq!(rises, 4, "{hubs}");
    for (more, wanted) in [
        ("&warning=90&error=none", 2),
        ("&warning=none&error=96", 1),
        ("&warning=80.5", 4),
        ("&warning=60&error=99", 3),
        ("&warning=none&error=none", 0),
    ] {
        let answer = short(more);
        assert_eq!(answer.json()["events"], wanted, "{more}: {answer:?}");
    }
    assert_eq!(ask("").code, 200);
    for (path, code) in [
        ("node=ccd01&metric=disk_percent&name=cpu&from=1&to=2", 404),
        ("node=ccd01&metric=nothing&name=disk&from=1&to=2", 404),
        ("node=nobody&metric=disk_percent&name=disk&from=1&to=2", 404),
        ("node=ccd01&metric=disk_percent&name=disk&from=2&to=1", 400),
        ("node=ccd01&metric=disk_percent&name=disk&from=1&to=2&warning=many", 400),
        ("node=ccd01&metric=disk_percent&name=disk&from=1", 400),
    ] {
        assert_eq!(visitor.get(&format!("/api/v1/whatif?{path}")).code, code, "{path}");
    }
}

#[tokio::test]
async fn a_node_that_waits_is_approved_on_the_page() {
    let hub = Hub::collector().believing("[]").start();
    let page = Page::with_users(&hub);
    let ada = page.logged_in("ada");
    let keys = ada.get("/api/v1/keys").json();
    let hub_key = keys["hub"].as_str().unwrap_or_default().to_owned();
    let folder = page.folder().join("agent");
    std::fs::create_dir(&folder).unwrap();
    let config = folder.join("agent.toml");
    std::fs::write(&config, format!("node = \"ccd01\"\nkey = {:?}\n", folder.join("agent.key"))).unwrap();
    let mut command = Command::new(process::find("lamon-agent").unwrap());
    command.args(["enroll", &hub.address().to_string(), "--hub-key", &hub_key, "-c"]).arg(&config);
    let mut agent = Process::run("lamon-agent", command, None).unwrap();
    let waiting = eventually("the node that waits", || async {
        let waiting = ada.get("/api/v1/keys").json()["waiting"][0].clone();
        waiting.is_object().then_some(waiting)
    })
    .await;
    assert_eq!(waiting["node"], "ccd01");
    let half = json!({"node": "ccd01", "key": "SHA256:AAAA"});
    assert_eq!(ada.post("keys/approve", &half).code, 400, "what was looked at is approved, nothing else");
    let approved = ada.post("keys/approve", &json!({"node": "ccd01", "key": waiting["key"]}));
    assert_eq!(approved.code, 200, "{approved:?}");
    assert!(tokio::task::spawn_blocking(move || agent.wait()).await.unwrap().unwrap().success());
    let keys = ada.get("/api/v1/keys").json();
    assert!(keys["approved"][0]["who"].as_str().unwrap().starts_with("ada ("), "{keys}");
    assert_eq!(ada.post("keys/revoke", &json!({"target": "ccd01", "reason": "stolen"})).code, 200);
    assert_eq!(ada.get("/api/v1/keys").json()["revoked"][0]["reason"], "stolen");
}
