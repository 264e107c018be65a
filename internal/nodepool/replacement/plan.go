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
	// NeedsPods names the pools (their objects) whose pods the answer depends on
	// and the World did not hold. Reading pods is dear, so it is asked for.
	NeedsPods []string
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
	// Replicas is the size a pool is created with.
	Replicas int32
	// Nodes are what CordonNodes and UncordonNodes write.
	Nodes []Node
}

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
