//! Night and day by centrald: rules for one of them hold when it says so.

use lamon_tests::hub::Hub;
use lamon_tests::rts2;
use lamon_tests::text::say;
use rts2dev::proto::Level;
use rts2dev::testing::{Centrald, PartOfDay};

const RULE: &str = "[site]\nlatitude = 40.4\nlongitude = 117.6\n\
    [[rule]]\nmetrics = [\"load1\"]\nwarning = 5\nwhen = \"night\"\n\
    [[rule]]\nmetrics = [\"load1\"]\nerror = 5\nwhen = \"day\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_for_the_night_holds_when_centrald_says_that_it_is_dark() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).with(RULE).start();
    centrald.registered("NODES").await;
    assert_eq!(say(hub.address(), "node=door load1=9 interval=600").await.unwrap(), "ok");
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    // Whatever the Sun does at the site: each change turns the level.
    for (part, level) in [
        (PartOfDay::Night, Level::Warning),
        (PartOfDay::Morning, Level::Error),
        (PartOfDay::Dusk, Level::Warning),
        (PartOfDay::Day, Level::Error),
    ] {
        centrald.set_part_of_day(part);
        rts2::value(&mut nodes, "door_load1", |value| value.level() == level).await;
    }
    hub.says("by centrald");
}
