package preflight

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// PinnedVolume is a volume of a pod to move that exists in one zone only, or on one node only. Volumes that several
// zones can mount do not pin and are not listed.
type PinnedVolume struct {
	Pod      types.NamespacedName
	Workload Workload
	// Claim is the PersistentVolumeClaim's name, in the pod's namespace; Volume the PersistentVolume's.
	Claim  string
	Volume string
	// Node is set if the volume is local to a node: the data cannot move, and the pod cannot start elsewhere.
	Node string
	// Zone is where a replacement of the pod must run. With Node empty, an empty Zone means nodes outside of zones.
	Zone string
}

func (v PinnedVolume) local() bool { return v.Node != "" }

// zoneLabels are the labels of nodes that volumes are pinned by, the most telling first: the Azure disk driver's own
// is empty on nodes outside of zones, where the general ones may hold the number of a fault domain.
var zoneLabels = []string{"topology.disk.csi.azure.com/zone", "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"}

// ZoneOf returns the zone of a node with the labels, in the form of Report.ZonesNeeded; "" is outside of zones.
func ZoneOf(labels map[string]string) string {
	for _, label := range zoneLabels {
		if zone, ok := labels[label]; ok {
			return zone
		}
	}
	return ""
}

// pinnedVolumes lists what cannot move at all first.
func (l *look) pinnedVolumes() []PinnedVolume {
	volumes := map[string]Volume{}
	for _, v := range l.Volumes {
		volumes[v.Name] = v
	}
	claims := map[claimKey]Claim{}
	for _, c := range l.Claims {
		claims[claimKey{c.Namespace, c.Name}] = c
	}
	var pinned []PinnedVolume
	for _, p := range l.pods {
		if p.stays() {
			continue
		}
		for _, name := range p.facts.Claims {
			volume := volumes[claims[claimKey{p.Namespace, name}].Volume]
			pin := PinnedVolume{Pod: p.Key(), Workload: p.workload, Claim: name, Volume: volume.Name}
			switch {
			case volume.Local:
				pin.Node = p.Node
			case len(volume.Zones) == 1:
				pin.Zone = volume.Zones[0]
			default:
				continue
			}
			pinned = append(pinned, pin)
		}
	}
	slices.SortFunc(pinned, func(a, b PinnedVolume) int {
		return cmp.Or(
			trueFirst(a.local(), b.local()), cmp.Compare(a.Zone, b.Zone),
			cmp.Compare(a.Pod.Namespace, b.Pod.Namespace), cmp.Compare(a.Pod.Name, b.Pod.Name), cmp.Compare(a.Claim, b.Claim),
		)
	})
	return pinned
}

// zonesNeeded counts each pod once in a zone, however many volumes it has there.
func zonesNeeded(pinned []PinnedVolume) map[string]int {
	type podInZone struct {
		pod  types.NamespacedName
		zone string
	}
	counted := map[podInZone]bool{}
	zones := map[string]int{}
	for _, v := range pinned {
		if key := (podInZone{v.Pod, v.Zone}); !v.local() && !counted[key] {
			counted[key] = true
			zones[v.Zone]++
		}
	}
	return zones
}
