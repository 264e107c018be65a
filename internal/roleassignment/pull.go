package roleassignment

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// pullWorld is what is known about the proof that nodes can pull.
type pullWorld struct {
	// wanted is true while the spec asks for it, assigned while there is something to prove.
	wanted, assigned bool
	hold             hold.Hold
	// image is the whole reference that a node is to pull, and about is what a proof counts for: this image by this assignment.
	image, about string
	proven       proof
	// started is true while a pod may exist.
	started bool
	// unreachable says why the workload cluster cannot be asked, or its registry's name not be found; empty when all is known.
	unreachable string
	// pod is the pod that pulls, nil for none.
	pod *canary
	// nodes are those that could run it, the one to take first.
	nodes []string
	// before is the former reason, for a kubelet that only says that it backs off. since is since when it has been the reason for not being
	// proven, zero when it was none.
	before string
	since  time.Time
	// failing is true when the last try of the same has failed: it has until another one succeeds.
	failing bool
}

// proof is one pull that went well. The zero proof is none.
type proof struct {
	at          time.Time
	about, node string
}

// provenFor is how long a proof counts.
const provenFor = 24 * time.Hour

func (p proof) of(about string) bool { return !p.at.IsZero() && p.about == about }

func (p proof) text() string {
	return p.at.UTC().Format(time.RFC3339) + " " + p.about + " " + p.node
}

func readProof(text string) proof {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return proof{}
	}
	at, err := time.Parse(time.RFC3339, fields[0])
	if err != nil {
		return proof{}
	}
	return proof{at, fields[1], fields[2]}
}

// pullAction is the one thing that a look does about the proof.
type pullAction string

const (
	pullNothing pullAction = "None"
	// pullStart makes the pod on node.
	pullStart pullAction = "StartPull"
	// pullAgain deletes the pod, for another one to come.
	pullAgain pullAction = "RestartPull"
	// pullProve writes the proof down and deletes the pod.
	pullProve pullAction = "ProvePull"
	// pullEnd deletes the pod for good.
	pullEnd pullAction = "EndPull"
)

// pullPlan is what follows.
type pullPlan struct {
	action pullAction
	node   string
	status metav1.ConditionStatus
	// reason and message are those of condition PullVerified; without a reason there is none.
	reason, message string
	again           time.Duration
}

// Pauses between two looks at a pull. A kubelet tries again by itself, ever more rarely up to five minutes.
const (
	pullOften, pullOftenFor   = 5 * time.Second, 30 * time.Second
	pullSeldom, pullSeldomFor = 30 * time.Second, 5 * time.Minute
	pullRarely                = 5 * time.Minute
	noNodePause               = 2 * time.Minute
	// placeFor is how long the scheduler may look for room on a node before another node is taken.
	placeFor = 2 * time.Minute
	// longestPause is between two looks at what has not got on for hours: each costs requests to Azure, too.
	longestPause = 30 * time.Minute
	// nodeFor is how long a node has at least, before another one is tried: it may be this node that cannot.
	nodeFor = 10 * time.Minute
)

// pause is a pause that grows with the time for which the proof has been wanting.
func (w pullWorld) pause(least time.Duration, now time.Time) time.Duration {
	since := w.since
	if w.proven.of(w.about) {
		since = w.proven.at.Add(provenFor)
	}
	if since.IsZero() {
		return least
	}
	return max(least, min(now.Sub(since)/4, longestPause))
}

// decidePull is the next thing for the proof. It is a function of its arguments.
func decidePull(w pullWorld, now time.Time) pullPlan {
	p := pullPlan{action: pullNothing, status: metav1.ConditionUnknown, reason: fleetwrightv1.ReasonPulling}
	fresh := w.proven.of(w.about) && now.Sub(w.proven.at) < provenFor
	switch {
	case !w.wanted:
		p.reason = ""
		if w.started && !w.hold.Everything() {
			p.action = pullEnd
		}
	case !w.assigned:
		p.status, p.reason, p.message = metav1.ConditionFalse, fleetwrightv1.ReasonWaitingForAssignment, "there is nothing to prove before the assignment is made"
	case w.unreachable != "":
		p.reason, p.message, p.again = fleetwrightv1.ReasonConnectionDown, w.unreachable, w.pause(pullSeldom, now)
	case fresh:
		p.status, p.reason, p.again = metav1.ConditionTrue, fleetwrightv1.ReasonPulled, w.proven.at.Add(provenFor).Sub(now)
		p.message = fmt.Sprintf("node %s has pulled %s at %s", w.proven.node, w.image, w.proven.at.UTC().Format(time.RFC3339))
		if w.started && !w.hold.Everything() {
			p.action, p.again = pullEnd, soon
		}
	case w.hold.Everything():
		p.reason, p.message = w.hold.Reason, w.hold.Message
	case w.pod == nil:
		p = startPull(w, now)
	default:
		p = followPull(w, *w.pod, now)
	}
	if w.failing && p.reason == fleetwrightv1.ReasonPulling {
		p.status, p.reason, p.message = metav1.ConditionFalse, w.before, p.message+", after a try that failed"
	}
	return untilTheOpposite(w, p)
}

// untilTheOpposite lets an old proof count until the opposite is seen.
func untilTheOpposite(w pullWorld, p pullPlan) pullPlan {
	if !w.wanted || !w.assigned || p.status != metav1.ConditionUnknown || !w.proven.of(w.about) {
		return p
	}
	p.status, p.reason = metav1.ConditionTrue, fleetwrightv1.ReasonPulled
	p.message = fmt.Sprintf("node %s has pulled %s at %s; it is proven again: %s", w.proven.node, w.image, w.proven.at.UTC().Format(time.RFC3339), p.message)
	return p
}

func startPull(w pullWorld, now time.Time) pullPlan {
	if len(w.nodes) == 0 {
		return pullPlan{
			action: pullNothing, status: metav1.ConditionFalse, reason: fleetwrightv1.ReasonNoNode, again: w.pause(noNodePause, now),
			message: "no Linux node of the cluster is ready, open for pods and without taints that keep pods away",
		}
	}
	return pullPlan{
		action: pullStart, node: w.nodes[0], status: metav1.ConditionUnknown, reason: fleetwrightv1.ReasonPulling, again: pullOften,
		message: fmt.Sprintf("node %s is to pull %s", w.nodes[0], w.image),
	}
}

// pullFailed is the plan after the workload cluster, or the management cluster, said no to what was done. That is not the opposite of a
// proof.
func pullFailed(w pullWorld, p pullPlan, err error, now time.Time) pullPlan {
	if p.status == metav1.ConditionUnknown && p.reason != "" {
		p.reason = fleetwrightv1.ReasonPullFailed
	}
	p.message, p.again = fmt.Sprintf("%s; that failed and is tried again: %v", p.message, err), w.pause(pullRarely, now)
	return p
}

func followPull(w pullWorld, c canary, now time.Time) pullPlan {
	age := now.Sub(c.created)
	p := pullPlan{action: pullNothing, status: metav1.ConditionUnknown, reason: fleetwrightv1.ReasonPulling, again: w.pause(pullPause(age), now)}
	p.message = fmt.Sprintf("node %s is pulling %s", c.node, w.image)
	switch {
	case c.leaving:
		p.again = w.pause(pullOften, now)
	case c.about != w.about:
		p.action, p.again = pullAgain, soon
	case c.pulled:
		p.action, p.status, p.reason, p.again = pullProve, metav1.ConditionTrue, fleetwrightv1.ReasonPulled, provenFor
		p.message = fmt.Sprintf("node %s has pulled %s", c.node, w.image)
	case c.failed != "":
		p.action, p.message, p.again = pullAgain, fmt.Sprintf("pod %s on node %s has failed before it pulled %s: %s", c.name, c.node, w.image, c.failed), w.pause(noNodePause, now)
		p.status, p.reason = metav1.ConditionFalse, fleetwrightv1.ReasonPullFailed
	case c.noRoom != "":
		p.status, p.reason, p.again = metav1.ConditionFalse, fleetwrightv1.ReasonNoNode, w.pause(pullSeldom, now)
		p.message = fmt.Sprintf("pod %s finds no room on node %s: %s", c.name, c.node, c.noRoom)
		if age >= placeFor {
			p.action = pullAgain
		}
	case c.problem != "":
		p.status, p.reason = metav1.ConditionFalse, reasonOf(c.problem, w)
		p.message = fmt.Sprintf("node %s cannot pull %s: %s", c.node, w.image, c.problem)
	}
	if p.action == pullNothing && !c.leaving && age >= w.pause(nodeFor, now) {
		p.action, p.again = pullAgain, soon
	}
	return p
}

func pullPause(age time.Duration) time.Duration {
	switch {
	case age < pullOftenFor:
		return pullOften
	case age < pullSeldomFor:
		return pullSeldom
	}
	return pullRarely
}
