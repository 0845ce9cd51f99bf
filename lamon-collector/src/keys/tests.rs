//! Keys of nodes, by a simulated clock.

use std::time::{Duration, Instant};

use super::secrets::MAX_SECRETS;
use super::waiting::{MAX_OF_ADDRESS, MAX_WAITING};
use super::*;

/// A hub's keys, and a clock.
struct Hub {
    keys: Keys,
    now: Now,
}

/// Somebody who asks; what is not said is usual.
struct Who<'a> {
    node: &'a str,
    key: Option<u8>,
    secret: Option<&'a str>,
    from: &'a str,
    boot: u8,
}

const USUAL: Who<'static> = Who { node: "ccd01", key: None, secret: None, from: "10.0.0.1", boot: 1 };

fn key(number: u8) -> Fingerprint {
    use base64::Engine as _;
    let digits = base64::engine::general_purpose::STANDARD_NO_PAD.encode([number; 32]);
    format!("SHA256:{digits}").parse().unwrap()
}

impl Hub {
    fn new() -> Self {
        Self { keys: Keys::default(), now: Now { monotonic: Instant::now(), unix_ms: 1_795_000_000_000 } }
    }

    fn pass(&mut self, seconds: u64) {
        self.now.monotonic += Duration::from_secs(seconds);
        self.now.unix_ms += i64::try_from(seconds * 1_000).unwrap();
    }

    fn ask(&mut self, who: &Who<'_>) -> Verdict {
        let node = NodeName::new(who.node).unwrap();
        let from: IpAddr = who.from.parse().unwrap();
        self.keys.admit(
            self.now,
            &Asks {
                node: &node,
                group: if who.node.starts_with("ccd") { "ccd" } else { "other" },
                key: who.key.map(key),
                plain_taken: from.is_loopback(),
                secret: who.secret,
                from,
                os: "Debian 12",
                boot: Some([who.boot; 16]),
            },
        )
    }

    fn kind(&mut self, who: &Who<'_>) -> (bool, Option<EventKind>) {
        let Verdict { answer, told } = self.ask(who);
        (answer.is_ok(), told.map(|told| told.kind))
    }

    fn approve(&mut self, node: &str, key: Option<&str>) -> Result<Told, KeyError> {
        self.keys.approve(self.now, node, key, "li")
    }
}

#[test]
fn without_a_key_only_listed_addresses_speak() {
    let mut hub = Hub::new();
    assert_eq!(hub.ask(&Who { from: "127.0.0.1", ..USUAL }), TAKEN);
    let verdict = hub.ask(&USUAL);
    assert!(verdict.answer.unwrap_err().contains("without a key are not taken from 10.0.0.1"));
    assert_eq!(verdict.told, None);
}

#[test]
fn a_key_waits_is_approved_and_then_speaks_alone() {
    let mut hub = Hub::new();
    let agent = Who { key: Some(1), ..USUAL };
    let verdict = hub.ask(&agent);
    assert!(verdict.answer.unwrap_err().contains("lamon approve ccd01"));
    let told = verdict.told.unwrap();
    assert_eq!(told.kind, EventKind::KeyWaiting);
    assert!(told.text.contains(&key(1).to_string()) && told.text.contains("10.0.0.1"), "{}", told.text);
    assert_eq!(hub.kind(&agent), (false, None), "it is told once");
    assert_eq!(hub.keys.waiting(hub.now).len(), 1);
    let before = hub.keys.changes();
    assert_eq!(hub.approve("ccd01", None).unwrap().kind, EventKind::KeyApproved);
    assert!(hub.keys.changes() > before);
    assert_eq!(hub.keys.waiting(hub.now), []);
    assert_eq!(hub.kind(&agent), (true, None));
    assert!(hub.ask(&Who { node: "ccd02", from: "127.0.0.1", ..USUAL }).answer.is_ok());
    // A downgrade to plain, even from where plain is taken; told once an hour while it goes on.
    for from in ["127.0.0.1", "10.0.0.1"] {
        assert_eq!(hub.kind(&Who { from, ..USUAL }), (false, Some(EventKind::KeyRefused)));
        assert_eq!(hub.kind(&Who { from, ..USUAL }), (false, None));
    }
    hub.pass(3_600);
    assert_eq!(hub.kind(&USUAL), (false, Some(EventKind::KeyRefused)));
}

#[test]
fn another_key_of_a_node_waits_while_the_old_one_speaks_and_then_replaces_it() {
    let mut hub = Hub::new();
    let (old, new) = (Who { key: Some(1), ..USUAL }, Who { key: Some(2), ..USUAL });
    hub.ask(&old);
    hub.approve("ccd01", None).unwrap();
    let told = hub.ask(&new).told.unwrap();
    assert!(told.text.contains("another key than it had"), "{}", told.text);
    assert!(hub.keys.waiting(hub.now)[0].replaces);
    assert_eq!(hub.kind(&old), (true, None));
    hub.approve("ccd01", None).unwrap();
    assert_eq!(hub.kind(&new), (true, None));
    assert_eq!(hub.kind(&old), (false, Some(EventKind::KeyRefused)));
    assert_eq!(hub.keys.revoked()[0].key, key(1).to_string());
    // An operator may change his mind.
    hub.approve("ccd01", Some(&key(1).to_string())).unwrap();
    assert_eq!(hub.kind(&old), (true, None));
}

#[test]
fn of_several_keys_one_is_named() {
    let mut hub = Hub::new();
    for number in [1, 2] {
        hub.ask(&Who { key: Some(number), from: &format!("10.0.0.{number}"), ..USUAL });
    }
    let error = hub.approve("ccd01", None).unwrap_err().to_string();
    assert!(error.contains(&key(1).to_string()) && error.contains("at 10.0.0.2"), "{error}");
    let short = &key(2).to_string()[7..13];
    assert!(hub.approve("ccd01", Some("zzz")).unwrap_err().to_string().contains("with a key zzz…"));
    hub.approve("ccd01", Some(short)).unwrap();
    assert!(hub.ask(&Who { key: Some(2), ..USUAL }).answer.is_ok());
    assert!(matches!(hub.approve("ccd02", Some(&key(2).to_string())), Err(KeyError::OfAnother(_))));
    assert!(matches!(hub.approve("ccd03", None), Err(KeyError::NobodyWaits(..))));
    assert!(matches!(hub.approve("no name", None), Err(KeyError::Node(_))));
}

#[test]
fn a_copied_key_is_seen() {
    let mut hub = Hub::new();
    let agent = Who { key: Some(1), ..USUAL };
    hub.approve("ccd01", Some(&key(1).to_string())).unwrap();
    // Under another name.
    assert_eq!(hub.kind(&Who { node: "ccd07", ..agent }), (false, Some(EventKind::KeyCloned)));
    assert_eq!(hub.kind(&Who { node: "ccd08", ..agent }), (false, None), "of the key it was told");
    // Under its own: boots that come one after the other are one computer's, those that alternate are two.
    for (boot, told) in
        [(1, None), (1, None), (2, None), (3, None), (2, Some(EventKind::KeyCloned)), (3, None)]
    {
        assert_eq!(hub.kind(&Who { boot, ..agent }), (true, told), "boot {boot}");
    }
    hub.pass(3_600);
    assert_eq!(hub.kind(&Who { boot: 2, ..agent }), (true, Some(EventKind::KeyCloned)));
}

#[test]
fn a_revoked_key_is_believed_no_more() {
    let mut hub = Hub::new();
    let agent = Who { key: Some(1), ..USUAL };
    hub.approve("ccd01", Some(&key(1).to_string())).unwrap();
    assert_eq!(hub.keys.revoke(hub.now, "ccd02", "stolen", "li"), Err(KeyError::UnknownKey("ccd02".into())));
    assert!(hub.keys.revoke(hub.now, "ccd01", " ", "li").is_err());
    hub.keys.revoke(hub.now, "ccd01", "stolen", "li").unwrap();
    let verdict = hub.ask(&agent);
    assert!(verdict.answer.unwrap_err().contains("revoked by li: stolen"));
    assert_eq!(hub.keys.waiting(hub.now), []);
    // One that waits is sent away for good.
    hub.ask(&Who { node: "x", key: Some(2), ..USUAL });
    hub.keys.revoke(hub.now, "x", "nobody knows it", "li").unwrap();
    assert_eq!(hub.kind(&Who { node: "x", key: Some(2), ..USUAL }), (false, Some(EventKind::KeyRefused)));
    assert_eq!(hub.keys.waiting(hub.now), []);
    // The node itself comes with a new key.
    assert_eq!(hub.kind(&Who { key: Some(3), ..USUAL }), (false, Some(EventKind::KeyWaiting)));
}

#[test]
fn a_secret_lets_so_many_in_of_such_names_for_so_long() {
    let mut hub = Hub::new();
    let make = |hub: &mut Hub, nodes: &str, uses| {
        let (id, token, _) = hub.keys.make_join(hub.now, key(9), (nodes, uses, 3_600), "li").unwrap();
        assert_eq!(token.hub(), key(9));
        (id, token.secret().to_owned())
    };
    let (first, secret) = make(&mut hub, "@ccd", 2);
    assert!(!format!("{:?}", hub.keys.secrets()).contains(&secret), "the secret itself is not kept");
    let come = |hub: &mut Hub, node: &str, number: u8, secret: &str| {
        hub.ask(&Who { node, key: Some(number), secret: Some(secret), ..USUAL })
    };
    for (node, number, why) in [
        ("ccd01", 1, None),
        ("focus1", 2, Some("for other nodes")),
        ("ccd02", 3, None),
        ("ccd03", 4, Some("as often as it may be")),
    ] {
        let verdict = come(&mut hub, node, number, &secret);
        match why {
            None => {
                assert_eq!(verdict.told.unwrap().kind, EventKind::KeyApproved);
                assert_eq!(verdict.answer, Ok(()));
            }
            Some(why) => {
                let answer = verdict.answer.unwrap_err();
                assert!(answer.contains(why) && answer.contains("waits to be approved"), "{answer}");
            }
        }
    }
    assert_eq!(hub.keys.approved()[0].who, format!("join secret {first}"));
    assert!(
        come(&mut hub, "ccd04", 5, "guessed").answer.unwrap_err().contains("does not know this join secret")
    );
    // A node that has a key does not get another by a secret.
    let (second, secret) = make(&mut hub, "*", 9);
    assert!(come(&mut hub, "ccd01", 6, &secret).answer.is_err());
    hub.pass(3_600);
    assert!(come(&mut hub, "x1", 7, &secret).answer.unwrap_err().contains("this join secret is over"));
    hub.keys.end_join(second, "li").unwrap();
    assert_eq!(hub.keys.end_join(second, "li"), Err(KeyError::UnknownSecret(second)));
    for (uses, seconds) in [(0, 60), (1, 0), (20_000, 60), (1, 32 * 86_400)] {
        assert_eq!(
            hub.keys.make_join(hub.now, key(9), ("*", uses, seconds), "li").map(drop),
            Err(KeyError::Join)
        );
    }
    assert!(hub.keys.make_join(hub.now, key(9), ("@", 1, 60), "li").is_err());
}

#[test]
fn a_flood_of_new_nodes_takes_few_places_and_they_come_free() {
    let mut hub = Hub::new();
    let mut told = 0;
    for number in 0..1_000_u32 {
        let node = format!("n{number}");
        told += u32::from(hub.ask(&Who { node: &node, key: Some(1), ..USUAL }).told.is_some());
    }
    assert_eq!(usize::try_from(told).unwrap(), MAX_OF_ADDRESS);
    assert_eq!(hub.keys.waiting(hub.now).len(), MAX_OF_ADDRESS);
    for address in 0..200_u32 {
        for number in 0..8 {
            let from = format!("10.0.{}.{}", 1 + address / 200, address % 200);
            hub.ask(&Who { node: &format!("m{address}-{number}"), key: Some(2), from: &from, ..USUAL });
        }
    }
    assert_eq!(hub.keys.waiting(hub.now).len(), MAX_WAITING);
    let verdict = hub.ask(&Who { node: "late", key: Some(3), from: "10.9.9.9", ..USUAL });
    assert!(verdict.answer.unwrap_err().contains("too many wait"));
    hub.pass(601);
    assert_eq!(
        hub.kind(&Who { node: "late", key: Some(3), from: "10.9.9.9", ..USUAL }),
        (false, Some(EventKind::KeyWaiting))
    );
    assert_eq!(hub.keys.waiting(hub.now).len(), 1);
}

#[test]
fn one_computer_with_many_addresses_takes_the_places_of_one() {
    let mut hub = Hub::new();
    for number in 0..100 {
        let (node, from) = (format!("n{number}"), format!("2001:db8::{number:x}"));
        hub.ask(&Who { node: &node, key: Some(1), from: &from, ..USUAL });
    }
    assert_eq!(hub.keys.waiting(hub.now).len(), MAX_OF_ADDRESS);
}

#[test]
fn what_is_kept_is_bounded() {
    let (mut hub, hubs_key) = (Hub::new(), key(9));
    let key = |number: usize| {
        use base64::Engine as _;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        format!("SHA256:{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes))
    };
    for number in 0..MAX_REVOKED + 5 {
        hub.approve("ccd01", Some(&key(number))).unwrap();
    }
    hub.keys.revoke(hub.now, "ccd01", "sold", "li").unwrap();
    assert_eq!(hub.keys.revoked().len(), MAX_REVOKED);
    assert_eq!(hub.keys.revoked().last().unwrap().reason, "sold", "the oldest go first");
    for number in 0..=MAX_SECRETS {
        let made = hub.keys.make_join(hub.now, hubs_key, ("*", 9, 3_600), "li");
        assert_eq!(made.is_ok(), number < MAX_SECRETS, "secret {number}");
    }
    // Those that are over give their places to others.
    hub.pass(3_600);
    let (_, token, _) = hub.keys.make_join(hub.now, hubs_key, ("*", 9, 60), "li").unwrap();
    assert_eq!(hub.keys.secrets().len(), 1);
    let kept = |number: usize| NodeKey {
        node: format!("n{number}"),
        key: key(number),
        who: "li".into(),
        made_ms: 0,
    };
    hub.keys.restore(
        (0..MAX_NODES + 5).map(|number| kept(10_000 + number)).collect(),
        Vec::new(),
        Vec::new(),
    );
    assert_eq!(hub.keys.approved().len(), MAX_NODES);
    let late = Who { node: "late", key: Some(7), secret: Some(token.secret()), ..USUAL };
    assert_eq!(hub.kind(&late), (false, Some(EventKind::KeyWaiting)), "no secret makes room");
    assert_eq!(hub.approve("late", None).map(drop), Err(KeyError::TooMany(MAX_NODES)));
}

#[test]
fn what_is_kept_is_taken_up_again() {
    let mut hub = Hub::new();
    hub.approve("ccd01", Some(&key(1).to_string())).unwrap();
    hub.approve("ccd02", Some(&key(2).to_string())).unwrap();
    hub.keys.revoke(hub.now, "ccd02", "sold", "li").unwrap();
    let (_, token, _) = hub.keys.make_join(hub.now, key(9), ("*", 1, 60), "li").unwrap();
    let mut again = Hub { keys: Keys::default(), now: hub.now };
    again.keys.restore(hub.keys.approved(), hub.keys.revoked().to_vec(), hub.keys.secrets());
    assert_eq!(again.keys.approved(), hub.keys.approved());
    assert_eq!(again.keys.revoked(), hub.keys.revoked());
    assert_eq!(again.keys.secrets(), hub.keys.secrets());
    assert!(again.ask(&Who { key: Some(1), ..USUAL }).answer.is_ok());
    assert!(again.ask(&Who { node: "ccd02", key: Some(2), ..USUAL }).answer.is_err());
    let joins = Who { node: "x", key: Some(3), secret: Some(token.secret()), ..USUAL };
    assert!(again.ask(&joins).answer.is_ok());
    // What an operator did meanwhile holds over what comes from the archive later.
    let mut renamed = Hub { keys: Keys::default(), now: hub.now };
    renamed.approve("ccd09", Some(&key(1).to_string())).unwrap();
    renamed.keys.restore(hub.keys.approved(), Vec::new(), Vec::new());
    assert!(renamed.ask(&Who { node: "ccd09", key: Some(1), ..USUAL }).answer.is_ok());
    assert_eq!(renamed.keys.approved().len(), 1);
    let mut revoked = Hub { keys: Keys::default(), now: hub.now };
    revoked.approve("ccd01", Some(&key(1).to_string())).unwrap();
    revoked.keys.revoke(hub.now, "ccd01", "stolen", "li").unwrap();
    revoked.keys.restore(hub.keys.approved(), Vec::new(), Vec::new());
    assert_eq!(revoked.keys.approved(), [], "what was approved before is not believed again");
    assert!(revoked.ask(&Who { key: Some(1), ..USUAL }).answer.unwrap_err().contains("was revoked by li"));
    // Twice is once; what is no key is left out.
    again.keys.restore(hub.keys.approved(), hub.keys.revoked().to_vec(), hub.keys.secrets());
    assert_eq!(again.keys.revoked().len(), 1);
    let nonsense = NodeKey { node: "y".into(), key: "SHA256:x".into(), who: "li".into(), made_ms: 0 };
    again.keys.restore(vec![nonsense], Vec::new(), Vec::new());
    assert!(again.ask(&Who { node: "y", from: "127.0.0.1", ..USUAL }).answer.is_ok());
}
