//! The state word of a device, of centrald, and the mask of blocked operations.

mod describe;
mod device_bits;

use std::fmt;

bitflags::bitflags! {
    /// A 32-bit state (RTS2 include/status.h). A device sends its own in `S`; centrald merges them and sends each
    /// device in `B` what applies to it. The low twelve bits mean what the kind of device makes of them: `TEL_MOVING`
    /// and its like name them.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct DeviceState: u32 {
        /// `SENSOR_INPROGRESS`: a sensor runs a command.
        const SENSOR_INPROGRESS = 0x0000_0001;
        /// `DEVICE_SC_CURR`: the change was caused by a command on this very connection.
        const SC_CURR = 0x0000_1000;
        /// `DEVICE_BLOCK_CLOSE`: closing the dome waits for this device.
        const BLOCK_CLOSE = 0x0000_2000;
        /// `DEVICE_BLOCK_OPEN`: opening the dome waits for this device.
        const BLOCK_OPEN = 0x0000_4000;
        /// `DEVICE_SHUTDOWN`: shutting down.
        const SHUTDOWN = 0x0000_8000;
        /// `DEVICE_ERROR_KILL`: the work was killed.
        const ERROR_KILL = 0x0001_0000;
        /// `DEVICE_ERROR_HW`: hardware error.
        const ERROR_HW = 0x0002_0000;
        /// `DEVICE_NOT_READY`: not ready.
        const NOT_READY = 0x0004_0000;
        /// `WR_RAIN`: bad weather because of rain.
        const WR_RAIN = 0x0010_0000;
        /// `WR_WIND`: bad weather because of wind.
        const WR_WIND = 0x0020_0000;
        /// `WR_HUMIDITY`: bad weather because of humidity.
        const WR_HUMIDITY = 0x0040_0000;
        /// `WR_CLOUD`: bad weather because of clouds.
        const WR_CLOUD = 0x0080_0000;
        /// `BOP_EXPOSURE`: no exposure may start.
        const BOP_EXPOSURE = 0x0100_0000;
        /// `BOP_READOUT`: no readout may start.
        const BOP_READOUT = 0x0200_0000;
        /// `BOP_TEL_MOVE`: the telescope may not move.
        const BOP_TEL_MOVE = 0x0400_0000;
        /// `BOP_WILL_EXPOSE`: a detector is about to expose.
        const BOP_WILL_EXPOSE = 0x0800_0000;
        /// `BOP_TRIG_EXPOSE`: waits for a trigger.
        const BOP_TRIG_EXPOSE = 0x1000_0000;
        /// `STOP_EVERYTHING`: nothing may move.
        const STOP_EVERYTHING = 0x4000_0000;
        /// `BAD_WEATHER`: this device, or the system, sees bad weather.
        const BAD_WEATHER = 0x8000_0000;

        const _ = !0;
    }
}

impl DeviceState {
    /// `BOP_MASK`: every bit that blocks or announces an operation.
    pub const BOP_MASK: Self = Self::from_bits_retain(0x3f00_0000);
    /// `DEVICE_ERROR_MASK`: the bits that `killall` clears.
    pub const ERROR_MASK: Self = Self::from_bits_retain(0x000f_0000);
    /// `WR_MASK`: the reasons of bad weather.
    pub const WR_MASK: Self = Self::from_bits_retain(0x00f0_0000);
    /// `DEVICE_STATUS_MASK`: the bits that belong to the kind of device.
    pub const STATUS_MASK: Self = Self::from_bits_retain(0x0000_0fff);
    /// `SERVERD_STATUS_MASK`: centrald's part of the day, 0 day to 5 morning.
    pub const SERVERD_STATUS_MASK: Self = Self::from_bits_retain(0x0000_000f);
    /// `SERVERD_ONOFF_MASK`: centrald on 0, standby 0x10, soft off 0x20, hard off 0x30.
    pub const SERVERD_ONOFF_MASK: Self = Self::from_bits_retain(0x0000_0030);

    /// The bits of `mask` replaced by those of `new` (RTS2 lib/rts2/daemon.cpp, `maskState`).
    #[must_use]
    pub fn masked(self, mask: Self, new: Self) -> Self {
        self.difference(mask).union(new)
    }
}

impl fmt::Display for DeviceState {
    /// Hexadecimal, eight digits; [`DeviceState::describe`] says it in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn killall_as_in_the_capture() {
        let before = DeviceState::from_bits_retain(2_415_927_296);
        let after = before.masked(DeviceState::ERROR_MASK, DeviceState::ERROR_KILL);
        assert_eq!(after.bits(), 2_415_992_832);
        assert!(after.contains(DeviceState::BAD_WEATHER | DeviceState::BOP_TRIG_EXPOSE));
        assert_eq!(after.to_string(), "0x90012000");
    }
}
