# ./electra test [PROJECT...]: builds and runs the test projects, one after another, and adds up what they report. Sourced by ../../electra.

test_usage() {
    cat <<'USAGE'
Builds and runs every test project, or those named, starting what they need.

Usage: electra test [PROJECT...]        e.g. electra test Jobs.Tests

Each project prints one line, failures in full; the last line is
'N passed, N failed, N skipped'. Exit code: 0 if tests ran and none failed.
With CI=true, as root on Debian, chromium (browser tests) and docker-compose
(check of docker-compose.yml) are installed where they are missing; otherwise
these tests are skipped with a message.
USAGE
}

has_chromium() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }

# A browser draws no text without a font, and --no-install-recommends leaves them out.
ensure_chromium() {
    if [ "${CI:-}" = true ] && ! has_chromium && is_debian_root; then
        install_packages "the browser tests use it" chromium fonts-dejavu-core
    fi
}

ensure_compose() {
    if [ "${CI:-}" = true ] && is_debian_root && ! docker compose version >/dev/null 2>&1 && ! command -v docker-compose >/dev/null 2>&1; then
        install_packages "a test has it check docker-compose.yml" docker-compose
    fi
}

# attribute FILE NAME: the number in the first NAME="..." of an xunit result file, 0 if there is none.
attribute() {
    number=$(tr '>' '\n' <"$1" | sed -n "/<assembly /{s/.* $2=\"\\([0-9]*\\)\".*/\\1/p;q;}")
    printf '%s' "${number:-0}"
}

# run_project NAME: adds to passed, failed and skipped. A project that dies or hangs counts as a failure.
run_project() {
    results=$root/tests/$1/TestResults
    rm -rf "$results"
    mkdir -p "$results"
    started=$(date +%s)
    code=0
    (cd "$root/tests/$1" && timeout --kill-after=30 1800 \
        dotnet "bin/$configuration/$framework/ElectraPipeline.$1.dll" -noLogo -noColor -result-xml "$results/results.xml") >"$results/output.txt" 2>&1 || code=$?
    project_passed=0 project_failed=0 project_skipped=0
    if [ -s "$results/results.xml" ]; then
        project_passed=$(attribute "$results/results.xml" passed)
        project_failed=$(($(attribute "$results/results.xml" failed) + $(attribute "$results/results.xml" errors)))
        project_skipped=$(attribute "$results/results.xml" skipped)
    fi
    if [ "$code" -ne 0 ] && [ "$project_failed" -eq 0 ]; then
        project_failed=1
        printf '%s ended with exit code %s\n' "$1" "$code"
    fi
    if [ "$project_failed" -gt 0 ]; then
        cat "$results/output.txt"
    else
        grep -E '\[SKIP\]' -A 1 "$results/output.txt" || true
    fi
    printf '%-18s %4s passed, %s failed, %s skipped (%s s)\n' \
        "$1" "$project_passed" "$project_failed" "$project_skipped" "$(($(date +%s) - started))"
    passed=$((passed + project_passed)) failed=$((failed + project_failed)) skipped=$((skipped + project_skipped))
}

run_tests() {
    projects=
    for argument; do
        case $argument in
            test) ;;
            -h | -\? | --help) test_usage; return 0 ;;
            *)
                [ -e "$root/tests/$argument/$argument.csproj" ] || die "no test project $argument; there are: $(cd "$root/tests" && echo *.Tests)"
                projects="$projects $argument" ;;
        esac
    done
    [ -n "$projects" ] || projects=$(cd "$root/tests" && echo *.Tests)

    ensure_sdk
    ensure_postgresql
    ensure_native_libraries
    ensure_chromium
    ensure_compose
    ensure_built Cli/Cli.csproj
    say "building the tests ..."
    for project in $projects; do
        build "tests/$project/$project.csproj"
    done

    passed=0 failed=0 skipped=0
    for project in $projects; do
        run_project "$project"
    done
    printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
    if [ "$((passed + failed))" -eq 0 ]; then
        say "no test ran"
        return 1
    fi
    [ "$failed" -eq 0 ]
}
