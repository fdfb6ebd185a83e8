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
    AllowReauthMargin,
    IssuedBefore,
    Force,
    DryRun,
    UnrevokedTo,
    Endpoint,
    ConnectTo,
    CaFile,
    Timeout,
    Json,
    PrettyJson,
    Verbose,
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
}

/// One option.
#[derive(Debug)]
pub struct Flag {
    /// Its name in code.
    pub id: Id,
    /// Its long name without the dashes.
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
        text.push_str("--");
        text.push_str(self.long);
        if let Some(alias) = self.alias {
            text.push_str(", --");
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

const fn switch(id: Id, long: &'static str, group: Group, help: &'static str) -> Flag {
    Flag {
        id,
        long,
        alias: None,
        short: &[],
        takes: Takes::Nothing,
        completes: Completes::Nothing,
        env: None,
        group,
        help,
    }
}

const fn value(
    id: Id,
    long: &'static str,
    takes: Takes,
    env: Option<&'static str>,
    group: Group,
    help: &'static str,
) -> Flag {
    Flag {
        id,
        long,
        alias: None,
        short: &[],
        takes,
        completes: Completes::Nothing,
        env,
        group,
        help,
    }
}

/// An option whose value is a file.
const fn file(
    id: Id,
    long: &'static str,
    placeholder: &'static str,
    env: Option<&'static str>,
    group: Group,
    help: &'static str,
) -> Flag {
    Flag {
        completes: Completes::File,
        ..value(id, long, Takes::One(placeholder), env, group, help)
    }
}

/// An option whose value is one of a few words.
const fn choice(
    id: Id,
    long: &'static str,
    placeholder: &'static str,
    words: &'static [&'static str],
    group: Group,
    help: &'static str,
) -> Flag {
    Flag {
        completes: Completes::Words(words),
        ..value(id, long, Takes::One(placeholder), None, group, help)
    }
}

/// Every option of `ably auth revoke-token`.
pub const FLAGS: &[Flag] = &[
    value(
        Id::ClientId,
        "client-id",
        Takes::Many("ID"),
        None,
        Group::Targets,
        "Revoke all tokens issued to this client ID. Repeatable.",
    ),
    value(
        Id::RevocationKey,
        "revocation-key",
        Takes::Many("KEY"),
        None,
        Group::Targets,
        "Revoke all JWTs whose x-ably-revocation-key claim is this. Repeatable.",
    ),
    value(
        Id::Channel,
        "channel",
        Takes::Many("NAME"),
        None,
        Group::Targets,
        "Revoke all tokens whose capability names exactly this resource. Ably enables it per account. Repeatable.",
    ),
    file(
        Id::TargetsFile,
        "targets-file",
        "FILE|-",
        None,
        Group::Targets,
        "Revoke the targets of a file, or of standard input with -: one specifier a line, such as clientId:alice. Sent in requests of 100.",
    ),
    file(
        Id::FromToken,
        "from-token",
        "FILE|-",
        None,
        Group::Targets,
        "Work the target out of a leaked JWT in a file, or on standard input with -. Only the key that signed it can revoke it.",
    ),
    value(
        Id::App,
        "app",
        Takes::One("ID|NAME"),
        Some("ABLY_APP_ID"),
        Group::Credentials,
        "The app that the tokens belong to. A key of another app is refused. Default: the key's own app.",
    ),
    value(
        Id::ApiKey,
        "api-key",
        Takes::One("KEY"),
        Some("ABLY_API_KEY"),
        Group::Credentials,
        "The API key, appId.keyId:secret. Other users of this machine see it in the process list: prefer the variable or a file.",
    ),
    file(
        Id::ApiKeyFile,
        "api-key-file",
        "FILE|-",
        Some("ABLY_API_KEY_FILE"),
        Group::Credentials,
        "Read the API key from a file, or from standard input with - (then --force is required).",
    ),
    value(
        Id::Key,
        "key",
        Takes::One("KEY_ID|NAME"),
        None,
        Group::Credentials,
        "Which of the app's keys to use, where the key comes from the Ably CLI's configuration or the Control API.",
    ),
    switch(
        Id::AllowReauthMargin,
        "allow-reauth-margin",
        Group::Action,
        "Delay the revocation by 30 seconds, so that connected clients can obtain new tokens before they are disconnected.",
    ),
    value(
        Id::IssuedBefore,
        "issued-before",
        Takes::One("TIME"),
        None,
        Group::Action,
        "Revoke only tokens issued before this time: Unix milliseconds, RFC 3339 in UTC, or an age by Ably's clock (10m, 1h). At most an hour back. Default: now.",
    ),
    Flag {
        id: Id::Force,
        long: "force",
        alias: Some("yes"),
        short: &['f', 'y'],
        takes: Takes::Nothing,
        completes: Completes::Nothing,
        env: None,
        group: Group::Action,
        help: "Do not ask for confirmation. Required with --json and --pretty-json.",
    },
    switch(
        Id::DryRun,
        "dry-run",
        Group::Action,
        "Check everything, show what would be sent, revoke nothing.",
    ),
    choice(
        Id::By,
        "by",
        "client-id|revocation-key",
        &["client-id", "revocation-key"],
        Group::Action,
        "With --from-token: which of the token's two claims to revoke by.",
    ),
    switch(
        Id::Verify,
        "verify",
        Group::Action,
        "With --from-token: afterwards ask Ably with that token until it is rejected, for 10 seconds at most (40 with the margin).",
    ),
    file(
        Id::UnrevokedTo,
        "unrevoked-to",
        "FILE",
        None,
        Group::Action,
        "Keep every target that is not known to be revoked in this file, with its reason, so that --targets-file can take it back.",
    ),
    value(
        Id::Endpoint,
        "endpoint",
        Takes::One("HOST[:PORT]|POLICY"),
        Some("ABLY_ENDPOINT"),
        Group::Network,
        "The host that serves Ably's REST API, or a routing policy such as acme or nonprod:sandbox. Default: main.",
    ),
    value(
        Id::ConnectTo,
        "connect-to",
        Takes::One("ADDR:PORT"),
        None,
        Group::Network,
        "Open the TCP connection there whatever the host, past any proxy: for an SSH tunnel or a port forward. TLS still checks the host's own name.",
    ),
    file(
        Id::CaFile,
        "ca-file",
        "PEM",
        Some("SSL_CERT_FILE"),
        Group::Network,
        "Trust the certificates in this file instead of the built-in roots.",
    ),
    value(
        Id::Timeout,
        "timeout",
        Takes::One("SECONDS"),
        None,
        Group::Network,
        "The longest that one request may take with all its retries. Default: 30.",
    ),
    switch(Id::Json, "json", Group::Output, "Print one compact JSON object a line on stdout."),
    switch(Id::PrettyJson, "pretty-json", Group::Output, "Print the same objects indented."),
    Flag {
        id: Id::Verbose,
        long: "verbose",
        alias: None,
        short: &['v'],
        takes: Takes::Nothing,
        completes: Completes::Nothing,
        env: None,
        group: Group::Output,
        help: "Say where the key came from, which host is asked, and how each try went.",
    },
    choice(
        Id::Generate,
        "generate",
        "man|bash|zsh|fish",
        &["man", "bash", "zsh", "fish"],
        Group::Output,
        "Print the man page or a shell's completion script.",
    ),
    Flag {
        id: Id::Help,
        long: "help",
        alias: None,
        short: &['h'],
        takes: Takes::Nothing,
        completes: Completes::Nothing,
        env: None,
        group: Group::Output,
        help: "Print this help.",
    },
    Flag {
        id: Id::Version,
        long: "version",
        alias: None,
        short: &['V'],
        takes: Takes::Nothing,
        completes: Completes::Nothing,
        env: None,
        group: Group::Output,
        help: "Print name, version and target.",
    },
];

/// The option with this long name or alias.
pub fn by_long(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == name || flag.alias == Some(name))
}

/// An option's long name with its dashes.
pub fn long(id: Id) -> String {
    let flag = FLAGS.iter().find(|flag| flag.id == id);
    format!("--{}", flag.map_or("", |flag| flag.long))
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
            .flat_map(|flag| {
                let long = [Some(flag.long), flag.alias].into_iter().flatten().map(String::from);
                long.chain(flag.short.iter().map(|c| c.to_string()))
            })
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
