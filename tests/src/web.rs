//! The web page's server: the real lamon-web on a free port, following a hub; and the real browser that looks at it.
#![expect(clippy::panic, reason = "a test whose page does not start ends here, with the reason")]

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::hub::Hub;
use crate::process::{self, Process};

/// Where Debian has the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// How long a story in the browser may take: they end themselves before (`MOST_MS` in `tests/story.mjs`), unless they hang.
const LONGEST_STORY: Duration = Duration::from_secs(110);

/// How often it is looked whether a story ended.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running lamon-web. It is killed when this is dropped.
#[derive(Debug)]
pub struct Web {
    process: Process,
    url: String,
    _folder: TempDir,
}

impl Web {
    /// Follows this hub, with these lines in its configuration besides.
    ///
    /// # Errors
    ///
    /// When it does not start; with its log.
    pub fn try_following(hub: &Hub, lines: &str) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("lamon-web").context("no folder for lamon-web")?;
        let path = folder.path().join("web.toml");
        let (publish, snapshot) = (hub.publish(), hub.snapshot());
        let text = format!(
            "listen = \"127.0.0.1:0\"\nlog_to = \"stderr\"\n{lines}\n[bus]\npublish = {publish:?}\nsnapshot = {snapshot:?}\n"
        );
        std::fs::write(&path, text).context("cannot write web.toml")?;
        let process = Process::start("lamon-web", &["-c".as_ref(), path.as_os_str()], None)?;
        let line = process.line_with("the page is at")?;
        let (_, url) = line.split_once("the page is at ").context("lamon-web does not say where it is")?;
        let url = url.trim().to_owned();
        Ok(Self { process, url, _folder: folder })
    }

    /// The same as a test does.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn following(hub: &Hub, lines: &str) -> Self {
        Self::try_following(hub, lines).unwrap_or_else(|error| panic!("lamon-web does not start: {error:#}"))
    }

    /// Where browsers find it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Runs a story as a test does, and prints what it printed.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub async fn story(&self, hub: &Hub, name: &str, more: &[(&str, OsString)]) {
        self.story_of(hub.address(), name, more).await;
    }

    /// The same of a hub at this address, which may end and start anew meanwhile.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[expect(clippy::print_stdout, reason = "the numbers are recorded with the test's output")]
    pub async fn story_of(&self, hub: SocketAddr, name: &str, more: &[(&str, OsString)]) {
        match self.try_story(hub, name, more).await {
            Ok(printed) => println!("{printed}"),
            Err(error) => panic!("{name}: {error:#}"),
        }
    }

    /// Runs a story of `lamon-apps/web/page/tests/` in the browser, to its end; it makes things happen by lines of text to
    /// the hub. Gives what it printed, its numbers among it.
    ///
    /// # Errors
    ///
    /// When the browser, Node.js or its packages are missing, with the remedy; when the story fails, with what it printed.
    pub async fn try_story(
        &self,
        hub: SocketAddr,
        name: &str,
        more: &[(&str, OsString)],
    ) -> anyhow::Result<String> {
        let chromium = chromium()?;
        let tests = page_folder().join("tests");
        ensure!(
            tests.parent().is_some_and(|page| page.join("node_modules/playwright-core").is_dir()),
            "the page's npm packages are not there: run `make page` first"
        );
        let screenshots = screenshots()?;
        let mut command = Command::new("node");
        command.arg(tests.join(format!("{name}.mjs"))).current_dir(&tests);
        command.env("LAMON_WEB", &self.url).env("LAMON_HUB", hub.to_string());
        command.env("CHROMIUM", chromium).env("SCREENSHOTS", &screenshots);
        command.envs(more.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        tokio::task::spawn_blocking(move || run(command)).await?
    }
}

/// Runs a story; what it printed.
fn run(mut command: Command) -> anyhow::Result<String> {
    // Into a file: nobody reads a pipe while its end is waited for.
    let mut printed = tempfile::NamedTempFile::new().context("no room for what a story prints")?;
    let file = printed.reopen()?;
    command.stdout(file.try_clone()?).stderr(file);
    let mut child =
        command.spawn().context("cannot start node: `make deps-test` installs what the tests need")?;
    let end = Instant::now() + LONGEST_STORY;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > end {
            // The browser ends with the pipe that it is driven by.
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(LOOK_AGAIN);
    };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut printed, &mut text)?;
    match status {
        Some(status) if status.success() => Ok(text),
        Some(status) => bail!("the story ended with {status}:\n{text}"),
        None => bail!("the story did not end:\n{text}"),
    }
}

/// The browser: the program that `CHROMIUM` names, or Debian's.
fn chromium() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from(CHROMIUM), PathBuf::from);
    ensure!(
        path.is_file(),
        "there is no browser at {}: `make deps-test` installs Debian's chromium; elsewhere CHROMIUM names it",
        path.display()
    );
    Ok(path)
}

/// Where the page's sources are.
fn page_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lamon-apps/web/page")
}

/// Where pictures of the page and the numbers go: `target/screenshots`.
fn screenshots() -> anyhow::Result<PathBuf> {
    let own = process::find("lamon-web")?;
    let target = own.parent().and_then(Path::parent).context("no target folder")?;
    let folder = target.join("screenshots");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
