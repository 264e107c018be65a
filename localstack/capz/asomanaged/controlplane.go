package asomanaged

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1beta1 "sigs.k8s.io/cluster-api/api/core/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util"
	"sigs.k8s.io/cluster-api/util/secret"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// controlPlaneReconciler follows controllers/azureasomanagedcontrolplane_controller.go.
type controlPlaneReconciler struct{ applier }

// Reconcile implements reconcile.Reconciler.
func (r *controlPlaneReconciler) Reconcile(ctx context.Context, request ctrl.Request) (_ ctrl.Result, err error) {
	plane := &infrav1.AzureASOManagedControlPlane{}
	if err := r.client.Get(ctx, request.NamespacedName, plane); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	save, err := saver(ctx, r.client, plane)
	if err != nil {
		return ctrl.Result{}, err
	}
	defer func() { err = errors.Join(err, save()) }()
	plane.Status.Ready, plane.Status.Initialized = false, false

	cluster, err := util.GetOwnerCluster(ctx, r.client, plane.ObjectMeta)
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case isPaused(cluster, plane):
		return ctrl.Result{}, r.rest(ctx, plane, plane.Spec.Resources)
	case !plane.DeletionTimestamp.IsZero():
		return ctrl.Result{}, r.delete(ctx, plane)
	case cluster == nil:
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, r.normal(ctx, plane, cluster)
	}
}

func (r *controlPlaneReconciler) normal(ctx context.Context, plane *infrav1.AzureASOManagedControlPlane, cluster *clusterv1.Cluster) error {
	if !refersToKind(cluster.Spec.InfrastructureRef, infrav1.AzureASOManagedClusterKind) {
		return reconcile.TerminalError(errors.New("AzureASOManagedControlPlane cannot be used without AzureASOManagedCluster"))
	}
	if prepare(plane, infrav1.AzureASOManagedControlPlaneFinalizer) {
		return nil // our own write wakes us
	}
	resources, err := mutated(plane.Spec.Resources, clusterMutator(ctx, r.client, plane, cluster))
	if err != nil {
		return err
	}
	name := find(resources, asospec.ManagedCluster).GetName()
	if err := r.reconcile(ctx, plane, resources); err != nil {
		return fmt.Errorf("failed to reconcile resources: %w", err)
	}
	if !allReady(plane.Status.Resources) {
		return nil
	}
	managed, err := get(ctx, r.client, asospec.ManagedCluster, plane.Namespace, name)
	if err != nil {
		return fmt.Errorf("error getting ManagedCluster: %w", err)
	}
	plane.Status.ControlPlaneEndpoint = endpoint(managed)
	if version := text(managed, "status", "currentKubernetesVersion"); version != "" {
		plane.Status.Version = "v" + version
	}
	if err := r.writeKubeconfig(ctx, plane, cluster, managed); err != nil {
		return fmt.Errorf("failed to reconcile kubeconfig: %w", err)
	}
	plane.Status.Ready = !plane.Status.ControlPlaneEndpoint.IsZero()
	plane.Status.Initialized = plane.Status.Ready
	return nil
}

// writeKubeconfig hands over to Cluster API what Azure Service Operator has fetched.
func (r *controlPlaneReconciler) writeKubeconfig(ctx context.Context, plane *infrav1.AzureASOManagedControlPlane, cluster *clusterv1.Cluster, managed *unstructured.Unstructured) error {
	source, found := credentialSecret(managed)
	if !found {
		return reconcile.TerminalError(errors.New("ManagedCluster must define at least one of spec.operatorSpec.secrets.{userCredentials,adminCredentials}"))
	}
	disabled, _ := field(managed, "status", "disableLocalAccounts")
	entra, _ := field(managed, "status", "aadProfile", "managed")
	if disabled == true && entra == true {
		return reconcile.TerminalError(errors.New("the stand-in needs local accounts: it does not log in to clusters through Entra ID"))
	}
	fetched := &corev1.Secret{}
	if err := r.client.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: source["name"]}, fetched); err != nil {
		return fmt.Errorf("failed to fetch secret created by ASO: %w", err)
	}
	kubeconfig := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name: secret.Name(cluster.Name, secret.Kubeconfig), Namespace: cluster.Namespace,
			Labels:          map[string]string{clusterv1.ClusterNameLabel: cluster.Name},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(plane, infrav1.GroupVersion.WithKind(infrav1.AzureASOManagedControlPlaneKind))},
		},
		Data: map[string][]byte{secret.KubeconfigDataName: fetched.Data[source["key"]]},
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(kubeconfig)
	if err != nil {
		return err
	}
	return r.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content}), fieldOwner, client.ForceOwnership)
}

// credentialSecret is where Azure Service Operator writes a kubeconfig, the administrator's before a user's.
func credentialSecret(managed *unstructured.Unstructured) (map[string]string, bool) {
	for _, each := range []string{"adminCredentials", "userCredentials"} {
		if destination, found, _ := unstructured.NestedStringMap(managed.Object, "spec", "operatorSpec", "secrets", each); found {
			return destination, true
		}
	}
	return nil, false
}

func endpoint(managed *unstructured.Unstructured) clusterv1beta1.APIEndpoint {
	for _, each := range []string{"privateFQDN", "fqdn"} {
		if host := text(managed, "status", each); host != "" {
			return clusterv1beta1.APIEndpoint{Host: host, Port: 443}
		}
	}
	return clusterv1beta1.APIEndpoint{}
}

func (r *controlPlaneReconciler) delete(ctx context.Context, plane *infrav1.AzureASOManagedControlPlane) error {
	if err := r.reconcile(ctx, plane, nil); err != nil {
		return fmt.Errorf("failed to reconcile resources: %w", err)
	}
	if len(plane.Status.Resources) == 0 {
		controllerutil.RemoveFinalizer(plane, infrav1.AzureASOManagedControlPlaneFinalizer)
	}
	return nil
}
