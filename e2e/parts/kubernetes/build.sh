#!/bin/sh
# build.sh OUT [PART...]: Kubernetes parts from their Go modules; without PART, those of a cluster (about 6 min from nothing on 2 cores).
# PART: etcd, kube-apiserver, kubectl, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, containers (containerd, its
# shim, ctr and the CNI plugins); and coredns, helm, kwok (1 to 2 min each), network-policies (1 min), pause
set -eu
here=$(cd "$(dirname "$0")" && pwd); out=$(mkdir -p "$1" && cd "$1" && pwd); shift; v=1.36.3
[ $# -gt 0 ] || set -- etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet kube-proxy containers
export CGO_ENABLED=0
# Without gitVersion the binaries call themselves v0.0.0 and clients misbehave.
ld="-s -w -X k8s.io/component-base/version.gitVersion=v$v -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 -X k8s.io/component-base/version.gitTreeState=clean"
# A part appears under its name only when it is whole.
build() { go build -trimpath "$@" && mv "$out/.$part" "$out/$part"; }
# A program that is the main package of a module of its own, in the very versions its authors released it with.
released() { # MODULE/PACKAGE@VERSION FLAGS...
  package=$1; shift
  rm -rf "$out/.$part.d"
  GOBIN=$out/.$part.d go install -trimpath "$@" "$package"
  mv "$out/.$part.d/"* "$out/$part"
  rmdir "$out/.$part.d"
}
for part; do
  case $part in
    etcd) cd "$here/etcd" && build -ldflags "-s -w" -o "$out/.$part" go.etcd.io/etcd/server/v3 ;;
    containers)
      cd "$here/containers"
      mkdir -p "$out/cni"
      go build -trimpath -ldflags "-s -w" -o "$out/cni/" github.com/containernetworking/plugins/plugins/main/ptp \
        github.com/containernetworking/plugins/plugins/main/loopback github.com/containernetworking/plugins/plugins/ipam/host-local \
        github.com/containernetworking/plugins/plugins/meta/portmap
      go build -tags no_btrfs,no_zfs -trimpath -ldflags "-s -w -X github.com/containerd/containerd/v2/version.Version=2.4.2" -o "$out/" \
        github.com/containerd/containerd/v2/cmd/containerd github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2 github.com/containerd/containerd/v2/cmd/ctr ;;
    pause) cd "$here/pause" && build -ldflags "-s -w" -o "$out/.$part" . ;;
    network-policies) cd "$here/policies" && build -ldflags "-s -w" -o "$out/.$part" . ;;
    helm) released helm.sh/helm/v4/cmd/helm@v4.3.1 -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1" ;;
    kwok) released sigs.k8s.io/kwok/cmd/kwok@v0.8.0 -ldflags "-s -w" ;;
    coredns) released github.com/coredns/coredns@v1.15.0 -ldflags "-s -w" ;;
    *) cd "$here/kubernetes" && build -ldflags "$ld" -o "$out/.$part" "k8s.io/kubernetes/cmd/$part" ;;
  esac
done
