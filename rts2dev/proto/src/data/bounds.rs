//! Numbers with bounds: a value between limits, and a rectangle.

use crate::error::ParseError;
use crate::number::Number;
use crate::token::Tokens;
use crate::value_type::BaseType;

/// A number and the limits between which it can be set (RTS2 lib/rts2/valueminmax.cpp). RTS2 has it of `f64`, where
/// a limit of nan means none, and of `i32`.
#[derive(Clone, Copy, Debug)]
pub struct MinMax<T> {
    /// The number itself.
    pub value: T,
    /// Smallest that it may be set to.
    pub min: T,
    /// Largest that it may be set to.
    pub max: T,
}

/// A rectangle (RTS2 lib/rts2/valuerectangle.cpp), of a detector's pixels mostly.
#[derive(Clone, Copy, Debug)]
pub struct Rectangle<T> {
    /// Left edge.
    pub x: T,
    /// Bottom edge.
    pub y: T,
    /// Width.
    pub width: T,
    /// Height.
    pub height: T,
}

/// A [`MinMax`] of either type. There is none of another: RTS2 clients exit when they meet one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyMinMax {
    /// Of integers.
    Integer(MinMax<i32>),
    /// Of doubles.
    Double(MinMax<f64>),
}

/// A [`Rectangle`] of any type that rts2-mon can print.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyRectangle {
    /// Of integers.
    Integer(Rectangle<i32>),
    /// Of 64-bit integers.
    Long(Rectangle<i64>),
    /// Of floats.
    Float(Rectangle<f32>),
    /// Of doubles.
    Double(Rectangle<f64>),
}

impl<T: Number> MinMax<T> {
    /// Whether it may be set to that number. As in RTS2, nan is always within.
    #[must_use]
    pub fn allows(&self, number: T) -> bool {
        !(number < self.min || number > self.max)
    }

    fn parse(tokens: &mut Tokens<'_>) -> Result<Self, ParseError> {
        Ok(Self { value: tokens.scalar()?, min: tokens.scalar()?, max: tokens.scalar()? })
    }

    fn write_to(self, out: &mut Vec<u8>) {
        write_all(&[self.value, self.min, self.max], out);
    }
}

impl<T: Number> Rectangle<T> {
    /// Its numbers in the order of the wire.
    pub(crate) fn numbers(self) -> [T; 4] {
        [self.x, self.y, self.width, self.height]
    }

    pub(crate) fn parse(tokens: &mut Tokens<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            x: tokens.scalar()?,
            y: tokens.scalar()?,
            width: tokens.scalar()?,
            height: tokens.scalar()?,
        })
    }

    fn write_to(self, out: &mut Vec<u8>) {
        write_all(&self.numbers(), out);
    }
}

impl<T: Number> PartialEq for MinMax<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value.same(other.value) && self.min.same(other.min) && self.max.same(other.max)
    }
}

impl<T: Number> PartialEq for Rectangle<T> {
    fn eq(&self, other: &Self) -> bool {
        self.numbers().into_iter().zip(other.numbers()).all(|(a, b)| a.same(b))
    }
}

impl AnyMinMax {
    /// As RTS2 begins with: integers between their extremes, doubles without limits.
    pub(super) const fn unset(base: BaseType) -> Option<Self> {
        match base {
            BaseType::Integer => Some(Self::Integer(MinMax { value: 0, min: i32::MIN, max: i32::MAX })),
            BaseType::Double => Some(Self::Double(MinMax { value: f64::NAN, min: f64::NAN, max: f64::NAN })),
            _ => None,
        }
    }

    pub(super) fn parse(base: BaseType, tokens: &mut Tokens<'_>) -> Option<Result<Self, ParseError>> {
        match base {
            BaseType::Integer => Some(MinMax::parse(tokens).map(Self::Integer)),
            BaseType::Double => Some(MinMax::parse(tokens).map(Self::Double)),
            _ => None,
        }
    }

    pub(super) fn write_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(it) => it.write_to(out),
            Self::Double(it) => it.write_to(out),
        }
    }
}

impl AnyRectangle {
    pub(super) const fn unset(base: BaseType) -> Option<Self> {
        match base {
            BaseType::Integer => Some(Self::Integer(Rectangle { x: 0, y: 0, width: 0, height: 0 })),
            BaseType::Long => Some(Self::Long(Rectangle { x: 0, y: 0, width: 0, height: 0 })),
            BaseType::Float => {
                const N: f32 = f32::NAN;
                Some(Self::Float(Rectangle { x: N, y: N, width: N, height: N }))
            }
            BaseType::Double => {
                const N: f64 = f64::NAN;
                Some(Self::Double(Rectangle { x: N, y: N, width: N, height: N }))
            }
            _ => None,
        }
    }

    pub(super) fn parse(base: BaseType, tokens: &mut Tokens<'_>) -> Option<Result<Self, ParseError>> {
        match base {
            BaseType::Integer => Some(Rectangle::parse(tokens).map(Self::Integer)),
            BaseType::Long => Some(Rectangle::parse(tokens).map(Self::Long)),
            BaseType::Float => Some(Rectangle::parse(tokens).map(Self::Float)),
            BaseType::Double => Some(Rectangle::parse(tokens).map(Self::Double)),
            _ => None,
        }
    }

    pub(super) fn write_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(it) => it.write_to(out),
            Self::Long(it) => it.write_to(out),
            Self::Float(it) => it.write_to(out),
            Self::Double(it) => it.write_to(out),
        }
    }
}

fn write_all<T: Number>(numbers: &[T], out: &mut Vec<u8>) {
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        number.write(out);
    }
}
