//! The configuration that the full Ably CLI writes (`~/.ably/config`, TOML), read only: of the
//! current account what helps to find an app and a key, nothing else. It ends where one is chosen.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::environment::Environment;
use crate::error::Problem;
use crate::file::{self, Named, reason};
use crate::keys::shapes::{App, KeyAtHand};
use crate::secret::Secret;
use crate::secret::redactor::Redactor;
use crate::text::{Safe, excerpt};

/// A configuration is some KB; this leaves room for thousands of apps. In bytes.
const SIZE_LIMIT: u64 = 4 << 20;
/// How many accounts are listed where the current one is not among them.
const LISTED: usize = 10;
const OTHER_WAYS: &str = "give a key with --api-key-file or ABLY_API_KEY instead";
const LOGIN: &str =
    "run `ably accounts login` with the full Ably CLI, or set ABLY_ACCESS_TOKEN to an access token";

/// The configuration of the full Ably CLI.
#[derive(Debug)]
pub struct Configuration {
    /// The file it was read from.
    pub path: PathBuf,
    account: Result<Account, Problem>,
}

/// The current account.
#[derive(Debug)]
pub struct Account {
    /// What the operator calls it (`current.account`).
    pub name: String,
    /// The app that the operator selected.
    pub current_app_id: Option<String>,
    /// A routing policy or host, as `--endpoint`.
    pub endpoint: Option<String>,
    /// The Control API's host.
    pub control_host: Option<String>,
    /// The apps it knows of, by ID.
    pub apps: Vec<App>,
    keys: Vec<StoredKey>,
    login: Login,
}

/// The key that the configuration holds for an app.
#[derive(Debug)]
struct StoredKey {
    app_id: String,
    /// Whole, not yet checked.
    key: Secret,
    label: Option<String>,
}

/// How the account authenticates to the Control API.
#[derive(Debug)]
struct Login {
    access_token: Option<Secret>,
    /// Unix milliseconds.
    expires_at: Option<i64>,
    /// The account names an OAuth session that is not in the file.
    session_missing: bool,
}

/// Where the configuration is: `$ABLY_CLI_CONFIG_DIR/config`, else `$HOME/.ably/config`. A
/// variable that is empty counts as unset; `None` where both are.
pub fn path(get_env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| get_env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("ABLY_CLI_CONFIG_DIR").or_else(|| set("HOME").map(|home| home.join(".ably")));
    Some(folder?.join("config"))
}

/// Where the configuration is, and what to call it.
pub fn named(env: Environment) -> Option<Named> {
    Some((path(|name| env.raw(name))?, "the Ably CLI's configuration"))
}

/// Reads the configuration; `None` where there is no such file.
///
/// # Errors
/// It cannot be read, is no file or over 4 MiB, is not UTF-8 or not TOML, or a value of the current
/// account has the wrong type. The message names file and line and holds no value of the file.
pub fn read(path: &Path) -> Result<Option<Configuration>, Problem> {
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
    let account = Source { shown, bytes: &bytes }.account()?;
    Ok(Some(Configuration { path: path.to_owned(), account }))
}

impl Configuration {
    /// The current account.
    ///
    /// # Errors
    /// None is selected, or the one selected has no entry. Ask only where one is needed.
    pub fn account(&self) -> Result<&Account, Problem> {
        self.account.as_ref().map_err(Problem::clone)
    }
}

impl Account {
    /// The access token for the Control API; `None` where there is none. `now` is Unix time in
    /// milliseconds.
    ///
    /// # Errors
    /// The OAuth session has expired or is gone. Only the full Ably CLI can renew it, since that
    /// writes the file.
    pub fn access_token(&self, now: i64) -> Result<Option<&Secret>, Problem> {
        let Login { access_token, expires_at, session_missing } = &self.login;
        let what = match (access_token, expires_at) {
            (Some(_), Some(expires_at)) if *expires_at <= now => "has expired",
            (None, _) if *session_missing => "is not in the configuration",
            _ => return Ok(access_token.as_ref()),
        };
        let message = format!("the login of account {} {what}", Safe(excerpt(&self.name).as_ref()));
        Err(Problem::new(message, LOGIN))
    }

    /// Makes the redactor know every secret of the account, whether it still serves or not.
    pub fn conceal(&self, redactor: &Redactor) {
        if let Some(token) = &self.login.access_token {
            redactor.add(token.expose());
        }
        self.keys.iter().for_each(|stored| redactor.add_given_key(stored.key.expose()));
    }

    /// The apps for which there is a key.
    pub fn apps_with_key(&self) -> Vec<App> {
        let has_key = |app: &&App| self.keys.iter().any(|key| key.app_id == app.id);
        self.apps.iter().filter(has_key).cloned().collect()
    }

    /// The key for an app.
    ///
    /// # Errors
    /// What is stored is no key.
    pub fn key_of(&self, app: &App) -> Result<Option<KeyAtHand>, Problem> {
        let Some(stored) = self.keys.iter().find(|key| key.app_id == app.id) else {
            return Ok(None);
        };
        let source = format!("configuration (account {})", self.name);
        let key = ApiKey::from_secret(&stored.key).map_err(|what| {
            Problem::new(
                format!("the API key of app {app} from {source} cannot be used: {what}"),
                "select the key again with the full Ably CLI, or give one with ABLY_API_KEY",
            )
        })?;
        Ok(Some(KeyAtHand { key, label: stored.label.clone(), revocable: None, source }))
    }
}

/// The file as it was read, to tell lines by.
struct Source<'a> {
    shown: String,
    bytes: &'a [u8],
}

impl Source<'_> {
    /// The outer error is that of a bad file, the inner one that of a file without the account.
    fn account(&self) -> Result<Result<Account, Problem>, Problem> {
        let text = str::from_utf8(self.bytes)
            .map_err(|error| self.problem(error.valid_up_to(), "not UTF-8"))?;
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        // The error's Display quotes the line, which may hold a key; its message does not.
        let table = DeTable::parse(text.get(mark..).unwrap_or_default()).map_err(|error| {
            let at = error.span().map_or(self.bytes.len(), |span| span.start + mark);
            self.problem(at, &format!("not TOML: {}", Safe(error.message())))
        })?;
        let root = Node { source: self, mark, table: table.get_ref(), path: String::new() };
        let current = root.table("current")?;
        let name = current.as_ref().map(|node| node.text("account")).transpose()?.flatten();
        let accounts = root.table("accounts")?;
        let Some(name) = name else {
            return Ok(Err(self.no_account("selects no account", accounts.as_ref())));
        };
        let entry = accounts.as_ref().map(|node| node.table(&name)).transpose()?.flatten();
        let Some(entry) = entry else {
            let what =
                format!("has no account {}, which it selects", Safe(excerpt(&name).as_ref()));
            return Ok(Err(self.no_account(&what, accounts.as_ref())));
        };
        // Older versions of the CLI kept the app there; newer ones let it win and move it.
        let selected = current.map(|node| node.text("app")).transpose()?.flatten();
        let mut account = entry.account(name, &root)?;
        account.current_app_id = selected.or(account.current_app_id);
        Ok(Ok(account))
    }

    fn no_account(&self, what: &str, accounts: Option<&Node<'_>>) -> Problem {
        let names: Vec<String> = accounts
            .into_iter()
            .flat_map(|node| node.table.keys())
            .take(LISTED)
            .map(|name| Safe(excerpt(name.get_ref()).as_ref()).to_string())
            .collect();
        let known = match names.as_slice() {
            [] => String::new(),
            names => format!(" (there is {})", names.join(", ")),
        };
        let remedy = format!("run `ably accounts switch` with the full Ably CLI, or {OTHER_WAYS}");
        Problem::new(format!("{} {what}{known}", self.shown), remedy)
    }

    fn problem(&self, at: usize, what: &str) -> Problem {
        let before = self.bytes.get(..at).unwrap_or(self.bytes);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Problem::new(
            format!("{} line {line}: {what}", self.shown),
            format!("mend that line, or {OTHER_WAYS}"),
        )
    }
}

/// A table of the file, with the path to it.
struct Node<'a> {
    source: &'a Source<'a>,
    /// Length of the byte order mark, which spans do not count.
    mark: usize,
    table: &'a DeTable<'a>,
    path: String,
}

impl<'a> Node<'a> {
    fn account(&self, name: String, root: &Node<'_>) -> Result<Account, Problem> {
        let (mut apps, mut keys) = (Vec::new(), Vec::new());
        if let Some(table) = self.table("apps")? {
            for id in table.table.keys().map(|id| id.get_ref()) {
                let Some(entry) = table.table(id)? else { continue };
                apps.push(App { name: entry.text("appName")?, ..App::by_id(id) });
                let label = entry.text("keyName")?;
                if let Some(key) = entry.text("apiKey")?.map(Secret::new) {
                    keys.push(StoredKey { app_id: id.to_string(), key, label });
                }
            }
        }
        Ok(Account {
            name,
            current_app_id: self.text("currentAppId")?,
            endpoint: self.text("endpoint")?,
            control_host: self.text("controlHost")?,
            apps,
            keys,
            login: self.login(root)?,
        })
    }

    /// The session that the account names, else what the account itself holds, as the CLI does.
    fn login(&self, root: &Node<'_>) -> Result<Login, Problem> {
        let key = self.text("oauthSessionKey")?;
        let sessions = if key.is_some() { root.table("oauthSessions")? } else { None };
        let session = match (&sessions, &key) {
            (Some(sessions), Some(key)) => sessions.table(key)?,
            _ => None,
        };
        let holder = session.as_ref().unwrap_or(self);
        Ok(Login {
            access_token: holder.text("accessToken")?.map(Secret::new),
            expires_at: holder.time("accessTokenExpiresAt")?,
            session_missing: key.is_some() && session.is_none(),
        })
    }

    fn table(&self, key: &str) -> Result<Option<Node<'a>>, Problem> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(key, value, "a table"))?;
        Ok(Some(Node { table, path: format!("{}{key}.", self.path), ..*self }))
    }

    /// A string; an empty one counts as absent.
    fn text(&self, key: &str) -> Result<Option<String>, Problem> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let text = value.get_ref().as_str().ok_or_else(|| self.wrong(key, value, "a string"))?;
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// A time in Unix milliseconds; the CLI writes an integer, 0 for none.
    fn time(&self, key: &str) -> Result<Option<i64>, Problem> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        millis(value.get_ref())
            .map(|time| (time != 0).then_some(time))
            .ok_or_else(|| self.wrong(key, value, "a time in Unix milliseconds"))
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Problem {
        let path = format!("{}{key}", self.path);
        let what = format!("{} must be {wanted}", Safe(excerpt(&path).as_ref()));
        self.source.problem(value.span().start + self.mark, &what)
    }
}

fn millis(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().ok()?;
            // A cast of what is beyond i64 ends at its limits, which are as far away.
            number.is_finite().then_some(number as i64)
        }
        DeValue::String(text) => rfc3339_millis(text.trim()),
        DeValue::Datetime(time) => rfc3339_millis(&time.to_string()),
        _ => None,
    }
}

/// A date and time as Unix milliseconds; without an offset it is taken for UTC. humantime knows
/// UTC alone.
fn rfc3339_millis(text: &str) -> Option<i64> {
    let tail = text.len().checked_sub("+00:00".len()).and_then(|at| text.split_at_checked(at));
    let (local, offset) = match tail {
        Some((local, offset)) if offset.starts_with(['+', '-']) && offset.contains(':') => {
            let (hours, minutes) = offset.split_once(':')?;
            let sign = if hours.starts_with('-') { -1 } else { 1 };
            let minutes = sign * i64::from(minutes.parse::<u8>().ok()?);
            (local, hours.parse::<i64>().ok()? * 60 + minutes)
        }
        _ => (text.strip_suffix(['Z', 'z']).unwrap_or(text), 0),
    };
    let since = humantime::parse_rfc3339_weak(local).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(i64::try_from(since.as_millis()).ok()? - offset * 60_000)
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

    fn parse(text: &[u8]) -> Result<Result<Account, Problem>, Problem> {
        Source { shown: "config".into(), bytes: text }.account()
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
        let found = |dir: Option<&str>, home: Option<&str>| {
            path(|name| if name == "HOME" { home } else { dir }.map(OsString::from))
        };
        assert_eq!(found(Some("/c"), Some("/h")), Some("/c/config".into()));
        assert_eq!(found(Some(""), Some("/h")), Some("/h/.ably/config".into()));
        assert_eq!(found(None, Some("")), None);
        assert_eq!(found(None, None), None);
    }

    #[test]
    fn the_current_account_is_read_whole() {
        for text in [WHOLE.to_owned(), format!("\u{feff}{WHOLE}"), WHOLE.replace('\n', "\r\n")] {
            let account = account(&text);
            assert_eq!(account.name, "work");
            assert_eq!(account.current_app_id.as_deref(), Some("app1"));
            assert_eq!(account.endpoint.as_deref(), Some("eu"));
            assert_eq!(account.control_host.as_deref(), Some("control.example"));
            let key = account.key_of(&App::by_id("app1")).unwrap().unwrap();
            assert_eq!(key.key.expose(), "app1.key:s3cret");
            assert_eq!(key.label.as_deref(), Some("Root"));
            for none in ["app2", "App1"] {
                assert!(account.key_of(&App::by_id(none)).unwrap().is_none(), "{none}");
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
        assert!(gone.access_token(0).unwrap_err().message.contains("is not in the configuration"));
        let own = account(&with("oauthSessionKey = 'x'\naccessToken = 't'"));
        assert_eq!(own.access_token(i64::MAX).unwrap().unwrap().expose(), "t");
        assert!(account(&with("")).access_token(0).unwrap().is_none());
    }

    #[test]
    fn an_expiry_may_be_written_in_several_ways() {
        let at = 1_795_453_744_000;
        for written in [
            "1795453744000",
            "0x1a20961f380",
            "1795453744000.0",
            "1.795453744e12",
            "2026-11-23T17:09:04Z",
            "'2026-11-23T17:09:04Z'",
            "'2026-11-23 18:39:04.000+01:30'",
            "2026-11-23T17:09:04",
        ] {
            let account =
                account(&with(&format!("accessToken = 't'\naccessTokenExpiresAt = {written}")));
            assert!(account.access_token(at - 1).is_ok(), "{written}");
            assert!(account.access_token(at).is_err(), "{written}");
        }
        for bad in ["", "soon", "23:59", "2026-11-23T17:09:04+1:30", "2026-11-23T17:09:04+01:é"] {
            assert_eq!(rfc3339_millis(bad), None, "{bad}");
        }
        assert_eq!(rfc3339_millis("1970-01-01T00:00:00-00:30"), Some(1_800_000));
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
        assert!(bad(&format!("\u{feff}{}", with("endpoint = 1"))).starts_with("config line 4:"));
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
        let configuration = read(&file).unwrap().unwrap();
        assert_eq!(
            (configuration.account().unwrap().name.as_str(), &configuration.path),
            ("work", &file)
        );
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
            key in prop::sample::select(vec!["currentAppId", "endpoint", "apps", "apps.x", "apps.x.apiKey",
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
            prop_assert_eq!(account.apps[0].name.as_deref(), Some(name.as_str()));
            prop_assert_eq!(account.keys[0].key.expose(), key);
        }
    }
}
