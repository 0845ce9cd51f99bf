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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueType {
    /// Base type.
    pub base: BaseType,
    /// What is made of it.
    pub composite: Composite,
}

/// Flags name a type that RTS2 does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown value type {bits:#04x}")]
pub struct UnknownType {
    /// The seven bits.
    pub bits: u8,
}

impl ValueType {
    /// A single value of a base type.
    #[must_use]
    pub const fn scalar(base: BaseType) -> Self {
        Self { base, composite: Composite::Scalar }
    }

    /// From the low seven bits of the flags.
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
    pub fn bits(self) -> u8 {
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
}
