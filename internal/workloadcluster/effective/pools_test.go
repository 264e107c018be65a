package effective

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPools is about the layers of a pool, of which the table says the class's part, the cluster's part, and what the pool a comes to.
func TestPools(t *testing.T) {
	for name, c := range map[string]struct{ class, cluster, want string }{
		"every layer wins over the one before": {
			`nodepoolDefaults: {machineType: d1, maxPods: 11, tags: {a: "1", b: "1", c: "1", d: "1"}}
nodepools: [{name: a, spec: {machineType: p1, tags: {c: "3", d: "3"}}}]`,
			`nodepoolDefaults: {machineType: d2, maxPods: 22, tags: {b: "2", c: "2", d: "2"}, subnet: s}
nodepools: [{name: a, spec: {machineType: p2, tags: {d: "4"}}}]`,
			`machineType = p2 (cluster)
maxPods = 22 (cluster nodepoolDefaults)
subnet = s (cluster nodepoolDefaults)
tags.a = 1 (class nodepoolDefaults)
tags.b = 2 (cluster nodepoolDefaults)
tags.c = 3 (class nodepool)
tags.d = 4 (cluster)`,
		},
		"lists and the deadline as a whole": {
			`nodepoolDefaults: {zones: ["1", "2"], taints: [{key: k, effect: NoSchedule}], maintenance: {windows: [{name: n, schedule: s, durationSeconds: 900}]},
  drain: {rules: [{name: r, behavior: Skip}], ladder: [{action: Notify, afterSeconds: 60}], deadline: {action: Force, afterSeconds: 900}, waitFor: Eviction}}
nodepools: [{name: a, spec: {mode: User}}]`,
			`nodepools: [{name: a, spec: {zones: ["3"], taints: [{key: l, effect: NoExecute}], maintenance: {windows: [{name: m, schedule: s, durationSeconds: 901}]},
  drain: {rules: [{name: q, behavior: Drain}], ladder: [{action: None}], deadline: {action: Wait}}}}]`,
			`drain.deadline = {"action":"Wait"} (cluster)
drain.ladder = [{"action":"None"}] (cluster)
drain.rules = [{"behavior":"Drain","name":"q"}] (cluster)
drain.waitFor = Eviction (class nodepoolDefaults)
maintenance.windows = [{"durationSeconds":901,"name":"m","schedule":"s"}] (cluster)
mode = User (class nodepool)
taints = [{"effect":"NoExecute","key":"l"}] (cluster)
zones = ["3"] (cluster)`,
		},
		"replicas take the place of scaling": {
			`nodepoolDefaults: {scaling: {min: 1, max: 5}}`, `nodepools: [{name: a, spec: {replicas: 0}}]`, `replicas = 0 (cluster)`,
		},
		"scaling takes the place of replicas": {
			`nodepools: [{name: a, spec: {replicas: 2}}]`, `nodepools: [{name: a, spec: {scaling: {min: 0, max: 5}}}]`,
			"scaling.max = 5 (cluster)\nscaling.min = 0 (cluster)",
		},
		"a bound of scaling alone is merged": {
			`nodepoolDefaults: {scaling: {min: 1, max: 5, downMode: Deallocate}}`, `nodepools: [{name: a, spec: {scaling: {min: 2, max: 7}}}]`,
			"scaling.downMode = Deallocate (class nodepoolDefaults)\nscaling.max = 7 (cluster)\nscaling.min = 2 (cluster)",
		},
		"a Regular pool has nothing of spot": {
			`nodepoolDefaults: {type: Spot, spot: {maxPrice: "1"}}`, `nodepools: [{name: a, spec: {type: Regular}}]`, `type = Regular (cluster)`,
		},
		"another family of operating system drops the distribution": {
			`nodepoolDefaults: {os: {sku: AzureLinux}}`, `nodepools: [{name: a, spec: {os: {type: Windows}}}]`, `os.type = Windows (cluster)`,
		},
		"the same family keeps it": {
			`nodepoolDefaults: {os: {sku: AzureLinux}}`, `nodepools: [{name: a, spec: {os: {type: Linux}}}]`,
			"os.sku = AzureLinux (class nodepoolDefaults)\nos.type = Linux (cluster)",
		},
		"and the other way round": {
			`nodepoolDefaults: {os: {type: Windows, sku: Windows2022}}`, `nodepools: [{name: a, spec: {os: {type: Linux, sku: Ubuntu}}}]`,
			"os.sku = Ubuntu (cluster)\nos.type = Linux (cluster)",
		},
		"a System pool does not soak without nodes": {
			`nodepoolDefaults: {replacement: {soakMode: ScaledToZero, soakSeconds: 60}}`, `nodepools: [{name: a, spec: {mode: System}}]`,
			"mode = System (cluster)\nreplacement.soakSeconds = 60 (class nodepoolDefaults)",
		},
		"nothing stays of an object that is emptied": {
			`nodepoolDefaults: {replacement: {soakMode: ScaledToZero}}`, `nodepools: [{name: a, spec: {mode: System}}]`, "mode = System (cluster)",
		},
		"machinePools are the cluster's": {
			`nodepools: [{name: a, spec: {mode: User}}]`, `nodepools: [{name: a, machinePools: [x]}]`, "machinePools = [\"x\"] (cluster)\nmode = User (class nodepool)",
		},
		"what else an entry says": {`nodepools: [{name: a, machinePools: [x]}]`, `nodepools: [{name: a, spec: {mode: User}}]`, "machinePools = [\"x\"] (class nodepool)\nmode = User (cluster)"},
		"a pool without any spec": {``, `nodepools: [{name: a}]`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.ReplaceAll(said(t, merged(t, c.class, c.cluster)), "nodepools[a].", "")
			if diff := cmp.Diff(c.want, strings.ReplaceAll(got, "spec.", "")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A default that one pool departs from stays for the others, and the objects that were merged stay as they were.
func TestPoolsShareNothing(t *testing.T) {
	c := class(t, `{nodepoolDefaults: {tags: {team: x}, drain: {deadline: {action: Wait}}, scaling: {min: 1, max: 3}}, nodepools: [{name: a, spec: {tags: {own: a}, replicas: 3}}, {name: b}]}`)
	before := c.DeepCopy()
	e, err := Of(c, cluster(t, `{nodepools: [{name: b, spec: {tags: {own: b}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `nodepools[a].spec.drain.deadline = {"action":"Wait"} (class nodepoolDefaults)
nodepools[a].spec.replicas = 3 (class nodepool)
nodepools[a].spec.tags.own = a (class nodepool)
nodepools[a].spec.tags.team = x (class nodepoolDefaults)
nodepools[b].spec.drain.deadline = {"action":"Wait"} (class nodepoolDefaults)
nodepools[b].spec.scaling.max = 3 (class nodepoolDefaults)
nodepools[b].spec.scaling.min = 1 (class nodepoolDefaults)
nodepools[b].spec.tags.own = b (cluster)
nodepools[b].spec.tags.team = x (class nodepoolDefaults)`
	if diff := cmp.Diff(want, said(t, e)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, c); diff != "" {
		t.Errorf("the class was changed:\n%s", diff)
	}
}
