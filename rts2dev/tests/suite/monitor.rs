//! Our sensor as the real rts2-mon shows it, in tmux.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rts2dev::proto::{DisplayType, Level};

use crate::common::patiently;
use crate::world::{World, client_preload};

/// A terminal without a screen; it ends with this.
struct Tmux {
    socket: PathBuf,
}

impl Tmux {
    fn start(folder: &Path, command: &str) -> Self {
        let tmux = Self { socket: folder.join("tmux") };
        let output = tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", "50", command]);
        assert!(output.status.success(), "{output:?}");
        tmux
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).output().unwrap()
    }

    /// What is on the screen; colours are in it as terminals have them (`ESC [ 3 1 m` for red).
    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.run(&["capture-pane", "-p", "-e"]).stdout).into_owned()
    }

    fn key(&self, key: &str) {
        self.run(&["send-keys", key]);
    }

    /// Waits for something on the screen, which has no way to say that it changed.
    async fn until(&self, condition: impl Fn(&str) -> bool) -> String {
        let mut screen = String::new();
        let shown = async {
            loop {
                screen = self.screen();
                if condition(&screen) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let seen = tokio::time::timeout(crate::common::PATIENCE, shown).await;
        assert!(seen.is_ok(), "not on the screen:\n{screen}");
        screen
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// The colour in which a word stands on the screen, as the last number of the sequence before it.
fn colour(screen: &str, word: &str) -> Option<u32> {
    let line = screen.lines().find(|line| line.contains(word))?;
    let before = line.split(word).next()?;
    let mut colour = 39;
    for sequence in before.split("\u{1b}[").skip(1) {
        let Some((numbers, _)) = sequence.split_once('m') else { continue };
        for number in numbers.split(';').map(|number| number.parse().unwrap_or(0)) {
            match number {
                0 => colour = 39,
                30..=37 | 39 => colour = number,
                _ => {}
            }
        }
    }
    Some(colour)
}

pub(crate) async fn rts2_mon_shows_our_values_in_their_colours(world: &World) {
    let World::Real(bindir) = world else { panic!("there is no monitor of ours") };
    let observatory = world.observatory().await;
    let mut values = Vec::new();
    let _sensor = observatory
        .device("NODES", |h| {
            for (name, level) in [("calm", Level::Good), ("warm", Level::Warning), ("hot", Level::Error)] {
                let value = h.double(name, "[%] x").display(DisplayType::Percent).initial(12.5).level(level);
                values.push(value.declare().unwrap());
            }
        })
        .await;
    let monitor = format!(
        "LD_PRELOAD={} LC_ALL=C.UTF-8 {}/rts2-mon --server 127.0.0.1 --port {} 2>/dev/null",
        client_preload().unwrap().to_string_lossy(),
        bindir.display(),
        observatory.port()
    );
    let tmux = Tmux::start(observatory.folder(), &monitor);
    tmux.until(|screen| screen.contains("NODES")).await;
    // The device is below centrald in the list.
    patiently(async {
        while !tmux.screen().contains("calm") {
            tmux.key("Down");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    let screen = tmux.until(|screen| screen.contains("hot")).await;
    let colours = ["calm", "warm", "hot"].map(|name| colour(&screen, name));
    assert_eq!(colours, [Some(39), Some(33), Some(31)], "{screen}");
    // A level that changes is shown.
    values[0].set_with_level(99.5, Level::Error);
    tmux.until(|screen| screen.contains("99.5") && colour(screen, "calm") == Some(31)).await;
    values[2].set_level(Level::Good);
    tmux.until(|screen| colour(screen, "hot") == Some(39)).await;
}
