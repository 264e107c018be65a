package capi

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
)

var (
	groupKind  = schema.GroupVersionKind{Group: "resources.azure.com", Version: "v1api20200601", Kind: "ResourceGroup"}
	vnetKind   = schema.GroupVersionKind{Group: "network.azure.com", Version: "v1api20240301", Kind: "VirtualNetwork"}
	subnetKind = schema.GroupVersionKind{Group: "network.azure.com", Version: "v1api20240301", Kind: "VirtualNetworksSubnet"}
)

// asoObject is one of Azure Service Operator's, with its condition Ready.
func asoObject(kind schema.GroupVersionKind, name string, ready tree) *unstructured.Unstructured {
	return objectOfIn("prod-eu", kind, name, tree{"status": tree{"conditions": []any{ready}}})
}

func objectOfIn(namespace string, kind schema.GroupVersionKind, name string, content tree) *unstructured.Unstructured {
	u := objectOf(kind, name, content)
	u.SetNamespace(namespace)
	return u
}

func isReady(at string) tree {
	return tree{"type": "Ready", "status": "True", "lastTransitionTime": at}
}

func notReady(severity, reason, message string) tree {
	return tree{"type": "Ready", "status": "False", "severity": severity, "reason": reason, "message": message}
}

// resourcesAre is what CAPZ says of the resources of the infrastructure.
func (m *management) resourcesAre(ready ...bool) {
	m.t.Helper()
	infrastructure := empty(schema.GroupVersionKind{Group: infraGroup, Version: "v1beta1", Kind: asoInfra})
	var list []any
	for _, each := range ready {
		list = append(list, tree{"ready": each, "resource": tree{"kind": "x"}})
	}
	m.change(infrastructure, "shop", func() { infrastructure.Object["status"] = tree{"resources": list} })
}

func (m *management) clusterSays(conditions ...metav1.Condition) {
	m.t.Helper()
	cluster := &clusterv1.Cluster{}
	m.change(cluster, "shop", func() { cluster.Status.Conditions = conditions })
}

func at(clock string) time.Time {
	t, err := time.Parse(time.RFC3339, clock)
	if err != nil {
		panic(err)
	}
	return t
}

func TestInfrastructureOfASO(t *testing.T) {
	w := asoWish()
	w.VNet, w.Nodes = "10.64.0.0/20", "10.64.0.0/21"
	m := newManagement(t)
	m.applied(w)
	stage := func() Stage { return m.state(w).Infrastructure }
	if s := stage(); !s.Exists || s.Done || s.Problem != "" {
		t.Errorf("before CAPZ has looked: %+v", s)
	}
	m.resourcesAre(true)
	if stage().Done {
		t.Error("done with one resource of three")
	}
	m.resourcesAre(true, true, false)
	for _, o := range []*unstructured.Unstructured{
		asoObject(groupKind, "shop", isReady("2026-11-26T12:00:00Z")), asoObject(vnetKind, "shop", notReady("Info", "Reconciling", "")),
	} {
		if err := m.inner.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if s := stage(); s.Done || s.Problem != "" || !s.Finished.IsZero() {
		t.Errorf("while it is made: %+v", s)
	}
	network := empty(vnetKind)
	for _, test := range []struct {
		ready   tree
		problem string
		fatal   bool
	}{
		{notReady("Warning", "AuthorizationFailed", "the client has no authorization to write"), "VirtualNetwork shop: AuthorizationFailed: the client has no authorization to write", true},
		{notReady("Warning", "InternalServerError", "try later"), "VirtualNetwork shop: InternalServerError: try later", false},
		{notReady("Error", "Whatever", "for good"), "VirtualNetwork shop: Whatever: for good", true},
		{notReady("Warning", "WaitingForOwner", "shop"), "", false},
	} {
		m.change(network, "shop", func() { network.Object["status"] = tree{"conditions": []any{test.ready}} })
		if s := stage(); s.Problem != test.problem || s.Fatal != test.fatal {
			t.Errorf("%v: %q, fatal %t", test.ready["reason"], s.Problem, s.Fatal)
		}
		cached, err := ReadClusterState(t.Context(), m, nil, w)
		if err != nil || cached.Infrastructure.Problem != "" {
			t.Errorf("without asking Azure Service Operator it is known: %q, %v", cached.Infrastructure.Problem, err)
		}
	}
	m.change(network, "shop", func() { network.Object["status"] = tree{"conditions": []any{isReady("2026-11-26T12:00:20Z")}} })
	if err := m.inner.Create(t.Context(), asoObject(subnetKind, "shop-nodes", isReady("2026-11-26T12:00:10Z"))); err != nil {
		t.Fatal(err)
	}
	m.resourcesAre(true, true, true)
	if s := stage(); !s.Done || !s.Finished.Equal(at("2026-11-26T12:00:20Z")) || s.Problem != "" {
		t.Errorf("made: %+v", s)
	}
}

func TestControlPlaneOfASO(t *testing.T) {
	w := asoWish()
	w.VNet, w.Nodes = "10.64.0.0/20", "10.64.0.0/21"
	m := newManagement(t)
	m.applied(w)
	managedCluster := asoObject(asoManagedCluster, "shop", notReady("Error", "QuotaExceeded", "none left"))
	if err := m.inner.Create(t.Context(), managedCluster); err != nil {
		t.Fatal(err)
	}
	if s := m.state(w).ControlPlane; !s.Exists || s.Done || s.Problem != "ManagedCluster shop: QuotaExceeded: none left" || !s.Fatal {
		t.Errorf("refused: %+v", s)
	}
	if id := m.state(w).NetworkID; id != "" {
		t.Errorf("the network is known before the subscription is: %s", id)
	}
	version := func(current string) {
		m.change(managedCluster, "shop", func() {
			managedCluster.Object["status"] = tree{
				"conditions": []any{isReady("2026-11-26T12:05:00Z")}, "currentKubernetesVersion": current,
				"id": "/subscriptions/s/resourceGroups/rg-shop/providers/Microsoft.ContainerService/managedClusters/shop",
			}
		})
	}
	version("1.34.2")
	cluster := &clusterv1.Cluster{}
	m.change(cluster, "shop", func() {
		yes := true
		cluster.Status.Initialization.ControlPlaneInitialized = &yes
		cluster.Status.Conditions = []metav1.Condition{
			{Type: "ControlPlaneInitialized", Status: "True", LastTransitionTime: metav1.NewTime(at("2026-11-26T12:06:00Z"))},
			{Type: "RemoteConnectionProbe", Status: "True", LastTransitionTime: metav1.NewTime(at("2026-11-26T12:07:00Z"))},
		}
	})
	state := m.state(w)
	if s := state.ControlPlane; !s.Done || !s.Finished.Equal(at("2026-11-26T12:06:00Z")) || s.Problem != "" {
		t.Errorf("made: %+v", s)
	}
	if !state.Reachable || !state.ReachableSince.Equal(at("2026-11-26T12:07:00Z")) {
		t.Errorf("reachable %t since %s", state.Reachable, state.ReachableSince)
	}
	if want := "/subscriptions/s/resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks/shop"; state.NetworkID != want {
		t.Errorf("network %s", state.NetworkID)
	}
	m.resourcesAre(true, false, true) // CAPZ looks at it again
	if state := m.state(w); state.NetworkID == "" {
		t.Error("the network is not known any more, and its role would be taken back")
	}
	small := w
	small.VNet = ""
	if state := m.state(small); state.NetworkID != "" {
		t.Error("the network is not the wish's")
	}
	w.Version = "v1.34.3"
	if err := m.apply(w, false); err != nil {
		t.Fatal(err)
	}
	if s := m.state(w); s.ControlPlane.Done || s.Operation != "Upgrading" {
		t.Errorf("while it is upgraded: %+v", s.ControlPlane)
	}
	version("1.34.3")
	if s := m.state(w); !s.ControlPlane.Done {
		t.Errorf("upgraded: %+v", s.ControlPlane)
	}
}

func TestStagesOfAzureManaged(t *testing.T) {
	w := managedWish()
	m := newManagement(t)
	m.applied(w)
	plane := empty(azureManagedControlPlane)
	says := func(conditions ...any) {
		m.change(plane, "shop", func() { plane.Object["status"] = tree{"conditions": conditions} })
	}
	condition := func(kind, status, reason, message, since string) any {
		return tree{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
	}
	group := condition("ResourceGroupReady", "True", "", "", "2026-11-26T12:00:00Z")
	network := condition("VNetReady", "True", "", "", "2026-11-26T12:00:30Z")
	says(group, condition("VNetReady", "False", "Failed", "RESPONSE 403: 403 Forbidden\nERROR CODE: AuthorizationFailed", "2026-11-26T12:00:30Z"))
	if s := m.state(w).Infrastructure; s.Done || !s.Finished.IsZero() || !s.Fatal || s.Problem == "" {
		t.Errorf("refused: %+v", s)
	}
	says(group, network)
	if m.state(w).Infrastructure.Done {
		t.Error("done without subnets")
	}
	says(group, network, condition("SubnetsReady", "True", "", "", "2026-11-26T12:00:20Z"), condition("ManagedClusterRunning", "False", "Failed", "QuotaExceeded: none left", ""))
	s := m.state(w)
	if !s.Infrastructure.Done || !s.Infrastructure.Finished.Equal(at("2026-11-26T12:00:30Z")) {
		t.Errorf("made: %+v", s.Infrastructure)
	}
	if s.ControlPlane.Done || s.ControlPlane.Problem != "ManagedClusterRunning: QuotaExceeded: none left" {
		t.Errorf("refused: %+v", s.ControlPlane)
	}
	m.change(plane, "shop", func() { plane.Object["status"] = tree{"initialized": true, "version": "v1.34.2"} })
	if m.state(w).ControlPlane.Done {
		t.Error("done before Cluster API could use it")
	}
	m.clusterSays(metav1.Condition{Type: "ControlPlaneInitialized", Status: "True", LastTransitionTime: metav1.NewTime(at("2026-11-26T12:06:00Z"))})
	if s := m.state(w); !s.ControlPlane.Done || !s.Infrastructure.Done {
		t.Errorf("made, in a network of people: %+v, %+v", s.Infrastructure, s.ControlPlane)
	}
}

// A class that says otherwise than the cluster was made must not look as if it had been followed.
func TestWhatCannotBeChangedAnyMore(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		w.OutboundType, w.VNet, w.Nodes = "loadBalancer", "10.64.0.0/20", "10.64.0.0/21"
		m := newManagement(t)
		m.applied(w)
		if fixed := m.state(w).Fixed; len(fixed) > 0 {
			t.Errorf("as it was made: %v", fixed)
		}
		w.Location, w.ResourceGroup, w.NetworkPluginMode, w.OutboundType = "northeurope", "other", "", "managedNATGateway"
		state := m.state(w)
		if len(state.Fixed) != 4 || len(state.Changes) > 0 {
			t.Errorf("fixed: %v, changes: %v", state.Fixed, state.Changes)
		}
		if w.VNet = "10.80.0.0/20"; w.Flavor == "AzureManaged" { // the other one has it among the changes
			if fixed := m.state(w).Fixed; len(fixed) != 5 {
				t.Errorf("with another network: %v", fixed)
			}
		}
		w.Location, w.ResourceGroup, w.NetworkPluginMode, w.OutboundType, w.VNet = "", "", "overlay", "", ""
		for _, change := range m.state(w).Fixed {
			if !strings.Contains(change.Field, "azureName") && !strings.Contains(change.Field, "resourceGroupName") { // its default is the cluster's name
				t.Errorf("what is not wished differs: %v", change)
			}
		}
	})
}

// People write a location and a resource group as Azure shows them.
func TestOneNameInTwoSpellings(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		w.Location, w.ResourceGroup = "West Europe", "RG-Shop"
		m := newManagement(t)
		m.applied(w)
		if d := describe(t, m, w.Name); d.Location != "westeurope" || d.NodeResourceGroup != w.NodeResourceGroup || d.ResourceGroup != "RG-Shop" {
			t.Errorf("described as in %q and %q, with nodes in %q", d.Location, d.ResourceGroup, d.NodeResourceGroup)
		}
		w.Location, w.ResourceGroup = "westeurope", "rg-shop"
		if state := m.state(w); len(state.Fixed)+len(state.Changes) > 0 {
			t.Errorf("fixed: %v, changes: %v", state.Fixed, state.Changes)
		}
		w.Location, w.ResourceGroup = "westeurope2", "rg-shops"
		if fixed := m.state(w).Fixed; len(fixed) != 2 {
			t.Errorf("fixed: %v", fixed)
		}
	})
}

// Of a living cluster AKS would change the dataplane by reimaging all its nodes, and CAPZ refuses every write that would.
func TestTheDataplaneStays(t *testing.T) {
	for name, test := range map[string]struct {
		made, wished string
		told         bool
	}{
		"none to cilium": {"", "cilium", true}, "none to azure, which it is": {"", "azure", false}, "azure to cilium": {"azure", "cilium", true},
		"cilium to azure": {"cilium", "azure", true}, "cilium to none": {"cilium", "", false},
	} {
		eachWish(t, func(t *testing.T, w Wish) {
			w.Dataplane = test.made
			m := newManagement(t)
			m.applied(w)
			if state := m.state(w); len(state.Fixed)+len(state.Changes) > 0 || state.Unmarked {
				t.Errorf("%s: as it was made: %v, %v", name, state.Fixed, state.Changes)
			}
			w.Dataplane = test.wished
			state := m.state(w)
			if told := len(state.Fixed) == 1 && strings.HasSuffix(state.Fixed[0].Field, ".networkDataplane"); told != test.told || !told && len(state.Fixed) > 0 {
				t.Errorf("%s: fixed: %v", name, state.Fixed)
			}
			if len(state.Changes) > 0 {
				t.Errorf("%s: it would change %v", name, state.Changes)
			}
		})
	}
}

// Of a network that the object does not tell, its mode is in Azure only.
func TestANetworkThatIsNotTold(t *testing.T) {
	m, w := newManagement(t), asoWish()
	m.applied(w)
	plane := empty(asoManagedControlPlane)
	m.change(plane, "shop", func() { delete(treeIn(resourceNo(plane.Object, 0), "spec"), "networkProfile") })
	if fixed := m.state(w).Fixed; len(fixed) > 0 {
		t.Error(fixed)
	}
}

func TestAClusterTellsItsRanges(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		m := newManagement(t)
		m.applied(w)
		if state := m.state(w); state.Pods != w.Pods || state.Services != w.Services || w.Pods == "" || w.Services == "" {
			t.Errorf("pods %q, services %q of %+v", state.Pods, state.Services, w)
		}
	})
}

func TestAClusterThatIsDeletedSaysWhatItWaitsFor(t *testing.T) {
	m, w := newManagement(t), asoWish()
	m.applied(w)
	m.clusterSays(metav1.Condition{Type: "Deleting", Status: "True", Message: "* MachinePools: shop-general"})
	if got := m.state(w).DeletingWords; got != "* MachinePools: shop-general" {
		t.Error(got)
	}
	m.clusterSays(metav1.Condition{Type: "Deleting", Status: "False", Message: "not"})
	if got := m.state(w).DeletingWords; got != "" {
		t.Error(got)
	}
}

// The address is in the spec, and comes back with it when a backup brings no status.
func TestAClusterWasMadeOnceItHasAnAddress(t *testing.T) {
	var cluster clusterv1.Cluster
	var state ClusterState
	state.readCluster(&cluster)
	if state.Made {
		t.Error("one without an address is taken for made")
	}
	cluster.Spec.ControlPlaneEndpoint = clusterv1.APIEndpoint{Host: "shop.hcp.westeurope.azmk8s.io", Port: 443}
	if state.readCluster(&cluster); !state.Made {
		t.Error("one with an address is not taken for made")
	}
}

func TestSubscriptionOfACredential(t *testing.T) {
	secret := func(name, subscription string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "prod-eu", Name: name}, Data: map[string][]byte{"AZURE_SUBSCRIPTION_ID": []byte(subscription)}}
	}
	m := newManagement(t, secret("team-a", "of-team"), secret("aso-credential", "of-namespace"))
	for _, test := range []struct {
		wish Wish
		want string
	}{
		{asoWish(), "of-team"},
		{Wish{Namespace: "prod-eu", Name: "shop", Flavor: "AzureASOManaged"}, "of-namespace"},
		{Wish{Namespace: "prod-us", Name: "shop", Flavor: "AzureASOManaged"}, ""},
		{Wish{Namespace: "prod-eu", Name: "shop", Flavor: "AzureASOManaged", CredentialSecret: "missing"}, ""},
		{managedWish(), "11111111-1111-1111-1111-111111111111"},
	} {
		if got, err := CredentialSubscription(t.Context(), m, test.wish); got != test.want || err != nil {
			t.Errorf("%s: %q, %v", test.wish.CredentialSecret, got, err)
		}
	}
}

func TestServedClusters(t *testing.T) {
	kinds := func(known ...schema.GroupVersionKind) []string {
		mapper := meta.NewDefaultRESTMapper(nil)
		for _, kind := range known {
			mapper.Add(kind, meta.RESTScopeNamespace)
		}
		served, err := ServedClusters(mapper)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, o := range served {
			out = append(out, kindOf(o))
		}
		return out
	}
	if got := kinds(); len(got) > 0 {
		t.Errorf("served of nothing: %v", got)
	}
	aso := AzureASOManaged{}
	got := kinds(infrastructureOf(aso), aso.Kinds().ControlPlane, asoManagedCluster)
	if len(got) != 3 {
		t.Errorf("served of one flavour: %v", got)
	}
}
