# What is installed: Debian's packages, and from PyPI what links for musl.

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local package missing=()
    local wanted=(rustc-web cargo-web rust-web-src binutils-mingw-w64-x86-64 gcc libc6-dev iproute2 python3 socat)
    if [ "$runs" = 1 ]; then
        for target in "${targets[@]}"; do wanted+=($(packages_of "$target")); done
        wanted+=($(packages_of i686-unknown-linux-gnu))
    fi
    for package in "${wanted[@]}"; do
        dpkg --status "$package" 2>/dev/null | grep -q '^Status: install ok installed' || missing+=("$package")
    done
    if [ "${#missing[@]}" -gt 0 ]; then
        as_root apt-get update
        as_root apt-get install --yes --no-install-recommends "${missing[@]}"
    fi
}

# The Python predecessors, where the tests of `target` look for them: a network of their own has no package index.
install_predecessors() {
    local target=$1 here=target/portability/python place packages
    place=target/portability/run/$target/tmp
    [ "${LOCKATTR_SKIP_PYTHON:-0}" = 0 ] && [ ! -e "$place/python" ] || return 0
    if [ ! -x $here/bin/resourcelock ]; then
        packages=$(sed -n 's/^const PACKAGES.* = \[\(.*\)\];$/\1/p' tests/interop/python.rs | tr -d '",')
        python3 -m venv --clear $here
        # shellcheck disable=SC2086 # several
        $here/bin/python -m pip install --quiet $packages
    fi
    mkdir -p "$place"
    ln -sT "$PWD/$here" "$place/python"
}

# cargo-zigbuild, which brings a linker and musl's files, in an environment of its own.
zigbuild=target/portability/zig
install_zigbuild() {
    [ -x $zigbuild/bin/cargo-zigbuild ] && return
    python3 -m venv $zigbuild
    $zigbuild/bin/pip install --quiet ziglang==0.15.2 cargo-zigbuild==0.20.1
}
