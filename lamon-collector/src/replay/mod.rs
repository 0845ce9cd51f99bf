//! What other limits would have made of the past: stored samples through the watch, on a clock of their own.
//!
//! A sample counts as heard when it was taken, so the same stretch always gives the same events. What the archive does not
//! know is not judged: when a sample arrived, what operators muted, which part of the day centrald was in (the Sun tells).
//!
//! | file | what it does |
//! |---|---|
//! | `judge` | one configuration, and what it makes of the samples; pure |
//! | `count` | how much that was |
//! | `slices` | reads the archive, a while at a time, in the order of time |

mod count;
mod judge;
mod slices;

pub use self::count::{Blocked, Count};
pub use self::judge::Judge;
pub use self::slices::{Slice, Slices};
