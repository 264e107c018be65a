package addressclaim

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/cidr"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// kindName is how messages call the object.
const kindName = "AddressClaim"

// observation is one reading of everything a claim depends on, and the plan that follows.
type observation struct {
	world  world
	plan   plan
	frozen freeze.Effect
	// objects are the pools as they were read, whose resourceVersions the plan stands on.
	objects map[types.NamespacedName]*fleetwrightv1.AddressPool
}

// look observes, past the cache, and decides.
func (r *Reconciler) look(ctx context.Context, a *fleetwrightv1.AddressClaim) (*observation, error) {
	now := r.Clock.Now()
	o := &observation{objects: map[types.NamespacedName]*fleetwrightv1.AddressPool{}}
	o.world = world{
		claim: client.ObjectKeyFromObject(a), created: a.CreationTimestamp.Time, spec: a.Spec, pools: map[types.NamespacedName]pool{},
		deleting: !a.DeletionTimestamp.IsZero(), marked: controllerutil.ContainsFinalizer(a, fleetwrightv1.FinalizerAddressClaim),
	}
	// Side by side: the others wait in line meanwhile.
	var cluster capi.Cluster
	reading, readCtx := errgroup.WithContext(ctx)
	reading.Go(func() (err error) {
		if cluster, err = capi.ReadClusterAlone(readCtx, r.Live, client.ObjectKey{Namespace: a.Namespace, Name: a.Spec.ClusterName}); err == nil {
			o.frozen = freeze.InEffect(readCtx, r.Live, a.Namespace, cluster.Labels, r.Namespace, now)
		}
		return err
	})
	reading.Go(func() error { return r.readPools(readCtx, poolsOf(a.Namespace, a.Spec), o) })
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	o.world.hold = hold.Of(hold.Asking{Kind: kindName, Annotations: a.Annotations, Mode: a.Spec.Reconcile}, cluster, o.frozen)
	o.world.clusterThere = cluster.Found
	if o.world.deleting {
		var err error
		if o.world.kept, err = r.kept(ctx, o.world.claim); err != nil {
			return nil, err
		}
	}
	o.plan = decide(o.world, now)
	return o, nil
}

func (r *Reconciler) readPools(ctx context.Context, keys []types.NamespacedName, o *observation) error {
	for _, key := range keys {
		if err := r.readPool(ctx, key, o); err != nil {
			return err
		}
	}
	return nil
}

// readPool reads a pool, and only then its allocations. What is not written on the pool any more was an allocation before the pool was read,
// so it is in the later list; and what is chosen after the pool was read makes our own write a conflict. The other way round a range could be
// in neither.
func (r *Reconciler) readPool(ctx context.Context, key types.NamespacedName, o *observation) error {
	object, p := &fleetwrightv1.AddressPool{}, pool{}
	err := r.Live.Get(ctx, key, object)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read AddressPool %s: %w", key, err)
	}
	found := err == nil
	if p.allocations, err = r.allocations(ctx, client.InNamespace(key.Namespace)); err != nil {
		return err
	}
	p.allocations, p.elsewhere = ofPool(p.allocations, key.Name)
	if !found {
		p.obstacle = &obstacle{waiting, fleetwrightv1.ReasonPoolNotFound, fmt.Sprintf("AddressPool %s does not exist: make it, or make another AddressClaim", key)}
		o.world.pools[key] = p
		return nil
	}
	o.objects[key] = object
	if p.choices, err = readChoices(object.Annotations[fleetwrightv1.AnnotationAllocating]); err != nil {
		p.unreadable = true
		p.obstacle = &obstacle{waiting, fleetwrightv1.ReasonPoolNotReady, fmt.Sprintf("AddressPool %s: %v", key, err)}
	}
	if p.obstacle == nil && lacking(o.world, key, p) {
		if p.obstacle, err = r.permission(ctx, object, o.world.claim.Namespace); err != nil {
			return err
		}
	}
	if p.obstacle == nil {
		p.obstacle = readiness(object)
	}
	if p.obstacle == nil {
		p.obstacle = p.read(object)
	}
	o.world.pools[key] = p
	return nil
}

// readiness is nil for a pool that gives out ranges: its status says so, about its present spec.
func readiness(object *fleetwrightv1.AddressPool) *obstacle {
	key := client.ObjectKeyFromObject(object)
	c := meta.FindStatusCondition(object.Status.Conditions, fleetwrightv1.ConditionReady)
	var text string
	switch {
	case !object.DeletionTimestamp.IsZero():
		text = "is being deleted"
	case c == nil || c.ObservedGeneration != object.Generation || object.Status.ObservedGeneration != object.Generation:
		text = "was not looked at since it was changed"
	case c.Status != metav1.ConditionTrue:
		text = fmt.Sprintf("is not ready: %s: %s", c.Reason, c.Message)
	default:
		return nil
	}
	return &obstacle{waiting, fleetwrightv1.ReasonPoolNotReady, fmt.Sprintf("AddressPool %s %s", key, text)}
}

// read reads the pool's prefixes.
func (p *pool) read(object *fleetwrightv1.AddressPool) *obstacle {
	reserved := make([]string, 0, len(object.Spec.Reserved))
	for _, part := range object.Spec.Reserved {
		reserved = append(reserved, part.Prefix)
	}
	var err error
	if p.prefixes, err = cidr.ParseAll(object.Spec.Prefixes); err == nil {
		p.reserved, err = cidr.ParseAll(reserved)
	}
	if err != nil {
		return &obstacle{waiting, fleetwrightv1.ReasonPoolNotReady, fmt.Sprintf("AddressPool %s: %v", client.ObjectKeyFromObject(object), err)}
	}
	return nil
}

// lacking is true when the claim has to get something of the pool: nobody is asked whether it may have what it has.
func lacking(w world, key types.NamespacedName, p pool) bool {
	shapes, err := shapesOf(w.spec.Ranges)
	if err != nil || w.deleting {
		return false
	}
	s := newStep(key, p, w.claim, w.created)
	for _, r := range w.spec.Ranges {
		if refOf(w.claim.Namespace, r.PoolRef) != key {
			continue
		}
		if _, allocation, blocked := keeps(w.claim, r.Name, shapes[r.Name], p, s); allocation == "" && blocked == nil {
			return true
		}
	}
	return false
}

// permission is nil when claims of the namespace may have parts of the pool.
func (r *Reconciler) permission(ctx context.Context, object *fleetwrightv1.AddressPool, namespace string) (*obstacle, error) {
	if object.Namespace == namespace {
		return nil, nil
	}
	allowed := object.Spec.AllowedNamespaces.Selector
	text := fmt.Sprintf("AddressPool %s/%s does not let namespace %s have parts of it: let spec.allowedNamespaces.selector select the namespace",
		object.Namespace, object.Name, namespace)
	no := &obstacle{stuck, fleetwrightv1.ReasonNamespaceNotAllowed, text}
	if allowed == nil || len(allowed.MatchLabels)+len(allowed.MatchExpressions) == 0 {
		return no, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed)
	if err != nil {
		no.message += fmt.Sprintf("; it cannot be read: %v", err)
		return no, nil
	}
	var ns corev1.Namespace
	if err := r.Live.Get(ctx, client.ObjectKey{Name: namespace}, &ns); apierrors.IsNotFound(err) {
		return no, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the labels of namespace %s: %w", namespace, err)
	}
	if !selector.Matches(labels.Set(ns.Labels)) {
		return no, nil
	}
	return nil, nil
}

// allocations reads AddressAllocations past the cache.
func (r *Reconciler) allocations(ctx context.Context, where ...client.ListOption) ([]allocation, error) {
	var list fleetwrightv1.AddressAllocationList
	if err := r.Live.List(ctx, &list, where...); err != nil {
		return nil, fmt.Errorf("list AddressAllocations: %w", err)
	}
	out := make([]allocation, 0, len(list.Items))
	for i := range list.Items {
		a, err := read(&list.Items[i])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// read reads one; admission lets no other ranges pass than those that can be read.
func read(a *fleetwrightv1.AddressAllocation) (allocation, error) {
	p, err := cidr.Parse(a.Spec.CIDR)
	if err != nil {
		return allocation{}, fmt.Errorf("AddressAllocation %s/%s: spec.cidr: %w", a.Namespace, a.Name, err)
	}
	return allocation{
		namespace: a.Namespace, name: a.Name, spec: a.Spec, prefix: p, created: a.CreationTimestamp.Time, leaving: !a.DeletionTimestamp.IsZero(),
		back:  !a.Spec.ReleasedTime.IsZero() && !controllerutil.ContainsFinalizer(a, fleetwrightv1.FinalizerAddressClaim),
		loose: !controllerutil.ContainsFinalizer(a, fleetwrightv1.FinalizerAddressClaim),
	}, nil
}

// ofPool are the allocations of a pool, and the names of those of others.
func ofPool(all []allocation, pool string) (of []allocation, elsewhere map[string]bool) {
	elsewhere = map[string]bool{}
	for _, a := range all {
		if a.spec.PoolName == pool {
			of = append(of, a)
		} else {
			elsewhere[a.name] = true
		}
	}
	return of, elsewhere
}

// kept are all allocations that name the claim and were not given back, wherever they are.
func (r *Reconciler) kept(ctx context.Context, claim types.NamespacedName) ([]allocation, error) {
	all, err := r.allocations(ctx)
	if err != nil {
		return nil, err
	}
	var out []allocation
	for _, a := range all {
		if isOf(a.spec, claim) && !a.back {
			out = append(out, a)
		}
	}
	return out, nil
}
