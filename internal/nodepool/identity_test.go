package nodepool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// failsFor is an Azure to which there is no way for a cluster.
type failsFor struct{ err error }

func (f failsFor) For(context.Context, capi.Cluster) (Azure, error) { return nil, f.err }

// Where single machines cannot be taken away because of the cluster's identity, the
// Nodepool says which field of which object is why. An identity that just could not
// be read stops nothing: the shift begins, and the error is one that passes.
func TestIdentityThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const message = "AzureClusterIdentity infra/fleet: spec.allowedNamespaces does not allow namespace team-a: add it to spec.allowedNamespaces.list"
	for name, tc := range map[string]struct {
		err     error
		says    string
		creates bool
	}{
		"refused":  {&identity.Refusal{Reason: identity.NotAllowed, Message: message}, "for which the operator has no credentials: " + message, false},
		"none":     {nil, "for which the operator has no credentials", false},
		"not read": {errors.New("the API server is not well"), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := tales["shifted-in-stages"].begin(t)
			a.op.reconciler.Azure = failsFor{tc.err}
			before := len(a.agentPools)
			a.change(machine("D8"))
			for range 8 {
				// An error is what it is to answer where the identity could not be read.
				if _, err := a.op.reconciler.lookAt(t.Context(), a.key()); err != nil && !errors.Is(err, tc.err) {
					t.Fatal(err)
				}
				a.op.drainOnce(a.key())
				a.pass(3 * time.Second)
				a.step()
			}
			said := slices.ContainsFunc(a.get("general").Status.Conditions, func(c metav1.Condition) bool { return strings.Contains(c.Message, tc.says) })
			if !said {
				t.Errorf("no condition says %q: %+v", tc.says, a.get("general").Status.Conditions)
			}
			if created := len(a.agentPools) > before; created != tc.creates {
				t.Errorf("a pool was made: %v", created)
			}
		})
	}
}
