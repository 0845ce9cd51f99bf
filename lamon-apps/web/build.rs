//! Puts the page (`page/dist`, which `make page` builds) into the program.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What a browser shows of a debug build without the page.
const NO_PAGE: &str = "<!doctype html><title>lamon</title><p>The page was not built: run make page.";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=page/dist");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("page/dist");
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &dist, &mut files)?;
    } else if env::var("PROFILE")? == "release" {
        println!("cargo::error=the page was not built: run make page");
        return Ok(());
    } else {
        let path = out.join("index.html");
        fs::write(&path, NO_PAGE)?;
        files.push(("/index.html".to_owned(), path));
    }
    files.sort();
    let mut table = String::from("&[\n");
    for (url, path) in files {
        writeln!(table, "    ({url:?}, {:?}, include_bytes!({path:?})),", kind(&path))?;
    }
    table.push_str("]\n");
    fs::write(out.join("files.rs"), table)?;
    Ok(())
}

/// Every file below `folder`, with its path below `root` as browsers ask for it.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let below = path.strip_prefix(root)?.to_str().ok_or("a name that is no UTF-8")?;
            files.push((format!("/{below}"), path));
        }
    }
    Ok(())
}

/// The media type of a file by its name.
fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
