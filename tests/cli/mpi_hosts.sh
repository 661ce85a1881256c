#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# mpi_hosts.sh - a job on two hosts: two network namespaces with hostnames of their own, joined by a pair of virtual interfaces,
# between which processes have TCP and no memory in common. Needs root and iproute2; is skipped otherwise.
. "$(dirname "$0")/lib.sh"
. "$root/tests/cli/mpi_lib.sh"
[[ $(id -u) == 0 ]] || skip_all 'needs root for network namespaces'
command -v ip >/dev/null && command -v unshare >/dev/null || skip_all 'needs ip and unshare'
one=nw-one-$$
two=nw-two-$$
remove_hosts() {
    ip netns delete "$one" 2>/dev/null
    ip netns delete "$two" 2>/dev/null
}
trap 'remove_hosts; rm -rf "$work"' EXIT

make_hosts() {
    ip netns add "$one" && ip netns add "$two" &&
        ip link add nwone$$ type veth peer name nwtwo$$ &&
        ip link set nwone$$ netns "$one" name eth0 && ip link set nwtwo$$ netns "$two" name eth0 &&
        ip -n "$one" address add 10.77.0.1/24 dev eth0 && ip -n "$two" address add 10.77.0.2/24 dev eth0 &&
        ip -n "$one" link set eth0 up && ip -n "$two" link set eth0 up &&
        ip -n "$one" link set lo up && ip -n "$two" link set lo up &&
        ip netns exec "$one" unshare -u true
}
make_hosts >make.out 2>&1 || skip_all "network namespaces are not permitted: $(head -n 1 make.out)"

# What mpirun takes for ssh: the host's address, then the command.
cat >agent.sh <<AGENT
#!/bin/sh
address=\$1
shift
case \$address in
10.77.0.1) space=$one ;;
*) space=$two ;;
esac
exec ip netns exec \$space unshare -u sh -c "hostname \$space; \$*"
AGENT
chmod +x agent.sh

# From inside of the first host; two processes on each.
on_two_hosts() { # command...
    local quoted
    quoted=$(printf ' %q' "$@")
    timeout 100 ip netns exec "$one" unshare -u sh -c "hostname $one; exec mpirun ${mpi_options[*]} \
        --mca plm_rsh_agent '$work/agent.sh' --mca oob_tcp_if_include eth0 --mca btl_tcp_if_include eth0 --mca btl tcp,self \
        --host 10.77.0.1:2,10.77.0.2:2 -x PATH -x OMP_NUM_THREADS -n 4 $quoted"
}

is hosts__are_two "$(on_two_hosts hostname 2>hosts.err | sort | uniq -c | sed 's/^ *//' | tr '\n' ' ')" "2 $one 2 $two "

cut -d, -f1,3 table.csv >points.csv
kde=(nw-kde build --kernel gaussian --bandwidth 5 --epsilon 1 --delta 1e-6 --seed-insecure 3 --quiet --size 2000 --data
    "$work/points.csv")
"${kde[@]}" -o one.nwk 2>/dev/null
on_two_hosts "${kde[@]}" -o "$work/two.nwk" >run.out 2>run.err || cat run.err
is kde__is_the_same_on_two_hosts "$(structure_of two.nwk points.csv)" "$(structure_of one.nwk points.csv)"

synth=(nw-synth "$work/table.csv" --schema "$work/schema.json" --epsilon 1 --delta 1e-9 --insecure-seed 5 --quiet --threads 1
    --rows 200)
"${synth[@]}" -o one.csv --measurements one.m 2>/dev/null
on_two_hosts "${synth[@]}" -o "$work/two.csv" --measurements "$work/two.m" >run.out 2>run.err || cat run.err
check synth__is_the_same_on_two_hosts cmp one.m two.m
check synth__fits_the_same_table cmp one.csv two.csv

hitters=(nw-hitters simulate --generate zipf:users=60000,items=300,s=1.3,bits=20,parties=3 --top 5 --seed-insecure 3 --quiet
    --threads 1 --levels 10,20 --epsilon 2 --json)
"${hitters[@]}" >one.json
on_two_hosts "${hitters[@]}" >two.json 2>run.err || cat run.err
is hitters__are_the_same_on_two_hosts "$(members two.json items f1)" "$(members one.json items f1)"
finish
