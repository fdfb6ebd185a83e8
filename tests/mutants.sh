#!/bin/sh
# Tests the tests: changes the program in one place after the other, and tells which changes no test
# notices. Needs cargo-mutants (cargo install --locked cargo-mutants).
#
# tests/mutants.sh src/FILE…     every mutant of these files, against the tests of their rooms
# tests/mutants.sh sample [N]    some 200 of all mutants, those of week N, against all tests; fails
#                                where fewer than 97 % are noticed
#
# What survives is in target/mutants/mutants.out/missed.txt. JOBS mutants are tested at once (2).
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
command -v cargo-mutants >/dev/null || { echo "missing: cargo install --locked cargo-mutants" >&2; exit 1; }
# The tests run the program that cargo built beside them, which is the mutant, if nothing names another.
unset ABLY_BIN ABLY_RUNNER
export RUST_TEST_THREADS=8
target=x86_64-unknown-linux-musl

# mutants OPTIONS -- FILTERS: the tests of `make live` test no part of the program.
mutants() {
    status=0
    # Of what tests can be, these alone are built.
    cargo mutants --cargo-arg=--target="$target" --cargo-arg=--lib --cargo-arg=--test=behaviour \
        --jobs "${JOBS:-2}" --minimum-test-timeout 90 --output target/mutants "$@" --skip revoke::live || status=$?
    # 2: some survived; 3: some hung, and so were noticed.
    case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac
}

# The tests of a file's room: those of the same name, and those that look at its work from outside.
tests_of() {
    case $1 in
    src/revoke/*) echo revoke:: report:: ;;
    src/net/*) echo net:: revoke::answers revoke::wire revoke::verify ;;
    src/keys/*) echo keys:: request:: ;;
    src/request/*) echo request:: keys::of_a_token cli::usage ;;
    src/report/*) echo report:: revoke:: terminal:: ;;
    src/terminal/*) echo terminal:: ;;
    src/cli/*) echo cli:: ;;
    src/secret/*) echo secret:: request:: ;;
    src/json/*) echo json:: revoke::answers report::record ;;
    *) ;; # the ground floor: all
    esac
}

case $1 in
src/*)
    survivors=0
    for file; do
        # shellcheck disable=SC2046 # words
        mutants --file "$file" -- -- $(tests_of "$file")
        cat target/mutants/mutants.out/missed.txt
        survivors=$((survivors + $(wc -l <target/mutants/mutants.out/missed.txt)))
    done
    [ "$survivors" = 0 ]
    ;;
sample)
    total=$(cargo mutants --list | wc -l)
    # Each week another part of all, taken evenly from every file: the same number, the same mutants.
    parts=$(((total + 199) / 200)) week=${2:-$(($(date +%s) / 604800))}
    echo "week $week: part $((week % parts)) of $parts, of $total mutants"
    mutants --shard "$((week % parts))/$parts" --sharding round-robin -- --
    out=target/mutants/mutants.out
    cat $out/missed.txt
    missed=$(wc -l <$out/missed.txt) caught=$(cat $out/caught.txt $out/timeout.txt | wc -l)
    echo "$caught of $((caught + missed)) were noticed"
    [ $((caught * 100)) -ge $(((caught + missed) * 97)) ]
    ;;
*)
    echo "$1 is neither a file in src nor 'sample'" >&2
    exit 2
    ;;
esac
