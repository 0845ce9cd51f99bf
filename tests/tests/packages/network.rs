//! Computers on one network: namespaces of the kernel, joined by a wire.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd as _;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A computer's network; it is gone with this.
pub(crate) struct Host {
    /// The namespace.
    name: String,
    /// Its address on the wire.
    address: &'static str,
}

/// The two ends of the wire, in addresses that are nobody's (RFC 5737); the first is the hub's.
pub(crate) const ADDRESSES: [&str; 2] = ["192.0.2.1", "192.0.2.2"];

/// Two computers that reach each other, and nobody else.
pub(crate) fn wire() -> [Host; 2] {
    sweep();
    let own = std::process::id();
    let hosts = ADDRESSES.map(|address| {
        let host = Host { name: format!("lamon-{own}-{}", address.rsplit('.').next().unwrap()), address };
        ip(&["netns", "add", &host.name]);
        ip(&["-n", &host.name, "link", "set", "lo", "up"]);
        host
    });
    let [one, other] = &hosts;
    ip(&[
        "-n",
        &one.name,
        "link",
        "add",
        "wire",
        "type",
        "veth",
        "peer",
        "name",
        "wire",
        "netns",
        &other.name,
    ]);
    for host in &hosts {
        ip(&["-n", &host.name, "addr", "add", &format!("{}/30", host.address), "dev", "wire"]);
        ip(&["-n", &host.name, "link", "set", "wire", "up"]);
    }
    hosts
}

/// Takes away what a run that was killed left.
fn sweep() {
    let Ok(names) = std::fs::read_dir("/run/netns") else { return };
    for name in names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        let mut parts = name.split('-');
        if let (Some("lamon"), Some(id), Some(_)) = (parts.next(), parts.next(), parts.next())
            && is_gone(id)
        {
            ip(&["netns", "del", &name]);
        }
    }
}

/// Whether the process of this number has ended.
pub(crate) fn is_gone(id: &str) -> bool {
    id.parse::<u32>().is_ok() && !std::path::Path::new("/proc").join(id).exists()
}

impl Host {
    /// A command of this computer in that network.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("/usr/sbin/ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// A socket of this program that listens there, for this computer alone.
    pub(crate) fn listen(&self, port: u16) -> TcpListener {
        let space = File::open(format!("/run/netns/{}", self.name)).unwrap();
        // The thread goes over into that network and ends with it; the socket stays where it was made.
        let listener = std::thread::spawn(move || {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
        });
        listener.join().unwrap()
    }

    /// Every address and port that somebody listens on, `127.0.0.1:7617`, and every open port of UDP, `udp …`, sorted.
    pub(crate) fn listening(&self) -> Vec<(String, u16)> {
        let output = self.command("ss").args(["-Hltun"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut found: Vec<(String, u16)> = text
            .lines()
            .map(|line| {
                let columns: Vec<&str> = line.split_whitespace().collect();
                let (address, port) = columns[4].rsplit_once(':').unwrap();
                let protocol = if columns[0] == "tcp" { "" } else { "udp " };
                (format!("{protocol}{address}"), port.parse().unwrap())
            })
            .collect();
        found.sort();
        found
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = Command::new("/usr/sbin/ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(arguments: &[&str]) {
    let status = Command::new("/usr/sbin/ip").args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "ip {}", arguments.join(" "));
}
