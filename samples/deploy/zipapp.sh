#!/bin/sh
# Makes ipt-explain.pyz: one file that runs wherever Python 3.10 or later is, as on a node without pip.
#
#   sh samples/deploy/zipapp.sh
#   scp ipt-explain.pyz node: && ssh node 'iptables-save | python3 ipt-explain.pyz'
#
# From the root of a checkout. Packages that are compiled run as plain Python here, since a zip holds no libraries.
set -eu
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
python3 -m pip install --quiet --no-compile --target "$target" "${1:-.}"
rm -rf "$target/bin" "$target/share"
find "$target" -name '*.so' -delete
python3 -m zipapp "$target" --compress --python '/usr/bin/env python3' --main ipt_explain.__main__:main --output ipt-explain.pyz
echo "ipt-explain.pyz: $(wc -c < ipt-explain.pyz) bytes"
