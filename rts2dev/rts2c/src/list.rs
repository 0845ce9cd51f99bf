//! `ls`: devices with their states, and clients.

use std::time::Duration;

use rts2dev::client::{Client, DeviceInfo, Login};
use rts2dev::proto::DeviceState;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output::{Output, printable, table};

/// Longest wait for one device to tell its state. A list is wanted now; who does not answer is listed as such.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a device said of itself.
struct Told {
    device: DeviceInfo,
    state: Result<(DeviceState, DeviceState), String>,
}

pub(crate) async fn run(login: &Login, json: bool) -> Result<(), Failure> {
    let client = login.client().await?;
    let mut told = Vec::new();
    for device in client.devices() {
        let state = ask(&client, &device).await;
        told.push(Told { device, state });
    }
    let output = Output::new();
    if json {
        output.line(&as_json(&client, &told).to_string())?;
        return Ok(());
    }
    let centrald = client.centrald().state().describe_centrald();
    let mut rows = vec![vec!["centrald".to_owned(), "centrald".to_owned(), login.centrald.clone(), centrald]];
    rows.extend(told.iter().map(|told| {
        let device = &told.device;
        let state = match &told.state {
            Ok((state, bop)) => state.describe(device.device_type, *bop),
            Err(why) => why.clone(),
        };
        vec![device.name.clone(), kind(device), format!("{}:{}", device.host, device.port), state]
    }));
    rows.extend(client.clients().iter().map(|client| {
        vec![client.login.clone(), "client".to_owned(), client.program.clone(), format!("id {}", client.id)]
    }));
    for row in table(&rows) {
        output.line(printable(row.join("  ").trim_end()).as_str())?;
    }
    Ok(())
}

async fn ask(client: &Client, device: &DeviceInfo) -> Result<(DeviceState, DeviceState), String> {
    match tokio::time::timeout(PATIENCE, client.device(&device.name)).await {
        Ok(Ok(device)) => Ok((device.state(), device.bop())),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {} s", PATIENCE.as_secs())),
    }
}

fn kind(device: &DeviceInfo) -> String {
    format!("{:?}", device.device_type).to_lowercase()
}

fn as_json(client: &Client, told: &[Told]) -> Value {
    let state = |state: DeviceState, text: String| json!({ "bits": state.bits(), "text": text });
    let devices: Vec<Value> = told
        .iter()
        .map(|told| {
            let device = &told.device;
            let (word, bop, error) = match &told.state {
                Ok((word, bop)) => {
                    let text = word.describe(device.device_type, *bop);
                    (state(*word, text), json!(bop.bits()), Value::Null)
                }
                Err(why) => (Value::Null, Value::Null, json!(why)),
            };
            json!({
                "name": device.name, "type": device.device_type.code(), "host": device.host, "port": device.port,
                "state": word, "bop": bop, "error": error,
            })
        })
        .collect();
    let clients: Vec<Value> = client
        .clients()
        .iter()
        .map(|client| json!({ "id": client.id, "login": client.login, "program": client.program }))
        .collect();
    let own = client.centrald().state();
    json!({ "centrald": state(own, own.describe_centrald()), "devices": devices, "clients": clients })
}
