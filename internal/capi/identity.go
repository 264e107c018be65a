package capi

import (
	"cmp"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azureclusteridentities,verbs=get
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

var azureClusterIdentity = schema.GroupVersionKind{Group: infraGroup, Version: "v1beta1", Kind: "AzureClusterIdentity"}

// asoCredentialFrom names the Secret by which Azure Service Operator acts on an object.
const asoCredentialFrom = asoAnnotations + "credential-from"

// readIdentityRef takes over what an AzureManagedControlPlane says about its identity.
func (c *Cluster) readIdentityRef(plane *unstructured.Unstructured) {
	c.identity = identity.Sources{
		ControlPlane: objectName(plane), Namespace: plane.GetNamespace(), Environment: stringAt(plane, "spec", "azureEnvironment"),
	}
	if name := stringAt(plane, "spec", "identityRef", "name"); name != "" {
		c.identity.Ref = types.NamespacedName{Namespace: cmp.Or(stringAt(plane, "spec", "identityRef", "namespace"), plane.GetNamespace()), Name: name}
	}
}

// readCredentialFrom takes over what an object of Azure Service Operator says about its identity: what is there, or else what
// CAPZ is to make.
func (c *Cluster) readCredentialFrom(plane, related, resource *unstructured.Unstructured) {
	c.identity = identity.Sources{
		ControlPlane: objectName(plane), Namespace: plane.GetNamespace(), ASO: true,
		CredentialFrom: cmp.Or(related.GetAnnotations()[asoCredentialFrom], resource.GetAnnotations()[asoCredentialFrom]),
	}
}

func objectName(u *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s", u.GetKind(), client.ObjectKeyFromObject(u))
}

// NamesIdentity is false while the control plane, which says by which Azure identity the cluster is managed, is not there.
func (c Cluster) NamesIdentity() bool { return c.identity.ControlPlane != "" }

// Identity is the Azure identity by which the cluster is managed, read past the cache: a permission that was taken back counts
// at once. A Secret is read when everything before it allows its use, and none is listed.
//
// Errors of type *identity.Refusal say what a person has to change; others may pass.
func (c Cluster) Identity(ctx context.Context, live client.Reader) (identity.Identity, error) {
	s := c.identity
	if s.ControlPlane == "" {
		return identity.Identity{}, fmt.Errorf("find the Azure identity of Cluster %s: its control plane, which names it, is not there yet", c.key())
	}
	s.Secrets = map[types.NamespacedName]identity.Read[map[string][]byte]{}
	for {
		step, err := identity.Resolve(s)
		if err != nil || step.Need == identity.NeedNothing {
			return step.Identity, err
		}
		// Each reading answers a need for good, so this ends.
		if err := readForIdentity(ctx, live, &s, step); err != nil {
			return identity.Identity{}, fmt.Errorf("find the Azure identity of Cluster %s: %w", c.key(), err)
		}
	}
}

func readForIdentity(ctx context.Context, live client.Reader, s *identity.Sources, step identity.Step) error {
	switch step.Need {
	case identity.NeedObject:
		object := empty(azureClusterIdentity)
		found, err := get(ctx, live, s.Ref, object)
		s.Object = identity.Read[identity.ClusterIdentity]{Asked: true, Found: found, Value: clusterIdentityIn(object)}
		return err
	case identity.NeedLabels:
		var namespace corev1.Namespace
		found, err := get(ctx, live, types.NamespacedName{Name: s.Namespace}, &namespace)
		s.Labels = identity.Read[map[string]string]{Asked: true, Found: found, Value: namespace.Labels}
		return err
	default:
		var secret corev1.Secret
		found, err := get(ctx, live, step.Secret, &secret)
		s.Secrets[step.Secret] = identity.Read[map[string][]byte]{Asked: true, Found: found, Value: secret.Data}
		return err
	}
}

// get reads an object that may be missing.
func get(ctx context.Context, reader client.Reader, key types.NamespacedName, object client.Object) (found bool, err error) {
	err = reader.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// clusterIdentityIn reads an AzureClusterIdentity.
func clusterIdentityIn(u *unstructured.Unstructured) identity.ClusterIdentity {
	return identity.ClusterIdentity{
		Type: stringAt(u, "spec", "type"), TenantID: stringAt(u, "spec", "tenantID"), ClientID: stringAt(u, "spec", "clientID"),
		Secret:           types.NamespacedName{Namespace: stringAt(u, "spec", "clientSecret", "namespace"), Name: stringAt(u, "spec", "clientSecret", "name")},
		CertPath:         stringAt(u, "spec", "certPath"),
		CredentialsPath:  stringAt(u, "spec", "userAssignedIdentityCredentialsPath"),
		CredentialsCloud: stringAt(u, "spec", "userAssignedIdentityCredentialsCloudType"),
		Allowed:          allowedNamespacesIn(u),
	}
}

// allowedNamespacesIn keeps apart what means the opposite: not set, empty, and a list or a selector that is there and empty.
func allowedNamespacesIn(u *unstructured.Unstructured) *identity.Namespaces {
	tree := treeAt(u, "spec", "allowedNamespaces")
	if tree == nil {
		return nil
	}
	out := identity.Namespaces{Any: tree["list"] == nil && tree["selector"] == nil, List: stringsAt(u, "spec", "allowedNamespaces", "list")}
	if selector, ok := tree["selector"].(map[string]any); ok {
		out.Selector = &metav1.LabelSelector{}
		if runtime.DefaultUnstructuredConverter.FromUnstructured(selector, out.Selector) != nil {
			out.Selector = nil // it selects nothing
		}
	}
	return &out
}
