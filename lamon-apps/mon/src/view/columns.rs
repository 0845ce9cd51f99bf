//! Which columns of the overview fit a width. Pure.

/// The widths of the overview's columns; 0 is one that is not there. A space follows each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// The marker and the level's word.
    pub(super) level: usize,
    /// The node's name.
    pub(super) name: usize,
    /// The group's name.
    pub(super) group: usize,
    /// The bar of each of CPU, memory and disk.
    pub(super) bar: usize,
    /// The number of each: `100x`.
    pub(super) number: usize,
    /// Bytes in, and bytes out.
    pub(super) net: usize,
    /// What is wrong.
    pub(super) what: usize,
}

/// The marker, a space and the longest word.
const LEVEL: usize = 9;

/// `100x`.
const NUMBER: usize = 4;

/// `999M`, and its heading.
const NET: usize = 5;

impl Columns {
    /// Those that fit, as wide as they are worth: names first, then numbers, then the rest.
    pub(super) fn of(width: usize) -> Self {
        let numbers = 3 * (NUMBER + 1);
        match width {
            0..=16 => Self { level: 1, name: width.saturating_sub(2), ..Self::default() },
            17..=35 => {
                let number = if width >= 26 { NUMBER } else { 0 };
                let taken = 2 + if number > 0 { numbers } else { 0 };
                Self { level: 1, name: width - taken, number, ..Self::default() }
            }
            36..=59 => {
                Self { level: LEVEL, name: width - LEVEL - 1 - numbers, number: NUMBER, ..Self::default() }
            }
            60..=78 => {
                let taken = LEVEL + 1 + numbers + 2 * (NET + 1) + 9;
                Self {
                    level: LEVEL,
                    name: width - taken,
                    group: 8,
                    number: NUMBER,
                    net: NET,
                    ..Self::default()
                }
            }
            _ => {
                let bar = if width >= 110 { 8 } else { 5 };
                let taken = LEVEL + 1 + numbers + 3 * (bar + 1) + 2 * (NET + 1);
                let rest = width - taken;
                let (name, group) = if rest >= 52 { (20, 12) } else { (rest.min(28) - 10, 8) };
                let what = rest.saturating_sub(name + 1 + group + 1);
                // A few columns say nothing.
                let what = if what >= 10 { what } else { 0 };
                Self { level: LEVEL, name, group, bar, number: NUMBER, net: NET, what }
            }
        }
    }

    /// The columns that all of them take.
    #[cfg(test)]
    fn total(self) -> usize {
        let each = |width: usize, times: usize| if width > 0 { times * (width + 1) } else { 0 };
        each(self.level, 1)
            + each(self.name, 1)
            + each(self.group, 1)
            + each(self.bar, 3)
            + each(self.number, 3)
            + each(self.net, 2)
            + each(self.what, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_fits_and_is_never_without_a_name() {
        for width in 2..400 {
            let columns = Columns::of(width);
            assert!(columns.total() <= width + 1, "{width}: {columns:?}");
            assert!(columns.name >= 9 || width < 26, "{width}: {columns:?}");
        }
        assert!(Columns::of(80).bar > 0 && Columns::of(80).net > 0 && Columns::of(120).what > 0);
        assert_eq!((Columns::of(40).bar, Columns::of(40).number), (0, NUMBER));
    }
}
