//! The configuration that the full Ably CLI writes (`~/.ably/config`, TOML), read only: of the
//! current account what helps to find an app and a key, nothing else. It ends where one is chosen.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::api_key::{ApiKey, hide_given};
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::{self, reason};
use crate::keys::control_base::ControlBase;
use crate::keys::key::{AccountEndpoint, App, Key};
use crate::keys::toml_table::{OTHER_WAYS, Table, TomlFile};
use crate::net::endpoint::Endpoint;
use crate::secret::Secret;
use crate::secret::redactor::Redactor;
use crate::text::{Safe, excerpt};

/// A configuration is some KB; this leaves room for thousands of apps. In bytes.
const SIZE_LIMIT: u64 = 4 << 20;
/// How many accounts are listed where the current one is not among them.
const LISTED: usize = 10;
const LOGIN: &str =
    "run `ably accounts login` with the full Ably CLI, or set ABLY_ACCESS_TOKEN to an access token";

/// What the file says of the current account; an error where none is selected, or the one that is
/// has no entry. That matters only where an account is needed.
pub(super) type Configuration = Result<Account, Problem>;

/// The current account.
#[derive(Debug)]
pub(super) struct Account {
    /// What the operator calls it (`current.account`).
    pub(super) name: String,
    /// The app that the operator selected.
    pub(super) current_app_id: Option<String>,
    /// As `--endpoint`, or why it cannot be used: an error only of a run that would use it.
    endpoint: Result<Option<Endpoint>, Problem>,
    /// Where its Control API is, or why that cannot be used, as for `endpoint`.
    pub(super) control: Result<Option<ControlBase>, Problem>,
    stored: Vec<StoredApp>,
    access_token: Option<Secret>,
    /// When the token expires, in Unix milliseconds.
    expires_at: Option<i64>,
    /// The account names an OAuth session that is not in the file.
    session_missing: bool,
}

/// An app, and the key that the configuration holds for it.
#[derive(Debug)]
struct StoredApp {
    app: App,
    /// Whole, not yet checked.
    key: Option<Secret>,
    label: Option<String>,
}

/// Where the configuration is: `$ABLY_CLI_CONFIG_DIR/config`, else `$HOME/.ably/config`; `None` where
/// both are unset.
pub fn path(env: Environment) -> Option<PathBuf> {
    let set = |name| env.raw(name).map(PathBuf::from);
    let folder = set("ABLY_CLI_CONFIG_DIR").or_else(|| set("HOME").map(|home| home.join(".ably")));
    Some(folder?.join("config"))
}

/// Reads the configuration; `None` where there is no such file. No message holds a value of it.
pub(super) fn read(path: &Path) -> Result<Option<Configuration>, Problem> {
    let shown = Safe(&path.to_string_lossy()).to_string();
    let bytes = match file::read(path, SIZE_LIMIT) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            let why = match error.kind() {
                ErrorKind::FileTooLarge => "it is larger than 4 MiB".to_owned(),
                _ => reason(&error),
            };
            return Err(Problem::new(format!("cannot read {shown}: {why}"), OTHER_WAYS));
        }
    };
    current(&TomlFile { shown: &shown, bytes: &bytes }).map(Some)
}

impl Account {
    /// The access token for the Control API; `None` where there is none. `now` is Unix time in
    /// milliseconds. An expired one can be renewed by the full CLI alone, since that writes the file.
    pub(super) fn access_token(&self, now: i64) -> Result<Option<&Secret>, Problem> {
        let what = match (&self.access_token, self.expires_at) {
            (Some(_), Some(expires_at)) if expires_at <= now => "has expired",
            (None, _) if self.session_missing => "is not in the configuration",
            (token, _) => return Ok(token.as_ref()),
        };
        let message = format!("the login of account {} {what}", Safe(excerpt(&self.name).as_ref()));
        Err(Problem::new(message, LOGIN))
    }

    /// Makes the redactor know every secret of the account, whether it still serves or not.
    pub(super) fn conceal(&self, redactor: &Redactor) {
        self.access_token.iter().for_each(|token| redactor.add(token.expose()));
        let keys = self.stored.iter().filter_map(|stored| stored.key.as_ref());
        keys.for_each(|key| hide_given(key.expose(), redactor));
    }

    pub(super) fn apps(&self) -> impl Iterator<Item = &App> {
        self.stored.iter().map(|stored| &stored.app)
    }

    /// The apps for which there is a key.
    pub(super) fn apps_with_key(&self) -> Vec<App> {
        let with_key = self.stored.iter().filter(|stored| stored.key.is_some());
        with_key.map(|stored| stored.app.clone()).collect()
    }

    /// Where a key or an endpoint comes from.
    fn described(&self) -> String {
        format!("configuration (account {})", self.name)
    }

    pub(super) fn endpoint(&self) -> AccountEndpoint {
        Ok(self.endpoint.clone()?.map(|endpoint| (endpoint, self.described())))
    }

    /// The key for an app; an error where what is stored is none.
    pub(super) fn key_of(&self, app: &App) -> Result<Option<Key>, Problem> {
        let own = self.stored.iter().find(|stored| stored.app.id == app.id);
        let Some((own, key)) = own.and_then(|own| Some((own, own.key.as_ref()?))) else {
            return Ok(None);
        };
        let source = self.described();
        let key = ApiKey::parse(key.expose()).map_err(|what| {
            Problem::new(
                format!("the API key of app {app} from {source} cannot be used: {what}"),
                "select the key again with the full Ably CLI, or give one with ABLY_API_KEY",
            )
        })?;
        let (label, endpoint) = (own.label.clone(), self.endpoint());
        Ok(Some(Key { label, app: app.clone(), endpoint, ..Key::new(key, source) }))
    }
}

/// The outer error is that of a bad file.
fn current(file: &TomlFile<'_>) -> Result<Configuration, Problem> {
    let parsed = file.parse()?;
    let root = Table::root(file, parsed.get_ref());
    let (current, accounts) = (root.table("current")?, root.table("accounts")?);
    let Some(name) = current.text("account")? else {
        return Ok(Err(no_account(file, "selects no account", &accounts)));
    };
    let entry = accounts.table(name)?;
    if !entry.is_there() {
        let what = format!("has no account {}, which it selects", Safe(excerpt(name).as_ref()));
        return Ok(Err(no_account(file, &what, &accounts)));
    }
    let mut account = account(name, &entry, &root)?;
    // Older versions of the CLI kept the app there; newer ones let it win and move it.
    account.current_app_id = current.text("app")?.map(str::to_owned).or(account.current_app_id);
    Ok(Ok(account))
}

fn no_account(file: &TomlFile<'_>, what: &str, accounts: &Table<'_>) -> Problem {
    let shown = |name| Safe(excerpt(name).as_ref()).to_string();
    let names: Vec<String> = accounts.names().take(LISTED).map(shown).collect();
    let known = match names.as_slice() {
        [] => String::new(),
        names => format!(" (there is {})", names.join(", ")),
    };
    let remedy = format!("run `ably accounts switch` with the full Ably CLI, or {OTHER_WAYS}");
    Problem::new(format!("{} {what}{known}", file.shown), remedy)
}

fn account(name: &str, table: &Table<'_>, root: &Table<'_>) -> Result<Account, Problem> {
    let apps = table.table("apps")?;
    let stored = |id| {
        let entry = apps.table(id)?;
        Ok(StoredApp {
            app: App { name: entry.text("appName")?.map(str::to_owned), ..App::by_id(id) },
            key: secret(&entry, "apiKey")?,
            label: entry.text("keyName")?.map(str::to_owned),
        })
    };
    // The session that the account names, else what the account itself holds, as the CLI does.
    let session_key = table.text("oauthSessionKey")?;
    let session = session_key.map(|key| root.table("oauthSessions")?.table(key)).transpose()?;
    let session = session.filter(Table::is_there);
    let login = session.as_ref().unwrap_or(table);
    let expires_at =
        login.integer("accessTokenExpiresAt", "must be a time in Unix milliseconds")?;
    Ok(Account {
        name: name.to_owned(),
        current_app_id: table.text("currentAppId")?.map(str::to_owned),
        endpoint: endpoint(table),
        control: control(table),
        stored: apps.names().map(stored).collect::<Result<_, Problem>>()?,
        access_token: secret(login, "accessToken")?,
        // The CLI writes 0 for none.
        expires_at: expires_at.filter(|time| *time != 0),
        session_missing: session_key.is_some() && session.is_none(),
    })
}

fn endpoint(table: &Table<'_>) -> Result<Option<Endpoint>, Problem> {
    if table.switch("tls")? == Some(false) {
        return Err(table.flaw("tls", "is false, but this program sends nothing without TLS"));
    }
    let wanted = "must be a port, 1 to 65535";
    let port = table.integer("port", wanted)?.map(|port| match u16::try_from(port) {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(table.flaw("port", wanted)),
    });
    let endpoint = match (table.text("endpoint")?, port.transpose()?) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(table.flaw("port", "needs an endpoint beside it")),
        (Some(value), None) => Endpoint::read(value),
        (Some(value), Some(port)) => Endpoint::with_port(value, port),
    };
    endpoint.map(Some).map_err(|flaw| table.flaw("endpoint", flaw))
}

fn control(table: &Table<'_>) -> Result<Option<ControlBase>, Problem> {
    let (key, base) = match (table.text("controlUrl")?, table.text("controlHost")?) {
        (Some(url), _) => ("controlUrl", ControlBase::of_url(url)),
        (None, Some(host)) => ("controlHost", ControlBase::of_host(host)),
        (None, None) => return Ok(None),
    };
    base.map(Some).map_err(|flaw| table.flaw(key, flaw))
}

fn secret(table: &Table<'_>, key: &str) -> Result<Option<Secret>, Problem> {
    Ok(table.text(key)?.map(|text| Secret::new(text.to_owned())))
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

    fn parse(text: &[u8]) -> Result<Configuration, Problem> {
        current(&TomlFile { shown: "config", bytes: text })
    }

    fn account(text: &str) -> Account {
        parse(text.as_bytes()).unwrap().unwrap()
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
            let account = account(&text);
            assert_eq!(account.name, "work");
            assert_eq!(account.current_app_id.as_deref(), Some("app1"));
            assert_eq!(account.endpoint, Ok(Some(Endpoint::parse("eu").unwrap())));
            assert_eq!(account.control, Ok(Some(ControlBase::of_host("control.example").unwrap())));
            let key = account.key_of(&App::by_id("app1")).unwrap().unwrap();
            assert_eq!(key.api_key.expose(), "app1.key:s3cret");
            assert_eq!(key.label.as_deref(), Some("Root"));
            for none in ["app2", "App1"] {
                assert!(account.key_of(&App::by_id(none)).unwrap().is_none(), "{none}");
            }
            let names: Vec<_> = account.apps().map(|app| app.name.as_deref()).collect();
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
        assert!(gone.access_token(0).unwrap_err().message.contains("is not in the configuration"));
        let own = account(&with("oauthSessionKey = 'x'\naccessToken = 't'"));
        assert_eq!(own.access_token(i64::MAX).unwrap().unwrap().expose(), "t");
        assert!(account(&with("")).access_token(0).unwrap().is_none());
    }

    #[test]
    fn an_expiry_is_an_integer() {
        let expiring = |written: &str| {
            parse(with(&format!("accessToken = 't'\naccessTokenExpiresAt = {written}")).as_bytes())
        };
        for written in ["1795453744000", "1_795_453_744_000", "0x1a20961f380"] {
            let account = expiring(written).unwrap().unwrap();
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
            assert_eq!(endpoint(lines).unwrap().unwrap().primary(), primary, "{lines}");
        }
        assert_eq!(endpoint(""), Ok(None));
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
            ("endpoint = 's3cret@h.example'", "line 4: accounts.a.endpoint has a user name in it"),
            ("endpoint = 5", "line 4: accounts.a.endpoint must be a string"),
        ] {
            let message = endpoint(lines).unwrap_err().message;
            assert!(message.contains(told) && !message.contains("s3cret"), "{lines}: {message}");
        }
    }

    #[test]
    fn a_control_url_goes_before_a_control_host() {
        let control = |lines: &str| account(&with(lines)).control;
        let both = control("controlHost = 'a.example'\ncontrolUrl = 'https://b.example/x/v9/'");
        let base = both.unwrap().unwrap();
        assert_eq!((base.host.as_str(), base.path.as_str()), ("b.example", "/x/v9"));
        assert_eq!(control(""), Ok(None));
        for (lines, told) in [
            ("controlUrl = 'http://s3cret.example/'", "line 4: accounts.a.controlUrl must begin"),
            ("\ncontrolHost = 'https://s3cret/'", "line 5: accounts.a.controlHost is a URL"),
            ("controlUrl = 1", "accounts.a.controlUrl must be a string"),
        ] {
            let message = control(lines).unwrap_err().message;
            assert!(message.contains(told) && !message.contains("s3cret"), "{lines}: {message}");
        }
    }

    #[test]
    fn an_account_is_missed_only_when_it_is_asked_for() {
        for (text, message) in [
            ("", "config selects no account"),
            ("[current]\naccount = ''", "config selects no account"),
            ("[accounts.a]\n[accounts.b]", "config selects no account (there is a, b)"),
            ("[current]\naccount = 'x\\u001b'", "config has no account x\\u001b, which it selects"),
            (
                "current.account = \"x\\u001b\"\n[accounts.a]",
                "config has no account x\\u{1b}, which it selects (there is a)",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap().unwrap_err().message, message);
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
        assert!(read(&file).unwrap().is_none());
        assert!(read(&folder.0.join("none/config")).unwrap().is_none());
        symlink(folder.0.join("nowhere"), folder.0.join("link")).unwrap();
        assert!(read(&folder.0.join("link")).unwrap().is_none());
        assert!(read(&folder.0).unwrap_err().message.ends_with("it is a folder"));
        assert!(
            read(Path::new("/dev/zero")).unwrap_err().message.ends_with("it is not a regular file")
        );
        fs::write(&file, WHOLE).unwrap();
        assert!(read(&file.join("config")).unwrap().is_none());
        assert_eq!(read(&file).unwrap().unwrap().unwrap().name, "work");
        let mut large = format!("{WHOLE}#");
        large.push_str(&"x".repeat((SIZE_LIMIT as usize) - large.len()));
        fs::write(&file, &large).unwrap();
        assert!(read(&file).unwrap().is_some());
        fs::write(&file, large + "x").unwrap();
        assert!(read(&file).unwrap_err().message.ends_with("it is larger than 4 MiB"));
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
                let _ = account.unwrap().access_token(0);
            }
        }

        #[test]
        fn names_and_keys_come_back_as_written(name in "\\PC{1,20}", key in "[ -~]{1,20}") {
            let mut written = String::new();
            crate::json::quote(&mut written, &name);
            let key = key.replace(['\'', '\\'], "_");
            let account = account(&with(&format!("apps.x.appName = {written}\napps.x.apiKey = '{key}'")));
            // A pair of surrogates is JSON alone.
            prop_assume!(!written.contains("\\ud"));
            prop_assert_eq!(account.stored[0].app.name.as_deref(), Some(name.as_str()));
            prop_assert_eq!(account.stored[0].key.as_ref().unwrap().expose(), key);
        }
    }
}
