//! The disk of a node fills and is cleared: what an observer sees of it in RTS2, from the first colour to the last message.

use lamon_tests::hub::Hub;
use lamon_tests::rts2;
use lamon_tests::text::say;
use lamon_tests::wait::patiently;
use rts2dev::proto::{DeviceState, Level};
use rts2dev::testing::Centrald;

const GATE: &str =
    "[[gate]]\nname = \"full\"\nnodes = [\"ccd01\"]\nmetrics = [\"disk_percent\"]\nblock = [\"exposure\"]\n";

/// What each sample shows with the built-in limits, 80 and 90 with a margin of 2, and of which change a message tells.
const STEPS: &[(f64, Level, Option<&str>)] = &[
    (70.0, Level::Good, None),
    (79.9, Level::Good, None),
    (83.5, Level::Warning, Some("warning")),
    (89.0, Level::Warning, None),
    (91.5, Level::Error, Some("error")),
    (97.0, Level::Error, None),
    (88.5, Level::Error, None),
    (87.5, Level::Warning, Some("warning")),
    (78.5, Level::Warning, None),
    (77.0, Level::Good, Some("good")),
    (70.0, Level::Good, None),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_turns_yellow_then_red_with_one_message_each_gates_and_clears_with_its_margin() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).layout("single").with(GATE).start();
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    let mut told = Vec::new();
    for (percent, level, message) in STEPS.iter().copied() {
        let line = format!("node=ccd01 disk_percent={percent} disk_data_percent={percent} interval=600");
        assert_eq!(say(hub.address(), &line).await.unwrap(), "ok");
        for name in ["ccd01_disk_percent", "ccd01_disk_data_percent"] {
            rts2::value(&mut nodes, name, |value| value.number() == Some(percent) && value.level() == level)
                .await;
        }
        let blocked = if level == Level::Error { DeviceState::BOP_EXPOSURE } else { DeviceState::empty() };
        let as_wanted = centrald.wait_for(|centrald| {
            let state = centrald.device_state("NODES");
            state.is_some_and(|state| state.intersection(DeviceState::all()) == blocked)
        });
        patiently(&format!("the state {blocked} at {percent} %"), as_wanted).await;
        if let Some(word) = message {
            told.push((format!("ccd01 disk_data_percent {percent} %"), word));
            let arrived = centrald.wait_for(|centrald| of_the_disk(centrald.messages()).len() == told.len());
            patiently(&format!("a message of {word} at {percent} %"), arrived).await;
        }
    }
    // The fullest disk is a value of its own, and no second cause.
    let lines = of_the_disk(centrald.messages());
    assert_eq!(lines.len(), told.len(), "{lines:#?}");
    for (line, (value, word)) in lines.iter().zip(&told) {
        assert!(line.contains(value) && line.contains(word), "{line:?} does not tell of {value}: {word}");
    }
    let gates = centrald.messages().iter().filter(|line| line.contains("gate full")).count();
    assert_eq!(gates, 2, "the gate closed once and opened once: {:#?}", centrald.messages());
}

fn of_the_disk(mut messages: Vec<String>) -> Vec<String> {
    messages.retain(|line| line.contains("ccd01 disk_") && !line.contains("gate full"));
    messages
}
