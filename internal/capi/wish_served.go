package capi

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// ServedClusters are empty objects of the kinds of whole clusters (infrastructure, control plane, and what is related to it) of those flavours
// whose definitions the API server has, for watches. A flavour installed later needs a restart.
func ServedClusters(mapper meta.RESTMapper) ([]client.Object, error) {
	out, err := ServedControlPlanes(mapper)
	if err != nil {
		return nil, err
	}
	for _, f := range flavors {
		more, err := served(mapper, infrastructureOf(f))
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// served is an empty object of the kind if the API server has its definition, nothing otherwise.
func served(mapper meta.RESTMapper, kind schema.GroupVersionKind) ([]client.Object, error) {
	_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	switch {
	case meta.IsNoMatchError(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("ask whether the API server has %s: %w", kind.Kind, err)
	}
	return []client.Object{empty(kind)}, nil
}

// CredentialSubscription is the subscription in which the wished cluster would be made, empty when that is not known: with AzureASOManaged that of
// the Secret by which Azure Service Operator would look after it. Its own credential is not ours to read.
func CredentialSubscription(ctx context.Context, live client.Reader, w Wish) (string, error) {
	if w.Flavor == string(fleetwrightv1.WorkloadClusterFlavorManaged) {
		return w.SubscriptionID, nil
	}
	key := types.NamespacedName{Namespace: w.Namespace, Name: identity.SecretOfNamespace}
	if w.CredentialSecret != "" {
		key.Name = w.CredentialSecret
	}
	var secret corev1.Secret
	if _, err := get(ctx, live, key, &secret); err != nil {
		return "", fmt.Errorf("read which subscription Cluster %s would be made in: %w", w.key(), err)
	}
	return string(secret.Data[identity.KeySubscription]), nil
}
