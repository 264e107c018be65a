package sim_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

func TestRequestsOfBadForm(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) { s.Subscriptions = []string{subscription} })
	a.makeCluster()
	token := a.token()
	groups := "/subscriptions/" + subscription + "/resourceGroups"
	for name, test := range map[string]struct {
		method, path, body, token string
		status                    int
		code                      string
	}{
		"no token":             {path: groups + "?api-version=2021-04-01", token: "-", status: 401, code: "InvalidAuthenticationToken"},
		"foreign token":        {path: groups + "?api-version=2021-04-01", token: "e30.e30.e30", status: 401, code: "InvalidAuthenticationToken"},
		"no api-version":       {path: groups, status: 400, code: "MissingApiVersionParameter"},
		"unknown api-version":  {path: groups + "?api-version=1999-01-01", status: 400, code: "NoRegisteredProviderFound"},
		"malformed id":         {path: "/subscriptions//resourceGroups?api-version=2021-04-01", status: 400, code: "InvalidRequestUri"},
		"malformed GUID":       {path: "/subscriptions/me/resourceGroups?api-version=2021-04-01", status: 400, code: "InvalidSubscriptionId"},
		"unknown subscription": {path: "/subscriptions/" + tenant + "/resourceGroups?api-version=2021-04-01", status: 404, code: "SubscriptionNotFound"},
		"unknown type":         {path: groups + "/g/providers/Microsoft.Storage/storageAccounts/a?api-version=2021-04-01", status: 501, code: "NotSimulated"},
		"unknown action":       {method: "POST", path: clusterPath(cluster) + "/stop?api-version=2025-10-01", status: 501, code: "NotSimulated"},
		"extension of a pool":  {path: clusterPath(cluster) + "/providers/Microsoft.Network/virtualNetworks/x?api-version=2025-05-01", status: 501, code: "NotSimulated"},
		"not JSON":             {method: "PUT", path: groups + "/g?api-version=2021-04-01", body: "location: westeurope", status: 400, code: "InvalidRequestContent"},
		"properties a list":    {method: "PUT", path: groups + "/g?api-version=2021-04-01", body: `{"properties": []}`, status: 400, code: "InvalidRequestContent"},
		"count a string": {method: "PUT", path: clusterPath(cluster) + "/agentPools/p?api-version=2025-10-01", status: 400, code: "InvalidRequestContent",
			body: `{"properties": {"count": "3", "vmSize": "Standard_D4s_v5"}}`},
		"no location":      {method: "PUT", path: clusterPath("x") + "?api-version=2025-10-01", body: `{"properties": {}}`, status: 400, code: "LocationRequired"},
		"unknown location": {method: "PUT", path: clusterPath("x") + "?api-version=2025-10-01", body: `{"location": "mars"}`, status: 400, code: "LocationNotAvailableForResourceType"},
		"moved":            {method: "PUT", path: clusterPath(cluster) + "?api-version=2025-10-01", body: `{"location": "eastus"}`, status: 409, code: "InvalidResourceLocation"},
		"pool of nothing":  {method: "PUT", path: clusterPath("x") + "/agentPools/p?api-version=2025-10-01", body: `{}`, status: 404, code: "ParentResourceNotFound"},
		"list of nothing":  {path: clusterPath("x") + "/agentPools?api-version=2025-10-01", status: 404, code: "ResourceNotFound"},
		"unknown operation": {path: "/subscriptions/" + subscription + "/providers/Microsoft.ContainerService/locations/westeurope/operations/" + tenant + "?api-version=2025-10-01",
			status: 404, code: "NotFound"},
		"admin in ARM's clothes": {path: "/subscriptions/simulator/faults", status: 400, code: "MissingApiVersionParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.method == "" {
				test.method = "GET"
			}
			if test.token == "" {
				test.token = token
			}
			var answer struct {
				Error struct{ Code, Message string }
			}
			status := a.raw(test.method, test.path, test.body, strings.TrimPrefix(test.token, "-"), &answer)
			if status != test.status || answer.Error.Code != test.code || answer.Error.Message == "" {
				t.Errorf("answered %d %+v, want %d %s", status, answer.Error, test.status, test.code)
			}
		})
	}
}

func TestTokensExpire(t *testing.T) {
	a := newAzure(t)
	token := a.token()
	a.clock.Step(25 * time.Hour)
	var answer struct{ Error struct{ Code string } }
	if status := a.raw("GET", "/subscriptions/"+subscription+"/resourceGroups?api-version=2021-04-01", "", token, &answer); status != 401 || answer.Error.Code != "ExpiredAuthenticationToken" {
		t.Errorf("answered %d %+v", status, answer)
	}
}

func TestIDsIgnoreLetterCaseAndAreAnsweredAsCreated(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	got, err := a.clusters.Get(t.Context(), strings.ToUpper(group), strings.ToUpper(cluster), nil)
	if err != nil || *got.ID != clusterID || *got.Name != cluster || *got.Type != "Microsoft.ContainerService/managedClusters" {
		t.Errorf("cluster: %v %v", got.ID, err)
	}
	p, err := a.pools.BeginCreateOrUpdate(t.Context(), strings.ToLower(group), strings.ToUpper(cluster), "blue", userPool("Standard_D4s_v5", 1), nil)
	if created := done(a, p, err); *created.ID != clusterID+"/agentPools/blue" {
		t.Errorf("pool: %s", *created.ID)
	}
	var all []string
	for pager := a.clusters.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Value {
			all = append(all, *c.ID)
		}
	}
	if len(all) != 1 || all[0] != clusterID {
		t.Errorf("clusters of the subscription: %v", all)
	}
}

func TestETags(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	first := a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	second := a.mustPutPool("blue", userPool("Standard_D4s_v5", 2))
	if *first.Properties.ETag == *second.Properties.ETag {
		t.Fatalf("ETag stays %s over a change", *first.Properties.ETag)
	}
	_, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 3),
		&aks.AgentPoolsClientBeginCreateOrUpdateOptions{IfMatch: first.Properties.ETag})
	wantCode(t, err, http.StatusPreconditionFailed, "PreconditionFailed", "If-Match")
	_, err = a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 3),
		&aks.AgentPoolsClientBeginCreateOrUpdateOptions{IfNoneMatch: to.Ptr("*")})
	wantCode(t, err, http.StatusPreconditionFailed, "PreconditionFailed", "If-None-Match")
	_, err = a.pools.BeginDelete(t.Context(), group, cluster, "blue", &aks.AgentPoolsClientBeginDeleteOptions{IfMatch: first.Properties.ETag})
	wantCode(t, err, http.StatusPreconditionFailed, "PreconditionFailed", "If-Match")
	p, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 3),
		&aks.AgentPoolsClientBeginCreateOrUpdateOptions{IfMatch: second.Properties.ETag})
	done(a, p, err)
	got, err := a.clusters.Get(t.Context(), group, cluster, nil)
	if err != nil || got.ETag == nil {
		t.Errorf("cluster has no ETag: %v", err)
	}
}

// TestProxyIsTheWayForClientsWithoutASetting plays CAPZ: an SDK client of the public cloud whose only setting is
// HTTPS_PROXY and a trusted certificate.
func TestProxyIsTheWayForClientsWithoutASetting(t *testing.T) {
	a := newAzure(t)
	hc := a.proxied()
	options := policy.ClientOptions{Cloud: cloud.AzurePublic, Transport: hc, Retry: policy.RetryOptions{MaxRetries: -1}}
	credential, err := azidentity.NewClientSecretCredential(tenant, client, "x", &azidentity.ClientSecretCredentialOptions{ClientOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	a.sdk.Options.ClientOptions, a.sdk.Credential = options, credential
	groups := build(a, armresources.NewResourceGroupsClient)
	if _, err := groups.CreateOrUpdate(t.Context(), group, armresources.ResourceGroup{Location: to.Ptr(location)}, nil); err != nil {
		t.Fatal(err)
	}
	a.clusters = build(a, aks.NewManagedClustersClient)
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	done(a, p, err) // the operation is polled through the proxy too
}

func (a *azure) proxied() *http.Client {
	a.t.Helper()
	direct, err := simclient.Transport(a.server.CAFile())
	if err != nil {
		a.t.Fatal(err)
	}
	proxy, err := url.Parse(a.server.ProxyURL())
	if err != nil {
		a.t.Fatal(err)
	}
	transport, ok := direct.Transport.(*http.Transport)
	if !ok {
		a.t.Fatalf("transport is a %T", direct.Transport)
	}
	transport.Proxy = http.ProxyURL(proxy)
	a.t.Cleanup(transport.CloseIdleConnections)
	return direct
}

func TestProxyRefusesEveryOtherHost(t *testing.T) {
	a := newAzure(t)
	hc := a.proxied()
	for _, target := range []string{
		"https://example.com/", "http://example.com/", "https://management.azure.com:8443/", "https://management.azure.com.evil.test/",
		"https://a.b.management.azure.com/", "https://127.0.0.1/",
	} {
		resp, err := hc.Get(target)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusForbidden && strings.HasPrefix(target, "http:") {
				continue
			}
			t.Errorf("%s is answered %d", target, resp.StatusCode)
		} else if !strings.Contains(err.Error(), "Forbidden") {
			t.Errorf("%s fails with %v, want Forbidden", target, err)
		}
	}
	// The admin endpoint is not to be had through the proxy: that host is Azure's.
	resp, err := hc.Get("https://management.azure.com/simulator/settings")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if raw, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("admin through the proxy is answered %d %s", resp.StatusCode, raw)
	}
}

func TestOnlyItsOwnCertificateAuthorityIsNeeded(t *testing.T) {
	a := newAzure(t)
	_, err := (&http.Client{Transport: &http.Transport{}}).Get(a.server.URL())
	if _, unknown := errors.AsType[*tls.CertificateVerificationError](err); !unknown {
		t.Errorf("a client without the CA gets %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	a := newAzure(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := sim.Start(ctx, sim.Options{Dir: t.TempDir(), Kubernetes: a.world})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	s.Close() // returns, though the context ended first
	s.Close()
}
