#!/bin/sh
# Builds ipt-explain.pyz: one file that needs only Python 3.10 or later, as on a node without pip.
#
#   sh samples/deploy/zipapp.sh
#   scp ipt-explain.pyz node: && ssh node 'iptables-save | python3 ipt-explain.pyz'
#
# Run it in the root of a checkout. Compiled packages run as plain Python here, since zip files cannot load libraries.
set -eu
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
python3 -m pip install --quiet --no-compile --target "$target" "${1:-.}"
rm -rf "$target/bin" "$target/share"
find "$target" -name '*.so' -delete
python3 -m zipapp "$target" --compress --python '/usr/bin/env python3' --main ipt_explain.__main__:main --output ipt-explain.pyz
echo "ipt-explain.pyz: $(wc -c < ipt-explain.pyz) bytes"
