#!/bin/bash
# node.sh DIRECTORY BINARIES: the first process of a node, in network, mount and process namespaces of its own (single-node.ts).
# Gives the node its own /run, /var/lib and /var/log, starts the programs that DIRECTORY/run/programs lists, and ends with them.
set -eu
directory=$1 binaries=$2
# The names of other clusters' network namespaces came along with the mounts, and would keep them alive here.
if [ -d /run/netns ]; then
  for name in /run/netns/*; do umount -l "$name" 2>/dev/null || true; done # not every name is a mount
fi
mount -t tmpfs -o mode=755 node-run /run
mkdir -p "$directory"/{var-lib,log,volumes}
for place in lib/kubelet lib/cni log/pods log/containers; do mkdir -p "$directory/var-${place%%/*}/${place#*/}"; done
mount --bind "$directory/var-lib" /var/lib
mount --bind "$directory/var-log" /var/log
mount --make-rshared /
echo 1 >/proc/sys/net/ipv4/ip_forward
export PATH="$binaries:$PATH"
cd "$directory/run"
while IFS=$'\t' read -r name after command; do
  # A program that ends says so in a file: whoever waits for the node learns it at once.
  # shellcheck disable=SC2086 # a command line of plain words
  {
    until [ -e "$after" ]; do sleep 0.1; done
    $command </dev/null >"$directory/log/$name.log" 2>&1 || true
    date >"$directory/run/$name.ended"
  } &
done <programs
wait
