# See check_sources. The first file is the table of layers; functions are found by the brace in the first column
# that the project's clang-format gives them.

function complain(line, text) {
    printf "%s:%d: %s\n", FILENAME, line, text
    n_violations++
}

# The longest directory of the table that holds the current file, or "".
function layer_of(file,    directory, best) {
    best = ""
    for (directory in allowed)
        if (index(file, directory) == 1 && length(directory) > length(best))
            best = directory
    return best
}

function check_include(path,    n, i, prefixes) {
    if (layer == "" || path !~ /^(core|com|host|cli|plugins|tests|bench|examples|viaduct)\//)
        return
    n = split(allowed[layer], prefixes, " ")
    for (i = 1; i <= n; i++)
        if (index(path, prefixes[i]) == 1)
            return
    complain(FNR, "layers: " layer " must not include " path)
}

function end_file() {
    if (file_lines > 900 && previous ~ /\.[ch]$/)
        printf("%s:%d: size: the file has %d lines, 900 are the most\n", previous, file_lines,
               file_lines) > "/dev/stdout"
    if (file_lines > 900 && previous ~ /\.[ch]$/)
        n_violations++
}

FILENAME == ARGV[1] {
    if ($0 ~ /^#/ || NF == 0)
        next
    directory = $1
    sub(/:$/, "", directory)
    $1 = ""
    allowed[directory] = $0
    next
}

FNR == 1 {
    end_file()
    previous = FILENAME
    layer = layer_of(FILENAME)
    is_c = FILENAME ~ /\.(c|h|cpp)$/
    base = FILENAME
    sub(/.*\//, "", base)
    platform_allowed = FILENAME ~ /^core\/os\/(posix|windows|wine)\// || FILENAME ~ /_(posix|windows)\.[ch]$/ ||
        FILENAME ~ /^include\//
    function_start = 0
    if (is_c && base !~ /^[a-z0-9_]+\.(c|h|cpp)$/)
        complain(1, "names: file names are lower_snake")
    if (base ~ /^(misc|common|helper|helpers|util|utils)[0-9]*\./)
        complain(1, "names: say what the file is about")
}

{ file_lines = FNR }

is_c && /^#[ \t]*include[ \t]*[<"]/ {
    path = $0
    sub(/^[^<"]*[<"]/, "", path)
    sub(/[>"].*/, "", path)
    check_include(path)
}

is_c && !platform_allowed && /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/ && \
    /_WIN32|_WIN64|WIN32|__linux|__unix__|__MINGW|__APPLE__|__CYGWIN__|__WINE__|_MSC_VER/ {
    complain(FNR, "platform: a platform #if; put this into a file of its own that CMake chooses")
}

is_c && /^\{$/ { function_start = FNR }
is_c && /^\}/ && function_start {
    if (FNR - function_start + 1 > 80)
        complain(function_start, "size: the function has " (FNR - function_start + 1) " lines, 80 are the most")
    function_start = 0
}

/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)/ {
    complain(FNR, "markers: finish it, or write an issue")
}

/^(<<<<<<<|>>>>>>>)/ { complain(FNR, "markers: a merge left this") }

/[ \t]$/ { complain(FNR, "text: blanks at the end of the line") }
/\t/ { complain(FNR, "text: a tab") }
is_c {
    # UTF-8: columns, not bytes
    line = $0
    gsub(/[\200-\277]/, "", line)
    if (length(line) > 100)
        complain(FNR, "text: " length(line) " columns, 100 are the most")
}

END {
    end_file()
    if (n_violations)
        exit 1
}
