# Builds once, and again only when a source is newer than the stamp of the last build. Sourced by ../../electra.

# Folders count too: deleting a file changes nothing but its folder.
sources_changed() {
    [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$(build_identity)" ] || return 0
    [ -n "$(cd "$root" && find Cli Dashboard Jobs Storage Training build Directory.Build.props Directory.Build.targets \
        Directory.Packages.props global.json BannedSymbols.txt .editorconfig \
        \( -name bin -o -name obj -o -name launcher \) -prune -o -newer "$stamp" -print 2>/dev/null | head -n 1)" ]
}

# A clone that was moved, or another LibTorch, needs another build.
build_identity() { printf '%s %s' "$root" "${TorchDevice:-cpu}"; }

# build PROJECT...: quietly; everything is shown if it fails. No build server stays behind.
build() {
    log=$root/obj/launcher-build.log
    for project; do
        if ! (cd "$root" && dotnet build "$project" -c "$configuration" -v q --nologo -nodeReuse:false -p:UseSharedCompilation=false) >"$log" 2>&1; then
            cat "$log" >&2
            die "the build of $project failed (log: $log)"
        fi
    done
}

# ensure_built PROJECT: one builder at a time, where flock exists.
ensure_built() {
    if [ -x "$executable" ] && ! sources_changed; then
        return 0
    fi
    ensure_sdk
    mkdir -p "$root/obj" 2>/dev/null && [ -w "$root/obj" ] || die "cannot write to $root/obj: build as the user who owns the folder, or copy it"
    DOTNET_CLI_TELEMETRY_OPTOUT=1
    DOTNET_NOLOGO=1
    DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
    export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO DOTNET_SKIP_FIRST_TIME_EXPERIENCE
    (
        if command -v flock >/dev/null 2>&1; then
            exec 9>"$root/obj/launcher-lock"
            flock 9
        fi
        if [ ! -x "$executable" ] || sources_changed; then
            say "building (once, about a minute; it downloads LibTorch the first time) ..."
            # Before the build, so that what is edited meanwhile is built the next time; the folders that a build makes come first,
            # or the projects' folders would look changed.
            (cd "$root" && for project in Cli Dashboard Jobs Storage Training; do mkdir -p "$project/bin" "$project/obj"; done)
            build_identity >"$stamp.new"
            build "$1"
            mv "$stamp.new" "$stamp"
        fi
    )
}
