package workloadcluster

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A WorkloadCluster goes in order: config, Cluster and Nodepools at once, then the addresses.
func TestDeletion(t *testing.T) {
	s := newStage(t, "deletion")
	s.ready(aso)
	for _, o := range []client.Object{&fleetwrightv1.Nodepool{}, &fleetwrightv1.Nodepool{}, &fleetwrightv1.AzureClusterAdditionalConfig{}, &fleetwrightv1.AddressClaim{}, &clusterv1.Cluster{}} {
		name := "c"
		if _, is := o.(*fleetwrightv1.Nodepool); is {
			name = "c-system"
		}
		s.finalizer(o, name, true)
	}
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.DeletionPolicy = "" })
	s.delete()
	s.expect("it is protected, because nothing else was said", with(made(aso), "Ready False DeletionProtected", "UpToDate False DeletionProtected", "Deleting True DeletionProtected")...)
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.DeletionPolicy = fleetwrightv1.DeletionPolicyDelete })
	left := []string{
		"AddressClaim c", "AzureASOManagedCluster c", "AzureASOManagedControlPlane c", "Cluster c leaving", "Nodepool c-system leaving", "AzureClusterAdditionalConfig c leaving",
	}
	s.expect("all but the addresses go at once", with(left, "Ready False DeletingCluster", "UpToDate False DeletingCluster",
		"NodepoolsReady False Removing", "RoleAssignmentsReady Unknown NotReported", "AutoscalerReady Unknown NotReported", "Deleting True DeletingCluster")...)
	if m := s.message("Deleting"); !strings.Contains(m, "Nodepool c-system") || !strings.Contains(m, "AzureClusterAdditionalConfig c") {
		t.Errorf("it says %s", m)
	}
	s.finalizer(&fleetwrightv1.Nodepool{}, "c-system", false)
	s.finalizer(&fleetwrightv1.AzureClusterAdditionalConfig{}, "c", false)
	s.settle()
	if s.get(&fleetwrightv1.AddressClaim{}, "c"); s.leaving(&fleetwrightv1.AddressClaim{}, "c") {
		t.Error("the addresses are given back while the cluster has them")
	}
	s.finalizer(&clusterv1.Cluster{}, "c", false)
	s.removed(aso)
	s.expect("the cluster is gone", "AddressClaim c leaving", "Ready False ReleasingAddresses", "Available False NoNodes", "UpToDate False NotCreated",
		"AddressesReady Unknown NotReported", "InfrastructureReady False Removing", "ControlPlaneReady False Removing", "NodepoolsReady False Removing",
		"Deleting True ReleasingAddresses")
	s.finalizer(&fleetwrightv1.AddressClaim{}, "c", false)
	s.expect("the end", "it is gone")
}

func (s *stage) leaving(o client.Object, name string) bool {
	s.t.Helper()
	return s.get(o, name) && o.GetDeletionTimestamp() != nil
}

// removed plays Cluster API, which takes CAPZ's objects away with the Cluster.
func (s *stage) removed(flavor string) {
	s.t.Helper()
	for _, what := range []string{"Cluster", "ControlPlane"} {
		o := infra(flavor, what)
		if s.get(o, "c") {
			if err := server.Delete(s.t.Context(), o); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// With Retain everything stays and is nobody's; a later WorkloadCluster takes it over.
func TestRetain(t *testing.T) {
	for _, flavor := range []string{aso, managed} {
		s := newStage(t, "retain-"+strings.ToLower(flavor))
		s.ready(flavor)
		specs := s.specs()
		retained := strings.ReplaceAll(specs, `"deletionPolicy":"Delete"`, `"deletionPolicy":"Retain"`)
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.DeletionPolicy = fleetwrightv1.DeletionPolicyRetain })
		s.delete()
		var foreign []string
		for _, line := range made(flavor) {
			foreign = append(foreign, line+" foreign")
		}
		s.expect("all serves on", with(foreign, "it is gone")...)
		if now := s.specs(); now != retained || now == specs {
			t.Errorf("what was let go of has changed from\n%s\nto\n%s", specs, now)
		}

		s.apply(small(flavor))
		s.expect("another one does not take it over unasked", with(foreign,
			"Ready False ClusterNameTaken", "Available False NoNodes", "UpToDate False NotCreated", "AddressesReady False NameTaken",
			"NodepoolsReady False NameTaken", "RoleAssignmentsReady False NameTaken", "AutoscalerReady False NameTaken", "Stalled True ClusterNameTaken")...)
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Adoption.Policy = fleetwrightv1.AdoptionPolicyReport })
		s.settle()
		if m := s.message("Adopted"); m != "nothing would change" {
			t.Errorf("it reports: %s", m)
		}
		if seen := s.seen(); !slices.Equal(seen[:len(foreign)], foreign) {
			t.Errorf("a report has written: %q", seen)
		}
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Adoption.Policy = fleetwrightv1.AdoptionPolicyAdopt })
		s.settle()
		s.poolReady("c-system", "v1.33.6")
		s.poolReady("c-general", "v1.33.6")
		s.configReady()
		s.expect("it is adopted", with(made(flavor), "Ready True Ready", "Adopted True Adopted")...)
		if now := s.specs(); now != specs {
			t.Errorf("the adoption has changed\n%s\nto\n%s", specs, now)
		}
	}
}

// specs are the specs of everything but the WorkloadCluster.
func (s *stage) specs() string {
	s.t.Helper()
	var out []string
	s.each(func(kind string, o client.Object) {
		if kind == "WorkloadCluster" {
			return
		}
		fields, err := plain(o)
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, kind+" "+o.GetName()+" "+jsonOf(s.t, fields["spec"]))
	})
	return strings.Join(out, "\n")
}

// A pause writes nothing but itself into what was made; when it ends, everything goes on.
func TestPause(t *testing.T) {
	s := newStage(t, "pause")
	s.ready(aso)
	s.change(func(w *fleetwrightv1.WorkloadCluster) {
		w.Spec.Reconcile = fleetwrightv1.ReconcileModePaused
		w.Spec.Nodepools[1].Spec.MachineType = "Standard_D8ds_v5"
	})
	s.settle()
	for _, name := range []string{"c-system", "c-general"} {
		np := &fleetwrightv1.Nodepool{}
		if s.get(np, name); np.Spec.Reconcile != "Paused" || np.Spec.MachineType == "Standard_D8ds_v5" {
			t.Errorf("Nodepool %s is %s with %s", name, np.Spec.Reconcile, np.Spec.MachineType)
		}
		s.poolReady(name, "v1.33.6")
	}
	s.configReady()
	s.bound(network...)
	s.expect("what it says is about that", with(made(aso), "Ready False HeldBack", "UpToDate Unknown NotReported", "Paused True Paused")...)
	s.delete()
	s.expect("nothing is deleted", with(made(aso), "Ready False Paused", "UpToDate False Paused", "Paused True Paused", "Deleting True Paused")...)
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Reconcile = fleetwrightv1.ReconcileModeActive })
	s.settle()
	s.removed(aso)
	s.expect("then it goes", "it is gone")
}

// Under a Freeze of mode NonDisruptive what is added is made, and nothing is taken away; one of mode Paused stops it all, also what is deleted.
func TestFreeze(t *testing.T) {
	s := newStage(t, "freeze")
	s.ready(aso)
	freeze := &fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: "freeze", Name: "f"}, Spec: fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "NonDisruptive", Reason: "x"},
	}
	s.create(freeze)
	s.change(func(w *fleetwrightv1.WorkloadCluster) {
		w.Spec.Version = "v1.34.2"
		w.Spec.Nodepools[1].Name = "other"
	})
	s.settle()
	if !s.get(&fleetwrightv1.Nodepool{}, "c-other") || !s.get(&fleetwrightv1.Nodepool{}, "c-general") || s.leaving(&fleetwrightv1.Nodepool{}, "c-general") {
		t.Error("a pool was not added, or one was taken away")
	}
	plane := infra(aso, "ControlPlane")
	if s.get(plane, "c"); textAt(plane, "spec", "version") != "v1.33.6" {
		t.Error("the control plane is upgraded during a Freeze")
	}
	s.poolReady("c-other", "v1.33.6")
	s.expect("it says so", with([]string{
		"AddressClaim c", "AzureASOManagedCluster c", "AzureASOManagedControlPlane c", "Cluster c", "Nodepool c-general", "Nodepool c-other", "Nodepool c-system",
		"AzureClusterAdditionalConfig c",
	}, "Ready False HeldBack", "UpToDate False HeldBack", "Paused True Frozen")...)
	s.delete()
	s.expect("nothing is deleted", with([]string{
		"AddressClaim c", "AzureASOManagedCluster c", "AzureASOManagedControlPlane c", "Cluster c", "Nodepool c-general", "Nodepool c-other", "Nodepool c-system",
		"AzureClusterAdditionalConfig c",
	}, "Ready False Frozen", "UpToDate False Frozen", "Paused True Frozen", "Deleting True Frozen")...)
	if err := server.Delete(t.Context(), freeze); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.removed(aso)
	s.expect("then it goes", "it is gone")
}

// The control plane goes first, then the pools one by one.
func TestUpgrade(t *testing.T) {
	for _, flavor := range []string{aso, managed} {
		s := newStage(t, "upgrade-"+strings.ToLower(flavor))
		s.ready(flavor)
		versions := func(what string, want ...string) {
			t.Helper()
			s.settle()
			plane := infra(flavor, "ControlPlane")
			s.get(plane, "c")
			got := []string{textAt(plane, "spec", "version")}
			for _, name := range []string{"c-system", "c-general"} {
				np := &fleetwrightv1.Nodepool{}
				s.get(np, name)
				got = append(got, np.Spec.Version)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %q, want %q: %s", what, got, want, s.message("UpToDate"))
			}
		}
		versions("before", "v1.33.6", "v1.33.6", "v1.33.6")
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Version = "v1.34.2" })
		versions("the control plane goes first", "v1.34.2", "v1.33.6", "v1.33.6")
		s.expect("which is told", with(made(flavor), "Ready False ControlPlaneNotReady", "UpToDate False ControlPlaneUpgrading", "ControlPlaneReady False Provisioning")...)
		s.controlPlaneRuns(flavor, "v1.34.2")
		versions("then the System pool", "v1.34.2", "v1.34.2", "v1.33.6")
		s.expect("which is told", with(made(flavor), "Ready Unknown NodepoolsNotReady", "UpToDate False NodepoolsUpgrading", "NodepoolsReady Unknown NotReported")...)
		s.poolReady("c-system", "v1.34.2")
		versions("then the others", "v1.34.2", "v1.34.2", "v1.34.2")
		s.poolReady("c-general", "v1.34.2")
		s.expect("all is well again", with(made(flavor), "Ready True Ready")...)
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Version = "v1.33.6" })
		s.expect("there is no way back", with(made(flavor), "Ready False DowngradeNotPossible", "UpToDate False DowngradeNotPossible", "Stalled True DowngradeNotPossible")...)
		versions("nothing moves", "v1.34.2", "v1.34.2", "v1.34.2")
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Version = "v1.36.0" })
		s.expect("nor two steps at once", with(made(flavor), "Ready False VersionTooFar", "UpToDate False VersionTooFar", "Stalled True VersionTooFar")...)
	}
}

// A pool that is taken out of the spec is removed, and tells until when.
func TestAPoolIsTakenOut(t *testing.T) {
	s := newStage(t, "pool-out")
	s.ready(aso)
	s.finalizer(&fleetwrightv1.Nodepool{}, "c-general", true)
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Nodepools = w.Spec.Nodepools[:1] })
	lines := made(aso)
	lines[4] += " leaving"
	s.expect("it is being removed", with(lines, "Ready False Removing")...)
	s.finalizer(&fleetwrightv1.Nodepool{}, "c-general", false)
	s.expect("it is gone", with(slices.Delete(made(aso), 4, 5), "Ready True Ready")...)
}

// Deleting all status changes no action, and brings the same times back.
func TestWipedStatus(t *testing.T) {
	s := newStage(t, "wiped")
	s.ready(aso)
	before, versions := s.object().Status, s.specs()
	object := s.object()
	object.Status = fleetwrightv1.WorkloadClusterStatus{}
	s.saved(object)
	s.expect("nothing happens", with(made(aso), "Ready True Ready")...)
	after := s.object().Status
	if s.specs() != versions {
		t.Error("specs have changed")
	}
	for i := range before.Steps {
		if before.Steps[i].Name != after.Steps[i].Name || !before.Steps[i].FinishedTime.Equal(&after.Steps[i].FinishedTime) {
			t.Errorf("step %s ended %s and %s", before.Steps[i].Name, before.Steps[i].FinishedTime, after.Steps[i].FinishedTime)
		}
	}
	if after.ReadyTime != before.ReadyTime {
		t.Errorf("ready at %s and %s", before.ReadyTime, after.ReadyTime)
	}
}
