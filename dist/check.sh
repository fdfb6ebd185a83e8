#!/usr/bin/env bash
# Checks what `make dist` made: checksums, members, owners, modes and times; then runs each binary
# in an empty root (the foreign one under qemu). `make check-dist` calls it; arguments: the targets.
set -euo pipefail
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")"

name=ably-revoke-token
version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' ../Cargo.toml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "check-dist: $*" >&2; exit 1; }
for tool in python3 cargo; do command -v $tool >/dev/null || fail "missing: $tool"; done

sha256sum --check --strict SHA256SUMS
[ "$(wc -l <SHA256SUMS)" = $# ] || fail 'SHA256SUMS lists other archives'

members='
bin/
bin/ably
share/
share/bash-completion/
share/bash-completion/completions/
share/bash-completion/completions/ably
share/doc/
share/doc/NAME/
share/doc/NAME/CHANGELOG.md
share/doc/NAME/LICENSE
share/doc/NAME/README.md
share/doc/NAME/SECURITY.md
share/doc/NAME/THIRD-PARTY-NOTICES
share/doc/NAME/sbom.cdx.json
share/fish/
share/fish/vendor_completions.d/
share/fish/vendor_completions.d/ably.fish
share/man/
share/man/man1/
share/man/man1/ably-auth-revoke-token.1
share/man/man1/ably.1
share/zsh/
share/zsh/site-functions/
share/zsh/site-functions/_ably'

for target; do
    top=$name-$version-$target archive=$name-$version-$target.tar.gz
    diff <(tar -tf "$archive") <(sed "s|NAME|$name|; s|^|$top/|" <<<"$members") ||
        fail "$archive holds other members"
    # Every member: owner 0:0, one time, and one of three modes.
    times=$(tar -tvf "$archive" --numeric-owner --full-time | awk '{
        if ($2 != "0/0") print "owner", $0
        want = $1 ~ /^d/ ? "drwxr-xr-x" : $NF ~ /bin\/ably$/ ? "-rwxr-xr-x" : "-rw-r--r--"
        if ($1 != want) print "mode", $0
        print $4, $5 }' | sort -u)
    [ "$(wc -l <<<"$times")" = 1 ] || fail "$archive: $times"

    tar -xf "$archive" -C "$work"
    root=$work/$top
    (cd .. && dist/linked.sh "$target") | ./check.py "$root" || fail "$target"
    grep -qaF -e "$HOME/" -e "$(dirname "$PWD")/" "$root/bin/ably" "$root/share/doc/$name/sbom.cdx.json" &&
        fail "$target: a path of this machine is inside"
    case $target in
        "$(uname -m)"-*) run=(chroot "$root" /bin/ably) ;;
        *) run=("qemu-${target%%-*}" "$root/bin/ably") ;;
    esac
    command -v "${run[0]}" >/dev/null || fail "missing: ${run[0]} (apt-get install ${run[0]/#qemu-*/qemu-user})"
    if [ "${run[0]}" = chroot ] && [ "$(id -u)" != 0 ]; then run=("$root/bin/ably"); fi
    told=$("${run[@]}" --version)
    [ "$told" = "$name $version ($target)" ] || fail "$target says $told"
    "${run[@]}" --help | grep -q '^Usage: ably auth revoke-token' || fail "$target: no help"
    "${run[@]}" --generate man | cmp - "$root/share/man/man1/ably-auth-revoke-token.1"
    code=0
    "${run[@]}" auth revoke-token --client-id alice --force --dry-run 2>/dev/null || code=$?
    [ $code = 2 ] || fail "$target: exit $code without a key"
    echo "good: $archive"
done
