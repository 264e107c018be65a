package roleassignment

import (
	"net/http"
	"testing"
	"time"

	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

func TestAFreshIdentity(t *testing.T) {
	s := newStage(t, newAssignment())
	s.azure.Fault(sim.Fault{Method: "PUT", Path: "/roleAssignments/", Count: -1, ID: "fresh", Effect: sim.Effect{Error: &sim.FaultError{Status: 400, Code: "PrincipalNotFound", Message: "does not exist in the directory"}}})
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
	s.azure.Fault(sim.Fault{Method: "PUT", Path: "/never/", ID: "fresh", Effect: sim.Effect{LoseReply: true}})
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	s.wantNo("Stalled")
	if len(s.object().Status.DriftHistory) != 0 {
		t.Error("what was never there has drifted")
	}
}

// TestTheWaitForTheClusterDoesNotCount: an identity is as fresh as the cluster, however long it took to come up.
func TestTheWaitForTheClusterDoesNotCount(t *testing.T) {
	s := newStage(t, newAssignment())
	up := func(is bool) {
		var c clusterv1.Cluster
		if err := s.client.Get(t.Context(), clusterKey(newAssignment()), &c); err != nil {
			t.Fatal(err)
		}
		c.Status.Initialization.ControlPlaneInitialized = new(is)
		if err := s.client.Update(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	up(false)
	s.look()
	s.want("Assigned", "False", "WaitingForIdentity", "")
	s.clock.SetTime(noon.Add(45 * time.Minute))
	up(true)
	fresh := sim.Effect{Error: &sim.FaultError{Status: 400, Code: "PrincipalNotFound", Message: "does not exist in the directory"}}
	s.azure.Fault(sim.Fault{Method: "PUT", Path: "/roleAssignments/", Count: -1, Effect: fresh})
	for _, want := range []string{"(tried for 0s)", "(tried for 15s)"} {
		if r := s.look(); r.RequeueAfter != 15*time.Second {
			t.Errorf("tries again in %s", r.RequeueAfter)
		}
		s.want("Assigned", "False", "PrincipalNotFound", want)
		s.wantNo("Stalled")
		s.clock.SetTime(s.clock.Now().Add(15 * time.Second))
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
			s.azure.Fault(sim.Fault{Method: test.method, Path: test.path, Effect: forbidden})
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
	s.azure.Fault(sim.Fault{Method: "PUT", Path: "/roleAssignments/", Effect: sim.Effect{LoseReply: true}})
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

// TestAzureThatCannotAnswer takes nothing back of what was known.
func TestAzureThatCannotAnswer(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	before := s.object()
	s.azure.Fault(sim.Fault{Method: http.MethodGet, Path: "/roleAssignments/", Effect: sim.Effect{Error: &sim.FaultError{Status: 503, Code: "ServerBusy", Message: "later"}}})
	if r, err := s.try(); err == nil {
		t.Errorf("it is not tried again: %+v", r)
	}
	s.azure.Fault(sim.Fault{Method: http.MethodGet, Path: "/roleAssignments/", Effect: sim.Effect{Error: &sim.FaultError{Status: 429, Code: "TooManyRequests", Message: "slow down", RetryAfterSeconds: 40}}})
	if r := s.look(); r.RequeueAfter != 40*time.Second {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	if s.object().ResourceVersion != before.ResourceVersion {
		t.Errorf("reported %+v", s.object().Status)
	}
	s.wantWrites("PUT 201")
}
