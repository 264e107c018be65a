package arm

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

const writeCluster = clusterType + "/write"

// managedCluster is a cluster as Azure answers it, whole: what we know nothing of goes back as it came.
type managedCluster map[string]any

func (m managedCluster) object(name string) map[string]any {
	object, _ := m[name].(map[string]any)
	return object
}

func text(object map[string]any, name string) string {
	s, _ := object[name].(string)
	return s
}

// AutoscalerProfile reads the autoscaler profile of a cluster with one GET. Errors are refusals.
func (c *Client) AutoscalerProfile(ctx context.Context, managedClusterID string) (autoscalerprofile.InAzure, error) {
	cluster, _, err := c.cluster(ctx, managedClusterID, "read the autoscaler profile of cluster ")
	if err != nil {
		return autoscalerprofile.InAzure{}, err
	}
	return inAzure(cluster), nil
}

// WriteAutoscalerProfile gives settings of the autoscaler profile of a cluster their values, takes others out of it, which gives them
// their defaults, and changes nothing else: it reads the whole cluster and writes it back, on the condition that nobody has written
// meanwhile. Nothing is written where all is so already; it says whether something was. It does not wait for the operation.
//
// Errors are refusals: Busy while the cluster has another operation or when somebody else was first, Passing (which may have had its
// effect), Gone, Denied, Final.
func (c *Client) WriteAutoscalerProfile(ctx context.Context, managedClusterID string, set autoscalerprofile.Values, unset []string) (wrote bool, err error) {
	cluster, name, err := c.cluster(ctx, managedClusterID, "read the autoscaler profile of cluster ")
	if err != nil {
		return false, err
	}
	properties := cluster.object("properties")
	profile, _ := properties["autoScalerProfile"].(map[string]any)
	found := autoscalerprofile.FromTree(profile)
	next := map[string]any{}
	maps.Copy(next, profile)
	changed := false
	for _, key := range autoscalerprofile.Differing(set, found) {
		field, _ := autoscalerprofile.FieldOf(key)
		next[key], changed = field.JSON(set[key]), true
	}
	for _, key := range unset {
		if _, there := next[key]; there {
			delete(next, key)
			changed = true
		}
	}
	if !changed {
		return false, nil
	}
	etag := text(cluster, "eTag")
	body := writable(cluster)
	body.object("properties")["autoScalerProfile"] = next
	return true, c.resource(ctx, "write the autoscaler profile of cluster "+name, request{
		method: http.MethodPut, path: managedClusterID, version: clustersVersion, body: body, ifMatch: etag, needs: right{writeCluster, managedClusterID},
	}, nil)
}

func (c *Client) cluster(ctx context.Context, id, doing string) (cluster managedCluster, name string, err error) {
	parsed, err := parse(id, clusterType)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", doing, err)
	}
	err = c.resource(ctx, doing+parsed.Name, request{method: http.MethodGet, path: id, version: clustersVersion, needs: right{readCluster, id}}, &cluster)
	return cluster, parsed.Name, err
}

// inAzure is what a cluster tells of its profile.
func inAzure(cluster managedCluster) autoscalerprofile.InAzure {
	properties := cluster.object("properties")
	profile, _ := properties["autoScalerProfile"].(map[string]any)
	out := autoscalerprofile.InAzure{Values: autoscalerprofile.FromTree(profile)}
	if state := text(properties, "provisioningState"); !ended(state) {
		out.Busy = "the cluster is " + state
	}
	pools, _ := properties["agentPoolProfiles"].([]any)
	for _, item := range pools {
		pool, _ := item.(map[string]any)
		if state := text(pool, "provisioningState"); !ended(state) && out.Busy == "" {
			out.Busy = fmt.Sprintf("pool %s is %s", text(pool, "name"), state)
		}
	}
	system := cluster.object("systemData")
	out.ChangedBy = text(system, "lastModifiedBy")
	out.ChangedAt, _ = time.Parse(time.RFC3339, text(system, "lastModifiedAt"))
	return out
}

// ended is true for the states in which Azure takes another operation.
func ended(provisioningState string) bool {
	switch provisioningState {
	case "", "Succeeded", "Failed", "Canceled":
		return true
	}
	return false
}

// writable is what is sent back of a cluster: without what only Azure writes, and without pools, which a PUT that does not name them
// leaves alone. With them it would set numbers of nodes that the autoscaler has changed meanwhile.
func writable(cluster managedCluster) managedCluster {
	out := managedCluster{}
	for key, value := range cluster {
		switch key {
		case "id", "name", "type", "eTag", "etag", "systemData":
		case "properties":
			out[key] = without(cluster.object(key), "agentPoolProfiles", "provisioningState", "powerState", "currentKubernetesVersion", "fqdn", "privateFQDN",
				"azurePortalFQDN", "maxAgentPools", "resourceUID", "eTag", "status")
		case "identity":
			identity := without(cluster.object(key), "principalId", "tenantId")
			if users, are := identity["userAssignedIdentities"].(map[string]any); are {
				named := map[string]any{}
				for id := range users {
					named[id] = map[string]any{}
				}
				identity["userAssignedIdentities"] = named
			}
			out[key] = identity
		default:
			out[key] = value
		}
	}
	return out
}

func without(object map[string]any, names ...string) map[string]any {
	out := map[string]any{}
	maps.Copy(out, object)
	for _, name := range names {
		delete(out, name)
	}
	return out
}
