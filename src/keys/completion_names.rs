//! The names that a shell offers for `--app` and `--key`: those of the full CLI's configuration. Only
//! reads, asks nobody, and has nothing to say where something is wrong: nobody reads it then.

use std::collections::BTreeSet;

use crate::cli::flags::Names;
use crate::environment::Environment;
use crate::keys::cli_config;
use crate::keys::key::Key;
use crate::secret::redactor::Redactor;
use crate::secret::shape::looks_like_secret;
use crate::text::is_hostile;

/// More names than these help nobody.
const MOST: usize = 1000;

/// IDs and names, a line each.
pub fn list(what: Names, env: Environment) -> String {
    let Ok(mut account) = cli_config::read(env, &Redactor::default()) else {
        return String::new();
    };
    let keys = account.take_keys(&account.apps.iter().map(|app| app.id.clone()).collect());
    let keys: Vec<Key> = keys.into_iter().flatten().collect();
    let of_apps = account.apps.iter().flat_map(|app| [Some(app.id.as_str()), app.name.as_deref()]);
    let of_keys = keys.iter().flat_map(|key| [Some(key.name()), key.label.as_deref()]);
    let all: Vec<&str> = match what {
        Names::Apps => of_apps.flatten().collect(),
        Names::Keys => of_keys.flatten().collect(),
    };
    // One of several lines would be another name, and one with a dash another option. A secret has
    // no business in a name, but the configuration may have been edited.
    let is_fit = |name: &str| {
        !name.contains(is_hostile)
            && !name.starts_with('-')
            && !looks_like_secret(name)
            && !keys.iter().any(|key| key.api_key.is_in(name))
    };
    let names: BTreeSet<&str> = all.into_iter().filter(|name| is_fit(name)).collect();
    names.into_iter().take(MOST).flat_map(|name| [name, "\n"]).collect()
}
