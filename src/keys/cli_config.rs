//! The configuration that the full Ably CLI writes (`~/.ably/config`, TOML), read only: of the
//! current account what helps to find an app and a key, nothing else. It ends where one is chosen.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use crate::api_key::{ApiKey, hide_given};
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::{self, reason};
use crate::keys::control_api::ControlBase;
use crate::keys::key::{AccountEndpoint, App, Key};
use crate::net::endpoint::Endpoint;
use crate::secret::Secret;
use crate::secret::redactor::Redactor;
use crate::text::listed;

/// A configuration is some KB; this leaves room for thousands of apps. In bytes.
const SIZE_LIMIT: u64 = 4 << 20;
/// What to do about a flaw of the file, or instead of it.
const OTHER_WAYS: &str = "give a key with --api-key-file or ABLY_API_KEY instead";
const LOGIN: &str =
    "run `ably accounts login` with the full Ably CLI, or set ABLY_ACCESS_TOKEN to an access token";

/// The current account; without a configuration one of which nothing is known.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// What the operator calls it (`current.account`).
    name: String,
    /// What there is where no key was found; `None` where there is no configuration.
    pub(super) described: Option<String>,
    current_app_id: Option<String>,
    /// As `--endpoint`, or why it cannot be used: an error only of a run that would use it.
    endpoint: Option<Result<Endpoint, Problem>>,
    /// Where its Control API is, as for `endpoint`.
    pub(super) control: Option<Result<ControlBase, Problem>>,
    pub(super) apps: Vec<App>,
    /// The keys that it holds, or why what it holds for an app is none.
    stored: Vec<(App, Result<Key, Problem>)>,
    /// The access token, and when it expires, in Unix milliseconds.
    login: Option<(Secret, i64)>,
}

/// Where the configuration is: `$ABLY_CLI_CONFIG_DIR/config`, else `$HOME/.ably/config`; `None` where
/// both are unset.
pub fn path(env: Environment) -> Option<PathBuf> {
    let set = |name| env.raw(name).map(PathBuf::from);
    let folder = set("ABLY_CLI_CONFIG_DIR").or_else(|| set("HOME").map(|home| home.join(".ably")));
    Some(folder?.join("config"))
}

/// Reads the configuration, which may be absent. No message holds a value of it, and the redactor
/// learns every secret, whether it still serves or not.
pub(super) fn read(env: Environment, redactor: &Redactor) -> Result<Account, Problem> {
    path(env).map_or(Ok(Account::default()), |path| read_file(&path, redactor))
}

fn read_file(path: &Path, redactor: &Redactor) -> Result<Account, Problem> {
    let shown = path.to_string_lossy();
    match file::read(path, SIZE_LIMIT).map(Zeroizing::new) {
        Ok(bytes) => current(&shown, &bytes, redactor),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Account::default())
        }
        Err(error) => {
            let what = format!("cannot read {shown}: {}", reason(&error));
            Err(Problem::new(what, OTHER_WAYS))
        }
    }
}

impl Account {
    /// The access token for the Control API; `None` where there is none. `now` is Unix time in
    /// milliseconds. An expired one can be renewed by the full CLI alone, since that writes the file.
    pub(super) fn access_token(&self, now: i64) -> Result<Option<&Secret>, Problem> {
        match &self.login {
            Some((_, end)) if *end <= now => {
                Err(Problem::new(format!("the login of account {} has expired", self.name), LOGIN))
            }
            login => Ok(login.as_ref().map(|(token, _)| token)),
        }
    }

    pub(super) fn apps_with_key(&self) -> impl Iterator<Item = &App> {
        self.stored.iter().map(|(app, _)| app)
    }

    /// The app that the operator selected with the full CLI.
    pub(super) fn current_app(&self) -> Option<App> {
        let id = self.current_app_id.as_deref()?;
        let known = self.apps.iter().find(|app| app.id == id).cloned();
        Some(known.unwrap_or_else(|| app(id, None)))
    }

    /// Where a key or an endpoint comes from.
    fn source(&self) -> String {
        format!("configuration (account {})", self.name)
    }

    pub(super) fn endpoint(&self) -> AccountEndpoint {
        let endpoint = self.endpoint.clone().transpose()?;
        Ok(endpoint.map(|endpoint| (endpoint, self.source())))
    }

    fn key(&self, text: &str, label: Option<&str>, app: &App) -> Result<Key, Problem> {
        let source = self.source();
        let key = ApiKey::parse(text).map_err(|what| {
            let what = format!("the API key of app {app} from {source} cannot be used: {what}");
            let remedy =
                "select the key again with the full Ably CLI, or give one with ABLY_API_KEY";
            Problem::new(what, remedy)
        })?;
        let (label, endpoint) = (label.map(str::to_owned), self.endpoint());
        Ok(Key { label, app: app.clone(), endpoint, ..Key::new(key, source) })
    }

    /// Takes the keys for apps of these IDs; an error where what is stored is none.
    pub(super) fn take_keys(&mut self, apps: &BTreeSet<String>) -> Vec<Result<Key, Problem>> {
        let taken = self.stored.extract_if(.., |(app, _)| apps.contains(&app.id));
        taken.map(|(_, key)| key).collect()
    }
}

fn app(id: &str, name: Option<&str>) -> App {
    App { name: name.map(str::to_owned), named_by: "the configuration", ..App::by_id(id) }
}

/// The current account of a file. An error is that of a bad file.
fn current(shown: &str, bytes: &[u8], redactor: &Redactor) -> Result<Account, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file = parsed(shown, bytes)?;
    let root = Table::root(shown, bytes, file.get_ref());
    let (current, accounts) = (root.table("current")?, root.table("accounts")?);
    let name = current.text("account")?.unwrap_or_default();
    let entry = accounts.table(name)?;
    if !entry.is_there() {
        let mut known = listed(accounts.names());
        if !known.is_empty() {
            known = format!(" (there is {known})");
        }
        let described = format!("{shown} selects no account that it holds{known}");
        return Ok(Account { described: Some(described), ..Account::default() });
    }
    let mut account = account(name, &entry, &root, redactor)?;
    // Older versions of the CLI kept the app there; newer ones let it win and move it.
    account.current_app_id = current.text("app")?.map(str::to_owned).or(account.current_app_id);
    let keys = match account.stored.is_empty() {
        true => "no key".to_owned(),
        false => format!("keys of {} alone", listed(account.apps_with_key())),
    };
    account.described = Some(format!("the {} has {keys}", account.source()));
    Ok(account)
}

fn account(
    name: &str,
    table: &Table<'_>,
    root: &Table<'_>,
    redactor: &Redactor,
) -> Result<Account, Problem> {
    // The session that the account names, else what the account itself holds, as the CLI does.
    let session = table.text("oauthSessionKey")?;
    let session = session.map(|key| root.table("oauthSessions")?.table(key)).transpose()?;
    let session = session.filter(Table::is_there);
    let login = session.as_ref().unwrap_or(table);
    let token = login.text("accessToken")?;
    token.iter().for_each(|token| redactor.add(token));
    let end = "must be a time in Unix milliseconds";
    let end = login.value("accessTokenExpiresAt", end, integer)?;
    // The CLI writes 0 for none.
    let end = end.filter(|end| *end != 0).unwrap_or(i64::MAX);
    let mut account = Account {
        name: name.to_owned(),
        current_app_id: table.text("currentAppId")?.map(str::to_owned),
        endpoint: endpoint(table).transpose(),
        control: control(table).transpose(),
        login: token.map(|token| (Secret::new(token.to_owned()), end)),
        ..Account::default()
    };
    let apps = table.table("apps")?;
    for id in apps.names() {
        let entry = apps.table(id)?;
        let (app, label) = (app(id, entry.text("appName")?), entry.text("keyName")?);
        if let Some(text) = entry.text("apiKey")? {
            hide_given(text, redactor);
            let key = account.key(text, label, &app);
            account.stored.push((app.clone(), key));
        }
        account.apps.push(app);
    }
    Ok(account)
}

fn endpoint(table: &Table<'_>) -> Result<Option<Endpoint>, Problem> {
    if table.value("tls", "must be true or false", DeValue::as_bool)? == Some(false) {
        return Err(table.flaw("tls", "is false, but this program sends nothing without TLS"));
    }
    let port = |value: &_| integer(value).and_then(|port| u16::try_from(port).ok());
    let port =
        table.value("port", "must be a port, 1 to 65535", |it| port(it).filter(|it| *it > 0));
    let endpoint = match (table.text("endpoint")?, port?) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(table.flaw("port", "needs an endpoint beside it")),
        (Some(value), None) => Endpoint::read(value),
        (Some(value), Some(port)) => Endpoint::with_port(value, port),
    };
    endpoint.map(Some).map_err(|flaw| table.flaw("endpoint", flaw))
}

fn control(table: &Table<'_>) -> Result<Option<ControlBase>, Problem> {
    for key in ["controlUrl", "controlHost"] {
        if let Some(value) = table.text(key)? {
            return ControlBase::read(value).map(Some).map_err(|flaw| table.flaw(key, flaw));
        }
    }
    Ok(None)
}

/// The table of all that is in a file.
fn parsed<'a>(shown: &str, bytes: &'a [u8]) -> Result<Spanned<DeTable<'a>>, Problem> {
    let text = str::from_utf8(bytes);
    let text = text.map_err(|error| flaw(shown, bytes, error.valid_up_to(), "not UTF-8"))?;
    // The error's Display quotes the line, which may hold a key; its message does not.
    DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(bytes.len(), |span| span.start);
        flaw(shown, bytes, at, format!("not TOML: {}", error.message()))
    })
}

fn flaw(shown: &str, bytes: &[u8], at: usize, what: impl Display) -> Problem {
    let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
    Problem::new(format!("{shown} line {line}: {what}"), format!("fix that line, or {OTHER_WAYS}"))
}

/// A table of the file, with the path to it. One that is not there has nothing in it. What is wrong with
/// a value is told by path and line and never by the value itself, which may be a key.
struct Table<'a> {
    shown: &'a str,
    /// The whole file, to tell lines by.
    bytes: &'a [u8],
    table: Option<&'a DeTable<'a>>,
    path: String,
}

impl<'a> Table<'a> {
    fn root(shown: &'a str, bytes: &'a [u8], table: &'a DeTable<'a>) -> Self {
        Self { shown, bytes, table: Some(table), path: String::new() }
    }

    fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// The names in it, in the order of the file.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.table.into_iter().flat_map(DeTable::keys).map(|name| name.get_ref().as_ref())
    }

    fn table(&self, key: &str) -> Result<Self, Problem> {
        let table = self.value(key, "must be a table", DeValue::as_table)?;
        Ok(Self { table, path: format!("{}{key}.", self.path), ..*self })
    }

    /// A string; an empty one counts as absent.
    fn text(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        let text = self.value(key, "must be a string", DeValue::as_str)?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// What a value is read as; `wanted` says in words what it must be.
    fn value<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.table.and_then(|table| table.get(key)) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.flaw(key, wanted))
    }

    /// A flaw of a value, by its path and line: `accounts.work.port must be …`.
    fn flaw(&self, key: &str, what: &str) -> Problem {
        let value = self.table.and_then(|table| table.get(key));
        let at = value.map_or(0, |value| value.span().start);
        flaw(self.shown, self.bytes, at, format!("{}{key} {what}", self.path))
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = r#"
[current]
account = "work"

[accounts.work]
accountId = "acc"
accountName = "Work"
userEmail = "a@b.c"
authMethod = "oauth"
currentAppId = "app1"
endpoint = "eu"
controlHost = "control.example"
oauthSessionKey = "a@b.c::control.example"

[accounts.work.apps.app1]
apiKey = "app1.key:s3cret"
appName = "Shop"
keyId = "app1.key"
keyName = "Root"

[accounts.work.apps.app2]
appName = "Shop"

[accounts.other]
accessToken = "s3cret-other"
currentAppId = 5

[oauthSessions."a@b.c::control.example"]
accessToken = "s3cret-token"
accessTokenExpiresAt = 1_795_453_744_607
refreshToken = "s3cret-refresh"
"#;

    fn parse(text: &[u8]) -> Result<Account, Problem> {
        current("config", text, &Redactor::default())
    }

    fn read_whole(path: &Path) -> Result<Account, Problem> {
        read_file(path, &Redactor::default())
    }

    fn account(text: &str) -> Account {
        parse(text.as_bytes()).unwrap()
    }

    fn bad(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().message
    }

    fn with(lines: &str) -> String {
        format!("[current]\naccount = 'a'\n[accounts.a]\n{lines}\n")
    }

    /// A folder of its own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("config-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_folder_comes_from_the_environment() {
        let home = |name: &str| (name == "HOME").then(|| "/h".into());
        assert_eq!(path(Environment(home)), Some("/h/.ably/config".into()));
        let both = |name: &str| Some(if name == "HOME" { "/h" } else { "/c" }.into());
        assert_eq!(path(Environment(both)), Some("/c/config".into()));
        assert_eq!(path(Environment(|_| Some("".into()))), None);
        assert_eq!(path(Environment(|_| None)), None);
    }

    #[test]
    fn the_current_account_is_read_whole() {
        for text in [WHOLE.to_owned(), format!("\u{feff}{WHOLE}"), WHOLE.replace('\n', "\r\n")] {
            let mut account = account(&text);
            assert_eq!(account.name, "work");
            assert_eq!(account.current_app_id.as_deref(), Some("app1"));
            assert_eq!(account.endpoint, Some(Ok(Endpoint::read("eu").unwrap())));
            assert_eq!(account.control, Some(Ok(ControlBase::read("control.example").unwrap())));
            let mut keys = |app: &str| account.take_keys(&BTreeSet::from([app.to_owned()]));
            let key = keys("app1").pop().unwrap().unwrap();
            assert_eq!(key.api_key.expose(), "app1.key:s3cret");
            assert_eq!(key.label.as_deref(), Some("Root"));
            for none in ["app2", "App1"] {
                assert!(keys(none).is_empty(), "{none}");
            }
            let names: Vec<_> = account.apps.iter().map(|app| app.name.as_deref()).collect();
            assert_eq!(names[..2], [Some("Shop"), Some("Shop")]);
            assert!(!format!("{account:?}").contains("s3cret"));
        }
    }

    #[test]
    fn an_access_token_serves_until_it_expires() {
        let account = account(WHOLE);
        let token = account.access_token(1_795_453_744_606).unwrap().unwrap();
        assert_eq!(token.expose(), "s3cret-token");
        let problem = account.access_token(1_795_453_744_607).unwrap_err();
        assert_eq!(problem.message, "the login of account work has expired");
        assert!(problem.remedy.contains("ably accounts login"), "{}", problem.remedy);
    }

    #[test]
    fn a_session_that_is_gone_leaves_the_accounts_own_token() {
        let gone = account(&with("oauthSessionKey = 'x'"));
        assert!(gone.access_token(0).unwrap().is_none());
        let own = account(&with("oauthSessionKey = 'x'\naccessToken = 't'"));
        assert_eq!(own.access_token(i64::MAX - 1).unwrap().unwrap().expose(), "t");
        assert!(account(&with("")).access_token(0).unwrap().is_none());
    }

    #[test]
    fn an_expiry_is_an_integer() {
        let expiring = |written: &str| {
            parse(with(&format!("accessToken = 't'\naccessTokenExpiresAt = {written}")).as_bytes())
        };
        for written in ["1795453744000", "1_795_453_744_000", "0x1a20961f380"] {
            let account = expiring(written).unwrap();
            assert!(account.access_token(1_795_453_743_999).is_ok(), "{written}");
            assert!(account.access_token(1_795_453_744_000).is_err(), "{written}");
        }
        for other in
            ["1e12", "'1795453744000'", "2026-11-23T17:09:04Z", "true", "99999999999999999999"]
        {
            let message = expiring(other).unwrap_err().message;
            assert!(
                message.ends_with("accessTokenExpiresAt must be a time in Unix milliseconds"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_port_belongs_to_the_endpoint() {
        let endpoint = |lines: &str| account(&with(lines)).endpoint;
        for (lines, primary) in [
            ("endpoint = 'h.example'\nport = 8443", "h.example:8443"),
            ("endpoint = '::1'\nport = 8443\ntls = true", "[::1]:8443"),
            ("endpoint = 'h.example:8443'", "h.example:8443"),
            ("endpoint = 'acme'", "acme.realtime.ably.net"),
        ] {
            assert_eq!(endpoint(lines).unwrap().unwrap().primary, primary, "{lines}");
        }
        assert_eq!(endpoint(""), None);
        let port = "port must be a port, 1 to 65535";
        for (lines, told) in [
            ("tls = false\nendpoint = 'h.example'", "line 4: accounts.a.tls is false"),
            ("tls = 'no'", "line 4: accounts.a.tls must be true or false"),
            ("port = 8443", "line 4: accounts.a.port needs an endpoint beside it"),
            ("endpoint = 'h.example'\nport = 0", port),
            ("endpoint = 'h.example'\nport = 65536", port),
            ("endpoint = 'h.example'\nport = -1", port),
            ("endpoint = 'h.example'\nport = '8443'", port),
            (
                "endpoint = 'h.example:1'\nport = 8443",
                "line 4: accounts.a.endpoint has a port already",
            ),
            ("endpoint = 'acme'\nport = 8443", "endpoint is a routing policy"),
            ("endpoint = 's3cret@h.example'", "line 4: accounts.a.endpoint has more in it"),
            ("endpoint = 5", "line 4: accounts.a.endpoint must be a string"),
        ] {
            let message = endpoint(lines).unwrap().unwrap_err().message;
            assert!(message.contains(told) && !message.contains("s3cret"), "{lines}: {message}");
        }
    }

    #[test]
    fn a_control_url_goes_before_a_control_host() {
        let control = |lines: &str| account(&with(lines)).control;
        let both = control("controlHost = 'a.example'\ncontrolUrl = 'https://b.example/x/v9/'");
        let base = both.unwrap().unwrap();
        assert_eq!(base, ControlBase::read("b.example/x/v9").unwrap());
        assert_eq!(control(""), None);
        for (lines, told) in [
            ("controlUrl = 'http://s3cret.example/'", "line 4: accounts.a.controlUrl must begin"),
            ("\ncontrolHost = 'https://s3cret/'", "line 5: accounts.a.controlHost is not a host"),
            ("controlUrl = 1", "accounts.a.controlUrl must be a string"),
        ] {
            let message = control(lines).unwrap().unwrap_err().message;
            assert!(message.contains(told) && !message.contains("s3cret"), "{lines}: {message}");
        }
    }

    #[test]
    fn an_account_is_missed_only_when_it_is_asked_for() {
        for (text, message) in [
            ("", "config selects no account that it holds"),
            ("[current]\naccount = ''", "config selects no account that it holds"),
            (
                "[accounts.a]\n[accounts.b]",
                "config selects no account that it holds (there is a, b)",
            ),
            (
                "current.account = \"x\\u001b\"\n[accounts.a]",
                "config selects no account that it holds (there is a)",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap().described.unwrap(), message);
        }
    }

    #[test]
    fn a_wrong_type_is_told_by_path_and_line() {
        assert_eq!(bad("current = 1"), "config line 1: current must be a table");
        assert_eq!(
            bad(&with("currentAppId = 5")),
            "config line 4: accounts.a.currentAppId must be a string"
        );
        assert_eq!(
            bad(&with("apps.x.apiKey = ['s3cret']")),
            "config line 4: accounts.a.apps.x.apiKey must be a string"
        );
        assert_eq!(
            bad(&with("apps.x = 's3cret'")),
            "config line 4: accounts.a.apps.x must be a table"
        );
        assert!(
            bad(&with("accessTokenExpiresAt = 'soon'"))
                .contains("must be a time in Unix milliseconds")
        );
        assert!(bad(&format!("\u{feff}{}", with("accessToken = 1"))).starts_with("config line 4:"));
    }

    #[test]
    fn a_malformed_file_is_told_by_its_line_and_never_quoted() {
        for line in [
            "apiKey = \"s3cret",
            "apiKey = s3cret",
            "s3cret",
            "a = 'b' s3cret",
            "[s3cret",
            "apiKey = \"s3cret\\q\"",
            "s3cret = 1\ns3cret = 2",
            "a = {s3cret",
            "a = [1, s3cret",
            "a = 2026-13-01",
            "s3cret.s3cret.='s3cret'",
        ] {
            let message = bad(&format!("[current]\n{line}\n"));
            assert!(
                message.starts_with("config line 2: not TOML: ")
                    || message.starts_with("config line 3: not TOML: "),
                "{line}: {message}"
            );
            assert!(!message.contains("s3cret"), "{line}: {message}");
        }
        let problem = parse(b"[current]\n# \xff\n").unwrap_err();
        assert_eq!(problem.message, "config line 2: not UTF-8");
    }

    #[test]
    fn an_older_file_keeps_the_app_beside_the_account() {
        let account =
            account("[current]\naccount = 'a'\napp = 'new'\n[accounts.a]\ncurrentAppId = 'old'");
        assert_eq!(account.current_app_id.as_deref(), Some("new"));
    }

    #[test]
    fn a_file_that_is_not_there_is_fine_and_anything_else_is_told() {
        let folder = Folder::new("read");
        let file = folder.0.join("config");
        assert!(read_whole(&file).unwrap().described.is_none());
        assert!(read_whole(&folder.0.join("none/config")).unwrap().described.is_none());
        symlink(folder.0.join("nowhere"), folder.0.join("link")).unwrap();
        assert!(read_whole(&folder.0.join("link")).unwrap().described.is_none());
        assert!(read_whole(&folder.0).unwrap_err().message.ends_with("it is a folder"));
        assert!(
            read_whole(Path::new("/dev/zero"))
                .unwrap_err()
                .message
                .ends_with("it is not a regular file")
        );
        fs::write(&file, WHOLE).unwrap();
        assert!(read_whole(&file.join("config")).unwrap().described.is_none());
        assert_eq!(read_whole(&file).unwrap().name, "work");
        let mut large = format!("{WHOLE}#");
        large.push_str(&"x".repeat((SIZE_LIMIT as usize) - large.len()));
        fs::write(&file, &large).unwrap();
        assert!(read_whole(&file).unwrap().described.is_some());
        fs::write(&file, large + "x").unwrap();
        assert!(read_whole(&file).unwrap_err().message.contains("large"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn near_toml_does_not_make_it_panic(text in "(\\[{1,2}|\\]{1,2}|current|accounts|account|apps|a|=|\\.|'|\"|\n|\\{|\\}|,|[0-9:TZ.+-]{1,8}| |\\\\u[0-9]{0,4}){0,60}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn any_value_in_any_place_is_told_or_taken(
            key in prop::sample::select(vec!["currentAppId", "endpoint", "port", "tls", "controlUrl", "apps", "apps.x", "apps.x.apiKey",
                "accessToken", "accessTokenExpiresAt", "oauthSessionKey"]),
            value in prop::sample::select(vec!["1", "-1", "9999999999999999999", "nan", "-inf", "1e300", "true", "'x'",
                "{}", "{a = 1}", "[]", "[{}]", "0001-01-01", "9999-12-31T23:59:60.9-23:59", "23:59"]),
        ) {
            if let Ok(account) = parse(with(&format!("{key} = {value}")).as_bytes()) {
                let _ = account.access_token(0);
            }
        }

        #[test]
        fn names_and_keys_come_back_as_written(name in "\\PC{1,20}", secret in "[!-&(-[\\]-~]{1,20}") {
            let mut written = String::new();
            crate::json::quote(&mut written, &name);
            let key = format!("x.k:{secret}_");
            let account = account(&with(&format!("apps.x.appName = {written}\napps.x.apiKey = '{key}'")));
            // A pair of surrogates is JSON alone.
            prop_assume!(!written.contains("\\ud"));
            prop_assert_eq!(account.apps[0].name.as_deref(), Some(name.as_str()));
            let stored = account.stored[0].1.as_ref();
            prop_assert_eq!(stored.map(|stored| stored.api_key.expose()), Ok(key.as_str()));
        }
    }
}
