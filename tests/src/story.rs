//! The two stories that hold for every centrald, every archive and every kind of sender; the tests tell them with each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use lamon_store::ArchiveUrl;
use lamon_wire::metric::Unit;
use lamon_wire::names::MetricName;
use rts2dev::client::RemoteDevice;
use rts2dev::proto::{BaseType, DisplayType, Level, ValueData};

use crate::agent::Agent;
use crate::archive;
use crate::bus::{Message, Subscriber, snapshot};
use crate::hub::Hub;
use crate::rts2;
use crate::simulated::{Identity, SimulatedAgent, readings};
use crate::text;
use crate::wait::eventually;
use crate::wiretap::{Sent, Wiretap};

/// Limits that this machine is sure to pass: its memory is in use, and so is its disk.
const RULES: &str = "\
[[rule]]\nnodes = [\"ccd-01\"]\nmetrics = [\"memory_percent\"]\nwarning = 0.0\n\
[[rule]]\nnodes = [\"ccd-*\"]\nmetrics = [\"disk_percent\"]\nwarning = 0.0\nerror = 0.0\n\
[[rule]]\nmetrics = [\"*\"]\noff = true\n";

/// How many samples the story waits for.
const SAMPLES: usize = 4;

/// Follows this machine through the family: a real agent, a hub that is an RTS2 device, a client of RTS2, a subscriber of
/// the bus, and the rows of the archive.
///
/// # Errors
///
/// When something breaks that is not itself tested.
///
/// # Panics
///
/// When the family does not do what it should.
pub async fn this_machine_is_followed(
    centrald: SocketAddr,
    database: Option<(String, ArchiveUrl)>,
) -> anyhow::Result<()> {
    let mut hub = Hub::sensord().under(centrald).with(RULES);
    if let Some((url, _)) = &database {
        hub = hub.archiving_to(url);
    }
    let hub = hub.start();
    let archive = database.map_or_else(|| hub.archive(), |(_, url)| url);
    let mut bus = Subscriber::join(&hub, &[""]).await?;
    let wiretap = Wiretap::start(hub.address()).await?;
    let agent = Agent::named("ccd-01").sending_to(wiretap.address()).start();
    let mut nodes = rts2::device(centrald, "NODES").await;

    // It appears, well or not as its rules say.
    rts2::value(&mut nodes, "ccd_01_cpu_percent", |value| value.level() == Level::Good).await;
    rts2::value(&mut nodes, "ccd_01_memory_percent", |value| value.level() == Level::Warning).await;
    rts2::value(&mut nodes, "ccd_01_disk_percent", |value| value.level() == Level::Error).await;
    rts2::value(&mut nodes, "ccd_01_level", |value| value.text() == "error" && value.level() == Level::Error)
        .await;
    rts2::value(&mut nodes, "nodes_error", |value| value.number() == Some(1.0)).await;
    rts2::value(&mut nodes, "level", |value| value.text() == "error").await;
    rts2::value(&mut nodes, "worst", |value| value.text().contains("ccd-01 disk_percent")).await;
    let heard = rts2::value(&mut nodes, "ccd_01_heard", |value| value.level() == Level::Good).await;
    assert!(heard.number() > Some(1.7e9), "{heard:?}");

    // Its agent dies: the numbers stay, in red.
    eventually("some samples", || async {
        wiretap.count().is_ok_and(|count| count >= SAMPLES as u64).then_some(())
    })
    .await;
    agent.crash();
    rts2::value(&mut nodes, "ccd_01_level", |value| {
        value.text() == "silent" && value.level() == Level::Error
    })
    .await;
    rts2::value(&mut nodes, "nodes_silent", |value| value.number() == Some(1.0)).await;
    let silent =
        bus.until("silence", |message| message.topic == "node/ccd-01" && message.text("what") == "silent");
    let after = silent.json.get("after").and_then(serde_json::Value::as_f64);
    assert!(after.is_some_and(|after| (2.9..60.0).contains(&after)), "three intervals of 1 s: {silent:?}");
    let sent = wiretap.sent()?;
    let last = sent.values().next_back().context("nothing was sent")?;
    values_are(&mut nodes, last).await?;

    // It comes back, and is what it was.
    let agent = Agent::named("ccd-01").sending_to(wiretap.address()).start();
    rts2::value(&mut nodes, "ccd_01_level", |value| value.text() == "error").await;
    rts2::value(&mut nodes, "ccd_01_cpu_percent", |value| value.level() == Level::Good).await;
    bus.until("its return", |message| message.topic == "node/ccd-01" && message.text("what") == "back");
    let ended = agent.terminate()?;
    assert_eq!(ended.code(), Some(0), "an agent that is asked to end does so");

    // Everything that was sent was published once, in order, and is in the archive, bit for bit.
    let sent = wiretap.sent()?;
    assert!(sent.len() > SAMPLES, "{} samples", sent.len());
    published_is(&mut bus, &sent)?;
    snapshot_is_the_last_of(&hub, &mut bus)?;
    rows_are(&archive, &sent).await?;
    hub.terminate()?;
    Ok(())
}

/// Every metric is shown with the type, the unit, the display and the number that it should have, flagged as silent.
async fn values_are(nodes: &mut RemoteDevice, sent: &Sent) -> anyhow::Result<()> {
    assert!(sent.len() >= 8, "the core metrics at least: {sent:?}");
    for (metric, number) in sent {
        let unit = Unit::of(&MetricName::new(metric)?);
        let (base, display) = match unit {
            Unit::Percent => (BaseType::Double, DisplayType::Percent),
            Unit::Bytes | Unit::BytesPerSecond => (BaseType::Double, DisplayType::ByteSize),
            Unit::Seconds if metric == "uptime" => (BaseType::Double, DisplayType::TimeInterval),
            Unit::Count => (BaseType::Integer, DisplayType::Plain),
            _ => (BaseType::Float, DisplayType::Plain),
        };
        let name = format!("ccd_01_{metric}");
        let value = rts2::value(nodes, &name, |value| value.level() == Level::Error).await;
        assert_eq!(value.flags.value_type()?.base(), base, "{value:?}");
        assert_eq!(value.display_type(), display, "{value:?}");
        let symbol = unit.symbol();
        let opening = if symbol.is_empty() { String::new() } else { format!("[{symbol}] ") };
        assert!(value.description.starts_with(&opening), "{value:?}");
        assert_eq!(value.description.contains('['), !symbol.is_empty(), "{value:?}");
        let same = match value.data {
            ValueData::Double(shown) => shown.to_bits() == number.to_bits(),
            #[expect(clippy::cast_possible_truncation, reason = "a float is what RTS2 shows here")]
            ValueData::Float(shown) => shown.to_bits() == (*number as f32).to_bits(),
            ValueData::Integer(shown) => f64::from(shown).to_bits() == number.to_bits(),
            _ => false,
        };
        assert!(same, "{name} is {:?}, but {number} was sent", value.data);
    }
    let level = nodes.value("ccd_01_level").context("no level")?;
    assert_eq!(level.items, ["good", "warning", "error", "silent"]);
    Ok(())
}

fn identity(message: &Message) -> Option<(u32, u64)> {
    Some((message.text("epoch").parse().ok()?, message.text("sequence").parse().ok()?))
}

fn published_is(bus: &mut Subscriber, sent: &BTreeMap<(u32, u64), Sent>) -> anyhow::Result<()> {
    let is_sample = |message: &Message| message.topic == "sample/ccd-01";
    for (wanted, values) in sent {
        let message = bus.until(&format!("sample {wanted:?}"), |message| {
            is_sample(message) && identity(message) == Some(*wanted)
        });
        for (metric, number) in values {
            let shown = message.metric(metric).with_context(|| format!("no {metric} in {message:?}"))?;
            assert_eq!(shown.to_bits(), number.to_bits(), "{metric} of {wanted:?}");
        }
        assert!(
            message.metric("clock_offset").is_some_and(|offset| offset.abs() < 1.0),
            "one machine, one clock"
        );
    }
    assert_eq!(bus.gap(), None);
    let mut order: Vec<_> =
        bus.seen().iter().filter(|message| is_sample(message)).filter_map(identity).collect();
    assert_eq!(order.len(), sent.len(), "each sample once");
    // Two agents ran one after the other; within each the numbers rise.
    order.dedup_by_key(|(epoch, _)| *epoch);
    assert_eq!(order.len(), 2, "{order:?}");
    let samples: Vec<_> =
        bus.seen().iter().filter(|message| is_sample(message)).filter_map(identity).collect();
    assert!(samples.windows(2).all(|pair| match pair {
        [first, second] => first.0 != second.0 || first.1 < second.1,
        _ => true,
    }));
    Ok(())
}

/// The snapshot holds of each topic the last message, as it was published.
fn snapshot_is_the_last_of(hub: &Hub, bus: &mut Subscriber) -> anyhow::Result<()> {
    let (started, messages) = snapshot(hub.snapshot(), &[])?;
    assert!(messages.iter().any(|message| message.topic == "hub"), "{messages:?}");
    for message in messages {
        assert_eq!(message.json.get("started").and_then(serde_json::Value::as_f64), Some(started));
        let published = |other: &Message| other.topic == message.topic && other.seq() == message.seq();
        // Those from before the subscription were not seen.
        if bus.seen().iter().any(|other| other.topic == message.topic) {
            let seen = bus.until(&format!("{} of the snapshot", message.topic), published);
            assert_eq!(seen, message);
        }
    }
    let (_, levels) = snapshot(hub.snapshot(), &["level/"])?;
    assert!(
        !levels.is_empty() && levels.iter().all(|message| message.topic.starts_with("level/")),
        "{levels:?}"
    );
    Ok(())
}

async fn rows_are(archive: &ArchiveUrl, sent: &BTreeMap<(u32, u64), Sent>) -> anyhow::Result<()> {
    let rows = archive::rows(archive, "ccd-01", sent.len()).await;
    assert_eq!(rows.len(), sent.len(), "each sample once");
    for row in rows {
        let Some(values) = sent.get(&(row.epoch, row.sequence)) else { bail!("{row:?} was never sent") };
        for (metric, number) in values {
            let kept = row.metric(metric).with_context(|| format!("no {metric} in {row:?}"))?;
            assert_eq!(kept.to_bits(), number.to_bits(), "{metric} of {row:?}");
        }
        // What the hub measures comes on top.
        assert_eq!(row.metrics.len(), values.len() + 1, "{row:?}");
    }
    Ok(())
}

/// Who sends the values of [`a_threshold_is_crossed`].
#[derive(Debug)]
pub enum Sender {
    /// An agent.
    Agent {
        /// Its connection.
        agent: Box<SimulatedAgent>,
        /// How many samples it sent.
        sent: u64,
    },
    /// Lines of text, a connection each.
    Text,
    /// Lines of text by this program, which is given the line and must behave as `nc` does.
    Netcat(String),
}

impl Sender {
    /// An agent of the node `door`.
    ///
    /// # Errors
    ///
    /// When the hub does not accept it.
    pub async fn agent(hub: &Hub) -> anyhow::Result<Self> {
        let identity = Identity { interval: Duration::from_secs(60), ..Identity::new("door", 77) };
        let mut agent = SimulatedAgent::connect(hub.address(), &identity).await?;
        agent.send_table(1, &[("disk_percent", 2), ("cpu_percent", 2)]).await?;
        Ok(Self::Agent { agent: Box::new(agent), sent: 0 })
    }

    async fn send(&mut self, hub: &Hub, disk_percent: f64) -> anyhow::Result<()> {
        let line = format!("node=door disk_percent={disk_percent} cpu_percent=3.5 interval=60");
        match self {
            Self::Agent { agent, sent } => {
                *sent += 1;
                agent.send_samples(1, *sent, vec![readings(&[disk_percent, 3.5], 2)]).await?;
                agent.acknowledged(*sent).await?;
            }
            Self::Text => assert_eq!(text::say(hub.address(), &line).await?, "ok"),
            Self::Netcat(program) => assert_eq!(text::netcat(program, hub.address(), &line).await?, "ok\n"),
        }
        Ok(())
    }
}

/// Tells the story of a node whose disk fills and is emptied: warning, error, and back each by the margin.
///
/// # Errors
///
/// When something breaks that is not itself tested.
///
/// # Panics
///
/// When the family does not do what it should.
pub async fn a_threshold_is_crossed(
    centrald: SocketAddr,
    hub: &Hub,
    mut sender: Sender,
) -> anyhow::Result<()> {
    const STEPS: &[(f64, Level)] = &[
        (50.0, Level::Good),
        (79.9, Level::Good),
        (80.0, Level::Warning),
        (97.0, Level::Error),
        // Within the margin of 5 below 90 it stays an error, and below 80 a warning.
        (86.0, Level::Error),
        (84.5, Level::Warning),
        (75.5, Level::Warning),
        (74.0, Level::Good),
        (91.25, Level::Error),
        (10.0, Level::Good),
    ];
    // Each nc takes the three seconds after which the hub closes: it gets the steps that matter most.
    const FEW_STEPS: &[(f64, Level)] =
        &[(50.0, Level::Good), (97.0, Level::Error), (86.0, Level::Error), (74.0, Level::Good)];
    let steps = if matches!(sender, Sender::Netcat(_)) { FEW_STEPS } else { STEPS };
    let mut bus = Subscriber::join(hub, &["sample/", "level/", "event/"]).await?;
    let mut nodes = rts2::device(centrald, "NODES").await;
    let mut before = Level::Good;
    for (disk_percent, level) in steps.iter().copied() {
        let mark = bus.mark()?;
        sender.send(hub, disk_percent).await?;
        rts2::value(&mut nodes, "door_disk_percent", |value| {
            value.number() == Some(disk_percent) && value.level() == level
        })
        .await;
        let word = word(level);
        rts2::value(&mut nodes, "door_level", |value| value.text() == word && value.level() == level).await;
        rts2::value(&mut nodes, "level", |value| value.text() == word).await;
        bus.after(mark, &format!("{disk_percent} % on the bus"), |message| {
            message.topic == "sample/door" && message.metric("disk_percent") == Some(disk_percent)
        });
        if level != before {
            bus.after(mark, &format!("level {word} on the bus"), |message| {
                message.topic == "level/door" && message.text("level") == word
            });
            let event = bus.after(mark, &format!("an event of {word}"), |message| {
                message.topic == "event/door" && message.text("kind") == "level"
            });
            assert_eq!(event.text("level"), word, "{event:?}");
            let change = event.json.get("change").context("an event without its change")?;
            assert_eq!(change.get("metric").and_then(serde_json::Value::as_str), Some("disk_percent"));
            assert_eq!(change.get("from").and_then(serde_json::Value::as_str), Some(self::word(before)));
        }
        // Nobody has set limits for the other.
        let cpu = nodes.value("door_cpu_percent").context("no cpu_percent")?;
        assert_eq!((cpu.number(), cpu.level()), (Some(3.5), Level::Good));
        before = level;
    }
    let last = nodes.value("worst").context("no worst")?;
    assert_eq!(last.level(), Level::Good, "{last:?}");
    assert_eq!(bus.gap(), None);
    let rows = archive::rows(&hub.archive(), "door", steps.len()).await;
    let kept: Vec<_> = rows.iter().filter_map(|row| row.metric("disk_percent")).map(f64::to_bits).collect();
    let sent: Vec<_> = steps.iter().map(|(disk_percent, _)| disk_percent.to_bits()).collect();
    assert_eq!(kept, sent);
    Ok(())
}

/// The rule of [`a_threshold_is_crossed`].
pub const DISK_RULE: &str =
    "[[rule]]\nnodes = [\"door\"]\nmetrics = [\"disk_percent\"]\nwarning = 80\nerror = 90\nclear = 5\n";

fn word(level: Level) -> &'static str {
    match level {
        Level::Good => "good",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}
