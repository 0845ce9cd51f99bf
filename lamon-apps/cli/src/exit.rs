//! Exit codes, for scripts.

use lamon_operator::AskError;

/// The hub refused: it does not have what was named, or it cannot be done as things are.
pub(crate) const REFUSED: u8 = 1;

/// `status --check`: the worst level is warning.
pub(crate) const WARNING: u8 = 3;

/// `status --check`: the worst level is error or silent.
pub(crate) const ERROR: u8 = 4;

/// The hub does not answer (EX_UNAVAILABLE).
pub(crate) const UNAVAILABLE: u8 = lamon_daemon::exit::UNAVAILABLE;

/// The hub does not let this user in (EX_NOPERM).
pub(crate) const NOT_ALLOWED: u8 = 77;

/// For the help.
pub(crate) const CODES: &str = "Exit codes:
  0   done
  1   the hub refused, with a sentence why
  2   the command line makes no sense
  3   status --check: something is at warning
  4   status --check: something is at error, or silent
  69  the hub does not answer
  77  this user may not operate the hub";

/// The code for what was not done.
pub(crate) const fn code(error: &AskError) -> u8 {
    match error {
        AskError::NoHub(_) | AskError::Broken { .. } | AskError::Language(_) => UNAVAILABLE,
        AskError::NotAllowed { .. } => NOT_ALLOWED,
        AskError::Refused(_) => REFUSED,
    }
}
