//! The real rts2-camd-dummy: run by rts2-scriptexec, where our sensor blocks an exposure and stands in the image, and
//! run by our client, which takes an image as it comes.

use std::path::Path;
use std::process::Stdio;

use rts2dev::client::{Condition, Follower, ImageNews, Login};
use rts2dev::proto::{DeviceState, DisplayType};
use tokio::process::{Child, Command};

use crate::common::real::Program;
use crate::common::{PATIENCE, patiently};
use crate::world::{Observatory, World, client_preload, until};

/// A camera C0 of 100 times 80 pixels.
async fn camera(bindir: &Path, observatory: &Observatory) -> Program {
    let server = observatory.address();
    let size = ["--width", "100", "--height", "80"];
    let arguments = [&["-d", "C0", "--server", &server, "--localhost", "127.0.0.1"][..], &size].concat();
    Program::start(bindir, "rts2-camd-dummy", observatory.folder(), &arguments).await
}

/// Takes one image with C0 into `one.fits` of the observatory's folder.
fn scriptexec(bindir: &Path, observatory: &Observatory) -> Child {
    let mut command = Command::new(bindir.join("rts2-scriptexec"));
    command.args(["--server", "127.0.0.1", "--port", &observatory.port().to_string(), "--config"]);
    command.arg(observatory.folder().join("rts2.ini"));
    command.args(["-d", "C0", "-s", "E 0.1", "-o", "one.fits"]).current_dir(observatory.folder());
    command.env("LD_PRELOAD", client_preload().unwrap()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The cards of a FITS file's first header: 80 bytes each, up to END.
fn cards(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let cards = bytes.chunks_exact(80).map(|card| String::from_utf8_lossy(card).trim_end().to_owned());
    cards.take_while(|card| card != "END").collect()
}

pub(crate) async fn our_sensor_blocks_an_exposure_and_is_in_its_image(world: &World) {
    let World::Real(bindir) = world else { panic!("there is no camera of ours") };
    let observatory = world.observatory().await;
    let sensor = observatory
        .device("NODES", |h| {
            let load = h.double("ccd01_cpu", "[%] CPU of ccd01").display(DisplayType::Percent);
            load.initial(12.5).fits().declare().unwrap();
            h.double("not_in_fits", "x").initial(1.0).declare().unwrap();
        })
        .await;
    let _camera = camera(bindir, &observatory).await;
    let mut client = observatory.client().await;
    until(&mut client, |client| client.devices().iter().any(|device| device.name == "C0")).await;
    let mut camera = patiently(client.device("C0")).await.unwrap();
    sensor.handle.set_state(DeviceState::BOP_EXPOSURE, "ccd01 lost");
    let blocked = |bop: DeviceState| bop.contains(DeviceState::BOP_EXPOSURE);
    patiently(async {
        while !blocked(camera.bop()) {
            camera.changed().await.unwrap();
        }
    })
    .await;
    let mut script = scriptexec(bindir, &observatory);
    // It logs in, asks for every device's state, and waits: the camera does not begin.
    until(&mut client, |client| client.clients().len() >= 2).await;
    let image = observatory.folder().join("one.fits");
    let exposing = DeviceState::from_bits_retain(1);
    let early = tokio::time::timeout(std::time::Duration::from_secs(3), async {
        while !camera.state().intersects(exposing) {
            camera.changed().await.unwrap();
        }
    });
    assert!(early.await.is_err(), "it exposed while it was blocked");
    assert!(!image.exists());
    sensor.handle.set_state(DeviceState::empty(), "ccd01 back");
    let status = patiently(script.wait()).await.unwrap();
    assert!(status.success(), "{status}");
    let cards = cards(&image);
    let card =
        cards.iter().find(|card| card.contains("NODES.CCD01_CPU")).unwrap_or_else(|| panic!("{cards:#?}"));
    assert_eq!(card, "HIERARCH NODES.CCD01_CPU = 12.5 / [%] CPU of ccd01");
    assert!(!cards.iter().any(|card| card.contains("NOT_IN_FITS")));
}

pub(crate) async fn our_client_takes_an_image(world: &World) {
    let World::Real(bindir) = world else { panic!("there is no camera of ours") };
    let observatory = world.observatory().await;
    let _camera = camera(bindir, &observatory).await;
    let centrald = observatory.address();
    let login = Login { centrald, user: "observer".to_owned(), program: "suite".to_owned() };
    let mut follower = Follower::new(login, "C0");
    let present: Condition = "C0 present".parse().unwrap();
    patiently(follower.wait(&present, |_| {})).await.unwrap();
    let camera = follower.device().unwrap();
    let mut images = camera.images().await.unwrap();
    assert_eq!(camera.set_to("exposure", 0.1).await.unwrap().to_string(), "+0 OK");
    assert_eq!(camera.command("expose").await.unwrap().to_string(), "+0 OK");
    let (mut announced, mut taken) = (0, 0);
    patiently(async {
        while let Some(news) = images.next().await {
            match news {
                ImageNews::Begun { sizes, .. } => announced = sizes.iter().sum(),
                ImageNews::Bytes { bytes, complete, .. } => {
                    taken += bytes.len();
                    if complete {
                        return;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    // A header of 44 bytes, and two for each pixel.
    assert_eq!((announced, taken), (16_044, 16_044));
    // What came behind the image is lines again.
    let done: Condition = "C0.exposure_num == 1".parse().unwrap();
    camera.wait(&done, PATIENCE).await.unwrap();
    assert_eq!(camera.command("info").await.unwrap().to_string(), "+0 OK");
}
