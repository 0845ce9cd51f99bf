//! The limits to try: a whole configuration, or only what shall be other.

use std::path::Path;

use anyhow::{Context, anyhow};

use crate::config::{DEFAULT_PATH, HubConfig, NoFace};

/// What a file of limits takes from the present configuration when it does not have it.
const TAKEN_OVER: [&str; 4] = ["group", "tag", "gate", "site"];

/// Reads a file of limits, over the present configuration at `present`, or the default one.
pub(super) fn load(present: Option<&Path>, file: &Path) -> anyhow::Result<HubConfig> {
    let read = |path: &Path| lamon_daemon::config::read(path).map_err(|error| anyhow!("{error}"));
    let default = Path::new(DEFAULT_PATH);
    let present = match present {
        None if !default.exists() => String::new(),
        path => read(path.unwrap_or(default))?,
    };
    let name = file.display().to_string();
    let text = over(&present, &read(file)?)
        .with_context(|| format!("cannot put {name} over the present configuration"))?;
    let (config, NoFace) = HubConfig::parse(&name, &text).map_err(|error| anyhow!("{error}"))?;
    Ok(config)
}

/// The text, and behind it what it does not have of the present one: so the places of mistakes stay those of the file.
fn over(present: &str, text: &str) -> anyhow::Result<String> {
    let Ok(new) = text.parse::<toml::Table>() else { return Ok(text.into()) };
    let mut present: toml::Table = present.parse()?;
    present.retain(|key, _| TAKEN_OVER.contains(&key) && !new.contains_key(key));
    Ok(format!("{}\n{}", text.trim_end(), toml::to_string(&present)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_of_limits_lacks_is_that_of_the_present_one() {
        let present = "name = 'hub'\n[site]\nlatitude = 40\nlongitude = 117\n\
            [[group]]\nname = 'ccd'\nnodes = ['ccd*']\n[[rule]]\nmetrics = ['load1']\nwarning = 3\n";
        let text = "[[rule]]\nnodes = ['@ccd']\nmetrics = ['disk_percent']\nerror = 95\nwhen = 'night'";
        let (config, NoFace) = HubConfig::parse("new.toml", &over(present, text).unwrap()).unwrap();
        assert!(config.site.is_some() && config.groups.names().eq(["ccd"]));
        assert!(config.rules.named("load1").is_none(), "rules are those of the file alone");
        let own = format!("{text}\n[[group]]\nname = 'other_ccd'\nnodes = []");
        let mistake = HubConfig::parse::<NoFace>("new.toml", &over(present, &own).unwrap()).unwrap_err();
        assert!(mistake.to_string().contains("new.toml:1:1"), "{mistake}");
        let broken = over(present, "[[rule]]\nmetrics = ").unwrap();
        assert!(HubConfig::parse::<NoFace>("new.toml", &broken).is_err());
    }
}
