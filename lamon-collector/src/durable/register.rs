//! What operators changed as the archive's register has it: one setting each, with who and when, named by hub, kind and what it
//! is about.

use lamon_control::key::{JoinSecret, NodeKey, RevokedKey};
use lamon_control::{Ack, GateOverride, Mute, Threshold};
use lamon_store::registers::Setting;
use tracing::warn;

use super::Kept;

/// What the hub's settings are called in the register: `<hub>/mute/3`, `<hub>/ack/ccd01/disk_percent`, `<hub>/limits/disk`,
/// `<hub>/override/ccd_disk`, `<hub>/key/ccd01`, `<hub>/revoked/SHA256:…`, `<hub>/join/2`.
pub(super) fn prefixes(hub: &str) -> [String; 7] {
    ["mute", "ack", "override", "limits", "key", "revoked", "join"].map(|kind| format!("{hub}/{kind}/"))
}

/// Everything as the register has it.
pub(super) fn registered(hub: &str, kept: &Kept) -> Vec<Setting> {
    let [mutes, acks, overrides, limits, keys, revoked, secrets] = prefixes(hub);
    let setting = |name: String, value: serde_json::Result<String>, who: &str, changed_ms| {
        let value = value.inspect_err(|error| warn!(%error, "a setting does not become JSON")).ok()?;
        Some(Setting { name, value, who: who.into(), changed_ms })
    };
    let of_mutes = kept.mutes.iter().map(|mute| {
        setting(format!("{mutes}{}", mute.id), serde_json::to_string(mute), &mute.who, mute.made_ms)
    });
    let of_acks = kept.acks.iter().map(|ack| {
        let about =
            ack.metric.as_ref().map_or_else(|| ack.node.clone(), |metric| format!("{}/{metric}", ack.node));
        setting(format!("{acks}{about}"), serde_json::to_string(ack), &ack.who, ack.made_ms)
    });
    let of_overrides = kept.overrides.iter().map(|kept| {
        setting(format!("{overrides}{}", kept.gate), serde_json::to_string(kept), &kept.who, kept.made_ms)
    });
    let of_limits = kept.limits.iter().map(|set| {
        let about = set.about().replace(' ', "/");
        setting(format!("{limits}{about}"), serde_json::to_string(set), &set.who, set.made_ms)
    });
    let of_keys = kept
        .keys
        .iter()
        .map(|key| setting(format!("{keys}{}", key.node), serde_json::to_string(key), &key.who, key.made_ms));
    let of_revoked = kept.revoked.iter().map(|key| {
        setting(format!("{revoked}{}", key.key), serde_json::to_string(key), &key.who, key.made_ms)
    });
    let of_secrets = kept.secrets.iter().map(|secret| {
        setting(format!("{secrets}{}", secret.id), serde_json::to_string(secret), &secret.who, secret.made_ms)
    });
    let first = of_mutes.chain(of_acks).chain(of_overrides).chain(of_limits);
    first.chain(of_keys).chain(of_revoked).chain(of_secrets).flatten().collect()
}

/// What the register has, read again. Settings that this version does not understand are left where they are.
pub(crate) fn of_register(hub: &str, settings: &[Setting]) -> Kept {
    let [mutes, acks, overrides, limits, keys, revoked, secrets] = prefixes(hub);
    let mut kept = Kept::default();
    for Setting { name, value, .. } in settings {
        if name.starts_with(&mutes) {
            kept.mutes.extend(serde_json::from_str::<Mute>(value));
        } else if name.starts_with(&acks) {
            kept.acks.extend(serde_json::from_str::<Ack>(value));
        } else if name.starts_with(&overrides) {
            kept.overrides.extend(serde_json::from_str::<GateOverride>(value));
        } else if name.starts_with(&limits) {
            kept.limits.extend(serde_json::from_str::<Threshold>(value));
        } else if name.starts_with(&keys) {
            kept.keys.extend(serde_json::from_str::<NodeKey>(value));
        } else if name.starts_with(&revoked) {
            kept.revoked.extend(serde_json::from_str::<RevokedKey>(value));
        } else if name.starts_with(&secrets) {
            kept.secrets.extend(serde_json::from_str::<JoinSecret>(value));
        }
    }
    kept
}
