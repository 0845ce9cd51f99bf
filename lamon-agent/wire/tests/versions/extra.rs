//! What was appended to the hello. If this fails, do not change the test.

use lamon_wire::hello::{Extra, Hello, MAX_TEXT_BYTES};

use super::v01;

#[test]
fn a_join_secret_stands_behind_the_frozen_hello() {
    let hello = Hello::parse(&v01::HELLO[2..]).unwrap();
    let extra = Extra { join: Some("secret".into()) };
    let mut out = Vec::new();
    hello.write_with(&extra, &mut out).unwrap();
    assert_eq!(out[2..], [&v01::HELLO[2..], b"\x01\x06secret"].concat());
    assert_eq!(Hello::parse(&out[2..]), Ok(hello.clone()), "the first release reads it");
    assert_eq!(Hello::parse_extra(&out[2..]), extra);
    assert_eq!(Hello::parse_extra(&v01::HELLO[2..]), Extra::default(), "of the first release");
    for nonsense in [&b"\x01"[..], b"\x02", b"\x01\xff\xff\x03abc", b"\x01\x02\xff\xfe"] {
        let bytes = [&v01::HELLO[2..], nonsense].concat();
        assert_eq!(Hello::parse_extra(&bytes), Extra::default(), "{nonsense:?}");
    }
    let long = Extra { join: Some("x".repeat(MAX_TEXT_BYTES + 1)) };
    let mut out = Vec::new();
    hello.write_with(&long, &mut out).unwrap();
    assert_eq!(Hello::parse_extra(&out[2..]), Extra::default());
}
