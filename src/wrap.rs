//! Lines of a limited width: broken between words, never inside a name or a time.

/// A space at which no line is broken, as inside a name. Text from outside cannot hold it: it is
/// a control character, and those are escaped.
pub const UNBROKEN_SPACE: char = '\u{1f}';

/// A name that is kept in one piece.
pub fn unbroken(name: &str) -> String {
    name.replace(' ', UNBROKEN_SPACE.encode_utf8(&mut [0; 4]))
}

/// Breaks lines that are wider than `columns`. What goes on is indented by two, or as deep as its
/// line began. A word wider than all columns stays whole.
pub fn wrapped(text: &str, columns: Option<usize>) -> String {
    let mut all = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match columns.filter(|columns| width(line) > *columns) {
            Some(columns) => {
                let own = line.len() - line.trim_start_matches(' ').len();
                broken(&mut all, line, columns, if own == 0 { 2 } else { own });
            }
            None => all.push_str(line),
        }
    }
    all.replace(UNBROKEN_SPACE, " ")
}

/// Adds a line broken at so many columns; what goes on has this indent.
pub fn broken(all: &mut String, line: &str, columns: usize, indent: usize) {
    let words = line.trim_start_matches(' ');
    let own = line.len() - words.len();
    all.extend(std::iter::repeat_n(' ', own));
    let (mut at, mut first) = (own, true);
    for word in words.split(' ') {
        let wide = width(word);
        if first {
            first = false;
        } else if at + 1 + wide > columns && wide > 0 {
            all.push('\n');
            all.extend(std::iter::repeat_n(' ', indent));
            at = indent;
        } else {
            all.push(' ');
            at += 1;
        }
        all.push_str(word);
        at += wide;
    }
}

/// The columns that a text takes: none for escape sequences, two for wide characters.
pub fn width(text: &str) -> usize {
    let (mut columns, mut in_escape) = (0, false);
    for c in text.chars() {
        match c {
            '\x1b' => in_escape = true,
            _ if in_escape => in_escape = !c.is_ascii_alphabetic(),
            UNBROKEN_SPACE => columns += 1,
            _ if c.is_control() => {}
            _ => columns += columns_of(c),
        }
    }
    columns
}

/// By the blocks of Unicode: combining marks take no column, East Asian scripts and emoji two.
fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_indented() {
        let name = unbroken("My App");
        for (text, columns, shown) in [
            ("one two three\n", None, "one two three\n"),
            ("one two three\n", Some(13), "one two three\n"),
            ("one two three\n", Some(12), "one two\n  three\n"),
            ("    one two three\n", Some(11), "    one two\n    three\n"),
            ("\x1b[31mone\x1b[0m two\nthree", Some(7), "\x1b[31mone\x1b[0m two\nthree"),
            ("日本 語\n", Some(6), "日本\n  語\n"),
            ("Revoke? [y/N] ", Some(10), "Revoke?\n  [y/N] "),
            ("a-word-too-wide x", Some(5), "a-word-too-wide\n  x"),
            (&format!("app {name}\n"), Some(9), "app\n  My App\n"),
        ] {
            assert_eq!(wrapped(text, columns), shown, "{text:?} in {columns:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_wider_and_no_word_is_lost(text in "( {0,3}([a-z語]{1,6} ){0,9}\n){0,4}", columns in 16_usize..60) {
            let shown = wrapped(&text, Some(columns));
            prop_assert!(shown.lines().all(|line| width(line.trim_end()) <= columns));
            prop_assert!(shown.split_whitespace().eq(text.split_whitespace()));
        }
    }
}
