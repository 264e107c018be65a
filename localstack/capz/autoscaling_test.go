package capz_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	fleetwright "github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/localstack/capz"
	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
	"github.com/fleetwright/fleetwright/localstack/capz/desired"
)

// autoscaling shows what Cluster API knows of an autoscaled pool's number: what Azure Service Operator last saw. A change
// that anybody makes then has CAPZ ask Azure for that number; Fleetwright's do not.
func autoscaling(t *testing.T, s *stack) {
	s.patch(&infrav1.AzureManagedMachinePool{}, "demo-pool1", `{"spec":{"scaling":{"minSize":1,"maxSize":5}}}`)
	s.eventually("the annotation", 30*time.Second, s.replicasAre(2, "true"))
	s.autoscalerMakes(4)
	// Every change of the MachinePool has the stand-in look again.
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"metadata":{"annotations":{"test/look":"1"}}}`)
	by := fleetwright.Owner{Nodepool: "np", NodepoolUID: "u", BaseName: "general"}
	// The stand-in writes the same objects meanwhile; the operator would look again.
	again := func(write func() error) {
		t.Helper()
		if err := retry.RetryOnConflict(retry.DefaultBackoff, write); err != nil {
			t.Fatal(err)
		}
	}
	again(func() error { return fleetwright.Adopt(s.ctx, s.client, s.client, demo, "demo-pool1", by, time.Now()) })
	s.eventually("the write is through, and Cluster API learns the number", 30*time.Second, func() string {
		if why := s.replicasAre(4, "true")(); why != "" {
			return why
		}
		return s.poolsRun(map[string]int32{"demo-pool1": 4})
	})
	s.autoscalerMakes(5)
	again(func() error { return fleetwright.Resize(s.ctx, s.client, s.client, demo, "demo-pool1", 5, time.Now()) })
	s.eventually("the number stays", 60*time.Second, func() string {
		now := time.Now()
		if err := fleetwright.Settle(s.ctx, s.client, s.client, demo, "demo-pool1", now); err != nil {
			return err.Error()
		}
		if count := s.nodesInAzure(); count != 5 {
			t.Fatalf("Azure was asked for %d nodes", count)
		}
		infra := &infrav1.AzureManagedMachinePool{}
		if err := s.get("demo-pool1", infra); err != nil {
			return err.Error()
		}
		if patches := infra.Spec.ASOManagedClustersAgentPoolPatches; len(patches) > 0 {
			return fmt.Sprintf("patches %v", patches)
		}
		return s.replicasAre(5, "")()
	})
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"spec":{"replicas":2}}`)
	s.eventually("the MachinePool has the word again", 30*time.Second, func() string { return s.poolsRun(map[string]int32{"demo-pool1": 2}) })
}

var demo = types.NamespacedName{Namespace: "default", Name: "demo"}

func (s *stack) replicasAre(want int32, manager string) func() string {
	return func() string {
		machinePool := &clusterv1.MachinePool{}
		if err := s.get("demo-pool1", machinePool); err != nil {
			return err.Error()
		}
		if machinePool.Annotations[clusterv1.ReplicasManagedByAnnotation] != manager || ptr.Deref(machinePool.Spec.Replicas, 0) != want {
			return fmt.Sprintf("annotations %v, replicas %d", machinePool.Annotations, ptr.Deref(machinePool.Spec.Replicas, 0))
		}
		return ""
	}
}

const pool1ID = managedClusterID + "/agentPools/pool1"

// arm calls Azure as nobody's controller.
func (s *stack) arm() *armclient.Client {
	s.t.Helper()
	login, err := simclient.New(s.azure.URL(), s.azure.CAFile(), simclient.Identity{
		TenantID: "33333333-3333-3333-3333-333333333333", ClientID: "44444444-4444-4444-4444-444444444444", ClientSecret: "x",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	transport, err := simclient.Transport(s.azure.CAFile())
	if err != nil {
		s.t.Fatal(err)
	}
	client, err := armclient.New(login.Credential, capz.ClientOptions(s.azure.URL(), transport))
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func (s *stack) nodesInAzure() int {
	s.t.Helper()
	body, err := s.arm().Get(s.ctx, pool1ID, desired.ContainerServiceVersion)
	if err != nil {
		s.t.Fatal(err)
	}
	count, _ := body.Int("properties", "count")
	return count
}

// autoscalerMakes gives the pool in Azure that many nodes, of which no controller is told.
func (s *stack) autoscalerMakes(count int) {
	s.t.Helper()
	s.eventually("the autoscaler's change", 30*time.Second, func() string {
		body, err := s.arm().Get(s.ctx, pool1ID, desired.ContainerServiceVersion)
		if err != nil {
			return err.Error()
		}
		today, _ := body["properties"].(map[string]any)
		if have, _ := body.Int("properties", "count"); have == count && body.Settled() {
			return ""
		}
		properties := maps.Clone(today)
		properties["count"] = count
		if _, err := s.arm().BeginPut(s.ctx, pool1ID, desired.ContainerServiceVersion, armclient.Body{"properties": properties}); err != nil {
			return err.Error()
		}
		return "it was asked for"
	})
}
