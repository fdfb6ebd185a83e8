#!/bin/sh
# Lists what is linked into the binary for a target, one `NAME VERSION|LICENSE` a line: the crates
# (without procedural macros, which only run in the compiler), Rust's standard library and musl.
# What is shipped about the binary, and what is checked of it, begins here.
set -eu
libs=$(rustc --print target-libdir --target "$1")
cargo tree --quiet --locked --edges normal,no-proc-macro --target "$1" --prefix none --format '{p}|{l}' |
    sed 's/ (\*)$//; s/ v\([^ |]*\)[^|]*|/ \1|/' | sort -u
musl=$(LC_ALL=C grep -aoEm1 "1\.[0-9]+\.[0-9]+" "$libs/self-contained/libc.a" || true)
echo "musl ${musl:-unknown}|MIT"
echo "std $(rustc -vV | sed -n 's/^release: //p')|MIT OR Apache-2.0"
