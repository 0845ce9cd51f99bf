//! Secrets that let nodes in without anybody being asked: for so many nodes, of such names, for so long.

use lamon_control::key::JoinSecret;
use lamon_wire::names::NodeName;
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;

use crate::watch::NodePattern;

/// The most secrets at once; each hello with one compares it with all.
pub(super) const MAX_SECRETS: usize = 32;

/// The secrets that hold.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    kept: Vec<JoinSecret>,
}

impl Secrets {
    /// Takes up a new one; its number, or `None` when there are too many.
    pub(super) fn add(&mut self, now_ms: i64, secret: &str, made: JoinSecret) -> Option<u32> {
        self.expire(now_ms);
        if self.kept.len() >= MAX_SECRETS {
            return None;
        }
        let id = self.kept.iter().map(|kept| kept.id).max().unwrap_or(0) + 1;
        self.kept.push(JoinSecret { id, digest: hashed(secret), ..made });
        Some(id)
    }

    /// Ends one; whether there was one of this number.
    pub(super) fn end(&mut self, id: u32) -> bool {
        let before = self.kept.len();
        self.kept.retain(|kept| kept.id != id);
        self.kept.len() < before
    }

    /// Lets a node in by a secret; the secret's number.
    ///
    /// # Errors
    ///
    /// A sentence for whoever brought it.
    pub(super) fn spend(
        &mut self,
        now_ms: i64,
        secret: &str,
        node: &NodeName,
        group: &str,
    ) -> Result<u32, &'static str> {
        let hashed = hashed(secret);
        let known = |kept: &&mut JoinSecret| bool::from(kept.digest.as_bytes().ct_eq(hashed.as_bytes()));
        let Some(kept) = self.kept.iter_mut().find(known) else {
            return Err("the hub does not know this join secret");
        };
        if now_ms >= kept.until_ms {
            return Err("this join secret is over");
        }
        if kept.left == 0 {
            return Err("this join secret was used as often as it may be");
        }
        let pattern = NodePattern::try_from(kept.nodes.clone());
        if !pattern.is_ok_and(|pattern| pattern.wants(node, group)) {
            return Err("this join secret is for other nodes");
        }
        kept.left -= 1;
        Ok(kept.id)
    }

    /// All of them, also those that are used up: who wonders sees why.
    pub(super) fn kept(&self) -> Vec<JoinSecret> {
        self.kept.clone()
    }

    pub(super) fn restore(&mut self, kept: Vec<JoinSecret>) {
        for secret in kept {
            if self.kept.len() < MAX_SECRETS && self.kept.iter().all(|known| known.id != secret.id) {
                self.kept.push(secret);
            }
        }
    }

    fn expire(&mut self, now_ms: i64) {
        self.kept.retain(|kept| now_ms < kept.until_ms && kept.left > 0);
    }
}

/// The digest by which a secret is known. It has 256 random bits, so that nothing slower is needed.
fn hashed(secret: &str) -> String {
    digest(&SHA256, secret.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
