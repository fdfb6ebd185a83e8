//! What `--version` prints. `make`, `cargo install` and the archives give the same bytes, so nothing in it
//! depends on who builds where and when. That is why it names no commit: a source archive does not know
//! its own. The release's tag does.

use std::env::consts::ARCH;

use crate::json::{Fields, Layout};

/// The day of this version's release, `YYYY-MM-DD`. A test holds it to the changelog.
pub(super) const RELEASED: &str = "2026-11-27";
/// The crate with Mozilla's roots, whose version a test holds to `Cargo.lock`, and the day that it was
/// published. Roots age in a copied file.
const ROOTS: (&str, &str) = ("webpki-roots 1.0.10", "2026-10-19");

/// In lines; or as JSON, and whether indented. Only Linux is shipped, so the libc is all that varies of the target.
pub(super) fn text(pretty: Option<bool>) -> String {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let libc = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    let (target, (source, roots)) = (format!("{ARCH}-unknown-linux-{libc}"), ROOTS);
    let Some(pretty) = pretty else {
        return format!(
            "{name} {version} ({target})\nreleased {RELEASED}, git tag v{version}\n\
             built-in roots: Mozilla's as of {roots} ({source})\n"
        );
    };
    let fields = Fields::new().with("name", name).with("version", version).with("target", target);
    let fields = fields.with("released", RELEASED).with("roots", roots).with("rootsSource", source);
    fields.done().write(if pretty { Layout::Pretty } else { Layout::Compact }) + "\n"
}
