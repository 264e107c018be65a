package replacement

import (
	"fmt"
	"time"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// Plan is what happens next: exactly one action, one reason, one message and a
// time to look again. The same words go to the condition, the event, the log
// and the command line.
type Plan struct {
	// Verdict sorts the plan for conditions: done, moving, waiting, stuck.
	Verdict Verdict
	// Step is the word people read; Reason a constant of the API package.
	Step, Reason string
	Message      string
	Action       Action
	// CheckAgain is when to look again although nothing was heard; zero means a
	// watch will tell.
	CheckAgain time.Duration
	// Changes are the fields the spec differs in from the oldest pool that has to
	// go, or from the wanted one when it is alone.
	Changes []agentpool.Change
	// Wanted names the pool (its object) that satisfies the spec, empty while
	// there is none; Outgoing those that have to go, oldest first.
	Wanted   string
	Outgoing []string
	// Strategy is the way a pool is replaced, or would be, and StrategyMessage
	// why; empty when none is. PeakNodes is the highest number of nodes of the
	// cluster on the way.
	Strategy, StrategyMessage string
	PeakNodes                 int
	// NeedsPods are the pods that the answer depends on and the World did not
	// hold; NeedsAzure is the same for World.Azure. Reading them is dear, so it is
	// asked for.
	// NeedsCount are pools (their objects) that Azure is to count. NeedsFit are pods
	// for which a place is to be looked for; World.Fits has the answers.
	NeedsPods  []PodsOf
	NeedsAzure bool
	NeedsCount []string
	NeedsFit   []PodsOf

	// Wish is what the Nodepool would do if the cluster's slot were its own; nil
	// unless that is all it waits for.
	Wish *Wish
}

// Wish is a write that waits for its turn.
type Wish struct {
	Rank    Rank
	Purpose string
}

// Rank orders writes that wait for a cluster's slot.
type Rank int

const (
	// RankGrow brings nodes, which are needed now.
	RankGrow Rank = iota
	// RankInPlace is short and touches nothing else.
	RankInPlace
	// RankFinish ends what has begun.
	RankFinish
	// RankCreate begins something.
	RankCreate
)

// WishOf is what a plan writes in the cluster's slot, or waits to write there; nil
// when it does neither.
func WishOf(p Plan) *Wish {
	if p.Wish != nil {
		return p.Wish
	}
	w := &Wish{Rank: RankFinish, Purpose: p.Message}
	switch a := p.Action; a.Kind {
	case UpdatePool, ResizePool, AdoptPool:
		if w.Rank = RankInPlace; a.Grows {
			w.Rank = RankGrow
		}
	case DeletePool, HoldScaling, DeleteMachines, MatchSize:
	case CreatePool:
		w.Rank = RankCreate
	default:
		return nil
	}
	return w
}

// PodsOf are the pods on nodes of a pool: Object is the pool's, Nodes are
// names, nil for all.
type PodsOf struct {
	Object string
	Nodes  []string
}

// Verdict is a plan's class.
type Verdict string

const (
	// Done: one pool, as wanted, ready.
	Done Verdict = "Done"
	// Moving: something is being changed.
	Moving Verdict = "Moving"
	// Waiting: something outside must come first, and until then nothing of ours
	// moves.
	Waiting Verdict = "Waiting"
	// Stuck: only a person can go on; the message says how.
	Stuck Verdict = "Stuck"
	// Held: somebody asked for no writes.
	Held Verdict = "Held"
)

// ActionKind is the one thing a plan does.
type ActionKind string

const (
	// None: nothing is written.
	None ActionKind = "None"
	// CreatePool makes the MachinePool and its infrastructure object.
	CreatePool ActionKind = "CreatePool"
	// UpdatePool writes the in-place fields of a pool.
	UpdatePool ActionKind = "UpdatePool"
	// CordonNodes marks nodes unschedulable and the drain as begun.
	CordonNodes ActionKind = "CordonNodes"
	// UncordonNodes takes a cordon of ours back.
	UncordonNodes ActionKind = "UncordonNodes"
	// EvictPods lets the drain engine evict what it may, now.
	EvictPods ActionKind = "EvictPods"
	// HoldScaling keeps the autoscaler from making a pool larger that leaves.
	HoldScaling ActionKind = "HoldScaling"
	// ResizePool sets a pool's number of nodes and takes the autoscaler off.
	ResizePool ActionKind = "ResizePool"
	// DeleteMachines removes single machines of a pool in Azure.
	DeleteMachines ActionKind = "DeleteMachines"
	// MatchSize takes over the number of nodes that Azure says a pool has, after
	// machines were removed.
	MatchSize ActionKind = "MatchSize"
	// MarkEmpty writes down since when a pool that leaves is empty.
	MarkEmpty ActionKind = "MarkEmpty"
	// AdoptPool takes a pool over that exists; ReleasePool lets one go.
	AdoptPool   ActionKind = "AdoptPool"
	ReleasePool ActionKind = "ReleasePool"
	// DeletePool deletes the MachinePool, which deletes the agent pool.
	DeletePool ActionKind = "DeletePool"
	// RemoveFinalizer lets the Nodepool go.
	RemoveFinalizer ActionKind = "RemoveFinalizer"
)

// Action is one write, or none.
type Action struct {
	Kind ActionKind
	// Object is the MachinePool acted on, Pool its agent pool name.
	Object, Pool string
	// UID is the precondition of a deletion.
	UID string
	// Spec, Fingerprint and Replicas are what CreatePool and UpdatePool write.
	Spec        agentpool.Spec
	Fingerprint string
	// Replicas is the size a pool is created with, or resized to; Replaces the
	// number of nodes it is made in place of.
	Replicas, Replaces int32
	// Carried are the autoscaler's bounds that CreatePool and UpdatePool keep
	// beside those of Spec, for when the pool has taken over.
	Carried *agentpool.Scaling
	// Grows and Shrinks say what an update does to the number of nodes.
	Grows, Shrinks bool
	// Nodes are what CordonNodes, UncordonNodes, EvictPods and DeleteMachines are
	// about.
	Nodes []Node
}

// writes tells an action from none.
func (a Action) writes() bool { return a.Kind != "" && a.Kind != None }

// String is the plan's line in a story.
func (p Plan) String() string {
	line := fmt.Sprintf("%s %s: %s", p.Verdict, p.Reason, p.Message)
	if p.Action.Kind != None {
		line += fmt.Sprintf(" [%s", p.Action.Kind)
		if p.Action.Pool != "" {
			line += " " + p.Action.Pool
		}
		if len(p.Action.Nodes) > 0 {
			line += fmt.Sprintf(" %d nodes", len(p.Action.Nodes))
		}
		line += "]"
	}
	return line
}
