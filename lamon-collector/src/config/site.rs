//! Section `[site]`: where the observatory is.

use lamon_daemon::config::ConfigError;
use serde::Deserialize;
use toml::Spanned;

use crate::sun::Site;

/// Section `[site]` as it is written: both keys, or none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SiteTable {
    latitude: Option<Spanned<f64>>,
    longitude: Option<Spanned<f64>>,
}

impl SiteTable {
    pub(super) fn check(
        self,
        wrong: impl Fn(std::ops::Range<usize>, &str) -> ConfigError,
    ) -> Result<Option<Site>, ConfigError> {
        let (latitude, longitude) = match (self.latitude, self.longitude) {
            (None, None) => return Ok(None),
            (Some(latitude), Some(longitude)) => (latitude, longitude),
            (Some(one), None) | (None, Some(one)) => {
                return Err(wrong(one.span(), "a site has a latitude and a longitude"));
            }
        };
        if !(-90.0..=90.0).contains(latitude.get_ref()) {
            return Err(wrong(latitude.span(), "a latitude is -90 to 90 degrees, north positive"));
        }
        if !(-180.0..=360.0).contains(longitude.get_ref()) {
            return Err(wrong(longitude.span(), "a longitude is -180 to 360 degrees, east positive"));
        }
        Ok(Some(Site { latitude: latitude.into_inner(), longitude: longitude.into_inner() }))
    }
}
