# The targets, and what each needs.

all_targets=(
    i686-unknown-linux-gnu
    x86_64-unknown-linux-musl
    aarch64-unknown-linux-gnu
    armv7-unknown-linux-gnueabihf
    s390x-unknown-linux-gnu
    riscv64gc-unknown-linux-gnu
    arm-unknown-linux-gnueabihf
    aarch64-linux-android
    x86_64-apple-darwin
    aarch64-apple-darwin
    x86_64-unknown-freebsd
    x86_64-pc-windows-gnu
)

# How its programs run here: natively, under the name of an emulator, or not at all.
machine_of() {
    case $1 in
        i686-unknown-linux-gnu | x86_64-unknown-linux-*) echo native ;;
        aarch64-unknown-linux-gnu) echo aarch64 ;;
        armv7-unknown-linux-gnueabihf) echo arm ;;
        riscv64gc-unknown-linux-gnu) echo riscv64 ;;
        s390x-unknown-linux-gnu) echo s390x ;;
        *) echo none ;;
    esac
}

runs_here() {
    [ "$(machine_of "$1")" != none ] && [ "$(uname -m)" = x86_64 ]
}

# What its C library and linker go by at Debian.
triple_of() {
    case $1 in
        armv7-unknown-linux-gnueabihf) echo arm-linux-gnueabihf ;;
        riscv64gc-unknown-linux-gnu) echo riscv64-linux-gnu ;;
        *) echo "${1/-unknown/}" ;;
    esac
}

# Debian's packages with them.
packages_of() {
    case $1 in
        i686-unknown-linux-gnu) echo gcc-i686-linux-gnu libc6-dev-i386-cross libc6-i386 lib32gcc-s1 ;;
        aarch64-unknown-linux-gnu) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static ;;
        armv7-unknown-linux-gnueabihf) echo gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user-static ;;
        riscv64gc-unknown-linux-gnu) echo gcc-riscv64-linux-gnu libc6-dev-riscv64-cross qemu-user-static ;;
        s390x-unknown-linux-gnu) echo gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user-static ;;
        x86_64-unknown-linux-musl) echo python3-venv ;;
    esac
}

# Of which kinds it is, by which tests are left out.
kinds_of() {
    echo any "$1"
    case $1 in
        *-musl) echo musl ;;
        i686-* | armv7-*) echo 32-bit ;;
        s390x-*) echo big-endian ;;
    esac
    case $(machine_of "$1") in
        native) ;;
        *) echo emulated ;;
    esac
}
