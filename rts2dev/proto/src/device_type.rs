//! Kinds of devices.

/// What a device is (RTS2 include/status.h, `DEVICE_TYPE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceType {
    /// 1: centrald itself.
    Serverd,
    /// 2: a telescope mount.
    Mount,
    /// 3: a camera.
    Ccd,
    /// 4: a dome.
    Dome,
    /// 5: a weather sensor.
    Weather,
    /// 6: a rotator.
    Rotator,
    /// 7: a photometer.
    Phot,
    /// 10: a focuser.
    Focus,
    /// 11: a mirror.
    Mirror,
    /// 12: a cupola.
    Cupola,
    /// 13: a filter wheel.
    FilterWheel,
    /// 15: a sensor.
    Sensor,
    /// 20: the executor.
    Executor,
    /// 21: the image processor.
    Imgproc,
    /// 22: the selector.
    Selector,
    /// 23: the web server.
    Httpd,
    /// 25: the log daemon.
    Logd,
    /// 26: the scriptor.
    Scriptor,
    /// Any other number.
    Other(i32),
}

impl DeviceType {
    /// From its number.
    #[must_use]
    pub fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Serverd,
            2 => Self::Mount,
            3 => Self::Ccd,
            4 => Self::Dome,
            5 => Self::Weather,
            6 => Self::Rotator,
            7 => Self::Phot,
            10 => Self::Focus,
            11 => Self::Mirror,
            12 => Self::Cupola,
            13 => Self::FilterWheel,
            15 => Self::Sensor,
            20 => Self::Executor,
            21 => Self::Imgproc,
            22 => Self::Selector,
            23 => Self::Httpd,
            25 => Self::Logd,
            26 => Self::Scriptor,
            other => Self::Other(other),
        }
    }

    /// Its number.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Serverd => 1,
            Self::Mount => 2,
            Self::Ccd => 3,
            Self::Dome => 4,
            Self::Weather => 5,
            Self::Rotator => 6,
            Self::Phot => 7,
            Self::Focus => 10,
            Self::Mirror => 11,
            Self::Cupola => 12,
            Self::FilterWheel => 13,
            Self::Sensor => 15,
            Self::Executor => 20,
            Self::Imgproc => 21,
            Self::Selector => 22,
            Self::Httpd => 23,
            Self::Logd => 25,
            Self::Scriptor => 26,
            Self::Other(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_both_ways() {
        for code in -1..40 {
            assert_eq!(DeviceType::from_code(code).code(), code);
        }
        assert_eq!(DeviceType::Sensor.code(), 15);
    }
}
