//! Group robots: what they are sent, and that a 200 is not yet a success.

use crate::support::daemon::Site;
use crate::support::http::{Http, Mode, Post};
use crate::support::hub::Hub;
use crate::support::{secret, until};

/// What robots answer when they have too much to do.
const REFUSAL: &str =
    r#"{"errcode":45009,"errmsg":"api freq out of limit","code":9499,"msg":"too many request"}"#;

#[test]
fn robots_are_told_when_they_take_it() {
    let (mut hub, server) = (Hub::start(), Http::start(Mode::Answer(200, REFUSAL.into())));
    let site = Site::new("");
    let mut config = hub.lines();
    for (name, kind, path, sign) in [
        ("wecom", "wecom_robot", "/wecom?key=k", false),
        ("ding", "dingtalk", "/ding?access_token=t", true),
        ("feishu", "feishu", "/feishu", true),
    ] {
        let url = secret(&site.path(), name, &server.url(path));
        config += &format!("[[channel]]\nname = {name:?}\nkind = {kind:?}\nurl_file = {url:?}\n");
        if sign {
            let file = secret(&site.path(), &format!("{name}-sign"), "SECabc");
            config += &format!("secret_file = {file:?}\n");
        }
    }
    config += "[[route]]\nchannels = [\"wecom\", \"ding\", \"feishu\"]\n";
    site.write(&config);
    let daemon = site.start();
    hub.wait_for_subscriber();
    hub.event("ccd01", "level", "error", "ccd01 disk_percent 95 % over 90 <b>: error");
    until("each is tried twice", || {
        ["/wecom", "/ding", "/feishu"].iter().all(|path| of(&server.posts(), path).len() >= 2)
    });
    assert_eq!(site.waiting(), 3, "a refusal in a 200 is none");
    let log = daemon.log();
    assert!(
        log.contains(
            "channel wecom fails, and is tried again: refused: api freq out of limit (errcode 45009)"
        )
    );
    assert!(log.contains("channel feishu fails, and is tried again: refused: too many request (code 9499)"));
    assert!(
        !log.contains("key=k") && !log.contains("SECabc") && !log.contains("access_token"),
        "no secret in the log"
    );
    server.set(Http::good());
    until("all are told", || site.waiting() == 0);
    let posts = server.posts();
    let last = |path| of(&posts, path).pop().unwrap();

    let wecom = last("/wecom").json();
    assert_eq!(wecom["msgtype"], "markdown");
    let content = wecom["markdown"]["content"].as_str().unwrap();
    assert!(content.starts_with("**<font color=\"warning\">lamon error: ccd01</font>**\n"), "{content}");
    assert!(content.ends_with("ccd01 disk_percent 95 % over 90 &lt;b>: error"), "{content}");

    let ding = last("/ding");
    assert!(ding.path.starts_with("/ding?access_token=t&timestamp="), "{}", ding.path);
    assert!(ding.path.contains("&sign=") && !ding.path.ends_with('='), "{}", ding.path);
    assert_eq!(ding.json()["msgtype"], "text");
    assert!(ding.json()["text"]["content"].as_str().unwrap().starts_with("lamon error: ccd01\n"));

    let feishu = last("/feishu").json();
    assert_eq!(feishu["msg_type"], "text");
    assert!(feishu["timestamp"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    assert_eq!(feishu["sign"].as_str().unwrap().len(), 44);
    daemon.stop();
}

fn of(posts: &[Post], path: &str) -> Vec<Post> {
    posts.iter().filter(|post| post.path.starts_with(path)).cloned().collect()
}
