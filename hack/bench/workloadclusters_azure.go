package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

// azureLook is how often the simulator's requests are read; it keeps the newest 5,000.
const azureLook = 2 * time.Second

// azure is the simulated Azure of a stack, as its administrator and the owner of a registry see it.
type azure struct {
	url    string
	client *simclient.Client

	mu sync.Mutex
	// asked counts requests by who and method; seen are those that were counted last, at the time until.
	asked counts
	until time.Time
	seen  map[azureRequest]int
}

// throttled counts the requests that were refused with 429, whoever sent them.
const throttled = "429"

// azureRequest is what is needed of the simulator's log.
type azureRequest struct {
	Time      time.Time `json:"time"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Status    int       `json:"status"`
	UserAgent string    `json:"userAgent"`
}

func (s *stackProcess) azure() (*azure, error) {
	client, err := simclient.New(s.record.Azure, filepath.Join(s.dir, "azure", "ca.pem"), simclient.Identity{
		TenantID: tenant, ClientID: "66666666-6666-6666-6666-666666666666", ClientSecret: "not-a-secret",
	})
	if err != nil {
		return nil, err
	}
	return &azure{url: s.record.Azure, client: client, asked: counts{}, seen: map[azureRequest]int{}}, nil
}

// createRegistry makes the registry that all clusters may pull from.
func (a *azure) createRegistry(ctx context.Context) error {
	for _, resource := range []struct{ id, version, body string }{
		{registryGroup, "2021-04-01", `{"location": "westeurope"}`},
		{registryID, "2023-07-01", `{"location": "westeurope", "sku": {"name": "Standard"}}`},
	} {
		if _, err := a.call(ctx, http.MethodPut, resource.id+"?api-version="+resource.version, resource.body); err != nil {
			return err
		}
	}
	return nil
}

// call asks as the registry's owner, or, of the administration, as anybody.
func (a *azure) call(ctx context.Context, method, path, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the simulated Azure: %w", err)
	}
	if !strings.HasPrefix(path, "/simulator/") {
		token, err := a.client.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
		if err != nil {
			return nil, fmt.Errorf("sign in to the simulated Azure: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+token.Token)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Options.Transport.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the simulated Azure: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		return nil, errors.Join(fmt.Errorf("%s %s: %s %s", method, path, response.Status, answer), err)
	}
	return answer, nil
}

// count reads what came to the log since it was last read.
func (a *azure) count(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, err := a.call(ctx, http.MethodGet, "/simulator/requests?since="+url.QueryEscape(a.until.Format(time.RFC3339Nano)), "")
	if err != nil {
		return err
	}
	var page struct {
		Requests []azureRequest `json:"requests"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return fmt.Errorf("read the simulator's requests: %w", err)
	}
	a.take(page.Requests)
	return nil
}

// take counts the requests of a page that begins with those of the time until, which were counted already. Requests are told apart by all that
// the log says of them.
func (a *azure) take(page []azureRequest) {
	again := a.seen
	for _, r := range page {
		if again[r] > 0 {
			again[r]--
			continue
		}
		if r.Time.After(a.until) {
			a.until, a.seen = r.Time, map[azureRequest]int{}
		}
		a.asked.add(askedBy(r), r.Method, 1)
		if r.Status == http.StatusTooManyRequests {
			a.asked.add(throttled, r.Method, 1)
		}
	}
	a.seen = map[azureRequest]int{}
	for _, r := range page {
		if r.Time.Equal(a.until) {
			a.seen[r]++
		}
	}
}

// askedBy tells who sent a request. Tokens are asked for by all alike.
func askedBy(r azureRequest) string {
	switch {
	case strings.HasPrefix(r.UserAgent, "fleetwright"):
		return byOperator
	case strings.Contains(r.Path, "/oauth2/"):
		return "tokens"
	default:
		return byCAPZ
	}
}

func (a *azure) counted() counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked.minus(nil)
}

// follow counts until ctx ends.
func (a *azure) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.count(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		_ = pause(ctx, azureLook)
	}
	return nil
}

// networks are the address spaces of all virtual networks there are.
func (a *azure) networks(ctx context.Context) ([]netip.Prefix, error) {
	answer, err := a.call(ctx, http.MethodGet, "/simulator/resources", "")
	if err != nil {
		return nil, err
	}
	var resources []struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	if err := json.Unmarshal(answer, &resources); err != nil {
		return nil, fmt.Errorf("read the simulator's resources: %w", err)
	}
	var out []netip.Prefix
	for _, r := range resources {
		if !strings.EqualFold(r.Type, "Microsoft.Network/virtualNetworks") {
			continue
		}
		answer, err := a.call(ctx, http.MethodGet, r.ID+"?api-version=2024-05-01", "")
		if err != nil {
			return nil, err
		}
		var network struct {
			Properties struct {
				AddressSpace struct {
					AddressPrefixes []netip.Prefix `json:"addressPrefixes"`
				} `json:"addressSpace"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(answer, &network); err != nil {
			return nil, fmt.Errorf("read network %s: %w", r.ID, err)
		}
		out = append(out, network.Properties.AddressSpace.AddressPrefixes...)
	}
	return out, nil
}

// overlap returns two of the networks that have addresses in common.
func overlap(networks []netip.Prefix) (one, other netip.Prefix, found bool) {
	sorted := slices.Clone(networks)
	slices.SortFunc(sorted, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	for i := 1; i < len(sorted); i++ {
		for _, before := range sorted[:i] {
			if before.Overlaps(sorted[i]) {
				return before, sorted[i], true
			}
		}
	}
	return one, other, false
}
