package arm

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"k8s.io/utils/clock"

	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

const (
	// applicationID starts the User-Agent of each request.
	applicationID = "fleetwright"
	// How long answers are kept. Machine types of a region change rarely and their list is long; quotas and addresses
	// change with each node.
	keepSKUs  = 15 * time.Minute
	keepUsage = 30 * time.Second
	// The GUID of a role and the name of a registry do not change, and the identities of a cluster hardly ever do.
	keepNames      = 24 * time.Hour
	keepIdentities = 7 * 24 * time.Hour
	// timeout bounds each read with all its pages, and each write.
	timeout = 30 * time.Second
)

// Options say which Azure to talk to.
type Options struct {
	// Cloud is AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud. Empty is AzurePublicCloud.
	Cloud string
	// ResourceManagerEndpoint (https), ResourceManagerAudience and AuthorityHost (https) describe a cloud that has no
	// name. They are given all together, and then Cloud is not.
	ResourceManagerEndpoint, ResourceManagerAudience, AuthorityHost string
	// CAFile is a PEM file of authorities that are trusted besides the system's; empty for none.
	CAFile string
	// Whose identity Clients take for a cluster. Empty is OfCluster.
	Whose Whose
	// Clock tells how old kept answers are; nil is the real one.
	Clock clock.PassiveClock
	// Broker lets each request through when there is budget for it; nil makes one. All clients of a process share one.
	Broker *broker.Broker

	// transport is shared by several clients; nil makes one from CAFile.
	transport policy.Transporter
}

// Client is one identity in one cloud. It is safe for concurrent use.
type Client struct {
	credential azcore.TokenCredential
	options    *azarm.ClientOptions
	reads      *azarm.Client
	clock      clock.PassiveClock
	who        who

	skus   *cache[map[string]sku]
	quotas *cache[map[string]capacity.Quota]
	spaces *cache[map[string]space]
	// roleIDs and loginServers are GUIDs by scope and name, and host names by registry.
	roleIDs, loginServers *cache[string]
	// identities are those of clusters, by the cluster's id.
	identities *cache[roles.Identities]
}

// New makes a Client. Who it is, is read from the environment (workload identity, service principal, Azure CLI, in this order); ErrNoCredentials says that there is
// nobody to be. Nothing is asked of Azure yet.
func New(o Options) (*Client, error) {
	options, named, err := sdkOptions(o)
	if err != nil {
		return nil, err
	}
	credential, who, err := credentials(options, named)
	if err != nil {
		return nil, err
	}
	return newClient(o, options, credential, who)
}

// sdkOptions are the options of every client of the SDK; named tells whether Microsoft's instance discovery knows the cloud.
func sdkOptions(o Options) (options policy.ClientOptions, named bool, err error) {
	configuration, named, err := configuration(o)
	if err != nil {
		return options, false, err
	}
	options = policy.ClientOptions{
		Cloud: configuration,
		// One try: a hidden second one would not be counted by whoever keeps to Azure's limits.
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: applicationID},
	}
	if options.Transport = o.transport; o.transport == nil && o.CAFile != "" {
		if options.Transport, err = transport(o.CAFile); err != nil {
			return options, false, err
		}
	}
	return options, named, nil
}

func newClient(o Options, options policy.ClientOptions, credential azcore.TokenCredential, who who) (*Client, error) {
	if o.Broker == nil {
		o.Broker = broker.New(nil)
	}
	// Tokens are of another service, with limits of its own: only requests to Resource Manager pass the broker.
	options.PerRetryPolicies = append(slices.Clone(options.PerRetryPolicies), o.Broker.Policy(who.principal))
	// Registering resource providers with a subscription is not an operator's business.
	armOptions := &azarm.ClientOptions{ClientOptions: options, DisableRPRegistration: true}
	reads, err := azarm.NewClient(applicationID, "v1.0.0", credential, armOptions)
	if err != nil {
		return nil, fmt.Errorf("make a client of Azure Resource Manager: %w", err)
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return &Client{
		credential: credential, options: armOptions, reads: reads, clock: o.Clock, who: who,
		skus:   newCache[map[string]sku](o.Clock, keepSKUs),
		quotas: newCache[map[string]capacity.Quota](o.Clock, keepUsage),
		spaces: newCache[map[string]space](o.Clock, keepUsage),

		roleIDs: newCache[string](o.Clock, keepNames), loginServers: newCache[string](o.Clock, keepNames),
		identities: newCache[roles.Identities](o.Clock, keepIdentities),
	}, nil
}

// transport is an HTTP client that trusts the system's authorities and those of a file.
func transport(caFile string) (*http.Client, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authorities for Azure: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the certificate authorities for Azure: no certificate in %s", caFile)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: t}, nil
}
