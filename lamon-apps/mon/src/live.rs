//! The live screen: waits for keys, for the bus and for time, and draws when something changed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event};

use crate::action;
use crate::app::App;
use crate::args::Wanted;
use crate::site::{Batch, Site};
use crate::terminal::Screen;
use crate::view::{self, Look};

/// The shortest time between two drawings: a slow line must not be filled.
const BETWEEN_DRAWINGS: Duration = Duration::from_millis(200);

/// How long keys are waited for before the bus is looked at.
const KEYS_WITHIN: Duration = Duration::from_millis(100);

/// How often ages are looked at, in seconds.
const TICK: f64 = 1.0;

/// The most keys and turns of the wheel that are taken in a row.
const KEYS_IN_A_ROW: usize = 256;

/// Shows the site until a person or a signal ends it.
///
/// # Errors
///
/// When the terminal fails, as when its window is closed.
pub(crate) fn show(wanted: Wanted, look: &Look, batches: &Receiver<Batch>) -> io::Result<()> {
    let asked_to_end = signals()?;
    let mut screen = Screen::take()?;
    let keys = keys();
    let begun = Instant::now();
    let now = || begun.elapsed().as_secs_f64();
    let mut app = App::new(Site::new(wanted, now()), now());
    let (mut drawn, mut ticked): (Option<Instant>, f64) = (None, now());
    while !app.is_ended() && !asked_to_end.load(Ordering::Relaxed) {
        let due = drawn.map(|drawn| BETWEEN_DRAWINGS.saturating_sub(drawn.elapsed())).unwrap_or_default();
        if due.is_zero() && app.take_changed() {
            screen.terminal.draw(|frame| view::draw(frame, &mut app, look))?;
            drawn = Some(Instant::now());
        }
        let patience =
            if app.is_changed() { due.clamp(Duration::from_millis(1), KEYS_WITHIN) } else { KEYS_WITHIN };
        take_keys(&mut app, &keys, patience)?;
        if screen.is_gone() {
            return Err(io::Error::other("the terminal is gone"));
        }
        loop {
            match batches.try_recv() {
                Ok(batch) => app.take(&batch, now()),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    return Err(io::Error::other("the bus is not followed any more"));
                }
            }
        }
        if now() - ticked >= TICK {
            ticked = now();
            app.tick(ticked);
        }
    }
    Ok(())
}

/// Reads keys on a thread of their own: where a terminal is gone, crossterm looks for its keys for ever, and must not keep the
/// program from its end.
fn keys() -> Receiver<io::Result<Event>> {
    let (send, keys) = sync_channel(KEYS_IN_A_ROW);
    thread::spawn(move || {
        loop {
            let key = event::read();
            let failed = key.is_err();
            if send.send(key).is_err() || failed {
                return;
            }
        }
    });
    keys
}

fn take_keys(app: &mut App, keys: &Receiver<io::Result<Event>>, patience: Duration) -> io::Result<()> {
    let mut patience = patience;
    for _ in 0..KEYS_IN_A_ROW {
        if app.is_ended() {
            break;
        }
        match keys.recv_timeout(patience) {
            Ok(key) => {
                if let Some(action) = action::action(&key?, app.is_typing()) {
                    app.act(action);
                }
            }
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the terminal is not read any more"));
            }
        }
        patience = Duration::ZERO;
    }
    Ok(())
}

/// Becomes true when the process is asked to end, or its terminal is gone.
fn signals() -> io::Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(asked)
}
