//! What must hold for any input: nothing panics, memory stays within its limit, and what is written reads back.

use proptest::collection::vec;
use proptest::prelude::*;
use rts2_proto::session::client::{self, DeviceEvent, DeviceSession};
use rts2_proto::session::device::{CentraldSession, ClientSession};
use rts2_proto::{
    AltAz, AnyMinMax, AnyRectangle, Array, ArrayItems, Auth, Command, CommandReturn, DeviceName, DeviceState,
    DeviceType, Fragment, ImageLine, Line, LineSplitter, MAX_LINE_BYTES, Message, MessageType, MinMax, Pid,
    QuotedString, RaDec, Rectangle, Rest, SetOp, Statistics, Technical, Text, TimeSerie, ValueData,
    ValueFlags, ValueType, apply_indexed_set, apply_set, escape_message, parse_degrees, parse_f64,
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
        Just(b"C 1 0 1 9\n".to_vec()),
        Just(b"D 1 0 9\n".to_vec()),
        Just(b"D 1 x 9\n".to_vec()),
        Just(b"H 1\n".to_vec()),
        Just(b"logged_as 2\n".to_vec()),
        Just(b"M 1 2 A 1 x\n".to_vec()),
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
                // Blocks come in the chunks of the input: one piece for each byte, whatever they were.
                Fragment::Binary { bytes, .. } => found.extend(bytes.iter().map(|byte| vec![0, *byte])),
                Fragment::Lost => found.push(b"lost".to_vec()),
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

    /// A client's sessions hear the same whatever the chunks, never let themselves in, and hand on as many bytes of an
    /// image as were announced at most.
    #[test]
    fn clients_hear_the_same_in_any_chunks(bytes in stream(), sizes in vec(1usize..20, 1..5)) {
        let bytes = [bytes, b"\n".to_vec()].concat();
        prop_assert_eq!(hear(&bytes, &sizes), hear(&bytes, &[bytes.len()]));
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
    fn values_read_back((value_type, data) in data()) {
        let mut out = Vec::new();
        data.write_to(&mut out);
        prop_assert_eq!(ValueData::parse(value_type, Rest::new(&out).unwrap()), Ok(data));
    }

    /// What a peer sent, if it is a value at all, is written so that it reads back the same.
    #[test]
    fn any_value_of_any_type(bits in 0u8..0x80, text in operand()) {
        if let (Ok(value_type), Ok(text)) = (ValueType::from_bits(bits), Rest::new(&text))
            && let Ok(data) = ValueData::parse(value_type, text)
        {
            let mut out = Vec::new();
            data.write_to(&mut out);
            prop_assert_eq!(ValueData::parse(value_type, Rest::new(&out).unwrap()), Ok(mended(data)));
        }
    }

    #[test]
    fn sets_never_panic_and_stay_finite(
        (value_type, old) in data(),
        op in 0usize..3,
        index in prop_oneof![Just(None), "[0-9:,]{0,6}".prop_map(Some)],
        operand in operand(),
    ) {
        let op = [SetOp::Set, SetOp::Add, SetOp::Subtract][op];
        let items = [QuotedString::new("a").unwrap(), QuotedString::new("b").unwrap()];
        if let Ok(operand) = Rest::new(&operand)
            && let Ok(new) = match index {
                Some(index) => apply_indexed_set(&old, index.as_bytes(), op, operand),
                None => apply_set(&old, &items, op, operand),
            }
        {
            prop_assert_eq!(std::mem::discriminant(&new), std::mem::discriminant(&old));
            let mut out = Vec::new();
            new.write_to(&mut out);
            prop_assert!(out.len() < MAX_LINE_BYTES - 100);
            // Infinite numbers would be written as nan and be no more the same.
            prop_assert_eq!(ValueData::parse(value_type, Rest::new(&out).unwrap()), Ok(new));
        }
    }

    #[test]
    fn angles_never_panic(text in "[-+0-9:,. e]{0,12}") {
        if let Some(degrees) = parse_degrees(text.as_bytes()) {
            prop_assert!(degrees.is_finite());
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

/// What a client's two sessions hear, the bytes of images one by one, and what they answer.
fn hear(bytes: &[u8], sizes: &[usize]) -> (Vec<String>, Vec<u8>) {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    let now = std::time::Instant::now();
    let (mut heard, mut out) = (Vec::new(), Vec::new());
    let Ok(text) = Text::new(b"obs") else { return Default::default() };
    let mut centrald = client::CentraldSession::new(now, text, text, now, &mut out);
    let mut device = DeviceSession::new(now, 1, 0, 1, now, &mut out);
    let mut splitter = LineSplitter::default();
    let mut images = 0;
    let mut announced = 0;
    let mut rest = bytes;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (mut chunk, left) = rest.split_at(sizes.next().copied().unwrap_or(1).min(rest.len()));
        rest = left;
        while let Some(fragment) = splitter.next(&mut chunk) {
            match fragment {
                Fragment::Line(line) => {
                    if let Ok(Line::Image(ImageLine::Binary { sizes, .. })) = Line::parse(line) {
                        announced += sizes.iter().sum::<u64>();
                    }
                    heard.push(format!("{:?}", centrald.handle_line(now, Line::parse(line), &mut out)));
                    heard.push(format!("{:?}", device.handle_line(now, Line::parse(line), &mut out)));
                }
                Fragment::Binary { bytes, .. } => {
                    if let DeviceEvent::ImageBytes { bytes, .. } = device.handle_binary(now, bytes) {
                        images += bytes.len() as u64;
                        heard.extend(bytes.iter().map(u8::to_string));
                    }
                }
                Fragment::Overlong { .. } | Fragment::Lost => heard.push(format!("{fragment:?}")),
            }
        }
    }
    assert!(images <= announced, "{images} bytes of {announced}");
    assert!(centrald.id().is_none() || bytes.windows(9).any(|part| part == b"logged_as"));
    (heard, out)
}

/// A parameter: any bytes but those that have no escape.
fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..20)
        .prop_map(|bytes| bytes.into_iter().filter(|b| !matches!(b, b'"' | b'\n' | b'\r' | 0)).collect())
}

/// An operand or a value: mostly words that mean something, sometimes anything.
fn operand() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => any::<i32>().prop_map(|number| number.to_string()),
        4 => any::<f64>().prop_map(|number| number.to_string()),
        2 => "[0-9]{1,3}(:[0-9]{1,2}){0,3}",
        4 => prop_oneof![Just("0"), Just("1"), Just("on"), Just("nan"), Just("inf"), Just("\"a b\"")]
            .prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    prop_oneof![
        8 => vec(word, 0..10).prop_map(|words| words.join(" ").into_bytes()),
        1 => vec(any::<u8>(), 0..20),
    ]
}

/// What writing makes of infinite numbers.
fn mended(data: ValueData) -> ValueData {
    let mend = |number: f64| if number.is_infinite() { f64::NAN } else { number };
    let mend_all = |it: Statistics| Statistics {
        value: mend(it.value),
        count: it.count,
        mode: mend(it.mode),
        min: mend(it.min),
        max: mend(it.max),
        deviation: mend(it.deviation),
    };
    match data {
        ValueData::Time(number) => ValueData::Time(mend(number)),
        ValueData::Double(number) => ValueData::Double(mend(number)),
        ValueData::Float(number) if number.is_infinite() => ValueData::Float(f32::NAN),
        ValueData::RaDec(it) => ValueData::RaDec(RaDec { ra: mend(it.ra), dec: mend(it.dec) }),
        ValueData::AltAz(it) => ValueData::AltAz(AltAz { alt: mend(it.alt), az: mend(it.az) }),
        ValueData::Stat(it) => ValueData::Stat(Box::new(mend_all(*it))),
        ValueData::TimeSerie(it) => ValueData::TimeSerie(Box::new(TimeSerie {
            statistics: mend_all(it.statistics),
            alpha: mend(it.alpha),
            beta: mend(it.beta),
        })),
        ValueData::MinMax(it) => ValueData::MinMax(Box::new(match *it {
            AnyMinMax::Double(it) => {
                AnyMinMax::Double(MinMax { value: mend(it.value), min: mend(it.min), max: mend(it.max) })
            }
            integer @ AnyMinMax::Integer(_) => integer,
        })),
        ValueData::Rectangle(it) => ValueData::Rectangle(Box::new(match *it {
            AnyRectangle::Double(Rectangle { x, y, width, height }) => AnyRectangle::Double(Rectangle {
                x: mend(x),
                y: mend(y),
                width: mend(width),
                height: mend(height),
            }),
            AnyRectangle::Float(Rectangle { x, y, width, height }) => {
                let mend = |number: f32| if number.is_infinite() { f32::NAN } else { number };
                AnyRectangle::Float(Rectangle {
                    x: mend(x),
                    y: mend(y),
                    width: mend(width),
                    height: mend(height),
                })
            }
            other => other,
        })),
        ValueData::Array(array) => ValueData::Array(Box::new(Array::cut(array.items().clone()))),
        other => other,
    }
}

/// Data of every type.
fn data() -> impl Strategy<Value = (ValueType, ValueData)> {
    let number = || prop_oneof![any::<f64>().prop_filter("finite", |n| n.is_finite()), Just(f64::NAN)];
    let float = || prop_oneof![any::<f32>().prop_filter("finite", |n| n.is_finite()), Just(f32::NAN)];
    let text = || any::<String>().prop_map(|text| QuotedString::cleaned(&text));
    let statistics = || {
        (number(), any::<i32>(), number(), number(), number(), number()).prop_map(
            |(value, count, mode, min, max, deviation)| Statistics {
                value,
                count,
                mode,
                min,
                max,
                deviation,
            },
        )
    };
    let array = |items: ArrayItems| ValueData::Array(Box::new(Array::cut(items)));
    let scalars = prop_oneof![
        text().prop_map(|text| (1, ValueData::String(text))),
        any::<i32>().prop_map(|number| (2, ValueData::Integer(number))),
        number().prop_map(|number| (3, ValueData::Time(number))),
        number().prop_map(|number| (4, ValueData::Double(number))),
        float().prop_map(|number| (5, ValueData::Float(number))),
        any::<Option<bool>>().prop_map(|known| (6, ValueData::Bool(known))),
        any::<i32>().prop_map(|index| (7, ValueData::Selection(index))),
        any::<i64>().prop_map(|number| (8, ValueData::Long(number))),
    ];
    let pairs = prop_oneof![
        (number(), number()).prop_map(|(ra, dec)| (9, ValueData::RaDec(RaDec { ra, dec }))),
        (number(), number()).prop_map(|(alt, az)| (10, ValueData::AltAz(AltAz { alt, az }))),
        any::<(i32, i32, i32)>().prop_map(|(p, i, d)| (11, ValueData::Pid(Pid { p, i, d }))),
        (number(), number(), number()).prop_map(|(value, min, max)| {
            (0x24, ValueData::MinMax(Box::new(AnyMinMax::Double(MinMax { value, min, max }))))
        }),
        any::<(i32, i32, i32)>().prop_map(|(value, min, max)| {
            (0x22, ValueData::MinMax(Box::new(AnyMinMax::Integer(MinMax { value, min, max }))))
        }),
        any::<(i64, i64, i64, i64)>().prop_map(|(x, y, width, height)| {
            (0x38, ValueData::Rectangle(Box::new(AnyRectangle::Long(Rectangle { x, y, width, height }))))
        }),
        (float(), float(), float(), float()).prop_map(|(x, y, width, height)| {
            (0x35, ValueData::Rectangle(Box::new(AnyRectangle::Float(Rectangle { x, y, width, height }))))
        }),
        statistics().prop_map(|it| (0x14, ValueData::Stat(Box::new(it)))),
        (statistics(), number(), number()).prop_map(|(statistics, alpha, beta)| {
            (0x74, ValueData::TimeSerie(Box::new(TimeSerie { statistics, alpha, beta })))
        }),
    ];
    let arrays = prop_oneof![
        vec(text(), 0..9).prop_map(move |items| (0x41, array(ArrayItems::Strings(items)))),
        vec(any::<i32>(), 0..9).prop_map(move |items| (0x42, array(ArrayItems::Integers(items)))),
        vec(number(), 0..9).prop_map(move |items| (0x43, array(ArrayItems::Times(items)))),
        vec(number(), 0..9).prop_map(move |items| (0x44, array(ArrayItems::Doubles(items)))),
        vec(any::<bool>(), 0..9).prop_map(move |items| (0x46, array(ArrayItems::Bools(items)))),
    ];
    prop_oneof![scalars, pairs, arrays]
        .prop_filter_map("a type of RTS2", |(bits, data)| Some((ValueType::from_bits(bits).ok()?, data)))
}
