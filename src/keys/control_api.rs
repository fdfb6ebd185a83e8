//! Ably's Control API, as far as finding a key needs it: apps and their keys
//! (<https://ably.com/docs/platform/account/control-api>).

use std::time::Instant;

use crate::api_key::ApiKey;
use crate::error::{Error, Problem};
use crate::json::document::{Document, Value};
use crate::keys::key::{AccountEndpoint, App, Key};
use crate::net::answer::Answer;
use crate::net::endpoint::{Endpoint, Hosts};
use crate::net::segment;
use crate::net::session::{Credential, Net, Session};
use crate::secret::Secret;

const LATER: &str = "try again later, or give a key with ABLY_API_KEY";
/// More pages than this are a server that goes round in circles.
const PAGE_LIMIT: usize = 1000;

/// The characters of a path beside letters and digits (RFC 3986, 3.3).
const PATH: &str = "/-._~%!$&'()*+,;=:@";

/// Where the Control API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ControlBase {
    /// `host` or `host:port`.
    pub(super) host: String,
    /// Before all others: begins with a slash and ends without one.
    path: String,
}

impl Default for ControlBase {
    fn default() -> Self {
        Self { host: "control.ably.net".to_owned(), path: "/v1".to_owned() }
    }
}

impl ControlBase {
    /// Reads a host with an optional port, or a URL. A routing policy means nothing here.
    pub(super) fn read(value: &str) -> Result<Self, &'static str> {
        let scheme = value.get(..8).filter(|start| start.eq_ignore_ascii_case("https://"));
        let rest = scheme.and_then(|_| value.get(8..)).unwrap_or(value);
        if rest.contains("://") {
            return Err("must begin with https://");
        }
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let endpoint = Endpoint::read(host)?;
        if !endpoint.fallbacks.is_empty() {
            return Err("is not a host name");
        }
        if !path.chars().all(|c| c.is_ascii_alphanumeric() || PATH.contains(c)) {
            return Err("has a query, or characters that no path has");
        }
        let host = endpoint.primary;
        // The full CLI's rule: Ably's own hosts are control.* and control-*.
        let label = host.split(['.', ':']).next().unwrap_or_default();
        let path = match path.trim_end_matches('/') {
            "" if label == "control" || label.starts_with("control-") => "/v1",
            "" => "/api/v1",
            path => path,
        };
        Ok(Self { path: path.to_owned(), host })
    }
}

#[derive(Debug)]
pub struct ControlApi<'a> {
    session: Session<'a>,
    /// Before the path of every request.
    base: String,
    /// Where the keys are sent.
    endpoint: AccountEndpoint,
}

impl<'a> ControlApi<'a> {
    pub(super) fn new(
        net: Net<'a>,
        base: &ControlBase,
        token: &Secret,
        endpoint: AccountEndpoint,
    ) -> Result<Self, Problem> {
        net.redactor.add(token.expose());
        let session = Session::new(net, Hosts::single(&base.host), Credential::AccessToken(token));
        let remedy = "copy it again into ABLY_ACCESS_TOKEN, or renew it: ably accounts login";
        let session =
            session.map_err(|what| Problem::new(format!("the access token {what}"), remedy))?;
        Ok(Self { session, base: base.path.clone(), endpoint })
    }

    pub fn apps(&mut self) -> Result<Vec<App>, Error> {
        let me = self.get(&format!("{}/me", self.base), self.deadline())?.0;
        let account = me.root().get("account").and_then(|account| account.text("id"));
        let account = account.ok_or_else(|| self.unreadable("names no account"))?.to_owned();
        let listed = self.all(&format!("{}/accounts/{}/apps", self.base, segment(&account)))?;
        let apps: Option<Vec<App>> = items(&listed).map(|app| self.app(app)).collect();
        apps.ok_or_else(|| self.unreadable("lists an app without an ID"))
    }

    pub fn enabled_apps(&mut self) -> Result<Vec<App>, Error> {
        let mut apps = self.apps()?;
        apps.retain(|app| app.enabled);
        match apps.is_empty() {
            true => Err(Error::input(
                "the account has no app that is enabled",
                "check ABLY_ACCESS_TOKEN",
            )),
            false => Ok(apps),
        }
    }

    fn app(&self, app: Value<'_>) -> Option<App> {
        Some(App {
            id: self.clean(app.text("id")?),
            name: app.text("name").map(|name| self.clean(name)),
            enabled: app.text("status").is_none_or(|status| status == "enabled"),
            named_by: "the Control API",
        })
    }

    fn clean(&self, text: &str) -> String {
        self.session.net.redactor.clean(text).into_owned()
    }

    /// The keys of an app that are enabled.
    pub fn keys(&mut self, app: &App) -> Result<Vec<Key>, Error> {
        let listed = self.all(&format!("{}/apps/{}/keys", self.base, segment(&app.id)));
        let listed = listed
            .map_err(|error| error.context(format!("the keys of app {app} cannot be read")))?;
        // A key's status is a number, 0 for enabled.
        let is_enabled =
            |key: &Value<'_>| key.get("status").is_none_or(|status| status.as_integer() == Some(0));
        let keys: Option<Vec<Key>> =
            items(&listed).filter(is_enabled).map(|key| self.key(key, app)).collect();
        keys.ok_or_else(|| self.unreadable("lists a key without its parts"))
    }

    fn key(&self, key: Value<'_>, app: &App) -> Option<Key> {
        Some(Key {
            label: key.text("name").map(|name| self.clean(name)),
            irrevocable: !key.get("revocableTokens").is_some_and(Value::is_true),
            app: app.clone(),
            endpoint: self.endpoint.clone(),
            ..Key::new(secret_of(key)?, "Control API")
        })
    }

    /// All pages of a list.
    fn all(&mut self, path: &str) -> Result<Vec<Document>, Error> {
        let (mut pages, mut path, until) = (Vec::new(), path.to_owned(), self.deadline());
        for _ in 0..PAGE_LIMIT {
            let (page, link) = self.get(&path, until)?;
            let Some(items) = page.root().items() else {
                return Err(self.unreadable("is not the list that was asked for"));
            };
            let redactor = &self.session.net.redactor;
            items.filter_map(secret_of).for_each(|key| key.hide(redactor));
            pages.push(page);
            let Some(link) = link.as_deref().and_then(next_link) else { return Ok(pages) };
            path = follow(link, &path, self.session.hosts.preferred())
                .ok_or_else(|| self.unreadable("has its next page on another host"))?;
        }
        Err(self.unreadable("never ends: no last page among the first 1000"))
    }

    fn deadline(&self) -> Instant {
        let net = self.session.net;
        net.deadline(net.network.timeout)
    }

    /// One page, and its `Link` header.
    fn get(&mut self, path: &str, until: Instant) -> Result<(Document, Option<String>), Error> {
        let answer = self.session.send(path, None, until).map_err(|failure| {
            let mut problem = failure.problem.context("the Control API could not be asked");
            if problem.remedy.is_empty() {
                LATER.clone_into(&mut problem.remedy);
            }
            Error::lookup(problem, None)
        })?;
        match answer.body {
            _ if answer.status != 200 => Err(refused(answer)),
            Ok(page) => Ok((page, answer.link)),
            // What such a body holds may be a key, so nothing of it is shown.
            Err(body) => Err(self.unreadable(&format!("holds {}", body.flaw.words()))),
        }
    }

    fn unreadable(&self, what: &str) -> Error {
        let message =
            format!("the answer of the Control API at {} {what}", self.session.hosts.preferred());
        let remedy = "check ABLY_CONTROL_HOST, or give a key with ABLY_API_KEY";
        Error::lookup(Problem::new(message, remedy), None)
    }
}

fn refused(answer: Answer) -> Error {
    // The Control API's errors have their message at the top.
    let message = answer.body.as_ref().ok().and_then(|body| body.root().text("message"));
    let message = message.map(|text| answer.clean(text));
    let (status, mut error) = (answer.status, answer.error);
    error.message = error.message.or(message);
    let mut message = format!("the Control API answered {status}");
    for words in [error.described(), answer.gave_up].into_iter().flatten() {
        message += &format!(": {words}");
    }
    let remedy = match status {
        401 => "check the access token, or renew it: ably accounts login, or ABLY_ACCESS_TOKEN",
        403 => {
            "the access token lacks the right to read apps or keys: use another one, or give a key with ABLY_API_KEY"
        }
        404 => "check the app's ID and ABLY_CONTROL_HOST",
        429 => "wait a minute, or give a key with ABLY_API_KEY",
        300..=399 => "redirects are never followed: check ABLY_CONTROL_HOST",
        _ => LATER,
    };
    Error::lookup(Problem::new(message, remedy), Some(error))
}

fn items(pages: &[Document]) -> impl Iterator<Item = Value<'_>> {
    pages.iter().filter_map(|page| page.root().items()).flatten()
}

fn secret_of(item: Value<'_>) -> Option<ApiKey> {
    ApiKey::parse(item.text("key")?).ok()
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
fn next_link(header: &str) -> Option<&str> {
    let is_next = |parameters: &str| {
        let mut words = parameters.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case("next"))
    };
    let mut links = header.split('<').filter_map(|link| link.split_once('>'));
    links.find(|(_, parameters)| is_next(parameters)).map(|(target, _)| target)
}

/// The path of a link on the page at `path`; `None` where it leads to another host, to which the
/// access token must not go.
fn follow(link: &str, path: &str, host: &str) -> Option<String> {
    if let Some(rest) = link.strip_prefix("https://") {
        return rest.strip_prefix(host).filter(|path| path.starts_with('/')).map(str::to_owned);
    }
    let page = path.split_once('?').map_or(path, |(page, _)| page);
    match link {
        _ if link.contains("://") || link.starts_with("//") => None,
        _ if link.starts_with('/') => Some(link.to_owned()),
        _ if link.starts_with('?') => Some(format!("{page}{link}")),
        _ => Some(format!("{}/{}", page.rsplit_once('/')?.0, link.trim_start_matches("./"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_decides_on_its_path_and_a_url_has_its_own() {
        for (value, host, path) in [
            ("control.ably.net", "control.ably.net", "/v1"),
            ("Control-Staging.Ably.net:8443", "control-staging.ably.net:8443", "/v1"),
            ("control.localhost", "control.localhost", "/v1"),
            ("controller.example", "controller.example", "/api/v1"),
            ("my-control.example", "my-control.example", "/api/v1"),
            ("localhost:3000", "localhost:3000", "/api/v1"),
            ("[::1]:3000", "[::1]:3000", "/api/v1"),
        ] {
            let base = ControlBase { host: host.to_owned(), path: path.to_owned() };
            assert_eq!(ControlBase::read(value).as_ref(), Ok(&base));
            for slashes in ["", "/", "//"] {
                assert_eq!(
                    ControlBase::read(&format!("HTTPS://{value}{slashes}")),
                    Ok(base.clone())
                );
            }
            let url = ControlBase::read(&format!("https://{value}/a/b-c%20/")).unwrap();
            assert_eq!((url.host.as_str(), url.path.as_str()), (host, "/a/b-c%20"));
        }
        assert_eq!(ControlBase::read("control.ably.net"), Ok(ControlBase::default()));
    }

    #[test]
    fn what_names_no_control_api_is_refused_without_repeating_it() {
        for (value, reason) in [
            ("http://control.ably.net/v1", "must begin with https://"),
            ("", "is empty"),
            ("https://", "is empty"),
            ("https:///v1", "is empty"),
            ("https://us:s3cret@host.example/v1", "more in it"),
            ("https://host.example?s3cret", "more in it"),
            ("https://host.example/v1?s3cret", "query"),
            ("https://host.example/v1#s3cret", "query"),
            ("https://host.example/s3 cret", "characters"),
            ("https://host.example/é", "characters"),
            ("https://control/v1", "not a host name"),
            ("https://host.example:s3cret/", "port"),
        ] {
            let flaw = ControlBase::read(value).unwrap_err();
            assert!(flaw.contains(reason) && !flaw.contains("s3"), "{value}: {flaw}");
        }
    }

    #[test]
    fn the_next_page_is_found_among_other_links() {
        let header = r#"<./apps?first>; rel="first", <./apps?cursor=a%2Cb>; rel="next""#;
        assert_eq!(next_link(header), Some("./apps?cursor=a%2Cb"));
        for link in [
            "</x>; rel=next",
            r#"</x>; title="a, b"; rel="next""#,
            r#"</x>; rel="last next""#,
            r#"</x>; Rel="Next""#,
            r#"</y>; rel="first", </x>; rel="next""#,
        ] {
            assert_eq!(next_link(link), Some("/x"), "{link}");
        }
        assert_eq!(next_link(r#"<./x?cursor=1,2>; rel="next""#), Some("./x?cursor=1,2"));
        for none in ["", "<x>", "<x>; rel=\"prev\"", "x; rel=next", "<x; rel=next"] {
            assert_eq!(next_link(none), None, "{none}");
        }
    }

    #[test]
    fn a_link_is_followed_on_the_same_host_alone() {
        let on = |link| follow(link, "/v1/accounts/A/apps?page=1", "control.ably.net");
        let page = Some("/v1/accounts/A/apps?page=2".to_owned());
        assert_eq!(on("https://control.ably.net/v1/accounts/A/apps?page=2"), page);
        assert_eq!(on("/v1/accounts/A/apps?page=2"), page);
        assert_eq!(on("?page=2"), page);
        assert_eq!(on("apps?page=2"), page);
        assert_eq!(on("./apps?page=2"), page);
        for elsewhere in [
            "https://evil.example/v1",
            "//evil.example/",
            "http://control.ably.net/",
            "https://control.ably.net.evil/",
            "https://control.ably.net",
        ] {
            assert_eq!(on(elsewhere), None, "{elsewhere}");
        }
    }
}
