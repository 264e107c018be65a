package roleassignment

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
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
	// At rest one look asks for the assignment, and writes nothing.
	before := s.reads()
	if _, kept := a.Annotations["theirs"]; !kept {
		t.Errorf("annotations %v", a.Annotations)
	}
	if r := s.look(); r.RequeueAfter != restWithout {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	if n := s.reads() - before; n != 1 {
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

// TestTheFormerIdentityIsBack: its assignment is the one that sweeps watch again.
func TestTheFormerIdentityIsBack(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	other := "77777777-7777-7777-7777-777777777777"
	mine, theirs := s.kubelet+"="+s.own(), other+"="+roles.IDOf(testScope, roles.Name(testScope, testRole, other))
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) {
		a.Annotations[fleetwrightv1.AnnotationRoleAssignments] = theirs + " " + mine
	})
	s.look()
	if got := s.object().Annotations[fleetwrightv1.AnnotationRoleAssignments]; got != mine+" "+theirs {
		t.Errorf("written down: %s", got)
	}
	s.wantWrites("PUT 201")
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
	found, err := s.azure.Connect(s.clock).Assignment(t.Context(), ours().ID)
	if err != nil || found.PrincipalType != "Group" {
		t.Errorf("made %+v: %v", found, err)
	}
}

// meanwhile does something while Azure is being asked.
type meanwhile struct {
	roles.Azure
	do func()
}

func (m meanwhile) Assignments(ctx context.Context, scope, principal string) ([]roles.Assignment, error) {
	m.do()
	return m.Azure.Assignments(ctx, scope, principal)
}

// TestAClusterPausedMeanwhile stops what was decided before it, whatever the cache says.
func TestAClusterPausedMeanwhile(t *testing.T) {
	s := newStage(t, newAssignment())
	s.reconciler.Azures = everybody{meanwhile{s.azure.Connect(s.clock), func() {
		var c clusterv1.Cluster
		if err := s.client.Get(t.Context(), clusterKey(newAssignment()), &c); err != nil {
			t.Fatal(err)
		}
		c.Spec.Paused = new(true)
		if err := s.client.Update(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}}}
	if r := s.look(); r.RequeueAfter != soon {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.wantWrites()
	s.look()
	s.want("Paused", "True", "ClusterPaused", "")
	s.wantWrites()
}

// TestAFreezeMadeMeanwhile stops what was decided before it.
func TestAFreezeMadeMeanwhile(t *testing.T) {
	s := newStage(t, newAssignment())
	s.reconciler.Azures = everybody{meanwhile{s.azure.Connect(s.clock), func() {
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
