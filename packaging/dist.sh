#!/bin/sh
# Makes archives of what was built, beside the packages: packaging/dist.sh VERSION FOLDER 'PROGRAMS'
#
# lamon-VERSION-…-linux.tar.gz has everything; the agents for Windows, for any Linux and for ARM, have archives of their own where
# they were built, and those for ARM packages too. Then what all of it was built of, in CycloneDX, and checksums. Times in archives are
# the commit's.
set -eu
cd "$(dirname "$0")/.."
version=$1
folder=$2
programs=$3
target=${CARGO_TARGET_DIR:-target}
static=target/static
windows=target/windows/x86_64-pc-windows-gnu/release/lamon-agent.exe
made=$(git log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH="$made"
work=$(mktemp -d)
# The tool writes one beside every crate; that of this folder names what all programs were built of.
sbom=lamon-sbom-unfinished
clean() {
    rm -rf "$work"
    find . -path ./target -prune -o -name "$sbom.json" -exec rm {} +
}
trap clean EXIT

# archive NAME: what is in $work/NAME, as NAME.tar.gz
archive() {
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$made" -c "$1" | gzip -9n >"$folder/$1.tar.gz"
}

rm -f "$folder"/*.tar.gz "$folder"/*.zip "$folder"/*.json "$folder/SHA256SUMS"

all=lamon-$version-$(uname -m)-linux
mkdir -p "$work/$all/bin" "$work/$all/man"
for program in $programs; do
    cp "$target/release/$program" "$work/$all/bin/"
done
ln -s lamon-sensord "$work/$all/bin/rts2-sensor-lamon"
for page in target/packaging/man/*; do
    mkdir -p "$work/$all/man/man${page##*.}"
    cp "$page" "$work/$all/man/man${page##*.}/"
done
cp -R etc docs target/packaging/completion README.md CHANGELOG.md LICENSE-* "$work/$all/"
archive "$all"

for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl arm-unknown-linux-musleabihf; do
    [ -e "$static/$target/release/lamon-agent" ] || continue
    name=lamon-agent-$version-${target%%-*}-linux-static
    mkdir -p "$work/$name"
    cp "$static/$target/release/lamon-agent" etc/agent.toml etc/systemd/lamon-agent.service target/packaging/man/lamon-agent.8 \
        docs/nodes.md docs/keys.md CHANGELOG.md LICENSE-* "$work/$name/"
    archive "$name"
    # For Intel and AMD the package has the other one, which looks names up as its system does.
    case $target in
        aarch64-* | arm-*) packaging/deb.sh release "$folder" "$version" "$target" >/dev/null ;;
    esac
done

if [ -e "$windows" ]; then
    name=lamon-agent-$version-x86_64-windows
    mkdir -p "$work/$name"
    cp "$windows" etc/agent.toml docs/windows.md docs/keys.md CHANGELOG.md LICENSE-* "$work/$name/"
    find "$work/$name" -exec touch -d "@$made" {} +
    (cd "$work" && python3 -m zipfile -c "$name.zip" "$name")
    mv "$work/$name.zip" "$folder/"
fi

${CARGO:-cargo} cyclonedx --quiet --manifest-path packaging/Cargo.toml --format json --spec-version 1.5 --no-build-deps \
    --override-filename "$sbom"
sed "s#file://$PWD/#file:///lamon/#g" packaging/$sbom.json >"$folder/lamon-$version.cdx.json"
# The page's own, with the version of all; npm has known how since its version 10.
mkdir "$work/page"
cp lamon-apps/web/page/package.json lamon-apps/web/page/package-lock.json "$work/page/"
if page=$(cd "$work/page" && npm pkg set "version=$version" && npm sbom --package-lock-only --sbom-format cyclonedx --omit dev 2>/dev/null); then
    printf '%s\n' "$page" >"$folder/lamon-web-page-$version.cdx.json"
else
    echo "what the web page was built of is left out: that takes npm 10 or newer" >&2
fi

(cd "$folder" && sha256sum -- *.deb *.tar.gz *.json $(ls | grep '\.zip$' || true) >SHA256SUMS)
