package capz

import (
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-logr/logr"

	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// Options are the settings of the stand-in. Azure is needed; everything else has a default.
type Options struct {
	// Azure says where Azure is (Cloud: endpoint, audience and authority) and how to get there (Transport: an HTTP client
	// that trusts it). The identities come from AzureClusterIdentity objects, as with CAPZ.
	Azure azcore.ClientOptions
	// Log receives the stand-in's log. Zero: nothing is logged.
	Log logr.Logger
	// Requeue is the time between two looks at an operation under way. CAPZ has a constant of 20 s; default 1 s.
	Requeue time.Duration
	// Retry is the time until Azure is asked again for what it refused, such as a pool beyond the quota. Azure Service
	// Operator backs off up to many minutes; default 5 s.
	Retry time.Duration
	// AzureSync is the time after which resources that nobody asked to change are compared with Azure, so that edits by
	// hand are undone. Azure Service Operator takes an hour, and so does the default.
	AzureSync time.Duration
	// SyncPeriod is the time after which everything is reconciled although nothing changed. Default 10 min, as CAPZ's
	// --sync-period.
	SyncPeriod time.Duration
	// Concurrency is how many objects of each kind are reconciled at once. Default 10, as with CAPZ.
	Concurrency int
}

func (o Options) withDefaults() Options {
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	for setting, fallback := range map[*time.Duration]time.Duration{
		&o.Requeue:    time.Second,
		&o.Retry:      5 * time.Second,
		&o.AzureSync:  time.Hour,
		&o.SyncPeriod: 10 * time.Minute,
	} {
		if *setting <= 0 {
			*setting = fallback
		}
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 10
	}
	return o
}

func (o Options) keeper() *resource.Keeper {
	return resource.NewKeeper(resource.Settings{Requeue: o.Requeue, Retry: o.Retry, Sync: o.AzureSync})
}

// ClientOptions are Options.Azure for an Azure whose resource manager and token endpoint are both at url, such as the
// simulator; client is an HTTP client that trusts it.
func ClientOptions(url string, client *http.Client) azcore.ClientOptions {
	return azcore.ClientOptions{
		Transport: client,
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: url + "/",
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: url, Audience: "https://management.azure.com"},
			},
		},
	}
}
