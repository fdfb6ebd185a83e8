//! What `make live` tries with the real Ably, tried with the stand-in.

use std::time::Duration;

use crate::support::*;

fn told_by(ably: &Ably, key: Option<&str>) -> Vec<Step> {
    let steps = Place::at(ably, key.map(str::to_owned)).story();
    ably.forgive();
    steps.unwrap()
}

#[test]
#[rustfmt::skip] // a table: one row a line
fn every_step_ends_as_it_should_and_the_app_is_deleted() {
    let ably = Ably::start();
    let steps = told_by(&ably, None);
    let rows = [
        ("Ably's clock", "GET /time: body[]: a number"),
        ("--check with a key that can", "--check: exit code Some(0)"),
        ("--check with a key that can", "--check: result.ready: true"),
        ("a client ID, with a JWT and an Ably token", "the JWT before: HTTP 200"),
        ("a client ID, with a JWT and an Ably token", "the Ably token before: HTTP 200"),
        ("a client ID, with a JWT and an Ably token", "the tool: exit code Some(0)"),
        ("a client ID, with a JWT and an Ably token", "the JWT after: x-ably-errorcode 40141"),
        ("a client ID, with a JWT and an Ably token", "the Ably token after: x-ably-errorcode 40141"),
        ("a client ID, with a JWT and an Ably token", "another client: body.results[].appliesAt: a number"),
        ("a revocation key", "the tool: exit code Some(0)"),
        ("a revocation key", "the JWT after: body.error.code: 40141"),
        ("the reauth margin, ten minutes back", "the tool: applies now"),
        ("the reauth margin, ten minutes back", "the tool --allow-reauth-margin: applies about 30 s from now"),
        ("a leaked token, with the proof", "the tool: exit code Some(0)"),
        ("a leaked token, with the proof", "the tool: result.revocation.verified: true"),
        ("two targets, one of an unknown kind", "another client: HTTP 201"),
        ("two targets, one of an unknown kind", "another client: body.results[].error.code: 40000"),
        ("a wrong secret", "the tool: exit code Some(1)"),
        ("a wrong secret", "another client: body.error.code: 40101"),
        ("an unknown key of the app", "another client: HTTP 400 or 401 or 404"),
        ("a key of an unknown app", "the tool: error.error.code: 40005 or 40101 or 40400"),
        ("a key without revocable tokens", "the tool: error.error.code: 40164 or 40163"),
        ("a key without revocable tokens", "--check: exit code Some(1)"),
    ];
    for (name, fact) in rows {
        let step = steps.iter().find(|step| step.name == name);
        let facts = &step.unwrap_or_else(|| panic!("no step {name}")).facts;
        assert!(facts.contains(fact), "{name}: {fact} is not in {facts:#?}");
    }
    let last = ably.requests().pop().unwrap();
    assert_eq!((last.method.as_str(), last.path.as_str()), ("DELETE", "/apps/SBX1"));
    let key = "SBX1.key1:s4ndbox-marker-SBX1-1";
    let run = revoke_alice().towards(&ably).env("ABLY_API_KEY", key).run();
    run.exits(1).says("40400");
}

#[test]
fn a_key_of_ones_own_is_used_as_it_is() {
    let ably = Ably::start();
    let steps = told_by(&ably, Some(KEY));
    assert!(steps.iter().all(|step| step.name != "a key without revocable tokens"));
    let paths: Vec<String> = ably.requests().into_iter().map(|seen| seen.path).collect();
    assert!(paths.iter().all(|path| !path.starts_with("/apps")), "{paths:?}");
    let revoked = ably.revoked();
    let own = |target: &str| {
        ["clientId", "revocationKey"].iter().any(|kind| {
            let value = target.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':'));
            value.is_some_and(|value| {
                value.starts_with("ably-revoke-token-live-")
                    || value.starts_with("ably-revoke-token-check-")
            })
        })
    };
    assert!(revoked.iter().all(|one| own(&one.target)), "{revoked:?}");
}

#[test]
fn a_place_that_behaves_otherwise_is_found_out() {
    let ably = Ably::start();
    let usual = told_by(&ably, Some(KEY));
    let bare = |seen: &Seen| {
        let result = |target: &String| {
            format!(r#"{{"target":{},"issuedBefore":1,"appliesAt":1}}"#, quote(target))
        };
        let results: Vec<String> = seen.targets().iter().map(result).collect();
        Answer::json(200, format!("[{}]", results.join(","))).though_done()
    };
    // A name for what is otherwise, what is answered, and the steps in which it shows.
    type Otherwise = (fn(&Seen) -> bool, fn(&Seen) -> Answer, &'static [&'static str]);
    let rows: [Otherwise; 3] = [
        (Seen::revokes, bare, &["another client", "the reauth margin"]),
        (|seen| seen.bearer().is_some(), |_| Answer::json(200, "[]"), &["a revocation key"]),
        (|seen| seen.path == "/time", |_| Answer::json(200, "1795428000000"), &["Ably's clock"]),
    ];
    each(&rows, |(of, answer, shown)| {
        let (of, answer) = (*of, *answer);
        let ably =
            Ably::deciding(move |seen| if of(seen) { answer(seen) } else { Answer::Faithful });
        let found = told_by(&ably, Some(KEY));
        let differ = usual.iter().zip(&found).filter(|(usual, found)| usual.facts != found.facts);
        let differ: Vec<String> =
            differ.map(|(step, found)| format!("{}: {:?}", step.name, found.facts)).collect();
        for words in *shown {
            assert!(differ.iter().any(|step| step.contains(words)), "{words}: {differ:#?}");
        }
    });
}

#[test]
fn where_nobody_answers_that_is_an_error() {
    let place = Place {
        endpoint: nobody().to_string(),
        ca: None,
        key: Some(KEY.to_owned()),
        others: None,
        patience: Duration::ZERO,
    };
    let error = place.story().map(|_| ()).unwrap_err();
    assert!(error.contains("refused"), "{error}");
}

#[test]
fn where_no_app_can_be_made_that_is_an_error() {
    let ably = Ably::deciding(|seen| match seen.path.as_str() {
        "/apps" => Answer::error(404, 40400, "Could not find path"),
        _ => Answer::Faithful,
    });
    let error = Place::at(&ably, None).story().map(|_| ()).unwrap_err();
    assert!(error.contains("/apps answered 404 without two keys"), "{error}");
}
