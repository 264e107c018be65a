package sim

import (
	"net/http"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// putMaintenance makes or changes one of the maintenance configurations of a cluster, at once.
func putMaintenance(c *cloud, r *call) (reply, error) {
	cluster := c.state.Resources[r.path.Parent().Key()]
	if cluster == nil {
		return reply{}, parentNotFound(r.path)
	}
	if cluster.provisioning() == "Deleting" {
		return reply{}, aks.Busy("", "Deleting")
	}
	armjson.DropNulls(r.body)
	sent := armjson.Sub(r.body, "properties")
	if err := aks.CheckMaintenance(r.path.Name(), sent); err != nil {
		return reply{}, err
	}
	current, status := c.find(r), http.StatusOK
	if current == nil {
		status = http.StatusCreated
		current = &resource{ID: cluster.ID + "/maintenanceConfigurations/" + r.path.Name(), Type: typeMaintenance, Created: c.clock.Now(), Body: armjson.Object{}}
	}
	if window := armjson.Get(sent, "maintenanceWindow"); window != nil {
		before := armjson.Get(current.properties(), "maintenanceWindow")
		armjson.Default(window, "utcOffset", "+00:00")
		armjson.Default(window, "startDate", before["startDate"])
		armjson.Default(window, "startDate", c.clock.Now().UTC().Format(time.DateOnly))
	}
	current.Body = armjson.Object{"properties": sent}
	c.store(current)
	return reply{status: status, body: c.show(current)}, nil
}

func deleteMaintenance(c *cloud, r *call) (reply, error) {
	current := c.find(r)
	if current == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	delete(c.state.Resources, current.key())
	c.dirty = true
	return reply{status: http.StatusOK}, nil
}
