package workloadcluster

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// lookWith looks with a client that does something else.
func (s *stage) lookWith(funcs interceptor.Funcs) error {
	s.t.Helper()
	object := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "c"}}
	_, err := s.newReconciler(interceptor.NewClient(server, funcs)).Reconcile(s.t.Context(), object)
	return err
}

// afterTheLook does something once between the look and what it leads to: when the WorkloadCluster is read for the second time.
func (s *stage) afterTheLook(do func()) error {
	s.t.Helper()
	reads := 0
	return s.lookWith(interceptor.Funcs{Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if _, is := o.(*fleetwrightv1.WorkloadCluster); is {
			if reads++; reads == 2 {
				do()
			}
		}
		return w.Get(ctx, key, o, opts...)
	}})
}

// What somebody does a moment before counts: a Freeze, another wish, and that an object is not ours any more.
func TestAMomentBefore(t *testing.T) {
	for name, test := range map[string]struct {
		do    func(s *stage)
		stays bool
	}{
		"nothing happens": {do: func(*stage) {}},
		"a Freeze": {stays: true, do: func(s *stage) {
			s.create(&fleetwrightv1.Freeze{
				ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "f"}, Spec: fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "NonDisruptive", Reason: "x"},
			})
		}},
		"the pool comes back": {stays: true, do: func(s *stage) {
			s.change(func(w *fleetwrightv1.WorkloadCluster) {
				general := w.Spec.Nodepools[0]
				general.Name = "general"
				w.Spec.Nodepools = append(w.Spec.Nodepools, general)
			})
		}},
		"somebody lets go of the pool": {stays: true, do: func(s *stage) {
			edit(s, &fleetwrightv1.Nodepool{}, "c-general", func(np *fleetwrightv1.Nodepool) { delete(np.Labels, fleetwrightv1.LabelWorkloadCluster) })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, "moment-"+strings.ToLower(strings.ReplaceAll(name, " ", "-")))
			s.ready(managed)
			s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Nodepools = w.Spec.Nodepools[:1] })
			if err := s.afterTheLook(func() { test.do(s) }); err != nil {
				t.Fatal(err)
			}
			if s.get(&fleetwrightv1.Nodepool{}, "c-general") != test.stays {
				t.Errorf("the pool is there: %t", !test.stays)
			}
		})
	}
}

// Nothing is taken away from a Cluster that cannot be deleted: it serves.
func TestAClusterThatCannotBeDeleted(t *testing.T) {
	s := newStage(t, "refused")
	s.ready(aso)
	s.delete()
	err := s.lookWith(interceptor.Funcs{Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
		if _, is := o.(*clusterv1.Cluster); is {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "clusters"}, "c", nil)
		}
		return w.Delete(ctx, o, opts...)
	}})
	if !apierrors.IsForbidden(err) {
		t.Errorf("it ended with %v", err)
	}
	for _, o := range []client.Object{&fleetwrightv1.AzureClusterAdditionalConfig{}, &fleetwrightv1.AddressClaim{}} {
		if !s.get(o, "c") || o.GetDeletionTimestamp() != nil {
			t.Errorf("%T was taken away", o)
		}
	}
	if m := s.message("Deleting"); !strings.Contains(m, "forbidden") {
		t.Errorf("it says %s", m)
	}
}

// A namesake that was made a moment ago, and that the cache has not heard of, comes first if it is older.
func TestARivalThatTheCacheDoesNotKnow(t *testing.T) {
	first, second := newStage(t, "rival-a"), newStage(t, "rival-b")
	first.apply(strings.ReplaceAll(small(managed), "NAMESPACE", "rival"))
	second.apply(strings.ReplaceAll(small(managed), "NAMESPACE", "rival"))
	older, younger := first, second
	if !before(first.object(), second.object()) {
		older, younger = second, first
	}
	object := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: younger.namespace, Name: "c"}}
	r := younger.reconciler
	r.Client = interceptor.NewClient(server, interceptor.Funcs{List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if _, is := list.(*fleetwrightv1.WorkloadClusterList); is {
			return nil
		}
		return w.List(ctx, list, opts...)
	}})
	if _, err := r.Reconcile(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if younger.get(&fleetwrightv1.AddressClaim{}, "c") {
		t.Error("both have begun")
	}
	older.settle()
	if !older.get(&fleetwrightv1.AddressClaim{}, "c") {
		t.Error("none has begun")
	}
}
