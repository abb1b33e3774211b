#!/usr/bin/env bash
# Makes `cargo build --target wasm32-wasip2` work for the installed rustc.
#
# Three cases, the cheapest first: the target is there and this rustc can use it
# (nothing is said or done); rustup adds it; or the standard library is built
# from Debian's packages, for machines that reach a Debian mirror but no rustup
# server. The Debian route reads the mirror out of apt's own configuration and
# keeps lists and downloads in a directory of its own, so that nothing of the
# system's apt changes and no root is needed. The target appears in the
# toolchain by one rename, after everything is built: an interrupted run leaves
# no half target behind.
set -euo pipefail

readonly target=wasm32-wasip2
readonly rustup_limit=60 # seconds; an unreachable server must not hang `make`
readonly apt_limit=120   # seconds for one index or one package

# Backports first: they carry several rustc versions side by side, every other
# suite carries one.
readonly suites=(trixie-backports trixie forky sid)

rustc=
cargo=
version=
rustlib=
work=    # temporary files, apt's included
stage=   # the target before it moves into place
link=    # std's source, lent to cargo
library= # std's source: the toolchain's own or the package's
libc=    # the target's libc.a and start-up objects
tried=()

say() { printf 'setup: %s\n' "$*" >&2; }

# Remembers why a route failed, for the one message at the end.
gave_up() {
    tried+=("$1")
    return 1
}

fail() {
    say "cannot install the target $target for rustc ${version:-(not found)}"
    local reason
    for reason in ${tried[@]+"${tried[@]}"}; do
        printf '  tried: %s\n' "$reason" >&2
    done
    printf '  to do: %s\n' "$1" >&2
    exit 1
}

clean_up() {
    if [[ -n $link && -L $link ]]; then
        rm -f "$link"
        rmdir --ignore-fail-on-non-empty "${link%/*}"
    fi
    if [[ -n $stage ]]; then rm -rf "$stage"; fi
    if [[ -n $work ]]; then rm -rf "$work"; fi
}

# Runs a command for at most the given seconds; the log keeps what it said.
# In the foreground, so that ctrl-c ends it too.
quietly() {
    local limit=$1
    shift
    if command -v timeout >/dev/null; then
        timeout --foreground -k 5 "$limit" "$@" >"$work/log" 2>&1 </dev/null
    else
        "$@" >"$work/log" 2>&1 </dev/null
    fi
}

# The last complaint in the log, or else its last line.
last_words() {
    awk '/^(error|E:|W: Failed)/ { complaint = $0 } NF { last = $0 }
        END { print complaint ? complaint : last ? last : "no message" }' "$work/log"
}

find_toolchain() {
    if ! command -v rustc >/dev/null || ! command -v cargo >/dev/null; then
        fail "install a Rust toolchain (rustc and cargo), then run 'make setup' again"
    fi
    local sysroot
    sysroot=$(rustc --print sysroot)
    rustlib=$sysroot/lib/rustlib
    # The toolchain's own binaries: a directory's rustup override does not apply
    # in the temporary directory where std is built.
    rustc=$(command -v rustc)
    if [[ -x $sysroot/bin/rustc ]]; then rustc=$sysroot/bin/rustc; fi
    cargo=$(command -v cargo)
    if [[ -x $sysroot/bin/cargo ]]; then cargo=$sysroot/bin/cargo; fi
}

# A std that another rustc has built is as good as none: let this one load it.
# Its output goes to a real file: rustc replaces what it writes to, and run as
# root it would replace /dev/null itself.
usable() {
    local startup=$rustlib/$target/lib/self-contained
    [[ -f $startup/libc.a && -f $startup/crt1-command.o && -f $startup/crt1-reactor.o ]] &&
        "$rustc" --target "$target" --crate-type lib --emit metadata -o "$work/probe.rmeta" - \
            >/dev/null 2>&1 </dev/null
}

links() {
    echo 'fn main() { println!("linked"); }' >"$work/linked.rs"
    quietly 60 "$rustc" --target "$target" -C lto -C panic=abort -o "$work/linked.wasm" "$work/linked.rs"
}

try_rustup() {
    command -v rustup >/dev/null || gave_up "rustup: not installed" || return
    say "adding $target with rustup"
    # A target of ours for an older rustc would be a conflict to rustup.
    if [[ -f $rustlib/$target/origin ]]; then rm -rf "${rustlib:?}/$target"; fi
    local status=0
    quietly "$rustup_limit" rustup target add "$target" || status=$?
    if usable && links; then return; fi
    case $status in
    0) gave_up "rustup target add $target: done, but rustc does not find it (is $rustc rustup's?)" ;;
    124 | 137) gave_up "rustup target add $target: no end after $rustup_limit s" ;;
    *) gave_up "rustup target add $target: $(last_words)" ;;
    esac
}

# Prints "URI keyring" for every enabled binary source of this machine's apt;
# "-" stands for apt's default keys.
configured_sources() {
    local list='' parts=''
    eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    cat "$parts"/*.sources 2>/dev/null | awk '
        function flush(  i, n, uri) {
            n = split(uris, uri, /[ \t]+/)
            if (enabled && types ~ /(^|[ \t])deb([ \t]|$)/)
                for (i = 1; i <= n; i++) if (uri[i] != "") print uri[i], keyring
            uris = ""; types = ""; keyring = "-"; enabled = 1
        }
        BEGIN { keyring = "-"; enabled = 1 }
        /^[ \t]*$/ { flush() }
        { field = tolower($1); value = $0; sub(/^[^:]*:[ \t]*/, "", value) }
        field == "types:" { types = value }
        field == "uris:" { uris = value }
        field == "enabled:" && tolower(value) ~ /^(no|false|0)/ { enabled = 0 }
        field == "signed-by:" && value ~ /^\// { keyring = $2 }
        END { flush() }'
    cat "$list" "$parts"/*.list 2>/dev/null | awk '
        $1 == "deb" {
            keyring = "-"
            if (match($0, /signed-by=[^] \t]+/)) keyring = substr($0, RSTART + 10, RLENGTH - 10)
            sub(/^deb[ \t]+(\[[^]]*\])?[ \t]*/, "")
            print $1, keyring
        }'
    return 0
}

# apt with lists, cache and sources of its own.
private() {
    local command=$1
    shift
    "$command" \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- \
        -o Dir::State="$work/state" -o Dir::State::status="$work/status" \
        -o Dir::Cache="$work/cache" -o Acquire::Languages=none \
        -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 -o Acquire::Retries=0 "$@"
}

# The newest version of a package whose upstream part is the given one ("" for any).
offered() {
    private apt-cache madison "$1" 2>/dev/null |
        awk -v want="$2" '{ v = $3; sub(/[+-].*/, "", v) } want == "" || v == want { print $3; exit }'
}

download() {
    local package=$1 wanted=$2
    (cd "$work" && private quietly_apt_get download "$package=$wanted") &&
        quietly "$apt_limit" dpkg-deb -x "$work/$package"_*.deb "$work/$package"
}

quietly_apt_get() { quietly "$apt_limit" apt-get "$@"; }

# A mirror that cannot be reached once need not be waited for in every suite.
out_of_reach() {
    ! compgen -G "$work/state/lists/*Packages*" >/dev/null &&
        grep -Eiq 'could not (resolve|connect)|temporary failure|timed? ?out|unable to connect' "$work/log"
}

# Looks through the suites for what is still missing: rust-src of exactly this
# rustc (std's code and the compiler are one piece) and a wasi-libc that has
# the target.
fetch_packages() {
    local sources suite found
    sources=$(configured_sources | grep -Ev '^cdrom:|security' | sort -u) ||
        gave_up "Debian packages: no mirror in apt's source lists" || return
    for suite in "${suites[@]}"; do
        while read -r uri keyring; do
            [[ $keyring == - ]] && keyring= || keyring="[signed-by=$keyring] "
            echo "deb $keyring$uri $suite main"
        done <<<"$sources" >"$work/sources.list"
        say "looking for rust-src $version and wasi-libc in $suite"
        private quietly_apt_get update || true
        if out_of_reach; then
            gave_up "Debian packages: $(last_words)" || return
        fi
        if [[ ! -d $library ]] && found=$(offered rust-src "$version") && [[ -n $found ]]; then
            say "fetching rust-src $found"
            download rust-src "$found" || true
        fi
        if [[ ! -d $libc ]] && found=$(offered wasi-libc "") && [[ -n $found ]]; then
            say "fetching wasi-libc $found"
            download wasi-libc "$found" || true
        fi
        if [[ -d $library && -d $libc ]]; then return; fi
    done
    [[ -d $libc ]] || gave_up "Debian packages: no wasi-libc with $target in ${suites[*]} ($(last_words))" || return
    gave_up "Debian packages: no rust-src $version in ${suites[*]}"
}

# cargo looks for std's source in one place only. A link that lives as long as
# the build keeps rustup's own rust-src component installable later.
lend_source() {
    local place=$rustlib/src/rust
    if [[ -L $place && ! -e $place ]]; then rm -f "$place"; fi
    mkdir -p "$rustlib/src"
    ln -s "${library%/library}" "$place"
    link=$place
}

build_std() {
    local crate=$work/empty
    mkdir -p "$crate/src" "$stage/lib/self-contained"
    : >"$crate/src/lib.rs"
    printf '[package]\nname = "empty"\nedition = "2021"\n[workspace]\n' >"$crate/Cargo.toml"
    # Without bitcode in std a build with link-time optimisation fails.
    (cd "$crate" && quietly 900 env -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_TARGET \
        RUSTC="$rustc" RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$crate/target" \
        "$cargo" build -Zbuild-std=std,panic_abort --target "$target" --release) ||
        gave_up "Debian packages: std does not build: $(last_words)" || return
    find "$crate/target/$target/release/deps" -name '*.rlib' ! -name 'libempty-*' \
        -exec cp {} "$stage/lib/" \;
    cp "$libc"/{libc.a,crt1-command.o,crt1-reactor.o} "$stage/lib/self-contained/"
    echo "built for rustc $version from Debian's rust-src and wasi-libc" >"$stage/origin"
}

move_into_place() {
    chmod 755 "$stage"
    rm -rf "${rustlib:?}/$target"
    mv "$stage" "$rustlib/$target"
    stage=
    if usable && links; then return; fi
    local why
    why=$(last_words)
    rm -rf "${rustlib:?}/$target"
    gave_up "Debian packages: rustc does not accept the std built from them: $why"
}

try_debian() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        gave_up "Debian packages: this machine has no apt" || return
    fi
    [[ -w $rustlib ]] || gave_up "Debian packages: no right to write to $rustlib" || return
    # One at a time: two runs would share the place of std's source.
    if command -v flock >/dev/null; then
        exec 9<"$rustlib"
        flock 9
        if usable; then return; fi
    fi
    mkdir -p "$work"/{state/lists/partial,cache/archives/partial}
    : >"$work/status"
    chmod 755 "$work" # apt downloads as a user of its own
    libc=$work/wasi-libc/usr/lib/$target
    library=$rustlib/src/rust/library
    if [[ ! -d $library ]]; then library=$work/rust-src/usr/src/rustc-$version/library; fi
    fetch_packages || return
    if [[ $library == "$work"/* ]]; then lend_source; fi
    say "building std for $target (a minute or two)"
    stage=$(mktemp -d "$rustlib/.$target.XXXXXX")
    build_std && move_into_place
}

main() {
    cd "$(dirname "${BASH_SOURCE[0]}")"
    find_toolchain
    work=$(mktemp -d)
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    if usable; then return; fi
    version=$("$rustc" --version | awk '{ print $2 }')
    if try_rustup || try_debian; then
        say "$target is ready for rustc $version"
    else
        fail "give this machine access to a rustup server or to a Debian mirror that carries rust-src $version, then run 'make setup' again; or put a std for $target into $rustlib yourself"
    fi
}

main "$@"
