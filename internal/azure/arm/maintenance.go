package arm

import (
	"context"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

const (
	maintenanceOf      = "Microsoft.ContainerService/managedClusters"
	maintenanceType    = maintenanceOf + "/maintenanceConfigurations"
	maintenanceVersion = "2025-10-01"
)

// MaintenanceConfiguration reads one of the planned maintenance configurations of a cluster with one GET. Errors are refusals; Gone means
// that the cluster has none of this name, or does not exist.
func (c *Client) MaintenanceConfiguration(ctx context.Context, managedClusterID, name string) (armcontainerservice.MaintenanceConfiguration, error) {
	return c.maintenance(ctx, "read", http.MethodGet, managedClusterID, name, nil)
}

// WriteMaintenanceConfiguration makes or replaces one with one PUT, and returns what Azure has then. Errors are refusals; Gone means that
// there is no such cluster. A Passing one may have had its effect.
func (c *Client) WriteMaintenanceConfiguration(
	ctx context.Context, managedClusterID, name string, wanted armcontainerservice.MaintenanceConfiguration,
) (armcontainerservice.MaintenanceConfiguration, error) {
	return c.maintenance(ctx, "write", http.MethodPut, managedClusterID, name, wanted)
}

// DeleteMaintenanceConfiguration deletes one. One that is not there is deleted, and so is one of a cluster that is not there.
func (c *Client) DeleteMaintenanceConfiguration(ctx context.Context, managedClusterID, name string) error {
	_, err := c.maintenance(ctx, "delete", http.MethodDelete, managedClusterID, name, nil)
	if refusal.Is(err, refusal.Gone) {
		return nil
	}
	return err
}

func (c *Client) maintenance(ctx context.Context, verb, method, managedClusterID, name string, body any) (out armcontainerservice.MaintenanceConfiguration, err error) {
	doing := fmt.Sprintf("%s maintenance configuration %s", verb, name)
	cluster, err := parse(managedClusterID, maintenanceOf)
	if err != nil {
		return out, fmt.Errorf("%s: %w", doing, err)
	}
	path := managedClusterID + "/maintenanceConfigurations/" + name
	err = c.resource(ctx, doing+" of cluster "+cluster.Name, request{
		method: method, path: path, version: maintenanceVersion, body: body, needs: right{maintenanceType + "/" + verb, path},
	}, &out)
	return out, err
}
