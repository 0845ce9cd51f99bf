//! A declared value, as the program that sets it sees it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::SystemTime;

use rts2_proto::{BaseType, Level, QuotedString, Statistics, TimeSerie, ValueData, ValueFlags, ValueType};

use crate::shared::{Shared, unix_seconds};

/// A point in time, unix seconds; nan when not set (RTS2's `ValueTime`).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Time(pub f64);

impl Time {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        Self(unix_seconds(time))
    }
}

impl From<f64> for Time {
    fn from(seconds: f64) -> Self {
        Self(seconds)
    }
}

/// Index into the list of names of a selection, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selection(pub i32);

impl From<i32> for Selection {
    fn from(index: i32) -> Self {
        Self(index)
    }
}

/// A Rust type that a value can hold. Implemented for `f64`, `f32`, `i32`, `i64`, `bool`, `String`, [`Time`],
/// [`Selection`], for [`RaDec`], [`AltAz`], [`Pid`], [`Statistics`], [`TimeSerie`], [`MinMax`] of `f64` and `i32`,
/// [`Rectangle`] of the four numbers, and `Vec` of `f64`, `i32`, `bool`, `String` and [`Time`]. Anything else makes
/// RTS2's clients exit, or means nothing to them.
///
/// [`RaDec`]: crate::proto::RaDec
/// [`AltAz`]: crate::proto::AltAz
/// [`Pid`]: crate::proto::Pid
/// [`Statistics`]: crate::proto::Statistics
/// [`TimeSerie`]: crate::proto::TimeSerie
/// [`MinMax`]: crate::proto::MinMax
/// [`Rectangle`]: crate::proto::Rectangle
pub trait ValueKind: Sized + Send + 'static + sealed::Sealed {
    /// RTS2's type for it.
    const TYPE: ValueType;

    /// As RTS2 holds it. What RTS2 programs cannot bear is mended: a number that is not finite becomes nan, a text
    /// loses quotes, line ends and percent signs, an array what is beyond the
    /// [limit](crate::proto::MAX_ARRAY_ITEMS) of a line.
    fn into_data(self) -> ValueData;

    /// From what RTS2 holds. A bool that is not known reads as false, data of another type as not set.
    fn from_data(data: &ValueData) -> Self;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// One line per type: `Rust type, RTS2 type: how it is stored; how it is read; what it is when not set`.
macro_rules! kinds {
    ($($kind:ty, $base:ident: $value:ident => $into:expr; $stored:ident => $from:expr; $unset:expr;)*) => {
        $(
            impl sealed::Sealed for $kind {}
            impl ValueKind for $kind {
                const TYPE: ValueType = ValueType::scalar(BaseType::$base);
                fn into_data(self) -> ValueData {
                    let $value = self;
                    ValueData::$base($into)
                }
                fn from_data(data: &ValueData) -> Self {
                    match data {
                        ValueData::$base($stored) => $from,
                        _ => $unset,
                    }
                }
            }
        )*
    };
}

kinds! {
    f64, Double: v => finite(v); v => *v; Self::NAN;
    f32, Float: v => if v.is_finite() { v } else { Self::NAN }; v => *v; Self::NAN;
    i32, Integer: v => v; v => *v; 0;
    i64, Long: v => v; v => *v; 0;
    bool, Bool: v => Some(v); v => v.unwrap_or_default(); false;
    String, String: v => QuotedString::cleaned_without_percent(&v); v => v.as_str().to_owned(); Self::new();
    Time, Time: v => finite(v.0); v => Self(*v); Self(f64::NAN);
    Selection, Selection: v => v.0; v => Self(*v); Self(0);
}

/// A value of a running or not yet running device. Clones are the same value.
///
/// Setting it never blocks and never fails, from any thread; it is sent when the device gets to it, and of several
/// sets in between only the newest is sent. A set to what it is already sends nothing.
pub struct Value<T> {
    shared: Arc<Shared>,
    index: usize,
    kind: PhantomData<fn(T) -> T>,
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), index: self.index, kind: PhantomData }
    }
}

impl<T> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("device", &self.shared.name).field("index", &self.index).finish()
    }
}

impl<T: ValueKind> Value<T> {
    pub(crate) fn new(shared: Arc<Shared>, index: usize) -> Self {
        Self { shared, index, kind: PhantomData }
    }

    /// Sets it. A [`Selection`] that its list does not have is not taken.
    pub fn set(&self, value: impl Into<T>) {
        let data = value.into().into_data();
        if self.in_range(&data) {
            self.shared.set(self.index, Some(data), None);
        }
    }

    /// Sets its level: clients get its metainfo with the new flags, then the value.
    pub fn set_level(&self, level: Level) {
        self.shared.set(self.index, None, Some(level));
    }

    /// Sets both at once, so that no client sees the one without the other.
    pub fn set_with_level(&self, value: impl Into<T>, level: Level) {
        let data = Some(value.into().into_data()).filter(|data| self.in_range(data));
        self.shared.set(self.index, data, Some(level));
    }

    /// What it holds, set by the program or by a client.
    #[must_use]
    pub fn get(&self) -> T {
        let data = self.shared.lock().table.entry(self.index).map(|entry| entry.data.clone());
        T::from_data(&data.unwrap_or_else(|| ValueData::unset(T::TYPE)))
    }

    /// Its level.
    #[must_use]
    pub fn level(&self) -> Level {
        self.shared.lock().table.entry(self.index).map_or(Level::Good, |entry| entry.flags.level())
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> ValueFlags {
        self.shared.lock().table.entry(self.index).map_or(ValueFlags::empty(), |entry| entry.flags)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.shared
            .lock()
            .table
            .entry(self.index)
            .map(|entry| entry.name.as_str().to_owned())
            .unwrap_or_default()
    }

    fn in_range(&self, data: &ValueData) -> bool {
        let ValueData::Selection(index) = data else { return true };
        let count = self.shared.lock().table.entry(self.index).map_or(0, |entry| entry.items.len());
        usize::try_from(*index).is_ok_and(|index| index < count)
    }
}

impl Value<Statistics> {
    /// Counts a measurement, in the unit of the value. The statistics are those of the newest measurements, as many
    /// as [`DeviceHandle::statistics`](crate::DeviceHandle::statistics) was told. One that is not finite is not
    /// counted.
    pub fn add(&self, measured: f64) {
        self.shared.add_sample(self.index, measured, Time::now().0);
    }
}

impl Value<TimeSerie> {
    /// Counts a measurement of the present, in the unit of the value; else as [`Value::<TimeSerie>::add_at`].
    pub fn add(&self, measured: f64) {
        self.add_at(measured, Time::now());
    }

    /// Counts a measurement of that time. The statistics and the trend are those of the newest measurements, as many
    /// as [`DeviceHandle::time_serie`](crate::DeviceHandle::time_serie) was told. One that is not finite is not
    /// counted.
    pub fn add_at(&self, measured: f64, at: Time) {
        self.shared.add_sample(self.index, measured, at.0);
    }
}

pub(crate) fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { f64::NAN }
}
