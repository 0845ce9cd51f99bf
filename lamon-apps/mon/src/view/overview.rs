//! Every node a row.

use lamon_bus::Level;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::Look;
use super::columns::Columns;
use crate::app::App;
use crate::clean::{fit, fit_right};
use crate::report::sign;
use crate::rows::{Gauge, Row};
use crate::texts::fill;
use crate::units;

/// The heading, and the rows that are in sight.
pub(super) fn lines(
    app: &App,
    look: &Look,
    width: usize,
    room: usize,
) -> (Line<'static>, Vec<Line<'static>>) {
    let columns = Columns::of(width);
    let rows = app.rows().iter().enumerate().skip(app.top()).take(room);
    let chosen = app.chosen_row();
    let mut lines: Vec<Line<'static>> =
        rows.map(|(place, row)| line(row, &columns, look, chosen == Some(place))).collect();
    if lines.is_empty() && app.site().hub().is_some() {
        let text = if app.search().is_empty() {
            look.texts.no_nodes.to_owned()
        } else {
            fill(look.texts.none_found, app.search())
        };
        lines.push(Line::from(fit(&text, width)));
    }
    (heading(&columns, look, width), lines)
}

fn heading(columns: &Columns, look: &Look, width: usize) -> Line<'static> {
    let texts = look.texts;
    let mut text = String::new();
    let mut add = |word: &str, columns: usize| {
        if columns > 0 {
            text += &fit(word, columns);
            text.push(' ');
        }
    };
    add(if columns.level > 1 { texts.level } else { "" }, columns.level);
    add(texts.node, columns.name);
    add(texts.group, columns.group);
    let gauge = columns.number + if columns.bar > 0 { columns.bar + 1 } else { 0 };
    if columns.number > 0 {
        for word in [texts.cpu, texts.memory, texts.disk] {
            add(&fit_right(word, gauge.min(columns.number)), gauge);
        }
    }
    for word in [texts.net_in, texts.net_out] {
        add(&fit_right(word, columns.net), columns.net);
    }
    add(texts.what, columns.what);
    Line::styled(fit(text.trim_end(), width), look.theme.heading())
}

fn line(row: &Row, columns: &Columns, look: &Look, chosen: bool) -> Line<'static> {
    let theme = look.theme;
    // A muted node is nothing to look at, and the numbers of one that is not heard are of the past.
    let quiet = if row.muted { theme.old() } else { Style::new() };
    let old = if row.level == Level::Silent { theme.old() } else { quiet };
    let mut spans =
        vec![Span::styled(level(row.level, columns.level, look), theme.level(row.level).patch(quiet))];
    let mut add = |text: String, columns: usize, style: Style| {
        if columns > 0 {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(text, style));
        }
    };
    let name_style = if chosen { theme.chosen() } else { Style::new() };
    add(fit(&row.name, columns.name), columns.name, name_style);
    add(fit(&row.group, columns.group), columns.group, Style::new());
    for gauge in [row.cpu, row.memory, row.disk] {
        let style = gauge.map_or(old, |gauge| theme.level(gauge.level).patch(old));
        add(
            gauge.map_or_else(|| " ".repeat(columns.bar), |gauge| theme.bar(gauge.percent, columns.bar)),
            columns.bar,
            style,
        );
        add(number(gauge, columns.number), columns.number, style);
    }
    let cared = look.texts.cared(row.muted, row.acknowledged);
    match row.age {
        // In place of how much it sends: it does not.
        Some(age) if columns.net > 0 => {
            let text = fill(look.texts.ago, &look.texts.length(age));
            let both = 2 * columns.net + 1;
            add(fit_right(&text, both), both, theme.level(row.level.max(Level::Warning)));
        }
        _ if columns.net > 0 && !cared.is_empty() => {
            let both = 2 * columns.net + 1;
            add(fit_right(cared, both), both, theme.old());
        }
        _ => {
            for net in [row.net_in, row.net_out] {
                add(fit_right(&units::short(net), columns.net), columns.net, Style::new());
            }
        }
    }
    let mut what = look.texts.why(row);
    if row.age.is_some() && !cared.is_empty() {
        what = format!("{cared}: {what}");
    }
    add(fit(&what, columns.what), columns.what, theme.level(row.level));
    let line = Line::from(spans);
    if chosen { line.patch_style(Style::new().add_modifier(Modifier::BOLD)) } else { line }
}

/// A marker, and the word where there is room.
fn level(level: Level, columns: usize, look: &Look) -> String {
    let marker = match level {
        Level::Good => " ",
        level => sign(level),
    };
    fit(&format!("{marker}{}", look.texts.level_word(level)), columns)
}

fn number(gauge: Option<Gauge>, columns: usize) -> String {
    let text = gauge.map_or_else(
        || "- ".into(),
        |gauge| {
            format!(
                "{:.0}{}",
                gauge.percent,
                if gauge.level == Level::Good { " " } else { sign(gauge.level) }
            )
        },
    );
    fit_right(&text, columns)
}
