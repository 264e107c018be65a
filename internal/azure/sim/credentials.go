package sim

import (
	"encoding/base64"
	"net/http"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

func adminCredential(c *cloud, r *call) (reply, error) {
	cluster, err := c.mustFind(r)
	if err != nil {
		return reply{}, err
	}
	if off, _ := cluster.properties()["disableLocalAccounts"].(bool); off {
		return reply{}, armerr.BadRequest("BadRequest", "Getting static credential is not allowed because this cluster is set to disable local accounts.")
	}
	return c.kubeconfig(cluster, "clusterAdmin")
}

// userCredential answers the same kubeconfig as the admin's: without Entra integration AKS gives an administrator too.
func userCredential(c *cloud, r *call) (reply, error) {
	cluster, err := c.mustFind(r)
	if err != nil {
		return reply{}, err
	}
	return c.kubeconfig(cluster, "clusterUser")
}

func (c *cloud) kubeconfig(cluster *resource, name string) (reply, error) {
	kubeconfig := c.world.kubeconfig(cluster.key())
	if kubeconfig == nil && cluster.provisioning() == "Creating" {
		return reply{}, armerr.NotFound("ControlPlaneNotFound", "Could not find control plane of managed cluster %s. Please wait for it to be provisioned.", cluster.name())
	}
	if kubeconfig == nil {
		e := armerr.New(http.StatusServiceUnavailable, "ServiceUnavailable", "The API server of managed cluster %s is starting.", cluster.name())
		e.RetryAfter = time.Second
		return reply{}, e
	}
	return ok(armjson.Object{"kubeconfigs": []any{armjson.Object{"name": name, "value": base64.StdEncoding.EncodeToString(kubeconfig)}}}), nil
}
