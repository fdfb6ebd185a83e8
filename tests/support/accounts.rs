//! Keys by where they are found, the full CLI's configuration, and an account of the Control API.

use super::*;

/// An access token: a text to look for wherever no secret may be.
pub const TOKEN: &str = "acc3ss-m4rker-51d0";

pub const STORED_TOKEN: &str = "st0red-m4rker-77aa";

/// Keys by where they are found; each has a secret of its own.
pub const OPTION: &str = "APP1.option:s3cr3t-m4rker-opt";

pub const FILE: &str = "APP1.file:s3cr3t-m4rker-fil";
pub const VARIABLE: &str = "APP1.variable:s3cr3t-m4rker-var";
pub const VARIABLE_FILE: &str = "APP1.varfile:s3cr3t-m4rker-vfl";
pub const STORED1: &str = "APP1.stored1:s3cr3t-m4rker-st1";
pub const STORED2: &str = "APP2.stored2:s3cr3t-m4rker-st2";
pub const CONTROL1: &str = "APP1.control1:s3cr3t-m4rker-co1";
pub const CONTROL2: &str = "APP2.control2:s3cr3t-m4rker-co2";
pub const CONTROL3: &str = "APP3.control3:s3cr3t-m4rker-co3";
pub const PROMPT: &str = "APP1.prompt:s3cr3t-m4rker-pro";

pub const KEYS: [&str; 10] =
    [OPTION, FILE, VARIABLE, VARIABLE_FILE, STORED1, STORED2, CONTROL1, CONTROL2, CONTROL3, PROMPT];

/// Two apps with a key each, the first selected, and one without.
pub fn stored() -> String {
    account(&format!(
        "currentAppId = 'APP1'
[accounts.work.apps.APP1]
apiKey = '{STORED1}'
appName = 'Shop'
keyId = 'APP1.stored1'
keyName = 'Root'
[accounts.work.apps.APP2]
apiKey = '{STORED2}'
appName = 'Café \"Zoë\"'
[accounts.work.apps.APP9]
appName = 'Keyless'"
    ))
}

/// A configuration whose current account holds these lines.
pub fn account(lines: &str) -> String {
    format!("[current]\naccount = 'work'\n[accounts.work]\n{lines}\n")
}

pub fn control() -> Control {
    Control::new(TOKEN)
        .app("APP1", "Shop", vec![ControlKey::new(CONTROL1, "Root")])
        .app("APP2", "Café \"Zoë\"", vec![ControlKey::new(CONTROL2, "Root")])
        .app("APP3", "Far away", vec![ControlKey::new(CONTROL3, "Root")])
}

/// A stand-in that knows all keys and is the Control API too.
pub fn account_server() -> Ably {
    let server = Ably::start();
    KEYS.iter().for_each(|key| server.add_key(key));
    server.serve_control(control());
    server
}

/// The same, which nobody may reach.
pub fn unreached_account() -> Ably {
    let server = account_server();
    server.expect_nothing();
    server
}

#[track_caller]
pub fn hides_everything(run: &Run) {
    for secret in KEYS.iter().filter_map(|key| key.split(':').nth(1)) {
        run.hides(secret);
    }
    run.hides(TOKEN).hides(STORED_TOKEN).hides("m4rker");
}

/// It revoked, once, with this key, and said so in JSON.
#[track_caller]
pub fn served(run: &Run, server: &Ably, key: &str, source: &str) {
    let (name, secret) = key.split_once(':').unwrap();
    run.exits(0).says_nothing();
    hides_everything(run);
    let record = run.record("result");
    let told = ["app", "keyName", "keySource"]
        .map(|field| text(&record, &format!("revocation.{field}")).to_owned());
    let expected = [name.split_once('.').unwrap().0, name, source];
    run.check(told == expected, &format!("should say {expected:?}, not {told:?}"));
    let sent = server.revocation_requests();
    let last = sent.last().map(|seen| (seen.path.clone(), seen.basic()));
    let path = format!("/keys/{name}/revokeTokens");
    let expected = Some((path, Some((name.to_owned(), secret.to_owned()))));
    run.check(last == expected, &format!("should send {expected:?}, not {last:?}"));
}

/// It ended here and nothing was revoked.
#[track_caller]
pub fn refused(run: &Run, server: &Ably, code: i32, phrases: &[&str]) {
    run.exits(code).prints_nothing();
    hides_everything(run);
    phrases.iter().for_each(|phrase| {
        run.says(phrase);
    });
    let sent = server.revocation_requests().len();
    run.check(sent == 0, "should revoke nothing");
}

pub const BY_CONFIGURATION: &str = "configuration (account work)";
pub const BY_CONTROL: &str = "Control API";
pub const BY_VARIABLE: &str = "ABLY_API_KEY";

pub const KEY1: &str = "APP1.key-a:s3cr3t-m4rker-aaa";
pub const KEY2: &str = "APP1.key-b:s3cr3t-m4rker-bbb";
pub const KEY3: &str = "APP1.key-c:s3cr3t-m4rker-ccc";

pub fn serving(control: Control) -> Ably {
    let server = Ably::start();
    [KEY1, KEY2, KEY3].iter().for_each(|key| server.add_key(key));
    server.serve_control(control);
    server
}

pub fn with_keys(keys: Vec<ControlKey>) -> Control {
    Control::new(TOKEN).app("APP1", "Shop", keys)
}

pub fn one_key() -> Control {
    with_keys(vec![ControlKey::new(KEY1, "Root")])
}

pub fn ask(server: &Ably, options: &[&str]) -> Program {
    alice().towards(server).control(server, TOKEN).args(options)
}

#[track_caller]
pub fn used(run: &Run, server: &Ably, key: &str) {
    run.exits(0);
    hides_everything(run);
    let sent = server.revocation_requests();
    let name = key.split(':').next().unwrap();
    run.check(
        sent.len() == 1 && sent[0].path == format!("/keys/{name}/revokeTokens"),
        &format!("should use {name}"),
    );
}

pub fn three() -> Vec<ControlKey> {
    vec![
        ControlKey::new(KEY1, "Root"),
        ControlKey::new(KEY2, "Twin"),
        ControlKey::new(KEY3, "Twin").irrevocable(),
    ]
}
