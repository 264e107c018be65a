package main

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

type row struct{ field, change, note string }

// others are the fields that are not part of a pool.
var others = map[string]row{
	"clusterName":                         {change: "refused", note: "make another Nodepool"},
	"providerOverrides":                   {change: "as each key says", note: "see [agent pool fields](agent-pool-fields.md); a key taken out changes nothing"},
	"rolloutAfter":                        {change: "**replaces the pool**", note: "once the time has come, if the pool is older"},
	"replacement.strategy":                {change: "at the next look", note: "Auto if not set"},
	"replacement.maxSurge":                {change: "at the next look", note: "25% if not set; for a shift in stages"},
	"replacement.minReadySeconds":         {change: "at the next look", note: "60 if not set"},
	"replacement.provisionTimeoutSeconds": {change: "at the next look", note: "3600 if not set"},
	"replacement.soakSeconds":             {change: "at the next look", note: "0 if not set"},
	"replacement.soakMode":                {change: "at the next look", note: "ScaledToZero if not set; System pools are always Cordoned"},
	"drain.rules":                         {change: "at the next look", note: "every pod is drained if not set; see [draining](#draining)"},
	"drain.waitFor":                       {change: "at the next look", note: "ReplacementReady if not set"},
	"drain.unmanagedPods":                 {change: "at the next look", note: "Wait if not set"},
	"drain.ladder":                        {change: "at the next look", note: "Notify after 600 seconds if not set"},
	"drain.deadline.action":               {change: "at the next look", note: "Wait if not set: for as long as it takes"},
	"drain.deadline.afterSeconds":         {change: "at the next look", note: "counts from the first sign that a pod cannot go"},
	"maintenance.windows":                 {change: "at the next look", note: "any time if not set; what has begun goes on"},
	"adoption.machinePools":               {change: "at the next look", note: "fixed once they were adopted"},
	"adoption.policy":                     {change: "at the next look", note: "Report if not set"},
	"reconcile":                           {change: "at the next look", note: "Active if not set"},
	"deletionPolicy":                      {change: "at the next look", note: "Delete if not set"},
}

// elsewhere are the parts of a pool that no two pools differ in by themselves: whether one is too old the planner asks, and
// what an override costs depends on its key.
var elsewhere = map[string]string{"RolloutAfter": "rolloutAfter", "Overrides": "providerOverrides"}

// notes are for readers; what they claim is proven by the tests.
var notes = map[string]string{
	"spot.maxPrice":       `"-1", the price of Regular machines, if not set`,
	"spot.evictionPolicy": "AKS deletes the machines if not set",
	"subnet":              "the cluster's node subnet if not set",
	"scaling.downMode":    "AKS deletes the machines if not set",
	"version":             "not set: follows the control plane, by replacement",
	"type":                "a new pool is Regular if not set",
	"os.type":             "a new pool runs Linux if not set",
	"zones":               "their order has no meaning",
	"mode":                "if not set, the first pool is User and later ones stay what they are; never away from the last System pool with ready nodes",
	"labels":              "exactly these; what AKS adds stays",
	"taints":              "exactly these; what AKS adds stays. **Adding a `NoExecute` taint replaces the pool**: in place it would delete running pods past their budgets",
	"tags":                "exactly these, and two of Fleetwright's own",
	"replicas":            "setting it takes the autoscaler off",
}

var effects = map[agentpool.Effect]string{
	agentpool.InPlace: "in place",
	agentpool.Replace: "**replaces the pool**",
}

// table has one row for each field of a Nodepool's spec, in the order of the Go type.
func table() ([]row, error) {
	found, err := probe()
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, path := range paths("", reflect.TypeFor[fleetwrightv1.NodepoolSpec]()) {
		switch r, known := others[path]; {
		case known:
			r.field = path
			rows = append(rows, r)
		case found[path] != "":
			rows = append(rows, row{path, effects[found[path]], notes[path]})
			delete(found, path)
		default:
			return nil, fmt.Errorf("nobody compares spec.%s: add it to package agentpool, or explain it here", path)
		}
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("package agentpool compares fields that a Nodepool does not have: %v", slices.Sorted(maps.Keys(found)))
	}
	return rows, nil
}

// probe compares, for each part of a pool, two that differ in nothing else.
func probe() (map[string]agentpool.Effect, error) {
	out := map[string]agentpool.Effect{}
	parts := reflect.TypeFor[agentpool.Spec]()
	for i := range parts.NumField() {
		var wanted, existing agentpool.Spec
		name := parts.Field(i).Name
		if _, explained := others[elsewhere[name]]; explained {
			continue
		}
		if err := differ(reflect.ValueOf(&wanted).Elem().Field(i), reflect.ValueOf(&existing).Elem().Field(i)); err != nil {
			return nil, fmt.Errorf("make two pools with another %s: %w", name, err)
		}
		changes := agentpool.Changes(wanted, existing)
		if len(changes) != 1 {
			return nil, fmt.Errorf("two pools with another %s differ in %d fields", name, len(changes))
		}
		out[changes[0].Field] = changes[0].Effect
	}
	return out, nil
}

// differ gives two values of one type different contents.
func differ(a, b reflect.Value) error {
	switch a.Interface().(type) {
	case string:
		a.SetString("one")
		b.SetString("two")
	case int32:
		a.SetInt(1)
		b.SetInt(2)
	case []string:
		a.Set(reflect.ValueOf([]string{"one"}))
		b.Set(reflect.ValueOf([]string{"two"}))
	case map[string]string:
		a.Set(reflect.ValueOf(map[string]string{"key": "one"}))
		b.Set(reflect.ValueOf(map[string]string{"key": "two"}))
	case []agentpool.Taint:
		a.Set(reflect.ValueOf([]agentpool.Taint{{Key: "key", Value: "one", Effect: "NoSchedule"}}))
		b.Set(reflect.ValueOf([]agentpool.Taint{{Key: "key", Value: "two", Effect: "NoSchedule"}}))
	case *int32:
		a.Set(reflect.ValueOf(new(int32(1))))
		b.Set(reflect.ValueOf(new(int32(2))))
	case *agentpool.Scaling:
		a.Set(reflect.ValueOf(&agentpool.Scaling{Min: 1, Max: 2}))
		b.Set(reflect.ValueOf(&agentpool.Scaling{Min: 1, Max: 3}))
	default:
		return fmt.Errorf("type %s is not known here", a.Type())
	}
	return nil
}

// together are fields that are compared as one.
var together = map[string]string{"scaling.min": "scaling", "scaling.max": "scaling"}

// paths lists the fields of a struct as people write them, "disk.sizeGiB".
func paths(prefix string, t reflect.Type) []string {
	var out []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		path := prefix + name
		if field.Type.Kind() == reflect.Struct {
			out = append(out, paths(path+".", field.Type)...)
			continue
		}
		if one := cmp.Or(together[path], path); !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}
