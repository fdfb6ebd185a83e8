#!/bin/sh
# `cargo metadata` cut down to the crates that are linked into the binary for a target
# (dist/linked.sh); by itself it also tells of procedural macros, and of features that nothing turns
# on. With the word `toolchain` after the target, Rust's standard library and musl stand among them.
set -eu
here=$(dirname "$0")
linked=$("$here/linked.sh" "$1")
cargo metadata --quiet --locked --format-version 1 --filter-platform "$1" |
    jq -c --arg linked "$linked" --arg toolchain "${2:-}" -f "$here/metadata.jq"
