package ladder

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/fleetwright/fleetwright/drain"
)

// crowd is a plan of that many blockers on as many nodes, each in two rows of one budget that end alike.
func crowd(n int, change ...func(*drain.Blocker)) drain.Plan {
	plan := drain.Plan{}
	for i := range n {
		node := fmt.Sprintf("old-%d", i)
		b := cart(append(change, func(b *drain.Blocker) {
			b.Pod.Namespace, b.UID, b.Controller.UID = fmt.Sprintf("shop-%d", i), types.UID(fmt.Sprint("uid-", i)), types.UID(fmt.Sprint("rs-", i))
			b.Budget, b.Node, b.Nodes = b.Pod.Namespace+"/cart", node, []string{node}
		})...)
		plan.Nodes = append(plan.Nodes, drain.NodeProgress{Name: node, Cordoned: true, Remaining: 1})
		plan.Blockers = append(plan.Blockers, b, b)
	}
	return plan
}

// TestManyBlockersTakeFewReads counts the requests for more blockers than a client may ask about one by one, until all owners
// were told.
func TestManyBlockersTakeFewReads(t *testing.T) {
	client := fake.NewClientset()
	plan, policy := crowd(120), climbing(drain.RungNotify)
	told := map[string]bool{}
	for look := range 4 {
		client.ClearActions()
		facts, err := Observe(t.Context(), client, us, plan, policy, noon)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(client.Actions()); n > 2+noticesAtOnce {
			t.Fatalf("look %d takes %d reads", look, n)
		}
		steps := Decide(plan, facts, policy, noon)
		for _, s := range steps {
			if told[s.Notice.Pod] {
				t.Fatalf("%s was told twice", s.Notice.Pod)
			}
			told[s.Notice.Pod] = true
			if err := Act(t.Context(), client, s, nil); err != nil {
				t.Fatal(err)
			}
		}
		if look == 3 && len(steps) > 0 {
			t.Errorf("told in the end: %q", only(steps))
		}
	}
	if len(told) != 120 {
		t.Errorf("%d owners were told", len(told))
	}
}

func TestFewBlockersAreReadOnce(t *testing.T) {
	client := fake.NewClientset()
	if _, err := Observe(t.Context(), client, us, crowd(fewReads), climbing(drain.RungNotify), noon); err != nil {
		t.Fatal(err)
	}
	gets := 0
	for _, a := range client.Actions() {
		if a.Matches("get", "events") {
			gets++
		}
	}
	if gets != fewReads {
		t.Errorf("%d events read, want %d", gets, fewReads)
	}
}

// TestWhatWasToldIsFoundInOneList asks a server, which has to know the selector.
func TestWhatWasToldIsFoundInOneList(t *testing.T) {
	s := open(t, server, 2)
	policy := climbing(drain.RungNotify)
	if err := s.act(s.look(s.plan(), policy)[0]); err != nil {
		t.Fatal(err)
	}
	plan := crowd(fewReads)
	plan.Blockers = append(plan.Blockers, s.plan().Blockers...)
	facts, err := Observe(t.Context(), server, s.id(), plan, policy, noon)
	if err != nil {
		t.Fatal(err)
	}
	if key := s.namespace + "/" + eventName(s.plan().Blockers[0], policy, noon); len(facts.Told) != 1 || !facts.Told[key] {
		t.Errorf("told %v, want %s", facts.Told, key)
	}
}

func TestManyNodesAreOneList(t *testing.T) {
	for _, n := range []int{fewReads, fewReads + 1} {
		client := fake.NewClientset()
		for i := range n + 5 {
			made(t)(client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("old-%d", i), UID: types.UID(fmt.Sprint(i))},
			}, metav1.CreateOptions{}))
		}
		client.ClearActions()
		facts, err := Observe(t.Context(), client, us, crowd(n, ending(drain.DeadlineQuarantine, time.Minute)), drain.Policy{Started: started}, noon)
		if err != nil {
			t.Fatal(err)
		}
		want := n + 1 // with the list of Deployments
		if n > fewReads {
			want = 2
		}
		if len(facts.Nodes) != n || facts.Nodes["old-3"].UID != "3" || len(client.Actions()) != want {
			t.Errorf("%d nodes: %d reads found %d", n, len(client.Actions()), len(facts.Nodes))
		}
	}
}
