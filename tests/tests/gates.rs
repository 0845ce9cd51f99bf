//! Gates end to end: what levels of nodes do to an observatory. Where `RTS2_BINDIR` names the folder of the real RTS2's programs,
//! a real camera waits for a real script.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lamon_tests::camera::{Camera, Script, clients_can_run};
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::rts2::{self, RealCentrald, real_programs};
use lamon_tests::text::say;
use lamon_tests::wait::{eventually, patiently};
use rts2dev::client::Client;
use rts2dev::proto::{DeviceState, Level};
use rts2dev::testing::Centrald;
use tokio::net::TcpListener;

const GROUPS: &str = "[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]\n";
const CCD: &str = "[[gate]]\nname = \"ccd_disk\"\nnodes = [\"@ccd\"]\nmetrics = [\"disk_percent\"]\nblock = [\"exposure\"]\n";
const DOOR: &str =
    "[[gate]]\nname = \"door\"\nnodes = [\"door\"]\nbad_weather = true\nblock = [\"telescope\"]\n";

/// A sample of a node that is not missed for half an hour.
async fn disk(hub: &Hub, node: &str, percent: u32) {
    let line = format!("node={node} disk_percent={percent} interval=600");
    assert_eq!(say(hub.address(), &line).await.ok().as_deref(), Some("ok"));
}

async fn state(centrald: &Centrald, device: &str, wanted: DeviceState) {
    let what = format!("{device} with the state {wanted}");
    let blocked = centrald.wait_for(|centrald| {
        centrald.device_state(device).is_some_and(|state| state.intersection(DeviceState::all()) == wanted)
    });
    patiently(&what, blocked).await;
}

/// Waits until the file of levels knows of an error: what a hub that is killed now would come back with.
async fn levels_are_stored(hub: &Hub) {
    let file = hub.data_dir().join("levels.json");
    eventually("the level on disk", || async {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("\"error\"")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_device_of_the_group_blocks_and_frees_and_the_values_say_why() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).with(GROUPS).with(CCD).start();
    disk(&hub, "ccd01", 97).await;
    state(&centrald, "NODES_CCD", DeviceState::BOP_EXPOSURE).await;
    state(&centrald, "NODES", DeviceState::empty()).await;
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    let gate = rts2::value(&mut nodes, "ccd_disk_gate", |value| value.text() == "closed").await;
    assert_eq!(gate.level(), Level::Error);
    rts2::value(&mut nodes, "blocking", |value| {
        value.text() == "blocks exposure (gate ccd_disk): ccd01 disk_percent 97 > 90"
    })
    .await;
    let said = centrald.wait_for(|centrald| {
        centrald.messages().iter().any(|line| line.contains("gate ccd_disk closed and blocks exposure"))
    });
    patiently("a message of the gate", said).await;
    disk(&hub, "ccd01", 50).await;
    state(&centrald, "NODES_CCD", DeviceState::empty()).await;
    rts2::value(&mut nodes, "ccd_disk_gate", |value| value.text() == "open").await;
    rts2::value(&mut nodes, "blocking", |value| value.text().is_empty() && value.level() == Level::Good)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_weather_has_its_reason_and_is_told_to_a_centrald_that_was_restarted() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address();
    let hub = Hub::sensord().under(address).with(DOOR).start();
    disk(&hub, "door", 97).await;
    let both = DeviceState::BAD_WEATHER | DeviceState::BOP_TEL_MOVE;
    state(&centrald, "NODES", both).await;
    patiently("bad weather", bad_weather(address, "(gate door): door disk_percent 97 > 90")).await.unwrap();
    centrald.stop();
    drop(centrald);
    let listener = eventually("the port again", || async { TcpListener::bind(address).await.ok() }).await;
    let centrald = Centrald::start_on(listener, |_| {}).unwrap();
    state(&centrald, "NODES", both).await;
    patiently("bad weather again", bad_weather(address, "(gate door): door disk_percent 97 > 90"))
        .await
        .unwrap();
    assert!(centrald.state().contains(DeviceState::BAD_WEATHER));
    disk(&hub, "door", 10).await;
    state(&centrald, "NODES", DeviceState::empty()).await;
    patiently("no reason", bad_weather(address, "")).await.unwrap();
}

/// Waits until centrald shows this as the reason of bad weather.
async fn bad_weather(centrald: SocketAddr, reason: &str) -> anyhow::Result<()> {
    let mut client = Client::login(&centrald.to_string(), "test", "lamon-tests").await?;
    while client.value("bad_weather_reason").is_none_or(|value| value.text() != reason) {
        client.changed().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_goes_with_the_hub_and_is_back_with_it_from_its_stored_levels() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).layout("single").with(GROUPS).with(CCD).start();
    disk(&hub, "ccd01", 97).await;
    state(&centrald, "NODES", DeviceState::BOP_EXPOSURE).await;
    levels_are_stored(&hub).await;
    let builder = hub.crash();
    let gone = centrald.wait_for(|centrald| centrald.device_state("NODES").is_none());
    patiently("the block gone with its device", gone).await;
    let hub = builder.start();
    state(&centrald, "NODES", DeviceState::BOP_EXPOSURE).await;
    disk(&hub, "ccd01", 50).await;
    state(&centrald, "NODES", DeviceState::empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_override_opens_a_gate_outlives_a_crash_and_is_released() {
    let centrald = Centrald::start().await.unwrap();
    let shadow = CCD.replace("ccd_disk", "shade") + "shadow = true\n";
    let hub = Hub::sensord()
        .under(centrald.address())
        .layout("single")
        .with(GROUPS)
        .with(CCD)
        .with(&shadow)
        .start();
    disk(&hub, "ccd01", 97).await;
    state(&centrald, "NODES", DeviceState::BOP_EXPOSURE).await;
    let ask = |line: &str| lamon(hub.control(), line);
    let status = ask("status").out;
    assert!(
        status.contains("blocked: gate ccd_disk blocks exposure: ccd01 disk_percent 97 > 90"),
        "{status}"
    );
    let gates: serde_json::Value = serde_json::from_str(&ask("--json gates").out).unwrap();
    let [closed, shade] = [&gates["gates"]["gates"][0], &gates["gates"]["gates"][1]];
    assert_eq!(
        (closed["position"].as_str(), closed["closed"].as_u64()),
        (Some("closed"), Some(1)),
        "{gates}"
    );
    assert_eq!(shade["position"], "would_close", "{gates}");
    let why = ask("explain ccd01 disk_percent").out;
    assert!(why.contains("gate ccd_disk blocks exposure while any of @ccd is at error or silent by disk_percent; it is closed, and counts it"), "{why}");
    for (line, code, said) in [
        ("override dusk --for 1h -m x", 1, "there is no gate \"dusk\" (gates: ccd_disk, shade)"),
        ("override ccd_disk --for 8d -m x", 1, "within 7 days"),
        ("override ccd_disk -m x", 2, "--for"),
        ("release ccd_disk", 1, "nobody overrides gate"),
    ] {
        let refused = ask(line);
        assert_eq!(refused.code, Some(code), "{line}: {refused:?}");
        assert!(refused.err.contains(said), "{line}: {refused:?}");
    }
    let done = ask("--who wang override ccd_disk --for 2h -m supernova");
    assert!(done.out.starts_with("gate ccd_disk blocks nothing until 20"), "{done:?}");
    state(&centrald, "NODES", DeviceState::empty()).await;
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    rts2::value(&mut nodes, "overrides", |value| {
        value.text().contains("ccd_disk until") && value.text().contains("wang")
    })
    .await;
    rts2::value(&mut nodes, "ccd_disk_gate", |value| value.text() == "would_close").await;
    levels_are_stored(&hub).await;

    let hub = hub.crash().start();
    hub.says("gate ccd_disk would have closed (overridden by wang");
    let ask = |line: &str| lamon(hub.control(), line);
    assert!(ask("settings").out.contains("supernova"));
    assert_eq!(ask("release ccd_disk").code, Some(0));
    state(&centrald, "NODES", DeviceState::BOP_EXPOSURE).await;
    // The same from RTS2, by whoever may.
    let nodes = rts2::device(centrald.address(), "NODES").await;
    let answer = nodes.command("override ccd_disk 3600 \"supernova\" wang").await.unwrap().to_string();
    assert!(answer.starts_with("+0"), "{answer}");
    state(&centrald, "NODES", DeviceState::empty()).await;
    let answer = nodes.command("release ccd_disk").await.unwrap().to_string();
    assert!(answer.starts_with("+0"), "{answer}");
    state(&centrald, "NODES", DeviceState::BOP_EXPOSURE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_stands_while_a_node_is_forgotten() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).layout("single").with(GROUPS).with(CCD).start();
    assert_eq!(say(hub.address(), "node=lamp disk_percent=1 interval=1").await.unwrap(), "ok");
    disk(&hub, "ccd01", 97).await;
    state(&centrald, "NODES", DeviceState::BOP_EXPOSURE).await;
    hub.says("lamp is silent");
    assert_eq!(lamon(hub.control(), "forget lamp").code, Some(0));
    // They register anew without it two seconds later, with whatever comes then; but not while they block something.
    let forgotten = Instant::now();
    while forgotten.elapsed() < Duration::from_secs(3) {
        disk(&hub, "door", 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    disk(&hub, "ccd01", 50).await;
    hub.says("the RTS2 devices register anew");
    let log = hub.log();
    let line = |words: &str| log.iter().position(|line| line.contains(words));
    assert!(
        line("gate ccd_disk opened").is_some_and(|opened| Some(opened) < line("register anew")),
        "{log:#?}"
    );
    centrald.registered("NODES").await;
}

/// The real centrald and its camera, or a line that says that there is none.
#[expect(clippy::print_stdout, reason = "what is not tested is said")]
async fn real_camera() -> anyhow::Result<Option<(RealCentrald, Camera)>> {
    let Some(programs) = real_programs().filter(|_| clients_can_run()) else {
        println!("RTS2_BINDIR or RTS2_CLIENT_PRELOAD is not set: no real camera waits for a gate");
        return Ok(None);
    };
    let centrald = RealCentrald::start(&programs).await?;
    let camera = Camera::start(&centrald).await?;
    Ok(Some((centrald, camera)))
}

/// A script that has logged in and waits: the camera does not begin.
async fn waiting_script(centrald: &RealCentrald, camera: &mut Camera, image: &str) -> anyhow::Result<Script> {
    /// A script that is not held up exposes within a tenth of it.
    const WHILE: Duration = Duration::from_secs(3);
    let mut client = Client::login(&centrald.address().to_string(), "test", "lamon-tests").await?;
    let before = client.clients().len();
    let script = Script::start(centrald, image)?;
    let logged_in = async {
        while client.clients().len() <= before {
            client.changed().await?;
        }
        anyhow::Ok(())
    };
    patiently("the script logged in", logged_in).await?;
    assert!(tokio::time::timeout(WHILE, camera.exposes()).await.is_err(), "it exposed while it was blocked");
    assert!(!script.image().exists());
    Ok(script)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_exposure_waits_for_a_node_and_does_not_wait_for_a_hub_that_is_gone() {
    let Some((centrald, mut camera)) = real_camera().await.unwrap() else { return };
    let hub = Hub::sensord().under(centrald.address()).with(GROUPS).with(CCD).start();
    disk(&hub, "ccd01", 97).await;
    camera.is_blocked(true).await;
    let script = waiting_script(&centrald, &mut camera, "one.fits").await.unwrap();
    let recovered = Instant::now();
    disk(&hub, "ccd01", 50).await;
    camera.exposes().await;
    println!("the exposure began {:?} after the node was well", recovered.elapsed());
    script.finish().unwrap();

    disk(&hub, "ccd01", 97).await;
    camera.is_blocked(true).await;
    levels_are_stored(&hub).await;
    let script = waiting_script(&centrald, &mut camera, "two.fits").await.unwrap();
    let killed = Instant::now();
    let builder = hub.crash();
    camera.is_blocked(false).await;
    println!("the block was gone {:?} after the hub was killed", killed.elapsed());
    script.finish().unwrap();

    let started = Instant::now();
    let hub = builder.start();
    camera.is_blocked(true).await;
    println!("it was back {:?} after the hub was started", started.elapsed());
    let script = waiting_script(&centrald, &mut camera, "three.fits").await.unwrap();
    disk(&hub, "ccd01", 50).await;
    script.finish().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_weather_has_its_reason_under_the_real_centrald() {
    let Some((centrald, _camera)) = real_camera().await.unwrap() else { return };
    let hub = Hub::sensord().under(centrald.address()).with(DOOR).start();
    disk(&hub, "door", 97).await;
    patiently("bad weather", bad_weather(centrald.address(), "(gate door): door disk_percent 97 > 90"))
        .await
        .unwrap();
    disk(&hub, "door", 10).await;
    patiently("no reason", bad_weather(centrald.address(), "")).await.unwrap();
}
