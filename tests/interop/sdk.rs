//! Ably's own SDK for JavaScript against the stand-in: what the SDK does not accept is a fault of
//! the stand-in. Runs where Node is and the package `ably`, in `NODE_PATH` or where
//! `npm install --prefix target/sdk ably@2.28.0` puts it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miniserde::json::Value;

use crate::support::*;

/// The SDK's attempts, ready to be run; `None`, with a word on it, without Node or the SDK.
fn attempts() -> Option<Program> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = std::env::var_os("NODE_PATH").map(PathBuf::from);
    let modules = modules.unwrap_or_else(|| folder.join("target/sdk/node_modules"));
    let node = installed("/usr/bin/node")?;
    if !modules.join("ably").exists() {
        eprintln!("skipped: Ably's SDK is not in {}", modules.display());
        return None;
    }
    Some(node.env("NODE_PATH", modules).arg(folder.join("tests/interop/sdk.cjs")))
}

/// What the SDK made of each of its attempts, by name.
fn told(attempts: Program, ably: &Ably, arguments: &[&str]) -> BTreeMap<String, Value> {
    let program = attempts.arg(ably.port().to_string()).args(arguments);
    let run = program.env("NODE_EXTRA_CA_CERTS", ably.ca_file()).run();
    let lines = run.exits(0).stdout.lines().map(parse);
    lines.map(|line| (text(&line, "name").to_owned(), line)).collect()
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn ablys_sdk_takes_the_stand_in_for_ably() {
    let Some(attempts) = attempts() else { return };
    let ably = Ably::start();
    [OTHER_KEY, KEY1].iter().for_each(|key| ably.add_key(key));
    ably.make_irrevocable(KEY1);
    ably.refuse("clientId:refused", 40121, 400, "Revocation is not enabled for this target");
    let jwt = signed(KEY, "x-ably-clientId", "erin");
    let told = told(attempts, &ably, &[KEY, OTHER_KEY, KEY1, &jwt]);
    // An attempt, what stands where in what the SDK made of it.
    let numbers = [
        ("one", "value.successCount", 1),
        ("one", "value.failureCount", 0),
        ("hundred", "value.successCount", 100),
        ("kinds", "value.successCount", 3),
        ("mixed", "value.successCount", 1),
        ("mixed", "value.failureCount", 2),
        ("mixed", "value.results.1.error.code", 40121),
        ("mixed", "value.results.2.error.code", 40000),
        ("mixed", "value.results.2.error.statusCode", 400),
        ("too many", "codes.0", 40000),
        ("irrevocable", "codes.0", 40164),
        ("wrong secret", "codes.0", 40101),
        ("wrong secret", "status", 401),
        ("a JWT lives", "value", 0),
        ("its revocation", "value.successCount", 1),
        ("an Ably token lives", "value", 0),
        ("with another key", "value.successCount", 1),
        ("an Ably token still lives", "value", 0),
        ("with its own key", "value.successCount", 1),
    ];
    for (name, path, expected) in numbers {
        let found = &told[name];
        assert_eq!(number(found, path), expected, "{name}: {path} in {found:?}");
    }
    let of = |path: &str, at: &str| number(&told[path], &format!("value{at}"));
    let clock = of("time", "");
    assert!(clock.abs_diff(now() as u64 * 1000) < 60_000, "{clock}");
    let [issued, applies] = ["issuedBefore", "appliesAt"].map(|field| of("margin", &format!(".results.0.{field}")));
    assert!((clock + 29_000..clock + 60_000).contains(&applies) && issued < clock - 590_000, "{issued} {applies}");
    // It would renew the token, and cannot (40171): what Ably said stands behind that.
    for name in ["a JWT is dead", "an Ably token is dead"] {
        assert_eq!(number(&told[name], "codes.0"), 40171, "{:?}", told[name]);
        assert!(text(&told[name], "codes.1").contains("code=40141"), "{:?}", told[name]);
    }
    let targets: Vec<String> = ably.revoked().into_iter().map(|one| one.target).collect();
    for target in ["clientId:carol", "revocationKey:group1", "channel:foo:bar"] {
        assert!(targets.iter().any(|one| one == target), "{target}: {targets:?}");
    }
    // None of it is our program's: nothing to complain about.
    assert!(ably.complaints().is_empty(), "{:?}", ably.complaints());
}
