package roleassignment

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

func TestStoryOfAnAssignment(t *testing.T) {
	object := newAssignment()
	object.Annotations = map[string]string{"theirs": ""}
	s := newStage(t, object)
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	s.want("Assigned", "True", "Assigned", "assigned")
	s.want("Paused", "False", "NotPaused", "")
	s.wantNo("Stalled")
	s.wantNo("PullVerified")
	s.wantWrites("PUT 201")
	a := s.object()
	if a.Status.AssignmentID != s.own() || a.Status.Origin != "Created" || a.Status.PrincipalID != s.kubelet || a.Status.RoleDefinitionID != testRole {
		t.Errorf("status %+v", a.Status)
	}
	// At rest one look asks for the cluster's identity and for the assignment, and writes nothing.
	before := s.reads()
	if _, kept := a.Annotations["theirs"]; !kept {
		t.Errorf("annotations %v", a.Annotations)
	}
	if r := s.look(); r.RequeueAfter != restWithout {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	if n := s.reads() - before; n != 2 {
		t.Errorf("%d reads", n)
	}
	if s.object().ResourceVersion != a.ResourceVersion {
		t.Error("a look that found nothing to do has written")
	}
	// Without its status and its memory it does the same.
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Status = fleetwrightv1.AzureRoleAssignmentStatus{} })
	s.restart()
	s.look()
	s.wantWrites("PUT 201")
	// It goes with the object.
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	if r := s.look(); r.RequeueAfter != soon {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.want("Ready", "False", "Releasing", "role assignment "+s.own()+" is deleted")
	s.want("Deleting", "True", "Releasing", "")
	s.look()
	if s.object() != nil {
		t.Error("the object is still there")
	}
	s.wantWrites("PUT 201", "DELETE 200")
}

// TestDriftIsHealedOnce: somebody deletes the assignment; one GET, one list and one PUT make it again, and it is told.
func TestDriftIsHealedOnce(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	s.clock.SetTime(noon.Add(2 * time.Hour))
	s.deleteBySomebody(s.own())
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	s.wantWrites("PUT 201", "PUT 201")
	history := s.object().Status.DriftHistory
	if len(history) != 1 || history[0].Outcome != "Healed" || strings.Join(history[0].Fields, "") != "missing" || history[0].ChangedBy != ownerID || !history[0].Time.Time.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("history %+v", history)
	}
	if events := s.events(); !strings.Contains(events, "Warning DriftHealed it is missing, changed by "+ownerID+"; it was made again") {
		t.Errorf("events:\n%s", events)
	}
	s.look()
	s.wantWrites("PUT 201", "PUT 201")
}

func (s *stage) events() string {
	var all []string
	for {
		select {
		case e := <-s.recorder.Events:
			all = append(all, e)
		default:
			return strings.Join(all, "\n")
		}
	}
}

// TestWhoDeletesItAgainAndAgain is not fought.
func TestWhoDeletesItAgainAndAgain(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	for range 3 {
		s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
		s.deleteBySomebody(s.own())
		s.look()
	}
	s.want("Stalled", "True", "ContendedByAnotherManager", ownerID+" has written the opposite 3 times since")
	s.want("Ready", "False", "ContendedByAnotherManager", "")
	s.want("Assigned", "False", "ContendedByAnotherManager", "")
	s.wantWrites("PUT 201", "PUT 201", "PUT 201")
	for range 3 {
		s.clock.SetTime(s.clock.Now().Add(time.Hour))
		s.look()
	}
	s.wantWrites("PUT 201", "PUT 201", "PUT 201")
	if n := len(s.object().Status.DriftHistory); n != 3 {
		t.Errorf("%d drifts are told", n)
	}
	// The spec says what to do about it, or somebody makes it again.
	s.assignBy(s.own())
	s.look()
	s.want("Ready", "True", "Ready", "")
	s.wantNo("Stalled")
}

func TestDriftPolicies(t *testing.T) {
	for policy, test := range map[fleetwrightv1.DriftPolicy]struct{ ready, reason, message, outcome string }{
		"Report": {"False", "Drifted", "changed by " + ownerID + "; driftPolicy Report leaves it so", "Reported"},
		"Adopt":  {"True", "Ready", "it is missing; driftPolicy Adopt lives with it", "Adopted"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			a := newAssignment()
			a.Spec.DriftPolicy = policy
			s := newStage(t, a)
			s.look()
			s.want("Ready", "True", "Ready", "assigned") // made whatever the policy
			s.deleteBySomebody(s.own())
			for range 2 {
				s.look()
				s.want("Ready", test.ready, test.reason, test.message)
				s.want("Assigned", "False", "Drifted", "")
			}
			s.wantWrites("PUT 201")
			if h := s.object().Status.DriftHistory; len(h) != 1 || string(h[0].Outcome) != test.outcome {
				t.Errorf("history %+v", h)
			}
			// Wiping status changes no action.
			s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Status = fleetwrightv1.AzureRoleAssignmentStatus{} })
			s.restart()
			s.look()
			s.wantWrites("PUT 201")
		})
	}
}

// TestAnotherHasMadeIt: an equal assignment of another name is adopted, never deleted, and replaced by our own when it goes.
func TestAnotherHasMadeIt(t *testing.T) {
	s := newStage(t, newAssignment())
	s.assignBy(foreignID)
	s.look()
	s.want("Ready", "True", "Ready", "adopted, made by somebody else as "+foreignID)
	if got := s.object().Status; got.Origin != "Adopted" || got.AssignmentID != foreignID {
		t.Errorf("status %+v", got)
	}
	s.wantWrites()
	s.deleteBySomebody(foreignID)
	s.look()
	if got := s.object().Status; got.Origin != "Created" || got.AssignmentID != s.own() || len(got.DriftHistory) != 1 {
		t.Errorf("status %+v", got)
	}
	s.wantWrites("PUT 201")
	// Theirs again: with it, deletion takes nothing away.
	s.deleteBySomebody(s.own())
	s.assignBy(foreignID)
	s.look()
	if got := s.object().Annotations[fleetwrightv1.AnnotationRoleAssignments]; got != s.kubelet+"="+foreignID {
		t.Errorf("written down: %s", got)
	}
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	if s.object() != nil {
		t.Error("the object is still there")
	}
	s.wantWrites("PUT 201")
}

func TestAnotherHasMadeItWhichIsReported(t *testing.T) {
	a := newAssignment()
	a.Spec.ExistingPolicy = fleetwrightv1.ExistingPolicyReport
	s := newStage(t, a)
	s.assignBy(foreignID)
	s.look()
	s.want("Ready", "False", "ExistsElsewhere", "somebody else has made the same assignment, "+foreignID)
	s.want("Assigned", "False", "ExistsElsewhere", "")
	s.deleteBySomebody(foreignID)
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	s.wantWrites("PUT 201")
}

func TestAFreshIdentity(t *testing.T) {
	s := newStage(t, newAssignment())
	s.fault(sim.Fault{Method: "PUT", Path: "/roleAssignments/", Count: -1, ID: "fresh", Effect: sim.Effect{Error: &sim.FaultError{Status: 400, Code: "PrincipalNotFound", Message: "does not exist in the directory"}}})
	if r := s.look(); r.RequeueAfter != 15*time.Second {
		t.Errorf("tries again in %s", r.RequeueAfter)
	}
	s.want("Assigned", "False", "PrincipalNotFound", "(tried for 0s)")
	s.want("Ready", "False", "PrincipalNotFound", "")
	s.wantNo("Stalled")
	s.clock.SetTime(noon.Add(2 * time.Minute))
	s.look()
	s.want("Assigned", "False", "PrincipalNotFound", "(tried for 2m0s), which a fresh identity can take some minutes for")
	s.clock.SetTime(noon.Add(31 * time.Minute))
	if r := s.look(); r.RequeueAfter != 10*time.Minute {
		t.Errorf("tries again in %s", r.RequeueAfter)
	}
	s.want("Stalled", "True", "PrincipalNotFound", "is principal.objectID the id of another kind of object")
	s.fault(sim.Fault{Method: "PUT", Path: "/never/", ID: "fresh", Effect: sim.Effect{LoseReply: true}})
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	s.wantNo("Stalled")
	if len(s.object().Status.DriftHistory) != 0 {
		t.Error("what was never there has drifted")
	}
}

func TestRightsAreNamed(t *testing.T) {
	forbidden := sim.Effect{Error: &sim.FaultError{Status: 403, Code: "AuthorizationFailed", Message: "no"}}
	for name, test := range map[string]struct{ method, path, action, scope, assigned string }{
		"assign":   {"PUT", "/roleAssignments/", "Microsoft.Authorization/roleAssignments/write", testScope, "False"},
		"look":     {"GET", "/roleAssignments", "Microsoft.Authorization/roleAssignments/read", testScope, "Unknown"},
		"the role": {"GET", "/roleDefinitions", "Microsoft.Authorization/roleDefinitions/read", testScope, "Unknown"},
		"identity": {"GET", "/managedClusters/prod", "Microsoft.ContainerService/managedClusters/read", clusterID, "Unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, newAssignment())
			s.fault(sim.Fault{Method: test.method, Path: test.path, Effect: forbidden})
			if r := s.look(); r.RequeueAfter != 10*time.Minute {
				t.Errorf("looks again in %s", r.RequeueAfter)
			}
			s.want("Stalled", "True", "PermissionDenied", "grant it "+test.action+" on "+test.scope)
			s.want("Ready", "False", "PermissionDenied", "grant it "+test.action+" on "+test.scope)
			s.want("Assigned", test.assigned, "PermissionDenied", "")
			s.look()
			s.want("Ready", "True", "Ready", "")
			s.wantNo("Stalled")
		})
	}
}

func TestARoleThatDoesNotExist(t *testing.T) {
	a := newAssignment()
	a.Spec.Role = fleetwrightv1.AzureRole{Name: "Network Wizard"}
	s := newStage(t, a)
	s.look()
	s.want("Stalled", "True", "RoleNotFound", `find role "Network Wizard": no role of that name can be assigned at `+testScope)
	b := newAssignment()
	b.Spec.Role = fleetwrightv1.AzureRole{ID: "7f951dda-4ed3-4680-a7ca-43fe172d538e"}
	s = newStage(t, b)
	s.look()
	s.want("Stalled", "True", "RoleNotFound", "RoleDefinitionDoesNotExist")
}

// TestAReplyThatIsLost: the assignment is there, which the next look finds; it is no drift, and nothing is made twice.
func TestAReplyThatIsLost(t *testing.T) {
	s := newStage(t, newAssignment())
	s.fault(sim.Fault{Method: "PUT", Path: "/roleAssignments/", Effect: sim.Effect{LoseReply: true}})
	if _, err := s.try(); err == nil {
		t.Fatal("the lost reply is not tried again")
	}
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	if writes := s.writes(); len(writes) != 1 {
		t.Errorf("wrote %v", writes)
	}
	if s.object().Annotations[fleetwrightv1.AnnotationRoleAssignments] != s.kubelet+"="+s.own() {
		t.Errorf("annotations %v", s.object().Annotations)
	}
}

func TestHolds(t *testing.T) {
	freeze := func(mode fleetwrightv1.FreezeMode) *fleetwrightv1.Freeze {
		return &fleetwrightv1.Freeze{
			ObjectMeta: metav1.ObjectMeta{Namespace: key1.Namespace, Name: "stop"},
			Spec:       fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll, Reconcile: mode, Reason: "incident"},
		}
	}
	t.Run("everything", func(t *testing.T) {
		s := newStage(t, newAssignment(), freeze(fleetwrightv1.FreezeModePaused))
		s.look()
		s.want("Paused", "True", "Frozen", "Freeze prod-eu/stop (Paused): incident")
		s.want("Assigned", "False", "NotAssigned", "Freeze prod-eu/stop (Paused): incident")
		s.wantWrites()
		s.assignBy(s.own())
		s.look()
		s.want("Ready", "True", "Ready", "assigned")
		if s.object().Annotations[fleetwrightv1.AnnotationRoleAssignments] != "" {
			t.Error("it was written down")
		}
	})
	t.Run("what is disruptive", func(t *testing.T) {
		s := newStage(t, newAssignment(), freeze(fleetwrightv1.FreezeModeNonDisruptive))
		s.look()
		s.want("Paused", "True", "Frozen", "Freeze prod-eu/stop (NonDisruptive): incident; nothing is held back")
		s.want("Ready", "True", "Ready", "assigned")
		if err := s.client.Delete(t.Context(), s.object()); err != nil {
			t.Fatal(err)
		}
		s.look()
		s.want("Deleting", "True", "Frozen", "the assignment stays meanwhile")
		s.wantWrites("PUT 201")
		if err := s.client.Delete(t.Context(), freeze(fleetwrightv1.FreezeModeNonDisruptive)); err != nil {
			t.Fatal(err)
		}
		s.look()
		s.wantWrites("PUT 201", "DELETE 200")
	})
	t.Run("the cluster", func(t *testing.T) {
		s := newStage(t, newAssignment())
		var c clusterv1.Cluster
		if err := s.client.Get(t.Context(), clusterKey(newAssignment()), &c); err != nil {
			t.Fatal(err)
		}
		c.Spec.Paused = new(true)
		if err := s.client.Update(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		s.look()
		s.want("Paused", "True", "ClusterPaused", "Cluster prod is paused")
		s.wantWrites()
	})
}

// TestDeletionWithoutTheCluster: the cluster, and with it the identity, has gone before.
func TestDeletionWithoutTheCluster(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	for _, o := range clusterObjects() {
		if err := s.client.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Status = fleetwrightv1.AzureRoleAssignmentStatus{} })
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.look()
	if s.object() != nil {
		t.Error("the object is still there")
	}
	s.wantWrites("PUT 201", "DELETE 200")
}

func TestDeletionPolicies(t *testing.T) {
	for name, test := range map[string]struct {
		policy fleetwrightv1.DeletionPolicy
		seen   bool
		gone   bool
		writes []string
	}{
		"Retain":        {fleetwrightv1.DeletionPolicyRetain, true, true, []string{"PUT 201"}},
		"Protect":       {fleetwrightv1.DeletionPolicyProtect, true, false, []string{"PUT 201"}},
		"never written": {fleetwrightv1.DeletionPolicyDelete, false, true, []string{"DELETE 200"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAssignment()
			a.Spec.DeletionPolicy = test.policy
			s := newStage(t, a)
			if test.seen {
				s.look()
			} else {
				// The process ended between the PUT and the annotation.
				s.change(func(a *fleetwrightv1.AzureRoleAssignment) {
					a.Finalizers = []string{fleetwrightv1.FinalizerAzureRoleAssignment}
				})
				s.assignBy(s.own())
			}
			if err := s.client.Delete(t.Context(), s.object()); err != nil {
				t.Fatal(err)
			}
			s.look()
			if s.object() != nil {
				s.look()
			}
			if gone := s.object() == nil; gone != test.gone {
				t.Errorf("gone: %t", gone)
			}
			s.wantWrites(test.writes...)
		})
	}
}

// TestTwoObjectsHaveOneAssignment: the first that goes leaves it to the other.
func TestTwoObjectsHaveOneAssignment(t *testing.T) {
	s := newStage(t, newAssignment())
	other := newAssignment()
	other.Name, other.UID = "another", "uid-2"
	other.Annotations = map[string]string{fleetwrightv1.AnnotationRoleAssignments: s.kubelet + "=" + strings.ToUpper(s.own()[:15]) + s.own()[15:]}
	if err := s.client.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	s.look()
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	if s.object() != nil {
		t.Error("the object is still there")
	}
	s.wantWrites("PUT 201")
}

// TestTheIdentityChanges: the new one gets the role, the old one keeps it for the nodes that still have it, and both go with the object.
func TestTheIdentityChanges(t *testing.T) {
	a := newAssignment()
	former := "77777777-7777-7777-7777-777777777777"
	old := roles.IDOf(testScope, roles.Name(testScope, testRole, former))
	a.Annotations = map[string]string{fleetwrightv1.AnnotationRoleAssignments: former + "=" + old}
	a.Spec.DriftPolicy = fleetwrightv1.DriftPolicyReport // it is none: the new one never had it
	s := newStage(t, a)
	now := s.kubelet
	s.kubelet = former
	s.assignBy(old)
	s.kubelet = now
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	if got := s.object().Annotations[fleetwrightv1.AnnotationRoleAssignments]; got != now+"="+s.own()+" "+former+"="+old {
		t.Errorf("written down: %s", got)
	}
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.look()
	s.look()
	if s.object() != nil {
		t.Error("the object is still there")
	}
	s.wantWrites("PUT 201", "DELETE 200", "DELETE 200")
}

func TestWaitingForTheIdentity(t *testing.T) {
	s := newStage(t, newAssignment())
	var c clusterv1.Cluster
	if err := s.client.Get(t.Context(), clusterKey(newAssignment()), &c); err != nil {
		t.Fatal(err)
	}
	c.Status.Initialization.ControlPlaneInitialized = nil
	if err := s.client.Update(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	before := s.reads()
	if r := s.look(); r.RequeueAfter != 30*time.Second {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.want("Assigned", "False", "WaitingForIdentity", "Cluster prod is not up yet, so its Kubelet identity is not known")
	if n := s.reads() - before; n != 0 {
		t.Errorf("asked Azure %d times", n)
	}
	for _, o := range clusterObjects() {
		if err := s.client.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	s.look()
	s.want("Assigned", "False", "WaitingForIdentity", "there is no Cluster prod in namespace prod-eu")
}

func TestAPrincipalWithoutACluster(t *testing.T) {
	a := newAssignment()
	a.Spec.ClusterName, a.Spec.Principal = "", fleetwrightv1.AzurePrincipal{ObjectID: strings.ToUpper(testPrincipal), Type: fleetwrightv1.PrincipalTypeGroup}
	s := newStage(t, a)
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	if got := s.object().Status; got.AssignmentID != ours().ID || got.PrincipalID != testPrincipal {
		t.Errorf("status %+v", got)
	}
	found, err := s.connect().Assignment(t.Context(), ours().ID)
	if err != nil || found.PrincipalType != "Group" {
		t.Errorf("made %+v: %v", found, err)
	}
}

// TestTheClusterSaysWhoAsks: its control plane names the identity, until the whole cluster is gone.
func TestTheClusterSaysWhoAsks(t *testing.T) {
	a := newAssignment()
	a.Spec.Principal = fleetwrightv1.AzurePrincipal{ObjectID: testPrincipal}
	s := newStage(t, a)
	plane := clusterObjects()[1]
	if err := s.client.Delete(t.Context(), plane); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.want("Assigned", "False", "WaitingForIdentity", "the control plane of Cluster prod, which names the identity by which Azure is asked, is not there")
	s.wantWrites()
	if err := s.client.Create(t.Context(), clusterObjects()[1]); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	// A cluster of another cloud is only held by its pause.
	b := newAssignment()
	b.Spec.Principal = fleetwrightv1.AzurePrincipal{ObjectID: testPrincipal}
	s = newStage(t, b)
	var c clusterv1.Cluster
	if err := s.client.Get(t.Context(), clusterKey(b), &c); err != nil {
		t.Fatal(err)
	}
	c.Spec.InfrastructureRef.Kind = "OtherCluster"
	if err := s.client.Update(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
}

func pulling() *fleetwrightv1.AzureRoleAssignment {
	a := newAssignment()
	a.Spec.PullCheck = fleetwrightv1.PullCheck{Image: "probe/pause:3.10"}
	return a
}

func (s *stage) addNode() {
	s.t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "aks-n1", Labels: map[string]string{"kubernetes.io/os": "linux"}}}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if _, err := s.pods.CoreV1().Nodes().Create(s.t.Context(), node, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func TestAPullIsProven(t *testing.T) {
	s := newStage(t, pulling())
	if r := s.look(); r.RequeueAfter != noNodePause {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.want("Assigned", "True", "Assigned", "")
	s.want("PullVerified", "False", "NoNode", "no Linux node")
	s.want("Ready", "False", "NoNode", "assigned; no Linux node")
	s.addNode()
	s.look()
	s.want("PullVerified", "Unknown", "Pulling", "node aks-n1 is to pull shared.azurecr.io/probe/pause:3.10")
	// The role has no effect yet.
	settings := s.azure.Settings()
	settings.Durations.RolePropagation = metav1.Duration{Duration: time.Hour}
	s.azure.SetSettings(settings)
	s.pull()
	s.look()
	s.want("PullVerified", "False", "Unauthorized", "node aks-n1 cannot pull shared.azurecr.io/probe/pause:3.10: ErrImagePull: ")
	s.want("Ready", "False", "Unauthorized", "")
	settings.Durations.RolePropagation = metav1.Duration{}
	s.azure.SetSettings(settings)
	s.pull()
	s.look()
	s.want("PullVerified", "True", "Pulled", "node aks-n1 has pulled")
	s.want("Ready", "True", "Ready", "assigned; node aks-n1 has pulled")
	if s.pull() {
		t.Error("the pod is still there")
	}
	// It holds for a day, whatever is left of the status.
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Status = fleetwrightv1.AzureRoleAssignmentStatus{} })
	s.restart()
	s.look()
	s.want("PullVerified", "True", "Pulled", "at 2026-11-26T12:00:00Z")
	if s.pull() {
		t.Error("a proof was made again")
	}
	s.clock.SetTime(noon.Add(24 * time.Hour))
	s.restart() // with a token that has not expired
	s.look()
	s.want("PullVerified", "True", "Pulled", "it is proven again")
	if !s.pull() {
		t.Error("no proof is made after a day")
	}
	s.look()
	s.want("PullVerified", "True", "Pulled", "node aks-n1 has pulled")
	if got := s.object().Annotations; got[fleetwrightv1.AnnotationPullStarted] != "" || !strings.HasPrefix(got[fleetwrightv1.AnnotationPullProven], "2026-11-27T12:00:00Z ") {
		t.Errorf("annotations %v", got)
	}
}

func TestAPullOfNothing(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	settings := s.azure.Settings()
	settings.MissingImages = []string{"shared.azurecr.io/probe/pause"}
	s.azure.SetSettings(settings)
	s.look()
	s.pull()
	s.look()
	s.want("PullVerified", "False", "ImageNotFound", "not found")
	// Another image, another pod.
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Spec.PullCheck.Image = "probe/other:1" })
	s.look()
	s.look()
	s.pull()
	s.look()
	s.want("PullVerified", "True", "Pulled", "shared.azurecr.io/probe/other:1")
}

func TestNobodyAsksForTheProofAnyMore(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	s.look()
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Spec.PullCheck = fleetwrightv1.PullCheck{} })
	s.look()
	s.wantNo("PullVerified")
	s.want("Ready", "True", "Ready", "assigned")
	if s.pull() || s.object().Annotations[fleetwrightv1.AnnotationPullStarted] != "" {
		t.Error("something is left of it")
	}
}

func TestThePodGoesWithTheObject(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	s.look()
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.look()
	if s.object() != nil || s.pull() {
		t.Error("something is left")
	}
}

func TestAClusterThatDoesNotAnswer(t *testing.T) {
	s := newStage(t, pulling())
	s.unreachable = errors.New("no route to host")
	s.look()
	s.want("Assigned", "True", "Assigned", "")
	s.want("PullVerified", "Unknown", "ConnectionDown", "no route to host")
	s.want("Ready", "False", "ConnectionDown", "")
}

// TestARegistryThatMayNotBeRead has the host name that nearly all have.
func TestARegistryThatMayNotBeRead(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	s.fault(sim.Fault{Method: http.MethodGet, Path: "/registries/shared$", Count: -1, Effect: sim.Effect{Error: &sim.FaultError{Status: 403, Code: "AuthorizationFailed", Message: "no"}}})
	s.look()
	s.want("PullVerified", "Unknown", "Pulling", "node aks-n1 is to pull shared.azurecr.io/probe/pause:3.10")
}

// freezes makes a Freeze while Azure is being asked.
type freezes struct {
	roles.Azure
	make func()
}

func (f freezes) Assignments(ctx context.Context, scope, principal string) ([]roles.Assignment, error) {
	f.make()
	return f.Azure.Assignments(ctx, scope, principal)
}

// TestAFreezeMadeMeanwhile stops what was decided before it.
func TestAFreezeMadeMeanwhile(t *testing.T) {
	s := newStage(t, newAssignment())
	s.reconciler.Azures = everybody{freezes{s.connect(), func() {
		f := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: key1.Namespace, Name: "stop"}, Spec: fleetwrightv1.FreezeSpec{
			Scope: fleetwrightv1.FreezeScopeAll, Reconcile: fleetwrightv1.FreezeModePaused, Reason: "now",
		}}
		if err := client.IgnoreAlreadyExists(s.client.Create(t.Context(), f)); err != nil {
			t.Fatal(err)
		}
	}}}
	if r := s.look(); r.RequeueAfter != soon {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.wantWrites()
	s.look()
	s.want("Paused", "True", "Frozen", "now")
	s.wantWrites()
}

// TestAzureThatCannotAnswer takes nothing back of what was known.
func TestAzureThatCannotAnswer(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	before := s.object()
	s.fault(sim.Fault{Method: http.MethodGet, Path: "/roleAssignments/", Effect: sim.Effect{Error: &sim.FaultError{Status: 503, Code: "ServerBusy", Message: "later"}}})
	if r, err := s.try(); err == nil {
		t.Errorf("it is not tried again: %+v", r)
	}
	s.fault(sim.Fault{Method: http.MethodGet, Path: "/roleAssignments/", Effect: sim.Effect{Error: &sim.FaultError{Status: 429, Code: "TooManyRequests", Message: "slow down", RetryAfterSeconds: 40}}})
	if r := s.look(); r.RequeueAfter != 40*time.Second {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	if s.object().ResourceVersion != before.ResourceVersion {
		t.Errorf("reported %+v", s.object().Status)
	}
	s.wantWrites("PUT 201")
}
