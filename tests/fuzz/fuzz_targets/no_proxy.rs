//! Any proxy, any `NO_PROXY` and any host, parted by line feeds.

#![no_main]

use ably_revoke_token::net::proxy::Proxies;
use ably_revoke_token::text::is_hostile;
use libfuzzer_sys::fuzz_target;

const PASSWORD: &str = "s3cr3t";

fuzz_target!(|data: &str| {
    let mut lines = data.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (proxy, list, host) = (next(), next(), next());
    // What is exempt from a good proxy.
    let proxies = Proxies::from_env(|name| match name {
        "HTTPS_PROXY" => Some(format!("http://user:{PASSWORD}@proxy:3128")),
        "NO_PROXY" => Some(list.to_owned()),
        _ => None,
    });
    // Names in the list are shown in lower case.
    let listed = list.to_ascii_lowercase().contains(PASSWORD);
    assert!(listed || !format!("{proxies:?}").contains(PASSWORD));
    let named = proxies.route(host).expect("a good proxy was refused");
    assert!(named.is_none_or(|named| named.shown == "http://proxy:3128"));
    let exempt = named.is_none();
    let entries = || list.split(|c: char| c == ',' || c.is_whitespace());
    if entries().any(|entry| entry == "*") && proxies.route("h").is_ok_and(|it| it.is_some()) {
        panic!("* is everything");
    }
    if entries().all(str::is_empty) {
        assert!(!exempt, "nothing is exempt by nothing");
    }
    // A proxy of any form is refused or used, never passed over, and never shown whole.
    let proxies = Proxies::from_env(|name| (name == "HTTPS_PROXY").then(|| proxy.to_owned()));
    match proxies.route("main.realtime.ably.net") {
        Err(problem) => {
            assert!(!problem.message.contains(PASSWORD), "{}", problem.message);
            assert!(!problem.message.contains(is_hostile), "{}", problem.message);
        }
        Ok(Some(named)) => {
            assert!(!named.shown.contains('@') && !named.shown.contains(is_hostile), "{named:?}");
        }
        Ok(None) => assert!(proxy.is_empty(), "{proxy:?} was passed over"),
    }
});
