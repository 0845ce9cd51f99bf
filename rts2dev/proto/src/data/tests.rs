//! What RTS2 sends for values of every type, both ways, and what is no such value.

use super::*;

fn parse(bits: u8, text: &str) -> Result<ValueData, DataError> {
    ValueData::parse(ValueType::from_bits(bits).unwrap(), Rest::new(text.as_bytes()).unwrap())
}

fn text(text: &str) -> QuotedString {
    QuotedString::new(text).unwrap()
}

fn array(items: ArrayItems) -> ValueData {
    ValueData::Array(Box::new(Array::new(items).unwrap()))
}

/// What RTS2 sent, what it means, and how it is written again.
#[test]
fn wire_format() {
    let nan = f64::NAN;
    let statistics = Statistics {
        value: 15.25,
        count: 2,
        mode: 15.25,
        min: 10.0,
        max: 20.5,
        deviation: 7.424_621_202_458_749,
    };
    let serie =
        TimeSerie { statistics: Statistics { deviation: 5.25, ..statistics }, alpha: nan, beta: 17.5 };
    let one = Statistics { value: 10.0, count: 1, mode: 10.0, min: 10.0, max: 10.0, deviation: 0.0 };
    let table = [
        (1, "\"hello world\"", ValueData::String(text("hello world")), "\"hello world\""),
        (1, "\"\"", ValueData::String(QuotedString::default()), "\"\""),
        (2, "-8", ValueData::Integer(-8), "-8"),
        (3, "1.79532790604682397842e+09", ValueData::Time(1_795_327_906.046_824), "1795327906.046824"),
        (4, "nan", ValueData::Double(nan), "nan"),
        (4, "3.25224599842898456359e+01", ValueData::Double(32.522_459_984_289_846), "32.522459984289846"),
        (5, "1.00000000000000000000e-01", ValueData::Float(0.1), "0.1"),
        (6, "2", ValueData::Bool(None), "2"),
        (6, "1", ValueData::Bool(Some(true)), "1"),
        (7, "5", ValueData::Selection(5), "5"),
        (8, "9223372036854775807", ValueData::Long(i64::MAX), "9223372036854775807"),
        (9, "nan nan", ValueData::RaDec(RaDec::UNSET), "nan nan"),
        (
            9,
            "1.03416666666666667851e+01 2.05111111111111128480e+01",
            ValueData::RaDec(RaDec { ra: 10.341_666_666_666_667, dec: 20.511_111_111_111_113 }),
            "10.341666666666667 20.511111111111113",
        ),
        (
            10,
            "45.00000000000000000000 -10.25000000000000000000",
            ValueData::AltAz(AltAz { alt: 45.0, az: -10.25 }),
            "45.0 -10.25",
        ),
        (11, "1 -2 3", ValueData::Pid(Pid { p: 1, i: -2, d: 3 }), "1 -2 3"),
        (
            0x14,
            "nan 0 nan nan nan nan",
            ValueData::Stat(Box::new(Statistics::UNSET)),
            "nan 0 nan nan nan nan",
        ),
        (
            0x14,
            "1.52500000000000000000e+01 2 1.52500000000000000000e+01 1.00000000000000000000e+01 \
             2.05000000000000000000e+01 7.42462120245874857005e+00",
            ValueData::Stat(Box::new(statistics)),
            "15.25 2 15.25 10.0 20.5 7.424621202458749",
        ),
        (
            0x74,
            "1.525e+01 2 1.525e+01 1.0e+01 2.05e+01 5.25e+00 -nan 17.5",
            ValueData::TimeSerie(Box::new(serie)),
            "15.25 2 15.25 10.0 20.5 5.25 nan 17.5",
        ),
        (
            0x74,
            "10 1 10 10 10 0.00000000000000000000e+00 -nan -nan",
            ValueData::TimeSerie(Box::new(TimeSerie { statistics: one, alpha: nan, beta: nan })),
            "10.0 1 10.0 10.0 10.0 0.0 nan nan",
        ),
        (
            0x24,
            "7.00000000000000000000e+00 nan 1e1",
            ValueData::MinMax(Box::new(AnyMinMax::Double(MinMax { value: 7.0, min: nan, max: 10.0 }))),
            "7.0 nan 10.0",
        ),
        (
            0x22,
            "7 -2147483648 2147483647",
            ValueData::MinMax(Box::new(AnyMinMax::Integer(MinMax {
                value: 7,
                min: i32::MIN,
                max: i32::MAX,
            }))),
            "7 -2147483648 2147483647",
        ),
        (
            0x32,
            "0 1 100 80",
            ValueData::Rectangle(Box::new(AnyRectangle::Integer(Rectangle {
                x: 0,
                y: 1,
                width: 100,
                height: 80,
            }))),
            "0 1 100 80",
        ),
        (
            0x34,
            "0 1.5 nan 80",
            ValueData::Rectangle(Box::new(AnyRectangle::Double(Rectangle {
                x: 0.0,
                y: 1.5,
                width: nan,
                height: 80.0,
            }))),
            "0.0 1.5 nan 80.0",
        ),
        (0x44, "", array(ArrayItems::Doubles(vec![])), ""),
        (0x44, "10.000000 20.500000 nan", array(ArrayItems::Doubles(vec![10.0, 20.5, nan])), "10.0 20.5 nan"),
        (
            0x43,
            "1795327920.136821",
            array(ArrayItems::Times(vec![1_795_327_920.136_821])),
            "1795327920.136821",
        ),
        (0x42, "20 -40", array(ArrayItems::Integers(vec![20, -40])), "20 -40"),
        (0x46, "0 1 1", array(ArrayItems::Bools(vec![false, true, true])), "0 1 1"),
        (0x41, "C0 C1", array(ArrayItems::Strings(vec![text("C0"), text("C1")])), "C0 C1"),
        (
            0x41,
            "\"a b\" \"\" c",
            array(ArrayItems::Strings(vec![text("a b"), text(""), text("c")])),
            "\"a b\" \"\" c",
        ),
        // Types that clients cannot bear, and a rectangle that nobody can print.
        (0x45, "1 2", ValueData::Raw("1 2".into()), "1 2"),
        (0x28, "1 2 3", ValueData::Raw("1 2 3".into()), "1 2 3"),
        (0x31, "a b c d", ValueData::Raw("a b c d".into()), "a b c d"),
    ];
    for (bits, text, data, written) in table {
        assert_eq!(parse(bits, text), Ok(data.clone()), "{text}");
        let mut out = Vec::new();
        data.write_to(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), written);
        assert_eq!(parse(bits, written), Ok(data));
    }
}

#[test]
fn what_does_not_fit_its_type() {
    for (bits, text) in [
        (2, "foo"),
        (2, "2147483648"),
        (2, "1 2"),
        (4, ""),
        (4, "x"),
        (1, "\"a\" b"),
        (8, "9223372036854775808"),
        (9, "1"),
        (9, "1 2 3"),
        (11, "1 2"),
        (0x14, "1 2 3"),
        (0x14, "1 2.5 3 4 5 6"),
        (0x22, "1 2 x"),
        (0x24, "1 2"),
        (0x32, "1 2 3"),
        (0x41, "a \"b"),
        (0x42, "1 x"),
        (0x44, "1 x"),
        (0x46, "1 2"),
        (0x74, "1 2 3 4 5 6"),
    ] {
        assert!(parse(bits, text).is_err(), "{bits:#x} {text}");
    }
}

#[test]
fn unset_is_what_rts2_begins_with() {
    for bits in 0..0x80 {
        let Ok(value_type) = ValueType::from_bits(bits) else { continue };
        let mut out = Vec::new();
        ValueData::unset(value_type).write_to(&mut out);
        assert_eq!(parse(bits, std::str::from_utf8(&out).unwrap()), Ok(ValueData::unset(value_type)));
    }
}

#[test]
fn distances_are_kept_within_half_a_turn() {
    let keep = |degrees, display| ValueData::Double(degrees).normalized(display);
    assert_eq!(keep(190.0, DisplayType::DegDist180), ValueData::Double(-170.0));
    assert_eq!(keep(-370.0, DisplayType::DegDist180), ValueData::Double(-10.0));
    assert_eq!(keep(190.0, DisplayType::DegDist), ValueData::Double(190.0));
}

/// Clients of large systems hold hundreds of thousands of values.
#[test]
fn data_is_small() {
    assert_eq!(size_of::<ValueData>(), 24);
}
