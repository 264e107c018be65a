package nodepool

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// operator is Fleetwright in these tests: one process after another. All that it
// writes, to the management cluster, to the workload cluster and to Azure, goes
// through write, where it can be killed or cut off.
type operator struct {
	a          *azure
	reconciler *Reconciler
	// arm is the way to Azure, nil for none.
	arm *arm
	// refuses names the writes that fail for ever, by a part of their line.
	refuses string

	mu     sync.Mutex
	writes []string
	born   map[types.UID]time.Time
	fault  fault
	// hit is true once the fault has happened, dead until the next process starts.
	hit, dead bool
	// asked is the pool that Azure has been asked to work at since its last step.
	asked string
	// onWrite runs before each write, if it is set.
	onWrite func(line string)
	// onRead runs before each read of the workload cluster, if it is set.
	onRead func(*http.Request)
	// onEvict runs when an eviction arrives at the workload cluster, if it is set.
	onEvict func()
	// rounds are the drains that wait to be asked for one, by their first node.
	rounds map[types.UID]chan chan struct{}
}

// fault is what happens at the n-th write.
type fault struct {
	at  int
	how string
}

const (
	// killed: the write is done, and the process ends at once. Nothing of its
	// memory is left. To be killed before a write is to be killed after the one
	// before it.
	killed = "killed"
	// lost: the write is done, its answer is an error, and the process lives on.
	lost = "reply-lost"
	// denied: the write is not done.
	denied = "denied"
)

var errCut = errors.New("cut off here")

func newOperator(a *azure) *operator {
	o := &operator{a: a, born: map[types.UID]time.Time{}}
	o.start()
	return o
}

// start is a new process.
func (o *operator) start() {
	c := o.client()
	if o.reconciler != nil {
		o.reconciler.drains.close()
	}
	o.mu.Lock()
	o.dead = false
	o.mu.Unlock()
	o.reconciler = &Reconciler{
		Client: c, Live: c, Clusters: workload.New(c, "test", o.a.clock),
		Recorder: events.NewFakeRecorder(1000), Clock: o.a.clock, Namespace: o.a.namespace + "-fleet",
	}
	o.reconciler.drains.engine = func(api kubernetes.Interface) drainer { return rounds{o, api} }
	if o.arm != nil {
		o.reconciler.Azure = sameFor{o.arm}
	}
}

// write does a write, or what the fault makes of it.
func (o *operator) write(line string, do func() error) error {
	o.mu.Lock()
	if o.dead {
		o.mu.Unlock()
		return errCut
	}
	o.writes = append(o.writes, line)
	now := len(o.writes) == o.fault.at
	o.hit = o.hit || now
	o.mu.Unlock()
	if o.onWrite != nil {
		o.onWrite(line)
	}
	if now && o.fault.how == denied || o.refuses != "" && strings.Contains(line, o.refuses) {
		return errCut
	}
	err := do()
	if now && err == nil {
		o.mu.Lock()
		o.dead = o.fault.how == killed
		o.mu.Unlock()
		return errCut
	}
	return err
}

func (o *operator) isDead() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dead
}

// written are the writes so far, or those whose line has the part.
func (o *operator) written(part string) (lines []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, line := range o.writes {
		if strings.Contains(line, part) {
			lines = append(lines, line)
		}
	}
	return lines
}

// reconcile lets the operator look at one Nodepool, and says when it wants to
// look again. Only what was cut off may fail.
func (o *operator) reconcile(key types.NamespacedName) (wait time.Duration) {
	o.a.t.Helper()
	var np fleetwrightv1.Nodepool
	if err := server.Get(o.a.t.Context(), key, &np); err != nil {
		if client.IgnoreNotFound(err) != nil {
			o.a.t.Fatal(err)
		}
		return 0
	}
	if o.a.before != nil {
		o.a.before(&np)
	}
	// A new connection each time, or its rate would make the tests wait.
	o.reconciler.Clusters.Forget(o.a.cluster())
	hit := o.hit
	result, err := o.reconciler.Reconcile(o.a.t.Context(), &np)
	if !o.isDead() {
		o.drainOnce(key)
	}
	if o.isDead() {
		o.start()
	}
	switch {
	case err == nil:
		return result.RequeueAfter
	case !apierrors.IsConflict(err) && hit == o.hit && o.refuses == "":
		o.a.t.Errorf("reconcile %s: %v", key.Name, err)
	}
	return time.Second
}

// run lets the operator look at the Nodepools, and Azure take a step, in turn
// until done says so. As long as something happens the next look is soon; else
// time passes until the operator wants to look.
func (a *azure) run(done func() bool, bases ...string) {
	a.t.Helper()
	const most = 120
	for range most {
		if done() {
			return
		}
		if a.t.Failed() {
			a.t.FailNow()
		}
		a.turn(bases...)
	}
	a.t.Fatalf("no end after %d looks; %s", most, a.describe())
}

func (a *azure) turn(bases ...string) {
	a.t.Helper()
	wait := 10 * time.Minute
	for _, base := range bases {
		if again := a.op.reconcile(a.keyOf(base)); again > 0 {
			wait = min(wait, again)
		}
	}
	a.pass(time.Second)
	a.step()
	if a.changed {
		wait = 2 * time.Second
	}
	a.pass(wait)
}

// turns is a number of looks at the one Nodepool.
func (a *azure) turns(n int) {
	a.t.Helper()
	for range n {
		a.turn("general")
	}
}

// converge runs the story's one Nodepool; done is told nil when it is gone.
func (a *azure) converge(done func(*fleetwrightv1.Nodepool) bool) {
	a.t.Helper()
	a.run(func() bool {
		var np fleetwrightv1.Nodepool
		err := server.Get(a.t.Context(), a.key(), &np)
		if client.IgnoreNotFound(err) != nil {
			a.t.Fatal(err)
		}
		if err != nil {
			return done(nil)
		}
		return done(&np)
	}, "general")
}

func (a *azure) describe() string {
	var list fleetwrightv1.NodepoolList
	_ = server.List(a.t.Context(), &list, client.InNamespace(a.namespace))
	var out strings.Builder
	for _, np := range list.Items {
		fmt.Fprintf(&out, "\n%s: %+v", np.Name, np.Status)
	}
	a.said("")
	fmt.Fprintf(&out, "\nsaid: %s", strings.Join(a.events, "\n  "))
	fmt.Fprintf(&out, "\nwritten: %s", strings.Join(a.op.written(""), "\n  "))
	return out.String()
}

func gone(np *fleetwrightv1.Nodepool) bool { return np == nil }
