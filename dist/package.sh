#!/usr/bin/env bash
# Makes what a release ships, in dist/: for each target an archive and a Debian package with one and the same
# binary, and SHA256SUMS. The same bytes wherever and by whomever. `make dist` calls it.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/.."

name=ably-revoke-token
maintainer='ably-revoke-token maintainers <ably-revoke-token@users.noreply.github.com>'
version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
work=$PWD/target/dist
sysroot=$(rustc --print sysroot)

missing=0
need() { # COMMAND HOW-TO-GET-IT
    command -v "$1" >/dev/null || { echo "missing: $1 ($2)" >&2; missing=1; }
}
need python3 'apt-get install python3'
need dpkg-deb 'apt-get install dpkg'
need "${CC_aarch64_unknown_linux_musl:-aarch64-linux-gnu-gcc}" 'apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross'
need qemu-aarch64 'apt-get install qemu-user'
tar --version 2>/dev/null | grep -q GNU || { echo 'missing: GNU tar (apt-get install tar)' >&2; missing=1; }
[ -f "$sysroot/share/doc/rust/COPYRIGHT-library.html" ] ||
    { echo "missing: the notices of Rust's library, which come with rustup's rustc" >&2; missing=1; }
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || true)}"
[ -n "$SOURCE_DATE_EPOCH" ] || { echo 'missing: SOURCE_DATE_EPOCH, outside of a git checkout' >&2; missing=1; }
[ $missing = 0 ] || exit 1
export SOURCE_DATE_EPOCH

archive() { # TARGET
    local root=$work/$name-$version-$1
    doc=$root/share/doc/$name
    mkdir -p "$doc"
    dist/parts.py "$1" "$doc" "$work/list"
    # For `cargo audit bin` and other scanners. It is not loaded.
    LD_LIBRARY_PATH=$sysroot/lib "$(echo "$sysroot"/lib/rustlib/*/bin/rust-objcopy)" \
        --add-section ".dep-v0=$work/list" "target/$1/release/ably" "$work/ably"
    BIN=$work/ably NAME=ably PREFIX='' DESTDIR=$root dist/install.sh install
    install -m 644 README.md LICENSE CHANGELOG.md SECURITY.md "$doc/"
    tar --create --directory "$work" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" "${root##*/}" | gzip -9 -n >"dist/${root##*/}.tar.gz"
}

debian() { # ARCHITECTURE, after `archive`
    local root=$work/$1
    local share=$root/usr/share notes=$root/usr/share/doc/$name day
    mkdir -p "$root/DEBIAN" "$notes" "$share/lintian/overrides"
    BIN=$work/ably NAME=$name PREFIX=/usr DESTDIR=$root dist/install.sh install
    mv "$share/zsh/site-functions" "$share/zsh/vendor-completions"
    install -m 644 README.md SECURITY.md "$doc/THIRD-PARTY-NOTICES" "$doc/sbom.cdx.json" "$notes/"
    install -m 644 CHANGELOG.md "$notes/changelog"
    day=$(sed -n "s/^## $version - //p" CHANGELOG.md)
    printf '%s (%s-1) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' \
        "$name" "$version" "$maintainer" "$(date -Rd "${day:-@$SOURCE_DATE_EPOCH}")" >"$notes/changelog.Debian"
    printf '%s\n' 'Copyright 2026 The ably-revoke-token authors; Apache License 2.0: /usr/share/common-licenses/Apache-2.0.' \
        'Of what else is linked into the binary, THIRD-PARTY-NOTICES has the licences.' >"$notes/copyright"
    # One static binary is the point of this program; lintian takes the one for amd64, which is
    # position-independent, for a library. And nobody asked in Debian for what is no part of it.
    cat >"$share/lintian/overrides/$name" <<END
$name [amd64]: shared-library-lacks-prerequisites [usr/bin/$name]
$name [arm64]: statically-linked-binary [usr/bin/$name]
$name: initial-upload-closes-no-bugs *
END
    gzip -9 -n "$notes"/changelog* "$share"/man/man1/*
    for script in postinst prerm; do install -m 755 dist/debian-link.sh "$root/DEBIAN/$script"; done
    (cd "$root" && find usr -type f | sort | xargs md5sum >DEBIAN/md5sums)
    cat >"$root/DEBIAN/control" <<END
Package: $name
Version: $version-1
Architecture: $1
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Section: admin
Priority: optional
Description: Revoke Ably tokens by client ID or revocation key
 Shows what will be revoked, in which app and with which key, and asks before it
 sends anything. A target counts as revoked only if Ably confirmed that very
 target. One static binary: it needs no Node.js and no configuration.
END
    dpkg-deb --root-owner-group -Zxz --build "$root" "dist/${name}_$version-1_$1.deb" >/dev/null
}

rm -rf "$work" dist/*.tar.gz dist/*.deb dist/SHA256SUMS
mkdir -p "$work"
dist/build.sh x86_64-unknown-linux-musl aarch64-unknown-linux-musl
# It makes the man page and the completions, which are the same for both.
RUNS_HERE=target/$(uname -m)-unknown-linux-musl/release/ably
export RUNS_HERE
for target in x86_64:amd64 aarch64:arm64; do
    archive "${target%:*}-unknown-linux-musl"
    debian "${target#*:}"
done
(cd dist && sha256sum -- *.tar.gz *.deb >SHA256SUMS)
dist/check.sh
cat dist/SHA256SUMS
