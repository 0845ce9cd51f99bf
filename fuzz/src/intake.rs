//! Whole connections to the intake: whatever comes, in whatever pieces, ends; numbers rise; values and ages are such as the
//! watch takes; and the watch takes them.

use std::time::{Duration, Instant};

use lamon_collector::intake::{Heard, hear};
use lamon_collector::sample::{Arrival, Now};
use lamon_collector::watch::{Groups, Rules, Watch};

/// No sample is older than an agent keeps them.
const MAX_AGE: Duration = Duration::from_secs(31 * 86_400);

/// The first byte is the length of the pieces, the second whether the hub's disk refuses samples.
pub fn run(monotonic: Instant, data: &[u8]) {
    let [piece, rewinds, bytes @ ..] = data else { return };
    let (rewinds, now) = (rewinds & 1 == 1, Now { monotonic, unix_ms: 1_795_000_000_000 });
    let Heard { ordered, ahead, refused } = hear(bytes, usize::from(*piece), rewinds, now);
    let whole = hear(bytes, bytes.len(), rewinds, now);
    assert_eq!((whole.ordered, whole.ahead), (ordered.clone(), ahead.clone()), "it matters how they come");
    for why in &refused {
        assert!(why.len() < 1_000 && why != "it waits for something", "{why:?}");
    }
    if !rewinds {
        assert!(ordered.is_sorted_by(|one, next| one.identity.sequence < next.identity.sequence));
    }
    let mut watch = Watch::new(Rules::default(), Groups::default());
    for sample in ordered.iter().chain(&ahead) {
        assert!(sample.age <= MAX_AGE && sample.taken_ms <= now.unix_ms, "{sample:?}");
        assert!(sample.metrics.iter().all(|(_, value)| value.is_finite()), "{sample:?}");
        assert!(rewinds || sample.arrival != Arrival::Ordered || ordered.contains(sample));
        let _ = watch.handle_sample(now, sample);
    }
}
