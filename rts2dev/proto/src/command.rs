//! Commands: the lines that are answered by exactly one `+…` or `-…` line, and the notices that centrald sends in the
//! same form and that are not answered.

use crate::device_type::DeviceType;
use crate::error::{Expected, ParseError};
use crate::message::MessageType;
use crate::text::{Rest, Text};
use crate::token::Tokens;

/// A command with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Device to centrald: registers (RTS2 lib/rts2/command.cpp, `CommandRegister`).
    Register {
        /// Number of the centrald in the device's own list, from 0. Clients give it back in `auth`.
        centrald_num: i32,
        /// Device name.
        name: Text<'a>,
        /// Kind of device.
        device_type: DeviceType,
        /// Host to which clients connect.
        host: Text<'a>,
        /// Port to which clients connect.
        port: u16,
    },
    /// centrald's notice of a device.
    Device {
        /// Number of the centrald in the device's own list.
        centrald_num: i32,
        /// The device's number at centrald.
        id: i32,
        /// Device name.
        name: Text<'a>,
        /// Host to which clients connect.
        host: Text<'a>,
        /// Port to which clients connect.
        port: u16,
        /// Kind of device.
        device_type: DeviceType,
    },
    /// centrald's notice that a device is gone.
    DeleteDevice {
        /// Its number.
        id: i32,
        /// Its name.
        name: Text<'a>,
    },
    /// centrald's notice of a client.
    Client {
        /// The client's number at centrald.
        id: i32,
        /// Its login.
        login: Text<'a>,
        /// Its program.
        name: Text<'a>,
    },
    /// centrald's notice that a client is gone.
    DeleteClient {
        /// Its number.
        id: i32,
    },
    /// Client to centrald: who it is.
    Login {
        /// Login.
        login: Text<'a>,
        /// Program.
        program: Text<'a>,
    },
    /// Client to centrald: the password, which is the login again.
    Password {
        /// Password.
        password: Text<'a>,
    },
    /// centrald's answer: logged in under this number.
    LoggedAs {
        /// Number of the client.
        id: i32,
    },
    /// Asks centrald for a key to a device.
    Key {
        /// Device name.
        device: Text<'a>,
    },
    /// centrald's answer to `key`.
    AuthorizationKey {
        /// Device name.
        device: Text<'a>,
        /// The key.
        key: i32,
    },
    /// Client to device: asks to be authorized.
    Auth {
        /// The client's number at centrald.
        id: i32,
        /// Which of the device's centralds.
        centrald_num: i32,
        /// The key.
        key: i32,
    },
    /// Device to centrald: is this client's key right?
    Authorize {
        /// The client's number.
        id: i32,
        /// The key.
        key: i32,
    },
    /// Refresh values and send the changed ones.
    Info,
    /// Send the constant values.
    BaseInfo,
    /// Send the state.
    StatusInfo,
    /// Have centrald refresh the mask of blocked operations.
    DeviceStatus,
    /// Reset errors and queues, end scripts.
    Killall,
    /// Reset errors and queues, leave scripts.
    KillallWse,
    /// A script ended.
    ScriptEnds,
    /// Save the values that are to be kept.
    Autosave,
    /// End the daemon.
    Exit,
    /// A device introduces itself to another; not answered.
    ThisDevice {
        /// Its name.
        name: Text<'a>,
        /// Its kind.
        device_type: DeviceType,
    },
    /// Which messages centrald is to send.
    MessageMask {
        /// Kinds.
        mask: MessageType,
    },
    /// Device to centrald: why it votes for bad weather.
    WeatherUpdate {
        /// Device name.
        device: Text<'a>,
        /// Reason.
        reason: Text<'a>,
    },
    /// A command that this crate does not know; devices have their own.
    Other {
        /// Its first word.
        word: Text<'a>,
        /// Its parameters.
        parameters: Rest<'a>,
    },
}

impl<'a> Command<'a> {
    pub(crate) fn parse(tokens: &mut Tokens<'a>) -> Result<Self, ParseError> {
        Ok(match tokens.word() {
            b"register" => Self::Register {
                centrald_num: tokens.integer()?,
                name: tokens.text()?,
                device_type: device_type(tokens)?,
                host: tokens.text()?,
                port: tokens.integer()?,
            },
            b"device" => Self::Device {
                centrald_num: tokens.integer()?,
                id: tokens.integer()?,
                name: tokens.text()?,
                host: tokens.text()?,
                port: tokens.integer()?,
                device_type: device_type(tokens)?,
            },
            b"delete_device" => Self::DeleteDevice { id: tokens.integer()?, name: tokens.text()? },
            b"client" => Self::Client { id: tokens.integer()?, login: tokens.text()?, name: tokens.text()? },
            b"delete_client" => Self::DeleteClient { id: tokens.integer()? },
            b"login" => Self::Login { login: tokens.text()?, program: tokens.text()? },
            b"password" => Self::Password { password: tokens.text()? },
            b"logged_as" => Self::LoggedAs { id: tokens.integer()? },
            b"key" => Self::Key { device: tokens.text()? },
            b"authorization_key" => Self::AuthorizationKey { device: tokens.text()?, key: tokens.integer()? },
            b"auth" => {
                Self::Auth { id: tokens.integer()?, centrald_num: tokens.integer()?, key: tokens.integer()? }
            }
            b"authorize" => Self::Authorize { id: tokens.integer()?, key: tokens.integer()? },
            b"info" => Self::Info,
            b"base_info" => Self::BaseInfo,
            b"status_info" => Self::StatusInfo,
            b"device_status" => Self::DeviceStatus,
            b"killall" => Self::Killall,
            b"killall_wse" => Self::KillallWse,
            b"script_ends" => Self::ScriptEnds,
            b"autosave" => Self::Autosave,
            b"exit" => Self::Exit,
            b"this_device" => Self::ThisDevice { name: tokens.text()?, device_type: device_type(tokens)? },
            b"message_mask" => Self::MessageMask {
                mask: MessageType::from_bits_retain(tokens.integer::<i32>()?.cast_unsigned()),
            },
            b"weather_update" => Self::WeatherUpdate { device: tokens.text()?, reason: tokens.text()? },
            word => Self::Other {
                word: Text::new(word).map_err(|_| tokens.error(Expected::Quote))?,
                parameters: tokens.rest(),
            },
        })
    }

    /// Its first word, which errors repeat.
    #[must_use]
    pub fn word(&self) -> &'a [u8] {
        match self {
            Self::Register { .. } => b"register",
            Self::Device { .. } => b"device",
            Self::DeleteDevice { .. } => b"delete_device",
            Self::Client { .. } => b"client",
            Self::DeleteClient { .. } => b"delete_client",
            Self::Login { .. } => b"login",
            Self::Password { .. } => b"password",
            Self::LoggedAs { .. } => b"logged_as",
            Self::Key { .. } => b"key",
            Self::AuthorizationKey { .. } => b"authorization_key",
            Self::Auth { .. } => b"auth",
            Self::Authorize { .. } => b"authorize",
            Self::Info => b"info",
            Self::BaseInfo => b"base_info",
            Self::StatusInfo => b"status_info",
            Self::DeviceStatus => b"device_status",
            Self::Killall => b"killall",
            Self::KillallWse => b"killall_wse",
            Self::ScriptEnds => b"script_ends",
            Self::Autosave => b"autosave",
            Self::Exit => b"exit",
            Self::ThisDevice { .. } => b"this_device",
            Self::MessageMask { .. } => b"message_mask",
            Self::WeatherUpdate { .. } => b"weather_update",
            Self::Other { word, .. } => word.as_bytes(),
        }
    }

    /// Writes the command without a line end.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut line = Words { out };
        line.out.extend_from_slice(self.word());
        match *self {
            Self::Register { centrald_num, name, device_type, host, port } => {
                line.number(centrald_num).text(name).number(device_type.code()).text(host).number(port);
            }
            Self::Device { centrald_num, id, name, host, port, device_type } => {
                line.number(centrald_num).number(id).text(name).text(host).number(port);
                line.number(device_type.code());
            }
            Self::DeleteDevice { id, name } => {
                line.number(id).text(name);
            }
            Self::Client { id, login, name } => {
                line.number(id).text(login).text(name);
            }
            Self::DeleteClient { id } | Self::LoggedAs { id } => {
                line.number(id);
            }
            Self::Login { login, program } => {
                line.text(login).text(program);
            }
            Self::Password { password: text } | Self::Key { device: text } => {
                line.text(text);
            }
            Self::AuthorizationKey { device, key } => {
                line.text(device).number(key);
            }
            Self::Auth { id, centrald_num, key } => {
                line.number(id).number(centrald_num).number(key);
            }
            Self::Authorize { id, key } => {
                line.number(id).number(key);
            }
            Self::ThisDevice { name, device_type } => {
                line.text(name).number(device_type.code());
            }
            Self::MessageMask { mask } => {
                line.number(mask.bits().cast_signed());
            }
            Self::WeatherUpdate { device, reason } => {
                line.out.push(b' ');
                device.write_quoted(line.out);
                line.out.push(b' ');
                reason.write_quoted(line.out);
            }
            Self::Other { parameters, .. } => {
                if !parameters.as_bytes().is_empty() {
                    line.out.push(b' ');
                    line.out.extend_from_slice(parameters.as_bytes());
                }
            }
            Self::Info
            | Self::BaseInfo
            | Self::StatusInfo
            | Self::DeviceStatus
            | Self::Killall
            | Self::KillallWse
            | Self::ScriptEnds
            | Self::Autosave
            | Self::Exit => {}
        }
    }
}

/// Appends parameters with a blank before each.
struct Words<'o> {
    out: &'o mut Vec<u8>,
}

impl Words<'_> {
    fn number(&mut self, number: impl Into<i64>) -> &mut Self {
        let number: i64 = number.into();
        self.out.extend_from_slice(format!(" {number}").as_bytes());
        self
    }

    fn text(&mut self, text: Text<'_>) -> &mut Self {
        self.out.push(b' ');
        text.write_word(self.out);
        self
    }
}

fn device_type(tokens: &mut Tokens<'_>) -> Result<DeviceType, ParseError> {
    tokens.integer().map(DeviceType::from_code)
}

#[cfg(test)]
mod tests;
