//! Lines and what they mean, both ways, and what is wrong with those that mean nothing.

use super::*;
use crate::message::MessageType;

fn text(bytes: &str) -> Text<'_> {
    Text::new(bytes.as_bytes()).unwrap()
}

fn rest(bytes: &str) -> Rest<'_> {
    Rest::new(bytes.as_bytes()).unwrap()
}

fn state(bits: u32) -> DeviceState {
    DeviceState::from_bits_retain(bits)
}

/// Bytes and what they mean, both ways.
#[test]
fn wire_format() {
    let table = [
        ("V TEST_INT 5", Line::Value { name: text("TEST_INT"), value: rest("5") }),
        (
            "V test_string \"hello world\"",
            Line::Value { name: text("test_string"), value: rest("\"hello world\"") },
        ),
        ("V close_failed ", Line::Value { name: text("close_failed"), value: Rest::EMPTY }),
        (
            "E 587203590 \"stop_move\" \"if dummy sensor should stop any movement\" ",
            Line::MetaInfo {
                flags: ValueFlags::from_wire(587_203_590),
                name: text("stop_move"),
                description: text("if dummy sensor should stop any movement"),
            },
        ),
        (
            "E -1073741822 \"a\" \"\" ",
            Line::MetaInfo {
                flags: ValueFlags::from_bits_retain(0xc000_0002),
                name: text("a"),
                description: text(""),
            },
        ),
        ("F \"open_close\"", Line::SelMetaInfo { name: text("open_close"), item: None }),
        (
            "F \"open_close\" \"CLOSED\"",
            Line::SelMetaInfo { name: text("open_close"), item: Some(text("CLOSED")) },
        ),
        ("S 2415927296", Line::Status { state: state(2_415_927_296), text: None }),
        ("S 0 \"node back\"", Line::Status { state: DeviceState::empty(), text: Some(text("node back")) }),
        (
            "R 1 1795327970.250000 1795327980.000000 \"exposing\"",
            Line::StatusProgress {
                state: state(1),
                start: 1_795_327_970.25,
                end: 1_795_327_980.0,
                text: Some(text("exposing")),
            },
        ),
        ("P 1.000000 2.500000", Line::Progress { start: 1.0, end: 2.5 }),
        ("B 2147483648 2415919104", Line::BopState { state: state(0x8000_0000), bop: state(2_415_919_104) }),
        (
            "M 1795327914 735167 DUMMY 1 command end with error -2 description: \"X\"",
            Line::Message(Message {
                seconds: 1_795_327_914,
                micros: 735_167,
                origin: text("DUMMY"),
                kind: MessageType::ERROR,
                text: rest("command end with error -2 description: \"X\""),
            }),
        ),
        ("X TEST_INT + 3", Line::SetValue { name: text("TEST_INT"), op: SetOp::Add, operand: rest("3") }),
        ("A registered_as 1", Line::Auth(Auth::RegisteredAs(1))),
        ("A authorization_ok 2", Line::Auth(Auth::AuthorizationOk(2))),
        ("A authorization_failed 2", Line::Auth(Auth::AuthorizationFailed(2))),
        ("T ready", Line::Technical(Technical::Ready)),
        ("T OK", Line::Technical(Technical::Ok)),
        ("+0 OK authorized", Line::Return(CommandReturn::done("OK authorized"))),
        ("-1 unknow command bogus", Line::Return(CommandReturn::unknown_command(b"bogus"))),
    ];
    for (bytes, line) in table {
        assert_eq!(Line::parse(bytes.as_bytes()).as_ref(), Ok(&line), "{bytes}");
        assert_eq!(String::from_utf8(line.to_bytes()).unwrap(), format!("{bytes}\n"));
    }
}

#[test]
fn bad_lines_say_where() {
    let table: [(&[u8], &str, usize, Expected); 11] = [
        (b"", "", 0, Expected::Line),
        (b"V", "V", 1, Expected::Parameter),
        (b"V a\0b 1", "V", 3, Expected::Text),
        (b"V a\rb 1", "V", 3, Expected::Text),
        (b"E x \"a\" \"b\"", "E", 1, Expected::Integer),
        (b"E 4 \"a\" \"b", "E", 8, Expected::Quote),
        (b"S 4294967296", "S", 12, Expected::Integer),
        (b"S 1 \"a\" b", "S", 8, Expected::End),
        (b"T what", "T", 6, Expected::Keyword),
        (b"X a ? 5", "X", 6, Expected::Keyword),
        (b"+x OK", "+x", 2, Expected::Integer),
    ];
    for (line, word, at, expected) in table {
        let error = ParseError { word: word.to_owned(), at, expected };
        assert_eq!(Line::parse(line), Err(error), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn what_is_answered() {
    for line in ["info", " info  ", "X", "X A = 1", "C0", "Vx", "autosave x", "fits"] {
        assert!(Line::is_answered(line.as_bytes()), "{line}");
    }
    for line in ["", "  ", "V", "S 1", "M", "T ready", "+0 OK", "-1", "D 1 0 5", "fits_data a 0"] {
        assert!(!Line::is_answered(line.as_bytes()), "{line}");
    }
}
