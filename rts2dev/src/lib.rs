//! RTS2 for Rust: write an RTS2 device, or talk to one.
//!
//! A sensor, whole. It needs `rts2dev`, `tokio` (features `macros`, `net`, `rt`, `signal`) and `tokio-util`:
//!
//! ```
//! use rts2dev::proto::Level;
//! use rts2dev::{Device, DeviceOptions, Refusal};
//! use tokio_util::sync::CancellationToken;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let device = Device::new(DeviceOptions::new("CELLAR"))?;
//!     let handle = device.handle();
//!     let temperature = handle.double("temperature", "[C] of the air").fits().declare()?;
//!     let limit = handle.double("limit", "[C] warning above").initial(30).writable().declare()?;
//!
//!     // Called at the start, every minute, and when a client asks for fresh values.
//!     handle.on_info(move || {
//!         let (temperature, limit) = (temperature.clone(), limit.clone());
//!         async move {
//!             let celsius = read_thermometer().map_err(|why| Refusal::hardware(&why.to_string()))?;
//!             let level = if celsius > limit.get() { Level::Warning } else { Level::Good };
//!             temperature.set_with_level(celsius, level);
//!             Ok(())
//!         }
//!     });
//!
//!     let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await?;
//! #   let port = listener.local_addr()?.port();
//! #   std::thread::spawn(move || {
//! #       let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
//! #       let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stream)).map_while(Result::ok);
//! #       if !lines.any(|line| line.starts_with("V limit 30")) { std::process::exit(1) }
//! #       rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT).unwrap();
//! #   });
//!     tokio::select! {
//!         ended = device.run(listener, CancellationToken::new()) => ended?,
//!         interrupted = tokio::signal::ctrl_c() => interrupted?,
//!     }
//!     Ok(())
//! }
//!
//! fn read_thermometer() -> Result<f64, Box<dyn std::error::Error>> {
//!     let millidegrees = std::fs::read_to_string("/sys/class/thermal/thermal_zone0/temp")?;
//!     Ok(millidegrees.trim().parse::<f64>()? / 1000.0)
//! }
//! ```
//!
//! It registers with the rts2-centrald of this computer, as often as it takes, under the name `CELLAR`. In rts2-mon
//! its temperature turns yellow above a limit that anybody can set there; images carry it in their headers
//! (`HIERARCH CELLAR.TEMPERATURE`); scripts read it as `CELLAR.temperature`.
//!
//! # A device
//!
//! - [`DeviceOptions`] say where its centralds are and where it keeps what is saved. The module `cli` (feature `cli`)
//!   takes them from RTS2's command-line options, and goes to the background as RTS2's start scripts expect.
//! - [`DeviceHandle`] declares its values, a line each: name, unit and description, how it is shown, whether it is
//!   written to images, saved, writable. There is a method per type, from [`double`](DeviceHandle::double) over
//!   [`ra_dec`](DeviceHandle::ra_dec) to [`time_serie`](DeviceHandle::time_serie). What RTS2 programs cannot bear
//!   cannot be declared.
//! - [`Value`] is what the program sets, from any thread, at any time, without waiting: its data and its
//!   [`Level`](proto::Level), `Warning` and `Error` being yellow and red in rts2-mon. A double without
//!   [`initial`](Declaration::initial) is `nan` until it is set, and so is what is computed from it: no limit is above
//!   or below it.
//! - Handlers are asked before a client's set is done ([`Declaration::on_set`]), run commands of the device's own
//!   ([`DeviceHandle::command`]), refresh values ([`DeviceHandle::on_info`]), or stop the work
//!   ([`DeviceHandle::on_killall`]). They may take their time: centrald, which holds up exposures until every device has
//!   answered it, is answered all the same. Each can refuse with a [`Refusal`], whose reason the client sees; those that
//!   want to know who asks take a [`Caller`] ([`Declaration::on_set_by`], [`DeviceHandle::command_by`]).
//! - Its state holds up an observation: [`DeviceHandle::block_exposure`], [`DeviceHandle::bad_weather`] and their
//!   like. [`DeviceHandle::message`] writes to the observatory's log. What the library itself has to tell, as that no
//!   centrald can be reached, goes to [`tracing`]: without a subscriber, as `tracing_subscriber::fmt::init()`, nobody
//!   sees it.
//! - [`Device::run`] serves clients and keeps centralds informed until it is told to end. [`Devices`] runs several that
//!   belong together; a hundred on one thread are no burden.
//!
//! # A client
//!
//! [`client`] logs in, lists devices, reads and sets their values, follows their changes, and waits for conditions; the
//! program `rts2c` is made of it. `testing::Centrald` (feature `testing`) is a centrald in the same process, for
//! tests without an RTS2. The protocol itself, without sockets and clock, is the crate [`proto`].
//!
//! Examples: `dummy_sensor` has a value of every type, `monitor` is a small rts2-mon.

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
pub use handlers::{Caller, CallingClient, ClientLogin, Refusal};
pub use lane::MAX_WAITING_HANDLERS;
pub use messages::MAX_WAITING_MESSAGES;
pub use options::DeviceOptions;
pub use parameters::FromParameters;
pub use presets::PresetError;
pub use rts2_proto as proto;
pub use samples::MAX_SAMPLES;
pub use status::{CentraldStatus, LinkStatus, Registration};
pub use value::{Selection, Time, Value, ValueKind};
