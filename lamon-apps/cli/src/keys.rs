//! Keys of nodes as people read them.

use lamon_control::key::{JoinSecret, Keys, NodeKey, RevokedKey, WaitingKey};

use crate::table::{Cell, Paint, columns};
use crate::times::local;

/// Who waits, who is approved, who is believed no more, and what lets nodes in.
pub(crate) fn show(paint: Paint, now_ms: i64, keys: &Keys) -> String {
    let mut parts = vec![match &keys.hub {
        Some(key) => format!("this hub's key is {key}\n"),
        None => "this hub has no key, its log says why: no node can speak TLS to it\n".into(),
    }];
    if keys.waiting.is_empty() {
        parts.push("nobody waits to be approved\n".into());
    } else {
        parts.push(waiting(paint, &keys.waiting));
    }
    if !keys.approved.is_empty() {
        parts.push(approved(paint, &keys.approved));
    }
    if !keys.revoked.is_empty() {
        parts.push(revoked(paint, &keys.revoked));
    }
    if !keys.secrets.is_empty() {
        parts.push(secrets(paint, now_ms, &keys.secrets));
    }
    parts.join("\n")
}

fn plain(cells: impl IntoIterator<Item = String>) -> Vec<Cell> {
    cells.into_iter().map(|text| (text, None)).collect()
}

fn waiting(paint: Paint, waiting: &[WaitingKey]) -> String {
    let row = |entry: &WaitingKey| {
        let word = if entry.replaces { "another key than before" } else { "new" };
        vec![
            (entry.node.clone(), None),
            (word.to_owned(), entry.replaces.then(|| "warning".to_owned())),
            (entry.key.clone(), None),
            (entry.from.clone(), None),
            (local(entry.since_ms), None),
            (entry.os.clone(), None),
        ]
    };
    let rows: Vec<_> = waiting.iter().map(row).collect();
    let table = columns(paint, &["waits", "", "key", "from", "since", "system"], &rows);
    format!("{table}compare the keys (lamon-agent key, on the node), then: lamon approve NODE\n")
}

fn approved(paint: Paint, approved: &[NodeKey]) -> String {
    let row = |key: &NodeKey| plain([key.node.clone(), key.key.clone(), key.who.clone(), local(key.made_ms)]);
    columns(paint, &["node", "key", "approved by", "at"], &approved.iter().map(row).collect::<Vec<_>>())
}

fn revoked(paint: Paint, revoked: &[RevokedKey]) -> String {
    let row = |key: &RevokedKey| {
        plain([key.key.clone(), key.node.clone(), key.who.clone(), local(key.made_ms), key.reason.clone()])
    };
    columns(paint, &["revoked", "was of", "by", "at", "why"], &revoked.iter().map(row).collect::<Vec<_>>())
}

fn secrets(paint: Paint, now_ms: i64, secrets: &[JoinSecret]) -> String {
    let row = |secret: &JoinSecret| {
        let over = secret.left == 0 || secret.until_ms <= now_ms;
        let until = local(secret.until_ms);
        vec![
            (secret.id.to_string(), None),
            (secret.nodes.clone(), None),
            (secret.left.to_string(), over.then(|| "warning".to_owned())),
            (until, None),
            (secret.who.clone(), None),
        ]
    };
    columns(paint, &["join", "for", "left", "until", "by"], &secrets.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_shown_first_with_what_to_do() {
        let entry = WaitingKey {
            node: "ccd01".into(),
            key: "SHA256:abc".into(),
            from: "10.0.0.7".into(),
            os: "Debian 12".into(),
            since_ms: 0,
            last_ms: 0,
            replaces: true,
        };
        let keys = Keys { hub: Some("SHA256:hub".into()), waiting: vec![entry], ..Keys::default() };
        let shown = show(Paint(false), 0, &keys);
        for words in [
            "this hub's key is SHA256:hub",
            "ccd01",
            "another key than before",
            "SHA256:abc",
            "lamon approve NODE",
        ] {
            assert!(shown.contains(words), "{words} in {shown}");
        }
        let shown = show(Paint(false), 0, &Keys::default());
        assert!(shown.contains("has no key") && shown.contains("nobody waits"), "{shown}");
    }
}
