// Package management connects the plugin to the management cluster, with kubectl's own flags and files.
package management

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/app"
)

// UserAgent names the plugin to API servers.
const UserAgent = "kubectl-fleetwright"

// The client's own rate: kubectl's.
const queriesPerSecond, burst = 50, 300

// Connection is the management cluster that the flags, the environment and the kubeconfig name.
type Connection struct {
	*genericclioptions.ConfigFlags
}

// NewConnection connects to nothing yet.
func NewConnection(streams genericiooptions.IOStreams) *Connection {
	flags := genericclioptions.NewConfigFlags(true).
		WithDiscoveryQPS(queriesPerSecond).WithDiscoveryBurst(burst).WithWarningPrinter(streams)
	// --cluster is a workload cluster here; the management cluster is named by its context.
	flags.ClusterName = nil
	flags.WrapConfigFn = func(config *rest.Config) *rest.Config {
		config.UserAgent, config.QPS, config.Burst = UserAgent, queriesPerSecond, burst
		return config
	}
	return &Connection{ConfigFlags: flags}
}

// AddFlags binds kubectl's flags.
func (c *Connection) AddFlags(fs *pflag.FlagSet) { c.ConfigFlags.AddFlags(fs) }

// Namespace is that of the flag, else of the kubeconfig's context, else "default"; named says that it was the flag.
func (c *Connection) Namespace() (namespace string, named bool, err error) {
	namespace, named, err = c.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", false, fmt.Errorf("read the kubeconfig (which one, --kubeconfig says): %w", err)
	}
	return namespace, named, nil
}

// Client reads the management cluster, and watches it. It does not repeat the API server's warnings: CAPZ calls its
// classic kinds deprecated with every answer, about which the reader can do nothing here.
func (c *Connection) Client() (client.WithWatch, error) {
	config, err := c.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("find the management cluster (name it with --context or --kubeconfig): %w", err)
	}
	config = rest.CopyConfig(config)
	config.WarningHandlerWithContext, config.WarningHandler = nil, rest.NoWarnings{}
	scheme, err := app.Scheme()
	if err != nil {
		return nil, err
	}
	mapper, err := c.ToRESTMapper()
	if err != nil {
		return nil, Explain(err)
	}
	out, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("connect to the management cluster: %w", err)
	}
	return out, nil
}

// Explain adds to an error what to do about it, where that is known.
func Explain(err error) error {
	var unreachable *url.Error
	switch {
	case err == nil:
		return nil
	case meta.IsNoMatchError(err):
		return fmt.Errorf("this cluster does not have what a management cluster has (%w): choose the one that Fleetwright and Cluster API are installed on with --context", err)
	case errors.As(err, &unreachable), discovery.IsGroupDiscoveryFailedError(err):
		return fmt.Errorf("the management cluster does not answer (%w): see that it can be reached from here, or choose another one with --context", err)
	}
	return err
}
