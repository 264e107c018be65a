package capi_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	clusterv1beta1 "sigs.k8s.io/cluster-api/api/core/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capi"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/inprocess"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "capi-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log, err := controlplane.LogToFile(filepath.Join(dir, "log"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = log.Close() }()
	return m.Run()
}

// TestTwoProvidersInOneProcess runs Cluster API twice and asks each for what only its webhooks can answer.
func TestTwoProvidersInOneProcess(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	etcd, err := controlplane.StartEtcd(ctx, filepath.Join(dir, "etcd"))
	if err != nil {
		t.Fatal(err)
	}
	var servers []*controlplane.Server
	var providers []*inprocess.Manager
	t.Cleanup(func() {
		cancel()
		for _, provider := range providers {
			if err := provider.Wait(); err != nil {
				t.Errorf("Cluster API ended with %v", err)
			}
		}
		for _, server := range servers {
			_ = server.Wait()
		}
		etcd.Close()
	})
	for _, name := range []string{"one", "two"} {
		server, err := controlplane.Start(ctx, controlplane.Options{Name: name, Dir: filepath.Join(dir, name), Etcd: etcd, Management: true})
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, server)
		provider, err := capi.Start(ctx, server.Config(), capi.Options{})
		if err != nil {
			t.Fatal(err)
		}
		providers = append(providers, provider)
	}
	for _, server := range servers {
		expectWebhooks(ctx, t, server)
	}
}

func expectWebhooks(ctx context.Context, t *testing.T, server *controlplane.Server) {
	t.Helper()
	scheme := runtime.NewScheme()
	utilruntime.Must(errors.Join(clusterv1.AddToScheme(scheme), clusterv1beta1.AddToScheme(scheme)))
	cluster, err := client.New(server.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	machinePool := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: "pool", Namespace: "default"}}
	machinePool.Spec.ClusterName = "demo"
	machinePool.Spec.Template.Spec.ClusterName = "demo"
	machinePool.Spec.Template.Spec.Version = "1.34.1"
	machinePool.Spec.Template.Spec.InfrastructureRef = clusterv1.ContractVersionedObjectReference{
		APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedMachinePool", Name: "pool",
	}
	machinePool.Spec.Template.Spec.Bootstrap.DataSecretName = ptr.To("")
	refused := machinePool.DeepCopy()
	refused.Spec.Template.Spec.ClusterName = "other"
	err = cluster.Create(ctx, refused)
	if err == nil || !strings.Contains(err.Error(), "spec.clusterName and spec.template.spec.clusterName must be set to the same value") {
		t.Errorf("validation: %v", err)
	}
	if err := cluster.Create(ctx, machinePool); err != nil {
		t.Fatal(err)
	}
	if got := machinePool.Spec.Template.Spec.Version; got != "v1.34.1" {
		t.Errorf("defaulting left version %q", got)
	}
	old := &clusterv1beta1.MachinePool{}
	if err := cluster.Get(ctx, client.ObjectKeyFromObject(machinePool), old); err != nil {
		t.Fatalf("conversion: %v", err)
	}
	if got := old.Spec.Template.Spec.InfrastructureRef.APIVersion; got != "infrastructure.cluster.x-k8s.io/v1beta1" {
		t.Errorf("conversion gave the reference apiVersion %q", got)
	}
}
