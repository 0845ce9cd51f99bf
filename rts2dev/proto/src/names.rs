//! Names of devices and values that RTS2 programs can bear.

use std::fmt;

/// Longest device name: RTS2 copies names into 50 bytes with their NUL (include/status.h, `DEVICE_NAME_SIZE`).
pub const MAX_DEVICE_NAME_BYTES: usize = 49;
/// Longest name of a value. RTS2 sets none; this keeps a line of rts2-mon readable.
pub const MAX_VALUE_NAME_BYTES: usize = 80;
/// Longest `DEVICE.value` of a value that goes into FITS headers. The FITS library takes 54 with a number of 14
/// digits and makes rts2-scriptexec abort above that, with the image lost; 45 leaves room for longer numbers.
pub const MAX_FITS_NAME_BYTES: usize = 45;

/// Why a name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No name at all.
    #[error("empty name")]
    Empty,
    /// Too long.
    #[error("name \"{name}\" has {} bytes, {max} at most", name.len())]
    TooLong {
        /// The name.
        name: String,
        /// The limit.
        max: usize,
    },
    /// A character that scripts, FITS keys or the protocol cannot take.
    #[error("character {character:?} at {at} of name \"{name}\": letters, digits and _ only")]
    InvalidCharacterAt {
        /// The name.
        name: String,
        /// The character.
        character: char,
        /// Its place in bytes, from 0.
        at: usize,
    },
}

/// A value's name with the device's before it is too long for FITS headers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{key}\" has {} bytes, a FITS value takes {MAX_FITS_NAME_BYTES} with its device", key.len())]
pub struct FitsNameError {
    /// The name with the device before it.
    pub key: String,
}

/// Name of a value: letters, digits and `_`, at most [`MAX_VALUE_NAME_BYTES`]. Keeps its case; RTS2 compares without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueName(String);

/// Name of a device: letters, digits, `_` and `-`, at most [`MAX_DEVICE_NAME_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceName(String);

impl ValueName {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, too long, or a character that is not allowed.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(name, MAX_VALUE_NAME_BYTES, |c| c.is_ascii_alphanumeric() || c == '_')?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DeviceName {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, too long, or a character that is not allowed.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(name, MAX_DEVICE_NAME_BYTES, |c| c.is_ascii_alphanumeric() || c == '_' || c == '-')?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ValueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a value of that device may carry the FITS flag.
///
/// # Errors
/// When `DEVICE.value` is longer than [`MAX_FITS_NAME_BYTES`].
pub fn check_fits_name(device: &DeviceName, value: &ValueName) -> Result<(), FitsNameError> {
    let key = format!("{device}.{value}");
    if key.len() > MAX_FITS_NAME_BYTES { Err(FitsNameError { key }) } else { Ok(()) }
}

fn check(name: &str, max: usize, allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some((at, character)) = name.char_indices().find(|(_, c)| !allowed(*c)) {
        return Err(NameError::InvalidCharacterAt { name: name.to_owned(), character, at });
    }
    if name.len() > max {
        return Err(NameError::TooLong { name: name.to_owned(), max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_used() {
        assert_eq!(ValueName::new(""), Err(NameError::Empty));
        assert_eq!(
            ValueName::new("cpu load"),
            Err(NameError::InvalidCharacterAt { name: "cpu load".into(), character: ' ', at: 3 })
        );
        assert!(ValueName::new("ccd01_cpu_percent").is_ok());
        assert!(matches!(DeviceName::new(&"N".repeat(50)), Err(NameError::TooLong { max: 49, .. })));
        assert!(DeviceName::new("NODES.X").is_err());
    }

    #[test]
    fn fits_names_have_a_limit() {
        let device = DeviceName::new("NODES").unwrap();
        assert!(check_fits_name(&device, &ValueName::new(&"x".repeat(39)).unwrap()).is_ok());
        assert!(check_fits_name(&device, &ValueName::new(&"x".repeat(40)).unwrap()).is_err());
    }
}
