//! `wait`: until a condition holds.

use std::io::Write;
use std::time::Duration;

use rts2dev::client::{Condition, Follower, Login, View};

use crate::exit::Failure;
use crate::output::{bits, printable};

pub(crate) async fn run(
    login: Login,
    words: &[String],
    timeout: Option<f64>,
    quiet: bool,
) -> Result<(), Failure> {
    let text = words.join(" ");
    let condition: Condition = text.parse().map_err(Failure::Condition)?;
    let mut follower = Follower::new(login, condition.device());
    let holds = follower.wait(&condition, |why| {
        if !quiet {
            let _ = writeln!(std::io::stderr(), "rts2c: waiting: {}", printable(&why.to_string()));
        }
    });
    let Some(seconds) = timeout else { return holds.await.map_err(Failure::Mismatch) };
    if let Ok(held) = tokio::time::timeout(Duration::from_secs_f64(seconds), holds).await {
        return held.map_err(Failure::Mismatch);
    }
    let last = match follower.view() {
        View::Unknown => match follower.take_reason() {
            Some(why) => return Err(Failure::Client(why)),
            None => "nothing was heard of it".to_owned(),
        },
        View::Absent => format!("centrald has no device {}", condition.device()),
        View::Present(device) => match condition.value() {
            None => format!("state {}, bop {}", bits(device.state()), bits(device.bop())),
            Some(name) => match device.value(name) {
                None => format!("{} has no value {name}", device.name()),
                Some(value) => format!("it is {}", printable(&value.text())),
            },
        },
    };
    Err(Failure::NotInTime { condition: text, seconds, last })
}
