package replacement

import (
	"reflect"
	"slices"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// check holds the invariants against the plan about to be acted on and the
// world as it truly is.
func (s *story) check(plan Plan) {
	s.t.Helper()
	bad := func(format string, args ...any) {
		s.t.Helper()
		s.t.Errorf(format+"\nplan: %s\n%s", append(args, plan, s.log.String())...)
	}
	if again := s.next(); !reflect.DeepEqual(plan, again) {
		bad("the same World gave another plan: %s", again)
	}
	if plan.Reason == "" || plan.Message == "" || plan.Verdict == "" {
		bad("a plan without verdict, reason or message")
	}
	if len(plan.Message) > maxMessage {
		bad("message of %d bytes", len(plan.Message))
	}
	if h := s.w.Nodepool.Hold; h.Reason != "" && plan.Action.Kind != None {
		look := newLook(s.w, s.now)
		if !h.NonDisruptive || look.disrupts(plan.Action) {
			bad("I15: %s in spite of %s", plan.Action.Kind, h.Reason)
		}
	}
	s.checkWrites(plan, bad)
	s.checkPools(plan, bad)
}

func (s *story) checkWrites(plan Plan, bad func(string, ...any)) {
	a := plan.Action
	inService := s.w.Cluster.Found && !s.w.Cluster.Deleting && s.w.Cluster.Provisioned
	switch a.Kind {
	case CreatePool, UpdatePool, DeletePool, HoldScaling, ResizePool, DeleteMachines, AdoptPool:
		if op := s.operation(); op != "" && inService {
			bad("I12: %s while Azure is %s", a.Kind, op)
		}
	}
	switch a.Kind {
	case CreatePool:
		if s.pool(a.Object) != nil {
			bad("I10: creates %s, which exists", a.Object)
		}
		for _, n := range s.w.Others {
			if n.Name == a.Pool {
				bad("I10: takes the name of pool %s, which is somebody else's", n.Name)
			}
		}
	case EvictPods:
		p := s.pool(a.Object)
		elsewhere := 0
		for _, n := range a.Nodes {
			if !n.Quarantined {
				elsewhere += s.pods[n.Name]
			}
		}
		if elsewhere == 0 {
			bad("evicts from %s, of which nothing is left but on nodes that were given up", p.Name)
		}
		for _, n := range a.Nodes {
			if !n.Cordoned {
				bad("I11: evicts from %s while node %s takes pods", p.Name, n.Name)
			}
		}
		if plan.Strategy != "StagedShift" && len(a.Nodes) != len(p.Nodes) {
			bad("I11: evicts from %d of %d nodes of %s", len(a.Nodes), len(p.Nodes), p.Name)
		}
		s.checkNewBeforeOld(plan, bad)
	case DeleteMachines:
		for _, n := range a.Nodes {
			if !n.Cordoned || s.pods[n.Name] > 0 {
				bad("I3: takes node %s (cordoned %t) with %d pods", n.Name, n.Cordoned, s.pods[n.Name])
			}
		}
	case CordonNodes:
		s.checkNewBeforeOld(plan, bad)
		shifts := plan.Strategy == "StagedShift"
		leave := []PodsOf{{Object: a.Object, Nodes: []string{}}}
		for _, n := range s.pool(a.Object).Nodes {
			if !n.Quarantined && (!shifts || slices.Contains(namesOf(a.Nodes), n.Name)) {
				leave[0].Nodes = append(leave[0].Nodes, n.Name)
			}
		}
		if begins := s.pool(a.Object).DrainStarted.IsZero() || shifts; begins && min(s.unfit, s.podsOf(leave)) > 0 && !s.w.Nodepool.Deleting && !s.w.Nodepool.SkipFitCheck {
			bad("I4: closes nodes of %s although %d pods have no place", a.Pool, s.unfit)
		}
		s.checkSystemPoolLeft(*s.pool(a.Object), bad)
	case DeletePool:
		s.checkDeletion(*s.pool(a.Object), inService, bad)
	case RemoveFinalizer:
		if len(s.w.Pools) > 0 {
			bad("I16: lets go with %d pools left", len(s.w.Pools))
		}
	}
}

// checkNewBeforeOld is I4: when the first old node is closed, or the first pod
// evicted, the new pool has as many ready nodes as promised, for as long as
// promised.
func (s *story) checkNewBeforeOld(plan Plan, bad func(string, ...any)) {
	staged := plan.Strategy == "StagedShift"
	if plan.Wanted == "" || len(plan.Outgoing) == 0 || s.proven[plan.Wanted] && !(staged && plan.Action.Kind == CordonNodes) {
		return
	}
	s.proven[plan.Wanted] = true
	green := s.pool(plan.Wanted)
	need := 1
	if r := s.w.Nodepool.Spec.Replicas; r != nil {
		need = int(*r)
	}
	ready := 0
	for _, n := range green.Nodes {
		if n.Cordoned && !n.CordonedByUs {
			need-- // a person's own, which we do not open
		}
		if n.Ready && !n.Cordoned && s.now.Sub(n.ReadySince) >= s.w.Nodepool.MinReady && n.Version == green.Spec.Version {
			ready++
		}
	}
	closed := 0
	for _, p := range s.w.Pools {
		// Old nodes whose turn has not come serve on.
		for _, n := range p.Nodes {
			if !staged || p.Object == green.Object || n.Cordoned || !n.Ready {
				continue
			}
			if slices.ContainsFunc(plan.Action.Nodes, func(c Node) bool { return c.UID == n.UID }) {
				closed++
				continue
			}
			ready++
		}
	}
	if staged {
		need = min(need, ready+closed) // more than there were come when there is room
	}
	if ready < need {
		bad("I4: begins to drain with %d of %d nodes ready", ready, need)
	}
}

// checkDeletion is I1, I3 and I13.
func (s *story) checkDeletion(p Pool, inService bool, bad func(string, ...any)) {
	if p.IdentityConflict != "" {
		bad("I2: deletes %s during an identity conflict", p.Name)
	}
	if !inService {
		if !s.w.Cluster.Deleting && p.Members > 0 {
			bad("I3: deletes %s, which has %d machines, of a cluster that is not being deleted", p.Name, p.Members)
		}
		return
	}
	if s.w.Cluster.Unreachable != "" {
		bad("I8: deletes %s without seeing its nodes", p.Name)
	}
	for _, n := range p.Nodes {
		if !n.Cordoned || s.pods[n.Name] > 0 {
			bad("I3: deletes %s while node %s (cordoned %t) runs %d pods", p.Name, n.Name, n.Cordoned, s.pods[n.Name])
		}
	}
	s.checkSystemPoolLeft(p, bad)
}

// checkSystemPoolLeft is I13, also for a cordon: a System pool that nobody can
// replace is not closed either.
func (s *story) checkSystemPoolLeft(p Pool, bad func(string, ...any)) {
	if p.Spec.Mode != "System" {
		return
	}
	for _, o := range s.w.Pools {
		if o.Object != p.Object && o.Spec.Mode == "System" && !o.Deleting && o.ReadyNodes() > 0 {
			return
		}
	}
	for _, n := range s.w.Others {
		if n.Mode == "System" && !n.Deleting && n.ReadyNodes > 0 {
			return
		}
	}
	bad("I13: takes the last System pool %s out of service", p.Name)
}

func (s *story) checkPools(_ Plan, bad func(string, ...any)) {
	if len(s.w.Pools) > 3 {
		bad("I10: %d pools", len(s.w.Pools))
	}
	nodes := 0
	for _, p := range s.w.Pools {
		nodes += max(len(p.Nodes), p.Members)
	}
	if most := s.w.Cluster.NodeCap; most > 0 && nodes > most && !s.chaos {
		bad("%d nodes, and the cluster may have %d", nodes, most)
	}
	for object, n := range s.created {
		if n > 1 {
			bad("I10: pool %s was created %d times", object, n)
		}
	}
}

func (s *story) operation() string {
	if s.w.Cluster.Operation != "" {
		return s.w.Cluster.Operation + " the control plane"
	}
	for _, p := range s.w.Pools {
		if p.Operation != "" || p.Deleting && p.Failure == "" {
			return "at pool " + p.Name
		}
	}
	for _, n := range s.w.Others {
		if n.Operation != "" || n.Deleting && n.Failure == "" {
			return "at pool " + n.Name
		}
	}
	return ""
}

// checkEnd is I14 and L1: one pool, and it is what the newest spec asks for.
func (s *story) checkEnd(plan Plan) {
	s.t.Helper()
	if plan.Verdict != Done {
		s.t.Errorf("L1: ends with %s\n%s", plan, s.log.String())
		return
	}
	if len(s.w.Pools) != 1 || len(agentpool.Changes(s.w.Nodepool.Spec, s.w.Pools[0].Spec)) > 0 {
		s.t.Errorf("I14: ends with %d pools, changes %v\n%s", len(s.w.Pools), plan.Changes, s.log.String())
	}
	if s.pending > 0 {
		s.t.Errorf("ends with %d pods without a node\n%s", s.pending, s.log.String())
	}
}
