#!/bin/sh
# Makes the packages for Debian and Ubuntu of programs that were built:
#
#     packaging/deb.sh PROFILE FOLDER [VERSION [TARGET]]
#
# PROFILE is release, or dev, whose packages are made quickly and are large. VERSION is the family's when left out. With TARGET it is
# one package, of the static agent that was built for that.
# DEBFULLNAME and DEBEMAIL say who answers for the packages, as everywhere in Debian.
set -eu
cd "$(dirname "$0")/.."
profile=$1
folder=$2
version=${3:-$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)}
case $profile in
    dev) programs=debug fast=--fast ;;
    *) programs=$profile fast= ;;
esac
command -v dpkg-shlibdeps >/dev/null || {
    echo 'dpkg-shlibdeps is missing, by which packages know what they depend on: install dpkg-dev' >&2
    exit 1
}
maintainer="${DEBFULLNAME:-The lamon developers} <${DEBEMAIL:-lamon@lamon.invalid}>"

"${CARGO_TARGET_DIR:-target}/$programs/lamon-pages" target/packaging
# Debian's form; a date that the same sources have again.
date=$(git log -1 --format=%cD 2>/dev/null || date -R)
cat > target/packaging/changelog <<EOF
lamon ($version-1) unstable; urgency=medium

  * What is new for operators is in changelog.gz, beside this file.

 -- $maintainer  $date
EOF
# package NAME [OPTION ...]
package() {
    name=$1
    shift
    ${CARGO:-cargo} deb --quiet --no-build $fast -p lamon-packaging --variant "$name" --deb-version "$version-1" \
        --maintainer "$maintainer" -o "$folder/" "$@"
}
if [ -n "${4:-}" ]; then
    # The program has lost its symbols already, and depends on nothing.
    CARGO_TARGET_DIR=target/static package agent --profile release --no-strip --target "$4"
    exit
fi
# Side by side, as most of the time goes into compressing.
made=
for name in agent hub apps; do
    package "$name" --profile "$profile" &
    made="$made $!"
done
for each in $made; do
    wait "$each"
done
