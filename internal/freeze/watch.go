package freeze

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// InReach finds, for a watch of Freezes, all objects of a list's kind that a Freeze may be about. Which they are depends on their
// Clusters' labels, and to ask one more is cheap.
func InReach(cache client.Reader, managerNamespace string, kind client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, freeze client.Object) []reconcile.Request {
		where := client.InNamespace(freeze.GetNamespace())
		if freeze.GetNamespace() == managerNamespace {
			where = client.InNamespace("")
		}
		return ownobject.Requests(ctx, cache, kind, where)
	}
}
