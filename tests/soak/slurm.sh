#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# slurm -- scripts/explore-slurm on a real Slurm, started here for the purpose:
# munged, slurmctld and slurmd of the distribution, one node, nothing outside
# of a temporary folder.  Says SKIP if it cannot be started.  Prints TAP.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"

claimed=scenarios/dragonfly/claimed_mask_deadlock.lua
daemons=
name="scripts/explore-slurm on a real Slurm"

end() {
    for daemon in $daemons; do
        kill "$daemon" 2>/dev/null
    done
    # shellcheck disable=SC2086 # words on purpose
    [ -z "$daemons" ] || wait $daemons 2>/dev/null
    rm -rf "$tmp"
}
trap end EXIT
trap 'exit 1' INT TERM

give_up() {
    skip "$name" "$1"
    for log in "$tmp"/*.log; do
        [ ! -s "$log" ] || tail -n 3 "$log" | sed 's/^/# /'
    done
    tap_end
}

[ "$(id -u)" -eq 0 ] || give_up "only root can start the daemons"
PATH=$PATH:/usr/sbin
for program in munged slurmctld slurmd sbatch squeue; do
    command -v $program >/dev/null ||
        give_up "no $program: apt-get install slurmd slurmctld munge"
done

# Ports that nobody else here has.
port=$((20000 + $$ % 10000))
chmod 711 "$tmp"
mkdir -p "$tmp/munge" "$tmp/state" "$tmp/spool" "$tmp/shared"
(umask 077 && head -c 1024 /dev/urandom >"$tmp/munge/key")
cat >"$tmp/slurm.conf" <<CONF
ClusterName=heddle
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$tmp/munge/socket
StateSaveLocation=$tmp/state
SlurmdSpoolDir=$tmp/spool
SlurmctldPidFile=$tmp/slurmctld.pid
SlurmdPidFile=$tmp/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=10 State=UP
CONF
SLURM_CONF=$tmp/slurm.conf
export SLURM_CONF

munged --foreground --force --key-file="$tmp/munge/key" \
    --socket="$tmp/munge/socket" --pid-file="$tmp/munge/pid" \
    --log-file="$tmp/munge/log" --seed-file="$tmp/munge/seed" \
    >"$tmp/munged.log" 2>&1 &
daemons="$!"
sleep 1
slurmctld -D -i >"$tmp/slurmctld.log" 2>&1 &
daemons="$daemons $!"
slurmd -D -N "$(hostname -s)" >"$tmp/slurmd.log" 2>&1 &
daemons="$daemons $!"

tries=0
until sinfo -h -o %t 2>/dev/null | grep -qE '^(idle|mix|alloc)$'; do
    tries=$((tries + 1))
    [ $tries -lt 30 ] || give_up "the daemons do not come up"
    sleep 1
done

XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME
expect 0 env HEDDLE="$HEDDLE" scripts/explore-slurm 3 "$tmp/shared/store" \
    $claimed --case 1 --runs 600
ok "two jobs were submitted" [ "$(wc -w <"$out")" -eq 2 ]
tries=0
while [ -n "$(squeue -h)" ] && [ $tries -lt 120 ]; do
    tries=$((tries + 1))
    sleep 1
done
ok "the queue is empty" [ -z "$(squeue -h)" ]
ok "the merge has all runs" grep -q '600 runs (random' "$tmp/shared/store.txt"
expect 1 heddle explore -q --json --case 1 --runs 600 \
    --store "$tmp/shared/one" $claimed

# What was found, without where the files are.
findings() { # STORE
    heddle merge --json "$1" | grep '"kind":"finding"' |
        sed 's/"trace":"[^"]*"//; s/"shrunk":[^,]*//
             s/"lua":[^,]*//' | sort
}
findings "$tmp/shared/one" >"$tmp/shared/one.findings"
findings "$tmp/shared/store" >"$tmp/shared/store.findings"
ok "it found what one search finds" \
    cmp "$tmp/shared/one.findings" "$tmp/shared/store.findings"
tap_end
