//! Who gets in: names, logins, keys and authorization.

use rts2dev::testing::CentraldOptions;

use crate::{centrald, client, connect, device, told};

#[tokio::test]
async fn names_that_are_taken() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let _nodes = device(address, "NODES", 15).await;
    let mut client = client(address).await;
    let mut second = connect(address).await;
    // A program's name is a name too, and nothing is the name of strangers.
    for (name, id) in [("NODES", 1), ("rts2-mon", 2), ("\"\"", 3)] {
        let end = second.command(&format!("register 0 {name} 15 127.0.0.1 4712")).await.pop().unwrap();
        let name = name.trim_matches('"');
        assert_eq!(end, format!("-5 name {name} already registered with id {id}"));
    }
    said.expect("NODES at 127.0.0.1:");
    said.expect("refused: the name is taken");
    assert_eq!(centrald.devices(), ["NODES"]);
    // It can take another one, and then cannot change it.
    assert_eq!(second.command("register 0 OTHER 15 127.0.0.1 4712").await.pop().unwrap(), "+0 OK");
    assert_eq!(told(&mut client, "device").await, "device 0 3 OTHER 127.0.0.1 4712 15");
    let end = second.command("register 0 THIRD 15 127.0.0.1 4712").await.pop().unwrap();
    assert_eq!(end, "-1 cannot switch server type to DEVICE_SERVER");
    let end = client.command("login a b").await.pop().unwrap();
    assert_eq!(end, "-1 cannot switch server type to CLIENT_SERVER");
    drop(second);
    assert_eq!(told(&mut client, "delete_device").await, "delete_device 3 OTHER");
    said.expect("OTHER is gone");
}

#[tokio::test]
async fn logins_keys_and_authorization() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut peer = connect(address).await;
    for command in ["info", "key NODES", "on", "password obs", "authorize 1 1", "weather_update \"a\" \"b\""]
    {
        let word = command.split(' ').next().unwrap();
        assert_eq!(peer.command(command).await, [format!("-1 unknow command {word}")]);
    }
    assert_eq!(peer.command("login obs rts2-mon").await, ["client 2 obs rts2-mon", "+0 OK"]);
    assert_eq!(peer.command("info").await, ["-1 unknow command info"]);
    assert_eq!(peer.command("password wrong").await, ["-5 invalid login or password"]);
    assert_eq!(peer.command("password obs").await, ["logged_as 2", "S 0", "+0 OK"]);
    said.expect("rts2-mon of obs at 127.0.0.1:");
    said.expect("rts2-mon of obs logged in from 127.0.0.1:");
    for (command, end) in [
        ("login obs", "-2 invalid parameters/invalid number of parameters - login"),
        ("key", "-2 invalid parameters/invalid number of parameters - key"),
        ("info x", "-2 invalid parameters/invalid number of parameters - info"),
        ("message_mask x", "-2 invalid parameters/invalid number of parameters - message_mask"),
        ("key NOSUCH", "-5 cannot find device with name"),
        ("device_status", "-1 unknow command device_status"),
        ("authorize 2 1", "-1 unknow command authorize"),
        ("S what", "-2 invalid parameters/invalid number of parameters - S"),
    ] {
        assert_eq!(peer.command(command).await, [end], "{command}");
    }
    // Its key opens the device for it alone, and only after it asked for one.
    let answers = nodes.command("authorize 2 1").await;
    assert_eq!(
        answers[answers.len() - 2..],
        ["A authorization_failed 2", "-5 client didn't ask for authorization"]
    );
    let key = peer.command("key NODES").await;
    let key: i32 = key[0].strip_prefix("authorization_key NODES ").unwrap().parse().unwrap();
    for (command, answer, end) in [
        (
            format!("authorize 2 {}", key ^ 1),
            Some("A authorization_failed 2"),
            "-5 invalid authorization key",
        ),
        ("authorize 99 1".to_owned(), None, "-5 client vanished during auth sequence"),
        ("authorize -1 1".to_owned(), None, "-2 invalid parameters/invalid number of parameters - authorize"),
        (format!("authorize 2 {key}"), Some("A authorization_ok 2"), "+0 OK"),
    ] {
        let answers = nodes.command(&command).await;
        assert_eq!(answers.first().map(String::as_str), answer.or(Some(end)), "{answers:?}");
        assert_eq!(answers.last().unwrap(), end);
    }
}
