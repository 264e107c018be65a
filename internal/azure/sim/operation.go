package sim

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
)

// Statuses of an operation, as ARM reports them.
const (
	statusInProgress = "InProgress"
	statusSucceeded  = "Succeeded"
	statusFailed     = "Failed"
	statusCanceled   = "Canceled"
)

type opKind string

// Kinds of operations.
const (
	opClusterCreate  opKind = "clusterCreate"
	opClusterUpdate  opKind = "clusterUpdate"
	opClusterUpgrade opKind = "clusterUpgrade"
	opClusterDelete  opKind = "clusterDelete"
	opPoolCreate     opKind = "poolCreate"
	opPoolUpdate     opKind = "poolUpdate"
	opPoolUpgrade    opKind = "poolUpgrade"
	opPoolDelete     opKind = "poolDelete"
	opMachineDelete  opKind = "machineDelete"
	opGroupDelete    opKind = "groupDelete"
	opNetworkWrite   opKind = "networkWrite"
	opNetworkDelete  opKind = "networkDelete"
)

// operation is one long-running operation. It advances in equal steps at times that follow from its start, so that a
// restart finds out by looking at the clock which steps are due.
type operation struct {
	ID     string    `json:"id"`
	Kind   opKind    `json:"kind"`
	Target string    `json:"target"`
	Region string    `json:"region"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end,omitzero"`
	// Every is the time between steps; Steps their number; Done how many are taken.
	Every  time.Duration `json:"every"`
	Steps  int           `json:"steps"`
	Done   int           `json:"done"`
	Status string        `json:"status"`
	Error  *armerr.Error `json:"error,omitempty"`
	// Pools are the keys of the pools that change with the operation.
	Pools []string `json:"pools,omitempty"`
	// Old are the instances that an upgrade has still to replace.
	Old []int `json:"old,omitempty"`
	// Machines are the instances that are taken away.
	Machines []int `json:"machines,omitempty"`
	// Activity is who started it with what, for the activity log; nil for nobody.
	Activity *activity `json:"activity,omitempty"`
	// Stuck operations take no step until they are released.
	Stuck bool `json:"stuck,omitempty"`
	// FailWith ends the operation half-way, in place of the step that fails says.
	FailWith *armerr.Error `json:"failWith,omitempty"`
	// NeverBoot is how many of the machines created by it never register; negative means all.
	NeverBoot int `json:"neverBoot,omitempty"`
}

func (o *operation) running() bool { return o.Status == statusInProgress }

// due is when the next step is to be taken.
func (o *operation) due() time.Time { return o.Start.Add(time.Duration(o.Done+1) * o.Every) }

// fails tells whether the next step is the one at which a scripted failure strikes: the first one past the middle. The
// deletion of a cluster or group fails before its first step, because nothing brings back what that takes away: what is
// left has to work, and has to be deletable again.
func (o *operation) fails() bool {
	if o.Kind == opClusterDelete || o.Kind == opGroupDelete {
		return o.FailWith != nil
	}
	return o.FailWith != nil && o.Done >= o.Steps/2
}

// begin starts an operation of total length and takes the steps that are due at once.
func (c *cloud) begin(target *resource, kind opKind, total time.Duration, steps int) *operation {
	o := &operation{
		ID: uuid.NewString(), Kind: kind, Target: target.key(), Region: target.location(),
		Start: c.clock.Now(), Every: total / time.Duration(steps), Steps: steps, Status: statusInProgress,
	}
	c.state.Operations[o.ID] = o
	c.forgetOldOperations()
	return o
}

// keepOperations is how many ended operations can still be asked for.
const keepOperations = 1000

func (c *cloud) forgetOldOperations() {
	if len(c.state.Operations) <= 2*keepOperations {
		return
	}
	ended := slices.SortedFunc(maps.Values(c.state.Operations), func(a, b *operation) int { return a.End.Compare(b.End) })
	for _, o := range ended[:len(ended)-keepOperations] {
		if !o.running() {
			delete(c.state.Operations, o.ID)
		}
	}
}

// runningOn finds the operations that run on a resource or on its direct children.
func (c *cloud) runningOn(key string) []*operation {
	return c.operations(func(o *operation) bool {
		return o.running() && (o.Target == key || strings.HasPrefix(o.Target, key+"/"))
	})
}

// operations are those operations that keep wants, oldest first.
func (c *cloud) operations(keep func(*operation) bool) []*operation {
	var out []*operation
	for _, o := range c.state.Operations {
		if keep(o) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *operation) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
	})
	return out
}

func (c *cloud) step(o *operation) {
	target := c.state.Resources[o.Target]
	if target == nil {
		c.endWithoutTarget(o)
		return
	}
	if o.fails() {
		o.Error = o.FailWith
		c.finish(o, statusFailed)
		return
	}
	o.Done++
	c.effect(o, target)
	if o.Done == o.Steps {
		c.finish(o, statusSucceeded)
	}
}

// endWithoutTarget ends an operation whose resource has gone with its group, cluster or network: what was to be deleted is.
func (c *cloud) endWithoutTarget(o *operation) {
	switch o.Kind {
	case opClusterDelete, opPoolDelete, opGroupDelete, opNetworkDelete:
		c.end(o, statusSucceeded)
	default:
		c.end(o, statusCanceled)
	}
}

// effect is what one step does to the resources; steps are counted from 1.
func (c *cloud) effect(o *operation, target *resource) {
	last := o.Done == o.Steps
	switch o.Kind {
	case opClusterCreate, opClusterUpdate, opPoolCreate, opPoolUpdate:
		if o.Done == 1 {
			c.eachPool(o, func(p *resource) { c.applyPool(o, p) })
		}
	case opPoolUpgrade:
		c.rollPool(o, target)
	case opMachineDelete:
		if o.Done == 1 {
			c.removeMachines(o, target)
		}
	case opPoolDelete:
		c.removeInstances(target, 0)
		if last {
			delete(c.state.Resources, o.Target)
		}
	case opClusterDelete:
		c.removeCluster(target, last)
	case opGroupDelete:
		c.removeGroup(target, last)
	case opNetworkDelete:
		c.removeTree(o.Target)
	case opClusterUpgrade, opNetworkWrite: // all of their effect is in finish
	}
}

// finish sets the provisioning state of everything the operation was about, and ends it.
func (c *cloud) finish(o *operation, status string) {
	if target := c.state.Resources[o.Target]; target != nil {
		c.setState(target, status)
		if o.Kind == opClusterUpgrade && status == statusSucceeded {
			target.properties()["currentKubernetesVersion"] = c.resolved(target)
		}
		c.wakeWorld(target)
	}
	c.eachPool(o, func(p *resource) { c.setState(p, status) })
	c.end(o, status)
}

func (c *cloud) end(o *operation, status string) {
	o.Status, o.End = status, c.clock.Now()
	c.recordEnd(o, status)
	c.log.V(1).Info("Operation ended", "kind", o.Kind, "target", o.Target, "status", status)
}

// preempt ends the operations on a resource and its children without any further effect, because it is deleted. What they
// were about is Canceled, should the deletion fail. Deletions that have their end by its own go on.
func (c *cloud) preempt(r *resource) {
	for _, o := range c.runningOn(r.key()) {
		if o.Kind == opClusterDelete || o.Kind == opNetworkDelete {
			continue
		}
		o.Error = armerr.Conflict("OperationPreempted", "The operation was preempted by a more recent operation.")
		c.finish(o, statusCanceled)
	}
}

func (c *cloud) eachPool(o *operation, do func(*resource)) {
	for _, key := range o.Pools {
		if p := c.state.Resources[key]; p != nil {
			do(p)
		}
	}
}

func (c *cloud) setState(r *resource, provisioningState string) {
	r.properties()["provisioningState"] = provisioningState
	c.state.touch(r)
}
