//! Any proxy, any `NO_PROXY` and any host, parted by line feeds.

#![no_main]

use ably_revoke_token::net::proxy::{Proxies, Route};
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
    let exempt = match proxies.route(host) {
        Route::Direct(exempt) => {
            assert!(exempt.is_some());
            true
        }
        Route::Via(named) => {
            assert_eq!(named.shown, "http://proxy:3128");
            false
        }
        Route::Unusable(_) => panic!("a good proxy was refused"),
    };
    let entries = || list.split(|c: char| c == ',' || c.is_whitespace());
    if entries().any(|entry| entry == "*") {
        assert!(exempt, "* is everything");
    }
    if entries().all(str::is_empty) {
        assert!(!exempt, "nothing is exempt by nothing");
    }
    // A proxy of any form is refused or used, never passed over, and never shown whole.
    let proxies = Proxies::from_env(|name| (name == "HTTPS_PROXY").then(|| proxy.to_owned()));
    match proxies.route("main.realtime.ably.net") {
        Route::Unusable(problem) => {
            assert!(!problem.message.contains(PASSWORD), "{}", problem.message);
            assert!(!problem.message.contains(is_hostile), "{}", problem.message);
        }
        Route::Via(named) => {
            assert!(!named.shown.contains('@') && !named.shown.contains(is_hostile), "{named:?}");
        }
        Route::Direct(_) => assert!(proxy.is_empty(), "{proxy:?} was passed over"),
    }
});
