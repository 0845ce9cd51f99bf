//! The values of one node: its metrics, its level, and when it was heard.

use std::collections::HashMap;

use lamon_collector::watch::{Level, NameGlob, Node};
use lamon_wire::metric::Unit;
use lamon_wire::names::{MetricName, NodeName};
use rts2dev::proto::DisplayType;
use rts2dev::{Declaration, DeclareError, DeviceHandle, Selection, Time, Value, ValueKind};

use super::rts2_level;
use super::summary::number;
use crate::config::MAX_DEVICE_VALUES;

/// A device, and how many values it may still get. Clients look values up one by one, so a device has a limit.
pub(super) struct Shelf {
    pub(super) device: DeviceHandle,
    room: usize,
}

/// Why a value is not shown, or not as it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShowError {
    /// The device has all the values that it may have.
    #[error(
        "{device} has {MAX_DEVICE_VALUES} values already; {value} is left out (smaller [[group]]s have devices of their own)"
    )]
    Full {
        /// The device.
        device: String,
        /// The value.
        value: String,
    },
    /// RTS2 cannot have such a value.
    #[error("{value}: {source}")]
    Declare {
        /// The value.
        value: String,
        /// Why.
        source: DeclareError,
    },
    /// Images cannot carry it; it is shown all the same.
    #[error("images cannot carry {value}: {source}")]
    Fits {
        /// The value.
        value: String,
        /// Why.
        source: DeclareError,
    },
}

impl Shelf {
    pub(super) const fn new(device: DeviceHandle) -> Self {
        Self { device, room: MAX_DEVICE_VALUES }
    }

    /// Declares a value, marked for images where it is wanted and can be. What images cannot carry is added to
    /// `complaints`.
    fn declare<T: ValueKind>(
        &mut self,
        name: &str,
        fits: bool,
        complaints: &mut Vec<ShowError>,
        make: impl Fn(&DeviceHandle, &str) -> Declaration<T>,
    ) -> Result<Value<T>, ShowError> {
        let Some(room) = self.room.checked_sub(1) else {
            return Err(ShowError::Full { device: self.device.name().into(), value: name.into() });
        };
        let failed = |source| ShowError::Declare { value: name.into(), source };
        let value = match fits.then(|| make(&self.device, name).fits().declare()) {
            Some(Err(source @ DeclareError::Fits(_))) => {
                complaints.push(ShowError::Fits { value: name.into(), source });
                make(&self.device, name).declare()
            }
            Some(declared) => declared,
            None => make(&self.device, name).declare(),
        }
        .map_err(failed)?;
        self.room = room;
        Ok(value)
    }
}

/// How much of what the node's agent took is stored: a value for nodes with an agent that tells.
enum Completeness {
    /// No agent has told yet.
    Untold,
    Shown(Value<f64>),
    /// RTS2 cannot have it; complained of once.
    Refused,
}

/// The values of one node on its device.
pub(super) struct NodeValues {
    /// The node's name as its values begin: with `-` as `_`.
    prefix: String,
    level: Value<Selection>,
    heard: Value<Time>,
    remarks: Value<String>,
    completeness: Completeness,
    /// `None` for a metric that RTS2 cannot show, so that it is tried, and complained of, once.
    metrics: HashMap<MetricName, Option<MetricValue>>,
}

impl NodeValues {
    /// Declares what every node has. Where images carry metrics, they carry the level and the time with them, so that an
    /// old number is seen to be old.
    pub(super) fn declare(
        shelf: &mut Shelf,
        node: &NodeName,
        fits: bool,
        complaints: &mut Vec<ShowError>,
    ) -> Result<Self, ShowError> {
        let prefix = node.as_str().replace('-', "_");
        let levels = Level::ALL.map(Level::as_str);
        let level = shelf.declare(&format!("{prefix}_level"), fits, complaints, |device, name| {
            device.selection(name, &format!("how {node} is"), &levels)
        })?;
        let heard = shelf.declare(&format!("{prefix}_heard"), fits, complaints, |device, name| {
            device.time(name, &format!("when {node} was last heard"))
        })?;
        let remarks = shelf.declare(&format!("{prefix}_remarks"), false, complaints, |device, name| {
            device.string(name, &format!("what is muted, acknowledged, unknown or flapping of {node}"))
        })?;
        Ok(Self {
            prefix,
            level,
            heard,
            remarks,
            completeness: Completeness::Untold,
            metrics: HashMap::new(),
        })
    }

    /// Shows the node as it is, with values for the metrics that it did not have. What is not shown is added to
    /// `complaints`, each metric once.
    pub(super) fn show(
        &mut self,
        shelf: &mut Shelf,
        (node, remarks): (&Node, &str),
        fits: &[NameGlob],
        complaints: &mut Vec<ShowError>,
    ) {
        for metric in &node.metrics {
            let level = rts2_level(if node.silent { Level::Silent } else { metric.level });
            let value = match self.metrics.get(&metric.name) {
                Some(value) => value,
                None => {
                    let name = format!("{}_{}", self.prefix, metric.name);
                    let in_fits = fits.iter().any(|glob| glob.matches(metric.name.as_str()));
                    let declared =
                        MetricValue::declare(shelf, &name, in_fits, complaints, &node.name, &metric.name);
                    let value = declared.map_err(|error| complaints.push(error)).ok();
                    self.metrics.entry(metric.name.clone()).or_insert(value)
                }
            };
            if let Some(value) = value {
                value.show(metric.value, level);
            }
        }
        let level = node.level();
        let heard = rts2_level(if node.silent { level } else { Level::Good });
        self.level.set_with_level(Selection(number(level)), rts2_level(level));
        self.heard.set_with_level(Time(seconds(node.heard_ms)), heard);
        self.remarks.set(remarks);
        self.show_completeness(shelf, node, complaints);
    }

    fn show_completeness(&mut self, shelf: &mut Shelf, node: &Node, complaints: &mut Vec<ShowError>) {
        let progress = node.arrivals.progress();
        if matches!(self.completeness, Completeness::Untold) && progress.taken > 0 {
            let name = format!("{}_completeness", self.prefix);
            let what =
                format!("[%] of the samples that the agent of {} took, how many are stored", node.name);
            let make =
                |device: &DeviceHandle, name: &str| device.double(name, &what).display(DisplayType::Percent);
            self.completeness = match shelf.declare(&name, false, complaints, make) {
                Ok(value) => Completeness::Shown(value),
                Err(error) => {
                    complaints.push(error);
                    Completeness::Refused
                }
            };
        }
        if let Completeness::Shown(value) = &self.completeness {
            value.set(progress.completeness() * 100.0);
        }
    }
}

/// Above this a number is shown as unknown: displays of bytes look its unit up in a table that ends with peta
/// (RTS2 lib/rts2/displayvalue.cpp), and go on behind its end.
const MAX_SHOWN: f64 = 1e18;

/// A metric's value, of the type by which RTS2's clients show it best.
enum MetricValue {
    /// Percent, bytes and intervals, which have displays of their own.
    Double(Value<f64>),
    /// Plain numbers: clients print a double with twenty digits (RTS2 lib/rts2/value.cpp), 0.13 as
    /// 0.13000000000000000444, and a float as people write it.
    Float(Value<f32>),
    /// Counts.
    Integer(Value<i32>),
}

impl MetricValue {
    fn declare(
        shelf: &mut Shelf,
        name: &str,
        fits: bool,
        complaints: &mut Vec<ShowError>,
        node: &NodeName,
        metric: &MetricName,
    ) -> Result<Self, ShowError> {
        let unit = Unit::of(metric);
        let what = metric.as_str().replace('_', " ");
        let description = match unit.symbol() {
            "" => format!("{what} of {node}"),
            symbol => format!("[{symbol}] {what} of {node}"),
        };
        let display = match unit {
            Unit::Percent => DisplayType::Percent,
            Unit::Bytes | Unit::BytesPerSecond => DisplayType::ByteSize,
            Unit::Seconds if metric.as_str() == "uptime" => DisplayType::TimeInterval,
            Unit::Count => {
                let integer =
                    shelf.declare(name, fits, complaints, |device, name| device.integer(name, &description));
                return integer.map(Self::Integer);
            }
            _ => {
                let float =
                    shelf.declare(name, fits, complaints, |device, name| device.float(name, &description));
                return float.map(Self::Float);
            }
        };
        let double = shelf.declare(name, fits, complaints, |device, name| {
            device.double(name, &description).display(display)
        });
        double.map(Self::Double)
    }

    fn show(&self, number: f64, level: rts2dev::proto::Level) {
        match self {
            Self::Double(value) => {
                value.set_with_level(if number > MAX_SHOWN { f64::NAN } else { number }, level);
            }
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are what is shown")]
            Self::Float(value) => value.set_with_level(number as f32, level),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the cast saturates, and a count of 2^31 is no count"
            )]
            Self::Integer(value) => value.set_with_level(number.round() as i32, level),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit")]
fn seconds(unix_ms: i64) -> f64 {
    unix_ms as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use rts2dev::{Device, DeviceOptions};

    use super::*;

    fn shelf() -> Shelf {
        Shelf::new(Device::new(DeviceOptions::new("NODES")).unwrap().handle())
    }

    fn declare(
        shelf: &mut Shelf,
        metric: &str,
        complaints: &mut Vec<ShowError>,
    ) -> Result<MetricValue, ShowError> {
        let (node, metric) = (NodeName::new("ccd01").unwrap(), MetricName::new(metric).unwrap());
        MetricValue::declare(shelf, &format!("ccd01_{metric}"), true, complaints, &node, &metric)
    }

    #[test]
    fn numbers_that_clients_cannot_display_are_shown_as_unknown() {
        let (mut shelf, mut complaints) = (shelf(), Vec::new());
        let good = rts2dev::proto::Level::Good;
        let MetricValue::Double(bytes) = declare(&mut shelf, "nic_in", &mut complaints).unwrap() else {
            panic!("bytes per second have a display of their own")
        };
        let MetricValue::Float(load) = declare(&mut shelf, "load1", &mut complaints).unwrap() else {
            panic!("a plain number is a float")
        };
        for (number, shown) in [(1e12, true), (1e19, false), (f64::MAX, false)] {
            MetricValue::Double(bytes.clone()).show(number, good);
            assert_eq!(bytes.get().is_finite(), shown, "{number}");
        }
        MetricValue::Float(load.clone()).show(1e300, good);
        assert!(load.get().is_nan(), "a float has no such number, and clients cannot bear inf");
    }

    #[test]
    fn a_name_too_long_for_images_is_shown_all_the_same_and_complained_of() {
        let (mut shelf, mut complaints) = (shelf(), Vec::new());
        assert!(declare(&mut shelf, "a_metric_with_a_name_of_forty_characters", &mut complaints).is_ok());
        assert!(matches!(&complaints[..], [ShowError::Fits { .. }]), "{complaints:?}");
    }

    #[test]
    fn a_device_has_room_for_so_many_values() {
        let (mut shelf, mut complaints) = (shelf(), Vec::new());
        for number in 0..MAX_DEVICE_VALUES {
            declare(&mut shelf, &format!("m{number}"), &mut complaints).unwrap();
        }
        assert!(matches!(declare(&mut shelf, "one_more", &mut complaints), Err(ShowError::Full { .. })));
    }
}
