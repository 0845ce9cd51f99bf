//! The small tables beside the samples: nodes, events, settings.

use diesel::{
    Insertable, QueryResult, Queryable, QueryableByName, Selectable,
    sql_types::{BigInt, Nullable, Text},
};

use crate::db::{Db, Value};

/// Longest text of an event, in bytes; the rest is cut.
const MAX_TEXT_BYTES: usize = 4_096;

/// Longest name of an operating system or an agent's version, in characters, as the tables have it; the rest is cut.
const MAX_WORDS_CHARS: usize = 255;

/// Longest name of a setting, in bytes.
const MAX_SETTING_BYTES: usize = 190;

/// Longest value of a setting, in bytes.
const MAX_VALUE_BYTES: usize = 64 << 10;

/// Most settings; a hundred nodes with thresholds of their own have some thousands.
pub const MAX_SETTINGS: usize = 20_000;

/// What happened, of a node or of a hub.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = crate::journal::schema::events)]
pub struct Event {
    /// When, milliseconds since 1970-01-01 UTC.
    #[diesel(sql_type = BigInt)]
    pub time_ms: i64,
    /// The hub's number for it: rises, never used twice with the same time.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// The node; none for an event of the hub.
    #[diesel(sql_type = Nullable<Text>)]
    pub node: Option<String>,
    /// The metric of the node that it is about alone, 40 ASCII characters at most; none too where a release wrote it that did not tell.
    #[diesel(sql_type = Nullable<Text>)]
    pub metric: Option<String>,
    /// What kind, a word of 32 ASCII characters at most.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// How grave: `good`, `warning`, `error` or `silent`.
    #[diesel(sql_type = Text)]
    pub level: String,
    /// A sentence for people; cut to 4 KiB.
    #[diesel(sql_type = Text)]
    pub text: String,
}

/// An event as it is stored: with the hub that told it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct StoredEvent {
    /// The hub.
    #[diesel(sql_type = Text)]
    pub hub: String,
    /// The event.
    #[diesel(embed)]
    pub event: Event,
}

/// What is known of a node.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct NodeRecord {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub node: String,
    /// When it was first heard, milliseconds since 1970-01-01 UTC.
    #[diesel(sql_type = BigInt)]
    pub first_heard_ms: i64,
    /// When it was last heard, milliseconds since 1970-01-01 UTC.
    #[diesel(sql_type = BigInt)]
    pub last_heard_ms: i64,
    /// Its operating system, when an agent told.
    #[diesel(sql_type = Nullable<Text>)]
    pub os: Option<String>,
    /// Its agent's version, when an agent told.
    #[diesel(sql_type = Nullable<Text>)]
    pub agent_version: Option<String>,
}

/// What an operator changed.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Setting {
    /// Its name, 190 bytes at most.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its value, 64 KiB at most.
    #[diesel(sql_type = Text)]
    pub value: String,
    /// Who changed it last.
    #[diesel(sql_type = Text)]
    pub who: String,
    /// When, milliseconds since 1970-01-01 UTC.
    #[diesel(sql_type = BigInt)]
    pub changed_ms: i64,
}

impl Setting {
    /// Why no database would take it, if so.
    pub(crate) fn fault(&self) -> Option<String> {
        if !(1..=MAX_SETTING_BYTES).contains(&self.name.len()) {
            return Some(format!("the name of a setting has 1 to {MAX_SETTING_BYTES} bytes"));
        }
        if self.value.len() > MAX_VALUE_BYTES {
            return Some(format!("the setting {} has more than {MAX_VALUE_BYTES} bytes", self.name));
        }
        None
    }
}

/// Writes events; those that are there already stay as they are.
pub(crate) async fn append_events<D: Db>(db: &mut D, hub: &str, events: &[Event]) -> QueryResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; events.len()].join(", ");
    let sql = format!(
        "INSERT INTO events (time_ms, hub, number, node, metric, kind, level, text) VALUES {rows}{}",
        D::unless_there("time_ms, hub, number", "kind")
    );
    let values = events
        .iter()
        .flat_map(|event| {
            let text = event.text.get(..event.text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or_default();
            [
                event.time_ms.into(),
                hub.into(),
                event.number.into(),
                event.node.clone().into(),
                event.metric.clone().into(),
                event.kind.as_str().into(),
                event.level.as_str().into(),
                text.into(),
            ]
        })
        .collect();
    db.run(&sql, values).await.map(drop)
}

/// Writes what is known of nodes: the first time of hearing only ever goes back, the last only forth, and what is not
/// known now leaves what was.
pub(crate) async fn upsert_nodes<D: Db>(db: &mut D, hub: &str, nodes: &[NodeRecord]) -> QueryResult<()> {
    let update = if D::MYSQL {
        "ON DUPLICATE KEY UPDATE first_heard_ms = LEAST(first_heard_ms, VALUES(first_heard_ms)), \
         last_heard_ms = GREATEST(last_heard_ms, VALUES(last_heard_ms)), os = COALESCE(VALUES(os), os), \
         agent_version = COALESCE(VALUES(agent_version), agent_version), hub = VALUES(hub)"
    } else {
        "ON CONFLICT (node) DO UPDATE SET first_heard_ms = MIN(first_heard_ms, excluded.first_heard_ms), \
         last_heard_ms = MAX(last_heard_ms, excluded.last_heard_ms), os = COALESCE(excluded.os, os), \
         agent_version = COALESCE(excluded.agent_version, agent_version), hub = excluded.hub"
    };
    // One statement for some hundred nodes: SQLite takes 32,766 values.
    for nodes in nodes.chunks(500) {
        let rows = vec!["(?, ?, ?, ?, ?, ?)"; nodes.len()].join(", ");
        let sql = format!(
            "INSERT INTO nodes (node, first_heard_ms, last_heard_ms, os, agent_version, hub) VALUES {rows} {update}"
        );
        let values = nodes
            .iter()
            .flat_map(|node| {
                [
                    node.node.as_str().into(),
                    node.first_heard_ms.into(),
                    node.last_heard_ms.into(),
                    cut(node.os.as_deref()).into(),
                    cut(node.agent_version.as_deref()).into(),
                    hub.into(),
                ]
            })
            .collect();
        db.run(&sql, values).await?;
    }
    Ok(())
}

/// Writes a setting over what it was.
pub(crate) async fn set<D: Db>(db: &mut D, setting: &Setting) -> QueryResult<()> {
    let sql = "REPLACE INTO settings (name, value, who, changed_ms) VALUES (?, ?, ?, ?)";
    let who = cut(Some(&setting.who));
    let values = vec![
        setting.name.as_str().into(),
        setting.value.as_str().into(),
        Value::Text(who),
        setting.changed_ms.into(),
    ];
    db.run(sql, values).await.map(drop)
}

/// Removes a setting; whether it was there.
pub(crate) async fn reset<D: Db>(db: &mut D, name: &str) -> QueryResult<bool> {
    Ok(db.run("DELETE FROM settings WHERE name = ?", vec![name.into()]).await? > 0)
}

/// Every setting whose name begins so, by name.
pub(crate) async fn settings<D: Db>(db: &mut D, prefix: &str) -> QueryResult<Vec<Setting>> {
    // Compared as a range, since LIKE has characters of its own.
    let sql = format!(
        "SELECT name, value, who, changed_ms FROM settings WHERE name >= ? ORDER BY name LIMIT {MAX_SETTINGS}"
    );
    let settings: Vec<Setting> = db.rows(&sql, vec![prefix.into()]).await?;
    Ok(settings.into_iter().take_while(|setting| setting.name.starts_with(prefix)).collect())
}

fn cut(text: Option<&str>) -> Option<String> {
    text.map(|text| text.chars().take(MAX_WORDS_CHARS).collect())
}
