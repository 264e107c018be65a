package drainer

import (
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/drain"
)

// Pace is evictions per second, high enough that it is not what limits: all drainers may be as fast as the budgets let them.
const Pace = 1000

// protobufFirst is what the operator's own client asks for.
const protobufFirst = "application/vnd.kubernetes.protobuf,application/json"

// policy plays the same game as the peers: pods without a budget, or without a controller, just go.
func policy() drain.Policy {
	return drain.Policy{WaitFor: drain.WaitForEviction, Unmanaged: drain.UnmanagedEvict, MaxUnbudgeted: Pace}
}

func ours(e *env) error {
	client, err := e.operatorClient()
	if err != nil {
		return err
	}
	return drain.NewWatcher(client, drain.Options{Pace: Pace}).Drain(e.ctx, e.job.Nodes, policy(), func(drain.Plan) {})
}

func (e *env) operatorClient() (kubernetes.Interface, error) {
	config := e.limited(-1, 0)
	config.AcceptContentTypes = protobufFirst
	return kubernetes.NewForConfig(config)
}

// oursLevel is the loop of the package's documentation.
func oursLevel(e *env) error {
	client, err := e.operatorClient()
	if err != nil {
		return err
	}
	var refusals []drain.Refusal
	for {
		snapshot, err := drain.Observe(e.ctx, client, e.job.Nodes, policy())
		if err != nil {
			return err
		}
		snapshot.Refusals = refusals
		plan := drain.Decide(snapshot, policy(), time.Now())
		result := drain.Evict(e.ctx, client, plan, drain.Options{})
		refusals = drain.Remember(refusals, result, time.Now())
		if plan = plan.After(result); plan.Empty {
			return nil
		}
		if err := e.pause(plan.CheckAgain); err != nil {
			return err
		}
	}
}

func (e *env) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-e.ctx.Done():
		return e.ctx.Err()
	case <-timer.C:
		return nil
	}
}
