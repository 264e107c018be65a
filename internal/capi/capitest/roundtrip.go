// Package capitest takes pools through the objects of a flavour, for tests that
// have to hold whatever the flavour is.
package capitest

import (
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Flavors are all that the operator supports, and Plain.
func Flavors() map[string]capi.Flavor {
	out := map[string]capi.Flavor{}
	for _, f := range append(capi.Flavors(), Plain{}) {
		out[f.Kinds().Pool.Kind] = f
	}
	return out
}

// RoundTrip makes a pool of that spec in the flavour's objects, and reads it
// back as the operator does. It panics when the objects are no JSON.
func RoundTrip(f capi.Flavor, spec agentpool.Spec) agentpool.Spec {
	return reread(newPool(f, spec)).Spec
}

// Update makes a pool of spec made, changes it in place to what wanted says, and
// reads it back.
func Update(f capi.Flavor, made, wanted agentpool.Spec) agentpool.Spec {
	o := newPool(f, made)
	o.SetInPlace(wanted, nil, "general")
	if wanted.Replicas != nil {
		o.MachinePool.Spec.Replicas = wanted.Replicas
	}
	return reread(o).Spec
}

func newPool(f capi.Flavor, spec agentpool.Spec) capi.Objects {
	var replicas int32
	if spec.Scaling != nil {
		replicas = spec.Scaling.Min
	}
	return capi.NewPool{
		Object: "prod-general-x", Name: "generalx", Nodepool: "prod-general", NodepoolUID: "u", BaseName: "general", Fingerprint: "1:f",
		Spec: spec, Replicas: ptr.Deref(spec.Replicas, replicas), Started: time.Unix(0, 0),
	}.Objects(capi.Cluster{Namespace: "prod-eu", Name: "prod"}, f)
}

// reread sends both objects through JSON, as an API server does.
func reread(o capi.Objects) capi.Pool {
	infra, mp := &unstructured.Unstructured{}, &clusterv1.MachinePool{}
	for from, to := range map[any]any{o.Infra: infra, o.MachinePool: mp} {
		text, err := json.Marshal(from)
		if err == nil {
			err = json.Unmarshal(text, to)
		}
		if err != nil {
			panic(fmt.Sprintf("%T of flavour %s through JSON: %v", from, o.Flavor.Kinds().Pool.Kind, err))
		}
	}
	o.Infra, o.MachinePool = infra, mp
	return o.View(time.Unix(0, 0))
}
