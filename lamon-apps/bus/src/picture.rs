//! The newest of everything, built from messages. Pure: no socket, no clock.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::message::{self, Body, Event, Head, Hub, Level, Levels, Limits, Passage, Sample};

/// The most nodes that are kept: what a hub takes, and as many again for those that went.
pub const MAX_NODES: usize = 20_000;

/// The most metrics of a node: the hub takes 512.
pub const MAX_METRICS: usize = 1_024;

/// The most topics whose numbers are kept: four for each node, and the hub's own.
const MAX_TOPICS: usize = 4 * MAX_NODES + 16;

/// The most events that are kept: a bad night of a hundred nodes.
pub const MAX_EVENTS: usize = 1_000;

/// Everything that is known of a site.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    nodes: BTreeMap<String, Node>,
    hub: Option<Hub>,
    events: VecDeque<Event>,
    /// When the hub started whose messages these are.
    started: Option<f64>,
    numbers: HashMap<Vec<u8>, Numbers>,
    /// The nodes that something was published of since the whole picture was asked for.
    since_asked: HashSet<String>,
    lost: u64,
    senseless: u64,
}

/// One computer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// How it is.
    pub level: Level,
    /// When it was last heard, unix seconds UTC.
    pub heard: f64,
    /// Seconds between its samples; 0 when not known.
    pub interval: f64,
    /// It neither gates nor notifies.
    pub muted: bool,
    /// Somebody knows of all that is wrong with it.
    pub acknowledged: bool,
    /// Its values by name.
    pub metrics: BTreeMap<String, Metric>,
}

/// One value of a node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metric {
    /// The newest value, in the unit that the name tells; `None` when the node could not tell.
    pub value: Option<f64>,
    /// When it was taken, unix seconds UTC.
    pub taken: f64,
    /// How it is.
    pub level: Level,
    /// Since when it is at its level, unix seconds UTC; 0 while that is not known.
    pub since: f64,
    /// It is no longer in the node's samples: value and level are of the past.
    pub unknown: bool,
    /// Its level flips, and is held at its worst.
    pub flapping: bool,
    /// The rule that holds for it, in words.
    pub rule: Option<String>,
    /// The rule's limits as numbers; `None` when it has none, or is on the change per hour.
    pub limits: Option<Limits>,
}

/// What a message brought; the picture already shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A node has new values: its name.
    Sampled(String),
    /// Levels of a node may have changed: its name.
    Levels(String),
    /// A node was taken out of the picture: its name.
    Gone(String),
    /// Something worth a line.
    Event(Event),
    /// The hub said that it lives.
    Hub,
    /// Another hub, or the same after a restart: everything known before is gone.
    Restarted,
    /// Nothing was heard of the hub for half a minute.
    Away,
    /// The hub is heard again.
    Back,
}

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The hub published it.
    Published,
    /// It was in the answer to a question for the whole picture.
    Snapshot,
}

/// The last numbers of a topic. An answer overtakes what was published before it and is still on its way.
#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    published: u64,
    snapshot: u64,
}

impl Numbers {
    /// How many messages are missing before this one; `None` when it says nothing new. Of what happened, `every` one counts, of
    /// how things are only the newest.
    fn take(&mut self, from: Source, seq: u64, every: bool) -> Option<u64> {
        let Self { published, snapshot } = *self;
        let known = published.max(snapshot);
        match from {
            Source::Snapshot => {
                self.snapshot = snapshot.max(seq);
                (seq > known).then_some(0)
            }
            Source::Published => {
                self.published = published.max(seq);
                let new = if every { seq > published && seq != snapshot } else { seq > known };
                let missing = if known == 0 { 0 } else { seq.saturating_sub(known).saturating_sub(1) };
                new.then_some(missing)
            }
        }
    }
}

/// What a message was.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// It was new.
    New(Vec<News>),
    /// It was new, and messages before it are missing: the whole picture is to be asked for.
    Gap(Vec<News>),
    /// It was known.
    Old,
    /// It is of a hub that started before the one whose picture this is: of one that has ended, unless the clock of the hub's computer was
    /// set back. The next answer tells which.
    Elder,
    /// It made no sense.
    Senseless,
}

impl Picture {
    /// Takes up a message.
    pub fn take(&mut self, from: Source, topic: &[u8], json: &[u8]) -> Taken {
        let Some((head, body)) = message::parse(topic, json) else {
            self.senseless += 1;
            return Taken::Senseless;
        };
        let mut news = Vec::new();
        match self.started {
            Some(started) if head.started < started => return Taken::Elder,
            Some(started) if head.started > started => news.push(self.restart()),
            _ => {}
        }
        self.started = Some(head.started);
        if !self.numbers.contains_key(topic) && self.numbers.len() >= MAX_TOPICS {
            self.senseless += 1;
            return Taken::Senseless;
        }
        let numbers = self.numbers.entry(topic.to_vec()).or_default();
        let Some(missing) = numbers.take(from, head.seq, matches!(body, Body::Event(_))) else {
            return Taken::Old;
        };
        self.lost = self.lost.saturating_add(missing);
        if let (Source::Published, Body::Sample(Sample { node, .. }) | Body::Levels(Levels { node, .. })) =
            (from, &body)
            && self.since_asked.len() < MAX_NODES
        {
            self.since_asked.insert(node.clone());
        }
        self.take_body(head, body, &mut news);
        // After a restart the first message says nothing of all others.
        if missing > 0 || news.first() == Some(&News::Restarted) {
            Taken::Gap(news)
        } else {
            Taken::New(news)
        }
    }

    /// A hub that started then has answered: it is the one that lives, whatever was heard before.
    pub fn handle_hub(&mut self, started: f64) -> Option<News> {
        let elder = self.started.is_some_and(|before| before > started);
        elder.then(|| {
            let restarted = self.restart();
            self.started = Some(started);
            restarted
        })
    }

    /// Begins anew, but for what has happened and what is counted.
    fn restart(&mut self) -> News {
        let (lost, senseless) = (self.lost, self.senseless);
        *self = Self { lost, senseless, events: std::mem::take(&mut self.events), ..Self::default() };
        News::Restarted
    }

    /// The whole picture is asked for.
    pub fn handle_asked(&mut self) {
        self.since_asked.clear();
    }

    /// The answer to the last question has been taken, and had messages of these nodes alone: what else is known went while nobody
    /// listened, unless it came since the question.
    pub fn handle_answered(&mut self, named: &HashSet<&[u8]>) -> Vec<News> {
        let Self { nodes, numbers, since_asked, .. } = self;
        let gone: Vec<String> = nodes
            .keys()
            .filter(|name| !named.contains(name.as_bytes()) && !since_asked.contains(*name))
            .cloned()
            .collect();
        for name in &gone {
            nodes.remove(name);
            for kind in ["sample", "level", "event", "node"] {
                numbers.remove(format!("{kind}/{name}").as_bytes());
            }
        }
        gone.into_iter().map(News::Gone).collect()
    }

    fn take_body(&mut self, head: Head, body: Body, news: &mut Vec<News>) {
        match body {
            Body::Sample(sample) => news.extend(self.take_sample(head, sample).map(News::Sampled)),
            Body::Levels(levels) => news.extend(self.take_levels(levels).map(News::Levels)),
            Body::Event(event) => {
                if self.events.len() >= MAX_EVENTS {
                    self.events.pop_front();
                }
                self.events.push_back(event.clone());
                news.push(News::Event(event));
            }
            Body::Passage(passage) => {
                let gone = passage.what == Passage::GONE && self.nodes.remove(&passage.node).is_some();
                news.extend(gone.then_some(News::Gone(passage.node)));
            }
            Body::Hub(hub) => {
                self.hub = Some(hub);
                news.push(News::Hub);
            }
            Body::Other => {}
        }
    }

    fn node(&mut self, name: &str, group: String) -> Option<&mut Node> {
        if !self.nodes.contains_key(name) && self.nodes.len() >= MAX_NODES {
            return None;
        }
        let node = self.nodes.entry(name.into()).or_default();
        if node.name.is_empty() {
            name.clone_into(&mut node.name);
        }
        node.group = group;
        Some(node)
    }

    fn take_sample(&mut self, head: Head, sample: Sample) -> Option<String> {
        if sample.late {
            return None;
        }
        let node = self.node(&sample.node, sample.group)?;
        node.heard = node.heard.max(head.time);
        node.interval = sample.interval;
        for (name, value) in sample.metrics {
            if let Some(metric) = node.metric(name) {
                metric.value = value;
                metric.taken = sample.taken;
            }
        }
        Some(sample.node)
    }

    fn take_levels(&mut self, levels: Levels) -> Option<String> {
        let node = self.node(&levels.node, levels.group)?;
        node.level = levels.level;
        node.heard = node.heard.max(levels.heard);
        (node.muted, node.acknowledged) = (levels.muted, levels.acknowledged);
        for (name, now) in levels.metrics {
            if let Some(metric) = node.metric(name) {
                metric.level = now.level;
                (metric.since, metric.unknown, metric.flapping) = (now.since, now.unknown, now.flapping);
                (metric.rule, metric.limits) = (now.rule, now.limits);
                // In a snapshot the level may be of an older sample than the one that was published since.
                if now.taken >= metric.taken {
                    (metric.value, metric.taken) = (now.value, now.taken);
                }
            }
        }
        Some(levels.node)
    }

    /// Every node, by name.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.values()
    }

    /// The node of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// What the hub last said of itself.
    #[must_use]
    pub const fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }

    /// The last events, the oldest first, [`MAX_EVENTS`] at most. Of what was before the start only the last of each node.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.events.iter()
    }

    /// How many messages were lost on the way, by the gaps in their numbers.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// How many messages made no sense.
    #[must_use]
    pub const fn senseless(&self) -> u64 {
        self.senseless
    }
}

impl Node {
    fn metric(&mut self, name: String) -> Option<&mut Metric> {
        if !self.metrics.contains_key(&name) && self.metrics.len() >= MAX_METRICS {
            return None;
        }
        Some(self.metrics.entry(name).or_default())
    }

    /// The newest number of a metric.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric)?.value
    }
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
