//! Numbers as C reads them and as RTS2 can bear them.

use std::fmt::Debug;
use std::io::Write;

/// A type of number that composite values are made of: `i32`, `i64`, `f32`, `f64`.
pub trait Number: Copy + Debug + PartialOrd + 'static + sealed::Sealed {}

pub(crate) mod sealed {
    /// What a number can do on the wire.
    pub trait Sealed: Sized {
        /// What it is before it is set.
        const UNSET: Self;
        /// Reads a parameter.
        fn read(token: &[u8]) -> Option<Self>;
        /// Writes it.
        fn write(self, out: &mut Vec<u8>);
        /// Equal, or both not set.
        fn same(self, other: Self) -> bool;
        /// The sum, if RTS2 can bear it.
        fn plus(self, other: Self) -> Option<Self>;
        /// The difference, if RTS2 can bear it.
        fn minus(self, other: Self) -> Option<Self>;
        /// Not infinite.
        fn bearable(self) -> bool;
    }
}

macro_rules! integers {
    ($($kind:ty)*) => {
        $(
            impl Number for $kind {}
            impl sealed::Sealed for $kind {
                const UNSET: Self = 0;
                fn read(token: &[u8]) -> Option<Self> {
                    std::str::from_utf8(token).ok()?.parse().ok()
                }
                fn write(self, out: &mut Vec<u8>) {
                    // Writing into memory cannot fail.
                    let _ = write!(out, "{self}");
                }
                fn same(self, other: Self) -> bool {
                    self == other
                }
                fn plus(self, other: Self) -> Option<Self> {
                    self.checked_add(other)
                }
                fn minus(self, other: Self) -> Option<Self> {
                    self.checked_sub(other)
                }
                fn bearable(self) -> bool {
                    true
                }
            }
        )*
    };
}

macro_rules! floats {
    ($($kind:ty, $convert:expr, $write:path;)*) => {
        $(
            impl Number for $kind {}
            impl sealed::Sealed for $kind {
                const UNSET: Self = Self::NAN;
                fn read(token: &[u8]) -> Option<Self> {
                    parse_f64(token).map($convert)
                }
                fn write(self, out: &mut Vec<u8>) {
                    $write(self, out);
                }
                fn same(self, other: Self) -> bool {
                    self == other || (self.is_nan() && other.is_nan())
                }
                fn plus(self, other: Self) -> Option<Self> {
                    Some(self + other).filter(|sum| !sum.is_infinite())
                }
                fn minus(self, other: Self) -> Option<Self> {
                    Some(self - other).filter(|difference| !difference.is_infinite())
                }
                fn bearable(self) -> bool {
                    !self.is_infinite()
                }
            }
        )*
    };
}

integers! { i32 i64 }
floats! {
    f32, to_f32, write_f32;
    f64, |number| number, write_f64;
}

/// Single precision is what the type holds: digits beyond it are lost, as in C.
#[expect(clippy::cast_possible_truncation, reason = "rounding to single precision is what is asked for")]
fn to_f32(number: f64) -> f32 {
    number as f32
}

/// Reads a number as RTS2 does with `sscanf ("%lf")`: `nan` in any case, else the longest part at the front that is
/// a decimal number, so that `+10m` is 10. `None` when there is no number.
#[must_use]
pub fn parse_f64(token: &[u8]) -> Option<f64> {
    // Nearly all that comes is a number from end to end. What begins with a digit and is one for Rust is one for C.
    if let [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..] = token
        && let Some(number) = std::str::from_utf8(token).ok().and_then(|token| token.parse().ok())
    {
        return Some(number);
    }
    let unsigned = match token {
        [b'+' | b'-', rest @ ..] => rest,
        rest => rest,
    };
    let starts = |word: &[u8]| unsigned.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if starts(b"nan") {
        return Some(f64::NAN);
    }
    if starts(b"inf") {
        return Some(if token.first() == Some(&b'-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    // C would read 0x10 as 16; cutting it to 0 would be a silent mistake.
    if starts(b"0x") {
        return None;
    }
    let digits = |from: usize| unsigned.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    let mut fraction = 0;
    if unsigned.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(unsigned.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(unsigned.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    let length = token.len() - unsigned.len() + end;
    std::str::from_utf8(token.get(..length)?).ok()?.parse().ok()
}

/// Writes a number so that it reads back the same, in as few digits as that takes. What is not finite becomes `nan`:
/// `inf` hangs rts2-mon's byte-size display.
pub fn write_f64(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        // Writing into memory cannot fail.
        let _ = write!(out, "{number:?}");
    } else {
        out.extend_from_slice(b"nan");
    }
}

/// As [`write_f64`], in the digits that single precision needs.
pub(crate) fn write_f32(number: f32, out: &mut Vec<u8>) {
    if number.is_finite() {
        let _ = write!(out, "{number:?}");
    } else {
        out.extend_from_slice(b"nan");
    }
}

/// Writes unix seconds with six decimals, as `R` and `P` carry them.
pub(crate) fn write_seconds(seconds: f64, out: &mut Vec<u8>) {
    if seconds.is_finite() {
        let _ = write!(out, "{seconds:.6}");
    } else {
        out.extend_from_slice(b"nan");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_reads_them() {
        let table: [(&[u8], Option<f64>); 13] = [
            (b"1.79532790604682397842e+09", Some(1_795_327_906.046_824)),
            (b"+10m", Some(10.0)),
            (b"-.5", Some(-0.5)),
            (b"5.", Some(5.0)),
            (b"1e", Some(1.0)),
            (b"1e+", Some(1.0)),
            (b"2E3x", Some(2000.0)),
            (b"foo", None),
            (b"", None),
            (b".", None),
            (b"+", None),
            (b"0x10", None),
            (b"-inf", Some(f64::NEG_INFINITY)),
        ];
        for (token, number) in table {
            assert_eq!(parse_f64(token), number, "{}", String::from_utf8_lossy(token));
        }
        for nan in [&b"nan"[..], b"NaN", b"-nan"] {
            assert!(parse_f64(nan).unwrap().is_nan());
        }
    }

    #[test]
    fn numbers_as_they_are_written() {
        for (number, text) in
            [(12.5, "12.5"), (0.0, "0.0"), (1e300, "1e300"), (f64::NAN, "nan"), (f64::INFINITY, "nan")]
        {
            let mut out = Vec::new();
            write_f64(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
