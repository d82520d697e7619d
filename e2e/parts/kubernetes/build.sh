#!/bin/sh
# build.sh OUT [PART...]: Kubernetes parts from their Go modules; without PART, all of them (about 6 min from nothing on 2 cores).
# PART: etcd, kube-apiserver, kubectl, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, containers
set -eu
here=$(cd "$(dirname "$0")" && pwd); out=$(mkdir -p "$1" && cd "$1" && pwd); shift; v=1.36.3
[ $# -gt 0 ] || set -- etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet kube-proxy containers
export CGO_ENABLED=0
# Without gitVersion the binaries call themselves v0.0.0 and clients misbehave.
ld="-s -w -X k8s.io/component-base/version.gitVersion=v$v -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 -X k8s.io/component-base/version.gitTreeState=clean"
# A part appears under its name only when it is whole.
build() { go build -trimpath "$@" && mv "$out/.$part" "$out/$part"; }
for part; do
  case $part in
    etcd) cd "$here/etcd" && build -ldflags "-s -w" -o "$out/.$part" go.etcd.io/etcd/server/v3 ;;
    containers)
      cd "$here/containers"
      go build -tags no_btrfs,no_zfs -trimpath -ldflags "-s -w -X github.com/containerd/containerd/v2/version.Version=2.4.2" -o "$out/" \
        github.com/containerd/containerd/v2/cmd/containerd github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2 github.com/containerd/containerd/v2/cmd/ctr
      mkdir -p "$out/cni"
      go build -trimpath -ldflags "-s -w" -o "$out/cni/" github.com/containernetworking/plugins/plugins/main/bridge \
        github.com/containernetworking/plugins/plugins/main/loopback github.com/containernetworking/plugins/plugins/ipam/host-local \
        github.com/containernetworking/plugins/plugins/meta/portmap ;;
    *) cd "$here/kubernetes" && build -ldflags "$ld" -o "$out/.$part" "k8s.io/kubernetes/cmd/$part" ;;
  esac
done
