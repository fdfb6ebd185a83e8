#!/usr/bin/env bash
# Makes the archives of a release, the same bytes wherever and by whomever; `make dist` calls it.
# Arguments: the targets, x86_64-unknown-linux-musl first: its binary makes the pages.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/.."

name=ably-revoke-token
version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export CARGO_TARGET_DIR=$PWD/target/dist

missing=0
need() { # COMMAND HOW-TO-GET-IT
    command -v "$1" >/dev/null || { echo "missing: $1 ($2)" >&2; missing=1; }
}
need cargo-auditable 'cargo install --locked cargo-auditable'
need cargo-cyclonedx 'cargo install --locked cargo-cyclonedx'
need "${CC_aarch64_unknown_linux_musl:-aarch64-linux-gnu-gcc}" 'apt-get install gcc-aarch64-linux-gnu'
need gzip 'apt-get install gzip'
tar --version 2>/dev/null | grep -q GNU || { echo 'missing: GNU tar (apt-get install tar)' >&2; missing=1; }
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || true)}"
[ -n "$SOURCE_DATE_EPOCH" ] || { echo 'missing: SOURCE_DATE_EPOCH, outside of a git checkout' >&2; missing=1; }
[ $missing = 0 ] || exit 1
export SOURCE_DATE_EPOCH

# No path of this machine may reach the binary. Where rustup has Rust's sources, rustc names them
# by their place; elsewhere by the commit. The separator is what cargo splits at.
sysroot=$(rustc --print sysroot)
commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
# shellcheck disable=SC2086 # Each word is a flag.
printf -v CARGO_ENCODED_RUSTFLAGS '%s\x1f' ${RUSTFLAGS:-} ${LINK_FLAGS:-} \
    "--remap-path-prefix=$PWD=/build" \
    "--remap-path-prefix=$cargo_home=/cargo" \
    "--remap-path-prefix=$sysroot=/rust" \
    "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}

# Cargo makes a wrapper's path part of the crate's hash, and cargo-auditable names itself by its
# path: so cargo is given its name alone.
mkdir -p "$CARGO_TARGET_DIR"
shim=$CARGO_TARGET_DIR/cargo
printf '#!/bin/sh\nRUSTC_WORKSPACE_WRAPPER=cargo-auditable exec cargo "$@"\n' >"$shim"
chmod 755 "$shim"

build() { # TARGET
    CARGO=$shim cargo-auditable auditable build --release --locked --target "$1" --bin ably
}

# The dependencies that a target's binary is made of. Without a serial number and with a fixed
# time, since SOURCE_DATE_EPOCH is set; the folder of the build is taken out.
sbom() { # TARGET FILE
    cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --no-build-deps \
        --target "$1"
    sed "s|path+file://[^\"#]*#|pkg:cargo/|g" ably_bin.cdx.json >"$2"
    rm ably_bin.cdx.json
}

pack() { # TARGET
    local top=$name-$version-$1 stage=$CARGO_TARGET_DIR/stage
    local root=$stage/$top page=$CARGO_TARGET_DIR/$host/release/ably
    rm -rf "$stage"
    mkdir -p "$root/share/bash-completion/completions" "$root/share/zsh/site-functions" \
        "$root/share/fish/vendor_completions.d" "$root/share/man/man1" "$root/share/doc/$name"
    install -D -m 755 "$CARGO_TARGET_DIR/$1/release/ably" "$root/bin/ably"
    "$page" --generate man >"$root/share/man/man1/ably-auth-revoke-token.1"
    echo .so man1/ably-auth-revoke-token.1 >"$root/share/man/man1/ably.1"
    "$page" --generate bash >"$root/share/bash-completion/completions/ably"
    "$page" --generate zsh >"$root/share/zsh/site-functions/_ably"
    "$page" --generate fish >"$root/share/fish/vendor_completions.d/ably.fish"
    install -m 644 README.md LICENSE CHANGELOG.md SECURITY.md "$root/share/doc/$name/"
    sbom "$1" "$root/share/doc/$name/sbom.cdx.json"
    chmod -R u=rwX,go=rX "$root"
    tar --create --directory "$stage" --format=ustar --sort=name --owner=0 --group=0 \
        --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$top" | gzip -9 -n >"dist/$top.tar.gz"
}

host=$1
rm -f dist/*.tar.gz dist/SHA256SUMS
for target; do build "$target"; done
for target; do pack "$target"; done
cd dist
sha256sum -- *.tar.gz >SHA256SUMS
cat SHA256SUMS
