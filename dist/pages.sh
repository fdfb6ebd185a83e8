#!/usr/bin/env bash
# Lays out what goes into PREFIX/share beside a binary: man page, completions, documents, notices;
# and changelog.Debian, for a package.
# Arguments: the target, a binary that runs here (its pages are those of any target), the folder.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

target=$1 ably=$2 share=$3 doc=$3/doc/ably-revoke-token
rm -rf "$share"
mkdir -p "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
    "$share/fish/vendor_completions.d" "$doc"
"$ably" --generate man >"$share/man/man1/ably-auth-revoke-token.1"
echo .so man1/ably-auth-revoke-token.1 >"$share/man/man1/ably.1"
"$ably" --generate bash >"$share/bash-completion/completions/ably"
"$ably" --generate zsh >"$share/zsh/site-functions/_ably"
"$ably" --generate fish >"$share/fish/vendor_completions.d/ably.fish"
install -m 644 README.md LICENSE CHANGELOG.md SECURITY.md "$doc/"
dist/notices.sh "$target" >"$doc/THIRD-PARTY-NOTICES"

version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
day=$(sed -n "s/^## $version - //p" CHANGELOG.md)
printf 'ably-revoke-token (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' "$version" \
    "$(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)" \
    "$(LC_ALL=C date -u -Rd "${day:-@${SOURCE_DATE_EPOCH:-0}}")" >"$share/changelog.Debian"
