package identity

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

const (
	credentialFrom = "annotation serviceoperator.azure.com/credential-from"
	// SecretOfNamespace is the Secret that Azure Service Operator takes for every object of its namespace that names none.
	SecretOfNamespace = "aso-credential"
)

// Keys of the Secrets of Azure Service Operator.
const (
	KeySubscription        = "AZURE_SUBSCRIPTION_ID"
	keyTenant              = "AZURE_TENANT_ID"
	keyClient              = "AZURE_CLIENT_ID"
	keyASOSecret           = "AZURE_CLIENT_SECRET"
	keyASOCertificate      = "AZURE_CLIENT_CERTIFICATE"
	keyASOPassword         = "AZURE_CLIENT_CERTIFICATE_PASSWORD"
	keyIdentityCredentials = "AZURE_USER_ASSIGNED_IDENTITY_CREDENTIALS"
	keyAuthMode            = "AUTH_MODE"
	keyEndpoint            = "AZURE_RESOURCE_MANAGER_ENDPOINT"
	keyAudience            = "AZURE_RESOURCE_MANAGER_AUDIENCE"
	keyAuthority           = "AZURE_AUTHORITY_HOST"
)

// ofASO finds the Secret as Azure Service Operator does (internal/identity/credential_provider.go), but for its last resort:
// where it has its own identity, we have ours.
func (s Sources) ofASO() (Step, error) {
	key := types.NamespacedName{Namespace: s.Namespace, Name: SecretOfNamespace}
	if s.CredentialFrom != "" {
		if strings.Contains(s.CredentialFrom, "/") {
			return Step{}, refuse(Invalid, "%s: %s is %q: name a Secret of namespace %s, without a slash", s.ControlPlane, credentialFrom, s.CredentialFrom, s.Namespace)
		}
		key.Name = s.CredentialFrom
	} else if read := s.Secrets[key]; read.Asked && !read.Found {
		return Step{}, nil
	}
	data, need, err := s.secret(key, s.ControlPlane+": "+credentialFrom)
	if err != nil {
		return Step{}, err
	}
	if need != nil {
		return *need, nil
	}
	i, err := ofASOSecret("Secret "+key.String(), data)
	return Step{Identity: i}, err
}

func ofASOSecret(from string, data map[string][]byte) (Identity, error) {
	for _, key := range []string{KeySubscription, keyTenant, keyClient} {
		if len(data[key]) == 0 {
			return Identity{}, refuse(Invalid, "%s has no key %s, which Azure Service Operator asks for: add it", from, key)
		}
	}
	i := Identity{From: from, TenantID: string(data[keyTenant]), ClientID: string(data[keyClient])}
	if err := i.readCloud(data); err != nil {
		return Identity{}, err
	}
	// In this order. A key that is there and empty still decides.
	switch {
	case has(data, keyASOSecret):
		i.Method, i.Secret = ClientSecret, NewSecret(string(data[keyASOSecret]))
		return i, i.notEmpty(keyASOSecret, i.Secret.Empty())
	case has(data, keyASOCertificate):
		i.Method, i.Secret, i.Password = ClientCertificate, NewSecret(string(data[keyASOCertificate])), NewSecret(string(data[keyASOPassword]))
		return i, i.notEmpty(keyASOCertificate, i.Secret.Empty())
	case has(data, keyIdentityCredentials):
		i.Method, i.File = ManagedIdentityFile, string(data[keyIdentityCredentials])
		return i, i.notEmpty(keyIdentityCredentials, i.File == "")
	}
	switch mode := string(data[keyAuthMode]); mode {
	case "podidentity":
		i.Method = ManagedIdentity
	case "", "workloadidentity":
		// USE_WORKLOAD_IDENTITY_AUTH is for the settings of Azure Service Operator itself; for an object it is the default.
		i.Method = WorkloadIdentity
	default:
		// The value is not repeated: it is out of a Secret.
		return Identity{}, refuse(Invalid, "%s: key %s is neither workloadidentity nor podidentity", from, keyAuthMode)
	}
	return i, nil
}

func has(data map[string][]byte, key string) bool {
	_, found := data[key]
	return found
}

func (i Identity) notEmpty(key string, empty bool) error {
	if empty {
		return refuse(Invalid, "%s: key %s is empty: fill it, or remove it for workload identity", i.From, key)
	}
	return nil
}

// readCloud takes over the endpoints that a Secret names: all three, or none.
func (i *Identity) readCloud(data map[string][]byte) error {
	c := Cloud{Endpoint: string(data[keyEndpoint]), Audience: string(data[keyAudience]), Authority: string(data[keyAuthority])}
	var missing []string
	for _, part := range []struct{ key, value string }{{keyEndpoint, c.Endpoint}, {keyAudience, c.Audience}, {keyAuthority, c.Authority}} {
		if part.value == "" {
			missing = append(missing, part.key)
		}
	}
	switch len(missing) {
	case 0:
		c.From = fmt.Sprintf("%s: keys %s, %s and %s", i.From, keyEndpoint, keyAudience, keyAuthority)
		i.Cloud = c
	case 1, 2:
		return refuse(Invalid, "%s has no key %s beside the others of a cloud: set all three or none", i.From, strings.Join(missing, " and "))
	}
	return nil
}
