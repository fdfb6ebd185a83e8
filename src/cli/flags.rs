//! The one table of options. The parser, `--help`, the man page and the completions are derived from
//! it.

use Value::{File, Name, Text, Words};

/// An option. Its row in the table says what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    ClientId,
    RevocationKey,
    Channel,
    TargetsFile,
    FromToken,
    By,
    Verify,
    App,
    ApiKey,
    ApiKeyFile,
    Key,
    AllKeys,
    AllowReauthMargin,
    IssuedBefore,
    Force,
    DryRun,
    Check,
    UnrevokedTo,
    Parallel,
    Endpoint,
    ConnectTo,
    CaFile,
    Timeout,
    Json,
    PrettyJson,
    Verbose,
    Record,
    Reason,
    Generate,
    Help,
    Version,
}

/// What follows an option, with its placeholder where that is not made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// It is a switch.
    Nothing,
    Text(&'static str),
    File(&'static str),
    Words(&'static [&'static str]),
    Name(&'static str, Names),
}

/// What the full CLI's configuration has names of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Apps,
    Keys,
}

#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) id: Id,
    /// With its dashes.
    pub(crate) long: &'static str,
    pub(crate) alias: Option<&'static str>,
    pub(crate) short: &'static [char],
    pub(crate) value: Value,
    pub(crate) repeats: bool,
    /// The environment variable that stands in for it.
    pub(crate) env: Option<&'static str>,
    pub(crate) group: &'static str,
    /// What it does. The first sentence stands alone in completions.
    pub(crate) help: &'static str,
}

impl Flag {
    pub(crate) fn long_names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        std::iter::once(self.long).chain(self.alias)
    }

    /// How help and the man page write it: `-f, -y, --force, --yes` or `--app <ID|NAME>`.
    pub(crate) fn usage(&self) -> String {
        let short = self.short.iter().map(|short| format!("-{short}"));
        let names: Vec<String> = short.chain(self.long_names().map(String::from)).collect();
        let names = names.join(", ");
        match self.value {
            Value::Nothing => names,
            Value::Words(words) => format!("{names} <{}>", words.join("|")),
            Value::Text(name) | Value::File(name) | Value::Name(name, _) => {
                format!("{names} <{name}>")
            }
        }
    }
}

/// What an option is unless its row says otherwise.
const OPTION: Flag = Flag {
    id: Id::Help,
    long: "",
    alias: None,
    short: &[],
    value: Value::Nothing,
    repeats: false,
    env: None,
    group: "Output",
    help: "",
};
const TARGETS: Flag = Flag { group: "Targets (exactly one of these kinds)", ..OPTION };
const CREDENTIALS: Flag = Flag { group: "Credentials and app", ..OPTION };
const ACTION: Flag = Flag { group: "What happens", ..OPTION };
const NETWORK: Flag = Flag { group: "Network", ..OPTION };

/// Every option of `ably auth revoke-token`, those of a group side by side.
#[rustfmt::skip] // a table: what is typed, and below it what help says
pub(crate) const FLAGS: &[Flag] = &[
    Flag { id: Id::ClientId, long: "--client-id", value: Text("ID"), repeats: true,
        help: "Revoke all tokens issued to this client ID. Repeatable.", ..TARGETS },
    Flag { id: Id::RevocationKey, long: "--revocation-key", value: Text("KEY"), repeats: true,
        help: "Revoke all JWTs whose x-ably-revocation-key claim is this. Repeatable.", ..TARGETS },
    Flag { id: Id::Channel, long: "--channel", value: Text("NAME"), repeats: true,
        help: "Revoke all tokens whose capability names exactly this resource. Ably enables it per account. Repeatable.", ..TARGETS },
    Flag { id: Id::TargetsFile, long: "--targets-file", value: File("FILE|-"),
        help: "Revoke the targets of a file, or of standard input with -: one specifier a line, such as clientId:alice. Sent in requests of 100.", ..TARGETS },
    Flag { id: Id::FromToken, long: "--from-token", alias: Some("--from-tokens"), value: File("FILE|-"),
        help: "Find leaked tokens in any text, such as a log, or on standard input with -, and revoke each with the key that signed it. A token must stand whole on one line.", ..TARGETS },
    Flag { id: Id::App, long: "--app", value: Name("ID|NAME", Names::Apps), env: Some("ABLY_APP_ID"),
        help: "The app that the tokens belong to. A key of another app is refused. Default: the key's own app.", ..CREDENTIALS },
    Flag { id: Id::ApiKey, long: "--api-key", value: Text("KEY"), env: Some("ABLY_API_KEY"),
        help: "The API key, appId.keyId:secret. Other users of this machine see it in the process list: prefer the variable or a file.", ..CREDENTIALS },
    Flag { id: Id::ApiKeyFile, long: "--api-key-file", value: File("FILE|-"), env: Some("ABLY_API_KEY_FILE"),
        help: "Read the API key from a file, or from standard input with - (then --force is required). Several keys, one a line, for --all-keys and --from-token.", ..CREDENTIALS },
    Flag { id: Id::Key, long: "--key", value: Name("KEY_ID|NAME", Names::Keys),
        help: "Which key to use, of those in a key file (--api-key-file), in the Ably CLI's configuration and in the Control API.", ..CREDENTIALS },
    Flag { id: Id::AllKeys, long: "--all-keys",
        help: "Revoke every target with every key of the app: those of --api-key-file (one a line), of the Ably CLI's configuration and of the Control API. For use after a key rotation.", ..CREDENTIALS },
    Flag { id: Id::AllowReauthMargin, long: "--allow-reauth-margin",
        help: "Delay the revocation by 30 seconds, so that connected clients can obtain new tokens before they are disconnected.", ..ACTION },
    Flag { id: Id::IssuedBefore, long: "--issued-before", value: Text("TIME"),
        help: "Revoke only tokens issued before this time: Unix milliseconds, RFC 3339 in UTC, or an age by Ably's clock (10m, 1h). At most an hour back. Default: now.", ..ACTION },
    Flag { id: Id::Force, long: "--force", alias: Some("--yes"), short: &['f', 'y'],
        help: "Do not ask for confirmation. Required with --json and --pretty-json.", ..ACTION },
    Flag { id: Id::DryRun, long: "--dry-run",
        help: "Check everything, show what would be sent, revoke nothing.", ..ACTION },
    Flag { id: Id::Check, long: "--check",
        help: "Ask Ably whether the key can revoke, without a target: it is sent a client ID that nobody can have, ably-revoke-token-check- and 32 random digits. Asks for no confirmation.", ..ACTION },
    Flag { id: Id::By, long: "--by", value: Words(&["client-id", "revocation-key"]),
        help: "With --from-token: which claim to revoke by where a token has both.", ..ACTION },
    Flag { id: Id::Verify, long: "--verify",
        help: "With --from-token: afterwards ask Ably with each token until it is rejected, for 10 seconds at most (40 with the margin).", ..ACTION },
    Flag { id: Id::UnrevokedTo, long: "--unrevoked-to", value: File("FILE"),
        help: "Keep every target that is not known to be revoked in this file, with its reason, so that --targets-file can take it back.", ..ACTION },
    Flag { id: Id::Parallel, long: "--parallel", value: Text("N"),
        help: "Send up to this many requests at once, each over a connection of its own: 1 to 16. Ably's limits per second hold for the whole account, production included. Default: 1.", ..ACTION },
    Flag { id: Id::Endpoint, long: "--endpoint", value: Text("HOST[:PORT]|POLICY"), env: Some("ABLY_ENDPOINT"),
        help: "The host that serves Ably's REST API, or a routing policy such as acme or nonprod:sandbox. Default: main.", ..NETWORK },
    Flag { id: Id::ConnectTo, long: "--connect-to", value: Text("ADDR:PORT"),
        help: "Open the TCP connection there whatever the host, past any proxy: for an SSH tunnel or a port forward. TLS still checks the host's own name.", ..NETWORK },
    Flag { id: Id::CaFile, long: "--ca-file", value: File("PEM"), env: Some("SSL_CERT_FILE"),
        help: "Trust the certificates in this file instead of the built-in roots.", ..NETWORK },
    Flag { id: Id::Timeout, long: "--timeout", value: Text("SECONDS"),
        help: "The longest that one request may take with all its retries. Default: 30.", ..NETWORK },
    Flag { id: Id::Json, long: "--json",
        help: "Print one compact JSON object a line on stdout.", ..OPTION },
    Flag { id: Id::PrettyJson, long: "--pretty-json",
        help: "Print the same objects indented.", ..OPTION },
    Flag { id: Id::Verbose, long: "--verbose", short: &['v'],
        help: "Say where the key came from, which host is asked, and how each try went.", ..OPTION },
    Flag { id: Id::Record, long: "--record", value: File("FILE"),
        help: "Append a lasting account of the run to this file: the records of --json, each with its time and the run's ID. A declined run and a dry run are in it, too.", ..OPTION },
    Flag { id: Id::Reason, long: "--reason", value: Text("TEXT"),
        help: "With --record: why, for whoever reads the record later.", ..OPTION },
    Flag { id: Id::Generate, long: "--generate", value: Words(&["man", "bash", "zsh", "fish"]),
        help: "Print the man page or a shell's completion script.", ..OPTION },
    Flag { id: Id::Help, long: "--help", short: &['h'],
        help: "Print this help.", ..OPTION },
    Flag { id: Id::Version, long: "--version", short: &['V'],
        help: "Print name, version, target, and the days of the release and of the built-in roots; with --json as JSON.", ..OPTION },
];

pub(crate) fn by_long(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long_names().any(|long| long == name))
}

pub(crate) fn by_short(name: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short.contains(&name))
}

pub(crate) fn long_names() -> impl Iterator<Item = &'static str> + Clone {
    FLAGS.iter().flat_map(Flag::long_names)
}

pub(crate) fn long(id: Id) -> &'static str {
    row(id).long
}

pub(crate) fn variable(id: Id) -> Option<&'static str> {
    row(id).env
}

const _: () =
    assert!(FLAGS.len() == Id::Version as usize + 1, "a row for each `Id` up to its last");

#[expect(clippy::expect_used, reason = "there are as many rows as `Id`s, none twice")]
fn row(id: Id) -> &'static Flag {
    FLAGS.iter().find(|flag| flag.id == id).expect("every option has a row")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_options_share_a_name() {
        let mut names: Vec<String> = FLAGS
            .iter()
            .flat_map(|flag| flag.short.iter().map(|c| c.to_string()))
            .chain(long_names().map(String::from))
            .collect();
        names.extend(FLAGS.iter().map(|flag| format!("{:?}", flag.id)));
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
