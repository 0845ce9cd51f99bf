//! Where an export goes: standard output, or a file that has its name only when it is whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// What is written to.
pub(super) enum Output {
    /// Standard output.
    Stdout(io::Stdout),
    /// A file.
    File(PartFile),
}

/// A file under another name, which goes when it is not finished.
pub(super) struct PartFile {
    file: File,
    part: PathBuf,
    path: PathBuf,
    whole: bool,
}

impl Output {
    /// Opens it; without a path standard output.
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout(io::stdout())) };
        let name = path.file_name().with_context(|| format!("{} is no file", path.display()))?;
        let part = path.with_file_name(format!(".{}.part-{}", name.to_string_lossy(), std::process::id()));
        let file = File::create(&part).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File(PartFile { file, part, path: path.to_owned(), whole: false }))
    }

    /// All is written: the file gets its name.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush()?;
        if let Self::File(out) = &mut self {
            let named = out.file.sync_all().and_then(|()| fs::rename(&out.part, &out.path));
            named.with_context(|| format!("cannot write {}", out.path.display()))?;
            out.whole = true;
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out) => out.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out) => out.file.flush(),
        }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.whole {
            let _ = fs::remove_file(&self.part);
        }
    }
}
