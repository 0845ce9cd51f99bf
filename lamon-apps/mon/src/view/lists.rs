//! Events, and the keys.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lamon_bus::{Event, Level};
use ratatui::text::{Line, Span};

use super::Look;
use crate::app::App;
use crate::clean::{fit, wrap};
use crate::report::sign;

/// `11-29 06:38:03`.
const TIME: usize = 14;

/// The marker and the longest word.
const LEVEL: usize = 9;

/// The narrowest screen on which a sentence stands beside its time and level.
const BESIDE: usize = 60;

/// The heading, and the events that are in sight.
pub(super) fn events(
    app: &App,
    look: &Look,
    width: usize,
    room: usize,
) -> (Line<'static>, Vec<Line<'static>>) {
    let mut lines = Vec::new();
    // From the first in sight; the last may have lines below the screen.
    for event in app.events().skip(app.top()) {
        if lines.len() >= room {
            break;
        }
        lines.extend(event_lines(event, look, width));
    }
    lines.truncate(room);
    if lines.is_empty() {
        lines.push(Line::from(fit(look.texts.no_events, width)));
    }
    (Line::styled(fit(look.texts.events, width), look.theme.heading()), lines)
}

fn event_lines(event: &Event, look: &Look, width: usize) -> Vec<Line<'static>> {
    let told = look.texts.event(event);
    let mark = if event.level == Level::Good { " " } else { sign(event.level) };
    let level = fit(&format!("{mark}{}", look.texts.level_word(event.level)), LEVEL);
    let head = [
        Span::styled(fit(&time(event.time), TIME), look.theme.old()),
        Span::raw(" "),
        Span::styled(level, look.theme.level(event.level)),
        Span::raw(" "),
    ];
    if width < BESIDE {
        let below =
            wrap(&told, width.saturating_sub(2)).into_iter().map(|line| Line::from(format!("  {line}")));
        return std::iter::once(Line::from(head.to_vec())).chain(below).collect();
    }
    let before = TIME + LEVEL + 2;
    let mut text = wrap(&told, width.saturating_sub(before)).into_iter();
    let mut first = head.to_vec();
    first.push(Span::raw(text.next().unwrap_or_default()));
    let below = text.map(|line| Line::from(format!("{}{line}", " ".repeat(before))));
    std::iter::once(Line::from(first)).chain(below).collect()
}

/// Local time; what is none is `?`.
fn time(seconds: f64) -> String {
    let time = std::time::Duration::try_from_secs_f64(seconds).ok();
    let time = time.and_then(|time| Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok());
    time.map_or_else(
        || "?".into(),
        |time| time.to_zoned(TimeZone::system()).strftime("%m-%d %H:%M:%S").to_string(),
    )
}

/// The heading, and all lines of the keys.
pub(super) fn help(look: &Look, width: usize) -> (Line<'static>, Vec<Line<'static>>) {
    let texts = look.texts;
    let beside = width >= BESIDE;
    let mut lines = Vec::new();
    for (keys, what) in texts.help {
        if beside {
            lines.push(Line::from(format!("{}  {what}", fit(keys, 27))));
        } else {
            lines.push(Line::from(*keys));
            lines.extend(
                wrap(what, width.saturating_sub(2)).into_iter().map(|line| Line::from(format!("  {line}"))),
            );
        }
    }
    lines.push(Line::default());
    lines.extend(wrap(texts.help_signs, width).into_iter().map(Line::from));
    let title = format!("lamon-mon {}", lamon_daemon::VERSION);
    (Line::styled(fit(&title, width), look.theme.heading()), lines)
}
