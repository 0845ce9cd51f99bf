//! What must hold for any input: nothing panics, memory stays within its limit, and what is written reads back.

use proptest::collection::vec;
use proptest::prelude::*;
use rts2_proto::session::{CentraldSession, ClientSession};
use rts2_proto::{
    Auth, BaseType, Command, CommandReturn, DeviceName, DeviceState, DeviceType, Fragment, Line,
    LineSplitter, Message, MessageType, QuotedString, Rest, SetOp, Technical, Text, ValueData, ValueFlags,
    ValueType, apply_set, escape_message, parse_f64,
};

/// Bytes as a peer may send them: mostly pieces of real lines, sometimes anything.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"V a 1\n".to_vec()),
        Just(b"X a = ".to_vec()),
        Just(b"E 4 \"a\" \"b\" \n".to_vec()),
        Just(b"+0 OK\r\n".to_vec()),
        Just(b"A authorization_ok 1\n".to_vec()),
        Just(b"auth 1 0 1\n".to_vec()),
        Just(b"T ready\n".to_vec()),
        Just(b"\"".to_vec()),
        vec(any::<u8>(), 0..40),
    ];
    vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

fn cut(bytes: &[u8], sizes: &[usize], limit: usize) -> Vec<Vec<u8>> {
    let mut splitter = LineSplitter::new(limit);
    let mut found = Vec::new();
    let mut rest = bytes;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).min(rest.len());
        let (mut chunk, left) = rest.split_at(size);
        rest = left;
        while let Some(fragment) = splitter.next(&mut chunk) {
            match fragment {
                Fragment::Line(line) => found.push(line.to_vec()),
                Fragment::Overlong { .. } => found.push(b"overlong".to_vec()),
            }
            assert!(splitter.pending() <= limit);
        }
        assert!(splitter.pending() <= limit);
    }
    found
}

proptest! {
    #[test]
    fn chunking_changes_nothing(bytes in stream(), sizes in vec(1usize..20, 1..5), limit in 1usize..60) {
        // An end to the last line, so that one cut at its limit is reported either way.
        let bytes = [bytes, b"\n".to_vec()].concat();
        prop_assert_eq!(cut(&bytes, &sizes, limit), cut(&bytes, &[bytes.len()], limit));
    }

    #[test]
    fn sessions_survive_anything(bytes in stream(), sizes in vec(1usize..20, 1..5)) {
        #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
        let now = std::time::Instant::now();
        let mut out = Vec::new();
        let name = DeviceName::new("A").unwrap();
        let mut centrald = CentraldSession::new(now, name, DeviceType::Sensor, 0, ("h", 1), &mut out);
        let mut client = ClientSession::new(now, false);
        for line in cut(&bytes, &sizes, 1000) {
            let _ = centrald.handle_line(now, &Line::parse(&line), &mut out);
            let _ = client.handle_line(now, Line::parse(&line), &mut out);
        }
        prop_assert!(!client.is_authorized(), "authorized itself");
    }

    #[test]
    fn what_parses_is_written_the_same(line in vec(any::<u8>(), 0..80)) {
        if let Ok(parsed) = Line::parse(&line) {
            let written = parsed.to_bytes();
            let again = Line::parse(&written[..written.len() - 1]).map(|line| line.to_bytes());
            prop_assert_eq!(again, Ok(written));
        }
    }

    #[test]
    fn lines_read_back((line_of, a, b, n, x) in (0usize..17, text(), text(), any::<i32>(), -1e12..1e12f64)) {
        let (a, b) = (Text::new(&a).unwrap(), Text::new(&b).unwrap());
        let rest = Rest::new(b.as_bytes()).unwrap();
        let state = DeviceState::from_bits_retain(n.cast_unsigned());
        let seconds = (x * 1e3).round() / 1e3;
        let line = match line_of {
            0 => Line::Value { name: a, value: rest },
            1 => Line::MetaInfo { flags: ValueFlags::from_wire(n), name: a, description: b },
            2 => Line::SelMetaInfo { name: a, item: None },
            3 => Line::SelMetaInfo { name: a, item: Some(b) },
            4 => Line::Status { state, text: Some(b) },
            5 => Line::StatusProgress { state, start: seconds, end: seconds, text: None },
            6 => Line::Progress { start: seconds, end: 0.0 },
            7 => Line::BopState { state, bop: state },
            8 => Line::Message(Message { seconds: n.into(), micros: 5, origin: a, kind: MessageType::INFO, text: rest }),
            9 => Line::SetValue { name: a, op: SetOp::Subtract, operand: rest },
            10 => Line::Auth(Auth::AuthorizationFailed(n)),
            11 => Line::Technical(Technical::Ready),
            12 => Line::Return(CommandReturn { code: n, text: String::from_utf8_lossy(rest.as_bytes()).into_owned() }),
            13 => Line::Command(Command::Register {
                centrald_num: n, name: a, device_type: DeviceType::from_code(n), host: b, port: 5,
            }),
            14 => Line::Command(Command::Client { id: n, login: a, name: b }),
            15 => Line::Command(Command::WeatherUpdate { device: a, reason: b }),
            _ => Line::Command(Command::AuthorizationKey { device: a, key: n }),
        };
        let bytes = line.to_bytes();
        prop_assert_eq!(Line::parse(&bytes[..bytes.len() - 1]), Ok(line));
    }

    #[test]
    fn values_read_back(data in data()) {
        let base = match data {
            ValueData::String(_) => BaseType::String,
            ValueData::Integer(_) => BaseType::Integer,
            ValueData::Time(_) => BaseType::Time,
            ValueData::Double(_) => BaseType::Double,
            ValueData::Float(_) => BaseType::Float,
            ValueData::Bool(_) => BaseType::Bool,
            ValueData::Selection(_) => BaseType::Selection,
            ValueData::Long(_) | ValueData::Raw(_) => BaseType::Long,
        };
        let mut out = Vec::new();
        data.write_to(&mut out);
        prop_assert_eq!(ValueData::parse(ValueType::scalar(base), Rest::new(&out).unwrap()), Ok(data));
    }

    #[test]
    fn sets_never_panic_and_stay_finite(old in data(), op in 0usize..3, operand in vec(any::<u8>(), 0..20)) {
        let op = [SetOp::Set, SetOp::Add, SetOp::Subtract][op];
        let items = [QuotedString::new("a").unwrap(), QuotedString::new("b").unwrap()];
        if let Ok(operand) = Rest::new(&operand)
            && let Ok(new) = apply_set(&old, &items, op, operand)
        {
            prop_assert_eq!(std::mem::discriminant(&new), std::mem::discriminant(&old));
            if let ValueData::Double(number) | ValueData::Time(number) = new {
                prop_assert!(!number.is_infinite());
            }
        }
    }

    #[test]
    fn numbers_never_panic(token in vec(any::<u8>(), 0..30)) {
        let _ = parse_f64(&token);
    }

    #[test]
    fn any_text_can_be_cleaned(text in any::<String>()) {
        let clean = QuotedString::cleaned_without_percent(&text);
        prop_assert_eq!(QuotedString::without_percent(clean.as_str()), Ok(clean));
        prop_assert!(Rest::new(escape_message(&text).as_bytes()).is_ok());
    }
}

/// A parameter: any bytes but those that have no escape.
fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..20)
        .prop_map(|bytes| bytes.into_iter().filter(|b| !matches!(b, b'"' | b'\n' | b'\r' | 0)).collect())
}

fn data() -> impl Strategy<Value = ValueData> {
    let number = prop_oneof![any::<f64>().prop_filter("finite", |n| n.is_finite()), Just(f64::NAN)];
    let float = prop_oneof![any::<f32>().prop_filter("finite", |n| n.is_finite()), Just(f32::NAN)];
    prop_oneof![
        any::<String>().prop_map(|text| ValueData::String(QuotedString::cleaned(&text))),
        any::<i32>().prop_map(ValueData::Integer),
        number.clone().prop_map(ValueData::Time),
        number.prop_map(ValueData::Double),
        float.prop_map(ValueData::Float),
        any::<Option<bool>>().prop_map(ValueData::Bool),
        any::<i32>().prop_map(ValueData::Selection),
        any::<i64>().prop_map(ValueData::Long),
    ]
}
