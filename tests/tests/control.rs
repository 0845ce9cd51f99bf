//! Operating a real hub by the real command `lamon`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use lamon_store::ArchiveUrl;
use lamon_store::registers::Setting;
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::text::say;
use lamon_tests::wait::eventually;

const GROUPS: &str = "[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]";

#[tokio::test]
async fn the_hub_is_asked_and_answers_in_words_json_and_exit_codes() {
    let hub = Hub::collector().with(GROUPS).start();
    let ask = |line: &str| lamon(hub.control(), line);
    assert!(ask("nodes").out.contains("no node was heard yet"));
    assert_eq!(ask("status --check").code, Some(0));
    for line in
        ["node=ccd01 disk_percent=85 cpu_percent=3", "node=door disk_percent=97", "node=a disk_percent=1"]
    {
        assert_eq!(say(hub.address(), line).await.unwrap(), "ok");
    }
    let status = ask("");
    assert!(
        status.out.starts_with("error  door disk_percent 97 > 90\n3 nodes: 1 good, 1 warning, 1 error"),
        "{status:?}"
    );
    assert_eq!(ask("status --check").code, Some(4));
    let nodes = ask("nodes").out;
    let order: Vec<_> = nodes.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(order, ["door", "ccd01", "a"], "the worst first:\n{nodes}");
    let all: serde_json::Value = serde_json::from_str(&ask("--json nodes").out).unwrap();
    assert_eq!(all["nodes"]["nodes"][0]["node"], "door");
    let node = ask("nodes ccd01").out;
    assert!(node.contains("ccd01 (ccd)  warning") && node.contains("disk_percent  85 %"), "{node}");
    let why = ask("explain ccd01 disk_percent").out;
    assert!(why.contains("warning (> 80)") && why.contains("rule disk holds"), "{why}");
    let events = ask("events --node door -n 1").out;
    assert!(events.contains("door disk_percent 97") && events.lines().count() == 1, "{events}");
    for (line, code, said) in [
        ("nodes b", 1, "the hub knows no node \"b\""),
        ("explain door load1", 1, "door has no metric \"load1\""),
        ("unmute 7", 1, "there is no mute \"7\""),
        ("ack a -m x", 1, "a is good: there is nothing to acknowledge"),
        ("forget a", 1, "a is heard: stop its agent first"),
        ("mute @dome --for 1h -m x", 1, "there is no group \"dome\""),
        ("mute a -m x", 2, "required"),
    ] {
        let refused = ask(line);
        assert_eq!(refused.code, Some(code), "{line}: {refused:?}");
        assert!(refused.err.contains(said), "{line}: {refused:?}");
    }
    let painted = ask("--color always status").out;
    assert!(painted.contains("\u{1b}[31merror"), "{painted:?}");
    assert!(ask("completion bash").out.contains("_lamon"));
}

#[tokio::test]
async fn what_operators_change_outlives_a_crash_and_is_copied_to_the_archive() {
    let hub = Hub::collector().with(GROUPS).start();
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=97").await.unwrap(), "ok");
    let muted = lamon(hub.control(), "--who wang mute @ccd --for 2h -m 'new disk'");
    assert!(
        muted.out.contains("@ccd until") && muted.out.contains("new disk (mute 1, by wang ("),
        "{muted:?}"
    );
    let ahead = lamon(hub.control(), "mute door --every 'mon,thu 09:00-11:00' -m works");
    assert!(ahead.code == Some(0) && ahead.out.ends_with("; no node of now is meant by it"), "{ahead:?}");
    assert_eq!(lamon(hub.control(), "ack ccd01 disk_percent -m 'Li moves data'").code, Some(0));
    assert_eq!(lamon(hub.control(), "status --check").code, Some(0), "a muted node is no alarm");
    hub.says("the archive takes samples");
    let archive = hub.archive();
    let names = ["testhub/ack/ccd01/disk_percent", "testhub/mute/1", "testhub/mute/2"];
    eventually("the copy in the archive", || async {
        let settings = settings(&archive).await.unwrap();
        (settings.iter().map(|setting| setting.name.as_str()).eq(names)).then_some(())
    })
    .await;

    let hub = hub.crash().start();
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=97").await.unwrap(), "ok");
    let kept = lamon(hub.control(), "settings").out;
    for words in ["@ccd", "mon,thu 09:00-11:00", "new disk", "ccd01 disk_percent", "Li moves data"] {
        assert!(kept.contains(words), "{words} in\n{kept}");
    }
    assert!(lamon(hub.control(), "nodes").out.contains("muted; acknowledged; disk_percent 97 > 90"));
    assert_eq!(lamon(hub.control(), "unmute @ccd").code, Some(0));
    assert_eq!(lamon(hub.control(), "status --check").code, Some(4));

    // Another machine: nothing but the database is left of the first.
    let archive = hub.archive();
    eventually("the copy without the mute", || async {
        (settings(&archive).await.unwrap().len() == 2).then_some(())
    })
    .await;
    let file = hub.data_dir().join("operator.json");
    let builder = hub.crash();
    fs::remove_file(&file).unwrap();
    let hub = builder.start();
    eventually("what the archive knew", || async {
        lamon(hub.control(), "settings").out.contains("mon,thu 09:00-11:00").then_some(())
    })
    .await;
    eventually("a file again", || async { file.exists().then_some(()) }).await;
}

#[tokio::test]
async fn a_damaged_file_and_a_database_that_is_away_lose_no_key() {
    const KEY: &str = "SHA256:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    let hub = Hub::collector().start();
    assert_eq!(lamon(hub.control(), &format!("approve door {KEY}")).code, Some(0));
    let archive = hub.archive();
    let copied = async || settings(&archive).await.unwrap().iter().any(|one| one.name == "testhub/key/door");
    eventually("the copy in the archive", async || copied().await.then_some(())).await;
    let (data, builder) = (hub.data_dir().to_owned(), hub.terminate().unwrap());
    let (file, aside) = (data.join("archive.sqlite"), data.join("aside.sqlite"));
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    fs::write(data.join("operator.json"), "{\"keys\": [").unwrap();
    // What is changed meanwhile begins a new file, which is all that the next start finds.
    let hub = builder.start();
    hub.says("operator.damaged.json");
    assert_eq!(lamon(hub.control(), "mute door --for 2h -m 'new disk'").code, Some(0));
    assert!(!lamon(hub.control(), "keys").out.contains(KEY));
    let builder = hub.terminate().unwrap();
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    let hub = builder.start();
    let keys = async || lamon(hub.control(), "keys").out.contains(KEY).then_some(());
    eventually("what the archive knew", keys).await;
    assert!(lamon(hub.control(), "settings").out.contains("new disk"));
    eventually("all of it in the archive", async || {
        (copied().await && settings(&archive).await.unwrap().len() == 2).then_some(())
    })
    .await;
}

async fn settings(archive: &ArchiveUrl) -> Result<Vec<Setting>, lamon_store::ArchiveError> {
    lamon_store::archive::Archive::connect(archive, "test").await?.settings("testhub/").await
}

#[tokio::test]
async fn limits_are_set_judged_at_once_and_outlive_a_crash() {
    let hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=85").await.unwrap(), "ok");
    assert_eq!(lamon(hub.control(), "status --check").code, Some(3));
    let set = lamon(hub.control(), "--who li set disk --warning 90 --error 95 -m 'new disks come'");
    assert_eq!(set.out, "disk: warning > 90, error > 95 (was warning > 80, error > 90)", "{set:?}");
    assert_eq!(lamon(hub.control(), "status --check").code, Some(0), "judged at once");
    assert_eq!(lamon(hub.control(), "set ccd01 disk_percent --warning 50").code, Some(0));
    for (line, said) in [
        ("set disk --warning 99", "error must lie beyond warning"),
        ("set disk --warning nan", "\"nan\" is no limit"),
        ("set nothing --warning 1", "there is no rule \"nothing\"; the rules are"),
        ("reset memory", "no operator set limits of memory"),
    ] {
        let refused = lamon(hub.control(), line);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(said), "{line}: {refused:?}");
    }
    hub.says("the archive takes samples");
    let archive = hub.archive();
    eventually("the copy in the archive", || async {
        let settings = settings(&archive).await.unwrap();
        let names = ["testhub/limits/ccd01/disk_percent", "testhub/limits/disk"];
        settings.iter().map(|setting| setting.name.as_str()).eq(names).then_some(())
    })
    .await;

    let hub = hub.crash().start();
    assert_eq!(
        lamon(hub.control(), "status --check").code,
        Some(3),
        "levels stand by the limits that were set"
    );
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=85").await.unwrap(), "ok");
    let kept = lamon(hub.control(), "settings").out;
    for words in ["disk                90       95", "ccd01 disk_percent  50", "li (", "new disks come"] {
        assert!(kept.contains(words), "{words} in\n{kept}");
    }
    let why = lamon(hub.control(), "explain ccd01 disk_percent").out;
    assert!(why.contains("warning > 50, error > 95") && why.contains("set by li ("), "{why}");
    let config = hub.control().with_file_name("hub.toml");
    let offline = |command: &[&str]| {
        let program = lamon_tests::process::find("lamon-collector").unwrap();
        let output =
            std::process::Command::new(program).args(command).arg("-c").arg(&config).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (checked, explained) = (offline(&["check"]), offline(&["explain", "ccd01", "disk_percent"]));
    assert!(
        checked.contains("set limits of disk on ") && checked.contains(": warning 90, error 95"),
        "{checked}"
    );
    assert!(
        explained.contains("warning > 50, error > 95") && explained.contains("set by li ("),
        "{explained}"
    );
    assert_eq!(lamon(hub.control(), "reset ccd01 disk_percent").code, Some(0));
    assert_eq!(lamon(hub.control(), "status --check").code, Some(0));
    assert_eq!(lamon(hub.control(), "reset disk").code, Some(0));
    assert_eq!(lamon(hub.control(), "status --check").code, Some(3));
}

#[tokio::test]
async fn a_hub_that_is_not_there_and_one_that_lets_nobody_in_are_told_apart() {
    let hub = Hub::collector().start();
    let socket = hub.control().to_owned();
    // root goes everywhere, so that only others can be kept out.
    if !rustix::process::getuid().is_root() {
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o000)).unwrap();
        let refused = lamon(&socket, "status");
        assert_eq!(refused.code, Some(77), "{refused:?}");
        assert!(refused.err.contains("may not operate the hub: members of the group"), "{refused:?}");
    }
    let builder = hub.crash();
    let gone = lamon(&socket, "status");
    assert_eq!(gone.code, Some(69), "{gone:?}");
    assert!(gone.err.contains("no hub answers at") && gone.err.contains("LAMON_SOCKET"), "{gone:?}");
    // The dead one's file is no obstacle.
    let hub = builder.start();
    assert_eq!(lamon(hub.control(), "status").code, Some(0));
}

#[tokio::test]
async fn a_reload_is_answered_with_what_came_of_it() {
    let mut hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=door load1=3").await.unwrap(), "ok");
    hub.configure("[[rule]]\nmetrics = [\"load1\"]\nwarning = 2").unwrap();
    let done = lamon(hub.control(), "reload");
    assert!(
        done.code == Some(0)
            && done.out.contains("what agents are told were read again")
            && !done.out.contains("[archive]"),
        "{done:?}"
    );
    assert_eq!(lamon(hub.control(), "status --check").code, Some(3));
    hub.configure("[[rule]]\nmetrics = [\"load1\"]\nwarning = 2\n[archive]\nsamples = \"90d\"").unwrap();
    for _ in 0..2 {
        let done = lamon(hub.control(), "reload").out;
        assert!(done.ends_with("[archive] waits for the next start"), "{done}");
    }
    hub.configure("[[rule]]\nmetrics = [\"load1\"]\nwarnig = 2").unwrap();
    let refused = lamon(hub.control(), "reload");
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("did you mean \"warning\"?"), "{refused:?}");
    assert_eq!(lamon(hub.control(), "status --check").code, Some(3), "the rules are as they were");
}
