#!/bin/sh
# Succeeds if the tag given is the version of Cargo.toml, the changelog heads it with its day, and the
# recipes name it.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
[ "$1" = "v$version" ] || { echo "the tag is $1, the version in Cargo.toml $version" >&2; exit 1; }
grep -qx "## $version - 20[0-9][0-9]-[01][0-9]-[0-3][0-9]" CHANGELOG.md ||
    { echo "CHANGELOG.md has no heading \"## $version - YYYY-MM-DD\"" >&2; exit 1; }
if grep -nE '(ably-revoke-token[-:]|download v)[0-9]' dist/*.yml dist/*.yaml | grep -vF "$version"; then
    echo "these name another version than $version" >&2
    exit 1
fi
