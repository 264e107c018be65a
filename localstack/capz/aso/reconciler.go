package aso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// What Azure Service Operator marks its objects with, see pkg/genruntime and pkg/common.
const (
	finalizer          = "serviceoperator.azure.com/finalizer"
	idAnnotation       = "serviceoperator.azure.com/resource-id"
	policyAnnotation   = "serviceoperator.azure.com/reconcile-policy"
	secretAnnotation   = "serviceoperator.azure.com/credential-from"
	ownerNameLabel     = "serviceoperator.azure.com/owner-name"
	ownerKindLabel     = "serviceoperator.azure.com/owner-group-kind"
	ownerUIDLabel      = "serviceoperator.azure.com/owner-uid"
	policySkip         = "skip"
	policyDetach       = "detach-on-delete"
	namespacedSecret   = "aso-credential"
	longestLabel       = 63
	kubeconfigsNotOurs = "FailedWritingAdditionalKubernetesObjects"
)

// reconciler brings the objects of one kind to Azure, after internal/reconcilers/generic/generic_reconciler.go and
// internal/reconcilers/arm/azure_generic_arm_reconciler_instance.go.
type reconciler struct {
	client      client.Client
	credentials *credentials
	keeper      *resource.Keeper
	kind        *asospec.Kind
	retry       time.Duration
	sync        time.Duration
	now         func() time.Time
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := newObject(r.kind)
	if err := r.client.Get(ctx, request.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := object.DeepCopy()
	attempt := r.createOrUpdate
	if object.GetDeletionTimestamp() != nil {
		attempt = r.delete
	}
	seen, err := attempt(ctx, object)
	if isStale(err) {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	want, after := verdict(err, r.retry)
	if object.GetDeletionTimestamp() != nil && (err == nil || want.reason == reasonReconciling) {
		want = deleting()
	}
	if want.severity == severityWarning || want.severity == severityError {
		ctrl.LoggerFrom(ctx).Info("Not ready", "reason", want.reason, "message", want.message)
	}
	setReady(object, want, seen, r.now())
	if err := r.save(ctx, before, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if after == 0 && err == nil && object.GetDeletionTimestamp() == nil {
		after = r.sync
	}
	return ctrl.Result{RequeueAfter: after}, nil
}

// isStale says that an object was changed or removed meanwhile, of which another event tells.
func isStale(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	return ok && (apierrors.IsNotFound(status) || apierrors.IsConflict(status))
}

// save writes what has changed, status first: without the finalizer the object may be gone.
func (r *reconciler) save(ctx context.Context, before, object *unstructured.Unstructured) error {
	finalizers := object.GetFinalizers()
	if !equality.Semantic.DeepEqual(before.Object["status"], object.Object["status"]) {
		base := object.DeepCopy()
		base.Object["status"] = before.Object["status"]
		if err := r.client.Status().Patch(ctx, object, client.MergeFrom(base)); err != nil {
			return fmt.Errorf("write status: %w", err)
		}
	}
	if slices.Contains(finalizers, finalizer) || !controllerutil.ContainsFinalizer(before, finalizer) {
		return nil
	}
	base := object.DeepCopy()
	base.SetFinalizers(before.GetFinalizers())
	object.SetFinalizers(finalizers)
	if err := r.client.Patch(ctx, object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("give up the finalizer: %w", err)
	}
	return nil
}

// createOrUpdate brings a spec to Azure. It says whether it has seen what there was before, in a way that makes Azure Service
// Operator forget how an earlier attempt went.
func (r *reconciler) createOrUpdate(ctx context.Context, object *unstructured.Unstructured) (seen bool, err error) {
	owner, err := r.unclaimedOwner(ctx, object)
	if err != nil {
		return false, err
	}
	azure, err := r.credentials.of(ctx, object)
	if err != nil {
		return false, err
	}
	if !controllerutil.ContainsFinalizer(object, finalizer) {
		if err := r.claim(ctx, object, owner, azure.subscription); err != nil {
			return false, err
		}
	}
	id := object.GetAnnotations()[idAnnotation]
	if object.GetAnnotations()[policyAnnotation] == policySkip {
		return false, r.look(ctx, azure, object, id)
	}
	if azureName(object) == "" {
		cause := fmt.Errorf("AzureName was not set on %s. A webhook should default this to .metadata.name if it was omitted. Is the ASO webhook service running?", r.kind.Kind)
		return false, &impossible{severityError, reasonFailed, cause}
	}
	body, err := r.keeper.Ensure(ctx, azure.Client, resource.Spec{
		ID: id, APIVersion: r.kind.APIVersion, Exact: r.kind.Exact, Eager: true,
		Desired: func(existing armclient.Body) (armclient.Body, error) {
			if existing != nil {
				// Also if Azure refuses what comes next: CAPZ stops describing pools in their cluster once it sees them.
				r.report(object, existing)
				seen = r.kind.Checked
			}
			return r.desired(ctx, object)
		},
		Blocked: func() string { return r.ownerBusy(ctx, azure, object) },
	})
	if err != nil {
		return seen, err
	}
	r.report(object, body)
	return seen, r.writeKubeconfigs(ctx, azure, object, id)
}

func (r *reconciler) desired(ctx context.Context, object *unstructured.Unstructured) (armclient.Body, error) {
	spec, _, err := unstructured.NestedMap(object.Object, "spec")
	if err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	body, err := r.kind.ARM(spec, func(reference asospec.Reference) (string, error) {
		return r.resolve(ctx, object.GetNamespace(), reference)
	})
	if err != nil {
		return nil, warning(reasonReferenceNotFound, fmt.Errorf("failed resolving ARM IDs for references: %w", err))
	}
	return body, nil
}

// look reports a resource that must not be touched.
func (r *reconciler) look(ctx context.Context, azure *account, object *unstructured.Unstructured, id string) error {
	body, err := azure.Get(ctx, id, r.kind.APIVersion)
	if armclient.IsNotFound(err) {
		return warning(reasonNotFound, fmt.Errorf("getting resource with ID: %q: %w", id, err))
	}
	if err != nil {
		return fmt.Errorf("error updating status: %w", err)
	}
	r.report(object, body)
	return r.writeKubeconfigs(ctx, azure, object, id)
}

// report replaces status by what Azure says, but for the conditions.
func (r *reconciler) report(object *unstructured.Unstructured, body armclient.Body) {
	status := r.kind.Status(body)
	if conditions, found, _ := unstructured.NestedFieldNoCopy(object.Object, "status", "conditions"); found {
		status["conditions"] = conditions
	}
	object.Object["status"] = status
}

// ownerBusy says why AKS would refuse a change of a pool now, see
// api/containerservice/customizations/managed_clusters_agent_pool_extensions.go. A failed look is no reason: then AKS
// answers for itself.
func (r *reconciler) ownerBusy(ctx context.Context, azure *account, object *unstructured.Unstructured) string {
	if r.kind != asospec.ManagedClustersAgentPool {
		return ""
	}
	id, name, err := r.ownerID(ctx, object, azure.subscription)
	if err != nil {
		return ""
	}
	owner, err := azure.Get(ctx, id, r.kind.Owner.APIVersion)
	if err != nil || owner.Settled() {
		return ""
	}
	return fmt.Sprintf("Managed cluster %q is in provisioning state %q", name, owner.ProvisioningState())
}

// delete removes the resource from Azure, unless the policy says otherwise, and then gives up the finalizer.
func (r *reconciler) delete(ctx context.Context, object *unstructured.Unstructured) (seen bool, err error) {
	if !controllerutil.ContainsFinalizer(object, finalizer) {
		return false, nil
	}
	policy, id := object.GetAnnotations()[policyAnnotation], object.GetAnnotations()[idAnnotation]
	if policy == policySkip || policy == policyDetach || id == "" {
		controllerutil.RemoveFinalizer(object, finalizer)
		return false, nil
	}
	azure, err := r.credentials.of(ctx, object)
	if err != nil {
		return false, err
	}
	if err := r.keeper.Remove(ctx, azure.Client, id, r.kind.APIVersion); err != nil {
		return false, err
	}
	controllerutil.RemoveFinalizer(object, finalizer)
	return false, nil
}

func newObject(kind *asospec.Kind) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind.GroupVersionKind())
	return object
}

func azureName(object *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(object.Object, "spec", "azureName")
	return name
}
