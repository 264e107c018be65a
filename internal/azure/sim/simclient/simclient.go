// Package simclient points the Azure SDK for Go at a simulator: nothing in it knows anything about the simulator but
// its address and its certificate authority.
package simclient

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Audience is the audience of the tokens that clients ask for.
const Audience = "https://management.azure.com"

// Identity is a service principal. The simulator accepts any whose ids are GUIDs and whose secret is not empty.
type Identity struct {
	TenantID, ClientID, ClientSecret string
}

// Client is what every constructor of an ARM client of the SDK takes.
type Client struct {
	// Cloud names the simulator's endpoints.
	Cloud cloud.Configuration
	// Options carry Cloud and an HTTP client that trusts the simulator. Copy them to change retries or telemetry.
	Options *arm.ClientOptions
	// Credential gets tokens from the simulator's token endpoint.
	Credential azcore.TokenCredential
}

// New builds a Client for the simulator at url (https://127.0.0.1:port) whose certificate authority is in caFile.
func New(url, caFile string, id Identity) (*Client, error) {
	transport, err := Transport(caFile)
	if err != nil {
		return nil, err
	}
	configuration := cloud.Configuration{
		ActiveDirectoryAuthorityHost: url + "/",
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Audience: Audience, Endpoint: url}},
	}
	options := policy.ClientOptions{Cloud: configuration, Transport: transport}
	credential, err := azidentity.NewClientSecretCredential(id.TenantID, id.ClientID, id.ClientSecret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: options,
		// The authority is not one that Microsoft's instance discovery knows.
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		return nil, fmt.Errorf("build a credential for the Azure simulator: %w", err)
	}
	return &Client{
		Cloud:      configuration,
		Options:    &arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true},
		Credential: credential,
	}, nil
}

// Transport is an HTTP client that trusts the certificate authority in caFile and nothing else.
func Transport(caFile string) (*http.Client, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the Azure simulator's certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the Azure simulator's certificate authority: no certificate in %s", caFile)
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
		// Never through a proxy of the environment: the simulator is on loopback.
		Proxy: nil,
	}}, nil
}
