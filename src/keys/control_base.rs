//! Where the Control API is: a host whose path is known, or a URL with a path of its own.

use crate::net::endpoint::Endpoint;

/// The characters of a path beside letters and digits (RFC 3986, 3.3).
const PATH: &str = "/-._~%!$&'()*+,;=:@";

/// The host of the Control API, and the path before all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlBase {
    /// `host` or `host:port`.
    pub host: String,
    /// Begins with a slash and ends without one.
    pub path: String,
}

impl Default for ControlBase {
    fn default() -> Self {
        Self { host: "control.ably.net".to_owned(), path: "/v1".to_owned() }
    }
}

impl ControlBase {
    /// Reads a host with an optional port; a routing policy means nothing here.
    pub fn of_host(value: &str) -> Result<Self, &'static str> {
        let endpoint = Endpoint::read(value)?;
        if !endpoint.fallbacks.is_empty() {
            return Err("is not a host name");
        }
        let host = endpoint.primary;
        // The full CLI's rule: Ably's own hosts are control.* and control-*.
        let label = host.split(['.', ':']).next().unwrap_or_default();
        let path =
            if label == "control" || label.starts_with("control-") { "/v1" } else { "/api/v1" };
        Ok(Self { host, path: path.to_owned() })
    }

    /// Reads a URL. One without a path leaves that to the host.
    pub fn of_url(value: &str) -> Result<Self, &'static str> {
        let scheme = value.get(..8).filter(|start| start.eq_ignore_ascii_case("https://"));
        let rest = scheme.and_then(|_| value.get(8..)).ok_or("must begin with https://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let base = Self::of_host(host)?;
        if !path.chars().all(|c| c.is_ascii_alphanumeric() || PATH.contains(c)) {
            return Err("has a query, or characters that no path has");
        }
        match path.trim_end_matches('/') {
            "" => Ok(base),
            path => Ok(Self { path: path.to_owned(), ..base }),
        }
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
            assert_eq!(ControlBase::of_host(value).as_ref(), Ok(&base));
            for slashes in ["", "/", "//"] {
                assert_eq!(
                    ControlBase::of_url(&format!("HTTPS://{value}{slashes}")),
                    Ok(base.clone())
                );
            }
            let url = ControlBase::of_url(&format!("https://{value}/a/b-c%20/")).unwrap();
            assert_eq!((url.host.as_str(), url.path.as_str()), (host, "/a/b-c%20"));
        }
        assert_eq!(ControlBase::of_host("control.ably.net"), Ok(ControlBase::default()));
    }

    #[test]
    fn what_names_no_control_api_is_refused_without_repeating_it() {
        for (value, reason) in [
            ("http://control.ably.net/v1", "must begin with https://"),
            ("control.ably.net/v1", "must begin with https://"),
            ("", "must begin with https://"),
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
            let flaw = ControlBase::of_url(value).unwrap_err();
            assert!(flaw.contains(reason) && !flaw.contains("s3"), "{value}: {flaw}");
        }
    }
}
