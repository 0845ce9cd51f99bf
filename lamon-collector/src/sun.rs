//! How high the Sun stands, which tells night where no centrald does.

/// Where the site is, in degrees: north and east are positive, as in RTS2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// -90 to 90.
    pub latitude: f64,
    /// -180 to 360.
    pub longitude: f64,
}

/// Below this altitude of the Sun it is night, in degrees: the end of civil twilight, when calibration begins.
pub const NIGHT_BELOW: f64 = -6.0;

impl Site {
    /// The altitude of the Sun's centre in degrees, without refraction: right to a hundredth of a degree for a century
    /// (The Astronomical Almanac, "Low precision formulas for the Sun").
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit")]
    pub fn sun_altitude(&self, unix_ms: i64) -> f64 {
        let days = unix_ms as f64 / 86_400_000.0 - 10_957.5;
        let anomaly = 0.985_600_3_f64.mul_add(days, 357.528).to_radians();
        let longitude =
            0.985_647_4_f64.mul_add(days, 280.460) + 1.915 * anomaly.sin() + 0.020 * (2.0 * anomaly).sin();
        let longitude = longitude.to_radians();
        let obliquity = (-0.000_000_4_f64).mul_add(days, 23.439).to_radians();
        let ascension = (obliquity.cos() * longitude.sin()).atan2(longitude.cos());
        let declination = (obliquity.sin() * longitude.sin()).asin();
        let sidereal = (360.985_647_366_29_f64.mul_add(days, 280.460_618_37) + self.longitude).to_radians();
        let (latitude, hour_angle) = (self.latitude.to_radians(), sidereal - ascension);
        let sine = latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour_angle.cos();
        sine.clamp(-1.0, 1.0).asin().to_degrees()
    }

    /// Whether it is night there.
    #[must_use]
    pub fn is_night(&self, unix_ms: i64) -> bool {
        self.sun_altitude(unix_ms) < NIGHT_BELOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sun_stands_where_it_should() {
        let xinglong = Site { latitude: 40.396, longitude: 117.577 };
        let greenwich = Site { latitude: 51.477, longitude: 0.0 };
        // At noon and midnight of the solstices the altitude follows from the latitude alone.
        for (site, unix_ms, altitude, night) in [
            (xinglong, 1_782_015_120_000, 73.04, false),  // 2026-06-21T04:12Z
            (xinglong, 1_782_058_320_000, -26.17, true),  // 2026-06-21T16:12Z
            (greenwich, 1_797_854_280_000, 15.08, false), // 2026-12-21T11:58Z
            (greenwich, 1_797_897_480_000, -61.96, true), // 2026-12-21T23:58Z
        ] {
            let seen = site.sun_altitude(unix_ms);
            assert!((seen - altitude).abs() < 0.1, "{seen} for {altitude}");
            assert_eq!(site.is_night(unix_ms), night);
        }
    }
}
