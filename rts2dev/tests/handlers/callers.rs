//! What handlers learn of who asks.

use rts2dev::client::Client;
use rts2dev::testing::Centrald;
use rts2dev::{Caller, ClientLogin, DeviceHandle};
use tokio::sync::mpsc;

use crate::common::{options, patiently, start};
use crate::{client, noauth};

/// A device that tells who sets its value, or sends its command.
fn telling(handle: &DeviceHandle) -> mpsc::UnboundedReceiver<Caller> {
    let (heard, callers) = mpsc::unbounded_channel();
    let told = heard.clone();
    let on_set = move |caller: Caller, _| {
        told.send(caller).unwrap();
        async { Ok(()) }
    };
    handle
        .integer("limit", "back at the end")
        .initial(3)
        .reset_at_script_end()
        .on_set_by(on_set)
        .declare()
        .unwrap();
    let home = move |caller, ()| {
        heard.send(caller).unwrap();
        async { Ok(()) }
    };
    handle.command_by("home", home).unwrap();
    callers
}

#[tokio::test]
async fn handlers_learn_from_which_address_somebody_asks() {
    let mut callers = None;
    let device = noauth(|handle| callers = Some(telling(handle))).await;
    let mut callers = callers.unwrap();
    let mut client = client(&device, "limit").await;
    for line in ["X limit = 5", "home", "script_ends"] {
        let end = client.command(line).await;
        assert_eq!(end.last().map(String::as_str), Some("+0 OK"), "{line}: {end:?}");
    }
    let mut caller = async || patiently(callers.recv()).await.unwrap();
    let first = caller().await;
    assert!(first.address().is_some_and(|address| address.ip().is_loopback()), "{first:?}");
    assert!(matches!(&first, Caller::Client(client) if client.login.is_none()), "{first:?}");
    assert_eq!(caller().await, first, "the same connection");
    assert_eq!(caller().await, Caller::Device);
}

#[tokio::test]
async fn handlers_learn_as_whom_a_client_logged_in_at_centrald() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address().to_string();
    let mut callers = None;
    let _device =
        start(options("VALVE", std::slice::from_ref(&address)), |handle| callers = Some(telling(handle)))
            .await;
    patiently(centrald.registered("VALVE")).await;
    for user in ["obs", "wang"] {
        let client = Client::login(&address, user, "monitor").await.unwrap();
        let valve = patiently(client.device("VALVE")).await.unwrap();
        valve.command("home").await.unwrap();
        let caller = patiently(callers.as_mut().unwrap().recv()).await.unwrap();
        let login = ClientLogin { user: user.to_owned(), program: "monitor".to_owned() };
        assert!(matches!(&caller, Caller::Client(client) if client.login == Some(login)), "{caller:?}");
    }
}
