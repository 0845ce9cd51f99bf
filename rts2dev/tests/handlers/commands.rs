//! Commands that a device has of its own.

use rts2dev::{CommandError, MAX_COMMANDS, Refusal, Reply};

use crate::common::{options, start};
use crate::{client, noauth};

#[tokio::test]
async fn commands_of_the_device() {
    let device = noauth(|handle| {
        let moved = handle.integer("moved", "steps").declare().unwrap();
        handle.command("home", |()| async { Ok(()) }).unwrap();
        handle
            .command("move", move |(steps, how): (i32, Option<String>)| {
                let moved = moved.clone();
                async move {
                    if steps > 1000 {
                        return Err(Refusal::value("1000 steps at most"));
                    }
                    moved.set(steps);
                    Ok(Reply::text(&how.unwrap_or_else(|| "moved\nhow\u{fc}".to_owned())))
                }
            })
            .unwrap();
        handle
            .command("jam", |(hard,): (bool,)| async move {
                assert!(!hard, "a fault in the driver");
                Err::<(), _>(Refusal::hardware("stuck"))
            })
            .unwrap();
        // Control characters would end the line of the protocol; a command that is not there is no matter.
        handle.set_command_usage("jam", "<hard: on or off>\n");
        handle.set_command_usage("nosuch", "<x>");
    })
    .await;
    let mut client = client(&device, "moved").await;
    let bad = |word| format!("-2 invalid parameters/invalid number of parameters - {word}");
    let table: &[(&str, &[&str])] = &[
        ("home", &["+0 OK"]),
        ("home 1", &[&bad("home")]),
        ("move 5", &["V moved 5", "+0 moved how\u{fc}"]),
        ("move 6 \"slow and steady\"", &["V moved 6", "+0 slow and steady"]),
        ("move", &[&bad("move")]),
        ("move x", &[&bad("move")]),
        ("move 7 a b", &[&bad("move")]),
        ("move 3000000000", &[&bad("move")]),
        ("move 2000", &["-3 1000 steps at most"]),
        ("Move 5", &["-1 unknow command Move"]),
        ("moved 5", &["-1 unknow command moved"]),
        ("jam off", &["-4 stuck"]),
        ("jam on", &["-5 the device's handler panicked"]),
        ("jam perhaps", &["-2 invalid parameters/invalid number of parameters - jam <hard: on or off>"]),
        ("home", &["+0 OK"]),
    ];
    for (line, answer) in table {
        assert_eq!(client.command(line).await, *answer, "{line}");
    }
    // Nobody commands a device that has not authorized him.
    let guarded = start(options("GUARDED", &[]), |handle| {
        handle.command("home", |()| async { Ok(()) }).unwrap();
    })
    .await;
    let mut stranger = crate::client(&guarded, "uptime").await;
    assert_eq!(stranger.command("home").await, ["-1 unknow command home"]);
}

#[tokio::test]
async fn names_of_commands_are_checked() {
    let device = noauth(|_| {}).await;
    let add = |name: &str| device.handle.command(name, |()| async { Ok(()) });
    for name in ["info", "auth", "killall", "status_info", "register", "key", "X", "V", "q", "exit"] {
        assert_eq!(add(name), Err(CommandError::Reserved { name: name.to_owned() }), "{name}");
    }
    for name in ["", "two words", "\"quoted\"", "+0", "a\nb"] {
        assert!(matches!(add(name), Err(CommandError::Name(_))), "{name}");
    }
    for number in 0..MAX_COMMANDS {
        assert_eq!(add(&format!("command_{number}")), Ok(()));
    }
    assert_eq!(add("command_0"), Err(CommandError::Exists { name: "command_0".to_owned() }));
    assert_eq!(add("one_more"), Err(CommandError::TooMany));
}
