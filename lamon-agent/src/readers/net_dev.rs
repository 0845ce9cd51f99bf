//! Traffic of the network interfaces from /proc/net/dev.
//!
//! Counted are the physical interfaces, those with a device behind them (`/sys/class/net/<name>/device`): the traffic of
//! a bond, a VLAN or a bridge passes through them and would be counted twice. Where no interface has a device (most
//! containers, some virtual machines) all but the loopback count.
//!
//! `nic_in` and `nic_out` are the sums, `nic_<name>_in`, `_out` and `_errors` the parts, all per second. A counter that
//! jumped back (a driver that was reset) gives no value at that look, and neither does a sum that it belongs to. An
//! interface that has just come is counted from its second look on.

use std::path::Path;

use lamon_wire::names::Slugs;

use super::file::ProcFile;
use super::numbers::rate;
use super::text::{lines, number, words};
use crate::clock::Now;
use crate::sheet::{Core, DeviceMetric, Sheet};

/// The most interfaces that are looked at one by one: beyond it is a machine that makes interfaces, and 16 bytes per
/// interface and sample would outgrow the table.
const MAX_INTERFACES: usize = 48;

/// Looks at /proc/net/dev.
#[derive(Debug)]
pub(super) struct NetDev {
    file: ProcFile,
    slugs: Slugs,
    last: Vec<Interface>,
    last_us: u64,
    spare: Vec<Interface>,
}

#[derive(Debug)]
struct Interface {
    name: String,
    physical: bool,
    counters: Counters,
    metrics: Option<[DeviceMetric; 3]>,
}

/// What an interface counted since it came up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counters {
    in_bytes: u64,
    out_bytes: u64,
    errors: u64,
}

impl NetDev {
    pub(super) fn new() -> Self {
        // 200 bytes a line: 5,000 interfaces.
        let file = ProcFile::of_short_lines("/proc/net/dev", 1 << 20);
        Self { file, slugs: Slugs::default(), last: Vec::new(), last_us: 0, spare: Vec::new() }
    }

    pub(super) fn read(&mut self, now: Now, sheet: &mut Sheet) {
        let text = self.file.read().unwrap_or_default();
        let mut current = std::mem::take(&mut self.spare);
        for (name, counters) in parse(text) {
            // The kernel lists interfaces in the same order, so the one at the same place is mostly the same.
            let known = match self.last.get(current.len()) {
                Some(same) if same.name == name => Some(current.len()),
                _ => self.last.iter().position(|last| last.name == name),
            };
            let (physical, metrics) = match known.and_then(|at| self.last.get_mut(at)) {
                Some(last) => (last.physical, last.metrics.take()),
                None => (has_device(name), None),
            };
            current.push(Interface { name: name.into(), physical, counters, metrics });
        }
        let seconds = now.seconds_since(self.last_us);
        self.report(&mut current, seconds, sheet);
        self.last_us = now.monotonic_us;
        self.spare = std::mem::replace(&mut self.last, current);
        self.spare.clear();
    }

    /// The names of the interfaces that count, and whether they are physical ones.
    pub(super) fn watched(&self) -> impl Iterator<Item = (&str, bool)> {
        let any_physical = self.last.iter().any(|interface| interface.physical);
        self.last.iter().filter(move |i| counts(i, any_physical)).map(|i| (i.name.as_str(), i.physical))
    }

    fn report(&mut self, current: &mut [Interface], seconds: f64, sheet: &mut Sheet) {
        let any_physical = current.iter().any(|interface| interface.physical);
        let mut sums = Some((0.0, 0.0));
        let mut any_known = self.last_us > 0;
        let mut any = false;
        let mut any_rate = false;
        for interface in current.iter_mut().filter(|i| counts(i, any_physical)).take(MAX_INTERFACES) {
            any = true;
            let Interface { name, counters: now, metrics, .. } = interface;
            let last = self.last.iter().find(|last| last.name == *name).map(|last| last.counters);
            let grown = |of: fn(&Counters) -> u64| rate(of(&last?), of(now), seconds);
            let (bytes_in, bytes_out) = (grown(|c| c.in_bytes), grown(|c| c.out_bytes));
            if last.is_some() {
                any_rate = true;
                sums = sums
                    .zip(bytes_in.zip(bytes_out))
                    .map(|((sum_in, sum_out), (more_in, more_out))| (sum_in + more_in, sum_out + more_out));
            }
            if metrics.is_none() {
                *metrics = DeviceMetric::of(&mut self.slugs, "nic", name, ["_in", "_out", "_errors"]);
            }
            if let Some([metric_in, metric_out, metric_errors]) = metrics {
                sheet.device(metric_in, bytes_in);
                sheet.device(metric_out, bytes_out);
                sheet.device(metric_errors, grown(|c| c.errors));
            }
        }
        // A node whose only interface has just come has no sum yet; one without any interface has no traffic.
        any_known &= any_rate || !any;
        let sums = sums.filter(|_| any_known);
        sheet.core(Core::NicIn, sums.map(|(sum_in, _)| sum_in));
        sheet.core(Core::NicOut, sums.map(|(_, sum_out)| sum_out));
    }
}

fn counts(interface: &Interface, any_physical: bool) -> bool {
    if any_physical { interface.physical } else { interface.name != "lo" }
}

fn has_device(interface: &str) -> bool {
    // A name that walks out of the folder is none of an interface.
    !interface.contains('/') && Path::new("/sys/class/net").join(interface).join("device").exists()
}

/// The interfaces of the text with their counters; lines that are none are skipped.
fn parse(text: &[u8]) -> impl Iterator<Item = (&str, Counters)> {
    lines(text).filter_map(|line| {
        // Old kernels leave no blank behind the colon; interface names cannot contain one.
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, rest) = line.split_at_checked(colon)?;
        let name = str::from_utf8(name.trim_ascii()).ok().filter(|name| !name.is_empty())?;
        let mut columns = words(rest.get(1..)?).map(number);
        // Receive: bytes packets errs drop fifo frame compressed multicast; transmit: bytes packets errs ...
        let (in_bytes, in_errors) = (columns.next()??, columns.nth(1)??);
        let (out_bytes, out_errors) = (columns.nth(5)??, columns.nth(1)??);
        Some((name, Counters { in_bytes, out_bytes, errors: in_errors.saturating_add(out_errors) }))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REAL: &[u8] = b"Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    \
        lo: 1534276   13761    0    0    0     0          0         0  1534276   13761    0    0    0     0       0          0\n  \
        eth0: 131371336    6961    2    0    0     0          0         0   652630    5181    3    0    0     0       0          0\n";

    #[test]
    fn real_and_odd_files() {
        let all: Vec<_> = parse(REAL).collect();
        let counters = |in_bytes, out_bytes, errors| Counters { in_bytes, out_bytes, errors };
        assert_eq!(
            all,
            [("lo", counters(1_534_276, 1_534_276, 0)), ("eth0", counters(131_371_336, 652_630, 5))]
        );
        for (line, expected) in [
            (&b"eth0:1 2 3 4 5 6 7 8 9 10 11 12\n"[..], Some(counters(1, 9, 14))),
            (
                b"x: 18446744073709551615 0 18446744073709551615 0 0 0 0 0 7 0 9 0",
                Some(counters(u64::MAX, 7, u64::MAX)),
            ),
            (b"eth0: 1 2 3 4 5 6 7 8 9 10\n", None),
            (b"eth0: 99999999999999999999 2 3 4 5 6 7 8 9 10 11 12\n", None),
            (b": 1 2 3 4 5 6 7 8 9 10 11 12\n", None),
            (b"\xff: 1 2 3 4 5 6 7 8 9 10 11 12\n", None),
            (b"eth0", None),
        ] {
            assert_eq!(parse(line).next().map(|(_, counters)| counters), expected, "{}", line.escape_ascii());
        }
    }

    fn interface(name: &str, physical: bool, in_bytes: u64) -> Interface {
        let counters = Counters { in_bytes, ..Counters::default() };
        Interface { name: name.into(), physical, counters, metrics: None }
    }

    fn report(last: Vec<Interface>, mut current: Vec<Interface>) -> Vec<(String, Option<f64>)> {
        let mut sheet = Sheet::default();
        let mut net = NetDev { last, last_us: 1, ..NetDev::new() };
        net.report(&mut current, 2.0, &mut sheet);
        sheet
            .entries()
            .filter(|(name, ..)| name.ends_with("_in"))
            .map(|(name, _, value)| (name.into(), value))
            .collect()
    }

    fn named<const N: usize>(list: [(&str, Option<f64>); N]) -> Vec<(String, Option<f64>)> {
        list.map(|(name, value)| (name.into(), value)).to_vec()
    }

    #[test]
    fn physical_interfaces_count_and_their_bond_does_not() {
        let at = |more: u64| {
            vec![
                interface("lo", false, 5 * more),
                interface("eth0", true, 100 + 10 * more),
                interface("eth1", true, 20 * more),
                interface("bond0", false, 100 + 30 * more),
            ]
        };
        assert_eq!(
            report(at(0), at(2)),
            named([("nic_in", Some(30.0)), ("nic_eth0_in", Some(10.0)), ("nic_eth1_in", Some(20.0))])
        );
    }

    #[test]
    fn without_any_device_all_but_the_loopback_count() {
        let at = |more| vec![interface("lo", false, more), interface("veth7", false, 4 * more)];
        assert_eq!(report(at(0), at(1)), named([("nic_in", Some(2.0)), ("nic_veth7_in", Some(2.0))]));
        let only_loopback = |more| vec![interface("lo", false, more)];
        assert_eq!(report(only_loopback(0), only_loopback(9)), named([("nic_in", Some(0.0))]));
    }

    #[test]
    fn counters_that_jump_back_and_new_interfaces_have_no_value() {
        assert_eq!(
            report(
                vec![interface("eth0", true, 100), interface("eth1", true, 10)],
                vec![interface("eth0", true, 0), interface("eth1", true, 30)]
            ),
            named([("nic_in", None), ("nic_eth0_in", None), ("nic_eth1_in", Some(10.0))])
        );
        assert_eq!(
            report(
                vec![interface("eth0", true, 0)],
                vec![interface("usb0", true, 1_000), interface("eth0", true, 8)]
            ),
            named([("nic_in", Some(4.0)), ("nic_usb0_in", None), ("nic_eth0_in", Some(4.0))])
        );
        assert_eq!(
            report(vec![], vec![interface("eth0", true, 5)]),
            named([("nic_in", None), ("nic_eth0_in", None)])
        );
    }

    #[test]
    fn the_interfaces_of_this_machine_have_rates_at_the_second_look() {
        let mut net = NetDev::new();
        let mut sheet = Sheet::default();
        let look = |us| Now { monotonic_us: us, wall_us: 0 };
        net.read(look(1_000_000), &mut sheet);
        assert!(sheet.entries().all(|(.., value)| value.is_none()));
        sheet.clear();
        net.read(look(2_000_000), &mut sheet);
        assert!(sheet.entries().all(|(.., value)| value.is_some()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&text).count();
        }

        #[test]
        fn anything_like_the_file_too(text in "([a-z]{0,4}:?( [0-9]{0,21}){0,17}\n){0,5}") {
            let _ = parse(text.as_bytes()).count();
        }
    }
}
