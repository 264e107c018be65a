package workloadcluster

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// condition is what the WorkloadCluster says of a kind, as status, reason and message.
func (s *stage) condition(kind string) string {
	s.t.Helper()
	for _, c := range s.object().Status.Conditions {
		if c.Type == kind {
			return string(c.Status) + " " + c.Reason + ": " + c.Message
		}
	}
	return ""
}

// Whatever is wrong is one condition with one sentence, and nothing is made.
func TestObstacles(t *testing.T) {
	const valid = "version: v1.33.6\nazure: {location: westeurope, resourceGroup: NAMESPACE}\nnodepools: [{name: system, spec: {mode: System, machineType: Standard_D2ds_v5}}]\n"
	for name, test := range map[string]struct {
		spec    string
		prepare func(s *stage)
		want    string
	}{
		"no such class": {
			"classRef: {name: nowhere}", nil,
			"True ClassNotFound: WorkloadClusterClass NAMESPACE/nowhere does not exist: make it, or correct spec.classRef",
		},
		"a class of others": {
			"classRef: {name: theirs, namespace: NAMESPACE-other}", func(s *stage) {
				s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace + "-other"}})
				class := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace + "-other", Name: "theirs"}}
				class.Spec.Template = s.template(valid)
				class.Spec.Template.Azure.ResourceGroup = ""
				class.Spec.AllowedNamespaces.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"stage": "production"}}
				s.create(class)
			},
			"True ClassNotAllowed: WorkloadClusterClass NAMESPACE-other/theirs does not let namespace NAMESPACE use it: its spec.allowedNamespaces has to select that namespace",
		},
		"what cannot be": {
			valid + "addons: [{name: a, kind: ClusterResourceSet, after: [b]}]", nil,
			"True InvalidSpec: addons[a].after: there is no add-on \"b\"",
		},
		"an override of what is ours": {
			valid + "providerOverrides: {location: elsewhere}", nil,
			"True OverrideConflict: ",
		},
		"a namespace of a tenant": {
			valid, func(s *stage) {
				edit(s, &corev1.Namespace{}, s.namespace, func(ns *corev1.Namespace) { ns.Labels = map[string]string{fleetwrightv1.LabelTenant: "shop"} })
			},
			"True TenantNotAllowed: namespace NAMESPACE belongs to tenant shop: set tenancy to Single with that tenant, or make the cluster in another namespace",
		},
		"another subscription": {
			strings.ReplaceAll(valid, "azure: {", "azure: {subscriptionID: "+subscription+", "), func(s *stage) {
				s.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "aso-credential"}, StringData: map[string]string{"AZURE_SUBSCRIPTION_ID": "other"}})
			},
			"True InvalidSpec: azure.subscriptionID is " + subscription + ", and the credential of Azure Service Operator is of subscription other: correct azure.credentialSecret or azure.subscriptionID",
		},
		"somebody's Cluster": {
			valid, func(s *stage) {
				s.create(&clusterv1.Cluster{
					ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "c"},
					Spec:       clusterv1.ClusterSpec{ControlPlaneRef: clusterv1.ContractVersionedObjectReference{APIGroup: "x.y", Kind: "A", Name: "c"}},
				})
			},
			"True ClusterNameTaken: Cluster c exists and was not made of this WorkloadCluster: take another name, or set adoption.policy to Report to see what taking it over would change",
		},
		"a Cluster that cannot be adopted": {
			valid + "adoption: {policy: Adopt}", func(s *stage) {
				s.create(&clusterv1.Cluster{
					ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "c"},
					Spec:       clusterv1.ClusterSpec{Topology: clusterv1.Topology{ClassRef: clusterv1.ClusterClassRef{Name: "x"}, Version: "v1.33.6"}},
				})
			},
			"True UnsupportedCluster: Cluster c is of a ClusterClass, which writes its objects itself",
		},
		"a window that never comes": {
			valid + `maintenance: {windows: [{name: w, schedule: "0 0 31 2 *", durationSeconds: 3600}]}`, nil,
			"True InvalidSpec: maintenance: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := "o-" + strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), "'", "")
			s := newStage(t, strings.ToLower(namespace))
			if test.prepare != nil {
				test.prepare(s)
			}
			s.apply(test.spec)
			s.settle()
			want := strings.ReplaceAll(test.want, "NAMESPACE", s.namespace)
			if got := s.condition("Stalled"); !strings.HasPrefix(got, want) {
				t.Errorf("it says %q, want %q", got, want)
			}
			if ready, want := s.condition("Ready"), "False"+strings.TrimPrefix(s.condition("Stalled"), "True"); ready != want {
				t.Errorf("Ready says %q, want %q", ready, want)
			}
			for _, line := range s.seen() {
				if strings.HasPrefix(line, "AddressClaim") || strings.HasPrefix(line, "Nodepool ") || strings.HasPrefix(line, "Azure") {
					t.Errorf("it has made %s", line)
				}
			}
			s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.DeletionPolicy = fleetwrightv1.DeletionPolicyDelete })
			s.delete()
			s.settle()
			if s.object() != nil {
				t.Errorf("it cannot be deleted: %s", s.message("Deleting"))
			}
			if strings.HasPrefix(name, "somebody's") && !s.clusterThere() {
				t.Error("somebody's Cluster was deleted")
			}
		})
	}
}

// Of two WorkloadClusters that are one cluster in Azure the older one counts; when it has gone, the other one goes on.
func TestOneClusterOfTwoNamespaces(t *testing.T) {
	first, second, third := newStage(t, "twin-b"), newStage(t, "twin-a"), newStage(t, "twin-c")
	first.apply(strings.ReplaceAll(small(aso), "NAMESPACE", "twin"))
	older := first.object().CreationTimestamp
	second.clock.SetTime(older.Time)
	for { // in whole seconds
		second.apply(strings.ReplaceAll(small(aso), "NAMESPACE", "TWIN"))
		if now := second.object(); older.Before(&now.CreationTimestamp) {
			break
		}
		if err := server.Delete(t.Context(), second.object()); err != nil {
			t.Fatal(err)
		}
	}
	third.apply(strings.ReplaceAll(small(aso), "NAMESPACE", "another"))
	first.settle()
	second.settle()
	third.settle()
	if got := second.condition("Stalled"); !strings.HasPrefix(got, "True ClusterNameTaken: WorkloadCluster twin-b/c is the same cluster in Azure, and comes first") {
		t.Errorf("it says %q", got)
	}
	for s, want := range map[*stage]bool{first: true, second: false, third: true} {
		if slices.Contains(s.seen(), "AddressClaim c") != want {
			t.Errorf("in %s there is %q", s.namespace, s.seen())
		}
	}
	first.delete()
	first.settle()
	second.expect("it is the only one", "AddressClaim c", "Ready Unknown AddressesNotReady", "Available False NoNodes", "UpToDate False NotCreated",
		"AddressesReady Unknown NotReported", "InfrastructureReady False WaitingForAddresses", "ControlPlaneReady False WaitingForAddresses",
		"NodepoolsReady False WaitingForAddresses", "RoleAssignmentsReady False WaitingForAddresses", "AutoscalerReady False WaitingForAddresses")
}

// Names that somebody has are left alone, and told; the rest is made.
func TestNamesThatAreTaken(t *testing.T) {
	s := newStage(t, "taken")
	np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: "taken", Name: "c-general"}}
	np.Spec = fleetwrightv1.NodepoolSpec{ClusterName: "x", MachineType: "Standard_D2ds_v5"}
	s.create(np)
	s.apply(small(aso))
	s.settle()
	s.bound(network...)
	s.settle()
	if got := s.condition("Stalled"); got != "True NameTaken: Nodepool c-general: an object of this name exists and is not this WorkloadCluster's: delete it, or set adoption.policy to Adopt to take it over" {
		t.Errorf("it says %q", got)
	}
	if s.get(np, "c-general"); np.Spec.ClusterName != "x" || np.Labels[fleetwrightv1.LabelWorkloadCluster] != "" {
		t.Errorf("it has written %+v", np.Spec)
	}
	if !s.get(&fleetwrightv1.Nodepool{}, "c-system") || !s.clusterThere() {
		t.Errorf("there is %q", s.seen())
	}
	s.delete()
	s.settle()
	s.removed(aso)
	s.expect("somebody's stays", "Nodepool c-general foreign", "it is gone")
}

// What a child is stuck with is told by the WorkloadCluster, in the child's words.
func TestAChildIsStuck(t *testing.T) {
	s := newStage(t, "stuck")
	s.apply(small(aso))
	s.settle()
	s.reports(&fleetwrightv1.AddressClaim{}, "c", "Ready False Exhausted", "Stalled True Exhausted")
	s.settle()
	if got := s.condition("Stalled"); got != "True AddressesExhausted: AddressClaim c: the test says so" {
		t.Errorf("it says %q", got)
	}
	claim := &fleetwrightv1.AddressClaim{}
	s.get(claim, "c")
	claim.Status.Conditions = nil
	s.saved(claim)
	s.bound(network...)
	s.settle()
	s.clusterServes(aso, "v1.33.6")
	s.settle()
	s.poolReady("c-system", "v1.33.6")
	s.reports(&fleetwrightv1.Nodepool{}, "c-general", "Ready False SKUNotAvailable", "Stalled True SKUNotAvailable")
	s.settle()
	if got := s.condition("Stalled"); got != "True SKUNotAvailable: Nodepool c-general: the test says so" {
		t.Errorf("it says %q", got)
	}
}

// A cluster keeps its network: other ranges are not written, and more nodes than the range holds are refused.
func TestTheNetworkStays(t *testing.T) {
	s := newStage(t, "network")
	s.ready(aso)
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Limits.MaxNodes = 300 })
	s.settle()
	if got := s.condition("Stalled"); got != "True InvalidSpec: limits.maxNodes is 300 and the cluster's range of nodes, 10.64.16.0/24, does not hold as many: lower it, or make another WorkloadCluster" {
		t.Errorf("it says %q", got)
	}
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Limits.MaxNodes = 200 })
	s.settle()
	cluster := &clusterv1.Cluster{}
	if s.get(cluster, "c"); cluster.Annotations[fleetwrightv1.AnnotationNodeCap] != "200" {
		t.Errorf("the Cluster has %v", cluster.Annotations)
	}
	// The claim and its records are lost, and others have the old ranges.
	if err := server.Delete(t.Context(), &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "network", Name: "c"}}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	moved := slices.Clone(network)
	moved[0].CIDR, moved[1].CIDR = "10.99.0.0/23", "10.99.0.0/24"
	s.bound(moved...)
	before := s.specs()
	s.settle()
	if got := s.condition("Stalled"); !strings.HasPrefix(got, "True InvalidSpec: a cluster keeps the network that it was made with") || s.specs() != before {
		t.Errorf("it says %q", got)
	}
	s.bound(network...)
	s.settle()
	if got := s.condition("Stalled"); got != "" {
		t.Errorf("it says %q", got)
	}
}

// A Cluster that somebody deletes is made anew when it has gone, and not before.
func TestSomebodyDeletesTheCluster(t *testing.T) {
	s := newStage(t, "deleted")
	s.ready(aso)
	s.finalizer(&clusterv1.Cluster{}, "c", true)
	cluster := &clusterv1.Cluster{}
	s.get(cluster, "c")
	if err := server.Delete(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	before := s.specs()
	s.settle()
	if got := s.condition("Ready"); got != "False Removing: somebody has deleted Cluster c: it is made anew when it is gone" || s.specs() != before {
		t.Errorf("it says %q", got)
	}
	s.finalizer(&clusterv1.Cluster{}, "c", false)
	s.removed(aso)
	s.settle()
	if !s.clusterThere() || s.leaving(&clusterv1.Cluster{}, "c") {
		t.Errorf("there is %q", s.seen())
	}
}

// A cluster that was made without a network of its own gets none later, by another class for instance, and no pool is moved.
func TestNoNetworkComesLater(t *testing.T) {
	for _, flavor := range []string{aso, managed} {
		s := newStage(t, "later-"+strings.ToLower(flavor))
		for _, name := range []string{"v1", "v2"} {
			class := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
			class.Spec.Template = s.template(small(flavor))
			if class.Spec.Template.Azure.ResourceGroup = ""; name == "v1" {
				class.Spec.Template.Network.Addresses = nil
			}
			s.create(class)
		}
		s.apply("classRef: {name: v1}\nazure: {resourceGroup: NAMESPACE}\ndeletionPolicy: Delete")
		s.settle()
		s.clusterServes(flavor, "v1.33.6")
		s.settle()
		s.poolReady("c-system", "v1.33.6")
		s.poolReady("c-general", "v1.33.6")
		s.reports(&fleetwrightv1.AzureClusterAdditionalConfig{}, "c", "RegistriesReady True Ready", "AutoscalerReady True Ready")
		s.expect("it is ready", with(made(flavor)[1:], "Ready True Ready")...)
		before := s.specs()
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.ClassRef.Name = "v2" })
		s.settle()
		if got := s.condition("Stalled"); !strings.HasPrefix(got, "True InvalidSpec: the cluster was made without a network of its own") || s.specs() != before {
			t.Errorf("%s: it says %q and has\n%s", flavor, got, s.specs())
		}
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.ClassRef.Name = "v1" })
		s.expect("the way back", with(made(flavor)[1:], "Ready True Ready")...)
	}
}

// A Cluster of another namespace is the same cluster in Azure as well, whoever made it; and of two WorkloadClusters the one that has a Cluster comes
// first, whatever their age: after a restore all are of one age.
func TestAClusterOfAnotherNamespace(t *testing.T) {
	first, second := newStage(t, "kept-a"), newStage(t, "kept-b")
	spec := strings.ReplaceAll(small(managed), "NAMESPACE", "kept")
	first.apply(spec)
	first.settle()
	first.bound(network...)
	first.settle()
	second.apply(spec)
	second.settle()
	if got := second.condition("Stalled"); !strings.HasPrefix(got, "True ClusterNameTaken: WorkloadCluster kept-a/c is") {
		t.Errorf("it says %q", got)
	}
	for _, s := range []*stage{first, second} {
		w := world{object: s.object()}
		w.merge(t)
		w.state.Found = s == first
		for older, other := range map[bool]*stage{true: second, false: first} { // neither age changes anything
			object := w.object.DeepCopy()
			if older && other != s {
				object.CreationTimestamp.Time = object.CreationTimestamp.Add(time.Hour)
			}
			w.object = object
			rival, err := s.reconciler.readRival(t.Context(), true, &w)
			if err != nil || (rival == "") != (s == first) {
				t.Errorf("%s: its rival is %q, %v", s.namespace, rival, err)
			}
		}
	}
	first.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.DeletionPolicy = fleetwrightv1.DeletionPolicyRetain })
	first.delete()
	first.settle()
	second.settle()
	if got := second.condition("Stalled"); !strings.HasPrefix(got, "True ClusterNameTaken: Cluster kept-a/c is") {
		t.Errorf("beside a retained one it says %q", got)
	}
	third := newStage(t, "kept-c")
	third.apply(small(managed))
	third.settle()
	if got := third.condition("Stalled"); got != "" || !slices.Contains(third.seen(), "AddressClaim c") {
		t.Errorf("in another group it says %q", got)
	}
}
