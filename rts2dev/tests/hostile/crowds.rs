//! Many connections at once.

use rts2dev::proto::MessageType;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::common::{Raw, patiently};
use crate::site::Site;

/// The limit is `DeviceOptions::max_clients`: beyond it the oldest connection that never authorized gives way, so that
/// those who did stay, and whoever comes gets in.
#[tokio::test]
async fn a_thousand_connections_that_never_authorize() {
    raise_descriptors();
    let mut site = Site::with(|options| options.max_clients = 32).await;
    let mut crowd = Vec::new();
    for number in 0..1000 {
        crowd.push(site.connect().await);
        if number % 100 == 0 {
            site.serves().await;
            site.takes_newcomers().await;
        }
    }
    // They say what they like.
    for (number, stranger) in crowd.iter_mut().enumerate() {
        // Most were closed.
        stranger.try_send(if number % 2 == 0 { "info\n" } else { "half a li" }).await;
    }
    site.serves().await;
    site.takes_newcomers().await;
    // Those that gave way were really closed: waiting for a line of one that is not fails.
    for stranger in &mut crowd[..900] {
        while stranger.line().await.is_some() {}
    }
    site.serves().await;
}

/// A wrong key ends its connection with RTS2's answer. The limit is one key a connection: nobody tries many.
#[tokio::test]
async fn wrong_keys() {
    let mut site = Site::start().await;
    for auth in ["auth 1 0 12345", "auth 2 0 -1", "auth 99 0 0", "auth -1 0 2147483647"] {
        let mut thief = site.connect().await;
        thief.send(&format!("{auth}\n{auth}\nX limit = 99")).await;
        let mut ends = Vec::new();
        while let Some(line) = thief.line().await {
            if line.starts_with(['+', '-']) {
                ends.push(line);
            }
        }
        // What it says before centrald's word is said by nobody.
        ends.retain(|end| end != "-1 unknow command X");
        assert_eq!(ends, ["-5 authorization failed"], "{auth}");
    }
    // Of a centrald that the device does not have.
    for auth in ["auth 1 1 12345", "auth 1 -1 12345", "auth 1 2147483647 12345"] {
        let mut thief = site.connect().await;
        let lines = thief.command(auth).await;
        assert_eq!(lines[lines.len() - 1], "-5 cannot authorize; try again later", "{auth}");
        assert_eq!(thief.line().await, None, "{auth}");
    }
    assert_eq!(site.limit.get(), 0);
    site.serves().await;
}

/// Who connects again and again fills no log. The limit is sixteen errors in a row of all who are not authorized, and one a
/// second after that.
#[tokio::test]
async fn strangers_that_come_again_do_not_fill_the_log() {
    let mut site = Site::start().await;
    for _ in 0..50 {
        let mut stranger = site.connect().await;
        for _ in 0..10 {
            stranger.command("open").await;
        }
    }
    site.serves().await;
    site.device.handle.message(MessageType::INFO, "the last");
    patiently(site.centrald.wait_for(|c| c.messages().iter().any(|text| text.ends_with("the last")))).await;
    let logged = site.centrald.messages().iter().filter(|text| text.contains("unknow command open")).count();
    assert!((16..100).contains(&logged), "{logged} errors");
}

/// Hundreds of wrong keys at once: centrald is asked about as many as there are connections, and still answers for
/// the honest. The limits are `max_clients` and the queue for centrald.
#[tokio::test]
async fn a_flood_of_wrong_keys() {
    let mut site = Site::start().await;
    for _ in 0..5 {
        let mut thieves = Vec::new();
        for number in 0..100 {
            let mut thief = site.connect().await;
            thief.try_send(&format!("auth {number} 0 {number}\n")).await;
            thieves.push(thief);
        }
        // An honest client may be told to try again while the queue is full; it does.
        patiently(async {
            loop {
                if site.tries_newcomer().await {
                    break;
                }
            }
        })
        .await;
        for thief in &mut thieves {
            while let Some(line) = thief.line().await {
                assert!(!line.starts_with("+0"), "{line}");
            }
        }
        site.serves().await;
    }
    assert_eq!(site.limit.get(), 0);
}

/// Eight clients that set as fast as they can: each set is answered and counts, and the others get their turn. The
/// limit is what one read brings (4 KiB); what more a client sends waits in its own socket.
#[tokio::test]
async fn floods_of_sets() {
    let mut site = Site::start().await;
    let stop = CancellationToken::new();
    let mut floods = JoinSet::new();
    for _ in 0..8 {
        let (client, login) = site.client().await;
        floods.spawn(flood(client, login, stop.clone()));
    }
    let mut before = -1;
    for _ in 0..3 {
        site.serves().await;
        site.takes_newcomers().await;
        assert!(site.limit.get() > before, "nothing was set meanwhile");
        before = site.limit.get();
    }
    stop.cancel();
    let mut sets = 0;
    while let Some(done) = floods.join_next().await {
        sets += done.unwrap();
    }
    assert_eq!(site.limit.get(), sets, "a set was lost");
}

/// Sends blocks of sets until it is told to stop; how many they were.
async fn flood(mut client: Raw, _login: Raw, stop: CancellationToken) -> i32 {
    const BLOCK: usize = 200;
    let mut sets = 0;
    while !stop.is_cancelled() {
        let ends = client.converse("X limit + 1\n".repeat(BLOCK).as_bytes(), BLOCK).await;
        assert!(ends.iter().all(|end| end == "+0 OK"), "{ends:?}");
        sets += 200;
    }
    sets
}

/// This program holds both ends of a thousand connections.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(4096, |maximum| maximum.min(4096));
    if limit.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }).unwrap();
    }
}
