package arm

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// defaultTokenFile is where Azure Workload Identity mounts the token of a Pod's service account.
const defaultTokenFile = "/var/run/secrets/azure/tokens/azure-identity-token"

// maxCredentialFile bounds what is read of a file that somebody names.
const maxCredentialFile = 1 << 20

// invalid is what makes an identity unusable here. It never repeats what is in a Secret or a file, nor what a parser says about it.
func invalid(i identity.Identity, format string, args ...any) *identity.Refusal {
	return &identity.Refusal{Reason: identity.Invalid, Message: i.From + ": " + fmt.Sprintf(format, args...)}
}

// optionsFor are the options of the cloud that an identity is for. A cloud of one's own, given by its endpoints, stands for every
// cluster: there the name of a cloud means nothing. Endpoints in a Secret must be the operator's: its workload identity's token would be
// handed to whoever wrote them.
func (o Options) optionsFor(i identity.Identity) (Options, error) {
	c := i.Cloud
	switch {
	case c.Endpoint != "":
		own, _, err := configuration(o)
		if err != nil {
			return o, err
		}
		manager := own.Services[cloud.ResourceManager]
		if !sameURL(c.Endpoint, manager.Endpoint) || !sameURL(c.Authority, own.ActiveDirectoryAuthorityHost) || !sameURL(c.Audience, manager.Audience) {
			return o, &identity.Refusal{Reason: identity.Invalid, Message: c.From + " name another cloud than the operator's, " + manager.Endpoint +
				": remove them, or start the operator with --azure-resource-manager-endpoint, --azure-resource-manager-audience and --azure-authority-host"}
		}
	case c.Name == "" || o.ResourceManagerEndpoint != "":
	default:
		if _, err := byName(c.Name); err != nil {
			return o, &identity.Refusal{Reason: identity.Invalid, Message: c.From + ": " + err.Error()}
		}
		if i.Method == identity.Operator && !sameCloud(c.Name, o.Cloud) {
			return o, &identity.Refusal{Reason: identity.Invalid, Message: fmt.Sprintf("%s is %s, and the operator's own identity is of %s: name an identity in spec.identityRef",
				c.From, c.Name, orPublic(o.Cloud))}
		}
		o.Cloud = c.Name
	}
	return o, nil
}

func sameURL(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

func sameCloud(a, b string) bool { return strings.EqualFold(orPublic(a), orPublic(b)) }

func orPublic(name string) string {
	if name == "" {
		return "AzurePublicCloud"
	}
	return name
}

// proof is by what an identity signs in, with the content of its file. Its ids are those of the file, where the file has some: the
// identity is who the file says.
type proof struct {
	identity.Identity
	file identity.Secret
}

func (p proof) digest() (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, s := range []identity.Secret{p.Secret, p.Password, p.file} {
		d := s.Digest()
		h.Write(d[:])
	}
	return [sha256.Size]byte(h.Sum(sum[:0]))
}

func (p proof) secrets() []identity.Secret { return []identity.Secret{p.Secret, p.Password, p.file} }

// prove reads the file of an identity that has one.
func prove(i identity.Identity) (proof, error) {
	p := proof{Identity: i}
	path := i.File
	if i.Method == identity.WorkloadIdentity {
		path = tokenFile()
	}
	if path == "" {
		return p, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil && i.Method == identity.WorkloadIdentity:
		return p, invalid(i, "it is a workload identity, and the operator has no token for one in %s: give its Pods the label azure.workload.identity/use", path)
	case err != nil:
		return p, invalid(i, "it names file %s, which the operator cannot read: mount it into its Pods", path)
	case i.Method == identity.WorkloadIdentity:
		return p, nil // Kubernetes renews the token, and the SDK reads it anew
	case !info.Mode().IsRegular() || info.Size() > maxCredentialFile:
		return p, invalid(i, "it names file %s, which is no file of at most 1 MiB", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return p, invalid(i, "it names file %s, which the operator cannot read: mount it into its Pods", path)
	}
	p.file = identity.NewSecret(string(content))
	if i.Method == identity.ManagedIdentityFile {
		var managed managedFile
		if managed, err = p.readManagedFile(); err != nil {
			return p, err
		}
		p.TenantID, p.ClientID = managed.TenantID, managed.ClientID
	}
	return p, nil
}

func tokenFile() string {
	if path := strings.TrimSpace(os.Getenv("AZURE_FEDERATED_TOKEN_FILE")); path != "" {
		return path
	}
	return defaultTokenFile
}

// credential signs in as an identity. named tells whether Microsoft's instance discovery knows the cloud.
func (p proof) credential(options policy.ClientOptions, named bool) (azcore.TokenCredential, error) {
	var c azcore.TokenCredential
	var err error
	switch p.Method {
	case identity.WorkloadIdentity:
		c, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: !named, TenantID: p.TenantID, ClientID: p.ClientID, TokenFilePath: tokenFile(),
		})
	case identity.ManagedIdentity:
		c, err = azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: options, ID: azidentity.ClientID(p.ClientID)})
	case identity.ClientSecret:
		c, err = azidentity.NewClientSecretCredential(p.TenantID, p.ClientID, p.Secret.Reveal(), &azidentity.ClientSecretCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: !named,
		})
	case identity.ClientCertificate:
		certificate := p.Secret
		if certificate.Empty() {
			certificate = p.file
		}
		return p.byCertificate(p.TenantID, p.ClientID, certificate, &azidentity.ClientCertificateCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: !named,
		})
	case identity.ManagedIdentityFile:
		return p.byManagedFile(options)
	default:
		return nil, invalid(p.Identity, "method %q is not known", p.Method)
	}
	if err != nil {
		// The SDK looks at the form of the ids only, and its words are about those.
		return nil, invalid(p.Identity, "it cannot be used: %s", who{secrets: p.secrets()}.discreet(err.Error()))
	}
	return c, nil
}

func (p proof) byCertificate(tenant, client string, certificate identity.Secret, options *azidentity.ClientCertificateCredentialOptions) (azcore.TokenCredential, error) {
	chain, key, err := azidentity.ParseCertificates([]byte(certificate.Reveal()), []byte(p.Password.Reveal()))
	if err != nil {
		return nil, invalid(p.Identity, "its certificate is no PEM or PKCS#12 with one private key, or the password is wrong")
	}
	c, err := azidentity.NewClientCertificateCredential(tenant, client, chain, key, options)
	if err != nil {
		return nil, invalid(p.Identity, "its certificate or its ids cannot be used")
	}
	return c, nil
}

// managedFile is what Microsoft's own services get for a managed identity, as CAPZ's library msi-dataplane reads it.
type managedFile struct {
	TenantID     string `json:"tenant_id"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Endpoint     string `json:"authentication_endpoint"`
}

func (p proof) readManagedFile() (managedFile, error) {
	var file managedFile
	if json.Unmarshal([]byte(p.file.Reveal()), &file) != nil || file.TenantID == "" || file.ClientID == "" || file.Endpoint == "" {
		return file, invalid(p.Identity, "file %s is not JSON with tenant_id, client_id, client_secret and authentication_endpoint", p.File)
	}
	return file, nil
}

// byManagedFile signs in by such a file.
func (p proof) byManagedFile(options policy.ClientOptions) (azcore.TokenCredential, error) {
	file, err := p.readManagedFile()
	if err != nil {
		return nil, err
	}
	certificate, err := base64.StdEncoding.DecodeString(file.ClientSecret)
	if err != nil {
		return nil, invalid(p.Identity, "client_secret of file %s is not base64", p.File)
	}
	options.Cloud.ActiveDirectoryAuthorityHost = file.Endpoint
	return p.byCertificate(file.TenantID, file.ClientID, identity.NewSecret(string(certificate)), &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: options, SendCertificateChain: true, DisableInstanceDiscovery: true, // a regional endpoint, which discovery does not know
	})
}
