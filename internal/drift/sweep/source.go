package sweep

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Source registers a Target and is what its controller watches:
//
//	builder.WatchesRawSource(sweeper.Source(target))
//
// A thing that looks different waits behind what a person has changed.
func (s *Sweeper) Source(t Target) source.Source {
	return source.Channel(s.Register(t), handler.Funcs{GenericFunc: enqueue})
}

func enqueue(_ context.Context, e event.GenericEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: e.Object.GetNamespace(), Name: e.Object.GetName()}}
	if ordered, is := q.(priorityqueue.PriorityQueue[reconcile.Request]); is {
		low := handler.LowPriority
		ordered.AddWithOpts(priorityqueue.AddOpts{Priority: &low}, request)
		return
	}
	q.Add(request)
}
