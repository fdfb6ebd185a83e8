//! Which proxy the environment names, with its credentials, and the way to a host. Who goes without
//! is decided in `no_proxy.rs`, the talk with the proxy is in `tunnel.rs`. ureq's own reading is not
//! used: it skips what it cannot parse and connects directly, takes `HTTP_PROXY` for HTTPS, and
//! knows `NO_PROXY` in part.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use ureq::{Proxy, ProxyProtocol};
use zeroize::Zeroizing;

use crate::error::Problem;
use crate::net::authority::Authority;
use crate::net::no_proxy::{Exempt, exemptions};

/// The variables in their order. Lower case first, as curl does it. `HTTP_PROXY` is not among
/// them: it is not for HTTPS, and a CGI server lets its clients set it.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXEMPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

const REMEDY: &str = "give http://, https://, socks5:// or socks5h:// and HOST:PORT, with \
                      USER:PASSWORD@ before the host if the proxy wants them, special characters in \
                      them percent-encoded";

/// The proxies that the environment names.
#[derive(Debug, Default)]
pub struct Proxies {
    proxy: Option<Result<NamedProxy, Problem>>,
    exempt: Vec<Exempt>,
}

/// A proxy that a variable names.
pub struct NamedProxy {
    pub(crate) variable: &'static str,
    /// Without credentials: `http://proxy:3128`.
    pub shown: String,
    /// For ureq. Never to be printed: it shows the first letter of the user name.
    pub(crate) proxy: Proxy,
    /// The password as typed and as decoded, and the credentials as in the header. A user name
    /// without a password is a token, and a secret too.
    pub(crate) secrets: Vec<String>,
}

impl fmt::Debug for NamedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.shown, self.variable)
    }
}

impl Proxies {
    /// Reads the variables by way of `get`. Set but empty counts as unset. Where both cases of a
    /// name are set, lower case counts. A proxy that does not work here is a flaw only of the
    /// routes that need it.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = Zeroizing::new(get(name)?);
                (!value.is_empty()).then_some((*name, value))
            })
        };
        let proxy = first(&VARIABLES).map(|(variable, value)| {
            named(variable, &value)
                .map_err(|flaw| Problem::new(format!("the proxy in {variable} {flaw}"), REMEDY))
        });
        let exempt = first(&EXEMPTIONS).map_or_else(Vec::new, |(_, list)| exemptions(&list));
        Self { proxy, exempt }
    }

    /// The proxy for `host` or `host:port` as a URL has it. The error is that it cannot be used: never
    /// connect directly instead.
    pub fn route(&self, authority: &str) -> Result<Option<&NamedProxy>, &Problem> {
        let to = Authority::parse(authority).ok();
        let is_exempt = to.is_some_and(|to| self.exempt.iter().any(|rule| rule.covers(&to)));
        self.proxy.as_ref().filter(|_| !is_exempt).map(Result::as_ref).transpose()
    }

    pub fn secrets(&self) -> &[String] {
        match &self.proxy {
            Some(Ok(named)) => &named.secrets,
            _ => &[],
        }
    }
}

/// Reads a proxy; what is wrong with it is the rest of a sentence.
fn named(variable: &'static str, value: &str) -> Result<NamedProxy, &'static str> {
    if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("has white space or control characters in it");
    }
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let protocol = ProxyProtocol::try_from(scheme).map_err(|_| "has an unknown scheme")?;
    // socks:// is version 4 to curl.
    if matches!(protocol, ProxyProtocol::Socks4 | ProxyProtocol::Socks4A)
        || scheme.eq_ignore_ascii_case("socks")
    {
        return Err("is SOCKS of another kind than socks5:// and socks5h://");
    }
    let (rest, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    if !matches!(path, "" | "/") {
        return Err("has a path, a query, or unencoded / ? # in its credentials");
    }
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (user, rest),
        None => ("", rest),
    };
    // The error itself could be about a part of a password.
    let Authority { host, port } =
        Authority::parse(rest).map_err(|_| "is not a host with an optional port")?;
    let host = Authority { host, port: None }.to_string();
    let mut builder = Proxy::builder(protocol).host(&host);
    if let Some(port) = port {
        builder = builder.port(port);
    }
    let mut secrets = Vec::new();
    if !user.is_empty() {
        let (typed_user, typed_password) = user.split_once(':').unwrap_or((user, ""));
        let (user, password) = (decode(typed_user)?, decode(typed_password)?);
        // The longest that SOCKS can hold (RFC 1929).
        let is_too_long = user.len().max(password.len()) > 255;
        if is_too_long && !matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https) {
            return Err("has a user name or a password that is too long for SOCKS");
        }
        let (typed, decoded) =
            if password.is_empty() { (typed_user, &user) } else { (typed_password, &password) };
        secrets.extend([typed.to_owned(), decoded.to_string()]);
        secrets.dedup();
        secrets.push(basic(&user, &password).trim_end_matches('=').to_owned());
        builder = builder.username(&user).password(&password);
    }
    let proxy = builder.build().map_err(|_| "cannot be used")?;
    let scheme = protocol.to_string().to_ascii_lowercase();
    // With the default port, so that nobody has to guess it.
    let shown = format!("{scheme}://{host}:{}", proxy.port());
    Ok(NamedProxy { variable, shown, proxy, secrets })
}

/// Undoes percent-encoding, once. A `%` that starts no code stands for itself, as in curl.
fn decode(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let text =
        percent_decode_str(text).decode_utf8().map_err(|_| "has credentials that are not UTF-8")?;
    // U+FFFD stands for bytes of the variable that were not UTF-8.
    if text.contains(|c: char| c.is_control() || c == '\u{fffd}') {
        return Err("has control characters or broken UTF-8 in its credentials");
    }
    Ok(Zeroizing::new(text.into_owned()))
}

pub(crate) fn basic(user: &str, password: &str) -> Zeroizing<String> {
    let whole = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(BASE64_STANDARD.encode(whole.as_bytes()))
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_env(|name| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn one(value: &str) -> Proxies {
        with(&[("HTTPS_PROXY", value)])
    }

    fn way(proxies: &Proxies, host: &str, port: u16) -> String {
        match proxies.route(&format!("{host}:{port}")) {
            Ok(Some(named)) => format!("{named:?}"),
            Ok(None) => "direct".to_owned(),
            Err(problem) => problem.message.clone(),
        }
    }

    fn exempt(list: &str, host: &str, port: u16) -> bool {
        let proxies = with(&[("https_proxy", "proxy:3128"), ("NO_PROXY", list)]);
        proxies.route(&format!("{host}:{port}")).unwrap().is_none()
    }

    #[test]
    fn variables_are_read_in_curls_order_and_http_proxy_never() {
        let all = [
            ("https_proxy", "a:1"),
            ("HTTPS_PROXY", "b:2"),
            ("all_proxy", "c:3"),
            ("ALL_PROXY", "d:4"),
            ("http_proxy", "e:5"),
            ("HTTP_PROXY", "f:6"),
        ];
        for (from, shown) in ["a:1", "b:2", "c:3", "d:4"].into_iter().enumerate() {
            let expected = format!("http://{shown} from {}", VARIABLES[from]);
            assert_eq!(way(&with(&all[from..]), "h", 443), expected);
        }
        assert_eq!(way(&with(&all[4..]), "h", 443), "direct");
        let empty = with(&[("https_proxy", ""), ("HTTPS_PROXY", ""), ("ALL_PROXY", "d:4")]);
        assert_eq!(way(&empty, "h", 443), "http://d:4 from ALL_PROXY");
    }

    #[test]
    fn a_proxy_is_shown_without_its_credentials() {
        for (value, shown) in [
            ("proxy", "http://proxy:80"),
            ("proxy:3128", "http://proxy:3128"),
            ("user:s3cret@proxy:3128", "http://proxy:3128"),
            ("HTTP://user:s3cret@Proxy.Example:3128/", "http://proxy.example:3128"),
            ("https://proxy", "https://proxy:443"),
            ("http://[::1]:3128", "http://[::1]:3128"),
            ("http://squid_proxy:3128", "http://squid_proxy:3128"),
            ("socks5://user:s3cret@proxy", "socks5://proxy:1080"),
            ("SOCKS5H://127.0.0.1:9050", "socks5h://127.0.0.1:9050"),
        ] {
            let proxies = one(value);
            assert_eq!(way(&proxies, "h", 443), format!("{shown} from HTTPS_PROXY"));
            assert!(!format!("{proxies:?}").contains("s3cret"));
            let NamedProxy { proxy, .. } = proxies.route("h").unwrap().unwrap();
            assert!(format!("{}", proxy.uri()).contains(shown.split_once("//").unwrap().1));
        }
    }

    #[test]
    fn credentials_are_decoded_once_and_all_their_forms_are_secret() {
        for (typed, user, password) in [
            ("user:p%40ss", "user", "p@ss"),
            ("user:p@ss:x", "user", "p@ss:x"),
            ("user:100%25%32%35", "user", "100%25"),
            ("user:50%", "user", "50%"),
            ("user:%zz+%c3%a9", "user", "%zz+é"),
            ("us%3aer:", "us:er", ""),
            ("token", "token", ""),
            (":only", "", "only"),
        ] {
            let proxies = one(&format!("http://{typed}@proxy:3128"));
            let NamedProxy { proxy, .. } = proxies.route("h").unwrap().unwrap();
            assert_eq!(proxy.username(), Some(user));
            assert_eq!(proxy.password(), Some(password));
            let secret = if password.is_empty() { user } else { password };
            let header = BASE64_STANDARD.encode(format!("{user}:{password}"));
            for form in [secret, header.trim_end_matches('=')] {
                assert!(proxies.secrets().iter().any(|own| own == form), "{typed}: {form}");
            }
        }
        assert_eq!(one("http://user:p%40ss@proxy").secrets()[..2], ["p%40ss", "p@ss"]);
        assert!(one("http://@proxy").secrets().is_empty());
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_it() {
        for (value, reason) in [
            ("socks4://user:s3cret@proxy:1080", "SOCKS of another kind"),
            ("socks4a://proxy", "SOCKS of another kind"),
            ("SOCKS://proxy", "SOCKS of another kind"),
            ("ftp://user:s3cret@proxy", "unknown scheme"),
            ("://proxy", "unknown scheme"),
            ("gopher://user:s3cret@proxy:1", "unknown scheme"),
            ("http:///path", "path"),
            ("http://proxy:0", "not a host"),
            ("http://proxy:", "not a host"),
            ("http://[::1", "not a host"),
            ("-", "not a host"),
            ("http://pröxy:1", "not a host"),
            ("http://user:s3cret@:1", "not a host"),
            ("http://proxy:1?query", "query"),
            (" http://proxy:1", "white space"),
            ("http://", "not a host"),
            ("http://user:s3cret@", "not a host"),
            ("http://user:s3cret@proxy:99999", "not a host"),
            ("http://user:s3#cret@proxy:1", "unencoded"),
            ("http://user:12/s3cret@proxy:1", "unencoded"),
            ("http://user:s3cret/@proxy:1", "unencoded"),
            ("http://proxy:3128/path", "path"),
            ("http://user:s3cret%0d%0aX-Evil:1@proxy", "control"),
            ("http://user%00:s3cret@proxy", "control"),
            ("http://user:s3cret%ff@proxy", "UTF-8"),
            ("http://user:s3cret\u{fffd}@proxy", "UTF-8"),
            ("http://user:s3 cret@proxy", "white space"),
            (" ", "white space"),
            ("proxy:3128\n", "white space"),
            ("http://user:s3cret\r\n@proxy", "white space"),
        ] {
            let proxies = one(value);
            let problem = proxies.route("h").expect_err(value);
            let text = format!("{} {}", problem.message, problem.remedy);
            assert!(text.contains(reason), "{value:?}: {text}");
            assert!(text.contains("HTTPS_PROXY"));
            assert!(!text.contains("s3") && !text.contains("cret"), "{text}");
        }
        // A later variable does not make up for it; an exempt host does not need it.
        let proxies =
            with(&[("https_proxy", "socks4://p"), ("ALL_PROXY", "p:1"), ("NO_PROXY", "a")]);
        assert!(proxies.route("h").is_err());
        assert_eq!(way(&proxies, "a", 443), "direct");
    }

    #[test]
    fn a_route_says_where_it_comes_from() {
        let proxies = with(&[("all_proxy", "p:1"), ("no_proxy", "x, .Ably.net")]);
        assert_eq!(way(&proxies, "main.realtime.ably.net", 443), "direct");
        assert_eq!(way(&proxies, "other", 443), "http://p:1 from all_proxy");
        assert!(proxies.route("rest.ably.net:8443").unwrap().is_none());
        assert!(proxies.route("[::1]:8443").unwrap().is_some());
        assert!(Proxies::default().route("h").unwrap().is_none());
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic_or_leak(user in "\\PC{0,12}", list in "\\PC{0,40}", host in "\\PC{0,20}") {
            if let Err(problem) = one(&format!("http://u:Zq9{user}@p:1")).route("h") {
                prop_assert!(!problem.message.contains("Zq9"));
            }
            let _ = exempt(&list, &host, 443);
        }

        #[test]
        fn credentials_survive_their_way_through_the_url(user in "[^\\p{C}\\s\u{fffd}]{1,8}", password in "[^\\p{C}\\s\u{fffd}]{0,8}") {
            let mut typed = String::new();
            typed.extend(utf8_percent_encode(&user, NON_ALPHANUMERIC));
            typed.push(':');
            typed.extend(utf8_percent_encode(&password, NON_ALPHANUMERIC));
            let proxies = one(&format!("http://{typed}@p:1"));
            let NamedProxy { proxy, .. } = proxies.route("h").unwrap().unwrap();
            prop_assert_eq!(proxy.username(), Some(user.as_str()));
            prop_assert_eq!(proxy.password(), Some(password.as_str()));
        }
    }
}
