package capz

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util/secret"

	"github.com/fleetwright/fleetwright/localstack/capz/desired"
)

// putKubeconfig hands the cluster's credentials to Cluster API: <cluster>-kubeconfig, with managed Entra ID also
// <cluster>-kubeconfig-user, <cluster>-ca, and cluster-info inside the cluster. It follows reconcileKubeconfig in
// controllers/azuremanagedcontrolplane_reconciler.go, and always fetches, in case of rotation.
func (s *controlPlaneServices) putKubeconfig(ctx context.Context) error {
	managedAAD := s.plane.Spec.AADProfile != nil && s.plane.Spec.AADProfile.Managed
	if managedAAD && s.plane.Spec.DisableLocalAccounts != nil && *s.plane.Spec.DisableLocalAccounts {
		return errors.New("the stand-in needs local accounts: it does not log in to clusters through Entra ID")
	}
	admin, err := s.credentials(ctx, "listClusterAdminCredential")
	if err != nil {
		return err
	}
	name := secret.Name(s.cluster.Name, secret.Kubeconfig)
	if err := s.putSecret(ctx, name, map[string][]byte{secret.KubeconfigDataName: admin}); err != nil {
		return err
	}
	if managedAAD {
		user, err := s.credentials(ctx, "listClusterUserCredential")
		if err != nil {
			return err
		}
		if err := s.putSecret(ctx, name+"-user", map[string][]byte{secret.KubeconfigDataName: user}); err != nil {
			return err
		}
	}
	return s.putClusterInfo(ctx, admin)
}

// credentials returns the kubeconfig that an action of the managed cluster answers with.
func (s *controlPlaneServices) credentials(ctx context.Context, action string) ([]byte, error) {
	answer, err := s.azure.Post(ctx, desired.ManagedClusterID(s.plane)+"/"+action, desired.ContainerServiceVersion)
	if err != nil {
		return nil, fmt.Errorf("error while reconciling kubeconfigs: %s: %w", action, err)
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

func (s *controlPlaneServices) putSecret(ctx context.Context, name string, data map[string][]byte) error {
	object := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.cluster.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, s.client, object, func() error {
		object.Data = data
		if object.Labels == nil {
			object.Labels = map[string]string{}
		}
		// Cluster API caches only secrets with this label.
		object.Labels[clusterv1.ClusterNameLabel] = s.cluster.Name
		if metav1.GetControllerOf(object) == nil {
			kind := infrav1.GroupVersion.WithKind(infrav1.AzureManagedControlPlaneKind)
			object.OwnerReferences = append(object.OwnerReferences, *metav1.NewControllerRef(s.plane, kind))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("failed to reconcile kubeconfig secret: secret %s: %w", name, err)
	}
	return nil
}

// putClusterInfo stores the cluster's authority where Cluster API and kubeadm look for it.
func (s *controlPlaneServices) putClusterInfo(ctx context.Context, kubeconfig []byte) error {
	config, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return fmt.Errorf("failed to turn aks credentials into kubeconfig file struct: %w", err)
	}
	current, found := config.Contexts[config.CurrentContext]
	if !found || config.Clusters[current.Cluster] == nil {
		return errors.New("failed to turn aks credentials into kubeconfig file struct: no current context")
	}
	authority := config.Clusters[current.Cluster].CertificateAuthorityData
	err = s.putSecret(ctx, secret.Name(s.cluster.Name, secret.ClusterCA), map[string][]byte{
		secret.TLSCrtDataName: authority,
		// CAPZ's placeholder: nobody but AKS has the key, and Cluster API wants the field.
		secret.TLSKeyDataName: []byte("foo"),
	})
	if err != nil {
		return err
	}
	return s.publishClusterInfo(ctx, kubeconfig, authority)
}

func (s *controlPlaneServices) publishClusterInfo(ctx context.Context, kubeconfig, authority []byte) error {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return fmt.Errorf("failed to create remote cluster kubeclient: %w", err)
	}
	workload, err := client.New(config, client.Options{Scheme: s.client.Scheme()})
	if err != nil {
		return fmt.Errorf("failed to create remote cluster kubeclient: %w", err)
	}
	address := s.plane.Spec.ControlPlaneEndpoint
	discovery := clientcmdapi.NewConfig()
	discovery.Clusters[""] = &clientcmdapi.Cluster{
		CertificateAuthorityData: authority, Server: fmt.Sprintf("%s:%d", address.Host, address.Port),
	}
	content, err := clientcmd.Write(*discovery)
	if err != nil {
		return fmt.Errorf("failed to serialize cluster-info to yaml: %w", err)
	}
	info := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cluster-info", Namespace: metav1.NamespacePublic}}
	_, err = controllerutil.CreateOrUpdate(ctx, workload, info, func() error {
		info.Data = map[string]string{"kubeconfig": string(content)}
		return nil
	})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("failed to construct cluster-info: %w", err)
	}
	return nil
}
