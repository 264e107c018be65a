package ladder

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Action says what a step does.
type Action string

const (
	// ActionNotify writes an event on the workload and calls the notifier.
	ActionNotify Action = "Notify"
	// ActionRestart restarts a Deployment of one pod in a rolling way.
	ActionRestart Action = "RestartSingleton"
	// ActionScaleUp adds one pod to a Deployment.
	ActionScaleUp Action = "ScaleUpBudget"
	// ActionPutBack takes a scale-up back.
	ActionPutBack Action = "PutBack"
	// ActionQuarantine gives a node up, ActionUnquarantine takes that back.
	ActionQuarantine   Action = "Quarantine"
	ActionUnquarantine Action = "Unquarantine"
	// ActionForce deletes a pod without asking its budget.
	ActionForce Action = "Force"
	// ActionSkipped writes nothing. It tells why a rung that is due does not help.
	ActionSkipped Action = "Skipped"
	// ActionStanding writes nothing. It tells that something done earlier is still to be put back.
	ActionStanding Action = "Standing"
)

// Object names what a step is about.
type Object struct {
	// APIVersion is empty where it is not known, for controllers of kinds that are not Kubernetes' own.
	APIVersion string
	Kind       string
	// Namespace is empty for nodes.
	Namespace string
	Name      string
	UID       types.UID
}

// String returns "Deployment shop/cart" or "node old-1".
func (o Object) String() string {
	switch o.Kind {
	case "Node":
		return "node " + o.Name
	case "Pod":
		return "pod " + o.key()
	}
	return o.Kind + " " + o.key()
}

func (o Object) key() string { return o.Namespace + "/" + o.Name }

// Step is one thing to do, or to know, at this look. Take it with Act.
type Step struct {
	Action Action
	// Object is what is written to, or would be.
	Object Object
	// Does says what the step does, "scales Deployment shop/cart up from 2 to 3", and Why for what reason. Both are parts of
	// a sentence without full stop.
	Does string
	Why  string
	// Outstanding is what is still to be put back before the nodes may be deleted, "Deployment shop/cart is scaled up from 2
	// to 3 until 2026-11-24T12:00:00Z"; empty if nothing is.
	Outstanding string
	// Patch is the JSON merge patch of the step, ResourceVersion the version of the pod that ActionForce deletes, and Event and
	// Notice what ActionNotify sends.
	Patch           string
	ResourceVersion string
	Event           *corev1.Event
	Notice          Notice
}

// String returns the step in one sentence without full stop, for a condition, an event, a log or a terminal.
func (s Step) String() string {
	if s.Why == "" {
		return s.Does
	}
	return s.Does + ", because " + s.Why
}

// Outstanding returns what is still to be put back, sorted, each once. The nodes must stay until it is empty.
func Outstanding(steps []Step) []string {
	var open []string
	for _, s := range steps {
		if s.Outstanding != "" {
			open = append(open, s.Outstanding)
		}
	}
	slices.Sort(open)
	return slices.Compact(open)
}
