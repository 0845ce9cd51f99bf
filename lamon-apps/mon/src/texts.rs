//! Every text of the interface, in every language: one table. Names, metrics, rules and events are the hub's own words.

use lamon_bus::Level;

use crate::lang::Lang;
use crate::rows::Row;
use crate::units;

/// The texts of one language; `{}` is where a value goes, see `fill`.
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
    pub(crate) metric: &'static str,
    pub(crate) value: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) muted: &'static str,
    pub(crate) acknowledged: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) flapping: &'static str,
    pub(crate) since: &'static str,
    pub(crate) silent_for: &'static str,
    pub(crate) ago: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) away: &'static str,
    pub(crate) hub: &'static str,
    pub(crate) database: &'static str,
    pub(crate) nodes: &'static str,
    pub(crate) all_good: &'static str,
    pub(crate) no_nodes: &'static str,
    pub(crate) none_found: &'static str,
    pub(crate) gone: &'static str,
    pub(crate) events: &'static str,
    pub(crate) no_events: &'static str,
    pub(crate) search: &'static str,
    pub(crate) keys: &'static str,
    pub(crate) keys_list: &'static str,
    pub(crate) keys_typing: &'static str,
    pub(crate) help: &'static [(&'static str, &'static str)],
    pub(crate) help_signs: &'static str,
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
    metric: "metric",
    value: "value",
    rule: "rule",
    muted: "muted",
    acknowledged: "known of",
    unknown: "comes no more",
    flapping: "flips, held at its worst",
    since: "for {}",
    silent_for: "silent for {}",
    ago: "{} ago",
    waiting: "waiting for the hub at {}",
    away: "hub away for {}",
    hub: "hub {}",
    database: "database {}",
    nodes: "{} nodes",
    all_good: "all good",
    no_nodes: "the hub has told of no node yet",
    none_found: "no node fits {} (Esc: all)",
    gone: "{} is not among the hub's nodes any more",
    events: "events, the newest first",
    no_events: "nothing has happened",
    search: "search: {}",
    keys: "Enter node  e events  / search  ? help  q quit",
    keys_list: "Esc back  arrows scroll  ? help  q quit",
    keys_typing: "Enter keep  Esc all",
    help: &[
        ("Up Down PgUp PgDn Home End", "choose a node, or scroll; j k g G too"),
        ("mouse wheel, click", "the same; a second click opens"),
        ("Enter, Right", "all of the chosen node"),
        ("Esc, Left", "back"),
        ("e", "what happened"),
        ("/", "search names, groups, what is wrong, events"),
        ("?", "this page"),
        ("q, Ctrl-C", "quit"),
    ],
    help_signs: "! beside a number: warning. x: error. Groups with the worst nodes come first.",
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
    metric: "指标",
    value: "数值",
    rule: "规则",
    muted: "已静音",
    acknowledged: "已确认",
    unknown: "不再上报",
    flapping: "反复变化，保持最差级别",
    since: "已持续 {}",
    silent_for: "失联 {}",
    ago: "{} 前",
    waiting: "正在等待中心 {}",
    away: "中心失联 {}",
    hub: "中心 {}",
    database: "数据库 {}",
    nodes: "{} 个节点",
    all_good: "全部正常",
    no_nodes: "中心尚未报告任何节点",
    none_found: "没有符合 {} 的节点（Esc：全部）",
    gone: "中心已没有节点 {}",
    events: "事件，最新在前",
    no_events: "没有事件",
    search: "搜索：{}",
    keys: "Enter 详情  e 事件  / 搜索  ? 帮助  q 退出",
    keys_list: "Esc 返回  方向键 滚动  ? 帮助  q 退出",
    keys_typing: "Enter 保留  Esc 全部",
    help: &[
        ("Up Down PgUp PgDn Home End", "选择节点或滚动；也可用 j k g G"),
        ("鼠标滚轮、单击", "同上；再次单击打开"),
        ("Enter, Right", "所选节点的全部指标"),
        ("Esc, Left", "返回"),
        ("e", "事件"),
        ("/", "搜索名称、组、原因和事件"),
        ("?", "本页"),
        ("q, Ctrl-C", "退出"),
    ],
    help_signs: "数字旁的 ! 表示警告，x 表示错误。最严重的组排在最前。",
};

/// A text with a value in its place.
pub(crate) fn fill(text: &str, value: &str) -> String {
    text.replacen("{}", value, 1)
}

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

    /// Whether somebody cares for a node already; empty when nobody does, or need not.
    pub(crate) const fn cared(&self, muted: bool, acknowledged: bool) -> &'static str {
        match (muted, acknowledged) {
            (true, _) => self.muted,
            (false, true) => self.acknowledged,
            (false, false) => "",
        }
    }

    /// What is wrong with a node.
    pub(crate) fn why(&self, row: &Row) -> String {
        match (row.level, row.age) {
            (Level::Silent, Some(age)) => fill(self.silent_for, &units::length(age)),
            (Level::Silent, None) => self.silent.into(),
            _ => row.why.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_places_for_values() {
        let texts = |texts: &Texts| {
            [texts.silent_for, texts.ago, texts.waiting, texts.away, texts.hub, texts.database, texts.nodes]
                .into_iter()
                .chain([texts.none_found, texts.gone, texts.search, texts.since])
                .all(|text| text.matches("{}").count() == 1)
        };
        assert!(texts(&EN) && texts(&ZH_CN));
        assert_eq!(EN.help.len(), ZH_CN.help.len());
        assert_eq!(fill("a {} b", "{}"), "a {} b");
    }
}
