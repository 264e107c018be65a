package clusterautoscaler

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// observation is one reading of everything a profile depends on, and the plan that follows.
type observation struct {
	world world
	plan  plan
	// id is the AKS cluster's, empty while it is not known.
	id string
	// azure is the way to Azure, nil without an identity.
	azure   Azure
	cluster capi.Cluster
	frozen  freeze.Effect
	// unanswered is true when Azure was asked about a cluster that CAPZ has and did not answer.
	unanswered bool
}

const (
	// kindName is how messages call the object.
	kindName = "AzureClusterAutoscaler"
	// clusterPatience is how long a Cluster that does not exist is waited for before a person is called.
	clusterPatience = 10 * time.Minute
)

// look observes and decides. Where CAPZ has the cluster it asks nothing of Azure, unless a sweep says that it looks different.
func (r *Reconciler) look(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler) (*observation, error) {
	o := &observation{}
	key := types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.ClusterName}
	var err error
	if o.cluster, err = capi.ReadCluster(ctx, r.Client, key); err != nil {
		return nil, err
	}
	now := r.Clock.Now()
	// Past the cache: a Freeze made a moment ago counts.
	o.frozen = freeze.InEffect(ctx, r.Live, a.Namespace, o.cluster.Labels, r.Namespace, now)
	o.world = world{
		spec: a.Spec, wanted: autoscalerprofile.Of(a.Spec.Profile.AutoscalerSettings), applied: wasApplied(a),
		deleting: !a.DeletionTimestamp.IsZero(), leaving: o.cluster.Deleting,
		hold: hold.Of(hold.Asking{Kind: kindName, Annotations: a.Annotations, Mode: a.Spec.Reconcile}, o.cluster, o.frozen),
	}
	if o.cluster.Found {
		err = r.askCAPZ(ctx, a, o)
	} else {
		err = r.askARM(ctx, a, o)
	}
	if err != nil {
		blocked, sorted := obstacleOf(err)
		if !sorted {
			return nil, err
		}
		o.world.obstacle = &blocked
	}
	r.recall(a, o)
	o.plan = decide(o.world, now)
	return o, nil
}

// askCAPZ is about a Cluster of Cluster API.
func (r *Reconciler) askCAPZ(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler, o *observation) error {
	switch {
	case a.Spec.ManagedClusterID != "":
		o.world.obstacle = invalid("Cluster %s of Cluster API exists, so the profile goes by its objects: make the AzureClusterAutoscaler again without spec.managedClusterID", o.cluster.Name)
		return nil
	case o.cluster.Unnamed:
		o.world.obstacle = &obstacle{waiting, fleetwrightv1.ReasonWaitingForCluster, fmt.Sprintf("Cluster %s names no control plane yet", o.cluster.Name), 0}
		return nil
	case o.cluster.Unsupported != "":
		o.world.obstacle = invalid("the control plane of Cluster %s is none of CAPZ's for AKS: an autoscaler profile is kept for AzureManagedControlPlane and AzureASOManagedControlPlane", o.cluster.Name)
		return nil
	}
	var err error
	if o.world.declared, err = capi.ReadAutoscalerProfile(ctx, r.Client, types.NamespacedName{Namespace: a.Namespace, Name: o.cluster.Name}); err != nil {
		return err
	}
	if o.world.declared.Kind == "" {
		o.world.obstacle = &obstacle{waiting, fleetwrightv1.ReasonWaitingForCluster, fmt.Sprintf("the control plane of Cluster %s does not exist yet", o.cluster.Name), 0}
		return nil
	}
	o.world.writer = fleetwrightv1.AutoscalerWriter(o.world.declared.Kind)
	o.world.making = !o.cluster.Provisioned
	o.id = o.cluster.ManagedClusterID()
	if told := o.world.declared.Azure; told != nil {
		o.world.azure, o.world.known = autoscalerprofile.InAzure{Values: told}, true
	}
	if !o.world.deleting && !o.world.making && (!o.world.known || r.suspects.has(client.ObjectKeyFromObject(a))) {
		r.askAzure(ctx, o)
	}
	return nil
}

// askAzure asks Azure about a cluster that CAPZ has. Not to get an answer keeps nothing up: CAPZ's object is what is written.
func (r *Reconciler) askAzure(ctx context.Context, o *observation) {
	if o.id == "" {
		o.world.unknown = "the id of the AKS cluster is not known yet"
		return
	}
	azure, err := r.Azures.For(ctx, o.cluster)
	if err == nil && azure == nil {
		o.world.unknown = "no object of Azure Service Operator tells what Azure has, and the operator has no identity to ask Azure"
		return
	}
	o.azure = azure
	var told autoscalerprofile.InAzure
	if err == nil {
		told, err = azure.AutoscalerProfile(ctx, o.id)
	}
	if err != nil {
		o.world.unknown, o.unanswered = "what Azure has cannot be read: "+err.Error(), true
		logf.FromContext(ctx).Info("What Azure has of the autoscaler profile cannot be read", "error", err.Error())
		return
	}
	o.world.azure, o.world.known, o.world.live = told, true, true
}

// askARM is about a cluster that Cluster API does not have by that name.
func (r *Reconciler) askARM(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler, o *observation) error {
	o.id = a.Spec.ManagedClusterID
	if o.id == "" {
		o.world.obstacle = r.missingCluster(a)
		return nil
	}
	o.world.writer = fleetwrightv1.AutoscalerWriterARM
	if o.world.deleting && a.Spec.DeletionPolicy == fleetwrightv1.DeletionPolicyRetain {
		return nil
	}
	other, err := capi.ControlPlaneOf(ctx, r.Client, o.id)
	if err != nil {
		return err
	}
	if other != "" {
		o.world.obstacle = &obstacle{
			stuck, fleetwrightv1.ReasonContendedByAnotherManager,
			fmt.Sprintf("%s has this AKS cluster: make an AzureClusterAutoscaler with the name of its Cluster, and without managedClusterID", other), personPause,
		}
		return nil
	}
	o.azure, err = r.Azures.For(ctx, o.cluster)
	if err == nil && o.azure == nil {
		o.world.obstacle = &obstacle{stuck, fleetwrightv1.ReasonNoCredentials, "the operator has no identity in Azure: give it one", personPause}
	}
	if err != nil || o.world.obstacle != nil {
		return err
	}
	if o.world.azure, err = o.azure.AutoscalerProfile(ctx, o.id); err == nil {
		o.world.known, o.world.live = true, true
	}
	return err
}

func (r *Reconciler) missingCluster(a *fleetwrightv1.AzureClusterAutoscaler) *obstacle {
	message := fmt.Sprintf("there is no Cluster %s in namespace %s", a.Spec.ClusterName, a.Namespace)
	if left := clusterPatience - r.Clock.Since(a.CreationTimestamp.Time); left > 0 {
		return &obstacle{waiting, fleetwrightv1.ReasonWaitingForCluster, message, left + soon}
	}
	return &obstacle{stuck, fleetwrightv1.ReasonClusterNotFound, message + ": make it, or set managedClusterID if Cluster API shall not have it", 0}
}

func invalid(format string, args ...any) *obstacle {
	return &obstacle{stuck, fleetwrightv1.ReasonInvalidSpec, fmt.Sprintf(format, args...), 0}
}

// recall notes a difference, or that there is none, and fills in the history.
func (r *Reconciler) recall(a *fleetwrightv1.AzureClusterAutoscaler, o *observation) {
	if o.world.obstacle != nil || o.world.deleting || !o.world.applied {
		return
	}
	found, sure := o.world.azure.Values, o.world.known
	if o.world.throughCAPZ() {
		if len(autoscalerprofile.Differing(o.world.wanted, o.world.declared.Declared)) > 0 {
			found, sure = o.world.declared.Declared, true
		} else if o.world.declared.Progress.State != capi.Done {
			sure = false // on its way
		}
	}
	if !sure {
		return
	}
	key, look := client.ObjectKeyFromObject(a), o.world.look(found)
	if len(look.Fields) == 0 {
		r.memory.AsDeclared(key, a.Generation, r.Clock.Now())
		return
	}
	o.world.history = r.memory.Drifted(key, a.Generation, look, r.Clock.Now())
}
