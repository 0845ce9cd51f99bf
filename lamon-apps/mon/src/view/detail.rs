//! One node: every metric with its value, its level, and the rule that holds for it.

use lamon_bus::{Level, Metric, Node};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Look;
use crate::app::App;
use crate::clean::{fit, fit_right, width as wide, wrap};
use crate::report::sign;
use crate::rows;
use crate::texts::fill;

/// The widest that names of metrics are shown beside their values.
const MAX_NAME: usize = 32;

/// The columns that values and levels take.
const VALUE: usize = 11;
const LEVEL: usize = 9;

/// The narrowest column in which a rule is still readable; below that it has lines of its own.
const MIN_RULE: usize = 24;

/// The heading, and all lines.
pub(super) fn lines(app: &App, look: &Look, width: usize) -> (Line<'static>, Vec<Line<'static>>) {
    let texts = look.texts;
    let Some(node) = app.chosen_node() else {
        let text = fill(texts.gone, app.chosen().unwrap_or_default());
        return (Line::default(), vec![Line::from(fit(&text, width))]);
    };
    let age = rows::age(node, app.site().hub_time(app.now()));
    let age = age.map(|age| fill(texts.ago, &texts.length(age))).unwrap_or_default();
    let mark = sign(node.level);
    let title = format!(
        "{}  {}  {mark}{}  {age}  {}",
        node.name,
        node.group,
        texts.level_word(node.level),
        texts.cared(node.muted, node.acknowledged)
    );
    let heading = Line::styled(fit(&title, width), look.theme.level(node.level).patch(look.theme.heading()));
    let name = node.metrics.keys().map(|name| wide(name)).max().unwrap_or(0);
    let name = name.max(wide(texts.metric)).min(MAX_NAME).min(width / 2);
    let mut lines = vec![titles(look, name, width)];
    for (metric, now) in rows::worst_first(node) {
        let told = told(look, now, app.site().hub_time(app.now()));
        lines.extend(metric_lines(look, node, metric, now, &told, (name, width)));
    }
    (heading, lines)
}

fn titles(look: &Look, name: usize, width: usize) -> Line<'static> {
    let texts = look.texts;
    let (metric, value, level) =
        (fit(texts.metric, name), fit_right(texts.value, VALUE), fit(texts.level, LEVEL));
    Line::styled(fit(&format!("{metric} {value}  {level} {}", texts.rule), width), look.theme.old())
}

/// For how long a metric is not well, what is odd of it, and its rule.
fn told(look: &Look, now: &Metric, hub_now: Option<f64>) -> String {
    let texts = look.texts;
    let bad = now.level > Level::Good && now.since > 0.0;
    let since = hub_now.filter(|_| bad).map(|hub_now| fill(texts.since, &texts.length(hub_now - now.since)));
    let odd = [(now.unknown, texts.unknown), (now.flapping, texts.flapping)];
    let odd = odd.into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned());
    since.into_iter().chain(odd).chain(texts.rule(now)).collect::<Vec<_>>().join("; ")
}

fn metric_lines(
    look: &Look,
    node: &Node,
    name: &str,
    now: &Metric,
    rule: &str,
    (columns, width): (usize, usize),
) -> Vec<Line<'static>> {
    let old = if node.level == Level::Silent || now.unknown { look.theme.old() } else { Style::new() };
    let style = look.theme.level(now.level).patch(old);
    let mark = if now.level == Level::Good { " " } else { sign(now.level) };
    let mut spans = vec![
        Span::raw(fit(name, columns)),
        Span::raw(" "),
        Span::styled(fit_right(&look.texts.value(name, now.value), VALUE), style),
        Span::raw(" "),
        Span::styled(fit(&format!("{mark}{}", look.texts.level_word(now.level)), LEVEL), style),
        Span::raw("  "),
    ];
    let before = columns + VALUE + LEVEL + 4;
    let room = width.saturating_sub(before);
    if rule.is_empty() {
        return vec![Line::from(spans)];
    }
    if room < MIN_RULE {
        let below = wrap(rule, width.saturating_sub(2)).into_iter();
        let below = below.map(|line| Line::styled(format!("  {line}"), look.theme.old()));
        return std::iter::once(Line::from(spans)).chain(below).collect();
    }
    let mut rule = wrap(rule, room).into_iter();
    spans.push(Span::raw(rule.next().unwrap_or_default()));
    let below = rule.map(|line| Line::from(format!("{}{line}", " ".repeat(before))));
    std::iter::once(Line::from(spans)).chain(below).collect()
}
