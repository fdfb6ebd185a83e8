#!/usr/bin/env bash
# Checks what dist/package.sh made: one binary in the archive and the Debian package, which is that of `make`
# but for the list of its parts; no path of this machine; and runs it, in an empty root or under qemu.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "check: $target: $*" >&2; exit 1; }
sysroot=$(rustc --print sysroot)
without_list() { LD_LIBRARY_PATH=$sysroot/lib "$(echo "$sysroot"/lib/rustlib/*/bin/rust-objcopy)" -R .dep-v0 "$1" "$work/$2"; }
ably() {
    if [ "${target%%-*}" != "$(uname -m)" ]; then "qemu-${target%%-*}" "$root/bin/ably" "$@"
    elif [ "$(id -u)" = 0 ]; then chroot "$root" /bin/ably "$@"
    else "$root/bin/ably" "$@"; fi
}

for archive in ably-revoke-token-*.tar.gz; do
    target=$(sed 's/.*\(x86_64\|aarch64\)/\1/; s/\.tar\.gz//' <<<"$archive") root=$work/${archive%.tar.gz}
    case $target in x86_64-*) deb=amd64 ;; *) deb=arm64 ;; esac
    tar -xf "$archive" -C "$work"
    dpkg-deb --fsys-tarfile ./*_$deb.deb | tar -xO ./usr/bin/ably-revoke-token | cmp - "$root/bin/ably"
    without_list "$root/bin/ably" packed
    without_list "../target/$target/release/ably" built
    cmp "$work/packed" "$work/built"
    grep -qa '"name":"ably-revoke-token"' "$root/bin/ably" || fail 'no list of its parts inside'
    ! grep -raF -e "$HOME/" -e "$(dirname "$PWD")/" "$root" || fail 'a path of this machine is inside'

    [[ $(ably --version) = ably-revoke-token*$target* ]] || fail "says $(ably --version)"
    ably --help | grep -q '^Usage: ably auth revoke-token' || fail 'no help'
    code=0
    ably auth revoke-token --client-id alice --force --dry-run 2>/dev/null || code=$?
    [ $code = 2 ] || fail "exit $code without a key"
done
