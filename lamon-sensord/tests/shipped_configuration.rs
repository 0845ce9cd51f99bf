//! The commented `etc/hub.toml` tells the truth: as it stands it is the default, and every setting in it exists and has
//! the default that it shows.
#![expect(clippy::panic, reason = "helpers of tests")]

use lamon_collector::config::HubConfig;
use lamon_sensord::config::Rts2Config;

const SHIPPED: &str = include_str!("../../etc/hub.toml");

fn load(text: &str) -> (HubConfig, Rts2Config) {
    HubConfig::parse("etc/hub.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The file with every setting switched on that is not one of several examples.
fn uncommented() -> String {
    let mut tables_of_many = false;
    let mut seen = Vec::new();
    let mut text = String::new();
    for line in SHIPPED.lines() {
        let setting = line.strip_prefix("# ").unwrap_or(line);
        tables_of_many |= setting.starts_with("[[");
        let key = setting
            .split_once(" = ")
            .map(|(key, _)| key)
            .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        if setting.starts_with('[') {
            seen.clear();
        }
        // Of a key that is shown twice, the first is the default.
        let wanted = match key {
            Some(key) if !seen.contains(&key) => {
                seen.push(key);
                true
            }
            Some(_) => tables_of_many,
            None => setting.starts_with('['),
        };
        if wanted {
            text.push_str(setting);
            text.push('\n');
        }
    }
    text
}

#[test]
fn as_it_stands_it_is_the_default() {
    assert_eq!(format!("{:?}", load(SHIPPED)), format!("{:?}", load("")));
}

#[test]
fn every_setting_in_it_exists_and_shows_its_default() {
    let text = uncommented();
    for table in [
        "[intake]",
        "[bus]",
        "[journal]",
        "[database]",
        "[log]",
        "[rts2]",
        "[[group]]",
        "[[rule]]",
        "[[agents]]",
    ] {
        assert!(text.contains(table), "{table} in\n{text}");
    }
    // Three settings have no default that a file could show: they depend on the host, or are secrets.
    let host = [
        "name = \"hub\"\n",
        "host = \"hub.example.org\"\n",
        "fits = [\"disk_percent\", \"memory_percent\"]\n",
    ];
    let secrets = [
        "password_file = \"/etc/lamon/database-password\"\n",
        "password_env = \"LAMON_DATABASE_PASSWORD\"\n",
    ];
    let mut settings = text.split("[[").next().unwrap().to_owned();
    for line in host.iter().chain(&secrets) {
        assert!(settings.contains(line), "{line}");
        settings = settings.replacen(line, "", 1);
    }
    let (hub, rts2) = load(&settings);
    let (default_hub, default_rts2) = load("");
    assert_eq!(hub.consequences(), default_hub.consequences());
    assert_eq!(rts2.consequences(&hub), default_rts2.consequences(&default_hub));
    let count = |config: &HubConfig| config.rules.iter().count();
    let (with_tables, _) = load(&text.replace(secrets[0], "").replace(secrets[1], ""));
    assert_eq!(count(&with_tables), count(&default_hub) + 2);
    assert_eq!(with_tables.groups.names().collect::<Vec<_>>(), ["ccd", "dome"]);
    assert_eq!(with_tables.agents.len(), 1);
}
