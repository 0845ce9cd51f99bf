//! Words and numbers of the kernel's text files, cut from bytes: nothing is copied and nothing can panic.

/// The words of a line: what stands between blanks and tabs.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// The lines of a text, without their ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// A whole decimal number that fits 64 bits.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        assert_eq!(words(b"  a\tbc  ").collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
        assert_eq!(lines(b"\na b\n\nc").collect::<Vec<_>>(), [&b"a b"[..], b"c"]);
        for (word, value) in [
            (&b"0"[..], Some(0)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"18446744073709551616", None),
            (b"", None),
            (b"-1", None),
            (b"1.5", None),
            (b"\xff", None),
        ] {
            assert_eq!(number(word), value, "{word:?}");
        }
    }
}
