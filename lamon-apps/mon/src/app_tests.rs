use lamon_bus::Level;

use super::*;
use crate::args::Wanted;
use crate::rows::tests::node;

fn app(count: usize) -> App {
    let mut app = App::new(Site::new(Wanted::default(), 0.0), 0.0);
    let nodes = (0..count).map(|number| node(&format!("n{number:02}"), "g", Level::Good, &[])).collect();
    app.take(&Batch { nodes, whole: true, ..Batch::default() }, 0.0);
    app.fit(count, 10, 3);
    app
}

fn act(app: &mut App, actions: &[Action]) {
    for action in actions {
        app.act(*action);
        app.fit(app.rows().len(), 10, 3);
    }
}

#[test]
fn the_choice_stays_in_sight_and_with_its_node() {
    let mut app = app(30);
    act(&mut app, &[Action::Down(1), Action::PageDown]);
    assert_eq!((app.chosen(), app.top()), (Some("n11"), 2));
    act(&mut app, &[Action::End]);
    assert_eq!((app.chosen(), app.top()), (Some("n29"), 20));
    act(&mut app, &[Action::PageUp, Action::PageUp, Action::Up(100)]);
    assert_eq!((app.chosen(), app.top()), (Some("n00"), 0));
    // n00 falls ill with n05: the order changes, not the choice.
    let nodes = vec![node("n05", "g", Level::Error, &[])];
    app.take(&Batch { nodes, ..Batch::default() }, 1.0);
    assert_eq!((app.chosen(), app.chosen_row()), (Some("n00"), Some(1)));
}

#[test]
fn a_search_chooses_among_what_it_leaves_and_ends() {
    let mut app = app(30);
    act(&mut app, &[Action::Search, Action::Letter('N'), Action::Letter('2')]);
    assert_eq!((app.rows().len(), app.chosen(), app.is_typing()), (10, Some("n20"), true));
    act(&mut app, &[Action::Letter('5'), Action::Keep]);
    assert_eq!((app.rows().len(), app.chosen(), app.is_typing()), (1, Some("n25"), false));
    act(&mut app, &[Action::Search, Action::Erase, Action::Erase, Action::Letter('x')]);
    assert_eq!((app.rows().len(), app.chosen_row()), (0, None));
    act(&mut app, &[Action::Down(1), Action::Back]);
    assert_eq!((app.rows().len(), app.is_typing()), (30, false));
}

#[test]
fn panes_lead_back_to_where_one_came_from() {
    let mut app = app(3);
    act(&mut app, &[Action::Open, Action::Events, Action::Help, Action::Events]);
    assert_eq!(app.pane(), Pane::Events);
    act(&mut app, &[Action::Back]);
    assert_eq!(app.pane(), Pane::Help);
    act(&mut app, &[Action::Back]);
    assert_eq!(app.pane(), Pane::Detail);
    act(&mut app, &[Action::Back, Action::Back, Action::Back]);
    assert_eq!((app.pane(), app.is_ended()), (Pane::Overview, false));
    act(&mut app, &[Action::Quit]);
    assert!(app.is_ended());
}

#[test]
fn a_click_chooses_and_the_second_opens() {
    let mut app = app(30);
    act(&mut app, &[Action::Click(2), Action::Click(5)]);
    assert_eq!((app.chosen(), app.pane()), (Some("n02"), Pane::Overview));
    act(&mut app, &[Action::Click(13)]);
    assert_eq!(app.chosen(), Some("n02"), "below the rows there is none");
    act(&mut app, &[Action::Click(5)]);
    assert_eq!(app.pane(), Pane::Detail);
}

#[test]
fn only_what_the_screen_shows_is_a_change() {
    let mut app = app(2);
    assert!(app.take_changed() && !app.take_changed());
    app.tick(5.0);
    assert!(!app.is_changed(), "nodes are heard every ten seconds");
    app.tick(25.0);
    assert!(app.take_changed(), "they are late now");
    app.tick(25.4);
    assert!(!app.is_changed());
    app.take(&Batch { away: true, ..Batch::default() }, 26.0);
    assert_eq!(app.site().away_for(30.0), Some(30.0));
    assert!(app.take_changed());
    app.tick(30.0);
    assert!(app.take_changed());
}
