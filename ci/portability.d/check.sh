# Checks: `cargo check` with warnings as errors, and no code generated.

log=$(mktemp)
trap 'rm -f "$log"; tidy_up' EXIT

# check TARGET PACKAGE…: whether they compile. What the compiler said is in the log.
check() {
    local target=$1 package packages=()
    shift
    for package in "$@"; do packages+=(--package "$package"); done
    # A folder of its own, as another compiler's would be built anew each time. A dependency of the command has a file of
    # C: nothing is linked, so this machine's compiler may make it.
    env CARGO_TARGET_DIR=target/portability RUSTFLAGS="-Zno-codegen -D warnings" CC=cc AR=ar CRATE_CC_NO_DEFAULTS=1 \
        /usr/bin/cargo check "${packages[@]}" --all-features --locked -Zbuild-std=std,panic_abort --target "$target" \
        >"$log" 2>&1
}

report() {
    printf '%-34s %-22s %s\n' "$1" "$2" "$3"
}

show_errors() {
    grep -E -A 12 '^error' "$log" || tail -20 "$log"
    failed=1
}

# try TARGET WHAT PACKAGE…
try() {
    local target=$1 what=$2
    shift 2
    if check "$target" "$@"; then
        report "$target" "$what" "compiles"
    else
        report "$target" "$what" "FAILED"
        show_errors
    fi
}

# refuses TARGET WHAT WORDS SAYS PACKAGE…: what must not compile, and has to say why in these words.
refuses() {
    local target=$1 what=$2 words=$3 says=$4
    shift 4
    if check "$target" "$@"; then
        report "$target" "$what" "FAILED: it compiles, and cannot work"
        failed=1
    elif grep -q "$words" "$log"; then
        report "$target" "$what" "skipped: $says"
    else
        report "$target" "$what" "FAILED: does not say why it does not compile"
        show_errors
    fi
}

check_target() {
    local target=$1
    if ! grep -q '^target_has_atomic="64"$' <<<"$(/usr/bin/rustc --print cfg --target "$target")"; then
        refuses "$target" "the library" "lockattr needs atomics of 64 bits" "it has no atomics of 64 bits, as lockattr says" lockattr
        return
    fi
    try "$target" "the library" lockattr lockattr-hal
    case $target in
        *-linux-*) try "$target" "the command" lockattr-cli ;;
        *) refuses "$target" "the command" "finds locks by what Linux tells of them" \
            "Linux alone tells of locks, as it says" lockattr-survey ;;
    esac
    report "$target" "the tests" "skipped: nothing is run"
}
