//! The proof that a leaked token is dead.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::*;

/// How long a proof is waited for without the margin.
const LIMIT: Duration = Duration::from_secs(10);

/// A forced run with the token of these claims and `--verify`, which shows nothing of it.
fn verify(token: &str, server: &Ably, extra: &[&str]) -> Run {
    let run = leaked(token).against(server).args(["--force", "--verify"]).args(extra).run();
    hides(&run, token);
    run
}

/// Does what is asked, and answers polls like this.
fn polled(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Ably {
    Ably::deciding(move |seen| if seen.revokes() { Answer::Faithful } else { answer(seen) })
}

/// The requests made with the token itself.
fn polls(server: &Ably) -> Vec<Seen> {
    let mut seen = server.requests();
    seen.retain(|seen| seen.bearer().is_some());
    seen
}

#[test]
fn a_token_that_was_accepted_is_proved_dead() {
    for (margin, grace) in [(false, 0), (false, 1), (false, 3), (true, 2)] {
        let server = Ably::start();
        let token = with(GROUP);
        server.add_token(Token::new(&token).revocation_key("g1").dies_after(grace));
        let margin = if margin { "--allow-reauth-margin" } else { "-v" };
        let run = verify(&token, &server, &["--verbose", margin]);
        run.exits(0).says("revoked: Ably accepted").says("rejected as revoked").prints_nothing();
        let polls = polls(&server);
        assert_eq!(polls.len(), grace + 1, "{run}");
        let told = run.stderr.matches("[verify] line 1: the token is still accepted").count();
        assert_eq!(told, grace, "{run}");
        for poll in &polls {
            assert_eq!(poll.method, "GET");
            assert_eq!(poll.bearer(), Some(STANDARD.encode(&token)));
            assert!(poll.body.is_empty());
        }
        let gaps: Vec<Duration> =
            polls.windows(2).map(|two| two[1].at.duration_since(two[0].at)).collect();
        assert!(gaps.windows(2).all(|two| two[1] > two[0]), "growing pauses: {gaps:?}");
        // The revocation goes first, with the key.
        assert!(server.requests()[0].revokes() && server.requests()[0].basic().is_some());
    }
}

/// However a proof may fail to come: what the token's polls are answered, what is said, the exit
/// code, and whether the time is waited out.
type Doubt = (&'static str, fn(&Seen) -> Answer, &'static str, i32, bool);

#[test]
fn what_is_no_proof_is_not_told_as_one() {
    const ACCEPTED: &str = "\"verification\":\"the token is still accepted";
    const NOT_KNOWN: &str = "\"verification\":\"whether the token is still accepted is not known";
    #[rustfmt::skip] // a table: one row a line
    let doubts: [Doubt; 17] = [
        ("revoked, in a 200", |_| Answer::error(200, 40141, "Token revoked"), NOT_KNOWN, 5, true),
        ("revoked, in a 503", |_| Answer::error(503, 40141, "Token revoked"), NOT_KNOWN, 5, true),
        ("a disabled app", |_| Answer::error(403, 40300, "App disabled"), NOT_KNOWN, 5, true),
        ("a code without words", |_| Answer::plain(403, "").header("x-ably-errorcode", "40300"), "is not known: code 40300, status 403", 5, true),
        ("accepted for ever", |_| Answer::json(200, "[]"), ACCEPTED, 5, true),
        ("no capability", |_| Answer::error(401, 40160, "Action not permitted"), ACCEPTED, 5, true),
        ("no such channel", |_| Answer::error(404, 40402, "Channel not found"), ACCEPTED, 5, true),
        ("no such path", |_| Answer::error(404, 40400, "Not found"), NOT_KNOWN, 5, true),
        ("an edge's word", |_| Answer::error(401, 40141, "Token revoked").header("server", "CloudFront"), NOT_KNOWN, 5, true),
        ("expired", |_| Answer::error(401, 40142, "Token expired"), "another reason: Token expired (code 40142), status 401", 0, false),
        ("a failing server", |_| Answer::error(503, 50300, "down"), NOT_KNOWN, 5, true),
        ("a lost connection", |_| Answer::Cut, NOT_KNOWN, 5, true),
        ("no answer", |_| Answer::HangBeforeHeaders, NOT_KNOWN, 5, true),
        ("no HTTP", |_| Answer::Garbage, NOT_KNOWN, 5, true),
        ("a rate limit", |_| Answer::error(429, 42910, "slow down").header("retry-after", "60"), NOT_KNOWN, 5, true),
        ("accepted, then gone", |seen| { if seen.index < 5 { Answer::json(200, "[]") } else { Answer::Cut } }, NOT_KNOWN, 5, true),
        ("a page of some proxy, of no one who knows tokens", |_| Answer::plain(403, "<html>Access denied</html>"), NOT_KNOWN, 5, true),
    ];
    each(&doubts, |(name, answer, words, code, waits)| {
        let answer = *answer;
        let token = for_alice();
        let server = polled(answer);
        let start = Instant::now();
        let run = verify(&token, &server, &["--json"]);
        let took = start.elapsed();
        run.check(run.code == Some(*code), name);
        let result = run.holding("revocation");
        run.check(flag(&result, "success"), name);
        run.check(!flag(&result, "revocation.verified"), name);
        run.check(run.stdout.contains(words), &format!("{name}: {words}"));
        run.check(server.revocation_requests().len() == 1, name);
        let fits = if *waits {
            took >= LIMIT * 9 / 10 && took < LIMIT * 13 / 10
        } else {
            took < LIMIT / 2
        };
        run.check(fits, &format!("{name} took {took:?}"));
    });
}

#[test]
fn doubts_are_told_to_people_after_the_revocation() {
    let token = for_alice();
    type Row = (&'static str, fn(Token) -> Token, &'static str, i32);
    let rows: [Row; 3] = [
        ("never dies", Token::never_dies, "error: the token is still accepted", 5),
        ("no capability", |it| it.lacks_capability().never_dies(), "error: the token is still", 5),
        ("expired", Token::expired, "40142", 0),
    ];
    each(&rows, |(name, make, words, code)| {
        let server = Ably::start();
        server.add_token(make(Token::new(&token).client_id("alice")));
        let run = verify(&token, &server, &[]);
        run.check(run.code == Some(*code), name);
        run.says("revoked: Ably accepted");
        run.check(run.stderr.contains(words), name);
        run.check(!polls(&server).is_empty(), name);
        if *code == 5 {
            run.never_says("verified");
        }
    });
}

#[test]
fn one_that_hangs_keeps_no_other_from_its_proof() {
    let tokens = ["slow", "a", "b", "c"].map(|id| with(&format!(r#","x-ably-clientId":"{id}""#)));
    let slow = STANDARD.encode(&tokens[0]);
    for parallel in ["1", "4"] {
        let slow = slow.clone();
        let server = polled(move |seen| match seen.bearer() {
            Some(token) if token == slow => Answer::Faithful.held(),
            _ => Answer::Faithful,
        });
        for (token, id) in tokens.iter().zip(["slow", "a", "b", "c"]) {
            server.add_token(Token::new(token).client_id(id).dies_after(2));
        }
        let run = verify(&tokens.join("\n"), &server, &["--parallel", parallel]);
        server.release();
        run.exits(5).says("3 of 4 tokens are rejected as revoked (40141); 1 not known");
        run.says("error: 3 of 4").says("line 1, key APP1.key1, client ID slow");
        run.never_says("line 2,");
    }
}

/// A rate limit of the second key holds the proof of the first one's token back beyond its time.
#[test]
fn one_whose_time_is_over_is_asked_about_all_the_same() {
    let key2 = r#"{"alg":"HS256","kid":"APP1.key2"}"#;
    let tokens = [for_alice(), jwt(key2, &payload(ALICE))];
    let limited = AtomicBool::new(false);
    let server = Ably::deciding(move |seen| {
        if seen.path.contains("key2") && !limited.swap(true, Ordering::SeqCst) {
            return Answer::error(429, 42910, "slow down").header("retry-after", "11");
        }
        Answer::Faithful
    });
    server.add_key(OTHER_KEY);
    tokens.iter().for_each(|token| server.add_token(Token::new(token).client_id("alice")));
    let program = leaked(tokens.join("\n")).towards(&server).args(["--force", "--verify"]);
    let keys = program.home().write("keys", format!("{KEY}\n{OTHER_KEY}\n"));
    let run = program.arg("--api-key-file").arg(keys).run();
    run.exits(0).says("2 of 2 tokens are rejected as revoked");
}

#[test]
fn a_slow_answer_is_waited_for_as_long_as_the_others_can_spare() {
    let tokens = ["a", "b", "c", "d"].map(|id| with(&format!(r#","x-ably-clientId":"{id}""#)));
    let slow = Duration::from_secs(3);
    let server = polled(move |_| Answer::error(401, 40141, "Token revoked").after(slow));
    let run = verify(&tokens.join("\n"), &server, &["--parallel", "2"]);
    run.exits(0).says("4 of 4 tokens are rejected as revoked");
    assert_eq!(polls(&server).len(), 4, "each was asked with once\n{run}");
}

#[test]
fn only_what_is_proved_of_all_that_were_found_is_a_success() {
    let server = Ably::start();
    let alice = for_alice();
    server.add_token(Token::new(&alice).client_id("alice"));
    let gone = jwt(r#"{"alg":"HS256","kid":"APP1.gone"}"#, &payload(ALICE));
    let log = format!("{alice}\n{gone}");
    let run = verify(&log, &server, &[]);
    run.exits(3).says("1 of 2 tokens is rejected as revoked (40141); 1 not revoked");
    run.never_says("still accepted");
    let program = leaked(&log).against(&server).args(["--force", "--verify"]);
    let end = Terminal::start(program.env("LC_ALL", "C.UTF-8")).finish();
    end.shows("1 of 2 tokens is rejected").never_shows("✓");
}

#[test]
fn a_capability_error_gives_way_to_the_proof() {
    let server = Ably::start();
    let token = for_alice();
    server.add_token(Token::new(&token).client_id("alice").lacks_capability().dies_after(2));
    verify(&token, &server, &[]).exits(0).says("rejected as revoked");
    assert_eq!(polls(&server).len(), 3);
}

#[test]
fn with_the_margin_it_goes_on_asking_for_longer() {
    let server = Ably::start();
    let token = for_alice();
    // Its seventh question comes after 10 s.
    server.add_token(Token::new(&token).client_id("alice").dies_after(6));
    let start = Instant::now();
    let run = verify(&token, &server, &["--allow-reauth-margin"]);
    run.exits(0).says("rejected as revoked");
    run.check(start.elapsed() > LIMIT, "should take longer than without the margin");
}

/// The proof may take 40 s; whether Ably took the revocation is known at once, and a run that is
/// killed then must have said so.
#[test]
fn the_revocation_is_told_before_the_proof_is_there() {
    let token = for_alice();
    let server = polled(|_| Answer::json(200, "[]"));
    let running = leaked(&token).against(&server).args(["--force", "--verify"]).spawn();
    server.wait_for_requests(4);
    let told = running.stderr();
    running.signal("TERM");
    let run = running.wait();
    run.dies_of(15);
    assert!(told.contains("Ably accepted the revocation"), "so far: {told:?}\n{run}");
}

#[test]
fn a_revocation_that_failed_is_not_followed_by_questions() {
    let server = Ably::start();
    let token = for_alice();
    server.add_token(Token::new(&token).client_id("alice"));
    server.refuse("clientId:alice", 40000, 400, "no");
    let run = verify(&token, &server, &["--json"]);
    run.exits(1);
    assert!(!has(&run.holding("revocation"), "revocation.verified"), "{run}");
    verify(&token, &server, &[]).exits(1).never_says("asking Ably");
    leaked(&token).against(&server).args(["--dry-run", "--verify"]).run().exits(0);
    leaked(&token).against(&server).arg("--verify").stdin("n\n").run().exits(4);
    assert!(polls(&server).is_empty());
}

#[test]
fn the_token_goes_nowhere_but_to_ablys_host() {
    let (token, control, elsewhere) = (for_alice(), Ably::start(), Ably::start());
    elsewhere.expect_nothing();
    let keys = vec![ControlKey::new(KEY, "Root")];
    control.serve_control(Control::new(ACCESS_TOKEN).app("APP1", "Shop", keys));
    let location = format!("https://{}/channels/x/messages", elsewhere.endpoint());
    let server = polled(move |seen| match seen.index {
        1 => Answer::plain(302, "").header("location", &location),
        2 => Answer::plain(307, "").header("location", &location),
        _ => Answer::error(401, 40141, "Token revoked"),
    });
    let program = leaked(&token).towards(&server).control(&control, ACCESS_TOKEN);
    let run = program.args(["--force", "--verify", "--verbose"]).run();
    hides(run.exits(0).says("rejected as revoked"), &token);
    run.hides(ACCESS_TOKEN);
    for seen in control.requests() {
        assert_eq!(seen.bearer().as_deref(), Some(ACCESS_TOKEN), "{seen:?}");
    }
    let encoded = STANDARD.encode(&token);
    let bearers: Vec<String> = server.requests().iter().filter_map(Seen::bearer).collect();
    assert_eq!(bearers, vec![encoded; 3]);
    for seen in server.requests().iter().chain(&control.requests()) {
        let elsewhere = format!("{}{}", seen.path, String::from_utf8_lossy(&seen.body));
        assert!(!elsewhere.contains(SIGNATURE), "{seen:?}");
    }
}

#[test]
fn a_server_that_repeats_the_token_is_not_repeated() {
    let answers: [fn(&Seen) -> Answer; 7] = [
        |_| Answer::EchoAuthorization,
        |seen| Answer::error(401, 40142, &seen.bearer().unwrap_or_default()),
        |seen| Answer::plain(401, bearer_text(seen)),
        |seen| Answer::error(401, 40142, &bearer_text(seen)),
        |seen| Answer::error(403, 40300, &format!("{}{}", "x".repeat(180), bearer_text(seen))),
        |seen| Answer::error(401, 40101, bearer_text(seen).rsplit('.').next().unwrap_or_default()),
        // The parts alone, as a debug page takes a token apart.
        |seen| Answer::error(401, 40142, &bearer_text(seen).replace('.', " ")),
    ];
    each(&answers, |answer| {
        let answer = *answer;
        let token = for_alice();
        for extra in [&["--verbose"][..], &["--verbose", "--json"]] {
            let server = polled(move |seen| match seen.index {
                0..3 => answer(seen),
                _ => Answer::error(401, 40141, "Token revoked"),
            });
            verify(&token, &server, extra);
        }
    });
}

/// The token in a poll.
fn bearer_text(seen: &Seen) -> String {
    let encoded = seen.bearer().unwrap_or_default();
    String::from_utf8(STANDARD.decode(encoded).unwrap_or_default()).unwrap_or_default()
}

/// Only of the first hundred is every part known that must not be shown.
#[test]
fn of_more_than_a_hundred_tokens_no_words_of_ably_are_shown() {
    let ids = (0..101).map(|n| with(&format!(r#","x-ably-clientId":"c{n}""#)));
    let tokens = ids.collect::<Vec<_>>().join("\n");
    let server =
        polled(|seen| Answer::error(401, 40142, &format!("expired: {}", bearer_text(seen))));
    let run = verify(&tokens, &server, &["--parallel", "8", "--json"]);
    run.exits(0).prints("another reason: code 40142, status 401").hides("expired:");
}

/// Without its signature Ably rejects it whatever becomes of the whole one: that proves nothing.
#[test]
fn a_token_without_its_signature_cannot_be_proved_dead() {
    let server = Ably::start();
    let cut = for_alice().replace(SIGNATURE, "");
    let run = verify(&cut, &server, &["--json"]);
    let proved = run.stdout.contains(r#""verified":true"#);
    run.check(!proved, "should not claim a proof");
    // The revocation does not need it.
    leaked(&cut).against(&server).arg("--force").run().exits(0);
}

#[test]
fn ctrl_c_ends_the_questions_at_once() {
    let waits: [fn(&Seen) -> Answer; 2] =
        [|_| Answer::json(200, "[]"), |_| Answer::HangBeforeHeaders];
    for (answer, requests) in waits.into_iter().zip([5, 2]) {
        let server = polled(answer);
        let token = for_alice();
        for (signal, number) in [("INT", 2), ("TERM", 15)] {
            let before = server.request_count();
            let args = ["--force", "--verify"];
            let running = leaked(&token).against(&server).args(args).spawn();
            server.wait_for_requests(before + requests);
            let start = Instant::now();
            running.signal(signal);
            let run = running.wait();
            let took = start.elapsed();
            hides(&run, &token);
            run.dies_of(number).says("Ably accepted the revocation");
            run.never_says("verified");
            run.check(took < Duration::from_secs(1), &format!("took {took:?} to end"));
        }
    }
}
