//! Angles as people type them: degrees with a fraction, or with minutes and seconds behind colons.

/// Reads an angle of degrees, `10.5`, `10:30`, `-0:30:40.2` or `10 30 0` (RTS2 lib/rts2/radecparser.cpp, `parseDMS`).
/// `None` when it is not one, or not finite.
///
/// RTS2 takes any character between the numbers and as a result misreads what looks most natural: `10h20m30s` as a
/// sixth of a degree, `5m` as five minutes, an empty text as 0, `0x10` as 16. Here only `:`, `,` and blanks stand
/// between at most three numbers, and only the first has a sign.
#[must_use]
pub fn parse_degrees(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    // One separator may stand at the end, as in RTS2: `10:` is 10.
    let text = text.strip_suffix([':', ',']).unwrap_or(text);
    let mut degrees = 0.0;
    let mut unit = 1.0;
    for (place, part) in text.split([':', ',', ' ']).enumerate() {
        let starts = part.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let digits =
            part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
        if place > 2 || !starts || !digits {
            return None;
        }
        degrees += part.parse::<f64>().ok()? * unit;
        unit /= 60.0;
    }
    Some(sign * degrees).filter(|degrees| degrees.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles() {
        // As the real dummy sensor reads them.
        for (text, degrees) in [
            ("10:20:30", 10.341_666_666_666_667),
            ("+20:30:40", 20.511_111_111_111_113),
            ("-0:30:40", -0.511_111_111_111_111_1),
            ("10", 10.0),
            ("1e2", 100.0),
            ("10:", 10.0),
            ("10,20", 10.333_333_333_333_334),
            ("10 20 30.5", 10.341_805_555_555_556),
            ("10:70:30", 11.174_999_999_999_999),
            ("0.5:30", 1.0),
            (" 5", 5.0),
            (".5", 0.5),
            ("1.03416666666666667851e+01", 10.341_666_666_666_667),
            ("1e-7", 1e-7),
        ] {
            let read = parse_degrees(text.as_bytes()).unwrap();
            assert!((read - degrees).abs() < 1e-13, "{text}: {read}");
        }
    }

    #[test]
    fn what_is_no_angle() {
        for text in [
            "",
            "-",
            ":",
            "foo",
            "nan",
            "inf",
            "1e400",
            "10h20m30s",
            "5'",
            "1:2:3:4",
            "10:-20",
            "10::20",
            "--5",
        ] {
            assert_eq!(parse_degrees(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_degrees(b"5\xb0"), None);
    }
}
