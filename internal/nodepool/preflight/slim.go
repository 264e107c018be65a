package preflight

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const safeToEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict"

func factsOf(pod *corev1.Pod) PodFacts {
	f := PodFacts{
		Pod: types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, UID: pod.UID,
		Selectors: selectorsOf(pod), NotSafeToEvict: pod.Annotations[safeToEvict] == "false",
	}
	if seconds := pod.Spec.TerminationGracePeriodSeconds; seconds != nil {
		// More than a year says no more, and might not fit into a Duration.
		f.Grace = time.Duration(max(0, min(*seconds, int64(365*24*time.Hour/time.Second)))) * time.Second
	}
	for i := range pod.Spec.Volumes {
		// A generic ephemeral volume is made anew with its pod, wherever that runs.
		if claim := pod.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
			f.Claims = append(f.Claims, claim.ClaimName)
		}
	}
	slices.Sort(f.Claims)
	f.Claims = slices.Compact(f.Claims)
	return f
}

func slimClaim(claim *corev1.PersistentVolumeClaim) Claim {
	shared := slices.ContainsFunc(claim.Spec.AccessModes, func(mode corev1.PersistentVolumeAccessMode) bool {
		return mode == corev1.ReadWriteMany || mode == corev1.ReadOnlyMany
	})
	return Claim{Namespace: claim.Namespace, Name: claim.Name, Volume: claim.Spec.VolumeName, SingleNode: !shared}
}

// slimVolume reads where the volume's node affinity lets it be used. Its terms are alternatives: one that names no zone
// makes the volume usable in all.
func slimVolume(volume *corev1.PersistentVolume) Volume {
	v := Volume{Name: volume.Name, Local: volume.Spec.Local != nil || volume.Spec.HostPath != nil}
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return v
	}
	zones, hosts := map[string]bool{}, map[string]bool{}
	anyZone, anyHost := false, false
	for _, term := range volume.Spec.NodeAffinity.Required.NodeSelectorTerms {
		inZones := valuesOf(term, func(key string) bool { return slices.Contains(zoneLabels, key) })
		onHosts := valuesOf(term, namesNode)
		anyZone, anyHost = anyZone || len(inZones) == 0, anyHost || len(onHosts) == 0
		for _, zone := range inZones {
			zones[zone] = true
		}
		for _, host := range onHosts {
			hosts[host] = true
		}
	}
	if !anyZone {
		v.Zones = slices.Sorted(maps.Keys(zones))
	}
	v.Local = v.Local || !anyHost && len(hosts) == 1
	return v
}

// namesNode says that the values of a node label are names of single nodes. Drivers of local disks have labels of their
// own, which end alike: topology.topolvm.io/node, openebs.io/nodename.
func namesNode(key string) bool {
	_, name, _ := strings.Cut(key, "/")
	return key == nodeNameField || name == "hostname" || name == "node" || name == "nodename"
}

// nodeNameField is the one field that node affinity can match.
const nodeNameField = "metadata.name"

func valuesOf(term corev1.NodeSelectorTerm, matches func(key string) bool) []string {
	var values []string
	for _, r := range slices.Concat(term.MatchExpressions, term.MatchFields) {
		if r.Operator == corev1.NodeSelectorOpIn && matches(r.Key) {
			values = append(values, r.Values...)
		}
	}
	return values
}

// poolLabels hold the AKS name of a node's pool, which changes with every generation.
var poolLabels = []string{"agentpool", "kubernetes.azure.com/agentpool"}

func namesPool(key string) bool { return slices.Contains(poolLabels, key) }

func namesGeneration(key string) bool {
	return namesPool(key) || key == corev1.LabelHostname || key == nodeNameField
}

func selectorsOf(pod *corev1.Pod) []Selector {
	var found []Selector
	for label, value := range pod.Spec.NodeSelector {
		if namesGeneration(label) {
			found = append(found, Selector{Use: UseNodeSelector, Label: label, Values: []string{value}, Strict: true})
		}
	}
	for i := range pod.Spec.TopologySpreadConstraints {
		if key := pod.Spec.TopologySpreadConstraints[i].TopologyKey; namesPool(key) {
			found = append(found, Selector{Use: UseTopologySpread, Label: key})
		}
	}
	if pod.Spec.Affinity != nil {
		found = append(found, nodeAffinity(pod, pod.Spec.Affinity.NodeAffinity)...)
		for _, term := range podAffinityTerms(pod.Spec.Affinity) {
			if namesPool(term.TopologyKey) {
				found = append(found, Selector{Use: UsePodAffinity, Label: term.TopologyKey})
			}
		}
	}
	slices.SortFunc(found, compareUses)
	return slices.CompactFunc(found, func(a, b Selector) bool { return compareUses(a, b) == 0 })
}

// nodeAffinity is strict if each of the required alternatives names a generation. The DaemonSet controller binds each
// of its pods to a node by name, which says nothing about the workload.
func nodeAffinity(pod *corev1.Pod, affinity *corev1.NodeAffinity) []Selector {
	if affinity == nil {
		return nil
	}
	var found []Selector
	if required := affinity.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
		strict := true
		for _, term := range required.NodeSelectorTerms {
			named := termSelectors(pod, term, UseRequiredAffinity)
			strict = strict && slices.ContainsFunc(named, func(s Selector) bool { return !s.Avoids })
			found = append(found, named...)
		}
		for i := range found {
			found[i].Strict = strict && !found[i].Avoids
		}
	}
	for _, preferred := range affinity.PreferredDuringSchedulingIgnoredDuringExecution {
		found = append(found, termSelectors(pod, preferred.Preference, UsePreferredAffinity)...)
	}
	return found
}

func termSelectors(pod *corev1.Pod, term corev1.NodeSelectorTerm, use SelectorUse) []Selector {
	requirements := term.MatchExpressions
	if ref := metav1.GetControllerOfNoCopy(pod); ref == nil || ref.Kind != "DaemonSet" {
		requirements = slices.Concat(requirements, term.MatchFields)
	}
	var found []Selector
	for _, r := range requirements {
		avoids := r.Operator == corev1.NodeSelectorOpNotIn
		if namesGeneration(r.Key) && (avoids || r.Operator == corev1.NodeSelectorOpIn) {
			values := slices.Sorted(slices.Values(r.Values))
			found = append(found, Selector{Use: use, Label: r.Key, Values: values[:min(maxValues, len(values))], Avoids: avoids})
		}
	}
	return found
}

// maxValues bounds Selector.Values.
const maxValues = 10

func podAffinityTerms(affinity *corev1.Affinity) []corev1.PodAffinityTerm {
	var terms []corev1.PodAffinityTerm
	var preferred []corev1.WeightedPodAffinityTerm
	if with := affinity.PodAffinity; with != nil {
		terms = append(terms, with.RequiredDuringSchedulingIgnoredDuringExecution...)
		preferred = append(preferred, with.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	if against := affinity.PodAntiAffinity; against != nil {
		terms = append(terms, against.RequiredDuringSchedulingIgnoredDuringExecution...)
		preferred = append(preferred, against.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	for i := range preferred {
		terms = append(terms, preferred[i].PodAffinityTerm)
	}
	return terms
}
