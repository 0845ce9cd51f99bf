//! A subscriber of the bus, as `docs/bus.md` describes it: SUB for what happens, REQ for the whole picture.
#![expect(clippy::panic, reason = "a test that waited in vain ends here, with what it waited for")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::hub::Hub;
use crate::text;
use crate::wait::PATIENCE;

/// A message of the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its topic, `sample/ccd01`.
    pub topic: String,
    /// Its second frame.
    pub json: Value,
}

impl Message {
    fn new(topic: &[u8], json: &[u8]) -> anyhow::Result<Self> {
        let topic = String::from_utf8(topic.to_vec()).context("a topic that is no text")?;
        let json = serde_json::from_slice(json).with_context(|| format!("{topic}: not JSON"))?;
        Ok(Self { topic, json })
    }

    /// The text of a field; empty when there is none.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.json.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its number among those of its topic.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.json.get("seq").and_then(Value::as_u64).unwrap_or_default()
    }

    /// The value of a metric, of a sample or of a level.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        let entry = self.json.get("metrics")?.get(name)?;
        entry.get("value").unwrap_or(entry).as_f64()
    }
}

/// A connected subscriber, and everything that it was sent.
pub struct Subscriber {
    socket: zmq::Socket,
    seen: Vec<Message>,
}

impl Subscriber {
    /// Subscribes to these prefixes of topics, and is sure to get what happens from here on.
    ///
    /// A subscription takes a moment to reach the publisher, and ZeroMQ does not say when. So lines that make no sense
    /// are sent to the hub until the event of one comes out: they touch no node.
    ///
    /// # Errors
    ///
    /// When nothing comes.
    pub async fn join(hub: &Hub, prefixes: &[&str]) -> anyhow::Result<Self> {
        const PROBE: &str = "event/_hub";
        const PROBE_AGAIN: Duration = Duration::from_millis(500);
        let socket = zmq::Context::new().socket(zmq::SUB)?;
        socket.set_linger(0)?;
        socket.set_rcvhwm(0)?;
        for prefix in prefixes.iter().chain(&[PROBE]) {
            socket.set_subscribe(prefix.as_bytes())?;
        }
        socket.connect(hub.publish())?;
        let mut subscriber = Self { socket, seen: Vec::new() };
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            text::say(hub.address(), "a probe of a subscriber").await?;
            // Other messages may come before it. Probes that are still on their way come later, as events of the hub,
            // which every test must expect anyway.
            // Where samples come all the time the pause never does: a probe that was too early is followed by another one.
            let again = Instant::now() + PROBE_AGAIN;
            while Instant::now() < again && subscriber.receive(200)? {
                if subscriber.seen.last().is_some_and(|message| message.topic == PROBE) {
                    return Ok(subscriber);
                }
            }
        }
        bail!("nothing comes from {}", hub.publish())
    }

    /// Takes one message up; whether one came within so many milliseconds.
    fn receive(&mut self, milliseconds: i64) -> anyhow::Result<bool> {
        if self.socket.poll(zmq::POLLIN, milliseconds)? == 0 {
            return Ok(false);
        }
        let frames = self.socket.recv_multipart(0)?;
        let [topic, json] = frames.as_slice() else { bail!("{} frames in a message", frames.len()) };
        self.seen.push(Message::new(topic, json)?);
        Ok(true)
    }

    /// Waits for the first message, of all that ever came, that is wanted.
    ///
    /// # Panics
    ///
    /// When it does not come.
    #[track_caller]
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        self.after(0, what, wanted)
    }

    /// Waits for the first wanted message behind the `mark` that [`Subscriber::mark`] gave.
    ///
    /// # Panics
    ///
    /// When it does not come.
    #[track_caller]
    pub fn after(&mut self, mark: usize, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let end = Instant::now() + PATIENCE;
        let mut place = mark;
        loop {
            while let Some(message) = self.seen.get(place) {
                if wanted(message) {
                    return message.clone();
                }
                place += 1;
            }
            if let Err(error) = self.receive(200) {
                panic!("the bus broke: {error:#}");
            }
            if Instant::now() > end {
                let seen: Vec<_> =
                    self.seen.iter().map(|seen| format!("{} {}", seen.topic, seen.json)).collect();
                panic!("waited in vain on the bus: {what}; there came\n{}", seen.join("\n"));
            }
        }
    }

    /// How many messages came so far.
    ///
    /// # Errors
    ///
    /// When the socket broke.
    pub fn mark(&mut self) -> anyhow::Result<usize> {
        while self.receive(0)? {}
        Ok(self.seen.len())
    }

    /// All messages that came, in their order.
    #[must_use]
    pub fn seen(&self) -> &[Message] {
        &self.seen
    }

    /// Finds a message that is missing or out of order, by the numbers of each topic.
    #[must_use]
    pub fn gap(&self) -> Option<String> {
        let mut last: HashMap<&str, u64> = HashMap::new();
        for message in &self.seen {
            let seq = message.seq();
            if let Some(before) = last.insert(&message.topic, seq)
                && seq != before + 1
            {
                return Some(format!("{} has {seq} after {before}", message.topic));
            }
        }
        None
    }
}

/// Asks for the whole picture, or for the topics with these prefixes: when the hub started, and the last message of each.
///
/// # Errors
///
/// When no answer comes, or one that is none.
pub fn snapshot(endpoint: &str, prefixes: &[&str]) -> anyhow::Result<(f64, Vec<Message>)> {
    let socket = zmq::Context::new().socket(zmq::REQ)?;
    socket.set_linger(0)?;
    socket.set_rcvtimeo(i32::try_from(PATIENCE.as_millis())?)?;
    socket.connect(endpoint)?;
    socket.send_multipart(["snapshot"].iter().chain(prefixes), 0)?;
    let answer = socket.recv_multipart(0).with_context(|| format!("no snapshot from {endpoint}"))?;
    let [word, header, messages @ ..] = answer.as_slice() else { bail!("an answer without its header") };
    if word != b"snapshot" {
        bail!("the hub answered {}", String::from_utf8_lossy(header));
    }
    let header: Value = serde_json::from_slice(header)?;
    let messages = messages.chunks(2).map(|pair| match pair {
        [topic, json] => Message::new(topic, json),
        _ => bail!("a topic without its message"),
    });
    let messages = messages.collect::<anyhow::Result<Vec<_>>>()?;
    let (started, topics) = (header.get("started"), header.get("topics"));
    if topics.and_then(Value::as_u64) != u64::try_from(messages.len()).ok() {
        bail!("{header} stands before {} messages", messages.len());
    }
    Ok((started.and_then(Value::as_f64).unwrap_or_default(), messages))
}
