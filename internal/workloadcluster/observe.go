package workloadcluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/maintenance"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// observation is one reading of everything, what is to be, and the plan that follows.
type observation struct {
	world  world
	intent intention
	plan   plan
	// holdChanges is when a Freeze begins or ends by its own times.
	holdChanges time.Time
}

// observe reads everything and decides. What it reads of others comes from the cache, but for what nothing else watches.
func (r *Reconciler) observe(ctx context.Context, object *fleetwrightv1.WorkloadCluster) (*observation, error) {
	o := &observation{world: world{object: object}}
	w, now := &o.world, r.Clock.Now()
	class, err := r.readClass(ctx, w)
	if err != nil {
		return nil, err
	}
	r.merge(w, class)
	if err := r.readChildren(ctx, r.Client, w); err != nil {
		return nil, err
	}
	if w.state, err = capi.ReadClusterState(ctx, r.Client, r.liveWhile(!reportsMade(object)), w.outline()); err != nil {
		return nil, fmt.Errorf("read the Cluster: %w", err)
	}
	if w.rival, err = r.readRival(ctx, false, w); err != nil {
		return nil, err
	}
	if w.adopts() != "" && w.state.Found && w.state.Unsupported == "" {
		// How far each has come is nobody's question here, so no time is needed.
		if w.machinePools, err = w.state.ReadPools(ctx, r.Client, time.Time{}); err != nil {
			return nil, err
		}
	}
	if err := r.readCredential(ctx, w); err != nil {
		return nil, err
	}
	frozen := freeze.InEffect(ctx, r.Client, object.Namespace, w.clusterLabels(), r.Namespace, now)
	w.hold, w.paused = hold.Of(asking(object), w.state.Cluster, frozen), hold.Of(asking(object), capi.Cluster{}, freeze.Effect{}).Everything()
	o.holdChanges = frozen.CheckAgain
	if w.window, err = maintenance.At(w.effective.Spec.Maintenance, now); err != nil {
		w.windowless = err.Error()
	}
	r.readAddons(ctx, w)
	o.intent = intend(*w, now)
	if err := r.compare(ctx, w, &o.intent); err != nil {
		return nil, err
	}
	if err := r.comparePools(w, &o.intent); err != nil {
		return nil, err
	}
	o.plan = decide(*w, &o.intent, now)
	return o, nil
}

func asking(object *fleetwrightv1.WorkloadCluster) hold.Asking {
	return hold.Asking{Kind: kindName, Annotations: object.Annotations, Mode: object.Spec.Reconcile}
}

// clusterLabels are those by which a Freeze selects: the Cluster's, and those that it is to have while it is not there.
func (w world) clusterLabels() map[string]string {
	if w.state.Found {
		return w.state.Labels
	}
	return w.object.Labels
}

// outline is enough of a wish to find its objects, and to know whether the network is the cluster's own.
func (w world) outline() capi.Wish {
	out := capi.Wish{Namespace: w.object.Namespace, Name: w.name()}
	for _, bound := range boundOf(w.claim) {
		if bound.Name == string(fleetwrightv1.ClusterRangeVNet) {
			out.VNet = bound.CIDR
		}
	}
	if w.adopts() != fleetwrightv1.AdoptionPolicyReport || out.VNet != "" {
		return out
	}
	for _, r := range w.effective.Spec.Network.Addresses { // what would be claimed
		if r.Name == fleetwrightv1.ClusterRangeVNet {
			out.VNet = r.CIDR
		}
	}
	return out
}

// reportsMade is true once the WorkloadCluster has said that Azure has its infrastructure. Until then Azure Service Operator's objects are asked,
// which are not watched, for what stands in the way and for their times: no decision depends on either.
func reportsMade(object *fleetwrightv1.WorkloadCluster) bool {
	return meta.IsStatusConditionTrue(object.Status.Conditions, fleetwrightv1.ConditionInfrastructureReady)
}

// liveWhile is the reader past the cache, or none.
func (r *Reconciler) liveWhile(asks bool) client.Reader {
	if asks {
		return r.Live
	}
	return nil
}

// merge says what class and spec amount to, and what is impossible about it.
func (r *Reconciler) merge(w *world, class *fleetwrightv1.WorkloadClusterClass) {
	if w.class.key != "" && (!w.class.found || !w.class.allowed) {
		w.unmerged = "the class is missing"
		return
	}
	var err error
	if w.effective, err = effective.Of(class, w.object); err != nil {
		w.unmerged = err.Error()
		return
	}
	w.problems = effective.Problems(w.name(), w.effective, capi.OwnedOverrides())
}

// compare says what would be written to the Cluster and CAPZ's objects. They are read once more, from the cache: before, it was not known what is
// wished for.
func (r *Reconciler) compare(ctx context.Context, w *world, in *intention) error {
	if in.wish.Name == "" {
		return nil
	}
	state, err := capi.ReadClusterState(ctx, r.Client, nil, in.wish)
	switch {
	case meta.IsNoMatchError(err):
		in.broken = fmt.Sprintf("the API server does not know the kinds of flavor %s: install CAPZ with them, or set another flavor", in.wish.Flavor)
		return nil
	case err != nil:
		return fmt.Errorf("compare the Cluster: %w", err)
	}
	w.state.Changes, w.state.Unmarked, w.state.Unsupported, w.state.Fixed = state.Changes, state.Unmarked, state.Unsupported, state.Fixed
	return nil
}

// comparePools says in a report what Nodepools would change in the pools that they would take over, as they would say it themselves.
func (r *Reconciler) comparePools(w *world, in *intention) error {
	if w.adopts() != fleetwrightv1.AdoptionPolicyReport {
		return nil
	}
	w.poolChanges = map[string][]string{}
	for _, one := range in.nodepools {
		var spec fleetwrightv1.NodepoolSpec
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(one.spec, &spec); err != nil {
			return fmt.Errorf("read the spec of %s: %w", one.target, err)
		}
		for _, p := range w.machinePools {
			if !slices.Contains(spec.Adoption.MachinePools, p.Object) || p.Nodepool != "" {
				continue
			}
			if changes := r.PoolDifferences(spec, p); changes != "" {
				w.poolChanges[one.name] = append(w.poolChanges[one.name], fmt.Sprintf("pool %s: %s", p.Name, changes))
			}
			if p.PublicName != "" && p.PublicName != one.pool {
				w.poolChanges[one.name] = append(w.poolChanges[one.name], render.PublicNameChange(p, one.pool))
			}
		}
	}
	return nil
}

// readCredential asks whose subscription the cluster would be made in, as long as it is not. What the spec does not say is not compared.
func (r *Reconciler) readCredential(ctx context.Context, w *world) (err error) {
	spec := w.effective.Spec
	if w.state.Found || spec.Azure.SubscriptionID == "" || spec.Flavor != fleetwrightv1.WorkloadClusterFlavorASO {
		return nil
	}
	wish := w.outline()
	wish.Flavor, wish.CredentialSecret = string(spec.Flavor), spec.Azure.CredentialSecret
	w.credential, err = capi.CredentialSubscription(ctx, r.Live, wish)
	if apierrors.IsForbidden(err) {
		return nil // a Secret that is not ours to read tells nothing
	}
	return err
}

// readAddons reads all add-ons, past the cache. That one cannot be read is a fact about it and no failure.
func (r *Reconciler) readAddons(ctx context.Context, w *world) {
	cluster := client.ObjectKeyFromObject(w.object)
	for _, a := range w.effective.Spec.Addons {
		seen := addonSeen{addon: a}
		var err error
		if seen.observed, err = addons.Read(ctx, r.Live, r.Client.RESTMapper(), r.Workload, cluster, a); err != nil {
			seen.unread = err.Error()
		}
		w.addons = append(w.addons, seen)
	}
}

// readChildren reads the objects of our own kinds that matter to the WorkloadCluster: those that carry its label, and those of somebody else
// under names that it needs.
func (r *Reconciler) readChildren(ctx context.Context, reader client.Reader, w *world) error {
	whose := w.name()
	// They are only read, and those of other clusters are many.
	options := []client.ListOption{client.InNamespace(w.object.Namespace), client.MatchingLabels{fleetwrightv1.LabelWorkloadCluster: whose}, client.UnsafeDisableDeepCopy}
	var pools fleetwrightv1.NodepoolList
	if err := reader.List(ctx, &pools, options...); err != nil {
		return fmt.Errorf("list Nodepools: %w", err)
	}
	known := map[string]bool{}
	add := func(np *fleetwrightv1.Nodepool) error {
		c, err := childOf(kindNodepool, whose, np)
		if err == nil {
			known[np.Name] = true
			w.nodepools = append(w.nodepools, *c)
		}
		return err
	}
	for i := range pools.Items {
		if err := add(&pools.Items[i]); err != nil {
			return err
		}
	}
	for _, pool := range w.effective.Spec.Nodepools {
		np, name := &fleetwrightv1.Nodepool{}, render.NodepoolName(whose, pool.Name)
		if known[name] {
			continue
		}
		if found, err := readOne(ctx, reader, w, name, np); err != nil || !found {
			if err != nil {
				return err
			}
			continue
		}
		if err := add(np); err != nil {
			return err
		}
	}
	slices.SortFunc(w.nodepools, func(a, b child) int { return cmp.Compare(a.name, b.name) })
	var err error
	if w.claim, err = readNamesake(ctx, reader, w, kindClaim, &fleetwrightv1.AddressClaim{}); err != nil {
		return err
	}
	w.config, err = readNamesake(ctx, reader, w, kindConfig, &fleetwrightv1.AzureClusterAdditionalConfig{})
	return err
}

// readNamesake reads a child that is called as the WorkloadCluster; nil for none.
func readNamesake(ctx context.Context, reader client.Reader, w *world, kind string, object teller) (*child, error) {
	found, err := readOne(ctx, reader, w, w.name(), object)
	if err != nil || !found {
		return nil, err
	}
	return childOf(kind, w.name(), object)
}

func readOne(ctx context.Context, reader client.Reader, w *world, name string, object client.Object) (bool, error) {
	err := reader.Get(ctx, client.ObjectKey{Namespace: w.object.Namespace, Name: name}, object)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("read %T %s: %w", object, name, err)
	}
	return err == nil, nil
}
