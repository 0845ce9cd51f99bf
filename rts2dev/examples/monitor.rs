//! Shows a device's values, coloured by their levels, and follows them: `monitor localhost:617 NODES`.
#![expect(clippy::print_stdout, reason = "showing values is what it is for")]

use rts2dev::client::{Client, RemoteDevice};
use rts2dev::proto::Level;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(centrald), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err("usage: monitor CENTRALD DEVICE".into());
    };
    let client = Client::login(&centrald, "monitor", "monitor").await?;
    let mut device = client.device(&name).await?;
    loop {
        show(&device);
        device.changed().await?;
    }
}

fn show(device: &RemoteDevice) {
    println!("\x1b[2J\x1b[H{}  state {}  blocked {}", device.name(), device.state(), device.bop());
    for value in device.values() {
        let colour = match value.level() {
            Level::Good => "32",
            Level::Warning => "33",
            Level::Error => "31",
        };
        println!("\x1b[{colour}m{:<32} {:<24}\x1b[0m {}", value.name, value.text(), value.description);
    }
}
