//! Several devices of one program: many on one thread, and two programs that want the same names.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod common;

use common::{options, patiently, real, start};
use rts2dev::client::Client;
use rts2dev::proto::SetOp;
use rts2dev::testing::Centrald;
use rts2dev::{
    CentraldStatus, Device, DeviceHandle, DeviceOptions, Devices, PresetError, Registration, RunError,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Devices of one program, which end with this.
struct Program {
    handles: Vec<DeviceHandle>,
    ports: Vec<u16>,
    end: CancellationToken,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

impl Program {
    /// The first name is the primary device's.
    async fn start(names: &[&str], centralds: &[String]) -> Self {
        let (mut handles, mut ports) = (Vec::new(), Vec::new());
        let mut devices: Option<Devices> = None;
        for name in names {
            let device = Device::new(options(name, centralds)).unwrap();
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            handles.push(device.handle());
            ports.push(listener.local_addr().unwrap().port());
            match &mut devices {
                None => devices = Some(Devices::new(device, listener)),
                Some(devices) => devices.add(device, listener),
            }
        }
        let end = CancellationToken::new();
        tokio::spawn(devices.unwrap().run(end.clone()));
        Self { handles, ports, end }
    }

    /// Waits until every device has this registration with its centrald of that place.
    async fn all(&self, centrald: usize, wanted: impl Fn(Registration) -> bool) {
        for handle in &self.handles {
            let mut status = handle.centrald_status();
            let reached = |status: &CentraldStatus| wanted(status.links[centrald].registration);
            patiently(status.wait_for(reached)).await.unwrap();
        }
    }
}

fn registered(registration: Registration) -> bool {
    matches!(registration, Registration::Registered { .. })
}

fn stands_by(registration: Registration) -> bool {
    registration == Registration::StandBy
}

const NAMES: [&str; 3] = ["NODES", "NODES_CCD", "NODES_DOME"];

/// Of two programs one has all names, and the other takes them over; neither has any while a stranger has the first.
async fn two_programs(address: &str) {
    let address = [address.to_owned()];
    let stranger = start(options("NODES", &address), |_| {}).await;
    patiently(stranger.handle.centrald_status().wait_for(CentraldStatus::is_registered)).await.unwrap();
    let first = Program::start(&NAMES, &address).await;
    first.all(0, stands_by).await;
    let mut client = Client::login(&address[0], "obs", "test").await.unwrap();
    let names = |client: &Client| client.devices().into_iter().map(|device| device.name).collect::<Vec<_>>();
    assert_eq!(names(&client), ["NODES"], "the names of the others are free, and stay so");
    drop(stranger);
    first.all(0, registered).await;
    let second = Program::start(&NAMES, &address).await;
    second.all(0, stands_by).await;
    drop(first);
    second.all(0, registered).await;
    let ports = |client: &Client| client.devices().into_iter().map(|device| device.port).collect::<Vec<_>>();
    patiently(async {
        while !second.ports.iter().all(|port| ports(&client).contains(port)) {
            client.changed().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_programs_one_has_all_names() {
    let centrald = Centrald::start().await.unwrap();
    two_programs(&centrald.address().to_string()).await;
}

#[tokio::test]
async fn of_two_programs_one_has_all_names_under_the_real_centrald() {
    let Some(bindir) = real::bindir() else { return };
    let folder = tempfile::tempdir().unwrap();
    let centrald = real::Program::centrald(&bindir, folder.path()).await;
    two_programs(&format!("127.0.0.1:{}", centrald.port)).await;
    centrald.stop().await;
}

#[tokio::test]
async fn where_the_primarys_name_is_taken_the_others_stay_away() {
    let one = Centrald::start().await.unwrap();
    let two = Centrald::start().await.unwrap();
    let addresses = [one.address().to_string(), two.address().to_string()];
    let stranger = start(options("NODES", &addresses[..1]), |_| {}).await;
    patiently(one.registered("NODES")).await;
    let program = Program::start(&NAMES, &addresses).await;
    // Each centrald on its own.
    program.all(0, stands_by).await;
    program.all(1, registered).await;
    assert_eq!(one.devices().len(), 1, "the others' names are free, and stay so");
    assert_eq!(two.devices().len(), 3);
    drop(stranger);
    program.all(0, registered).await;
    assert_eq!(one.devices().len(), 3);
    // When the primary device loses its place, the others leave theirs.
    one.stop();
    program.all(0, |registration| registration == Registration::Disconnected).await;
    program.all(1, registered).await;
}

#[tokio::test]
async fn one_that_cannot_run_ends_them_all() {
    let listener = || TcpListener::bind(("127.0.0.1", 0));
    let mut devices = Devices::new(Device::new(options("A", &[])).unwrap(), listener().await.unwrap());
    let bad = DeviceOptions { initial: vec![("nosuch".into(), "1".into())], ..options("B", &[]) };
    devices.add(Device::new(bad).unwrap(), listener().await.unwrap());
    let error = patiently(devices.run(CancellationToken::new())).await.unwrap_err();
    assert_eq!(error.name.as_str(), "B");
    assert!(matches!(error.source, RunError::Preset(PresetError { .. })));
}

#[tokio::test]
async fn a_hundred_devices_on_one_thread() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address().to_string();
    let names: Vec<String> = (0..100).map(|number| format!("D{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let program = Program::start(&names, std::slice::from_ref(&address)).await;
    for (handle, number) in program.handles.iter().zip(0..) {
        for value in 0..50 {
            let declared =
                handle.integer(&format!("value_{value}"), "x").initial(number).writable().declare();
            declared.unwrap();
        }
    }
    program.all(0, registered).await;
    assert_eq!(centrald.devices().len(), 100);
    let client = Client::login(&address, "obs", "test").await.unwrap();
    for number in [0, 57, 99] {
        let device = client.device(&format!("D{number}")).await.unwrap();
        assert_eq!(device.value("value_49").unwrap().text(), number.to_string());
        assert_eq!(device.set("value_0", SetOp::Add, "1").await.unwrap().to_string(), "+0 OK");
        assert_eq!(device.value("value_0").unwrap().text(), (number + 1).to_string());
    }
    assert_eq!(patiently(client.command("status_info")).await.unwrap().code, 0);
}
