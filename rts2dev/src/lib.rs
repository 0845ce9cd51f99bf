//! RTS2 for Rust: write an RTS2 device, or talk to one.
//!
//! A [`Device`] registers with centrald, serves clients such as rts2-mon, and shows them values that the program sets
//! from wherever it likes. It is declared as a table that reads like one, and runs on any tokio runtime; several
//! devices can share one thread.
//!
//! ```no_run
//! use rts2dev::proto::{DisplayType, Level};
//! use rts2dev::{Device, DeviceOptions};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::new(DeviceOptions::new("CELLAR"))?;
//! let handle = device.handle();
//! let temperature = handle.double("temperature", "[C] air temperature").fits().declare()?;
//! let fan = handle
//!     .boolean("fan", "fan of the cellar")
//!     .display(DisplayType::OnOff)
//!     .on_set(|on| async move { Ok(println!("fan {}", if on { "on" } else { "off" })) })
//!     .declare()?;
//! fan.set(false);
//!
//! std::thread::spawn(move || temperature.set_with_level(31.5, Level::Warning));
//!
//! let listener = tokio::net::TcpListener::bind(("0.0.0.0", 0)).await?;
//! device.run(listener, CancellationToken::new()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Devices`] runs several of one program. The module `cli` (feature `cli`) has RTS2's command-line options, and goes to
//! the background as RTS2's start scripts expect.
//!
//! [`client`] is the other side: it logs in, lists devices, and keeps a live picture of one. `testing::Centrald`
//! (feature `testing`) is a small centrald in the same process. The protocol itself is the crate [`proto`].

#[cfg(feature = "cli")]
pub mod cli;
pub mod client;
mod commands;
mod compound;
mod cursor;
mod declaration;
mod device;
mod devices;
mod handle;
mod handlers;
mod hooks;
mod kinds;
mod lane;
mod messages;
mod options;
mod parameters;
mod presets;
mod samples;
mod sets;
mod shared;
mod state;
mod status;
mod syslog;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod value;
mod wire;

pub use commands::{CommandError, MAX_COMMANDS, Reply};
pub use declaration::{Declaration, DeclareError, MAX_ITEMS, MAX_VALUES};
pub use device::{Device, DeviceError, RunError};
pub use devices::{Devices, DevicesError};
pub use handle::DeviceHandle;
pub use handlers::Refusal;
pub use lane::MAX_WAITING_HANDLERS;
pub use messages::MAX_WAITING_MESSAGES;
pub use options::DeviceOptions;
pub use parameters::FromParameters;
pub use presets::PresetError;
pub use rts2_proto as proto;
pub use samples::MAX_SAMPLES;
pub use status::{CentraldStatus, LinkStatus, Registration};
pub use value::{Selection, Time, Value, ValueKind};
