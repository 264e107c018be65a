package workloadcluster

import (
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Whoever asks in the way of kstatus, as Flux and Argo CD do, hears what condition Ready says.
func TestKstatusAgrees(t *testing.T) {
	s := newStage(t, "kstatus")
	hears := func(what string, want kstatus.Status) {
		t.Helper()
		fields, err := plain(s.object())
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: fields}
		u.SetGroupVersionKind(fleetwrightv1.GroupVersion.WithKind("WorkloadCluster"))
		got, err := kstatus.Compute(u)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != want {
			t.Errorf("%s: kstatus says %s: %s", what, got.Status, got.Message)
		}
	}
	s.apply(small(managed))
	s.settle()
	hears("while addresses are bound", kstatus.InProgressStatus)
	s.bound(network...)
	s.settle()
	hears("while everything is made", kstatus.InProgressStatus)
	s.clusterServes(managed, "v1.33.6")
	s.settle()
	s.poolReady("c-system", "v1.33.6")
	s.poolReady("c-general", "v1.33.6")
	s.configReady()
	s.settle()
	hears("when it is ready", kstatus.CurrentStatus)
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Version = "v1.34.2" })
	hears("before we looked", kstatus.InProgressStatus)
	s.settle()
	hears("during an upgrade", kstatus.InProgressStatus)
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Version = "v1.30.0" })
	s.settle()
	hears("when a person has to act", kstatus.FailedStatus)
	s.delete()
	s.finalizer(&fleetwrightv1.Nodepool{}, "c-system", true)
	s.settle()
	hears("when it leaves", kstatus.TerminatingStatus)
}
