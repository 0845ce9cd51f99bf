//! `lamon-agent service`: the agent as a service of Windows, installed, removed and run.
//!
//! The system starts the program with `service run`, and calls back on a thread of its own; there the daemon runs until the
//! system says stop. What it logs goes to the event log, since a service has no terminal.

pub(crate) mod folder;
mod install;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lamon_daemon::exit;
use lamon_daemon::logging::{self, LogLevel, LogTarget};
use tokio_util::sync::CancellationToken;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::service_dispatcher;

use crate::cli::{self, Failure, Options};
use crate::config::DEFAULT_PATH;

/// The name of the service, and of the source of its events.
const NAME: &str = "lamon-agent";

/// How long the end may take, as it is told to the system: the flush of the daemon, and the spool.
const END_TIME: Duration = Duration::from_secs(10);

/// What `run` was given, for the function that the system calls, which is told nothing.
static GIVEN: Mutex<Option<Options>> = Mutex::new(None);

/// What is to be done with the service.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Put the program into its place, C:\Program Files\lamon, and start it with Windows; also for a new version
    ///
    /// Needs an administrator. The configuration, the key and the hubs are in C:\ProgramData\lamon, which only
    /// administrators, the system and its service accounts read then.
    Install,
    /// Stop the service and remove it; configuration, key and program stay
    Uninstall,
    /// What Windows starts; not for people
    Run,
}

/// Does it; what is to be said about it is returned.
pub(crate) fn act(action: Action, options: Options) -> Result<String, Failure> {
    match action {
        Action::Install if options.says_more() => Err(Failure(
            exit::USAGE,
            format!("the service takes --config alone: write the rest into {DEFAULT_PATH}"),
        )),
        Action::Install => install::install(options.config()),
        Action::Uninstall => install::uninstall(),
        Action::Run => {
            *GIVEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(options);
            let ran = service_dispatcher::start(NAME, begin);
            let only = "only Windows starts it so: say lamon-agent service install, or lamon-agent alone to run in this window";
            ran.map(|()| String::new())
                .map_err(|error| Failure(exit::USAGE, format!("{only} ({})", reason(&error))))
        }
    }
}

/// What the system calls when it starts the service.
extern "system" fn begin(_count: u32, _arguments: *mut *mut u16) {
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let control = move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            stop.cancel();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    // Without it nobody can be told anything.
    let Ok(handle) = service_control_handler::register(NAME, control) else { return };
    tell(handle, ServiceState::Running, ServiceExitCode::NO_ERROR);
    let given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).take();
    let code = match given.map(|options| serve(options, handle, shutdown)) {
        Some(Err(Failure(code, _))) => ServiceExitCode::ServiceSpecific(code.into()),
        Some(Ok(())) | None => ServiceExitCode::NO_ERROR,
    };
    tell(handle, ServiceState::Stopped, code);
}

/// Runs the daemon. What ends it stands in the event log, too.
fn serve(options: Options, handle: ServiceStatusHandle, shutdown: CancellationToken) -> Result<(), Failure> {
    let applied = options.apply();
    let logs = |level, target| logging::start(NAME, level, target);
    let _logs = match &applied {
        Ok((config, _)) => logs(config.log, config.log_to),
        Err(_) => logs(LogLevel::default(), LogTarget::default()),
    };
    let served = applied.and_then(|(config, node)| {
        tracing::info!("{NAME} {} runs as a service", lamon_daemon::VERSION);
        cli::serve(cli::runtime()?, config, node, || Ok(shutdown))
    });
    tell(handle, ServiceState::StopPending, ServiceExitCode::NO_ERROR);
    if let Err(Failure(_, why)) = &served {
        tracing::error!("{why}");
    }
    served
}

/// Tells the system how the service is. A system that does not take it is one that ends.
fn tell(handle: ServiceStatusHandle, state: ServiceState, exit_code: ServiceExitCode) {
    let running = state == ServiceState::Running;
    let accepts = ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN;
    let _ = handle.set_service_status(ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: if running { accepts } else { ServiceControlAccept::empty() },
        exit_code,
        checkpoint: 0,
        wait_hint: if state == ServiceState::StopPending { END_TIME } else { Duration::ZERO },
        process_id: None,
    });
}

/// What the system said, where the library only says that it said something.
fn reason(error: &windows_service::Error) -> String {
    match error {
        windows_service::Error::Winapi(error) => error.to_string(),
        other => other.to_string(),
    }
}
