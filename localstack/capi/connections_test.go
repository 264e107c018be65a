package capi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capi"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

// TestConnectionsEndWithTheProvider: an API server waits for open watches when it stops, so those of Cluster API have to
// be gone before.
func TestConnectionsEndWithTheProvider(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	etcd, err := controlplane.StartEtcd(ctx, filepath.Join(dir, "etcd"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := controlplane.Start(ctx, controlplane.Options{Name: "only", Dir: filepath.Join(dir, "only"), Etcd: etcd, Management: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = server.Wait(); etcd.Close() })
	providing, end := context.WithCancel(ctx)
	defer end()
	provider, err := capi.Start(providing, server.Config(), capi.Options{})
	if err != nil {
		t.Fatal(err)
	}

	workload := countWatches(t, server.Config())
	connectCluster(ctx, t, server.Config(), workload)
	if workload.watches.Load() == 0 {
		t.Fatal("Cluster API watches nothing in the workload cluster: this test proves nothing")
	}
	end()
	if err := provider.Wait(); err != nil {
		t.Errorf("Cluster API ended with %v", err)
	}
	eventually(t, "the end of all watches", func() bool { return workload.watches.Load() == 0 })
}

// watched is an API server whose open watches are counted.
type watched struct {
	kubeconfig []byte
	watches    atomic.Int64
}

// countWatches puts a proxy in front of the API server of cfg.
func countWatches(t *testing.T, cfg *rest.Config) *watched {
	t.Helper()
	behind, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Header.Del("Authorization") },
	}
	front := httptest.NewTLSServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "true" {
			w.watches.Add(1)
			defer w.watches.Add(-1)
		}
		proxy.ServeHTTP(answer, r)
	}))
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	access := clientcmdapi.NewConfig()
	access.Clusters["it"] = &clientcmdapi.Cluster{Server: front.URL, InsecureSkipTLSVerify: true}
	access.AuthInfos["it"] = &clientcmdapi.AuthInfo{Token: "the proxy has its own"}
	access.Contexts["it"] = &clientcmdapi.Context{Cluster: "it", AuthInfo: "it"}
	access.CurrentContext = "it"
	if w.kubeconfig, err = clientcmd.Write(*access); err != nil {
		t.Fatal(err)
	}
	return w
}

// connectCluster makes a Cluster as its infrastructure provider would leave it, and waits until Cluster API is connected.
func connectCluster(ctx context.Context, t *testing.T, cfg *rest.Config, workload *watched) {
	t.Helper()
	scheme := runtime.NewScheme()
	utilruntime.Must(errors.Join(clusterv1.AddToScheme(scheme), corev1.AddToScheme(scheme)))
	management, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	cluster := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "default"}}
	cluster.Spec.InfrastructureRef = clusterv1.ContractVersionedObjectReference{
		APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedCluster", Name: "shop",
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: "shop-kubeconfig", Namespace: "default", Labels: map[string]string{"cluster.x-k8s.io/cluster-name": "shop"},
		},
		Data: map[string][]byte{"value": workload.kubeconfig},
	}
	if err := errors.Join(management.Create(ctx, secret), management.Create(ctx, cluster)); err != nil {
		t.Fatal(err)
	}
	before := client.MergeFrom(cluster.DeepCopy())
	cluster.Status.Initialization.InfrastructureProvisioned = ptr.To(true)
	if err := management.Status().Patch(ctx, cluster, before); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Cluster API's connection", func() bool {
		err := management.Get(ctx, client.ObjectKeyFromObject(cluster), cluster)
		return err == nil && meta.IsStatusConditionTrue(cluster.Status.Conditions, "RemoteConnectionProbe")
	})
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		return holds(), nil
	})
	if err != nil {
		t.Fatal(fmt.Errorf("wait for %s: %w", what, err))
	}
}
