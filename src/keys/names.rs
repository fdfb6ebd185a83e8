//! The names that a shell offers for `--app` and `--key`: those of the full CLI's configuration. Only
//! reads, asks nobody, and has nothing to say where something is wrong: nobody reads it then.

use crate::cli::flags::Names;
use crate::environment::Environment;
use crate::keys::cli_config::{self, Account};
use crate::keys::key::{App, Key};
use crate::secret::form::may_be_secret;
use crate::text::is_hostile;

/// More names than these help nobody.
const MOST: usize = 1000;

/// IDs and names, a line each.
pub fn list(what: Option<Names>, env: Environment) -> String {
    let configuration = cli_config::path(env).map(|path| cli_config::read(&path));
    match (what, configuration) {
        (Some(what), Some(Ok(Some(Ok(account))))) => of_account(what, &account),
        _ => String::new(),
    }
}

fn of_account(what: Names, account: &Account) -> String {
    let keys: Vec<Key> =
        account.apps().filter_map(|app| account.key_of(app).ok().flatten()).collect();
    let mut names: Vec<&str> = match what {
        Names::Apps => account.apps().flat_map(of_app).collect(),
        Names::Keys => keys.iter().flat_map(of_key).collect(),
    };
    // One of several lines would be another name, and one with a dash another option. A secret has
    // no business in a name, but the configuration may have been edited.
    let is_offered = |name: &&str| {
        !name.contains(is_hostile)
            && !name.starts_with('-')
            && !may_be_secret(name)
            && !keys.iter().any(|key| key.api_key.is_in(name))
    };
    names.retain(is_offered);
    names.truncate(MOST);
    let once = (0..names.len()).filter(|at| {
        let (before, rest) = names.split_at(*at);
        rest.first().is_some_and(|name| !before.contains(name))
    });
    once.filter_map(|at| names.get(at)).flat_map(|name| [name, "\n"]).collect()
}

fn of_app(app: &App) -> impl Iterator<Item = &str> {
    std::iter::once(app.id.as_str()).chain(app.name.as_deref())
}

fn of_key(key: &Key) -> impl Iterator<Item = &str> {
    std::iter::once(key.name()).chain(key.label.as_deref())
}
