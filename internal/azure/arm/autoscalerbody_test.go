package arm

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

// oneCluster answers every GET with the same cluster and keeps the PUT.
type oneCluster struct {
	answer string
	put    map[string]any
	match  string
}

func (o *oneCluster) Do(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		o.match = r.Header.Get("If-Match")
		if err := json.NewDecoder(r.Body).Decode(&o.put); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(o.answer))}, nil
}

// What is sent back is what came, without what only Azure writes, on the condition that it is still so.
func TestTheWholeClusterIsSentBack(t *testing.T) {
	server := &oneCluster{answer: `{
		"id": "/s", "name": "shop", "type": "t", "eTag": "e7", "systemData": {"lastModifiedBy": "user@shop.example", "lastModifiedAt": "2026-11-26T12:00:00.5Z"},
		"location": "westeurope", "tags": {"a": "b"}, "sku": {"name": "Base"}, "newTopLevel": {"x": 1},
		"identity": {"type": "UserAssigned", "principalId": "p", "tenantId": "t", "userAssignedIdentities": {"/i": {"clientId": "c", "principalId": "p"}}},
		"properties": {
			"provisioningState": "Succeeded", "powerState": {"code": "Running"}, "fqdn": "f", "currentKubernetesVersion": "1.34.2", "maxAgentPools": 100, "resourceUID": "u",
			"kubernetesVersion": "1.34.2", "newSetting": {"deep": [1, 2.5, true, null]}, "agentPoolProfiles": [{"name": "a", "provisioningState": "Succeeded", "count": 3}],
			"autoScalerProfile": {"expander": "random", "scan-interval": "10s", "a-newer-setting": "kept", "ignore-daemonsets-utilization": false}
		}}`}
	c, err := newClient(Options{}, policy.ClientOptions{Transport: server}, anyToken{}, who{})
	if err != nil {
		t.Fatal(err)
	}
	const id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/shop"
	wrote, err := c.WriteAutoscalerProfile(t.Context(), id, autoscalerprofile.Values{"expander": "priority", "ignore-daemonsets-utilization": "true"}, []string{"scan-interval"})
	if err != nil || !wrote {
		t.Fatalf("wrote %t, %v", wrote, err)
	}
	if server.match != "e7" {
		t.Errorf("If-Match is %q", server.match)
	}
	want := map[string]any{
		"location": "westeurope", "tags": map[string]any{"a": "b"}, "sku": map[string]any{"name": "Base"}, "newTopLevel": map[string]any{"x": 1.0},
		"identity": map[string]any{"type": "UserAssigned", "userAssignedIdentities": map[string]any{"/i": map[string]any{}}},
		"properties": map[string]any{
			"kubernetesVersion": "1.34.2", "newSetting": map[string]any{"deep": []any{1.0, 2.5, true, nil}},
			"autoScalerProfile": map[string]any{"expander": "priority", "a-newer-setting": "kept", "ignore-daemonsets-utilization": true},
		},
	}
	if diff := cmp.Diff(want, server.put); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	got, err := c.AutoscalerProfile(t.Context(), id)
	if err != nil || got.ChangedBy != "user@shop.example" || got.ChangedAt.Second() != 0 || got.ChangedAt.IsZero() || got.Busy != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
