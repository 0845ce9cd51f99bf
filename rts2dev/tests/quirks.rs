//! docs/rts2-behaviour.md and the code name the same quirks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;

/// What stands behind `quirk `, in backquotes.
fn named_in(text: &str, found: &mut BTreeSet<String>) {
    for part in text.to_lowercase().match_indices("quirk").map(|(at, _)| &text[at..]) {
        let words = part.trim_start_matches(|c: char| c.is_alphabetic());
        // A comment may be broken between the two.
        let words = words.trim_start_matches([' ', '\n', '/', '!']);
        if let Some(name) = words.strip_prefix('`').and_then(|rest| rest.split('`').next()) {
            found.insert(name.to_owned());
        }
    }
}

fn walk(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            named_in(&std::fs::read_to_string(&path).unwrap(), found);
        }
    }
}

#[test]
fn every_quirk_has_the_same_name_in_the_code_and_in_the_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = BTreeSet::new();
    walk(&root.join("src"), &mut code);
    walk(&root.join("proto/src"), &mut code);
    let document = std::fs::read_to_string(root.join("../docs/rts2-behaviour.md")).unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert!(documented.len() >= 10, "{documented:?}");
    assert_eq!(documented, code);
}
