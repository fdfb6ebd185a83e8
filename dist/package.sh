#!/usr/bin/env bash
# Makes the archives of a release, the same bytes wherever and by whomever; `make dist` calls it.
# Arguments: the targets, x86_64-unknown-linux-musl first: its binary makes the pages.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/.."

name=ably-revoke-token
version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
work=$PWD/target/dist

missing=0
need() { # COMMAND HOW-TO-GET-IT
    command -v "$1" >/dev/null || { echo "missing: $1 ($2)" >&2; missing=1; }
}
need jq 'apt-get install jq'
need python3 'apt-get install python3'
need "${CC_aarch64_unknown_linux_musl:-aarch64-linux-gnu-gcc}" 'apt-get install gcc-aarch64-linux-gnu'
need gzip 'apt-get install gzip'
tar --version 2>/dev/null | grep -q GNU || { echo 'missing: GNU tar (apt-get install tar)' >&2; missing=1; }
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || true)}"
[ -f "$(rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html" ] ||
    { echo "missing: the notices of Rust's library, which come with rustup's rustc" >&2; missing=1; }
[ -n "$SOURCE_DATE_EPOCH" ] || { echo 'missing: SOURCE_DATE_EPOCH, outside of a git checkout' >&2; missing=1; }
[ $missing = 0 ] || exit 1
export SOURCE_DATE_EPOCH

# Rust's own, which knows all targets and comes with the compiler.
objcopy() {
    local sysroot
    sysroot=$(rustc --print sysroot)
    LD_LIBRARY_PATH=$sysroot/lib "$(echo "$sysroot"/lib/rustlib/*/bin/rust-objcopy)" "$@"
}

# What is linked, in the form of cargo-auditable, for `cargo audit bin` and other scanners: JSON inside of
# zlib, here without compression, so that no version of zlib changes the bytes.
audit_list() {
    jq -c '.resolve as $resolve | [.packages[].id] as $ids | { packages: [.packages[] | .id as $id | {
        name, version, source: (if .source == null then "local" elif .source == "toolchain" then "toolchain" else "crates.io" end),
        dependencies: [$resolve.nodes[] | select(.id == $id) | .dependencies[] as $dep | $ids | index($dep)] | sort }
        + if $id == $resolve.root then { root: true } else {} end] }' |
        python3 -c '
import sys, zlib
data = sys.stdin.buffer.read().strip()
size = len(data)
out = b"\x78\x01\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data
sys.stdout.buffer.write(out + zlib.adler32(data).to_bytes(4, "big"))'
}

pack() { # TARGET
    local top=$name-$version-$1 stage=$work/stage
    local root=$stage/$top
    rm -rf "$stage"
    install -d "$root/bin"
    dist/metadata.sh "$1" toolchain >"$work/metadata.json"
    audit_list <"$work/metadata.json" >"$work/dep-v0"
    objcopy --add-section ".dep-v0=$work/dep-v0" "target/$1/release/ably" "$root/bin/ably"
    dist/pages.sh "$1" "target/$host/release/ably" "$root/share"
    rm "$root/share/changelog.Debian"
    jq --arg target "$1" --arg time "$(date -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" \
        --rawfile lock Cargo.lock -f dist/sbom.jq "$work/metadata.json" >"$root/share/doc/$name/sbom.cdx.json"
    chmod -R u=rwX,go=rX "$root"
    tar --create --directory "$stage" --format=ustar --sort=name --owner=0 --group=0 \
        --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$top" | gzip -9 -n >"dist/$top.tar.gz"
}

host=$1
rm -f dist/*.tar.gz dist/SHA256SUMS
dist/build.sh "$@"
for target; do pack "$target"; done
cd dist
sha256sum -- *.tar.gz >SHA256SUMS
cat SHA256SUMS
