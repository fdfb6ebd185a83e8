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
need jq 'apt-get install jq'
need "${CC_aarch64_unknown_linux_musl:-aarch64-linux-gnu-gcc}" 'apt-get install gcc-aarch64-linux-gnu'
need gzip 'apt-get install gzip'
tar --version 2>/dev/null | grep -q GNU || { echo 'missing: GNU tar (apt-get install tar)' >&2; missing=1; }
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || true)}"
[ -f "$(rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html" ] ||
    { echo "missing: the notices of Rust's library, which come with rustup's rustc" >&2; missing=1; }
[ -n "$SOURCE_DATE_EPOCH" ] || { echo 'missing: SOURCE_DATE_EPOCH, outside of a git checkout' >&2; missing=1; }
[ $missing = 0 ] || exit 1
export SOURCE_DATE_EPOCH

# No path of this machine may reach the binary. Where rustup has Rust's sources, rustc names them
# by their place; elsewhere by the commit. The separator is what cargo splits at.
sysroot=$(rustc --print sysroot)
commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
# shellcheck disable=SC2086 # Each word is a flag.
printf -v CARGO_ENCODED_RUSTFLAGS '%s\x1f' ${RUSTFLAGS:-} \
    "--remap-path-prefix=$PWD=/build" \
    "--remap-path-prefix=$cargo_home=/cargo" \
    "--remap-path-prefix=$sysroot=/rust" \
    "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}

# Cargo makes a wrapper's path part of the crate's hash, and cargo-auditable names itself by its
# path: so cargo is given its name alone. By that name it finds a script, which sees to it that
# cargo-auditable asks dist/metadata.sh and so lists what is linked, no more.
shims=$CARGO_TARGET_DIR/shims
mkdir -p "$shims"
cat >"$shims/cargo-auditable" <<END
#!/bin/sh
CARGO="$shims/metadata" exec "$(command -v cargo-auditable)" "\$@"
END
cat >"$shims/metadata" <<END
#!/bin/sh
exec "$PWD/dist/metadata.sh" "\$ABLY_TARGET" toolchain
END
cat >"$shims/build" <<END
#!/bin/sh
PATH="$shims:\$PATH" RUSTC_WORKSPACE_WRAPPER=cargo-auditable exec cargo "\$@"
END
chmod 755 "$shims"/*

build() { # TARGET
    ABLY_TARGET=$1 CARGO=$shims/build cargo-auditable auditable build --release --locked \
        --target "$1" --bin ably
}

pack() { # TARGET
    local top=$name-$version-$1 stage=$CARGO_TARGET_DIR/stage
    local root=$stage/$top
    rm -rf "$stage"
    install -D -m 755 "$CARGO_TARGET_DIR/$1/release/ably" "$root/bin/ably"
    dist/pages.sh "$1" "$CARGO_TARGET_DIR/$host/release/ably" "$root/share"
    rm "$root/share/changelog.Debian"
    dist/metadata.sh "$1" toolchain | jq --arg target "$1" --arg time "$(date -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" \
        --rawfile lock Cargo.lock -f dist/sbom.jq >"$root/share/doc/$name/sbom.cdx.json"
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
