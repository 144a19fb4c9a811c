# What the system must have: the .NET SDK, PostgreSQL's server programs, two native libraries. Sourced by ../../electra.

say() { printf '%s\n' "electra: $*" >&2; }

die() {
    say "$*"
    exit 2
}

is_debian_root() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; }

# install_packages WHY PACKAGE...: only ever called as root on Debian.
install_packages() {
    why=$1
    shift
    say "installing $* ($why)"
    log=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1; then
        # The package lists may be missing (fresh images) or name versions that are gone.
        if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
            tail -n 15 "$log" >&2
            rm -f "$log"
            die "apt-get could not install $*; install it by hand and start again"
        fi
    fi
    rm -f "$log"
}

find_initdb() {
    for candidate in "$(command -v initdb 2>/dev/null || true)" /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
        /opt/homebrew/opt/postgresql*/bin/initdb /usr/local/opt/postgresql*/bin/initdb; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            return 0
        fi
    done
    return 1
}

# ensure_postgresql [SETTINGS]: the file that tells Debian whether to make a cluster when it installs the server.
ensure_postgresql() {
    if find_initdb; then
        return 0
    fi
    if ! is_debian_root; then
        die "PostgreSQL's server programs are missing: install them (Debian: sudo apt-get install postgresql; Fedora: sudo dnf install postgresql-server; macOS: brew install postgresql), or set ELECTRA_DATABASE to a connection string, or run 'docker compose up'"
    fi
    # Only the programs are wanted: Debian would also make and start a cluster of its own.
    install_packages "PostgreSQL keeps runs and versions" postgresql-common
    conf=${1:-/etc/postgresql-common/createcluster.conf}
    cp -p "$conf" "$conf.electra"
    printf '%s\n' 'create_main_cluster = false' >>"$conf"
    (install_packages "PostgreSQL keeps runs and versions" postgresql) || { mv "$conf.electra" "$conf"; exit 2; }
    mv "$conf.electra" "$conf"
    find_initdb || die "PostgreSQL was installed, but initdb is neither on PATH nor in /usr/lib/postgresql/*/bin"
}

has_library() {
    for folder in /usr/lib/*-linux-gnu /lib/*-linux-gnu /usr/lib64 /lib64 /usr/lib; do
        if [ -e "$folder/$1" ]; then
            return 0
        fi
    done
    ldconfig -p 2>/dev/null | grep -q "$1"
}

# LibTorch is linked against GCC's OpenMP and C++ runtimes, which slim images lack.
ensure_native_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    missing=
    has_library libgomp.so.1 || missing=libgomp1
    has_library libstdc++.so.6 || missing="$missing libstdc++6"
    if [ -z "$missing" ]; then
        return 0
    fi
    if is_debian_root; then
        # shellcheck disable=SC2086 # two words are two packages
        install_packages "LibTorch needs it" $missing
    else
        die "LibTorch needs$missing: install it (Debian: sudo apt-get install$missing)"
    fi
}

# The folder of the dotnet on PATH, if it is a plain installation; a wrapper script has no host/fxr beside it.
find_dotnet_root() {
    program=$(command -v dotnet 2>/dev/null) || return 1
    folder=$(dirname "$(readlink -f "$program" 2>/dev/null || printf '%s' "$program")")
    [ -d "$folder/host/fxr" ] && printf '%s' "$folder"
}

ensure_sdk() {
    if ! command -v dotnet >/dev/null 2>&1 && [ -x "${HOME:-/nonexistent}/.dotnet/dotnet" ]; then
        PATH=$HOME/.dotnet:$PATH
        export PATH
    fi
    if ! command -v dotnet >/dev/null 2>&1 || ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
        die "the .NET 10 SDK is missing: install it (https://dotnet.microsoft.com/download/dotnet/10.0, or your system's package dotnet-sdk-10.0) and start again"
    fi
}
