package arm

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/armid"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
)

const (
	computeVersion = "2025-04-01"
	networkVersion = "2025-05-01"

	subnetType = "Microsoft.Network/virtualNetworks/subnets"

	// Names of quotas that are not of a family. Spot machines count against theirs alone.
	regionQuota = "cores"
	spotQuota   = "lowPriorityCores"
)

// usage is a counted limit, of quotas and of subnets.
type usage struct {
	ID           string  `json:"id"`
	CurrentValue float64 `json:"currentValue"`
	Limit        float64 `json:"limit"`
	Name         struct {
		Value          string `json:"value"`
		LocalizedValue string `json:"localizedValue"`
	} `json:"name"`
}

// quotasOf are the quotas of a place by name in lower case.
func (c *Client) quotasOf(ctx context.Context, p place, since time.Time) (map[string]capacity.Quota, error) {
	return c.quotas.get(ctx, p.key(), since, func(ctx context.Context) (map[string]capacity.Quota, error) {
		scope := "/subscriptions/" + p.subscription
		usages, err := list[usage](ctx, c, "read the quotas of "+p.location, collection{
			path:    "/subscriptions/" + url.PathEscape(p.subscription) + "/providers/Microsoft.Compute/locations/" + p.location + "/usages",
			version: computeVersion, needs: right{"Microsoft.Compute/locations/usages/read", scope},
		})
		if err != nil {
			return nil, err
		}
		byName := make(map[string]capacity.Quota, len(usages))
		for _, u := range usages {
			byName[strings.ToLower(u.Name.Value)] = capacity.Quota{Name: u.Name.LocalizedValue, Limit: int64(u.Limit), Used: int64(u.CurrentValue)}
		}
		return byName, nil
	})
}

// counted are the quotas that nodes of a pool count against.
func counted(q capacity.Query, s capacity.SKU, quotas map[string]capacity.Quota) capacity.Quotas {
	names := []string{regionQuota, s.Family}
	if q.Spot {
		names = []string{spotQuota}
	}
	out := capacity.Quotas{Known: true}
	for _, name := range names {
		if quota, found := quotas[strings.ToLower(name)]; found {
			out.Of = append(out.Of, quota)
		}
	}
	return out
}

// space is the room in a subnet; usable is negative where Azure does not count it.
type space struct{ usable, used int64 }

// spacesOf is the room in each subnet of a network, by the key of the subnet's id. The network's usages are asked and not
// the subnet itself: that lists each address by a long id, megabytes for a large subnet.
func (c *Client) spacesOf(ctx context.Context, networkID string, since time.Time) (map[string]space, error) {
	return c.spaces.get(ctx, strings.ToLower(networkID), since, func(ctx context.Context) (map[string]space, error) {
		usages, err := list[usage](ctx, c, "count the addresses of network "+networkID[strings.LastIndexByte(networkID, '/')+1:], collection{
			path: networkID + "/usages", version: networkVersion, needs: right{"Microsoft.Network/virtualNetworks/usages/read", networkID},
		})
		if err != nil {
			return nil, err
		}
		out := make(map[string]space, len(usages))
		for _, u := range usages {
			id, err := armid.Parse(u.ID)
			if err != nil {
				return nil, fmt.Errorf("count the addresses of network %s: %w", networkID, err)
			}
			out[id.Key()] = space{usable: int64(u.Limit), used: int64(u.CurrentValue)}
		}
		return out, nil
	})
}
