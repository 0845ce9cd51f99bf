//! Drawing: the state in, cells of a terminal out.
//!
//! | file | what it draws |
//! |---|---|
//! | `theme` | colours, bars, curves |
//! | `header` | the hub's line, and how many nodes are how |
//! | `columns` | which columns fit a width; pure |
//! | `overview` | every node a row |
//! | `detail` | one node |
//! | `lists` | events, and the keys |
//! | `footer` | the curve of the chosen node, and the keys |

mod columns;
mod detail;
mod footer;
mod header;
mod lists;
mod overview;
pub(crate) mod theme;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use self::theme::Theme;
use crate::app::{App, Pane};
use crate::texts::Texts;

/// How everything looks.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The words.
    pub(crate) texts: &'static Texts,
    /// Colours and bars.
    pub(crate) theme: Theme,
    /// Where the hub is looked for.
    pub(crate) address: String,
}

/// The parts of the screen, from above: each may have no lines where there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Areas {
    header: Rect,
    heading: Rect,
    body: Rect,
    footer: Rect,
}

/// Small terminals have one line of header and of footer, the smallest none.
fn areas(area: Rect) -> Areas {
    let (header, heading, footer) = match area.height {
        0..=3 => (0, 0, 0),
        4..=5 => (1, 0, 0),
        6..=13 => (1, 1, 1),
        _ => (2, 1, 2),
    };
    let part = |top: u16, height: u16| Rect { y: area.y + top, height, ..area };
    let body = area.height - header - heading - footer;
    Areas {
        header: part(0, header),
        heading: part(header, heading),
        body: part(header + heading, body),
        footer: part(header + heading + body, footer),
    }
}

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, app: &mut App, look: &Look) {
    let areas = areas(frame.area());
    let width = usize::from(frame.area().width);
    put(frame, areas.header, header::lines(app, look, width));
    let room = usize::from(areas.body.height);
    let (heading, body) = match app.pane() {
        Pane::Overview => {
            app.fit(app.rows().len(), room, areas.body.y);
            overview::lines(app, look, width, room)
        }
        Pane::Events => {
            app.fit(app.events().count(), room, areas.body.y);
            lists::events(app, look, width, room)
        }
        pane => {
            let (heading, lines) =
                if pane == Pane::Detail { detail::lines(app, look, width) } else { lists::help(look, width) };
            app.fit(lines.len(), room, areas.body.y);
            (heading, lines.into_iter().skip(app.top()).take(room).collect())
        }
    };
    put(frame, areas.heading, vec![heading]);
    put(frame, areas.body, body);
    put(frame, areas.footer, footer::lines(app, look, width, usize::from(areas.footer.height)));
}

fn put(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    if area.height > 0 && area.width > 0 {
        frame.render_widget(Paragraph::new(lines), area);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
