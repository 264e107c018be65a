package stack

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/localstack/capz"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// Surroundings are what an Azure provider has to know.
type Surroundings struct {
	// Management is the access to the management cluster.
	Management *rest.Config
	// ARM is the base of the resource manager and token endpoints, and CAFile the certificate authority to trust there.
	ARM, CAFile string
	// Proxy is for HTTPS_PROXY of programs whose Azure endpoints cannot be configured.
	Proxy string
	// Dir is a folder of the stack's directory for the provider's own files; it may not exist yet.
	Dir string
	// Logs is the folder of the log files.
	Logs string
	// Log receives the provider's log.
	Log logr.Logger
}

// Provider starts an Azure provider and returns once it works, with a function that waits until it has stopped and says
// why. It runs until ctx ends. When it returns an error nothing keeps running.
type Provider func(ctx context.Context, s Surroundings) (wait func() error, err error)

// StandIn is the provider that takes the place of CAPZ.
func StandIn(ctx context.Context, s Surroundings) (func() error, error) {
	transport, err := simclient.Transport(s.CAFile)
	if err != nil {
		return nil, err
	}
	running, err := capz.Start(ctx, named(s.Management, "capz"), capz.Options{
		Azure: azcore.ClientOptions{
			Cloud: cloud.Configuration{
				ActiveDirectoryAuthorityHost: s.ARM + "/",
				Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
					cloud.ResourceManager: {Audience: simclient.Audience, Endpoint: s.ARM},
				},
			},
			Transport: transport,
		},
		Log: s.Log,
	})
	if err != nil {
		return nil, err
	}
	return running.Wait, nil
}

func (s *Stack) startProvider(ctx context.Context) error {
	log, err := s.logs.open("capz")
	if err != nil {
		return err
	}
	start := s.options.Provider
	if start == nil {
		start = StandIn
	}
	life := newLife(ctx)
	wait, err := start(life.ctx, Surroundings{
		Management: s.management.Config(), ARM: s.azure.URL(), CAFile: s.azure.CAFile(), Proxy: s.azure.ProxyURL(),
		Dir: s.layout.provider(), Logs: s.layout.Logs(), Log: log,
	})
	if err != nil {
		life.end()
		return err
	}
	s.parts.run(controllerLevel, life, "Azure provider", wait)
	return nil
}

// startAzure starts the simulator, which starts the API servers of the clusters it remembers.
func (s *Stack) startAzure(ctx context.Context) error {
	log, err := s.logs.open("azure")
	if err != nil {
		return err
	}
	settings := kubelet.DefaultSettings()
	if s.options.Kubelet != nil {
		settings = *s.options.Kubelet
	}
	settings.Log = log.WithName("kubelet")
	servers := newLife(ctx)
	s.clusters = newClusters(servers.ctx, s.layout, s.etcd, s.ca, settings, log)
	s.parts.add(worldLevel, servers.end, s.clusters.wait)
	if s.options.SharedWorkload {
		if err := s.startSharedWorkload(ctx, log); err != nil {
			return err
		}
	}
	simulator := newLife(ctx)
	s.azure, err = sim.Start(simulator.ctx, sim.Options{Dir: s.layout.azure(), Kubernetes: s.clusters, Settings: s.options.Azure, Log: log})
	if err != nil {
		simulator.end()
		return err
	}
	s.parts.add(simulatorLevel, simulator.end, s.azure.Close)
	s.clusters.registries.open(s.azure)
	servers.started()
	simulator.started()
	return s.note(func(r *Record) { r.Azure, r.AzureAdmin = s.azure.URL(), s.azure.URL()+"/simulator" })
}
