package sim

import (
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// applicationType is what kind of principal all callers of the simulator are.
const applicationType = "Application"

// systemTime is how Azure writes times.
const systemTime = "2006-01-02T15:04:05.0000000Z"

// systemData says who made a resource and who wrote it last. Operations of the provider do not count.
type systemData struct {
	CreatedBy  string    `json:"createdBy"`
	CreatedAt  time.Time `json:"createdAt"`
	ModifiedBy string    `json:"modifiedBy"`
	ModifiedAt time.Time `json:"modifiedAt"`
}

// sign notes who writes a resource. Only some types show it: networks, pools and groups do not.
func (c *cloud) sign(r *resource) {
	if c.calling == nil || !slices.Contains([]string{typeCluster, typeMaintenance, typeRegistry}, r.Type) {
		return
	}
	now := c.clock.Now()
	if r.System == nil {
		r.System = &systemData{CreatedBy: c.calling.app, CreatedAt: now}
	}
	r.System.ModifiedBy, r.System.ModifiedAt = c.calling.app, now
}

func (s *systemData) show() armjson.Object {
	return armjson.Object{
		"createdBy": s.CreatedBy, "createdByType": applicationType, "createdAt": s.CreatedAt.UTC().Format(systemTime),
		"lastModifiedBy": s.ModifiedBy, "lastModifiedByType": applicationType, "lastModifiedAt": s.ModifiedAt.UTC().Format(systemTime),
	}
}
