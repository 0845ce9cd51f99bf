//! The state of the screen: what is known, what is chosen, what is shown. Pure: actions and time are handed in.

use lamon_bus::{Event, Node};

use crate::action::Action;
use crate::rows::{self, Row};
use crate::site::{Batch, Site};

/// The longest text that is searched, in characters: a name of a node has 64 at most.
const MAX_SEARCH: usize = 64;

/// What the screen shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Every node.
    #[default]
    Overview,
    /// One node.
    Detail,
    /// What happened.
    Events,
    /// The keys.
    Help,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub(crate) struct App {
    site: Site,
    rows: Vec<Row>,
    pane: Pane,
    /// Where one came from, the nearest last; no pane is in it twice.
    behind: Vec<Pane>,
    /// The chosen node, by its name: it stays chosen when rows change their order.
    chosen: Option<String>,
    /// The first row, event or line that is shown.
    top: usize,
    /// What is searched, in small letters.
    search: String,
    typing: bool,
    /// The lines that there is room for, and the screen's line of the first of them.
    room: (usize, u16),
    now: f64,
    ended: bool,
    changed: bool,
}

impl App {
    /// A screen without news, at this time of this computer.
    pub(crate) fn new(site: Site, now: f64) -> Self {
        Self { site, now, changed: true, ..Self::default() }
    }

    /// Takes up what the bus brought.
    pub(crate) fn take(&mut self, batch: &Batch, now: f64) {
        self.now = now;
        self.site.take(batch, now);
        self.make_rows();
        self.changed = true;
    }

    /// Time went on: ages grow.
    pub(crate) fn tick(&mut self, now: f64) {
        let away = self.site.away_for(now).map(f64::floor);
        self.changed |= away != self.site.away_for(self.now).map(f64::floor);
        self.now = now;
        let before = std::mem::take(&mut self.rows);
        self.make_rows();
        self.changed |= before != self.rows;
    }

    fn make_rows(&mut self) {
        let found = |row: &Row| {
            [&row.name, &row.group, &row.why].iter().any(|text| text.to_lowercase().contains(&self.search))
        };
        let all = rows::rows(self.site.nodes(), self.site.hub_time(self.now));
        self.rows = all.into_iter().filter(found).collect();
        if self.chosen.is_none() {
            self.choose(0);
        }
    }

    /// Does what a person wants.
    pub(crate) fn act(&mut self, action: Action) {
        self.changed = true;
        match action {
            Action::Quit => self.ended = true,
            Action::Up(rows) => self.step(|place, _| place.saturating_sub(rows)),
            Action::Down(rows) => self.step(|place, _| place.saturating_add(rows)),
            Action::PageUp => self.step(usize::saturating_sub),
            Action::PageDown => self.step(usize::saturating_add),
            Action::Home => self.step(|_, _| 0),
            Action::End => self.step(|_, _| usize::MAX),
            Action::Open if self.pane == Pane::Overview && self.chosen_node().is_some() => {
                self.go(Pane::Detail);
            }
            Action::Open | Action::Resized => {}
            Action::Back => self.back(),
            Action::Events => self.go(Pane::Events),
            Action::Help => self.go(Pane::Help),
            Action::Search => self.typing = matches!(self.pane, Pane::Overview | Pane::Events),
            Action::Letter(letter) => {
                if self.search.chars().count() < MAX_SEARCH && !letter.is_control() {
                    self.search.extend(letter.to_lowercase());
                    self.searched();
                }
            }
            Action::Erase => {
                self.search.pop();
                self.searched();
            }
            Action::Keep => self.typing = false,
            Action::Click(line) => self.click(line),
        }
    }

    /// Moves the choice, or what is shown; `to` makes the new place of the old one and the length of a page.
    fn step(&mut self, to: impl Fn(usize, usize) -> usize) {
        let page = self.room.0.max(1);
        if self.pane == Pane::Overview {
            self.choose(to(self.chosen_row().unwrap_or(0), page));
        } else {
            // Cut to what there is when it is drawn.
            self.top = to(self.top, page);
        }
    }

    fn choose(&mut self, row: usize) {
        let last = self.rows.len().saturating_sub(1);
        if let Some(row) = self.rows.get(row.min(last)) {
            self.chosen = Some(row.name.clone());
        }
    }

    fn click(&mut self, line: u16) {
        let Some(below) = line.checked_sub(self.room.1).map(usize::from) else { return };
        let row = self.top.saturating_add(below);
        if self.pane != Pane::Overview || below >= self.room.0 || row >= self.rows.len() {
            return;
        }
        if self.chosen_row() == Some(row) {
            self.go(Pane::Detail);
        } else {
            self.choose(row);
        }
    }

    fn go(&mut self, pane: Pane) {
        if self.pane != pane {
            self.behind.retain(|behind| *behind != pane && *behind != self.pane);
            self.behind.push(self.pane);
            (self.pane, self.top) = (pane, 0);
        }
    }

    fn back(&mut self) {
        if self.typing || (self.pane == Pane::Overview && !self.search.is_empty()) {
            self.typing = false;
            self.search.clear();
            self.searched();
        } else if self.pane != Pane::Overview {
            (self.pane, self.top) = (self.behind.pop().unwrap_or_default(), 0);
        }
    }

    fn searched(&mut self) {
        self.top = 0;
        self.make_rows();
        if self.chosen_row().is_none() {
            self.choose(0);
        }
    }

    /// Tells how many rows, events or lines there are, how many there is room for, and where on the screen the first is; what is
    /// shown is moved so that the choice is in sight.
    pub(crate) fn fit(&mut self, total: usize, room: usize, first_line: u16) {
        self.room = (room, first_line);
        // Of events the last may be alone at the top: each may need several lines.
        let last_top =
            if self.pane == Pane::Events { total.saturating_sub(1) } else { total.saturating_sub(room) };
        self.top = self.top.min(last_top);
        if self.pane == Pane::Overview
            && let Some(row) = self.chosen_row()
        {
            self.top = self.top.clamp((row + 1).saturating_sub(room), row);
        }
    }

    /// Whether there is something to draw; it counts as drawn then.
    pub(crate) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// Whether there is something to draw.
    pub(crate) const fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether the program is to end.
    pub(crate) const fn is_ended(&self) -> bool {
        self.ended
    }

    /// What is known.
    pub(crate) const fn site(&self) -> &Site {
        &self.site
    }

    /// The rows that the search leaves.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row that is chosen, while the search leaves it.
    pub(crate) fn chosen_row(&self) -> Option<usize> {
        let chosen = self.chosen.as_ref()?;
        self.rows.iter().position(|row| row.name == *chosen)
    }

    /// The name that is chosen, though its node may be gone.
    pub(crate) fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// The node that is chosen.
    pub(crate) fn chosen_node(&self) -> Option<&Node> {
        self.site.get(self.chosen.as_deref()?)
    }

    /// The events that the search leaves, the newest first.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        let found = |event: &&Event| {
            let node = event.node.as_deref().unwrap_or_default();
            [&event.text, node].iter().any(|text| text.to_lowercase().contains(&self.search))
        };
        self.site.events().rev().filter(found)
    }

    /// What is shown.
    pub(crate) const fn pane(&self) -> Pane {
        self.pane
    }

    /// The first row, event or line that is shown.
    pub(crate) const fn top(&self) -> usize {
        self.top
    }

    /// What is searched.
    pub(crate) fn search(&self) -> &str {
        &self.search
    }

    /// Whether letters are those of a search.
    pub(crate) const fn is_typing(&self) -> bool {
        self.typing
    }

    /// Seconds of this computer's clock.
    pub(crate) const fn now(&self) -> f64 {
        self.now
    }
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
