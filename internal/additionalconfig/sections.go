package additionalconfig

import (
	"github.com/fleetwright/fleetwright/internal/additionalconfig/autoscaler"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/maintenance"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/registries"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/roleassignments"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
)

// Sections is the one list of sections, in the order in which they are told of.
var Sections = []section.Section{
	registries.Section,
	roleassignments.Section,
	autoscaler.Section,
	maintenance.Section,
}
