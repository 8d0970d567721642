# Runs: the tests are built for a target, and run natively or under an emulator.

results=target/portability/results
registered=()

# Tests of what does not depend on the target, which take a compiler or a debugger of it: messages of the macros (lints),
# the attribute beside other macros (shapes), and what gdb shows (debugger).
not_built="shapes|lints|debugger"

# Each package's unit tests, and its tests of the whole.
tests() {
    local file
    for file in tests/*.rs tests/*/main.rs lockattr-*/tests/*.rs; do
        file=${file%/main.rs}
        file=${file%.rs}
        case $file in lockattr-bench/* | lockattr-examples/*) continue ;; esac
        echo "${file##*/}"
    done | sort -u | grep -vxE "$not_built"
}

# Always all of them, as their dependencies are built anew for others: with other features.
packages=(--package lockattr --package lockattr-runtime --package lockattr-survey --package lockattr-hal --package lockattr-cli)

# build TARGET ARGUMENT…: builds tests, and writes what was built to the file of messages.
build() {
    local target=$1 triple name cargo=(/usr/bin/cargo test --no-run) std=(-Zbuild-std=std,panic_abort,panic_unwind) flags=()
    shift
    triple=$(triple_of "$target")
    name=${target//-/_}
    case $target in
        *-musl)
            install_zigbuild
            cargo=($zigbuild/bin/cargo-zigbuild test --no-run)
            # zig has musl's start files.
            flags=(RUSTFLAGS="-C link-self-contained=no" CARGO=/usr/bin/cargo PATH="$PWD/$zigbuild/bin:/usr/bin:$PATH")
            ;;
        x86_64-*-gnu) std=() ;;
        *) flags=("CARGO_TARGET_${name^^}_LINKER=$triple-gcc" "CC_$name=$triple-gcc" "AR_$name=$triple-ar") ;;
    esac
    # They need no debug information. std is built with them, and some tests take too long where it is not optimised at all.
    env CARGO_TARGET_DIR=target/portability/run CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1 "${flags[@]}" \
        "${cargo[@]}" "${std[@]}" --target "$target" --locked --all-features "${packages[@]}" "$@" \
        --message-format=json-render-diagnostics >"$results/$target.json"
}

# What the kernel starts an emulated program with. `F`: the emulator is opened now, so namespaces do not matter.
register() {
    local machine=$1 folder=/proc/sys/fs/binfmt_misc
    [ "$machine" != native ] && [ ! -e "$folder/qemu-$machine" ] || return 0
    [ -e $folder/register ] || as_root mount -t binfmt_misc binfmt_misc $folder
    as_root sh -c "cat /usr/lib/binfmt.d/qemu-$machine.conf >$folder/register"
    registered+=("$machine")
}

# As it was found.
tidy_up() {
    local machine
    for machine in "${registered[@]}"; do
        as_root sh -c "echo -1 >/proc/sys/fs/binfmt_misc/qemu-$machine"
    done
}

# Runs a command in a network and a `/dev/shm` of its own, which end with it.
apart() {
    as_root unshare --net --mount -- sh -ec '
        ip link set lo up
        mount -t tmpfs tmpfs /dev/shm
        exec "$@"' apart env PATH="$PATH" "$@"
}

# run_tests TARGET LINE NAME=VALUE…: runs what was built for TARGET; the table has it as LINE.
run_tests() {
    local target=$1 line=$2
    shift 2
    install_predecessors "$target"
    apart env "$@" python3 ci/portability.d/run.py "$line" "$results/$target.json" "$results/$line.txt" \
        ci/portability.d/left-out $(kinds_of "$target") || failed=1
    lines+=("$results/$line.txt")
}

run_target() {
    local target=$1 machine name selected=() variables=()
    machine=$(machine_of "$target")
    mkdir -p $results
    for name in $(tests); do selected+=(--test "$name"); done
    printf '\n%s: builds\n' "$target"
    if ! build "$target" --lib --bins "${selected[@]}"; then
        printf '%-44s does not build\n' "$target" >"$results/$target.txt"
        lines+=("$results/$target.txt")
        failed=1
        return
    fi
    register "$machine"
    if [ "$machine" != native ]; then
        # An emulator is some ten times as slow, and slower where processes start and end.
        variables=(QEMU_LD_PREFIX="/usr/$(triple_of "$target")" LOCKATTR_KILLS="${LOCKATTR_KILLS:-30}"
            LOCKATTR_STORM_SECONDS="${LOCKATTR_STORM_SECONDS:-12}" LOCKATTR_HAMMER_SECONDS="${LOCKATTR_HAMMER_SECONDS:-4}")
    fi
    printf '\n%s: runs\n' "$target"
    run_tests "$target" "$target" "${variables[@]}"
}

# builds_of TARGET: the path of tests/builds.rs, built for it.
builds_of() {
    build "$1" --test builds
    python3 -c '
import json, sys
print([message["executable"] for message in map(json.loads, sys.stdin)
       if message.get("executable") and message["target"]["name"] == "builds"][-1])' <"$results/$1.json"
}

# Programs of two builds on one lock, each against each other.
run_two_builds() {
    local here=x86_64-unknown-linux-gnu target other
    mkdir -p $results
    for target in "${targets[@]}"; do
        case $target in
            i686-unknown-linux-gnu | armv7-unknown-linux-gnueabihf | *-musl) ;;
            *) continue ;;
        esac
        runs_here "$target" || continue
        printf '\n%s and %s on one lock\n' "$here" "$target"
        register "$(machine_of "$target")"
        local this that variables=(QEMU_LD_PREFIX="/usr/$(triple_of "$target")")
        this=$(builds_of $here)
        that=$(builds_of "$target")
        run_tests $here "x86-64-beside-$target" LOCKATTR_OTHER_BUILD="$that" "${variables[@]}"
        run_tests "$target" "$target-beside-x86-64" LOCKATTR_OTHER_BUILD="$this" "${variables[@]}"
    done
}

# The table.
tell() {
    [ "${#lines[@]}" -gt 0 ] || return 0
    printf '\n%-44s %5s %7s %7s %7s %8s\n' "" ran passed again failed skipped
    cat "${lines[@]}"
    printf '\nagain: failed at first, and passed alone. A result that is not there is a failure.\n'
    printf 'Not built for another target: %s.\n' "${not_built//|/, }"
}
