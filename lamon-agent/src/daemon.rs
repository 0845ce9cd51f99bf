//! The daemon: two tasks on one thread.
//!
//! | task | waits on | sends |
//! |---|---|---|
//! | sampling | the interval, new settings | samples, to the uplink |
//! | uplink | samples, the connection, its deadlines, the end | settings, to sampling; bytes, to the hub |

use std::future::pending;
use std::time::Duration;

use lamon_daemon::systemd;
use lamon_wire::frames::Settings;
use lamon_wire::names::NodeName;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Now;
use crate::config::{Config, Interval};
use crate::sampler::{BETWEEN_LOOKS, Sample, Sampler};
use crate::spool::OpenError;
use crate::uplink::{Progress, Uplink};

/// How long the end may wait for the last acknowledgements.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Samples between the two tasks. The uplink never waits for anything but them, so one place would do.
const SAMPLES_QUEUED: usize = 4;

/// How long samples may be missing, beside two intervals, before the watchdog is no longer told that all is well:
/// many hanging disks cost two seconds each.
const SAMPLING_GRACE: Duration = Duration::from_secs(60);

/// Samples this node and keeps its hub supplied until `shutdown` is cancelled; then flushes for two seconds at most, and
/// leaves the rest in the spool.
///
/// # Errors
///
/// When another agent uses the spool.
pub async fn run(config: Config, node: NodeName, shutdown: CancellationToken) -> Result<(), OpenError> {
    let (samples, taken) = mpsc::channel(SAMPLES_QUEUED);
    let (settings, wanted) = watch::channel(Settings::default());
    let sampling = sampling(Sampler::new(&config.selection()), config.interval, wanted, samples);
    let own = config.interval;
    let mut uplink = Uplink::new(config, node)?;
    let serving = serve(&mut uplink, own, taken, settings, shutdown);
    tokio::select! {
        () = serving => {}
        () = sampling => {}
    }
    systemd::stopping();
    uplink.finish().await;
    Ok(())
}

/// Takes a sample at every interval. The first comes after a first look, so that it has its rates, CPU and network, from the
/// beginning. Ends when nobody takes them.
async fn sampling(
    mut sampler: Sampler,
    own: Interval,
    mut wanted: watch::Receiver<Settings>,
    samples: mpsc::Sender<Sample>,
) {
    let _without_rates = sampler.take(Now::read()).await;
    let mut last = Instant::now();
    let mut due = last + BETWEEN_LOOKS;
    loop {
        tokio::select! {
            () = sleep_until(due) => {
                // Looks are equally far apart; those that a slow one or a sleep missed are left out.
                let now = Instant::now();
                last = if now - due < interval(own, &wanted.borrow()) { due } else { now };
                let sample = sampler.take(Now::read()).await;
                if samples.send(sample).await.is_err() {
                    return;
                }
                due = last + interval(own, &wanted.borrow());
            }
            changed = wanted.changed() => {
                if changed.is_err() {
                    return;
                }
                sampler.watch(&wanted.borrow_and_update().watch);
                // A sample that is due before is still taken; the first always is.
                due = due.min(last + interval(own, &wanted.borrow()));
            }
        }
    }
}

fn interval(own: Interval, settings: &Settings) -> Duration {
    let wanted = settings.interval_ms.map(|ms| Interval::clamped(Duration::from_millis(ms.into())));
    wanted.unwrap_or(own).duration()
}

/// What the uplink's loop woke up for.
enum Wake {
    Sample(Option<Sample>),
    Progress(Progress),
    Timeout,
    Watchdog,
    Shutdown,
}

async fn serve(
    uplink: &mut Uplink,
    own: Interval,
    mut samples: mpsc::Receiver<Sample>,
    settings: watch::Sender<Settings>,
    shutdown: CancellationToken,
) {
    let watchdog = systemd::watchdog_period();
    let mut alive_at = watchdog.map(|period| Instant::now() + period);
    let mut last_sample = Instant::now();
    let mut ready = false;
    let mut end_at: Option<Instant> = None;
    loop {
        if end_at.is_some_and(|end| uplink.is_flushed() || !uplink.is_open() || Instant::now() >= end) {
            return;
        }
        let deadline = uplink.deadline().map(instant).into_iter().chain(end_at).min();
        let wake = tokio::select! {
            () = shutdown.cancelled(), if end_at.is_none() => Wake::Shutdown,
            sample = samples.recv(), if end_at.is_none() => Wake::Sample(sample),
            progress = uplink.progress() => Wake::Progress(progress),
            () = until(deadline) => Wake::Timeout,
            () = until(alive_at) => Wake::Watchdog,
        };
        match wake {
            Wake::Sample(None) => return,
            Wake::Sample(Some(sample)) => {
                last_sample = Instant::now();
                uplink.handle_sample(sample);
                if !ready {
                    ready = true;
                    systemd::ready();
                }
            }
            Wake::Progress(progress) => {
                if let Some(wanted) = uplink.handle_progress(progress) {
                    uplink.set_interval(interval(own, &wanted));
                    settings.send_if_modified(|current| {
                        let changed = *current != wanted;
                        *current = wanted;
                        changed
                    });
                }
            }
            Wake::Timeout => uplink.handle_timeout(),
            Wake::Watchdog => {
                let longest = interval(own, &settings.borrow()) * 2 + SAMPLING_GRACE;
                if last_sample.elapsed() < longest {
                    systemd::alive();
                }
                alive_at = watchdog.map(|period| Instant::now() + period);
            }
            Wake::Shutdown => {
                tracing::info!("ending");
                end_at = Some(Instant::now() + FLUSH_TIMEOUT);
            }
        }
    }
}

/// The runtime's time for one of the monotonic clock, microseconds.
fn instant(monotonic_us: u64) -> Instant {
    Instant::now() + Duration::from_micros(monotonic_us.saturating_sub(Now::read().monotonic_us))
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
