//! `get`: values, bare or as a table.

use rts2dev::client::{Login, RemoteDevice, RemoteValue};
use serde_json::{Map, Value};

use crate::exit::Failure;
use crate::output::{Output, as_json, bare, printable, table, with_unit_and_level};
use crate::path::Path;

pub(crate) async fn run(login: &Login, paths: &[String], json: bool) -> Result<(), Failure> {
    let paths = paths.iter().map(|path| Path::parse(path)).collect::<Result<Vec<_>, _>>()?;
    let client = login.client().await?;
    let output = Output::new();
    let mut object = Map::new();
    let mut devices: Vec<RemoteDevice> = Vec::new();
    let alone = paths.len() == 1;
    for path in &paths {
        let known = devices.iter().position(|device| device.name().eq_ignore_ascii_case(&path.device));
        if known.is_none() {
            devices.push(client.device(&path.device).await?);
        }
        let device = known.map_or(devices.last(), |at| devices.get(at));
        let Some(device) = device else { continue };
        let values = match &path.value {
            None => device.values(),
            Some(name) => vec![value(device, name)?],
        };
        if json {
            let of_device = object.entry(device.name()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(of_device) = of_device {
                of_device.extend(values.iter().map(|value| (value.name.clone(), as_json(value))));
            }
        } else if path.value.is_none() {
            show_all(&output, device, &values, alone)?;
        } else if let Some(value) = values.first() {
            let text = output.coloured(&printable(&bare(value)), value.level());
            let line = if alone { text } else { format!("{}.{} {text}", device.name(), value.name) };
            output.line(&line)?;
        }
    }
    if json {
        output.line(&Value::Object(object).to_string())?;
    }
    Ok(())
}

/// A value of a device, or the failure that says that there is none.
pub(crate) fn value(device: &RemoteDevice, name: &str) -> Result<RemoteValue, Failure> {
    device
        .value(name)
        .ok_or_else(|| Failure::NoSuchValue { device: device.name().to_owned(), value: name.to_owned() })
}

fn show_all(
    output: &Output,
    device: &RemoteDevice,
    values: &[RemoteValue],
    alone: bool,
) -> Result<(), Failure> {
    if !alone {
        output.line(&format!("{}:", device.name()))?;
    }
    let rows: Vec<Vec<String>> = values
        .iter()
        .map(|value| {
            let writable = if value.is_writable() { "rw" } else { "r" };
            let text = with_unit_and_level(value);
            let description = match value.description.split_once(']') {
                Some((_, rest)) if !value.unit().is_empty() => rest.trim(),
                _ => &value.description,
            };
            let cells = [&value.name, writable, &text, description];
            cells.into_iter().map(printable).collect()
        })
        .collect();
    for (row, value) in table(&rows).iter().zip(values) {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            // The third column is what the value holds.
            .map(|(at, cell)| if at == 2 { output.coloured(cell, value.level()) } else { cell.clone() })
            .collect();
        output.line(cells.join("  ").trim_end())?;
    }
    Ok(())
}
