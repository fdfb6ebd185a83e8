//! The completion scripts, made from the table of options.

use crate::cli::flags::{self, Completes, FLAGS, Flag, Takes};
use crate::text::put;

/// What the scripts call. It is no option of the table, so that no text offers it.
pub(super) const COMPLETE: &str = "--complete";

/// bash splits words at `=` and `:` too. Of files, readline itself knows best.
const BASH: &str = r#"# bash completion for ably (ably auth revoke-token)
# Names may hold anything but control characters. In quotes those are left out that need more.
_ably_names() {
    local name word
    while IFS= read -r name; do
        printf -v word %q "$name"
        case $cur in
            [\"\']*) [[ $name == "${cur:1}"* && $name != *[\"\'\`\$\\!]* ]] && COMPREPLY+=("$name") ;;
            *) [[ $word == "$cur"* || $name == "$cur"* ]] && COMPREPLY+=("$word") ;;
        esac
    done < <("$1" COMPLETE "$2" 2>/dev/null)
}
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

/// For bash 4.4 or newer, with or without the bash-completion package.
pub fn bash() -> String {
    let mut values = String::new();
    for flag in FLAGS.iter().filter(|flag| flag.takes != Takes::Nothing) {
        let does = match flag.completes {
            Completes::Nothing => "return".into(),
            Completes::File => "compopt -o default; return".into(),
            Completes::Words(words) => ["words='", &words.join(" "), "'"].concat(),
            Completes::Names(names) => ["_ably_names \"$1\" ", names.word(), "; return"].concat(),
        };
        put(&mut values, &["        ", &long_names(flag).join(" | "), ") ", &does, " ;;\n"]);
    }
    let options: Vec<&str> = flags::long_names().collect();
    let script = BASH.replace("COMPLETE", COMPLETE).replace("VALUES", &values);
    script.replace("OPTIONS", &options.join(" "))
}

const ZSH: &str = r#"#compdef ably
# zsh completion for ably (ably auth revoke-token)
_ably_names() {
    local -a names=(${(f)"$(${(Q)words[1]} COMPLETE $argv[-1] 2>/dev/null)"})
    compadd "${(@)argv[1,-2]}" -a names
}
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

/// For a folder of zsh's `fpath`, or to be sourced.
pub fn zsh() -> String {
    let mut options = String::new();
    for flag in FLAGS {
        let short = flag.short.iter().map(|short| format!("-{short}"));
        let names: Vec<String> =
            short.chain(long_names(flag).into_iter().map(String::from)).collect();
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
                Completes::Names(names) => put(&mut options, &["_ably_names ", names.word()]),
            }
            options.push_str("'\n");
        }
    }
    ZSH.replace("COMPLETE", COMPLETE).replace("OPTIONS", &options)
}

const FISH_HEAD: &str = "# fish completion for ably (ably auth revoke-token)
function __ably_names
    set -l ably (commandline -opc)[1]
    type -q -- $ably; and command $ably COMPLETE $argv 2>/dev/null
end
complete -c ably -f
complete -c ably -n 'not __fish_seen_subcommand_from auth auth:revoke-token help version' -a 'auth auth:revoke-token help version'
complete -c ably -n '__fish_seen_subcommand_from auth; and not __fish_seen_subcommand_from revoke-token' -a revoke-token
complete -c ably -n '__fish_seen_subcommand_from help; and not __fish_seen_subcommand_from auth' -a auth
";

/// For fish.
pub fn fish() -> String {
    let mut out = FISH_HEAD.replace("COMPLETE", COMPLETE);
    for flag in FLAGS {
        out.push_str("complete -c ably");
        for short in flag.short {
            put(&mut out, &[" -s ", short.encode_utf8(&mut [0; 4])]);
        }
        for name in std::iter::once(flag.long).chain(flag.alias) {
            put(&mut out, &[" -l ", name.trim_start_matches('-')]);
        }
        match flag.completes {
            Completes::Nothing if flag.takes == Takes::Nothing => {}
            Completes::Nothing => out.push_str(" -x"),
            Completes::File => out.push_str(" -r -F"),
            Completes::Words(words) => put(&mut out, &[" -x -a '", &words.join(" "), "'"]),
            Completes::Names(names) => {
                put(&mut out, &[" -x -a '(__ably_names ", names.word(), ")'"]);
            }
        }
        let summary = quoted(summary(flag), "\\", "\\'");
        put(&mut out, &[" -d '", &summary, "'\n"]);
    }
    out
}

/// Its long names, as typed.
fn long_names(flag: &Flag) -> Vec<&'static str> {
    std::iter::once(flag.long).chain(flag.alias).collect()
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
