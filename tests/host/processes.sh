# For scripts that test real processes: a host of their own in a private folder, checks that are counted, and an end that
# leaves nothing running. Sourced by test_*; needs $BIN, the folder with the programs.
#
#   begin NAME; check DESCRIPTION COMMAND...; finish

set -u
: "${BIN:?the folder with the programs}"
TREE=$(cd "$BIN/.." && pwd)
umask 022 # what others can write is refused
# Not in $TMPDIR, which may be too long for sockets.
WORK=$(mktemp -d /tmp/viaduct-test.XXXXXX) || exit 1
export VIADUCT_HOST=unix:$WORK/host.sock VIADUCT_TEST_FOLDER=$WORK
export XDG_CONFIG_HOME=$WORK/config XDG_CACHE_HOME=$WORK/cache
export TMPDIR=$WORK/tmp # for what those that are killed leave there
mkdir "$TMPDIR"
unset VIADUCT_PLUGIN_PATH VIADUCT_LOG
passed=0 failed=0 skipped=0 current='' current_failed=0 host_pid=''
# Slow builds (sanitizers) get more time.
FACTOR=${VIADUCT_TEST_FACTOR:-1}

end_test() {
    [ -n "$current" ] || return 0
    if [ "$current_failed" = 0 ]; then
        passed=$((passed + 1))
        echo "ok   $current"
    else
        failed=$((failed + 1))
        echo "FAIL $current"
    fi
    current=
}

begin() {
    end_test
    current=$1
    current_failed=0
}

skip() { # REASON
    skipped=$((skipped + 1))
    echo "skip $current: $1"
    current=
}

check() { # DESCRIPTION COMMAND...
    local description=$1
    shift
    "$@" && return 0
    current_failed=1
    echo "  $current: not so: $description"
    [ -z "${output:-}" ] || sed 's/^/    | /' <<<"$output" | head -n 20
    return 1
}

# Runs a command: $output has both its streams, $status its status.
run() {
    if [ "$(type -t "$1")" = function ]; then
        output=$("$@" 2>&1)
    else
        output=$(timeout $((30 * FACTOR)) "$@" 2>&1)
    fi
    status=$?
}

status_is() { check "status $1 (it is $status)" [ "$status" = "$1" ]; }
shows() { check "the output shows: $1" grep -Eq -- "$1" <<<"$output"; }
shows_not() { check "the output does not show: $1" eval "! grep -Eq -- '$1' <<<\"\$output\""; }

# Until COMMAND succeeds, for SECONDS at most.
within() { # SECONDS COMMAND...
    local tries=$(($1 * 20 * FACTOR))
    shift
    while [ $tries -gt 0 ]; do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
        tries=$((tries - 1))
    done
    return 1
}

answers() { "$BIN/viaduct" status --json; }

# A configuration with this folder's socket and component directories, and more members of the object: write_config
# '"limits": {...}'.
write_config() {
    cat >"$WORK/viaductd.json" <<END
{
  "listen": ["unix:$WORK/host.sock"],
  "component_directories": ["$WORK/user.d", "$WORK/test.d", "$TREE/lib/viaduct/components.d"]${1:+,
  $1}
}
END
}

start_host() { # [ARGUMENT...]
    mkdir -p "$WORK/test.d"
    [ -f "$WORK/viaductd.json" ] || write_config '"activation": { "idle_ms": 60000 }'
    "$BIN/viaductd" --config "$WORK/viaductd.json" "$@" 2>>"$WORK/host.log" &
    host_pid=$!
    check "the host answers" within 10 answers
}

# $status: of the host.
stop_host() { # [SIGNAL]
    [ -n "$host_pid" ] || return 0
    kill -"${1:-TERM}" "$host_pid" 2>/dev/null
    wait "$host_pid" 2>/dev/null
    status=$?
    host_pid=
}

# Processes that have this folder in their environment and such a command line, Windows programs under Wine, too.
unix_processes() { # PATTERN
    local directory
    for directory in /proc/[0-9]*; do
        tr '\0' '\n' 2>/dev/null <"$directory/environ" | grep -qF "$WORK/" || continue
        tr '\0' ' ' 2>/dev/null <"$directory/cmdline" | grep -Eq "$1" && echo "${directory#/proc/}"
    done
    return 0
}

# Processes that have this folder in their environment, but for this script and what it has waiting.
left_processes() {
    local directory pid
    for directory in /proc/[0-9]*; do
        pid=${directory#/proc/}
        [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
        tr '\0' '\n' 2>/dev/null <"$directory/environ" | grep -qF "$WORK/" || continue
        case $(tr '\0' ' ' 2>/dev/null <"$directory/cmdline") in
        *viaduct* | *host_client* | *calculator*) echo "$pid" ;;
        esac
    done
}

none_left() { [ -z "$(left_processes)" ]; }

process_gone() { ! kill -0 "$1" 2>/dev/null; }

manifest() { # FILE COMPONENT PROGID CLSID [MEMBERS]
    cat >"$1" <<END
{ "component": "$2", ${5:+$5, }"classes": [ { "clsid": "$4", "progid": "$3", "description": "for tests" } ] }
END
}

clean_up() {
    local pid
    stop_host
    for pid in $(left_processes); do
        kill -KILL "$pid" 2>/dev/null
    done
    rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

finish() {
    end_test
    stop_host
    if [ "$failed" != 0 ] && [ -s "$WORK/host.log" ]; then
        echo "--- the host's log"
        tail -n 40 "$WORK/host.log"
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}
