//! The terminal: taken at the start, given back at the end, whatever ends the program.

use std::io::{self, IsTerminal, Stdout, stdout};
use std::panic;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// The terminal while it is ours.
pub(crate) struct Screen {
    /// What is drawn on.
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Whether keys come from standard input.
    keys_of_stdin: bool,
}

impl Screen {
    /// Takes the terminal. It is given back when this is dropped, and when a thread panics.
    ///
    /// # Errors
    ///
    /// When standard output is no terminal, or it refuses.
    pub(crate) fn take() -> io::Result<Self> {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            told(panic);
        }));
        enable_raw_mode()?;
        // From here on it is given back, whatever fails.
        let begun = execute!(stdout(), EnterAlternateScreen, EnableMouseCapture)
            .and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        match begun {
            Ok(terminal) => Ok(Self { terminal, keys_of_stdin: io::stdin().is_terminal() }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }
}

impl Screen {
    /// Whether the terminal's other end is closed: its window, or the connection that it came over. The system says then that
    /// it is none any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.keys_of_stdin && !io::stdin().is_terminal()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// A terminal that is gone cannot be given back.
fn give_back() {
    let _ = execute!(stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

#[cfg(all(test, unix))]
#[path = "terminal_tests.rs"]
mod tests;
