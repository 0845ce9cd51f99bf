//! The values of the hub itself.

use lamon_collector::face::{Condition, Health};
use lamon_collector::sample::Now;
use lamon_collector::watch::{Watch, describe};
use rts2dev::proto::{DisplayType, Level};
use rts2dev::{DeclareError, DeviceHandle, Value};

/// Values of the hub's own health, on the summary device.
pub(super) struct HealthValues {
    samples_rate: Value<f32>,
    journal: Value<String>,
    journal_backlog: Value<i64>,
    journal_backlog_age: Value<f64>,
    database: Value<String>,
    database_server: Value<String>,
    completeness: Value<f64>,
    mutes: Value<String>,
    settings: Value<String>,
    limits: Value<String>,
    ready_tonight: Value<bool>,
    not_ready: Value<String>,
    nights_left: Value<f64>,
    waiting: Value<String>,
}

impl HealthValues {
    pub(super) fn declare(device: &DeviceHandle) -> Result<Self, DeclareError> {
        Ok(Self {
            samples_rate: device.float("samples_rate", "[1/s] samples taken in").declare()?,
            journal: device
                .string("journal", "whether samples reach the hub's disk: ok, or why not")
                .declare()?,
            journal_backlog: device
                .long("journal_backlog", "samples that wait for the database")
                .declare()?,
            journal_backlog_age: device
                .double(
                    "journal_backlog_age",
                    "[s] since the oldest sample that waits for the database was taken",
                )
                .display(DisplayType::TimeInterval)
                .declare()?,
            database: device
                .string("database", "whether the database takes samples: ok, or why not")
                .declare()?,
            database_server: device
                .string("database_server", "who takes the samples: the file, or one of several servers")
                .declare()?,
            completeness: device
                .double("completeness", "[%] of the samples that agents took, how many are stored")
                .display(DisplayType::Percent)
                .declare()?,
            ready_tonight: device
                .boolean(
                    "ready_tonight",
                    "whether disks, clocks, processes, database and nodes are ready for the night",
                )
                .declare()?,
            not_ready: device.string("not_ready", "what is not ready for the night").declare()?,
            nights_left: device
                .double("nights_left", "how many busy nights fit on the fullest disk")
                .declare()?,
            waiting: device
                .string("waiting", "nodes that wait to be approved: lamon keys, and the command approve")
                .declare()?,
            mutes: device.string("mutes", "which nodes are muted now, and why").declare()?,
            settings: device
                .string("settings", "whether what operators change outlives a restart: ok, or why not")
                .declare()?,
            limits: device.string("limits", "which limits operators set over the configuration").declare()?,
        })
    }

    pub(super) fn show(&self, watch: &Watch, health: &Health, now: Now) {
        let holding = watch.mutes().holding().filter(|(_, holds)| *holds).map(|(mute, _)| describe(mute));
        self.mutes.set(text(holding));
        let limit = |limit: Option<f64>| limit.map_or_else(|| "none".into(), |limit| limit.to_string());
        let limits = watch.limits().iter().map(|set| {
            format!("{} {} {} (by {})", set.about(), limit(set.warning), limit(set.error), set.who)
        });
        self.limits.set(text(limits));
        let tonight = &health.tonight;
        let level = if tonight.ready { Level::Good } else { Level::Warning };
        self.ready_tonight.set_with_level(tonight.ready, level);
        self.not_ready.set(text(std::iter::once(tonight.not_ready.clone())));
        self.nights_left.set(tonight.nights_left.unwrap_or(f64::NAN));
        let level = if health.waiting.is_empty() { Level::Good } else { Level::Warning };
        self.waiting.set_with_level(text(health.waiting.iter().cloned()), level);
        condition(&self.settings, &health.settings, Level::Warning);
        #[expect(clippy::cast_possible_truncation, reason = "seven digits are what is shown")]
        self.samples_rate.set(health.samples_rate as f32);
        self.journal_backlog.set(i64::try_from(health.backlog).unwrap_or(i64::MAX));
        self.journal_backlog_age.set(health.backlog_age(now));
        self.completeness.set(health.completeness * 100.0);
        condition(&self.journal, &health.journal, Level::Error);
        condition(&self.database, &health.database, Level::Warning);
        self.database_server.set(health.database_server.as_str());
    }
}

/// As many as a line of RTS2 has room for.
pub(super) fn text(words: impl Iterator<Item = String>) -> String {
    /// A screen wide and some lines high.
    const MOST_BYTES: usize = 500;
    // rts2-mon takes a percent sign in a text for a format.
    let mut text = words.collect::<Vec<_>>().join("; ").replace('%', " percent");
    if text.len() > MOST_BYTES {
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        text.push_str(" …");
    }
    text
}

fn condition(value: &Value<String>, condition: &Condition, level: Level) {
    let level = if matches!(condition, Condition::Fails(_)) { level } else { Level::Good };
    value.set_with_level(condition.as_str(), level);
}
