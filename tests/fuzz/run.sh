#!/bin/sh
# Runs each fuzz target for a while, from the seeds in tests/fuzz/seeds and what earlier runs kept in
# target/fuzz/corpus, and fails on a finding. Needs a C++ compiler, and neither a nightly Rust nor
# cargo-fuzz: what that adds to the build is below, without the address sanitizer, which has little
# to find in a crate that forbids unsafe code.
#
# tests/fuzz/run.sh [SECONDS [TARGET…]]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- tests/fuzz/fuzz_targets/*.rs
host=$(rustc -vV | sed -n 's/^host: //p')

# What tells libFuzzer which ways an input took.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
# With --target the flags are not for build scripts.
cargo build --quiet --release --locked --manifest-path tests/fuzz/Cargo.toml --target-dir target/fuzz --target "$host"

failed=
for file; do
    target=$(basename "$file" .rs)
    corpus=target/fuzz/corpus/$target findings=target/fuzz/findings/$target/
    seeds=tests/fuzz/seeds/$target log=target/fuzz/$target.log
    # libFuzzer writes into the first folder alone.
    mkdir -p "$corpus" "$findings"
    set -- "$corpus"
    [ ! -d "$seeds" ] || set -- "$corpus" "$seeds"
    # No text of a few KiB is worth ten seconds or a gigabyte.
    if "target/fuzz/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
        -dict=tests/fuzz/words -artifact_prefix="$findings" -print_final_stats=1 "$@" >"$log" 2>&1
    then
        echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no finding"
    else
        failed="$failed $target"
        echo "$target: FAILED, see $log; the input is in $findings"
        tail -n 25 "$log"
    fi
done
[ -z "$failed" ] || { echo "findings:$failed" >&2; exit 1; }
