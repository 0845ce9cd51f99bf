//! Sets: whatever a client asks of a value of whatever type, the result is of that type and can be written and read.

use rts2_proto::{BaseType, IndexedName, QuotedString, Rest, SetOp, Text, ValueData, ValueType, apply_set};

/// The first byte is the value's type; each line behind it begins with `=`, `+` or `-`, and sets the value that the line
/// before it left.
pub fn run(data: &[u8]) {
    let [bits, lines @ ..] = data else { return };
    let Ok(value_type) = ValueType::from_bits(bits & 0x7f) else { return };
    let names: &[&str] =
        if value_type.base == BaseType::Selection { &["good", "warning", "error"] } else { &[] };
    let items: Vec<_> = names.iter().map(|name| QuotedString::cleaned(name)).collect();
    let mut value = ValueData::unset(value_type);
    for line in lines.split(|&b| b == b'\n') {
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
        let Ok(new) = apply_set(&value, &items, op, operand) else { continue };
        assert_eq!(std::mem::discriminant(&new), std::mem::discriminant(&value));
        let mut written = Vec::new();
        new.write_to(&mut written);
        let Ok(text) = Rest::new(&written) else { panic!("{new:?} is written as {written:?}") };
        assert_eq!(ValueData::parse(value_type, text).as_ref(), Ok(&new), "{text:?}");
        value = new;
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
