#!/bin/sh
# One sample of this computer for the hub, as a line of text: for computers that no lamon-agent runs on. From cron:
#
#     * * * * *  /usr/local/bin/agent.sh HUB
#
# usage: agent.sh HUB[:PORT] [NODE]        agent.sh -n [HUB] [NODE] prints the line and sends nothing
#
#   LAMON_INTERVAL  seconds between two runs (60): silence is judged by it
#   LAMON_KEY       a file with a key and a certificate around it (docs/keys.md): then it is sent in TLS, by openssl
#
# It needs a POSIX shell with awk, df and ps, and nc or openssl; what a system does not have is left out. Rates and the CPU are
# of the second in which it runs. It ends with 0 when the sample is on the hub's disk, 1 when the hub refuses it and says
# why, 69 when the hub is not reached, 2 when it is called wrongly.
set -u
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin

send=yes
if [ "${1-}" = -n ]; then
    send=no
    shift
fi
hub=${1-}
if [ $send = yes ] && [ -z "$hub" ]; then
    echo 'usage: agent.sh HUB[:PORT] [NODE], or agent.sh -n' >&2
    exit 2
fi
node=${2-$(uname -n)}
# As the hub wants names: the host name up to its first dot, in small letters.
node=$(printf %s "$node" | awk '{ sub(/\..*/, ""); $0 = tolower($0); gsub(/[^a-z0-9_-]/, "_"); print substr($0, 1, 32) }')

# Busy and all ticks of the CPUs; bytes in and out over interfaces with a device behind them.
ticks() { awk '/^cpu / { for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, all }' /proc/stat 2>/dev/null; }
nics() {
    names=
    for device in /sys/class/net/*/device; do
        [ -e "$device" ] || continue
        name=${device%/device}
        names="$names ${name##*/}"
    done
    awk -v names="$names " '{ sub(/^ +/, ""); split($0, half, ":"); split(half[2], count, " ")
        if (index(names, " " half[1] " ")) { rx += count[1]; tx += count[9]; found = 1 } }
        END { if (found) printf "%.0f %.0f\n", rx, tx }' /proc/net/dev 2>/dev/null
}

ticks_before=$(ticks)
nics_before=$(nics)
sleep 1
line="node=$node interval=${LAMON_INTERVAL-60}"
add() { [ -n "$2" ] && line="$line $1=$2"; }

add cpu_percent "$(echo "$ticks_before $(ticks)" | awk 'NF == 4 && $4 > $2 { printf "%.2f", 100 * ($3 - $1) / ($4 - $2) }')"
add memory_percent "$(awk '/^MemTotal:/ { all = $2 } /^MemAvailable:/ { free = $2 }
    /^(MemFree|Buffers|Cached):/ { old += $2 }
    END { if (all) printf "%.2f", 100 * (all - (free ? free : old)) / all }' /proc/meminfo 2>/dev/null)"
add swap_percent "$(awk '/^SwapTotal:/ { all = $2 } /^SwapFree:/ { free = $2 }
    END { if (all) printf "%.2f", 100 * (all - free) / all }' /proc/meminfo 2>/dev/null)"
# Local disks alone: a server that is away must not hang this. Used of what can be used, as df counts.
add disk_percent "$( { df -P -k -l 2>/dev/null || df -P -k / 2>/dev/null; } | awk 'NR > 1 && $1 ~ /^(\/|overlay)/ && $1 !~ /loop/ && $3 + $4 > 0 {
    full = 100 * $3 / ($3 + $4); if (full > most) most = full } END { if (most) printf "%.2f", most }')"
set -- $(echo "$nics_before $(nics)" | awk 'NF == 4 && $3 >= $1 && $4 >= $2 { printf "%.0f %.0f", $3 - $1, $4 - $2 }')
add nic_in "${1-}"
add nic_out "${2-}"
load=$(awk '{ print $1 }' /proc/loadavg 2>/dev/null)
add load1 "${load:-$(uptime 2>/dev/null | sed -n 's/.*load averages\{0,1\}: *\([0-9.]*\).*/\1/p')}"
add processes "$(ps -e 2>/dev/null | awk 'END { if (NR > 1) print NR - 1 }')"
add uptime "$(awk '{ print $1 }' /proc/uptime 2>/dev/null)"

if [ $send = no ]; then
    echo "$line"
    exit 0
fi

case $hub in
    \[*\]:*) host=${hub%]:*} port=${hub##*]:} host=${host#[} ;;
    \[*\]) host=${hub%]} port=7617 host=${host#[} ;;
    *:*) host=${hub%:*} port=${hub##*:} ;;
    *) host=$hub port=7617 ;;
esac
if [ -n "${LAMON_KEY-}" ]; then
    case $host in *:*) host="[$host]" ;; esac
    # The input stays open until the hub has answered, and closes what is idle.
    answer=$( { echo "$line"; sleep 4; } | openssl s_client -quiet -no_ign_eof -connect "$host:$port" -cert "$LAMON_KEY" -key "$LAMON_KEY" 2>/dev/null)
elif command -v nc >/dev/null 2>&1; then
    answer=$(echo "$line" | nc -w 15 "$host" "$port" 2>/dev/null)
else
    echo 'agent.sh: there is no nc; install one (Debian: netcat-openbsd), or set LAMON_KEY and use openssl' >&2
    exit 69
fi
case $answer in
    ok) exit 0 ;;
    '')
        echo "agent.sh: no answer from $hub" >&2
        exit 69
        ;;
    *)
        echo "agent.sh: $hub says $answer" >&2
        exit 1
        ;;
esac
