//! Every text of the interface, in every language: one table. Node names, metrics, rules and events are the hub's own words.

use lamon_bus::Level;

use crate::lang::Lang;

/// The texts of one language. Places for values are `{}`, filled by `fill`.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) good: &'static str,
    pub(crate) warning: &'static str,
    pub(crate) error: &'static str,
    pub(crate) silent: &'static str,
    pub(crate) level: &'static str,
    pub(crate) node: &'static str,
    pub(crate) group: &'static str,
    pub(crate) cpu: &'static str,
    pub(crate) memory: &'static str,
    pub(crate) disk: &'static str,
    pub(crate) net_in: &'static str,
    pub(crate) net_out: &'static str,
    pub(crate) what: &'static str,
}

const EN: Texts = Texts {
    good: "good",
    warning: "warning",
    error: "error",
    silent: "silent",
    level: "level",
    node: "node",
    group: "group",
    cpu: "cpu",
    memory: "mem",
    disk: "disk",
    net_in: "in/s",
    net_out: "out/s",
    what: "what",
};

const ZH_CN: Texts = Texts {
    good: "正常",
    warning: "警告",
    error: "错误",
    silent: "失联",
    level: "级别",
    node: "节点",
    group: "组",
    cpu: "CPU",
    memory: "内存",
    disk: "磁盘",
    net_in: "入/秒",
    net_out: "出/秒",
    what: "原因",
};

impl Texts {
    /// Those of a language.
    pub(crate) const fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &EN,
            Lang::ZhCn => &ZH_CN,
        }
    }

    /// A level in words.
    pub(crate) const fn level_word(&self, level: Level) -> &'static str {
        match level {
            Level::Good => self.good,
            Level::Warning => self.warning,
            Level::Error => self.error,
            Level::Silent => self.silent,
        }
    }
}
