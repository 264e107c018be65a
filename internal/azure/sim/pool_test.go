package sim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

type properties = aks.ManagedClusterAgentPoolProfileProperties

func TestImmutablePoolFieldsAreRefused(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.AvailabilityZones = []*string{to.Ptr("1"), to.Ptr("2")}
	pool.Properties.MaxPods = to.Ptr[int32](50)
	created := a.mustPutPool("blue", pool)
	for field, change := range map[string]func(*properties){
		"vmSize":                 func(p *properties) { p.VMSize = to.Ptr("Standard_D8s_v5") },
		"osDiskSizeGB":           func(p *properties) { p.OSDiskSizeGB = to.Ptr[int32](256) },
		"osDiskType":             func(p *properties) { p.OSDiskType = to.Ptr(aks.OSDiskTypeEphemeral) },
		"maxPods":                func(p *properties) { p.MaxPods = to.Ptr[int32](60) },
		"osType":                 func(p *properties) { p.OSType = to.Ptr(aks.OSTypeWindows) },
		"scaleSetPriority":       func(p *properties) { p.ScaleSetPriority = to.Ptr(aks.ScaleSetPrioritySpot) },
		"availabilityZones":      func(p *properties) { p.AvailabilityZones = []*string{to.Ptr("3")} },
		"vnetSubnetID":           func(p *properties) { p.VnetSubnetID = to.Ptr("/subscriptions/s/other") },
		"enableNodePublicIP":     func(p *properties) { p.EnableNodePublicIP = to.Ptr(true) },
		"enableUltraSSD":         func(p *properties) { p.EnableUltraSSD = to.Ptr(true) },
		"enableEncryptionAtHost": func(p *properties) { p.EnableEncryptionAtHost = to.Ptr(true) },
		"kubeletConfig":          func(p *properties) { p.KubeletConfig = &aks.KubeletConfig{PodMaxPids: to.Ptr[int32](100)} },
	} {
		t.Run(field, func(t *testing.T) {
			next := created
			props := *created.Properties
			next.Properties = &props
			change(&props)
			_, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", next, nil)
			wantCode(t, err, http.StatusBadRequest, "PropertyChangeNotAllowed", "Changing property 'properties."+field+"' is not allowed.")
		})
	}
	t.Run("the same again in other letters and order", func(*testing.T) {
		next := created
		next.Properties.VMSize = to.Ptr("standard_d4S_V5")
		next.Properties.AvailabilityZones = []*string{to.Ptr("2"), to.Ptr("1")}
		a.mustPutPool("blue", next)
	})
}

func TestPoolsThatAreRefused(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.Catalog.Restrictions = []catalog.Restriction{
			{Location: location, VMSize: "Standard_D16s_v5"}, {Location: location, VMSize: "Standard_D8s_v5", Zones: []string{"3"}},
		}
		s.Catalog.Quotas = []catalog.Quota{{Location: location, Family: "standardDSv5Family", VCPUs: 24}}
	})
	a.makeCluster()
	for name, test := range map[string]struct {
		pool            string
		change          func(*properties)
		status          int
		code, messageIn string
	}{
		"upper case name":          {pool: "Blue", code: "InvalidParameter", messageIn: "name"},
		"digit first":              {pool: "1blue", code: "InvalidParameter", messageIn: "name"},
		"13 characters":            {pool: "abcdefghijklm", code: "InvalidParameter", messageIn: "name"},
		"Windows and 7 characters": {pool: "windows", change: func(p *properties) { p.OSType = to.Ptr(aks.OSTypeWindows) }, code: "WindowsAgentPoolNameTooLong"},
		"Windows System": {change: func(p *properties) { p.Mode, p.OSType = to.Ptr(aks.AgentPoolModeSystem), to.Ptr(aks.OSTypeWindows) },
			code: "SystemPoolMustBeLinux"},
		"Spot System": {change: func(p *properties) {
			p.Mode, p.ScaleSetPriority = to.Ptr(aks.AgentPoolModeSystem), to.Ptr(aks.ScaleSetPrioritySpot)
		}, code: "SystemPoolMustBeRegular"},
		"empty System":       {change: func(p *properties) { p.Mode, p.Count = to.Ptr(aks.AgentPoolModeSystem), to.Ptr[int32](0) }, code: "SystemPoolNotEnoughNodes"},
		"1001 nodes":         {change: func(p *properties) { p.Count = to.Ptr[int32](1001) }, code: "InvalidParameter", messageIn: "1000"},
		"min above max":      {change: autoscale(1, 3, 2), code: "InvalidParameter", messageIn: "minCount"},
		"count above max":    {change: autoscale(5, 1, 2), code: "InvalidParameter", messageIn: "Node count 5"},
		"min without max":    {change: func(p *properties) { p.EnableAutoScaling, p.MinCount = to.Ptr(true), to.Ptr[int32](1) }, code: "InvalidParameter", messageIn: "must be given"},
		"bounds without on":  {change: func(p *properties) { p.MinCount = to.Ptr[int32](1) }, code: "InvalidParameter", messageIn: "not enabled"},
		"unknown size":       {change: func(p *properties) { p.VMSize = to.Ptr("Standard_Z1") }, code: "BadRequest", messageIn: "not allowed in your subscription"},
		"too small size":     {change: func(p *properties) { p.VMSize = to.Ptr("Standard_B1s") }, code: "InvalidParameter", messageIn: "2 vCPUs"},
		"size sold out":      {change: func(p *properties) { p.VMSize = to.Ptr("Standard_D16s_v5") }, status: http.StatusConflict, code: "SkuNotAvailable"},
		"size not in zone 3": {change: func(p *properties) { p.VMSize, p.AvailabilityZones = to.Ptr("Standard_D8s_v5"), []*string{to.Ptr("3")} }, status: http.StatusConflict, code: "SkuNotAvailable", messageIn: "zones '3'"},
		"unknown zone":       {change: func(p *properties) { p.AvailabilityZones = []*string{to.Ptr("4")} }, code: "AvailabilityZoneNotSupported"},
		"quota": {change: func(p *properties) { p.Count = to.Ptr[int32](5) }, code: "QuotaExceeded",
			messageIn: "Current Limit: 24, Current Usage: 8, Additional Required: 20, (Minimum) New Limit Required: 28"},
		"newer than control plane": {change: func(p *properties) { p.OrchestratorVersion = to.Ptr("1.35.0") }, code: "NodePoolMcVersionIncompatible",
			messageIn: "Minor version of node pool version 35 is bigger than control plane version 34"},
		"unknown version": {change: func(p *properties) { p.OrchestratorVersion = to.Ptr("1.20.1") }, code: "K8sVersionNotSupported"},
		"reserved label":  {change: func(p *properties) { p.NodeLabels = map[string]*string{"kubernetes.azure.com/mine": to.Ptr("x")} }, code: "InvalidParameter", messageIn: "reserved"},
		"bad taint":       {change: func(p *properties) { p.NodeTaints = []*string{to.Ptr("a=b:Never")} }, code: "InvalidTaint"},
		"missing subnet":  {change: func(p *properties) { p.VnetSubnetID = to.Ptr(clusterID + "x") }, code: "VnetSubnetNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			pool := userPool("Standard_D4s_v5", 1)
			if test.change != nil {
				test.change(pool.Properties)
			}
			if test.pool == "" {
				test.pool = "blue"
			}
			if test.status == 0 {
				test.status = http.StatusBadRequest
			}
			_, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, test.pool, pool, nil)
			wantCode(t, err, test.status, test.code, test.messageIn)
		})
	}
	if got := a.poolNames(); got != "sys" {
		t.Errorf("pools after all refusals: %s", got)
	}
}

func autoscale(count, least, most int32) func(*properties) {
	return func(p *properties) {
		p.EnableAutoScaling, p.Count, p.MinCount, p.MaxCount = to.Ptr(true), to.Ptr(count), to.Ptr(least), to.Ptr(most)
	}
}

func (a *azure) poolNames() string {
	a.t.Helper()
	names := ""
	for pager := a.pools.NewListPager(group, cluster, nil); pager.More(); {
		page, err := pager.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		for _, p := range page.Value {
			if names != "" {
				names += " "
			}
			names += *p.Name
		}
	}
	return names
}

func TestOneOperationPerCluster(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("old", userPool("Standard_D4s_v5", 1))
	poller, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	busy := "Another agentpool operation (blue - Creating) is in progress, please wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation"
	_, err = a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "green", userPool("Standard_D4s_v5", 1), nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", busy)
	_, err = a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 2), nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", busy)
	_, err = a.pools.BeginDelete(t.Context(), group, cluster, "old", nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", busy)
	_, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(), nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", busy)
	done(a, poller, nil)

	update, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.pools.BeginDelete(t.Context(), group, cluster, "old", nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", "Another operation (Updating) is in progress")
	done(a, update, nil)
	p, err := a.pools.BeginDelete(t.Context(), group, cluster, "old", nil)
	done(a, p, err)
}

func TestLastSystemPoolIsProtected(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	_, err := a.pools.BeginDelete(t.Context(), group, cluster, "sys", nil)
	wantCode(t, err, http.StatusBadRequest, "MustDefineAtLeastOneSystemPool", "")
	_, err = a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "sys", userPool("Standard_D4s_v5", 2), nil)
	wantCode(t, err, http.StatusBadRequest, "MustDefineAtLeastOneSystemPool", "")

	second := userPool("Standard_D4s_v5", 1)
	second.Properties.Mode = to.Ptr(aks.AgentPoolModeSystem)
	a.mustPutPool("sys2", second)
	p, err := a.pools.BeginDelete(t.Context(), group, cluster, "sys", nil)
	done(a, p, err)
	_, err = a.pools.BeginDelete(t.Context(), group, cluster, "sys2", nil)
	wantCode(t, err, http.StatusBadRequest, "MustDefineAtLeastOneSystemPool", "")
}

func TestPoolDeletionTakesItsNodes(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	before := a.world.nodeNames()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 2))
	a.boot()
	a.eventually("four nodes", countNodes(a, 4))
	p, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.ProvisioningState != "Deleting" {
		t.Fatalf("pool while it is deleted: %v %v", got.Properties, err)
	}
	// A second DELETE is about the same operation, not refused.
	again, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	if err != nil {
		t.Fatalf("second DELETE: %v", err)
	}
	done(a, p, nil)
	done(a, again, nil)
	_, err = a.pools.Get(t.Context(), group, cluster, "blue", nil)
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound", "")
	a.eventuallyNodes(before...)
	// And what is gone can be deleted again.
	p, err = a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	done(a, p, err)
}

// TestLateNodeDeletionSparesTheNamesake: the old node's deletion, delayed by an API server that is away, must not take
// the new node of the same name.
func TestLateNodeDeletionSparesTheNamesake(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	a.boot()
	a.eventually("blue's node", countNodes(a, 3))
	a.world.set(func(w *fakeWorld) { w.keep = true })
	p, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	done(a, p, err)
	a.mustPutPool("blue", userPool("Standard_D8s_v5", 1))
	a.boot()
	a.world.set(func(w *fakeWorld) { w.keep = false })
	a.eventually("the new node in place of the old", func() error {
		a.clock.Step(time.Second) // the wait between tries
		if n, _ := a.world.node("aks-blue-80356398-vmss000000"); n.VMSize != "Standard_D8s_v5" {
			return errorOf("node %+v", n)
		}
		return nil
	})
	if names := a.world.nodeNames(); len(names) != 3 {
		t.Errorf("nodes %v", names)
	}
}

func TestUpdateInPlaceReachesNodes(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	a.boot()
	name := "aks-blue-80356398-vmss000000"
	a.eventually("blue's node", countNodes(a, 3))
	pool := userPool("Standard_D4s_v5", 3)
	pool.Properties.NodeLabels = map[string]*string{"tier": to.Ptr("gold")}
	pool.Properties.NodeTaints = []*string{to.Ptr("only=gold:NoExecute")}
	if got := a.mustPutPool("blue", pool); *got.Properties.Count != 3 || *got.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("pool after the update: %+v", got.Properties)
	}
	a.eventually("label and taint", func() error {
		n, _ := a.world.node(name)
		if n.Labels["tier"] != "gold" || len(n.Taints) != 1 || n.Taints[0].Key != "only" {
			return errorOf("node has labels %v and taints %v", n.Labels, n.Taints)
		}
		return nil
	})
	a.boot()
	a.eventually("two more nodes", countNodes(a, 5))
	// A PUT without labels and taints empties them; what is immutable stays without being named.
	pool = aks.AgentPool{Properties: &properties{Count: to.Ptr[int32](1)}}
	got := a.mustPutPool("blue", pool)
	if len(got.Properties.NodeLabels) != 0 || *got.Properties.VMSize != "Standard_D4s_v5" || *got.Properties.Mode != aks.AgentPoolModeUser {
		t.Errorf("pool after a short PUT: %+v", got.Properties)
	}
	a.eventually("the newest nodes go", func() error {
		n, ok := a.world.node(name)
		if !ok || len(n.Taints) != 0 || len(a.world.nodeNames()) != 3 {
			return errorOf("nodes %v", a.world.nodeNames())
		}
		return nil
	})
	// Instance ids grow: the next machine is not called like one that is gone.
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 3))
	if diff := cmp.Diff([]string{"0", "3", "4"}, a.machineIDs("blue")); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
}

// TestPoolMadeAgainUnderItsName: node names and provider ids come back, so the old nodes must go before the new come.
func TestPoolMadeAgainUnderItsName(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	for range 2 {
		a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
		a.boot()
		a.eventually("blue's node", countNodes(a, 3))
		p, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
		done(a, p, err)
		a.eventually("no node of blue", countNodes(a, 2))
	}
}

func TestSpotPoolGetsAzuresTaint(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.ScaleSetPriority = to.Ptr(aks.ScaleSetPrioritySpot)
	got := a.mustPutPool("spot", pool)
	if len(got.Properties.NodeTaints) != 1 || *got.Properties.NodeTaints[0] != "kubernetes.azure.com/scalesetpriority=spot:NoSchedule" {
		t.Errorf("taints: %v", got.Properties.NodeTaints)
	}
	// The answer put back as it came is no change and is not refused for its reserved label.
	a.mustPutPool("spot", got)
	a.boot()
	a.eventually("the spot label", func() error {
		n, _ := a.world.node("aks-spot-80356398-vmss000000")
		if n.Labels["kubernetes.azure.com/scalesetpriority"] != "spot" || len(n.Taints) != 1 {
			return errorOf("node %+v", n)
		}
		return nil
	})
}

func TestWindowsNames(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.OSType = to.Ptr(aks.OSTypeWindows)
	a.mustPutPool("winnow", pool)
	a.boot()
	a.eventually("the Windows node", func() error {
		n, ok := a.world.node("akswinnow000000")
		if !ok || n.Labels["kubernetes.io/os"] != "windows" {
			return errorOf("nodes %v", a.world.nodeNames())
		}
		return nil
	})
}

func TestAutoscaledCountStaysInBounds(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	pool := aks.AgentPool{Properties: &properties{EnableAutoScaling: to.Ptr(true), MinCount: to.Ptr[int32](3), MaxCount: to.Ptr[int32](5)}}
	if got := *a.mustPutPool("blue", pool).Properties.Count; got != 3 {
		t.Errorf("count is %d after min was raised to 3", got)
	}
}
