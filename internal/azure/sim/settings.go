package sim

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// Settings are what can be changed about a simulated Azure while it runs. Durations are written as "6s" in JSON.
type Settings struct {
	// Durations say how long things take.
	Durations Durations `json:"durations"`
	// Catalog is what the subscriptions offer.
	Catalog catalog.Catalog `json:"catalog"`
	// Throttling turns on the AKS resource provider's request limits. Default off.
	Throttling bool `json:"throttling"`
	// ResourceGraphQuota is how many queries a principal may send to Resource Graph in 5 seconds; 0 means any number. Default 15,
	// as on Azure.
	ResourceGraphQuota int `json:"resourceGraphQuota"`
	// Permissions are rights that principals lack. Default none.
	Permissions Permissions `json:"permissions,omitzero"`
	// MissingImages are images that their registry does not have, as "server/repository" or "server/repository:tag". Registries
	// have all others.
	MissingImages []string `json:"missingImages,omitempty"`
	// ARMThrottling are the request limits of Azure Resource Manager itself. Default off, with the published sizes.
	ARMThrottling ARMThrottling `json:"armThrottling"`
	// Subscriptions are the ids that exist. Empty means every well-formed id does.
	Subscriptions []string `json:"subscriptions,omitempty"`
}

// Durations say how long operations take from the request to their end. A zero duration ends at once. What makes machines
// ends no sooner than they are nodes, see NodeBoot.
type Durations struct {
	// ClusterCreate is a new control plane with its first pools. On Azure 3 to 6 minutes; default 6s.
	ClusterCreate metav1.Duration `json:"clusterCreate"`
	// ClusterUpdate is any change of a cluster but its version. On Azure 1 to 3 minutes; default 2s.
	ClusterUpdate metav1.Duration `json:"clusterUpdate"`
	// ClusterUpgrade is a new control plane version. On Azure 5 to 10 minutes; default 4s.
	ClusterUpgrade metav1.Duration `json:"clusterUpgrade"`
	// ClusterDelete is the removal of a cluster. On Azure 3 to 8 minutes; default 3s.
	ClusterDelete metav1.Duration `json:"clusterDelete"`
	// PoolCreate is a new pool; its machines exist after half of it. On Azure 2 to 5 minutes; default 4s.
	PoolCreate metav1.Duration `json:"poolCreate"`
	// PoolUpdate is a change that replaces no node, such as labels and count. On Azure 1 to 2 minutes; default 2s.
	PoolUpdate metav1.Duration `json:"poolUpdate"`
	// PoolDelete is the removal of a pool; its machines are gone after half of it. On Azure 2 to 6 minutes; default 3s.
	PoolDelete metav1.Duration `json:"poolDelete"`
	// NodeReplace is one node's share of an upgrade in place. On Azure 5 to 10 minutes; default 4s.
	NodeReplace metav1.Duration `json:"nodeReplace"`
	// NodeBoot is the time from a machine's creation to its registration as a node. On Azure 1 to 2 minutes; default 3s.
	NodeBoot metav1.Duration `json:"nodeBoot"`
	// NetworkWrite is a write or removal of a virtual network or subnet. On Azure 2 to 10 seconds; default 500ms.
	NetworkWrite metav1.Duration `json:"networkWrite"`
	// GroupDelete is the removal of a resource group, besides waiting for its clusters. Default 1s.
	GroupDelete metav1.Duration `json:"groupDelete"`
	// PrincipalReplication is how long a fresh identity gives PrincipalNotFound in a role assignment that does not
	// name its principalType. On Azure up to some minutes; default 0.
	PrincipalReplication metav1.Duration `json:"principalReplication"`
	// RolePropagation is how long a new role assignment has no effect yet. On Azure up to 10 minutes; default 0.
	RolePropagation metav1.Duration `json:"rolePropagation"`
	// ResourceGraphLag is how late Resource Graph is. On Azure usually below a minute, at times many; default 0.
	ResourceGraphLag metav1.Duration `json:"resourceGraphLag"`
	// ActivityLogLag is how late the activity log is. On Azure some minutes; default 0.
	ActivityLogLag metav1.Duration `json:"activityLogLag"`
	// RetryAfter is the interval that running operations ask to be polled at, sent in whole seconds. Default 1s.
	RetryAfter metav1.Duration `json:"retryAfter"`
}

// DefaultSettings are quick durations, the default catalog and no throttling.
func DefaultSettings() Settings {
	return Settings{
		Durations: Durations{
			ClusterCreate:  seconds(6),
			ClusterUpdate:  seconds(2),
			ClusterUpgrade: seconds(4),
			ClusterDelete:  seconds(3),
			PoolCreate:     seconds(4),
			PoolUpdate:     seconds(2),
			PoolDelete:     seconds(3),
			NodeReplace:    seconds(4),
			NodeBoot:       seconds(3),
			NetworkWrite:   metav1.Duration{Duration: 500 * time.Millisecond},
			GroupDelete:    seconds(1),
			RetryAfter:     seconds(1),
		},
		Catalog:            catalog.Default(),
		ARMThrottling:      defaultARMThrottling(),
		ResourceGraphQuota: 15,
	}
}

func seconds(n int) metav1.Duration { return metav1.Duration{Duration: time.Duration(n) * time.Second} }
