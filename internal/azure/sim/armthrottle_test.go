package sim_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/entra"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

// headers sends a request and gives its status, the code of its error and its headers. Host may name a region of ARM.
func (a *azure) headers(method, path, token, host string) (status int, code string, header http.Header) {
	a.t.Helper()
	hc, err := simclient.Transport(a.server.CAFile())
	if err != nil {
		a.t.Fatal(err)
	}
	defer hc.CloseIdleConnections()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.server.URL()+path, http.NoBody)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Host = host
	resp, err := hc.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("x-ms-error-code"), resp.Header
}

func TestARMThrottling(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.ARMThrottling = sim.ARMThrottling{
			Enabled: true, Reads: sim.Bucket{Size: 3, PerSecond: 0.5}, Writes: sim.Bucket{Size: 1, PerSecond: 1}, Deletes: sim.Bucket{Size: 1},
		}
	})
	const (
		groups   = "/subscriptions/" + subscription + "/resourceGroups?api-version=2021-04-01"
		groups2  = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups?api-version=2021-04-01"
		reads    = "x-ms-ratelimit-remaining-subscription-reads"
		westHost = "westeurope.management.azure.com"
	)
	mine, theirs := a.token(), a.tokenOf(other)
	for _, left := range []string{"2", "1", "0"} {
		if status, _, h := a.headers("GET", groups, mine, ""); status != http.StatusOK || h.Get(reads) != left {
			t.Errorf("%d, %s left, want %s", status, h.Get(reads), left)
		}
	}
	status, code, h := a.headers("GET", groups, mine, "")
	if status != http.StatusTooManyRequests || code != "SubscriptionRequestsThrottled" || h.Get("Retry-After") != "2" {
		t.Errorf("a fourth: %d %s %v", status, code, h)
	}
	var got answer
	a.raw("GET", groups, "", mine, &got)
	if want := "Number of 'read' requests for subscription '" + subscription + "' actor '" + entra.ObjectID(client) + "' exceeded. Please try again after '2' seconds."; got.Error.Message != want {
		t.Errorf("message %q, want %q", got.Error.Message, want)
	}
	for name, test := range map[string]struct {
		method, path, token, host, header, left string
	}{
		"another principal":    {"GET", groups, theirs, "", reads, "2"},
		"another subscription": {"GET", groups2, mine, "", reads, "2"},
		"another region":       {"GET", groups, mine, westHost, reads, "2"},
		"a deletion":           {"DELETE", registry + registryVersion, mine, "", "x-ms-ratelimit-remaining-subscription-deletes", "0"},
		"the tenant":           {"GET", "/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01", mine, "", "x-ms-ratelimit-remaining-tenant-reads", "2"},
	} {
		if status, _, h := a.headers(test.method, test.path, test.token, test.host); status >= 400 || h.Get(test.header) != test.left {
			t.Errorf("%s: %d, %s %q left", name, status, test.header, h.Get(test.header))
		}
	}
	if _, code, _ := a.headers("DELETE", registry+registryVersion, mine, ""); code != "SubscriptionRequestsThrottled" {
		t.Errorf("a second deletion: %s", code)
	}
	a.clock.Step(2 * time.Second)
	if status, _, h := a.headers("GET", groups, mine, ""); status != http.StatusOK || h.Get(reads) != "0" {
		t.Errorf("two seconds later: %d, %s left", status, h.Get(reads))
	}
	if _, code, _ := a.headers("DELETE", registry+registryVersion, mine, ""); code != "SubscriptionRequestsThrottled" {
		t.Errorf("a second deletion where no tokens come back: %s", code)
	}
	if got := a.query("resources | count"); got.status != http.StatusOK {
		t.Errorf("a query: %d", got.status)
	}
}

// TestARMThrottlesAllTogether: many principals share 15 times what one of them has.
func TestARMThrottlesAllTogether(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.ARMThrottling = sim.ARMThrottling{Enabled: true, Reads: sim.Bucket{Size: 1}}
	})
	const groups = "/subscriptions/" + subscription + "/resourceGroups?api-version=2021-04-01"
	for n := range 16 {
		status, _, h := a.headers("GET", groups, a.tokenOf(strings.Replace(other, "66666666", strconv.Itoa(10000000+n), 1)), "")
		if left := h.Get("x-ms-ratelimit-remaining-subscription-global-reads"); n < 15 && (status != http.StatusOK || left != strconv.Itoa(14-n)) {
			t.Errorf("principal %d: %d, %s left", n, status, left)
		}
		if n == 15 && status != http.StatusTooManyRequests {
			t.Errorf("principal %d: %d", n, status)
		}
	}
}
