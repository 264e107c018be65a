package preflight

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fleetwright/fleetwright/drain"
)

func TestPinnedVolumes(t *testing.T) {
	const disk, general, beta = "topology.disk.csi.azure.com/zone", "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"
	pinned := func(pin PinnedVolume) []PinnedVolume {
		pin.Pod, pin.Workload, pin.Claim, pin.Volume = named("db-0"), db, "data", "pv-data"
		return []PinnedVolume{pin}
	}
	tests := map[string]struct {
		terms []corev1.NodeSelectorTerm
		local bool
		want  []PinnedVolume
		zones map[string]int
	}{
		"a disk in one zone":            {terms: []corev1.NodeSelectorTerm{term(disk, "In", "eu-1")}, want: pinned(PinnedVolume{Zone: "eu-1"}), zones: map[string]int{"eu-1": 1}},
		"by the general label":          {terms: []corev1.NodeSelectorTerm{term(general, "In", "eu-2")}, want: pinned(PinnedVolume{Zone: "eu-2"}), zones: map[string]int{"eu-2": 1}},
		"by the label of old":           {terms: []corev1.NodeSelectorTerm{term(beta, "In", "eu-3")}, want: pinned(PinnedVolume{Zone: "eu-3"}), zones: map[string]int{"eu-3": 1}},
		"a disk outside of zones":       {terms: []corev1.NodeSelectorTerm{term(disk, "In", "")}, want: pinned(PinnedVolume{}), zones: map[string]int{"": 1}},
		"a zone-redundant disk":         {terms: []corev1.NodeSelectorTerm{term(disk, "In", "eu-1"), term(disk, "In", "eu-2"), term(disk, "In", "")}},
		"a share that names its region": {terms: []corev1.NodeSelectorTerm{term("topology.kubernetes.io/region", "In", "eu")}},
		"an alternative without a zone": {terms: []corev1.NodeSelectorTerm{term(disk, "In", "eu-1"), term("kubernetes.io/os", "In", "linux")}},
		"a share":                       {},
		"a local volume":                {local: true, want: pinned(PinnedVolume{Node: "old-1"})},
		"a disk of a node":              {terms: []corev1.NodeSelectorTerm{term("topology.topolvm.io/node", "In", "old-1")}, want: pinned(PinnedVolume{Node: "old-1"})},
		"a disk of a host":              {terms: []corev1.NodeSelectorTerm{term("kubernetes.io/hostname", "In", "old-1")}, want: pinned(PinnedVolume{Node: "old-1"})},
		"a disk of two hosts":           {terms: []corev1.NodeSelectorTerm{term("kubernetes.io/hostname", "In", "old-1", "new-1")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			storage := boundClaim("data", corev1.ReadWriteOnce, test.terms...)
			if test.local {
				storage[0].(*corev1.PersistentVolume).Spec.Local = &corev1.LocalVolumeSource{Path: "/mnt"}
			}
			got := report(t, drain.Policy{}, objects(storage, newPod("db-0", "StatefulSet/db", claim("data")))...)
			check(t, Capped[PinnedVolume]{Items: test.want, Total: len(test.want)}, got.Pinned)
			check(t, test.zones, got.ZonesNeeded)
		})
	}
}

func TestZonesCountPodsAndNotVolumes(t *testing.T) {
	zone := func(name, zone string) []runtime.Object {
		return boundClaim(name, corev1.ReadWriteOnce, term("topology.kubernetes.io/zone", "In", zone))
	}
	ephemeral := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}}}
	}
	got := report(t, drain.Policy{}, objects(
		zone("data-0", "eu-1"), zone("log-0", "eu-1"), zone("data-1", "eu-1"), zone("data-2", "eu-2"), zone("away", "eu-3"), zone("cart-9-scratch", "eu-3"),
		newPod("db-0", "StatefulSet/db", claim("data-0"), claim("log-0")),
		newPod("db-1", "StatefulSet/db", claim("data-1")), newPod("db-2", "StatefulSet/db", claim("data-2")),
		newPod("db-3", "StatefulSet/db", claim("away"), on("new-1")), newPod("db-4", "StatefulSet/db", claim("missing")),
		newPod("db-5", "StatefulSet/db", claim("lost")), boundClaim("lost", corev1.ReadWriteOnce)[1],
		newPod("cart-9", "Deployment/cart", ephemeral),
		daemonSet("log"), newPod("log-1", "DaemonSet/log", claim("away")),
	)...)
	check(t, map[string]int{"eu-1": 2, "eu-2": 1}, got.ZonesNeeded)
	check(t, 4, got.Pinned.Total)
}

func TestZoneOf(t *testing.T) {
	tests := map[string]struct {
		labels map[string]string
		want   string
	}{
		"the disk driver's word counts": {map[string]string{"topology.disk.csi.azure.com/zone": "", "topology.kubernetes.io/zone": "0"}, ""},
		"the general label":             {map[string]string{"topology.kubernetes.io/zone": "eu-1", "failure-domain.beta.kubernetes.io/zone": "x"}, "eu-1"},
		"none":                          {nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, test.want, ZoneOf(test.labels)) })
	}
}
