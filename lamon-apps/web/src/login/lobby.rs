//! Users, sessions and guesses together. Time is an argument; the password file is read, nothing else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::attempts::Attempts;
use super::caller::Caller;
use super::compare::Comparer;
use super::sessions::{Key, Sessions};
use super::users::{Stamp, User, Users};

/// How often the password file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long a password that was right is believed without comparing it again: a program that reads brings it each time.
const BELIEVED: Duration = Duration::from_secs(300);

/// The most passwords that are believed; when there are more, those of all programs are compared again.
const MAX_BELIEVED: usize = 64;

/// Why somebody is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotIn {
    /// Too many guesses: wait so long.
    Wait(Duration),
    /// Too many others log in just now.
    Busy,
    /// The name or the password is wrong; which of them is not told.
    Wrong,
    /// The system gives no random numbers.
    NoRandom,
}

/// Who may log in, and who has.
#[derive(Debug)]
pub(crate) struct Lobby {
    path: PathBuf,
    // Held for moments, never while anything is waited for.
    inner: Mutex<Inner>,
    comparer: Comparer,
}

#[derive(Debug)]
struct Inner {
    users: Users,
    /// The file that `users` are of.
    stamp: Option<Stamp>,
    /// The file that could not be used, so that it is told once.
    refused: Option<Option<Stamp>>,
    sessions: Sessions,
    attempts: Attempts,
    /// Names with passwords that were right, by the hash of what a program brings; with the user's line, and until when.
    believed: HashMap<Key, (String, User, Instant)>,
}

impl Lobby {
    /// Reads the password file; nobody may log in where there is none.
    ///
    /// # Errors
    ///
    /// A sentence, when it cannot be used.
    pub(crate) fn open(path: PathBuf) -> Result<Self, String> {
        let (users, stamp) = Users::load(&path)?;
        let comparer = Comparer::start().map_err(|error| format!("the system gives no thread: {error}"))?;
        let inner = Inner {
            users,
            stamp,
            refused: None,
            sessions: Sessions::default(),
            attempts: Attempts::default(),
            believed: HashMap::new(),
        };
        Ok(Self { path, inner: Mutex::new(inner), comparer })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may log in.
    pub(crate) fn users(&self) -> usize {
        self.inner().users.0.len()
    }

    /// Logs somebody in; the secret of his session.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) async fn log_in(
        &self,
        address: IpAddr,
        name: &str,
        password: String,
    ) -> Result<String, NotIn> {
        let user = self.compare(address, name, password).await?;
        self.inner().sessions.begin(name, &user, Instant::now()).ok_or(NotIn::NoRandom)
    }

    /// Lets a program in that brings name and password with each question, as HTTP's Basic has them. It gets no session.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) async fn let_in(&self, address: IpAddr, basic: &str) -> Result<(), NotIn> {
        let key = Key::of(basic);
        {
            let mut inner = self.inner();
            let Inner { users, believed, .. } = &mut *inner;
            let now = Instant::now();
            believed.retain(|_, (name, user, until)| *until > now && users.0.get(name) == Some(user));
            if believed.contains_key(&key) {
                return Ok(());
            }
        }
        let (name, password) = credentials(basic).ok_or(NotIn::Wrong)?;
        let user = self.compare(address, &name, password).await?;
        let mut inner = self.inner();
        if inner.believed.len() >= MAX_BELIEVED {
            inner.believed.clear();
        }
        inner.believed.insert(key, (name, user, Instant::now() + BELIEVED));
        Ok(())
    }

    /// Compares a password with that of a user, when as many guesses are allowed.
    async fn compare(&self, address: IpAddr, name: &str, password: String) -> Result<User, NotIn> {
        // What is no name of the file is one name: a stranger must not fill the table with long ones.
        let counted = if super::users::check_name(name).is_ok() { name } else { "" };
        self.inner().attempts.admit(address, counted, Instant::now()).map_err(NotIn::Wait)?;
        let user = self.inner().users.0.get(name).cloned();
        let hash = user.as_ref().map(|user| user.hash.clone());
        let Some(same) = self.comparer.compare(hash, password).await else {
            self.inner().attempts.unheard(address, counted);
            return Err(NotIn::Busy);
        };
        let (true, Some(user)) = (same, user) else { return Err(NotIn::Wrong) };
        let mut inner = self.inner();
        // Meanwhile he may have been removed.
        if inner.users.0.get(name) != Some(&user) {
            return Err(NotIn::Wrong);
        }
        inner.attempts.right(address, counted);
        drop(inner);
        Ok(user)
    }

    /// Whose session a secret is, which counts as its use.
    pub(crate) fn caller(&self, secret: &str) -> Option<Caller> {
        let key = Key::of(secret);
        let mut inner = self.inner();
        let who = inner.sessions.find(key, Instant::now())?;
        let token = inner.sessions.token(key)?.to_owned();
        Some(Caller { key, name: who.name, role: who.role, token })
    }

    /// Whether a session goes on, which counts as its use: a page that is open.
    pub(crate) fn goes_on(&self, key: Key) -> bool {
        self.inner().sessions.find(key, Instant::now()).is_some()
    }

    /// Ends a session.
    pub(crate) fn log_out(&self, key: Key) {
        self.inner().sessions.end(key);
    }

    /// Looks whether the password file is another one, and ends what does not hold any more.
    fn look(&self) {
        let stamp = Users::stamp(&self.path);
        let (same, told) = {
            let inner = self.inner();
            (inner.stamp == stamp, inner.refused == Some(stamp))
        };
        let read = (!same && !told).then(|| Users::load(&self.path));
        let mut inner = self.inner();
        match read {
            None => {}
            Some(Ok((users, stamp))) => {
                info!("the password file was read again: {} may log in", users.0.len());
                (inner.users, inner.stamp, inner.refused) = (users, stamp, None);
            }
            Some(Err(why)) => {
                error!("{why}; who might log in before still may");
                inner.refused = Some(stamp);
            }
        }
        let Inner { users, sessions, .. } = &mut *inner;
        for name in sessions.keep(users, Instant::now()) {
            info!("{name} is logged out: his line of the password file is another, or gone");
        }
    }

    /// Looks at the password file until the end.
    pub(crate) async fn watch(self: std::sync::Arc<Self>, ended: CancellationToken) {
        while ended.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let lobby = self.clone();
            // The disk may take its time.
            let _ = tokio::task::spawn_blocking(move || lobby.look()).await;
        }
    }
}

/// Name and password of `Basic bmFtZTpwYXNzd29yZA==` (RFC 7617).
/// Name and password of a header for them (RFC 7617).
pub(super) fn credentials(basic: &str) -> Option<(String, String)> {
    let (scheme, coded) = basic.split_once(' ')?;
    let bytes = STANDARD.decode(coded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::users::password::Hash;
    use super::super::users::{Role, change};
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn lobby_with(folder: &std::path::Path, name: &'static str, password: &str) -> Lobby {
        let path = folder.join("users");
        let hash = Hash::of(password).unwrap();
        change(&path, |users| {
            users.0.insert(name.into(), User { role: Role::Operate, hash });
            Ok(())
        })
        .unwrap();
        Lobby::open(path).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_lets_in_until_the_line_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let lobby = lobby_with(folder.path(), "ann", "correct horse");
        assert_eq!(lobby.log_in(HOME, "ann", "wrong".into()).await, Err(NotIn::Wrong));
        assert_eq!(lobby.log_in(HOME, "bo", "correct horse".into()).await, Err(NotIn::Wrong));
        let secret = lobby.log_in(HOME, "ann", "correct horse".into()).await.unwrap();
        let caller = lobby.caller(&secret).unwrap();
        assert_eq!((caller.name.as_str(), caller.role), ("ann", Role::Operate));
        assert!(lobby.caller("guess").is_none());
        lobby.look();
        assert!(lobby.goes_on(caller.key), "nothing changed");
        std::fs::write(folder.path().join("users"), "nonsense").unwrap();
        lobby.look();
        assert!(lobby.goes_on(caller.key), "a slip in the file logs nobody out");
        std::fs::remove_file(folder.path().join("users")).unwrap();
        lobby.look();
        assert!(!lobby.goes_on(caller.key));
        assert_eq!(lobby.users(), 0);
        assert_eq!(lobby.log_in(HOME, "ann", "correct horse".into()).await, Err(NotIn::Wrong));
    }

    #[tokio::test]
    async fn programs_bring_name_and_password_with_each_question() {
        let folder = tempfile::tempdir().unwrap();
        let lobby = lobby_with(folder.path(), "ann", "correct: horse");
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let right = basic("ann:correct: horse");
        for _ in 0..20 {
            assert_eq!(lobby.let_in(HOME, &right).await, Ok(()));
        }
        assert_eq!(lobby.inner().believed.len(), 1);
        for wrong in [&basic("ann:wrong"), "Basic", "Basic ?", "Bearer x", &basic("ann")] {
            assert_eq!(lobby.let_in(HOME, wrong).await, Err(NotIn::Wrong), "{wrong}");
        }
        std::fs::remove_file(folder.path().join("users")).unwrap();
        lobby.look();
        assert_eq!(lobby.let_in(HOME, &right).await, Err(NotIn::Wrong), "what is gone is not believed");
    }

    #[tokio::test]
    async fn a_flood_of_guesses_is_slowed_and_costs_few_comparisons_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let lobby = Arc::new(lobby_with(folder.path(), "ann", "correct horse"));
        let guesses: Vec<_> = (0..50)
            .map(|_| {
                let lobby = lobby.clone();
                tokio::spawn(async move { lobby.log_in(HOME, "ann", "guess".into()).await })
            })
            .collect();
        let mut waits = 0;
        for guess in guesses {
            waits += u32::from(matches!(guess.await.unwrap(), Err(NotIn::Wait(_))));
        }
        assert!(waits >= 40, "{waits} of 50");
    }
}
