//! Who the clients are that centrald tells of: a device learns it from centrald, never from the client itself.

use std::collections::HashMap;

use crate::handlers::ClientLogin;

/// As many as centrald has connections: one that tells of more, because it forgets to say who left, costs no more memory.
const MAX_CLIENTS: usize = 1_024;

/// The longest user or program that is kept, in bytes; RTS2's own have fewer than 50.
const MAX_NAME_BYTES: usize = 64;

/// Clients by their number at one centrald.
#[derive(Default)]
pub(super) struct Clients(HashMap<i32, ClientLogin>);

impl Clients {
    /// Takes one, in the place of an earlier one of this number; none when there are too many, or with names that nobody has.
    pub(super) fn add(&mut self, id: i32, login: ClientLogin) {
        self.0.remove(&id);
        let fits = |name: &str| name.len() <= MAX_NAME_BYTES;
        if self.0.len() < MAX_CLIENTS && fits(&login.user) && fits(&login.program) {
            self.0.insert(id, login);
        }
    }

    pub(super) fn remove(&mut self, id: i32) {
        self.0.remove(&id);
    }

    pub(super) fn get(&self, id: i32) -> Option<ClientLogin> {
        self.0.get(&id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_and_go_and_are_bounded() {
        let login = |user: &str| ClientLogin { user: user.into(), program: "monitor".into() };
        let mut clients = Clients::default();
        clients.add(3, login("obs"));
        assert_eq!(clients.get(3), Some(login("obs")));
        clients.add(3, login(&"x".repeat(65)));
        assert_eq!(clients.get(3), None, "the number is another client's now");
        for id in 0..2_000 {
            clients.add(id, login("obs"));
        }
        assert_eq!(clients.0.len(), MAX_CLIENTS);
        clients.remove(0);
        assert_eq!(clients.get(0), None);
    }
}
