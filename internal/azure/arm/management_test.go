package arm_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/capi"
)

const infra = "infrastructure.cluster.x-k8s.io"

// management is a management cluster.
type management struct {
	t *testing.T
	kube.Client
	reads int
}

func newManagement(t *testing.T) *management {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, capi.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	m := &management{t: t}
	m.Client = fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c kube.WithWatch, key kube.ObjectKey, o kube.Object, opts ...kube.GetOption) error {
			m.reads++
			return c.Get(ctx, key, o, opts...)
		},
	}).Build()
	return m
}

func (m *management) put(o kube.Object) {
	m.t.Helper()
	if err := m.Create(m.t.Context(), o); err != nil {
		m.t.Fatal(err)
	}
}

func (m *management) infra(kind, name string, spec map[string]any) {
	m.t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetAPIVersion(infra + "/v1beta1")
	u.SetKind(kind)
	u.SetName(name)
	u.SetNamespace("team-a")
	m.put(u)
}

func (m *management) secret(name string, data map[string]string) {
	m.t.Helper()
	raw := map[string][]byte{}
	for k, v := range data {
		raw[k] = []byte(v)
	}
	m.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team-a"}, Data: raw})
}

// changeSecret writes one key of a Secret.
func (m *management) changeSecret(name, key, value string) {
	m.t.Helper()
	var s corev1.Secret
	if err := m.Get(m.t.Context(), types.NamespacedName{Namespace: "team-a", Name: name}, &s); err != nil {
		m.t.Fatal(err)
	}
	s.Data[key] = []byte(value)
	if err := m.Update(m.t.Context(), &s); err != nil {
		m.t.Fatal(err)
	}
}

// capz makes a cluster of CAPZ's first flavour; spec is that of its AzureClusterIdentity, nil for none.
func (m *management) capz(name string, spec map[string]any) capi.Cluster {
	m.t.Helper()
	plane := map[string]any{"subscriptionID": subscription}
	if spec != nil {
		m.infra("AzureClusterIdentity", name, spec)
		plane["identityRef"] = map[string]any{"name": name}
	}
	return m.cluster(name, "AzureManaged", plane)
}

// aso makes one of CAPZ's second flavour, whose object names a Secret of its namespace.
func (m *management) aso(name, secret string) capi.Cluster {
	m.t.Helper()
	return m.cluster(name, "AzureASOManaged", map[string]any{"resources": []any{map[string]any{
		"apiVersion": "containerservice.azure.com/v1api20250801", "kind": "ManagedCluster",
		"metadata": map[string]any{"name": name, "annotations": map[string]any{"serviceoperator.azure.com/credential-from": secret}},
	}}})
}

func (m *management) cluster(name, flavor string, plane map[string]any) capi.Cluster {
	m.t.Helper()
	m.infra(flavor+"ControlPlane", name, plane)
	ref := func(kind string) clusterv1.ContractVersionedObjectReference {
		return clusterv1.ContractVersionedObjectReference{APIGroup: infra, Kind: kind, Name: name}
	}
	m.put(&clusterv1.Cluster{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team-a"},
		Spec:       clusterv1.ClusterSpec{InfrastructureRef: ref(flavor + "Cluster"), ControlPlaneRef: ref(flavor + "ControlPlane")},
	})
	c, err := capi.ReadCluster(m.t.Context(), m.Client, types.NamespacedName{Namespace: "team-a", Name: name})
	if err != nil {
		m.t.Fatal(err)
	}
	m.reads = 0
	return c
}

// identitySpec is the spec of an AzureClusterIdentity that everybody may use; its Secret, if it has one, is called as it is.
func identitySpec(kind, client string, more map[string]any) map[string]any {
	spec := map[string]any{"type": kind, "tenantID": tenant, "clientID": client, "allowedNamespaces": map[string]any{}}
	maps.Copy(spec, more)
	return spec
}

func secretRef(name string) map[string]any {
	return map[string]any{"clientSecret": map[string]any{"name": name, "namespace": "team-a"}}
}

func clients(t *testing.T, o arm.Options, m *management) *arm.Clients {
	t.Helper()
	c, err := arm.NewClients(o, m.Client)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// noIdentity empties the environment.
func noIdentity(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_TENANT_ID", "AZURE_CLIENT_ID",
		"IDENTITY_ENDPOINT", "IDENTITY_HEADER",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("PATH", t.TempDir())
}

// certificate is a new one with its key, as PEM.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "operator"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}
