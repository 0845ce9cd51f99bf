//! The commented `etc/hub.toml` tells the truth: as it stands it is the default, and every setting in it exists and has
//! the default that it shows.
#![expect(clippy::panic, reason = "helpers of tests")]

use lamon_collector::config::HubConfig;
use lamon_sensord::config::Rts2Config;

const SHIPPED: &str = include_str!("../../etc/hub.toml");

fn load(text: &str) -> (HubConfig, Rts2Config) {
    HubConfig::parse("etc/hub.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The file with every key switched on; of a key that a section shows twice, the first is its default.
fn uncommented() -> String {
    let mut many = false;
    let mut seen: Vec<&str> = Vec::new();
    let mut text = String::new();
    for line in SHIPPED.lines() {
        let Some(setting) = line.strip_prefix('#').or(line.starts_with('[').then_some(line)) else {
            continue;
        };
        if setting.starts_with('[') {
            many = setting.starts_with("[[");
            seen.clear();
        } else if let Some((key, _)) = setting.split_once(" = ").filter(|(key, _)| !key.starts_with(' ')) {
            if seen.contains(&key) && !many {
                continue;
            }
            seen.push(key);
        } else {
            continue;
        }
        text.push_str(setting);
        text.push('\n');
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
        "[site]",
        "[intake]",
        "[bus]",
        "[control]",
        "[journal]",
        "[database]",
        "[archive]",
        "[rts2]",
        "[[group]]",
        "[[tag]]",
        "[[rule]]",
        "[[agents]]",
    ] {
        assert!(text.contains(table), "{table} in\n{text}");
    }
    // These settings have no default that a file could show: they depend on the host, or are for a database's server.
    let host = [
        "name = \"hub\"\n",
        "host = \"hub.example.org\"\n",
        "group = \"lamon-operators\"\n",
        "latitude = 40.396\n",
        "longitude = 117.577\n",
        "fits = [\"disk_percent\", \"memory_percent\"]\n",
    ];
    let of_a_server = [
        "password_file = \"/etc/lamon/database-password\"\n",
        "password_env = \"LAMON_DATABASE_PASSWORD\"\n",
        "tls = \"auto\"\n",
        "ca = \"/etc/lamon/database-ca.pem\"\n",
    ];
    let mut settings = text.split("[[").next().unwrap().to_owned();
    for line in host.iter().chain(&of_a_server) {
        assert!(settings.contains(line), "{line}");
        settings = settings.replacen(line, "", 1);
    }
    // A journal's path that is given is another thing than one that is not, even when it is the same.
    let path = "path = \"/var/lib/lamon/journal.sqlite\"\n";
    let (with_path, _) = load(&settings);
    let (default_hub, default_rts2) = load("");
    assert_eq!(with_path.journal_path(), default_hub.journal_path());
    let (hub, rts2) = load(&settings.replacen(path, "", 1));
    assert_eq!(format!("{hub:?}"), format!("{default_hub:?}"));
    assert_eq!(format!("{rts2:?}"), format!("{default_rts2:?}"));
    let count = |config: &HubConfig| config.rules.iter().count();
    let (with_tables, _) = load(&of_a_server.iter().fold(text, |text, line| text.replace(line, "")));
    assert_eq!(count(&with_tables), count(&default_hub) + 5);
    assert_eq!(with_tables.groups.names().collect::<Vec<_>>(), ["ccd", "dome"]);
    assert_eq!(with_tables.agents.len(), 1);
}
