//! Every text of the interface, in every language: one table. Names, metrics and sentences are the hub's own words; what it says in
//! a fixed form, levels, kinds of events and limits, has words here.

use lamon_bus::{Direction, Event, Level, Metric};

use crate::kinds;
use crate::lang::Lang;
use crate::rows::Row;
use crate::units::{self, Times};

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
    pub(crate) one_node: &'static str,
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
    /// Of lengths of time.
    times: Times,
    /// How the hub says that its database works, or was not tried yet.
    conditions: [(&'static str, &'static str); 2],
    /// Kinds of events; none where the hub's sentence says it.
    kinds: &'static [(&'static str, &'static str)],
    /// How limits are told; `None` where the hub's words for its rule do.
    limits: Option<LimitWords>,
}

/// The words between the numbers of a rule.
#[derive(Debug)]
struct LimitWords {
    beyond: &'static str,
    clears: &'static str,
    comma: &'static str,
    colon: &'static str,
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
    one_node: "1 node",
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
    times: units::ENGLISH,
    conditions: [("ok", "ok"), ("not tried yet", "not tried yet")],
    kinds: &[],
    limits: None,
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
    ago: "{}前",
    waiting: "正在等待中心 {}",
    away: "中心失联 {}",
    hub: "中心 {}",
    database: "数据库 {}",
    nodes: "{} 个节点",
    one_node: "1 个节点",
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
    times: ["天", "小时", "分", "秒"],
    conditions: [("ok", "正常"), ("not tried yet", "尚未尝试")],
    kinds: kinds::ZH_CN,
    limits: Some(LimitWords { beyond: "超出 ±", clears: "回落 {}", comma: "，", colon: "：" }),
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
        match (row.level, row.age, &row.cause) {
            (Level::Good, ..) => String::new(),
            (Level::Silent, Some(age), _) => fill(self.silent_for, &self.length(age)),
            (_, _, Some((metric, value))) => format!("{metric} {}", self.value(metric, *value)),
            (level, _, None) => self.level_word(level).into(),
        }
    }

    /// A length of time.
    pub(crate) fn length(&self, seconds: f64) -> String {
        units::length_in(self.times, seconds)
    }

    /// A value with its unit.
    pub(crate) fn value(&self, metric: &str, value: Option<f64>) -> String {
        units::value_in(self.times, metric, value)
    }

    /// How a part of the hub does: a word, or the hub's sentence.
    pub(crate) fn condition<'a>(&self, told: &'a str) -> &'a str {
        self.conditions.iter().find(|(word, _)| *word == told).map_or(told, |(_, word)| *word)
    }

    /// An event: its kind, where the language has a word for it, and the hub's sentence.
    pub(crate) fn event(&self, event: &Event) -> String {
        match self.kinds.iter().find(|(kind, _)| *kind == event.kind) {
            Some((_, word)) => format!("{word} {}", event.text),
            None => event.text.clone(),
        }
    }

    /// The rule that holds for a metric.
    pub(crate) fn rule(&self, metric: &Metric) -> Option<String> {
        let (Some(words), Some(limits)) = (&self.limits, &metric.limits) else { return metric.rule.clone() };
        let sign = match limits.direction {
            Direction::Beyond => words.beyond.to_owned(),
            direction => format!("{} ", direction.sign()),
        };
        let told = [(self.warning, limits.warning), (self.error, limits.error)];
        let told = told.into_iter().filter_map(|(word, limit)| Some((word, limit?)));
        let mut told: Vec<String> =
            told.map(|(word, limit)| format!("{word} {sign}{}", units::number(limit))).collect();
        if limits.clear > 0.0 {
            told.push(fill(words.clears, &units::number(limits.clear)));
        }
        Some(format!("{}{}{}", limits.name, words.colon, told.join(words.comma)))
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

    #[test]
    fn what_the_hub_says_in_a_fixed_form_is_in_the_language() {
        let json =
            r#"{"time":1.0,"node":"a","kind":"hub_paused","level":"warning","text":"the hub stood still"}"#;
        let mut event: Event = serde_json::from_str(json).unwrap();
        assert_eq!(ZH_CN.event(&event), "中心曾停顿 the hub stood still");
        assert_eq!(EN.event(&event), "the hub stood still");
        event.kind = "tomorrow".into();
        assert_eq!(ZH_CN.event(&event), "the hub stood still");
        assert_eq!(
            (ZH_CN.condition("ok"), ZH_CN.condition("no route to host")),
            ("正常", "no route to host")
        );
        assert_eq!(ZH_CN.length(3_720.0), "1 小时 2 分");
        assert_eq!(ZH_CN.value("uptime", Some(90_061.0)), "1 天 1 小时");

        let limits = |json: &str| Metric {
            rule: Some("the hub's words".into()),
            limits: serde_json::from_str(json).unwrap(),
            ..Metric::default()
        };
        let above = limits(r#"{"name":"disk","direction":"above","warning":80,"error":90.5,"clear":2}"#);
        assert_eq!(ZH_CN.rule(&above).as_deref(), Some("disk：警告 > 80，错误 > 90.5，回落 2"));
        assert_eq!(EN.rule(&above).as_deref(), Some("the hub's words"));
        let beyond = limits(r#"{"name":"clock","direction":"beyond","warning":null,"error":0.5}"#);
        assert_eq!(ZH_CN.rule(&beyond).as_deref(), Some("clock：错误 超出 ±0.5"));
        assert_eq!(ZH_CN.rule(&limits("null")).as_deref(), Some("the hub's words"));
    }
}
