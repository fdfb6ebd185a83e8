//! What to do about the errors that Ably is known to answer with. Every code has a page:
//! <https://ably.com/docs/platform/errors/codes>.

use crate::error::AblyError;

/// For an outcome that is unknown.
pub const AGAIN: &str = "run the same command again: revoking twice is safe";
/// For an answer that is not Ably's.
pub const FOREIGN: &str = "something between here and Ably answered, such as a proxy, a firewall or a \
                           sign-in page: open the way to Ably, or check --endpoint and HTTPS_PROXY";
const LIMITED: &str = "wait a minute and run the command again, or give --timeout more seconds";

/// For an outcome that is unknown for a reason that has a remedy of its own, or none.
pub fn then_again(remedy: &str) -> String {
    if remedy.is_empty() { AGAIN.to_owned() } else { format!("{remedy}; then {AGAIN}") }
}

/// The remedy for one of Ably's codes; empty where none is known.
pub fn of(code: Option<i64>) -> &'static str {
    let Some(code) = code else { return "" };
    match code {
        40003 => "give --issued-before a time that is neither in the future nor over an hour old",
        40005 | 40101 | 40130 => {
            "Ably does not know this API key, or its secret is wrong: copy the whole key from the dashboard again"
        }
        40012 => "Ably does not accept this client ID: check how it is written",
        40102 => "the key belongs to another app: use a key of the app that is meant",
        40110 | 40113 | 40120 => {
            "the account or the app is disabled or blocked: see the dashboard, or ask Ably's support"
        }
        40115 => {
            "the account has reached its limit of API requests: wait, or ask Ably's support to raise it"
        }
        40121 => {
            "enable revocable tokens for the key in the dashboard (API keys); for channels ask Ably's support"
        }
        40131 | 40132 => "the API key has been revoked or has expired: use another key of the app",
        40133 => "use the key that issued the tokens: another key cannot revoke them",
        40160 | 40161 | 40167 => {
            "the key's capability does not allow this, or revocable tokens are not enabled for it: see the key in the dashboard, or use another key of the app"
        }
        40162 => "revocation needs an API key; a token cannot revoke",
        40163 | 40164 => {
            "enable revocable tokens for this key in the dashboard (API keys, Revocable tokens); tokens issued before that stay irrevocable"
        }
        40300 => {
            "the app or account may be disabled, or the key may lack a permission: see the dashboard"
        }
        40330..=40332 => {
            "this host does not serve the app: give the app's own endpoint with --endpoint"
        }
        40400 => {
            "the app or key does not exist: check the key, IDs are case-sensitive; this does not mean that there are no tokens"
        }
        42910 | 42918 | 42922 => LIMITED,
        50205 | 50305 | 50306 | 50405 => {
            "try again; if it stays, quote the ID in brackets at the end of the message to Ably's support"
        }
        _ => "",
    }
}

/// The remedy for a refusal. Empty only where Ably's own help page is shown.
pub fn of_refusal(error: &AblyError, status: u16) -> String {
    match (of(error.code), error.code, status) {
        ("", _, 407) => "check the proxy's credentials".to_owned(),
        ("", _, 429) => LIMITED.to_owned(),
        ("", Some(_), 401 | 403) => "check the API key and the app it belongs to".to_owned(),
        ("", Some(_), 404) => {
            "check --endpoint and the API key: the app or key was not found there".to_owned()
        }
        ("", _, _) if error.href.is_some() => String::new(),
        ("", Some(code), _) => format!("see https://ably.com/docs/platform/errors/codes/{code}"),
        ("", None, _) => FOREIGN.to_owned(),
        (known, ..) => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_without_a_remedy_leads_to_its_page_once() {
        let error = |href: Option<&str>| {
            let href = href.map(str::to_owned);
            of_refusal(&AblyError { code: Some(49_999), href, ..AblyError::default() }, 400)
        };
        assert_eq!(error(Some("https://help.ably.io/error/49999")), "");
        assert!(error(None).ends_with("/49999"));
    }

    #[test]
    fn every_code_that_operators_meet_has_a_remedy() {
        for code in [
            40003, 40005, 40012, 40101, 40102, 40110, 40113, 40115, 40120, 40121, 40130, 40131,
            40132, 40133, 40160, 40161, 40162, 40163, 40164, 40167, 40300, 40330, 40331, 40332,
            40400, 42910, 42918, 42922, 50205, 50305, 50306, 50405,
        ] {
            assert_ne!(of(Some(code)), "", "{code}");
        }
        assert_eq!(of(Some(50000)), "");
        for (code, words) in [
            (40003, "--issued-before"),
            (40121, "enable revocable tokens"),
            (40131, "has been revoked"),
            (40160, "the key's capability"),
            (40162, "needs an API key"),
            (40163, "Revocable tokens"),
            (40164, "Revocable tokens"),
            (40300, "may be disabled"),
            (42918, "wait a minute"),
            (42922, "wait a minute"),
        ] {
            assert!(of(Some(code)).contains(words), "{code}: {}", of(Some(code)));
        }
    }
}
