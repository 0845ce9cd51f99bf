//! The socket against peers good and bad.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use lamon_control::answer::{Did, Settings};
use lamon_control::{Answer, MAX_REQUEST_BYTES, Operation, Outcome, Request};
use nix::unistd::{Gid, Group, Uid, getgroups};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::config::ControlConfig;

fn config(folder: &tempfile::TempDir) -> ControlConfig {
    ControlConfig { socket: folder.path().join("control"), ..ControlConfig::default() }
}

/// A hub that notes who asks, and answers everything.
struct Site {
    path: PathBuf,
    asked: mpsc::Receiver<(String, Operation)>,
    ended: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let socket = ControlSocket::bind(&config(&folder)).unwrap();
    let (operations, Inbox(mut inbox)) = operations();
    let (noted, asked) = mpsc::channel(2_000);
    tokio::spawn(async move {
        while let Some(Asked { operation, who, reply }) = inbox.recv().await {
            noted.send((who, operation.clone())).await.unwrap();
            let replied = match operation {
                Operation::Reload {} => {
                    let (done, kept) = oneshot::channel();
                    done.send(Err("disk full".into())).unwrap();
                    Replied::Keeping(Answer::Did(Did { text: "done".into(), id: None }), kept)
                }
                _ => Replied::Now(Ok(Answer::Settings(Settings::default()))),
            };
            let _ = reply.send(replied);
        }
    });
    let (path, ended) = (socket.path().to_owned(), CancellationToken::new());
    let task = tokio::spawn(run(socket, operations, ended.clone()));
    Site { path, asked, ended, task, _folder: folder }
}

async fn answer(stream: &mut UnixStream) -> Option<Response> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        match stream.read(&mut byte).await {
            Ok(1) => line.extend(byte),
            _ => return None,
        }
    }
    Some(serde_json::from_slice(&line).unwrap())
}

fn line(request: &Request) -> Vec<u8> {
    let mut line = serde_json::to_vec(request).unwrap();
    line.push(b'\n');
    line
}

fn refusal(response: Option<Response>) -> (Why, String) {
    match response.unwrap().outcome {
        Outcome::Refused(Refusal { why, text }) => (why, text),
        Outcome::Done(answer) => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn requests_are_answered_in_their_order_and_who_asks_is_known() {
    let mut site = site();
    let mut stream = UnixStream::connect(&site.path).await.unwrap();
    let ask = |who: Option<&str>, operation| line(&Request::new(who.map(Into::into), operation));
    let both = [ask(None, Operation::Settings {}), ask(Some("li"), Operation::Reload {})].concat();
    stream.write_all(&both).await.unwrap();
    assert_eq!(
        answer(&mut stream).await.unwrap().outcome,
        Outcome::Done(Answer::Settings(Settings::default()))
    );
    let Outcome::Done(Answer::Did(did)) = answer(&mut stream).await.unwrap().outcome else { panic!() };
    assert_eq!(did.text, "done; it is not on disk and would not outlive a restart: disk full");
    let (user, _) = site.asked.recv().await.unwrap();
    assert!(!user.is_empty() && !user.contains('('), "{user}");
    let (who, operation) = site.asked.recv().await.unwrap();
    assert_eq!((who, operation), (format!("li ({user})"), Operation::Reload {}));
    site.ended.cancel();
    site.task.await.unwrap();
    assert!(!site.path.exists(), "the file goes with the socket");
}

#[tokio::test]
async fn nonsense_costs_its_line_an_endless_line_its_connection_half_a_line_nothing() {
    let mut site = site();
    let mut stream = UnixStream::connect(&site.path).await.unwrap();
    stream.write_all(b"dance\n{\"v\":9}\n").await.unwrap();
    assert_eq!(refusal(answer(&mut stream).await).0, Why::BadRequest);
    assert!(refusal(answer(&mut stream).await).1.contains("version 9"));
    stream.write_all(&line(&Request::new(None, Operation::Settings {}))).await.unwrap();
    assert!(answer(&mut stream).await.is_some());
    stream.write_all(&vec![b'x'; MAX_REQUEST_BYTES + 1]).await.unwrap();
    assert!(refusal(answer(&mut stream).await).1.contains("at most"));
    assert_eq!(answer(&mut stream).await, None);
    let mut half = UnixStream::connect(&site.path).await.unwrap();
    let whole = line(&Request::new(None, Operation::Reload {}));
    half.write_all(&whole[..whole.len() - 1]).await.unwrap();
    half.shutdown().await.unwrap();
    assert_eq!(answer(&mut half).await, None);
    assert!(matches!(site.asked.recv().await, Some((_, Operation::Settings {}))));
    assert!(site.asked.try_recv().is_err(), "half an order is none");
}

/// By a clock that goes on when nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_half_an_order_keeps_his_place_for_half_a_minute() {
    let site = site();
    let began = tokio::time::Instant::now();
    let mut silent = UnixStream::connect(&site.path).await.unwrap();
    let mut half = UnixStream::connect(&site.path).await.unwrap();
    half.write_all(b"{\"v\":1,\"ask\":{\"rel").await.unwrap();
    for stream in [&mut silent, &mut half] {
        assert_eq!(answer(stream).await, None);
    }
    assert!((30..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_asks_on_and_reads_no_answer_is_closed_upon() {
    let site = site();
    let began = tokio::time::Instant::now();
    let mut deaf = UnixStream::connect(&site.path).await.unwrap();
    let asks = line(&Request::new(None, Operation::Settings {}));
    while deaf.write_all(&asks).await.is_ok() {}
    assert!((30..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_thousand_connections_are_told_that_they_are_too_many_and_one_later_is_served() {
    let site = site();
    let mut idle = Vec::new();
    let mut told = 0;
    for _ in 0..1_000 {
        let Ok(stream) = UnixStream::connect(&site.path).await else { continue };
        idle.push(stream);
        tokio::task::yield_now().await;
    }
    for stream in idle.iter_mut().skip(32) {
        told += usize::from(refusal(answer(stream).await).0 == Why::Busy);
    }
    assert_eq!(told, idle.len() - 32);
    drop(idle);
    loop {
        let mut stream = UnixStream::connect(&site.path).await.unwrap();
        stream.write_all(&line(&Request::new(None, Operation::Settings {}))).await.unwrap();
        match answer(&mut stream).await.map(|response| response.outcome) {
            Some(Outcome::Done(_)) => break,
            // Those before may not have been noticed to be gone.
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn the_file_is_for_owner_and_group_and_replaces_only_dead_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let living = ControlSocket::bind(&config).unwrap();
    let mode = fs::symlink_metadata(&config.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o660);
    assert!(matches!(ControlSocket::bind(&config), Err(SocketError::InUse(_))));
    // As a hub that was killed leaves it.
    drop(living);
    drop(std::os::unix::net::UnixListener::bind(&config.socket).unwrap());
    let inode = fs::symlink_metadata(&config.socket).unwrap().ino();
    let next = ControlSocket::bind(&config).unwrap();
    assert_ne!(fs::symlink_metadata(&config.socket).unwrap().ino(), inode);
    drop(next);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
}

#[tokio::test]
async fn the_file_is_given_to_the_group_that_is_named_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    // The system's own give to anybody, others to a group of theirs; who has one alone has nothing to see.
    let others = if Uid::effective().is_root() { vec![Gid::from_raw(1)] } else { getgroups().unwrap() };
    let other = others.into_iter().find(|group| *group != Gid::effective());
    let Some(group) = other.and_then(|group| Group::from_gid(group).unwrap()) else { return };
    let config = ControlConfig { group: Some(group.name), ..config(&folder) };
    let _socket = ControlSocket::bind(&config).unwrap();
    let file = fs::symlink_metadata(&config.socket).unwrap();
    assert_eq!((file.gid(), file.uid()), (group.gid.as_raw(), Uid::effective().as_raw()));
    assert_eq!(file.permissions().mode() & 0o7777, 0o660);
}

#[tokio::test]
async fn links_and_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let precious = folder.path().join("precious");
    fs::write(&precious, "x").unwrap();
    symlink(&precious, &config.socket).unwrap();
    assert!(matches!(ControlSocket::bind(&config), Err(SocketError::NoSocket(_))));
    fs::remove_file(&config.socket).unwrap();
    // Also where it leads to nothing, or to a socket that nobody answers at.
    let elsewhere = folder.path().join("elsewhere");
    symlink(&elsewhere, &config.socket).unwrap();
    assert!(matches!(ControlSocket::bind(&config), Err(SocketError::NoSocket(_))));
    drop(std::os::unix::net::UnixListener::bind(&elsewhere).unwrap());
    assert!(matches!(ControlSocket::bind(&config), Err(SocketError::NoSocket(_))));
    fs::remove_file(&config.socket).unwrap();
    fs::write(&config.socket, "y").unwrap();
    assert!(matches!(ControlSocket::bind(&config), Err(SocketError::NoSocket(_))));
    assert_eq!(fs::read_to_string(&precious).unwrap(), "x");
    let nobody = ControlConfig { group: Some("no-such-group".into()), ..config.clone() };
    assert!(matches!(ControlSocket::bind(&nobody), Err(SocketError::NoGroup(_))));
    let long = ControlConfig { socket: format!("/tmp/{}", "x".repeat(200)).into(), ..config };
    assert!(matches!(ControlSocket::bind(&long), Err(SocketError::TooLong(_))));
}
