//! What to do about the errors that Ably is known to answer with. Every code has a page:
//! <https://ably.com/docs/platform/errors/codes>.

/// For an outcome that is unknown.
pub const AGAIN: &str = "run the same command again: revoking twice is safe";

/// The remedy for one of Ably's codes; empty where none is known.
pub fn of(code: Option<i64>) -> &'static str {
    match code {
        Some(40003) => {
            "give --issued-before a time that is neither in the future nor over an hour old"
        }
        Some(40101) => {
            "the key's secret or name is wrong: copy the whole key from the dashboard again"
        }
        Some(40121) => {
            "enable revocable tokens for the key in the dashboard (API keys); for channels ask Ably's support"
        }
        Some(40131) => "the API key has been revoked: use another key of the app",
        Some(40133) => "use the key that issued the tokens: another key cannot revoke them",
        Some(40160) => "the key's capability does not allow this: use another key of the app",
        Some(40162) => "revocation needs an API key; a token cannot revoke",
        Some(40163 | 40164) => {
            "enable revocable tokens for this key in the dashboard (API keys, Revocable tokens); tokens issued before that stay irrevocable"
        }
        Some(40300) => "the app or account is disabled: see the dashboard",
        Some(40400) => {
            "the app or key does not exist: check the key, IDs are case-sensitive; this does not mean that there are no tokens"
        }
        Some(42910 | 42918 | 42922) => {
            "wait a minute and run the command again, or give --timeout more seconds"
        }
        _ => "",
    }
}

/// The remedy for a 4xx without a code that is known.
pub fn of_status(status: u16) -> &'static str {
    match status {
        401 | 403 => "check the API key and the app it belongs to",
        404 => "check --endpoint and the API key: the app or key was not found there",
        407 => "check the proxy's credentials",
        429 => "wait a minute and run the command again, or give --timeout more seconds",
        _ => "",
    }
}
