//! What stands below the options of `--help`: examples, exit codes.

use std::fmt::Write;

use crate::roff;

/// A heading, and the lines below it.
struct Block {
    heading: String,
    lines: Vec<String>,
}

/// As sections of a page: a line that ends with a colon begins one, what is indented is shown as it stands.
pub(crate) fn sections(after: &str) -> String {
    let mut blocks: Vec<Block> = Vec::new();
    for line in after.lines() {
        let begins = !line.starts_with(' ');
        match (blocks.last_mut(), line.split_once(':')) {
            (_, Some((heading, rest))) if begins => {
                let rest = rest.trim();
                let lines = if rest.is_empty() { vec![] } else { vec![rest.to_owned()] };
                blocks.push(Block { heading: heading.to_owned(), lines });
            }
            (Some(block), _) => block.lines.push(line.to_owned()),
            (None, _) if line.trim().is_empty() => {}
            (None, _) => blocks.push(Block { heading: "Notes".into(), lines: vec![line.to_owned()] }),
        }
    }
    let mut out = String::new();
    for Block { heading, lines } in blocks {
        let heading = match heading.as_str() {
            "Try it" | "Examples" => "EXAMPLES".to_owned(),
            "Exit codes" => "EXIT STATUS".to_owned(),
            other => other.to_uppercase(),
        };
        let _ = writeln!(out, ".SH {}", quoted(&heading));
        let verbatim = lines.iter().any(|line| line.starts_with(' '));
        let text = lines.join("\n");
        let text = roff::text(text.trim_end());
        if verbatim {
            let _ = writeln!(out, ".nf\n{text}\n.fi");
        } else {
            let _ = writeln!(out, "{text}");
        }
    }
    out
}

/// One argument of a macro.
fn quoted(heading: &str) -> String {
    format!("\"{}\"", roff::text(heading))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_sections() {
        let text = "Try it:\n  lamon -c x\n  lamon 'y'\n\nExit codes: 0 done, 2 wrong.";
        let expected = ".SH \"EXAMPLES\"\n.nf\n  lamon \\-c x\n  lamon \\(aqy\\(aq\n.fi\n.SH \"EXIT STATUS\"\n0 done, 2 wrong.\n";
        assert_eq!(sections(text), expected);
    }
}
