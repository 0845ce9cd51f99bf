//! A wall clock of a hub that can be set: a small library that is preloaded into it, compiled here by the C compiler that
//! building lamon needs as well.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The library, in C: Rust would need unsafe code for it.
const LIBRARY: &str = include_str!("clock.c");

/// The wall clock of one hub, through all its lives.
#[derive(Debug)]
pub struct WallClock {
    library: PathBuf,
    file: PathBuf,
    step: File,
}

impl WallClock {
    /// Makes one, which is right at first, with its files in a folder.
    ///
    /// # Errors
    ///
    /// When there is no C compiler, or the folder cannot be written.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let [source, library, file] = ["clock.c", "clock.so", "clock"].map(|name| folder.join(name));
        std::fs::write(&source, LIBRARY)?;
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .output()
            .context("cc cannot be run: `make deps` installs it")?;
        ensure!(output.status.success(), "cc fails: {}", String::from_utf8_lossy(&output.stderr));
        let step = OpenOptions::new().create(true).truncate(true).write(true).open(&file)?;
        let clock = Self { library, file, step };
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets it off by so many milliseconds.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn set(&self, step_ms: i64) -> std::io::Result<()> {
        self.step.write_all_at(&step_ms.to_ne_bytes(), 0)
    }

    /// What a program's environment must say, so that this is its clock.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", self.library.clone()), ("LAMON_CLOCK", self.file.clone())]
    }
}
