package capz

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// identities turns AzureClusterIdentity objects into clients of Azure, after azure/scope/identity.go and
// EnsureClusterIdentity in controllers/helpers.go. Clients are kept, and with them their tokens, until the identity
// changes.
type identities struct {
	client client.Client
	azure  azcore.ClientOptions

	mu    sync.Mutex
	known map[client.ObjectKey]knownIdentity
}

type knownIdentity struct {
	fingerprint string
	client      *armclient.Client
}

// errNamespaceNotAllowed are CAPZ's words for an identity that another namespace may not use.
var errNamespaceNotAllowed = errors.New("AzureClusterIdentity list of allowed namespaces doesn't include current cluster namespace")

// of returns the client of a control plane's identity.
func (i *identities) of(ctx context.Context, plane *infrav1.AzureManagedControlPlane) (*armclient.Client, error) {
	identity, err := i.get(ctx, plane)
	if err != nil {
		return nil, err
	}
	secret, err := i.secret(ctx, identity)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", identity.Spec.Type, identity.Spec.TenantID, identity.Spec.ClientID, secret))
	fingerprint := hex.EncodeToString(sum[:])

	i.mu.Lock()
	defer i.mu.Unlock()
	key := client.ObjectKeyFromObject(identity)
	if known := i.known[key]; known.fingerprint == fingerprint {
		return known.client, nil
	}
	credential, err := i.credential(identity, secret)
	if err != nil {
		return nil, fmt.Errorf("use AzureClusterIdentity %s: %w", key, err)
	}
	azure, err := armclient.New(credential, i.azure)
	if err != nil {
		return nil, err
	}
	if i.known == nil {
		i.known = map[client.ObjectKey]knownIdentity{}
	}
	i.known[key] = knownIdentity{fingerprint: fingerprint, client: azure}
	return azure, nil
}

func (i *identities) get(ctx context.Context, plane *infrav1.AzureManagedControlPlane) (*infrav1.AzureClusterIdentity, error) {
	if plane.Spec.IdentityRef == nil {
		return nil, errors.New("the stand-in has no Azure credentials of its own: set spec.identityRef")
	}
	identity := &infrav1.AzureClusterIdentity{}
	key := reference(plane.Spec.IdentityRef, plane.Namespace)
	if err := i.client.Get(ctx, key, identity); err != nil {
		return nil, fmt.Errorf("failed to retrieve AzureClusterIdentity %s: %w", key, err)
	}
	return identity, nil
}

func (i *identities) secret(ctx context.Context, identity *infrav1.AzureClusterIdentity) (string, error) {
	if identity.Spec.Type == infrav1.WorkloadIdentity {
		return "", nil
	}
	key := client.ObjectKey{Namespace: identity.Spec.ClientSecret.Namespace, Name: identity.Spec.ClientSecret.Name}
	secret := &corev1.Secret{}
	if err := i.client.Get(ctx, key, secret); err != nil {
		return "", fmt.Errorf("unable to fetch ClientSecret %s: %w", key, err)
	}
	return string(secret.Data["clientSecret"]), nil
}

func (i *identities) credential(identity *infrav1.AzureClusterIdentity, secret string) (azcore.TokenCredential, error) {
	spec := identity.Spec
	switch spec.Type {
	case infrav1.ServicePrincipal, infrav1.ManualServicePrincipal:
		return azidentity.NewClientSecretCredential(spec.TenantID, spec.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: i.azure,
			// The simulated authority is not one that Microsoft's instance discovery knows.
			DisableInstanceDiscovery: true,
		})
	case infrav1.WorkloadIdentity:
		// CAPZ presents the token of its service account. Nothing projects one here, and the simulator does not read it.
		assertion := func(context.Context) (string, error) { return "stand-in", nil }
		return azidentity.NewClientAssertionCredential(spec.TenantID, spec.ClientID, assertion, &azidentity.ClientAssertionCredentialOptions{
			ClientOptions: i.azure, DisableInstanceDiscovery: true,
		})
	default:
		return nil, fmt.Errorf("the stand-in does not know identities of type %s", spec.Type)
	}
}

// claim checks that the control plane may use its identity and keeps the identity from being deleted before it.
func (i *identities) claim(ctx context.Context, plane *infrav1.AzureManagedControlPlane) error {
	identity, err := i.get(ctx, plane)
	if err != nil {
		return err
	}
	if !i.allowed(ctx, identity.Spec.AllowedNamespaces, plane.Namespace) {
		return errNamespaceNotAllowed
	}
	before := identity.DeepCopy()
	if !controllerutil.AddFinalizer(identity, identityFinalizer(plane)) {
		return nil
	}
	if err := i.client.Patch(ctx, identity, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("claim AzureClusterIdentity %s: %w", client.ObjectKeyFromObject(identity), err)
	}
	return nil
}

// release undoes claim. An identity that is gone needs none.
func (i *identities) release(ctx context.Context, plane *infrav1.AzureManagedControlPlane) error {
	identity, err := i.get(ctx, plane)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	before := identity.DeepCopy()
	if !controllerutil.RemoveFinalizer(identity, identityFinalizer(plane)) {
		return nil
	}
	if err := i.client.Patch(ctx, identity, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("failed to patch AzureClusterIdentity: %w", err)
	}
	return nil
}

// allowed follows IsClusterNamespaceAllowed: nil allows none, an empty value all.
func (i *identities) allowed(ctx context.Context, allowed *infrav1.AllowedNamespaces, namespace string) bool {
	switch {
	case allowed == nil:
		return false
	case reflect.DeepEqual(*allowed, infrav1.AllowedNamespaces{}), slices.Contains(allowed.NamespaceList, namespace):
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	if err != nil || selector.Empty() {
		return false
	}
	matching := &corev1.NamespaceList{}
	if err := i.client.List(ctx, matching, client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return false
	}
	return slices.ContainsFunc(matching.Items, func(each corev1.Namespace) bool { return each.Name == namespace })
}

func identityFinalizer(plane *infrav1.AzureManagedControlPlane) string {
	sum := sha256.Sum224(fmt.Appendf(nil, "%s-%s", plane.Namespace, plane.Name))
	return infrav1.ManagedClusterFinalizer + "/" + hex.EncodeToString(sum[:])
}
