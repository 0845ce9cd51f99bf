//! Declaring values that are made of several: one method per kind, as in `handle.rs` for the simple ones.

use std::sync::Arc;

use rts2_proto::{AltAz, MinMax, Pid, RaDec, Rectangle, Statistics, TimeSerie};

use crate::declaration::Declaration;
use crate::handle::DeviceHandle;
use crate::value::{Time, ValueKind};

impl DeviceHandle {
    /// Right ascension and declination, degrees.
    pub fn ra_dec(&self, name: &str, description: &str) -> Declaration<RaDec> {
        self.compound(name, description)
    }

    /// Altitude and azimuth, degrees.
    pub fn alt_az(&self, name: &str, description: &str) -> Declaration<AltAz> {
        self.compound(name, description)
    }

    /// Factors of a controller, millionths.
    pub fn pid(&self, name: &str, description: &str) -> Declaration<Pid> {
        self.compound(name, description)
    }

    /// Statistics of the newest `count` measurements, 1 to [`MAX_SAMPLES`](crate::MAX_SAMPLES); add them with
    /// [`Value::add`](crate::Value::add).
    pub fn statistics(&self, name: &str, description: &str, count: usize) -> Declaration<Statistics> {
        self.compound(name, description).over(count)
    }

    /// Statistics and trend of the newest `count` measurements, 1 to [`MAX_SAMPLES`](crate::MAX_SAMPLES); add them
    /// with [`Value::add_at`](crate::Value::add_at).
    pub fn time_serie(&self, name: &str, description: &str, count: usize) -> Declaration<TimeSerie> {
        self.compound(name, description).over(count)
    }

    /// A number between limits: `handle.min_max::<f64>(…)`, or `i32`. Clients may set both the number and, with it,
    /// the limits.
    pub fn min_max<T>(&self, name: &str, description: &str) -> Declaration<MinMax<T>>
    where
        MinMax<T>: ValueKind,
    {
        self.compound(name, description)
    }

    /// A rectangle: `handle.rectangle::<i32>(…)`, or `i64`, `f32`, `f64`.
    pub fn rectangle<T>(&self, name: &str, description: &str) -> Declaration<Rectangle<T>>
    where
        Rectangle<T>: ValueKind,
    {
        self.compound(name, description)
    }

    /// An array of doubles.
    pub fn doubles(&self, name: &str, description: &str) -> Declaration<Vec<f64>> {
        self.compound(name, description)
    }

    /// An array of integers.
    pub fn integers(&self, name: &str, description: &str) -> Declaration<Vec<i32>> {
        self.compound(name, description)
    }

    /// An array of bools.
    pub fn booleans(&self, name: &str, description: &str) -> Declaration<Vec<bool>> {
        self.compound(name, description)
    }

    /// An array of texts.
    pub fn strings(&self, name: &str, description: &str) -> Declaration<Vec<String>> {
        self.compound(name, description)
    }

    /// An array of times.
    pub fn times(&self, name: &str, description: &str) -> Declaration<Vec<Time>> {
        self.compound(name, description)
    }

    fn compound<T: ValueKind>(&self, name: &str, description: &str) -> Declaration<T> {
        Declaration::new(Arc::clone(&self.shared), name, description, &[])
    }
}
