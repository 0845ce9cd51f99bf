//! The file as it is written, before it is checked.

use std::path::PathBuf;

use lamon_daemon::logging::{LogLevel, LogTarget};
use lamon_store::archive::DatabaseTable;
use serde::Deserialize;
use toml::Spanned;

use super::{
    AgentRule, ArchiveConfig, BusConfig, ControlConfig, IntakeConfig, JournalConfig, site::SiteTable,
};
use crate::watch::{Gate, Group, Rule, Tag};

/// Where the hub keeps its data when nobody says otherwise.
const DEFAULT_DATA_DIR: &str = "/var/lib/lamon";

/// The file as it is written; `F` is the section of the face.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "F: Deserialize<'de> + Default")]
pub(super) struct HubFile<F> {
    pub(super) name: Option<Spanned<String>>,
    pub(super) data_dir: PathBuf,
    pub(super) intake: IntakeConfig,
    pub(super) bus: BusConfig,
    pub(super) control: ControlConfig,
    pub(super) journal: JournalConfig,
    pub(super) database: DatabaseTable,
    pub(super) archive: ArchiveConfig,
    pub(super) log: LogLevel,
    pub(super) log_to: LogTarget,
    pub(super) group: Vec<Spanned<Group>>,
    pub(super) tag: Vec<Tag>,
    pub(super) rule: Vec<Spanned<Rule>>,
    pub(super) gate: Vec<Spanned<Gate>>,
    pub(super) agents: Vec<Spanned<AgentRule>>,
    pub(super) site: SiteTable,
    pub(super) rts2: F,
}

impl<F: Default> Default for HubFile<F> {
    fn default() -> Self {
        Self {
            name: None,
            data_dir: DEFAULT_DATA_DIR.into(),
            intake: IntakeConfig::default(),
            bus: BusConfig::default(),
            control: ControlConfig::default(),
            journal: JournalConfig::default(),
            database: DatabaseTable::default(),
            archive: ArchiveConfig::default(),
            log: LogLevel::default(),
            log_to: LogTarget::default(),
            group: Vec::new(),
            tag: Vec::new(),
            rule: Vec::new(),
            gate: Vec::new(),
            agents: Vec::new(),
            site: SiteTable::default(),
            rts2: F::default(),
        }
    }
}
