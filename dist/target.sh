#!/bin/sh
# Sees to it that Rust's standard library for each target given is there; asks rustup only if not.
for target; do
    libs=$(rustc --print target-libdir --target "$target") || exit 1
    for lib in "$libs"/libstd-*.rlib; do [ -e "$lib" ] && continue 2; done
    command -v rustup >/dev/null && rustup target add "$target" && continue
    echo "missing: Rust's standard library for $target (rustup target add $target, or your distribution's package)" >&2
    exit 1
done
