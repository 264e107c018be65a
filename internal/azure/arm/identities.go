package arm

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

const (
	clusterType  = "Microsoft.ContainerService/managedClusters"
	registryType = "Microsoft.ContainerRegistry/registries"
	readCluster  = clusterType + "/read"
	readRegistry = registryType + "/read"
	// clustersVersion is the one of armcontainerservice/v8, registriesVersion that of armcontainerregistry v1.2.
	clustersVersion   = "2025-10-01"
	registriesVersion = "2023-07-01"
)

// IdentitiesOf implements roles.Azure with one GET of the cluster, which is kept once it names both identities.
func (c *Client) IdentitiesOf(ctx context.Context, managedClusterID string, since time.Time) (roles.Identities, error) {
	parsed, err := parse(managedClusterID, clusterType)
	if err != nil {
		return roles.Identities{}, fmt.Errorf("read the identities of a cluster: %w", err)
	}
	key := strings.ToLower(managedClusterID)
	found, err := c.identities.get(ctx, key, since, func(ctx context.Context) (roles.Identities, error) {
		return c.readIdentities(ctx, managedClusterID, "read the identities of cluster "+parsed.Name)
	})
	if err == nil && (found.Kubelet == "" || found.ControlPlane == "") {
		c.identities.drop(key) // it may have them soon
	}
	return found, err
}

func (c *Client) readIdentities(ctx context.Context, managedClusterID, doing string) (roles.Identities, error) {
	type user struct {
		PrincipalID string `json:"principalId"`
		ObjectID    string `json:"objectId"`
	}
	var cluster struct {
		Identity struct {
			PrincipalID string          `json:"principalId"`
			Users       map[string]user `json:"userAssignedIdentities"`
		} `json:"identity"`
		Properties struct {
			Profile map[string]user `json:"identityProfile"`
		} `json:"properties"`
	}
	err := c.resource(ctx, doing, request{
		method: http.MethodGet, path: managedClusterID, version: clustersVersion, needs: right{readCluster, managedClusterID},
	}, &cluster)
	if err != nil {
		return roles.Identities{}, err
	}
	out := roles.Identities{Kubelet: cluster.Properties.Profile["kubeletidentity"].ObjectID, ControlPlane: cluster.Identity.PrincipalID}
	for _, u := range cluster.Identity.Users {
		if out.ControlPlane == "" { // AKS takes one
			out.ControlPlane = u.PrincipalID
		}
	}
	return out, nil
}

// LoginServer implements roles.Azure. It is kept: a registry cannot change it.
func (c *Client) LoginServer(ctx context.Context, registryID string) (string, error) {
	parsed, err := parse(registryID, registryType)
	if err != nil {
		return "", fmt.Errorf("find the login server of a registry: %w", err)
	}
	return c.loginServers.get(ctx, strings.ToLower(registryID), time.Time{}, func(ctx context.Context) (string, error) {
		var registry struct {
			Properties struct {
				LoginServer string `json:"loginServer"`
			} `json:"properties"`
		}
		err := c.resource(ctx, "find the login server of registry "+parsed.Name, request{
			method: http.MethodGet, path: registryID, version: registriesVersion, needs: right{readRegistry, registryID},
		}, &registry)
		return registry.Properties.LoginServer, err
	})
}
