//! The curve of the chosen node's CPU, and the keys.

use ratatui::text::{Line, Span};

use super::Look;
use crate::app::{App, Pane};
use crate::clean::{cut, fit, width as wide};
use crate::texts::fill;
use crate::units;

/// Two lines, or the keys alone where there is room for one.
pub(super) fn lines(app: &App, look: &Look, width: usize, room: usize) -> Vec<Line<'static>> {
    let texts = look.texts;
    let keys = match (app.is_typing(), app.pane()) {
        (true, _) => format!("{}_  {}", fill(texts.search, app.search()), texts.keys_typing),
        (false, Pane::Overview) => texts.keys.to_owned(),
        (false, _) => texts.keys_list.to_owned(),
    };
    let keys = Line::styled(fit(&keys, width), look.theme.old());
    if room < 2 { vec![keys] } else { vec![curve(app, look, width), keys] }
}

fn curve(app: &App, look: &Look, width: usize) -> Line<'static> {
    let Some(node) = app.chosen_node() else { return Line::default() };
    let Some(cpu) = node.metrics.get("cpu_percent") else { return Line::default() };
    let before = cut(&format!("{} {} ", node.name, look.texts.cpu), width);
    let after = format!(" {}", units::value("cpu_percent", cpu.value));
    let room = width.saturating_sub(wide(&before) + wide(&after));
    let curve = look.theme.curve(app.site().curve(&node.name), room);
    Line::from(vec![Span::raw(before), Span::styled(curve, look.theme.level(cpu.level)), Span::raw(after)])
}
