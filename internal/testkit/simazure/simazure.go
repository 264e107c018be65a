// Package simazure gives tests of controllers a simulated Azure: ours to ask over HTTPS with the real client, and somebody else's to
// change. It has the objects of a cluster in it, too.
package simazure

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

const (
	// SubscriptionID is the one subscription.
	SubscriptionID = "00000000-0000-0000-0000-000000000001"
	// OurID is the application that Fleetwright is in Azure, and OthersID that of somebody else.
	OurID, OthersID = "44444444-4444-4444-4444-444444444444", "99999999-9999-9999-9999-999999999999"
	tenant          = "33333333-3333-3333-3333-333333333333"
)

// GroupID is the id of a resource group.
func GroupID(name string) string {
	return "/subscriptions/" + SubscriptionID + "/resourceGroups/" + name
}

// ClusterID is the id of an AKS cluster.
func ClusterID(group, name string) string {
	return GroupID(group) + "/providers/Microsoft.ContainerService/managedClusters/" + name
}

// Azure is a simulator in which nothing takes time.
type Azure struct {
	*sim.Server
	// Others is the SDK in the hands of somebody else.
	Others *simclient.Client
	t      *testing.T
}

// Start starts one that ends with the test, with this clock; nil is the real one.
func Start(t *testing.T, clock clock.Clock) *Azure {
	t.Helper()
	settings := sim.DefaultSettings()
	settings.Durations = sim.Durations{}
	server, err := sim.Start(t.Context(), sim.Options{Dir: t.TempDir(), Kubernetes: nobody{}, Settings: &settings, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	others, err := simclient.New(server.URL(), server.CAFile(), simclient.Identity{TenantID: tenant, ClientID: OthersID, ClientSecret: "x"})
	if err != nil {
		t.Fatal(err)
	}
	return &Azure{Server: server, Others: others, t: t}
}

// Connect makes the real client, by the service principal of the environment, with this clock; nil is the real one.
func (a *Azure) Connect(clock clock.PassiveClock, change ...func(*arm.Options)) *arm.Client {
	a.t.Helper()
	for name, value := range map[string]string{
		"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": OurID, "AZURE_CLIENT_SECRET": "never-to-be-seen", "AZURE_FEDERATED_TOKEN_FILE": "",
	} {
		a.t.Setenv(name, value)
	}
	options := arm.Options{
		ResourceManagerEndpoint: a.URL(), ResourceManagerAudience: simclient.Audience, AuthorityHost: a.URL() + "/", CAFile: a.CAFile(), Clock: clock,
	}
	for _, c := range change {
		c(&options)
	}
	c, err := arm.New(options)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// Ours are the requests of the real client so far.
func (a *Azure) Ours() []sim.Request {
	var ours []sim.Request
	for _, r := range a.Requests() {
		if strings.HasPrefix(r.UserAgent, "fleetwright") {
			ours = append(ours, r)
		}
	}
	return ours
}

// Fault answers some of the real client's requests by a script.
func (a *Azure) Fault(f sim.Fault) {
	a.t.Helper()
	f.UserAgent = "^fleetwright"
	if _, err := a.AddFault(f); err != nil {
		a.t.Fatal(err)
	}
}

// MakeCluster makes a resource group with an AKS cluster in it.
func (a *Azure) MakeCluster(group, name string) {
	a.t.Helper()
	a.Request(http.MethodPut, GroupID(group), "2021-04-01", `{"location": "westeurope"}`)
	a.Request(http.MethodPut, ClusterID(group, name), "2025-10-01", `{"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"dnsPrefix": "prod",
		"agentPoolProfiles": [{"name": "sys", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5", "osType": "Linux"}]}}`)
}

// Request does something as somebody else, waits in real time while the simulator is busy, and returns the answer.
func (a *Azure) Request(method, path, version, body string) string {
	a.t.Helper()
	token, err := a.Others.Credential.GetToken(a.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		a.t.Fatal(err)
	}
	said := ""
	err = wait.PollUntilContextTimeout(a.t.Context(), 2*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, method, a.URL()+path+"?api-version="+version, strings.NewReader(body))
		if err != nil {
			return false, err
		}
		request.Header.Set("Authorization", "Bearer "+token.Token)
		if body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		response, err := a.Others.Options.Transport.Do(request)
		if err != nil {
			return false, err
		}
		raw, err := io.ReadAll(response.Body)
		said = string(raw)
		_ = response.Body.Close()
		return response.StatusCode < http.StatusBadRequest, err
	})
	if err != nil {
		a.t.Fatalf("%s %s: %v (%s)", method, path, err, said)
	}
	return said
}

// nobody is Kubernetes behind simulated clusters: nobody looks at it.
type nobody struct{}

func (nobody) EnsureCluster(context.Context, sim.Cluster) ([]byte, error) {
	return []byte("kubeconfig"), nil
}
func (nobody) DeleteCluster(context.Context, string) error        { return nil }
func (nobody) EnsureNode(context.Context, string, sim.Node) error { return nil }
func (nobody) DeleteNode(context.Context, string, string) error   { return nil }
