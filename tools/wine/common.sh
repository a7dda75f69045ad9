# What setup, run and build share: where the Windows Python lies, and how its programs are started. Sourced.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cache=${ANONATOR_WINE:-${XDG_CACHE_HOME:-$HOME/.cache}/anonator-wine}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

drive_c=$cache/prefix/drive_c
site_packages=$drive_c/py312/Lib/site-packages
test_packages=$drive_c/testlibs # not where PyInstaller looks

# without compiled modules each start of torch takes half a minute
unset PYTHONDONTWRITEBYTECODE
export WINEPREFIX=$cache/prefix WINEARCH=win64 WINEDEBUG=-all
export LC_ALL=C.UTF-8 # by which Wine reads and writes Linux's names of files
# Wine 8 has no GetNumaNodeProcessorMaskEx, without which torch's OpenMP ends with "Error #179"
export KMP_AFFINITY=disabled
# Debian's own program: the wrapper "wine" warns about the missing 32-bit half, which nothing here needs
wine64=/usr/lib/wine/wine64
wineserver=/usr/lib/wine/wineserver64

# a test that takes too long ends all of pytest there, and a busy machine makes Wine many times slower
pytest_options=(-n 0 -o cache_dir=C:/pytest-cache -rs --tb=short --timeout=1200)

say() { printf -- '--- %4d s  %s\n' "$SECONDS" "$*"; }

# For a computer that cannot have Wine: whoever asked for the lane must see that it decided nothing.
cannot() {
    printf '\n*** THE WINDOWS LANE CANNOT RUN HERE: %s\n\n' "${*^^}"
    exit 3
}

# Programs for Windows see the checkout through drive Z:, which is the root folder.
windows_path() { printf 'Z:%s' "${1//\//\\}"; }

# One at a time: the services of a prefix know one display only, and a Python that is exchanged cannot run.
# Nothing that Wine starts may inherit the lock (9>&-), or its services would hold it.
lock() {
    exec 9>"$cache/lock"
    flock -n 9 || { say "another run uses $cache; waiting for it"; flock 9; }
}

# A program of Wine's own, for what it does.
wine_silently() { "$wine64" "$@" </dev/null >/dev/null 2>&1 9>&-; }

# Folders that the Windows Python finds modules in. Not by PYTHONPATH: tests start it without an environment too.
show_python() {
    for folder in "$@"; do windows_path "$folder"; echo; done >"$site_packages/checkout.pth"
}

# The Windows Python. Wine's programs cannot have a regular file as standard output
# ("init_sys_streams ... Invalid handle"), so wherever the lines go to, they go through a pipe; pipefail keeps the
# failure. It is always 1: pytest and programs that abort have a 3 of their own, which means here that Wine is missing.
windows_python() {
    { "$wine64" 'C:\py312\python.exe' "$@" </dev/null 9>&- 2>&1 | cat; } || return 1
}

# Tests, and what fails a second time: Wine 8 refuses now and then what it does the next time; a fault of the
# program stays.
windows_tests() {
    rm -rf "$drive_c/pytest-cache"
    pytest_to_its_end "$@" && return
    say "once more, what failed" # or everything, where Wine ended Python itself
    pytest_to_its_end --last-failed "$@"
}

# A Wine that is ended takes Python along and calls that a success; so what counts is pytest's last line.
pytest_to_its_end() {
    windows_python -m pytest "${pytest_options[@]}" "$@" | tee "$cache/told" &&
        grep -Eq '[0-9]+ passed.* in [0-9.]+s' "$cache/told"
}

# Wine's services start with the first program and inherit its pipe, so that whoever reads it would wait for them.
# Therefore the first program is one that writes nowhere and outlives the others. The display has to be there before
# it: the services open all windows on the one that they were started with.
start_services() {
    local number
    number=$(mktemp)
    Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp -noreset -dpi 96 \
        3>"$number" </dev/null >/dev/null 2>&1 9>&- &
    xvfb=$!
    trap stop_services EXIT
    for _ in $(seq 100); do [ -s "$number" ] && break; sleep 0.1; done
    DISPLAY=:$(cat "$number")
    export DISPLAY
    rm -f "$number"
    wine_silently 'C:\py312\python.exe' -c 'import time; time.sleep(24 * 3600)' &
    sleep 3
}

stop_services() {
    "$wineserver" -k 9>&- >/dev/null 2>&1 || true # all that runs in this prefix, and in no other
    kill "$xvfb" 2>/dev/null || true
}
