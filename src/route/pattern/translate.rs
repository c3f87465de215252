//! Writes a pattern in the syntax of the `regex` crate, where that crate means the same.
//!
//! It does not where a pattern looks around, refers back, or repeats something that may be empty or may
//! leave out a group: JavaScript gives up an empty repetition and forgets the groups of the one before,
//! the crate does neither. [`is_regular`] says which patterns remain; nearly all do.

use std::fmt::Write as _;

use super::class::CharSet;
use super::syntax::Node;

/// Whether the `regex` crate finds the same match and the same groups as JavaScript.
pub(super) fn is_regular(node: &Node) -> bool {
    match node {
        Node::Look { .. } | Node::BackReference { .. } | Node::WordBoundary { negated: true } => false,
        Node::Repeat { body, max, .. } => {
            let repeats = max.is_none_or(|max| max > 1);
            *max != Some(0)
                && !body.nullable()
                && (!repeats || every_group_takes_part(body))
                && is_regular(body)
        }
        Node::Concat(_) | Node::Alternate(_) | Node::Capture { .. } => node.children().iter().all(is_regular),
        Node::Empty
        | Node::Char(_)
        | Node::Set(_)
        | Node::Start
        | Node::End
        | Node::WordBoundary { negated: false } => true,
    }
}

/// Whether each group inside is set anew whenever `node` matches.
fn every_group_takes_part(node: &Node) -> bool {
    match node {
        Node::Alternate(_) => node.groups().is_none(),
        Node::Repeat { min: 0, body, .. } => body.groups().is_none(),
        Node::Repeat { .. } | Node::Concat(_) | Node::Capture { .. } | Node::Look { .. } => {
            node.children().iter().all(every_group_takes_part)
        }
        Node::Empty
        | Node::Char(_)
        | Node::Set(_)
        | Node::Start
        | Node::End
        | Node::WordBoundary { .. }
        | Node::BackReference { .. } => true,
    }
}

/// `node`, which [`is_regular`], in the crate's syntax.
pub(super) fn regex_syntax(node: &Node) -> String {
    let mut out = String::new();
    write(&mut out, node);
    out
}

fn write(out: &mut String, node: &Node) {
    match node {
        Node::Empty | Node::Look { .. } | Node::BackReference { .. } => {}
        Node::Char(character) => write_char(out, u32::from(*character)),
        Node::Set(set) => write_set(out, set),
        Node::Start => out.push_str(r"\A"),
        Node::End => out.push_str(r"\z"),
        Node::WordBoundary { .. } => out.push_str(r"(?-u:\b)"),
        Node::Capture { body, .. } => enclosed(out, "(", body),
        Node::Concat(parts) => {
            for part in parts {
                let opening = if matches!(part, Node::Alternate(_)) { "(?:" } else { "" };
                enclosed(out, opening, part);
            }
        }
        Node::Alternate(branches) => {
            for (place, branch) in branches.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "|" });
                write(out, branch);
            }
        }
        Node::Repeat { body, min, max, greedy } => {
            enclosed(out, "(?:", body);
            write_count(out, *min, *max);
            out.push_str(if *greedy { "" } else { "?" });
        }
    }
}

fn enclosed(out: &mut String, opening: &str, body: &Node) {
    out.push_str(opening);
    write(out, body);
    out.push_str(if opening.is_empty() { "" } else { ")" });
}

fn write_count(out: &mut String, min: u32, max: Option<u32>) {
    let written = match (min, max) {
        (0, None) => out.write_str("*"),
        (1, None) => out.write_str("+"),
        (0, Some(1)) => out.write_str("?"),
        (min, None) => write!(out, "{{{min},}}"),
        (min, Some(max)) => write!(out, "{{{min},{max}}}"),
    };
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

fn write_char(out: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(plain) if plain.is_ascii_alphanumeric() || plain == '/' => out.push(plain),
        Some(_) | None => {
            let written = write!(out, r"\x{{{code:x}}}");
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        }
    }
}

/// A class; the surrogates, which are no characters, are cut out of it.
fn write_set(out: &mut String, set: &CharSet) {
    let halves =
        set.ranges().iter().flat_map(|&(low, high)| [(low, high.min(0xd7ff)), (low.max(0xe000), high)]);
    let ranges: Vec<_> = halves.filter(|(low, high)| low <= high).collect();
    if ranges.is_empty() {
        out.push_str("[a&&b]");
        return;
    }
    out.push('[');
    for (low, high) in ranges {
        write_char(out, low);
        if low < high {
            out.push('-');
            write_char(out, high);
        }
    }
    out.push(']');
}
