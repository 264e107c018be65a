package aso

import (
	"context"
	"encoding/base64"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// writeKubeconfigs writes a cluster's kubeconfigs where spec.operatorSpec.secrets wants them, see
// api/containerservice/customizations/managed_cluster_extensions.go. They are fetched each time, in case of rotation.
func (r *reconciler) writeKubeconfigs(ctx context.Context, azure *account, object *unstructured.Unstructured, id string) error {
	if r.kind != asospec.ManagedCluster {
		return nil
	}
	for field, action := range map[string]string{
		"adminCredentials": "listClusterAdminCredential",
		"userCredentials":  "listClusterUserCredential",
	} {
		destination, found, err := unstructured.NestedStringMap(object.Object, "spec", "operatorSpec", "secrets", field)
		if err != nil {
			return fmt.Errorf("read spec.operatorSpec.secrets.%s: %w", field, err)
		}
		if !found {
			continue
		}
		kubeconfig, err := credential(ctx, azure, id, action)
		if err != nil {
			return err
		}
		if err := r.writeSecret(ctx, object, destination["name"], destination["key"], kubeconfig); err != nil {
			return err
		}
	}
	return nil
}

func credential(ctx context.Context, azure *account, id, action string) ([]byte, error) {
	answer, err := azure.Post(ctx, id+"/"+action, asospec.ManagedCluster.APIVersion)
	if err != nil {
		return nil, fmt.Errorf("failed listing credentials: %w", err)
	}
	list, _, err := unstructured.NestedSlice(answer, "kubeconfigs")
	if err != nil || len(list) == 0 {
		return nil, fmt.Errorf("%s answered without a kubeconfig", action)
	}
	first, _ := list[0].(map[string]any)
	encoded, _ := first["value"].(string)
	kubeconfig, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%s answered with a kubeconfig that is not base64: %w", action, err)
	}
	return kubeconfig, nil
}

// writeSecret writes one key of a Secret that belongs to the object. Somebody else's Secret is not touched.
func (r *reconciler) writeSecret(ctx context.Context, owner *unstructured.Unstructured, name, key string, value []byte) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: owner.GetNamespace()}}
	gvk := owner.GroupVersionKind()
	reference := metav1.OwnerReference{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Name: owner.GetName(), UID: owner.GetUID()}
	_, err := controllerutil.CreateOrUpdate(ctx, r.client, secret, func() error {
		before := len(secret.OwnerReferences)
		ensureOwner(secret, reference)
		if secret.ResourceVersion != "" && len(secret.OwnerReferences) != before {
			cause := fmt.Errorf("cannot overwrite Secret %s/%s which is not owned by %s %s", secret.Namespace, name, gvk.Kind, owner.GetName())
			return &impossible{severityError, kubeconfigsNotOurs, cause}
		}
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[key] = value
		return nil
	})
	if err != nil {
		return fmt.Errorf("write secret %s: %w", name, err)
	}
	return nil
}
