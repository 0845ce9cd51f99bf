//! Following one device across restarts, its own and centrald's: a device that is away is a state, not an end.

use tokio::time::{Duration, sleep};

use super::changes::{Change, Changes};
use super::condition::{Condition, MismatchError, View};
use super::{Client, ClientError, RemoteDevice};

/// Pause before a connection is tried again. A restart is noticed within it, and a host that refuses is not worn out.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// centrald, as `host` or `host:port`.
    pub centrald: String,
    /// Login; RTS2's password is the same again.
    pub user: String,
    /// Name of the program, as centrald lists it.
    pub program: String,
}

impl Login {
    /// Logs in.
    ///
    /// # Errors
    /// When centrald cannot be reached, or refuses.
    pub async fn client(&self) -> Result<Client, ClientError> {
        Client::login(&self.centrald, &self.user, &self.program).await
    }
}

/// What became of the device.
#[derive(Debug)]
pub enum Followed {
    /// It is connected; everything that it has follows as changes.
    Present,
    /// Something changed.
    Change(Change),
    /// It is not there, and this is why: centrald or the device cannot be reached, or there is no such device. This is
    /// told when it changes, and trying goes on with the next call.
    Away(ClientError),
}

/// Follows one device.
#[derive(Debug)]
pub struct Follower {
    login: Login,
    name: String,
    client: Option<Client>,
    device: Option<(RemoteDevice, Changes)>,
    /// What was last told of its absence.
    told: Option<String>,
    /// Why the last try failed, when nobody was told.
    reason: Option<ClientError>,
    away: Option<Away>,
}

/// Why the device is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Away {
    NotRegistered,
    Unreachable,
}

impl Follower {
    /// Follows the device of that name; `centrald` is centrald itself. Nothing is connected before
    /// [`Follower::next`].
    #[must_use]
    pub fn new(login: Login, device: &str) -> Self {
        Self {
            login,
            name: device.to_owned(),
            client: None,
            device: None,
            told: None,
            reason: None,
            away: None,
        }
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device, while it is connected.
    #[must_use]
    pub fn device(&self) -> Option<&RemoteDevice> {
        self.device.as_ref().map(|(device, _)| device)
    }

    /// What is known of it, for a condition.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        match (&self.device, self.away) {
            (Some((device, _)), _) => View::Present(device),
            (None, Some(Away::NotRegistered)) => View::Absent,
            (None, _) => View::Unknown,
        }
    }

    /// Why the device is away, after a [`Follower::wait`] that was given up.
    pub fn take_reason(&mut self) -> Option<ClientError> {
        self.reason.take()
    }

    /// Waits until something becomes of the device. Dropping the future loses no change; a connection that was being
    /// made is begun anew.
    pub async fn next(&mut self) -> Followed {
        loop {
            if let Some((_, changes)) = &mut self.device {
                match changes.next().await {
                    Ok(change) => return Followed::Change(change),
                    Err(error) => {
                        self.device = None;
                        self.away = Some(Away::Unreachable);
                        self.told = Some(error.to_string());
                        return Followed::Away(error);
                    }
                }
            }
            match self.connect().await {
                Ok(device) => {
                    let changes = device.watch();
                    self.device = Some((device, changes));
                    self.away = None;
                    self.told = None;
                    self.reason = None;
                    return Followed::Present;
                }
                Err(error) => {
                    self.away = Some(match &error {
                        ClientError::NoSuchDevice { .. } => Away::NotRegistered,
                        _ => Away::Unreachable,
                    });
                    let text = error.to_string();
                    if self.told.as_ref() != Some(&text) {
                        self.told = Some(text);
                        return Followed::Away(error);
                    }
                    self.reason = Some(error);
                    self.pause().await;
                }
            }
        }
    }

    /// Waits until a condition holds, as long as it takes. `away` is told whenever the reason changes why the device is
    /// away, and when it comes without the value that the condition is about, which may be a slip of the pen.
    ///
    /// # Errors
    /// When it never can.
    pub async fn wait(
        &mut self,
        condition: &Condition,
        mut away: impl FnMut(&ClientError),
    ) -> Result<(), MismatchError> {
        while !condition.holds(self.view())? {
            match self.next().await {
                Followed::Away(why) => {
                    away(&why);
                    self.reason = Some(why);
                }
                Followed::Present => {
                    if let (Some(device), Some(value)) = (self.device(), condition.value())
                        && device.value(value).is_none()
                    {
                        let (device, value) = (device.name().to_owned(), value.to_owned());
                        away(&ClientError::NoSuchValue { device, value });
                    }
                }
                Followed::Change(_) => {}
            }
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<RemoteDevice, ClientError> {
        if self.client.as_ref().is_some_and(|client| !client.is_connected()) {
            self.client = None;
        }
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(self.login.client().await?),
        };
        client.device(&self.name).await
    }

    /// Until it is worth trying again: a moment, or less when the device registers.
    async fn pause(&self) {
        let Some(client) = &self.client else { return sleep(RETRY_AFTER).await };
        let mut changes = client.changes();
        let registers = async {
            loop {
                match changes.next().await {
                    Ok(Change::Device(device)) if device.name.eq_ignore_ascii_case(&self.name) => return,
                    Ok(_) => {}
                    Err(_) => return sleep(RETRY_AFTER).await,
                }
            }
        };
        let _ = tokio::time::timeout(RETRY_AFTER, registers).await;
    }
}
