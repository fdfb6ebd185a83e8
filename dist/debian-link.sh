#!/bin/sh
# The Debian package's postinst and prerm: its program is /usr/bin/ably-revoke-token, and `ably` leads there
# where that name is free. The full Ably CLI has it too, often as a link that npm made and no package owns.
set -e
case $1 in
    configure)
        command -v ably >/dev/null || [ -L /usr/bin/ably ] || ln -s ably-revoke-token /usr/bin/ably ;;
    remove)
        [ "$(readlink /usr/bin/ably)" != ably-revoke-token ] || rm /usr/bin/ably ;;
esac
