//! Declaring a value: one sentence per value.

use std::marker::PhantomData;
use std::sync::Arc;

use rts2_proto::{
    DisplayType, FitsNameError, Level, NameError, QuotedString, TextError, ValueData, ValueFlags, ValueName,
    check_fits_name,
};

use crate::handlers::{Caller, Refusal, SetHandler, set_handler};
use crate::presets::{Due, PresetError};
use crate::samples::MAX_SAMPLES;
use crate::shared::Shared;
use crate::table::NewEntry;
use crate::value::{Value, ValueKind};

/// Values of one device. Clients keep them in a list and look each name up from its beginning, so that thousands of
/// values cost them dearly; 10,000 are more than a client can follow.
pub const MAX_VALUES: usize = 10_000;

/// Names in the list of a selection. Clients show them in a menu; with this many, each at its longest, the metainfo
/// of one value stays near a quarter of a megabyte.
pub const MAX_ITEMS: usize = 256;

/// Why a value cannot be declared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeclareError {
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The device has a value of that name, compared without case.
    #[error("value \"{name}\" exists")]
    Exists {
        /// The name.
        name: String,
    },
    /// The description cannot stand between quotes.
    #[error("description: {0}")]
    Description(TextError),
    /// A name in the list of a selection cannot be used.
    #[error("selection item: {0}")]
    Item(TextError),
    /// A selection needs between 1 and [`MAX_ITEMS`] names.
    #[error("selection of {count} items, 1 to {MAX_ITEMS} wanted")]
    ItemCount {
        /// How many there were.
        count: usize,
    },
    /// Statistics need between 1 and [`MAX_SAMPLES`] measurements.
    #[error("statistics of {count} measurements, 1 to {MAX_SAMPLES} wanted")]
    SampleCount {
        /// How many were asked for.
        count: usize,
    },
    /// The name is too long for FITS headers.
    #[error(transparent)]
    Fits(#[from] FitsNameError),
    /// What the command line or a file has it begin with cannot be its value.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The device has [`MAX_VALUES`] already.
    #[error("{MAX_VALUES} values already")]
    TooManyValues,
}

/// A value that is about to be declared; made by [`DeviceHandle`](crate::DeviceHandle).
#[must_use = "nothing is declared before declare()"]
pub struct Declaration<T> {
    shared: Arc<Shared>,
    name: String,
    description: String,
    flags: ValueFlags,
    items: Vec<String>,
    data: ValueData,
    samples: Option<usize>,
    on_set: Option<SetHandler>,
    kind: PhantomData<fn() -> T>,
}

impl<T: ValueKind> Declaration<T> {
    pub(crate) fn new(shared: Arc<Shared>, name: &str, description: &str, items: &[&str]) -> Self {
        Self {
            shared,
            name: name.to_owned(),
            description: description.to_owned(),
            flags: ValueFlags::of_type(T::TYPE),
            items: items.iter().map(|&item| item.to_owned()).collect(),
            data: ValueData::unset(T::TYPE),
            samples: None,
            on_set: None,
            kind: PhantomData,
        }
    }

    /// Statistics of the newest `count` measurements.
    pub(crate) fn over(mut self, count: usize) -> Self {
        self.samples = Some(count);
        self
    }

    /// How clients show it.
    pub fn display(mut self, display: DisplayType) -> Self {
        self.flags = self.flags.with_display_type(display);
        self
    }

    /// Written into the headers of images, as `HIERARCH DEVICE.NAME`.
    pub fn fits(mut self) -> Self {
        self.flags |= ValueFlags::FITS;
        self
    }

    /// Kept over restarts, when the options name an [`autosave`](crate::DeviceOptions::autosave) file: it begins with
    /// what it held last, and its set handler is asked for that before the device serves. RTS2's file has no place
    /// for blanks in the texts of an array: there such a text comes back as several.
    pub fn autosave(mut self) -> Self {
        self.flags |= ValueFlags::AUTOSAVE;
        self
    }

    /// Hidden in rts2-mon unless asked for.
    pub fn debug(mut self) -> Self {
        self.flags |= ValueFlags::DEBUG;
        self
    }

    /// Its level to begin with; good when not given.
    pub fn level(mut self, level: Level) -> Self {
        self.flags = self.flags.with_level(level);
        self
    }

    /// What it holds to begin with. When not given: nan, 0, an empty text, a bool that is not known.
    pub fn initial(mut self, value: impl Into<T>) -> Self {
        self.data = value.into().into_data();
        self
    }

    /// The end of a script (`script_ends`, `killall`) sets it back to what it held to begin with; a set handler is asked
    /// before.
    ///
    /// RTS2 declares this flag and, in version 0.9.5, does nothing about it: there only the modes of a mode file are
    /// reset.
    pub fn reset_at_script_end(mut self) -> Self {
        self.flags |= ValueFlags::SCRIPTENDRESET;
        self
    }

    /// Clients may set it, to anything of its type.
    pub fn writable(mut self) -> Self {
        self.flags |= ValueFlags::WRITABLE;
        self
    }

    /// Clients may set it, and the program is asked before: the closure gets what the value would become. When it
    /// agrees, the value is set and sent to everybody; when it refuses, the value stays as it is, and the client sees
    /// the reason. What the handler sets this very value to is replaced by what the client asked for: to show what became
    /// of a wish, have a second value.
    ///
    /// A set handler may take its time, and may set other values: see [`Refusal`] for how it says no, and
    /// [`MAX_WAITING_HANDLERS`](crate::MAX_WAITING_HANDLERS) for how many sets wait. The handlers of a device run one at
    /// a time, in order of arrival and off the device's own thread; one that blocks its thread delays other handlers
    /// of this device and nothing else. It finishes when its client has gone. It must not wait for another handler of
    /// its device. One that panics refuses with -5, where the program is built to unwind.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let handle = rts2dev::Device::new(rts2dev::DeviceOptions::new("CELLAR"))?.handle();
    /// use rts2dev::Refusal;
    ///
    /// let limit = handle.double("limit", "[C] warning above").on_set(|limit| async move {
    ///     if limit < 100.0 { Ok(()) } else { Err(Refusal::value("limit is below 100 C")) }
    /// });
    /// limit.declare()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Of two values that depend on each other, the first handler gets the second value when that is declared. At the
    /// start every handler sees what the others begin with, saved or given, so the order does not count there.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let handle = rts2dev::Device::new(rts2dev::DeviceOptions::new("CELLAR"))?.handle();
    /// use std::sync::{Arc, OnceLock};
    ///
    /// use rts2dev::{Refusal, Value};
    ///
    /// fn checked(warning: f64, error: f64) -> Result<(), Refusal> {
    ///     if warning < error { Ok(()) } else { Err(Refusal::value("the warning has to come first")) }
    /// }
    ///
    /// let second: Arc<OnceLock<Value<f64>>> = Arc::default();
    /// let error = Arc::clone(&second);
    /// let warning = handle
    ///     .double("warning", "[C] warning above")
    ///     .initial(30)
    ///     .on_set(move |warning| {
    ///         let checked = error.get().map_or(Ok(()), |error| checked(warning, error.get()));
    ///         async move { checked }
    ///     })
    ///     .declare()?;
    /// let error = handle
    ///     .double("error", "[C] error above")
    ///     .initial(40)
    ///     .on_set(move |error| {
    ///         let checked = checked(warning.get(), error);
    ///         async move { checked }
    ///     })
    ///     .declare()?;
    /// second.set(error).expect("set once");
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_set<F, R>(self, on_set: F) -> Self
    where
        F: Fn(T) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.on_set_by(move |_, value| on_set(value))
    }

    /// As [`on_set`](Self::on_set), for a closure that wants to know who asks: to take sets from some addresses only, or
    /// to write down who changed what.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let handle = rts2dev::Device::new(rts2dev::DeviceOptions::new("CELLAR"))?.handle();
    /// use rts2dev::{Caller, Refusal};
    ///
    /// let limit = handle.double("limit", "[C] warning above").on_set_by(|caller, _| async move {
    ///     match caller {
    ///         Caller::Client(client) if !client.address.ip().is_loopback() => {
    ///             Err(Refusal::not_allowed("only from this computer"))
    ///         }
    ///         _ => Ok(()),
    ///     }
    /// });
    /// limit.declare()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_set_by<F, R>(self, on_set: F) -> Self
    where
        F: Fn(Caller, T) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        Self { on_set: Some(set_handler(on_set)), ..self.writable() }
    }

    /// Declares it. When the device runs, centrald and every client get its metainfo and its value at once. RTS2 has
    /// no way to withdraw a value.
    ///
    /// # Errors
    /// A name or text that RTS2 programs cannot bear, a name that is taken, too many.
    pub fn declare(self) -> Result<Value<T>, DeclareError> {
        let name = ValueName::new(&self.name)?;
        if self.flags.contains(ValueFlags::FITS) {
            check_fits_name(&self.shared.name, &name)?;
        }
        let items = self
            .items
            .iter()
            .map(|item| QuotedString::without_percent(item))
            .collect::<Result<Vec<_>, _>>()
            .map_err(DeclareError::Item)?;
        if matches!(self.data, ValueData::Selection(_)) && !(1..=MAX_ITEMS).contains(&items.len()) {
            return Err(DeclareError::ItemCount { count: items.len() });
        }
        if let Some(count) = self.samples.filter(|count| !(1..=MAX_SAMPLES).contains(count)) {
            return Err(DeclareError::SampleCount { count });
        }
        // A selection that begins beyond its list begins at its first name.
        let data = match self.data {
            ValueData::Selection(index) if !usize::try_from(index).is_ok_and(|index| index < items.len()) => {
                ValueData::Selection(0)
            }
            data => data,
        };
        let description = QuotedString::new(&self.description).map_err(DeclareError::Description)?;
        let beginning = self.shared.presets().begin(&name, T::TYPE, &items, data)?;
        // What RTS2 programs cannot bear is mended.
        let data = match &beginning.last {
            Some(_) => T::from_data(&beginning.data).into_data(),
            None => beginning.data,
        };
        let asked = self.on_set.is_some();
        let new = NewEntry { name, flags: self.flags, description, items, data, on_set: self.on_set };
        let index = {
            let mut state = self.shared.lock();
            let index = state.table.declare(new)?;
            if let Some(count) = self.samples {
                state.table.keep_samples(index, count);
            }
            index
        };
        self.shared.wake();
        if asked && let Some((preset, fallback)) = beginning.last {
            self.shared.presets().due.push(Due { index, preset, fallback });
        }
        self.shared.tell_faults();
        Ok(Value::new(self.shared, index))
    }
}
