//! The Rust types of values that are made of several.

use rts2_proto::{
    AltAz, AnyMinMax, AnyRectangle, Array, ArrayItems, BaseType, MinMax, Pid, QuotedString, RaDec, Rectangle,
    Statistics, TimeSerie, ValueData, ValueType,
};

use crate::value::{Time, ValueKind, finite, sealed};

/// One line per type: `Rust type, RTS2 type; how it is stored; how it is read; what it is when not set`.
macro_rules! kinds {
    ($($kind:ty, $type:expr; $value:ident => $into:expr; $stored:pat => $from:expr; $unset:expr;)*) => {
        $(
            impl sealed::Sealed for $kind {}
            impl ValueKind for $kind {
                const TYPE: ValueType = $type;
                fn into_data(self) -> ValueData {
                    let $value = self;
                    $into
                }
                fn from_data(data: &ValueData) -> Self {
                    match data {
                        $stored => $from,
                        _ => $unset,
                    }
                }
            }
        )*
    };
}

kinds! {
    RaDec, ValueType::scalar(BaseType::RaDec);
        v => ValueData::RaDec(Self { ra: finite(v.ra), dec: finite(v.dec) });
        ValueData::RaDec(v) => *v;
        Self::UNSET;
    AltAz, ValueType::scalar(BaseType::AltAz);
        v => ValueData::AltAz(Self { alt: finite(v.alt), az: finite(v.az) });
        ValueData::AltAz(v) => *v;
        Self::UNSET;
    Pid, ValueType::scalar(BaseType::Pid);
        v => ValueData::Pid(v);
        ValueData::Pid(v) => *v;
        Self::default();
    Statistics, ValueType::STATISTICS;
        v => ValueData::Stat(Box::new(finite_statistics(v)));
        ValueData::Stat(v) => **v;
        Self::UNSET;
    TimeSerie, ValueType::TIME_SERIE;
        v => ValueData::TimeSerie(Box::new(Self {
            statistics: finite_statistics(v.statistics),
            alpha: finite(v.alpha),
            beta: finite(v.beta),
        }));
        ValueData::TimeSerie(v) => **v;
        Self::UNSET;
}

/// Numbers between limits and rectangles: `number, variant, mended; RTS2 types; number when not set`.
macro_rules! min_max {
    ($($number:ty, $variant:ident, $type:expr, $mend:expr, $unset:expr;)*) => {
        kinds! {
            $(
                MinMax<$number>, $type;
                    v => ValueData::MinMax(Box::new(AnyMinMax::$variant(Self {
                        value: $mend(v.value),
                        min: $mend(v.min),
                        max: $mend(v.max),
                    })));
                    ValueData::MinMax(v) => match **v {
                        AnyMinMax::$variant(v) => v,
                        _ => $unset,
                    };
                    $unset;
            )*
        }
    };
}

min_max! {
    f64, Double, ValueType::DOUBLE_MIN_MAX, finite, Self { value: f64::NAN, min: f64::NAN, max: f64::NAN };
    i32, Integer, ValueType::INTEGER_MIN_MAX, std::convert::identity,
        Self { value: 0, min: i32::MIN, max: i32::MAX };
}

macro_rules! rectangles {
    ($($number:ty, $variant:ident, $type:expr, $mend:expr, $unset:expr;)*) => {
        kinds! {
            $(
                Rectangle<$number>, $type;
                    v => ValueData::Rectangle(Box::new(AnyRectangle::$variant(Self {
                        x: $mend(v.x),
                        y: $mend(v.y),
                        width: $mend(v.width),
                        height: $mend(v.height),
                    })));
                    ValueData::Rectangle(v) => match **v {
                        AnyRectangle::$variant(v) => v,
                        _ => Self { x: $unset, y: $unset, width: $unset, height: $unset },
                    };
                    Self { x: $unset, y: $unset, width: $unset, height: $unset };
            )*
        }
    };
}

rectangles! {
    i32, Integer, ValueType::INTEGER_RECTANGLE, std::convert::identity, 0;
    i64, Long, ValueType::LONG_RECTANGLE, std::convert::identity, 0;
    f32, Float, ValueType::FLOAT_RECTANGLE, |v: f32| if v.is_finite() { v } else { f32::NAN }, f32::NAN;
    f64, Double, ValueType::DOUBLE_RECTANGLE, finite, f64::NAN;
}

/// Arrays: `item, variant, RTS2 type; how an item is stored; how it is read`.
macro_rules! arrays {
    ($($item:ty, $variant:ident, $type:expr; $into:expr; $from:expr;)*) => {
        kinds! {
            $(
                Vec<$item>, $type;
                    v => ValueData::Array(Box::new(Array::cut(ArrayItems::$variant(
                        v.into_iter().map($into).collect(),
                    ))));
                    ValueData::Array(v) => match v.items() {
                        ArrayItems::$variant(v) => v.iter().map($from).collect(),
                        _ => Self::new(),
                    };
                    Self::new();
            )*
        }
    };
}

arrays! {
    f64, Doubles, ValueType::DOUBLE_ARRAY; finite; |v| *v;
    i32, Integers, ValueType::INTEGER_ARRAY; |v| v; |v| *v;
    bool, Bools, ValueType::BOOL_ARRAY; |v| v; |v| *v;
    String, Strings, ValueType::STRING_ARRAY;
        |v| QuotedString::cleaned_without_percent(&v); |v| v.as_str().to_owned();
    Time, Times, ValueType::TIME_ARRAY; |v| finite(v.0); |v| Time(*v);
}

fn finite_statistics(it: Statistics) -> Statistics {
    Statistics {
        value: finite(it.value),
        count: it.count,
        mode: finite(it.mode),
        min: finite(it.min),
        max: finite(it.max),
        deviation: finite(it.deviation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again<T: ValueKind>(value: T) -> T {
        let data = value.into_data();
        assert_eq!(std::mem::discriminant(&data), std::mem::discriminant(&ValueData::unset(T::TYPE)));
        T::from_data(&data)
    }

    #[test]
    fn kinds_come_back_as_they_went_in() {
        let position = RaDec { ra: 10.5, dec: f64::INFINITY };
        assert_eq!(again(position), RaDec { ra: 10.5, dec: f64::NAN });
        assert_eq!(again(AltAz { alt: 1.0, az: 2.0 }), AltAz { alt: 1.0, az: 2.0 });
        assert_eq!(again(Pid { p: 1, i: 2, d: 3 }), Pid { p: 1, i: 2, d: 3 });
        let statistics = Statistics { value: 1.0, count: 2, ..Statistics::UNSET };
        assert_eq!(again(statistics), statistics);
        let serie = TimeSerie { statistics, alpha: 1.0, beta: f64::NEG_INFINITY };
        assert_eq!(again(serie), TimeSerie { beta: f64::NAN, ..serie });
        assert_eq!(again(MinMax { value: 1, min: 0, max: 9 }), MinMax { value: 1, min: 0, max: 9 });
        let (x, y, width, height) = (0.5, 1.0, 2.0, f32::INFINITY);
        assert_eq!(again(Rectangle { x, y, width, height }), Rectangle { x, y, width, height: f32::NAN });
        assert_eq!(again(vec![1, 2]), [1, 2]);
        assert_eq!(again(vec![true; 5000]).len(), rts2_proto::MAX_ARRAY_ITEMS);
        assert_eq!(again(vec!["9 %".to_owned()]), ["9 pct"]);
        assert_eq!(again(vec![Time(5.5)]), [Time(5.5)]);
        // Data of another type reads as not set.
        assert_eq!(Vec::<f64>::from_data(&ValueData::Integer(5)), Vec::<f64>::new());
        assert!(MinMax::<f64>::from_data(&again_integer()).value.is_nan());
    }

    fn again_integer() -> ValueData {
        MinMax { value: 1, min: 0, max: 9 }.into_data()
    }
}
