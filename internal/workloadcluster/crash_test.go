package workloadcluster

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var errKilled = errors.New("the process was killed here")

// counting is the API server as a process sees it that is killed after some writes: nothing is written any more.
type counting struct {
	client.Client
	writes, reads, killAfter int
}

func newCounting(killAfter int) *counting {
	c := &counting{killAfter: killAfter}
	write := func() error {
		if c.killAfter >= 0 && c.writes >= c.killAfter {
			return errKilled
		}
		c.writes++
		return nil
	}
	c.Client = interceptor.NewClient(server, interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			c.reads++
			return w.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			c.reads++
			return w.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if err := write(); err != nil {
				return err
			}
			return w.Create(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if err := write(); err != nil {
				return err
			}
			return w.Patch(ctx, o, patch, opts...)
		},
		Apply: func(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if err := write(); err != nil {
				return err
			}
			return w.Apply(ctx, o, opts...)
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if err := write(); err != nil {
				return err
			}
			return w.Delete(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			if err := write(); err != nil {
				return err
			}
			return c.SubResource(sub).Patch(ctx, o, patch, opts...)
		},
	})
	return c
}

// killed looks with a process that is killed after so many writes; false when it had fewer to do.
func (s *stage) killed(after int) bool {
	c := newCounting(after)
	object := &fleetwrightv1.WorkloadCluster{}
	object.Namespace, object.Name = s.namespace, "c"
	_, err := s.newReconciler(c).Reconcile(s.t.Context(), object)
	if err != nil && !errors.Is(err, errKilled) {
		s.t.Fatal(err)
	}
	return c.writes == after && err != nil
}

// Wherever a process ends, the next one comes to the same end: while everything is made, and while everything is taken away.
func TestRestartAfterEachWrite(t *testing.T) {
	for after := range 12 {
		s := newStage(t, fmt.Sprintf("crash-%d", after))
		s.apply(small(aso))
		s.killed(min(after, 1))
		s.settle()
		s.bound(network...)
		more := s.killed(after)
		s.expect("everything is made", with(made(aso),
			"Ready False InfrastructureNotReady", "Available False NotReachable", "UpToDate False NotCreated",
			"InfrastructureReady False Provisioning", "ControlPlaneReady False Provisioning",
			"NodepoolsReady Unknown NotReported", "RoleAssignmentsReady Unknown NotReported", "AutoscalerReady Unknown NotReported")...)
		s.clusterServes(aso, "v1.33.6")
		s.settle()
		s.poolReady("c-system", "v1.33.6")
		s.poolReady("c-general", "v1.33.6")
		s.configReady()
		s.expect("it is ready", with(made(aso), "Ready True Ready")...)
		s.delete()
		s.killed(after)
		s.settle()
		s.removed(aso)
		s.expect("the end", "it is gone")
		if !more && after < 6 {
			t.Errorf("there are only %d writes to be cut off at", after)
		}
	}
}

// A cluster that was cut off before its Cluster was made leaves nothing when it is deleted then.
func TestDeletedBetweenTwoWrites(t *testing.T) {
	s := newStage(t, "leftover")
	s.apply(small(aso))
	s.settle()
	s.bound(network...)
	if !s.killed(2) {
		t.Fatal("it was not cut off")
	}
	if !s.get(infra(aso, "Cluster"), "c") || s.get(infra(aso, "ControlPlane"), "c") && s.clusterThere() {
		t.Fatalf("there is %q", s.seen())
	}
	s.delete()
	s.expect("the end", "it is gone")
}

// At rest a look writes nothing, and asks past the cache for the WorkloadCluster and its namespace only.
func TestRequestsAtRest(t *testing.T) {
	s := newStage(t, "rest")
	s.ready(aso)
	c, live := newCounting(0), newCounting(0)
	r := s.newReconciler(c)
	r.Live = live
	object := &fleetwrightv1.WorkloadCluster{}
	object.Namespace, object.Name = s.namespace, "c"
	result, err := r.Reconcile(t.Context(), object)
	if err != nil {
		t.Fatal(err)
	}
	if live.reads != 2 || c.writes != 0 || live.writes != 0 || result.RequeueAfter != 0 {
		t.Errorf("%d reads past the cache, %d writes, again after %s", live.reads, c.writes, result.RequeueAfter)
	}
}
