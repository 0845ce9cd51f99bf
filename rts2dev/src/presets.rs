//! What values begin with: `NAME=VALUE` of the command line, the defaults file, the autosave file (RTS2
//! lib/rts2/daemon.cpp, `initValues`).
//!
//! A value gets it when it is declared, so that the program never sees it otherwise, and its set handler is asked before
//! the device serves anybody. As in RTS2 what comes later in that list stands over what came before: what was saved stands
//! over everything. In RTS2 it does not when the command line or the defaults file names a value that is saved: setting that
//! one writes the autosave file anew before it was read, and everything in it is lost. Here the file is read first.
//!
//! A mistake in what a person wrote, on the command line or in the defaults file, ends the start and says where it is. A
//! line of the autosave file that cannot be used is told and left out, where RTS2 reads nothing of the file or does not
//! start. One whose name no value has is told, and stays in the file: the value may be declared later.

pub(crate) mod autosave;
pub(crate) mod ini;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rts2_proto::{
    CommandReturn, Composite, QuotedString, Rest, SetOp, ValueData, ValueName, ValueType, apply_set,
};
use tokio_util::sync::CancellationToken;

use crate::handlers::{Caller, Refusal};
use crate::lane::Kind;
use crate::options::DeviceOptions;
use crate::shared::Shared;

/// Lines of an autosave file that are told one by one when they cannot be used; of others the number is told.
const MAX_TOLD: usize = 16;

/// Something that a value should begin with cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct PresetError {
    /// Where it stands: `file:line`, the file, or the command line.
    pub place: String,
    /// Why, with the remedy.
    pub reason: String,
}

/// Where something comes from, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    CommandLine,
    Defaults,
    Autosave,
}

/// What a value should begin with.
#[derive(Clone, Debug)]
pub(crate) struct Preset {
    pub(crate) source: Source,
    place: String,
    name: String,
    /// `min` or `max` of a value with limits.
    suffix: Option<String>,
    text: String,
}

impl Preset {
    fn error(&self, reason: impl Into<String>) -> PresetError {
        PresetError { place: self.place.clone(), reason: reason.into() }
    }
}

/// A value that was given something when it was declared: its set handler is still to be asked.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) index: usize,
    pub(crate) preset: Preset,
    /// What it holds when the handler refuses what was saved.
    pub(crate) fallback: ValueData,
}

/// What a value begins with.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) data: ValueData,
    /// The last preset that was used, and the data before it.
    pub(crate) last: Option<(Preset, ValueData)>,
}

/// What was not given to a value yet.
#[derive(Debug, Default)]
pub(crate) struct Presets {
    /// By lower-case name, in the order in which they count.
    waiting: HashMap<String, Vec<Preset>>,
    /// Handlers that are to be asked when the device runs.
    pub(crate) due: Vec<Due>,
    /// What could not be used, and is still to be told.
    faults: Vec<PresetError>,
}

impl Presets {
    /// Reads the files that the options name. An autosave file that is not there is one that was not written yet.
    pub(crate) fn load(options: &DeviceOptions) -> Result<Self, PresetError> {
        let mut presets = Self::default();
        for (name, text) in &options.initial {
            let place = "command line".to_owned();
            let (name, text) = (name.clone(), text.clone());
            presets.add(Preset { source: Source::CommandLine, place, name, suffix: None, text });
        }
        if let Some(path) = &options.defaults {
            let file = path.display().to_string();
            let text = ini::read(path).map_err(|error| PresetError {
                place: file,
                reason: format!("cannot read the defaults: {error} (--defaults names the file)"),
            })?;
            presets.add_file(Source::Defaults, path, &text);
            if !presets.faults.is_empty() {
                return Err(presets.faults.swap_remove(0));
            }
        }
        if let Some(path) = &options.autosave {
            match ini::read(path) {
                Ok(text) => presets.add_file(Source::Autosave, path, &text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                // To go on would be to write over what is there.
                Err(error) => {
                    let reason = format!("cannot read what was saved: {error} (--autosave names the file)");
                    return Err(PresetError { place: path.display().to_string(), reason });
                }
            }
        }
        Ok(presets)
    }

    fn add_file(&mut self, source: Source, path: &Path, text: &str) {
        let place = |line: usize| format!("{}:{line}", path.display());
        let (settings, faults) = ini::parse(text);
        let fault =
            |fault: ini::Fault| PresetError { place: place(fault.line), reason: fault.reason.to_owned() };
        self.faults.extend(faults.into_iter().map(fault));
        let section = settings.first().map(|first| first.section.clone());
        for setting in settings {
            let place = place(setting.line);
            // RTS2 reads the first section and passes over the others.
            if Some(&setting.section) != section.as_ref() {
                let reason = "only the first section of this file counts: move the line there, or remove it";
                self.faults.push(PresetError { place, reason: reason.to_owned() });
                continue;
            }
            let ini::Setting { name, suffix, value: text, .. } = setting;
            self.add(Preset { source, place, name, suffix, text });
        }
    }

    fn add(&mut self, preset: Preset) {
        self.waiting.entry(preset.name.to_ascii_lowercase()).or_default().push(preset);
    }

    /// What a value begins with that is declared with `data`.
    ///
    /// # Errors
    /// When a text that a person wrote for it cannot be its value.
    pub(crate) fn begin(
        &mut self,
        name: &ValueName,
        value_type: ValueType,
        items: &[QuotedString],
        data: ValueData,
    ) -> Result<Beginning, PresetError> {
        let mut beginning = Beginning { data, last: None };
        for preset in self.waiting.remove(&name.as_str().to_ascii_lowercase()).unwrap_or_default() {
            match read(&preset, value_type, items, &beginning.data) {
                Ok(data) => {
                    let before = std::mem::replace(&mut beginning.data, data);
                    beginning.last = Some((preset, before));
                }
                Err(error) if preset.source == Source::Autosave => self.faults.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(beginning)
    }

    /// Names of the command line and the defaults file that no value has. To be asked when the device begins to run;
    /// what was saved goes on waiting for a value that is declared later.
    pub(crate) fn unknown(&self) -> Option<PresetError> {
        let mut unknown: Vec<_> = self.waiting.values().flatten().collect();
        unknown.retain(|preset| preset.source != Source::Autosave);
        let preset = unknown.into_iter().min_by(|a, b| a.place.cmp(&b.place))?;
        Some(preset.error(format!("there is no value {}: correct the name, or remove it", preset.name)))
    }

    /// Names in the autosave file that no value has yet, and how many more than those there are.
    fn not_declared(&self) -> (Vec<&str>, usize) {
        let mut names: Vec<_> = self.waiting.values().flatten().map(|preset| preset.name.as_str()).collect();
        names.sort_unstable();
        let more = names.len().saturating_sub(MAX_TOLD);
        names.truncate(MAX_TOLD);
        (names, more)
    }

    /// Lines of the autosave file that no value took: they are saved again, for a value that is declared later.
    pub(crate) fn write_waiting(&self, out: &mut String) {
        let mut waiting: Vec<_> = self.waiting.values().flatten().collect();
        waiting.retain(|preset| preset.source == Source::Autosave && preset.suffix.is_none());
        waiting.sort_by(|a, b| a.name.cmp(&b.name));
        for preset in waiting {
            autosave::write_line(&preset.name, &preset.text, out);
        }
    }

    /// What is to be told once, a sentence each.
    pub(crate) fn take_faults(&mut self) -> Vec<String> {
        let faults = std::mem::take(&mut self.faults);
        let more = faults.len().saturating_sub(MAX_TOLD);
        let mut sentences: Vec<_> =
            faults.iter().take(MAX_TOLD).map(|fault| format!("left out: {fault}")).collect();
        if more > 0 {
            sentences.push(format!("left out: {more} more lines of what was saved"));
        }
        sentences
    }
}

/// Asks the set handlers of values that were given something, in the order in which they were declared. A value whose
/// handler refuses what was saved goes back to what it held without.
///
/// # Errors
/// When there is no value of a name, or a handler refuses what a person wrote.
pub(crate) async fn ask_handlers(shared: &Arc<Shared>, end: &CancellationToken) -> Result<(), PresetError> {
    let due = {
        let mut presets = shared.presets();
        if let Some(unknown) = presets.unknown() {
            return Err(unknown);
        }
        let (names, more) = presets.not_declared();
        if !names.is_empty() {
            let names = names.join(", ");
            tracing::info!(device = %shared.name, names, more, "saved, but not declared yet");
        }
        std::mem::take(&mut presets.due)
    };
    for Due { index, preset, fallback } in due {
        let asked = {
            let state = shared.lock();
            state.table.entry(index).and_then(|entry| Some((entry.on_set.clone()?, entry.data.clone())))
        };
        let Some((on_set, data)) = asked else { continue };
        let work = async move {
            on_set(Caller::Device, &data).await.map_or_else(Refusal::command_return, |()| CommandReturn::ok())
        };
        let refused = match shared.lane.submit(Kind::Upkeep, end.clone(), work) {
            Ok(answer) => answer.await.ok().filter(CommandReturn::is_error),
            Err(full) => Some(full),
        };
        let Some(refused) = refused else { continue };
        let error =
            preset.error(format!("{} cannot be set to \"{}\": {}", preset.name, preset.text, refused.text));
        if preset.source != Source::Autosave {
            return Err(error);
        }
        shared.set(index, Some(fallback), None);
        shared.presets().faults.push(error);
    }
    shared.tell_faults();
    Ok(())
}

/// The data that a text means.
fn read(
    preset: &Preset,
    value_type: ValueType,
    items: &[QuotedString],
    data: &ValueData,
) -> Result<ValueData, PresetError> {
    let (name, text) = (&preset.name, preset.text.trim());
    if let Some(suffix) = &preset.suffix {
        return limit(value_type, data, suffix, text)
            .ok_or_else(|| preset.error(format!("{name}.{suffix} cannot be set to \"{text}\"")));
    }
    let operand = match data {
        // What RTS2 sets by one word stands bare in the file.
        ValueData::String(_) => format!("\"{}\"", preset.text),
        ValueData::Selection(_) => format!("\"{text}\""),
        _ => text.to_owned(),
    };
    let read = Rest::new(operand.as_bytes()).ok().and_then(|rest| {
        // As a client would set it; else as it is sent, which for some types is another text.
        apply_set(data, items, SetOp::Set, rest).ok().or_else(|| match ValueData::parse(value_type, rest) {
            Ok(ValueData::Raw(_) | ValueData::Selection(_) | ValueData::Bool(_)) | Err(_) => None,
            Ok(data) => Some(data),
        })
    });
    read.ok_or_else(|| preset.error(format!("{name} cannot be set to \"{text}\": correct the value")))
}

/// `name.min` and `name.max` of a value with limits, which is sent as value, minimum, maximum.
fn limit(value_type: ValueType, data: &ValueData, suffix: &str, text: &str) -> Option<ValueData> {
    if value_type.composite() != Composite::MinMax {
        return None;
    }
    let mut line = Vec::new();
    data.write_to(&mut line);
    let line = String::from_utf8(line).ok()?;
    let mut words: Vec<_> = line.split_whitespace().collect();
    let place = match suffix.to_ascii_lowercase().as_str() {
        "min" => 1,
        "max" => 2,
        _ => return None,
    };
    *words.get_mut(place)? = text;
    let data = ValueData::parse(value_type, Rest::new(words.join(" ").as_bytes()).ok()?).ok()?;
    (!matches!(data, ValueData::Raw(_))).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(suffix: Option<&str>, text: &str) -> Preset {
        Preset {
            source: Source::Defaults,
            place: "file:1".to_owned(),
            name: "a".to_owned(),
            suffix: suffix.map(str::to_owned),
            text: text.to_owned(),
        }
    }

    /// Every type: its bits, its text on the wire, and what RTS2 and we have of it in the autosave file.
    #[test]
    fn what_is_saved_reads_back_the_same() {
        let items = ["slow", "fast one"].map(|item| QuotedString::new(item).unwrap());
        let table = [
            (1, "\"two words\"", "two words"),
            (1, "\"\"", ""),
            (2, "-8", "-8"),
            (3, "1500000000.5", "1.50000000050000000000e+09"),
            (4, "nan", "nan"),
            (5, "0.5", "5.00000000000000000000e-01"),
            (6, "1", "true"),
            (7, "1", "fast one"),
            (8, "9223372036854775807", "9223372036854775807"),
            (9, "10.5 -20.5", "1.05000000000000000000e+01 -2.05000000000000000000e+01"),
            (10, "45.0 -10.25", "45.00000000000000000000 -10.25000000000000000000"),
            (11, "1 -2 3", "1 -2 3"),
            (0x14, "15.25 2 15.25 10.0 20.5 7.5", "1.525e+01 2 1.525e+01 1.0e+01 2.05e+01 7.5e+00"),
            (0x24, "5.0 0.0 10.0", "5.0e+00 0.0e+00 1.0e+01"),
            (0x42, "1 2 3", "1 2 3"),
            (0x44, "1.5 nan", "1.500000 nan"),
            (0x41, "\"a\" \"b\"", "a b"),
        ];
        for (bits, wire, saved) in table {
            let value_type = ValueType::from_bits(bits).unwrap();
            let data = ValueData::parse(value_type, Rest::new(wire.as_bytes()).unwrap()).unwrap();
            let mut line = Vec::new();
            data.write_to(&mut line);
            let mut text = String::new();
            autosave::write_line("a", std::str::from_utf8(&line).unwrap(), &mut text);
            let (mut settings, faults) = ini::parse(&text);
            assert_eq!(faults, [], "{text}");
            let ours = settings.remove(0).value;
            for text in [ours.as_str(), saved] {
                let unset = ValueData::unset(value_type);
                assert_eq!(read(&preset(None, text), value_type, &items, &unset), Ok(data.clone()), "{text}");
            }
        }
    }

    #[test]
    fn limits_are_set_by_their_suffix() {
        let value_type = ValueType::from_bits(0x24).unwrap();
        let data = ValueData::parse(value_type, Rest::new(b"5 0 10").unwrap()).unwrap();
        let set = |suffix, text| read(&preset(Some(suffix), text), value_type, &[], &data);
        let wanted = ValueData::parse(value_type, Rest::new(b"5 0 20").unwrap()).unwrap();
        assert_eq!(set("MAX", "20"), Ok(wanted));
        for (suffix, text) in [("min", "x"), ("middle", "5"), ("min", "1 2")] {
            assert!(set(suffix, text).is_err(), "{suffix} {text}");
        }
        let scalar = ValueType::from_bits(4).unwrap();
        let refused = read(&preset(Some("min"), "5"), scalar, &[], &ValueData::Double(1.0)).unwrap_err();
        assert_eq!(refused.to_string(), "file:1: a.min cannot be set to \"5\"");
    }
}
