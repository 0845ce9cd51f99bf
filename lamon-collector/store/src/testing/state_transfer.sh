#!/bin/sh
# Copies the data of a Galera node to one that joins, on the same computer. The server calls it on both sides and talks to
# it over its output, as to MariaDB's own wsrep_sst_rsync: the joiner says where it is ready, the donor has its tables
# flushed, and both say up to which transaction the data is.
set -e
while [ $# -gt 0 ]; do
    case "$1" in
        --role) role=$2; shift ;;
        --address) address=${2%%/*}; shift ;;
        --datadir) data=${2%/}; shift ;;
        --gtid) state=$2; shift ;;
        --gtid-domain-id) domain=$2; shift ;;
        --bypass) bypass=yes ;;
        --mysqld-args) break ;;
    esac
    shift
done
meeting="$(dirname "$0")/$address"

# Whoever called must still be there.
wait_for() {
    until [ -s "$1" ]; do
        kill -0 "$PPID"
        sleep 0.05
    done
}

case "$role" in
    joiner)
        rm -rf "$meeting"
        mkdir "$meeting"
        echo "$data" >"$meeting/data"
        echo "ready $address"
        wait_for "$meeting/state"
        cat "$meeting/state"
        ;;
    donor)
        state="$state $domain"
        # Else the joiner only lacks what the donor sends by itself.
        if [ -z "$bypass" ]; then
            rm -f "$data/tables_flushed"
            echo 'flush tables'
            wait_for "$data/tables_flushed"
            state=$(cat "$data/tables_flushed")
            rm "$data/tables_flushed"
            to=$(cat "$meeting/data")
            own='( -name galera.cache -o -name grastate.dat -o -name gvwstate.dat -o -name ibtmp1 )'
            # shellcheck disable=SC2086
            find "$to" -mindepth 1 -maxdepth 1 ! $own -exec rm -rf {} +
            # shellcheck disable=SC2086
            find "$data" -mindepth 1 -maxdepth 1 ! $own -exec cp -a {} "$to/" ';'
        fi
        echo continue
        echo "$state" >"$meeting/state.part"
        mv "$meeting/state.part" "$meeting/state"
        echo "done $state"
        ;;
esac
