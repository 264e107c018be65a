package workloadcluster

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// Kinds of what is made of a WorkloadCluster.
const (
	kindName     = "WorkloadCluster"
	kindCluster  = "Cluster"
	kindClaim    = "AddressClaim"
	kindNodepool = "Nodepool"
	kindConfig   = "AzureClusterAdditionalConfig"
)

// Fields of the spec that children are told of.
const (
	fieldReconcile      = "reconcile"
	fieldDeletionPolicy = "deletionPolicy"
)

// FieldOwner is who writes what is made of a WorkloadCluster, its finalizer and its status.
const FieldOwner = "fleetwright-workloadcluster"

// target names an object of the WorkloadCluster's namespace.
type target struct{ kind, name string }

func (t target) String() string { return t.kind + " " + t.name }

// teller is an object of one of our kinds.
type teller interface {
	client.Object
	GetConditions() []metav1.Condition
}

// child is an object of one of our own kinds that exists.
type child struct {
	target
	// object is it as it was read. It is only read.
	object teller
	// maker is the WorkloadCluster that its label names; ours is true when that is this one.
	maker string
	ours  bool
	// spec is as JSON has it, owned are the fields of it that we have set, as managedFields has them.
	spec, owned map[string]any
}

// childOf is an object in the words of decide.
func childOf(kind, whose string, object teller) (*child, error) {
	fields, err := plain(object)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, object.GetName(), err)
	}
	owned, err := ownobject.OwnedSpec(object, FieldOwner)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, object.GetName(), err)
	}
	spec, _ := fields["spec"].(map[string]any)
	maker := object.GetLabels()[fleetwrightv1.LabelWorkloadCluster]
	return &child{target: target{kind, object.GetName()}, object: object, maker: maker, ours: maker == whose, spec: spec, owned: owned}, nil
}

func (c *child) deleting() bool { return c.object.GetDeletionTimestamp() != nil }

func (c *child) created() time.Time { return c.object.GetCreationTimestamp().Time }

// condition is one of the object's about its present spec, nil when it says nothing about that.
func (c *child) condition(kind string) *metav1.Condition {
	found := meta.FindStatusCondition(c.object.GetConditions(), kind)
	if found == nil || found.ObservedGeneration < c.object.GetGeneration() {
		return nil
	}
	return found
}

// is true when a condition about the present spec is True.
func (c *child) is(kind string) bool {
	found := c.condition(kind)
	return found != nil && found.Status == metav1.ConditionTrue
}

// stalled is the reason for which nothing goes on with it until a person acts, or empty.
func (c *child) stalled() string {
	if c.is(fleetwrightv1.ConditionStalled) {
		return c.condition(fleetwrightv1.ConditionStalled).Reason
	}
	return ""
}

// words are what it says of its deletion.
func (c *child) words() string {
	if found := meta.FindStatusCondition(c.object.GetConditions(), fleetwrightv1.ConditionDeleting); found != nil && found.Status == metav1.ConditionTrue {
		return found.Message
	}
	return ""
}

// written is true when we have given the object its spec. That it was told of some fields, or carries our label, does not make it ours to remove.
func (c *child) written() bool {
	_, has := c.owned["f:clusterName"]
	return has
}

// lacks is true when the object does not have what is wanted, or has what is wanted no more.
func (c *child) lacks(spec map[string]any) bool { return ownobject.Lacks(spec, c.spec, c.owned) }

// untold are those of the fields that the object does not have as they are told.
func (c *child) untold(told map[string]any, fields ...string) map[string]any {
	var out map[string]any
	for _, field := range fields {
		value, is := told[field]
		if is && c.tells(field) && !reflect.DeepEqual(c.spec[field], value) {
			if out == nil {
				out = map[string]any{}
			}
			out[field] = value
		}
	}
	return out
}

// tells is true when the kind has the field: a claim has no deletionPolicy.
func (c *child) tells(field string) bool { return field != fieldDeletionPolicy || c.kind != kindClaim }

// wanted is an object of one of our own kinds that is to be.
type wanted struct {
	target
	// pool is the pool's name in the WorkloadCluster, for a Nodepool.
	pool string
	spec map[string]any
}

// want makes one of a typed spec.
func want(kind, name string, spec any) (wanted, error) {
	fields, err := plain(spec)
	if err != nil {
		return wanted{}, fmt.Errorf("write the spec of %s %s: %w", kind, name, err)
	}
	return wanted{target: target{kind, name}, spec: fields}, nil
}

// plain is a value as JSON has it.
func plain(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	err = utiljson.Unmarshal(raw, &out)
	return out, err
}
