//! The hub as a native RTS2 sensor device.
