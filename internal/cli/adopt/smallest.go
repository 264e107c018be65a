package adopt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
)

// smallest leaves out of the cluster's spec, value by value, everything that it amounts to without: what the class says already, or the defaults.
func smallest(class *fleetwrightv1.WorkloadClusterClass, cluster *fleetwrightv1.WorkloadCluster) error {
	whole, err := effective.Of(class, cluster)
	if err != nil {
		return err
	}
	if cluster.Spec.WorkloadClusterTemplate, err = effective.Sorted(cluster.Spec.WorkloadClusterTemplate); err != nil {
		return err
	}
	said, err := (effective.Effective{Spec: cluster.Spec.WorkloadClusterTemplate}).Values()
	if err != nil {
		return err
	}
	tree, err := treeOf(cluster.Spec.WorkloadClusterTemplate)
	if err != nil {
		return err
	}
	// From the end, so that the indexes of what comes before stay.
	for _, value := range slices.Backward(said) {
		shorter, err := without(tree, value.At)
		if err != nil {
			return err
		}
		try := cluster.DeepCopy()
		try.Spec.WorkloadClusterTemplate = fleetwrightv1.WorkloadClusterTemplate{}
		if err := fromTree(shorter, &try.Spec.WorkloadClusterTemplate); err != nil {
			return err
		}
		if e, err := effective.Of(class, try); err != nil || !equality.Semantic.DeepEqual(e.Spec, whole.Spec) {
			continue
		}
		tree, cluster.Spec.WorkloadClusterTemplate = shorter, try.Spec.WorkloadClusterTemplate
	}
	return nil
}

func treeOf(value any) (map[string]any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	err = json.Unmarshal(data, &out)
	return out, err
}

func fromTree(tree map[string]any, into any) error {
	data, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// without is a copy of the tree that lacks the value at a place, and what is empty without it.
func without(tree map[string]any, place []any) (map[string]any, error) {
	var cut func(node any, place []any) (any, error)
	cut = func(node any, place []any) (any, error) {
		switch step := place[0].(type) {
		case string:
			object, ok := node.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("there is no object at %v", place)
			}
			out := maps.Clone(object)
			if len(place) == 1 {
				delete(out, step)
				return out, nil
			}
			below, err := cut(object[step], place[1:])
			if out[step] = below; empty(below) {
				delete(out, step)
			}
			return out, err
		case int:
			list, ok := node.([]any)
			if !ok || step >= len(list) {
				return nil, fmt.Errorf("there is no list at %v", place)
			}
			out := slices.Clone(list)
			if len(place) == 1 {
				return slices.Delete(out, step, step+1), nil
			}
			below, err := cut(list[step], place[1:])
			if out[step] = below; empty(below) {
				out = slices.Delete(out, step, step+1)
			}
			return out, err
		}
		return nil, fmt.Errorf("%v is no place", place)
	}
	out, err := cut(tree, place)
	if err != nil {
		return nil, err
	}
	return out.(map[string]any), nil
}

func empty(node any) bool {
	switch node := node.(type) {
	case map[string]any:
		return len(node) == 0
	case []any:
		return len(node) == 0
	}
	return false
}
