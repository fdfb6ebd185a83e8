//! Which keys serve, for which apps: handed over, from the full CLI's configuration, from the Control API or typed.

pub mod cli_config;
pub mod control_api;
pub mod control_base;
pub mod credentials;
pub mod names;
pub mod select;
mod several;
pub mod shapes;
pub mod sources;
mod toml_table;

use credentials::Found;
use sources::Sources;

use crate::error::Error;
use crate::request::which_keys::{Choice, WhichKeys};
use crate::signals::Signals;

/// Finds the keys and makes sure that they belong to the app that was asked for.
///
/// # Errors
/// No key, a malformed one, one of another app, or an app or key that cannot be told apart. No
/// message holds a secret.
pub fn find(
    which: WhichKeys,
    sources: &mut Sources<'_>,
    signals: &Signals,
) -> Result<Found, Error> {
    match &which.choice {
        Choice::All => several::all(which, sources),
        Choice::Signers(_) => several::signers(which, sources, signals),
        Choice::Any | Choice::Named(_) => {
            let credentials = vec![credentials::one(which, sources, signals)?];
            Ok(Found { credentials, ..Found::default() })
        }
    }
}
