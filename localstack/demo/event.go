package demo

import "time"

// Event is one thing that happened in the story. It is one of the types below.
type Event interface{ event() }

// StoryBegan is the first event and names all steps.
type StoryBegan struct {
	At    time.Time
	Steps []string
}

// StepBegan says that a step of the story has begun.
type StepBegan struct {
	At    time.Time
	Title string
}

// StepEnded says that the running step has ended. Err is why, if it failed.
type StepEnded struct {
	At  time.Time
	Err error
}

// Progress says in the words of the system what the running step is doing or waits for.
type Progress struct {
	At time.Time
	// About is the object that speaks, as in "Nodepool quickstart-general".
	About string
	// Reason is one word, and Text a sentence or none.
	Reason, Text string
}

// WaterfallSeen shows where the time of the cluster's creation went, once it is ready.
type WaterfallSeen struct {
	At    time.Time
	Steps []WaterfallStep
}

// PoolsSeen shows the provider pools of the Nodepool that is being changed.
type PoolsSeen struct {
	At    time.Time
	Pools []Pool
	// PodsLeft is how many pods still have to leave old nodes.
	PodsLeft int
	// Drained and Total count old nodes that are empty and that have to become so.
	Drained, Total int
}

// Pool is one provider pool.
type Pool struct {
	// Name of the AKS agent pool.
	Name string
	// Role is Current, Incoming or Outgoing.
	Role string
	// Machine is the VM size, and Version the kubelets'.
	Machine, Version string
	// Nodes counts nodes, and Ready those of them that are ready and take pods.
	Nodes, Ready int
}

// TrafficSeen shows how the workload fares.
type TrafficSeen struct {
	At       time.Time
	Services []Service
}

// Service is how one of the workload's services fares.
type Service struct {
	Name string
	// Available replicas now, Wanted in all, and the Least seen so far.
	Available, Wanted, Least int
	// Budget is how many replicas the disruption budget wants healthy at least.
	Budget int
	// Requests were sent so far, of which Failed got no answer.
	Requests, Failed int
}

// Ended is the last event. Err is why the story failed, if it did.
type Ended struct {
	At  time.Time
	Err error
}

func (StoryBegan) event()    {}
func (StepBegan) event()     {}
func (StepEnded) event()     {}
func (Progress) event()      {}
func (WaterfallSeen) event() {}
func (PoolsSeen) event()     {}
func (TrafficSeen) event()   {}
func (Ended) event()         {}
