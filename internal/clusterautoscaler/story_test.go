package clusterautoscaler

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

const leastWaste = "profile: {expander: least-waste, scaleDownUnneededSeconds: 300, daemonsetEvictionForEmptyNodes: Enabled}"

func eachFlavor(t *testing.T, story func(t *testing.T, kind string)) {
	t.Helper()
	for _, kind := range []string{managedKind, asoKind} {
		t.Run(kind, func(t *testing.T) { story(t, kind) })
	}
}

// serve has the cluster made and the profile in force.
func (s *stage) serve() {
	s.t.Helper()
	s.makeCluster("clusterctl")
	s.says("False Unconfirmed")
	s.capz()
	s.sync()
	s.says("True Applied")
	s.says("True Applied")
	s.writes = 0
}

func TestFromNothingToGivenUp(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.says("False WaitingForCluster: there is no Cluster c in namespace")
		s.makeCluster("clusterctl")
		s.says("False Unconfirmed: written to " + kind + " c: ")
		s.says("False WaitingForCluster: written to " + kind + " c; the cluster is being made")
		s.capz()
		s.says("False WaitingForCluster")
		s.sync()
		s.says("True Applied: Azure has every setting as declared")
		if s.object.Status.WrittenThrough != fleetwrightv1.AutoscalerWriter(kind) || s.object.Status.Observed.Expander != "least-waste" || *s.object.Status.Observed.ScaleDownUnneededSeconds != 300 || s.object.Status.Observed.ScanIntervalSeconds != 10 {
			t.Errorf("status %+v", s.object.Status)
		}
		s.writes = 0
		for range 3 {
			s.says("True Applied")
		}
		if s.writes > 0 {
			t.Errorf("%d writes for nothing", s.writes)
		}

		s.change("profile: {expander: priority, daemonsetEvictionForEmptyNodes: Enabled}")
		s.says("False Unconfirmed: written to " + kind + ` c: expander is "least-waste", declared is "priority"`)
		s.says("False Unconfirmed: written to " + kind + " c; Azure does not show it yet")
		s.capz()
		s.sync()
		s.says("True Applied")
		if got := s.azure.all()["scale-down-unneeded-time"]; got != "10m" {
			t.Errorf("a setting that was taken out is %s", got)
		}
		if s.azure.gets+s.azure.puts > 0 {
			t.Errorf("Azure was asked %d times and written %d times, although CAPZ has the cluster", s.azure.gets, s.azure.puts)
		}

		s.delete()
		s.says("gone")
		s.capz()
		s.sync()
		if diff := cmp.Diff("random false", s.azure.all()["expander"]+" "+s.azure.all()["daemonset-eviction-for-empty-nodes"]); diff != "" {
			t.Errorf("given up (-want +got):\n%s", diff)
		}
	})
}

// Killed after each thing that it does and before it says so, and started anew, it comes to the same end with as many writes.
func TestKilledAtEachStep(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.makeCluster("clusterctl")
		killed := func() {
			t.Helper()
			s.cut = true
			if _, err := s.reconcile(); err == nil && s.refresh() {
				t.Fatal("it was not killed")
			}
			s.cut = false
			s.reconciler = s.process()
		}
		killed()
		killed()
		s.capz()
		s.sync()
		killed()
		killed()
		s.says("True Applied")
		want := map[string]int{managedKind: 2, asoKind: 1}[kind]
		if s.writes != want {
			t.Errorf("%d writes to CAPZ's object, want %d", s.writes, want)
		}
		s.delete()
		killed()
		s.says("gone")
	})
}

func TestWipingStatusChangesNothing(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.serve()
		s.refresh()
		s.object.Status = fleetwrightv1.AzureClusterAutoscalerStatus{}
		if err := server.Status().Update(t.Context(), s.object); err != nil {
			t.Fatal(err)
		}
		s.says("True Applied")
		if s.writes > 0 {
			t.Errorf("%d writes", s.writes)
		}
	})
}

func TestAFreezeHoldsAndLetsGo(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		freeze := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: "incident"}}
		freeze.Spec = fleetwrightv1.FreezeSpec{Scope: "Selected", ClusterSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"ring": "canary"}}, Reconcile: "Paused", Reason: "INC-1"}
		s.create(freeze)
		s.makeCluster("clusterctl")
		s.says("False NotApplied: Freeze " + s.key.Namespace + "/incident (Paused): INC-1")
		if c := meta.FindStatusCondition(s.object.Status.Conditions, "Paused"); c.Status != metav1.ConditionTrue || c.Reason != "Frozen" {
			t.Errorf("%+v", c)
		}
		if err := server.Delete(t.Context(), freeze); err != nil {
			t.Fatal(err)
		}
		s.says("False Unconfirmed")
		s.change(leastWaste + "\nreconcile: Paused")
		s.says("False WaitingForCluster")
		s.delete()
		s.says("True Paused: the AzureClusterAutoscaler says reconcile: Paused")
		s.change(leastWaste + "\nreconcile: NonDisruptive")
		s.says("gone")
	})
}

// What is asked for while Azure takes its time to answer counts.
func TestAskedToStopInTheMeantime(t *testing.T) {
	for name, stop := range map[string]func(*stage){
		"a Freeze": func(s *stage) {
			freeze := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: "incident"}}
			freeze.Spec = fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "INC-1"}
			s.create(freeze)
		},
		"a pause": func(s *stage) { s.change(byARM + "\nreconcile: Paused") },
		"another spec": func(s *stage) {
			s.change("profile: {expander: priority}\nmanagedClusterID: " + idOfStage)
		},
		"a deletion":                 func(s *stage) { s.delete() },
		"a Cluster that is paused":   func(s *stage) { s.makeCluster("clusterctl"); s.pauseCluster() },
		"a Cluster of Cluster API's": func(s *stage) { s.makeCluster("clusterctl") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, managedKind, byARM)
			s.azure.during = func() { s.azure.during = nil; stop(s) }
			again, err := s.reconcile()
			if err != nil || again != soon || s.azure.puts > 0 {
				t.Errorf("%d PUTs, look again in %s, %v", s.azure.puts, again, err)
			}
		})
	}
}

// pauseCluster is what clusterctl does before it moves a cluster.
func (s *stage) pauseCluster() {
	s.t.Helper()
	var cluster clusterv1.Cluster
	if err := server.Get(s.t.Context(), s.key, &cluster); err != nil {
		s.t.Fatal(err)
	}
	cluster.Spec.Paused = new(true)
	if err := server.Update(s.t.Context(), &cluster); err != nil {
		s.t.Fatal(err)
	}
}

// A Cluster that is paused while Azure is asked about it stops what was decided before.
func TestAClusterPausedInTheMeantime(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.serve()
		s.azure.values = autoscalerprofile.Values{"expander": "priority", "scale-down-unneeded-time": "5m", "daemonset-eviction-for-empty-nodes": "true"}
		s.reconciler.suspects.add(s.key)
		s.azure.during = func() { s.azure.during = nil; s.pauseCluster() }
		again, err := s.reconcile()
		if err != nil || again != soon || s.azure.gets != 1 || s.azure.puts+s.writes > 0 {
			t.Errorf("%d GETs, %d PUTs, %d writes, look again in %s, %v", s.azure.gets, s.azure.puts, s.writes, again, err)
		}
		s.says("False NotApplied: Cluster c is paused")
	})
}

func TestAnotherManagerIsNamed(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.makeCluster("clusterctl")
		s.edit("terraform", "expander", "most-pods")
		s.says("False ContendedByAnotherManager: terraform sets expander")
		if s.stalled() != "ContendedByAnotherManager" || s.writes > 0 {
			t.Errorf("stalled %q after %d writes", s.stalled(), s.writes)
		}
		select {
		case event := <-s.recorder.Events:
			if !strings.HasPrefix(event, "Warning ContendedByAnotherManager") {
				t.Errorf("event %q", event)
			}
		default:
			t.Error("no event")
		}
		s.change("profile: {expander: most-pods, daemonsetEvictionForEmptyNodes: Enabled}")
		s.says("False Unconfirmed")
		if s.stalled() != "" {
			t.Errorf("still stalled: %s", s.stalled())
		}
	})
}

// told are the events since the last time.
func (s *stage) told() []string {
	var out []string
	for {
		select {
		case e := <-s.recorder.Events:
			out = append(out, e)
		default:
			return out
		}
	}
}

// A change behind CAPZ's back is seen by a sweep, confirmed by one GET, and healed by one PUT of what CAPZ's object says.
func TestDriftBehindCAPZ(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.serve()
		s.azure.values = autoscalerprofile.Values{"expander": "priority", "scale-down-unneeded-time": "5m", "daemonset-eviction-for-empty-nodes": "true"}
		s.azure.by = "ops@shop.example"
		s.says("True Applied")
		s.reconciler.suspects.add(s.key)
		s.says(`False Unconfirmed: written to Azure: expander is "priority", declared is "least-waste", changed by ops@shop.example`)
		if s.azure.gets != 1 || s.azure.puts != 1 || s.writes > 0 || s.outcomes() != "Healed expander" || s.stalled() != "" {
			t.Errorf("%d GETs, %d PUTs, %d writes, %q, stalled %q", s.azure.gets, s.azure.puts, s.writes, s.outcomes(), s.stalled())
		}
		s.says("True Applied")
		gets := s.azure.gets
		s.says("True Applied")
		if s.azure.gets != gets || s.azure.puts != 1 {
			t.Error("Azure is asked although nobody suspects anything")
		}
		for _, outcome := range []string{"Report", "Adopt"} {
			s.change(leastWaste + "\ndriftPolicy: " + outcome)
			s.says("True Applied")
			s.azure.values = autoscalerprofile.Values{"expander": "priority", "scale-down-unneeded-time": "5m", "daemonset-eviction-for-empty-nodes": "true"}
			s.reconciler.suspects.add(s.key)
			puts := s.azure.puts
			s.told()
			s.says(map[string]string{"Report": "False Drifted", "Adopt": "True DriftAdopted"}[outcome])
			s.says(map[string]string{"Report": "False Drifted", "Adopt": "True DriftAdopted"}[outcome])
			if told := s.told(); len(told) != 1 || !strings.HasPrefix(told[0], "Warning Drifted ") {
				t.Errorf("%s: events %q", outcome, told)
			}
			s.sync()
			s.says("True Applied")
			if s.azure.puts != puts {
				t.Errorf("written to Azure although the policy is %s", outcome)
			}
		}
		if s.outcomes() != "Healed expander, Reported expander, Adopted expander" {
			t.Errorf("drifts: %s", s.outcomes())
		}
	})
}

// What the operator may not heal in Azure is left to Azure Service Operator, and is no fight however often it is tried.
func TestDriftBehindCAPZWithoutTheRight(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.serve()
		s.says("True Applied")
		s.azure.values = autoscalerprofile.Values{"expander": "priority", "scale-down-unneeded-time": "5m", "daemonset-eviction-for-empty-nodes": "true"}
		s.azure.err = &refusal.Error{Kind: refusal.Denied, Doing: "write", Action: "a/write", Scope: "/s"}
		s.reconciler.suspects.add(s.key)
		for range 4 {
			s.clock.SetTime(s.clock.Now().Add(personPause))
			s.says(`False Drifted: expander is "priority", declared is "least-waste"`)
			if s.stalled() != "" || s.outcomes() != "Reported expander" {
				t.Fatalf("stalled %q, drifts %q", s.stalled(), s.outcomes())
			}
		}
		s.azure.err = nil
		s.says("False Unconfirmed: written to Azure")
		s.says("True Applied")
	})
}

// Azure that does not answer keeps nothing up where CAPZ has the cluster.
func TestAzureThatDoesNotAnswer(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.serve()
		s.azure.getErr = &refusal.Error{Kind: refusal.Passing, Doing: "read", Code: "ServerBusy"}
		s.reconciler.suspects.add(s.key)
		s.says("True Applied")
		if again, err := s.reconcile(); err != nil || again != personPause {
			t.Errorf("look again in %s, %v", again, err)
		}
		s.change("profile: {expander: priority}")
		s.says("False Unconfirmed: written to " + kind)
		s.azure.getErr = nil
		s.capz()
		s.sync()
		s.says("True Applied")
		if s.reconciler.suspects.has(s.key) {
			t.Error("it is suspected for ever")
		}
	})
}

// Without Azure Service Operator's object Azure itself is asked.
func TestNobodyTellsWhatAzureHas(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.serve()
		u := s.empty("ManagedCluster")
		u.SetNamespace(s.key.Namespace)
		u.SetName("c")
		if err := server.Delete(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		if kind == asoKind { // what tells the cluster's id is gone as well
			s.says("Unknown NotReadable: written to " + kind + " c; the id of the AKS cluster is not known yet")
			return
		}
		s.says("True Applied")
		s.azure.none = true
		s.says("Unknown NotReadable: written to " + kind + " c; no object of Azure Service Operator tells what Azure has")
		s.azure.none, s.azure.getErr = false, &refusal.Error{Kind: refusal.Denied, Doing: "read", Action: "a/read", Scope: "/s"}
		s.says("Unknown NotReadable: written to " + kind + " c; what Azure has cannot be read: read: the operator's identity may not; grant it a/read on /s")
	})
}

func TestRetainedSettingsStay(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste+"\ndeletionPolicy: Protect")
		s.serve()
		s.delete()
		s.says("True DeletionProtected: ")
		s.change(leastWaste + "\ndeletionPolicy: Retain")
		before := s.declared()
		s.says("gone")
		if diff := cmp.Diff(before, s.declared()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhatCannotBe(t *testing.T) {
	t.Run("no Cluster for long", func(t *testing.T) {
		s := newStage(t, managedKind, leastWaste)
		s.says("False WaitingForCluster")
		s.clock.SetTime(s.clock.Now().Add(11 * time.Minute))
		s.says("False ClusterNotFound: there is no Cluster c in namespace " + s.key.Namespace + ": make it, or set managedClusterID")
		if s.stalled() != "ClusterNotFound" {
			t.Errorf("stalled %q", s.stalled())
		}
		s.delete()
		s.says("gone")
	})
	t.Run("a Cluster of Cluster API, and an id", func(t *testing.T) {
		s := newStage(t, managedKind, leastWaste+"\nmanagedClusterID: "+idOfStage)
		s.makeCluster("clusterctl")
		s.says("False InvalidSpec: Cluster c of Cluster API exists")
	})
	t.Run("a Cluster without a control plane", func(t *testing.T) {
		s := newStage(t, managedKind, leastWaste)
		s.create(&clusterv1.Cluster{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: "c"},
			Spec:       clusterv1.ClusterSpec{Topology: clusterv1.Topology{ClassRef: clusterv1.ClusterClassRef{Name: "aks"}, Version: "v1.34.2"}},
		})
		s.says("False WaitingForCluster: Cluster c names no control plane yet")
	})
	t.Run("another provider", func(t *testing.T) {
		s := newStage(t, "AWSManagedControlPlane", leastWaste)
		s.kind = managedKind
		s.makeCluster("clusterctl")
		s.retype("AWSManagedControlPlane")
		s.says("False InvalidSpec: the control plane of Cluster c is none of CAPZ's for AKS")
	})
	eachFlavor(t, func(t *testing.T, kind string) {
		owner := newStage(t, kind, leastWaste)
		owner.serve()
		s := newStage(t, kind, leastWaste+"\nmanagedClusterID: "+owner.id())
		s.says("False ContendedByAnotherManager: " + kind + " " + owner.key.Namespace + "/c has this AKS cluster")
		if s.azure.gets > 0 {
			t.Error("Azure was asked")
		}
	})
}

// retype makes the Cluster one of another provider.
func (s *stage) retype(kind string) {
	s.t.Helper()
	u := s.empty("Cluster")
	u.SetAPIVersion("cluster.x-k8s.io/v1beta2")
	u.SetNamespace(s.key.Namespace)
	u.SetName("c")
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"controlPlaneRef":{"kind":"`+kind+`"}}}`))
	if err := server.Patch(s.t.Context(), u, patch); err != nil {
		s.t.Fatal(err)
	}
}

// idOfStage stands for the id of a stage's cluster.
const idOfStage = "<id>"

const byARM = leastWaste + "\nmanagedClusterID: " + idOfStage

func TestAClusterThatOnlyAzureHas(t *testing.T) {
	s := newStage(t, managedKind, byARM)
	s.azure.busy = "pool blue is Creating"
	s.says("False WaitingForSlot: pool blue is Creating, and Azure takes one operation at a time")
	s.azure.busy = ""
	s.azure.err = &refusal.Error{Kind: refusal.Busy, Doing: "write", Message: "in progress"}
	s.says("False WaitingForSlot: write: ")
	s.azure.err = nil
	s.says("False Unconfirmed: written to Azure: ")
	s.azure.busy = "the cluster is Updating"
	s.says("False Unconfirmed: written to Azure; the cluster is Updating")
	s.azure.busy = ""
	s.says("True Applied")
	if s.object.Status.WrittenThrough != "ARM" || s.azure.puts != 1 {
		t.Errorf("through %s by %d PUTs", s.object.Status.WrittenThrough, s.azure.puts)
	}
	// A setting that is taken out is left as it is.
	s.change("profile: {expander: least-waste}\nmanagedClusterID: " + idOfStage)
	s.says("True Applied")
	if s.azure.puts != 1 || s.azure.values["scale-down-unneeded-time"] != "5m" {
		t.Errorf("%d PUTs, %v", s.azure.puts, s.azure.values)
	}
	s.azure.values["scan-interval"] = "30s"
	s.delete()
	s.azure.busy = "pool blue is Updating"
	s.says("True WaitingForSlot: pool blue is Updating")
	s.azure.busy = ""
	s.says("gone")
	want := autoscalerprofile.Values{"scale-down-unneeded-time": "5m", "scan-interval": "30s", "daemonset-eviction-for-empty-nodes": "true"}
	if diff := cmp.Diff(want, s.azure.values); diff != "" || s.azure.puts != 2 {
		t.Errorf("%d PUTs (-want +got):\n%s", s.azure.puts, diff)
	}
}

// Each drift is healed by one PUT, until the third opposite write within an hour.
func TestDriftIsHealedUntilItIsAFight(t *testing.T) {
	s := newStage(t, managedKind, byARM)
	s.says("False Unconfirmed")
	s.says("True Applied")
	drifts := func() {
		s.azure.values["expander"], s.azure.by = "most-pods", "terraform"
		s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
	}
	for round := range 2 {
		drifts()
		s.says(`False Unconfirmed: written to Azure: expander is "most-pods", declared is "least-waste", changed by terraform`)
		s.says("True Applied")
		if s.azure.puts != round+2 {
			t.Errorf("%d PUTs after %d drifts", s.azure.puts, round+1)
		}
	}
	if s.outcomes() != "Healed expander, Healed expander" || s.object.Status.DriftHistory[0].ChangedBy != "terraform" {
		t.Errorf("drifts: %+v", s.object.Status.DriftHistory)
	}
	drifts()
	s.says("False ContendedByAnotherManager: terraform has written the opposite 3 times")
	s.says("False ContendedByAnotherManager")
	if s.azure.puts != 3 || s.stalled() != "ContendedByAnotherManager" || s.outcomes() != "Healed expander, Healed expander, Reported expander" {
		t.Errorf("%d PUTs, stalled %q, %s", s.azure.puts, s.stalled(), s.outcomes())
	}
	s.change(byARM + "\ndriftPolicy: Report")
	s.says("False Drifted")
	s.change(byARM + "\ndriftPolicy: Adopt")
	s.says("True DriftAdopted")
	if s.azure.puts != 3 {
		t.Errorf("%d PUTs", s.azure.puts)
	}
	// Another spec is no drift.
	s.change("profile: {expander: priority}\nmanagedClusterID: " + idOfStage + "\ndriftPolicy: Report")
	s.says("False Unconfirmed")
	s.says("True Applied")
}

// Somebody who writes the opposite before we have looked again is counted as well.
func TestAFightWithoutARest(t *testing.T) {
	s := newStage(t, managedKind, byARM)
	s.says("False Unconfirmed")
	s.says("True Applied")
	for _, want := range []string{"False Unconfirmed", "False Unconfirmed", "False ContendedByAnotherManager"} {
		s.azure.values["expander"], s.azure.by = "most-pods", "terraform"
		s.says(want)
	}
}

// A drift that waits for its turn is told of when it is healed.
func TestDriftWaitsForItsTurn(t *testing.T) {
	s := newStage(t, managedKind, byARM)
	s.says("False Unconfirmed")
	s.says("True Applied")
	s.azure.values["expander"], s.azure.busy = "most-pods", "pool blue is Updating"
	s.says("False WaitingForSlot")
	if s.outcomes() != "" {
		t.Errorf("drifts: %s", s.outcomes())
	}
	s.azure.busy = ""
	s.says("False Unconfirmed")
	if s.outcomes() != "Healed expander" {
		t.Errorf("drifts: %s", s.outcomes())
	}
}

// A setting that an edit of CAPZ's object lost is written again; that Azure follows later is no other drift.
func TestASettingLostInCAPZsObject(t *testing.T) {
	eachFlavor(t, func(t *testing.T, kind string) {
		s := newStage(t, kind, leastWaste)
		s.serve()
		changed, fighter := "", "somebody else"
		if kind == asoKind { // the list that is left has an owner
			changed, fighter = ", changed by kubectl-client-side-apply", "kubectl-client-side-apply"
		}
		for range 2 {
			s.lose()
			s.capz()
			s.sync()
			s.says("False Unconfirmed: written to " + kind + ` c: daemonsetEvictionForEmptyNodes is not set, declared is "true"` + changed)
			s.capz()
			s.says("False Unconfirmed: written to " + kind + " c; Azure does not show it yet")
			s.sync()
			s.says("True Applied")
		}
		const lost = "Healed daemonsetEvictionForEmptyNodes"
		if s.outcomes() != lost+", "+lost {
			t.Errorf("drifts: %s", s.outcomes())
		}
		s.lose()
		s.says("False ContendedByAnotherManager: " + fighter)
		s.change(leastWaste + "\ndriftPolicy: Report")
		s.says("False Drifted")
	})
}

func TestWhatAzureAnswers(t *testing.T) {
	refused := func(kind refusal.Kind) error {
		return &refusal.Error{Kind: kind, Doing: "read", Code: "C", Message: "M", Action: "a/write", Scope: "/s"}
	}
	for name, tc := range map[string]struct {
		set     func(*memoryAzure)
		want    string
		stalled string
	}{
		"nobody to be":        {func(m *memoryAzure) { m.none = true }, "False NoCredentials: the operator has no identity in Azure", "NoCredentials"},
		"no right to read":    {func(m *memoryAzure) { m.getErr = refused(refusal.Denied) }, "False PermissionDenied: read: the operator's identity may not; grant it a/write on /s", "PermissionDenied"},
		"no right to write":   {func(m *memoryAzure) { m.err = refused(refusal.Denied) }, "False PermissionDenied", "PermissionDenied"},
		"no such cluster":     {func(m *memoryAzure) { m.getErr = refused(refusal.Gone) }, "False WaitingForCluster", ""},
		"refused for good":    {func(m *memoryAzure) { m.err = refused(refusal.Final) }, "False AzureRefused: read: C: M", "AzureRefused"},
		"let alone for a bit": {func(m *memoryAzure) { m.getErr = &refusal.Error{Kind: refusal.Passing, RetryAfter: time.Minute} }, "False NotReadable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, managedKind, byARM)
			tc.set(s.azure)
			s.says(tc.want)
			if s.stalled() != tc.stalled || s.azure.puts > 0 {
				t.Errorf("stalled %q after %d PUTs", s.stalled(), s.azure.puts)
			}
			again, err := s.reconcile()
			if err != nil || again <= 0 || again > personPause {
				t.Errorf("look again in %s, %v", again, err)
			}
		})
	}
	t.Run("ailing", func(t *testing.T) {
		s := newStage(t, managedKind, byARM)
		s.azure.getErr = refused(refusal.Passing)
		if _, err := s.reconcile(); !refusal.Is(err, refusal.Passing) {
			t.Errorf("%v", err)
		}
	})
}
