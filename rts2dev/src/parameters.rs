//! What a command's closure takes: a tuple with one type per parameter.

use rts2_proto::{Parameters, ParseError};

/// The parameters of a command: `()`, or a tuple of up to six of `i32`, `i64`, `f64`, `bool` and `String`, of which the
/// last may be an `Option`: it is `None` when the line ends before it. A single parameter is a tuple of one, `(f64,)`.
///
/// Numbers out of range, words that are no number, a parameter too many or too few end the command with RTS2's -2
/// before the closure is called. An `f64` may be nan.
pub trait FromParameters: Sized + Send + 'static + sealed::Tuple {
    /// Reads them all.
    ///
    /// # Errors
    /// When one does not fit, one is missing, or one is left.
    fn from_parameters(parameters: Parameters<'_>) -> Result<Self, ParseError>;
}

mod sealed {
    use rts2_proto::{Parameters, ParseError};

    pub trait Tuple {}

    /// One parameter.
    pub trait Parameter: Sized + Send + 'static {
        fn read(parameters: &mut Parameters<'_>) -> Result<Self, ParseError>;
    }

    /// The last one.
    pub trait Last: Sized + Send + 'static {
        fn read_last(parameters: &mut Parameters<'_>) -> Result<Self, ParseError>;
    }
}

use sealed::{Last, Parameter};

/// One line per type: how it is read.
macro_rules! parameters {
    ($($kind:ty: $parameters:ident => $read:expr;)*) => {
        $(
            impl Parameter for $kind {
                fn read($parameters: &mut Parameters<'_>) -> Result<Self, ParseError> {
                    $read
                }
            }
        )*
    };
}

parameters! {
    i32: p => p.integer();
    i64: p => p.integer();
    f64: p => p.number();
    bool: p => p.boolean();
    String: p => p.text().map(|text| text.to_str().into_owned());
}

impl<T: Parameter> Last for T {
    fn read_last(parameters: &mut Parameters<'_>) -> Result<Self, ParseError> {
        T::read(parameters)
    }
}

impl<T: Parameter> Last for Option<T> {
    fn read_last(parameters: &mut Parameters<'_>) -> Result<Self, ParseError> {
        if parameters.is_at_end() { Ok(None) } else { T::read(parameters).map(Some) }
    }
}

impl sealed::Tuple for () {}

impl FromParameters for () {
    fn from_parameters(mut parameters: Parameters<'_>) -> Result<Self, ParseError> {
        parameters.end()
    }
}

/// One line per length: the parameters before the last, and the last.
macro_rules! tuples {
    ($(($($kind:ident)*) $last:ident;)*) => {
        $(
            impl<$($kind: Parameter,)* $last: Last> sealed::Tuple for ($($kind,)* $last,) {}

            impl<$($kind: Parameter,)* $last: Last> FromParameters for ($($kind,)* $last,) {
                fn from_parameters(mut parameters: Parameters<'_>) -> Result<Self, ParseError> {
                    let read = ($($kind::read(&mut parameters)?,)* $last::read_last(&mut parameters)?,);
                    parameters.end()?;
                    Ok(read)
                }
            }
        )*
    };
}

tuples! {
    () A;
    (A) B;
    (A B) C;
    (A B C) D;
    (A B C D) E;
    (A B C D E) F;
}

#[cfg(test)]
mod tests {
    use rts2_proto::Rest;

    use super::*;

    fn read<T: FromParameters>(line: &str) -> Option<T> {
        T::from_parameters(Parameters::new(Rest::new(line.as_bytes()).unwrap())).ok()
    }

    #[test]
    fn tuples_are_read() {
        assert_eq!(read::<()>(""), Some(()));
        assert_eq!(read::<()>("1"), None);
        assert_eq!(read::<(f64,)>("1.5"), Some((1.5,)));
        assert_eq!(read::<(f64,)>("1.5 2"), None);
        assert_eq!(read::<(f64,)>(""), None);
        assert_eq!(read::<(i32, String)>("7 \"a b\""), Some((7, "a b".to_owned())));
        assert_eq!(read::<(i32, String)>("7"), None);
        assert_eq!(read::<(i32,)>("2147483648"), None);
        assert_eq!(read::<(i64,)>("2147483648"), Some((2_147_483_648,)));
        assert_eq!(read::<(bool, Option<i32>)>("on"), Some((true, None)));
        assert_eq!(read::<(bool, Option<i32>)>("off 3"), Some((false, Some(3))));
        assert_eq!(read::<(bool, Option<i32>)>("off x"), None);
        assert_eq!(read::<(bool, Option<i32>)>("off 3 4"), None);
        assert_eq!(read::<(Option<String>,)>(""), Some((None,)));
        let six = read::<(i32, i32, i32, i32, i32, f64)>("1 2 3 4 5 6.5");
        assert_eq!(six, Some((1, 2, 3, 4, 5, 6.5)));
    }
}
