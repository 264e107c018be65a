package capi

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var key = types.NamespacedName{Namespace: "prod-eu", Name: "prod-eu-1"}

var (
	prod    = Cluster{Namespace: key.Namespace, Name: key.Name}
	managed = AzureManaged{}
)

func viewPool(mp *clusterv1.MachinePool, infra *unstructured.Unstructured, now time.Time) Pool {
	return Objects{MachinePool: mp, Infra: infra, Flavor: managed}.View(now)
}

// What is written for a spec reads back as the same spec, so that a pool just
// made is the wanted one.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	specs := map[string]agentpool.Spec{
		"least": {Version: "v1.34.2", MachineType: "D4", Mode: "User", Replicas: ptr.To[int32](1)},
		"everything": {
			Version: "v1.34.2", Type: "Spot", MachineType: "D8", DiskSizeGiB: 128, DiskType: "Ephemeral", MaxPods: 60,
			OSType: "Linux", OSSKU: "AzureLinux", Zones: []string{"1", "3"}, Subnet: "nodes", Mode: "User",
			Labels: map[string]string{"team": "shop"}, Tags: map[string]string{"cost": "4711"},
			Taints:  []agentpool.Taint{{Key: "dedicated", Value: "shop", Effect: "NoSchedule"}},
			Scaling: &agentpool.Scaling{Min: 1, Max: 5},
		},
	}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			p := NewPool{Object: "o", Name: "generalx", Nodepool: "np", NodepoolUID: "u", BaseName: "general", Fingerprint: "1:f", Spec: spec, Replicas: 1, Started: now}
			got := viewPool(p.machinePool(key, managed), p.infra(prod, managed), now)
			if changes := agentpool.Changes(spec, got.Spec); len(changes) > 0 {
				t.Errorf("reads back with changes: %v", changes)
			}
			if got.Name != "generalx" || got.Nodepool != "np" || got.NodepoolUID != "u" || got.Fingerprint != "1:f" || !got.ProvisionStarted.Equal(now) {
				t.Errorf("marks read back as %+v", got)
			}
		})
	}
}

// A pool that CAPZ finds by CAPI's label before CAPI has made the MachinePool
// its owner stops CAPZ's work on the control plane.
func TestCAPIsLabelIsLeftToCAPI(t *testing.T) {
	p := NewPool{Object: "o", Name: "generalx", Nodepool: "np", Started: now}
	infra := p.infra(prod, managed)
	if name, found := infra.GetLabels()[clusterv1.ClusterNameLabel]; found {
		t.Errorf("the infrastructure object is made with the label of cluster %s", name)
	}
	if got := ClusterOf(infra); got != key.Name {
		t.Errorf("ClusterOf() = %q before CAPI has labelled it, want %s", got, key.Name)
	}
	if got := p.machinePool(key, managed).Labels[clusterv1.ClusterNameLabel]; got != key.Name {
		t.Errorf("the MachinePool has label %q, want %s", got, key.Name)
	}
}

func infraWith(condition map[string]any, ready bool) *unstructured.Unstructured {
	infra := empty(azureManagedMachinePool)
	infra.SetName("o")
	infra.SetUID("i")
	status := map[string]any{"ready": ready}
	if condition != nil {
		condition["type"] = "AgentPoolsReady"
		status["conditions"] = []any{condition}
	}
	infra.Object["status"] = status
	return infra
}

func TestOperationAndFailure(t *testing.T) {
	updated := func(ago time.Duration) map[string]string {
		return map[string]string{"fleetwright.io/update-started": now.Add(-ago).Format(time.RFC3339)}
	}
	yes := func() map[string]any {
		return map[string]any{"status": "True", "lastTransitionTime": "2026-11-23T11:00:00Z"}
	}
	no := func(reason, message string) map[string]any {
		return map[string]any{"status": "False", "reason": reason, "message": message}
	}
	cases := map[string]struct {
		condition          map[string]any
		ready              bool
		annotations        map[string]string
		operation, failure string
	}{
		"just written, CAPZ has not looked": {operation: "Creating"},
		"being made":                        {condition: no("Creating", "agentpools creating or updating"), operation: "Creating"},
		"made":                              {condition: yes(), ready: true},
		"being changed":                     {condition: no("Creating", "agentpools creating or updating"), ready: true, operation: "Updating"},
		"refused":                           {condition: no("Failed", "QuotaExceeded: none left"), failure: "QuotaExceeded: none left"},
		"refused long ago": {
			condition: map[string]any{"status": "False", "reason": "Failed", "message": "no", "lastTransitionTime": "2026-11-23T11:00:00Z"}, failure: "no",
		},
		"refused because another operation runs": {
			condition: no("Failed", `OperationNotAllowed: Operation is not allowed: Another agentpool operation (np1 - Creating) is in progress, please wait for it`),
			operation: "Creating",
		},
		"a permanent refusal with the same code": {
			condition: no("Failed", "OperationNotAllowed: Upgrading Kubernetes version 1.24.9 to 1.26.6 is not allowed"),
			failure:   "OperationNotAllowed: Upgrading Kubernetes version 1.24.9 to 1.26.6 is not allowed",
		},
		"we changed it a moment ago":                 {condition: yes(), ready: true, annotations: updated(time.Second), operation: "Updating"},
		"we changed it, CAPZ is through":             {condition: map[string]any{"status": "True", "lastTransitionTime": "2026-11-23T12:00:00Z"}, ready: true, annotations: updated(time.Second)},
		"we changed it, nothing ever came":           {condition: yes(), ready: true, annotations: updated(time.Minute)},
		"a failure older than our correction":        {condition: map[string]any{"status": "False", "reason": "Failed", "message": "no", "lastTransitionTime": "2026-11-23T11:00:00Z"}, ready: true, annotations: updated(time.Second), operation: "Updating"},
		"a clock an hour ahead wrote the mark":       {condition: yes(), ready: true, annotations: updated(-time.Hour)},
		"made long ago, by a CAPZ that says nothing": {ready: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mp := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: "o", UID: "m", Annotations: tc.annotations}}
			got := viewPool(mp, infraWith(tc.condition, tc.ready), now)
			if got.Operation != tc.operation || got.Failure != tc.failure {
				t.Errorf("operation %q, failure %q; want %q, %q", got.Operation, got.Failure, tc.operation, tc.failure)
			}
			if got.Failure != "" && tc.condition["lastTransitionTime"] != nil && got.FailureSince.IsZero() {
				t.Error("it is not known since when it fails")
			}
		})
	}
}

func TestHalfAPool(t *testing.T) {
	if p := viewPool(nil, infraWith(nil, false), now); p.Complete() || p.Operation != "" {
		t.Errorf("a pool without MachinePool: complete %t, operation %q", p.Complete(), p.Operation)
	}
	mp := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: "o", UID: "m"}}
	mp.Spec.ProviderIDList = []string{"azure:///x"}
	if p := viewPool(mp, nil, now); p.Complete() || p.Ready || len(p.ProviderIDs) != 1 {
		t.Errorf("a pool without infrastructure: complete %t, ready %t", p.Complete(), p.Ready)
	}
	// It is made again under the name it had in Azure, which is not its object's.
	made := NewPool{Object: "prod-general-x", Name: "generalx"}.machinePool(key, managed)
	if p := viewPool(made, nil, now); p.Name != "generalx" {
		t.Errorf("a pool without infrastructure is called %q, want generalx", p.Name)
	}
}

// A pool that the autoscaler is to scale is made with the MachinePool's number,
// which must be within the bounds; afterwards that number is the autoscaler's.
func TestReplicasOfAScaledPool(t *testing.T) {
	twenty, five := int32(20), int32(5)
	bounds := agentpool.Spec{Scaling: &agentpool.Scaling{Min: 2, Max: 10}}
	cases := map[string]struct {
		spec  agentpool.Spec
		today *int32
		made  bool
		want  any
	}{
		"too many for a pool to be made": {bounds, &twenty, false, int32(10)},
		"within the bounds":              {bounds, &five, false, int32(5)},
		"nobody said":                    {bounds, nil, false, int32(2)},
		"made":                           {bounds, &twenty, true, nil},
		"fixed":                          {agentpool.Spec{Replicas: &five}, &twenty, true, int32(5)},
		"left open":                      {agentpool.Spec{}, &twenty, false, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got any
			if n := wantedReplicas(tc.spec, tc.today, tc.made); n != nil {
				got = *n
			}
			if got != tc.want {
				t.Errorf("replicas %v, want %v", got, tc.want)
			}
		})
	}
}

// A pool that is asked for again in a smaller size has its whole time again.
func TestProvisioningStartsAnewWithAChange(t *testing.T) {
	hourAgo, minuteAgo := now.Add(-time.Hour), now.Add(-time.Minute)
	mp := NewPool{Object: "o", Name: "generalx", Started: hourAgo}.machinePool(key, managed)
	annotate(mp, "fleetwright.io/update-started", minuteAgo)
	if p := viewPool(mp, infraWith(nil, false), now); !p.ProvisionStarted.Equal(minuteAgo) {
		t.Errorf("a pool not made yet is awaited since %s, want %s", p.ProvisionStarted, minuteAgo)
	}
	if p := viewPool(mp, infraWith(nil, true), now); !p.ProvisionStarted.Equal(hourAgo) {
		t.Errorf("a pool that was made is awaited since %s, want %s", p.ProvisionStarted, hourAgo)
	}
}

// clusterctl moves objects by making them anew.
func TestSinceWhenAPoolIsThere(t *testing.T) {
	hourAgo, minuteAgo := now.Add(-time.Hour), now.Add(-time.Minute)
	mp := NewPool{Object: "o", Name: "generalx", Started: hourAgo}.machinePool(key, managed)
	mp.CreationTimestamp = metav1.NewTime(minuteAgo)
	annotate(mp, "fleetwright.io/update-started", now)
	if p := viewPool(mp, infraWith(nil, false), now); !p.Since.Equal(hourAgo) {
		t.Errorf("moved a minute ago, it is there since %s, want %s", p.Since, hourAgo)
	}
	mp.Annotations = nil
	if p := viewPool(mp, infraWith(nil, false), now); !p.Since.Equal(minuteAgo) {
		t.Errorf("made by a person, it is there since %s, want %s", p.Since, minuteAgo)
	}
}

// What AKS and CAPZ add is theirs: it never counts as a difference.
func TestServerAddedValuesAreLeftOut(t *testing.T) {
	infra := infraWith(nil, true)
	infra.Object["spec"] = map[string]any{
		"sku": "D4", "mode": "User", "osDiskType": "Managed", "scaleSetPriority": "Spot",
		"nodeLabels":     map[string]any{"team": "shop", "kubernetes.azure.com/scalesetpriority": "spot", "fleetwright.io/nodepool": "general"},
		"additionalTags": map[string]any{"cost": "4711", "fleetwright-owner": "prod-eu/np"},
		"taints": []any{
			map[string]any{"key": "kubernetes.azure.com/scalesetpriority", "value": "spot", "effect": "NoSchedule"},
			map[string]any{"key": "dedicated", "value": "shop", "effect": "NoSchedule"},
		},
	}
	want := agentpool.Spec{
		MachineType: "D4", Type: "Spot", Labels: map[string]string{"team": "shop"}, Tags: map[string]string{"cost": "4711"},
		Taints: []agentpool.Taint{{Key: "dedicated", Value: "shop", Effect: "NoSchedule"}},
	}
	if changes := agentpool.Changes(want, managed.Read(infra, nil).Spec); len(changes) > 0 {
		t.Error(cmp.Diff([]agentpool.Change(nil), changes))
	}
}

func TestInPlaceChangesKeepWhatAKSAdded(t *testing.T) {
	infra := infraWith(nil, true)
	infra.Object["spec"] = map[string]any{
		"nodeLabels": map[string]any{"old": "x", "kubernetes.azure.com/scalesetpriority": "spot"},
		"taints": []any{
			map[string]any{"key": "kubernetes.azure.com/scalesetpriority", "value": "spot", "effect": "NoSchedule"},
			map[string]any{"key": "old", "effect": "NoSchedule"},
		},
	}
	managed.SetInPlace(infra, agentpool.Spec{Labels: map[string]string{"team": "shop"}})
	managed.SetOwned(infra, Owned{BaseName: "general"})
	want := map[string]string{"team": "shop", "kubernetes.azure.com/scalesetpriority": "spot", "fleetwright.io/nodepool": "general"}
	if diff := cmp.Diff(want, mapAt(infra, "spec", "nodeLabels")); diff != "" {
		t.Errorf("labels: %s", diff)
	}
	taints, _, _ := unstructured.NestedSlice(infra.Object, "spec", "taints")
	if len(taints) != 1 || taints[0].(map[string]any)["value"] != "spot" {
		t.Errorf("taints: %v", taints)
	}
}

func TestRefusedDeletion(t *testing.T) {
	infra := infraWith(map[string]any{"status": "False", "reason": "DeletionFailed", "message": "ScopeLocked"}, true)
	deleted := metav1.NewTime(now)
	infra.SetDeletionTimestamp(&deleted)
	mp := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: "o", UID: "m"}}
	if p := viewPool(mp, infra, now); !p.Deleting || p.Operation != "" || p.Failure != "ScopeLocked" {
		t.Errorf("deleting %t, operation %q, failure %q", p.Deleting, p.Operation, p.Failure)
	}
}

// A label or annotation that one object lost does not make the pool nobody's.
func TestEitherObjectTellsWhoseThePoolIs(t *testing.T) {
	p := NewPool{Object: "o", Name: "generalx", Nodepool: "np", NodepoolUID: "u", Fingerprint: "1:f", Spec: agentpool.Spec{Version: "v1.34.2"}, Started: now}
	mp := p.machinePool(key, managed)
	mp.Labels, mp.Annotations = nil, nil
	if got := viewPool(mp, p.infra(prod, managed), now); got.Nodepool != "np" || got.NodepoolUID != "u" || got.Fingerprint != "1:f" {
		t.Errorf("reads as %+v", got)
	}
}

// AKS upgrades control planes by itself, and the spec stays behind: that is no
// operation, or no pool could ever be changed again.
func TestControlPlaneOperation(t *testing.T) {
	cases := map[string]struct{ spec, status, want string }{
		"as wanted":     {"v1.34.2", "1.34.2", ""},
		"on its way":    {"v1.34.2", "v1.33.5", "Upgrading"},
		"auto-upgraded": {"v1.33.5", "v1.34.2", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plane := empty(azureManagedControlPlane)
			plane.Object["spec"] = map[string]any{"version": tc.spec}
			plane.Object["status"] = map[string]any{"initialized": true, "version": tc.status}
			var c Cluster
			if managed.ReadControlPlane(&c, plane, nil); c.Operation != tc.want {
				t.Errorf("operation %q, want %q", c.Operation, tc.want)
			}
		})
	}
}
