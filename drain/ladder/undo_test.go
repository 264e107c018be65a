package ladder

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/drain"
)

// undo does what "kubectl rollout undo" does to a Deployment: all annotations and the pod template are those of an earlier
// revision.
func (s *shop) undo(template map[string]string) {
	s.t.Helper()
	s.set(func(d *appsv1.Deployment) {
		d.Annotations, d.Spec.Template.Annotations = nil, template
	})
	s.rolledOut()
}

func TestAScaleUpOutlivesAnUndo(t *testing.T) {
	s := open(t, server, 2)
	policy := climbing(drain.RungScaleUpBudget)
	if err := s.act(s.look(s.plan(), policy)[0]); err != nil {
		t.Fatal(err)
	}
	s.undo(nil)
	steps := s.look(s.plan(), policy)
	if got := only(steps); len(got) != 1 || !strings.HasPrefix(got[0], "Standing: ") || len(Outstanding(steps)) != 1 {
		t.Errorf("while the pod is there: %q, outstanding %q", got, Outstanding(steps))
	}
	if err := PutBackAll(t.Context(), server, "prod/other"); err != nil || !strings.HasPrefix(s.size(), "3 ") {
		t.Errorf("another drain put it back: %v, %s", err, s.size())
	}
	if err := PutBackAll(t.Context(), server, s.id()); err != nil {
		t.Fatal(err)
	}
	if got := s.size(); got != `2 "" ""` {
		t.Errorf("put back, the Deployment is %s", got)
	}
}

func TestARestartIsNotRepeatedAfterAnUndo(t *testing.T) {
	s := open(t, server, 1)
	policy := climbing(drain.RungRestartSingleton)
	if err := s.act(s.look(s.plan(), policy)[0]); err != nil {
		t.Fatal(err)
	}
	s.undo(nil)
	if got := only(s.look(s.plan(), policy)); len(got) > 0 {
		t.Errorf("restarted again: %q", got)
	}
	policy.Started = started.Add(time.Hour)
	if got := only(s.look(s.plan(), policy)); len(got) != 1 || !strings.HasPrefix(got[0], "RestartSingleton: ") {
		t.Errorf("another drain: %q", got)
	}
}

// TestWhatBelongsToAnotherObjectIsLeftAlone reads who controls a Deployment.
func TestWhatBelongsToAnotherObjectIsLeftAlone(t *testing.T) {
	s := open(t, server, 1)
	s.set(func(d *appsv1.Deployment) {
		d.OwnerReferences = []metav1.OwnerReference{{APIVersion: "shop.example/v1", Kind: "Shop", Name: "web", UID: "x", Controller: ptr.To(true)}}
	})
	got := strings.Join(only(s.look(s.plan(), climbing(drain.RungRestartSingleton, drain.RungScaleUpBudget))), "\n")
	cart := "Deployment " + s.namespace + "/cart"
	want := "Skipped: does not restart " + cart + ", because it belongs to Shop web, which would put it back\n" +
		"Skipped: does not scale " + cart + " up, because it belongs to Shop web, which would put it back"
	if got != want {
		t.Errorf("steps\n%s\nwant\n%s", got, want)
	}
}
