package broker

import "context"

// Priority is which of those who wait go first. Within one, clusters take turns.
type Priority int8

// The priorities, the first goes first.
const (
	// PriorityDefault is PriorityWrite for a request that changes something and PriorityRead for another.
	PriorityDefault Priority = iota
	// PriorityScaleUp is for nodes that are needed now: whatever an emergency scale-up waits for.
	PriorityScaleUp
	// PriorityWrite is for changes that a person asked for and sees.
	PriorityWrite
	// PriorityRead is for looks that something waits for.
	PriorityRead
	// PrioritySweep is for looks that nothing waits for: they find drift a little later.
	PrioritySweep

	priorities = int(PrioritySweep) + 1
)

// String is the priority as metrics name it.
func (p Priority) String() string {
	return [priorities]string{"default", "scale-up", "write", "read", "sweep"}[p]
}

// Call is what a caller says of the requests it makes.
type Call struct {
	// Cluster is for whom, as namespace/name. Empty is the managed cluster of the request's path, or nobody: all of nobody
	// take turns as one.
	Cluster string
	// Priority is PriorityDefault when it is not given, and when it is none of those above.
	Priority Priority
	// Region is where the resource is, for instance westeurope. Empty is the one of the request's path; a request whose
	// region is not known takes of the budget of every region.
	Region string
}

type callKey struct{}

// For makes a context whose requests to Azure are made for call.
func For(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// CallOf is what was said by For, with the priority made sure of.
func CallOf(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	if call.Priority < PriorityDefault || int(call.Priority) >= priorities {
		call.Priority = PriorityDefault
	}
	return call
}
