// network-policies KUBECONFIG NODE SERVICE-RANGE: enforces the NetworkPolicies of a node, as k3s does: kube-router's controller alone,
// without its routing and its proxy. Needs iptables and ipset; ends at SIGTERM.
package main

import (
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: network-policies KUBECONFIG NODE SERVICE-RANGE")
	}
	client := kubernetes.NewForConfigOrDie(must(clientcmd.BuildConfigFromFlags("", os.Args[1])))
	config := options.NewKubeRouterConfig()
	config.HostnameOverride = os.Args[2]
	config.ClusterIPCIDRs = []string{os.Args[3]}
	config.EnableIPv4 = true
	config.RunFirewall = true
	config.IPTablesSyncPeriod = time.Minute

	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)

	iptables, ipsets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		log.Fatal(err)
	}
	controller := must(netpol.NewNetworkPolicyController(
		client, config, pods, policies, namespaces, &sync.Mutex{}, nil, iptables, ipsets))
	watch := func(informer cache.SharedIndexInformer, handler cache.ResourceEventHandler) {
		must(informer.AddEventHandler(handler))
	}
	watch(pods, controller.PodEventHandler)
	watch(namespaces, controller.NamespaceEventHandler)
	watch(policies, controller.NetworkPolicyEventHandler)

	// Its signs of life go to whoever watches its health; here its end is seen.
	signs := make(chan *healthcheck.ControllerHeartbeat, 10)
	go func() {
		for range signs {
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	go controller.Run(signs, stop, &running)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGINT, syscall.SIGTERM)
	<-asked
	close(stop)
	running.Wait()
}
