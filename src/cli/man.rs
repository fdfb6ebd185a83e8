//! The man page: `man.roff`, with what the table of options and the exit codes say in its places `@…@`.

use crate::cli::flags::FLAGS;
use crate::cli::help::{self, COMMAND, ENVIRONMENT, EXAMPLES, EXIT_CODES, FILES};
use crate::cli::version::RELEASED;

/// The whole page, in man(7).
pub(super) fn page() -> String {
    let variables = FLAGS.iter().filter_map(|flag| Some((flag, flag.env?)));
    let variables =
        variables.map(|(flag, name)| entry(name, &format!("used if {} is not given", flag.long)));
    let places = [
        ("@DAY@", RELEASED.to_owned()),
        ("@SOURCE@", roff(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")))),
        ("@OPTIONS@\n", options()),
        ("@ENVIRONMENT@\n", variables.collect::<String>() + &entries(ENVIRONMENT)),
        ("@FILES@\n", entries(FILES)),
        ("@EXIT@\n", entries(EXIT_CODES)),
        ("@EXAMPLES@\n", examples()),
    ];
    let page = include_str!("man.roff").to_owned();
    places.iter().fold(page, |page, (place, text)| page.replacen(place, text, 1))
}

fn options() -> String {
    let mut out = String::new();
    for group in FLAGS.chunk_by(|a, b| a.group == b.group) {
        let title = group.first().map_or("", |flag| flag.group);
        out.push_str(&format!(".SS \"{title}\"\n"));
        out.extend(group.iter().map(|flag| entry(&flag.usage(), flag.help)));
    }
    out
}

fn examples() -> String {
    let example = |(what, options): &(&str, &str)| {
        let command = roff(&format!("{COMMAND} {options}"));
        format!(".PP\n{}:\n.EX\n    {command}\n.EE\n", roff(what))
    };
    EXAMPLES.iter().map(example).collect()
}

fn entries(rows: &[(&str, &str)]) -> String {
    rows.iter().map(|(term, meaning)| entry(term, meaning)).collect()
}

/// A term in bold, and indented below it what it means.
fn entry(term: &str, meaning: &str) -> String {
    format!(".TP\n.B \"{}\"\n{}", roff(term), help::wrap(&roff(meaning), 0))
}

/// Text for a man page: hyphens that can be copied, nothing at a line's start that is a request.
fn roff(text: &str) -> String {
    let mut out = String::new();
    let mut last = ' ';
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '.' | '\'' if last == ' ' => out.extend(['\\', '&', c]),
            _ => out.push(c),
        }
        last = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::remedy;

    #[test]
    fn every_code_of_the_page_has_a_remedy() {
        let page = page();
        let (_, codes) = page.split_once(".SH ERROR CODES OF ABLY\n").unwrap();
        let codes = codes.split(".SH ").next().unwrap().lines();
        let codes = codes.filter_map(|line| line.strip_prefix(".B "));
        let codes: Vec<i64> = codes
            .flat_map(|line| line.trim_matches('"').split(", "))
            .filter_map(|code| code.parse().ok())
            .collect();
        assert!(codes.len() > 15 && codes[0] == 40164, "{codes:?}");
        assert!(codes.iter().all(|code| !remedy::of(Some(*code)).is_empty()), "{codes:?}");
    }
}
