package capi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

const identityCluster = `
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: shop, namespace: team-a}
spec:
  infrastructureRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: AzureManagedCluster, name: shop}
  controlPlaneRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: AzureManagedControlPlane, name: plane}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {env: prod}}
---
apiVersion: v1
kind: Secret
metadata: {name: secret, namespace: infra}
data: {clientSecret: czNjcmV0}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: AzureManagedControlPlane
metadata: {name: plane, namespace: team-a}
spec:
  azureEnvironment: AzureUSGovernmentCloud
  identityRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: AzureClusterIdentity, name: fleet, namespace: infra}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: AzureClusterIdentity
metadata: {name: fleet, namespace: infra}
spec: {type: ServicePrincipal, tenantID: tenant, clientID: client, clientSecret: {name: secret, namespace: infra}, allowedNamespaces: ALLOWED}
`

const identityASO = `
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: shop, namespace: team-a}
spec:
  infrastructureRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: AzureASOManagedCluster, name: shop}
  controlPlaneRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: AzureASOManagedControlPlane, name: plane}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: AzureASOManagedControlPlane
metadata: {name: plane, namespace: team-a}
spec:
  resources:
  - apiVersion: containerservice.azure.com/v1api20250801
    kind: ManagedCluster
    metadata: {name: shop, annotations: {serviceoperator.azure.com/credential-from: wanted}}
---
apiVersion: v1
kind: Secret
metadata: {name: wanted, namespace: team-a}
data: {AZURE_SUBSCRIPTION_ID: MA==, AZURE_TENANT_ID: dGVuYW50, AZURE_CLIENT_ID: Y2xpZW50, AZURE_CLIENT_SECRET: d2FudGVk}
---
apiVersion: v1
kind: Secret
metadata: {name: present, namespace: team-a}
data: {AZURE_SUBSCRIPTION_ID: MA==, AZURE_TENANT_ID: dGVuYW50, AZURE_CLIENT_ID: Y2xpZW50, AZURE_CLIENT_SECRET: cHJlc2VudA==}
`

const identityASOObject = `
---
apiVersion: containerservice.azure.com/v1api20250801
kind: ManagedCluster
metadata: {name: shop, namespace: team-a, annotations: {serviceoperator.azure.com/credential-from: present}}
`

// identityReader serves documents, and says what was read; a kind that is refused is answered with that error.
func identityReader(t *testing.T, documents string, refused map[string]error) (client.Client, *[]string) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	b := fake.NewClientBuilder().WithScheme(scheme)
	for document := range strings.SplitSeq(documents, "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &u.Object); err != nil {
			t.Fatal(err)
		}
		b = b.WithObjects(u)
	}
	var read []string
	return b.WithInterceptorFuncs(interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		kind, err := c.GroupVersionKindFor(o)
		if err != nil {
			return err
		}
		read = append(read, kind.Kind)
		if err := refused[kind.Kind]; err != nil {
			return err
		}
		return c.Get(ctx, key, o, opts...)
	}}).Build(), &read
}

func readIdentity(t *testing.T, documents string, refused map[string]error) (identity.Identity, []string, error) {
	t.Helper()
	c, read := identityReader(t, documents, refused)
	cluster, err := ReadCluster(t.Context(), c, types.NamespacedName{Namespace: "team-a", Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	*read = nil
	i, err := cluster.Identity(t.Context(), c)
	return i, *read, err
}

// What an AzureClusterIdentity says of namespaces is told apart as CAPZ does after
// decoding it, and no Secret is read for one that is not allowed.
func TestIdentityOfAnAzureManagedControlPlane(t *testing.T) {
	for allowed, want := range map[string]bool{
		"null": false, "{}": true, "{list: null, selector: null}": true, "{list: []}": false, "{list: [team-a]}": true, "{list: [team-b]}": false,
		"{selector: {}}": false, "{selector: {matchLabels: {env: prod}}}": true, "{selector: {matchLabels: {env: test}}}": false,
		"{list: [team-b], selector: {matchExpressions: [{key: env, operator: In, values: [prod]}]}}": true,
		"{list: team-a}": false, "{selector: prod}": false, "{selector: {matchLabels: [env]}}": false,
	} {
		t.Run(allowed, func(t *testing.T) {
			i, read, err := readIdentity(t, strings.Replace(identityCluster, "ALLOWED", allowed, 1), nil)
			refused, isRefusal := errors.AsType[*identity.Refusal](err)
			if !want {
				if !isRefusal || refused.Reason != identity.NotAllowed || slices.Contains(read, "Secret") {
					t.Errorf("got %v after reading %v", err, read)
				}
				return
			}
			if err != nil || i.Method != identity.ClientSecret || i.Secret.Reveal() != "s3cret" || i.Principal() != "client" || i.TenantID != "tenant" ||
				i.From != "AzureClusterIdentity infra/fleet" || i.Cloud.Name != "AzureUSGovernmentCloud" {
				t.Errorf("got %+v %v", i, err)
			}
		})
	}
}

// A reference without a namespace is to one beside the control plane.
func TestIdentityRefWithoutNamespace(t *testing.T) {
	documents := strings.NewReplacer("name: fleet, namespace: infra}\n---", "name: fleet}\n---", "ALLOWED", "{}").Replace(identityCluster)
	_, _, err := readIdentity(t, documents, nil)
	if err == nil || !strings.Contains(err.Error(), "AzureManagedControlPlane team-a/plane: spec.identityRef names AzureClusterIdentity team-a/fleet") {
		t.Errorf("got %v", err)
	}
}

// Azure Service Operator goes by the annotation of the object that is there; before
// there is one, by what it will be made with.
func TestIdentityOfAnASOManagedControlPlane(t *testing.T) {
	for want, documents := range map[string]string{"wanted": identityASO, "present": identityASO + identityASOObject} {
		i, read, err := readIdentity(t, documents, nil)
		if err != nil || i.Secret.Reveal() != want || i.From != "Secret team-a/"+want {
			t.Errorf("%s: got %+v %v", want, i, err)
		}
		if !slices.Equal(read, []string{"Secret"}) {
			t.Errorf("%s: it read %v", want, read)
		}
	}
	none := strings.Replace(identityASO, ", annotations: {serviceoperator.azure.com/credential-from: wanted}", "", 1)
	if i, _, err := readIdentity(t, none, nil); err != nil || i.Method != identity.Operator {
		t.Errorf("without an annotation: %+v %v", i, err)
	}
	if i, _, err := readIdentity(t, strings.Replace(none, "name: present", "name: aso-credential", 1), nil); err != nil || i.Secret.Reveal() != "present" {
		t.Errorf("with the Secret of the namespace: %+v %v", i, err)
	}
}

// A cluster whose control plane is not known is not one that names no identity, and
// what cannot be read is not missing.
func TestIdentityThatIsNotKnown(t *testing.T) {
	documents := strings.Replace(identityCluster, "ALLOWED", "{selector: {matchLabels: {env: prod}}}", 1)
	forbidden := func(kind string) map[string]error {
		return map[string]error{kind: apierrors.NewForbidden(schema.GroupResource{Resource: kind}, "x", errors.New("no right"))}
	}
	for kind, want := range map[string]string{"AzureClusterIdentity": "no right", "Namespace": "no right", "Secret": "no right"} {
		_, _, err := readIdentity(t, documents, forbidden(kind))
		if _, refused := errors.AsType[*identity.Refusal](err); err == nil || refused || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	_, _, err := readIdentity(t, strings.Replace(documents, "metadata: {name: plane,", "metadata: {name: other,", 1), nil)
	if err == nil || !strings.Contains(err.Error(), "find the Azure identity of Cluster team-a/shop: its control plane, which names it, is not there yet") {
		t.Errorf("without a control plane: %v", err)
	}
}

// Printing a cluster with its identity tells no Secret.
func TestClusterTellsNoSecret(t *testing.T) {
	c, _ := identityReader(t, strings.Replace(identityCluster, "ALLOWED", "{}", 1), nil)
	cluster, err := ReadCluster(t.Context(), c, types.NamespacedName{Namespace: "team-a", Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	i, err := cluster.Identity(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var secret corev1.Secret
	if err := c.Get(t.Context(), types.NamespacedName{Namespace: "infra", Name: "secret"}, &secret); err != nil {
		t.Fatal(err)
	}
	if out := fmt.Sprintf("%v %+v %#v %v %+v %#v", cluster, cluster, cluster, i, i, i); strings.Contains(out, string(secret.Data["clientSecret"])) {
		t.Errorf("it tells %s", out)
	}
}
