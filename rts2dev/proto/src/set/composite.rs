//! Sets of values that are made of several: what each operation does to them.

use super::{SetError, SetOp, operand, parse_bool, quoted};
use crate::data::{
    AltAz, AnyMinMax, AnyRectangle, Array, ArrayItems, MinMax, Pid, RaDec, Rectangle, Statistics, TimeSerie,
};
use crate::degrees::parse_degrees;
use crate::number::Number;
use crate::token::Tokens;

/// Two angles, or one for both.
pub(super) fn ra_dec(old: RaDec, op: SetOp, tokens: &mut Tokens<'_>) -> Result<RaDec, SetError> {
    let angle = |tokens: &mut Tokens<'_>| {
        let text = tokens.text().map_err(|_| SetError::Operand)?;
        parse_degrees(text.as_bytes()).ok_or(SetError::Operand)
    };
    let ra = angle(tokens)?;
    let dec = if tokens.at_end() { ra } else { angle(tokens)? };
    Ok(RaDec { ra: turned(old.ra, op, ra)?, dec: turned(old.dec, op, dec)? })
}

/// Two numbers, or one for both.
pub(super) fn alt_az(old: AltAz, op: SetOp, tokens: &mut Tokens<'_>) -> Result<AltAz, SetError> {
    let alt = operand(tokens)?;
    let az = if tokens.at_end() { alt } else { operand(tokens)? };
    Ok(AltAz { alt: turned(old.alt, op, alt)?, az: turned(old.az, op, az)? })
}

pub(super) fn pid(old: Pid, op: SetOp, tokens: &mut Tokens<'_>) -> Result<Pid, SetError> {
    let (p, i, d) = (operand(tokens)?, operand(tokens)?, operand(tokens)?);
    Ok(Pid { p: turned(old.p, op, p)?, i: turned(old.i, op, i)?, d: turned(old.d, op, d)? })
}

/// A number alone, or with new limits; both the operand and the result lie between them.
pub(super) fn min_max(old: AnyMinMax, op: SetOp, tokens: &mut Tokens<'_>) -> Result<AnyMinMax, SetError> {
    Ok(match old {
        AnyMinMax::Integer(old) => AnyMinMax::Integer(min_max_of(old, op, tokens)?),
        AnyMinMax::Double(old) => AnyMinMax::Double(min_max_of(old, op, tokens)?),
    })
}

fn min_max_of<T: Number>(old: MinMax<T>, op: SetOp, tokens: &mut Tokens<'_>) -> Result<MinMax<T>, SetError> {
    let given: T = operand(tokens)?;
    let limits = if tokens.at_end() {
        old
    } else {
        MinMax { value: old.value, min: operand(tokens)?, max: operand(tokens)? }
    };
    let value = counted(old.value, op, given)?;
    if limits.allows(given) && limits.allows(value) {
        Ok(MinMax { value, ..limits })
    } else {
        Err(SetError::Operand)
    }
}

pub(super) fn rectangle(
    old: AnyRectangle,
    op: SetOp,
    tokens: &mut Tokens<'_>,
) -> Result<AnyRectangle, SetError> {
    let new = match old {
        AnyRectangle::Integer(_) => AnyRectangle::Integer(rectangle_of(tokens)?),
        AnyRectangle::Long(_) => AnyRectangle::Long(rectangle_of(tokens)?),
        AnyRectangle::Float(_) => AnyRectangle::Float(rectangle_of(tokens)?),
        AnyRectangle::Double(_) => AnyRectangle::Double(rectangle_of(tokens)?),
    };
    only_set(op, new)
}

fn rectangle_of<T: Number>(tokens: &mut Tokens<'_>) -> Result<Rectangle<T>, SetError> {
    let read = Rectangle::parse(tokens).map_err(|_| SetError::Operand)?;
    if read.numbers().into_iter().all(T::bearable) { Ok(read) } else { Err(SetError::Operand) }
}

/// All six numbers are replaced; `+` and `-` count the mean.
pub(super) fn statistics(
    old: Statistics,
    op: SetOp,
    tokens: &mut Tokens<'_>,
) -> Result<Statistics, SetError> {
    let read = Statistics::parse(tokens).map_err(|_| SetError::Operand)?;
    let new = Statistics { value: counted(old.value, op, read.value)?, ..read };
    if new.is_bearable() { Ok(new) } else { Err(SetError::Operand) }
}

/// All eight numbers are replaced; `+` and `-` count the mean.
pub(super) fn time_serie(old: TimeSerie, op: SetOp, tokens: &mut Tokens<'_>) -> Result<TimeSerie, SetError> {
    let read = TimeSerie::parse(tokens).map_err(|_| SetError::Operand)?;
    let value = counted(old.statistics.value, op, read.statistics.value)?;
    let new = TimeSerie { statistics: Statistics { value, ..read.statistics }, ..read };
    if new.is_bearable() { Ok(new) } else { Err(SetError::Operand) }
}

/// An array is replaced as a whole: RTS2 knows neither `+` nor `-` for it.
pub(super) fn array(old: &Array, op: SetOp, tokens: &mut Tokens<'_>) -> Result<Array, SetError> {
    let items = match old.items() {
        ArrayItems::Strings(_) => ArrayItems::Strings(tokens.all(quoted)?),
        ArrayItems::Integers(_) => ArrayItems::Integers(tokens.all(operand)?),
        ArrayItems::Times(_) => ArrayItems::Times(tokens.all(operand)?),
        ArrayItems::Doubles(_) => ArrayItems::Doubles(tokens.all(operand)?),
        ArrayItems::Bools(_) => ArrayItems::Bools(tokens.all(|tokens| {
            let word = tokens.text().map_err(|_| SetError::Operand)?;
            parse_bool(word).ok_or(SetError::Operand)
        })?),
    };
    only_set(op, Array::new(items).map_err(|_| SetError::Operand)?)
}

fn only_set<T>(op: SetOp, new: T) -> Result<T, SetError> {
    if op == SetOp::Set { Ok(new) } else { Err(SetError::Operation) }
}

/// `=`, `+` and `-` of a number.
pub(super) fn counted<T: Number>(old: T, op: SetOp, operand: T) -> Result<T, SetError> {
    match op {
        SetOp::Set => Some(operand),
        SetOp::Add => old.plus(operand),
        SetOp::Subtract => old.minus(operand),
    }
    .ok_or(SetError::Operand)
}

/// As [`counted`], but with `-` as RTS2 has it for positions and controllers: it subtracts what the value was from
/// the operand. (lib/rts2/value.cpp, `ValueRaDec::doOpValue`; seen with the real dummy sensor.)
fn turned<T: Number>(old: T, op: SetOp, operand: T) -> Result<T, SetError> {
    match op {
        SetOp::Subtract => operand.minus(old).ok_or(SetError::Operand),
        _ => counted(old, op, operand),
    }
}
