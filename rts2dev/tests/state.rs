//! The state word, its texts and its progress, as clients and centrald see them.

mod common;

use common::{Raw, Running, options, patiently, start};
use rts2dev::proto::DeviceState;
use rts2dev::{DeviceHandle, DeviceOptions, Time};
use tokio::net::TcpListener;

async fn connected() -> (Running, Raw) {
    let device = start(DeviceOptions { noauth: true, ..options("DOME", &[]) }, |_| {}).await;
    let mut client = Raw::connect(device.port).await;
    client.until(|line| line.starts_with("V uptime ")).await;
    (device, client)
}

#[tokio::test]
async fn each_change_replaces_its_bits_and_leaves_the_others() {
    type Change = fn(&DeviceHandle);
    let (device, mut client) = connected().await;
    let table: &[(Change, &str)] = &[
        (|d| d.hardware_error(true, "motor"), "S 131072 \"motor\""),
        (|d| d.block_exposure(true, "lost"), "S 16908288 \"lost\""),
        (|d| d.block_readout(true, ""), "S 50462720"),
        (|d| d.block_tel_move(true, "open"), "S 117571584 \"open\""),
        (|d| d.block_exposure(false, "back"), "S 100794368 \"back\""),
        (|d| d.block_readout(false, ""), "S 67239936"),
        (|d| d.block_tel_move(false, ""), "S 131072"),
        (|d| d.not_ready(true, "cold"), "S 393216 \"cold\""),
        (|d| d.killed(true, "killed"), "S 458752 \"killed\""),
        (|d| d.not_ready(true, "still cold"), ""),
        // What was killed is over with the next change; errors stay.
        (|d| d.hardware_error(false, ""), "S 262144"),
        (|d| d.killed(true, "killed"), "S 327680 \"killed\""),
        (|d| d.killed(false, ""), "S 262144"),
        (|d| d.not_ready(false, ""), "S 0"),
        (|d| d.block_close(true, "arm"), "S 8192 \"arm\""),
        (|d| d.block_open(true, "arm"), "S 24576 \"arm\""),
        (|d| d.block_close(false, ""), "S 16384"),
        (|d| d.block_open(false, ""), "S 0"),
        (|d| d.stop_everything(true, "button"), "S 1073741824 \"button\""),
        (|d| d.bad_weather(DeviceState::WR_RAIN | DeviceState::ERROR_HW, "rain"), "S 3222274048 \"rain\""),
        (|d| d.bad_weather(DeviceState::WR_WIND, "wind"), "S 3223322624 \"wind\""),
        (|d| d.stop_everything(false, ""), "S 2149580800"),
        (|d| d.good_weather("dry"), "S 0 \"dry\""),
        (
            |d| d.set_status(DeviceState::all(), DeviceState::from_bits_retain(0xffff_f005), "moves"),
            "S 5 \"moves\"",
        ),
        (|d| d.set_status(DeviceState::from_bits_retain(4), DeviceState::empty(), ""), "S 1"),
        (|d| d.mask_state(DeviceState::SENSOR_INPROGRESS, DeviceState::all(), "none"), ""),
        (|d| d.block_exposure(false, "was free"), ""),
        (|d| d.set_state(DeviceState::SHUTDOWN, "ends"), "S 32768 \"ends\""),
    ];
    for (change, line) in table {
        change(&device.handle);
        if !line.is_empty() {
            client.expect(&[line]).await;
        }
    }
    assert_eq!(client.command("status_info").await, ["S 32768", "+0 OK"]);
}

#[tokio::test]
async fn progress_goes_with_the_state_and_alone() {
    let (device, mut client) = connected().await;
    let handle = &device.handle;
    let moves = DeviceState::SENSOR_INPROGRESS;
    handle.mask_state_with_progress(moves, moves, Time(1_790_000_000.0), Time(1_790_000_060.5), "moves");
    client
        .expect(&[
            "R 1 1790000000.000000 1790000060.500000 \"moves\"",
            "P 1790000000.000000 1790000060.500000",
        ])
        .await;
    // It stands through other changes, and whoever asks is told.
    handle.block_exposure(true, "moves");
    client.expect(&["R 16777217 1790000000.000000 1790000060.500000 \"moves\""]).await;
    let status = client.command("status_info").await;
    assert_eq!(status, ["R 16777217 1790000000.000000 1790000060.500000", "+0 OK"]);
    handle.progress(Time(1_790_000_000.0), Time(1_790_000_090.0));
    client.expect(&["P 1790000000.000000 1790000090.000000"]).await;
    handle.progress(Time(1_790_000_000.0), Time(1_790_000_090.0));
    handle.mask_state(moves, DeviceState::empty(), "there");
    client.expect(&["R 16777216 1790000000.000000 1790000090.000000 \"there\""]).await;
    handle.clear_progress();
    client.expect(&["P nan nan"]).await;
    handle.progress(Time(f64::NAN), Time(1.0));
    handle.block_exposure(false, "");
    client.expect(&["S 0"]).await;
}

#[tokio::test]
async fn centrald_gets_reasons_and_progress() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let device = start(options("DOME", &[address]), |handle| {
        handle.progress(Time(5.0), Time(6.0));
    })
    .await;
    let (stream, _) = patiently(listener.accept()).await.unwrap();
    let mut centrald = Raw::over(stream);
    centrald.until(|line| line.starts_with("register ")).await;
    centrald.send("A registered_as 1").await;
    centrald.send("+0 OK").await;
    centrald.until(|line| line == "R 0 5.000000 6.000000").await;

    let handle = &device.handle;
    handle.clear_progress();
    centrald.expect(&["P nan nan"]).await;
    handle.bad_weather(DeviceState::WR_RAIN, "rain");
    centrald.expect(&["S 2148532224 \"rain\"", "weather_update \"DOME\" \"rain\""]).await;
    centrald.send("+0 OK").await;
    // Something else changes while the weather stays bad: that text is no reason of the weather.
    handle.block_exposure(true, "shutter");
    centrald.expect(&["S 2165309440 \"shutter\""]).await;
    // A new reason alone is told.
    handle.bad_weather(DeviceState::WR_RAIN, "more rain");
    centrald.expect(&["weather_update \"DOME\" \"more rain\""]).await;
    centrald.send("+0 OK").await;
    handle.bad_weather(DeviceState::WR_RAIN, "more rain");
    handle.good_weather("dry");
    centrald.expect(&["S 16777216 \"dry\""]).await;
    handle.bad_weather(DeviceState::empty(), "more rain");
    centrald.expect(&["S 2164260864 \"more rain\"", "weather_update \"DOME\" \"more rain\""]).await;
    centrald.send("+0 OK").await;

    // A client of a device in progress is told behind the mask.
    handle.progress(Time(7.0), Time(8.0));
    centrald.expect(&["P 7.000000 8.000000"]).await;
    let mut client = Raw::connect(device.port).await;
    client.send("auth 2 0 1").await;
    centrald.expect(&["authorize 2 1"]).await;
    centrald.send("A authorization_ok 2\n+0 OK").await;
    client.until(|line| line.starts_with("B ")).await;
    client.expect(&["P 7.000000 8.000000"]).await;
    client.until(|line| line == "+0 OK authorized").await;
}
