//! Types of values: a base type and, for some, how several of them make one value.

/// Base type (RTS2 include/value.h, `RTS2_VALUE_STRING` …).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BaseType {
    /// 1: text.
    String,
    /// 2: 32-bit integer.
    Integer,
    /// 3: unix seconds, a double.
    Time,
    /// 4: double precision.
    Double,
    /// 5: single precision.
    Float,
    /// 6: 0, 1, or 2 for not known.
    Bool,
    /// 7: index into a list of names.
    Selection,
    /// 8: 64-bit integer.
    Long,
    /// 9: right ascension and declination, degrees.
    RaDec,
    /// 10: altitude and azimuth, degrees.
    AltAz,
    /// 11: proportional, integral, derivative factor.
    Pid,
}

/// What is made of the base type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Composite {
    /// One of it.
    Scalar,
    /// 0x10: `value count mode min max deviation`.
    Stat,
    /// 0x20: `value min max`.
    MinMax,
    /// 0x30: `x y w h`.
    Rectangle,
    /// 0x40: any number of them.
    Array,
    /// 0x70: statistics with a trend.
    TimeSerie,
}

/// Type of a value: the low seven bits of its flags.
///
/// A declared one ([`ValueType::new`]) is always one that real clients can bear; what a peer sent
/// ([`ValueType::from_bits`]) may be any that RTS2 has a number for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueType {
    base: BaseType,
    composite: Composite,
}

/// Why a type cannot be declared, although RTS2 has a number for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedType {
    /// RTS2 lib/rts2/connection.cpp, `metaInfo`: every client exits.
    #[error("array of {0:?}: RTS2 clients exit on any but string, integer, time, double, bool")]
    Array(BaseType),
    /// RTS2 lib/rts2/connection.cpp, `metaInfo`: every client exits.
    #[error("min-max of {0:?}: RTS2 clients exit on any but double and integer")]
    MinMax(BaseType),
    /// RTS2 lib/rts2/valuerectangle.cpp, `getDisplayValue`: rts2-mon prints memory that nobody wrote.
    #[error("rectangle of {0:?}: rts2-mon cannot print any but integer, long, float, double")]
    Rectangle(BaseType),
    /// RTS2 lib/rts2/valuestat.cpp: clients read doubles and mix up the type's bits.
    #[error("statistics of {0:?}: RTS2 has them of doubles only")]
    Statistics(BaseType),
}

/// Flags name a type that RTS2 does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown value type {bits:#04x}")]
pub struct UnknownType {
    /// The seven bits.
    pub bits: u8,
}

impl ValueType {
    /// Statistics of doubles.
    pub const STATISTICS: Self = Self { base: BaseType::Double, composite: Composite::Stat };
    /// A time series of doubles.
    pub const TIME_SERIE: Self = Self { base: BaseType::Double, composite: Composite::TimeSerie };
    /// An integer between limits.
    pub const INTEGER_MIN_MAX: Self = Self { base: BaseType::Integer, composite: Composite::MinMax };
    /// A double between limits.
    pub const DOUBLE_MIN_MAX: Self = Self { base: BaseType::Double, composite: Composite::MinMax };
    /// A rectangle of integers.
    pub const INTEGER_RECTANGLE: Self = Self { base: BaseType::Integer, composite: Composite::Rectangle };
    /// A rectangle of 64-bit integers.
    pub const LONG_RECTANGLE: Self = Self { base: BaseType::Long, composite: Composite::Rectangle };
    /// A rectangle of floats.
    pub const FLOAT_RECTANGLE: Self = Self { base: BaseType::Float, composite: Composite::Rectangle };
    /// A rectangle of doubles.
    pub const DOUBLE_RECTANGLE: Self = Self { base: BaseType::Double, composite: Composite::Rectangle };
    /// An array of texts.
    pub const STRING_ARRAY: Self = Self { base: BaseType::String, composite: Composite::Array };
    /// An array of integers.
    pub const INTEGER_ARRAY: Self = Self { base: BaseType::Integer, composite: Composite::Array };
    /// An array of times.
    pub const TIME_ARRAY: Self = Self { base: BaseType::Time, composite: Composite::Array };
    /// An array of doubles.
    pub const DOUBLE_ARRAY: Self = Self { base: BaseType::Double, composite: Composite::Array };
    /// An array of bools.
    pub const BOOL_ARRAY: Self = Self { base: BaseType::Bool, composite: Composite::Array };

    /// A single value of a base type.
    #[must_use]
    pub const fn scalar(base: BaseType) -> Self {
        Self { base, composite: Composite::Scalar }
    }

    /// What is made of a base type, if real clients can bear it.
    ///
    /// # Errors
    /// A combination that makes real clients exit or print rubbish, with the reason.
    pub const fn new(base: BaseType, composite: Composite) -> Result<Self, UnsupportedType> {
        use BaseType::{Bool, Double, Float, Integer, Long, String, Time};
        match composite {
            Composite::Array if !matches!(base, String | Integer | Time | Double | Bool) => {
                Err(UnsupportedType::Array(base))
            }
            Composite::MinMax if !matches!(base, Double | Integer) => Err(UnsupportedType::MinMax(base)),
            Composite::Rectangle if !matches!(base, Integer | Long | Float | Double) => {
                Err(UnsupportedType::Rectangle(base))
            }
            Composite::Stat | Composite::TimeSerie if !matches!(base, Double) => {
                Err(UnsupportedType::Statistics(base))
            }
            _ => Ok(Self { base, composite }),
        }
    }

    /// Base type.
    #[must_use]
    pub const fn base(self) -> BaseType {
        self.base
    }

    /// What is made of it.
    #[must_use]
    pub const fn composite(self) -> Composite {
        self.composite
    }

    /// From the low seven bits of the flags, as a peer sent them.
    ///
    /// # Errors
    /// When RTS2 has no such type.
    pub fn from_bits(bits: u8) -> Result<Self, UnknownType> {
        let base = match bits & 0x0f {
            1 => BaseType::String,
            2 => BaseType::Integer,
            3 => BaseType::Time,
            4 => BaseType::Double,
            5 => BaseType::Float,
            6 => BaseType::Bool,
            7 => BaseType::Selection,
            8 => BaseType::Long,
            9 => BaseType::RaDec,
            10 => BaseType::AltAz,
            11 => BaseType::Pid,
            _ => return Err(UnknownType { bits }),
        };
        let composite = match bits & 0x70 {
            0x00 => Composite::Scalar,
            0x10 => Composite::Stat,
            0x20 => Composite::MinMax,
            0x30 => Composite::Rectangle,
            0x40 => Composite::Array,
            0x70 => Composite::TimeSerie,
            _ => return Err(UnknownType { bits }),
        };
        Ok(Self { base, composite })
    }

    /// The seven bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        let base = match self.base {
            BaseType::String => 1,
            BaseType::Integer => 2,
            BaseType::Time => 3,
            BaseType::Double => 4,
            BaseType::Float => 5,
            BaseType::Bool => 6,
            BaseType::Selection => 7,
            BaseType::Long => 8,
            BaseType::RaDec => 9,
            BaseType::AltAz => 10,
            BaseType::Pid => 11,
        };
        let composite = match self.composite {
            Composite::Scalar => 0x00,
            Composite::Stat => 0x10,
            Composite::MinMax => 0x20,
            Composite::Rectangle => 0x30,
            Composite::Array => 0x40,
            Composite::TimeSerie => 0x70,
        };
        base | composite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_both_ways() {
        let known = (0..0x80).filter_map(|bits| ValueType::from_bits(bits).ok().map(|t| (bits, t)));
        assert_eq!(known.inspect(|(bits, t)| assert_eq!(t.bits(), *bits)).count(), 11 * 6);
        assert_eq!(ValueType::from_bits(0x5c), Err(UnknownType { bits: 0x5c }));
    }

    #[test]
    fn what_real_clients_cannot_bear_cannot_be_built() {
        let all = (1..12).filter_map(|bits| ValueType::from_bits(bits).ok()).map(ValueType::base);
        let count = |composite| {
            let all = all.clone();
            all.filter(|base| ValueType::new(*base, composite).is_ok()).count()
        };
        assert_eq!(count(Composite::Scalar), 11);
        assert_eq!(count(Composite::Array), 5);
        assert_eq!(count(Composite::MinMax), 2);
        assert_eq!(count(Composite::Rectangle), 4);
        assert_eq!(count(Composite::Stat), 1);
        assert_eq!(count(Composite::TimeSerie), 1);
        let float = ValueType::new(BaseType::Float, Composite::Array).unwrap_err();
        assert_eq!(
            float.to_string(),
            "array of Float: RTS2 clients exit on any but string, integer, time, double, bool"
        );
    }
}
