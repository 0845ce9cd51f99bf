//! The queue over a crash, full, and with what waits by itself.

use lamon_bus::Level;

use super::*;
use crate::notice::Message;

fn notice(channel: &str, title: &str) -> Notice {
    let message = Message {
        title: title.into(),
        text: "text".into(),
        level: Level::Error,
        nodes: vec!["ccd01".into()],
        route: "all".into(),
        time: 1.5,
    };
    Notice { mark: title.into(), channel: channel.into(), fallback: None, only: Vec::new(), message }
}

#[test]
fn notices_outlive_the_process_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path()).unwrap();
    for title in ["1", "2", "3"] {
        queue.push(notice("a", title)).unwrap();
    }
    queue.push(notice("b", "4")).unwrap();
    queue.push(notice("b", "4")).unwrap();
    let Next::Notice(number, first) = queue.next("a", 0) else { panic!("nothing") };
    assert_eq!(first.message.title, "1");
    queue.remove(number);
    assert!(Queue::open(folder.path()).is_err(), "one process alone uses it");
    drop(queue);
    fs::write(folder.path().join("0000000000000099.json"), "torn").unwrap();
    fs::write(folder.path().join("0000000000000003.new"), "torn").unwrap();
    let queue = Queue::open(folder.path()).unwrap();
    assert_eq!(queue.waiting().into_iter().collect::<Vec<_>>(), [("a".into(), 2), ("b".into(), 1)]);
    assert!(matches!(queue.next("a", 0), Next::Notice(_, first) if *first == notice("a", "2")));
    queue.push(notice("a", "5")).unwrap();
    let Next::Notice(number, _) = queue.next("a", 0) else { panic!("nothing") };
    queue.narrow(number, vec!["x@example.org".into()]).unwrap();
    let wait = Duration::from_secs(1_000);
    queue.postpone(number, Retry { first: wait, longest: wait }, wait);
    assert!(
        matches!(queue.next("a", 0), Next::Notice(_, other) if *other == notice("a", "3")),
        "it lets others pass"
    );
    drop(queue);
    let queue = Queue::open(folder.path()).unwrap();
    assert!(matches!(queue.next("a", 0), Next::Notice(_, first) if first.only == ["x@example.org"]));
    queue.keep_only(&["b"]);
    assert_eq!(queue.waiting().len(), 1);
    queue.renew();
    assert_eq!(queue.next("a", 0), Next::Look);
    queue.end();
    assert_eq!(queue.next("a", 0), Next::End);
}

#[test]
fn the_oldest_goes_when_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path()).unwrap();
    {
        let mut inside = queue.lock();
        inside.notices = (0..1_000).map(|number| (number, notice("a", &number.to_string()))).collect();
        inside.next = 1_000;
    }
    queue.push(notice("a", "new")).unwrap();
    assert_eq!(queue.waiting()["a"], MAX_NOTICES);
    assert!(matches!(queue.next("a", 0), Next::Notice(_, first) if first.message.title == "1"));
    assert_eq!(queue.lock().dropped, 1);
}
