//! States in the words of rts2-mon.

use super::DeviceState;
use crate::device_type::DeviceType;

/// Parts of the day (RTS2 lib/rts2/centralstate.cpp, `getStringShort`).
const PARTS_OF_THE_DAY: [&str; 6] = ["day", "evening", "dusk", "night", "dawn", "morning"];

/// Steps of the executor.
const STEPS: [&str; 6] = [
    "idle",
    "MOVING TO NEXT TARGET",
    "ACQUIRING",
    "ACQUIRE WAIT FOR PROCESSING",
    "OBSERVING",
    "OBSERVING IN LAST READ",
];

impl DeviceState {
    /// What rts2-mon says about a device of that kind in this state (RTS2 lib/rts2/connection.cpp, `getStateString`).
    /// `bop` is the mask of operations that others block for it, which `B` carries. Of a camera the first chip is
    /// described: how many it has, its state does not say.
    #[must_use]
    pub fn describe(self, device_type: DeviceType, bop: Self) -> String {
        let mut words = vec![self.describe_kind(device_type)];
        for (bit, word) in [
            (Self::BLOCK_OPEN, "BLOCK_OPEN"),
            (Self::BLOCK_CLOSE, "BLOCK_CLOSE"),
            (Self::ERROR_KILL, "PRIORITY CHANGED"),
            (Self::ERROR_HW, "HW ERROR"),
            (Self::NOT_READY, "NOT READY"),
            (Self::BAD_WEATHER, "BAD WEATHER"),
            (Self::WR_RAIN, "rain"),
            (Self::WR_WIND, "wind"),
            (Self::WR_HUMIDITY, "humidity"),
            (Self::WR_CLOUD, "cloud"),
            (Self::STOP_EVERYTHING, "STOP"),
        ] {
            if self.contains(bit) {
                words.push(word.to_owned());
            }
        }
        let mut text = words.join(" | ");
        for (bit, own, by_others) in [
            (Self::BOP_EXPOSURE, "BLOCK EXPOSURE", "BLOCK EXPOSING"),
            (Self::BOP_READOUT, "BLOCK READOUT", "BLOCK READOUT"),
            (Self::BOP_TEL_MOVE, "BLOCK TELESCOPE MOVEMENT", "BLOCK TELESCOPE MOVEMENT"),
            (Self::BOP_WILL_EXPOSE, "WILL EXPOSE", "WILL EXPOSE"),
            (Self::BOP_TRIG_EXPOSE, "WAIT TRIG EXPOSE", "WAIT TRIG EXPOSE"),
        ] {
            if self.contains(bit) {
                text.push_str(" | ");
                text.push_str(own);
            } else if bop.contains(bit) {
                text.push_str(" # ");
                text.push_str(by_others);
            }
        }
        text
    }

    /// What rts2-mon says about centrald's state (RTS2 lib/rts2/centralstate.cpp, `getString`).
    #[must_use]
    pub fn describe_centrald(self) -> String {
        let mut text = String::new();
        for (bit, word) in [
            (Self::BAD_WEATHER, "bad weather | "),
            (Self::WR_RAIN, "rain |"),
            (Self::WR_WIND, "wind |"),
            (Self::WR_HUMIDITY, "humidity |"),
            (Self::WR_CLOUD, "cloud |"),
            (Self::STOP_EVERYTHING, "stop | "),
        ] {
            if self.contains(bit) {
                text.push_str(word);
            }
        }
        text.push_str(match (self & Self::SERVERD_ONOFF_MASK).bits() {
            0x30 => "HARD OFF ",
            0x20 => "SOFT OFF ",
            0x10 => "standby ",
            _ => "ON ",
        });
        text.push_str(self.word_of(Self::SERVERD_STATUS_MASK, &PARTS_OF_THE_DAY).unwrap_or("unknow"));
        for (bit, word) in [
            (Self::BOP_EXPOSURE, ", block exposure"),
            (Self::BOP_READOUT, ", block readout"),
            (Self::BOP_TEL_MOVE, ", block telescope move"),
        ] {
            if self.contains(bit) {
                text.push_str(word);
            }
        }
        text
    }

    /// The low twelve bits, which each kind of device has for itself. Spelling as in RTS2.
    fn describe_kind(self, device_type: DeviceType) -> String {
        let real = (self & Self::STATUS_MASK).bits();
        match device_type {
            DeviceType::Serverd => self.describe_centrald(),
            DeviceType::Mount => self.mount(),
            DeviceType::Ccd => self.camera(),
            DeviceType::Dome | DeviceType::Cupola => self.dome(device_type == DeviceType::Cupola),
            DeviceType::Weather => format!("weather {real}"),
            DeviceType::Rotator => self.rotator(),
            DeviceType::Phot => {
                let word = self.either(Self::PHOT_INTEGRATE, "INTEGRATING", "idle");
                self.and(word, &[(Self::PHOT_FILTER_MOVE, "FILTER_MOVING")])
            }
            DeviceType::Focus => self.either(Self::FOC_FOCUSING, "CHANGING", "idle").to_owned(),
            DeviceType::Mirror => match self & Self::MIRROR_MASK {
                Self::MIRROR_MOVE => "MOVING",
                other if other.is_empty() => "idle",
                _ => "unknow",
            }
            .to_owned(),
            DeviceType::FilterWheel => self.either(Self::FILTERD_MOVE, "MOVING", "idle").to_owned(),
            DeviceType::Sensor => format!("sensor {real}"),
            DeviceType::Executor => self.executor(),
            DeviceType::Imgproc => self.either(Self::IMGPROC_RUN, "PROCESS RUNNING", "idle").to_owned(),
            DeviceType::Selector => self.either(Self::SENSOR_INPROGRESS, "CHANGING", "idle").to_owned(),
            DeviceType::Httpd => self.and("", &[(Self::EXEC_SCRIPT_RUNNING, "SCRIPT RUNNING")]),
            DeviceType::Logd => format!("logd {real}"),
            DeviceType::Scriptor => format!("scriptor {real}"),
            DeviceType::Other(8) => "plan (not supported) ".to_owned(),
            DeviceType::Other(9) => format!("grbd {real}"),
            DeviceType::Other(14) => format!("augershooter {real}"),
            DeviceType::Other(24) => format!("indi {real}"),
            DeviceType::Other(27) => format!("bb {real}"),
            DeviceType::Other(number) => format!("UNKNOW DEVICE {number} {real}"),
        }
    }

    fn mount(self) -> String {
        let word = match self & Self::TEL_MASK_MOVING {
            Self::TEL_MOVING => "MOVING".to_owned(),
            Self::TEL_PARKED => "PARKED".to_owned(),
            Self::TEL_PARKING => "PARKING".to_owned(),
            other if other.is_empty() => {
                self.either(Self::TEL_TRACKING, "TRACKING", "not tracking").to_owned()
            }
            _ => format!("unknow state {}", (self & Self::STATUS_MASK).bits()),
        };
        self.and(
            &word,
            &[
                (Self::TEL_UNSTABLE, "UNS.TRACKING"),
                (Self::TEL_CORRECTING, "CORRECTING"),
                (Self::TEL_WAIT_CUP, "WAIT_FOR_CUPOLA"),
                (Self::TEL_NEED_STOP, "NEED_FLIP"),
                (Self::TEL_PANNING, "PANNING"),
                (Self::TEL_OFFSETING, "OFFSETING"),
            ],
        )
    }

    fn camera(self) -> String {
        let chip = [
            (Self::CAM_EXPOSING, "0 EXPOSING"),
            (Self::CAM_EXPOSING_NOIM, "0 EXPOSING NOIMG"),
            (Self::CAM_SHIFT, "0 SHIFTSTORE"),
            (Self::CAM_READING, "0 READING"),
            (Self::CAM_FT, "0 FT"),
        ];
        let busy: Vec<&str> =
            chip.iter().filter(|(bit, _)| self.contains(*bit)).map(|(_, word)| *word).collect();
        // A chip that only has an image says nothing.
        let idle = (self & Self::STATUS_MASK).bits() & 0x0ff == 0;
        let chip = if idle { "0 idle".to_owned() } else { busy.join(" | ") };
        let mut text = self.and(&chip, &[(Self::CAM_HAS_IMAGE, "IMAGE_READY")]);
        text.push_str(match self & Self::CAM_MASK_SHUTTER {
            Self::CAM_SHUT_SET => " | SHUTTER_SET",
            Self::CAM_SHUT_TRANS => " | SHUTTER_TRANS",
            other if other.is_empty() => " | SHUTTER_CLEARED",
            _ => " | shutter unknow",
        });
        text
    }

    fn dome(self, cupola: bool) -> String {
        let word = match self & Self::DOME_DOME_MASK {
            Self::DOME_CLOSED => "CLOSED",
            Self::DOME_OPENING => "OPENING",
            Self::DOME_OPENED => "OPENED",
            Self::DOME_CLOSING => "CLOSING",
            Self::DOME_WAIT_CLOSING => "WAIT FOR CLOSE",
            _ => "UNKNOW",
        };
        let mut text = self.and(word, &[(Self::DOME_STOPPED, "STOPPED")]);
        if cupola {
            text.push_str(self.either(Self::DOME_CUP_MOVE, " | CUPOLA_MOVING", " | cupola_idle"));
            text.push_str(self.either(Self::DOME_CUP_SYNC, " | cupola_synced", " | CUPOLA_NOT_SYNCED"));
        }
        text
    }

    fn rotator(self) -> String {
        let rotating = self.either(Self::ROT_ROTATING, "ROTATING", "idle");
        let word = self.either(Self::ROT_PA_TRACK, "TRACKING", rotating);
        let more =
            [(Self::ROT_PARKED, "PARKED"), (Self::ROT_PARKING, "PARKING"), (Self::ROT_AUTO, "AUTOROTATE")];
        self.and(word, &more)
    }

    fn executor(self) -> String {
        let step = self.word_of(Self::EXEC_STATE_MASK, &STEPS).unwrap_or("UNKNOW");
        let mut text = step.to_owned();
        text.push_str(self.either(Self::EXEC_END, " | WILL ENDS", " | not ending"));
        match self & Self::EXEC_MASK_ACQ {
            Self::EXEC_ACQ_OK => text.push_str(" | ACQUSITION OK"),
            Self::EXEC_ACQ_FAILED => text.push_str(" | ACQUSITION FAILED"),
            other if other.is_empty() => {}
            other => {
                text.push_str(" | UNKNOW ACQUSTION ");
                text.push_str(&other.bits().to_string());
            }
        }
        self.and(&text, &[(Self::EXEC_SCRIPT_RUNNING, "SCRIPT RUNNING")])
    }

    fn either<'a>(self, bit: Self, set: &'a str, clear: &'a str) -> &'a str {
        if self.contains(bit) { set } else { clear }
    }

    fn and(self, text: &str, more: &[(Self, &str)]) -> String {
        let mut text = text.to_owned();
        for (_, word) in more.iter().filter(|(bit, _)| self.contains(*bit)) {
            text.push_str(" | ");
            text.push_str(word);
        }
        text
    }

    fn word_of<'a>(self, mask: Self, words: &[&'a str]) -> Option<&'a str> {
        words.get(usize::try_from((self & mask).bits()).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(bits: u32) -> DeviceState {
        DeviceState::from_bits_retain(bits)
    }

    /// Words and numbers together, as rts2-mon 0.9.5 showed them of the real centrald and the dummy devices.
    #[test]
    fn as_rts2_mon_says_it() {
        use DeviceType::{Ccd, Cupola, FilterWheel, Focus, Sensor, Serverd};
        let none = DeviceState::empty();
        let table = [
            (Serverd, 0x8000_0033, none, "bad weather | HARD OFF night | BAD WEATHER"),
            (Ccd, 0, none, "0 idle | SHUTTER_CLEARED"),
            (Focus, 0, DeviceState::BOP_TRIG_EXPOSE, "idle # WAIT TRIG EXPOSE"),
            (Cupola, 0x6008, none, "CLOSING | cupola_idle | CUPOLA_NOT_SYNCED | BLOCK_OPEN | BLOCK_CLOSE"),
            (FilterWheel, 0, none, "idle"),
            (Sensor, 0x9000_4000, none, "sensor 0 | BLOCK_OPEN | BAD WEATHER | WAIT TRIG EXPOSE"),
        ];
        for (device_type, bits, bop, words) in table {
            assert_eq!(state(bits).describe(device_type, bop), words);
        }
    }

    /// The rest of RTS2's words, read in its source.
    #[test]
    fn every_kind_of_device() {
        use DeviceType::{
            Ccd, Dome, Executor, Httpd, Imgproc, Logd, Mirror, Mount, Other, Phot, Rotator, Selector, Sensor,
            Weather,
        };
        let table = [
            (Mount, 0x20, "TRACKING"),
            (Mount, 0x00, "not tracking"),
            (Mount, 0x6c1, "MOVING | UNS.TRACKING | CORRECTING | NEED_FLIP | OFFSETING"),
            (Mount, 0x10a, "PARKED | WAIT_FOR_CUPOLA | PANNING"),
            (Mount, 0x003, "unknow state 3"),
            (Ccd, 0x001, "0 EXPOSING | SHUTTER_CLEARED"),
            (Ccd, 0x10a, "0 READING | IMAGE_READY | SHUTTER_SET"),
            (Ccd, 0x234, "0 EXPOSING NOIMG | 0 SHIFTSTORE | 0 FT | SHUTTER_TRANS"),
            (Ccd, 0x300, "0 idle | shutter unknow"),
            (Dome, 0x24, "OPENED | STOPPED"),
            (Dome, 0x00, "UNKNOW"),
            (Weather, 0x03, "weather 3"),
            (Rotator, 0x13, "TRACKING | PARKED"),
            (Rotator, 0x0d, "ROTATING | PARKING | AUTOROTATE"),
            (Phot, 0x03, "INTEGRATING | FILTER_MOVING"),
            (Mirror, 0x10, "MOVING"),
            (Mirror, 0x11, "unknow"),
            (Executor, 0xb4, "OBSERVING | WILL ENDS | ACQUSITION OK | SCRIPT RUNNING"),
            (Executor, 0x66, "UNKNOW | not ending | UNKNOW ACQUSTION 96"),
            (Imgproc, 0x01, "PROCESS RUNNING"),
            (Selector, 0x00, "idle"),
            (Httpd, 0x80, " | SCRIPT RUNNING"),
            (Logd, 0x00, "logd 0"),
            (Other(99), 0x05, "UNKNOW DEVICE 99 5"),
            (Sensor, 0x0007_0001, "sensor 1 | PRIORITY CHANGED | HW ERROR | NOT READY"),
            (Sensor, 0xc0f0_0000, "sensor 0 | BAD WEATHER | rain | wind | humidity | cloud | STOP"),
            (
                Sensor,
                0x0f00_0000,
                "sensor 0 | BLOCK EXPOSURE | BLOCK READOUT | BLOCK TELESCOPE MOVEMENT | WILL EXPOSE",
            ),
        ];
        for (device_type, bits, words) in table {
            assert_eq!(state(bits).describe(device_type, DeviceState::empty()), words, "{bits:#x}");
        }
        assert_eq!(state(0).describe(Sensor, DeviceState::BOP_EXPOSURE), "sensor 0 # BLOCK EXPOSING");
    }

    #[test]
    fn centrald() {
        for (bits, words) in [
            (0x8000_0033, "bad weather | HARD OFF night"),
            (0x0100_0000, "ON day, block exposure"),
            (0x4600_0014, "stop | standby dawn, block readout, block telescope move"),
            (0x0010_002d, "rain |SOFT OFF unknow"),
        ] {
            assert_eq!(state(bits).describe_centrald(), words);
        }
    }
}
