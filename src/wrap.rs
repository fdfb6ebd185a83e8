//! Lines of a limited width: broken between words, never inside a name or a time.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// A space at which no line is broken, as inside a name. It is no character of any script, and
/// `Safe` lets none like it through.
const UNBROKEN_SPACE: char = '\u{fdd0}';

/// A name that is kept in one piece.
pub(crate) fn unbroken(name: &str) -> String {
    name.replace(' ', UNBROKEN_SPACE.encode_utf8(&mut [0; 4]))
}

/// Breaks lines that are wider than `columns`. What goes on is indented by two, or as deep as its
/// line began. A word wider than all columns stays whole.
pub(crate) fn wrapped(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.replace(UNBROKEN_SPACE, " ") };
    let line = |line: &str| {
        let own = line.len() - line.trim_start_matches(' ').len();
        broken(line, columns, if own == 0 { 2 } else { own })
    };
    text.split_inclusive('\n').map(line).collect::<String>().replace(UNBROKEN_SPACE, " ")
}

/// Breaks a line at so many columns; what goes on has this indent.
pub(crate) fn broken(line: &str, columns: usize, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let options = Options::new(columns)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    // A question ends with a space, which has its use.
    let (words, end) = line.split_at(line.trim_end_matches([' ', '\n']).len());
    textwrap::fill(words, options) + end
}

/// The columns that a text takes: none for escape sequences, two for wide characters.
pub(crate) use textwrap::core::display_width as width;

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
