//! The command line.

use clap::{Parser, Subcommand};
use rts2dev::proto::MessageType;

use crate::exit::CODES;

const EXAMPLES: &str = "Examples:
  rts2c ls                                    devices, clients and their states
  rts2c get NODES.level                       one value, bare: $(rts2c get NODES.level)
  rts2c get NODES                             all of a device, as a table
  rts2c set C0.exposure 0.5
  rts2c set C0.exposure += 1
  rts2c cmd C0 expose
  rts2c watch NODES C0.exposure
  rts2c messages --mask error,warning
  rts2c wait NODES.level == good --timeout 60 || exit 1
  rts2c wait C0 present --timeout 60
  rts2c wait C0.bop lacks BOP_EXPOSURE";

const CONDITIONS: &str = "Conditions:
  DEVICE.value == OPERAND       also != < > <= >=, or in letters: eq ne lt gt le ge
  DEVICE.value.level == good    its warning level: good, warning or error
  DEVICE.state & BITS           any of the bits is set; !& none is. In letters: has, lacks
  DEVICE.bop & BITS             the same of what others block for it
  DEVICE present, DEVICE absent

The shell takes < > & | for itself: quote them, or use the letters. BITS are RTS2's names, as
BOP_EXPOSURE, BOP_READOUT, BOP_TEL_MOVE, BAD_WEATHER, ERROR_HW, NOT_READY, or numbers,
with | between them. A selection is compared by name, without case, or by number. A time is
unix seconds or UTC, as 2026-11-22T17:44:09Z. The device centrald is centrald itself.
While the device is away, or has no such value yet, or centrald is away, rts2c waits.";

/// Where centrald is when nothing says where.
const CENTRALD: &str = "localhost:617";

/// A client of RTS2 for the command line and for scripts.
#[derive(Debug, Parser)]
#[command(name = "rts2c", version, after_help = format!("{EXAMPLES}\n\n{CODES}"))]
pub(crate) struct Args {
    /// Where rts2-centrald is: HOST or HOST:PORT
    #[arg(long, global = true, env = "RTS2_SERVER", default_value = CENTRALD, value_parser = server)]
    pub(crate) server: String,
    /// Login at centrald; the name of the user when not given
    #[arg(long, global = true)]
    pub(crate) login: Option<String>,
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Lists devices with their states, and clients
    Ls {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Shows values: DEVICE.value bare, DEVICE alone as a table of everything
    ///
    /// Bare, a time is unix seconds; in the table it is UTC. In JSON "value" is for programs (times are unix seconds, a
    /// number that is not set is null), "text" for people.
    Get {
        /// DEVICE or DEVICE.value, several
        #[arg(required = true)]
        paths: Vec<String>,
        /// As one JSON object: {"DEVICE": {"value": {"value": …, "text": …, "unit": …, "level": …}}}
        #[arg(long)]
        json: bool,
    },
    /// Sets a value: DEVICE.value TEXT, or with = += -= before the text
    ///
    /// A time is unix seconds or UTC, as 2026-11-22T17:44:09Z.
    Set {
        /// DEVICE.value
        path: String,
        /// What it is to be; a selection by name or number, text as it is
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<String>,
        /// Longest wait for the answer, seconds; to be given before DEVICE.value
        #[arg(long, default_value_t = 60.0, value_parser = seconds)]
        timeout: f64,
    },
    /// Sends a command to a device and shows its answer
    Cmd {
        /// The device
        device: String,
        /// The command and its parameters
        #[arg(required = true, allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<String>,
        /// Longest wait for the answer, seconds; to be given before DEVICE
        #[arg(long, default_value_t = 60.0, value_parser = seconds)]
        timeout: f64,
    },
    /// Shows values whenever they change, across restarts of the device
    ///
    /// It begins with what they hold. DEVICE alone is all of its values, its state and what others block for it (bop). A
    /// device that is away, or centrald, is waited for.
    Watch {
        /// DEVICE, DEVICE.value, DEVICE.state or DEVICE.bop, several
        #[arg(required = true)]
        paths: Vec<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        /// Ends after so many lines
        #[arg(long)]
        count: Option<u64>,
    },
    /// Shows the log messages of the whole system as they come, until centrald ends
    Messages {
        /// Kinds: error, warning, info, debug, critical, all, or the number of RTS2's mask
        #[arg(long, value_delimiter = ',', default_value = "all", value_parser = message_type)]
        mask: Vec<MessageType>,
        /// Ends after so many messages
        #[arg(long)]
        count: Option<u64>,
    },
    /// Waits until a condition holds: NODES.level == good
    #[command(after_help = format!("{CONDITIONS}\n\n{CODES}"))]
    Wait {
        /// The condition, quoted or not
        #[arg(required = true, allow_negative_numbers = true)]
        condition: Vec<String>,
        /// Longest wait, seconds; without it, as long as it takes
        #[arg(long, value_parser = seconds)]
        timeout: Option<f64>,
        /// Says nothing while the device is away
        #[arg(long, short)]
        quiet: bool,
    },
}

/// An address in which a slip of the pen is told before anything is tried. An empty text, which an empty `RTS2_SERVER`
/// is, means the default.
fn server(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(CENTRALD.to_owned());
    }
    // More than one colon is an address of IPv6.
    if let Some((host, port)) = text.split_once(':')
        && !port.contains(':')
        && (host.is_empty() || !port.parse::<u16>().is_ok_and(|port| port > 0))
    {
        return Err("HOST or HOST:PORT, the port from 1 to 65535".to_owned());
    }
    Ok(text.to_owned())
}

/// A time that can be waited for.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=1e9).contains(&seconds) => Ok(seconds),
        _ => Err("seconds, from 0 to 1e9".to_owned()),
    }
}

fn message_type(text: &str) -> Result<MessageType, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "all" => MessageType::ALL,
        number if number.parse::<u32>().is_ok() => {
            MessageType::from_bits_retain(number.parse().unwrap_or_default())
        }
        name => MessageType::from_name(&name.to_ascii_uppercase())
            .ok_or("error, warning, info, debug, critical, all or a number")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_wait_as_it_is_typed() {
        let line = "rts2c wait NODES.x == -3 --timeout 60 --server h:1";
        let args = Args::try_parse_from(line.split(' ')).unwrap();
        let Task::Wait { condition, timeout, .. } = args.task else { unreachable!() };
        assert_eq!((condition.join(" ").as_str(), timeout), ("NODES.x == -3", Some(60.0)));
        assert_eq!(args.server, "h:1");
    }

    #[test]
    fn addresses() {
        assert_eq!(server("").as_deref(), Ok(CENTRALD));
        for good in ["h", "h:1", "127.0.0.1:617", "::1", "[::1]:617"] {
            assert_eq!(server(good).as_deref(), Ok(good));
        }
        for bad in ["h:", ":617", "h:0", "h:65536", "h:x"] {
            assert!(server(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_and_masks() {
        assert!(["-1", "x", "nan", "inf"].iter().all(|text| seconds(text).is_err()));
        assert_eq!(message_type("Error"), Ok(MessageType::ERROR));
        assert_eq!(message_type("3").map(|mask| mask.bits()), Ok(3));
        assert!(message_type("loud").is_err());
    }
}
