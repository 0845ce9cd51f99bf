//! Values of two or three numbers that belong together: positions on the sky and factors of a controller.

use crate::number::sealed::Sealed;

/// Right ascension and declination (RTS2 lib/rts2/value.cpp, `ValueRaDec`). Also offsets of them.
#[derive(Clone, Copy, Debug)]
pub struct RaDec {
    /// Right ascension, degrees (not hours); nan when not set.
    pub ra: f64,
    /// Declination, degrees; nan when not set.
    pub dec: f64,
}

/// Altitude and azimuth (RTS2 lib/rts2/value.cpp, `ValueAltAz`).
#[derive(Clone, Copy, Debug)]
pub struct AltAz {
    /// Altitude above the horizon, degrees; nan when not set.
    pub alt: f64,
    /// Azimuth, degrees; nan when not set. RTS2 counts it from the south through the west.
    pub az: f64,
}

/// Factors of a controller (RTS2 lib/rts2/value.cpp, `ValuePID`). RTS2 divides each by 1,000,000 before it uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pid {
    /// Proportional factor, millionths.
    pub p: i32,
    /// Integral factor, millionths.
    pub i: i32,
    /// Derivative factor, millionths.
    pub d: i32,
}

impl RaDec {
    /// Not set.
    pub const UNSET: Self = Self { ra: f64::NAN, dec: f64::NAN };
}

impl AltAz {
    /// Not set.
    pub const UNSET: Self = Self { alt: f64::NAN, az: f64::NAN };
}

impl PartialEq for RaDec {
    fn eq(&self, other: &Self) -> bool {
        self.ra.same(other.ra) && self.dec.same(other.dec)
    }
}

impl PartialEq for AltAz {
    fn eq(&self, other: &Self) -> bool {
        self.alt.same(other.alt) && self.az.same(other.az)
    }
}
