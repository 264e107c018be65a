package arm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/armid"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

var _ capacity.Source = (*Client)(nil)

// place is where machines are bought. location is written as ARM writes it.
type place struct{ subscription, location string }

func (p place) key() string { return strings.ToLower(p.subscription) + "/" + p.location }

var validLocation = regexp.MustCompile(`^[a-z0-9]+$`)

func placeOf(q capacity.Query) (place, error) {
	location := strings.ToLower(strings.ReplaceAll(q.Location, " ", ""))
	switch {
	case q.SubscriptionID == "":
		return place{}, errors.New("ask Azure for capacity: the subscription is missing")
	case !validLocation.MatchString(location):
		return place{}, fmt.Errorf("ask Azure for capacity: location %q is not the name of a region", q.Location)
	case q.MachineType == "":
		return place{}, errors.New("ask Azure for capacity: the machine type is missing")
	}
	return place{q.SubscriptionID, location}, nil
}

// Capacity answers what Azure has for a pool; see [capacity.Source] for how errors and unknown parts go together.
func (c *Client) Capacity(ctx context.Context, q capacity.Query) (capacity.Answer, error) {
	where, err := placeOf(q)
	if err != nil {
		return capacity.Answer{}, err
	}
	var (
		all    sync.WaitGroup
		types  part[map[string]sku]
		quotas part[map[string]capacity.Quota]
	)
	subnets := make([]subnetPart, len(q.Subnets()))
	all.Go(func() { types = partOf(c.skusOf(ctx, where)) })
	all.Go(func() { quotas = partOf(c.quotasOf(ctx, where, q.Since)) })
	for i, id := range q.Subnets() {
		all.Go(func() { subnets[i] = c.subnet(ctx, id, q.Since) })
	}
	all.Wait()
	answer := capacity.Answer{SKU: capacity.SKU{Known: types.known, Why: types.why}, Quotas: capacity.Quotas{Known: quotas.known, Why: quotas.why}}
	if types.known {
		answer.SKU = types.value[strings.ToLower(q.MachineType)].forPool(q)
	}
	if quotas.known {
		answer.Quotas = counted(q, answer.SKU, quotas.value)
	}
	failed := []error{types.err, quotas.err}
	for _, s := range subnets {
		answer.Subnets = append(answer.Subnets, s.Subnet)
		failed = append(failed, s.err)
	}
	return answer, errors.Join(failed...)
}

// part is what was read for a part of an answer: known, or unknown and why. err is set where asking again may help.
type part[V any] struct {
	value V
	known bool
	why   string
	err   error
}

func partOf[V any](value V, err error) part[V] {
	if err == nil {
		return part[V]{value: value, known: true}
	}
	p := part[V]{why: err.Error()}
	if r, sorted := refusal.Of(err); !sorted || r.Kind == refusal.Passing || r.Kind == refusal.Busy {
		p.err = err
	}
	return p
}

type subnetPart struct {
	capacity.Subnet
	err error
}

// subnet is the room in one subnet of the query.
func (c *Client) subnet(ctx context.Context, id string, since time.Time) subnetPart {
	out := subnetPart{Subnet: capacity.Subnet{ID: id}}
	parsed, err := parse(id, subnetType)
	if err != nil {
		out.Why = err.Error()
		return out
	}
	p := partOf(c.spacesOf(ctx, parsed.Parent.String(), since))
	out.Why, out.err = p.why, p.err
	if !p.known {
		return out
	}
	valid, _ := armid.Parse(id) // parse has taken it
	s, found := p.value[valid.Key()]
	switch {
	case !found:
		out.Why = fmt.Sprintf("network %s has no subnet %s", parsed.Parent.Name, parsed.Name)
	case s.usable < 0:
		out.Why = fmt.Sprintf("Azure does not count the addresses of subnet %s", parsed.Name)
	default:
		out.Known, out.Usable, out.Used = true, s.usable, s.used
	}
	return out
}
