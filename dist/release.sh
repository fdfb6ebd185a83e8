#!/usr/bin/env bash
# Makes a release of the last commit, twice, as two strangers would, and compares byte by byte: folders of
# different names (one with a space), umasks, toolchains and cargo homes; as root, users too. With a tag,
# v1.2.3, first checks that all that names the version names this one, and in the end writes the release's
# notes. .github/workflows/release.yml calls it with the tag, .ci/run without.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
if [ $# = 1 ]; then
    [ "$1" = "v$version" ] || { echo "the tag is $1, the version in Cargo.toml $version" >&2; exit 1; }
    grep -qx "## $version - 20[0-9][0-9]-[01][0-9]-[0-3][0-9]" CHANGELOG.md ||
        { echo "CHANGELOG.md has no heading \"## $version - YYYY-MM-DD\"" >&2; exit 1; }
    if grep -nE '(ably-revoke-token[-:/]|dist@v|default: |VERSION=)[0-9]+\.[0-9]' README.md dist/{Dockerfile,*.y*ml} | grep -vF "$version"; then
        echo "these name another version than $version" >&2
        exit 1
    fi
fi

work=$(mktemp -d)
trap '[ $? = 0 ] || { echo "left for a look: $work" >&2; exit 1; }; rm -rf "$work"' EXIT
chmod 755 "$work"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
one=$work/one two="$work/the other place"
mkdir "$one" "$two" "$work/home"
for place in "$one" "$two"; do git archive HEAD | tar -x -C "$place"; done
(umask 022 && make -C "$one" dist)
# The second builder's toolchain and cargo home, with what the first one fetched: no network. Hard links where
# they can be.
sysroot=$(rustc --print sysroot)
cp -rl "$sysroot" "$work/rust" 2>/dev/null || cp -r "$sysroot" "$work/rust"
cargo fetch --quiet --locked
cp -r "${CARGO_HOME:-$HOME/.cargo}/registry" "$work/home/"
as=()
if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chown -R 65534:65534 "$two" "$work/home"
fi

(umask 077 && "${as[@]}" env HOME="$work/home" CARGO_HOME="$work/home" CARGO_NET_OFFLINE=true \
    PATH="$work/rust/bin:/usr/bin:/bin" make -C "$two" dist)
for file in "$one"/dist/{*.tar.gz,*.deb,SHA256SUMS}; do cmp "$file" "$two/dist/$(basename "$file")"; done
rm -f dist/*.tar.gz dist/*.deb
cp "$one"/dist/{*.tar.gz,*.deb,SHA256SUMS} dist/
echo 'twice the same, byte for byte; in dist/'

[ $# = 1 ] || exit 0
{
    sed -n "/^## $version - /,/^## /{/^## /d;p}" CHANGELOG.md
    cat <<'END'

**Not tried:** the authors have run this against stand-ins for Ably only, never against Ably itself. Before
you rely on it, run `make live` (in an app of its own in Ably's sandbox), or `--check` with your key.
END
} >dist/NOTES.md
