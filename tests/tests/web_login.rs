//! Who is let in to the web page: users, passwords, sessions, TLS.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use lamon_tests::hub::Hub;
use lamon_tests::visitor::{Connection, PASSWORD, Page, Visitor, certificate, lamon_web};
use lamon_tests::wait::{PATIENCE, eventually, patiently};
use rustix::process::Signal;
use serde_json::json;

#[tokio::test]
async fn users_are_made_by_the_command_and_nobody_else_may_read_their_file() {
    let hub = Hub::collector().start();
    let page = Page::with_users(&hub);
    let users = page.folder().join("users");
    assert_eq!(users.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&users).unwrap().contains(PASSWORD));
    for (line, password, wanted, said) in [
        ("user list", "", 0, "ada   admin\nolga  operate\nvic   view\n"),
        ("user add vic", PASSWORD, 1, "there is a user vic: lamon-web user password vic"),
        ("user add bo", "short", 1, "a password has at least 10 characters"),
        ("user add a:b", PASSWORD, 1, "\"a:b\" is no name"),
        ("user add bo --role god", PASSWORD, 2, "[possible values: view, operate, admin]"),
        ("user remove bo", "", 1, "there is no user bo: lamon-web user list shows them"),
        ("user password bo", PASSWORD, 1, "there is no user bo"),
        ("user password vic --role operate", PASSWORD, 0, "vic has another password"),
        ("check", "", 0, "3 may log in, by "),
    ] {
        let (code, told) = lamon_web(page.folder(), line, password);
        assert_eq!(code, Some(wanted), "{line}: {told}");
        assert!(told.contains(said), "{line}: {told}");
    }
    std::fs::set_permissions(&users, Permissions::from_mode(0o644)).unwrap();
    let (code, told) = lamon_web(page.folder(), "check", "");
    assert_eq!(code, Some(78), "{told}");
    assert!(told.contains("may be used by others than its owner: chmod 600"), "{told}");
    page.process().says("may be used by others than its owner");
}

#[tokio::test]
async fn a_login_is_refused_and_allowed_and_ends() {
    let hub = Hub::collector().start();
    let page = Page::with_users(&hub);
    let mut visitor = page.visitor();
    assert_eq!(visitor.get("/api/v1/nodes").code, 200, "reading is open on this computer");
    assert_eq!(visitor.who(), None);
    for (user, password) in [("vic", "wrong"), ("nobody", PASSWORD), ("", ""), ("vic", "")] {
        let answer = visitor.log_in(user, password);
        assert_eq!(answer.code, 401, "{user}: {answer:?}");
        assert_eq!(answer.json()["error"], "wrong name or password");
        assert_eq!(answer.header("set-cookie"), None);
    }
    let answer = visitor.log_in("vic", PASSWORD);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("lamon_session=") && cookie.contains("; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(visitor.who(), Some(("vic".into(), "view".into())));
    page.process().says("vic logged in from 127.0.0.1");
    assert!(!page.process().log().iter().any(|line| line.contains(PASSWORD) || line.contains("nobody\"")));

    // Without the token, or with that of another session, nothing is changed; not even the session.
    let other = page.logged_in("vic");
    for token in [None, Some("x".into()), other.token] {
        let stranger = Visitor { token, ..visitor.clone() };
        let answer = stranger.post("logout", &json!({}));
        assert_eq!(answer.code, 403, "{answer:?}");
        assert!(answer.body.contains("X-Lamon-Csrf"), "{answer:?}");
    }
    for origin in [None, Some("http://evil.example"), Some("null"), Some("http://localhost:1")] {
        let stranger = Visitor { origin: origin.map(str::to_owned), ..visitor.clone() };
        assert_eq!(stranger.post("logout", &json!({})).code, 403, "{origin:?}");
        assert_eq!(stranger.clone().log_in("vic", PASSWORD).code, 403, "{origin:?}");
    }
    assert_eq!(visitor.who(), Some(("vic".into(), "view".into())));
    let answer = visitor.post("logout", &json!({}));
    assert_eq!(answer.code, 204);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!((visitor.who(), visitor.post("logout", &json!({})).code), (None, 401));

    // A restart ends all sessions.
    let visitor = page.logged_in("olga");
    let page = page.restart();
    assert_eq!(visitor.who(), None);
    drop(page);
}

#[tokio::test]
async fn a_session_ends_when_its_user_goes_or_has_another_password() {
    let hub = Hub::collector().start();
    let page = Page::with_users(&hub);
    let (vic, olga, ada) = (page.logged_in("vic"), page.logged_in("olga"), page.logged_in("ada"));
    assert_eq!(lamon_web(page.folder(), "user remove vic", "").0, Some(0));
    assert_eq!(lamon_web(page.folder(), "user password olga", "another password").0, Some(0));
    for visitor in [&vic, &olga] {
        eventually("the end of the session", || async { visitor.who().is_none().then_some(()) }).await;
    }
    assert!(ada.who().is_some());
    let mut visitor = page.visitor();
    assert_eq!(visitor.log_in("vic", PASSWORD).code, 401);
    assert_eq!(visitor.log_in("olga", PASSWORD).code, 401);
    assert_eq!(visitor.log_in("olga", "another password").code, 200);
    assert_eq!(visitor.who(), Some(("olga".into(), "operate".into())), "the role stays");
    assert_eq!(lamon_web(page.folder(), "user add new", PASSWORD).0, Some(0));
    eventually("the new user", || async {
        (page.visitor().log_in("new", PASSWORD).code == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn guesses_are_slowed_and_unknown_names_cost_the_same_time() {
    let hub = Hub::collector().start();
    let page = Page::with_users(&hub);
    let mut visitor = page.visitor();
    let mut took = [Duration::MAX; 2];
    for _ in 0..2 {
        for (name, took) in ["vic", "nobody"].iter().zip(&mut took) {
            let began = Instant::now();
            assert_eq!(visitor.log_in(name, "a wrong password").code, 401);
            *took = began.elapsed().min(*took);
        }
    }
    let [known, unknown] = took.map(|took| took.as_secs_f64());
    // A comparison takes tens of milliseconds, all else less than one; the machine may be busy.
    assert!(unknown > known / 10.0 && known > unknown / 10.0, "{known} {unknown}");
    let refused =
        (0..10).map(|_| visitor.log_in("vic", "a wrong password")).find(|answer| answer.code == 429);
    let refused = refused.unwrap();
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=4).contains(&wait), "{refused:?}");
    assert!(refused.body.contains("too many wrong passwords"), "{refused:?}");
    assert_eq!(page.visitor().log_in("olga", PASSWORD).code, 429, "the address waits, for every name");
    assert_eq!(page.visitor().get("/api/v1/nodes").code, 200, "who reads does not wait");
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_refused() {
    let hub = Hub::collector().start();
    let page = Page::with_users(&hub);
    let visitor = page.visitor();
    for (body, wanted) in [
        (json!({}), 400),
        (json!([]), 400),
        (json!({"user": "vic"}), 400),
        (json!({"user": 1, "password": "x"}), 400),
        (json!({"user": "vic", "password": "x", "role": "admin"}), 400),
        (json!({"user": "vic", "password": "x".repeat(9_000)}), 413),
    ] {
        let answer = visitor.post("login", &body);
        assert_eq!(answer.code, wanted, "{answer:?}");
        assert!(answer.json()["error"].is_string(), "{answer:?}");
    }
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nConnection: close\r\n",
        page.address()
    );
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b";
    assert_eq!(visitor.raw(&format!("{head}{form}")).code, 415);
    let read = format!("GET /api/v1/login HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", page.address());
    assert_eq!(visitor.raw(&read).code, 405);
    // A body that does not come costs its own connection alone.
    let slow = format!("{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{");
    assert_eq!(visitor.raw(&slow).code, 408);
}

#[tokio::test]
async fn by_tls_whoever_is_not_logged_in_sees_nothing() {
    let hub = Hub::collector().start();
    let (folder, at) =
        Page::prepare(&hub, "", "required = true\n[tls]\ncertificate = \"web.crt\"\nkey = \"web.key\"");
    let file = folder.path().join("web.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(&file, text.replace("web.crt", &place("web.crt")).replace("web.key", &place("web.key")))
        .unwrap();
    let (code, said) = lamon_web(folder.path(), "check", "");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("nobody may log in: lamon-web user add NAME first"), "{said}");
    assert_eq!(lamon_web(folder.path(), "user add vic", PASSWORD).0, Some(0));
    let (code, said) = lamon_web(folder.path(), "check", "");
    assert!(code == Some(78) && said.contains("web.crt cannot be read"), "{said}");
    let believed = certificate(folder.path());
    let (code, said) = lamon_web(folder.path(), "check", "");
    assert!(
        code == Some(0) && said.contains("https://") && said.contains("nothing is shown to others"),
        "{said}"
    );

    let page = Page::start((folder, at));
    page.process().says("the page is at https://127.0.0.1:");
    let mut visitor = Visitor::new(at, "https", Connection::believing(&believed));
    for path in [
        "/api/v1/nodes",
        "/api/v1/live",
        "/api/v1/site",
        "/api/v1/events",
        "/metrics",
        "/api/v1/openapi.json",
    ] {
        let answer = visitor.get(path);
        assert_eq!((answer.code, answer.json()["error"].as_str()), (401, Some("log in first")), "{path}");
    }
    for path in ["/", "/api/v1/me"] {
        assert_eq!(visitor.get(path).code, 200, "{path}");
    }
    assert!([200, 503].contains(&visitor.get("/healthz").code));
    assert_eq!(visitor.get("/api/v1/me").json()["required"], true);
    let plain = Visitor { origin: Some(format!("http://{at}")), ..visitor.clone() };
    assert_eq!(plain.clone().log_in("vic", PASSWORD).code, 403, "a page without TLS is another page");
    let answer = visitor.log_in("vic", PASSWORD);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-lamon_session=") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(answer.header("strict-transport-security").is_some());
    assert_eq!(visitor.get("/api/v1/nodes").code, 200);

    // A program that reads brings name and password; it changes nothing, and has no stream without an end.
    let mut program = Visitor { cookie: None, token: None, ..visitor.clone() };
    for (basic, path, code) in [
        ("dmljOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", "/metrics", 200),
        ("dmljOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", "/api/v1/nodes", 200),
        ("dmljOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", "/api/v1/live", 401),
        ("dmljOndyb25n", "/metrics", 401),
    ] {
        program.basic = Some(basic.into());
        assert_eq!(program.get(path).code, code, "{basic} {path}");
    }

    // The live stream of somebody who is removed ends.
    let stream = visitor.clone();
    let stream = tokio::task::spawn_blocking(move || stream.get("/api/v1/live"));
    assert_eq!(lamon_web(page.folder(), "user remove vic", "").0, Some(0));
    let stream = patiently("the end of the stream", stream).await.unwrap();
    assert_eq!(stream.code, 200);
    assert_eq!(visitor.get("/api/v1/nodes").code, 401);

    // Another certificate, without an end of the program; a wrong one changes nothing.
    std::fs::write(page.folder().join("web.crt"), "nonsense").unwrap();
    page.process().signal(Signal::HUP);
    page.process().says("the certificate of before stays in use");
    assert_eq!(visitor.get("/api/v1/me").code, 200);
    let renewed = certificate(page.folder());
    page.process().signal(Signal::HUP);
    page.process().says("the certificate was read again");
    let other = Visitor { connection: Connection::believing(&renewed), ..visitor };
    assert_eq!(other.get("/api/v1/me").code, 200);

    // Who says nothing, or no TLS, costs his connection.
    let silent = std::net::TcpStream::connect(at).unwrap();
    let mut plain = std::net::TcpStream::connect(at).unwrap();
    std::io::Write::write_all(&mut plain, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = std::io::Read::read_to_end(&mut plain, &mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(other.get("/api/v1/me").code, 200);
    let ended = tokio::task::spawn_blocking(move || {
        silent.set_read_timeout(Some(PATIENCE)).unwrap();
        std::io::Read::read(&mut &silent, &mut [0]).unwrap_or(0)
    });
    assert_eq!(patiently("the end of a connection without a word", ended).await.unwrap(), 0);
}

#[test]
fn elsewhere_than_on_loopback_it_takes_tls_and_users() {
    let hub = Hub::collector().start();
    let (folder, at) = Page::prepare(&hub, "hosts = [\"lamon.example.org\"]", "");
    let file = folder.path().join("web.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let open = text.replace(&at.to_string(), "0.0.0.0:8617");
    std::fs::write(&file, &open).unwrap();
    let (code, said) = lamon_web(folder.path(), "check", "");
    assert!(
        code == Some(78) && said.contains("web.toml:1:1: 0.0.0.0:8617 is not of this computer alone"),
        "{said}"
    );
    let _ = certificate(folder.path());
    let place = |name: &str| folder.path().join(name);
    let tls = format!("{open}[tls]\ncertificate = {:?}\nkey = {:?}\n", place("web.crt"), place("web.key"));
    std::fs::write(&file, tls).unwrap();
    let (code, said) = lamon_web(folder.path(), "check", "");
    assert!(code == Some(78) && said.contains("nobody may log in"), "{said}");
    assert_eq!(lamon_web(folder.path(), "user add vic", PASSWORD).0, Some(0));
    let (code, said) = lamon_web(folder.path(), "check", "");
    assert!(code == Some(0) && said.contains("for every computer that reaches it"), "{said}");

    // The names that it answers to.
    std::fs::write(&file, text).unwrap();
    let page = Page::start((folder, at));
    for (host, wanted) in
        [("lamon.example.org", 200), ("localhost", 200), ("evil.example.org", 403), ("192.0.2.1", 403)]
    {
        let answer = page
            .visitor()
            .raw(&format!("GET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.code, wanted, "{host}: {answer:?}");
    }
}
