//! The man page and the completion scripts, made from the table of options: nothing generated is
//! committed, so none of it can drift. What the tables do not hold stands here as plain text.

use crate::cli::flags::{Completes, FLAGS, Flag, Group, Takes};
use crate::cli::help::{self, ENVIRONMENT, EXIT_CODES, FILES};

/// What `--generate` can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A man page for section 1, in man(7).
    Man,
    /// A completion script for bash 4.4 or newer, with or without the bash-completion package.
    Bash,
    /// A completion function for a folder of zsh's `fpath`, or to be sourced.
    Zsh,
    /// A completion script for fish.
    Fish,
}

impl Page {
    /// The page that `--generate` calls by this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "man" => Self::Man,
            "bash" => Self::Bash,
            "zsh" => Self::Zsh,
            "fish" => Self::Fish,
            _ => return None,
        })
    }
}

/// The whole text of a page. It depends on nothing but this build.
pub fn page(page: Page) -> String {
    match page {
        Page::Man => man(),
        Page::Bash => bash(),
        Page::Zsh => zsh(),
        Page::Fish => fish(),
    }
}

/// Of the man page: the day of the last release, which the changelog heads `## VERSION - DAY`. The
/// build must not depend on the clock, and the text of the changelog stays out of the binary.
const DATE: &str = last_release(include_bytes!("../CHANGELOG.md"));

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

const MAN_TAIL: &str = r#".SH EXAMPLES
Revoke all tokens of a client, after a question:
.EX
    ably auth revoke\-token \-\-client\-id alice
.EE
.PP
The same from a script, with the key in a file and the answer as JSON:
.EX
    ably auth revoke\-token \-\-client\-id alice \e
        \-\-api\-key\-file /run/secrets/ably\-key \-\-force \-\-json
.EE
.SH SEE ALSO
https://ably.com/docs/auth/revocation
"#;

fn man() -> String {
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
        let meaning = ["used where --", flag.long, " is not given"].concat();
        entry(&mut out, variable, &meaning);
    }
    let tables = [("", ENVIRONMENT), (".SH FILES\n", FILES), (".SH EXIT STATUS\n", EXIT_CODES)];
    for (heading, rows) in tables {
        out.push_str(heading);
        rows.iter().for_each(|(term, meaning)| entry(&mut out, term, meaning));
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

/// bash splits words at `=` and `:` too. Of files, readline itself knows best.
const BASH: &str = r#"# bash completion for ably (ably auth revoke-token)
_ably() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local i typed='' words=''
    COMPREPLY=()
    case $cur/$prev in
        [=:]/*) cur='' ;;
        */=) prev=${COMP_WORDS[COMP_CWORD-2]} ;;
    esac
    case $prev in
VALUES    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            auth | revoke-token | help | version) typed+=" ${COMP_WORDS[i]}" ;;
        esac
    done
    case $words/$cur/$typed in
        /-* | //*revoke-token) words='OPTIONS' ;;
        /*/) words='auth auth:revoke-token help version' ;;
        /*auth) words=revoke-token ;;
        /*help) words=auth ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _ably ably
"#;

fn bash() -> String {
    let mut values = String::new();
    for flag in FLAGS.iter().filter(|flag| flag.takes != Takes::Nothing) {
        let does = match flag.completes {
            Completes::Nothing => "return".into(),
            Completes::File => "compopt -o default; return".into(),
            Completes::Words(words) => ["words='", &words.join(" "), "'"].concat(),
        };
        put(&mut values, &["        ", &long_names(flag).join(" | "), ") ", &does, " ;;\n"]);
    }
    let options: Vec<String> = FLAGS.iter().flat_map(long_names).collect();
    BASH.replace("VALUES", &values).replace("OPTIONS", &options.join(" "))
}

const ZSH: &str = r#"#compdef ably
# zsh completion for ably (ably auth revoke-token)
_ably() {
    local curcontext=$curcontext state
    local -a line options=(
OPTIONS    )
    _arguments -s -S $options '1: :(auth auth\:revoke-token help version)' '*: :->word' && return
    case $state/${(j. .)line[1,-2]} in
        word/auth | word/'help auth') compadd revoke-token ;;
        word/help) compadd auth ;;
        *) return 1 ;;
    esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _ably "$@"
else
    compdef _ably ably
fi
"#;

fn zsh() -> String {
    let mut options = String::new();
    for flag in FLAGS {
        let short = flag.short.iter().map(|short| format!("-{short}"));
        let names: Vec<String> = short.chain(long_names(flag)).collect();
        for name in &names {
            options.push_str("        '");
            if matches!(flag.takes, Takes::Many(_)) {
                options.push('*');
            } else if names.len() > 1 {
                // One of its names given, none is offered again.
                put(&mut options, &["(", &names.join(" "), ")"]);
            }
            let summary = quoted(summary(flag), "[]:\\", "'\\''");
            options.push_str(name);
            match flag.placeholder() {
                None => put(&mut options, &["[", &summary, "]"]),
                Some(placeholder) => {
                    let placeholder = quoted(placeholder, "[]:\\", "");
                    put(&mut options, &["=[", &summary, "]:", &placeholder, ":"]);
                }
            }
            match flag.completes {
                Completes::Nothing if flag.takes == Takes::Nothing => {}
                Completes::Nothing => options.push(' '),
                Completes::File => options.push_str("_files"),
                Completes::Words(words) => put(&mut options, &["(", &words.join(" "), ")"]),
            }
            options.push_str("'\n");
        }
    }
    ZSH.replace("OPTIONS", &options)
}

const FISH_HEAD: &str = "# fish completion for ably (ably auth revoke-token)
complete -c ably -f
complete -c ably -n 'not __fish_seen_subcommand_from auth auth:revoke-token help version' -a 'auth auth:revoke-token help version'
complete -c ably -n '__fish_seen_subcommand_from auth; and not __fish_seen_subcommand_from revoke-token' -a revoke-token
complete -c ably -n '__fish_seen_subcommand_from help; and not __fish_seen_subcommand_from auth' -a auth
";

fn fish() -> String {
    let mut out = String::from(FISH_HEAD);
    for flag in FLAGS {
        out.push_str("complete -c ably");
        for short in flag.short {
            put(&mut out, &[" -s ", short.encode_utf8(&mut [0; 4])]);
        }
        for name in std::iter::once(flag.long).chain(flag.alias) {
            put(&mut out, &[" -l ", name]);
        }
        match flag.completes {
            Completes::Nothing if flag.takes == Takes::Nothing => {}
            Completes::Nothing => out.push_str(" -x"),
            Completes::File => out.push_str(" -r -F"),
            Completes::Words(words) => put(&mut out, &[" -x -a '", &words.join(" "), "'"]),
        }
        let summary = quoted(summary(flag), "\\", "\\'");
        put(&mut out, &[" -d '", &summary, "'\n"]);
    }
    out
}

/// `write!` without its machinery.
fn put(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
}

/// Its long names, as typed.
fn long_names(flag: &Flag) -> Vec<String> {
    let names = std::iter::once(flag.long).chain(flag.alias);
    names.map(|name| ["--", name].concat()).collect()
}

/// The first sentence of its help, without the full stop.
fn summary(flag: &Flag) -> &'static str {
    let first = flag.help.split(". ").next().unwrap_or_default();
    first.trim_end_matches('.')
}

/// Text for the inside of single quotes: a backslash before each of `special`, `quote` for `'`.
fn quoted(text: &str, special: &str, quote: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\'' => out.push_str(quote),
            _ if special.contains(c) => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}
