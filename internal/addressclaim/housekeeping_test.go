package addressclaim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A claim that has its ranges is bound, also while it cannot tidy; one that has none is not.
func TestHousekeepingThatFails(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	a, late := s.claim("prod", s.from("vnet", "corp", 20)), s.claim("late", s.from("vnet", "corp", 20))
	s.expect(a, "it is bound", fine)
	s.reconciler.Client = interceptor.NewClient(server, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			if _, is := o.(*fleetwrightv1.AddressPool); is {
				return errors.New("the server is tired")
			}
			return c.Patch(ctx, o, p, options...)
		},
	})
	for _, test := range []struct {
		a           *fleetwrightv1.AddressClaim
		says, bound string
	}{{a, fine, "vnet 10.64.0.0/20"}, {late, "Ready False Binding", ""}} {
		if _, err := s.reconciler.Reconcile(t.Context(), test.a.DeepCopy()); err == nil || !strings.Contains(err.Error(), "the server is tired") {
			t.Errorf("%s: it is not tried again: %v", test.a.Name, err)
		}
		if got := s.says(test.a); got != test.says || bound(test.a) != test.bound {
			t.Errorf("%s says %s and has %s", test.a.Name, got, bound(test.a))
		}
	}
	s.restart()
	s.expect(a, "it is tidied later", fine)
	if got := s.allocating(pool); got != "" {
		t.Errorf("left is %s", got)
	}
}

// What another claim has left unfinished cannot be finished, and that is nothing to a claim that needs a range now.
func TestOthersThatCannotBeFinished(t *testing.T) {
	s := newStage(t)
	s.pool("corp", "10.64.0.0/16")
	lost := s.claim("lost", s.from("vnet", "corp", 20))
	if err := s.reconciler.writeDown(t.Context(), s.observed(lost)); err != nil {
		t.Fatal(err)
	}
	s.clock.SetTime(s.clock.Now().Add(11 * time.Minute))
	s.reconciler.Client = interceptor.NewClient(server, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			if o.GetName() == "corp-0a400000-20" {
				return errors.New("the server is tired")
			}
			return c.Create(ctx, o, options...)
		},
	})
	a := s.claim("prod", s.from("vnet", "corp", 20))
	s.expect(a, "it is bound", fine, "vnet 10.64.16.0/20")
	s.wantGiven("only its own", "10.64.16.0/20 prod/vnet kept")
}
