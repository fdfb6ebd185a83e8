//! What was typed. `parse` takes the arguments and returns a value: it prints nothing, exits
//! nowhere and reads neither environment nor files. What the arguments mean is up to the room `request`.
//!
//! A key is easily typed in the wrong place, so no message holds what was typed: of an unknown option
//! it shows what has the form of an option's name, of anything else nothing.

use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::Path;

use lexopt::Arg;
use strsim::osa_distance;

use crate::cli::flags::{self, Flag, Id, Value};
use crate::cli::{completions, help, man, version};
use crate::error::Problem;

/// The longest name of an option that is repeated, and the longest word in it, in characters.
const NAME: usize = 24;
const NAME_WORD: usize = 12;
/// How long a name is, the beginning of one included, in characters: a secret in its place costs no
/// time.
const LENGTHS: RangeInclusive<usize> = 3..=32;
const HELP: &str = "see ably auth revoke-token --help";
/// What is typed as a command, rightly or not.
const COMMANDS: [&str; 6] =
    ["auth revoke-token", "auth:revoke-token", "auth revoke", "revoke-token", "version", "help"];

/// What the operator asks this program to do.
#[derive(Debug)]
pub enum Command {
    /// Print a text: help, the version, a man page, a completion script.
    Print(String),
    /// Offer a shell what may stand in place of the last of these words.
    Complete(Vec<OsString>),
    /// `auth revoke-token` with its options.
    Revoke(Args),
}

/// The options as typed, checked against the table: known names, values where they belong,
/// single-valued options once.
#[derive(Debug, Default)]
pub struct Args(Vec<(Id, OsString)>);

impl Args {
    pub(crate) fn has(&self, id: Id) -> bool {
        self.0.iter().any(|(given, _)| *given == id)
    }

    /// The values of an option, in the order typed.
    pub fn all(&self, id: Id) -> impl Iterator<Item = &OsStr> {
        self.0.iter().filter(move |(given, _)| *given == id).map(|(_, value)| value.as_os_str())
    }

    /// The value of a single-valued option as text that is not empty.
    pub(crate) fn text(&self, id: Id) -> Result<Option<&str>, Problem> {
        let text = self.all_text(id).next().transpose()?;
        if text.is_some_and(str::is_empty) { Err(empty(id)) } else { Ok(text) }
    }

    /// The values of an option as text.
    pub(crate) fn all_text(&self, id: Id) -> impl Iterator<Item = Result<&str, Problem>> {
        let not_utf8 = move || usage(format!("the value of {} is not UTF-8", flags::long(id)));
        self.all(id).map(move |value| value.to_str().ok_or_else(not_utf8))
    }

    /// The value of a single-valued option as a path that is not empty.
    pub(crate) fn path(&self, id: Id) -> Result<Option<&Path>, Problem> {
        let path = self.all(id).next();
        if path.is_some_and(OsStr::is_empty) { Err(empty(id)) } else { Ok(path.map(Path::new)) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &OsStr)> {
        self.0.iter().map(|(id, value)| (*id, value.as_os_str()))
    }
}

/// Reads the arguments that follow the program's name. No error holds a value that was typed.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Problem> {
    let args: Vec<OsString> = args.into_iter().collect();
    if let [first, words @ ..] = args.as_slice()
        && first == completions::COMPLETE
    {
        return Ok(Command::Complete(words.to_vec()));
    }
    let mut parser = lexopt::Parser::from_args(args);
    let mut words = Vec::new();
    let mut typed = Args::default();
    while let Some(arg) = parser.next().map_err(wording)? {
        let flag = match arg {
            Arg::Value(word) => {
                words.push(word.into_string().unwrap_or_default());
                continue;
            }
            Arg::Long(name) => {
                let option = format!("--{name}");
                flags::by_long(&option).ok_or_else(|| unknown(&option, name))?
            }
            // What follows may be the rest of a long name with a dash too few.
            Arg::Short(name) => flags::by_short(name).ok_or_else(|| {
                let rest = parser.optional_value().unwrap_or_default();
                unknown(&format!("-{name}"), &format!("{name}{}", rest.display()))
            })?,
        };
        if flag.value != Value::Nothing && !flag.repeats && typed.has(flag.id) {
            return Err(usage(format!("{} is given twice", flag.long)));
        }
        typed.0.push((flag.id, value_of(flag, &mut parser)?));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    command(&words, typed)
}

/// Whether JSON was asked for, and if so whether indented, judged by the bare arguments: a usage
/// error is told in JSON even where the arguments cannot be parsed.
pub fn wants_json(args: &[OsString]) -> Option<bool> {
    let options = args.iter().take_while(|arg| *arg != "--");
    layout(|id| options.clone().any(|arg| arg == flags::long(id)))
}

fn layout(given: impl Fn(Id) -> bool) -> Option<bool> {
    if given(Id::Json) { Some(false) } else { given(Id::PrettyJson).then_some(true) }
}

/// The value that belongs to a flag. An option's name in its place is a forgotten value, not a
/// client ID: `--client-id --force` must revoke nothing.
fn value_of(flag: &Flag, parser: &mut lexopt::Parser) -> Result<OsString, Problem> {
    if flag.value == Value::Nothing {
        return Ok(OsString::new());
    }
    if let Some(value) = parser.optional_value() {
        return Ok(value);
    }
    let long = flag.long;
    match parser.try_raw_args().and_then(|mut raw| raw.next()) {
        None => Err(usage(format!("{long} needs a value"))),
        Some(next) if is_option(&next) => Err(Problem::new(
            format!("{long} needs a value, and the next argument is an option"),
            format!("if that is the value, write {long}=VALUE"),
        )),
        Some(next) => Ok(next),
    }
}

/// Whether an argument looks like options, known or mistyped, or ends them. A value that does is
/// written after an equals sign.
fn is_option(arg: &OsStr) -> bool {
    let text = arg.to_str().unwrap_or_default();
    let short = text.strip_prefix('-').unwrap_or_default();
    text.starts_with("--")
        || !short.is_empty() && short.chars().all(|c| flags::by_short(c).is_some())
}

fn command(words: &[&str], typed: Args) -> Result<Command, Problem> {
    if typed.has(Id::Help) {
        return Ok(Command::Print(help::text()));
    }
    if typed.has(Id::Version) || words == ["version"] {
        return Ok(Command::Print(version::text(layout(|id| typed.has(id)))));
    }
    if let Some(name) = typed.text(Id::Generate)? {
        return Ok(Command::Print(match name {
            "man" => man::page(),
            "bash" => completions::BASH.to_owned(),
            "zsh" => completions::ZSH.to_owned(),
            "fish" => completions::FISH.to_owned(),
            _ => return Err(usage("--generate must be man, bash, zsh or fish".into())),
        }));
    }
    match words {
        ["auth", "revoke-token"] | ["auth:revoke-token"] => Ok(Command::Revoke(typed)),
        ["auth", "revoke-token", ..] | ["auth:revoke-token", ..] => Err(Problem::new(
            "unexpected argument after the command",
            "every value belongs to an option, such as --client-id ID; quote a value that holds a space",
        )),
        [] | ["auth"] if !typed.0.is_empty() => Err(Problem::new(
            "the command is missing",
            "write ably auth revoke-token before the options",
        )),
        []
        | ["auth"]
        | ["help"]
        | ["help", "auth" | "auth:revoke-token"]
        | ["help", "auth", "revoke-token"] => Ok(Command::Print(help::text())),
        [first, rest @ ..] => {
            let typed =
                rest.first().map_or_else(|| (*first).to_owned(), |it| format!("{first} {it}"));
            let remedy = match nearest(&typed, COMMANDS.into_iter()) {
                Some("auth revoke" | "revoke-token") => {
                    "did you mean ably auth revoke-token?".into()
                }
                Some(meant) => format!("did you mean ably {meant}?"),
                None => "for any other command use the full Ably CLI".to_owned(),
            };
            let what = "unknown command: this program has auth revoke-token alone";
            Err(Problem::new(what, remedy))
        }
    }
}

fn empty(id: Id) -> Problem {
    Problem::new(format!("{} is empty", flags::long(id)), "give it a value or leave it out")
}

/// An option that is none may be a secret, or end in one: only the letters and dashes that it begins
/// with are shown, and no more of them than any name has. `name` is all of it but its value.
fn unknown(option: &str, name: &str) -> Problem {
    let is_name =
        |c: char| c.is_ascii_lowercase() || c == '-' || option.len() == 2 && c.is_ascii_uppercase();
    let (shown, _) = option.split_at(option.find(|c| !is_name(c)).unwrap_or(option.len()));
    let dashed = shown.trim_start_matches('-');
    let is_short = |word: &str| word.len() <= NAME_WORD;
    let is_shown = !dashed.is_empty() && dashed.len() <= NAME && dashed.split('-').all(is_short);
    let shown = if is_shown { shown } else { "(not shown: it may be a secret)" };
    let name = name.split('=').next().unwrap_or_default();
    let meant = match name {
        "o" | "output" | "format" => Some("--json"),
        _ if name.contains("proxy") || name.starts_with("socks") => {
            Some("HTTPS_PROXY or ALL_PROXY, in the environment")
        }
        _ => nearest(name, flags::long_names()),
    };
    let meant = meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
    Problem::new(format!("unknown option {shown}"), format!("{meant}{HELP}"))
}

/// The name that was most likely meant; the first of those that are equally near. Leading dashes
/// do not count on either side.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let typed = typed.trim_start_matches('-').to_lowercase();
    let length = typed.chars().count();
    if !LENGTHS.contains(&length) {
        return None;
    }
    let bare = |name: &'a str| name.trim_start_matches('-');
    let near = names.clone().filter_map(|name| {
        let (edits, letters) = (osa_distance(&typed, bare(name)), bare(name).len());
        // One slip in three letters; never so many that nothing of a short name is left.
        (edits <= length.max(letters) / 3 && edits + 1 < letters).then_some((edits, name))
    });
    let nearest = near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name);
    nearest.or_else(|| names.into_iter().find(|name| bare(name).starts_with(&typed)))
}

fn usage(message: String) -> Problem {
    Problem::new(message, HELP)
}

/// lexopt's messages print the value; ours name the option alone.
fn wording(error: lexopt::Error) -> Problem {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => usage(format!("{option} takes no value")),
        _ => usage("an argument cannot be read".into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(line: &str) -> Result<Command, Problem> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    #[track_caller]
    fn message(line: &str) -> String {
        parsed(line).expect_err("a usage error").message
    }

    #[test]
    fn help_and_version_have_many_forms() {
        for line in [
            "",
            "auth",
            "-h",
            "--help",
            "auth:revoke-token -h",
            "auth -h",
            "auth revoke-token --help",
            "help",
            "help auth",
            "help auth revoke-token",
            "--help --client-id x",
        ] {
            assert!(
                matches!(parsed(line), Ok(Command::Print(text)) if text == help::text()),
                "{line}"
            );
        }
        for line in ["--version", "-V", "version"] {
            assert!(
                matches!(parsed(line), Ok(Command::Print(text)) if text == version::text(None)),
                "{line}"
            );
        }
    }

    #[test]
    fn flags_stand_in_any_order() {
        for line in [
            "auth revoke-token --client-id=a -fv",
            "auth:revoke-token -v --client-id a --yes",
            "--client-id a auth -y revoke-token --verbose --force",
        ] {
            let Ok(Command::Revoke(args)) = parsed(line) else { panic!("{line}") };
            assert_eq!(args.all(Id::ClientId).next(), Some(OsStr::new("a")), "{line}");
            assert!(args.has(Id::Force) && args.has(Id::Verbose), "{line}");
        }
    }

    #[test]
    fn no_message_shows_a_value() {
        for line in [
            "auth revoke-token --force=s3cret",
            "auth revoke-token s3cret",
            "s3cret",
            "auth revoke-token --bogus=s3cret",
            "help s3cret",
        ] {
            let problem = parsed(line).expect_err(line);
            assert!(!format!("{problem:?}").contains("s3cret"), "{problem:?}");
        }
    }

    #[test]
    fn an_option_is_not_taken_for_a_value() {
        for line in [
            "auth revoke-token --client-id --force",
            "auth revoke-token --client-id -f",
            "auth revoke-token --client-id -fy",
            "auth revoke-token --client-id --froce",
            "auth revoke-token --client-id -- --force",
        ] {
            assert!(message(line).contains("--client-id needs a value"), "{line}");
        }
        assert!(parsed("auth revoke-token --client-id=--force").is_ok());
        assert!(parsed("auth revoke-token --client-id -x").is_ok());
        assert!(message("auth revoke-token --client-id").contains("needs a value"));
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        for (line, meant) in [
            ("auth revoke-token --clinet-id a", "did you mean --client-id?"),
            ("auth revoke-token --client_id=a", "did you mean --client-id?"),
            ("auth revoke-token -client-id a", "did you mean --client-id?"),
            ("auth revoke-token -json", "did you mean --json?"),
            ("auth revoke-token -verbose", "did you mean --verbose?"),
            ("auth revoke-token -force", "did you mean --force?"),
            ("--vresion", "did you mean --version?"),
            ("auth revoke-tokens --client-id a", "did you mean ably auth revoke-token?"),
            ("auth revoke --client-id a", "did you mean ably auth revoke-token?"),
            ("atuh revoke-token", "did you mean ably auth revoke-token?"),
            ("auth-revoke-token", "did you mean ably auth revoke-token?"),
            ("auth:revoke-tokn", "did you mean ably auth:revoke-token?"),
            ("revoke-token --client-id a", "did you mean ably auth revoke-token?"),
            ("versoin", "did you mean ably version?"),
            ("hlep", "did you mean ably help?"),
        ] {
            let problem = parsed(line).expect_err(line);
            assert!(problem.remedy.starts_with(meant), "{line}: {problem:?}");
        }
        for line in [
            "auth revoke-token --bogus",
            "auth revoke-token -x",
            "apps list",
            "auth keys list",
            "channels publish",
            "accounts login",
            "--",
        ] {
            let problem = parsed(line).err();
            assert!(!format!("{problem:?}").contains("did you mean"), "{line}: {problem:?}");
        }
    }

    #[test]
    fn a_key_in_the_place_of_an_option_or_command_is_not_shown() {
        for typed in [
            "xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "--xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "-xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "--api-kye=xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "--api-key:xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "--api-key-xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "-k=xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "--clientxVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "-fxVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
            "help xVLyHw.A-pwh:5WEB4HEAT3pOqWp9",
        ] {
            for command in ["", "auth revoke-token ", "auth:revoke-token "] {
                let problem = parsed(&format!("{command}{typed}")).expect_err(typed);
                let shown = format!("{problem:?}");
                for part in ["VLyHw", "pwh", "5WEB", "HEAT", "pOq"] {
                    assert!(!shown.contains(part), "{typed}: {shown}");
                }
            }
        }
    }

    #[test]
    fn a_single_valued_option_stands_once() {
        assert_eq!(message("auth revoke-token --app a --app=a"), "--app is given twice");
        assert!(parsed("auth revoke-token --force --force --client-id a --client-id b").is_ok());
    }

    #[test]
    fn json_is_seen_before_the_arguments_are_understood() {
        let args = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(wants_json(&args("auth --bogus --json")), Some(false));
        assert_eq!(wants_json(&args("auth --pretty-json")), Some(true));
        assert_eq!(wants_json(&args("auth -- --json")), None);
    }

    fn option(typed: &str) -> Option<&'static str> {
        nearest(typed, flags::long_names())
    }

    #[test]
    fn a_slip_leads_to_the_option_that_was_meant() {
        for (typed, meant) in [
            ("--clientid", "--client-id"),
            ("--client_id", "--client-id"),
            ("--clientId", "--client-id"),
            ("--cleint-id", "--client-id"),
            ("--client-ids", "--client-id"),
            ("--client", "--client-id"),
            ("--frce", "--force"),
            ("--froce", "--force"),
            ("--yse", "--yes"),
            ("--jsno", "--json"),
            ("--prettyjson", "--pretty-json"),
            ("--targets", "--targets-file"),
            ("--target-file", "--targets-file"),
            ("--from-tokne", "--from-token"),
            ("--unrevoked", "--unrevoked-to"),
            ("--apikey", "--api-key"),
            ("--api-keyfile", "--api-key-file"),
            ("--dryrun", "--dry-run"),
            ("--time-out", "--timeout"),
            ("--verbos", "--verbose"),
            ("--chanel", "--channel"),
            ("--issued-befor", "--issued-before"),
            ("--ap", ""),
            ("--x", ""),
            ("--", ""),
            ("--bogus", ""),
            ("--token", ""),
            ("--region", "--reason"),
            ("--colour", ""),
            ("--s3cretsecretsecretsecretsecretsecret", ""),
        ] {
            assert_eq!(option(typed).unwrap_or_default(), meant, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn one_slip_in_any_name_leads_back_to_it(n in 0_usize..64, at in 0_usize..64, letter in "[a-z]") {
            let names: Vec<&str> = flags::long_names().filter(|name| name.len() >= 7).collect();
            let name = names[n % names.len()];
            let at = 2 + at % (name.len() - 2);
            let mut longer = name.to_owned();
            longer.insert_str(at, &letter);
            prop_assert!(option(&longer).is_some());
            let shorter = format!("{}{}", &name[..at], &name[at + 1..]);
            prop_assert!(option(&shorter).is_some());
        }

        #[test]
        fn no_text_makes_it_panic(typed in "\\PC{0,50}") {
            let _ = option(&typed);
        }
    }
}
