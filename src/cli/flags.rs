//! The one table of options. The parser, `--help`, the man page, the completions are
//! derived from it; a test holds the README's list to it.

/// Names an option in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what each one means")]
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

/// The heading under which help lists an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Which tokens to revoke.
    Targets,
    /// With which key, in which app.
    Credentials,
    /// What happens to the tokens, and how much is asked first.
    Action,
    /// How Ably is reached.
    Network,
    /// What is printed.
    Output,
}

impl Group {
    /// All groups in the order of the help text.
    pub const ALL: [Self; 5] =
        [Self::Targets, Self::Credentials, Self::Action, Self::Network, Self::Output];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Targets => "Targets (exactly one of these kinds)",
            Self::Credentials => "Credentials and app",
            Self::Action => "What happens",
            Self::Network => "Network",
            Self::Output => "Output",
        }
    }
}

/// How often an option may be given, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// No value; given twice is the same as once.
    Nothing,
    /// One value, once.
    One(&'static str),
    /// One value each time, any number of times.
    Many(&'static str),
}

/// What a shell offers as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completes {
    /// Nothing: only the operator knows.
    Nothing,
    /// Names of files.
    File,
    /// These words.
    Words(&'static [&'static str]),
    /// Names of the full CLI's configuration, of this kind: the program itself lists them.
    Names(Names),
}

/// What the full CLI's configuration has names of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Apps, by ID and by name.
    Apps,
    /// Their keys, by `appId.keyId` and by name.
    Keys,
}

impl Names {
    /// What a completion script asks this program for.
    pub fn word(self) -> &'static str {
        match self {
            Self::Apps => "apps",
            Self::Keys => "keys",
        }
    }
}

/// One option.
#[derive(Debug)]
pub struct Flag {
    /// Its name in code.
    pub id: Id,
    /// Its long name with its dashes.
    pub long: &'static str,
    /// Another long name, if any.
    pub alias: Option<&'static str>,
    /// Its short names.
    pub short: &'static [char],
    /// Whether a value follows, with the value's placeholder.
    pub takes: Takes,
    /// What its value completes to.
    pub completes: Completes,
    /// The environment variable that stands in for it.
    pub env: Option<&'static str>,
    /// Where help lists it.
    pub group: Group,
    /// What it does, in a sentence or two.
    pub help: &'static str,
}

impl Flag {
    /// The placeholder of its value.
    pub fn placeholder(&self) -> Option<&'static str> {
        match self.takes {
            Takes::Nothing => None,
            Takes::One(name) | Takes::Many(name) => Some(name),
        }
    }

    /// How help and the README write it: `-f, -y, --force, --yes` or `--app <ID|NAME>`.
    pub fn usage(&self) -> String {
        let mut text = String::new();
        for short in self.short {
            text.push('-');
            text.push(*short);
            text.push_str(", ");
        }
        text.push_str(self.long);
        if let Some(alias) = self.alias {
            text.push_str(", ");
            text.push_str(alias);
        }
        if let Some(placeholder) = self.placeholder() {
            text.push_str(" <");
            text.push_str(placeholder);
            text.push('>');
        }
        text
    }
}

/// What an option is unless its row says otherwise.
const OPTION: Flag = Flag {
    id: Id::Help,
    long: "",
    alias: None,
    short: &[],
    takes: Takes::Nothing,
    completes: Completes::Nothing,
    env: None,
    group: Group::Output,
    help: "",
};
const TARGETS: Flag = Flag { group: Group::Targets, ..OPTION };
const CREDENTIALS: Flag = Flag { group: Group::Credentials, ..OPTION };
const ACTION: Flag = Flag { group: Group::Action, ..OPTION };
const NETWORK: Flag = Flag { group: Group::Network, ..OPTION };

/// Every option of `ably auth revoke-token`.
pub const FLAGS: &[Flag] = &[
    Flag {
        id: Id::ClientId,
        long: "--client-id",
        takes: Takes::Many("ID"),
        help: "Revoke all tokens issued to this client ID. Repeatable.",
        ..TARGETS
    },
    Flag {
        id: Id::RevocationKey,
        long: "--revocation-key",
        takes: Takes::Many("KEY"),
        help: "Revoke all JWTs whose x-ably-revocation-key claim is this. Repeatable.",
        ..TARGETS
    },
    Flag {
        id: Id::Channel,
        long: "--channel",
        takes: Takes::Many("NAME"),
        help: "Revoke all tokens whose capability names exactly this resource. Ably enables it per account. Repeatable.",
        ..TARGETS
    },
    Flag {
        id: Id::TargetsFile,
        long: "--targets-file",
        takes: Takes::One("FILE|-"),
        completes: Completes::File,
        help: "Revoke the targets of a file, or of standard input with -: one specifier a line, such as clientId:alice. Sent in requests of 100.",
        ..TARGETS
    },
    Flag {
        id: Id::FromToken,
        long: "--from-token",
        alias: Some("--from-tokens"),
        takes: Takes::One("FILE|-"),
        completes: Completes::File,
        help: "Find leaked tokens in any text, such as a log, or on standard input with -, and revoke each with the key that signed it. A token must stand whole on one line.",
        ..TARGETS
    },
    Flag {
        id: Id::App,
        long: "--app",
        takes: Takes::One("ID|NAME"),
        completes: Completes::Names(Names::Apps),
        env: Some("ABLY_APP_ID"),
        help: "The app that the tokens belong to. A key of another app is refused. Default: the key's own app.",
        ..CREDENTIALS
    },
    Flag {
        id: Id::ApiKey,
        long: "--api-key",
        takes: Takes::One("KEY"),
        env: Some("ABLY_API_KEY"),
        help: "The API key, appId.keyId:secret. Other users of this machine see it in the process list: prefer the variable or a file.",
        ..CREDENTIALS
    },
    Flag {
        id: Id::ApiKeyFile,
        long: "--api-key-file",
        takes: Takes::One("FILE|-"),
        completes: Completes::File,
        env: Some("ABLY_API_KEY_FILE"),
        help: "Read the API key from a file, or from standard input with - (then --force is required). Several keys, one a line, for --all-keys and --from-token.",
        ..CREDENTIALS
    },
    Flag {
        id: Id::Key,
        long: "--key",
        takes: Takes::One("KEY_ID|NAME"),
        completes: Completes::Names(Names::Keys),
        help: "Which of the app's keys to use, where the key comes from the Ably CLI's configuration or the Control API.",
        ..CREDENTIALS
    },
    Flag {
        id: Id::AllKeys,
        long: "--all-keys",
        help: "Revoke every target with every key of the app: those of --api-key-file (one a line), of the Ably CLI's configuration and of the Control API. For use after a key rotation.",
        ..CREDENTIALS
    },
    Flag {
        id: Id::AllowReauthMargin,
        long: "--allow-reauth-margin",
        help: "Delay the revocation by 30 seconds, so that connected clients can obtain new tokens before they are disconnected.",
        ..ACTION
    },
    Flag {
        id: Id::IssuedBefore,
        long: "--issued-before",
        takes: Takes::One("TIME"),
        help: "Revoke only tokens issued before this time: Unix milliseconds, RFC 3339 in UTC, or an age by Ably's clock (10m, 1h). At most an hour back. Default: now.",
        ..ACTION
    },
    Flag {
        id: Id::Force,
        long: "--force",
        alias: Some("--yes"),
        short: &['f', 'y'],
        help: "Do not ask for confirmation. Required with --json and --pretty-json.",
        ..ACTION
    },
    Flag {
        id: Id::DryRun,
        long: "--dry-run",
        help: "Check everything, show what would be sent, revoke nothing.",
        ..ACTION
    },
    Flag {
        id: Id::Check,
        long: "--check",
        help: "Ask Ably whether the key can revoke, without a target: it is sent a client ID that nobody can have, ably-revoke-token-check- and 32 random digits. Asks for no confirmation.",
        ..ACTION
    },
    Flag {
        id: Id::By,
        long: "--by",
        takes: Takes::One("client-id|revocation-key"),
        completes: Completes::Words(&["client-id", "revocation-key"]),
        help: "With --from-token: which claim to revoke by where a token has both.",
        ..ACTION
    },
    Flag {
        id: Id::Verify,
        long: "--verify",
        help: "With --from-token: afterwards ask Ably with each token until it is rejected, for 10 seconds at most (40 with the margin).",
        ..ACTION
    },
    Flag {
        id: Id::UnrevokedTo,
        long: "--unrevoked-to",
        takes: Takes::One("FILE"),
        completes: Completes::File,
        help: "Keep every target that is not known to be revoked in this file, with its reason, so that --targets-file can take it back.",
        ..ACTION
    },
    Flag {
        id: Id::Parallel,
        long: "--parallel",
        takes: Takes::One("N"),
        help: "Send up to this many requests at once, each over a connection of its own: 1 to 16. Ably's limits per second hold for the whole account, production included. Default: 1.",
        ..ACTION
    },
    Flag {
        id: Id::Endpoint,
        long: "--endpoint",
        takes: Takes::One("HOST[:PORT]|POLICY"),
        env: Some("ABLY_ENDPOINT"),
        help: "The host that serves Ably's REST API, or a routing policy such as acme or nonprod:sandbox. Default: main.",
        ..NETWORK
    },
    Flag {
        id: Id::ConnectTo,
        long: "--connect-to",
        takes: Takes::One("ADDR:PORT"),
        help: "Open the TCP connection there whatever the host, past any proxy: for an SSH tunnel or a port forward. TLS still checks the host's own name.",
        ..NETWORK
    },
    Flag {
        id: Id::CaFile,
        long: "--ca-file",
        takes: Takes::One("PEM"),
        completes: Completes::File,
        env: Some("SSL_CERT_FILE"),
        help: "Trust the certificates in this file instead of the built-in roots.",
        ..NETWORK
    },
    Flag {
        id: Id::Timeout,
        long: "--timeout",
        takes: Takes::One("SECONDS"),
        help: "The longest that one request may take with all its retries. Default: 30.",
        ..NETWORK
    },
    Flag {
        id: Id::Json,
        long: "--json",
        help: "Print one compact JSON object a line on stdout.",
        ..OPTION
    },
    Flag {
        id: Id::PrettyJson,
        long: "--pretty-json",
        help: "Print the same objects indented.",
        ..OPTION
    },
    Flag {
        id: Id::Verbose,
        long: "--verbose",
        short: &['v'],
        help: "Say where the key came from, which host is asked, and how each try went.",
        ..OPTION
    },
    Flag {
        id: Id::Record,
        long: "--record",
        takes: Takes::One("FILE"),
        completes: Completes::File,
        help: "Append a lasting account of the run to this file: the records of --json, each with its time and the run's ID. A declined run and a dry run are in it, too.",
        ..OPTION
    },
    Flag {
        id: Id::Reason,
        long: "--reason",
        takes: Takes::One("TEXT"),
        help: "With --record: why, for whoever reads the record later.",
        ..OPTION
    },
    Flag {
        id: Id::Generate,
        long: "--generate",
        takes: Takes::One("man|bash|zsh|fish"),
        completes: Completes::Words(&["man", "bash", "zsh", "fish"]),
        help: "Print the man page or a shell's completion script.",
        ..OPTION
    },
    Flag { id: Id::Help, long: "--help", short: &['h'], help: "Print this help.", ..OPTION },
    Flag {
        id: Id::Version,
        long: "--version",
        short: &['V'],
        help: "Print name, version and target.",
        ..OPTION
    },
];

/// The option with this long name or alias, dashes included.
pub fn by_long(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == name || flag.alias == Some(name))
}

/// All long names and aliases, dashes included.
pub fn long_names() -> impl Iterator<Item = &'static str> + Clone {
    FLAGS.iter().flat_map(|flag| std::iter::once(flag.long).chain(flag.alias))
}

/// An option's long name with its dashes.
pub fn long(id: Id) -> &'static str {
    FLAGS.iter().find(|flag| flag.id == id).map_or("", |flag| flag.long)
}

/// The environment variable that stands in for an option.
pub fn variable(id: Id) -> Option<&'static str> {
    FLAGS.iter().find(|flag| flag.id == id)?.env
}

/// The option with this short name.
pub fn by_short(name: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short.contains(&name))
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
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
