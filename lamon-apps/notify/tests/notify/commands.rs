//! `check`, `test`, and programs as channels.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::support::daemon::Site;
use crate::support::{script, secret, until};

#[test]
fn check_says_what_it_means_and_what_is_wrong() {
    let site = Site::new("");
    let (code, text) = site.told(&["check"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("there is no route: nobody is told anything"), "{text}");

    site.write("[[route]]\nchannels = [\"robot\"]\n");
    let (code, text) = site.told(&["check"]);
    assert_eq!(code, 78, "{text}");
    assert!(text.contains("notify.toml:6:13: there is no channel \"robot\" (there is none)"), "{text}");
    assert!(text.contains("channels = [\"robot\"]\n  |             ^^^^^^^"), "{text}");
    assert_eq!(site.told(&[]).0, 78, "the daemon does not start either");

    let url = secret(&site.path(), "url", "https://example.org/\n");
    let channel = format!(
        "[[channel]]\nname = \"robot\"\nkind = \"wecom_robot\"\nurl_file = {url:?}\nlimit = 9\nper = \"1m\"\n"
    );
    site.write(&format!(
        "{channel}[[route]]\nname = \"all\"\nlevels = [\"error\"]\nchannels = [\"robot\"]\n"
    ));
    let (code, text) = site.told(&["check"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("channel robot: at most 9 messages in 60 s\nroute all: error to robot\n"),
        "{text}"
    );
    fs::set_permissions(&url, Permissions::from_mode(0o644)).unwrap();
    let (code, text) = site.told(&["check"]);
    assert_eq!(code, 78, "{text}");
    assert!(text.contains("channel robot would fail: the file ") && text.contains(": chmod 600 /"), "{text}");

    let (code, text) = site.told(&["test", "robot"]);
    assert!(code == 1 && text.contains(": chmod 600 /"), "{code} {text}");
    assert_eq!(
        site.told(&["test", "fax"]),
        (64, "lamon-notify: there is no channel \"fax\": robot\n".into())
    );
}

#[test]
fn a_program_has_the_text_on_its_input_and_the_rest_in_its_environment() {
    let site = Site::new("");
    let told = site.path().join("told");
    let program = script(
        &site.path(),
        "tell",
        &format!("(echo \"$1 $LAMON_TITLE, $LAMON_LEVEL, $LAMON_ROUTE\"; cat) > {}", told.display()),
    );
    let channel = |program: &Path, more: &str| {
        format!(
            "[[channel]]\nname = \"sms\"\nkind = \"command\"\ncommand = [{program:?}, \"+86 138\"]\n{more}"
        )
    };
    site.write(&channel(&program, ""));
    assert_eq!(site.told(&["test", "sms", "-m", "hello"]), (0, "channel sms: delivered\n".into()));
    assert_eq!(fs::read_to_string(&told).unwrap(), "+86 138 lamon: a test, good, test\nhello\n");

    let failing = script(&site.path(), "fail", "exit 3");
    site.write(&channel(&failing, ""));
    let (code, text) = site.told(&["test", "sms"]);
    assert!(code == 1 && text.contains("ended with exit status: 3"), "{code} {text}");

    // One that does not read, does not end, and has started another that does not either.
    let child = site.path().join("child");
    let endless =
        script(&site.path(), "endless", &format!("sleep 1000 &\necho $! > {}\nwait", child.display()));
    site.write(&channel(&endless, "timeout = \"500ms\"\n"));
    let (code, text) = site.told(&["test", "sms"]);
    assert!(code == 1 && text.contains("did not end within 0.5 s and was killed"), "{code} {text}");
    let child: u32 = fs::read_to_string(child).unwrap().trim().parse().unwrap();
    until("what it started is gone", || {
        // Nobody may be there to bury it.
        fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| stat.contains(") Z "))
            || !Path::new(&format!("/proc/{child}")).exists()
    });

    site.write(&channel(Path::new("/nonexistent/tell"), ""));
    let (code, text) = site.told(&["check"]);
    assert!(code == 78 && text.contains("/nonexistent/tell cannot be run"), "{code} {text}");
}

#[test]
fn a_log_daemon_has_a_line_for_each() {
    let site = Site::new("");
    let socket = site.path().join("log.sock");
    let daemon = UnixDatagram::bind(&socket).unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    site.write(&format!("[[channel]]\nname = \"log\"\nkind = \"syslog\"\nsocket = {socket:?}\n"));
    assert_eq!(site.told(&["test", "log", "-m", "one\ntwo"]), (0, "channel log: delivered\n".into()));
    let line = || {
        let mut bytes = [0; 1_024];
        let length = daemon.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    // daemon (3) and notice (5): 3 * 8 + 5.
    for expected in ["lamon: a test: one", "lamon: a test: two"] {
        let line = line();
        assert!(line.starts_with("<29>") && line.trim_end().ends_with(expected), "{line}");
    }
    fs::remove_file(&socket).unwrap();
    let (code, text) = site.told(&["check"]);
    assert!(code == 78 && text.contains("the log daemon at "), "{code} {text}");
}
