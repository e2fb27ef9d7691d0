#!/usr/bin/env bash
# Runs all fuzz targets for N seconds each (60 unless given), two at a time. Exits with 1 if any has a finding.
#
#   fuzz/run.sh [SECONDS] [TARGET…]
set -uo pipefail
cd "$(dirname "$0")"
export RUSTC_BOOTSTRAP=1

seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then targets=(parser import_ui import_api picture header); fi

cargo fuzz build || exit 2
mkdir -p logs
run() {
    mkdir -p "corpus/$1"
    # Inputs of a few kilobytes find what there is; memory and time of a single one are limited.
    local words=()
    case $1 in
        parser) words=(-dict=dicts/flow.dict) ;;
        import_*) words=(-dict=dicts/json.dict) ;;
    esac
    cargo fuzz run "$1" "corpus/$1" "seeds/$1" -- "${words[@]}" \
        -max_total_time="$seconds" -max_len=8192 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 >"logs/$1.txt" 2>&1
    local code=$?
    echo "$1: $(grep -E 'stat::number_of_executed_units' "logs/$1.txt" | awk '{print $2}') inputs, exit $code"
    return $code
}

status=0
for ((i = 0; i < ${#targets[@]}; i += 2)); do
    pids=()
    for target in "${targets[@]:i:2}"; do
        run "$target" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || status=1; done
done
exit $status
