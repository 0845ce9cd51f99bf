//! `messages`: the log of the whole system.

use rts2dev::client::{Change, Login, RemoteMessage, format_utc};
use rts2dev::proto::{Level, MessageType};

use crate::exit::Failure;
use crate::output::{Output, printable};

pub(crate) async fn run(login: &Login, mask: &[MessageType], count: Option<u64>) -> Result<(), Failure> {
    let output = Output::new();
    let client = login.client().await?;
    let mut changes = client.changes();
    let mask = mask.iter().fold(MessageType::empty(), |all, one| all | *one);
    client.message_mask(mask).await?;
    let mut left = count;
    while left != Some(0) {
        let line = match changes.next().await? {
            Change::Message(message) => shown(&output, &message),
            Change::MessagesLost(count) => format!("({count} messages came too fast and are lost)"),
            _ => continue,
        };
        output.line(&line)?;
        left = left.map(|left| left - 1);
    }
    Ok(())
}

fn shown(output: &Output, message: &RemoteMessage) -> String {
    let kinds = [
        (MessageType::CRITICAL, "CRITICAL", Level::Error),
        (MessageType::ERROR, "ERROR", Level::Error),
        (MessageType::WARNING, "WARNING", Level::Warning),
        (MessageType::INFO, "INFO", Level::Good),
    ];
    let known = kinds.into_iter().find(|(kind, ..)| message.kind.contains(*kind));
    let (_, name, level) = known.unwrap_or((MessageType::DEBUG, "DEBUG", Level::Good));
    let text = output.coloured(&printable(&format!("{name} {}", message.text)), level);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds are shown")]
    let at = message.seconds as f64 + f64::from(message.micros) / 1e6;
    format!("{} {} {text}", format_utc(at), printable(&message.origin))
}
