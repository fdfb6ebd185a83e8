//! Measures the tool beside curl, both against one stand-in for Ably on this machine, in turns, so
//! that a busy machine slows both. Needs curl and hyperfine; GNU time for memory and CPU time,
//! valgrind for instructions. `make bench` does it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use miniserde::json::{Number, Value};

mod support;

use support::{Ably, Answer, Folder, KEY, KEY_NAME, Seen, has, list, parse, quote};

/// How often each pair of commands takes turns.
const ROUNDS: usize = 3;
const GNU_TIME: &str = "/usr/bin/time";
const CURL_HEADERS: [&str; 4] = [
    "Accept: application/json",
    "Content-Type: application/json",
    "X-Ably-Version: 6",
    // The stand-in complains of requests that do not say whose they are.
    "Ably-Agent: ably-revoke-token/bench",
];
const MANY: usize = 10_000;
const BATCH: usize = 100;
const MILLION: usize = 1_000_000;
/// One result of an answer, for this target in JSON.
type Form = fn(&str) -> String;
/// The forms in which a server may write the same answer, by name: a tool must not be fast with one
/// of them alone.
const FORMS: [(&str, Form); 3] = [
    ("compact", |target| format!(r#"{{"target":{target},"issuedBefore":{AT},"appliesAt":{AT}}}"#)),
    ("with blanks and line breaks", |target| {
        format!(
            "{{\n      \"target\": {target},\n      \"issuedBefore\": {AT},\n      \"appliesAt\": {AT}\n    }}"
        )
    }),
    ("with a field more", |target| {
        format!(r#"{{"target":{target},"issuedBefore":{AT},"appliesAt":{AT},"region":"eu-1"}}"#)
    }),
];
/// Ably's clock in these answers.
const AT: u64 = 1_795_428_000_000;
/// How far away Ably is, in milliseconds a round trip.
const FAR_MS: u64 = 50;
const AT_ONCE: [usize; 3] = [1, 8, 16];

fn main() -> ExitCode {
    let binary = std::env::args_os().nth(1);
    let Some(binary) = binary.or_else(|| std::env::var_os("ABLY_BIN")) else {
        eprintln!("usage: bench PATH-OF-ABLY (or set ABLY_BIN)");
        return ExitCode::from(2);
    };
    let missing: Vec<&str> =
        ["curl", "hyperfine"].into_iter().filter(|name| on_path(name).is_none()).collect();
    if !missing.is_empty() {
        eprintln!("bench needs {}: not found on PATH", missing.join(" and "));
        return ExitCode::from(2);
    }
    let bench = Bench {
        server: Ably::start(),
        folder: Folder::new(),
        ably: std::path::absolute(PathBuf::from(binary)).unwrap(),
        times: gnu_time(),
    };
    if !bench.times {
        println!("memory is left out: {GNU_TIME} is not there or not GNU's (Debian: time)\n");
    }
    println!("{:<34}{:>12}{:>12}{:>8}   {:<28}", "", "ably", "curl", "ratio", "aim");
    bench.one_revocation();
    bench.start_up();
    let counted = bench.ten_thousand();
    bench.a_million();
    bench.size();
    bench.server.forgive();
    if counted { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Bench {
    server: Ably,
    folder: Folder,
    ably: PathBuf,
    /// Whether memory can be measured.
    times: bool,
}

/// A command without a shell: no word of it holds a space.
type Words = Vec<String>;

impl Bench {
    fn one_revocation(&self) {
        let ours = self.revoke(&["--client-id", "userClientId"]);
        let body = r#"{"targets":["clientId:userClientId"]}"#;
        let curl = self.curl("one.curl", &[body.to_owned()]);
        self.compare("one revocation", 40, &ours, &curl, 0.25);
        self.memory("  its peak memory", &ours, Some(&curl), Some(2.5));
    }

    fn start_up(&self) {
        let ours = vec![shown(&self.ably), "--version".to_owned()];
        let curl = vec!["curl".to_owned(), "--version".to_owned()];
        self.compare("start-up (--version)", 60, &ours, &curl, 1.0);
    }

    /// In each form of the answers. Whether both made the requests that are compared.
    fn ten_thousand(&self) -> bool {
        let targets: Vec<String> =
            (0..MANY).map(|n| format!("clientId:user-{n:06}@example.com")).collect();
        let file = self.folder.write("many.txt", targets.join("\n"));
        let ours = self.revoke(&["--targets-file", &shown(&file)]);
        let bodies = targets.chunks(BATCH).map(|batch| {
            let batch: Vec<String> = batch.iter().map(|target| quote(target)).collect();
            format!(r#"{{"targets":[{}]}}"#, batch.join(","))
        });
        let bodies: Vec<String> = bodies.collect();
        let curl = self.curl("many.curl", &bodies);
        let counts = [&ours, &curl].map(|words| self.traffic(words));
        for (name, form) in FORMS {
            self.server.decide(move |seen| answer(seen, form));
            println!("10,000 targets, answers {name}");
            self.compare("  time", 8, &ours, &curl, 1.0);
            self.cpu_time(&ours, &curl);
            self.instructions(&ours, &curl);
        }
        self.server.decide(|_| Answer::Faithful);
        println!("10,000 targets");
        self.memory("  its peak memory", &ours, Some(&curl), None);
        self.far_away(&ours, &curl);
        for (what, at) in [("  its requests", 0), ("  its connections", 1)] {
            let [ours, curl] = counts.map(|counts| counts[at]);
            let aim = [MANY / BATCH, 1][at];
            let verdict = verdict(ours == aim && curl == aim);
            println!("{what:<34}{ours:>12}{curl:>12}{:>8}   {aim}{verdict}", "");
        }
        counts == [[MANY / BATCH, 1]; 2]
    }

    /// With a delay in the stand-in for each request.
    fn far_away(&self, ours: &Words, curl: &Words) {
        self.server.decide(|_| Answer::Faithful.after(Duration::from_millis(FAR_MS)));
        for at_once in AT_ONCE {
            let parallel = at_once.to_string();
            let ours = [ours, &["--parallel".to_owned(), parallel.clone()][..]].concat();
            let options = ["--parallel", "--parallel-max"].map(str::to_owned);
            let mut curl = curl.clone();
            if at_once > 1 {
                curl.splice(2..2, options.into_iter().chain([parallel]));
            }
            let what = format!("  at {FAR_MS} ms, {at_once} at once");
            self.compare(&what, 1, &ours, &curl, 1.0);
            if at_once == 16 {
                self.memory("    its peak memory", &ours, Some(&curl), Some(12.0));
            }
        }
        self.server.decide(|_| Answer::Faithful);
    }

    /// User and system time of both, and of the stand-in meanwhile.
    fn cpu_time(&self, ours: &Words, curl: &Words) {
        let report = self.folder.file("cpu");
        let time = |words: &Words| {
            let mut timed = [GNU_TIME, "-f", "%U %S", "-o"].map(str::to_owned).to_vec();
            timed.push(shown(&report));
            // Its clock ticks 100 times a second: many runs tell more.
            let line = format!("for n in $(seq 20); do {} 2>/dev/null; done", words.join(" "));
            timed.extend(["/bin/sh".to_owned(), "-c".to_owned(), line]);
            self.run(&timed);
            let text = fs::read_to_string(&report).unwrap();
            let seconds = text.split_whitespace().map(|part| part.parse::<f64>().unwrap());
            seconds.sum::<f64>() * 1e3 / 20.0
        };
        if self.times {
            let [mine, theirs] = [ours, curl].map(|words| {
                let before = own_cpu_time();
                (time(words), (own_cpu_time() - before) / 20.0)
            });
            let ratio = mine.0 / theirs.0;
            let aim = format!("at most 0.9{}", verdict(ratio <= 0.9));
            println!(
                "{:<34}{:>9.2} ms{:>9.2} ms{ratio:>8.2}   {aim}",
                "  CPU time", mine.0, theirs.0
            );
            println!("{:<34}{:>9.2} ms{:>9.2} ms", "  the stand-in's", mine.1, theirs.1);
        }
    }

    /// Instructions in user space.
    fn instructions(&self, ours: &Words, curl: &Words) {
        if on_path("valgrind").is_none() {
            return;
        }
        let count = |words: &Words| {
            let mut counted = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
                .map(str::to_owned)
                .to_vec();
            counted.extend_from_slice(words);
            let output = self.command(&counted).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = told.lines().find_map(|line| line.split_once("Collected :"));
            line.unwrap_or_else(|| panic!("{told}")).1.trim().parse::<f64>().unwrap() / 1e6
        };
        let (ours, curl) = (count(ours), count(curl));
        let (ratio, aim) = (ours / curl, format!("at most 130 M{}", verdict(ours <= 130.0)));
        println!("{:<34}{ours:>10.1} M{curl:>10.1} M{ratio:>8.2}   {aim}", "  instructions");
    }

    fn a_million(&self) {
        let lines: String =
            (0..MILLION).map(|n| format!("clientId:user-{n:07}-{:027}\n", n % 97)).collect();
        let file = self.folder.write("million.txt", &lines);
        let bytes = lines.len() as f64;
        drop(lines);
        let ours = self.revoke(&["--dry-run", "--targets-file", &shown(&file)]);
        let seconds = median(&self.hyperfine(&[&ours], 5)[0]);
        let what = format!("a million targets ({:.0} MB), dry run", bytes / 1e6);
        let aim = format!("at most 2 s{}", verdict(seconds <= 2.0));
        println!("{what:<34}{seconds:>10.2} s{:>20}   {aim}", "");
        if let Some(peak) = self.peak(&ours) {
            let ratio = peak * 1e6 / bytes;
            let aim = format!("at most 1.5 x the file: {ratio:.2}{}", verdict(ratio <= 1.5));
            println!("{:<34}{peak:>9.1} MB{:>20}   {aim}", "  its peak memory", "");
        }
        fs::remove_file(file).unwrap();
    }

    fn size(&self) {
        let megabytes = |path: &Path| fs::metadata(path).map_or(0.0, |it| it.len() as f64 / 1e6);
        let curl = on_path("curl").unwrap_or_default();
        let libraries = Command::new("ldd").arg(&curl).output();
        let libraries = libraries.map_or_else(|_| Vec::new(), |output| output.stdout);
        let libraries: f64 = String::from_utf8_lossy(&libraries)
            .lines()
            .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
            .map(|path| megabytes(Path::new(path)))
            .sum();
        let (ours, curl) = (megabytes(&self.ably), megabytes(&curl));
        println!(
            "{:<34}{ours:>9.2} MB{curl:>9.2} MB{:>8}   curl's libraries: {libraries:.1} MB more",
            "binary", ""
        );
    }

    /// A forced revocation at the stand-in.
    fn revoke(&self, options: &[&str]) -> Words {
        let mut words = vec![shown(&self.ably)];
        words.extend(["auth", "revoke-token"].map(str::to_owned));
        words.extend(options.iter().map(|option| (*option).to_owned()));
        // A dry run needs no consent.
        if !options.contains(&"--dry-run") {
            words.push("--force".to_owned());
        }
        words.extend(["--endpoint".to_owned(), self.server.endpoint()]);
        words.extend(["--ca-file".to_owned(), shown(&self.server.ca_file())]);
        words
    }

    /// The same requests by one curl over one connection, their bodies ready in files.
    fn curl(&self, name: &str, bodies: &[String]) -> Words {
        let url = format!("https://{}/keys/{KEY_NAME}/revokeTokens", self.server.endpoint());
        let mut blocks = Vec::new();
        for (n, body) in bodies.iter().enumerate() {
            let file = self.folder.write(&format!("{name}.{n}.json"), body);
            let mut block = format!(
                "url = {url}\nuser = {KEY}\ncacert = {}\noutput = /dev/null\nsilent\nshow-error\n\
                 fail\ndata-binary = @{}\n",
                shown(&self.server.ca_file()),
                shown(&file)
            );
            for header in CURL_HEADERS {
                block.push_str(&format!("header = \"{header}\"\n"));
            }
            blocks.push(block);
        }
        let config = self.folder.write(name, blocks.join("next\n"));
        // Without a .curlrc of this machine's.
        let words = ["curl", "--disable", "--config"].map(str::to_owned);
        words.into_iter().chain([shown(&config)]).collect()
    }

    /// A command as it is run here: the stand-in's key, and nothing of this machine's.
    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(&words[0]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(&words[1..]).env_clear().env("PATH", path);
        command.env("HOME", self.folder.path()).env("ABLY_API_KEY", KEY);
        command
    }

    /// Runs a command to its end; panics with what it said where it fails.
    fn run(&self, words: &[String]) {
        let output = self.command(words).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(output.status.success(), "{}: {}\n{told}", words.join(" "), output.status);
    }

    /// The requests and connections that a command makes.
    fn traffic(&self, words: &[String]) -> [usize; 2] {
        let before = [self.server.request_count(), self.server.connections()];
        self.run(words);
        [self.server.request_count() - before[0], self.server.connections() - before[1]]
    }

    /// All times of each command, in seconds.
    fn hyperfine(&self, commands: &[&Words], runs: usize) -> Vec<Vec<f64>> {
        let mut times = vec![Vec::new(); commands.len()];
        let report = self.folder.file("times.json");
        for _ in 0..ROUNDS {
            let mut words = vec!["hyperfine".to_owned(), "-N".to_owned()];
            words.extend(["--style", "none", "--warmup"].map(str::to_owned));
            // A single run takes long enough by itself.
            words.extend([(runs - 1).min(2).to_string(), "--runs".to_owned(), runs.to_string()]);
            words.extend(["--export-json".to_owned(), shown(&report)]);
            words.extend(commands.iter().map(|words| words.join(" ")));
            self.run(&words);
            let report = parse(&fs::read_to_string(&report).unwrap());
            for (all, result) in times.iter_mut().zip(list(&report, "results")) {
                all.extend(list(result, "times").into_iter().map(float));
            }
            assert!(has(&report, "results.0.times.0"), "hyperfine measured nothing");
        }
        times
    }

    fn compare(&self, what: &str, runs: usize, ours: &Words, curl: &Words, aim: f64) {
        let times = self.hyperfine(&[ours, curl], runs);
        let [ours, curl] = [0, 1].map(|at| median(&times[at]) * 1e3);
        let ratio = ours / curl;
        println!(
            "{what:<34}{ours:>9.2} ms{curl:>9.2} ms{ratio:>8.2}   at most {aim}{}",
            verdict(ratio <= aim)
        );
    }

    fn memory(&self, what: &str, ours: &Words, curl: Option<&Words>, aim: Option<f64>) {
        let Some(ours) = self.peak(ours) else { return };
        let curl = curl.and_then(|curl| self.peak(curl)).unwrap_or(0.0);
        let aim =
            aim.map_or_else(String::new, |aim| format!("at most {aim} MB{}", verdict(ours <= aim)));
        println!("{what:<34}{ours:>9.2} MB{curl:>9.2} MB{:>8.2}   {aim}", ours / curl);
    }

    /// A command's peak memory in megabytes, the median of some runs; `None` without GNU time.
    fn peak(&self, words: &[String]) -> Option<f64> {
        if !self.times {
            return None;
        }
        let report = self.folder.file("memory");
        let peaks: Vec<f64> = (0..5)
            .map(|_| {
                let mut timed = [GNU_TIME, "-f", "%M", "-o"].map(str::to_owned).to_vec();
                timed.push(shown(&report));
                timed.extend_from_slice(words);
                self.run(&timed);
                let text = fs::read_to_string(&report).unwrap();
                // Kibibytes.
                text.trim().parse::<f64>().unwrap() * 1024.0 / 1e6
            })
            .collect();
        Some(median(&peaks))
    }
}

/// Every target revoked, written in this form; what is no revocation is answered as ever.
fn answer(seen: &Seen, form: Form) -> Answer {
    if !seen.revokes() {
        return Answer::Faithful;
    }
    let targets = seen.targets();
    let results: Vec<String> = targets.iter().map(|target| form(&quote(target))).collect();
    let (count, blank) = (targets.len(), if form("").contains('\n') { " " } else { "" });
    let body = format!(
        r#"{{"successCount":{blank}{count},"failureCount":{blank}0,"results":{blank}[{}]}}"#,
        results.join(if blank.is_empty() { "," } else { ",\n    " })
    );
    Answer::json(201, body)
}

/// User and system time of this process, the stand-in's threads included, in milliseconds.
fn own_cpu_time() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    // A hundred ticks a second.
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() * 10.0
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Number(Number::F64(number)) => *number,
        Value::Number(Number::U64(number)) => *number as f64,
        _ => panic!("no number where hyperfine has its times"),
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "  ok" } else { "  MISSED" }
}

fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    assert!(
        !text.contains(char::is_whitespace),
        "{text}: white space in a path is not for this benchmark"
    );
    text
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn gnu_time() -> bool {
    let output = Command::new(GNU_TIME).arg("--version").output();
    output.is_ok_and(|output| {
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).contains("GNU")
    })
}
