//! The page's own files, which are in the program.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::refuse;

/// Path, media type and bytes of each.
static FILES: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Answers with a file.
pub(crate) async fn file(uri: Uri) -> Response {
    let path = if uri.path() == "/" { "/index.html" } else { uri.path() };
    let Some((_, kind, bytes)) = FILES.iter().find(|(name, ..)| *name == path) else {
        return refuse(StatusCode::NOT_FOUND, format!("there is no {path}"));
    };
    // Names below assets/ tell their content; all others may change with the program.
    let cache = if path.starts_with("/assets/") { "max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, cache)], *bytes).into_response()
}
