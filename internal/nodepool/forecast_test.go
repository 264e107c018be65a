package nodepool

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	testclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// noRules is a management cluster without MachineDrainRules.
type noRules struct{ client.Reader }

func (noRules) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

// A forecast is for reading. It costs no second search for places, and no first
// one that nobody would be told of.
func TestAForecastSearchesForNoMoreThanItTells(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{UID: "np", Generation: 1}}
	blue := []replacement.PodsOf{{Object: "blue"}}
	for name, test := range map[string]struct {
		kept  []replacement.PodsOf
		asked []replacement.PodsOf
		size  int32
		// reads and searches are all pods that are read, and whether their places are.
		reads    int
		searches bool
		want     *fit.Report
	}{
		"green is not whole":                      {size: 2, reads: 1},
		"green is not whole, whatever was found":  {size: 2, reads: 1, kept: blue},
		"nobody has asked":                        {size: 1, reads: 1, searches: true, want: &fit.Report{}},
		"it was asked a moment ago":               {size: 1, kept: blue, asked: blue, want: &fit.Report{Moving: 9, Unfit: 9}},
		"it was asked about more than this":       {size: 1, reads: 1, kept: append(blue[:1:1], replacement.PodsOf{Object: "older"}), asked: append(blue[:1:1], replacement.PodsOf{Object: "older"})},
		"a step of a shift was asked about, only": {size: 1, reads: 1, asked: []replacement.PodsOf{{Object: "blue", Nodes: []string{"old-1"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			api := fake.NewClientset()
			r := &Reconciler{Live: noRules{}, Clock: testclock.NewFakePassiveClock(now)}
			o := &observation{nodes: api, pools: map[string]capi.Pool{}, plan: replacement.Plan{Wanted: "green", Outgoing: []string{"blue"}}}
			o.world.Pools = []replacement.Pool{
				{Object: "blue", Nodes: []replacement.Node{{Name: "old-1"}}},
				{Object: "green", Size: ptr.To(test.size), Nodes: []replacement.Node{{Name: "new-1", Ready: true}}},
			}
			if test.kept != nil {
				kept := answer{
					nodes: []drain.NodeRef{{Name: "old-1"}}, fit: replacement.Fit{Of: test.kept, Unfit: 9},
					report: preflight.Report{Fit: &fit.Report{Moving: 9, Unfit: 9}},
				}
				r.fits.keep(np, kept, 0, now)
			}
			if test.asked != nil {
				o.world.Fits = []replacement.Fit{{Of: test.asked, Unfit: 9}}
			}
			report, known, err := r.foresee(t.Context(), o, np)
			if err != nil || !known {
				t.Fatalf("foresee() = %t, %v", known, err)
			}
			if (report.Fit == nil) != (test.want == nil) || report.Fit != nil && report.Fit.Unfit != test.want.Unfit {
				t.Errorf("it tells of places %+v, want %+v", report.Fit, test.want)
			}
			reads, nodes := 0, 0
			for _, action := range api.Actions() {
				switch action.GetResource() {
				case corev1.SchemeGroupVersion.WithResource("pods"):
					reads++
				case corev1.SchemeGroupVersion.WithResource("nodes"):
					if action.GetVerb() == "list" {
						nodes++
					}
				}
			}
			if reads != test.reads || (nodes > 0) != test.searches {
				t.Errorf("it read pods %d times, and the places %d; want %d, %t", reads, nodes, test.reads, test.searches)
			}
			if _, kept := r.fits.of(np, blue, []drain.NodeRef{{Name: "old-1"}}, now); test.searches && !kept {
				t.Error("what was searched for is not kept")
			}
		})
	}
}
