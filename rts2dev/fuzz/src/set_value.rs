//! Sets: whatever a client asks of a value of whatever type, the result is of that type and can be written and read.

use rts2_proto::{
    BaseType, IndexedName, QuotedString, Rest, SetOp, Text, ValueData, ValueType, apply_indexed_set,
    apply_set,
};

/// The first byte is the value's type; each line behind it begins with `=`, `+` or `-`, after an index in brackets
/// where it means elements of an array, and sets the value that the line before it left.
pub fn run(data: &[u8]) {
    let [bits, lines @ ..] = data else { return };
    let Ok(value_type) = ValueType::from_bits(bits & 0x7f) else { return };
    let names: &[&str] =
        if value_type.base() == BaseType::Selection { &["good", "warning", "error"] } else { &[] };
    let items: Vec<_> = names.iter().map(|name| QuotedString::cleaned(name)).collect();
    let mut value = ValueData::unset(value_type);
    for line in lines.split(|&b| b == b'\n') {
        let (index, line) = index(line);
        let [op, operand @ ..] = line else { continue };
        let op = match op {
            b'=' => SetOp::Set,
            b'+' => SetOp::Add,
            b'-' => SetOp::Subtract,
            _ => {
                name(line);
                continue;
            }
        };
        let Ok(operand) = Rest::new(operand) else { continue };
        let new = match index {
            Some(index) => apply_indexed_set(&value, index, op, operand),
            None => apply_set(&value, &items, op, operand),
        };
        let Ok(new) = new else { continue };
        assert_eq!(std::mem::discriminant(&new), std::mem::discriminant(&value));
        let mut written = Vec::new();
        new.write_to(&mut written);
        let Ok(text) = Rest::new(&written) else { panic!("{new:?} is written as {written:?}") };
        assert_eq!(ValueData::parse(value_type, text).as_ref(), Ok(&new), "{text:?}");
        value = new;
    }
}

/// What stands in brackets at the front, and the rest.
fn index(line: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = line.iter().position(|&b| b == b']');
    match (line, end) {
        ([b'[', inside @ ..], Some(end)) => (inside.get(..end - 1), line.get(end + 1..).unwrap_or_default()),
        _ => (None, line),
    }
}

/// A name with an index is taken apart into pieces of itself.
fn name(bytes: &[u8]) {
    let Ok(name) = Text::new(bytes) else { return };
    if let Ok(found) = IndexedName::resolve(name, |name| name.len() % 2 == 0) {
        assert!(bytes.starts_with(found.name));
        assert!(found.index.is_none_or(|index| found.name.len() + index.len() < bytes.len()));
    }
}
