//! What became of the leaked tokens themselves.

/// What became of a token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Rejected with 40141.
    Revoked,
    /// Accepted to the end of the time.
    Accepted,
    /// Rejected for another reason that lasts, in Ably's words.
    Dead(String),
    /// Ably could not be asked, or its answer proves nothing, in words.
    NotKnown(String),
}

impl Verdict {
    /// Whether the token is known to be of no use any more.
    pub fn is_dead(&self) -> bool {
        matches!(self, Self::Revoked | Self::Dead(_))
    }

    /// The proof, or what is missing of it, in words.
    pub fn described(&self) -> String {
        match self {
            Self::Revoked => "verified: the token is rejected as revoked (40141)".to_owned(),
            Self::Accepted => "the token is still accepted".to_owned(),
            Self::Dead(why) => format!("the token is dead, but for another reason: {why}"),
            Self::NotKnown(why) => {
                format!("whether the token is still accepted is not known: {why}")
            }
        }
    }
}

/// What is known of one of the leaked tokens.
#[derive(Debug)]
pub struct Proof {
    /// Its position among the leaked tokens.
    pub token: usize,
    pub verdict: Verdict,
    /// The code of Ably's last answer, if there was one.
    pub code: Option<i64>,
}
