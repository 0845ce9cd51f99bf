//! Lines of the control socket: what can be read is written so that it reads back the same; what cannot is told in a sentence that
//! is no longer than an answer may be.

use lamon_control::{MAX_REQUEST_BYTES, Request};

/// The bytes are lines.
pub fn run(data: &[u8]) {
    for line in data.split(|&b| b == b'\n') {
        match Request::parse(line) {
            Ok(request) => {
                let written = serde_json::to_vec(&request).expect("a request becomes JSON");
                if written.len() <= MAX_REQUEST_BYTES {
                    assert_eq!(Request::parse(&written).as_ref(), Ok(&request));
                }
            }
            Err(error) => assert!(error.to_string().len() <= 2 * MAX_REQUEST_BYTES),
        }
    }
}
