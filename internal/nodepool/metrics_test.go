package nodepool

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// cache is a reader of these Nodepools.
type cache struct {
	client.Reader
	items []fleetwrightv1.Nodepool
}

func (c *cache) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*fleetwrightv1.NodepoolList).Items = c.items
	return nil
}

// scrape returns all series of the drain's metrics, in order.
func scrape(t *testing.T, c prometheus.Collector) (series []string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if strings.HasPrefix(f.GetName(), "fleetwright_drain_") {
				series = append(series, f.GetName()+" "+strings.ReplaceAll(m.String(), "  ", " "))
			}
		}
	}
	return series
}

func owing(name string) fleetwrightv1.Nodepool {
	np := fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: "prod-eu", Name: name}, Spec: fleetwrightv1.NodepoolSpec{ClusterName: "prod-eu-1"}}
	np.Status.DrainDebt, _ = debtAfter(fleetwrightv1.DrainDebt{}, looks(0, 10*time.Minute, cart(0))...)
	np.Status.Replacement.Blockers = []fleetwrightv1.DrainBlocker{blockerStatus(cart(0)), blockerStatus(bare("debug", 0))}
	return np
}

func TestDebtIsScraped(t *testing.T) {
	const cartLabels = `label:{name:"budget" value:"cart"} label:{name:"cluster" value:"prod-eu-1"} label:{name:"name" value:"a"} label:{name:"namespace" value:"prod-eu"} ` +
		`label:{name:"reason" value:"PodDisruptionBudget"} label:{name:"workload" value:"Deployment/cart"} label:{name:"workload_namespace" value:"shop"} `
	debugLabels := strings.NewReplacer(`"budget" value:"cart"`, `"budget" value:""`, "PodDisruptionBudget", "UnmanagedPod", "Deployment/cart", "Pod/debug").Replace(cartLabels)
	elected := make(chan struct{})
	reader := &cache{items: []fleetwrightv1.Nodepool{owing("a")}}
	collector := debtCollector{reader, elected}
	if got := scrape(t, collector); got != nil {
		t.Errorf("a process that does not lead tells of debt: %v", got)
	}
	close(elected)
	want := []string{
		"fleetwright_drain_blocked_pods " + cartLabels + "gauge:{value:3}",
		"fleetwright_drain_debt_seconds_total " + debugLabels + "counter:{value:0}",
		"fleetwright_drain_debt_seconds_total " + cartLabels + "counter:{value:600}",
	}
	if diff := cmp.Diff(want, scrape(t, collector)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// What a person writes into a status must not cost the scrape.
	twice := &reader.items[0].Status.DrainDebt
	twice.Workloads = append(twice.Workloads, twice.Workloads[0])
	if diff := cmp.Diff(want, scrape(t, collector)); diff != "" {
		t.Errorf("with an entry that is there twice, -want +got:\n%s", diff)
	}
	if reader.items = nil; scrape(t, collector) != nil {
		t.Errorf("series of a Nodepool that is gone: %v", scrape(t, collector))
	}
}
