//! What was typed. `parse` takes the arguments and returns a value: it prints nothing, exits
//! nowhere and reads neither environment nor files. What the arguments mean is up to the room `request`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use lexopt::Arg;

use crate::cli::completions::{self, COMPLETE};
use crate::cli::flags::{self, Flag, Id, Names, Takes};
use crate::cli::{help, man, suggest};
use crate::error::Problem;

/// The longest name of an option that is repeated, and the longest word in it, in characters.
const NAME: usize = 24;
const NAME_WORD: usize = 12;
const HELP: &str = "see ably auth revoke-token --help";
/// What is typed as a command, and what was meant by it.
const COMMANDS: [(&str, &str); 6] = [
    ("auth revoke-token", "auth revoke-token"),
    ("auth:revoke-token", "auth:revoke-token"),
    ("auth revoke", "auth revoke-token"),
    ("revoke-token", "auth revoke-token"),
    ("version", "version"),
    ("help", "help"),
];

/// What the operator asks this program to do.
#[derive(Debug)]
pub enum Command {
    /// Print a text: help, the version, a man page or a completion script.
    Print(fn() -> String),
    /// List names for a completion script; nothing where there are none of what it asks for.
    Complete(Option<Names>),
    /// `auth revoke-token` with its options.
    Revoke(Args),
}

/// The options as typed, checked against the table: known names, values where they belong,
/// single-valued options once.
#[derive(Debug, Default)]
pub struct Args(Vec<(Id, OsString)>);

impl Args {
    /// Whether an option was given.
    pub fn has(&self, id: Id) -> bool {
        self.0.iter().any(|(given, _)| *given == id)
    }

    /// The values of a repeatable option, in order.
    pub fn all(&self, id: Id) -> impl Iterator<Item = &OsStr> {
        self.0.iter().filter(move |(given, _)| *given == id).map(|(_, value)| value.as_os_str())
    }

    /// The value of a single-valued option as text that is not empty.
    ///
    /// # Errors
    /// It is empty or not UTF-8.
    pub fn text(&self, id: Id) -> Result<Option<&str>, Problem> {
        let text = self.all_text(id).next().transpose()?;
        if text.is_some_and(str::is_empty) { Err(empty(id)) } else { Ok(text) }
    }

    /// The values of an option as text.
    pub fn all_text(&self, id: Id) -> impl Iterator<Item = Result<&str, Problem>> {
        let not_utf8 = move || usage(format!("the value of {} is not UTF-8", flags::long(id)));
        self.all(id).map(move |value| value.to_str().ok_or_else(not_utf8))
    }

    /// The value of a single-valued option as a path that is not empty.
    ///
    /// # Errors
    /// It is empty.
    pub fn path(&self, id: Id) -> Result<Option<&Path>, Problem> {
        let path = self.all(id).next();
        if path.is_some_and(OsStr::is_empty) { Err(empty(id)) } else { Ok(path.map(Path::new)) }
    }

    /// All options with their values, in the order typed.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &OsStr)> {
        self.0.iter().map(|(id, value)| (*id, value.as_os_str()))
    }

    /// The options that take one of several kinds, in the order typed.
    pub fn of(&self, ids: &[Id]) -> impl Iterator<Item = (Id, &OsStr)> {
        self.0.iter().filter(|(id, _)| ids.contains(id)).map(|(id, value)| (*id, value.as_os_str()))
    }
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// A usage error. Its message never holds a value that was typed, since that may be a secret.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Problem> {
    let args: Vec<OsString> = args.into_iter().collect();
    if let [first, what @ ..] = args.as_slice()
        && first == COMPLETE
    {
        let asked = |names: &Names| what == [names.word()];
        return Ok(Command::Complete([Names::Apps, Names::Keys].into_iter().find(asked)));
    }
    let mut parser = lexopt::Parser::from_args(args);
    let mut words = Vec::new();
    let mut typed = Args::default();
    while let Some(arg) = parser.next().map_err(wording)? {
        let flag = match arg {
            Arg::Value(word) => {
                words.push(word);
                continue;
            }
            Arg::Long(name) => long(name)?,
            Arg::Short(name) => match flags::by_short(name) {
                Some(flag) => flag,
                None => {
                    // The rest of what may be a long name with a dash too few.
                    let rest = parser.optional_value().unwrap_or_default();
                    return Err(unknown(&format!("-{name}"), &format!("{name}{}", rest.display())));
                }
            },
        };
        let value = match flag.takes {
            Takes::Nothing => OsString::new(),
            Takes::One(_) if typed.has(flag.id) => {
                return Err(usage(format!("{} is given twice", flag.long)));
            }
            Takes::One(_) | Takes::Many(_) => value_of(flag, &mut parser)?,
        };
        typed.0.push((flag.id, value));
    }
    command(&words, typed)
}

/// Whether JSON was asked for, and if so whether indented, judged by the bare arguments: a usage
/// error is told in JSON even where the arguments cannot be parsed.
pub fn wants_json(args: &[OsString]) -> Option<bool> {
    let options = || args.iter().take_while(|arg| *arg != "--");
    if options().any(|arg| arg == "--json") {
        return Some(false);
    }
    options().any(|arg| arg == "--pretty-json").then_some(true)
}

fn long(name: &str) -> Result<&'static Flag, Problem> {
    let typed = format!("--{name}");
    flags::by_long(&typed).ok_or_else(|| unknown(&typed, name))
}

/// The value that belongs to a flag. An option's name in its place is a forgotten value, not a
/// client ID: `--client-id --force` must revoke nothing.
fn value_of(flag: &Flag, parser: &mut lexopt::Parser) -> Result<OsString, Problem> {
    if let Some(value) = parser.optional_value() {
        return Ok(value);
    }
    let missing = || usage(format!("{} needs a value", flag.long));
    let next = parser.try_raw_args().and_then(|mut raw| raw.next()).ok_or_else(missing)?;
    if is_option(&next) {
        return Err(Problem::new(
            format!("{} needs a value, and the next argument is an option", flag.long),
            format!("if that is the value, write {}=VALUE", flag.long),
        ));
    }
    Ok(next)
}

/// Whether an argument looks like options, known or mistyped, or ends them. A value that does is
/// written after an equals sign.
fn is_option(arg: &OsStr) -> bool {
    let Some(text) = arg.to_str() else {
        return false;
    };
    if text.starts_with("--") {
        return true;
    }
    let short = text.strip_prefix('-').unwrap_or_default();
    !short.is_empty() && short.chars().all(|c| flags::by_short(c).is_some())
}

fn command(words: &[OsString], typed: Args) -> Result<Command, Problem> {
    let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    if typed.has(Id::Help) {
        return Ok(Command::Print(help::text));
    }
    if typed.has(Id::Version) {
        return Ok(Command::Print(help::version));
    }
    if let Some(name) = typed.text(Id::Generate)? {
        let page = match name {
            "man" => man::page,
            "bash" => completions::bash,
            "zsh" => completions::zsh,
            "fish" => completions::fish,
            _ => return Err(usage("--generate must be man, bash, zsh or fish".into())),
        };
        return Ok(Command::Print(page));
    }
    match words.as_slice() {
        ["auth", "revoke-token"] | ["auth:revoke-token"] => Ok(Command::Revoke(typed)),
        ["auth", "revoke-token", ..] | ["auth:revoke-token", ..] => Err(Problem::new(
            "unexpected argument after the command",
            "every value belongs to an option, such as --client-id ID; quote a value that holds a space",
        )),
        ["help"]
        | ["help", "auth"]
        | ["help", "auth", "revoke-token"]
        | ["help", "auth:revoke-token"] => Ok(Command::Print(help::text)),
        ["version"] => Ok(Command::Print(help::version)),
        [] | ["auth"] if typed.0.is_empty() => Ok(Command::Print(help::text)),
        [] | ["auth"] => Err(Problem::new(
            "the command is missing",
            "write ably auth revoke-token before the options",
        )),
        words => {
            let typed = words.get(..2).unwrap_or(words).join(" ");
            let nearest = suggest::nearest(&typed, COMMANDS.into_iter().map(|(typed, _)| typed));
            let meant = COMMANDS.into_iter().find(|(typed, _)| Some(*typed) == nearest);
            Err(Problem::new(
                "unknown command: this program has auth revoke-token alone",
                match meant {
                    Some((_, meant)) => format!("did you mean ably {meant}?"),
                    None => "for any other command use the full Ably CLI".to_owned(),
                },
            ))
        }
    }
}

fn empty(id: Id) -> Problem {
    Problem::new(format!("{} is empty", flags::long(id)), "give it a value or leave it out")
}

/// An option that is none may be a secret, or end in one: what is shown of it has the form of an
/// option's name, and no more of that than any name has. `name` is all of it but its value.
fn unknown(option: &str, name: &str) -> Problem {
    let name = name.split('=').next().unwrap_or_default();
    let remedy = match suggest::nearest(name, flags::long_names()) {
        Some(meant) => format!("did you mean {meant}? see ably auth revoke-token --help"),
        None => HELP.to_owned(),
    };
    let is_name = |c: &char| c.is_ascii_lowercase() || *c == '-';
    let end = option.find(|c| !is_name(&c)).unwrap_or(option.len());
    let short = option.len() == 2;
    let shown = if short { option } else { option.get(..end).unwrap_or_default() };
    let is_long = |word: &str| word.len() > NAME_WORD;
    let dashed = shown.trim_start_matches('-');
    let message = match dashed.len() > NAME || dashed.split('-').any(is_long) || dashed.is_empty() {
        true => "unknown option (not shown: it may be a secret)".to_owned(),
        false => format!("unknown option {}", crate::text::Safe(shown)),
    };
    Problem::new(message, remedy)
}

fn usage(message: String) -> Problem {
    Problem::new(message, HELP)
}

/// lexopt's messages print the value; ours name the option alone.
fn wording(error: lexopt::Error) -> Problem {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => {
            usage(format!("{} takes no value", crate::text::Safe(&option)))
        }
        lexopt::Error::MissingValue { option: Some(option) } => {
            usage(format!("{} needs a value", crate::text::Safe(&option)))
        }
        _ => usage("an argument cannot be read".into()),
    }
}

#[cfg(test)]
mod tests {
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
                matches!(parsed(line), Ok(Command::Print(text)) if text() == help::text()),
                "{line}"
            );
        }
        for line in ["--version", "-V", "version"] {
            assert!(
                matches!(parsed(line), Ok(Command::Print(text)) if text() == help::version()),
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
}
