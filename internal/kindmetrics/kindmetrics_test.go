package kindmetrics_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

// cache is a reader of these objects, which stand for those of any kind.
type cache struct {
	client.Reader
	items []fleetwrightv1.Nodepool
	err   error
}

func (c cache) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*fleetwrightv1.NodepoolList).Items = c.items
	return c.err
}

func scrape(t *testing.T, c prometheus.Collector) (series []string, err error) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	for _, f := range families {
		for _, m := range f.GetMetric() {
			line := []string{f.GetName()}
			for _, l := range m.GetLabel() {
				line = append(line, l.GetName()+"="+l.GetValue())
			}
			series = append(series, strings.Join(line, " "))
		}
	}
	return series, err
}

func TestConditions(t *testing.T) {
	object := fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: "prod-eu", Name: "a"}, Spec: fleetwrightv1.NodepoolSpec{ClusterName: "prod-eu-1"}}
	object.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "R"}, {Type: "Paused", Status: "False", Reason: "P"}}
	c := kindmetrics.Conditions[*fleetwrightv1.Nodepool]{
		Reader: cache{items: []fleetwrightv1.Nodepool{object}}, Name: "some_condition", Kind: "Nodepool", List: &fleetwrightv1.NodepoolList{},
		Cluster: func(np *fleetwrightv1.Nodepool) string { return np.Spec.ClusterName },
	}
	want := []string{
		"some_condition cluster=prod-eu-1 condition=Paused name=a namespace=prod-eu reason=P status=False",
		"some_condition cluster=prod-eu-1 condition=Ready name=a namespace=prod-eu reason=R status=True",
	}
	got, err := scrape(t, c)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	c.Cluster = nil
	got, err = scrape(t, c)
	if len(got) != 2 || strings.Contains(got[0], "cluster=") || err != nil {
		t.Errorf("without a cluster: %v, %v", got, err)
	}
	c.Reader = cache{err: errors.New("no cache")}
	if got, err = scrape(t, c); got != nil || err == nil {
		t.Errorf("without a cache: %v, %v", got, err)
	}
}

func TestActions(t *testing.T) {
	actions := kindmetrics.NewActions("some_actions_total", "Actions.")
	actions.Count("None", nil)
	actions.Count("None", errors.New("x"))
	actions.Count("Write", nil)
	actions.Count("Write", errors.New("x"))
	got, err := scrape(t, actions)
	if diff := cmp.Diff([]string{"some_actions_total action=Write result=error", "some_actions_total action=Write result=ok"}, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}
