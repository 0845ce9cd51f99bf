//! `DEVICE` or `DEVICE.value`, as a person writes it.

use crate::exit::Failure;

/// What a person named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) device: String,
    pub(crate) value: Option<String>,
}

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let (device, value) = match text.split_once('.') {
            Some((device, value)) => (device, Some(value)),
            None => (text, None),
        };
        let is_name = |name: &str| {
            let allowed =
                |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '[' | ']' | ':' | '.');
            !name.is_empty() && name.chars().all(allowed)
        };
        if !is_name(device) || value.is_some_and(|value| !is_name(value)) {
            return Err(Failure::Usage(format!("\"{text}\" is neither DEVICE nor DEVICE.value")));
        }
        Ok(Self { device: device.to_owned(), value: value.map(str::to_owned) })
    }

    /// A path that has to name a value.
    pub(crate) fn of_value(text: &str) -> Result<(String, String), Failure> {
        match Self::parse(text)? {
            Self { device, value: Some(value) } => Ok((device, value)),
            Self { .. } => Err(Failure::Usage(format!("\"{text}\" names no value: DEVICE.value is meant"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = |text| Path::parse(text).ok();
        let of = |device: &str, value: Option<&str>| {
            Some(Path { device: device.to_owned(), value: value.map(str::to_owned) })
        };
        assert_eq!(path("NODES"), of("NODES", None));
        assert_eq!(path("C0.exposure"), of("C0", Some("exposure")));
        assert_eq!(path("C0.a[2]"), of("C0", Some("a[2]")));
        for bad in ["", ".", "A.", ".b", "A b", "A=5", "Ä"] {
            assert_eq!(path(bad), None, "{bad}");
        }
        assert!(Path::of_value("NODES").is_err());
    }
}
