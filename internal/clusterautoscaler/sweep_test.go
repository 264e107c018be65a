package clusterautoscaler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// heard is what sweeps are told, about the stage's cluster.
type heard struct {
	s   *stage
	all []string
}

func (h *heard) Looked(id string, at time.Time, outcome sweep.Outcome) {
	h.note(id, string(outcome), at.Equal(h.s.clock.Now()))
}

func (h *heard) Later(id string, until time.Time) {
	h.note(id, "later "+until.Sub(h.s.clock.Now()).String(), true)
}

func (h *heard) Forget(id string) { h.note(id, "forgotten", true) }

func (h *heard) note(id, what string, now bool) {
	if !strings.EqualFold(id, h.s.id()) || !now {
		what = id + ": " + what
	}
	h.all = append(h.all, what)
}

// TestSweepsHearOfEachLook, also of one that Azure, or a right that is missing, lets come to nothing.
func TestSweepsHearOfEachLook(t *testing.T) {
	denied := &refusal.Error{Kind: refusal.Denied, Doing: "it"}
	s := newStage(t, managedKind, byARM)
	h := &heard{s: s}
	s.reconciler.Watch = h
	hears := func(says string, want ...string) {
		t.Helper()
		h.all = nil
		s.says(says)
		if !slices.Equal(h.all, want) {
			t.Errorf("%s: heard %q, want %q", says, h.all, want)
		}
	}
	s.says("False Unconfirmed")
	hears("True Applied", "AsDeclared")
	s.azure.values["expander"] = "most-pods"
	s.azure.err = denied
	hears("False PermissionDenied", "later 10m0s")
	s.azure.err, s.azure.getErr = nil, denied
	hears("False PermissionDenied", "later 10m0s")
	s.azure.getErr = nil
	hears("False Unconfirmed: written to Azure", "Healed")
	hears("True Applied", "AsDeclared")
	s.change(byARM + "\ndriftPolicy: Report")
	s.azure.values["expander"] = "most-pods"
	hears("False Drifted", "Standing")
	// It is left to the sweeps.
	if again, err := s.reconcile(); err != nil || again != restWithSweeps {
		t.Errorf("looks again in %s, %v", again, err)
	}
	s.azure.values["expander"] = "least-waste"
	hears("True Applied", "AsDeclared")
	s.delete()
	hears("gone", "forgotten")
}
