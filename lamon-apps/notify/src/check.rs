//! What the configuration means, and one message by hand.

use std::time::{SystemTime, UNIX_EPOCH};

use lamon_bus::Level;
use lamon_daemon::{answer, exit};

use crate::channel::Failure;
use crate::config::{Config, Route};
use crate::notice::Message;
use crate::say;

/// `test`: the message was not delivered.
const NOT_DELIVERED: u8 = 1;

/// Says what the configuration means; the exit code.
pub(crate) fn check(config: &Config) -> u8 {
    let mut code = exit::OK;
    answer::line(format_args!("hub: {}, {}", config.hub.publish, config.hub.snapshot));
    if let Some(minute) = config.self_test {
        answer::line(format_args!("self-test: every day at {:02}:{:02}", minute / 60, minute % 60));
    }
    for channel in &config.channels {
        let (name, limit) = (&channel.name, channel.limit);
        answer::line(format_args!(
            "channel {name}: at most {} messages in {} s",
            limit.count,
            limit.per.as_secs()
        ));
        if let Err(why) = channel.channel.check() {
            say(&format!("channel {name} would fail: {why}"));
            code = exit::CONFIG;
        }
        if !config.routes.iter().any(|route| uses(route, name)) {
            say(&format!("channel {name} is used by no route"));
        }
    }
    for route in &config.routes {
        let levels: Vec<&str> = route.levels.iter().map(|level| level.as_str()).collect();
        let (name, levels, channels) = (&route.name, levels.join(", "), route.channels.join(", "));
        answer::line(format_args!("route {name}: {levels} to {channels}"));
    }
    if config.routes.is_empty() {
        answer::line("there is no route: nobody is told anything");
    }
    code
}

fn uses(route: &Route, channel: &String) -> bool {
    route.channels.contains(channel)
        || route.fallback.as_ref().is_some_and(|(fallback, _)| fallback == channel)
        || route.escalate.as_ref().is_some_and(|escalate| escalate.channels.contains(channel))
}

/// Sends one message over a channel; the exit code.
pub(crate) fn test(config: &Config, name: &str, text: Option<String>) -> u8 {
    let Some(channel) = config.channels.iter().find(|channel| channel.name == name) else {
        let known: Vec<&str> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
        let there = if known.is_empty() { "the configuration has none".to_owned() } else { known.join(", ") };
        say(&format!("there is no channel {name:?}: {there}"));
        return exit::USAGE;
    };
    let message = Message {
        title: "lamon: a test".to_owned(),
        text: text.unwrap_or_else(|| format!("If you read this, the channel {name} works.")),
        level: Level::Good,
        nodes: Vec::new(),
        route: "test".to_owned(),
        time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
    };
    match channel.channel.deliver(&message, &[]) {
        Ok(()) => {
            answer::line(format_args!("channel {name}: delivered"));
            exit::OK
        }
        Err(Failure::Some { left, why }) => {
            say(&format!("channel {name}: not delivered to {}: {why}", left.join(", ")));
            NOT_DELIVERED
        }
        Err(why) => {
            say(&format!("channel {name}: not delivered: {why}"));
            NOT_DELIVERED
        }
    }
}
