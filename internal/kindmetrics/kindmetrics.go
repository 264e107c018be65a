// Package kindmetrics are the metrics that every kind has: what was done for its objects, what became of their drifts, and the conditions
// they report.
package kindmetrics

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// none is what the plans of all kinds call an action that does nothing.
const none = "None"

// Actions count what was done for the objects of a kind.
type Actions struct{ *prometheus.CounterVec }

// NewActions makes the counter, with the labels action and result.
func NewActions(name, help string) Actions {
	return Actions{prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"action", "result"})}
}

// Count counts an action, and whether it failed.
func (a Actions) Count(action string, err error) {
	switch {
	case action == none:
	case err != nil:
		a.WithLabelValues(action, "error").Inc()
	default:
		a.WithLabelValues(action, "ok").Inc()
	}
}

// NewDrifts makes a counter of drifts, with the label outcome.
func NewDrifts(name, help string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"outcome"})
}

// Object is of a kind that reports conditions.
type Object interface {
	client.Object
	GetConditions() []metav1.Condition
}

// Conditions is 1 for the present status of each condition of each object of a kind. It reads them at the moment of the scrape, from the
// cache, so that no series outlives its object.
type Conditions[O Object] struct {
	Reader client.Reader
	// Name is the metric's, and Kind what its help text calls an object.
	Name, Kind string
	// List is an empty list of the kind.
	List client.ObjectList
	// Cluster is the label cluster of an object; nil for a kind whose objects are called as their cluster, and have no such label.
	Cluster func(O) string
}

// Describe implements prometheus.Collector.
func (c Conditions[O]) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc() }

func (c Conditions[O]) desc() *prometheus.Desc {
	labels := []string{"namespace", "name", "cluster", "condition", "status", "reason"}
	if c.Cluster == nil {
		labels = slices.Delete(labels, 2, 3)
	}
	return prometheus.NewDesc(c.Name, "1 for the present status of each condition of each "+c.Kind+".", labels, nil)
}

// Collect implements prometheus.Collector.
func (c Conditions[O]) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	desc, list := c.desc(), c.List.DeepCopyObject().(client.ObjectList)
	err := c.Reader.List(ctx, list)
	if err == nil {
		err = meta.EachListItem(list, func(item runtime.Object) error {
			object := item.(O)
			whose := []string{object.GetNamespace(), object.GetName()}
			if c.Cluster != nil {
				whose = append(whose, c.Cluster(object))
			}
			for _, cond := range object.GetConditions() {
				ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, slices.Concat(whose, []string{cond.Type, string(cond.Status), cond.Reason})...)
			}
			return nil
		})
	}
	if err != nil {
		ch <- prometheus.NewInvalidMetric(desc, err)
	}
}

// Register adds collectors to those that the manager serves.
func Register(collectors ...prometheus.Collector) error {
	for _, c := range collectors {
		if err := metrics.Registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}
