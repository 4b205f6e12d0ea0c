# The server of the scripts here, on either system. Sourced after BIN is set; ends the server whatever happens.
#
#   WINDOWS=TREE PREFIX=DIR     where they are set there is a Windows tree too
#   command_of SYSTEM [OPTION...]; serve SYSTEM SCHEME [OPTION...]; "${command[@]}" CASE "$address" 8>&-; end_server

. "$(dirname "${BASH_SOURCE[0]}")/../host/processes.sh"
run_wine=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/run_wine
export VIADUCT_RUNTIME_DIR=$WORK
# What is tested here is the path over sockets and pipes.
export VIADUCT_SHARED_MEMORY=0
server_pid='' n_servers=0

# $command: the program on that system.
command_of() { # SYSTEM [OPTION...]
    local system=$1
    shift
    command=("$TREE/tests/call-path" "$@")
    [ "$system" = linux ] || command=("$run_wine" --prefix "$PREFIX" "$WINDOWS/tests/call-path.exe" "$@")
}

# $server_pid: of the process that $wrap, if it is set, is put in front of.
serve() { # SYSTEM SCHEME [OPTION...]
    local system=$1 scheme=$2
    shift 2
    n_servers=$((n_servers + 1))
    address=unix:$WORK/$n_servers.sock
    [ "$scheme" = unix ] || address=pipe:viaduct-call-path-$$-$n_servers
    command_of "$system" "$@"
    mkfifo "$WORK/server.in"
    : >"$WORK/host.log" # what the last server said is not to be taken for this one's
    ${wrap:-} "${command[@]}" serve "$address" <"$WORK/server.in" >"$WORK/host.log" 2>&1 &
    server_pid=$!
    exec 8>"$WORK/server.in"
    rm "$WORK/server.in"
    check "the server starts" within 20 grep -q ready "$WORK/host.log"
}

# It ends with its standard input.
end_server() {
    [ -n "$server_pid" ] || return 0
    exec 8>&-
    within 10 process_gone "$server_pid" || kill -KILL "$server_pid" 2>/dev/null
    wait "$server_pid" 2>/dev/null
    server_pid=
}
trap 'end_server; clean_up' EXIT
