//! The man page, made from the table of options. What the table does not hold stands here as plain
//! text.

use crate::cli::flags::FLAGS;
use crate::cli::help::{self, COMMAND, ENVIRONMENT, EXAMPLES, FILES};

/// The day of the last release, `YYYY-MM-DD`. A test holds it to the changelog: the build must not
/// depend on the clock.
const RELEASED: &str = "unreleased";

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

/// The whole page, in man(7).
pub(super) fn page() -> String {
    let source = roff(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")));
    let mut out = format!(".TH ABLY\\-AUTH\\-REVOKE\\-TOKEN 1 {RELEASED} \"{source}\"\n{MAN_HEAD}");
    for group in FLAGS.chunk_by(|a, b| a.group == b.group) {
        let title = group.first().map_or("", |flag| flag.group);
        out.push_str(&format!(".SS \"{title}\"\n"));
        for flag in group {
            out.push_str(&entry(&flag.usage(), flag.help));
        }
    }
    out.push_str(".SH ENVIRONMENT\nA variable that is set but empty counts as unset.\n");
    for (flag, variable) in FLAGS.iter().filter_map(|flag| Some((flag, flag.env?))) {
        out.push_str(&entry(variable, &format!("used where {} is not given", flag.long)));
    }
    out.extend(ENVIRONMENT.iter().map(|(variable, meaning)| entry(variable, meaning)));
    out.push_str(".SH FILES\n");
    out.extend(FILES.iter().map(|(file, meaning)| entry(file, meaning)));
    out.push_str(".SH EXIT STATUS\n");
    out.extend(help::exit_codes().iter().map(|(code, meaning)| entry(code, meaning)));
    out.push_str(MAN_FORMATS);
    out.push_str(".SH EXAMPLES\nWhat one would do, and the command for it:\n");
    for (what, options) in EXAMPLES {
        let command = roff(&format!("{COMMAND} {options}"));
        out.push_str(&format!(".PP\n{}:\n.EX\n    {command}\n.EE\n", roff(what)));
    }
    out + ".SH SEE ALSO\nhttps://ably.com/docs/auth/revocation\n"
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
