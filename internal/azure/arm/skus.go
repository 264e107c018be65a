package arm

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/capacity"
)

const skuVersion = "2021-07-01"

// sku is one machine type of a place, as far as it is used. The zero sku is one that is not offered.
type sku struct {
	offered         bool
	family          string
	vCPUs, cacheGiB int32
	ephemeral       bool
	// zones are those that have it; closed those of them, and whole that all of them, are closed to the subscription,
	// with the reasons.
	zones  []string
	closed map[string]string
	whole  string
}

// listedSKU is a machine type, or another kind of thing, as the list has it.
type listedSKU struct {
	ResourceType string `json:"resourceType"`
	Name         string `json:"name"`
	Family       string `json:"family"`
	LocationInfo []struct {
		Zones []string `json:"zones"`
	} `json:"locationInfo"`
	Capabilities []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"capabilities"`
	Restrictions []struct {
		Type            string `json:"type"`
		ReasonCode      string `json:"reasonCode"`
		RestrictionInfo struct {
			Zones []string `json:"zones"`
		} `json:"restrictionInfo"`
	} `json:"restrictions"`
}

// skusOf are the machine types of a place by name in lower case.
func (c *Client) skusOf(ctx context.Context, p place) (map[string]sku, error) {
	return c.skus.get(ctx, p.key(), time.Time{}, func(ctx context.Context) (map[string]sku, error) {
		listed, err := list[listedSKU](ctx, c, "read the machine types of "+p.location, collection{
			path:    "/subscriptions/" + url.PathEscape(p.subscription) + "/providers/Microsoft.Compute/skus",
			version: skuVersion, filter: "location eq '" + p.location + "'",
			needs: right{"Microsoft.Compute/skus/read", "/subscriptions/" + p.subscription},
		})
		if err != nil {
			return nil, err
		}
		byName := make(map[string]sku, len(listed))
		for _, l := range listed {
			if strings.EqualFold(l.ResourceType, "virtualMachines") {
				byName[strings.ToLower(l.Name)] = l.sku()
			}
		}
		return byName, nil
	})
}

func (l listedSKU) sku() sku {
	s := sku{offered: true, family: l.Family, closed: map[string]string{}}
	for _, info := range l.LocationInfo {
		s.zones = append(s.zones, info.Zones...)
	}
	for _, c := range l.Capabilities {
		switch c.Name {
		case "vCPUs":
			n, _ := strconv.ParseInt(c.Value, 10, 32) // 0 is "Azure does not say"
			s.vCPUs = int32(n)
		case "EphemeralOSDiskSupported":
			s.ephemeral = strings.EqualFold(c.Value, "true")
		case "CachedDiskBytes":
			n, _ := strconv.ParseInt(c.Value, 10, 64)
			s.cacheGiB = int32(n >> 30)
		}
	}
	for _, r := range l.Restrictions {
		if !strings.EqualFold(r.Type, "Zone") {
			s.whole = r.ReasonCode
			continue
		}
		for _, zone := range r.RestrictionInfo.Zones {
			s.closed[zone] = r.ReasonCode
		}
	}
	return s
}

// forPool is the machine type as a pool with these zones sees it.
func (s sku) forPool(q capacity.Query) capacity.SKU {
	out := capacity.SKU{
		Known: true, Offered: s.offered, Family: s.family, VCPUs: s.vCPUs, Restricted: s.whole,
		EphemeralOSDisk: s.ephemeral, CacheGiB: s.cacheGiB,
	}
	if !s.offered || s.whole != "" {
		return out
	}
	for _, zone := range q.Zones {
		why, closed := s.closed[zone]
		if !closed && slices.Contains(s.zones, zone) {
			continue
		}
		out.ZonesMissing = append(out.ZonesMissing, zone)
		if closed {
			out.ZonesWhy = why
		}
	}
	slices.Sort(out.ZonesMissing)
	return out
}
