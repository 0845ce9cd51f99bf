//! lamon-notify against the real hub: what people are told, from a node that goes bad to a hub that is killed.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::process::{self, Process, quoted};
use lamon_tests::receivers::Receiver;
use lamon_tests::text::say;
use lamon_tests::usage;
use lamon_tests::wait::eventually;
use tempfile::TempDir;

/// lamon-notify, which tells both servers everything.
fn notify(folder: &Path, hub: &Hub, web: &Receiver, mail: &Receiver) -> anyhow::Result<Process> {
    let path = folder.join("notify.toml");
    let (state, publish, snapshot) = (quoted(&folder.join("state")), hub.publish(), hub.snapshot());
    let text = format!(
        "publish = {publish:?}\nsnapshot = {snapshot:?}\nstate = {state}\nwindow = \"200ms\"\n\
         [[channel]]\nname = \"web\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/\"\n\
         [[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         from = \"lamon@example.org\"\nto = [\"observers@example.org\"]\n\
         [[route]]\nchannels = [\"web\", \"mail\"]\nrepeat = \"1m\"\n",
        web.port, mail.port
    );
    std::fs::write(&path, text)?;
    let arguments = [OsStr::new("--log-to"), OsStr::new("stderr"), OsStr::new("--config"), path.as_os_str()];
    let process = Process::start("lamon-notify", &arguments, None)?;
    process.line_with("follows tcp://")?;
    Ok(process)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_problem_is_told_repeated_until_somebody_knows_of_it_and_told_when_it_is_over() {
    let (folder, hub) = (TempDir::new().unwrap(), Hub::sensord().start());
    let (web, mail) = (Receiver::of_webhooks().unwrap(), Receiver::of_mails().unwrap());
    let mut daemon = notify(folder.path(), &hub, &web, &mail).unwrap();
    let say = async |line: &str| assert_eq!(say(hub.address(), line).await.unwrap(), "ok");
    say("node=ccd01 disk_percent=12 interval=600").await;
    say("node=ccd01 disk_percent=85 interval=600").await;
    let told = web.waits_for("ccd01 disk_percent 85 % over 80: warning");
    assert!(
        mail.waits_for("ccd01 disk_percent 85 % over 80: warning").contains("Subject: lamon warning: ccd01")
    );
    assert_eq!(told.lines().count(), 1, "{told}");

    // Somebody knows of this one; nobody of the other, which is told again in the end.
    assert_eq!(lamon(hub.control(), "ack ccd01 -m 'I clean it'").code, Some(0));
    say("node=dome disk_percent=95 interval=600").await;
    web.waits_for("dome disk_percent 95 % over 90: error");
    let again = web.waits_for("still after 1 min: dome disk_percent");
    assert!(!again.contains("ccd01"), "{again}");

    say("node=ccd01 disk_percent=12 interval=600").await;
    let over = web.waits_for("ccd01 disk_percent 12 % is good again after");
    mail.waits_for("ccd01 disk_percent 12 % is good again after");
    let lasted = over.split("good again after ").nth(1).unwrap();
    assert!(lasted.starts_with(|c: char| c.is_ascii_digit()), "with its duration: {over}");
    let texts = web.texts();
    assert!(!texts.iter().any(|text| text.contains("still after") && text.contains("ccd01")), "{texts:?}");
    assert!(daemon.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_killed_is_missed_and_one_that_is_back_is_told() {
    let (folder, hub) = (TempDir::new().unwrap(), Hub::sensord().start());
    let (web, mail) = (Receiver::of_webhooks().unwrap(), Receiver::of_mails().unwrap());
    let mut daemon = notify(folder.path(), &hub, &web, &mail).unwrap();
    say(hub.address(), "node=ccd01 disk_percent=95 interval=600").await.unwrap();
    web.waits_for("ccd01 disk_percent 95 % over 90: error");
    let hub = hub.crash();
    web.waits_for("the hub is not heard: nobody watches the computers until it is back");
    mail.waits_for("the hub is not heard");
    let hub = hub.start();
    let back = web.waits_for("the hub is heard again (after ");
    assert_eq!(back.lines().count(), 1, "nothing of before is told again: {back}");
    say(hub.address(), "node=ccd01 disk_percent=12 interval=600").await.unwrap();
    web.waits_for("ccd01 disk_percent 12 % is good again");
    let missed = web.texts().iter().filter(|text| text.contains("is not heard")).count();
    assert_eq!(missed, 1, "once: {:?}", web.texts());
    assert!(daemon.terminate().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_is_told_while_the_hub_is_flooded() {
    let (folder, hub) = (TempDir::new().unwrap(), Hub::sensord().quietly().start());
    let (web, mail) = (Receiver::of_webhooks().unwrap(), Receiver::of_mails().unwrap());
    let mut daemon = notify(folder.path(), &hub, &web, &mail).unwrap();
    let before = usage::memory(daemon.id()).unwrap().resident;
    // Ten thousand a second; how many of them this hub takes is in what is printed.
    let mut load = Command::new(process::find("loadgen").unwrap());
    load.args(["--nodes", "500", "--interval", "50ms", "--metrics", "5", "--duration", "15"]);
    let load = load.args(["--hub", &hub.address().to_string()]).stdout(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    eventually("all of them are known", || async {
        (lamon(hub.control(), "nodes").out.matches("load0").count() >= 500).then_some(())
    })
    .await;
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=95 interval=600").await.unwrap(), "ok");
    web.waits_for("ccd01 disk_percent 95 % over 90: error");
    mail.waits_for("ccd01 disk_percent 95 % over 90: error");
    let told = began.elapsed();
    let load = load.wait_with_output().unwrap();
    let (cpu, peak) = (usage::cpu(daemon.id()).unwrap(), usage::peak(daemon.id()).unwrap());
    println!("{}", String::from_utf8_lossy(&load.stdout));
    println!("told after {told:?}; lamon-notify took {cpu:?} of CPU in {:?}", began.elapsed());
    println!("its memory: {} KiB before, {} KiB at most", before / 1_024, peak / 1_024);
    assert!(daemon.is_running() && peak < 128 << 20, "{peak} bytes");
    assert!(daemon.terminate().unwrap().success());
}
