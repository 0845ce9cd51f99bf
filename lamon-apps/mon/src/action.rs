//! What a key or the mouse means. Pure.

use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// The rows that one turn of the wheel moves.
const WHEEL: usize = 3;

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// End the program.
    Quit,
    /// So many rows up.
    Up(usize),
    /// So many rows down.
    Down(usize),
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// To the first row.
    Home,
    /// To the last row.
    End,
    /// Show the chosen node.
    Open,
    /// Where one came from.
    Back,
    /// Show what happened.
    Events,
    /// Show the keys.
    Help,
    /// Begin to search.
    Search,
    /// A letter of what is searched.
    Letter(char),
    /// Take back a letter.
    Erase,
    /// Keep what is searched.
    Keep,
    /// Choose what is in this line of the screen.
    Click(u16),
    /// The terminal has another size.
    Resized,
}

/// What an event means; `typing` while letters are those of a search.
pub(crate) fn action(event: &Event, typing: bool) -> Option<Action> {
    match event {
        // A release is told of by some terminals only.
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(*key, typing),
        Event::Mouse(mouse) => of_mouse(*mouse),
        Event::Resize(..) => Some(Action::Resized),
        _ => None,
    }
}

fn of_key(key: KeyEvent, typing: bool) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let action = match key.code {
        KeyCode::Char('c' | 'd') if control => Action::Quit,
        KeyCode::Up => Action::Up(1),
        KeyCode::Down => Action::Down(1),
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Home => Action::Home,
        KeyCode::End => Action::End,
        KeyCode::Esc => Action::Back,
        KeyCode::Enter if typing => Action::Keep,
        KeyCode::Enter => Action::Open,
        KeyCode::Backspace if typing => Action::Erase,
        KeyCode::Char('u') if typing && control => Action::Back,
        KeyCode::Char(letter) if typing && !control => Action::Letter(letter),
        _ if typing => return None,
        KeyCode::Right => Action::Open,
        KeyCode::Backspace | KeyCode::Left => Action::Back,
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Char('e') => Action::Events,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Action::Help,
        KeyCode::Char('/') => Action::Search,
        KeyCode::Char('k') => Action::Up(1),
        KeyCode::Char('j') => Action::Down(1),
        KeyCode::Char('g') => Action::Home,
        KeyCode::Char('G') => Action::End,
        KeyCode::Char(' ') => Action::PageDown,
        _ => return None,
    };
    Some(action)
}

const fn of_mouse(mouse: MouseEvent) -> Option<Action> {
    match mouse.kind {
        MouseEventKind::ScrollUp => Some(Action::Up(WHEEL)),
        MouseEventKind::ScrollDown => Some(Action::Down(WHEEL)),
        MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(mouse.row)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn letters_are_commands_or_text() {
        let q = key(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(action(&q, false), Some(Action::Quit));
        assert_eq!(action(&q, true), Some(Action::Letter('q')));
        let enter = key(KeyCode::Enter, KeyModifiers::NONE);
        assert_eq!((action(&enter, false), action(&enter, true)), (Some(Action::Open), Some(Action::Keep)));
        let control_c = key(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(
            (action(&control_c, false), action(&control_c, true)),
            (Some(Action::Quit), Some(Action::Quit))
        );
        assert_eq!(action(&key(KeyCode::Char('x'), KeyModifiers::NONE), false), None);
    }

    #[test]
    fn the_wheel_moves_and_a_click_chooses() {
        let mouse =
            |kind| Event::Mouse(MouseEvent { kind, column: 3, row: 7, modifiers: KeyModifiers::NONE });
        assert_eq!(action(&mouse(MouseEventKind::ScrollDown), false), Some(Action::Down(WHEEL)));
        assert_eq!(action(&mouse(MouseEventKind::Down(MouseButton::Left)), false), Some(Action::Click(7)));
        assert_eq!(action(&mouse(MouseEventKind::Moved), false), None);
        assert_eq!(action(&Event::Resize(80, 24), true), Some(Action::Resized));
    }
}
