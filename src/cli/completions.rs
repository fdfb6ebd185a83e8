//! Completion. The scripts of the shells hold nothing of the table: they hand over the words up to the
//! cursor, and `complete` says what may stand there, a line each, a tab and its meaning behind it. A
//! shell picks what begins as its last word does, and quotes it.

use std::ffi::OsString;

use crate::cli::flags::{self, FLAGS, Names, Value};

/// What the scripts call. It is no option of the table, so that no text offers it.
pub(super) const COMPLETE: &str = "--complete";
/// In place of all words: files, of which the shells know best.
const FILES: &str = ":files\n";

/// For bash 4.4 or newer, with or without the bash-completion package. It parts words at `=` and `:`.
/// In quotes it offers no name that would need more than quotes.
pub(super) const BASH: &str = r#"# bash completion for ably (ably auth revoke-token)
_ably() {
    local word quoted='' cur=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        printf -v quoted %q "$word"
        case $cur in
            [\"\']*) [[ $word == "${cur:1}"* && $word != *[\"\'\`\$\\!]* ]] && COMPREPLY+=("$word") ;;
            [=:]) COMPREPLY+=("$quoted") ;;
            *) [[ $quoted == "$cur"* || $word == "$cur"* ]] && COMPREPLY+=("$quoted") ;;
        esac
    done < <("$1" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    [[ $quoted != :files ]] || { COMPREPLY=(); compopt -o default; }
}
complete -F _ably ably
"#;

/// For a folder of zsh's `fpath`, or to be sourced.
pub(super) const ZSH: &str = r#"#compdef ably
# zsh completion for ably (ably auth revoke-token)
_ably() {
    local -a typed=("${(@Q)words[2,CURRENT-1]}" "$PREFIX") offered
    offered=(${(f)"$(${(Q)words[1]} --complete "${(@)typed}" 2>/dev/null)"})
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    case $offered in
        :files) _files ;;
        *$'\t'*) offered=("${(@)offered/$'\t'/:}"); _describe -o option offered ;;
        *) compadd -a offered ;;
    esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _ably "$@"; else compdef _ably ably; fi
"#;

/// For fish, which takes `--option=value` for one word.
pub(super) const FISH: &str = r#"# fish completion for ably (ably auth revoke-token)
function __ably_offered
    set -l words (commandline -opc) (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' "$words[-1]")
    type -q -- $words[1]
    and command $words[1] --complete $words[2..] 2>/dev/null | string replace -r -- '^' "$option"
end
complete -c ably -f -a '(__ably_offered | string match -v "*:files")'
complete -c ably -F -n '__ably_offered | string match -q "*:files"'
"#;

/// What may stand in place of the last of these words; `list` knows names of apps and keys.
pub fn complete(words: &[OsString], list: impl Fn(Names) -> String) -> String {
    let words = joined(words);
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, rest)| (last, rest));
    let option = match last.split_once('=') {
        Some((option, _)) => Some(option),
        None => before.last().map(String::as_str),
    };
    match option.and_then(flags::by_long).map_or(Value::Nothing, |flag| flag.value) {
        Value::Name(_, names) => list(names),
        Value::File(_) => FILES.to_owned(),
        Value::Words(words) => lines(words),
        Value::Text(_) => String::new(),
        Value::Nothing if last.starts_with('-') => options(before),
        Value::Nothing => match before.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => lines(&["auth", "auth:revoke-token", "help", "version"]),
            ["auth"] | ["help", "auth"] => lines(&["revoke-token"]),
            ["help"] => lines(&["auth"]),
            ["auth", "revoke-token", ..] | ["auth:revoke-token", ..] => options(before),
            _ => String::new(),
        },
    }
}

/// The words with what bash has parted in one piece.
fn joined(words: &[OsString]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    let mut goes_on = false;
    for word in words.iter().map(|word| word.to_string_lossy()) {
        let parts = matches!(&*word, "=" | ":");
        match whole.last_mut() {
            Some(last) if parts || goes_on => last.push_str(&word),
            _ => whole.push(word.into_owned()),
        }
        goes_on = parts;
    }
    whole
}

/// The options that may still be given, with the first sentence of their help.
fn options(typed: &[String]) -> String {
    let given = |long: &str| typed.iter().any(|word| word.split('=').next() == Some(long));
    let left = FLAGS.iter().filter(|flag| flag.repeats || !flag.long_names().any(given));
    let names = left.flat_map(|flag| flag.long_names().map(move |long| (long, flag.help)));
    names
        .map(|(long, help)| {
            let meaning = help.split(". ").next().unwrap_or_default().trim_end_matches('.');
            format!("{long}\t{meaning}\n")
        })
        .collect()
}

fn lines(words: &[&str]) -> String {
    words.join("\n") + "\n"
}
