package drain

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// TestMirrorForgets: a cluster in which Jobs come and go for days is not kept in mind.
func TestMirrorForgets(t *testing.T) {
	m := newMirror(func(*group, ...string) {}, func(mirrored) {})
	job := func(i int) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: fmt.Sprintf("job-%d", i/10), Name: fmt.Sprintf("report-%d", i), UID: types.UID(fmt.Sprint(i)), Labels: map[string]string{"job-name": fmt.Sprint(i)},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Job", Name: fmt.Sprint(i), UID: types.UID(fmt.Sprint("job-", i)), Controller: new(true)}},
		}}
	}
	m.putPod(slimPod(job(0)))
	for i := 1; i < 20_000; i++ {
		p := slimPod(job(i))
		m.putPod(p)
		m.dropPod(p)
	}
	if len(m.words) > 1500 || len(m.labels) > 1500 || len(m.rooms) > 1500 {
		t.Errorf("%d words, %d sets of labels and %d rooms are kept for one pod", len(m.words), len(m.labels), len(m.rooms))
	}
	if p := m.rooms["job-0"].pods["report-0"].pod(); p.Labels["job-name"] != "0" || p.Controller.UID != "job-0" || m.words["job-0"] != "job-0" {
		t.Errorf("what is there was changed: %+v", p)
	}
}

// TestLookWaitsForTheNamespace: a rule may keep the pods of a namespace that the watches have not shown yet.
func TestLookWaitsForTheNamespace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeps := PodSelector{Namespace: labels.SelectorFromSet(labels.Set{"team": "bank"})}
		r := decided(Policy{WaitFor: WaitForEviction, Rules: []Rule{{Pods: []PodSelector{keeps}, Behavior: RuleWaitCompleted}}})
		r.session.putPod(pod("cart-1", "cart"))
		if next, err := r.look(t.Context()); err != nil || next > time.Second || r.told.Empty || r.session.flying > 0 {
			t.Errorf("look = %s, %v; %s", next, err, r.told)
		}
		pass(time.Second)
		r.session.putNamespace(corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "bank"}}})
		if _, err := r.look(t.Context()); err != nil || r.session.flying > 0 || len(r.told.Blockers) != 1 || r.told.Blockers[0].Reason != ReasonWaitCompleted {
			t.Errorf("look = %v, %s", err, r.told)
		}
		r.sending.Wait()
	})
}

// TestDaemonSetsWakeTheRun: a DaemonSet that is gone leaves pods that nobody brings back.
func TestDaemonSetsWakeTheRun(t *testing.T) {
	r := decided(Policy{})
	r.session.putDaemon("set-log")
	if !r.all {
		t.Error("a new DaemonSet woke nobody")
	}
	r.all = false
	if r.session.putDaemon("set-log"); r.all {
		t.Error("a DaemonSet of which nothing is new called for all decisions")
	}
	if r.session.dropDaemon("set-log"); !r.all {
		t.Error("a DaemonSet that is gone woke nobody")
	}
}
