//! Values that are made of several, from the program to a client and back.

mod common;

use common::{options, patiently, start};
use rts2dev::proto::{MinMax, SetOp};
use rts2dev::testing::Centrald;
use rts2dev::{DeclareError, Time};

#[tokio::test]
async fn statistics_arrays_and_limits() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address().to_string();
    let mut declared = None;
    let sensor = start(options("SENSOR", std::slice::from_ref(&address)), |handle| {
        let none = handle.statistics("none", "x", 0).declare().unwrap_err();
        assert_eq!(none, DeclareError::SampleCount { count: 0 });
        assert!(handle.time_serie("many", "x", 1001).declare().is_err());
        let heater = MinMax { value: 20.0, min: 0.0, max: 40.0 };
        declared = Some((
            handle.statistics("noise", "x", 3).declare().unwrap(),
            handle.time_serie("trend", "x", 3).declare().unwrap(),
            handle.doubles("levels", "x").initial([1.0, 2.0]).writable().declare().unwrap(),
            handle.min_max::<f64>("heater", "x").initial(heater).writable().declare().unwrap(),
        ));
    })
    .await;
    let (noise, trend, levels, heater) = declared.unwrap();
    let mut status = sensor.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    let client = rts2dev::client::Client::login(&address, "observer", "test").await.unwrap();
    let mut remote = client.device("SENSOR").await.unwrap();

    // The newest three of four, as the program sees them and as they arrive.
    for (second, measured) in [50.0, 1.0, 2.0, 3.0].into_iter().enumerate() {
        noise.add(measured);
        trend.add_at(measured, Time(1e9 + f64::from(u8::try_from(second).unwrap())));
    }
    let found = noise.get();
    assert_eq!((found.count, found.min, found.max), (3, 1.0, 3.0));
    assert!((trend.get().beta - 1.0).abs() < 1e-9);
    patiently(async {
        while remote.value("trend").and_then(|trend| trend.number()) != Some(2.0) {
            remote.changed().await.unwrap();
        }
    })
    .await;
    assert_eq!(remote.value("noise").unwrap().number(), Some(2.0));

    // Elements and limits, as clients set them.
    assert_eq!(remote.set("levels[2]", SetOp::Set, "7.5").await.unwrap().to_string(), "+0 OK");
    assert_eq!(levels.get(), [1.0, 7.5]);
    assert_eq!(remote.set("levels[3]", SetOp::Set, "7.5").await.unwrap().to_string(), "-3 3");
    assert_eq!(remote.set("heater", SetOp::Set, "41").await.unwrap().code, -2);
    // RTS2 says OK to this and drops the limits, as the value stays the same.
    assert_eq!(remote.set("heater", SetOp::Set, "20 10 30").await.unwrap().code, 0);
    assert_eq!(heater.get(), MinMax { value: 20.0, min: 10.0, max: 30.0 });
    assert_eq!(remote.value("heater").unwrap().text(), "20.0 10.0..30.0");
}
