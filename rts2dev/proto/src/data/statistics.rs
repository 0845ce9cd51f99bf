//! Many measurements of one quantity, summed up.

use crate::error::ParseError;
use crate::number::sealed::Sealed;
use crate::token::Tokens;

/// Statistics of measurements (RTS2 lib/rts2/valuestat.cpp, `ValueDoubleStat`). Every number but the count is in the
/// unit of the quantity, nan when not set.
#[derive(Clone, Copy, Debug)]
pub struct Statistics {
    /// Mean.
    pub value: f64,
    /// How many measurements.
    pub count: i32,
    /// What RTS2 calls mode and computes as the median.
    pub mode: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// Statistics with a straight line laid through them (RTS2 lib/rts2/valuestat.cpp, `ValueDoubleTimeserie`).
#[derive(Clone, Copy, Debug)]
pub struct TimeSerie {
    /// Statistics of the measurements.
    pub statistics: Statistics,
    /// Height of the line, in the unit of the quantity; nan when not set.
    pub alpha: f64,
    /// Slope of the line, in the unit of the quantity per second; nan when not set.
    pub beta: f64,
}

impl Statistics {
    /// Nothing measured.
    pub const UNSET: Self =
        Self { value: f64::NAN, count: 0, mode: f64::NAN, min: f64::NAN, max: f64::NAN, deviation: f64::NAN };

    pub(crate) fn parse(tokens: &mut Tokens<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            value: tokens.number()?,
            count: tokens.scalar()?,
            mode: tokens.number()?,
            min: tokens.number()?,
            max: tokens.number()?,
            deviation: tokens.number()?,
        })
    }

    pub(super) fn write_to(self, out: &mut Vec<u8>) {
        self.value.write(out);
        out.push(b' ');
        self.count.write(out);
        for number in [self.mode, self.min, self.max, self.deviation] {
            out.push(b' ');
            number.write(out);
        }
    }

    pub(crate) fn is_bearable(self) -> bool {
        [self.value, self.mode, self.min, self.max, self.deviation].into_iter().all(Sealed::bearable)
    }
}

impl TimeSerie {
    /// Nothing measured.
    pub const UNSET: Self = Self { statistics: Statistics::UNSET, alpha: f64::NAN, beta: f64::NAN };

    pub(crate) fn parse(tokens: &mut Tokens<'_>) -> Result<Self, ParseError> {
        let statistics = Statistics::parse(tokens)?;
        Ok(Self { statistics, alpha: tokens.number()?, beta: tokens.number()? })
    }

    pub(super) fn write_to(self, out: &mut Vec<u8>) {
        self.statistics.write_to(out);
        for number in [self.alpha, self.beta] {
            out.push(b' ');
            number.write(out);
        }
    }

    pub(crate) fn is_bearable(self) -> bool {
        self.statistics.is_bearable() && self.alpha.bearable() && self.beta.bearable()
    }
}

impl PartialEq for Statistics {
    fn eq(&self, other: &Self) -> bool {
        self.value.same(other.value)
            && self.count == other.count
            && self.mode.same(other.mode)
            && self.min.same(other.min)
            && self.max.same(other.max)
            && self.deviation.same(other.deviation)
    }
}

impl PartialEq for TimeSerie {
    fn eq(&self, other: &Self) -> bool {
        self.statistics == other.statistics && self.alpha.same(other.alpha) && self.beta.same(other.beta)
    }
}
