//! Values as people read them: the unit is in the metric's name, as `docs/bus.md` tells.

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Percent,
    Bytes,
    BytesPerSecond,
    Seconds,
    Celsius,
    Number,
}

fn unit(metric: &str) -> Unit {
    let nic = metric == "nic_in" || metric == "nic_out" || metric.starts_with("nic_");
    if metric.ends_with("_percent") {
        Unit::Percent
    } else if nic && (metric.ends_with("_in") || metric.ends_with("_out")) {
        Unit::BytesPerSecond
    } else if metric.ends_with("_free") || metric.ends_with("_bytes") {
        Unit::Bytes
    } else if metric == "uptime" || metric == "clock_offset" {
        Unit::Seconds
    } else if metric.starts_with("temp_") {
        Unit::Celsius
    } else {
        Unit::Number
    }
}

/// The unit's sign, for programs; empty for a bare number.
pub(crate) fn sign(metric: &str) -> &'static str {
    match unit(metric) {
        Unit::Percent => "%",
        Unit::Bytes => "B",
        Unit::BytesPerSecond => "B/s",
        Unit::Seconds => "s",
        Unit::Celsius => "°C",
        Unit::Number => "",
    }
}

/// Day, hour, minute and second, as a length of time is written.
pub(crate) type Times = [&'static str; 4];

/// Those of English, and of scripts.
pub(crate) const ENGLISH: Times = ["d", "h", "min", "s"];

/// A value with its unit; `-` for none.
pub(crate) fn value(metric: &str, value: Option<f64>) -> String {
    value_in(ENGLISH, metric, value)
}

/// The same in another language.
pub(crate) fn value_in(times: Times, metric: &str, value: Option<f64>) -> String {
    let Some(value) = value else { return "-".into() };
    match unit(metric) {
        Unit::Percent => format!("{value:.1} %"),
        Unit::Bytes => format!("{}B", scaled(value)),
        Unit::BytesPerSecond => format!("{}B/s", scaled(value)),
        Unit::Seconds if metric == "uptime" => length_in(times, value),
        Unit::Seconds => format!("{value:.3} {}", times[3]),
        Unit::Celsius => format!("{value:.1} °C"),
        Unit::Number => number(value),
    }
}

/// A number in a narrow column: `1.2k`, `87G`; `-` for none. Decimal thousands, as disks and networks count.
pub(crate) fn short(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |value| scaled(value).replace(' ', ""))
}

fn scaled(value: f64) -> String {
    const PREFIXES: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let mut rest = value;
    let mut prefixes = PREFIXES.iter().peekable();
    while let Some(prefix) = prefixes.next() {
        // 999.7 would be written 1000.
        if rest.abs() < 999.5 || prefixes.peek().is_none() {
            let digits = usize::from(rest.abs() < 9.95 && !prefix.is_empty());
            return format!("{rest:.digits$} {prefix}");
        }
        rest /= 1_000.0;
    }
    number(value)
}

/// A bare number with as many decimals as it is worth.
pub(crate) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else if value.abs() < 1e-4 || value.abs() >= 1e15 {
        format!("{value:.3e}")
    } else {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').into()
    }
}

/// A length of time in its two largest units; less than nothing is nothing.
pub(crate) fn length(seconds: f64) -> String {
    length_in(ENGLISH, seconds)
}

/// The same in another language.
pub(crate) fn length_in([day, hour, minute, second]: Times, seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e12).floor();
    let (days, hours) = ((seconds / 86_400.0).floor(), (seconds / 3_600.0).floor() % 24.0);
    let minutes = (seconds / 60.0).floor() % 60.0;
    if days > 0.0 {
        format!("{days} {day} {hours} {hour}")
    } else if hours > 0.0 {
        format!("{hours} {hour} {minutes} {minute}")
    } else if minutes > 0.0 {
        format!("{minutes} {minute}")
    } else {
        format!("{seconds} {second}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_have_the_unit_of_their_name() {
        for (metric, number, text) in [
            ("disk_percent", 82.54, "82.5 %"),
            ("nic_in", 1234.0, "1.2 kB/s"),
            ("nic_eth0_out", 12.4, "12 B/s"),
            ("disk_root_free", 87e9, "87 GB"),
            ("disk_root_free", 999.9e9, "1.0 TB"),
            ("uptime", 90_061.0, "1 d 1 h"),
            ("clock_offset", -0.0021, "-0.002 s"),
            ("temp_cpu", 45.0, "45.0 °C"),
            ("load_1", 0.25, "0.25"),
            ("processes", 312.0, "312"),
            ("tiny", 0.000_012_3, "1.230e-5"),
        ] {
            assert_eq!(value(metric, Some(number)), text, "{metric}");
        }
        assert_eq!(value("disk_percent", None), "-");
        assert_eq!((sign("nic_in"), sign("processes")), ("B/s", ""));
    }

    #[test]
    fn columns_are_narrow() {
        let all: Vec<_> =
            [0.0, 12.0, 999.4, 1234.0, 87e9, 2e18].iter().map(|value| short(Some(*value))).collect();
        assert_eq!(all, ["0", "12", "999", "1.2k", "87G", "2000P"]);
    }

    #[test]
    fn lengths_have_two_units() {
        let all: Vec<_> =
            [-3.0, 31.9, 61.0, 3_720.0, 200_000.0].iter().map(|seconds| length(*seconds)).collect();
        assert_eq!(all, ["0 s", "31 s", "1 min", "1 h 2 min", "2 d 7 h"]);
    }

    proptest! {
        #[test]
        fn no_number_is_too_much(value in any::<f64>()) {
            let _ = (number(value), length(value));
            prop_assert!(!short(Some(value)).is_empty());
        }
    }
}
