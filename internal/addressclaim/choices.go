package addressclaim

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// choice is a range that was chosen, as annotation fleetwright.io/allocating of its pool has it.
type choice struct {
	Spec fleetwrightv1.AddressAllocationSpec `json:"spec"`
	// Time is when it was chosen.
	Time metav1.Time `json:"time"`

	prefix netip.Prefix
}

// staleAfter is when somebody else finishes a choice. It is far above what a reconcile may take: whoever has chosen is gone, and his claim as
// well, since it would have finished it.
const staleAfter = 10 * time.Minute

// readChoices reads them from the annotation. It is nothing that people write; but who cannot read it must not choose.
func readChoices(text string) (map[string]choice, error) {
	out := map[string]choice{}
	if text == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("annotation %s cannot be read (%w): take it off once all AddressAllocations that it names exist", fleetwrightv1.AnnotationAllocating, err)
	}
	for name, c := range out {
		var err error
		if c.prefix, err = cidr.Parse(c.Spec.CIDR); err != nil {
			return nil, fmt.Errorf("annotation %s, entry %s: %w: take the entry out", fleetwrightv1.AnnotationAllocating, name, err)
		}
		out[name] = c
	}
	return out, nil
}

// writeChoices is the annotation for them; empty for none.
func writeChoices(choices map[string]choice) (string, error) {
	if len(choices) == 0 {
		return "", nil
	}
	text, err := json.Marshal(choices)
	if err != nil {
		return "", fmt.Errorf("write down what was chosen: %w", err)
	}
	return string(text), nil
}

// step is what has to be done with one pool.
type step struct {
	pool types.NamespacedName
	// choices is what the annotation has to say, when write is true.
	choices map[string]choice
	write   bool
	// create are the choices whose allocations are to be made, by the names of these.
	create map[string]choice
}

// add writes a range down that was chosen for the claim.
func (s *step) add(claim types.NamespacedName, name string, p netip.Prefix, now time.Time) string {
	allocation := cidr.AllocationName(s.pool.Name, p)
	s.choices[allocation] = choice{
		Spec: fleetwrightv1.AddressAllocationSpec{
			PoolName: s.pool.Name, CIDR: p.String(),
			Claim: fleetwrightv1.AllocationClaim{Name: claim.Name, Namespace: claim.Namespace, Range: name},
		},
		Time: metav1.NewTime(now), prefix: p,
	}
	s.create[allocation], s.write = s.choices[allocation], true
	return allocation
}

// newStep begins with what is written down, without what is finished, and with what the claim has chosen before and somebody else has got
// meanwhile. Whatever others have left unfinished for long is finished as well.
func newStep(key types.NamespacedName, p pool, claim types.NamespacedName, now time.Time) step {
	out := step{pool: key, choices: map[string]choice{}, create: map[string]choice{}}
	for name, c := range p.choices {
		mine := isOf(c.Spec, claim)
		switch {
		case mine && p.overtaken(name, c):
			out.write = true
		case p.finished(name, c):
			out.write = out.write || mine
		default:
			out.choices[name] = c
			stale := !mine && now.Sub(c.Time.Time) > staleAfter && !p.overtaken(name, c)
			if mine || stale {
				out.create[name] = c
			}
			out.write = out.write || stale // which fails when somebody has finished it meanwhile
		}
	}
	return out
}

// lacks is true when allocations of the claim itself are missing.
func (s step) lacks(claim types.NamespacedName) bool {
	for _, c := range s.create {
		if isOf(c.Spec, claim) {
			return true
		}
	}
	return false
}
