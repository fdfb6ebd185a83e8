//! The help text, made from the table of options.

use std::fmt::Write;

use crate::flags::{FLAGS, Group};

/// `ably-revoke-token 0.1.0 (x86_64-unknown-linux-musl)`.
pub fn version() -> String {
    format!(
        "{} {} ({})",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        target()
    )
}

/// The target triple of this build. Only Linux is shipped, so the libc is all that varies.
fn target() -> String {
    let libc = if cfg!(target_env = "musl") {
        "musl"
    } else {
        "gnu"
    };
    format!("{}-unknown-linux-{libc}", std::env::consts::ARCH)
}

const WIDTH: usize = 80;
const INDENT: usize = 6;

/// The whole help text, with a line end at its end.
pub fn text() -> String {
    let mut out = String::from(
        "Revoke Ably tokens by client ID or revocation key.\n\
         \n\
         Usage: ably auth revoke-token [options]\n",
    );
    for group in Group::ALL {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n{}:\n", group.title());
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            let _ = writeln!(out, "  {}", flag.usage());
            let env = flag
                .env
                .map(|name| format!(" [{name}]"))
                .unwrap_or_default();
            wrap(&mut out, &format!("{}{env}", flag.help));
        }
    }
    out.push_str(EXAMPLES);
    out
}

const EXAMPLES: &str = "
Examples:
  ably auth revoke-token --client-id \"userClientId\"
  ably auth revoke-token --client-id \"userClientId\" --force
  ably auth revoke-token --revocation-key group1
  ably auth revoke-token --client-id \"userClientId\" --allow-reauth-margin
  ably auth revoke-token --client-id \"userClientId\" --json --force

Exit codes:
  0  every target revoked; or help, version, a dry run
  1  no target revoked, and that is certain
  2  a usage, file, configuration or credential problem here; nothing was sent
  3  some targets revoked, others not
  4  not confirmed; nothing was sent
  5  no target revoked for certain, some unknown; running it again is safe
";

fn wrap(out: &mut String, text: &str) {
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.extend(std::iter::repeat_n(' ', INDENT));
            column = INDENT;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_listed_within_the_width() {
        let help = text();
        for flag in FLAGS {
            assert!(help.contains(&flag.usage()), "{}", flag.long);
        }
        assert!(
            help.lines().all(|line| line.chars().count() <= WIDTH),
            "{help}"
        );
    }
}
