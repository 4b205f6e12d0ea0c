# Relays as processes of their own, for scripts that source ../host/processes.sh first. $windows and $prefix, where they are
# not empty, are a Windows build and its Wine prefix: every connection then goes through a pipe there.

LISTEN=$WORK/listen.sock TARGET=$WORK/target.sock
PIPE=pipe:relay-test-$$
pipes=("$PIPE") # by way of which connections go under Wine
relays=()
relay_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# For a process of its own, so that signals reach the program.
in_wine() { exec "$relay_folder/../run_wine" --prefix "$prefix" --running "$windows/bin/$1.exe" "${@:2}"; }

# Ends the script where there is no Wine; starts what Wine starts with the first program of a prefix.
need_wine() {
    [ -n "$windows" ] || return 0
    if [ ! -f "$windows/bin/viaduct.exe" ] ||
        ! "$relay_folder/../run_wine" --prefix "$prefix" --create >"$WORK/wine.log" 2>&1; then
        begin relays_under_wine
        skip "no Windows build, or no Wine; './dev build' makes it"
        finish
    fi
    "$relay_folder/../run_wine" --prefix "$prefix" "$windows/bin/viaduct.exe" --version >"$WORK/wine.log" 2>&1 </dev/null
}

relaying() { [ "$(grep -c relaying "$WORK/relay.log")" = ${#relays[@]} ]; }

# A relay for each step from address to address, the last one first: it alone gets $options, each gets $patience.
options=()
patience=(--wait 2000)
start_chain() { # ADDRESS ADDRESS...
    local i
    : >"$WORK/relay.log"
    relays=()
    for ((i = $# - 1; i >= 1; i--)); do
        local step=("${@:i:2}")
        if [ -z "$windows" ]; then
            "$BIN/viaduct" relay "${patience[@]}" "${options[@]}" "${step[@]}" 2>>"$WORK/relay.log" &
        else
            in_wine viaduct relay "${patience[@]}" "${options[@]}" "${step[@]}" 2>>"$WORK/relay.log" &
        fi
        relays+=($!)
        options=()
        check "the relay listens at ${step[0]}" within 30 relaying
    done
}

# From LISTEN to TARGET, in one step or by way of the pipes; options of `viaduct relay`.
start_relay() {
    options=("$@")
    if [ -z "$windows" ]; then
        start_chain "unix:$LISTEN" "unix:$TARGET"
    else
        start_chain "unix:$LISTEN" "${pipes[@]}" "unix:$TARGET"
    fi
}

# `run` gives a function all the time that it takes.
limited() { timeout $((200 * FACTOR)) "$@"; }

# $status: 0 if each has ended with it.
stop_relay() {
    local pid
    status=0
    for pid in "${relays[@]}"; do
        kill -INT "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null || status=$?
    done
    relays=()
}

# A host of the one system or the other, at $VIADUCT_HOST.
start_relaying_host() { # ELEMENTS-OF-RELAYS
    if [ -z "$windows" ]; then
        write_config "\"relays\": [$1]"
        start_host
    else
        echo "{\"listen\": [\"$VIADUCT_HOST\"], \"relays\": [$1]}" >"$WORK/wine.json"
        in_wine viaductd --config "Z:$WORK/wine.json" 2>>"$WORK/host.log" &
        host_pid=$!
        check "the host answers" within 30 answers
    fi
}
