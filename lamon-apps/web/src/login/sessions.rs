//! Who is logged in: in memory alone, so the end of the program ends it. Pure: `now` is an argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::users::{Role, User, Users};

/// How long somebody stays logged in, whatever he does: a night's shift.
pub(crate) const LONGEST: Duration = Duration::from_secs(12 * 3_600);

/// How long he stays logged in without a page open.
pub(crate) const IDLE: Duration = Duration::from_secs(2 * 3_600);

/// The most sessions: every screen of an observatory many times over.
const MAX_SESSIONS: usize = 1_000;

/// The most sessions of a user: the one that was not used for longest gives way.
const MAX_OF_A_USER: usize = 20;

/// Bytes of a session's id, and of its token: 256 bits.
const SECRET_BYTES: usize = 32;

/// A secret's hash: who reads this program's memory, or measures how long a comparison takes, learns no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; SECRET_BYTES]);

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    /// His name.
    pub(crate) name: String,
    /// What he may do.
    pub(crate) role: Role,
}

#[derive(Debug)]
struct Session {
    name: String,
    /// His line when he logged in: another ends this.
    user: User,
    /// What must stand beside each change.
    token: String,
    began: Instant,
    used: Instant,
}

/// Everybody who is logged in.
#[derive(Debug, Default)]
pub(crate) struct Sessions(HashMap<Key, Session>);

impl Key {
    /// The hash of a secret as somebody sent it.
    pub(crate) fn of(secret: &str) -> Self {
        let mut key = [0; SECRET_BYTES];
        // Both have 32 bytes.
        for (place, byte) in key.iter_mut().zip(digest(&SHA256, secret.as_bytes()).as_ref()) {
            *place = *byte;
        }
        Self(key)
    }
}

impl Session {
    fn holds(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) < LONGEST && now.saturating_duration_since(self.used) < IDLE
    }
}

impl Sessions {
    /// Begins a session; its id, which is told once. `None` when the system gives no random numbers.
    pub(crate) fn begin(&mut self, name: &str, user: &User, now: Instant) -> Option<String> {
        let (id, token) = (secret()?, secret()?);
        self.0.retain(|_, session| session.holds(now));
        while self.0.values().filter(|session| session.name == name).count() >= MAX_OF_A_USER {
            self.end_oldest(|session| session.name == name);
        }
        while self.0.len() >= MAX_SESSIONS {
            self.end_oldest(|_| true);
        }
        let session = Session { name: name.into(), user: user.clone(), token, began: now, used: now };
        self.0.insert(Key::of(&id), session);
        Some(id)
    }

    fn end_oldest(&mut self, among: impl Fn(&Session) -> bool) {
        let oldest =
            self.0.iter().filter(|(_, session)| among(session)).min_by_key(|(_, session)| session.used);
        if let Some(key) = oldest.map(|(key, _)| *key) {
            self.0.remove(&key);
        }
    }

    /// Whose session it is, which counts as its use.
    pub(crate) fn find(&mut self, key: Key, now: Instant) -> Option<Who> {
        let session = self.0.get_mut(&key).filter(|session| session.holds(now))?;
        session.used = now;
        Some(Who { name: session.name.clone(), role: session.user.role })
    }

    /// What must stand beside each change that is asked for in this session.
    pub(crate) fn token(&self, key: Key) -> Option<&str> {
        self.0.get(&key).map(|session| session.token.as_str())
    }

    /// Ends a session; whose it was.
    pub(crate) fn end(&mut self, key: Key) -> Option<String> {
        self.0.remove(&key).map(|session| session.name)
    }

    /// Ends the sessions of those whose line is another, or gone, and what is over; the names of the former.
    pub(crate) fn keep(&mut self, users: &Users, now: Instant) -> Vec<String> {
        let mut ended = Vec::new();
        self.0.retain(|_, session| {
            let same = users.0.get(&session.name) == Some(&session.user);
            if !same {
                ended.push(session.name.clone());
            }
            same && session.holds(now)
        });
        ended
    }
}

/// 256 random bits as text.
fn secret() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::users::password::Hash;

    fn user(role: Role) -> User {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        User { role, hash: Hash::parse(hash).unwrap() }
    }

    #[test]
    fn a_session_holds_while_it_is_used_and_half_a_day_at_most() {
        let start = Instant::now();
        let mut sessions = Sessions::default();
        let id = sessions.begin("ann", &user(Role::Operate), start).unwrap();
        let key = Key::of(&id);
        assert_eq!(id.len(), 43);
        let who = Who { name: "ann".into(), role: Role::Operate };
        let mut at = start;
        while at < start + LONGEST {
            assert_eq!(sessions.find(key, at), Some(who.clone()));
            at += IDLE - Duration::from_secs(1);
        }
        assert_eq!(sessions.find(key, start + LONGEST), None);
        let key = Key::of(&sessions.begin("ann", &user(Role::Operate), start).unwrap());
        assert_eq!(sessions.find(key, start + IDLE), None);
        assert_eq!(sessions.find(Key::of("guess"), start), None);
        let key = Key::of(&sessions.begin("ann", &user(Role::Operate), start).unwrap());
        assert_ne!(sessions.token(key).unwrap(), id);
        assert_eq!(sessions.end(key), Some("ann".into()));
        assert_eq!((sessions.end(key), sessions.find(key, start)), (None, None));
    }

    #[test]
    fn another_line_ends_its_users_sessions() {
        let now = Instant::now();
        let mut sessions = Sessions::default();
        let mut begin = |name: &str| Key::of(&sessions.begin(name, &user(Role::Operate), now).unwrap());
        let keys = ["ann", "bo", "cy"].map(&mut begin);
        let users = Users(
            [("ann", Role::Operate), ("bo", Role::View)].map(|(name, role)| (name.into(), user(role))).into(),
        );
        let mut ended = sessions.keep(&users, now);
        ended.sort();
        assert_eq!(ended, ["bo", "cy"]);
        assert_eq!(keys.map(|key| sessions.find(key, now).is_some()), [true, false, false]);
    }

    #[test]
    fn there_are_so_many_and_the_oldest_give_way() {
        let start = Instant::now();
        let mut sessions = Sessions::default();
        let begin = |sessions: &mut Sessions, name: &str, second: u64| {
            Key::of(&sessions.begin(name, &user(Role::View), start + Duration::from_secs(second)).unwrap())
        };
        let first = begin(&mut sessions, "ann", 0);
        let second = begin(&mut sessions, "ann", 1);
        for second in 2..=20 {
            begin(&mut sessions, "ann", second);
        }
        let now = start + Duration::from_secs(30);
        assert!(sessions.find(first, now).is_none() && sessions.find(second, now).is_some());
        for number in 0..2_000 {
            begin(&mut sessions, &format!("user{}", number % 900), 31);
        }
        assert_eq!(sessions.0.len(), MAX_SESSIONS);
    }
}
