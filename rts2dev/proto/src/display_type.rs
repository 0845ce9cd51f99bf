//! How clients show a value.

/// Display type of a value: six bits of its flags (RTS2 include/value.h, `RTS2_DT_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DisplayType {
    /// As it is.
    #[default]
    Plain,
    /// Right ascension.
    Ra,
    /// Declination.
    Dec,
    /// Degrees.
    Degrees,
    /// Distance in degrees.
    DegDist,
    /// Percent.
    Percent,
    /// Degrees, shown as arcseconds.
    ArcSec,
    /// Hexadecimal.
    Hex,
    /// Bytes, in steps of 1024: B K M G T.
    ByteSize,
    /// In steps of 1000: k M G.
    Kmg,
    /// An interval, the value being seconds.
    TimeInterval,
    /// A bool shown as on and off.
    OnOff,
    /// Distance in degrees, -180 to 180.
    DegDist180,
    /// A script.
    Script,
    /// Written as FITS history.
    History,
    /// Written as FITS comment.
    Comment,
    /// `RTS2_DT_WCS_CRVAL1`: world coordinates of an image, first axis at the reference pixel.
    WcsCrval1,
    /// `RTS2_DT_WCS_CRVAL2`: the second axis.
    WcsCrval2,
    /// `RTS2_DT_WCS_CRPIX1`: reference pixel, first axis.
    WcsCrpix1,
    /// `RTS2_DT_WCS_CRPIX2`: the second axis.
    WcsCrpix2,
    /// `RTS2_DT_WCS_CDELT1`: scale of the first axis.
    WcsCdelt1,
    /// `RTS2_DT_WCS_CDELT2`: of the second.
    WcsCdelt2,
    /// `RTS2_DT_WCS_ROTANG`: rotation of the field.
    WcsRotang,
    /// `RTS2_DT_AUXWCS_CRPIX1`: offset of the reference pixel, first axis.
    AuxWcsCrpix1,
    /// `RTS2_DT_AUXWCS_CRPIX2`: the second axis.
    AuxWcsCrpix2,
    /// `RTS2_WR_GROUP_NUMBER`: no display, but the group of arrays (0 to 15) with which it is written to a FITS table.
    Group(u8),
    /// Another number, which RTS2 gives no meaning.
    Other(u8),
}

impl DisplayType {
    /// From the six bits of the flags.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        match code & 0x3f {
            0x00 => Self::Plain,
            0x01 => Self::Ra,
            0x02 => Self::Dec,
            0x03 => Self::Degrees,
            0x04 => Self::DegDist,
            0x05 => Self::Percent,
            0x06 => Self::ArcSec,
            0x07 => Self::Hex,
            0x08 => Self::ByteSize,
            0x09 => Self::Kmg,
            0x0a => Self::TimeInterval,
            0x0b => Self::OnOff,
            0x0c => Self::DegDist180,
            0x0d => Self::Script,
            0x0e => Self::History,
            0x0f => Self::Comment,
            0x11 => Self::WcsCrval1,
            0x12 => Self::WcsCrval2,
            0x13 => Self::WcsCrpix1,
            0x14 => Self::WcsCrpix2,
            0x15 => Self::WcsCdelt1,
            0x16 => Self::WcsCdelt2,
            0x17 => Self::WcsRotang,
            0x1a => Self::AuxWcsCrpix1,
            0x1b => Self::AuxWcsCrpix2,
            group @ 0x20..=0x2f => Self::Group(group & 0x0f),
            other => Self::Other(other),
        }
    }

    /// The six bits.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Plain => 0x00,
            Self::Ra => 0x01,
            Self::Dec => 0x02,
            Self::Degrees => 0x03,
            Self::DegDist => 0x04,
            Self::Percent => 0x05,
            Self::ArcSec => 0x06,
            Self::Hex => 0x07,
            Self::ByteSize => 0x08,
            Self::Kmg => 0x09,
            Self::TimeInterval => 0x0a,
            Self::OnOff => 0x0b,
            Self::DegDist180 => 0x0c,
            Self::Script => 0x0d,
            Self::History => 0x0e,
            Self::Comment => 0x0f,
            Self::WcsCrval1 => 0x11,
            Self::WcsCrval2 => 0x12,
            Self::WcsCrpix1 => 0x13,
            Self::WcsCrpix2 => 0x14,
            Self::WcsCdelt1 => 0x15,
            Self::WcsCdelt2 => 0x16,
            Self::WcsRotang => 0x17,
            Self::AuxWcsCrpix1 => 0x1a,
            Self::AuxWcsCrpix2 => 0x1b,
            Self::Group(group) => 0x20 | (group & 0x0f),
            Self::Other(code) => code & 0x3f,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_both_ways() {
        for code in 0..0x40 {
            assert_eq!(DisplayType::from_code(code).code(), code);
        }
    }
}
