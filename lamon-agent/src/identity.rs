//! Who this node is: its host name, its operating system, its boot.

use lamon_wire::hello::MAX_TEXT_BYTES;
use lamon_wire::names::{NameError, NodeName};

/// The node's name as its host name makes it.
///
/// # Errors
///
/// [`NameError`] when no node name can be made of the host name.
pub fn host_node() -> Result<NodeName, NameError> {
    NodeName::from_host(&host_name())
}

/// The operating system in a few words, at most [`MAX_TEXT_BYTES`].
#[must_use]
pub fn operating_system() -> String {
    let mut name = os_name();
    name.truncate(name.floor_char_boundary(MAX_TEXT_BYTES));
    name
}

#[cfg(target_os = "linux")]
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(windows)]
fn host_name() -> String {
    let name = windows::text(r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "Hostname");
    // The other name of a computer, of 15 characters at most.
    name.or_else(|| winsafe::GetComputerName().ok()).unwrap_or_default()
}

#[cfg(not(any(target_os = "linux", windows)))]
fn host_name() -> String {
    sysinfo::System::host_name().unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn os_name() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    pretty_name(&release).unwrap_or_else(|| {
        let uname = rustix::system::uname();
        format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy())
    })
}

#[cfg(windows)]
fn os_name() -> String {
    const KEY: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    let value = |name| windows::text(KEY, name);
    windows_name(value("ProductName"), value("CurrentBuildNumber"))
}

/// `Windows 11 Pro (build 22631)`: the registry calls Windows 11 by the name of 10.
#[cfg(any(test, windows))]
fn windows_name(product: Option<String>, build: Option<String>) -> String {
    /// The first build of Windows 11.
    const ELEVEN: u32 = 22_000;

    let product = product.unwrap_or_else(|| "Windows".into());
    let Some(build) = build else { return product };
    let is_eleven = build.parse().is_ok_and(|build: u32| build >= ELEVEN);
    let product = if is_eleven { product.replace("Windows 10", "Windows 11") } else { product };
    format!("{product} (build {build})")
}

#[cfg(not(any(target_os = "linux", windows)))]
fn os_name() -> String {
    sysinfo::System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.into())
}

/// `PRETTY_NAME` of an os-release(5) file.
#[cfg(target_os = "linux")]
fn pretty_name(release: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let name = value.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.into())
}

/// Sixteen bytes that change at each boot and only then.
#[must_use]
#[cfg(target_os = "linux")]
pub fn boot_id() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    parse_uuid(&text)
}

/// Sixteen bytes that change at each boot and only then. The time of the boot, which is there as well, is moved by whoever sets the
/// clock.
#[must_use]
#[cfg(target_os = "macos")]
pub fn boot_id() -> [u8; 16] {
    let mut command = std::process::Command::new("/usr/sbin/sysctl");
    let said = command.args(["-n", "kern.bootsessionuuid"]).stdin(std::process::Stdio::null()).output();
    let id = said.map(|output| parse_uuid(&String::from_utf8_lossy(&output.stdout))).unwrap_or_default();
    if id == [0; 16] { boot_time() } else { id }
}

/// Sixteen bytes that change at each boot and only then: the time of the boot.
#[must_use]
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub fn boot_id() -> [u8; 16] {
    boot_time()
}

#[cfg(not(any(target_os = "linux", windows)))]
fn boot_time() -> [u8; 16] {
    u128::from(sysinfo::System::boot_time().unwrap_or_default()).to_be_bytes()
}

/// Sixteen bytes that change at each boot and only then: the number of the boot, and when Windows was last shut down, by
/// which computers that were copied from one another differ. Where the registry has neither, the time of the boot to
/// some minutes: it moves when the clock is set.
#[must_use]
#[cfg(windows)]
pub fn boot_id() -> [u8; 16] {
    const NUMBER: (&str, &str) =
        (r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters", "BootId");
    const SHUTDOWN: (&str, &str) = (r"SYSTEM\CurrentControlSet\Control\Windows", "ShutdownTime");

    let (number, shutdown) = (windows::bytes(NUMBER), windows::bytes(SHUTDOWN));
    if number.is_none() && shutdown.is_none() {
        let now = crate::clock::Now::read();
        let minutes =
            now.wall_ms().saturating_sub_unsigned(now.monotonic_ms()).saturating_add(150_000) / 300_000;
        return i128::from(minutes).to_be_bytes();
    }
    let mut bytes = number.into_iter().flatten().chain(shutdown.into_iter().flatten());
    [(); 16].map(|()| bytes.next().unwrap_or(0))
}

/// What the registry of Windows says.
#[cfg(windows)]
mod windows {
    use winsafe::{HKEY, RegistryValue, co};

    fn value(key: &str, name: &str) -> Option<RegistryValue> {
        HKEY::LOCAL_MACHINE.RegGetValue(Some(key), Some(name), co::RRF::RT_ANY).ok()
    }

    pub(super) fn text(key: &str, name: &str) -> Option<String> {
        match value(key, name) {
            Some(RegistryValue::Sz(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn bytes((key, name): (&str, &str)) -> Option<Vec<u8>> {
        match value(key, name) {
            Some(RegistryValue::Dword(number)) => Some(number.to_be_bytes().into()),
            Some(RegistryValue::Binary(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// The bytes of a UUID; zeroes where a digit is missing.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn parse_uuid(text: &str) -> [u8; 16] {
    let mut digits = text.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok());
    [(); 16].map(|()| {
        let (high, low) = (digits.next().unwrap_or(0), digits.next().unwrap_or(0));
        high << 4 | low
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_boot_has_an_id() {
        let id =
            [0xfd, 0x94, 0x0d, 0x66, 0x14, 0x12, 0x40, 0x5e, 0x99, 0x5c, 0x22, 0x04, 0xfe, 0x9c, 0xa6, 0x79];
        assert_eq!(parse_uuid("fd940d66-1412-405e-995c-2204fe9ca679\n"), id);
        assert_eq!(parse_uuid(""), [0; 16]);
        assert_ne!(boot_id(), [0; 16]);
        assert_eq!(boot_id(), boot_id());
    }

    #[test]
    fn windows_has_the_name_that_people_know() {
        for (product, build, name) in [
            (Some("Windows 10 Pro"), Some("19045"), "Windows 10 Pro (build 19045)"),
            (Some("Windows 10 Pro"), Some("22631"), "Windows 11 Pro (build 22631)"),
            (
                Some("Windows Server 2022 Standard"),
                Some("20348"),
                "Windows Server 2022 Standard (build 20348)",
            ),
            (None, None, "Windows"),
        ] {
            assert_eq!(windows_name(product.map(Into::into), build.map(Into::into)), name);
        }
    }

    #[test]
    fn a_system_has_a_name() {
        for (release, name) in [
            (
                "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
                Some("Debian GNU/Linux 12 (bookworm)"),
            ),
            ("PRETTY_NAME=Alpine\n", Some("Alpine")),
            ("PRETTY_NAME=\"\"\n", None),
            ("", None),
        ] {
            assert_eq!(pretty_name(release).as_deref(), name, "{release:?}");
        }
        assert!((1..=MAX_TEXT_BYTES).contains(&operating_system().len()));
    }
}
