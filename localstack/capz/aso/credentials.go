package aso

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// account is access to Azure for one subscription.
type account struct {
	*armclient.Client

	subscription string
}

// credentials finds the Secret that an object is to be brought to Azure with, after internal/identity/credential_provider.go:
// the one that the object names, else aso-credential in its namespace. Clients are kept, and with them their tokens.
type credentials struct {
	client client.Client
	azure  azcore.ClientOptions

	mu    sync.Mutex
	known map[client.ObjectKey]knownAccount
}

type knownAccount struct {
	version string // of the Secret
	account *account
}

func (c *credentials) of(ctx context.Context, object *unstructured.Unstructured) (*account, error) {
	name, named := object.GetAnnotations()[secretAnnotation]
	if !named {
		name = namespacedSecret
	}
	key := client.ObjectKey{Namespace: object.GetNamespace(), Name: name}
	secret := &corev1.Secret{}
	err := c.client.Get(ctx, key, secret)
	switch {
	case apierrors.IsNotFound(err) && named:
		return nil, warning(reasonSecretNotFound, fmt.Errorf("%s does not exist (credential secret not found: %s)", key, err.Error()))
	case apierrors.IsNotFound(err):
		return nil, errors.New("global credential not configured, you must use either namespaced or per-resource credentials")
	case err != nil:
		return nil, fmt.Errorf("get credential secret %s: %w", key, err)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.known[key]; known.account != nil && known.version == secret.ResourceVersion {
		return known.account, nil
	}
	found, err := c.open(secret)
	if err != nil {
		return nil, err
	}
	if c.known == nil {
		c.known = map[client.ObjectKey]knownAccount{}
	}
	c.known[key] = knownAccount{version: secret.ResourceVersion, account: found}
	return found, nil
}

func (c *credentials) open(secret *corev1.Secret) (*account, error) {
	key := client.ObjectKeyFromObject(secret)
	for _, needed := range []string{"AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"} {
		if len(secret.Data[needed]) == 0 {
			return nil, warning(reasonSecretNotFound, fmt.Errorf("%s does not exist (credential Secret %q does not contain key %q)", key, key, needed))
		}
	}
	tenant, id := string(secret.Data["AZURE_TENANT_ID"]), string(secret.Data["AZURE_CLIENT_ID"])
	var credential azcore.TokenCredential
	var err error
	if password, found := secret.Data["AZURE_CLIENT_SECRET"]; found {
		credential, err = azidentity.NewClientSecretCredential(tenant, id, string(password), &azidentity.ClientSecretCredentialOptions{
			// The simulated authority is not one that Microsoft's instance discovery knows.
			ClientOptions: c.azure, DisableInstanceDiscovery: true,
		})
	} else {
		// Azure Service Operator presents the token of its service account. Nothing projects one here, and the simulator
		// does not read it.
		assertion := func(context.Context) (string, error) { return "stand-in", nil }
		credential, err = azidentity.NewClientAssertionCredential(tenant, id, assertion, &azidentity.ClientAssertionCredentialOptions{
			ClientOptions: c.azure, DisableInstanceDiscovery: true,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("use credential secret %s: %w", key, err)
	}
	azure, err := armclient.New(credential, c.azure)
	if err != nil {
		return nil, err
	}
	return &account{Client: azure, subscription: string(secret.Data["AZURE_SUBSCRIPTION_ID"])}, nil
}
