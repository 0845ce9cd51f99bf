use lamon_bus::{Event, Hub, Level};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::action::Action;
use crate::args::Wanted;
use crate::clean;
use crate::lang::Lang;
use crate::rows::tests::node;
use crate::site::{Batch, Site};

fn look(lang: Lang) -> Look {
    let theme = Theme { colours: true, ascii: true };
    Look { texts: Texts::of(lang), theme, address: "tcp://hub:7618".into() }
}

fn hub() -> Hub {
    let json = r#"{"time":1005.0,"hub":"lamon1","version":"0.1.0","level":"warning","worst":"ccd01 disk_percent 82.5 > 80","database":"ok","completeness":null}"#;
    serde_json::from_str(json).unwrap()
}

fn event(text: &str) -> Event {
    Event {
        time: 1000.0,
        node: Some("ccd01".into()),
        metric: None,
        kind: "level".into(),
        level: Level::Warning,
        text: text.into(),
        change: None,
    }
}

/// Nodes of two groups, one of them sick and one silent.
fn app() -> App {
    let metrics = |disk, level| {
        [
            ("cpu_percent", 50.0, Level::Good),
            ("memory_percent", 41.0, Level::Good),
            ("disk_percent", disk, level),
            ("nic_in", 1234.0, Level::Good),
            ("nic_out", 87e6, Level::Good),
        ]
    };
    let mut silent = node("ccd03", "ccd", Level::Silent, &metrics(10.0, Level::Good));
    silent.heard = 970.0;
    let nodes = vec![
        node("ccd01", "ccd", Level::Warning, &metrics(82.5, Level::Warning)),
        node("ccd02", "ccd", Level::Good, &metrics(12.0, Level::Good)),
        silent,
        node("dome", "dome", Level::Error, &metrics(95.0, Level::Error)),
    ];
    let mut app = App::new(Site::new(Wanted::default(), 0.0), 0.0);
    let events = vec![event("ccd01 disk_percent 82.5 % over 80: warning (free 87 GB, full in 3 nights)")];
    app.take(&Batch { nodes, hub: Some(hub()), events, whole: true, ..Batch::default() }, 0.0);
    app
}

fn drawn(app: &mut App, look: &Look, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, app, look)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line += symbol;
            x += u16::try_from(clean::width(symbol).max(1)).unwrap();
        }
        line.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

#[test]
fn the_overview_at_80x24() {
    let shown = drawn(&mut app(), &look(Lang::En), 80, 24);
    let wanted = [
        "hub lamon1 0.1.0  warning: ccd01 disk_percent 82.5 > 80  database ok",
        "4 nodes  1 silent  1 error  1 warning  1 good",
        "level     node             group     cpu        mem       disk        in/s out/s",
        "xsilent   ccd03            ccd      ###..  50  ##...  41  #....  10     35 s ago",
        "!warning  ccd01            ccd      ###..  50  ##...  41  ####.  82!  1.2k   87M",
        " good     ccd02            ccd      ###..  50  ##...  41  #....  12   1.2k   87M",
        "xerror    dome             dome     ###..  50  ##...  41  #####  95x  1.2k   87M",
    ];
    for (line, wanted) in shown.iter().zip(wanted) {
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>(),
            wanted.split_whitespace().collect::<Vec<_>>()
        );
    }
    assert_eq!(shown[22], "ccd03 cpu = 50.0 %");
    assert!(shown[23].starts_with("Enter node"), "{shown:?}");
}

#[test]
fn the_overview_at_120x40_says_why() {
    let shown = drawn(&mut app(), &look(Lang::En), 120, 40);
    assert!(shown[2].ends_with("what"), "{}", shown[2]);
    assert!(shown[3].ends_with("silent for 35 s"), "{}", shown[3]);
    assert!(shown[4].ends_with("disk_percent 82.5 %"), "{}", shown[4]);
    assert!(shown[39].starts_with("Enter node"));
}

#[test]
fn the_overview_at_40x10_has_names_and_numbers() {
    let shown = drawn(&mut app(), &look(Lang::En), 40, 10);
    let words = |line: usize| shown[line].split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(2), "xsilent ccd03 50 41 10");
    assert_eq!(words(3), "!warning ccd01 50 41 82!");
    assert!(shown[9].starts_with("Enter node"));
}

#[test]
fn bars_have_the_colour_of_their_metric_and_numbers_a_sign() {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let mut app = app();
    let look = look(Lang::En);
    terminal.draw(|frame| draw(frame, &mut app, &look)).unwrap();
    let colours = |y: u16| {
        let cells = (0..60).map(|x| &terminal.backend().buffer()[(x, y)]);
        let bars = cells.filter(|cell| matches!(cell.symbol(), "#" | "."));
        let mut colours: Vec<_> = bars.map(|cell| cell.fg).collect();
        colours.dedup();
        colours
    };
    use ratatui::style::Color::{Green, Red, Yellow};
    assert_eq!((colours(4), colours(6)), (vec![Green, Yellow], vec![Green, Red]));
}

#[test]
fn a_node_is_shown_with_its_rules() {
    let mut app = app();
    for action in [Action::Down(1), Action::Open] {
        app.act(action);
    }
    let shown = drawn(&mut app, &look(Lang::En), 80, 24);
    assert_eq!(shown[2], "ccd01  ccd  !warning  5 s ago");
    let words = shown[4].split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words, "disk_percent 82.5 % !warning disk_percent: warning > 80, error > 90");
    assert!(shown.iter().any(|line| line.contains("nic_out") && line.contains("87 MB/s")), "{shown:?}");
    let narrow = drawn(&mut app, &look(Lang::En), 40, 10).join("\n");
    assert!(narrow.contains("  disk_percent: warning > 80, error > 90"), "{narrow}");
    app.take(&Batch { all: true, ..Batch::default() }, 1.0);
    assert!(drawn(&mut app, &look(Lang::En), 80, 24)[3].starts_with("ccd01 is not among"));
}

#[test]
fn what_is_odd_or_cared_for_is_said() {
    let mut app = app();
    let mut sick = node("ccd01", "ccd", Level::Warning, &[("disk_percent", 82.5, Level::Warning)]);
    (sick.muted, sick.acknowledged) = (false, true);
    let disk = sick.metrics.get_mut("disk_percent").unwrap();
    (disk.since, disk.flapping, disk.unknown) = (405.0, true, true);
    app.take(&Batch { nodes: vec![sick.clone()], ..Batch::default() }, 0.0);
    app.act(Action::Down(1));
    assert!(drawn(&mut app, &look(Lang::En), 80, 24)[4].ends_with("known of"));
    app.act(Action::Open);
    let shown = drawn(&mut app, &look(Lang::En), 120, 40);
    assert!(shown[2].ends_with("ago  known of"), "{}", shown[2]);
    assert!(
        shown[4].contains("for 10 min; comes no more; flips, held at its worst; disk_percent: "),
        "{}",
        shown[4]
    );
    app.act(Action::Back);
    sick.muted = true;
    app.take(&Batch { nodes: vec![sick], ..Batch::default() }, 0.0);
    let shown = drawn(&mut app, &look(Lang::En), 120, 40);
    assert!(
        shown.iter().any(|line| line.contains("ccd01") && line.contains("  muted disk_percent")),
        "{shown:?}"
    );
}

#[test]
fn events_are_broken_into_lines_and_searched() {
    let mut app = app();
    app.act(Action::Events);
    let shown = drawn(&mut app, &look(Lang::En), 80, 24);
    assert!(shown[3].contains("!warning  ccd01 disk_percent 82.5 % over 80"), "{shown:?}");
    assert!(shown[4].ends_with("nights)"), "{shown:?}");
    for action in [Action::Search, Action::Letter('z')] {
        app.act(action);
    }
    let shown = drawn(&mut app, &look(Lang::En), 80, 24);
    assert_eq!(shown[3], "nothing has happened");
    assert!(shown[23].starts_with("search: z_"), "{shown:?}");
}

#[test]
fn the_header_says_what_is_waited_for_and_for_how_long_the_hub_is_away() {
    let mut new = App::new(Site::new(Wanted::default(), 0.0), 0.0);
    assert_eq!(drawn(&mut new, &look(Lang::En), 80, 24)[0], "waiting for the hub at tcp://hub:7618");
    let mut app = app();
    app.take(&Batch { away: true, whole: true, ..Batch::default() }, 25.0);
    app.tick(31.0);
    assert_eq!(drawn(&mut app, &look(Lang::En), 80, 24)[0], "hub away for 31 s  hub lamon1 0.1.0");
}

#[test]
fn chinese_columns_are_aligned() {
    let shown = drawn(&mut app(), &look(Lang::ZhCn), 80, 24);
    assert!(shown[0].ends_with("数据库 正常"), "{shown:?}");
    assert!(shown[3].starts_with("x失联") && shown[3].ends_with("35 秒前"), "{shown:?}");
    let place = |line: &str, word: &str| clean::width(&line[..line.find(word).unwrap()]);
    assert_eq!(place(&shown[2], "节点"), place(&shown[3], "ccd03"));
    assert_eq!(place(&shown[3], "ccd03"), place(&shown[5], "ccd02"));
}

#[test]
fn chinese_events_begin_with_their_kind() {
    let mut app = app();
    app.act(Action::Events);
    let shown = drawn(&mut app, &look(Lang::ZhCn), 120, 24);
    assert!(
        shown[3].contains("!警告") && shown[3].contains(" 级别变化 ccd01 disk_percent 82.5 %"),
        "{shown:?}"
    );
}

#[test]
fn no_size_and_no_pane_is_too_small() {
    for lang in [Lang::En, Lang::ZhCn] {
        for pane in [Action::Back, Action::Open, Action::Events, Action::Help] {
            let mut app = app();
            app.act(pane);
            for width in (1..90).step_by(4) {
                for height in [1, 2, 3, 4, 5, 6, 9, 14, 24] {
                    drawn(&mut app, &look(lang), width, height);
                    app.act(Action::End);
                }
            }
        }
    }
}
