//! Where the files of an agent are on each system.

/// Where the configuration is looked for when the command line names none; this file may be absent.
#[cfg(not(any(windows, target_os = "macos")))]
pub const DEFAULT_PATH: &str = "/etc/lamon/agent.toml";

/// Where the configuration is looked for when the command line names none; this file may be absent.
#[cfg(target_os = "macos")]
pub const DEFAULT_PATH: &str = "/Library/Application Support/lamon/agent.toml";

/// Where the configuration is looked for when the command line names none; this file may be absent.
#[cfg(windows)]
pub const DEFAULT_PATH: &str = r"C:\ProgramData\lamon\agent.toml";

/// Where the agent's key is when nobody says otherwise.
#[cfg(not(any(windows, target_os = "macos")))]
pub const DEFAULT_KEY: &str = "/var/lib/lamon-agent/agent.key";

/// Where the agent's key is when nobody says otherwise.
#[cfg(target_os = "macos")]
pub const DEFAULT_KEY: &str = "/Library/Application Support/lamon/agent.key";

/// Where the agent's key is when nobody says otherwise.
#[cfg(windows)]
pub const DEFAULT_KEY: &str = r"C:\ProgramData\lamon\agent.key";
