package realcapz

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fleetwright/fleetwright/localstack/realcapz/sandbox"
)

// kubeconfigSuffix ends the names of the Secrets in which Azure Service Operator and CAPZ keep access to clusters.
const kubeconfigSuffix = "kubeconfig"

// followClusters makes the API server of every cluster reachable for the managers, as soon as its kubeconfig is on the
// management cluster: CAPZ connects to each one. It runs until ctx ends.
func followClusters(ctx context.Context, cfg *rest.Config, box *sandbox.Sandbox, log logr.Logger) error {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("connect to follow the clusters' kubeconfigs: %w", err)
	}
	bring := func(object any) {
		secret, ok := object.(*corev1.Secret)
		if !ok || !strings.HasSuffix(secret.Name, kubeconfigSuffix) {
			return
		}
		for _, port := range portsIn(secret) {
			if err := box.Bring(port); err != nil && ctx.Err() == nil {
				log.Error(err, "Managers cannot reach a cluster", "secret", secret.Namespace+"/"+secret.Name)
			}
		}
	}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "secrets", metav1.NamespaceAll, fields.Everything()),
		ObjectType:    &corev1.Secret{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    bring,
			UpdateFunc: func(_, object any) { bring(object) },
		},
	})
	go informer.RunWithContext(ctx)
	return nil
}

// portsIn are the ports of this machine that the kubeconfigs in a Secret lead to.
func portsIn(secret *corev1.Secret) []int {
	var ports []int
	for _, content := range secret.Data {
		kubeconfig, err := clientcmd.Load(content)
		if err != nil {
			continue // something else is in there too
		}
		for _, cluster := range kubeconfig.Clusters {
			server, err := url.Parse(cluster.Server)
			if err != nil || server.Hostname() != "127.0.0.1" {
				continue
			}
			if port, err := portOf(cluster.Server); err == nil {
				ports = append(ports, port)
			}
		}
	}
	return ports
}
