//! Draws the view: in place and in colour on a terminal, as blocks of plain lines elsewhere.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use rts2dev::proto::Level;

use crate::family::Family;
use crate::view::{Metric, Node, Shown, View};

/// The terminal that everybody has, for those that do not say how large they are.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// Columns of a bar.
const BAR: usize = 8;

/// Columns of the names on the left, where the percentages are, and on the right; longer ones are cut.
const NAMES: (usize, usize) = (24, 16);

/// Where the right half begins.
const HALF: usize = 45;

/// Where the pictures go.
pub(crate) struct Screen {
    terminal: bool,
    style: Style,
}

/// What the output can show.
#[derive(Clone, Copy)]
struct Style {
    colour: bool,
    blocks: bool,
}

impl Screen {
    /// A screen on the standard output.
    pub(crate) fn new(terminal: bool) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(std::env::var_os);
        let unicode = locale.is_some_and(|locale| {
            let locale = locale.to_string_lossy().to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Self { terminal, style: Style { colour, blocks: unicode } }
    }

    /// Draws a picture over the one before, or below it.
    pub(crate) fn draw(&mut self, view: &View, family: &Family) -> io::Result<()> {
        let (columns, rows) = if self.terminal { size() } else { (USUAL_SIZE.0, usize::MAX) };
        // The last row stays free: writing its end would scroll.
        let lines = self.style.lines(view, family, rows.saturating_sub(1));
        let mut out = String::new();
        if self.terminal {
            // Hide the cursor, go to the top, write over what is there, clear the rest.
            out.push_str("\x1b[?25l\x1b[H");
            for line in lines {
                let _ = write!(out, "{}\x1b[K\r\n", line.cut(columns, self.style));
            }
            out.push_str("\x1b[J");
        } else {
            for line in lines {
                out.push_str(line.cut(columns, self.style).trim_end());
                out.push('\n');
            }
            out.push('\n');
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(out.as_bytes())?;
        stdout.flush()
    }
}

/// Gives the cursor back.
pub(crate) fn restore() {
    if io::stdout().is_terminal() {
        // Over the ^C that the terminal shows.
        let _ = io::stdout().write_all(b"\r\x1b[K\x1b[?25h");
    }
}

fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => USUAL_SIZE,
    }
}

/// A line of pieces, each with its level; `None` for text that has none.
#[derive(Default)]
struct Row(Vec<(String, Option<Level>)>);

impl Row {
    fn text(text: impl Into<String>) -> Self {
        Self(vec![(text.into(), None)])
    }

    fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push((text.into(), None));
        self
    }

    fn shown(mut self, text: impl Into<String>, level: Level) -> Self {
        self.0.push((text.into(), Some(level)));
        self
    }

    fn columns(&self) -> usize {
        self.0.iter().map(|(text, _)| text.chars().count()).sum()
    }

    /// Goes on with another row at a column.
    fn beside(mut self, column: usize, right: Self) -> Self {
        let gap = column.saturating_sub(self.columns());
        self.0.push((" ".repeat(gap), None));
        self.0.extend(right.0);
        self
    }

    /// As it goes to the terminal, at most so many columns wide.
    fn cut(&self, columns: usize, style: Style) -> String {
        let mut left = columns;
        let mut out = String::new();
        for (text, level) in &self.0 {
            let text: String = text.chars().take(left).collect();
            left -= text.chars().count();
            match level.filter(|_| style.colour) {
                Some(level) => {
                    let _ = write!(out, "\x1b[{}m{text}\x1b[0m", colour(level));
                }
                None => out.push_str(&text),
            }
        }
        out
    }
}

/// Green, bold yellow, bold red.
fn colour(level: Level) -> &'static str {
    match level {
        Level::Good => "32",
        Level::Warning => "1;33",
        Level::Error => "1;31",
    }
}

impl Style {
    fn lines(self, view: &View, family: &Family, rows: usize) -> Vec<Row> {
        let mut head = vec![
            Row::text(format!("lamon in RTS2: device {}, centrald {}", family.device(), family.centrald())),
            Row::default().shown(&view.level.text, view.level.level).plain(format!("  {}", view.counts)),
        ];
        if !view.worst.text.is_empty() {
            head.push(Row::text("worst: ").shown(&view.worst.text, view.worst.level));
        }
        head.push(Row::default());
        let foot = footer(family);
        let room = rows.saturating_sub(head.len() + foot.len());
        let body = self.body(view, room);
        head.into_iter().chain(body).chain(foot).take(rows).collect()
    }

    /// The nodes, as many of their values as there is room for; every node gets its own line before any gets more.
    fn body(self, view: &View, room: usize) -> Vec<Row> {
        let mut lines = Vec::new();
        let mut left = room;
        for (place, node) in view.nodes.iter().enumerate() {
            let others = view.nodes.len() - place - 1;
            // Each node that follows needs its line, and one for what is well or not about it.
            let share = left.saturating_sub((others * 2).min(left / 2));
            let block = self.node(node, share);
            left = left.saturating_sub(block.len());
            lines.extend(block);
        }
        if view.nodes.is_empty() {
            lines.push(Row::text("waiting for the first sample…"));
        }
        lines.truncate(room);
        lines
    }

    fn node(self, node: &Node, room: usize) -> Vec<Row> {
        let title = Row::text(format!("{}  ", node.name))
            .shown(&node.level.text, node.level.level)
            .plain(format!("  heard {:.0} s ago", node.heard_seconds_ago));
        let rows = node.percentages.len().max(node.others.len());
        let shown = rows.min(room.saturating_sub(1));
        let mut lines = vec![title];
        let [percentages, others] = [&node.percentages, &node.others].map(|metrics| gravest(metrics, shown));
        for place in 0..shown {
            let left = percentages.get(place).map(|metric| self.percentage(metric)).unwrap_or_default();
            let right = others.get(place).map(|metric| other(metric)).unwrap_or_default();
            lines.push(left.beside(HALF, right));
        }
        let hidden = node.percentages.len() + node.others.len() - percentages.len() - others.len();
        if hidden > 0
            && let Some(title) = lines.first_mut()
        {
            title.0.push((format!("  (there is no room for {hidden} more)"), None));
        }
        lines
    }

    fn percentage(self, metric: &Metric) -> Row {
        let (full, empty) = if self.blocks { ("█", "░") } else { ("#", ".") };
        let filled = (0..BAR).filter(|place| {
            // A bar's cell is filled when the value is past its middle.
            let middle = (u32::try_from(*place).map_or(0.0, f64::from) + 0.5) * 100.0 / BAR_F64;
            metric.number >= middle
        });
        let filled = filled.count();
        let Shown { text, level } = &metric.shown;
        name(metric, NAMES.0)
            .shown(full.repeat(filled), *level)
            .plain(empty.repeat(BAR - filled))
            .shown(format!("{text:>9}"), *level)
    }
}

/// [`BAR`] as a number to divide by.
const BAR_F64: f64 = 8.0;

/// As many as there is room for, in their order; where there is not room for all, those that are unwell before all.
fn gravest(metrics: &[Metric], room: usize) -> Vec<&Metric> {
    let mut chosen: Vec<_> = metrics.iter().enumerate().collect();
    chosen.sort_by_key(|(place, metric)| (Reverse(metric.shown.level), *place));
    chosen.truncate(room);
    chosen.sort_by_key(|(place, _)| *place);
    chosen.into_iter().map(|(_, metric)| metric).collect()
}

fn other(metric: &Metric) -> Row {
    let Shown { text, level } = &metric.shown;
    name(metric, NAMES.1).shown(format!("{text:>14}"), *level)
}

fn name(metric: &Metric, columns: usize) -> Row {
    let cut: String = metric.name.chars().take(columns).collect();
    Row::text(format!("  {cut:columns$} "))
}

fn footer(family: &Family) -> Vec<Row> {
    let ports = family.ports();
    let folder = family.folder().display();
    vec![
        Row::default(),
        Row::text("page   ").plain(format!("http://localhost:{}/", ports.web)),
        Row::text("send   ")
            .plain(format!("printf 'node=door disk_percent=97\\n' | nc localhost {}", ports.intake)),
        Row::text(format!(
            "bus    tcp://127.0.0.1:{}, snapshot tcp://127.0.0.1:{} (docs/bus.md)",
            ports.publish(),
            ports.snapshot()
        )),
        Row::text(format!("rows   {folder}/archive.sqlite, table samples    logs  {folder}/*.log")),
        Row::text("end    Ctrl-C"),
    ]
}
