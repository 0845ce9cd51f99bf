//! The network interfaces from their counters: `nic_<name>_in`, `_out` and `_errors`, and the sums `nic_in` and `nic_out`.
//! Where the counters come from is the system's business.

use lamon_wire::names::Slugs;

use super::numbers::rate;
use crate::clock::Now;
use crate::sheet::{Core, DeviceMetric, Sheet};

/// The most interfaces that are reported one by one.
const MAX_INTERFACES: usize = 48;

/// An interface and what it counted since it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counters {
    /// What the system calls it.
    pub name: String,
    /// Bytes that came in.
    pub received: u64,
    /// Bytes that went out.
    pub sent: u64,
    /// Packets that could not be received or sent, where the system says it.
    pub errors: Option<u64>,
}

/// Makes rates of counters.
#[derive(Debug, Default)]
pub(super) struct Networks {
    interfaces: Vec<(Counters, Option<[DeviceMetric; 3]>)>,
    slugs: Slugs,
    last_us: u64,
}

impl Networks {
    /// Takes the counters as they are now, of all interfaces that count.
    pub(super) fn read(&mut self, now: Now, mut counters: Vec<Counters>, sheet: &mut Sheet) {
        let (first, seconds) = (self.last_us == 0, now.seconds_since(self.last_us));
        self.last_us = now.monotonic_us;
        counters.sort_by(|one, other| one.name.cmp(&other.name));
        counters.truncate(MAX_INTERFACES);
        let mut current = Vec::with_capacity(counters.len());
        let mut sums = (!first).then_some((0.0, 0.0));
        for counters in counters {
            let last = self.interfaces.iter().find(|(last, _)| last.name == counters.name);
            let metrics = match last.and_then(|(_, metrics)| metrics.clone()) {
                Some(metrics) => Some(metrics),
                None => DeviceMetric::of(&mut self.slugs, "nic", &counters.name, ["_in", "_out", "_errors"]),
            };
            let last = last.map(|(last, _)| last);
            let more_in = last.and_then(|last| rate(last.received, counters.received, seconds));
            let more_out = last.and_then(|last| rate(last.sent, counters.sent, seconds));
            if last.is_some() {
                sums = sums.zip(more_in.zip(more_out)).map(|((a, b), (c, d))| (a + c, b + d));
            }
            if let Some([received, sent, errors]) = &metrics {
                sheet.device(received, more_in);
                sheet.device(sent, more_out);
                if let Some(now) = counters.errors {
                    let before = last.and_then(|last| last.errors);
                    sheet.device(errors, before.and_then(|before| rate(before, now, seconds)));
                }
            }
            current.push((counters, metrics));
        }
        self.interfaces = current;
        sheet.core(Core::NicIn, sums.map(|(sum_in, _)| sum_in));
        sheet.core(Core::NicOut, sums.map(|(_, sum_out)| sum_out));
    }

    /// The names of the interfaces.
    pub(super) fn watched(&self) -> impl Iterator<Item = &str> {
        self.interfaces.iter().map(|(counters, _)| counters.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(
        networks: &mut Networks,
        seconds: u64,
        counters: &[(&str, [u64; 2], Option<u64>)],
    ) -> Vec<(String, Option<f64>)> {
        let counters = counters.iter().map(|(name, [received, sent], errors)| Counters {
            name: (*name).into(),
            received: *received,
            sent: *sent,
            errors: *errors,
        });
        let mut sheet = Sheet::default();
        let now = Now { monotonic_us: seconds * 1_000_000, wall_us: 0 };
        networks.read(now, counters.collect(), &mut sheet);
        sheet.entries().map(|(name, _, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn rates_are_those_since_the_look_before() {
        let mut networks = Networks::default();
        let entry = |name: &str, value| (name.to_owned(), value);
        let first = look(&mut networks, 10, &[("Wi-Fi", [5, 5], None), ("Ethernet 2", [100, 10], Some(1))]);
        let names = ["nic_in", "nic_out", "nic_ethernet_2_in", "nic_ethernet_2_out", "nic_ethernet_2_errors"];
        assert_eq!(first[..5], names.map(|name| entry(name, None)));
        assert_eq!(first[5..], ["nic_wi_fi_in", "nic_wi_fi_out"].map(|name| entry(name, None)));
        let second = look(&mut networks, 20, &[("Ethernet 2", [200, 30], Some(6)), ("Wi-Fi", [25, 5], None)]);
        let values = [12.0, 2.0, 10.0, 2.0, 0.5, 2.0, 0.0];
        assert_eq!(second.iter().map(|(_, value)| *value).collect::<Vec<_>>(), values.map(Some));
        // One that is new has no rates yet; one that was set back has none either, and then there is no sum.
        let third = look(&mut networks, 30, &[("Ethernet 2", [250, 40], Some(6)), ("New", [9, 9], None)]);
        assert_eq!(third[0], entry("nic_in", Some(5.0)));
        assert_eq!(third[5..], ["nic_new_in", "nic_new_out"].map(|name| entry(name, None)));
        let fourth = look(&mut networks, 40, &[("Ethernet 2", [0, 50], Some(6))]);
        assert_eq!(fourth[..2], [entry("nic_in", None), entry("nic_out", None)]);
        assert_eq!(networks.watched().collect::<Vec<_>>(), ["Ethernet 2"]);
    }
}
