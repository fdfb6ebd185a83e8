#!/bin/sh
# Builds the release binary for each target given, with the settings of Cargo.toml and .cargo/config.toml
# and nothing else: `cargo build --release` gives the same code. The paths of Cargo's home and of Rust's
# sources, which panics name, are made those of Rust's container image, so that the bytes are the same
# whoever builds.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "missing: $*" >&2; exit 1; }
needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
here=$(rustc --version 2>/dev/null | cut -d' ' -f2)
[ -n "$here" ] || fail "Rust $needed or newer (https://rustup.rs, or your distribution's package)"
[ "$(printf '%s\n' "$needed" "$here" | sort -V | head -n 1)" = "$needed" ] ||
    fail "Rust $needed or newer; here is $here (rustup update, or https://rustup.rs)"
command -v "${CC:-cc}" >/dev/null || fail "a C compiler (cc; apt-get install gcc libc6-dev)"

home=${CARGO_HOME:-$HOME/.cargo}
sources=$(rustc --print sysroot)/lib/rustlib/src/rust
commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
for target; do
    libs=$(rustc --print target-libdir --target "$target")
    [ -n "$(find "$libs" -name 'libstd-*.rlib' 2>/dev/null)" ] || rustup target add "$target" ||
        fail "Rust's standard library for $target (rustup target add, or your distribution's package)"
    cargo build --release --locked --target "$target" --bin ably --config "target.$target.rustflags = [
        '--remap-path-prefix=$home=/usr/local/cargo', '--remap-path-prefix=$sources=/rustc/$commit']"
done
