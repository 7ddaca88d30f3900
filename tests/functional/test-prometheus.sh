#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnap idle --prometheus asks a real Prometheus, which scrapes itself.
. "${top_srcdir:-.}"/tests/functional/functions.sh
requires "prometheus is not installed" prometheus --version
requires "promtool is not installed" promtool --version
test_dir
export FORESNAP_EVENTS=$TEST_DIR/events TZ=UTC

# Four days of made-up CPU use, in cores: an hour of work from 06:00 on. It ends now.
now=$(date +%s)
{
    echo '# TYPE cpu_cores gauge'
    for ((t = now - 4 * 86400; t < now; t += 60)); do
        echo "cpu_cores{vm=\"web\"} $((t / 3600 % 24 == 6)).01 $t"
        echo "cpu_cores{vm=\"db\"} 0.5 $t"
    done
    echo '# EOF'
} > "$TEST_DIR/data.txt"
promtool tsdb create-blocks-from openmetrics "$TEST_DIR/data.txt" "$TEST_DIR/data" >/dev/null
echo 'global: {}' > "$TEST_DIR/prometheus.yml"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
prometheus --config.file="$TEST_DIR/prometheus.yml" --storage.tsdb.path="$TEST_DIR/data" \
    --storage.tsdb.retention.time=60d --web.listen-address="127.0.0.1:$port" \
    > "$TEST_DIR/log" 2>&1 &
cleanup_fn kill $!
url=http://127.0.0.1:$port

ready ()
{
    grep -q 'Server is ready' "$TEST_DIR/log"
}
wait_until 60 ready

idle ()
{
    "$top_builddir/foresnap" idle --prometheus "$@"
}

expect_exit 0 idle "$url" --query 'cpu_cores{vm="web"}' --json
samples=$(sed -n 's/.*"samples" : \([0-9]*\).*/\1/p' <<< "$expect_out")
[ "$samples" -ge 1100 ] && [ "$samples" -le 1153 ] || fail "$samples samples of four days"
expect_match "$expect_out" 'wakes? at 06:[0-5][0-9]|no usual hour' "the reason"
expect_exit 0 idle "$url/" --query 'cpu_cores{vm="db"}'
expect_match "$expect_out" "state: +active" "a VM that always works"

expect_exit 2 idle "$url" --query cpu_cores
expect_match "$expect_err" "the query gives 2 series" "a query of several series"
expect_exit 1 idle "$url" --query 'nothing_like_it'
expect_match "$expect_err" "Prometheus has nothing for 'nothing_like_it'" "a query of nothing"
expect_exit 1 idle "$url" --query 'sum('
expect_exit 1 idle http://127.0.0.1:1 --query up
expect_exit 2 idle ftp://127.0.0.1 --query up
