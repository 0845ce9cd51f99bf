//! Commands and what they mean, both ways.

use super::*;
use crate::line::Line;

fn text(bytes: &str) -> Text<'_> {
    Text::new(bytes.as_bytes()).unwrap()
}

#[test]
fn wire_format() {
    let table = [
        (
            "register 0 DUMMY 15 localhost 6201",
            Command::Register {
                centrald_num: 0,
                name: text("DUMMY"),
                device_type: DeviceType::Sensor,
                host: text("localhost"),
                port: 6201,
            },
        ),
        (
            "device 0 1 DUMMY localhost 6201 15",
            Command::Device {
                centrald_num: 0,
                id: 1,
                name: text("DUMMY"),
                host: text("localhost"),
                port: 6201,
                device_type: DeviceType::Sensor,
            },
        ),
        ("delete_device 1 DUMMY", Command::DeleteDevice { id: 1, name: text("DUMMY") }),
        ("client 2 obs scripted", Command::Client { id: 2, login: text("obs"), name: text("scripted") }),
        ("delete_client 2", Command::DeleteClient { id: 2 }),
        ("login obs \"a program\"", Command::Login { login: text("obs"), program: text("a program") }),
        ("password obs", Command::Password { password: text("obs") }),
        ("logged_as 2", Command::LoggedAs { id: 2 }),
        ("key DUMMY", Command::Key { device: text("DUMMY") }),
        (
            "authorization_key DUMMY 655276298",
            Command::AuthorizationKey { device: text("DUMMY"), key: 655_276_298 },
        ),
        ("auth 2 0 12345", Command::Auth { id: 2, centrald_num: 0, key: 12345 }),
        ("authorize 2 655276298", Command::Authorize { id: 2, key: 655_276_298 }),
        ("info", Command::Info),
        ("killall_wse", Command::KillallWse),
        ("this_device C0 3", Command::ThisDevice { name: text("C0"), device_type: DeviceType::Ccd }),
        ("message_mask 16777215", Command::MessageMask { mask: MessageType::ALL }),
        (
            "weather_update \"DUMMY\" \"waiting for next good weather\"",
            Command::WeatherUpdate { device: text("DUMMY"), reason: text("waiting for next good weather") },
        ),
        ("add 10 \"x\"", Command::Other { word: text("add"), parameters: Rest::new(b"10 \"x\"").unwrap() }),
        ("add", Command::Other { word: text("add"), parameters: Rest::EMPTY }),
    ];
    for (bytes, command) in table {
        let line = Line::Command(command);
        assert_eq!(Line::parse(bytes.as_bytes()).as_ref(), Ok(&line), "{bytes}");
        assert_eq!(String::from_utf8(line.to_bytes()).unwrap(), format!("{bytes}\n"));
    }
}

#[test]
fn parameters_are_counted() {
    for line in ["info now", "auth 1 2", "auth 1 2 3 4", "register 0 A 15 h 70000", "key", "delete_client x"]
    {
        let error = Line::parse(line.as_bytes()).unwrap_err();
        assert_eq!(error.word, line.split(' ').next().unwrap(), "{line}");
    }
}
