package aso

import (
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// Options are the settings of the stand-in.
type Options struct {
	// Azure says where Azure is and how to get there. The identities come from the Secrets that objects name.
	Azure azcore.ClientOptions
	// Keeper keeps resources in Azure as their objects say.
	Keeper *resource.Keeper
	// Retry is the time until what waits for something else, such as an object without its owner, is looked at again.
	Retry time.Duration
	// Sync is the time after which status is taken from Azure again although nothing changed.
	Sync time.Duration
}

// Add adds one controller for each kind, which reacts to what Azure Service Operator's react to (internal/reconcilers/predicates.go):
// specs, deletions, and the annotations that say how an object is to be treated.
func Add(manager ctrl.Manager, options Options) error {
	credentials := &credentials{client: manager.GetClient(), azure: options.Azure}
	for _, kind := range asospec.Kinds() {
		err := ctrl.NewControllerManagedBy(manager).
			Named("aso-"+kind.Plural).
			For(newObject(kind), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
			Complete(&reconciler{
				client: manager.GetClient(), credentials: credentials, keeper: options.Keeper, kind: kind,
				retry: options.Retry, sync: options.Sync, now: time.Now,
			})
		if err != nil {
			return fmt.Errorf("add the controller of %s: %w", kind.Kind, err)
		}
	}
	return nil
}
