//! Installs and removes the service.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lamon_daemon::exit;
use lamon_daemon::logging::eventlog;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceFailureActions,
    ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::{END_TIME, NAME, folder, reason};
use crate::cli::Failure;
use crate::config::{DEFAULT_KEY, DEFAULT_PATH};

/// An account of Windows that may little and has no password.
const ACCOUNT: &str = r"NT AUTHORITY\LocalService";

/// When the agent is started again after it ended by itself: soon, and then as often as systemd would.
const RESTARTS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// How long it must have run for its next end to be the first one again.
const FORGET: Duration = Duration::from_secs(3_600);

/// How often a service that is to stop is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Installs the service, or this version in the place of the one that is there, and starts it.
pub(super) fn install(config: Option<&Path>) -> Result<String, Failure> {
    let manager = manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let before = manager.open_service(NAME, ServiceAccess::ALL_ACCESS).ok();
    if let Some(service) = &before {
        stop(service)?;
    }
    let program = put_program().map_err(|(path, error)| {
        Failure(exit::UNAVAILABLE, format!("{} cannot be written: {error}", path.display()))
    })?;
    let data = Path::new(DEFAULT_KEY).parent().unwrap_or(Path::new(DEFAULT_KEY));
    folder::protect(data).map_err(|error| {
        let data = data.display();
        Failure(exit::UNAVAILABLE, format!("{data} cannot be kept from other users: {error}"))
    })?;
    let info = info(&program, config);
    let service = match before {
        Some(service) => service.change_config(&info).map(|()| service),
        None => manager.create_service(&info, ServiceAccess::ALL_ACCESS),
    };
    let service = service.map_err(|error| failed("installed", &error))?;
    let about = "Takes this computer's metrics and sends them to the hub of lamon.";
    // A system that does not know one of these still runs the service.
    let set_up = [
        ("describe it", service.set_description(about)),
        ("start it again", service.update_failure_actions(on_failure())),
        ("start it again after an error", service.set_failure_actions_on_non_crash_failures(true)),
    ];
    let refused = set_up.into_iter().filter_map(|(what, done)| {
        done.err().map(|error| format!("Windows does not {what}: {}\n", reason(&error)))
    });
    let refused: String = refused.collect();
    eventlog::register(NAME).map_err(|error| {
        Failure(exit::UNAVAILABLE, format!("the event log does not take {NAME}: {error}"))
    })?;
    service.start::<&str>(&[]).map_err(|error| failed("started", &error))?;
    Ok(format!(
        "{refused}the service {NAME} runs, now and whenever Windows does, from {}\nits configuration: {}\n",
        program.display(),
        config.unwrap_or(Path::new(DEFAULT_PATH)).display()
    ))
}

/// Stops the service and removes it.
pub(super) fn uninstall() -> Result<String, Failure> {
    let manager = manager(ServiceManagerAccess::CONNECT)?;
    let service = manager.open_service(NAME, ServiceAccess::ALL_ACCESS);
    let service = service.map_err(|error| failed("found", &error))?;
    stop(&service)?;
    service.delete().map_err(|error| failed("removed", &error))?;
    eventlog::unregister(NAME).map_err(|error| {
        Failure(exit::UNAVAILABLE, format!("{NAME} stays a source of the event log: {error}"))
    })?;
    let data = Path::new(DEFAULT_KEY).parent().unwrap_or(Path::new(DEFAULT_KEY));
    let (program, data) = (place(), data.display());
    Ok(format!("the service {NAME} is removed; {} and {data} are left\n", program.display()))
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, Failure> {
    ServiceManager::local_computer(None::<&str>, access).map_err(|error| {
        let why = reason(&error);
        Failure(exit::UNAVAILABLE, format!("Windows lets only administrators do that: {why}"))
    })
}

fn failed(what: &str, error: &windows_service::Error) -> Failure {
    Failure(exit::UNAVAILABLE, format!("the service {NAME} cannot be {what}: {}", reason(error)))
}

fn info(program: &Path, config: Option<&Path>) -> ServiceInfo {
    let mut arguments: Vec<OsString> = vec!["service".into(), "run".into()];
    if let Some(config) = config {
        arguments.extend(["--config".into(), config.into()]);
    }
    ServiceInfo {
        name: NAME.into(),
        display_name: "lamon agent".into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program.into(),
        launch_arguments: arguments,
        dependencies: Vec::new(),
        account_name: Some(ACCOUNT.into()),
        account_password: None,
    }
}

fn on_failure() -> ServiceFailureActions {
    let restart = |delay| ServiceAction { action_type: ServiceActionType::Restart, delay };
    ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(FORGET),
        reboot_msg: None,
        command: None,
        actions: Some(RESTARTS.map(restart).into()),
    }
}

/// Where the program is as a service: a folder that every account may read and only administrators write.
fn place() -> PathBuf {
    let folder = std::env::var_os("ProgramFiles").map_or_else(|| r"C:\Program Files".into(), PathBuf::from);
    folder.join("lamon").join("lamon-agent.exe")
}

/// Copies this program there, unless it is the one there.
fn put_program() -> Result<PathBuf, (PathBuf, io::Error)> {
    let place = place();
    let put = || {
        let own = std::env::current_exe()?;
        if place.exists() && fs::canonicalize(&own)? == fs::canonicalize(&place)? {
            return Ok(());
        }
        fs::create_dir_all(place.parent().unwrap_or(&place))?;
        let new = place.with_extension("new");
        fs::copy(own, &new)?;
        fs::rename(new, &place)
    };
    match put() {
        Ok(()) => Ok(place),
        Err(error) => Err((place, error)),
    }
}

/// Stops a service and waits for its end.
fn stop(service: &Service) -> Result<(), Failure> {
    let state = || service.query_status().map(|status| status.current_state);
    let until = Instant::now() + END_TIME * 2;
    let mut asked = false;
    loop {
        match state().map_err(|error| failed("looked at", &error))? {
            ServiceState::Stopped => return Ok(()),
            ServiceState::Running if !asked => {
                asked = true;
                service.stop().map_err(|error| failed("stopped", &error))?;
            }
            _ if Instant::now() >= until => {
                return Err(Failure(exit::UNAVAILABLE, format!("the service {NAME} does not stop")));
            }
            _ => sleep(LOOK_AGAIN),
        }
    }
}
