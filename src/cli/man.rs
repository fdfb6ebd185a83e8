//! The man page, made from the table of options. What the table does not hold stands here as plain
//! text.

use crate::cli::flags::{FLAGS, Group};
use crate::cli::help::{self, COMMAND, ENVIRONMENT, EXAMPLES, FILES};
use crate::text::put;

/// The day of the last release, which the changelog heads `## VERSION - DAY`. The build must not
/// depend on the clock, and the text of the changelog stays out of the binary.
const DATE: &str = last_release(include_bytes!("../../CHANGELOG.md"));

const fn last_release(mut changelog: &[u8]) -> &str {
    while let [_, rest @ ..] = changelog {
        if let [b' ', b'-', b' ', after @ ..] = changelog
            && let Some((day @ [b'2', ..], [b'\n', ..])) = after.split_first_chunk::<10>()
            && let Ok(day) = str::from_utf8(day)
        {
            return day;
        }
        changelog = rest;
    }
    "unreleased"
}

const MAN_HEAD: &str = r#".SH NAME
ably\-auth\-revoke\-token \- revoke Ably tokens by client ID or revocation key
.SH SYNOPSIS
.B ably auth revoke\-token
.RI [ options ]
.br
.B ably \-\-generate
.BR man | bash | zsh | fish
.SH DESCRIPTION
Asks Ably to revoke all tokens of one or more targets: client IDs, revocation
keys or channels.
It tells what will be revoked, in which app and with which key, and asks before
it sends anything.
A target counts as revoked only where Ably confirmed that very target.
.PP
Values are given as \fB\-\-option\fR \fIvalue\fR or \fB\-\-option=\fIvalue\fR.
The command may be written \fBably auth:revoke\-token\fR as well.
.SH OPTIONS
"#;

const MAN_FORMATS: &str = r#".SH TARGETS FILE
UTF\-8, LF or CRLF, one target specifier a line:
.BR clientId:\fIID ,
.BR revocationKey:\fIKEY\fR " or"
.BR channel:\fINAME .
Blank lines and lines that start with # are skipped, nothing else is trimmed.
The file of \fB\-\-unrevoked\-to\fR has the same form, with the reason above
each target.
.SH JSON
One object a line on standard output, each with \fBtype\fR and \fBcommand\fR:
.BR result ,
one a request that got results, with Ably's answer in \fBrevocation.response\fR;
.BR error ,
with \fBerror.message\fR, \fBcode\fR, \fBhint\fR, and \fBoutcome\fR
(refused, not\-sent or unknown) and \fBtargets\fR where some were struck;
.B status
with \fBexitCode\fR, at the end of every run.
"#;

const MAN_TAIL: &str = ".SH SEE ALSO\nhttps://ably.com/docs/auth/revocation\n";

/// The whole page, in man(7).
pub fn page() -> String {
    let mut out = String::new();
    let title = ".TH ABLY\\-AUTH\\-REVOKE\\-TOKEN 1 ";
    let source = [env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")].concat();
    put(&mut out, &[title, DATE, " \"", &roff(&source), "\"\n"]);
    out.push_str(MAN_HEAD);
    for group in Group::ALL {
        put(&mut out, &[".SS \"", group.title(), "\"\n"]);
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            entry(&mut out, &flag.usage(), flag.help);
        }
    }
    out.push_str(".SH ENVIRONMENT\nA variable that is set but empty counts as unset.\n");
    for (flag, variable) in FLAGS.iter().filter_map(|flag| Some((flag, flag.env?))) {
        let meaning = ["used where ", flag.long, " is not given"].concat();
        entry(&mut out, variable, &meaning);
    }
    ENVIRONMENT.iter().for_each(|(term, meaning)| entry(&mut out, term, meaning));
    out.push_str(".SH FILES\n");
    FILES.iter().for_each(|(term, meaning)| entry(&mut out, term, meaning));
    out.push_str(".SH EXIT STATUS\n");
    help::exit_codes().iter().for_each(|(code, meaning)| entry(&mut out, code, meaning));
    out.push_str(MAN_FORMATS);
    out.push_str(".SH EXAMPLES\nWhat one would do, and the command for it:\n");
    for (what, options) in EXAMPLES {
        let command = [COMMAND, options].concat();
        put(&mut out, &[".PP\n", &roff(what), ":\n.EX\n    ", &roff(&command), "\n.EE\n"]);
    }
    out.push_str(MAN_TAIL);
    out
}

/// A term in bold, and indented below it what it means.
fn entry(out: &mut String, term: &str, meaning: &str) {
    put(out, &[".TP\n.B \"", &roff(term), "\"\n"]);
    help::wrap(out, &roff(meaning), 0);
}

/// Text for a man page: hyphens that can be copied, nothing at a line's start that is a request.
fn roff(text: &str) -> String {
    let mut out = String::new();
    let mut last = ' ';
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '.' | '\'' if last == ' ' => put(&mut out, &["\\&", c.encode_utf8(&mut [0; 4])]),
            _ => out.push(c),
        }
        last = c;
    }
    out
}
