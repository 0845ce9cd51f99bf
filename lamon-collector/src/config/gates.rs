//! Tables `[[gate]]`: what cannot be said of one by itself.

use lamon_daemon::config::ConfigError;
use toml::Spanned;

use super::Wrong;
use crate::watch::{Gate, MAX_GATES};

/// Every gate has a name of its own, and there are not too many.
pub(super) fn check(gates: &[Spanned<Gate>], wrong: &Wrong<'_>) -> Result<(), ConfigError> {
    for (place, gate) in gates.iter().enumerate() {
        let name = gate.get_ref().name();
        if gates.iter().take(place).any(|earlier| earlier.get_ref().name() == name) {
            let message = format!("gate \"{name}\" stands twice: each has a name of its own");
            return Err(wrong(gate.span(), &message));
        }
        if place >= MAX_GATES {
            return Err(wrong(gate.span(), &format!("there are more than {MAX_GATES} gates")));
        }
    }
    Ok(())
}
