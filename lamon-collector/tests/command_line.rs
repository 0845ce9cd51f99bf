//! The program `lamon-collector` as a person calls it.

use std::process::Command;

#[test]
fn check_says_what_follows_or_where_the_mistake_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.toml");
    for (text, code, said) in [
        ("", 0, "there is no RTS2 device"),
        ("[intake]\nlissten = []\n", 78, "hub.toml:2:1: unknown key \"lissten\""),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_lamon-collector"))
            .args(["check", "-c"])
            .arg(&path)
            .output()
            .unwrap();
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        assert_eq!(output.status.code(), Some(code), "{all}");
        assert!(all.contains(said), "{all}");
    }
}
