package preflight

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// UnmanagedPod has no controller, or one that no longer exists: nobody would bring it back.
type UnmanagedPod struct {
	Pod  types.NamespacedName
	Node string
	// Evicted says that policy lets the drain end it. Otherwise the drain waits until somebody moves or deletes it.
	Evicted bool
}

func (l *look) unmanaged() []UnmanagedPod {
	var found []UnmanagedPod
	for _, p := range l.pods {
		orphan := p.Controller == drain.Controller{} || p.Controller.Missing
		waits, evicts := p.verdict.Behavior == drain.BehaviorUnmanaged, p.verdict.Behavior == drain.BehaviorEvict
		if waits || evicts && orphan {
			found = append(found, UnmanagedPod{Pod: p.Key(), Node: p.Node, Evicted: evicts})
		}
	}
	return found
}
