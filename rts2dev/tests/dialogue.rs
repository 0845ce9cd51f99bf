//! What a device says to a client, byte by byte, beside what the real dummy sensor said in
//! `proto/tests/transcripts/client-to-device.txt`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Raw, Running, options, patiently, start};
use rts2dev::proto::{DeviceState, Level};
use rts2dev::testing::Centrald;
use rts2dev::{DeviceOptions, Refusal, Time};

/// A device with the values of the capture that this crate has types for.
async fn dummy(options: DeviceOptions) -> Running {
    start(options, |handle| {
        handle.integer("TEST_INT", "test integer value").writable().declare().unwrap();
        handle.double("TEST_DOUBLE", "test double value").writable().declare().unwrap();
        handle.string("test_string", "test string").writable().declare().unwrap();
        handle.double("random_double", "random double value").declare().unwrap();
        let doors = ["CLOSED", "opening", "OPEN", "closing"];
        handle.selection("open_close", "open/close state", &doors).writable().declare().unwrap();
        handle.time("TEST_TIME", "test time value").writable().declare().unwrap();
        let stop_move =
            handle.boolean("stop_move", "if dummy sensor should stop any movement").initial(false);
        let stop_move = stop_move.writable().declare().unwrap();
        let errors = ["good", "warning", "error"];
        let level_of = move |index: rts2dev::Selection| {
            stop_move
                .set_level([Level::Good, Level::Warning, Level::Error][usize::try_from(index.0).unwrap()]);
            std::future::ready(Ok(()))
        };
        handle
            .selection("stop_move_err", "error state of stop_move", &errors)
            .on_set(level_of)
            .declare()
            .unwrap();
        handle
            .double("refused", "a value that the device does not take")
            .on_set(|value| async move {
                match value {
                    0.0..1.0 => Err(Refusal::parameters()),
                    1.0..2.0 => Err(Refusal::value("too warm")),
                    2.0..3.0 => Err(Refusal::hardware("valve stuck")),
                    _ => Err(Refusal::not_allowed("locked by the operator")),
                }
            })
            .declare()
            .unwrap();
    })
    .await
}

async fn noauth() -> (Running, Raw) {
    let device = dummy(DeviceOptions { noauth: true, ..options("DUMMY", &[]) }).await;
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line.starts_with("V refused")).await;
    (device, client)
}

#[tokio::test]
async fn metainfo_comes_unasked_in_the_order_of_declaration() {
    let device = dummy(options("DUMMY", &[])).await;
    let mut client = Raw::connect(device.port).await;
    let lines = client.until(|line| line.starts_with("V refused")).await;
    assert_eq!(lines[0], "E 3 \"infotime\" \"time of last update\" ");
    assert_eq!(lines[1], "V infotime nan");
    assert_eq!(lines[2], "E 3 \"uptime\" \"daemon uptime\" ");
    assert!(lines[3].starts_with("V uptime 1"), "{}", lines[3]);
    let rest: Vec<&str> = lines[4..].iter().map(String::as_str).collect();
    assert_eq!(
        rest,
        [
            "E 33554434 \"TEST_INT\" \"test integer value\" ",
            "V TEST_INT 0",
            "E 33554436 \"TEST_DOUBLE\" \"test double value\" ",
            "V TEST_DOUBLE nan",
            "E 33554433 \"test_string\" \"test string\" ",
            "V test_string \"\"",
            "E 4 \"random_double\" \"random double value\" ",
            "V random_double nan",
            "E 33554439 \"open_close\" \"open/close state\" ",
            "F \"open_close\"",
            "F \"open_close\" \"CLOSED\"",
            "F \"open_close\" \"opening\"",
            "F \"open_close\" \"OPEN\"",
            "F \"open_close\" \"closing\"",
            "",
            "V open_close 0",
            "E 33554435 \"TEST_TIME\" \"test time value\" ",
            "V TEST_TIME nan",
            "E 33554438 \"stop_move\" \"if dummy sensor should stop any movement\" ",
            "V stop_move 0",
            "E 33554439 \"stop_move_err\" \"error state of stop_move\" ",
            "F \"stop_move_err\"",
            "F \"stop_move_err\" \"good\"",
            "F \"stop_move_err\" \"warning\"",
            "F \"stop_move_err\" \"error\"",
            "",
            "V stop_move_err 0",
            "E 33554436 \"refused\" \"a value that the device does not take\" ",
            "V refused nan",
        ]
    );
}

#[tokio::test]
async fn sets_and_their_errors() {
    let (_device, mut client) = noauth().await;
    let bad = "-2 invalid parameters/invalid number of parameters - X";
    let table: &[(&str, &[&str])] = &[
        ("X TEST_INT = 5", &["V TEST_INT 5", "+0 OK"]),
        ("X TEST_INT + 3", &["V TEST_INT 8", "+0 OK"]),
        ("X TEST_INT = 8", &["+0 OK"]),
        ("X test_int - 9", &["V TEST_INT -1", "+0 OK"]),
        ("X TEST_INT = foo", &[bad]),
        ("X TEST_INT = 99999999999", &[bad]),
        ("X TEST_INT", &[bad]),
        ("X nosuch = 1", &[bad]),
        ("X random_double = 3", &["-5 cannot set read-only value"]),
        ("X TEST_INT[1] = 3", &["-5 trying to index non-array value"]),
        ("X TEST_INT_1 = 3", &["-5 trying to index non-array value"]),
        ("X TEST_INT[1 = 3", &["-5 missing ] for end of array index"]),
        ("X test_string = \"hello world\"", &["V test_string \"hello world\"", "+0 OK"]),
        ("X test_string = \"open", &[bad]),
        ("X open_close = OPEN", &["V open_close 2", "+0 OK"]),
        ("X open_close = 9", &[bad]),
        ("X TEST_TIME = +10m", &["V TEST_TIME 10.0", "+0 OK"]),
        ("X TEST_DOUBLE = 1e-3", &["V TEST_DOUBLE 0.001", "+0 OK"]),
        ("X TEST_DOUBLE = inf", &[bad]),
        ("X stop_move = on", &["V stop_move 1", "+0 OK"]),
        ("X stop_move = off", &["V stop_move 0", "+0 OK"]),
        ("X refused = 0", &[bad]),
        ("X refused = 1", &["-3 too warm"]),
        ("X refused = 2", &["-4 valve stuck"]),
        ("X refused = 3", &["-5 locked by the operator"]),
    ];
    for (line, answer) in table {
        assert_eq!(client.command(line).await, *answer, "{line}");
    }
}

#[tokio::test]
async fn a_level_goes_out_as_metainfo_and_value() {
    let (device, mut client) = noauth().await;
    let table: &[(&str, &[&str])] = &[
        (
            "X stop_move_err = 1",
            &[
                "E 301989894 \"stop_move\" \"if dummy sensor should stop any movement\" ",
                "V stop_move 0",
                "V stop_move_err 1",
                "+0 OK",
            ],
        ),
        (
            "X stop_move_err = error",
            &[
                "E 570425350 \"stop_move\" \"if dummy sensor should stop any movement\" ",
                "V stop_move 0",
                "V stop_move_err 2",
                "+0 OK",
            ],
        ),
    ];
    for (line, answer) in table {
        assert_eq!(client.command(line).await, *answer, "{line}");
    }
    // The same from the program's side, both at once.
    let value = device.handle.double("late", "declared while it runs").declare().unwrap();
    client.expect(&["E 4 \"late\" \"declared while it runs\" ", "V late nan"]).await;
    value.set_with_level(91.5, Level::Error);
    client.expect(&["E 536870916 \"late\" \"declared while it runs\" ", "V late 91.5"]).await;
    value.set(92);
    client.expect(&["V late 92.0"]).await;
    value.set_level(Level::Good);
    client.expect(&["E 4 \"late\" \"declared while it runs\" ", "V late 92.0"]).await;
}

#[tokio::test]
async fn commands_that_every_device_answers() {
    let (device, mut client) = noauth().await;
    assert_eq!(client.command("base_info").await, ["+0 OK"]);
    assert_eq!(client.command("status_info").await, ["S 0", "+0 OK"]);
    assert_eq!(client.command("script_ends").await, ["+0 OK"]);
    assert_eq!(
        client.command("autosave").await,
        ["-2 invalid parameters/invalid number of parameters - autosave"]
    );
    assert_eq!(client.command("bogus").await, ["-1 unknow command bogus"]);
    assert_eq!(client.command("exit").await, ["-5 exit is not allowed"]);
    client.send("T ready").await;
    client.expect(&["T OK"]).await;
    let info = client.command("info").await;
    assert!(info[0].starts_with("V infotime 1"), "{info:?}");
    assert_eq!(info[1..], ["+0 OK"]);
    device.handle.set_state(DeviceState::from_bits_retain(2_415_927_296), "");
    client.expect(&["S 2415927296"]).await;
    assert_eq!(client.command("killall").await, ["S 2415992832 \"reseting all errors\"", "+0 OK"]);
    assert_eq!(client.command("killall").await, ["+0 OK"]);
    assert_eq!(client.command("killall_wse").await, ["+0 OK"]);
    // Not answered: what a device says of itself, and lines that no client sends.
    for line in ["this_device C0 3", "S 5", "V a 1", "+0 OK", "A authorization_ok 1"] {
        client.send(line).await;
    }
    assert_eq!(client.command("status_info").await, ["S 2415992832", "+0 OK"]);
}

#[tokio::test]
async fn bad_input_costs_its_line_only() {
    let (_device, mut client) = noauth().await;
    let long = vec![b'x'; 200_000];
    client.send_bytes(&long).await;
    client.send_bytes(b"\nX TEST_INT = 1\0\n\xff\xfe \xff\nX TEST_INT = 2\r\n").await;
    client
        .expect(&[
            "-2 line too long",
            "-2 invalid parameters/invalid number of parameters - X",
            "-1 unknow command \u{fffd}\u{fffd}",
            "V TEST_INT 2",
            "+0 OK",
        ])
        .await;
}

#[tokio::test]
async fn exit_where_it_is_allowed() {
    let mut device = dummy(DeviceOptions { noauth: true, allow_exit: true, ..options("DUMMY", &[]) }).await;
    let mut client = Raw::connect(device.port).await;
    client.send("exit").await;
    patiently(&mut device.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn authorization_through_centrald() {
    let centrald = Centrald::start().await.unwrap();
    let device = dummy(options("DUMMY", &[centrald.address().to_string()])).await;
    patiently(centrald.registered("DUMMY")).await;

    let mut login = Raw::connect(centrald.address().port()).await;
    login.command("login obs scripted").await;
    let logged_in = login.command("password obs").await;
    let id = logged_in[0].strip_prefix("logged_as ").unwrap();
    let key = login.command("key DUMMY").await;
    let key = key[0].strip_prefix("authorization_key DUMMY ").unwrap();
    login.command("message_mask 1").await;

    // Nothing but metainfo before.
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line.starts_with("V refused")).await;
    assert_eq!(client.command("info").await, ["-1 unknow command info"]);
    assert_eq!(client.command("X TEST_INT = 1").await, ["-1 unknow command X"]);
    let message = login.until(|line| line.starts_with("M ")).await.pop().unwrap();
    assert!(
        message.ends_with(" DUMMY 1 command end with error -1 description: unknow command info"),
        "{message}"
    );

    // Every value, the state with its mask, then the end.
    device.handle.set_state(DeviceState::BOP_EXPOSURE, "blocked");
    patiently(centrald.wait_for(|c| c.device_state("DUMMY") == Some(DeviceState::BOP_EXPOSURE))).await;
    let lines = client.command(&format!("auth {id} 0 {key}")).await;
    let names: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("V ")?.split(' ').next()).collect();
    let declared = ["infotime", "uptime", "TEST_INT", "TEST_DOUBLE", "test_string", "random_double"];
    let first = names.iter().position(|name| *name == "infotime").unwrap();
    assert!(names[first..].starts_with(&declared), "{names:?}");
    assert_eq!(lines[lines.len() - 1], "+0 OK authorized");
    assert!(lines.iter().any(|line| line == "B 16777216 16777216"), "{lines:?}");
    assert_eq!(client.command("X TEST_INT = 1").await, ["V TEST_INT 1", "+0 OK"]);
    assert_eq!(client.command("device_status").await, ["+0 device status updated"]);

    // A wrong key, and a number that centrald does not know.
    for (line, id) in [(format!("auth {id} 0 12345"), "wrong key"), ("auth 99 0 12345".to_owned(), "nobody")]
    {
        let mut client = Raw::connect(device.port).await;
        client.until(|line| line.starts_with("V refused")).await;
        let end = client.command(&line).await.pop().unwrap();
        assert_eq!(end, "-5 authorization failed", "{id}");
        assert_eq!(client.line().await, None, "{id}: still open");
    }
    // A centrald that the device does not have.
    let mut client = Raw::connect(device.port).await;
    let end = client.command("auth 2 7 1").await.pop().unwrap();
    assert_eq!(end, "-5 cannot authorize; try again later");
    assert_eq!(client.line().await, None);
}

#[tokio::test]
async fn values_are_set_from_other_threads() {
    let (device, mut client) = noauth().await;
    let value = device.handle.long("counter", "set by a thread").declare().unwrap();
    client.until(|line| line == "V counter 0").await;
    let stop = Arc::new(AtomicBool::new(false));
    let (thread_value, thread_stop) = (value.clone(), Arc::clone(&stop));
    let thread = std::thread::spawn(move || {
        let mut number = 0_i64;
        while !thread_stop.load(Ordering::Relaxed) {
            number += 1;
            thread_value.set(number);
        }
        number
    });
    // Numbers only rise, and commands are answered in between.
    let mut last = 0;
    for _ in 0..20 {
        for line in client.command("status_info").await {
            if let Some(number) = line.strip_prefix("V counter ") {
                let number: i64 = number.parse().unwrap();
                assert!(number > last);
                last = number;
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    let number = tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
    if last != number {
        client.until(|line| line == format!("V counter {number}")).await;
    }
    assert_eq!(value.get(), number);
}

#[tokio::test]
async fn what_rts2_cannot_bear_is_mended_or_refused() {
    use rts2dev::DeclareError;
    let (device, mut client) = noauth().await;
    let handle = &device.handle;
    assert!(matches!(handle.double("no blank", "").declare(), Err(DeclareError::Name(_))));
    assert!(matches!(handle.double("test_INT", "").declare(), Err(DeclareError::Exists { .. })));
    assert!(matches!(handle.double("infotime", "").declare(), Err(DeclareError::Exists { .. })));
    assert!(matches!(handle.double("a", "say \"a\"").declare(), Err(DeclareError::Description(_))));
    assert!(matches!(handle.selection("a", "", &["50%"]).declare(), Err(DeclareError::Item(_))));
    assert!(matches!(handle.selection("a", "", &[]).declare(), Err(DeclareError::ItemCount { count: 0 })));
    assert!(matches!(handle.double(&"x".repeat(40), "").fits().declare(), Err(DeclareError::Fits(_))));
    let text = handle.string("text", "[%] x").declare().unwrap();
    client.expect(&["E 1 \"text\" \"[%] x\" ", "V text \"\""]).await;
    text.set("\"91 %\"\n");
    client.expect(&["V text \"'91 pct' \""]).await;
    let time = handle.time("when", "x").initial(Time(5.5)).declare().unwrap();
    client.expect(&["E 3 \"when\" \"x\" ", "V when 5.5"]).await;
    time.set(f64::INFINITY);
    client.expect(&["V when nan"]).await;
    let choice = handle.selection("choice", "x", &["a", "b"]).initial(7).declare().unwrap();
    client.until(|line| line == "V choice 0").await;
    choice.set(2);
    choice.set(1);
    client.expect(&["V choice 1"]).await;
}

#[tokio::test]
async fn a_command_inside_a_binary_block_is_data() {
    let (_device, mut client) = noauth().await;
    // One block whole, one in pieces; the commands in both are bytes of an image.
    client.send_bytes(b"C 1 0 1 40\nD 1 0 20\nX TEST_INT = 13\ninfo").await;
    client.send_bytes(b"D 1 0 20\nX TEST_INT ").await;
    client.send_bytes(b"= 4\n\n\n\n\n\nX TEST_INT = 5\n").await;
    client.expect(&["V TEST_INT 5", "+0 OK"]).await;
    // A block of unknown length cannot be told from lines: the connection is closed, as RTS2 does.
    client.send_bytes(b"D 1 0 many\nX TEST_INT = 6\n").await;
    assert_eq!(client.line().await, None);
}
