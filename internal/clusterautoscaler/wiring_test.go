package clusterautoscaler

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// rows is a Resource Graph that is never late.
type rows struct {
	graph.Azure
	s *stage
}

func (r rows) Query(context.Context, graph.Query) (graph.Page, error) {
	row, err := json.Marshal(map[string]any{"id": strings.ToUpper(r.s.id()), "profile": autoscalerprofile.Tree(r.s.azure.all())})
	return graph.Page{Rows: []json.RawMessage{row}, Total: 1, Remaining: 10}, err
}

// In a real manager everything that matters brings the object back: its spec, its Cluster, CAPZ's and Azure Service Operator's objects, a
// Freeze, and a sweep that finds Azure different.
func TestWhatWakesIt(t *testing.T) {
	mgr := testkit.NewManager(t, serverConfig, server.Scheme())
	s := newStage(t, managedKind, leastWaste)
	sweeper := sweep.New(sweep.Options{Azure: rows{s: s}, Every: 100 * time.Millisecond})
	if err := AddToManager(mgr, Options{Workers: 2, Azures: s.azure, Sweeper: sweeper, Namespace: "manager"}); err != nil {
		t.Fatal(err)
	}
	if err := mgr.Add(sweeper); err != nil {
		t.Fatal(err)
	}
	testkit.Run(t, mgr)
	eventually := func(kind, want string) {
		t.Helper()
		testkit.Eventually(t, want, func() error {
			s.refresh()
			said := ""
			if c := meta.FindStatusCondition(s.object.Status.Conditions, kind); c != nil {
				said = fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
			}
			if !strings.HasPrefix(said, want) {
				return fmt.Errorf("it says %q", said)
			}
			return nil
		})
	}
	eventually("Applied", "False WaitingForCluster: there is no Cluster")
	s.makeCluster("clusterctl")
	eventually("Applied", "False WaitingForCluster: written to")
	s.capz()
	s.sync()
	eventually("Applied", "True Applied")
	s.azure.drift("expander", "priority")
	eventually("Applied", "False Unconfirmed: written to Azure")
	s.sync() // its event wakes us before our own half a minute
	eventually("Applied", "True Applied")
	s.change("profile: {expander: priority}")
	eventually("Applied", "False Unconfirmed")
	freeze := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: "incident"}}
	freeze.Spec = fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "x"}
	s.create(freeze)
	eventually("Paused", "True Frozen")
}
