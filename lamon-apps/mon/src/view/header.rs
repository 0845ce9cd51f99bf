//! The hub's line, and how many nodes are how.

use lamon_bus::Level;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Look;
use crate::app::App;
use crate::clean::{cut, fit, width as wide};
use crate::texts::fill;

/// Two lines, the more important first: there may be room for one.
pub(super) fn lines(app: &App, look: &Look, width: usize) -> Vec<Line<'static>> {
    vec![hub(app, look, width), counts(app, look, width)]
}

fn hub(app: &App, look: &Look, width: usize) -> Line<'static> {
    let (texts, site) = (look.texts, app.site());
    let known = site.hub().map(|hub| format!("{} {}", hub.hub, hub.version));
    if let Some(away) = site.away_for(app.now()) {
        let text = match known {
            Some(hub) => format!("{}  {}", fill(texts.away, &texts.length(away)), fill(texts.hub, &hub)),
            None => {
                format!("{}  {}", fill(texts.away, &texts.length(away)), fill(texts.waiting, &look.address))
            }
        };
        return Line::styled(fit(&text, width), look.theme.alarm());
    }
    let Some(hub) = site.hub() else {
        return Line::from(fit(&fill(texts.waiting, &look.address), width));
    };
    let worst = if hub.worst.is_empty() { texts.all_good } else { &hub.worst };
    let database = fill(texts.database, texts.condition(&hub.database));
    let database_level = if hub.database == "ok" { Level::Good } else { Level::Warning };
    Pieces::new(width)
        .add(&format!("{} ", fill(texts.hub, &known.unwrap_or_default())), None)
        .add(&format!(" {}: {worst} ", texts.level_word(hub.level)), Some(look.theme.level(hub.level)))
        .add(&format!(" {database}"), Some(look.theme.level(database_level)))
        .line()
}

fn counts(app: &App, look: &Look, width: usize) -> Line<'static> {
    let nodes = app.site().nodes();
    let all = match nodes.len() {
        1 => look.texts.one_node.to_owned(),
        many => fill(look.texts.nodes, &many.to_string()),
    };
    let mut pieces = Pieces::new(width).add(&all, None);
    for level in Level::ALL.into_iter().rev() {
        let count = app.site().nodes().filter(|node| node.level == level).count();
        if count > 0 {
            let text = format!("  {count} {}", look.texts.level_word(level));
            pieces = pieces.add(&text, Some(look.theme.level(level)));
        }
    }
    if !app.search().is_empty() {
        pieces = pieces.add(&format!("  {}", fill(look.texts.search, app.search())), None);
    }
    pieces.line()
}

/// Pieces of a line, for as long as there is room.
struct Pieces {
    left: usize,
    spans: Vec<Span<'static>>,
}

impl Pieces {
    const fn new(width: usize) -> Self {
        Self { left: width, spans: Vec::new() }
    }

    fn add(mut self, text: &str, style: Option<Style>) -> Self {
        let text = cut(text, self.left);
        self.left = self.left.saturating_sub(wide(&text));
        self.spans.push(Span::styled(text, style.unwrap_or_default()));
        self
    }

    fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }
}
