//! Values that change, and the clients that have to get them: how long until all have all, and what it costs the device.

use super::{Effort, latency};
use crate::device::Options;
use crate::listener::Listeners;
use crate::process::Process;
use crate::report::{Sample, row, table, title};

const CLIENTS: [usize; 3] = [1, 5, 20];
const VALUES: [usize; 3] = [10, 100, 1000];

pub(super) fn run(effort: Effort) -> anyhow::Result<()> {
    let mut device = Process::device(&Options { devices: 1, numbers: 1000, ..Options::default() })?;
    let mut costs = Vec::new();
    for clients in CLIENTS {
        let listeners = Listeners::connect(device.port()?, clients, "V asked ")?;
        for values in VALUES {
            costs.push(measure(&mut device, &listeners, values, effort)?);
        }
    }
    title("Values that change at once, from the order to when every client has every one");
    if let Some(most) = costs.last() {
        row("1000 values, 20 clients", latency(&most.times), "wanted: below 50 ms");
    }
    title("CPU of the device for a round (µs), and for each value and client in it (ns)");
    table(&format!("{:>10} {:>24} {:>24} {:>24}", "clients", "10 values", "100 values", "1000 values"));
    for (clients, line) in CLIENTS.iter().zip(costs.chunks(VALUES.len())) {
        let cells = line.iter().map(|cost| {
            format!("{:>24}", format!("{:.0} µs {:>7.0} ns", cost.cpu.median(), cost.each(*clients)))
        });
        table(&format!("{clients:>10} {}", cells.collect::<Vec<_>>().join(" ")));
    }
    let each = |number: usize| costs.get(number).map_or(f64::NAN, |cost| cost.cpu.median());
    // Between 5 and 20 clients and between 100 and 1000 values: what one more costs, by what one more costs before.
    let by_clients = (each(8) - each(5)) / 15.0 / ((each(5) - each(2)) / 4.0);
    let by_values = (each(8) - each(7)) / 900.0 / ((each(7) - each(6)) / 90.0);
    row("a client more, of 20 against of 5 (1000 values)", format!("{by_clients:.2}"), "linear: 1");
    row("a value more, of 1000 against of 100 (20 clients)", format!("{by_values:.2}"), "linear: at most 1");
    Ok(())
}

struct Cost {
    values: usize,
    times: Sample,
    /// Microseconds for a round.
    cpu: Sample,
}

impl Cost {
    /// Nanoseconds for each value and client.
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    fn each(&self, clients: usize) -> f64 {
        self.cpu.median() * 1e3 / (self.values * clients) as f64
    }
}

fn measure(
    device: &mut Process,
    listeners: &Listeners,
    values: usize,
    effort: Effort,
) -> anyhow::Result<Cost> {
    let (mut times, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..effort.times(200) {
        let before = device.cpu()?;
        times.push(listeners.round(device, "numbers", values)?);
        cpu.push((device.cpu()? - before).as_secs_f64() * 1e6);
    }
    Ok(Cost { values, times: times.into_iter().collect(), cpu: cpu.into_iter().collect() })
}
