//! A WeCom application: its token is got once, used, and renewed when the service ends it.

use std::collections::BTreeMap;

use crate::support::daemon::Site;
use crate::support::http::{Http, Mode, Post};
use crate::support::hub::Hub;
use crate::support::{secret, until};

/// The service: it makes a token for the right secret, and ends `token1` after two messages, `token2` after one.
fn service(posts: &[Post]) -> String {
    let count = |path: &str| posts.iter().filter(|post| post.path.starts_with(path)).count();
    let newest = &posts.last().unwrap().path;
    let tokens = count("/cgi-bin/gettoken");
    if newest == "/cgi-bin/gettoken?corpid=ww1&corpsecret=s%2Fcret" {
        let token = format!("token{tokens}");
        return format!(r#"{{"errcode":0,"errmsg":"ok","access_token":"{token}","expires_in":7200}}"#);
    }
    let sent = count(newest);
    match newest.strip_prefix("/cgi-bin/message/send?access_token=token") {
        Some("1") if sent > 2 => r#"{"errcode":42001,"errmsg":"access_token expired"}"#.into(),
        Some("2") if sent > 1 => r#"{"errcode":40014,"errmsg":"invalid access_token"}"#.into(),
        Some(_) if sent == 1 => r#"{"errcode":0,"errmsg":"ok","invaliduser":"nobody","msgid":"x"}"#.into(),
        Some(_) => r#"{"errcode":0,"errmsg":"ok","msgid":"x"}"#.into(),
        None => r#"{"errcode":40001,"errmsg":"invalid credential"}"#.into(),
    }
}

#[test]
fn a_token_is_got_once_and_renewed_when_the_service_ends_it() {
    let (mut hub, server) = (Hub::start(), Http::start(Mode::By(service)));
    let site = Site::new("");
    let file = secret(&site.path(), "secret", "s/cret\n");
    site.write(&format!(
        "{}[[channel]]\nname = \"app\"\nkind = \"wecom_app\"\nurl = {:?}\ncorpid = \"ww1\"\nagentid = 1000002\n\
         secret_file = {file:?}\ntouser = [\"zhang\", \"nobody\"]\ntoparty = [\"2\"]\nformat = \"text\"\n\
         [[route]]\nchannels = [\"app\"]\n",
        hub.lines(),
        server.url("/")
    ));
    let daemon = site.start();
    hub.wait_for_subscriber();
    for number in 1..=4 {
        hub.event("ccd01", "reboot", "warning", &format!("number {number}"));
        let told = || server.posts().iter().any(|post| post.body.contains(&format!("number {number}")));
        until(&format!("{number} is told"), || told() && site.waiting() == 0);
    }
    let posts = server.posts();
    let mut paths: BTreeMap<&str, usize> = BTreeMap::new();
    for post in &posts {
        *paths.entry(post.path.trim_start_matches("/cgi-bin/")).or_default() += 1;
    }
    let expected = [
        ("gettoken?corpid=ww1&corpsecret=s%2Fcret", 3),
        ("message/send?access_token=token1", 3),
        ("message/send?access_token=token2", 2),
        ("message/send?access_token=token3", 1),
    ];
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), expected);
    let first = posts[1].json();
    assert_eq!((&first["touser"], &first["toparty"]), (&"zhang|nobody".into(), &"2".into()));
    assert_eq!((&first["agentid"], &first["msgtype"]), (&1_000_002.into(), &"text".into()));
    assert!(first["text"]["content"].as_str().unwrap().ends_with("number 1"), "{first}");
    let log = daemon.log();
    assert!(log.contains("reaches the others, but not nobody (invaliduser)"), "{log}");
    assert!(!log.contains("cret") && !log.contains("token1"), "no secret in the log: {log}");
    daemon.stop();
}

#[test]
fn a_wrong_secret_and_a_refusal_are_told() {
    let server = Http::start(Mode::By(service));
    let site = Site::new("");
    let file = secret(&site.path(), "secret", "wrong\n");
    site.write(&format!(
        "[[channel]]\nname = \"app\"\nkind = \"wecom_app\"\nurl = {:?}\ncorpid = \"ww1\"\nagentid = 1\n\
         secret_file = {file:?}\ntouser = [\"@all\"]\n",
        server.url("")
    ));
    let (code, text) = site.told(&["test", "app"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("no access token: refused: invalid credential (errcode 40001)"), "{text}");
    secret(&site.path(), "secret", "s/cret\n");
    let (code, text) = site.told(&["test", "app"]);
    assert!(code == 0 && text.starts_with("channel app: delivered\n"), "{code} {text}");
    server.set(Mode::By(|posts| {
        if posts.last().unwrap().path.contains("gettoken") {
            return r#"{"errcode":0,"access_token":"t","expires_in":7200}"#.into();
        }
        r#"{"errcode":81013,"errmsg":"user & party & tag all invalid"}"#.into()
    }));
    let (code, text) = site.told(&["test", "app"]);
    assert!(code == 1 && text.contains("all invalid (errcode 81013)"), "{code} {text}");
}
