package capi

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestIdentitiesOfAManagedCluster: what Azure Service Operator tells of a cluster names both identities, made by Azure or given to it.
func TestIdentitiesOfAManagedCluster(t *testing.T) {
	kubelet := map[string]any{"kubeletidentity": map[string]any{"objectId": "kubelet", "clientId": "other"}}
	for name, test := range map[string]struct {
		status                map[string]any
		kubelet, controlPlane string
	}{
		"none yet":       {map[string]any{}, "", ""},
		"made by Azure":  {map[string]any{"identityProfile": kubelet, "identity": map[string]any{"principalId": "plane"}}, "kubelet", "plane"},
		"given to it":    {map[string]any{"identity": map[string]any{"userAssignedIdentities": map[string]any{"/subscriptions/s/x.y": map[string]any{"principalId": "mine", "clientId": "other"}}}}, "", "mine"},
		"given, not yet": {map[string]any{"identity": map[string]any{"userAssignedIdentities": map[string]any{"/subscriptions/s/x": map[string]any{}}}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			plane := objectOf(asoManagedControlPlane, "mc", map[string]any{})
			var c Cluster
			AzureASOManaged{}.ReadControlPlane(&c, plane, &unstructured.Unstructured{Object: map[string]any{"status": test.status}})
			if c.KubeletIdentity != test.kubelet || c.ControlPlaneIdentity != test.controlPlane {
				t.Errorf("kubelet %q, control plane %q", c.KubeletIdentity, c.ControlPlaneIdentity)
			}
		})
	}
}
