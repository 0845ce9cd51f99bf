//! The flags that `E` carries: type, display and behaviour of a value in one 32-bit number.

use crate::display_type::DisplayType;
use crate::value_type::{UnknownType, ValueType};

bitflags::bitflags! {
    /// Flags of a value (RTS2 include/value.h). The named bits stand alone; the fields for type, display type and
    /// time of writing have accessors. Unknown bits are kept.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct ValueFlags: u32 {
        /// `RTS2_VALUE_DEBUG`: rts2-mon hides it unless asked.
        const DEBUG = 0x0000_0080;
        /// `RTS2_VALUE_FITS`: written to the FITS header of images.
        const FITS = 0x0000_0100;
        /// `RTS2_VALUE_DEVPREFIX`: the FITS key starts with the device's name.
        const DEVPREFIX = 0x0000_0200;
        /// `RTS2_VALUE_CHANGED`: internal to RTS2, leaks into `E`; to be ignored.
        const CHANGED = 0x0000_0400;
        /// `RTS2_VWHEN_RECORD_CHANGE`: the FITS header also says whether it changed during the exposure.
        const RECORD_CHANGE = 0x0000_0800;
        /// `RTS2_FITS_HEADERS`: written as headers even if it is an array.
        const FITS_HEADERS = 0x0040_0000;
        /// `RTS2_VALUE_AUTOSAVE`: kept over a restart.
        const AUTOSAVE = 0x0080_0000;
        /// `RTS2_VALUE_NEED_SEND`: internal to RTS2, leaks into `E`; to be ignored.
        const NEED_SEND = 0x0100_0000;
        /// `RTS2_VALUE_WRITABLE`: can be set with `X`.
        const WRITABLE = 0x0200_0000;
        /// `RTS2_VALUE_SCRIPTENDRESET`: back to its default at the end of a script.
        const SCRIPTENDRESET = 0x0400_0000;
        /// `RTS2_VALUE_NOTNULL`: must be set before the device runs.
        const NOTNULL = 0x0800_0000;
        /// `RTS2_VALUE_WARNING`: rts2-mon draws it yellow.
        const WARNING = 0x1000_0000;
        /// `RTS2_VALUE_ERROR`: rts2-mon draws it red.
        const ERROR = 0x2000_0000;
        /// `RTS2_VALUE_RANDEVOUS_WAIT`: waits for the other side of a synchronization.
        const RANDEVOUS_WAIT = 0x4000_0000;
        /// `RTS2_VALUE_RANDEVOUS_TRIGGER`: triggers the other side of a synchronization.
        const RANDEVOUS_TRIGGER = 0x8000_0000;

        const _ = !0;
    }
}

/// `RTS2_VALUE_MASK`.
const TYPE_MASK: u32 = 0x0000_007f;
/// `RTS2_TYPE_MASK`.
const DISPLAY_MASK: u32 = 0x003f_0000;
const DISPLAY_SHIFT: u32 = 16;
/// `RTS2_VWHEN_MASK`.
const WHEN_MASK: u32 = 0x0000_f000;
const WHEN_SHIFT: u32 = 12;

/// When a value is written to the FITS header of an image (RTS2 include/value.h, `RTS2_VWHEN_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WriteWhen {
    /// `RTS2_VWHEN_BEFORE_EXP`: with what it holds before the exposure.
    #[default]
    BeforeExposure,
    /// `RTS2_VWHEN_AFTER_START`: after the exposure started.
    AfterStart,
    /// `RTS2_VWHEN_BEFORE_END`: before the exposure ends.
    BeforeEnd,
    /// `RTS2_VWHEN_AFTER_END`: after the exposure ended.
    AfterEnd,
    /// `RTS2_VWHEN_TRIGGERED`: on a trigger.
    Triggered,
    /// Another number, 5 to 15.
    Other(u8),
}

impl WriteWhen {
    fn from_code(code: u8) -> Self {
        match code {
            0 => Self::BeforeExposure,
            1 => Self::AfterStart,
            2 => Self::BeforeEnd,
            3 => Self::AfterEnd,
            4 => Self::Triggered,
            other => Self::Other(other),
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::BeforeExposure => 0,
            Self::AfterStart => 1,
            Self::BeforeEnd => 2,
            Self::AfterEnd => 3,
            Self::Triggered => 4,
            Self::Other(code) => code & 0x0f,
        }
    }
}

impl ValueFlags {
    /// Flags of a value of that type, nothing else set.
    #[must_use]
    pub fn of_type(value_type: ValueType) -> Self {
        Self::from_bits_retain(u32::from(value_type.bits()))
    }

    /// The value's type.
    ///
    /// # Errors
    /// When RTS2 has no such type.
    pub fn value_type(self) -> Result<ValueType, UnknownType> {
        let [low, ..] = self.bits().to_le_bytes();
        ValueType::from_bits(low & 0x7f)
    }

    /// How clients show it.
    #[must_use]
    pub fn display_type(self) -> DisplayType {
        let [low, ..] = ((self.bits() & DISPLAY_MASK) >> DISPLAY_SHIFT).to_le_bytes();
        DisplayType::from_code(low)
    }

    /// The same flags with another display type.
    #[must_use]
    pub fn with_display_type(self, display: DisplayType) -> Self {
        Self::from_bits_retain((self.bits() & !DISPLAY_MASK) | (u32::from(display.code()) << DISPLAY_SHIFT))
    }

    /// When it is written to the FITS header, if it is.
    #[must_use]
    pub fn write_when(self) -> WriteWhen {
        let [low, ..] = ((self.bits() & WHEN_MASK) >> WHEN_SHIFT).to_le_bytes();
        WriteWhen::from_code(low)
    }

    /// The same flags with another time of writing.
    #[must_use]
    pub fn with_write_when(self, when: WriteWhen) -> Self {
        Self::from_bits_retain((self.bits() & !WHEN_MASK) | (u32::from(when.code()) << WHEN_SHIFT))
    }

    /// Good, warning or error.
    #[must_use]
    pub fn level(self) -> Level {
        if self.contains(Self::ERROR) {
            Level::Error
        } else if self.contains(Self::WARNING) {
            Level::Warning
        } else {
            Level::Good
        }
    }

    /// The same flags at another level.
    #[must_use]
    pub fn with_level(self, level: Level) -> Self {
        let cleared = self.difference(Self::WARNING.union(Self::ERROR));
        match level {
            Level::Good => cleared,
            Level::Warning => cleared.union(Self::WARNING),
            Level::Error => cleared.union(Self::ERROR),
        }
    }

    /// Without the bits that RTS2 uses inside and that say nothing to a reader (quirk `LeakedFlags`).
    #[must_use]
    pub fn meaning(self) -> Self {
        self.difference(Self::CHANGED.union(Self::NEED_SEND))
    }

    /// The number as `E` carries it.
    #[must_use]
    pub fn to_wire(self) -> i32 {
        self.bits().cast_signed()
    }

    /// From the number that `E` carries.
    #[must_use]
    pub fn from_wire(number: i32) -> Self {
        Self::from_bits_retain(number.cast_unsigned())
    }

    /// The type's bits.
    #[must_use]
    pub fn type_bits(self) -> u32 {
        self.bits() & TYPE_MASK
    }
}

/// Level of a value (RTS2 include/value.h, `RTS2_VALUE_GOOD`, `_WARNING`, `_ERROR`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Within its limits.
    #[default]
    Good,
    /// Near its limits; yellow in rts2-mon.
    Warning,
    /// Out of its limits; red in rts2-mon.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_type::{BaseType, Composite};

    #[test]
    fn flags_of_the_captures() {
        // (number, base, composite, display, level, flags beside them)
        let table = [
            (
                16_778_243,
                BaseType::Time,
                Composite::Scalar,
                DisplayType::Plain,
                Level::Good,
                ValueFlags::empty(),
            ),
            (
                587_203_590,
                BaseType::Bool,
                Composite::Scalar,
                DisplayType::Plain,
                Level::Error,
                ValueFlags::WRITABLE,
            ),
            (
                318_768_134,
                BaseType::Bool,
                Composite::Scalar,
                DisplayType::Plain,
                Level::Warning,
                ValueFlags::WRITABLE,
            ),
            (
                34_276_358,
                BaseType::Bool,
                Composite::Scalar,
                DisplayType::OnOff,
                Level::Good,
                ValueFlags::WRITABLE,
            ),
            (197_908, BaseType::Double, Composite::Stat, DisplayType::Degrees, Level::Good, ValueFlags::FITS),
            (
                8_389_634,
                BaseType::Integer,
                Composite::Scalar,
                DisplayType::Plain,
                Level::Good,
                ValueFlags::AUTOSAVE,
            ),
        ];
        for (number, base, composite, display, level, other) in table {
            let flags = ValueFlags::from_wire(number);
            assert_eq!(flags.value_type().ok(), ValueType::new(base, composite).ok(), "{number}");
            assert_eq!(flags.display_type(), display, "{number}");
            assert_eq!(flags.level(), level, "{number}");
            let rest = ValueFlags::from_bits_retain(flags.meaning().bits() & !TYPE_MASK & !DISPLAY_MASK);
            assert_eq!(rest.with_level(Level::Good), other, "{number}");
            assert_eq!(flags.to_wire(), number);
        }
    }

    #[test]
    fn times_of_writing() {
        // test_on_off and test_content1 of the dummy sensor.
        for number in [51_069_958, 35_668_292] {
            assert_eq!(ValueFlags::from_wire(number).write_when(), WriteWhen::Triggered, "{number}");
        }
        assert_eq!(ValueFlags::from_wire(35_668_292).display_type(), DisplayType::Group(0));
        for code in 0..16 {
            let flags = ValueFlags::WRITABLE.with_write_when(WriteWhen::from_code(code));
            assert_eq!(flags.write_when().code(), code);
            assert_eq!(flags.with_write_when(WriteWhen::BeforeExposure), ValueFlags::WRITABLE);
        }
    }

    #[test]
    fn level_and_display_leave_the_rest_alone() {
        let flags = ValueFlags::of_type(ValueType::scalar(BaseType::Double)) | ValueFlags::FITS;
        let changed = flags.with_level(Level::Error).with_display_type(DisplayType::Percent);
        assert_eq!(changed.bits(), 0x2005_0104);
        assert_eq!(changed.with_level(Level::Good).with_display_type(DisplayType::Plain), flags);
    }
}
